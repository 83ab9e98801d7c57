//! Go: module versions (`v1.2.3`, `v2.0.0+incompatible`, pseudo-versions: go.dev/ref/mod,
//! "Versions") and tool chain versions (`go1.20.3`, `1.21rc1`: go.dev/doc/toolchain).
//!
//! The Go vulnerability database writes both as semantic versions without the `v`, so a tool chain
//! version is read as one: `go1.21rc1` is `1.21.0-rc.1`, and `go1.21` is `1.21.0` (the language
//! version of that name, which Go sorts below its release candidates, is not something that can be
//! installed). What a vendor adds after a hyphen or a space (`go1.21.3-acme`, `go1.20
//! X:boringcrypto`) does not count. `(devel)` and `devel ...` have no version.

use super::semver::{self, Version as Semantic};
use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Go;

pub(super) enum Version<'a> {
    Module(Semantic<'a>),
    Toolchain {
        core: &'a str,
        /// `beta` or `rc`, and its number.
        pre_release: Option<(&'a str, &'a str)>,
    },
}

impl Scheme for Go {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        if text.starts_with("(devel)") || text.starts_with("devel") {
            return Err("a development build has no version");
        }
        if let Some(toolchain) = text.strip_prefix("go") {
            let version = toolchain.split([' ', '-', '+']).next().unwrap_or_default();
            return parse_toolchain(version);
        }
        if let Ok(version) = parse_toolchain(text) {
            return Ok(version);
        }
        Semantic::parse(text.strip_prefix('v').unwrap_or(text), 1..=3).map(Version::Module)
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        semver::order_core(a.core(), b.core()).then_with(|| match (a, b) {
            (Version::Module(a), Version::Module(b)) => {
                semver::order_pre_release(a.pre_release, b.pre_release)
            }
            (a, b) => order_parts(a.pre_release_parts(), b.pre_release_parts()),
        })
    }
}

fn parse_toolchain(text: &str) -> Result<Version<'_>, &'static str> {
    let end = text
        .bytes()
        .position(|b| b.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (core, pre_release) = text.split_at_checked(end).unwrap_or((text, ""));
    if core.split('.').count() > 3 || !core.split('.').all(number::is_number) {
        return Err("it is not up to three numbers with dots between");
    }
    let pre_release = match pre_release {
        "" => None,
        text => {
            let (word, digits) = number::split_while(text, |b| b.is_ascii_alphabetic());
            if !matches!(word, "beta" | "rc") || !number::is_number(digits) {
                return Err("what follows the numbers is neither beta nor rc with a number");
            }
            Some((word, digits))
        }
    };
    Ok(Version::Toolchain { core, pre_release })
}

impl<'a> Version<'a> {
    fn core(&self) -> &'a str {
        match self {
            Version::Module(version) => version.core,
            Version::Toolchain { core, .. } => core,
        }
    }

    /// The identifiers of the pre-release; `None` for a release.
    fn pre_release_parts(&self) -> Option<[&'a str; 2]> {
        match self {
            Version::Module(version) => {
                let (first, rest) = version
                    .pre_release
                    .map(|text| text.split_once('.').unwrap_or((text, "")))?;
                Some([first, rest])
            }
            Version::Toolchain { pre_release, .. } => pre_release.map(|(word, n)| [word, n]),
        }
    }
}

/// Compares pre-releases given as their first identifier and the rest.
fn order_parts(a: Option<[&str; 2]>, b: Option<[&str; 2]>) -> Ordering {
    match (a, b) {
        (Some([a, rest_a]), Some([b, rest_b])) => semver::order_identifiers(a, b, str::cmp)
            .then_with(|| match (rest_a, rest_b) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Less,
                (_, "") => Ordering::Greater,
                (a, b) => semver::order_identifiers(a, b, str::cmp),
            }),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}
