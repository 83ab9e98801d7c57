//! Swift packages: the package manager's record of what it resolved.

use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::PackageType;
use serde::Deserialize;

/// `Package.resolved`, versions 1 to 3 (swift-package-manager, `PinsStore`).
///
/// A package goes by its repository's URL, without scheme and `.git`. Pins to a branch or commit
/// have no version, and pins of a package registry no repository: they are only told of. Local ones
/// are left out.
#[derive(Debug)]
pub struct PackageResolved;

#[derive(Deserialize)]
struct Resolved {
    /// From version 2 on.
    #[serde(default)]
    pins: Vec<Pin>,
    /// Version 1.
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
struct Pin {
    #[serde(default)]
    identity: String,
    #[serde(alias = "repositoryURL", default)]
    location: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    state: State,
}

#[derive(Default, Deserialize)]
struct State {
    version: Option<String>,
}

impl Analyzer for PackageResolved {
    fn name(&self) -> &'static str {
        "swift-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Name("Package.resolved"),
            Pattern::Name(".package.resolved"),
        ]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let resolved: Resolved = document::json(file)?;
        let mut declared = Declared::new(PackageType::Swift);
        let old = resolved.object.into_iter().flat_map(|object| object.pins);
        for pin in resolved.pins.into_iter().chain(old) {
            let name = match pin.kind.as_deref() {
                None | Some("remoteSourceControl") => {
                    let name = repository_name(&pin.location);
                    if let Some(version) = pin.state.version {
                        declared.add(&name, &version, false);
                        continue;
                    }
                    name
                }
                Some("registry") => pin.identity,
                Some(_) => continue,
            };
            found.add_unversioned(Wanted::Elsewhere(PackageType::Swift), &name, false);
        }
        declared.move_to(found);
        Ok(())
    }
}

/// `https://github.com/apple/swift-nio.git` and `git@github.com:apple/swift-nio.git` are both
/// `github.com/apple/swift-nio`.
fn repository_name(url: &str) -> String {
    let path = match url.split_once("://") {
        Some((_, path)) => path.to_owned(),
        None => url.replacen(':', "/", 1),
    };
    let (authority, rest) = path.split_once('/').unwrap_or((&path, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    format!("{host}/{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn all_versions_of_the_file() {
        check(
            &PackageResolved,
            "Package.resolved",
            br#"{"object": {"pins": [
                {"package": "swift-nio", "repositoryURL": "https://github.com/apple/swift-nio.git",
                 "state": {"branch": null, "revision": "00", "version": "2.41.0"}},
                {"package": "Tip", "repositoryURL": "https://example.org/tip",
                 "state": {"branch": "main", "revision": "00", "version": null}}]}, "version": 1}"#,
            &["github.com/apple/swift-nio 2.41.0"],
        );
        check(
            &PackageResolved,
            "App.xcodeproj/project.xcworkspace/xcshareddata/swiftpm/Package.resolved",
            br#"{"originHash": "00", "pins": [
                {"identity": "swift-nio", "kind": "remoteSourceControl",
                 "location": "git@github.com:apple/swift-nio.git",
                 "state": {"revision": "00", "version": "2.41.1"}},
                {"identity": "own", "kind": "localSourceControl", "location": "/src/own",
                 "state": {"revision": "00", "version": "1.0.0"}},
                {"identity": "mona.list", "kind": "registry", "location": "",
                 "state": {"version": "1.0.0"}}], "version": 3}"#,
            &["github.com/apple/swift-nio 2.41.1"],
        );
    }

    #[test]
    fn pins_without_a_version_or_repository_were_passed_over_in_silence() {
        let file = br#"{"pins": [
            {"identity": "tip", "kind": "remoteSourceControl", "location": "https://h/o/tip",
             "state": {"branch": "main"}},
            {"identity": "own", "kind": "localSourceControl", "location": "/src/own",
             "state": {"revision": "00"}},
            {"identity": "mona.list", "kind": "registry", "state": {"version": "1.0.0"}}]}"#;
        let (found, _) = analyze(&PackageResolved, "Package.resolved", file);
        let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(
            (&*found.packages, &*names),
            (&[][..], &["h/o/tip", "mona.list"][..])
        );
    }

    #[test]
    fn credentials_in_a_url_are_no_part_of_the_name() {
        assert_eq!(
            repository_name("https://user:word@example.org/a/b/"),
            "example.org/a/b"
        );
        assert_eq!(
            repository_name("ssh://git@example.org/a/b.git"),
            "example.org/a/b"
        );
    }
}
