//! Which operating system this is.
//!
//! Formats: os-release(5); for systems older than it the one-line files of each distribution.

use super::{AnalyzeError, Analyzer, File, Found, Pattern};
use seawall_model::{Distro, DistroFamily};

/// Reads `os-release` and what was there before it.
pub struct OsRelease;

type Parser = fn(&str) -> Option<Distro>;

/// The files that name a distribution, the most telling first.
const FILES: &[(&str, Parser)] = &[
    ("etc/os-release", parse_os_release),
    ("usr/lib/os-release", parse_os_release),
    ("etc/alpine-release", parse_alpine_release),
    ("etc/oracle-release", parse_redhat_release),
    ("etc/centos-release", parse_redhat_release),
    ("etc/redhat-release", parse_redhat_release),
    ("etc/system-release", parse_redhat_release),
    ("etc/SuSE-release", parse_suse_release),
    ("etc/lsb-release", parse_lsb_release),
    ("etc/debian_version", parse_debian_version),
    ("etc/arch-release", parse_arch_release),
];

/// The file's place in the order of trust, 0 for the most telling.
pub(crate) fn rank(path: &str) -> usize {
    FILES
        .iter()
        .position(|(known, _)| *known == path)
        .unwrap_or(FILES.len())
}

impl Analyzer for OsRelease {
    fn name(&self) -> &'static str {
        "os-release"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Path("etc/os-release"),
            Pattern::Path("usr/lib/os-release"),
            Pattern::Path("etc/alpine-release"),
            Pattern::Path("etc/oracle-release"),
            Pattern::Path("etc/centos-release"),
            Pattern::Path("etc/redhat-release"),
            Pattern::Path("etc/system-release"),
            Pattern::Path("etc/SuSE-release"),
            Pattern::Path("etc/lsb-release"),
            Pattern::Path("etc/debian_version"),
            Pattern::Path("etc/arch-release"),
        ]
    }

    fn max_bytes(&self) -> u64 {
        1 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let bytes = file.content.read_all()?;
        let text = String::from_utf8_lossy(&bytes);
        found.distro = FILES
            .iter()
            .find(|(known, _)| *known == file.path)
            .and_then(|(_, parse)| parse(&text));
        Ok(())
    }
}

fn distro(id: &str, version: &str) -> Distro {
    Distro {
        id: id.to_owned(),
        version: version.to_owned(),
        id_like: Vec::new(),
        codename: None,
        pretty_name: None,
        end_of_life: None,
    }
}

/// Reads an os-release(5) file. `None` without an `ID`.
#[must_use]
pub fn parse_os_release(text: &str) -> Option<Distro> {
    let value = |key: &str| {
        assignments(text)
            .filter(|(own, _)| *own == key)
            .map(|(_, value)| value)
            .last()
            .filter(|value| !value.is_empty())
    };
    let id = value("ID")?.to_ascii_lowercase();
    let original = || value("UBUNTU_CODENAME").or_else(|| value("DEBIAN_CODENAME"));
    let codename = match DistroFamily::from_os_release_id(&id) {
        Some(_) => None,
        None => original(),
    };
    let codename = codename.or_else(|| value("VERSION_CODENAME"));
    let mut version = value("VERSION_ID").unwrap_or_default();
    if version.is_empty() && id == "debian" {
        version = codename.as_deref().map_or("", debian_release).to_owned();
    }
    if id == "openeuler"
        && let Some(service_pack) = value("VERSION").as_deref().and_then(service_pack)
    {
        version = format!("{version}-{service_pack}");
    }
    Some(Distro {
        version,
        id_like: value("ID_LIKE")
            .map(|ids| ids.split_ascii_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        codename,
        pretty_name: value("PRETTY_NAME"),
        ..distro(&id, "")
    })
}

/// Lines of `KEY=value`, the value quoted as for a shell.
fn assignments(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        (!key.starts_with('#')).then(|| (key, unquote(value)))
    })
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    if let Some(inner) = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    {
        return inner.to_owned();
    }
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// openEuler keeps the service pack, which has its own advisories, out of `VERSION_ID`:
/// `VERSION="22.03 (LTS-SP3)"`.
fn service_pack(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once('(')?;
    let (inner, _) = rest.split_once(')')?;
    inner.starts_with("LTS").then_some(inner)
}

/// Debian's testing has a code name only.
fn debian_release(codename: &str) -> &'static str {
    DistroFamily::Debian
        .release_by_codename(codename)
        .unwrap_or_default()
}

fn parse_alpine_release(text: &str) -> Option<Distro> {
    let version = text.trim();
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| distro("alpine", version))
}

/// `12.5`, or `trixie/sid` before the release.
fn parse_debian_version(text: &str) -> Option<Distro> {
    let version = text.trim();
    if version.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(distro("debian", version));
    }
    let (codename, _) = version.split_once('/')?;
    Some(Distro {
        codename: Some(codename.to_owned()),
        ..distro("debian", debian_release(codename))
    })
}

fn parse_arch_release(_text: &str) -> Option<Distro> {
    Some(distro("arch", ""))
}

/// `CentOS release 6.10 (Final)`, `Red Hat Enterprise Linux Server release 7.9 (Maipo)`.
fn parse_redhat_release(text: &str) -> Option<Distro> {
    let line = text.lines().next()?.trim();
    let (name, rest) = line.split_once(" release ")?;
    let id = match name {
        name if name.starts_with("Red Hat Enterprise Linux") => "rhel",
        name if name.starts_with("CentOS") => "centos",
        name if name.starts_with("Oracle Linux") => "ol",
        name if name.starts_with("Rocky Linux") => "rocky",
        name if name.starts_with("AlmaLinux") => "almalinux",
        name if name.starts_with("Fedora") => "fedora",
        name if name.starts_with("Amazon Linux") => "amzn",
        name if name.starts_with("Anolis OS") => "anolis",
        name if name.starts_with("openEuler") => "openeuler",
        _ => return None,
    };
    Some(Distro {
        pretty_name: Some(line.to_owned()),
        ..distro(id, rest.split_ascii_whitespace().next()?)
    })
}

/// `SUSE Linux Enterprise Server 11 (x86_64)` and lines `VERSION = 11`, `PATCHLEVEL = 4`.
fn parse_suse_release(text: &str) -> Option<Distro> {
    let pretty_name = text.lines().next()?.trim();
    let id = if pretty_name.starts_with("openSUSE") {
        "opensuse-leap"
    } else {
        "sles"
    };
    let value = |key: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(own, _)| own.trim() == key)
            .map(|(_, value)| value.trim())
    };
    let mut version = value("VERSION")?.to_owned();
    if let Some(patch_level) = value("PATCHLEVEL").filter(|level| *level != "0") {
        version = format!("{version}.{patch_level}");
    }
    Some(Distro {
        pretty_name: Some(pretty_name.to_owned()),
        ..distro(id, &version)
    })
}

fn parse_lsb_release(text: &str) -> Option<Distro> {
    let value = |key: &str| {
        assignments(text)
            .find(|(own, _)| *own == key)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    };
    let id = value("DISTRIB_ID")?.to_ascii_lowercase();
    Some(Distro {
        codename: value("DISTRIB_CODENAME"),
        pretty_name: value("DISTRIB_DESCRIPTION"),
        ..distro(&id, &value("DISTRIB_RELEASE").unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_artifact::Content;

    fn check(path: &str, text: &str, expected: Option<(&str, &str)>) {
        let content = Content::from_bytes(text.as_bytes().to_vec());
        let file = File {
            path,
            mode: 0o644,
            content: &content,
        };
        let mut found = Found::default();
        OsRelease.analyze(&file, &mut found).unwrap();
        let got = found
            .distro
            .as_ref()
            .map(|d| (d.id.as_str(), d.version.as_str()));
        assert_eq!(got, expected, "{path}: {text}");
    }

    #[test]
    fn the_release_that_a_distribution_is_made_from_was_not_read() {
        for (text, expected) in [
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_CODENAME=victoria\nUBUNTU_CODENAME=jammy",
                "jammy",
            ),
            (
                "ID=linuxmint\nID_LIKE=debian\nVERSION_CODENAME=faye\nDEBIAN_CODENAME=bookworm",
                "bookworm",
            ),
            (
                "ID=devuan\nID_LIKE=debian\nVERSION_CODENAME=daedalus",
                "daedalus",
            ),
            (
                "ID=ubuntu\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble",
                "noble",
            ),
        ] {
            let codename = parse_os_release(text).unwrap().codename;
            assert_eq!(codename.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn every_file_names_its_distribution() {
        for (path, text, expected) in [
            (
                "etc/os-release",
                "# comment\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n",
                Some(("debian", "12")),
            ),
            (
                "usr/lib/os-release",
                "ID='alpine'\nVERSION_ID=3.20.3\n",
                Some(("alpine", "3.20.3")),
            ),
            (
                "etc/os-release",
                "ID=debian\nVERSION_CODENAME=forky\n",
                Some(("debian", "14")),
            ),
            ("etc/os-release", "ID=wolfi\n", Some(("wolfi", ""))),
            (
                "etc/os-release",
                "ID=\"openEuler\"\nVERSION_ID=\"22.03\"\nVERSION=\"22.03 (LTS-SP3)\"\n",
                Some(("openeuler", "22.03-LTS-SP3")),
            ),
            ("etc/os-release", "NAME=x\n", None),
            ("etc/os-release", "", None),
            ("etc/alpine-release", "3.5.2\n", Some(("alpine", "3.5.2"))),
            ("etc/debian_version", "12.5\n", Some(("debian", "12.5"))),
            ("etc/debian_version", "trixie/sid\n", Some(("debian", "13"))),
            (
                "etc/redhat-release",
                "Red Hat Enterprise Linux Server release 7.9 (Maipo)\n",
                Some(("rhel", "7.9")),
            ),
            (
                "etc/centos-release",
                "CentOS release 6.10 (Final)\n",
                Some(("centos", "6.10")),
            ),
            ("etc/redhat-release", "Somebody's Linux release 1\n", None),
            (
                "etc/SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                Some(("sles", "11.4")),
            ),
            (
                "etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\n",
                Some(("ubuntu", "14.04")),
            ),
        ] {
            check(path, text, expected);
        }
    }

    #[test]
    fn values_are_quoted_as_for_a_shell() {
        for (value, expected) in [
            ("plain", "plain"),
            ("\"with space\"", "with space"),
            ("'single \"quoted\"'", "single \"quoted\""),
            ("\"a \\\"b\\\" \\$c\"", "a \"b\" $c"),
            ("\"open", "\"open"),
            ("\\", ""),
        ] {
            assert_eq!(unquote(value), expected, "{value}");
        }
    }

    #[test]
    fn the_order_of_trust_covers_every_pattern() {
        for pattern in OsRelease.patterns() {
            let Pattern::Path(path) = pattern else {
                panic!("{pattern:?}")
            };
            assert!(rank(path) < FILES.len(), "{path}");
        }
    }
}
