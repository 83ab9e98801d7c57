//! Layers for tests, written as one line an entry.

use crate::analyzers::os_release::parse_os_release;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, OwnedFiles, Pattern};
use crate::analyzers::{beam, java, javascript, php, python, ruby};
use crate::scan::{ScanOptions, scan_with};
use jiff::civil::date;
use seawall_artifact::{
    Content, Entry, EntryKind, Error, ImageInfo, LayerVisitor, ReadArtifact, ReadLayer,
};
use seawall_model::{Evidence, Inventory, Package, PackageType, SourcePackage};

/// One entry of a layer.
pub(crate) struct TestEntry {
    pub(crate) path: String,
    pub(crate) kind: TestKind,
}

/// What it is.
pub(crate) enum TestKind {
    File(String),
    Directory,
    Symlink(String),
    HardLink(String),
    Whiteout,
    Opaque,
    Device,
}

impl TestEntry {
    /// Reads `path = content`, `path/` (a directory), `path -> target` (a symbolic link),
    /// `path => target` (a hard link), `path |` (a device), `!path` (a whiteout) or `!path/*` (an
    /// opaque directory).
    fn parse(line: &str) -> Self {
        let (path, kind) = if let Some(path) = line.strip_prefix('!') {
            match path.strip_suffix('*') {
                Some(directory) => (directory.trim_end_matches('/'), TestKind::Opaque),
                None => (path, TestKind::Whiteout),
            }
        } else if let Some((path, target)) = line.split_once(" -> ") {
            (path, TestKind::Symlink(target.to_owned()))
        } else if let Some((path, target)) = line.split_once(" => ") {
            (path, TestKind::HardLink(target.to_owned()))
        } else if let Some(path) = line.strip_suffix(" |") {
            (path, TestKind::Device)
        } else if let Some((path, content)) = line.split_once(" = ") {
            (path, TestKind::File(content.to_owned()))
        } else {
            (line.trim_end_matches('/'), TestKind::Directory)
        };
        Self {
            path: path.to_owned(),
            kind,
        }
    }
}

impl Entry for TestEntry {
    fn path(&self) -> &str {
        &self.path
    }

    fn kind(&self) -> EntryKind<'_> {
        match &self.kind {
            TestKind::File(_) => EntryKind::File,
            TestKind::Directory => EntryKind::Directory,
            TestKind::Symlink(target) => EntryKind::Symlink(target),
            TestKind::HardLink(target) => EntryKind::HardLink(target),
            TestKind::Whiteout => EntryKind::Whiteout,
            TestKind::Opaque => EntryKind::OpaqueDirectory,
            TestKind::Device => EntryKind::Other,
        }
    }

    fn size(&self) -> u64 {
        match &self.kind {
            TestKind::File(content) => content.len() as u64,
            _ => 0,
        }
    }

    fn mode(&self) -> u32 {
        0o644
    }

    fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.content()?
            .read_at(buffer, 0)
            .map_err(|source| Error::Io {
                place: self.path.clone(),
                source,
            })
    }

    fn content(&mut self) -> Result<Content, Error> {
        match &self.kind {
            TestKind::File(content) => Ok(Content::from_bytes(content.as_bytes().to_vec())),
            // As if the file that it links to held the text of its own path.
            TestKind::HardLink(target) => Ok(Content::from_bytes(target.as_bytes().to_vec())),
            _ => Ok(Content::from_bytes(Vec::new())),
        }
    }
}

/// Reads words from `*.lock` and `*.installed` files (declared and installed npm packages), `db`
/// files (OS packages of Debian) and `owned` files (`package:path`). A word is `name-version`, of
/// which `?` marks a development package, and `!` an OS package of another vendor, or
/// `name-version/source`.
pub(crate) struct Words;

impl Analyzer for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Extension("lock"),
            Pattern::Extension("installed"),
            Pattern::Name("db"),
            Pattern::Name("owned"),
            Pattern::Executable,
        ]
    }

    fn max_bytes(&self) -> u64 {
        6_000
    }

    fn is_database(&self, path: &str) -> bool {
        path.ends_with("db")
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let bytes = file.content.read_all()?;
        let text = String::from_utf8_lossy(&bytes);
        let program = text
            .strip_prefix(ELF)
            .map(|text| text.trim_end_matches('.'));
        for word in program.unwrap_or(&text).split_ascii_whitespace() {
            if file.path.ends_with("owned") {
                let (package, path) = word.split_once(':').unwrap();
                found.owned.push(OwnedFiles {
                    package: package.to_owned(),
                    paths: vec![path.to_owned()],
                });
                continue;
            }
            match word {
                "panic" => panic!("as asked"),
                "corrupt" => return Err(AnalyzeError::corrupt("as asked").at(7)),
                _ => {}
            }
            let (kind, evidence) = match file.path {
                path if path.ends_with("lock") => (PackageType::Npm, Evidence::Declared),
                path if path.ends_with("db") => (PackageType::Deb, Evidence::Database),
                _ => (PackageType::Npm, Evidence::Installed),
            };
            let (name, version) = word.trim_end_matches(['?', '!']).rsplit_once('-').unwrap();
            let (version, source) = match version.split_once('/') {
                Some((version, source)) => (version, Some(source)),
                None => (version, None),
            };
            let mut package = Package::new(kind, name, version, evidence);
            package.source = source.map(|name| SourcePackage {
                name: name.to_owned(),
                version: String::new(),
            });
            package.development = word.ends_with('?');
            if kind == PackageType::Deb {
                let host = if word.ends_with('!') {
                    "example.com"
                } else {
                    "debian.org"
                };
                package.vendor = Some(format!("Maintainer <x@{host}>"));
                found.distro = parse_os_release("ID=debian");
            }
            found.add(package);
        }
        Ok(())
    }
}

/// How a program begins.
const ELF: &str = "\x7fELF";

/// A program of this content, as an entry.
pub(crate) fn program(path: &str, words: &str) -> String {
    format!("{path} = {ELF}{words:.<5000}")
}

/// Scans an image of these layers, each a list of entries.
pub(crate) fn scan(layers: &[&[&str]]) -> Inventory {
    scan_holding(layers, 1 << 20)
}

/// As [`scan`], with so many bytes for waiting files.
pub(crate) fn scan_holding(layers: &[&[&str]], held_bytes: u64) -> Inventory {
    scan_limited(layers, |options| options.held_bytes = held_bytes)
}

/// Beside words, what stands in the places of packages.
const ANALYZERS: &[&dyn Analyzer] = &[
    &Words,
    &beam::ApplicationResource,
    &java::PomXml,
    &java::Archive,
    &javascript::PackageJson,
    &php::InstalledJson,
    &python::CondaMeta,
    &python::Metadata,
    &ruby::Gemspec,
];

/// As [`scan`], with other limits.
pub(crate) fn scan_limited(
    layers: &[&[&str]],
    limit: impl FnOnce(&mut ScanOptions<'_>),
) -> Inventory {
    let mut options = ScanOptions::new("test", date(2026, 1, 1));
    options.held_bytes = 1 << 20;
    limit(&mut options);
    scan_with(ANALYZERS, &options, |readers| {
        let mut read = Vec::new();
        for lines in layers {
            let mut visitor = readers.open();
            for line in *lines {
                visitor.visit(&mut TestEntry::parse(line))?;
            }
            read.push(ReadLayer {
                digest: None,
                diff_id: None,
                verified: false,
                whole: true,
                size: None,
                created_by: None,
                visitor,
            });
        }
        Ok(ReadArtifact {
            image: Some(ImageInfo::default()),
            layers: read,
            incomplete: Vec::new(),
        })
    })
    .unwrap()
}

/// The packages as `name-version@layer`.
pub(crate) fn names(inventory: &Inventory) -> Vec<String> {
    inventory
        .packages
        .iter()
        .map(|p| format!("{}-{}@{}", p.name, p.version, p.layer.unwrap()))
        .collect()
}
