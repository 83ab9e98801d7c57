//! Version requirements as the feeds write them (`~> 6.1.4, >= 6.1.4.2`, `^1.2 || >=2.0.1 <3`), and
//! what they leave as affected.
//!
//! The grammars share their operators and differ in what an incomplete version means: RubyGems
//! (guides.rubygems.org, "Patterns"), npm (node-semver, "Ranges"), Cargo (Cargo book, "Specifying
//! dependencies"), Composer (getcomposer.org, "Versions and constraints").

mod set;

pub(in crate::importers) use set::VersionSet;

use crate::versions::VersionError;
use seawall_model::VersionScheme;
use set::{Cut, Interval};

/// The longest requirement that is read, in bytes.
const MAX_LENGTH: usize = 8_192;

/// The most comparisons in one requirement; each may cost a pass over the others.
const MAX_COMPARISONS: usize = 200;

/// Why a requirement cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::importers) enum ConstraintError {
    #[error("the requirement is longer than {MAX_LENGTH} bytes or {MAX_COMPARISONS} comparisons")]
    TooLong,
    #[error("'{0}' is an operator without a version")]
    NoVersion(String),
    #[error("'{0}' is no operator")]
    Operator(String),
    #[error("'{0}' needs a version of numbers")]
    NotNumeric(String),
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// The versions that a requirement allows, by the grammar of the scheme's package manager. Schemes
/// without a grammar of their own know the comparisons, `||` and lists.
pub(in crate::importers) fn parse(
    text: &str,
    scheme: VersionScheme,
) -> Result<VersionSet, ConstraintError> {
    if text.len() > MAX_LENGTH {
        return Err(ConstraintError::TooLong);
    }
    let mut all = VersionSet::empty(scheme);
    let mut count = 0;
    for alternative in text.split('|').filter(|part| !part.trim().is_empty()) {
        let mut allowed = VersionSet::of(scheme, vec![Interval::default()])?;
        for comparison in comparisons(alternative, Grammar::of(scheme))? {
            count += 1;
            if count > MAX_COMPARISONS {
                return Err(ConstraintError::TooLong);
            }
            let intervals = comparison.intervals(scheme)?;
            allowed = allowed.intersection(&VersionSet::of(scheme, intervals)?);
        }
        all = all.union(&allowed);
    }
    Ok(all)
}

/// The versions that any of the requirements allows.
pub(in crate::importers) fn parse_any<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    scheme: VersionScheme,
) -> Result<VersionSet, ConstraintError> {
    let mut all = VersionSet::empty(scheme);
    for (index, text) in texts.into_iter().enumerate() {
        if index >= MAX_COMPARISONS {
            return Err(ConstraintError::TooLong);
        }
        all = all.union(&parse(text, scheme)?);
    }
    Ok(all)
}

#[derive(Debug)]
struct Comparison<'a> {
    operator: &'a str,
    version: &'a str,
}

/// Cuts an alternative into operator and version pairs. Blanks may stand between the two.
fn comparisons(text: &str, grammar: Grammar) -> Result<Vec<Comparison<'_>>, ConstraintError> {
    if let Some((from, to)) = text.trim().split_once(" - ") {
        let (from, to) = (from.trim(), to.trim());
        return Ok(vec![
            Comparison {
                operator: ">=",
                version: from,
            },
            Comparison {
                operator: "<=",
                version: to,
            },
        ]);
    }
    let mut found = Vec::new();
    let mut rest = skip_separators(text);
    while !rest.is_empty() {
        let (operator, after) = split_at(rest, |c| !"<>=!~^".contains(c));
        let (version, after) = split_at(after.trim_start(), |c| {
            c.is_whitespace() || c == ',' || grammar.ends_version(c)
        });
        if version.is_empty() {
            return Err(ConstraintError::NoVersion(operator.to_owned()));
        }
        found.push(Comparison { operator, version });
        rest = skip_separators(after);
    }
    Ok(found)
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == ',')
}

/// Splits before the first character for which `stop` holds.
fn split_at(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

impl Comparison<'_> {
    fn intervals(&self, scheme: VersionScheme) -> Result<Vec<Interval>, ConstraintError> {
        let version = strip_v(self.version);
        if matches!(version, "*" | "x" | "X") {
            return Ok(vec![Interval::default()]);
        }
        let grammar = Grammar::of(scheme);
        let text = Numbers::parse(version);
        // `1.2`, `1.2.x` and `1.2.*` stand for every 1.2 in grammars that know them.
        let partial = text
            .as_ref()
            .filter(|n| n.wildcard || (grammar.pads() && n.parts.len() < 3 && n.tail.is_empty()));
        if let Some(numbers) = partial {
            let low = grammar.pad(&numbers.parts);
            let high =
                || Ok::<_, ConstraintError>(grammar.end(&bumped(numbers, numbers.parts.len())?));
            return Ok(vec![match self.operator {
                ">=" => from(Cut::before(low)),
                ">" => from(high()?),
                "<" => to(grammar.end(&numbers.parts)),
                "<=" => to(high()?),
                "^" => between(Cut::before(low), self.caret(numbers, grammar)?),
                "~" | "~>" => between(Cut::before(low), self.tilde(numbers, grammar)?),
                "" if grammar == Grammar::Cargo && !numbers.wildcard => {
                    between(Cut::before(low), self.caret(numbers, grammar)?)
                }
                "" | "=" | "==" => between(Cut::before(low), high()?),
                other => return Err(ConstraintError::Operator(other.to_owned())),
            }]);
        }
        let numbers = || {
            text.as_ref()
                .ok_or_else(|| ConstraintError::NotNumeric(self.version.to_owned()))
        };
        Ok(match self.operator {
            ">=" => vec![from(Cut::before(version))],
            ">" => vec![from(Cut::after(version))],
            "<" => vec![to(Cut::before(version))],
            "<=" => vec![to(Cut::after(version))],
            "!=" => vec![to(Cut::before(version)), from(Cut::after(version))],
            "^" => vec![between(
                Cut::before(version),
                self.caret(numbers()?, grammar)?,
            )],
            "~" | "~>" => vec![between(
                Cut::before(version),
                self.tilde(numbers()?, grammar)?,
            )],
            "" if grammar == Grammar::Cargo => vec![between(
                Cut::before(version),
                self.caret(numbers()?, grammar)?,
            )],
            "" | "=" | "==" => vec![between(Cut::before(version), Cut::after(version))],
            other => return Err(ConstraintError::Operator(other.to_owned())),
        })
    }

    /// `^`: up to the next change of the first part that is not zero.
    fn caret(&self, numbers: &Numbers<'_>, grammar: Grammar) -> Result<Cut, ConstraintError> {
        if !grammar.has_caret() {
            return Err(ConstraintError::Operator(self.operator.to_owned()));
        }
        let parts = &numbers.parts;
        let fixed = parts
            .iter()
            .position(|part| *part != 0)
            .map_or(parts.len(), |index| index + 1);
        Ok(grammar.end(&bumped(numbers, fixed)?))
    }

    /// `~` and `~>`: only the last part written may grow (RubyGems, Composer), or what follows the
    /// second one (npm, Cargo).
    fn tilde(&self, numbers: &Numbers<'_>, grammar: Grammar) -> Result<Cut, ConstraintError> {
        let written = numbers.parts.len();
        let kept = match grammar {
            Grammar::RubyGems | Grammar::Composer => written.saturating_sub(1).max(1),
            Grammar::Npm | Grammar::Cargo => written.min(2),
            Grammar::Plain => return Err(ConstraintError::Operator(self.operator.to_owned())),
        };
        Ok(grammar.end(&bumped(numbers, kept)?))
    }
}

/// The first `kept` parts with the last of them one higher.
fn bumped(numbers: &Numbers<'_>, kept: usize) -> Result<Vec<u64>, ConstraintError> {
    let mut parts: Vec<u64> = numbers.parts.iter().take(kept.max(1)).copied().collect();
    let last = parts.last_mut().and_then(|last| {
        *last = last.checked_add(1)?;
        Some(())
    });
    last.ok_or_else(|| ConstraintError::NotNumeric(numbers.text.to_owned()))?;
    Ok(parts)
}

fn from(cut: Cut) -> Interval {
    Interval {
        from: Some(cut),
        to: None,
    }
}

fn to(cut: Cut) -> Interval {
    Interval {
        from: None,
        to: Some(cut),
    }
}

fn between(from: Cut, to: Cut) -> Interval {
    Interval {
        from: Some(from),
        to: Some(to),
    }
}

fn strip_v(version: &str) -> &str {
    version
        .strip_prefix(['v', 'V'])
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(version)
}

/// A version's leading numbers.
#[derive(Debug)]
struct Numbers<'a> {
    text: &'a str,
    parts: Vec<u64>,
    /// It ended in `.x` or `.*`.
    wildcard: bool,
    /// What follows the numbers: pre-release and build.
    tail: &'a str,
}

impl<'a> Numbers<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (core, tail) = split_at(text, |c| c == '-' || c == '+');
        let mut parts = Vec::new();
        let mut wildcard = false;
        for part in core.split('.') {
            if matches!(part, "x" | "X" | "*") {
                wildcard = true;
                break;
            }
            match part.parse() {
                Ok(number) => parts.push(number),
                // RubyGems writes pre-releases as a part: `7.0.0.rc2`.
                Err(_) => break,
            }
        }
        (!parts.is_empty()).then_some(Self {
            text,
            parts,
            wildcard,
            tail,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grammar {
    Npm,
    Cargo,
    RubyGems,
    Composer,
    /// Comparisons only.
    Plain,
}

impl Grammar {
    fn of(scheme: VersionScheme) -> Self {
        match scheme {
            // Programs without a package are mostly described in npm's grammar (Node.js itself).
            VersionScheme::Npm | VersionScheme::Semver => Self::Npm,
            VersionScheme::Cargo => Self::Cargo,
            VersionScheme::RubyGems => Self::RubyGems,
            VersionScheme::Composer => Self::Composer,
            _ => Self::Plain,
        }
    }

    /// Whether a version with less than three parts stands for all that begin so.
    fn pads(self) -> bool {
        matches!(self, Self::Npm | Self::Cargo)
    }

    /// Whether a character begins the next comparison. Versions of distributions hold `~` and `^`
    /// themselves: `3.0.11-1~deb12u2`.
    fn ends_version(self, c: char) -> bool {
        "<>=!".contains(c) || (self != Self::Plain && "~^".contains(c))
    }

    fn has_caret(self) -> bool {
        matches!(self, Self::Npm | Self::Cargo | Self::Composer)
    }

    fn pad(self, parts: &[u64]) -> String {
        let length = if self.pads() {
            parts.len().max(3)
        } else {
            parts.len()
        };
        let mut parts = parts.to_vec();
        parts.resize(length, 0);
        parts
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(".")
    }

    /// The cut before everything of a release line, its pre-releases included.
    fn end(self, parts: &[u64]) -> Cut {
        let lowest = match self {
            Self::Npm | Self::Cargo => "-0",
            Self::RubyGems => ".a",
            Self::Composer => "-dev",
            Self::Plain => "",
        };
        Cut::before(self.pad(parts) + lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Upper, VersionRange};

    /// `[1.0,2.0)` ends before a fix, `[1.0,2.0[` before a version that is no fix, `[1.0,2.0]` with
    /// the last affected one, `[1.0,)` never; `(1.0` begins after 1.0.
    fn render_range(range: &VersionRange) -> String {
        let start = range.introduced.as_deref().unwrap_or_default();
        let open = if range.introduced_exclusive { '(' } else { '[' };
        match &range.upper {
            Upper::Fixed(end) => format!("{open}{start},{end})"),
            Upper::Before(end) => format!("{open}{start},{end}["),
            Upper::LastAffected(end) => format!("{open}{start},{end}]"),
            Upper::Open => format!("{open}{start},)"),
        }
    }

    fn check(scheme: VersionScheme, requirement: &str, expected: &str) {
        let found = match parse(requirement, scheme) {
            Ok(set) => set
                .ranges(&VersionSet::empty(scheme))
                .iter()
                .map(render_range)
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{scheme:?} {requirement}");
    }

    #[test]
    fn requirements_mean_what_their_package_manager_says() {
        use VersionScheme::{Cargo, Composer, Deb, Npm, Rpm, RubyGems};
        for (scheme, requirement, expected) in [
            (RubyGems, ">= 1.2.3", "[1.2.3,)"),
            (RubyGems, "< 1.2.3", "[,1.2.3["),
            (RubyGems, "<= 1.2.3", "[,1.2.3]"),
            (RubyGems, "> 1.2.3", "(1.2.3,)"),
            (RubyGems, "1.2.3", "[1.2.3,1.2.3]"),
            (RubyGems, "~> 6.1.4, >= 6.1.4.2", "[6.1.4.2,6.2.a["),
            (RubyGems, "~> 1.8.7.371", "[1.8.7.371,1.8.8.a["),
            (RubyGems, "~> 2.0.0.rc2", "[2.0.0.rc2,2.1.a["),
            (RubyGems, "~> 2", "[2,3.a["),
            (RubyGems, "!= 1.5", "[,1.5[ (1.5,)"),
            (Composer, "^1.2", "[1.2,2-dev["),
            (Composer, "~1.2", "[1.2,2-dev["),
            (Composer, "~1.2.3", "[1.2.3,1.3-dev["),
            (Composer, "1.2.*", "[1.2,1.3-dev["),
            (Composer, ">=1.0,<2.0|>=3.0", "[1.0,2.0[ [3.0,)"),
            (Npm, "^1.2.3", "[1.2.3,2.0.0-0["),
            (Npm, "^0.2.3", "[0.2.3,0.3.0-0["),
            (Npm, "^0.0.3", "[0.0.3,0.0.4-0["),
            (Npm, "^0.0", "[0.0.0,0.1.0-0["),
            (Npm, "~1.2.3", "[1.2.3,1.3.0-0["),
            (Npm, "~1", "[1.0.0,2.0.0-0["),
            (Npm, "1.2.x", "[1.2.0,1.3.0-0["),
            (Npm, "4", "[4.0.0,5.0.0-0["),
            (Npm, ">1.2", "[1.3.0-0,)"),
            (Npm, "<=1.2", "[,1.3.0-0["),
            (Npm, "<4", "[,4.0.0-0["),
            (Npm, ">=3.1.1 <4 || >=4.5.0", "[3.1.1,4.0.0-0[ [4.5.0,)"),
            (Npm, ">=3.4.6 < 4.0.0|| >=4.0.5", "[3.4.6,4.0.0[ [4.0.5,)"),
            (Npm, "1.2.3 - 2.0.0", "[1.2.3,2.0.0]"),
            (Npm, "*", "[,)"),
            (Npm, "v1.2.3", "[1.2.3,1.2.3]"),
            (Npm, ">= 2.0.0 < 1.0.0", ""),
            (Npm, "", ""),
            (Cargo, "1.2.3", "[1.2.3,2.0.0-0["),
            (Cargo, "= 1.2.3", "[1.2.3,1.2.3]"),
            (Cargo, ">= 1.2.3, < 1.5.0", "[1.2.3,1.5.0["),
            (Deb, ">= 1:1.0-1, << 2", "'<<' is no operator"),
            (Deb, ">= 1:1.0-1 < 1:2.0-1", "[1:1.0-1,1:2.0-1["),
            (Deb, "^1", "'^' is no operator"),
            (Deb, "~1", "'~' is no operator"),
            (
                Deb,
                ">= 1~rc1 < 3.0.11-1~deb12u2",
                "[1~rc1,3.0.11-1~deb12u2[",
            ),
            (
                Rpm,
                "=1.0^git1~2-1.fc38",
                "[1.0^git1~2-1.fc38,1.0^git1~2-1.fc38]",
            ),
            (RubyGems, ">=", "'>=' is an operator without a version"),
            (RubyGems, "~> abc", "'abc' needs a version of numbers"),
            (
                Npm,
                "^18446744073709551615.0.0",
                "'18446744073709551615.0.0' needs a version of numbers",
            ),
        ] {
            check(scheme, requirement, expected);
        }
    }

    #[test]
    fn a_requirement_of_thousands_of_parts_is_refused() {
        let text = ">1.0.0 || ".repeat(700);
        assert!(matches!(
            parse(&text, VersionScheme::Npm),
            Err(ConstraintError::TooLong)
        ));
    }

    /// Affected is what is neither patched nor unaffected; ranges were once stretched over unaffected
    /// versions to the next fix.
    #[test]
    fn the_rest_of_patched_and_unaffected_is_affected() {
        for (patched, unaffected, expected) in [
            (&[">= 1.2.3"][..], &[][..], "[,1.2.3)"),
            (&[], &[], "[,)"),
            (&[">= 1.2.3"], &["< 1.0.0"], "[1.0.0,1.2.3)"),
            (&["> 1.2.3"], &["<= 1.0.0"], "(1.0.0,1.2.3]"),
            (
                &["~> 6.0.4, >= 6.0.4.2", "~> 6.1.4, >= 6.1.4.2", ">= 7.0.0"],
                &["< 6.0.0"],
                "[6.0.0,6.0.4.2) [6.1.a,6.1.4.2) [6.2.a,7.0.0)",
            ),
            (&[], &["> 0.0.3"], "[,0.0.3]"),
            (&[], &[">= 1.9.2"], "[,1.9.2["),
            (&[">= 1.7.0"], &["<= 1.6.9", ">= 1.6.14"], "(1.6.9,1.6.14["),
            (
                &[">= 1.4.4"],
                &["< 1.0.3, >= 1.0.0"],
                "[,1.0.0[ [1.0.3,1.4.4)",
            ),
            (
                &["~> 3.2.22.3", "~> 4.2.7.1"],
                &["< 3.0.0", ">= 4.1.0"],
                "[3.0.0,3.2.22.3) [3.2.23.a,4.1.0[",
            ),
        ] {
            let scheme = VersionScheme::RubyGems;
            let patched = parse_any(patched.iter().copied(), scheme).unwrap();
            let unaffected = parse_any(unaffected.iter().copied(), scheme).unwrap();
            let affected = patched.clone().union(&unaffected).complement();
            let found: Vec<_> = affected
                .ranges_beside(&patched, &unaffected)
                .iter()
                .map(render_range)
                .collect();
            assert_eq!(found.join(" "), expected);
        }
    }

    #[test]
    fn a_last_affected_version_is_followed_by_its_fix() {
        for (vulnerable, patched, expected) in [
            ("<= 2.4.3", ">= 2.4.4", "[,2.4.4)"),
            ("<= 2.4.3", "> 2.4.3", "[,2.4.3]"),
            (
                "<1.5.1 || >=2.0.0 <2.1.3",
                ">=1.5.1 <2.0.0 || >=2.1.3",
                "[,1.5.1) [2.0.0,2.1.3)",
            ),
            (
                "16.x || 18.x",
                "^16.2.2",
                "[16.0.0,16.2.2) [18.0.0,19.0.0-0[",
            ),
            ("<= 1.5.0 || >= 2.0.0", ">= 2.1.0", "[,1.5.0] [2.0.0,2.1.0)"),
        ] {
            let scheme = VersionScheme::Npm;
            let patched = parse(patched, scheme).unwrap();
            let affected = parse(vulnerable, scheme).unwrap().without(&patched);
            let found: Vec<_> = affected.ranges(&patched).iter().map(render_range).collect();
            assert_eq!(found.join(" "), expected, "{vulnerable}");
        }
    }
}
