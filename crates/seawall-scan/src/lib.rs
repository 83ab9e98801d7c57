//! Image, directory, host or SBOM in, inventory and findings out.

pub mod analyzers;
