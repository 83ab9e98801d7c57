//! A finding from a verdict and everything known of its flaw.

use super::details::Details;
use super::package::{Matched, Verdict};
use crate::Source;
use crate::database::stored::{Core, Covered, Estimate, Text, Vector};
use crate::database::{Database, DatabaseError};
use seawall_model::{Cvss, Finding, PackageIndex, Priority, Severity};
use std::collections::BTreeSet;

/// The most links that a finding carries.
const MAX_REFERENCES: usize = 32;
/// The longest title made from a description, in characters.
const MAX_TITLE: usize = 160;

/// An advisory that has something to say on a flaw.
struct Speaker<'a> {
    advisory: u32,
    source: Source,
    bulletin: bool,
    /// Whether it says that the package is affected.
    matched: bool,
    /// The rating for this package, where the advisory matched it.
    row_severity: Option<Severity>,
    core: &'a Core<'a>,
    text: &'a Text<'a>,
}

/// Puts a finding together.
pub(super) fn assemble(
    database: &Database,
    details: &Details<'_>,
    package: PackageIndex,
    verdict: &Verdict,
) -> Result<Finding, DatabaseError> {
    let about = details.about(verdict.flaw)?;
    let names: Vec<&str> = std::iter::once(about.flaw.id)
        .chain(about.flaw.aliases.iter().copied())
        .collect();
    let speakers = speakers(database, details, verdict, &about.own)?;
    let cvss = cvss(speakers.iter(), &names);
    let first_cnnvd = database.advisory_count();
    let mut cnnvd = None;
    if let Some(&entry) = about.flaw.cnnvd.first() {
        let text = details.text(first_cnnvd.saturating_add(entry))?;
        cnnvd = Some((database.cnnvd(entry)?, text));
    }
    let (severity, severity_source) = severity(&speakers, &names)
        .or_else(|| {
            let severity = cnnvd.as_ref()?.0.severity?.severity();
            (severity != Severity::Unknown).then(|| (severity, "cnnvd".to_owned()))
        })
        .or_else(|| borrowed_severity(&speakers, &names))
        .unwrap_or_default();
    Ok(Finding {
        id: about.flaw.id.to_owned(),
        aliases: aliases(database, details, verdict, &about.flaw)?,
        cnnvd: cnnvd.as_ref().map(|(core, _)| core.id.to_owned()),
        cnnvd_title: cnnvd
            .as_ref()
            .map(|(_, text)| text.title.to_owned())
            .filter(|title| !title.is_empty()),
        package,
        severity,
        severity_source,
        cvss,
        epss: about.flaw.epss.map(Estimate::to_epss),
        kev: !about.flaw.kev.is_empty(),
        fix: verdict.fix.clone(),
        title: title(&speakers).unwrap_or_else(|| about.flaw.id.to_owned()),
        description: description(&speakers),
        cwes: speakers
            .iter()
            .filter(|speaker| !speaker.bulletin)
            .flat_map(|speaker| &speaker.core.cwes)
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        references: references(&speakers),
        published: speakers
            .iter()
            .filter_map(|speaker| speaker.core.published)
            .min()
            .map(str::to_owned),
        matched_by: matched_by(&speakers),
        confidence: verdict.confidence,
        priority: Priority::default(),
        status: verdict.status,
        suppression: None,
    })
}

/// Those that matched, the deciding one first; then the others about this flaw alone, GitHub and
/// NVD before the rest because they write for everybody.
fn speakers<'a>(
    database: &'a Database,
    details: &'a Details<'_>,
    verdict: &Verdict,
    own: &[u32],
) -> Result<Vec<Speaker<'a>>, DatabaseError> {
    let mut speakers: Vec<Speaker<'_>> = Vec::new();
    let mut others = Vec::new();
    for &advisory in own {
        let source = database.advisory_entry(advisory)?.source;
        let order = match source {
            Source::User => 0,
            Source::GitHub => 1,
            Source::Nvd => 2,
            // Whoever writes in OSV's form and is not known by name may speak of a product of its own.
            Source::Osv => 4,
            _ => 3,
        };
        others.push((order, advisory, source));
    }
    others.sort_by_key(|&(order, advisory, _)| (order, advisory));
    let matched = verdict.matched.iter().map(|&speaker| (speaker, true));
    let others = others.into_iter().map(|(_, advisory, source)| {
        let speaker = Matched {
            advisory,
            source,
            bulletin: false,
            severity: None,
        };
        (speaker, false)
    });
    for (speaker, matched) in matched.chain(others) {
        // A handful: a hash would cost more than looking.
        if speakers
            .iter()
            .all(|seen| seen.advisory != speaker.advisory)
        {
            speakers.push(Speaker {
                advisory: speaker.advisory,
                source: speaker.source,
                bulletin: speaker.bulletin,
                matched,
                row_severity: speaker.severity,
                core: details.core(speaker.advisory)?,
                text: details.text(speaker.advisory)?,
            });
        }
    }
    Ok(speakers)
}

/// The first rating of those that matched; then the best CVSS vector, newest version first; then
/// any rating of the flaw. A distribution rates its own builds: what it says counts where it matched
/// the package, and for nobody else's.
fn severity(speakers: &[Speaker<'_>], names: &[&str]) -> Option<(Severity, String)> {
    let stated = |matched| {
        speakers
            .iter()
            .filter(|speaker| speaker.matched == matched && speaker.may_rate())
            .find_map(|speaker| {
                let severity = rating(speaker, names)?;
                Some((severity, speaker.source.name().to_owned()))
            })
    };
    let scored = || {
        let cvss = cvss(speakers.iter().filter(|speaker| speaker.may_rate()), names);
        let first = cvss.first()?;
        let best = cvss
            .iter()
            .filter(|other| other.source == first.source)
            .max_by_key(|other| other.version)?;
        Some((Severity::from_score(best.score), best.source.clone()))
    };
    stated(true).or_else(scored).or_else(|| stated(false))
}

/// What another distribution says of its own build, where nobody else says anything: no gate stops an
/// unknown severity.
fn borrowed_severity(speakers: &[Speaker<'_>], names: &[&str]) -> Option<(Severity, String)> {
    speakers.iter().find_map(|speaker| {
        let severity = rating(speaker, names)?;
        Some((severity, speaker.source.name().to_owned()))
    })
}

impl Speaker<'_> {
    /// Whether its rating is meant for the package.
    fn may_rate(&self) -> bool {
        self.matched || !self.source.is_distribution()
    }
}

/// A speaker's rating for the package, else for the flaw, else for the whole bulletin.
fn rating(speaker: &Speaker<'_>, names: &[&str]) -> Option<Severity> {
    let covered = covered(speaker.core, names).find_map(|flaw| flaw.severity);
    speaker
        .row_severity
        .into_iter()
        .chain(covered.map(|rating| rating.severity()))
        .chain(speaker.core.severity.map(|rating| rating.severity()))
        .find(|severity| *severity != Severity::Unknown)
}

/// What a bulletin says of the flaw alone. Covered flaws are sorted, and may be hundreds.
fn covered<'a>(core: &'a Core<'a>, names: &[&str]) -> impl Iterator<Item = &'a Covered<'a>> {
    names.iter().filter_map(|name| {
        let at = core
            .covers
            .binary_search_by(|flaw| flaw.id.cmp(name))
            .ok()?;
        core.covers.get(at)
    })
}

/// Vectors in the order of speakers, each once. A bulletin's own are those of its worst flaw: they
/// stand in where nobody has any for this one.
fn cvss<'a>(speakers: impl Iterator<Item = &'a Speaker<'a>> + Clone, names: &[&str]) -> Vec<Cvss> {
    let exact = vectors(speakers.clone(), names, false);
    if exact.is_empty() {
        return vectors(speakers, names, true);
    }
    exact
}

fn vectors<'a>(
    speakers: impl Iterator<Item = &'a Speaker<'a>>,
    names: &[&str],
    of_bulletins: bool,
) -> Vec<Cvss> {
    let mut vectors: Vec<&Vector<'_>> = Vec::new();
    for speaker in speakers {
        let covered = covered(speaker.core, names).flat_map(|flaw| &flaw.cvss);
        let counts = of_bulletins || !speaker.bulletin;
        let own = speaker.core.cvss.iter().filter(|_| counts);
        let mut of_speaker: Vec<&Vector<'_>> = covered.chain(own).collect();
        of_speaker.sort_by_key(|vector| std::cmp::Reverse(vector.version));
        for vector in of_speaker {
            let same =
                |seen: &&Vector<'_>| (seen.version, seen.vector) == (vector.version, vector.vector);
            if !vectors.iter().any(same) {
                vectors.push(vector);
            }
        }
    }
    vectors.into_iter().map(Vector::to_cvss).collect()
}

/// The flaw's other names, those of bulletins about this package, and CNNVD's.
fn aliases(
    database: &Database,
    details: &Details<'_>,
    verdict: &Verdict,
    flaw: &crate::database::stored::Flaw<'_>,
) -> Result<Vec<String>, DatabaseError> {
    let mut aliases: BTreeSet<&str> = flaw.aliases.iter().copied().collect();
    for &advisory in &verdict.speakers {
        aliases.insert(details.core(advisory)?.id);
    }
    for &entry in &flaw.cnnvd {
        aliases.insert(database.cnnvd(entry)?.id);
    }
    aliases.remove(flaw.id);
    Ok(aliases.into_iter().map(str::to_owned).collect())
}

/// A title about this flaw alone, else the first sentence of a description, else a bulletin's.
fn title(speakers: &[Speaker<'_>]) -> Option<String> {
    let own = || speakers.iter().filter(|speaker| !speaker.bulletin);
    own()
        .map(|speaker| speaker.text.title)
        .find(|title| !title.is_empty())
        .map(str::to_owned)
        .or_else(|| {
            own()
                .map(|speaker| first_sentence(speaker.text.description))
                .find(|sentence| !sentence.is_empty())
        })
        .or_else(|| {
            speakers
                .iter()
                .map(|speaker| speaker.text.title)
                .find(|title| !title.is_empty())
                .map(str::to_owned)
        })
}

fn first_sentence(description: &str) -> String {
    let paragraph = first_paragraph(description);
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line
        .split_once(". ")
        .map_or(line.as_str(), |(first, _)| first);
    match sentence.char_indices().nth(MAX_TITLE) {
        Some((end, _)) => format!("{}…", sentence.get(..end).unwrap_or_default().trim_end()),
        None => sentence.to_owned(),
    }
}

fn description(speakers: &[Speaker<'_>]) -> String {
    let own = speakers.iter().filter(|speaker| !speaker.bulletin);
    let bulletins = speakers.iter().filter(|speaker| speaker.bulletin);
    own.chain(bulletins)
        .map(|speaker| first_paragraph(speaker.text.description))
        .find(|paragraph| !paragraph.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// Up to the first empty line.
fn first_paragraph(description: &str) -> &str {
    let description = description.trim();
    memchr::memmem::find(description.as_bytes(), b"\n\n")
        .and_then(|end| description.get(..end))
        .map_or(description, str::trim_end)
}

fn references(speakers: &[Speaker<'_>]) -> Vec<String> {
    let mut references: Vec<&str> = Vec::new();
    for link in speakers.iter().flat_map(|speaker| &speaker.text.references) {
        if references.len() < MAX_REFERENCES && !references.contains(link) {
            references.push(link);
        }
    }
    references.into_iter().map(str::to_owned).collect()
}

fn matched_by(speakers: &[Speaker<'_>]) -> Vec<String> {
    let mut ids: Vec<&str> = Vec::new();
    for speaker in speakers.iter().filter(|speaker| speaker.matched) {
        if !ids.contains(&speaker.core.id) {
            ids.push(speaker.core.id);
        }
    }
    ids.into_iter().map(str::to_owned).collect()
}
