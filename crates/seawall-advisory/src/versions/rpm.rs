//! rpm and pacman: `[epoch:]version[-release]`, `rpm-version(7)`.
//!
//! Orders any text, as rpm does: separators only separate. A missing epoch is 0, and so is rpm's
//! own spelling of it in query output, `(none)`. A missing release sorts before every release.
//! rpm's dependencies instead take a missing release for equal to any, which is no order at all
//! (`1-1` and `1-2` would both equal `1`); [`super::contains`] does so for the bounds of ranges,
//! where it is meant.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Rpm;

pub(super) struct Version<'a> {
    epoch: &'a str,
    version: &'a str,
    release: Option<&'a str>,
}

impl Scheme for Rpm {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let (digits, after) = number::split_digits(text);
        let (epoch, rest) = match after.strip_prefix(':') {
            Some(rest) => (digits, rest),
            None => ("", text.strip_prefix("(none):").unwrap_or(text)),
        };
        // By bytes: versions are so short that setting up a search costs more than the search.
        let dash = rest.bytes().rposition(|byte| byte == b'-');
        let (version, release) = match dash.and_then(|at| rest.split_at_checked(at)) {
            Some((version, release)) => (version, release.strip_prefix('-')),
            None => (rest, None),
        };
        Ok(Version {
            epoch,
            version,
            release,
        })
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        number::order(a.epoch, b.epoch)
            .then_with(|| order_segments(a.version, b.version))
            .then_with(|| match (a.release, b.release) {
                (Some(a), Some(b)) => order_segments(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

/// Whether a version states a release.
pub(super) fn has_release(text: &str) -> bool {
    text.contains('-')
}

/// The version with its epoch and without its release.
pub(super) fn without_release(text: &str) -> &str {
    text.rsplit_once('-').map_or(text, |(version, _)| version)
}

/// A piece of a version, in the order in which pieces sort at the same position.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Before everything, even the end: `1.0~rc1`.
    Tilde,
    End,
    /// After the end, but before what a separator begins: `1.0^git1`.
    Caret,
    Letters,
    Digits,
}

fn order_segments(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let ((kind_a, text_a, rest_a), (kind_b, text_b, rest_b)) = (segment(a), segment(b));
        let order = kind_a.cmp(&kind_b).then_with(|| match kind_a {
            Kind::Digits => number::order(text_a, text_b),
            _ => text_a.bytes().cmp(text_b.bytes()),
        });
        if order.is_ne() || kind_a == Kind::End {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The next piece, its text, and what follows.
fn segment(text: &str) -> (Kind, &str, &str) {
    let (_, text) = number::split_while(text, |b| {
        !b.is_ascii_alphanumeric() && !matches!(b, b'~' | b'^')
    });
    match text.as_bytes().first() {
        None => (Kind::End, "", ""),
        Some(b'~') => (Kind::Tilde, "", text.get(1..).unwrap_or_default()),
        Some(b'^') => (Kind::Caret, "", text.get(1..).unwrap_or_default()),
        Some(b) if b.is_ascii_digit() => {
            let (digits, rest) = number::split_digits(text);
            (Kind::Digits, digits, rest)
        }
        Some(_) => {
            let (letters, rest) = number::split_while(text, |b| b.is_ascii_alphabetic());
            (Kind::Letters, letters, rest)
        }
    }
}
