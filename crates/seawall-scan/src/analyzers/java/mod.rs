//! Java: packages in archives, in Maven's `pom.xml`, and in Gradle's lockfiles.

mod archive;
mod file_name;
mod gradle;
mod groups;
mod manifest;
mod pom;
mod resolve;

pub use archive::Archive;
pub use gradle::GradleLock;
pub use pom::{Pom, PomXml};
pub use resolve::{Resolved, resolve_poms};
