//! Composer: versions as `composer/semver` normalises them, in the order of PHP's
//! `version_compare`: `dev` < `alpha` < `beta` < `RC` < the release < `patch`
//! (getcomposer.org, "Versions and constraints").
//!
//! Accepted are numbers with a stability, dates, numeric branches (`2.1.x-dev`, above every 2.1
//! release) and named branches. Composer does not order named branches among versions; so that
//! there is an order at all, they are put below everything, by name.

use super::{Scheme, number};
use regex::Regex;
use std::cmp::Ordering;
use std::sync::LazyLock;

pub(super) struct Composer;

pub(super) enum Version<'a> {
    Branch(&'a str),
    Numbered(Vec<Token<'a>>),
}

/// A piece of a normalised version, in the order in which `version_compare` sorts pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number,
    Patch,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    kind: Kind,
    digits: &'a str,
}

/// The words of a stability; longer ones stand before those that they begin with. `None`: the
/// release itself.
const STABILITIES: &[(&str, Option<Kind>)] = &[
    ("stable", None),
    ("beta", Some(Kind::Beta)),
    ("b", Some(Kind::Beta)),
    ("rc", Some(Kind::Candidate)),
    ("alpha", Some(Kind::Alpha)),
    ("a", Some(Kind::Alpha)),
    ("patch", Some(Kind::Patch)),
    ("pl", Some(Kind::Patch)),
    ("p", Some(Kind::Patch)),
];

/// What Composer puts for the `x` of a numeric branch.
const ANY: &str = "9999999";

impl Scheme for Composer {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let text = strip_annotations(text);
        if let Some(branch) = branch_name(text) {
            return Ok(Version::Branch(branch));
        }
        let text = text.split('+').next().unwrap_or_default();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        parse_classical(text)
            .or_else(|| parse_date(text))
            .or_else(|| parse_numeric_branch(text))
            .map(Version::Numbered)
            .ok_or("it is neither up to four numbers with a stability, nor a date, nor a branch")
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        match (a, b) {
            (Version::Branch(a), Version::Branch(b)) => a.cmp(b),
            (Version::Branch(_), Version::Numbered(_)) => Ordering::Less,
            (Version::Numbered(_), Version::Branch(_)) => Ordering::Greater,
            (Version::Numbered(a), Version::Numbered(b)) => order_tokens(a, b),
        }
    }
}

/// Whether a version is a named branch.
pub(super) fn is_branch(text: &str) -> bool {
    branch_name(strip_annotations(text)).is_some()
}

/// Drops `#commit`, ` as alias` and `@stability`, which lock files and constraints carry.
fn strip_annotations(text: &str) -> &str {
    let text = text.split(" as ").next().unwrap_or_default();
    let text = text.split('#').next().unwrap_or_default();
    text.split('@').next().unwrap_or_default().trim_ascii()
}

fn branch_name(text: &str) -> Option<&str> {
    if matches!(text, "master" | "trunk" | "default") {
        return Some(text);
    }
    let (prefix, name) = text.split_at_checked(4)?;
    prefix.eq_ignore_ascii_case("dev-").then_some(name)
}

/// One to four numbers, the first of at most five digits, and a stability.
fn parse_classical(text: &str) -> Option<Vec<Token<'_>>> {
    let (first, mut rest) = number::split_digits(text);
    if first.is_empty() || first.len() > 5 {
        return None;
    }
    let mut tokens = vec![Token::number(first)];
    while tokens.len() < 4
        && let Some((digits, after)) = rest.strip_prefix('.').map(number::split_digits)
        && !digits.is_empty()
    {
        tokens.push(Token::number(digits));
        rest = after;
    }
    tokens.resize(4, Token::number("0"));
    push_stability(rest, &mut tokens).then_some(tokens)
}

/// `20120101`, `2012-01-01.2`, `2012.01.01-120000`, and a stability.
fn parse_date(text: &str) -> Option<Vec<Token<'_>>> {
    static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3}){0,2})(?:[^0-9].*)?$")
            .ok()
    });
    let date = DATE.as_ref()?.captures(text)?.get(1)?.as_str();
    let mut tokens = date.split(['.', ':', '-']).map(Token::number).collect();
    push_stability(text.strip_prefix(date)?, &mut tokens).then_some(tokens)
}

/// `2.1.x-dev`: the numbers that are not given are as high as can be.
fn parse_numeric_branch(text: &str) -> Option<Vec<Token<'_>>> {
    let (numbers, dev) = text.split_at_checked(text.len().checked_sub(3)?)?;
    if !dev.eq_ignore_ascii_case("dev") {
        return None;
    }
    let numbers = numbers.strip_suffix(['.', '-']).unwrap_or(numbers);
    if numbers.split('.').count() > 4 || numbers.starts_with(['x', 'X', '*']) {
        return None;
    }
    let mut tokens = numbers
        .split('.')
        .map(|part| match part {
            "x" | "X" | "*" => Some(Token::number(ANY)),
            part => number::is_number(part).then(|| Token::number(part)),
        })
        .collect::<Option<Vec<_>>>()?;
    tokens.resize(4, Token::number(ANY));
    tokens.push(Token::word(Kind::Dev));
    Some(tokens)
}

/// Reads `[._-]?(stability numbers)?([.-]?dev)?` to the end of the text; `false` if it is
/// something else.
fn push_stability<'a>(text: &'a str, tokens: &mut Vec<Token<'a>>) -> bool {
    let mut rest = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    let stability = STABILITIES.iter().find_map(|(word, kind)| {
        let (head, rest) = rest.split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some((*kind, rest))
    });
    let mut is_release = false;
    if let Some((kind, after)) = stability {
        rest = after;
        is_release = kind.is_none();
        tokens.extend(kind.map(Token::word));
        loop {
            let bare = rest.strip_prefix(['.', '-']).unwrap_or(rest);
            let (digits, after) = number::split_digits(bare);
            if digits.is_empty() {
                break;
            }
            if !is_release {
                tokens.push(Token::number(digits));
            }
            rest = after;
        }
    }
    let dev = rest.strip_prefix(['.', '-']).unwrap_or(rest);
    if dev.eq_ignore_ascii_case("dev") {
        if !is_release {
            tokens.push(Token::word(Kind::Dev));
        }
        return true;
    }
    rest.is_empty()
}

impl<'a> Token<'a> {
    fn number(digits: &'a str) -> Self {
        Self {
            kind: Kind::Number,
            digits,
        }
    }

    fn word(kind: Kind) -> Self {
        Self { kind, digits: "" }
    }
}

fn order_tokens(a: &[Token<'_>], b: &[Token<'_>]) -> Ordering {
    const END: Token<'_> = Token {
        kind: Kind::End,
        digits: "",
    };
    (0..a.len().max(b.len()))
        .map(|i| (a.get(i).unwrap_or(&END), b.get(i).unwrap_or(&END)))
        .map(|(a, b)| {
            a.kind
                .cmp(&b.kind)
                .then_with(|| number::order(a.digits, b.digits))
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
