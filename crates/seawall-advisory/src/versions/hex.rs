//! Hex: Elixir's `Version`, semantic versions without prefix. Missing numbers are zero, as
//! advisories shorten bounds. Build metadata does not count.

use super::Scheme;
use super::semver::Version;
use std::cmp::Ordering;

pub(super) struct Hex;

impl Scheme for Hex {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        Version::parse(text, 1..=3)
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        a.precedence(b)
    }
}
