//! What is held back, by what, and why: ignore files, VEX statements, trusted images.
//!
//! Nothing is dropped: a finding that a policy holds back stays in the report with its
//! [`Status`](seawall_model::Status) and [`Suppression`](seawall_model::Suppression). The gate (`seawall_model::Gate`) counts only what is left.
//! `docs/policy.md` explains the files to users.

mod glob;
mod ignore;
mod trusted;
mod vex;

use jiff::civil::Date;
use seawall_artifact::Claims;
use seawall_model::{Finding, Inventory, Status};
use std::collections::BTreeSet;
use trusted::Reach;

/// Largest policy file that is read, in bytes: vendors' CSAF files go up to some ten megabytes. A
/// caller needs to read no more than one byte beyond it for such a file to be refused.
pub const MAX_BYTES: usize = 256 << 20;

/// Why an image is not known by its digest or a chain id.
const UNVERIFIED: &str = "the image says that it is this one, but its layers are others, or were \
                          not compared, as `seawall scan image` with this file does";

/// Everything that may hold findings back.
#[derive(Debug, Default)]
pub struct Policy {
    rules: Vec<ignore::Rule>,
    statements: Vec<vex::Statement>,
    trusted: Vec<trusted::Entry>,
    notices: Vec<String>,
}

/// Why a policy file was refused. Nothing of such a file is applied: half a policy would let
/// through or hold back what nobody decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", line.map_or(String::new(), |line| format!(":{line}")))]
pub struct PolicyError {
    /// The file's name, as given.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl Policy {
    /// Adds an ignore file: our own YAML, `.trivyignore` as text or YAML, or the `ignore` rules of a
    /// grype configuration. `name` is what reports call it.
    ///
    /// # Errors
    /// The file is none of these, or has a key, date or pattern that means nothing.
    pub fn add_ignore_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), PolicyError> {
        self.rules.extend(ignore::parse(name, text(name, bytes)?)?);
        Ok(())
    }

    /// Adds a VEX document: OpenVEX, CycloneDX or CSAF, in JSON.
    ///
    /// # Errors
    /// The file is none of these, or damaged.
    pub fn add_vex(&mut self, name: &str, bytes: &[u8]) -> Result<(), PolicyError> {
        let document = vex::parse(name, text(name, bytes)?)?;
        self.statements.extend(document.statements);
        self.notices.extend(document.notices);
        Ok(())
    }

    /// Adds a list of trusted images.
    ///
    /// # Errors
    /// The file is no such list, or has a key, date or pattern that means nothing.
    pub fn add_trusted_images(&mut self, name: &str, bytes: &[u8]) -> Result<(), PolicyError> {
        self.trusted
            .extend(trusted::parse(name, text(name, bytes)?)?);
        Ok(())
    }

    /// The digests by which it knows images: whoever reads an image that claims one must compare
    /// that with its bytes, or nothing here applies to it.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let mut claims = Claims::default();
        for entry in &self.trusted {
            entry.add_claims(&mut claims);
        }
        for statement in &self.statements {
            claims
                .digests
                .extend(statement.image_digests().map(str::to_owned));
        }
        claims
    }

    /// Sets the status of every finding: VEX statements first, as they say what is the case, then
    /// ignore rules, then trusted images. Returns what the user should be told: rules that expired
    /// by `today`, statements that could not be applied, trust in what an image only claims to be.
    pub fn apply(
        &self,
        inventory: &Inventory,
        findings: &mut [Finding],
        today: Date,
    ) -> Vec<String> {
        let distro = inventory.distro.as_ref();
        let purls: Vec<String> = inventory.packages.iter().map(|p| p.purl(distro)).collect();
        vex::apply(&self.statements, inventory, &purls, findings);
        let trusted = self.trusted.iter().filter(|entry| entry.holds(today));
        let trusted: Vec<_> = trusted
            .map(|entry| (entry, entry.reach(inventory)))
            .collect();
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.status.counts())
        {
            let place = finding.package.0 as usize;
            let (Some(package), Some(purl)) = (inventory.packages.get(place), purls.get(place))
            else {
                continue;
            };
            let suppression = self
                .rules
                .iter()
                .find(|rule| rule.holds(today) && rule.matches(finding, package, purl))
                .map(ignore::Rule::suppression)
                .or_else(|| {
                    trusted
                        .iter()
                        .find(|(entry, reach)| entry.matches(*reach, finding, package))
                        .map(|(entry, _)| entry.suppression())
                });
            if let Some(suppression) = suppression {
                finding.status = Status::Ignored;
                finding.suppression = Some(suppression);
            }
        }
        let mut notices = self.notices(today);
        notices.extend(trusted.iter().filter_map(|(entry, reach)| match reach {
            Reach::Claimed(why) => Some(entry.not_trusted(why)),
            Reach::None | Reach::Layers(_) | Reach::All => None,
        }));
        let named = self
            .statements
            .iter()
            .flat_map(vex::Statement::image_digests);
        let claimed: BTreeSet<&str> = named
            .filter(|digest| inventory.claims_digest(digest) && !inventory.has_digest(digest))
            .collect();
        notices.extend(
            claimed
                .iter()
                .map(|digest| format!("VEX statements for {digest} are not applied: {UNVERIFIED}")),
        );
        notices
    }

    fn notices(&self, today: Date) -> Vec<String> {
        let expired_rules = self.rules.iter().filter(|rule| !rule.holds(today));
        let expired_trust = self.trusted.iter().filter(|entry| !entry.holds(today));
        self.notices
            .iter()
            .cloned()
            .chain(expired_rules.map(ignore::Rule::expired))
            .chain(expired_trust.map(trusted::Entry::expired))
            .collect()
    }
}

fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, PolicyError> {
    let refuse = |line, message: String, hint| PolicyError {
        file: name.to_owned(),
        line,
        message,
        hint,
    };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes");
        return Err(refuse(None, message, "split it into several files"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        refuse(
            Some(line),
            "the file is not UTF-8".to_owned(),
            "save it in UTF-8",
        )
    })?;
    Ok(text.trim_start_matches('\u{feff}'))
}

/// A day in a policy file, `YYYY-MM-DD`.
fn day(file: &str, line: Option<u64>, text: &str) -> Result<Date, PolicyError> {
    // A timestamp's day is enough: rules hold for whole days.
    let day = text.get(..10).unwrap_or(text);
    day.parse().map_err(|_| PolicyError {
        file: file.to_owned(),
        line,
        message: format!("`{text}` is not a day"),
        hint: "write days as YYYY-MM-DD",
    })
}

/// Reads one YAML document with the limits of the reader and no unknown keys.
fn yaml<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
    hint: &'static str,
) -> Result<T, PolicyError> {
    serde_saphyr::from_str(text).map_err(|error| PolicyError {
        file: file.to_owned(),
        line: error.location().map(|location| location.line()),
        message: without_place(&error.without_snippet().to_string()),
        hint,
    })
}

/// What a parser says, without the place, which stands in [`PolicyError::line`], and without what it
/// advises programmers.
fn without_place(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let said = line.split_once(" at line ").map_or(line, |(said, _)| said);
    let said = said.split_once(", set ").map_or(said, |(said, _)| said);
    said.to_owned()
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
