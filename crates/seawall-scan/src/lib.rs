//! Image, directory, host or SBOM in, inventory and findings out.

pub mod analyzers;
pub mod policy;
pub mod priority;
mod purl;
