//! Debian packages: the database of dpkg and what distroless images keep of it.
//!
//! Formats: deb-control(5) and dpkg(1) for `status`, dpkg-query(1) `--control-list` for the
//! `*.list` files, dpkg-divert(1) for `diversions`; `status.d` is written by the rules of
//! distroless images, one paragraph a file with its `*.md5sums` beside it.

mod control;

use super::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use control::Paragraphs;
use seawall_model::{Evidence, Incomplete, IncompleteReason, Package, PackageType, SourcePackage};

/// Reads dpkg's database.
pub struct Dpkg;

impl Analyzer for Dpkg {
    fn name(&self) -> &'static str {
        "dpkg"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Path("var/lib/dpkg/status"),
            Pattern::Directory("var/lib/dpkg/status.d"),
            Pattern::Path("var/lib/dpkg/diversions"),
            // Of the thousands of files in `var/lib/dpkg/info` only these are wanted.
            Pattern::Extension("list"),
        ]
    }

    fn is_database(&self, _path: &str) -> bool {
        true
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let (directory, name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
        match (directory, name.rsplit_once('.')) {
            ("var/lib/dpkg", _) if name == "diversions" => {
                for (package, path) in diversions(&text(file)?) {
                    found.own(package, [path.to_owned()]);
                }
            }
            // The name of a package that can be installed for several architectures ends in one:
            // `libc6:amd64`.
            ("var/lib/dpkg/info", Some((stem, "list"))) => {
                let package = stem.split(':').next().unwrap_or(stem);
                found.own(package, listed(&text(file)?).map(str::to_owned));
            }
            ("var/lib/dpkg/status.d", Some((stem, "md5sums"))) => {
                found.own(stem, summed(&text(file)?).map(str::to_owned));
            }
            ("var/lib/dpkg/status.d", _) => parse_status(file.path, &text(file)?, found),
            ("var/lib/dpkg", _) if name == "status" => {
                let text = text(file)?;
                parse_status(file.path, &text, found);
                document::check_end(&text)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn text(file: &File<'_>) -> Result<String, AnalyzeError> {
    Ok(String::from_utf8_lossy(&file.content.read_all()?).into_owned())
}

/// The packages of a `status` file that are on disk. A paragraph that cannot be understood is
/// reported with its offset, and the others are still read.
fn parse_status(path: &str, text: &str, found: &mut Found) {
    for paragraph in Paragraphs::new(text) {
        let mut note = |message: String, offset: usize| {
            found.note(
                Incomplete::new(IncompleteReason::Corrupt, format!("/{path}"), message)
                    .at(offset as u64),
            );
        };
        let name = paragraph.field("Package");
        let spoken = name.map_or(String::new(), |name| format!(" '{name}'"));
        if let Some(next) = paragraph.runs_into {
            let message = format!("dpkg: no blank line between the package{spoken} and the next");
            note(message, next);
        }
        match paragraph.field("Status").map(is_on_disk) {
            Some(Some(false)) => continue,
            // Better a package too many than one whose flaws nobody hears of.
            Some(None) => note(
                format!("dpkg: the package{spoken} is in no state that dpkg knows"),
                paragraph.offset,
            ),
            Some(Some(true)) | None => {}
        }
        let (Some(name), Some(version)) = (name, paragraph.field("Version")) else {
            let message = "dpkg: an installed package without name or version";
            note(message.to_owned(), paragraph.offset);
            continue;
        };
        let mut package = Package::new(PackageType::Deb, name, version, Evidence::Database);
        package.architecture = paragraph.field("Architecture").map(str::to_owned);
        package.vendor = paragraph.field("Maintainer").map(str::to_owned);
        package.source = Some(source_package(paragraph.field("Source"), name, version));
        found.add(package);
    }
}

/// Whether the files of a package with this `Status` (what is wanted, an error flag, and its state)
/// are unpacked; `None` if the state is none of dpkg(1). `config-files`, `not-installed` and
/// `half-installed` packages have none or only some, and one that is only wanted elsewhere
/// (`deinstall`) may still be there in whole.
fn is_on_disk(status: &str) -> Option<bool> {
    match status.split_ascii_whitespace().nth(2)? {
        "installed" | "unpacked" | "half-configured" | "triggers-awaited" | "triggers-pending" => {
            Some(true)
        }
        "config-files" | "not-installed" | "half-installed" => Some(false),
        _ => None,
    }
}

/// `Source: name (version)`; name and version default to the binary package's own.
fn source_package(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let (source, source_version) = match field {
        None => (name, version),
        Some(field) => match field.split_once('(') {
            None => (field.trim(), version),
            Some((source, rest)) => (source.trim(), rest.trim_end().trim_end_matches(')').trim()),
        },
    };
    SourcePackage {
        name: source.to_owned(),
        version: source_version.to_owned(),
    }
}

/// The paths of a `*.list` file: one absolute path a line, directories among them.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix('/'))
        .filter(|path| !path.is_empty() && *path != ".")
}

/// The paths of lines of `<md5>  <path>`.
fn summed(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.split_once(char::is_whitespace))
        .map(|(_, path)| path.trim_start().trim_start_matches("./"))
}

/// Package and path of each diverted file, which has three lines: where it was, where it is, and
/// the package that took its place. The moved file is in no list under its new name.
fn diversions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let (_, to, package) = (lines.next()?, lines.next()?, lines.next()?);
        Some((package, to.trim_start_matches('/')))
    })
}

#[cfg(test)]
mod tests;
