//! rpm packages: the package manager's database in each of its three formats, and the manifest
//! that images without a database keep.
//!
//! The databases are read by small readers of our own, in safe code: they only ever walk one
//! table, and must do so over bytes that anybody may have written.

mod bdb;
mod bytes;
mod header;
mod ndb;
mod sqlite;

use super::{AnalyzeError, Analyzer, File, Found, Pattern};
use crate::purl::source_rpm;
use header::Header;
use seawall_model::{Evidence, Incomplete, IncompleteReason, Package, PackageType, SourcePackage};

/// Reads rpm's database.
pub struct Rpm;

impl Analyzer for Rpm {
    fn name(&self) -> &'static str {
        "rpm"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Path("var/lib/rpm/Packages"),
            Pattern::Path("var/lib/rpm/Packages.db"),
            Pattern::Path("var/lib/rpm/rpmdb.sqlite"),
            Pattern::Path("var/lib/rpm/rpmdb.sqlite-wal"),
            Pattern::Path("usr/lib/sysimage/rpm/Packages"),
            Pattern::Path("usr/lib/sysimage/rpm/Packages.db"),
            Pattern::Path("usr/lib/sysimage/rpm/rpmdb.sqlite"),
            Pattern::Path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"),
            // Where rpm-ostree keeps it.
            Pattern::Path("usr/share/rpm/Packages"),
            Pattern::Path("usr/share/rpm/Packages.db"),
            Pattern::Path("usr/share/rpm/rpmdb.sqlite"),
            Pattern::Path("usr/share/rpm/rpmdb.sqlite-wal"),
            Pattern::Path("var/lib/rpmmanifest/container-manifest-2"),
        ]
    }

    fn max_bytes(&self) -> u64 {
        512 << 20
    }

    fn memory_per_byte(&self) -> u64 {
        1
    }

    fn is_database(&self, _path: &str) -> bool {
        true
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if file.path.ends_with("-wal") {
            found.note(unread_journal(file.path));
            return Ok(());
        }
        let content = file.content.read_all()?;
        if file.path.ends_with("container-manifest-2") {
            parse_manifest(&String::from_utf8_lossy(&content), found);
            return Ok(());
        }
        parse_database(file.path, &content, found)
    }
}

/// SQLite's write-ahead log holds what is not in the database file yet.
fn unread_journal(path: &str) -> Incomplete {
    Incomplete::new(
        IncompleteReason::Unsupported,
        format!("/{path}"),
        "rpm: the last changes to the database may be in this journal, which is not read",
    )
    .hint("run `rpm --rebuilddb` as the last command that installs packages")
}

/// What is wrong with a database or a package in it.
#[derive(Debug, PartialEq, Eq)]
struct Damage {
    offset: u64,
    message: String,
}

impl Damage {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset: offset as u64,
            message: message.into(),
        }
    }
}

/// Takes the header of one package and where it begins in the database, or what is wrong with it.
type Sink<'a> = dyn FnMut(usize, Result<&[u8], Damage>) + 'a;

/// The packages of a database, whatever its format. `path` is for messages.
///
/// # Errors
/// It is in none of the three formats, or its structure is damaged; what was read before that is
/// in `found`.
pub fn parse_database(path: &str, bytes: &[u8], found: &mut Found) -> Result<(), AnalyzeError> {
    let read = match bytes {
        bytes if sqlite::is_sqlite(bytes) => sqlite::read_packages,
        bytes if ndb::is_ndb(bytes) => ndb::read_packages,
        bytes if bdb::is_bdb_hash(bytes) => bdb::read_packages,
        _ => {
            return Err(AnalyzeError::corrupt(
                "this is neither an SQLite, an ndb nor a Berkeley DB hash database",
            )
            .at(0));
        }
    };
    let mut sink = |at: usize, blob: Result<&[u8], Damage>| {
        let result = blob
            .and_then(|blob| add_package(blob, found).map_err(|message| Damage::new(at, message)));
        if let Err(damage) = result {
            let message = format!("rpm: {}", damage.message);
            let place = format!("/{path}");
            let incomplete = Incomplete::new(IncompleteReason::Corrupt, place, message);
            found.note(incomplete.at(damage.offset));
        }
    };
    read(bytes, &mut sink).map_err(|damage| AnalyzeError::corrupt(damage.message).at(damage.offset))
}

/// Adds the package of a header.
///
/// # Errors
/// What is wrong with the header.
fn add_package(blob: &[u8], found: &mut Found) -> Result<(), String> {
    let header = Header::parse(blob)?;
    let missing = |what| format!("a package without {what}");
    let name = header.string(header::NAME).ok_or_else(|| missing("name"))?;
    // Keys of signatures are kept as if they were packages.
    if name == "gpg-pubkey" {
        return Ok(());
    }
    let version = header
        .string(header::VERSION)
        .ok_or_else(|| missing("version"))?;
    let release = header.string(header::RELEASE).unwrap_or_default();
    let epoch = header.integer(header::EPOCH);
    let full_version = evr(epoch, &version, &release);
    let mut package = Package::new(PackageType::Rpm, &name, full_version, Evidence::Database);
    let stated = |tag| header.string(tag).filter(|value| value != "(none)");
    package.architecture = stated(header::ARCHITECTURE);
    package.vendor = stated(header::VENDOR);
    package.module = stated(header::MODULARITY_LABEL);
    package.licenses = stated(header::LICENSE).into_iter().collect();
    package.source = stated(header::SOURCE_RPM).and_then(|file| source_package(&file, epoch));
    found.add(package);
    found.own(&name, header.files());
    Ok(())
}

/// `[epoch:]version[-release]`, an epoch of 0 being the same as none.
fn evr(epoch: Option<u32>, version: &str, release: &str) -> String {
    let mut text = match epoch {
        None | Some(0) => String::new(),
        Some(epoch) => format!("{epoch}:"),
    };
    text.push_str(version);
    if !release.is_empty() {
        text.push('-');
        text.push_str(release);
    }
    text
}

/// The source package by its file's name. It has no epoch there; binaries are built with their
/// source's.
fn source_package(file: &str, epoch: Option<u32>) -> Option<SourcePackage> {
    let mut source = source_rpm(file)?;
    source.version = evr(epoch, &source.version, "");
    Some(source)
}

/// The tab-separated list that Azure Linux's images without a package manager bring along: name,
/// version-release, times of installation and build, vendor, epoch, size, architecture, epoch as a
/// number, source.
pub fn parse_manifest(text: &str, found: &mut Found) {
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [
            name,
            version,
            _,
            _,
            vendor,
            _,
            _,
            architecture,
            epoch,
            source,
            ..,
        ] = fields[..]
        else {
            continue;
        };
        if name == "gpg-pubkey" {
            continue;
        }
        let epoch = epoch.parse().ok();
        let stated = |value: &str| (value != "(none)").then(|| value.to_owned());
        let mut package = Package::new(
            PackageType::Rpm,
            name,
            evr(epoch, version, ""),
            Evidence::Database,
        );
        package.architecture = stated(architecture);
        package.vendor = stated(vendor);
        package.source = source_package(source, epoch);
        found.add(package);
    }
}

#[cfg(test)]
mod tests;
