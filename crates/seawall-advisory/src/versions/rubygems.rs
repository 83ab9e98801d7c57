//! RubyGems: `Gem::Version` (docs.ruby-lang.org, "class Gem::Version").
//!
//! A version is its runs of digits and of letters, whatever stands between; a hyphen means
//! `.pre.`. A missing segment is zero, and a word is below every number, so that any letter makes
//! a pre-release. A gem's platform (`1.2.3-x86_64-linux`) is not part of its version.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct RubyGems;

impl Scheme for RubyGems {
    type Version<'a> = Vec<&'a str>;

    fn parse(text: &str) -> Result<Vec<&str>, &'static str> {
        let (release, pre_release) = match text.split_once('-') {
            Some((release, pre_release)) => (release, Some(pre_release)),
            None => (text, None),
        };
        let mut components = release.split('.');
        let begins = components.next().is_some_and(number::is_number);
        let is_word =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_hyphenated = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !begins || !components.all(is_word) {
            return Err("it is not a number, then words and numbers with dots between");
        }
        if !pre_release.is_none_or(|text| text.split('.').all(is_hyphenated)) {
            return Err("what follows the hyphen is not words and numbers with dots between");
        }
        let mut segments = Vec::new();
        push_segments(release, &mut segments);
        for part in pre_release.into_iter().flat_map(|text| text.split('-')) {
            segments.push("pre");
            push_segments(part, &mut segments);
        }
        drop_zeros_before_words(&mut segments);
        Ok(segments)
    }

    fn order(a: &Vec<&str>, b: &Vec<&str>) -> Ordering {
        (0..a.len().max(b.len()))
            .map(|i| {
                order_segments(
                    a.get(i).copied().unwrap_or_default(),
                    b.get(i).copied().unwrap_or_default(),
                )
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn push_segments<'a>(text: &'a str, segments: &mut Vec<&'a str>) {
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = number::split_digits(rest);
        let (word, after) = number::split_while(after, |b| b.is_ascii_alphabetic());
        segments.extend([digits, word].into_iter().filter(|part| !part.is_empty()));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
}

/// `1.0.a` equals `1.a`: zeros that end the numbers before the first word do not count.
fn drop_zeros_before_words(segments: &mut Vec<&str>) {
    let Some(word) = segments.iter().position(|s| !number::is_number(s)) else {
        return;
    };
    let numbers = segments.get(..word).unwrap_or_default();
    let kept = numbers
        .iter()
        .rposition(|n| !number::is_zero(n))
        .map_or(0, |i| i + 1);
    segments.drain(kept..word);
}

/// The empty text stands for a missing segment: zero.
fn order_segments(a: &str, b: &str) -> Ordering {
    let is_number = |text: &str| text.is_empty() || number::is_number(text);
    match (is_number(a), is_number(b)) {
        (true, true) => number::order(a, b),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.cmp(b),
    }
}
