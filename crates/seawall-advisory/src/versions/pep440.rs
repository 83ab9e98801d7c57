//! PyPI: PEP 440, in the permissive spelling of its appendix B (`V1.0-RC.1`, `1.0-1`), as
//! normalised by Python's `packaging`. What `packaging` refuses (`2004d`, `1.0-SNAPSHOT`) is
//! refused.

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Pep440;

pub(super) struct Version<'a> {
    epoch: &'a str,
    /// Digits and dots.
    release: &'a str,
    /// Phase and number of a pre-release.
    pre: Option<(Phase, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Alpha,
    Beta,
    Candidate,
}

/// Longer spellings stand before those that they begin with.
const PHASES: &[(&str, Phase)] = &[
    ("alpha", Phase::Alpha),
    ("a", Phase::Alpha),
    ("beta", Phase::Beta),
    ("b", Phase::Beta),
    ("preview", Phase::Candidate),
    ("pre", Phase::Candidate),
    ("rc", Phase::Candidate),
    ("c", Phase::Candidate),
];
const POSTS: &[(&str, ())] = &[("post", ()), ("rev", ()), ("r", ())];
const DEVS: &[(&str, ())] = &[("dev", ())];

impl Scheme for Pep440 {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (public, Some(local)),
            None => (text, None),
        };
        let (epoch, public) = public.split_once('!').unwrap_or(("0", public));
        if !number::is_number(epoch) {
            return Err("its epoch is not a number");
        }
        let (release, rest) = split_release(public);
        if release.is_empty() {
            return Err("it does not begin with numbers with dots between");
        }
        let (pre, rest) = split_tagged(rest, PHASES);
        let (post, rest) = match split_tagged(rest, POSTS) {
            (Some(((), number)), rest) => (Some(number), rest),
            (None, rest) => split_implicit_post(rest),
        };
        let (dev, rest) = split_tagged(rest, DEVS);
        if !rest.is_empty() {
            return Err("what follows the numbers is no pre-, post- or development release");
        }
        if !local.into_iter().flat_map(local_parts).all(is_local_part) {
            return Err("its local part is not letters and digits with dots between");
        }
        Ok(Version {
            epoch,
            release,
            pre,
            post,
            dev: dev.map(|((), number)| number),
            local,
        })
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        number::order(a.epoch, b.epoch)
            .then_with(|| super::semver::order_core(a.release, b.release))
            .then_with(|| order_pre(a, b))
            .then_with(|| order_options(a.post, b.post, Ordering::Less))
            .then_with(|| order_options(a.dev, b.dev, Ordering::Greater))
            .then_with(|| match (a.local, b.local) {
                (Some(a), Some(b)) => order_local(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

/// Splits the leading numbers with dots between off; a dot that no digit follows stays behind.
fn split_release(text: &str) -> (&str, &str) {
    let mut end = 0;
    for component in text.split('.') {
        let (digits, rest) = number::split_digits(component);
        if digits.is_empty() {
            break;
        }
        // The dot before every component but the first.
        end += digits.len() + usize::from(end > 0);
        if !rest.is_empty() {
            break;
        }
    }
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Splits `[-_.]?tag[-_.]?number?` off; a missing number is zero, and its separator may stand
/// alone.
fn split_tagged<'a, T: Copy>(text: &'a str, tags: &[(&str, T)]) -> (Option<(T, &'a str)>, &'a str) {
    let tagged = text.strip_prefix(['-', '_', '.']).unwrap_or(text);
    let found = tags.iter().find_map(|(tag, meaning)| {
        let (head, rest) = tagged.split_at_checked(tag.len())?;
        head.eq_ignore_ascii_case(tag).then_some((*meaning, rest))
    });
    let Some((meaning, rest)) = found else {
        return (None, text);
    };
    let (digits, rest) = number::split_digits(rest.strip_prefix(['-', '_', '.']).unwrap_or(rest));
    (Some((meaning, digits)), rest)
}

/// `1.0-1` is `1.0.post1`.
fn split_implicit_post(text: &str) -> (Option<&str>, &str) {
    match text.strip_prefix('-').map(number::split_digits) {
        Some((digits, rest)) if !digits.is_empty() => (Some(digits), rest),
        _ => (None, text),
    }
}

/// A development release without pre- and post-release is below every pre-release; a version
/// without a pre-release is above all of them.
fn order_pre(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    fn class(version: &Version<'_>) -> u8 {
        match (version.pre, version.post, version.dev) {
            (Some(_), ..) => 1,
            (None, None, Some(_)) => 0,
            (None, ..) => 2,
        }
    }
    class(a).cmp(&class(b)).then_with(|| match (a.pre, b.pre) {
        (Some((phase_a, a)), Some((phase_b, b))) => {
            phase_a.cmp(&phase_b).then_with(|| number::order(a, b))
        }
        _ => Ordering::Equal,
    })
}

/// Compares numbers of which one may be missing; `missing` tells where that one goes.
fn order_options(a: Option<&str>, b: Option<&str>, missing: Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => number::order(a, b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => missing,
        (Some(_), None) => missing.reverse(),
    }
}

fn local_parts(local: &str) -> impl Iterator<Item = &str> {
    local.split(['.', '-', '_'])
}

fn is_local_part(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Words below numbers; the shorter list first.
fn order_local(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (local_parts(a), local_parts(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (number::is_number(a), number::is_number(b)) {
                (true, true) => number::order(a, b),
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => {
                    let lower = |text: &str| text.to_ascii_lowercase();
                    lower(a).cmp(&lower(b))
                }
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
