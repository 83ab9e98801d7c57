use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `packages.lock.json` (learn.microsoft.com, "PackageReference in project files", "Locking
/// dependencies"). Dependencies on other projects of the solution are left out.
#[derive(Debug)]
pub struct PackagesLock;

#[derive(Deserialize)]
struct Lock {
    /// By target framework, then by package.
    #[serde(default)]
    dependencies: BTreeMap<String, BTreeMap<String, Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    resolved: String,
}

impl Analyzer for PackagesLock {
    fn name(&self) -> &'static str {
        "nuget-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("packages.lock.json")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::NuGet);
        for (name, package) in lock.dependencies.values().flatten() {
            if !package.kind.eq_ignore_ascii_case("project") {
                declared.add(name, &package.resolved, false);
            }
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
    fn packages_of_all_frameworks_once() {
        check(
            &PackagesLock,
            "src/packages.lock.json",
            br#"{"version": 1, "dependencies": {
                "net6.0": {
                    "Direct": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0"},
                    "Deep": {"type": "Transitive", "resolved": "2.0.0-rc.1"},
                    "own": {"type": "Project", "dependencies": {"Direct": "1.0.0"}}},
                "net6.0/linux-x64": {"Deep": {"type": "Transitive", "resolved": "2.0.0-rc.1"}}}}"#,
            &["Deep 2.0.0-rc.1", "Direct 1.0.0"],
        );
    }
}
