//! One folder per kind of package: code, test and fixtures together.
//!
//! An analyzer sees one file at a time, as it passes in the stream of a layer. What needs several
//! files (installed beside declared, ownership, parent poms) is settled after the layers are
//! merged, in `crate::reconcile`.

mod declared;
mod document;
mod graph;
#[cfg(test)]
mod hostile;
mod licenses;
#[cfg(test)]
mod testing;
pub(crate) mod turn;
mod zip_file;

pub mod apk;
pub mod bitnami;
pub mod dpkg;
pub mod os_release;
pub mod pacman;
pub mod rpm;

pub mod executable;
pub mod golang;
pub mod java;
pub mod javascript;
pub mod program;
pub mod project;
pub mod python;
pub mod rust;

pub mod beam;
pub mod cpp;
pub mod dart;
pub mod dotnet;
pub mod github_actions;
pub mod haskell;
pub mod php;
pub mod r;
pub mod ruby;
pub mod swift;

use seawall_artifact::Content;
use seawall_model::{Distro, Incomplete, IncompleteReason, Package, PackageType};

/// Finds packages in files of one kind.
pub trait Analyzer: Sync {
    /// Name for messages: `dpkg`, `npm-lockfile`.
    fn name(&self) -> &'static str;
    /// The files it wants.
    fn patterns(&self) -> &'static [Pattern];
    /// The largest file it takes, in bytes; a larger one is reported as not read.
    fn max_bytes(&self) -> u64 {
        64 << 20
    }
    /// Whether an empty file says something by its path.
    fn takes_empty(&self) -> bool {
        false
    }
    /// Bytes of memory that one byte of a file may take while it is read: the lists and maps of a
    /// document take many times the bytes that they are written in.
    fn memory_per_byte(&self) -> u64 {
        64
    }
    /// Whether this file is a package manager's database. What is wrong with it is reported even
    /// where an OS package has it among its files, as rpm has its own.
    fn is_database(&self, _path: &str) -> bool {
        false
    }
    /// Whether the file at this path tells of a package that is installed there. Where it does not, it
    /// is read all the same: what it tells counts if a symbolic link leads to it from where it does.
    fn counts_at(&self, _path: &str) -> bool {
        true
    }
    /// Reads one file.
    ///
    /// # Errors
    /// The file could not be understood at all. Partial results stay in `found`.
    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError>;
}

/// Which files an analyzer wants. Paths have no leading slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The last component of the path: `package-lock.json`.
    Name(&'static str),
    /// What follows the last dot of the name, in lower case: `jar`.
    Extension(&'static str),
    /// The whole path: `var/lib/dpkg/status`.
    Path(&'static str),
    /// Files directly in this directory: `var/lib/dpkg/status.d`.
    Directory(&'static str),
    /// Files directly in a directory of this name, wherever it stands: `conda-meta`.
    InDirectory(&'static str),
    /// Files whose path ends so, on a component's border: `deps.json` matches `App.deps.json` too, as
    /// the border may be a dot.
    Suffix(&'static str),
    /// The last component begins so: `requirements` for `requirements-dev.txt`.
    NamePrefix(&'static str),
    /// Regular files that begin with the ELF, PE or Mach-O magic number.
    Executable,
}

/// One file that an analyzer wanted.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path without a leading slash.
    pub path: &'a str,
    /// Permission bits.
    pub mode: u32,
    /// Its bytes; at most [`Analyzer::max_bytes`].
    pub content: &'a Content,
}

/// What an analyzer found in one file.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Found {
    /// Packages. Where `paths` is empty, the file's own path is filled in.
    pub packages: Vec<Package>,
    /// Files that OS packages brought, as their package manager recorded it.
    pub owned: Vec<OwnedFiles>,
    /// What each `pom.xml` says, for [`java::resolve_poms`].
    pub poms: Vec<java::Pom>,
    /// The operating system.
    pub distro: Option<Distro>,
    /// What is asked for without a version, so that it is no package.
    pub unversioned: Vec<Unversioned>,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
    left_out: LeftOut,
}

/// Something that a file asks for, or is, without saying in which version of which registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unversioned {
    /// What it is.
    pub wanted: Wanted,
    /// Its name as the file writes it, or the file's own.
    pub name: String,
    /// Whether it serves only to develop or test.
    pub development: bool,
}

/// Kinds of what comes without a version that could be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A package whose version the file does not fix.
    Requirement(PackageType),
    /// An npm package of a project.
    Dependency,
    /// A package from elsewhere than the registry that advisories for its kind speak of.
    Elsewhere(PackageType),
    /// The file is a Java archive.
    Archive,
    /// The file names what a project needs, in versions that only a lockfile tells.
    Project(PackageType),
}

/// What a file holds beyond the limits. A small compressed file can hold any number of packages,
/// damaged ones and names of files, each of which takes more memory than its bytes.
#[derive(Debug, Default, Clone, PartialEq)]
struct LeftOut {
    packages: u64,
    notes: u64,
    /// Whether names of owned files are missing.
    owned: bool,
    /// Memory taken by those that are kept.
    owned_bytes: usize,
}

/// Packages that are kept of one file. All of Debian has some 60,000.
const MAX_PACKAGES: usize = 200_000;
/// Bytes of a package's name: no registry takes longer ones, npm none over 214.
const MAX_NAME: usize = 256;
/// Places of damage that are listed of one file.
const MAX_NOTES: usize = 100;
/// Memory for the names of the files that a database says its packages own. Half a million files,
/// as a large desktop has, take some 60 MB.
const MAX_OWNED_BYTES: usize = 128 << 20;
/// What a name takes beside its bytes: the list grows by doubling, and memory comes in pieces.
const OWNED_OVERHEAD: usize = 2 * size_of::<String>() + 16;

impl Found {
    /// Adds a package, up to the limit.
    pub fn add(&mut self, package: Package) {
        match self.packages.len() < MAX_PACKAGES {
            true => self.packages.push(package),
            false => self.left_out.packages += 1,
        }
    }

    /// Adds a package without a version, up to the limit.
    pub(crate) fn add_unversioned(&mut self, wanted: Wanted, name: &str, development: bool) {
        if name.len() > MAX_NAME {
            return;
        }
        match self.unversioned.len() < MAX_PACKAGES {
            true => self.unversioned.push(Unversioned {
                wanted,
                name: name.to_owned(),
                development,
            }),
            false => self.left_out.packages += 1,
        }
    }

    /// Notes something that could not be read. Where a file is damaged in very many places, some
    /// are listed and the rest are counted.
    pub fn note(&mut self, incomplete: Incomplete) {
        match self.incomplete.len() < MAX_NOTES {
            true => self.incomplete.push(incomplete),
            false => self.left_out.notes += 1,
        }
    }

    /// Adds the files of an OS package, up to the limit. Paths have no leading slash.
    pub fn own(&mut self, package: &str, paths: impl IntoIterator<Item = String>) {
        let left_out = &mut self.left_out;
        let within_limit = |path: &String| {
            left_out.owned_bytes += path.len() + OWNED_OVERHEAD;
            left_out.owned |= left_out.owned_bytes > MAX_OWNED_BYTES;
            !left_out.owned
        };
        // Names may cost time to make: beyond the limit none is asked for.
        let paths: Vec<String> = paths.into_iter().take_while(within_limit).collect();
        if !paths.is_empty() {
            self.owned.push(OwnedFiles {
                package: package.to_owned(),
                paths,
            });
        }
    }

    /// Says of the file at `path` what was left out.
    pub(crate) fn note_left_out(&mut self, path: &str) {
        let left_out = std::mem::take(&mut self.left_out);
        let mut note = |message| {
            let place = format!("/{path}");
            let reason = IncompleteReason::LimitReached;
            self.incomplete
                .push(Incomplete::new(reason, place, message));
        };
        if left_out.packages > 0 {
            let count = left_out.packages;
            note(format!(
                "{count} packages beyond the first {MAX_PACKAGES} were not kept"
            ));
        }
        if left_out.notes > 0 {
            note(format!("{} more places could not be read", left_out.notes));
        }
        if left_out.owned {
            note("not all names of the files that packages own were kept".to_owned());
        }
    }
}

/// Files that one OS package brought.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct OwnedFiles {
    /// The package's name.
    pub package: String,
    /// Paths without a leading slash, as the package manager writes them.
    pub paths: Vec<String>,
}

/// Why a file could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AnalyzeError {
    /// Why.
    pub reason: IncompleteReason,
    /// Offset in bytes, or the line for text formats, as far as it is known.
    pub offset: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl AnalyzeError {
    /// The bytes are not what the format promises.
    #[must_use]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self {
            reason: IncompleteReason::Corrupt,
            offset: None,
            message: message.into(),
        }
    }

    /// Adds the offset.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl From<std::io::Error> for AnalyzeError {
    fn from(error: std::io::Error) -> Self {
        let reason = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => IncompleteReason::Truncated,
            _ => IncompleteReason::Unreadable,
        };
        Self {
            reason,
            offset: None,
            message: error.to_string(),
        }
    }
}

/// Every analyzer.
pub const ALL: &[&dyn Analyzer] = &[
    // Operating systems
    &apk::Apk,
    &dpkg::Dpkg,
    &os_release::OsRelease,
    &pacman::Pacman,
    &rpm::Rpm,
    // What comes with an image
    &bitnami::Bitnami,
    // JavaScript
    &javascript::PackageJson,
    &javascript::NpmLock,
    &javascript::YarnLock,
    &javascript::PnpmLock,
    &javascript::BunLock,
    &javascript::DenoLock,
    // Python
    &python::Metadata,
    &python::Egg,
    &python::Requirements,
    &python::PoetryLock,
    &python::PdmLock,
    &python::PipfileLock,
    &python::UvLock,
    &python::PyLock,
    &python::CondaMeta,
    // Java
    &java::Archive,
    &java::PomXml,
    &java::GradleLock,
    // Go and Rust
    &golang::GoMod,
    &rust::CargoLock,
    // What programs hold
    &executable::Executables,
    &program::ReleaseFile,
    // Ruby
    &ruby::GemfileLock,
    &ruby::Gemspec,
    // PHP
    &php::ComposerLock,
    &php::InstalledJson,
    // .NET
    &dotnet::DepsJson,
    &dotnet::PackagesLock,
    &dotnet::ProjectAssets,
    &dotnet::PackagesConfig,
    // Dart
    &dart::PubspecLock,
    // Elixir and Erlang
    &beam::MixLock,
    &beam::RebarLock,
    &beam::ApplicationResource,
    // Swift
    &swift::PackageResolved,
    // C and C++
    &cpp::ConanLock,
    &cpp::ConanfileTxt,
    &cpp::VcpkgManifest,
    &cpp::VcpkgStatus,
    // R
    &r::RenvLock,
    &r::Description,
    // Haskell
    &haskell::StackLock,
    &haskell::CabalFreeze,
    // What lockfiles should be beside
    &project::Project,
    // GitHub Actions
    &github_actions::Workflow,
];
