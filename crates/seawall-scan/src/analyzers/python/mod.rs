//! Python distributions: installed ones by their metadata, declared ones by requirement files and
//! lockfiles, and conda's packages.

mod conda;
mod metadata;
mod pipfile;
mod poetry;
mod pylock;
mod requirements;
mod uv;

pub use conda::CondaMeta;
pub use metadata::{Egg, Metadata};
pub use pipfile::PipfileLock;
pub use poetry::{PdmLock, PoetryLock};
pub use pylock::PyLock;
pub use requirements::Requirements;
pub use uv::UvLock;

/// Whether the file came with an installed distribution, whose own lists of requirements are not in
/// force: what is installed lies beside it with its metadata.
fn is_of_an_installed_package(path: &str) -> bool {
    ["site-packages/", "dist-packages/"]
        .iter()
        .any(|installed| path.contains(installed))
}

/// Whether a group of dependencies goes by one of the names that are used for developing and
/// testing. Group names are free, so this is a convention and no more.
fn is_development_group(group: &str) -> bool {
    const NAMES: [&str; 18] = [
        "dev",
        "devel",
        "develop",
        "development",
        "test",
        "tests",
        "testing",
        "lint",
        "linting",
        "format",
        "typing",
        "mypy",
        "doc",
        "docs",
        "documentation",
        "ci",
        "bench",
        "release",
    ];
    let group = group.to_ascii_lowercase();
    NAMES.contains(&group.as_str())
}
