use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// `pylock.toml` and `pylock.NAME.toml`
/// (<https://packaging.python.org/en/latest/specifications/pylock-toml/>, PEP 751).
#[derive(Debug)]
pub struct PyLock;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    /// Absent where it is only known after building.
    #[serde(default)]
    version: String,
    /// A local directory.
    directory: Option<IgnoredAny>,
    /// When it is installed: `'dev' in dependency_groups`.
    #[serde(default)]
    marker: String,
}

impl Analyzer for PyLock {
    fn name(&self) -> &'static str {
        "pylock"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::NamePrefix("pylock.")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let name = file.path.rsplit('/').next().unwrap_or(file.path);
        let Some(middle) = name
            .strip_prefix("pylock.")
            .and_then(|n| n.strip_suffix("toml"))
        else {
            return Ok(());
        };
        let development = super::is_development_group(middle.trim_end_matches('.'));
        let lock: Lock = document::toml(file)?;
        let mut declared = Declared::new(PackageType::PyPi);
        for package in lock
            .packages
            .iter()
            .filter(|package| package.directory.is_none())
        {
            let only = development || is_for_development(&package.marker);
            declared.add(&package.name, &package.version, only);
        }
        declared.move_to(found);
        Ok(())
    }
}

/// Whether the marker asks for one group, of a name that speaks of development, and nothing else.
/// A marker with `or` may be met without it.
fn is_for_development(marker: &str) -> bool {
    let Some((before, _)) = marker.split_once(" in dependency_groups") else {
        return false;
    };
    let group = before
        .rsplit(' ')
        .next()
        .unwrap_or(before)
        .trim_matches(['"', '\'', '(']);
    super::is_development_group(group) && !marker.contains(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    const LOCK: &[u8] = br#"lock-version = "1.0"
created-by = "a-tool"

[[packages]]
name = "a"
version = "1.0"
wheels = [{name = "a-1.0-py3-none-any.whl", url = "https://example.org/a.whl", hashes = {}}]

[[packages]]
name = "b"
version = "2.0"
marker = "'dev' in dependency_groups"

[[packages]]
name = "c"
version = "3.0"
marker = "'dev' in dependency_groups or 'x' in extras"

[[packages]]
name = "own"
directory = {path = "."}

[[packages]]
name = "unbuilt"
vcs = {type = "git", url = "https://example.org/u.git", commit-id = "aa"}
"#;

    #[test]
    fn pylock() {
        check(
            &PyLock,
            "pylock.toml",
            LOCK,
            &["a 1.0", "b 2.0 dev", "c 3.0"],
        );
        check(
            &PyLock,
            "pylock.dev.toml",
            LOCK,
            &["a 1.0 dev", "b 2.0 dev", "c 3.0 dev"],
        );
        check(&PyLock, "pylock.txt", b"no TOML", &[]);
    }
}
