//! Image, directory, host or SBOM in, inventory and findings out.
//!
//! [`scan_artifact`] reads layers as they come: the [`analyzers`] see each wanted file once, on a
//! thread pool, while the reading goes on (`pipeline`, `layer`). Then the layers are merged as a
//! container would see them (`squash`), packages that are installed by symbolic links get their names
//! (`links`), and what several files say together is settled (`reconcile`).

pub mod analyzers;
pub mod base;
mod declarations;
mod dispatch;
mod distributor;
mod end_of_life;
pub mod host;
mod layer;
mod links;
mod owners;
mod path_set;
mod pipeline;
pub mod policy;
pub mod priority;
mod purl;
mod reconcile;
mod same_software;
pub mod sbom;
mod scan;
mod squash;
#[cfg(test)]
mod test_layer;
mod unversioned;

pub use end_of_life::end_of_life;
pub use scan::{ScanOptions, scan_artifact};
