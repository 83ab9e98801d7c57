//! A file of the tracker:
//!
//! ```text
//! Candidate: CVE-2031-0001
//! PublicDate: 2031-10-11 06:00:00 UTC
//! Description:
//!  Words.
//! Priority: high
//! CVSS:
//!  nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H [9.8 CRITICAL]
//! Patches_curl:
//! jammy_curl: released (7.81.0-1ubuntu1.14)
//! esm-infra/focal_curl: not-affected (code not present)
//! ```

use super::super::document::lines;
use super::super::rejected::Rejected;
use super::super::{FeedFile, Records};
use super::status::{Statuses, Verdict, priority};
use crate::{Advisory, Source, cvss};
use seawall_model::IncompleteReason;

/// Fields with an underscore that are not statuses.
const OTHER_FIELDS: &[&str] = &["Patches", "Tags", "Priority", "Assigned-to"];

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut rejected = Rejected::new(file);
    let mut advisory = Advisory::new("", Source::Ubuntu);
    let mut statuses = Statuses::default();
    let mut priorities = Vec::new();
    let mut field = String::new();
    for (number, (offset, line)) in lines(file.bytes).enumerate() {
        let line = String::from_utf8_lossy(line);
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            read_continuation(&field, line.trim(), &mut advisory);
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            let message = format!("line {}: neither a field nor its text", number + 1);
            rejected.push(IncompleteReason::Corrupt, Some(offset), message);
            continue;
        };
        let value = value.trim();
        key.clone_into(&mut field);
        match key.split_once('_') {
            None => read_field(key, value, &mut advisory),
            Some(("Priority", package)) => {
                priorities.push((package.to_owned(), value.to_owned()));
            }
            Some((other, _)) if OTHER_FIELDS.contains(&other) => {}
            Some((release, package)) => {
                let (status, detail) = value.split_once(' ').unwrap_or((value, ""));
                let detail = detail.trim().trim_start_matches('(').trim_end_matches(')');
                match Verdict::parse(status, detail) {
                    Ok(verdict) => statuses.add(package, release, verdict),
                    // Of upstream's versions not all are numbers, and none is used.
                    Err(_) if release == "upstream" => {}
                    Err(error) => {
                        let message = format!("line {}: {key}: {error}", number + 1);
                        rejected.push(IncompleteReason::Corrupt, Some(offset), message);
                    }
                }
            }
        }
    }
    for (package, word) in priorities {
        // `Priority_linux` or `Priority_linux_focal`.
        let (package, codename) = match package.split_once('_') {
            Some((package, codename)) => (package, Some(codename)),
            None => (package.as_str(), None),
        };
        if let Some(severity) = priority(word.split(' ').next().unwrap_or_default()) {
            statuses.rate(package, codename, severity);
        }
    }
    advisory.affected = statuses.rows(&mut rejected, records);
    if !advisory.affected.is_empty() && !advisory.id.is_empty() {
        let page = format!("https://ubuntu.com/security/{}", advisory.id);
        advisory.references.insert(0, page);
        records.advisories.push(advisory);
    }
    rejected.finish(records);
}

fn read_field(key: &str, value: &str, advisory: &mut Advisory) {
    match key {
        "Candidate" => value.clone_into(&mut advisory.id),
        "PublicDate" => {
            let date = value.split(' ').next().unwrap_or_default();
            advisory.published = date
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| date.to_owned());
        }
        "Priority" => {
            advisory.severity = priority(value.split(' ').next().unwrap_or_default());
        }
        _ => {}
    }
}

fn read_continuation(field: &str, text: &str, advisory: &mut Advisory) {
    match field {
        "Description" => {
            if !advisory.description.is_empty() {
                advisory.description.push(' ');
            }
            advisory.description.push_str(text);
        }
        "References" if text.starts_with("http") => advisory.references.push(text.to_owned()),
        "CVSS" => {
            if let Some((source, score)) = text.split_once(':') {
                let vector = score.split_whitespace().next().unwrap_or_default();
                advisory.cvss.extend(cvss::parse(vector, source.trim()));
            }
        }
        _ => {}
    }
}
