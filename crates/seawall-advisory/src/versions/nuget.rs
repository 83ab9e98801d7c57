//! NuGet: one to four numbers, then a pre-release as in SemVer 2.0.0 whose words are compared
//! without regard to case (learn.microsoft.com, "Package versioning"). Missing numbers are zero
//! and build metadata does not count.

use super::Scheme;
use super::semver::{self, Version};
use std::cmp::Ordering;

pub(super) struct NuGet;

impl Scheme for NuGet {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        Version::parse(text, 1..=4)
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        semver::order_core(a.core, b.core).then_with(|| match (a.pre_release, b.pre_release) {
            (Some(a), Some(b)) => semver::order_identifiers(a, b, order_without_case),
            (a, b) => a.is_none().cmp(&b.is_none()),
        })
    }
}

fn order_without_case(a: &str, b: &str) -> Ordering {
    let a = a.bytes().map(|b| b.to_ascii_uppercase());
    let b = b.bytes().map(|b| b.to_ascii_uppercase());
    a.cmp(b)
}
