//! C and C++ packages: Conan's and vcpkg's.

mod conan;
mod vcpkg;

pub use conan::{ConanLock, ConanfileTxt};
pub use vcpkg::{VcpkgManifest, VcpkgStatus};
