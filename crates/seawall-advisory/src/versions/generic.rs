//! Programs without a package manager: runs of digits and of letters, whatever stands between.
//! Orders any text.
//!
//! The order is what upstream projects most often mean: `9.0.0-rc1` < `9.0.0` (words that name a
//! pre-release are below the end), `1.0.2` < `1.0.2k` < `1.0.2za` < `1.0.3` (OpenSSL's letters,
//! and every other word, are above the end and below numbers), `1.0` = `1.0.0` (a missing number
//! is zero). Single letters are no pre-release: `1.0.2b` is no beta. A `v` before the first number
//! does not count, nor does case.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Generic;

/// In ascending order; spellings of one stage share its number.
const PRE_RELEASES: &[(&str, u8)] = &[
    ("dev", 0),
    ("snapshot", 0),
    ("nightly", 0),
    ("alpha", 1),
    ("beta", 2),
    ("milestone", 3),
    ("preview", 4),
    ("pre", 4),
    ("rc", 5),
    ("cr", 5),
];

/// What a piece of a version is; the variants are in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    PreRelease(u8),
    /// Also what stands for a missing piece.
    Zero,
    Word,
    Number,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    kind: Kind,
    text: &'a str,
}

impl Scheme for Generic {
    type Version<'a> = Vec<Piece<'a>>;

    fn parse(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
        let mut rest = text
            .strip_prefix(['v', 'V'])
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(text);
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        loop {
            (_, rest) = number::split_while(rest, |b| b.is_ascii() && !b.is_ascii_alphanumeric());
            if rest.is_empty() {
                return Ok(pieces);
            }
            let piece;
            (piece, rest) = split_piece(rest);
            // `7.0-rc1` and `7.0.0-rc1` are the same.
            if matches!(piece.kind, Kind::PreRelease(_)) {
                while pieces.last().is_some_and(|last| last.kind == Kind::Zero) {
                    pieces.pop();
                }
            }
            pieces.push(piece);
        }
    }

    fn order(a: &Vec<Piece<'_>>, b: &Vec<Piece<'_>>) -> Ordering {
        const ZERO: Piece<'_> = Piece {
            kind: Kind::Zero,
            text: "",
        };
        (0..a.len().max(b.len()))
            .map(|i| order_pieces(a.get(i).unwrap_or(&ZERO), b.get(i).unwrap_or(&ZERO)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Splits a run of digits or of letters off a text that begins with one.
fn split_piece(text: &str) -> (Piece<'_>, &str) {
    let (digits, rest) = number::split_digits(text);
    if !digits.is_empty() {
        let kind = match number::is_zero(digits) {
            true => Kind::Zero,
            false => Kind::Number,
        };
        return (Piece { kind, text: digits }, rest);
    }
    let (word, rest) = number::split_while(text, |b| !b.is_ascii() || b.is_ascii_alphabetic());
    let kind = PRE_RELEASES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map_or(Kind::Word, |(_, stage)| Kind::PreRelease(*stage));
    (Piece { kind, text: word }, rest)
}

fn order_pieces(a: &Piece<'_>, b: &Piece<'_>) -> Ordering {
    a.kind.cmp(&b.kind).then_with(|| match a.kind {
        Kind::Number => number::order(a.text, b.text),
        Kind::Word => order_words(a.text, b.text),
        Kind::PreRelease(_) | Kind::Zero => Ordering::Equal,
    })
}

fn order_words(a: &str, b: &str) -> Ordering {
    let a = a.bytes().map(|b| b.to_ascii_lowercase());
    let b = b.bytes().map(|b| b.to_ascii_lowercase());
    a.cmp(b)
}
