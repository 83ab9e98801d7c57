//! Records as text, for the tests that compare an importer's samples with what they must become.

use super::{FeedFile, Importer, Records};
use crate::{Affected, NameKind, State, Upper, VersionRange};
use std::fmt::Write;

/// Imports a sample under a name that its importer must recognize, and compares with the expected
/// text. With `SEAWALL_BLESS` set, `expected_path` (below this folder) is written instead.
pub(super) fn check(importer: &dyn Importer, name: &str, sample: &[u8], expected_path: &str) {
    let file = FeedFile {
        name,
        bytes: sample,
    };
    assert!(importer.recognizes(&file), "{name} is not recognized");
    let found = render(&import(importer, name, sample));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/importers")
        .join(expected_path);
    if std::env::var_os("SEAWALL_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, expected, "{name} against {expected_path}");
}

/// Imports bytes under a name.
pub(super) fn import(importer: &dyn Importer, name: &str, bytes: &[u8]) -> Records {
    let mut records = Records::default();
    importer.import(&FeedFile { name, bytes }, &mut records);
    records
}

/// All records, one fact a line.
pub(super) fn render(records: &Records) -> String {
    let mut out = String::new();
    for advisory in &records.advisories {
        let severity = advisory.severity.map_or("-", |s| s.name());
        writeln!(
            out,
            "{} by {}: {severity}",
            advisory.id,
            advisory.source.name()
        )
        .unwrap();
        writeln!(out, "  title: {}", advisory.title).unwrap();
        line(&mut out, "aliases", &advisory.aliases.join(" "));
        for flaw in &advisory.covers {
            let severity = flaw.severity.map_or("-", |s| s.name());
            write!(out, "  covers {}: {severity}", flaw.id).unwrap();
            for cvss in &flaw.cvss {
                write!(out, " {:.1}", cvss.score).unwrap();
            }
            out.push('\n');
        }
        for cvss in &advisory.cvss {
            let (vector, score, source) = (&cvss.vector, cvss.score, &cvss.source);
            writeln!(out, "  cvss {score:.1} by {source}: {vector}").unwrap();
        }
        let dates = [
            ("published", &advisory.published),
            ("modified", &advisory.modified),
            ("withdrawn", &advisory.withdrawn),
        ];
        for (label, date) in dates {
            line(&mut out, label, date.as_deref().unwrap_or_default());
        }
        line(&mut out, "cwes", &advisory.cwes.join(" "));
        line(&mut out, "links", &advisory.references.join(" "));
        for affected in &advisory.affected {
            writeln!(out, "  {}", render_affected(affected)).unwrap();
        }
    }
    for kev in &records.kev {
        writeln!(out, "{kev:?}").unwrap();
    }
    for epss in &records.epss {
        writeln!(out, "{epss:?}").unwrap();
    }
    for cnnvd in &records.cnnvd {
        writeln!(out, "{cnnvd:?}").unwrap();
    }
    for incomplete in &records.incomplete {
        writeln!(out, "{}: {incomplete}", incomplete.reason.name()).unwrap();
        line(
            &mut out,
            "hint",
            incomplete.hint.as_deref().unwrap_or_default(),
        );
    }
    out
}

fn line(out: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        writeln!(out, "  {label}: {value}").unwrap();
    }
}

fn render_affected(affected: &Affected) -> String {
    let state = match affected.state {
        State::Affected => "affected",
        State::NotAffected => "not-affected",
        State::WontFix => "wont-fix",
        State::UnderInvestigation => "under-investigation",
    };
    let kind = match affected.name_kind {
        NameKind::Source => " (source)",
        NameKind::Binary => "",
    };
    let mut out = format!("{state} {} {}{kind}", affected.ecosystem, affected.name);
    for range in &affected.ranges {
        write!(out, " {}", render_range(range)).unwrap();
    }
    if !affected.versions.is_empty() {
        write!(out, " versions {}", affected.versions.join(" ")).unwrap();
    }
    if let Some(module) = &affected.module {
        write!(out, " module {module}").unwrap();
    }
    if let Some(severity) = affected.severity {
        write!(out, " {}", severity.name()).unwrap();
    }
    out
}

/// `[1.0,2.0)` ends before a fix, `[1.0,2.0[` before a version that is no fix, `[1.0,2.0]` with
/// the last affected one, `[1.0,)` never; `(1.0` begins after 1.0.
pub(super) fn render_range(range: &VersionRange) -> String {
    let start = range.introduced.as_deref().unwrap_or_default();
    let open = if range.introduced_exclusive { '(' } else { '[' };
    match &range.upper {
        Upper::Fixed(end) => format!("{open}{start},{end})"),
        Upper::Before(end) => format!("{open}{start},{end}["),
        Upper::LastAffected(end) => format!("{open}{start},{end}]"),
        Upper::Open => format!("{open}{start},)"),
    }
}
