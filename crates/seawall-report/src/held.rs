//! Findings that a policy holds back: what held them, and why.

use std::collections::{BTreeMap, BTreeSet};

use seawall_model::{Finding, Status, Suppression};

use crate::Report;
use crate::layout::count;

/// What one rule, statement or entry of a policy holds back.
pub(crate) struct Held<'a> {
    status: Status,
    suppression: Option<&'a Suppression>,
    /// The flaws, the highest priority first.
    ids: Vec<&'a str>,
    seen: BTreeSet<&'a str>,
    packages: BTreeSet<&'a str>,
    findings: usize,
}

/// Everything held back, one entry for each rule, in the order of the findings.
pub(crate) fn of<'a>(report: &'a Report<'_>) -> Vec<Held<'a>> {
    let mut held: Vec<Held<'a>> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in report.findings.iter().filter(|f| !f.status.counts()) {
        let suppression = finding.suppression.as_ref();
        let key = (
            finding.status.name(),
            suppression.map(|by| (by.by, &by.source, &by.reason, &by.expires)),
        );
        let place = *places.entry(key).or_insert_with(|| {
            held.push(Held {
                status: finding.status,
                suppression,
                ids: Vec::new(),
                seen: BTreeSet::new(),
                packages: BTreeSet::new(),
                findings: 0,
            });
            held.len() - 1
        });
        let Some(entry) = held.get_mut(place) else {
            continue;
        };
        entry.findings += 1;
        if entry.seen.insert(&finding.id) {
            entry.ids.push(&finding.id);
        }
        entry
            .packages
            .extend(report.package(finding).map(|package| package.name.as_str()));
    }
    held
}

impl Held<'_> {
    /// `2 findings ignored: not reachable (ignore-file: .seawallignore.yaml:3, until 2027-01-01)`.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "{} {}",
            count(self.findings, "finding"),
            explained(self.status, self.suppression)
        )
    }

    /// `CVE-2025-0006, CVE-2025-0007 in left-pad`, with the first few of each.
    pub(crate) fn what(&self) -> String {
        let packages: Vec<&str> = self.packages.iter().copied().collect();
        format!("{} in {}", few(&self.ids), few(&packages))
    }
}

fn few(names: &[&str]) -> String {
    const FEW: usize = 4;
    let (shown, more) = names.split_at(names.len().min(FEW));
    let mut text = shown.join(", ");
    if !more.is_empty() {
        text.push_str(&format!(" and {} more", more.len()));
    }
    text
}

/// Why a finding does not count: `ignored: not reachable (ignore-file: .seawallignore.yaml:3, until
/// 2027-01-01)`. Of one that counts, its status alone.
pub(crate) fn why(finding: &Finding) -> String {
    explained(finding.status, finding.suppression.as_ref())
}

fn explained(status: Status, suppression: Option<&Suppression>) -> String {
    let mut text = status.name().to_owned();
    if let Some(by) = suppression {
        let reason = by.reason.as_deref().unwrap_or("no reason given");
        text.push_str(&format!(": {reason} ({}: {}", by.by, by.source));
        text.extend(by.expires.iter().map(|day| format!(", until {day}")));
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::testing::{findings, rendered};

    #[test]
    fn the_reason_of_a_suppression_is_in_every_format() {
        let reason = "not reachable";
        for (format, name) in Format::ALL {
            let text = rendered(*format);
            assert!(text.contains(reason), "{name}");
            assert!(text.contains(".seawallignore.yaml:3"), "{name}");
            assert!(text.contains("2027-01-01"), "{name}");
        }
    }

    #[test]
    fn a_rule_that_holds_back_a_thousand_findings_is_one_line() {
        let all = findings();
        let ignored = all.iter().find(|f| f.status == Status::Ignored).unwrap();
        let many: Vec<Finding> = (0..1000)
            .map(|n| Finding {
                id: format!("CVE-2025-{n:04}"),
                ..ignored.clone()
            })
            .collect();
        let inventory = crate::testing::inventory();
        let options = crate::Options::default();
        let text = crate::testing::rendered_with(Format::Table, &options, &inventory, &many, None);
        assert!(
            text.contains("1,000 findings ignored: not reachable"),
            "{text}"
        );
        assert!(text.contains("CVE-2025-0003 and 996 more in @x/left-pad"));
    }
}
