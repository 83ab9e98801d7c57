//! Alpine's secdb (<https://secdb.alpinelinux.org>), in JSON and in its older YAML, and the same
//! form as published by Wolfi, Chainguard and MinimOS.
//!
//! It lists, for each package that an APKBUILD makes its own name of (the *origin*, so
//! [`NameKind::Source`]), the versions that mend flaws. Version `0` means that no version was
//! ever affected.

mod secdb;

use super::document::{contains, corrupt, head};
use super::flaws::FlawTable;
use super::rejected::Rejected;
use super::{FeedFile, Importer, Records};
use crate::{Affected, NameKind, Source, State, Upper};
use seawall_model::{DistroFamily, Ecosystem};
use secdb::Secdb;

/// Reader of secdb files.
pub(super) struct Alpine;

impl Importer for Alpine {
    fn name(&self) -> &'static str {
        "alpine"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        // The header comes first in YAML. In JSON the keys may come in any order, but `apkurl`,
        // which only this format has, begins both.
        let head = head(file, 2048);
        contains(head, "apkurl") && contains(head, "pkg.name") && contains(head, "reponame")
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        let mut rejected = Rejected::new(file);
        let secdb = secdb::parse(file, &mut rejected);
        read(file, secdb, &mut rejected, records);
        rejected.finish(records);
    }
}

fn read(file: &FeedFile<'_>, secdb: Secdb, rejected: &mut Rejected<'_>, records: &mut Records) {
    if secdb.packages.is_empty() {
        // Nothing to say, or nothing could be read, which was reported.
        return;
    }
    let Some((ecosystem, source)) = ecosystem(&secdb) else {
        let message = "secdb of a distribution that is not known: neither a distroversion nor a \
                       urlprefix of Wolfi, Chainguard or MinimOS";
        return rejected.report(corrupt(file, message));
    };
    let mut flaws = FlawTable::new(source);
    for pkg in secdb.packages {
        for (version, fixes) in pkg.secfixes.unwrap_or_default() {
            for fix in fixes.unwrap_or_default().into_iter().flatten() {
                let named = flaw_names(&fix);
                if named.is_empty() {
                    let message = format!("'{fix}' of package '{}' names no flaw", pkg.name);
                    rejected.report(corrupt(file, message));
                }
                for (id, aliases) in named {
                    let advisory = flaws.entry(&id);
                    advisory.aliases.extend(aliases);
                    let row = row(&ecosystem, &pkg.name, &version);
                    advisory.affected.push(row);
                }
            }
        }
    }
    flaws.finish(records);
}

fn row(ecosystem: &Ecosystem, package: &str, version: &str) -> Affected {
    let state = match version {
        "0" => State::NotAffected,
        _ => State::Affected,
    };
    let row = Affected::new(ecosystem.clone(), package, NameKind::Source, state);
    match state {
        State::NotAffected => row,
        _ => row.until(Upper::Fixed(version.to_owned())),
    }
}

/// Alpine says which release it is; the others roll, and are told apart by where they publish.
fn ecosystem(secdb: &Secdb) -> Option<(Ecosystem, Source)> {
    let prefix = secdb.urlprefix.as_deref().unwrap_or_default();
    let family = match secdb.distroversion.as_deref() {
        Some(version) if !version.is_empty() => {
            let family = DistroFamily::Alpine;
            let release = family.normalize_release(version);
            return Some((Ecosystem::Distro { family, release }, Source::Alpine));
        }
        _ if prefix.contains("wolfi") => DistroFamily::Wolfi,
        _ if prefix.contains("cgr.dev") || prefix.contains("chainguard") => {
            DistroFamily::Chainguard
        }
        _ if prefix.contains("mini.dev") || prefix.contains("minimos") => DistroFamily::MinimOs,
        _ => match secdb.reponame.as_deref() {
            Some("wolfi") => DistroFamily::Wolfi,
            Some("chainguard") => DistroFamily::Chainguard,
            _ => return None,
        },
    };
    let release = String::new();
    // All of them continue Alpine's format and tools; none has a publisher's name of its own here.
    Some((Ecosystem::Distro { family, release }, Source::Alpine))
}

/// The flaws in a line such as `CVE-2021-3121 GHSA-c3h9-896r-86jm`, each with its other names.
///
/// Several CVEs are several flaws. Bulletins of other projects (`XSA-224`) cover several flaws too,
/// so taking them for aliases would melt these into one. `CVE_2019-2426` and
/// `CVE 2018-16859` are read as they are meant,
/// and words that are no names (`CVE N/A ZBX-11023`, `(+ regression)`) are passed over.
fn flaw_names(text: &str) -> Vec<(String, Vec<String>)> {
    let text = text.replace("CVE 2", "CVE-2");
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'));
    let names = words
        .map(|word| word.replacen("CVE_", "CVE-", 1))
        .map(|word| {
            let word = word.trim_end_matches(".patch");
            word.trim_end_matches(['?', '.', ':']).to_owned()
        })
        .filter(|word| is_name(word));
    let (mut cves, others): (Vec<String>, Vec<String>) =
        names.partition(|name| name.starts_with("CVE-"));
    match (cves.len(), others.first()) {
        (0, Some(first)) => vec![(first.clone(), Vec::new())],
        (1, _) => {
            let aliases = others.into_iter().filter(|name| is_same_flaw(name));
            vec![(cves.remove(0), aliases.collect())]
        }
        _ => cves.into_iter().map(|cve| (cve, Vec::new())).collect(),
    }
}

/// `PREFIX-...` with a digit somewhere behind the dash (`wnpa-sec-2017-18`), or a GHSA name.
fn is_name(word: &str) -> bool {
    let Some((prefix, rest)) = word.split_once('-') else {
        return false;
    };
    prefix.len() >= 2
        && prefix.starts_with(|c: char| c.is_ascii_alphabetic())
        && prefix.chars().all(|c| c.is_ascii_alphanumeric())
        && !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && (prefix == "GHSA" || rest.contains(|c: char| c.is_ascii_digit()))
}

/// Whether names of this kind stand for one flaw each.
fn is_same_flaw(name: &str) -> bool {
    ["GHSA-", "GO-", "RUSTSEC-", "PYSEC-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        ("main.json", "v3.20/main.json"),
        ("community.yaml", "v3.9/community.yaml"),
        ("wolfi.json", "security.json"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&Alpine, "alpine", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&Alpine, "alpine", sample, name);
        }
    }

    #[test]
    fn names_are_found_in_what_maintainers_write() {
        for (text, expected) in [
            ("CVE-2017-2616", "CVE-2017-2616"),
            ("CVE_2019-2426", "CVE-2019-2426"),
            ("CVE-2017-9671?", "CVE-2017-9671"),
            ("CVE-2017-8073.patch", "CVE-2017-8073"),
            ("CVE 2018-16859", "CVE-2018-16859"),
            ("wnpa-sec-2017-18", "wnpa-sec-2017-18"),
            ("CVE-2017-2616 (+ regression fix)", "CVE-2017-2616"),
            ("XSA-216 CVE-2017-10911", "CVE-2017-10911"),
            (
                "CVE-2021-3121 GHSA-c3h9-896r-86jm",
                "CVE-2021-3121=GHSA-c3h9-896r-86jm",
            ),
            ("CVE-2020-1 CVE-2020-2", "CVE-2020-1 CVE-2020-2"),
            ("CVE N/A ZBX-11023", "ZBX-11023"),
            ("GHSA-p782-xgp4-8hr8", "GHSA-p782-xgp4-8hr8"),
            ("regression", ""),
        ] {
            let found: Vec<String> = flaw_names(text)
                .into_iter()
                .map(|(id, aliases)| [vec![id], aliases].concat().join("="))
                .collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
