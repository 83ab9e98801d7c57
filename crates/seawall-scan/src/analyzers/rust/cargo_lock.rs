use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;

/// `Cargo.lock`, versions 1 to 4. It does not say what is needed only for development.
#[derive(Debug)]
pub struct CargoLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    /// Absent for the workspace's own crates and those in a local directory.
    source: Option<String>,
}

impl Analyzer for CargoLock {
    fn name(&self) -> &'static str {
        "cargo-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("Cargo.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // Published crates carry lockfiles that are not in force where they are used.
        if file.path.contains("registry/src/") || file.path.contains("git/checkouts/") {
            return Ok(());
        }
        let lock: Lock = document::toml(file)?;
        let mut declared = Declared::new(PackageType::Cargo);
        for package in lock
            .package
            .iter()
            .filter(|package| package.source.is_some())
        {
            declared.add(&package.name, &package.version, false);
        }
        declared.move_to(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn cargo_lock() {
        check(
            &CargoLock,
            "Cargo.lock",
            br#"version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["a"]

[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "aa"

[[package]]
name = "g"
version = "0.2.0"
source = "git+https://example.org/g#0a1b2c"

[metadata]
"checksum a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)" = "aa"
"#,
            &["a 1.0.0", "g 0.2.0"],
        );
    }
}
