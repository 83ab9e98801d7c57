//! The nouns of Seawall. No IO, no async, no serialisation: what leaves the process is written by
//! the crates at the edge (`seawall-report`, the advisory database file).

mod codename;
mod distro;
mod ecosystem;
mod finding;
mod gate;
mod incomplete;
mod inventory;
mod package;
mod severity;

pub use distro::{Distro, EndOfLife};
pub use ecosystem::{DistroFamily, Ecosystem, VersionScheme};
pub use finding::{
    Confidence, Epss, Finding, Fix, FixState, Priority, PriorityLevel, PriorityPart, Status,
    Suppression,
};
pub use gate::{FailOn, Gate};
pub use incomplete::{Incomplete, IncompleteReason};
pub use inventory::{Inventory, Layer, PackageIndex, Role, Target, TargetKind};
pub use package::{Evidence, Package, PackageType, SourcePackage, purl_namespace};
pub use severity::{Cvss, CvssVersion, Severity};
