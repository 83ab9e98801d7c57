//! What to do first: one documented formula (`docs/priority.md`), shown with its parts.

use std::cmp::Reverse;

use seawall_model::{
    Confidence, Finding, FixState, Inventory, Package, Priority, PriorityLevel, PriorityPart, Role,
    Severity,
};

/// Points for known exploitation.
const KEV: i16 = 40;
/// Further points where ransomware is known to use it.
const RANSOMWARE: i16 = 5;
/// Least EPSS probabilities and their points.
const EPSS: [(f64, i16); 3] = [(0.5, 15), (0.1, 10), (0.01, 4)];
/// Points for a version with the fix: there is something to do.
const FIX: i16 = 10;
/// Points where the vendor will not mend it: only a way around is left.
const WONT_FIX: i16 = -5;
/// Points for an image's layers that are the team's own, which it can rebuild today.
const APPLICATION: i16 = 5;
/// Points for what was installed on top of the base image.
const MIDDLEWARE: i16 = 3;
/// Points for a match by product name alone.
const LOW_CONFIDENCE: i16 = -15;
/// Points for a package needed only to develop or test.
const DEVELOPMENT: i16 = -15;

/// Rates every finding and puts them in order: priority, then severity (both from the top), then
/// identifier, package URL, and place in the inventory.
///
/// `ransomware` tells of a CVE whether ransomware campaigns are known to use it (CISA KEV).
pub fn prioritize(
    findings: &mut [Finding],
    inventory: &Inventory,
    ransomware: &dyn Fn(&str) -> bool,
) {
    for finding in &mut *findings {
        let package = inventory.packages.get(finding.package.0 as usize);
        let names = std::iter::once(&finding.id).chain(&finding.aliases);
        let ransomware = finding.kev && names.into_iter().any(|name| ransomware(name));
        finding.priority = priority(finding, package, ransomware);
    }
    let distro = inventory.distro.as_ref();
    findings.sort_by_cached_key(|finding| {
        let package = inventory.packages.get(finding.package.0 as usize);
        (
            Reverse(finding.priority.score),
            Reverse(finding.severity),
            finding.id.clone(),
            package.map(|package| package.purl(distro)),
            finding.package,
        )
    });
}

/// The priority of one finding.
#[must_use]
pub fn priority(finding: &Finding, package: Option<&Package>, ransomware: bool) -> Priority {
    let mut parts = vec![severity_part(finding)];
    if finding.kev {
        parts.push(part("kev", "known exploited", KEV));
    }
    if ransomware {
        parts.push(part("ransomware", "known use", RANSOMWARE));
    }
    if let Some(epss) = finding.epss {
        let points = EPSS.iter().find(|(least, _)| epss.score >= *least);
        let value = format!("{:.1}%", epss.score * 100.0);
        parts.push(part("epss", value, points.map_or(0, |(_, points)| *points)));
    }
    parts.extend(fix_part(finding));
    parts.extend(package.and_then(layer_part));
    if package.is_some_and(|package| package.development) {
        parts.push(part("scope", "development only", DEVELOPMENT));
    }
    if finding.confidence == Confidence::Low {
        parts.push(part("confidence", "by product name", LOW_CONFIDENCE));
    }
    bounded(parts)
}

fn part(name: &'static str, value: impl Into<String>, points: i16) -> PriorityPart {
    PriorityPart {
        name,
        value: value.into(),
        points,
    }
}

fn severity_part(finding: &Finding) -> PriorityPart {
    let points = match finding.severity {
        Severity::Critical => 55,
        Severity::High => 40,
        Severity::Medium => 22,
        // Nobody has rated it: it may turn out to be anything, so it is looked at before "low".
        Severity::Unknown => 15,
        Severity::Low => 8,
        Severity::Negligible => 0,
    };
    let value = match finding.severity_source.as_str() {
        "" => finding.severity.name().to_owned(),
        source => format!("{} ({source})", finding.severity.name()),
    };
    part("severity", value, points)
}

fn fix_part(finding: &Finding) -> Option<PriorityPart> {
    match finding.fix.state {
        FixState::Fixed => {
            let version = finding.fix.version.as_deref().unwrap_or("available");
            Some(part("fix", version, FIX))
        }
        FixState::WontFix => Some(part("fix", "vendor will not fix", WONT_FIX)),
        FixState::NotFixed | FixState::Unknown => None,
    }
}

/// Only images have layers with owners; elsewhere everything is the application.
fn layer_part(package: &Package) -> Option<PriorityPart> {
    package.layer?;
    let points = match package.role {
        Role::Base => return None,
        Role::Middleware => MIDDLEWARE,
        Role::Application => APPLICATION,
    };
    let value = match &package.owner {
        Some(owner) => format!("{} ({owner})", package.role.name()),
        None => package.role.name().to_owned(),
    };
    Some(part("layer", value, points))
}

/// Adds the parts up. What goes over 0 to 100 is taken back in a part of its own, so that the parts
/// always sum to the score.
fn bounded(mut parts: Vec<PriorityPart>) -> Priority {
    let sum: i16 = parts.iter().map(|part| part.points).sum();
    let score = sum.clamp(0, 100);
    if score != sum {
        parts.push(part("bounds", "0 to 100", score - sum));
    }
    let level = match score {
        80.. => PriorityLevel::Now,
        50.. => PriorityLevel::Soon,
        20.. => PriorityLevel::Plan,
        _ => PriorityLevel::Later,
    };
    Priority {
        score: u8::try_from(score).unwrap_or(100),
        level,
        parts,
    }
}

#[cfg(test)]
mod tests {
    use seawall_model::{Epss, Evidence, PackageType};

    use super::*;
    use crate::policy::testing::{finding, inventory};

    fn check(change: impl FnOnce(&mut Finding, &mut Package), expected: (u8, &str)) {
        let mut finding = finding("CVE-2025-1", 0);
        finding.severity = Severity::High;
        let mut package = Package::new(PackageType::Npm, "x", "1", Evidence::Installed);
        change(&mut finding, &mut package);
        let priority = priority(&finding, Some(&package), finding.kev);
        let sum: i16 = priority.parts.iter().map(|part| part.points).sum();
        assert_eq!(sum, i16::from(priority.score), "{:?}", priority.parts);
        assert_eq!(
            (priority.score, priority.level.name()),
            expected,
            "{:?}",
            priority.parts
        );
    }

    #[test]
    fn the_formula_is_the_documented_one() {
        check(|_, _| {}, (40, "plan"));
        check(|f, _| f.fix.state = FixState::Fixed, (50, "soon"));
        check(|f, _| f.kev = true, (85, "now"));
        check(
            |f, p| {
                f.severity = Severity::Critical;
                f.kev = true;
                f.fix.state = FixState::Fixed;
                f.epss = Some(Epss {
                    score: 0.9,
                    percentile: 1.0,
                });
                p.layer = Some(0);
            },
            (100, "now"),
        );
        check(
            |f, p| {
                f.severity = Severity::Negligible;
                p.development = true;
            },
            (0, "later"),
        );
        check(|f, _| f.confidence = Confidence::Low, (25, "plan"));
        check(
            |_, p| {
                p.layer = Some(0);
                p.role = Role::Middleware;
            },
            (43, "plan"),
        );
        check(
            |f, _| {
                f.epss = Some(Epss {
                    score: 0.02,
                    percentile: 0.8,
                })
            },
            (44, "plan"),
        );
        check(|f, _| f.fix.state = FixState::WontFix, (35, "plan"));
    }

    #[test]
    fn the_order_is_the_same_whatever_came_first() {
        let inventory = inventory();
        let mut findings: Vec<Finding> = (0..12)
            .map(|n| {
                let mut finding = finding(&format!("CVE-2025-{}", n % 5), n % 3);
                finding.severity = Severity::WORST_FIRST[n as usize % 2];
                finding
            })
            .collect();
        let mut turned: Vec<Finding> = findings.iter().rev().cloned().collect();
        prioritize(&mut findings, &inventory, &|_| false);
        prioritize(&mut turned, &inventory, &|_| false);
        assert_eq!(findings, turned);
        assert!(findings.is_sorted_by_key(|f| Reverse(f.priority.score)));
    }
}
