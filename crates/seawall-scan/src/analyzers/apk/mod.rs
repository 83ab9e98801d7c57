//! Alpine, Wolfi and other apk packages.
//!
//! Format: the "installed database" of apk-tools (apk-package(5), "Installed database"): a letter,
//! a colon and the value on each line, a blank line after each package.

use super::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Incomplete, IncompleteReason, Package, PackageType, SourcePackage};

/// Reads apk's database.
pub struct Apk;

impl Analyzer for Apk {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Path("lib/apk/db/installed"),
            Pattern::Path("usr/lib/apk/db/installed"),
        ]
    }

    fn is_database(&self, _path: &str) -> bool {
        true
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let bytes = file.content.read_all()?;
        let text = String::from_utf8_lossy(&bytes);
        parse_installed(file.path, &text, found);
        document::check_end(&text)
    }
}

#[derive(Default)]
struct Record<'a> {
    offset: usize,
    name: &'a str,
    version: &'a str,
    architecture: Option<&'a str>,
    origin: Option<&'a str>,
    license: Option<&'a str>,
    maintainer: Option<&'a str>,
    commit: Option<&'a str>,
    any: bool,
}

fn parse_installed(path: &str, text: &str, found: &mut Found) {
    let mut offset = 0;
    let mut record = Record::default();
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        if content.is_empty() {
            let lines = text.get(record.offset..offset).unwrap_or_default();
            finish(std::mem::take(&mut record), lines, path, found);
            record.offset = offset + line.len();
        } else {
            read_line(&mut record, content);
        }
        offset += line.len();
    }
    let lines = text.get(record.offset..).unwrap_or_default();
    finish(record, lines, path, found);
}

/// The files of a record: `F:` names a directory, `R:` a file in it.
fn files(lines: &str) -> impl Iterator<Item = String> {
    let mut directory = "";
    lines
        .lines()
        .filter_map(move |line| match line.split_once(':') {
            Some(("F", value)) => {
                directory = value;
                None
            }
            Some(("R", value)) if directory.is_empty() => Some(value.to_owned()),
            Some(("R", value)) => Some(format!("{directory}/{value}")),
            _ => None,
        })
}

fn read_line<'a>(record: &mut Record<'a>, line: &'a str) {
    record.any = true;
    // Letters of either case are different fields.
    match line.split_once(':') {
        Some(("P", value)) => record.name = value,
        Some(("V", value)) => record.version = value,
        Some(("A", value)) => record.architecture = Some(value),
        Some(("o", value)) => record.origin = Some(value),
        Some(("L", value)) => record.license = Some(value),
        Some(("m", value)) => record.maintainer = Some(value),
        Some(("c", value)) => record.commit = Some(value),
        _ => {}
    }
}

fn finish(record: Record<'_>, lines: &str, path: &str, found: &mut Found) {
    if !record.any {
        return;
    }
    if record.name.is_empty() || record.version.is_empty() {
        found.note(
            Incomplete::new(
                IncompleteReason::Corrupt,
                format!("/{path}"),
                "apk: a package without name or version",
            )
            .at(record.offset as u64),
        );
        return;
    }
    let mut package = Package::new(
        PackageType::Apk,
        record.name,
        record.version,
        Evidence::Database,
    );
    package.architecture = record.architecture.map(str::to_owned);
    package.vendor = record.maintainer.map(str::to_owned);
    package.licenses = record.license.map(str::to_owned).into_iter().collect();
    package.source = Some(SourcePackage {
        name: record.origin.unwrap_or(record.name).to_owned(),
        version: record.version.to_owned(),
    });
    found.add(package);
    // The build tools of Alpine and Wolfi say from which recipe in which commit a package was built;
    // tools that pack a vendor's program do not, and no distribution speaks for its files.
    let is_stated = |field: Option<&str>| field.is_some_and(|value| !value.is_empty());
    if is_stated(record.origin) && is_stated(record.commit) {
        found.own(record.name, files(lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::OwnedFiles;
    use crate::analyzers::testing::analyze;

    const INSTALLED: &str = include_str!("fixtures/installed");

    fn parse(text: &str) -> Found {
        let mut found = Found::default();
        parse_installed("lib/apk/db/installed", text, &mut found);
        found
    }

    #[test]
    fn packages_have_origin_and_files() {
        let found = parse(INSTALLED);
        let packages: Vec<String> = found
            .packages
            .iter()
            .map(|p| {
                let source = &p.source.as_ref().unwrap().name;
                let architecture = p.architecture.as_deref().unwrap_or("-");
                format!(
                    "{} {} {architecture} {source} {:?}",
                    p.name, p.version, p.licenses
                )
            })
            .collect();
        assert_eq!(
            packages,
            [
                "example-libs 1.2.3-r4 x86_64 example [\"MIT AND Zlib\"]",
                ".build-deps 20240101.120000 noarch .build-deps []",
            ]
        );
        assert_eq!(
            found.owned,
            [OwnedFiles {
                package: "example-libs".to_owned(),
                paths: vec!["toplevel".to_owned(), "usr/lib/libexample.so.1".to_owned()],
            }]
        );
        assert!(found.incomplete.is_empty());
    }

    #[test]
    fn the_files_of_a_package_that_no_distribution_built_were_counted_to_it() {
        let files = "F:usr/bin\nR:terraform\n";
        for (built, expected) in [
            ("", 0),
            ("o:x\n", 0),
            ("o:x\nc:\n", 0),
            ("c:0123\n", 0),
            ("o:x\nc:0123\n", 1),
        ] {
            let found = parse(&format!("P:x\nV:1\n{built}{files}\n"));
            assert_eq!(found.packages.len(), 1);
            assert_eq!(found.owned.len(), expected, "{built}");
        }
    }

    #[test]
    fn a_package_without_version_is_reported_where_it_stands() {
        let found = parse("P:a\nV:1\n\nP:b\n\nP:c\nV:2\n");
        assert_eq!(found.packages.len(), 2);
        assert_eq!(found.incomplete.len(), 1);
        assert_eq!(found.incomplete[0].offset, Some(9));
    }

    #[test]
    fn a_database_cut_off_in_a_line_looked_whole() {
        let (found, result) = analyze(&Apk, "lib/apk/db/installed", b"P:a\nV:1.2\n\nP:b\nV:1.");
        assert_eq!(found.packages.len(), 2);
        let error = result.unwrap_err();
        assert_eq!(error.reason, IncompleteReason::Truncated);
        assert_eq!(error.offset, Some(19));
    }

    #[test]
    fn every_truncation_is_survived() {
        for end in 0..INSTALLED.len() {
            parse(&String::from_utf8_lossy(&INSTALLED.as_bytes()[..end]));
        }
    }
}
