//! What importers produce: one shape for every feed.

use seawall_model::{Cvss, Ecosystem, Severity};

/// Who published a record. Decides precedence where several speak of the same flaw and package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants are the publishers' own names")]
pub enum Source {
    User,
    Alma,
    Alpine,
    Amazon,
    AzureLinux,
    Bitnami,
    Debian,
    FriendsOfPhp,
    GitHub,
    Go,
    NodeSecurity,
    Nvd,
    Oracle,
    /// Any other database in OSV format, by its own identifiers.
    Osv,
    PyPa,
    RedHat,
    Rocky,
    RubySec,
    RustSec,
    Suse,
    Ubuntu,
}

impl Source {
    const NAMES: &'static [(Source, &'static str)] = &[
        (Source::User, "user"),
        (Source::Alma, "almalinux"),
        (Source::Alpine, "alpine"),
        (Source::Amazon, "amazon"),
        (Source::AzureLinux, "azurelinux"),
        (Source::Bitnami, "bitnami"),
        (Source::Debian, "debian"),
        (Source::FriendsOfPhp, "friendsofphp"),
        (Source::GitHub, "ghsa"),
        (Source::Go, "govulndb"),
        (Source::NodeSecurity, "nodejs-security-wg"),
        (Source::Nvd, "nvd"),
        (Source::Oracle, "oracle"),
        (Source::Osv, "osv"),
        (Source::PyPa, "pypa"),
        (Source::RedHat, "redhat"),
        (Source::Rocky, "rocky"),
        (Source::RubySec, "rubysec"),
        (Source::RustSec, "rustsec"),
        (Source::Suse, "suse"),
        (Source::Ubuntu, "ubuntu"),
    ];

    /// Name as written in reports (`severity_source`) and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(source, _)| *source == self)
            .map_or("", |(_, name)| *name)
    }

    /// The inverse of [`Source::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, own)| *own == name)
            .map(|(source, _)| *source)
    }

    /// Whether it is the vendor of a distribution, who rates flaws in its own builds.
    pub(crate) fn is_distribution(self) -> bool {
        match self {
            Self::Alma
            | Self::Alpine
            | Self::Amazon
            | Self::AzureLinux
            | Self::Debian
            | Self::Oracle
            | Self::RedHat
            | Self::Rocky
            | Self::Suse
            | Self::Ubuntu => true,
            Self::User
            | Self::Bitnami
            | Self::FriendsOfPhp
            | Self::GitHub
            | Self::Go
            | Self::NodeSecurity
            | Self::Nvd
            | Self::Osv
            | Self::PyPa
            | Self::RubySec
            | Self::RustSec => false,
        }
    }
}

/// One advisory as its publisher wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// The publisher's identifier: `GHSA-...`, `DSA-...`, `RHSA-...`, `CVE-...`.
    pub id: String,
    /// Who published it.
    pub source: Source,
    /// Other names of the *same* flaw.
    pub aliases: Vec<String>,
    /// The flaws that a bulletin (DSA, RHSA, ALAS, USN, ...) mends, each one a flaw of its own.
    /// Empty for records about a single flaw.
    pub covers: Vec<CoveredFlaw>,
    /// One line.
    pub title: String,
    /// Longer text; the database keeps at most 2,000 characters.
    pub description: String,
    /// RFC 3339 or `YYYY-MM-DD`.
    pub published: Option<String>,
    /// RFC 3339 or `YYYY-MM-DD`.
    pub modified: Option<String>,
    /// When it was withdrawn: such a record never matches.
    pub withdrawn: Option<String>,
    /// The publisher's own rating of the whole record.
    pub severity: Option<Severity>,
    /// CVSS vectors of the whole record.
    pub cvss: Vec<Cvss>,
    /// `CWE-79`.
    pub cwes: Vec<String>,
    /// Links, the advisory's own page first.
    pub references: Vec<String>,
    /// What is affected.
    pub affected: Vec<Affected>,
}

impl Advisory {
    /// A record with identifier and publisher, everything else empty.
    #[must_use]
    pub fn new(id: impl Into<String>, source: Source) -> Self {
        Self {
            id: id.into(),
            source,
            aliases: Vec::new(),
            covers: Vec::new(),
            title: String::new(),
            description: String::new(),
            published: None,
            modified: None,
            withdrawn: None,
            severity: None,
            cvss: Vec::new(),
            cwes: Vec::new(),
            references: Vec::new(),
            affected: Vec::new(),
        }
    }
}

/// A flaw that a bulletin mends.
#[derive(Debug, Clone, PartialEq)]
pub struct CoveredFlaw {
    /// Its name, mostly a CVE.
    pub id: String,
    /// The publisher's rating of this flaw, where it differs from the bulletin's.
    pub severity: Option<Severity>,
    /// CVSS vectors that the bulletin gives for this flaw.
    pub cvss: Vec<Cvss>,
}

/// One package of one ecosystem, and which of its versions are affected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Affected {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The package's name as the publisher writes it; the database normalises it.
    pub name: String,
    /// Whether that is the name of a source or of a binary package.
    pub name_kind: NameKind,
    /// The publisher's verdict.
    pub state: State,
    /// Affected ranges. With `versions` empty as well: all versions.
    pub ranges: Vec<VersionRange>,
    /// Affected versions, listed one by one; they hold beside `ranges`.
    pub versions: Vec<String>,
    /// Only these architectures; empty: all.
    pub architectures: Vec<String>,
    /// Only packages of this rpm module, `name:stream`.
    pub module: Option<String>,
    /// The publisher's rating for this package.
    pub severity: Option<Severity>,
}

impl Affected {
    /// A row without ranges (all versions) and without restrictions.
    #[must_use]
    pub fn new(
        ecosystem: Ecosystem,
        name: impl Into<String>,
        name_kind: NameKind,
        state: State,
    ) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            name_kind,
            state,
            ranges: Vec::new(),
            versions: Vec::new(),
            architectures: Vec::new(),
            module: None,
            severity: None,
        }
    }

    /// Adds a range from the beginning up to `upper`.
    #[must_use]
    pub fn until(mut self, upper: Upper) -> Self {
        self.ranges.push(VersionRange::new(None, upper));
        self
    }
}

impl CoveredFlaw {
    /// A flaw without a rating of its own.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            severity: None,
            cvss: Vec::new(),
        }
    }
}

/// What a package name in a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// A source package: matches the binaries built from it, by the source's version.
    Source,
    /// A binary package, or a package of a language.
    Binary,
}

/// The publisher's verdict on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Affected within the ranges; a range with [`Upper::Fixed`] says where it is mended.
    Affected,
    /// Not affected: silences what a less preferred publisher says.
    NotAffected,
    /// Affected, and the publisher will not mend it.
    WontFix,
    /// Being looked into.
    UnderInvestigation,
}

/// A half-open or closed range of versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// First affected version; `None`: from the beginning.
    pub introduced: Option<String>,
    /// The range begins just after `introduced`, which itself is not affected (`> 1.0`, NVD's
    /// `versionStartExcluding`). Without meaning where `introduced` is `None`.
    pub introduced_exclusive: bool,
    /// Where it ends.
    pub upper: Upper,
}

impl VersionRange {
    /// From `introduced`, itself included, to `upper`.
    #[must_use]
    pub fn new(introduced: Option<String>, upper: Upper) -> Self {
        Self {
            introduced,
            introduced_exclusive: false,
            upper,
        }
    }
}

/// The end of a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Upper {
    /// Up to, and without, the first version with the fix.
    Fixed(String),
    /// Up to, and without, this version, which is known to lack the flaw but is not called a fix
    /// (NVD's `versionEndExcluding`, OSV's `limit`).
    Before(String),
    /// Up to and including this version; a later one may or may not be affected.
    LastAffected(String),
    /// No end known: not fixed.
    Open,
}

/// CISA's catalogue of known exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KevEntry {
    /// The CVE.
    pub cve: String,
    /// `YYYY-MM-DD`.
    pub date_added: Option<String>,
    /// `YYYY-MM-DD`, by which US agencies must have acted.
    pub due_date: Option<String>,
    /// Whether ransomware is known to use it.
    pub ransomware: bool,
}

/// FIRST's exploit prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct EpssEntry {
    /// The CVE.
    pub cve: String,
    /// Probability, 0 to 1.
    pub score: f64,
    /// 0 to 1.
    pub percentile: f64,
}

/// China National Vulnerability Database of Information Security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CnnvdEntry {
    /// `CNNVD-201701-225`.
    pub id: String,
    /// The CVEs it stands for.
    pub cves: Vec<String>,
    /// In Chinese.
    pub title: String,
    /// In Chinese.
    pub description: String,
    /// Its rating.
    pub severity: Option<Severity>,
}
