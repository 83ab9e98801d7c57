//! Maven: the version order of the POM reference ("Version Order Specification"), which Maven 3.9
//! and later implement in `ComparableVersion`. Orders any text.
//!
//! Where Maven's code contradicts itself (`1.0.alpha.1` is below `1`, `1` below `1-2`, yet
//! `1.0.alpha.1` above `1-2`) we keep to an order: trailing zeros are dropped before every
//! qualifier, not only before those that follow a hyphen.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Maven;

/// One token with what stands before it. The variants are in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    /// No more tokens. What empty qualifiers and zeros are not trimmed away lead to a number, so
    /// they are above the end.
    End,
    /// `ga`, `final`, `release`.
    Release,
    ServicePack,
    OtherQualifier,
    /// A number after a hyphen or a letter.
    HyphenNumber,
    /// A number after a dot, and the first.
    DotNumber,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

impl Scheme for Maven {
    type Version<'a> = Vec<Token<'a>>;

    fn parse(text: &str) -> Result<Vec<Token<'_>>, &'static str> {
        let mut tokens = Vec::new();
        let mut rest = text;
        let mut separator = None;
        loop {
            let token;
            (token, rest) = next_token(rest, separator);
            // Zeros and empty qualifiers count only where a number follows them by a dot.
            if token.kind != Kind::DotNumber {
                while tokens.last().is_some_and(Token::is_null) {
                    tokens.pop();
                }
            }
            tokens.push(token);
            separator = match rest.as_bytes().first() {
                None => break,
                Some(b'.') => Some(b'.'),
                Some(_) => Some(b'-'),
            };
            rest = rest.strip_prefix(['.', '-']).unwrap_or(rest);
        }
        while tokens.last().is_some_and(Token::is_null) {
            tokens.pop();
        }
        Ok(tokens)
    }

    fn order(a: &Vec<Token<'_>>, b: &Vec<Token<'_>>) -> Ordering {
        const END: Token<'_> = Token {
            kind: Kind::End,
            text: "",
        };
        (0..a.len().max(b.len()))
            .map(|i| order_tokens(a.get(i).unwrap_or(&END), b.get(i).unwrap_or(&END)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl Token<'_> {
    fn is_null(&self) -> bool {
        match self.kind {
            Kind::Release => true,
            Kind::HyphenNumber | Kind::DotNumber => number::is_zero(self.text),
            _ => false,
        }
    }
}

/// Reads the token after a separator: `.`, `-` (also the border between digits and letters), or
/// none at the beginning. An empty token is a zero.
fn next_token(text: &str, separator: Option<u8>) -> (Token<'_>, &str) {
    let number_kind = match separator {
        Some(b'-') => Kind::HyphenNumber,
        _ => Kind::DotNumber,
    };
    let (digits, rest) = number::split_digits(text);
    let (word, after) =
        number::split_while(text, |b| !b.is_ascii_digit() && !matches!(b, b'.' | b'-'));
    if word.is_empty() {
        let token = Token {
            kind: number_kind,
            text: digits,
        };
        return (token, rest);
    }
    let before_digit = after.starts_with(|c: char| c.is_ascii_digit());
    let token = Token {
        kind: qualifier(word, before_digit),
        text: word,
    };
    (token, after)
}

fn qualifier(word: &str, before_digit: bool) -> Kind {
    const NAMES: &[(&str, Kind)] = &[
        ("alpha", Kind::Alpha),
        ("beta", Kind::Beta),
        ("milestone", Kind::Milestone),
        ("rc", Kind::Candidate),
        ("cr", Kind::Candidate),
        ("snapshot", Kind::Snapshot),
        ("ga", Kind::Release),
        ("final", Kind::Release),
        ("release", Kind::Release),
        ("sp", Kind::ServicePack),
    ];
    const BEFORE_DIGIT: &[(&str, Kind)] = &[
        ("a", Kind::Alpha),
        ("b", Kind::Beta),
        ("m", Kind::Milestone),
    ];
    let short = if before_digit { BEFORE_DIGIT } else { &[] };
    NAMES
        .iter()
        .chain(short)
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map_or(Kind::OtherQualifier, |(_, kind)| *kind)
}

fn order_tokens(a: &Token<'_>, b: &Token<'_>) -> Ordering {
    a.kind.cmp(&b.kind).then_with(|| match a.kind {
        Kind::HyphenNumber | Kind::DotNumber => number::order(a.text, b.text),
        Kind::OtherQualifier => {
            let lower = |text: &str| text.to_lowercase();
            lower(a.text).cmp(&lower(b.text))
        }
        _ => Ordering::Equal,
    })
}
