use crate::{Cvss, PackageIndex, Severity};

/// One flaw in one package of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The flaw's main name: its CVE where it has one, else the name its ecosystem uses.
    pub id: String,
    /// Its other names (GHSA, DSA, ALAS, RHSA, CNNVD, RUSTSEC, ...), sorted, without `id`.
    pub aliases: Vec<String>,
    /// Its CNNVD number.
    pub cnnvd: Option<String>,
    /// Its title in CNNVD, in Chinese.
    pub cnnvd_title: Option<String>,
    /// The affected package.
    pub package: PackageIndex,
    /// How bad it is for this package.
    pub severity: Severity,
    /// Who says so: `debian`, `redhat`, `ghsa`, `nvd`, ...
    pub severity_source: String,
    /// CVSS vectors, best source first.
    pub cvss: Vec<Cvss>,
    /// The Exploit Prediction Scoring System's estimate.
    pub epss: Option<Epss>,
    /// In CISA's catalogue of known exploited vulnerabilities.
    pub kev: bool,
    /// Whether and where it is mended.
    pub fix: Fix,
    /// One line saying what it is.
    pub title: String,
    /// The first paragraph of the description, at most 2,000 characters.
    pub description: String,
    /// CWE identifiers.
    pub cwes: Vec<String>,
    /// Links, the advisory's own page first.
    pub references: Vec<String>,
    /// RFC 3339, when first published.
    pub published: Option<String>,
    /// The advisories that matched, by id, the deciding one first.
    pub matched_by: Vec<String>,
    /// How sure the match is.
    pub confidence: Confidence,
    /// What to do first.
    pub priority: Priority,
    /// Whether it counts.
    pub status: Status,
    /// By what it is suppressed, when `status` says so.
    pub suppression: Option<Suppression>,
}

/// An EPSS estimate (FIRST, Exploit Prediction Scoring System).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epss {
    /// Probability of exploitation within 30 days, 0 to 1.
    pub score: f64,
    /// Share of all scored flaws with the same or a lower probability, 0 to 1.
    pub percentile: f64,
}

/// Whether and where a flaw is mended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fix {
    /// The state.
    pub state: FixState,
    /// The lowest version with the fix that is above the installed one.
    pub version: Option<String>,
}

/// The state of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FixState {
    /// A version with the fix exists.
    Fixed,
    /// There is none yet.
    NotFixed,
    /// The vendor says there will be none.
    WontFix,
    /// Nobody says.
    #[default]
    Unknown,
}

impl FixState {
    /// Name as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::NotFixed => "not-fixed",
            Self::WontFix => "wont-fix",
            Self::Unknown => "unknown",
        }
    }
}

/// How sure a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// By a product name of an NVD configuration.
    Low,
    /// By the package's own ecosystem.
    High,
}

impl Confidence {
    /// Name as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

/// What to do first: a score with the parts it is the sum of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Priority {
    /// 0 to 100.
    pub score: u8,
    /// The score as a word.
    pub level: PriorityLevel,
    /// What it is made of, in the order of the formula.
    pub parts: Vec<PriorityPart>,
}

/// One term of the priority formula.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorityPart {
    /// The term's name: `severity`, `kev`, `epss`, `fix`, `owner`, ...
    pub name: &'static str,
    /// What was known, as text: `high (debian)`, `0.94`.
    pub value: String,
    /// The points it gives, which may be negative.
    pub points: i16,
}

/// A priority score as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum PriorityLevel {
    /// Below 20.
    #[default]
    Later,
    /// From 20.
    Plan,
    /// From 50.
    Soon,
    /// From 80.
    Now,
}

impl PriorityLevel {
    /// Name as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Plan => "plan",
            Self::Soon => "soon",
            Self::Now => "now",
        }
    }
}

/// Whether a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// It does.
    #[default]
    Affected,
    /// Its vendor or a VEX statement says it is being looked into. It counts.
    UnderInvestigation,
    /// A VEX statement says that the product is not affected. It does not count.
    NotAffected,
    /// A VEX statement says that it is fixed here. It does not count.
    Fixed,
    /// An ignore rule or a trusted-image list entry holds it back. It does not count.
    Ignored,
}

impl Status {
    /// Name as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::UnderInvestigation => "under-investigation",
            Self::NotAffected => "not-affected",
            Self::Fixed => "fixed",
            Self::Ignored => "ignored",
        }
    }

    /// Whether a finding of this status counts for gates and totals.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Affected | Self::UnderInvestigation)
    }
}

/// By what a finding is suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// `ignore-file`, `openvex`, `cyclonedx-vex`, `csaf-vex` or `trusted-image`.
    pub by: &'static str,
    /// The file, and the place in it.
    pub source: String,
    /// The reason given there.
    pub reason: Option<String>,
    /// The day from which it no longer holds, `YYYY-MM-DD`.
    pub expires: Option<String>,
}
