//! Amazon Linux's bulletins (ALAS): `updateinfo.xml` as its repositories publish it, and the pages
//! of <https://alas.aws.amazon.com>. Both name binary packages.
//!
//! The release is told by the packages' versions (`.amzn2`, `.amzn2023.`). Bulletins of extras and
//! live patches are taken like those of the core repository: their packages have names of their
//! own. Pages leave epochs out, so prefer `updateinfo.xml`. The RSS feeds name bulletins without
//! versions; their items are counted as left out.

mod page;
mod updateinfo;

use super::document::{contains, head};
use super::{FeedFile, Importer, Records};
use crate::Advisory;
use seawall_model::{DistroFamily, Ecosystem};

/// Reader of Amazon's bulletins.
pub(super) struct Amazon;

/// How many first bytes tell the forms apart.
const HEAD: usize = 8192;

enum Form {
    UpdateInfo,
    Page,
    Rss,
}

impl Importer for Amazon {
    fn name(&self) -> &'static str {
        "amazon"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        form(file).is_some()
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match form(file) {
            Some(Form::UpdateInfo) => updateinfo::import(file, records),
            Some(Form::Page) => page::import(file, records),
            Some(Form::Rss) => {
                let items = memchr::memmem::find_iter(file.bytes, b"<item>").count();
                let what = "Amazon bulletins in RSS, which names no versions (updateinfo.xml does)";
                records.skip(what, items as u64);
            }
            None => {}
        }
    }
}

fn form(file: &FeedFile<'_>) -> Option<Form> {
    let head = head(file, HEAD);
    let start = head.trim_ascii_start();
    if !start.starts_with(b"<") {
        return None;
    }
    if contains(head, "<updates") && contains(head, "<update ") {
        let amazon = contains(head, "amazon.com") || contains(head, "ALAS");
        return amazon.then_some(Form::UpdateInfo);
    }
    if contains(head, "<rss") {
        let amazon = contains(head, "Amazon Linux") && contains(head, "alas.aws.amazon.com");
        return amazon.then_some(Form::Rss);
    }
    let html = contains(head, "<html") && contains(head, "ALAS");
    html.then_some(Form::Page)
}

/// The release for a package's version: `4.9.76-38.79.amzn2` is of Amazon Linux 2.
fn ecosystem(version: &str) -> Option<Ecosystem> {
    let tag = version
        .rsplit("amzn")
        .next()
        .filter(|tag| *tag != version)?;
    let number: String = tag.chars().take_while(char::is_ascii_digit).collect();
    (!number.is_empty()).then_some(Ecosystem::Distro {
        family: DistroFamily::Amazon,
        release: number,
    })
}

/// The page of a bulletin, by its name: `ALAS2023-2023-126` is below `AL2023/`.
fn link(id: &str) -> String {
    let release = id
        .strip_prefix("ALAS")
        .and_then(|rest| rest.split_once('-'));
    match release {
        Some((release, rest)) if release.starts_with('2') => {
            let digits = if release.starts_with("20") { 4 } else { 1 };
            let (release, extra) = release.split_at_checked(digits).unwrap_or((release, ""));
            format!("https://alas.aws.amazon.com/AL{release}/ALAS{extra}-{rest}.html")
        }
        _ => format!("https://alas.aws.amazon.com/{id}.html"),
    }
}

fn keep(advisory: Advisory, records: &mut Records) {
    if !advisory.affected.is_empty() {
        records.advisories.push(advisory);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        ("updateinfo.xml", "updateinfo.xml"),
        ("page.html", "ALAS-2031-126.html"),
        ("alas.rss", "alas.rss"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&Amazon, "amazon", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&Amazon, "amazon", sample, name);
        }
    }

    #[test]
    fn releases_are_told_by_the_version() {
        for (version, expected) in [
            ("4.9.76-38.79.amzn2", "amazon:2"),
            ("0.8.7-16.amzn2023.0.1", "amazon:2023"),
            ("1.0-1.5.amzn1", "amazon:1"),
            ("1.0-1.el7", ""),
        ] {
            let found = ecosystem(version).map(|ecosystem| ecosystem.to_string());
            assert_eq!(found.unwrap_or_default(), expected, "{version}");
        }
    }
}
