//! Numbers of any length, compared as text: no version overflows.

use std::cmp::Ordering;

/// Compares two runs of ASCII digits by value. An empty run is zero.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    let (_, a) = split_while(a, |b| b == b'0');
    let (_, b) = split_while(b, |b| b == b'0');
    // Byte by byte: numbers are so short that setting up a comparison of memory costs more.
    let order = a.len().cmp(&b.len());
    order.then_with(|| a.bytes().cmp(b.bytes()))
}

/// Whether a run of digits is zero.
pub(super) fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|b| b == b'0')
}

/// Whether a text is one number.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Splits the longest prefix whose bytes all pass off a text. The test must tell ASCII from the
/// rest, so that the border falls between characters.
pub(super) fn split_while(text: &str, test: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !test(b)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Splits the leading digits off a text.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    split_while(text, |b| b.is_ascii_digit())
}

/// How many numbers stand in a text with a separator between each two; `None` if something else
/// does.
pub(super) fn count(text: &str, separator: u8) -> Option<usize> {
    let mut numbers = 0;
    let mut after_digit = false;
    for byte in text.bytes() {
        match (byte.is_ascii_digit(), after_digit) {
            (true, false) => numbers += 1,
            (true, true) => {}
            (false, true) if byte == separator => {}
            (false, _) => return None,
        }
        after_digit = byte.is_ascii_digit();
    }
    after_digit.then_some(numbers)
}

/// Compares two lists of numbers, position by position; where one ends, it is the lower one.
pub(super) fn order_lists<'a>(
    mut a: impl Iterator<Item = &'a str>,
    mut b: impl Iterator<Item = &'a str>,
) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => order(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}
