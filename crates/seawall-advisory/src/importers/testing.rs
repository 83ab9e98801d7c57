//! The one way in which importers are tested: a sample in the feed's form, and the records that
//! must come of it as lines of text beside it.

use super::{FeedFile, Importer, Records};
use crate::{Advisory, Affected, NameKind, State, Upper};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Imports `samples/FILE` of the importer's folder under the name `as_name` and compares with
/// `samples/FILE.expected`. With `UPDATE_EXPECT=1` in the environment the expected file is written.
pub(super) fn check(importer: &dyn Importer, folder: &str, file: &str, as_name: &str) {
    let samples = Path::new("src/importers").join(folder).join("samples");
    let bytes = std::fs::read(samples.join(file)).unwrap();
    let feed_file = FeedFile {
        name: as_name,
        bytes: &bytes,
    };
    assert!(
        importer.recognizes(&feed_file),
        "{} does not recognize {as_name}",
        importer.name()
    );
    let claimed: Vec<_> = super::ALL
        .iter()
        .filter(|other| other.recognizes(&feed_file))
        .map(|other| other.name())
        .collect();
    assert_eq!(claimed, [importer.name()], "who claims {as_name}");
    let rendered = render(&import(importer, &feed_file));
    let expected = samples.join(format!("{file}.expected"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&expected, &rendered).unwrap();
    }
    let expected = std::fs::read_to_string(expected).unwrap_or_default();
    assert_eq!(rendered, expected, "records of {folder}/samples/{file}");
}

/// Every prefix of the sample, and the sample with each of some bytes changed, must be read without
/// a panic.
pub(super) fn survives_damage(importer: &dyn Importer, folder: &str, file: &str, as_name: &str) {
    let path = Path::new("src/importers")
        .join(folder)
        .join("samples")
        .join(file);
    let bytes = std::fs::read(path).unwrap();
    let step = (bytes.len() / 300).max(1);
    for cut in (0..bytes.len()).step_by(step) {
        let head = bytes.get(..cut).unwrap();
        let name = as_name;
        import(importer, &FeedFile { name, bytes: head });
        let mut changed = bytes.clone();
        for byte in [b'"', b'<', b'>', b'{', b':', 0xFF, b'\n'] {
            changed[cut] = byte;
            let bytes = &changed;
            import(importer, &FeedFile { name, bytes });
        }
    }
}

/// All records of one file.
pub(super) fn import(importer: &dyn Importer, file: &FeedFile<'_>) -> Records {
    let mut records = Records::default();
    importer.import(file, &mut records);
    records
}

/// All records of these bytes under that name.
pub(super) fn import_bytes(importer: &dyn Importer, name: &str, bytes: &[u8]) -> Records {
    import(importer, &FeedFile { name, bytes })
}

/// A file of the shared test data, unpacked by the caller's hand or skipped with a reason.
pub(super) fn shared_data(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SEAWALL_DATA")
        .map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The records as text, one line a fact.
pub(super) fn render(records: &Records) -> String {
    let mut out = String::new();
    for advisory in &records.advisories {
        render_advisory(&mut out, advisory);
    }
    for entry in &records.kev {
        writeln!(out, "{entry:?}").unwrap();
    }
    for entry in &records.epss {
        writeln!(out, "{entry:?}").unwrap();
    }
    for entry in &records.cnnvd {
        writeln!(out, "{entry:?}").unwrap();
    }
    for entry in &records.incomplete {
        writeln!(out, "incomplete {}: {entry}", entry.reason.name()).unwrap();
    }
    for (what, count) in &records.skipped {
        writeln!(out, "skipped {count}: {what}").unwrap();
    }
    out
}

fn render_advisory(out: &mut String, advisory: &Advisory) {
    write!(out, "{} {}", advisory.source.name(), advisory.id).unwrap();
    if let Some(severity) = advisory.severity {
        write!(out, " severity={}", severity.name()).unwrap();
    }
    for (key, value) in [
        ("published", &advisory.published),
        ("modified", &advisory.modified),
        ("withdrawn", &advisory.withdrawn),
    ] {
        if let Some(value) = value {
            write!(out, " {key}={value}").unwrap();
        }
    }
    for (key, values) in [
        ("alias", &advisory.aliases),
        ("cwe", &advisory.cwes),
        ("ref", &advisory.references),
    ] {
        for value in values {
            write!(out, " {key}={value}").unwrap();
        }
    }
    for cvss in &advisory.cvss {
        write!(out, " cvss={}/{}/{}", cvss.source, cvss.score, cvss.vector).unwrap();
    }
    out.push('\n');
    for (label, text) in [
        ("title", &advisory.title),
        ("description", &advisory.description),
    ] {
        if !text.is_empty() {
            writeln!(out, "  {label}: {text}").unwrap();
        }
    }
    for flaw in &advisory.covers {
        write!(out, "  covers {}", flaw.id).unwrap();
        if let Some(severity) = flaw.severity {
            write!(out, " {}", severity.name()).unwrap();
        }
        for cvss in &flaw.cvss {
            write!(out, " cvss={}/{}/{}", cvss.source, cvss.score, cvss.vector).unwrap();
        }
        out.push('\n');
    }
    for row in &advisory.affected {
        render_row(out, row);
    }
}

fn render_row(out: &mut String, row: &Affected) {
    let kind = match row.name_kind {
        NameKind::Source => "source",
        NameKind::Binary => "binary",
    };
    let state = match row.state {
        State::Affected => "affected",
        State::NotAffected => "not-affected",
        State::WontFix => "wont-fix",
        State::UnderInvestigation => "under-investigation",
    };
    write!(out, "  {} {kind} {} {state}", row.ecosystem, row.name).unwrap();
    for range in &row.ranges {
        let from = range.introduced.as_deref().unwrap_or("*");
        let open = if range.introduced_exclusive { ">" } else { "" };
        let upper = match &range.upper {
            Upper::Fixed(version) => format!("fixed {version}"),
            Upper::Before(version) => format!("before {version}"),
            Upper::LastAffected(version) => format!("last {version}"),
            Upper::Open => "open".to_owned(),
        };
        write!(out, " [{open}{from}, {upper}]").unwrap();
    }
    for version in &row.versions {
        write!(out, " ={version}").unwrap();
    }
    for architecture in &row.architectures {
        write!(out, " arch={architecture}").unwrap();
    }
    if let Some(module) = &row.module {
        write!(out, " module={module}").unwrap();
    }
    if let Some(severity) = row.severity {
        write!(out, " severity={}", severity.name()).unwrap();
    }
    out.push('\n');
}
