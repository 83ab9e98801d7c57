//! pub (Dart): semantic versions where build metadata *does* count, after everything else: a
//! version with a build is above the same one without (pub_semver, "Semantics"). Missing numbers
//! are zero, as advisories shorten bounds.

use super::Scheme;
use super::semver::{self, Version};
use std::cmp::Ordering;

pub(super) struct Pub;

impl Scheme for Pub {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        Version::parse(text, 1..=3)
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        a.precedence(b).then_with(|| match (a.build, b.build) {
            (Some(a), Some(b)) => semver::order_identifiers(a, b, str::cmp),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
    }
}
