//! The tracker's line format, and the lists of bulletins written in it:
//!
//! ```text
//! [31 Jul 2025] DSA-5970-1 sope - security update
//!         {CVE-2025-53603}
//!         [bookworm] - sope 5.8.0-1+deb12u1
//! ```

use super::super::document::{corrupt, lines};
use super::super::rejected::Rejected;
use super::super::text::is_maintenance;
use super::super::{FeedFile, Records};
use crate::{Advisory, Affected, CoveredFlaw, NameKind, Source, State, Upper};
use seawall_model::{DistroFamily, Ecosystem, Incomplete, IncompleteReason};
use std::collections::BTreeSet;

/// What a line below a header says of a package: `[bookworm] - sope 5.8.0-1+deb12u1 (note)`.
pub(super) struct PackageLine<'a> {
    /// Code name; `None` is unstable.
    pub(super) codename: Option<&'a str>,
    pub(super) package: &'a str,
    /// A version, or a word in `<>`.
    pub(super) verdict: &'a str,
    /// What stands in parentheses behind it.
    pub(super) note: &'a str,
}

impl<'a> PackageLine<'a> {
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let (codename, rest) = match line.strip_prefix('[') {
            Some(rest) => {
                let (codename, rest) = rest.split_once(']')?;
                (Some(codename.trim()), rest.trim_start())
            }
            None => (None, line),
        };
        let rest = rest.strip_prefix("- ")?.trim_start();
        let (package, rest) = rest.split_once(char::is_whitespace)?;
        let (verdict, note) = match rest.trim().split_once(char::is_whitespace) {
            Some((verdict, note)) => (verdict, note.trim()),
            None => (rest.trim(), ""),
        };
        Some(Self {
            codename,
            package,
            verdict,
            note: note.trim_start_matches('(').trim_end_matches(')'),
        })
    }

    /// The row for one release, or `None` where the line says that the release does not have the
    /// package (`<removed>`, `<itp>`). `Err`: the word is not known.
    pub(super) fn row(&self, ecosystem: Ecosystem) -> Result<Option<Affected>, String> {
        let (state, upper) = match self.verdict {
            "<not-affected>" => (State::NotAffected, None),
            "<unfixed>" | "<no-dsa>" | "<postponed>" => (State::Affected, Some(Upper::Open)),
            "<ignored>" | "<end-of-life>" => (State::WontFix, Some(Upper::Open)),
            "<undetermined>" => (State::UnderInvestigation, Some(Upper::Open)),
            "<removed>" | "<itp>" | "<unknown>" => return Ok(None),
            word if word.starts_with('<') || word.is_empty() => {
                return Err(format!("'{word}' is neither a version nor a known word"));
            }
            "0" => (State::NotAffected, None),
            version => (State::Affected, Some(Upper::Fixed(version.to_owned()))),
        };
        let row = Affected::new(ecosystem, self.package, NameKind::Source, state);
        Ok(Some(match upper {
            Some(upper) => row.until(upper),
            None => row,
        }))
    }
}

/// An entry for a release that this table of releases does not have.
pub(super) fn unknown_release(file: &FeedFile<'_>, codename: &str) -> Incomplete {
    Incomplete::new(
        IncompleteReason::Unsupported,
        file.name,
        format!("verdicts on the Debian release '{codename}' were left out: no such release known"),
    )
    .hint("a newer Seawall may know it")
}

/// Whether a line begins a bulletin: `[31 Jul 2025] DSA-5970-1 ...`, also `DLA-` and `DTSA-`.
pub(super) fn is_bulletin_header(line: &[u8]) -> bool {
    std::str::from_utf8(line)
        .ok()
        .and_then(bulletin_header)
        .is_some()
}

/// Date, identifier and the rest of a header.
fn bulletin_header(line: &str) -> Option<(String, &str, &str)> {
    let (date, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let date = iso_date(date)?;
    let (id, title) = rest.split_once(' ').unwrap_or((rest, ""));
    let known = ["DSA-", "DLA-", "DTSA-", "ELA-"];
    known
        .iter()
        .any(|prefix| id.starts_with(prefix))
        .then_some((date, id, title.trim()))
}

/// `31 Jul 2025` as `2025-07-31`.
fn iso_date(date: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut parts = date.split_whitespace();
    let day: u8 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? + 1;
    let year: u16 = parts.next()?.parse().ok()?;
    (parts.next().is_none() && (1..=31).contains(&day))
        .then(|| format!("{year:04}-{month:02}-{day:02}"))
}

pub(super) fn import_bulletins(file: &FeedFile<'_>, records: &mut Records) {
    let mut unknown = BTreeSet::new();
    let mut rejected = Rejected::new(file);
    let mut bulletin: Option<Advisory> = None;
    for (number, (offset, line)) in lines(file.bytes).enumerate() {
        let line = String::from_utf8_lossy(line);
        if line.trim().is_empty() {
            continue;
        }
        let error = if line.starts_with(char::is_whitespace) {
            match &mut bulletin {
                Some(bulletin) => read_detail(line.trim(), bulletin, &mut unknown).err(),
                // Below a header that could not be read, and was reported.
                None => None,
            }
        } else {
            keep(bulletin.take(), records);
            bulletin = bulletin_header(&line).map(new_bulletin);
            match bulletin {
                Some(_) => None,
                None => Some("no bulletin begins like this".to_owned()),
            }
        };
        if let Some(error) = error {
            let message = format!("line {}: {error}", number.saturating_add(1));
            rejected.report(corrupt(file, message).at(offset));
        }
    }
    keep(bulletin, records);
    for codename in unknown {
        rejected.report(unknown_release(file, &codename));
    }
    rejected.finish(records);
}

/// Notices without packages (a new signing key, a release's end of life) are no advisories.
fn keep(bulletin: Option<Advisory>, records: &mut Records) {
    let Some(bulletin) = bulletin.filter(|bulletin| !bulletin.affected.is_empty()) else {
        return;
    };
    if bulletin.covers.is_empty() && is_maintenance(&bulletin.title) {
        records.skip("Debian bulletins about no flaw", 1);
    } else {
        records.advisories.push(bulletin);
    }
}

fn new_bulletin((date, id, title): (String, &str, &str)) -> Advisory {
    let mut bulletin = Advisory::new(id, Source::Debian);
    bulletin.title = title.to_owned();
    bulletin.published = Some(date);
    bulletin.references = vec![format!("https://security-tracker.debian.org/tracker/{id}")];
    bulletin
}

fn read_detail(
    line: &str,
    bulletin: &mut Advisory,
    unknown: &mut BTreeSet<String>,
) -> Result<(), String> {
    if let Some(ids) = line.strip_prefix('{') {
        let ids = ids.trim_end_matches('}').split_whitespace();
        bulletin.covers.extend(ids.map(CoveredFlaw::new));
        return Ok(());
    }
    if line.starts_with("NOTE:") || line.starts_with("TODO:") {
        return Ok(());
    }
    let line = PackageLine::parse(line).ok_or("neither flaws, a package nor a note")?;
    let codename = line.codename.unwrap_or("sid");
    match Ecosystem::by_codename(DistroFamily::Debian, codename) {
        Some(ecosystem) => bulletin.affected.extend(line.row(ecosystem)?),
        None => drop(unknown.insert(codename.to_owned())),
    }
    Ok(())
}
