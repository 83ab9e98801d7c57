//! Semantic Versioning 2.0.0 (semver.org), and the parts of it that npm, Cargo, Hex, pub and Go
//! share.
//!
//! The scheme `semver` serves ecosystems that only lean on the standard (Swift, GitHub
//! Actions), so it takes what they write: a leading `v`, and any number of components, where a
//! missing one is zero (`v4` = `4.0.0`). Build metadata does not count. A branch or a commit is
//! no version.

use super::{Scheme, number};
use std::cmp::Ordering;
use std::ops::RangeInclusive;

pub(super) struct Semver;

pub(super) struct Version<'a> {
    /// `1.2.3`, of digits and dots.
    pub(super) core: &'a str,
    /// What follows the hyphen; `None` for a release.
    pub(super) pre_release: Option<&'a str>,
    /// What follows the plus sign.
    pub(super) build: Option<&'a str>,
}

impl Scheme for Semver {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        Version::parse(text, 1..=usize::MAX)
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        a.precedence(b)
    }
}

impl<'a> Version<'a> {
    /// Reads a version whose core has so many components.
    pub(super) fn parse(
        text: &'a str,
        components: RangeInclusive<usize>,
    ) -> Result<Self, &'static str> {
        let (core, rest) = number::split_while(text, |b| !matches!(b, b'-' | b'+'));
        let (pre_release, rest) = match rest.strip_prefix('-') {
            Some(rest) => {
                let (pre_release, rest) = number::split_while(rest, |b| b != b'+');
                (Some(pre_release), rest)
            }
            None => (None, rest),
        };
        let build = rest.strip_prefix('+');
        let Some(count) = number::count(core, b'.') else {
            return Err("it is not numbers with dots between");
        };
        if !components.contains(&count) {
            return Err("it does not have as many numbers as it must");
        }
        if !pre_release.into_iter().chain(build).all(is_identifiers) {
            return Err("what follows the numbers is not identifiers with dots between");
        }
        Ok(Self {
            core,
            pre_release,
            build,
        })
    }

    /// Precedence (SemVer 2.0.0, item 11). Missing components are zero.
    pub(super) fn precedence(&self, other: &Version<'_>) -> Ordering {
        order_core(self.core, other.core)
            .then_with(|| order_pre_release(self.pre_release, other.pre_release))
    }
}

/// Whether a text is identifiers with dots between (items 9 and 10). Numbers may have leading
/// zeros: registries hold such versions, and their order is plain.
pub(super) fn is_identifiers(text: &str) -> bool {
    text.split('.').all(|identifier| {
        !identifier.is_empty()
            && identifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

/// Compares numbers with dots between; missing ones are zero.
pub(super) fn order_core(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !(a.is_empty() && b.is_empty()) {
        let ((number_a, rest_a), (number_b, rest_b)) =
            (number::split_digits(a), number::split_digits(b));
        let order = number::order(number_a, number_b);
        if order.is_ne() {
            return order;
        }
        a = rest_a.strip_prefix('.').unwrap_or_default();
        b = rest_b.strip_prefix('.').unwrap_or_default();
    }
    Ordering::Equal
}

/// A release is above all its pre-releases.
pub(super) fn order_pre_release(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => order_identifiers(a, b, str::cmp),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Compares identifiers with dots between: numbers below words, numbers by value, words by the
/// given order; the shorter list first.
pub(super) fn order_identifiers(
    a: &str,
    b: &str,
    order_words: fn(&str, &str) -> Ordering,
) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (number::is_number(a), number::is_number(b)) {
                (true, true) => number::order(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => order_words(a, b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
