//! Debian and Ubuntu: `[epoch:]upstream[-revision]`, Debian Policy 5.6.12 and `deb-version(7)`.
//!
//! As forgiving as dpkg is with its own database: characters outside the policy's set are ordered
//! like other punctuation; only white space, control characters and an epoch that is no number
//! are refused.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Deb;

pub(super) struct Version<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

impl Scheme for Deb {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("it has a character that is not printable ASCII");
        }
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        if !number::is_number(epoch) {
            return Err("its epoch is not a number");
        }
        if rest.is_empty() {
            return Err("nothing follows its epoch");
        }
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Ok(Version {
            epoch,
            upstream,
            revision,
        })
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        number::order(a.epoch, b.epoch)
            .then_with(|| order_part(a.upstream, b.upstream))
            // Policy: the absence of a revision is equivalent to a revision of 0.
            .then_with(|| order_part(a.revision, b.revision))
    }
}

/// Compares upstream versions or revisions: runs of non-digits and of digits in turn.
fn order_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let ((text_a, rest_a), (text_b, rest_b)) = (split_text(a), split_text(b));
        let ((digits_a, rest_a), (digits_b, rest_b)) =
            (number::split_digits(rest_a), number::split_digits(rest_b));
        let order = order_text(text_a, text_b).then_with(|| number::order(digits_a, digits_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn split_text(text: &str) -> (&str, &str) {
    number::split_while(text, |b| !b.is_ascii_digit())
}

fn order_text(a: &str, b: &str) -> Ordering {
    let mut a = a.bytes().map(weight);
    let mut b = b.bytes().map(weight);
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => {
                let order = a.unwrap_or(0).cmp(&b.unwrap_or(0));
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

/// The tilde sorts before the end (0), letters before everything else.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        b if b.is_ascii_alphabetic() => i32::from(b),
        b => i32::from(b) + 256,
    }
}
