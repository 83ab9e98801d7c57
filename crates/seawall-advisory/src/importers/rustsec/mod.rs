//! The RustSec advisory database in its own form (<https://github.com/rustsec/advisory-db>): a
//! Markdown file an advisory, with TOML in a fenced block at its top.
//!
//! The `[versions]` table lists what is patched and what never was affected; everything else is
//! affected. `informational` advisories that say a crate is unmaintained are no flaws and are left out,
//! as are those that notice something which has no number as a flaw; unsound code is a flaw. The
//! database's OSV form is read the same way.
//! Advisories on the tool chain (`collection = "rust"`) become programs without a package.

use super::constraint;
use super::{FeedFile, Importer, Records, document, text};
use crate::{Advisory, Affected, NameKind, Source, State};
use seawall_model::{Ecosystem, VersionScheme};
use serde::Deserialize;

/// The longest file, in bytes. Real ones have under 20 KiB.
const MAX_BYTES: usize = 4 << 20;

const FENCE: &str = "```toml";

/// Reads RustSec's own form.
#[derive(Debug, Clone, Copy)]
pub struct RustSec;

#[derive(Deserialize)]
struct Front {
    advisory: Head,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    package: String,
    collection: Option<String>,
    date: Option<String>,
    url: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Deserialize, Default)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

impl Importer for RustSec {
    fn name(&self) -> &'static str {
        "rustsec"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        let head = document::head(file, 64 << 10).trim_ascii_start();
        document::base_name(file).ends_with(".md")
            && head.starts_with(FENCE.as_bytes())
            && document::contains(head, "[advisory]")
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match read(file) {
            Ok(advisory) => records.advisories.extend(advisory),
            Err(message) => records.incomplete.push(document::corrupt(file, message)),
        }
    }
}

/// RustSec also records crates that nobody maintains, and notices; neither is a flaw, unless the notice
/// has the number of one. Unsound code is a flaw.
pub(super) fn is_no_flaw(informational: Option<&str>, aliases: &[String]) -> bool {
    let is_numbered = |alias: &String| ["CVE-", "GHSA-"].iter().any(|it| alias.starts_with(it));
    match informational {
        Some("unmaintained") => true,
        Some("notice") => !aliases.iter().any(is_numbered),
        _ => false,
    }
}

/// `None` for what is no flaw.
fn read(file: &FeedFile<'_>) -> Result<Option<Advisory>, String> {
    if file.bytes.len() > MAX_BYTES {
        return Err(format!("the file is longer than {MAX_BYTES} bytes"));
    }
    let text = String::from_utf8_lossy(file.bytes);
    let (_, rest) = text.split_once(FENCE).ok_or("there is no TOML block")?;
    let (front, body) = rest
        .split_once("\n```")
        .ok_or("the TOML block has no end")?;
    let front: Front = toml::from_str(front)
        .map_err(|error| format!("the TOML block cannot be read: {}", error.message()))?;
    let head = front.advisory;
    if is_no_flaw(head.informational.as_deref(), &head.aliases) {
        return Ok(None);
    }
    // The collection is written in new files and follows from the folder in old ones.
    let in_rust_folder = file.name.split(['/', '!']).any(|part| part == "rust");
    let ecosystem = match head.collection.as_deref() {
        Some("rust") => Ecosystem::Generic,
        None if in_rust_folder => Ecosystem::Generic,
        _ => Ecosystem::CratesIo,
    };
    let scheme = VersionScheme::Cargo;
    let requirements = |list: &[String]| {
        constraint::parse_any(list.iter().map(String::as_str), scheme)
            .map_err(|error| format!("the versions cannot be read: {error}"))
    };
    let patched = requirements(&front.versions.patched)?;
    let unaffected = requirements(&front.versions.unaffected)?;
    let rest = patched.clone().union(&unaffected).complement();
    let mut affected = Affected::new(ecosystem, head.package, NameKind::Binary, State::Affected);
    affected.ranges = rest.ranges_beside(&patched, &unaffected);

    let (title, description) = title_and_text(body);
    let mut advisory = Advisory::new(head.id, Source::RustSec);
    advisory.aliases = head.aliases;
    advisory.title = text::title(title, Some(description));
    advisory.description = description.to_owned();
    advisory.published = head.date.as_deref().and_then(text::date);
    advisory.withdrawn = head.withdrawn.as_deref().and_then(text::date);
    let vector = head.cvss.as_deref();
    let cvss = vector.and_then(|vector| crate::cvss::parse(vector, Source::RustSec.name()));
    advisory.cvss = cvss.into_iter().collect();
    advisory.references = head.url.into_iter().chain(head.references).collect();
    if !affected.ranges.is_empty() {
        advisory.affected.push(affected);
    }
    Ok(Some(advisory))
}

/// The first heading, and what follows it.
fn title_and_text(body: &str) -> (Option<&str>, &str) {
    let body = body.trim();
    match body.strip_prefix("# ") {
        Some(rest) => {
            let (title, text) = rest.split_once('\n').unwrap_or((rest, ""));
            (Some(title), text.trim())
        }
        None => (None, body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;

    const SAMPLES: [(&str, &str); 2] = [
        ("crate.md", "crates/shelf/RUSTSEC-2024-9001.md"),
        ("unmaintained.md", "crates/shelf/RUSTSEC-2024-9002.md"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&RustSec, "rustsec", sample, name);
        }
    }

    #[test]
    fn a_notice_with_the_number_of_a_flaw_was_left_out() {
        let record = |kind: &str, aliases: &str| {
            let text = format!(
                "```toml\n[advisory]\nid = \"RUSTSEC-2024-9003\"\npackage = \"shelf\"\n\
                 date = \"2024-01-01\"\ninformational = \"{kind}\"\naliases = [{aliases}]\n\n\
                 [versions]\npatched = [\">= 1.0.0\"]\n```\n\n# Shelf\n"
            );
            let records = testing::import_bytes(&RustSec, "a.md", text.as_bytes());
            assert!(records.incomplete.is_empty(), "{:?}", records.incomplete);
            records.advisories.len()
        };
        assert_eq!(record("notice", "\"CVE-2024-1\""), 1);
        assert_eq!(record("notice", "\"GHSA-2222-3333-4444\""), 1);
        assert_eq!(record("notice", ""), 0);
        assert_eq!(record("unmaintained", "\"CVE-2024-1\""), 0);
        assert_eq!(record("unsound", ""), 1);
    }

    #[test]
    fn damaged_files_are_reported() {
        testing::survives_damage(&RustSec, "rustsec", "crate.md", "a.md");
        let name = "a.md";
        let records = testing::import_bytes(&RustSec, name, b"```toml\n[advisory]\nid = 7\n```");
        assert_eq!((records.advisories.len(), records.incomplete.len()), (0, 1));
    }
}
