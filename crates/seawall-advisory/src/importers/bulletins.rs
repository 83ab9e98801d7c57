//! What the OVAL bulletins of the rpm distributions have in common.

use super::oval::{Bound, Definition, Flaw};
use super::rpm_rows::Verdict;
use super::text::date;
use crate::{Advisory, CoveredFlaw, Source, cvss};
use seawall_model::{Cvss, Severity};

/// A record with everything of a definition but what is affected.
pub(super) fn advisory(id: &str, source: Source, definition: &Definition) -> Advisory {
    let mut advisory = Advisory::new(id, source);
    let title = definition.title.split_whitespace().collect::<Vec<_>>();
    advisory.title = title.join(" ");
    advisory.description.clone_from(&definition.description);
    advisory.published = definition.issued.as_deref().and_then(date);
    advisory.modified = definition.updated.as_deref().and_then(date);
    advisory.severity = Severity::from_word(&definition.severity);
    let links = definition.references.iter().map(|r| r.url.clone());
    advisory.references = links.filter(|url| !url.is_empty()).collect();
    advisory
}

/// The flaws that a bulletin mends, with the publisher's rating of each.
pub(super) fn covers(source: Source, definition: &Definition) -> Vec<CoveredFlaw> {
    let mut covers: Vec<CoveredFlaw> = Vec::new();
    for flaw in definition.flaws.iter().filter(|flaw| !flaw.id.is_empty()) {
        if covers.iter().all(|covered| covered.id != flaw.id) {
            let mut covered = CoveredFlaw::new(flaw.id.as_str());
            covered.severity = Severity::from_word(&flaw.impact);
            covered.cvss = scores(source, flaw);
            covers.push(covered);
        }
    }
    for reference in definition.references.iter().filter(|r| r.source == "CVE") {
        if covers.iter().all(|covered| covered.id != reference.id) {
            covers.push(CoveredFlaw::new(reference.id.as_str()));
        }
    }
    covers
}

/// A flaw's scores.
pub(super) fn scores(source: Source, flaw: &Flaw) -> Vec<Cvss> {
    let vectors = flaw.vectors.iter();
    vectors
        .filter_map(|vector| cvss::parse(vector, source.name()))
        .collect()
}

/// The verdict that a test's versions stand for.
pub(super) fn verdict(bound: Bound<'_>) -> Verdict {
    match bound {
        Bound::Below(version) => Verdict::Fixed(version.to_owned()),
        Bound::UpTo(version) => Verdict::LastAffected(version.to_owned()),
        Bound::Installed => Verdict::Open,
        Bound::Never => Verdict::NotAffected,
    }
}
