//! The user's own advisories in YAML: flaws of in-house packages, and verdicts that overrule the
//! public feeds. The form is described in `docs/advisories.md`.
//!
//! A key that is not known, or a value of the wrong kind, refuses the whole file, so that a
//! misspelt key is never silently without effect. A value that cannot be used refuses its advisory.

mod package;

use super::{FeedFile, Importer, Records, document, text};
use crate::{Advisory, Source};
use package::Package;
use seawall_model::{Incomplete, IncompleteReason, Severity};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::HashSet;

/// Reads the user's own advisories.
#[derive(Debug, Clone, Copy)]
pub struct User;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    advisories: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    #[serde(default)]
    aliases: Vec<String>,
    title: String,
    #[serde(default)]
    description: String,
    severity: Option<Spanned<String>>,
    cvss: Option<Spanned<String>>,
    published: Option<Spanned<String>>,
    modified: Option<Spanned<String>>,
    withdrawn: Option<Spanned<String>>,
    #[serde(default)]
    references: Vec<String>,
    packages: Vec<Spanned<Package>>,
}

/// A value that cannot be used.
#[derive(Debug)]
struct Refused {
    line: u64,
    key: &'static str,
    message: String,
    hint: &'static str,
}

impl Refused {
    fn new<T>(
        value: &Spanned<T>,
        key: &'static str,
        message: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self::at(value.referenced.line(), key, message, hint)
    }

    fn at(line: u64, key: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self {
            line,
            key,
            message: message.into(),
            hint,
        }
    }
}

impl Importer for User {
    fn name(&self) -> &'static str {
        "user"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        // Wolfi's and Chainguard's own YAML files have this key too, beside a schema version.
        document::has_yaml_keys(file, &["advisories"])
            && !document::has_yaml_keys(file, &["schema-version"])
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let parsed: File = match document::yaml(file) {
            Ok(parsed) => parsed,
            Err(error) => {
                let hint = "correct the key or value, then build again; docs/advisories.md lists \
                            the keys with an example";
                return records.incomplete.push(error.hint(hint));
            }
        };
        let mut ids = HashSet::new();
        for entry in parsed.advisories {
            let advisory = if ids.insert(entry.id.value.clone()) {
                advisory(entry)
            } else {
                let hint = "give every advisory an id of its own";
                Err(Refused::new(&entry.id, "id", "the id is used twice", hint))
            };
            match advisory {
                Ok(advisory) => records.advisories.push(advisory),
                Err(refused) => records.incomplete.push(incomplete(file, &refused)),
            }
        }
    }
}

fn incomplete(file: &FeedFile<'_>, refused: &Refused) -> Incomplete {
    let message = format!(
        "line {}, {}: {}",
        refused.line, refused.key, refused.message
    );
    Incomplete::new(IncompleteReason::Corrupt, file.name, message).hint(refused.hint)
}

fn advisory(entry: Entry) -> Result<Advisory, Refused> {
    if entry.id.value.trim().is_empty() {
        let hint = "name the advisory, for example ACME-2024-7";
        return Err(Refused::new(&entry.id, "id", "the id is empty", hint));
    }
    let mut advisory = Advisory::new(entry.id.value.trim(), Source::User);
    advisory.aliases = entry.aliases;
    advisory.title = text::title(Some(&entry.title), None);
    advisory.description = entry.description.trim().to_owned();
    advisory.severity = entry.severity.as_ref().map(severity).transpose()?;
    if let Some(vector) = &entry.cvss {
        let cvss = crate::cvss::parse(&vector.value, Source::User.name()).ok_or_else(|| {
            let message = format!("'{}' is no CVSS vector with all base metrics", vector.value);
            let hint = "write it as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
            Refused::new(vector, "cvss", message, hint)
        })?;
        advisory.cvss.push(cvss);
    }
    advisory.published = date(entry.published.as_ref(), "published")?;
    advisory.modified = date(entry.modified.as_ref(), "modified")?;
    advisory.withdrawn = date(entry.withdrawn.as_ref(), "withdrawn")?;
    advisory.references = entry.references;
    if entry.packages.is_empty() {
        let message = "the advisory names no package";
        let hint = "add at least one entry with purl, or with ecosystem and name";
        return Err(Refused::new(&entry.id, "packages", message, hint));
    }
    for package in entry.packages {
        let line = package.referenced.line();
        advisory.affected.push(package.value.affected(line)?);
    }
    Ok(advisory)
}

fn severity(word: &Spanned<String>) -> Result<Severity, Refused> {
    Severity::from_word(&word.value).ok_or_else(|| {
        let message = format!("'{}' is no rating", word.value);
        let hint = "use critical, high, medium, low or negligible";
        Refused::new(word, "severity", message, hint)
    })
}

fn date(value: Option<&Spanned<String>>, key: &'static str) -> Result<Option<String>, Refused> {
    let Some(value) = value else { return Ok(None) };
    let date = text::date(&value.value).ok_or_else(|| {
        let message = format!("'{}' is no date", value.value);
        Refused::new(value, key, message, "write it as 2024-05-31")
    })?;
    Ok(Some(date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Upper;
    use crate::importers::testing;

    #[test]
    fn samples_become_the_expected_records() {
        for sample in ["own.yaml", "mistakes.yaml"] {
            testing::check(&User, "user", sample, sample);
        }
        testing::survives_damage(&User, "user", "own.yaml", "own.yaml");
    }

    #[test]
    fn a_misspelt_key_refuses_the_file_with_its_line() {
        let text = "advisories:\n  - id: A-1\n    titel: x\n    packages: []\n";
        let records = testing::import_bytes(&User, "own.yaml", text.as_bytes());
        let message = records.incomplete.first().unwrap().to_string();
        assert!(
            message.contains("titel") && message.contains("line 3"),
            "{message}"
        );
        assert!(records.advisories.is_empty());
    }

    /// The example in the documentation is read without complaint.
    #[test]
    fn the_documented_example_holds() {
        let page = include_str!("../../../../../docs/advisories.md");
        let (_, rest) = page.split_once("```yaml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let records = testing::import_bytes(&User, "own.yaml", example.as_bytes());
        assert_eq!(records.incomplete, []);
        assert_eq!(records.advisories.len(), 1);
    }

    #[test]
    fn versions_of_distributions_with_a_tilde_or_caret_were_refused() {
        for (ecosystem, version) in [
            ("debian:12", "3.0.11-1~deb12u2"),
            ("fedora:40", "1.0^git1~2-1.fc40"),
        ] {
            let text = format!(
                "advisories:\n  - id: A-1\n    title: x\n    packages:\n      \
                 - {{ecosystem: '{ecosystem}', name: openssl, fixed: {version}}}\n      \
                 - {{ecosystem: '{ecosystem}', name: openssl, affected: '< {version}'}}\n"
            );
            let records = testing::import_bytes(&User, "own.yaml", text.as_bytes());
            assert_eq!(records.incomplete, []);
            let rows = &records.advisories[0].affected;
            assert_eq!(rows[0].ranges[0].upper, Upper::Fixed(version.to_owned()));
            assert_eq!(rows[1].ranges[0].upper, Upper::Before(version.to_owned()));
        }
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..20 {
            let list = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        text.push_str("advisories: *a19\n");
        let records = testing::import_bytes(&User, "own.yaml", text.as_bytes());
        assert_eq!((records.advisories.len(), records.incomplete.len()), (0, 1));
    }
}
