use super::npm_lock::{is_of_an_installed_package, version_in_tarball_url};
use super::{is_version, split_descriptor};
use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `yarn.lock`: yarn 1's own syntax (<https://classic.yarnpkg.com/lang/en/docs/yarn-lock>) and the
/// YAML of yarn 2 and later. Neither says what is needed only for development.
#[derive(Debug)]
pub struct YarnLock;

impl Analyzer for YarnLock {
    fn name(&self) -> &'static str {
        "yarn-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("yarn.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if is_of_an_installed_package(file.path) {
            return Ok(());
        }
        let text = document::text(file)?;
        let mut declared = Declared::new(PackageType::Npm);
        let result = if text.lines().any(|line| line == "__metadata:") {
            read_berry(file, &mut declared)
        } else {
            read_classic(&text, &mut declared).and_then(|()| document::check_end(&text))
        };
        declared.move_to(found);
        result
    }
}

/// An entry of a yarn 2 lockfile.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    version: String,
    /// `name@protocol:reference`, with the real name where the descriptor was an alias.
    #[serde(default)]
    resolution: String,
}

fn read_berry(file: &File<'_>, declared: &mut Declared) -> Result<(), AnalyzeError> {
    for lock in document::yaml::<BTreeMap<String, Entry>>(file)? {
        for entry in lock.values() {
            let Some((name, reference)) = split_descriptor(&entry.resolution) else {
                // `__metadata`, which resolves nothing.
                continue;
            };
            let protocol = reference
                .split_once(':')
                .map_or("", |(protocol, _)| protocol);
            // Code of the project itself, linked in and not downloaded.
            let is_own = matches!(protocol, "workspace" | "link" | "portal" | "file");
            if !is_own || is_tarball(reference) {
                declared.add(name, &entry.version, false);
            }
        }
    }
    Ok(())
}

/// Reads entries of this form, where the names before `@` are the same except for aliases:
///
/// ```text
/// "@scope/name@^1.0.0", "@scope/name@^1.1.0":
///   version "1.1.2"
///   resolved "https://..."
/// ```
fn read_classic(text: &str, declared: &mut Declared) -> Result<(), AnalyzeError> {
    let mut descriptor: Option<&str> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim_end();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if !content.starts_with(' ') {
            let Some(descriptors) = content.strip_suffix(':') else {
                return Err(
                    AnalyzeError::corrupt("an entry of yarn.lock does not end with ':'")
                        .at(start as u64),
                );
            };
            descriptor = descriptors.split(',').next().map(unquote);
            continue;
        }
        let value = content.strip_prefix("  version ").map(unquote);
        if let (Some(version), Some(descriptor)) = (value, descriptor) {
            add_classic(descriptor, version, declared);
        }
    }
    Ok(())
}

fn add_classic(descriptor: &str, version: &str, declared: &mut Declared) {
    let Some((name, range)) = split_descriptor(descriptor) else {
        return;
    };
    let is_local = ["file:", "link:", "workspace:"]
        .iter()
        .any(|local| range.starts_with(local));
    if is_local && !is_tarball(range) {
        return;
    }
    let real = range
        .strip_prefix("npm:")
        .map(|real| split_descriptor(real).map_or(real, |r| r.0));
    let name = real.filter(|real| !is_version_range(real)).unwrap_or(name);
    if is_version(version) {
        declared.add(name, version, false);
    } else if let Some(version) = version_in_tarball_url(name, version) {
        declared.add(name, version, false);
    }
}

/// Whether this is a packed package, which is none of the project's own, in a local file:
/// `file:./a.tgz` and, with the checksum, `file:./a.tgz#./a.tgz::hash=00`.
fn is_tarball(reference: &str) -> bool {
    let file = reference.split('#').next().unwrap_or(reference);
    reference.starts_with("file:") && (file.ends_with(".tgz") || file.ends_with(".tar.gz"))
}

/// `npm:^1.0.0` names no other package.
fn is_version_range(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "^~<>=*".contains(c))
}

fn unquote(text: &str) -> &str {
    text.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn classic() {
        check(
            &YarnLock,
            "yarn.lock",
            br#"# yarn lockfile v1


"@s/a@^1.0.0", "@s/a@^1.1.0":
  version "1.1.2"
  resolved "https://registry.yarnpkg.com/@s/a/-/a-1.1.2.tgz#aa"
  dependencies:
    b "^2.0.0"
    version "^9.9.9"

b@^2.0.0:
  version "2.0.1"

"alias@npm:@s/real@^3.0.0":
  version "3.0.0"

"alias-of-any@npm:real":
  version "4.0.0"

"own@file:./packages/own":
  version "1.0.0"
"#,
            &["@s/a 1.1.2", "b 2.0.1", "@s/real 3.0.0", "real 4.0.0"],
        );
    }

    #[test]
    fn berry() {
        check(
            &YarnLock,
            "yarn.lock",
            br#"# generated

__metadata:
  version: 8
  cacheKey: 10c0

"@s/a@npm:^1.0.0, @s/a@npm:^1.1.0":
  version: 1.1.2
  resolution: "@s/a@npm:1.1.2"
  dependencies:
    b: "npm:^2.0.0"
  checksum: 10c0/aa
  languageName: node
  linkType: hard

"alias@npm:real@^3.0.0":
  version: 3.0.0
  resolution: "real@npm:3.0.0"
  linkType: hard

"p@patch:p@npm%3A^4.0.0#~/.yarn/patches/p.patch":
  version: 4.0.1
  resolution: "p@patch:p@npm%3A4.0.1#~/.yarn/patches/p.patch::version=4.0.1&hash=ab"
  linkType: hard

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  linkType: soft
"#,
            &["@s/a 1.1.2", "real 3.0.0", "p 4.0.1"],
        );
    }

    #[test]
    fn packed_packages_in_local_files_were_left_out() {
        let classic = b"\"a@file:./a-1.0.0.tgz\":\n  version \"1.0.0\"\n\
            \"own@file:./own\":\n  version \"2.0.0\"\n";
        let berry = b"__metadata:\n  version: 8\n\"a@file:./a-1.0.0.tgz\":\n  version: 1.0.0\n  \
            resolution: \"a@file:./a-1.0.0.tgz#./a-1.0.0.tgz::hash=00\"\n\"own@file:./own\":\n  \
            version: 2.0.0\n  resolution: \"own@file:./own#./own::hash=00\"\n";
        for lock in [&classic[..], berry] {
            check(&YarnLock, "yarn.lock", lock, &["a 1.0.0"]);
        }
    }

    #[test]
    fn damage_names_the_offset_and_keeps_what_was_read() {
        let (found, result) = analyze(
            &YarnLock,
            "yarn.lock",
            b"a@1:\n  version \"1.0.0\"\nrubbish\n",
        );
        assert_eq!(result.unwrap_err().offset, Some(23));
        assert_eq!(found.packages.len(), 1);
    }
}
