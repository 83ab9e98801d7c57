use super::{is_version, split_descriptor};
use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};

/// `deno.lock`, versions 2 to 5.
///
/// Packages of the JSR registry are reported under the names by which its npm endpoint serves them
/// (<https://jsr.io/docs/npm-compatibility>): `@std/path` is `@jsr/std__path`. Modules imported by
/// URL are npm's where a host serves those; of others no advisories speak.
#[derive(Debug)]
pub struct DenoLock;

/// Where npm's packages are served as modules, up to the package's name.
const SERVE_NPM: [&str; 5] = [
    "https://cdn.jsdelivr.net/npm/",
    "https://cdn.skypack.dev/",
    "https://esm.sh/",
    "https://ga.jspm.io/npm:",
    "https://unpkg.com/",
];

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
    /// By URL.
    #[serde(default)]
    remote: BTreeMap<String, IgnoredAny>,
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
        let mut others = BTreeSet::new();
        for url in lock.remote.keys() {
            match npm_package(url) {
                Some((name, version)) => declared.add(name, version, false),
                None => drop(others.insert(module_name(url))),
            }
        }
        for name in others {
            // Of no registry that has this name too.
            found.add_unversioned(Wanted::Elsewhere(PackageType::Generic), name, false);
        }
        declared.move_to(found);
        Ok(())
    }
}

/// `@s/a` and `1.0.0` of `https://esm.sh/v135/@s/a@1.0.0/es2022/a.mjs`. A range, `a@1`, names no
/// version.
fn npm_package(url: &str) -> Option<(&str, &str)> {
    let path = SERVE_NPM.iter().find_map(|host| url.strip_prefix(host))?;
    let path = match path.split_once('/') {
        // The version of esm.sh itself.
        Some((build, rest)) if build == "stable" || is_build(build) => rest,
        _ => path,
    };
    let (name, rest) = split_descriptor(path.trim_start_matches('*'))?;
    let version = rest.split(['/', '?', '&']).next()?;
    let slashes = usize::from(name.starts_with('@'));
    let is_exact = is_version(version) && version.split('.').count() >= 3;
    // With more slashes it is of a code host or of another registry.
    (is_exact && name.matches('/').count() == slashes).then_some((name, version))
}

fn is_build(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// `oak` of `https://deno.land/x/oak@v12.5.0/mod.ts`, or the host.
fn module_name(url: &str) -> &str {
    let path = url.split_once("://").map_or(url, |(_, path)| path);
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let mut names = path.split('/').filter_map(|part| part.split_once('@'));
    names
        .find(|(name, _)| !name.is_empty())
        .map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

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

    #[test]
    fn modules_imported_by_url_were_passed_over_in_silence() {
        let lock = br#"{"version": "5", "remote": {
            "https://deno.land/x/oak@v12.5.0/deps.ts": "00",
            "https://deno.land/x/oak@v12.5.0/mod.ts": "00",
            "https://esm.sh/*b@2.0.0-rc.1&target=es2022": "00",
            "https://esm.sh/gh/o/c@1.0.0/c.js": "00",
            "https://esm.sh/preact@10.5.0": "00",
            "https://esm.sh/v135/@s/a@1.0.0/es2022/a.mjs": "00",
            "https://raw.example.org/o/r/main/mod.ts": "00",
            "https://unpkg.com/range@1": "00"}}"#;
        let expected = ["b 2.0.0-rc.1", "preact 10.5.0", "@s/a 1.0.0"];
        check(&DenoLock, "deno.lock", lock, &expected);
        let (found, _) = analyze(&DenoLock, "deno.lock", lock);
        let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["c", "oak", "range", "raw.example.org"]);
    }
}
