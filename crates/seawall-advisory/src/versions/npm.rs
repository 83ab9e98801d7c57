//! npm: semantic versions as node-semver reads them with `loose`.
//!
//! Any mix of `v`, `=` and white space may lead, and the hyphen before a pre-release may be
//! missing (`1.2.3beta`). Advisories shorten bounds (`2.0`), so components may be missing too;
//! node-semver itself takes that for a range.

use super::semver::{self, Version};
use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Npm;

impl Scheme for Npm {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let text =
            text.trim_start_matches(|c: char| matches!(c, 'v' | '=') || c.is_ascii_whitespace());
        let end = text
            .bytes()
            .position(|b| !(b.is_ascii_digit() || b == b'.'));
        let glued = end
            .and_then(|end| text.split_at_checked(end))
            .filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        let Some((core, rest)) = glued else {
            return Version::parse(text, 1..=3);
        };
        let (pre_release, build) = match rest.split_once('+') {
            Some((pre_release, build)) => (pre_release, Some(build)),
            None => (rest, None),
        };
        if core.split('.').count() != 3 || !core.split('.').all(number::is_number) {
            return Err("it is not three numbers with dots between");
        }
        if !semver::is_identifiers(pre_release) || !build.is_none_or(semver::is_identifiers) {
            return Err("what follows the numbers is not identifiers with dots between");
        }
        Ok(Version {
            core,
            pre_release: Some(pre_release),
            build,
        })
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        a.precedence(b)
    }
}
