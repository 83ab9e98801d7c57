use super::is_development_group;
use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;

/// `poetry.lock`, lockfile versions 1 and 2. Between poetry 1.5 and 2.0 the file does not say what
/// is needed only for development; all packages then count as needed.
#[derive(Debug)]
pub struct PoetryLock;

/// `pdm.lock`.
#[derive(Debug)]
pub struct PdmLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    #[serde(default)]
    version: String,
    /// Poetry before 1.5: `main` or `dev`.
    category: Option<String>,
    /// Poetry from 2.0 on, and pdm.
    #[serde(default)]
    groups: Vec<String>,
    source: Option<Source>,
    /// Pdm: a directory of the project.
    path: Option<String>,
    /// Pdm.
    #[serde(default)]
    editable: bool,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Locked {
    fn is_own(&self) -> bool {
        let kind = self
            .source
            .as_ref()
            .and_then(|source| source.kind.as_deref());
        kind == Some("directory") || self.path.is_some() || self.editable
    }

    fn is_for_development(&self) -> bool {
        let grouped =
            !self.groups.is_empty() && self.groups.iter().all(|group| is_development_group(group));
        grouped || self.category.as_deref() == Some("dev")
    }
}

fn read(file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
    let lock: Lock = document::toml(file)?;
    let mut declared = Declared::new(PackageType::PyPi);
    for package in lock.package.iter().filter(|package| !package.is_own()) {
        declared.add(
            &package.name,
            &package.version,
            package.is_for_development(),
        );
    }
    declared.move_to(found);
    Ok(())
}

impl Analyzer for PoetryLock {
    fn name(&self) -> &'static str {
        "poetry-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("poetry.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        read(file, found)
    }
}

impl Analyzer for PdmLock {
    fn name(&self) -> &'static str {
        "pdm-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("pdm.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        read(file, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn poetry() {
        check(
            &PoetryLock,
            "poetry.lock",
            br#"
[[package]]
name = "a"
version = "1.0"
category = "main"
optional = false

[[package]]
name = "b"
version = "2.0"
category = "dev"

[[package]]
name = "c"
version = "3.0"
groups = ["main", "dev"]

[[package]]
name = "d"
version = "4.0"
groups = ["dev", "docs"]

[[package]]
name = "own"
version = "0.1"
[package.source]
type = "directory"
url = "libs/own"

[metadata]
lock-version = "2.1"
"#,
            &["a 1.0", "b 2.0 dev", "c 3.0", "d 4.0 dev"],
        );
    }

    #[test]
    fn pdm() {
        check(
            &PdmLock,
            "pdm.lock",
            br#"
[metadata]
groups = ["default", "test"]
lock_version = "4.5.0"

[[package]]
name = "a"
version = "1.0"
groups = ["default", "test"]

[[package]]
name = "a"
version = "1.0"
extras = ["x"]
groups = ["default"]

[[package]]
name = "b"
version = "2.0"
groups = ["test"]

[[package]]
name = "own"
version = "0.1"
path = "./own"
editable = true
groups = ["default"]
"#,
            &["a 1.0", "b 2.0 dev"],
        );
    }

    #[test]
    fn damage_names_the_offset() {
        let (_, result) = analyze(&PoetryLock, "poetry.lock", b"[[package]]\nname = \n");
        assert_eq!(result.unwrap_err().offset, Some(19));
    }
}
