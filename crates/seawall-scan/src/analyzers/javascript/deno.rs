use super::split_descriptor;
use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// `deno.lock`, versions 2 to 5.
///
/// Packages of the JSR registry are reported under the names by which its npm endpoint serves them
/// (<https://jsr.io/docs/npm-compatibility>): `@std/path` is `@jsr/std__path`. Modules imported by
/// URL have no name or version.
#[derive(Debug)]
pub struct DenoLock;

#[derive(Deserialize)]
struct Lock {
    /// From version 4 on at the top, in version 2 with one more level.
    #[serde(default)]
    npm: Npm,
    #[serde(default)]
    jsr: BTreeMap<String, IgnoredAny>,
    /// Version 3.
    #[serde(default)]
    packages: Packages,
}

#[derive(Deserialize, Default)]
struct Packages {
    #[serde(default)]
    npm: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    jsr: BTreeMap<String, IgnoredAny>,
}

/// Version 2 keeps the packages one level deeper, beside `specifiers`; a package's own key always
/// has an `@`, so neither can be taken for the other.
#[derive(Deserialize, Default)]
struct Npm {
    #[serde(default)]
    packages: BTreeMap<String, IgnoredAny>,
    #[serde(flatten)]
    direct: BTreeMap<String, IgnoredAny>,
}

impl Analyzer for DenoLock {
    fn name(&self) -> &'static str {
        "deno-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("deno.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::Npm);
        let npm = [&lock.npm.packages, &lock.npm.direct, &lock.packages.npm];
        for key in npm.into_iter().flat_map(BTreeMap::keys) {
            if let Some((name, version)) = split_descriptor(key) {
                // Peer dependencies follow after an underscore, which versions cannot have.
                let version = version.split_once('_').map_or(version, |(v, _)| v);
                declared.add(name, version, false);
            }
        }
        for key in [&lock.jsr, &lock.packages.jsr]
            .into_iter()
            .flat_map(BTreeMap::keys)
        {
            if let Some((name, version)) = split_descriptor(key) {
                let name = name.trim_start_matches('@').replacen('/', "__", 1);
                declared.add(&format!("@jsr/{name}"), version, false);
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
    fn every_version() {
        for lock in [
            r#"{"version": "2", "remote": {}, "npm": {"specifiers": {"a@^1": "a@1.0.0"},
                "packages": {"a@1.0.0": {"integrity": "x", "dependencies": {}},
                             "@s/b@2.0.0_a@1.0.0": {"integrity": "x", "dependencies": {}}}}}"#,
            r#"{"version": "3", "packages": {"specifiers": {"npm:a@^1": "npm:a@1.0.0"},
                "npm": {"a@1.0.0": {}, "@s/b@2.0.0_a@1.0.0": {}}}, "remote": {}}"#,
            r#"{"version": "5", "specifiers": {"npm:a@^1": "1.0.0"},
                "npm": {"a@1.0.0": {"integrity": "x"}, "@s/b@2.0.0_a@1.0.0": {}}}"#,
        ] {
            check(
                &DenoLock,
                "deno.lock",
                lock.as_bytes(),
                &["@s/b 2.0.0", "a 1.0.0"],
            );
        }
        check(
            &DenoLock,
            "deno.lock",
            br#"{"version": "4", "jsr": {"@std/path@1.0.8": {"integrity": "x"}}}"#,
            &["@jsr/std__path 1.0.8"],
        );
    }
}
