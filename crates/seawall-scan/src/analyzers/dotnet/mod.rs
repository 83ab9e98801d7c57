//! NuGet packages of .NET programs: what a published program ships, and what projects lock.

mod assets;
mod deps_json;
mod packages_config;
mod packages_lock;

pub use assets::ProjectAssets;
pub use deps_json::DepsJson;
pub use packages_config::PackagesConfig;
pub use packages_lock::PackagesLock;
