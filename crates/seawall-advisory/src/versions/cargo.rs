//! Cargo: semantic versions without prefix. crates.io demands three numbers; advisories shorten
//! bounds (`0.2`), so missing ones are zero. Build metadata does not count.

use super::Scheme;
use super::semver::Version;
use std::cmp::Ordering;

pub(super) struct Cargo;

impl Scheme for Cargo {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        Version::parse(text, 1..=3)
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        a.precedence(b)
    }
}
