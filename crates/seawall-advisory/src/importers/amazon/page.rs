//! A bulletin's page. What is read of it stands between fixed words; the rest may be any HTML.

use super::super::document::corrupt;
use super::super::flaws::drop_repeated;
use super::super::rejected::Rejected;
use super::super::rpm_rows::{Key, RpmRows, Verdict, is_debug_package};
use super::super::{FeedFile, Records};
use super::{ecosystem, keep, link};
use crate::{Advisory, CoveredFlaw, Source};
use seawall_model::Severity;

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let text = String::from_utf8_lossy(file.bytes);
    let id = between(&text, "<title>", "</title>").map(str::trim);
    let Some(id) = id.filter(|id| id.starts_with("ALAS")) else {
        let message = "a page of Amazon's bulletins without the bulletin's name";
        return records.incomplete.push(corrupt(file, message));
    };
    let mut advisory = Advisory::new(id, Source::Amazon);
    advisory.published = date(&text, "Advisory Release Date:");
    advisory.modified = date(&text, "Advisory Updated Date:");
    advisory.severity = between(&text, "Severity:", "</div>")
        .map(plain)
        .and_then(|words| Severity::from_word(words.split_whitespace().last()?));
    let overview = between(&text, "Issue Overview:", "</div>").map(plain);
    advisory.description = overview.unwrap_or_default();
    advisory.references = vec![link(id)];
    let listed = between(&text, "References:", "</div>").unwrap_or_default();
    let mut cves: Vec<_> = listed.split("CVE-").skip(1).filter_map(cve).collect();
    drop_repeated(&mut cves);
    advisory.covers = cves.into_iter().map(CoveredFlaw::new).collect();
    let Some(packages) = between(&text, "New Packages:", "</pre>") else {
        let message = format!("{id} lists no packages, or the page ends before them");
        return records.incomplete.push(corrupt(file, message));
    };
    let mut rows = RpmRows::default();
    let mut rejected = Rejected::new(file);
    for package in packages.split("<br") {
        let package = package.rsplit('>').next().unwrap_or_default();
        let package = package.replace("&nbsp;", " ");
        let package = package.trim();
        if package.is_empty() || package.ends_with(':') {
            continue;
        }
        let Some((name, version, architecture)) = split_file_name(package) else {
            let message = format!("{id}: '{package}' is no package");
            rejected.report(corrupt(file, message));
            continue;
        };
        if architecture == "src" || is_debug_package(name) {
            continue;
        }
        match ecosystem(version) {
            Some(ecosystem) => {
                let verdict = Verdict::Fixed(version.to_owned());
                rows.add(Key::binary(ecosystem, name), verdict, Some(architecture));
            }
            None => {
                let message = format!("{id}: of which release is '{package}'?");
                rejected.report(corrupt(file, message));
            }
        }
    }
    rejected.finish(records);
    advisory.affected = rows.finish();
    keep(advisory, records);
}

/// What stands between two words, the first time.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// Text without its tags, words apart by one space.
fn plain(html: &str) -> String {
    let pieces = html.split('<').enumerate();
    let text: Vec<&str> = pieces
        .flat_map(|(position, piece)| {
            let text = match position {
                0 => piece,
                _ => piece.split_once('>').map_or("", |(_, text)| text),
            };
            text.split_whitespace()
        })
        .collect();
    text.join(" ")
}

fn date(text: &str, label: &str) -> Option<String> {
    let words = between(text, label, "<br").map(plain)?;
    let date = words.split(' ').next()?;
    (date.len() == 10).then(|| date.to_owned())
}

/// `2022-3787.html' ...` as `CVE-2022-3787`.
fn cve(rest: &str) -> Option<String> {
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-')?;
    let number = rest.get(..end)?;
    number.contains('-').then(|| format!("CVE-{number}"))
}

/// `kernel-4.9.76-38.79.amzn2.x86_64` as name, version with release, and architecture.
fn split_file_name(package: &str) -> Option<(&str, &str, &str)> {
    let (rest, architecture) = package.rsplit_once('.')?;
    let release = rest.rfind('-')?;
    let version = rest.get(..release)?.rfind('-')?;
    let name = rest.get(..version).filter(|name| !name.is_empty())?;
    Some((name, rest.get(version + 1..)?, architecture))
}
