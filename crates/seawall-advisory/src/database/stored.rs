//! The values that are written with postcard. They borrow: on the way in from the records, on the
//! way out from the file.

use crate::record::{Affected, NameKind, State, Upper, VersionRange};
use seawall_model::{Cvss, CvssVersion, Ecosystem, Severity};
use serde::{Deserialize, Serialize};

/// What is known of one package: its rows, ordered by advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket<'a> {
    /// The ecosystem's key.
    pub(crate) ecosystem: &'a str,
    /// The normalised name.
    pub(crate) name: &'a str,
    #[serde(borrow)]
    pub(crate) rows: Vec<Row<'a>>,
}

/// An [`Affected`] without ecosystem and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Row<'a> {
    /// Number of the advisory.
    pub(crate) advisory: u32,
    pub(crate) name_kind: Kind,
    pub(crate) state: RowState,
    #[serde(borrow)]
    pub(crate) ranges: Vec<Range<'a>>,
    #[serde(borrow)]
    pub(crate) versions: Vec<&'a str>,
    #[serde(borrow)]
    pub(crate) architectures: Vec<&'a str>,
    pub(crate) module: Option<&'a str>,
    pub(crate) severity: Option<Rating>,
}

/// [`NameKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Source,
    Binary,
}

/// [`State`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum RowState {
    Affected,
    NotAffected,
    WontFix,
    UnderInvestigation,
}

/// [`VersionRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Range<'a> {
    pub(crate) introduced: Option<&'a str>,
    pub(crate) introduced_exclusive: bool,
    #[serde(borrow)]
    pub(crate) end: End<'a>,
}

/// [`Upper`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum End<'a> {
    Fixed(&'a str),
    Before(&'a str),
    LastAffected(&'a str),
    Open,
}

/// [`Severity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Rating {
    Unknown,
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

/// [`Cvss`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Vector<'a> {
    pub(crate) version: VectorVersion,
    pub(crate) vector: &'a str,
    /// The base score times ten: scores have one decimal.
    pub(crate) tenths: u8,
    pub(crate) source: &'a str,
}

/// [`CvssVersion`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum VectorVersion {
    V2,
    V3_0,
    V3_1,
    V4_0,
}

/// An advisory without texts and rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Core<'a> {
    pub(crate) id: &'a str,
    #[serde(borrow)]
    pub(crate) aliases: Vec<&'a str>,
    #[serde(borrow)]
    pub(crate) covers: Vec<Covered<'a>>,
    pub(crate) published: Option<&'a str>,
    pub(crate) modified: Option<&'a str>,
    pub(crate) withdrawn: Option<&'a str>,
    pub(crate) severity: Option<Rating>,
    #[serde(borrow)]
    pub(crate) cvss: Vec<Vector<'a>>,
    #[serde(borrow)]
    pub(crate) cwes: Vec<&'a str>,
}

/// [`crate::CoveredFlaw`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Covered<'a> {
    pub(crate) id: &'a str,
    pub(crate) severity: Option<Rating>,
    #[serde(borrow)]
    pub(crate) cvss: Vec<Vector<'a>>,
}

/// The texts of an advisory or of a CNNVD entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Text<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    #[serde(borrow)]
    pub(crate) references: Vec<&'a str>,
}

/// A flaw under all its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flaw<'a> {
    pub(crate) id: &'a str,
    /// Other names of the flaw itself, sorted; bulletins are not among them.
    #[serde(borrow)]
    pub(crate) aliases: Vec<&'a str>,
    /// Every advisory that speaks of it, bulletins too.
    pub(crate) advisories: Vec<u32>,
    /// Entries of CNNVD.
    pub(crate) cnnvd: Vec<u32>,
    /// Entries of CISA's catalogue: several where several CVEs are one flaw.
    #[serde(borrow)]
    pub(crate) kev: Vec<Kev<'a>>,
}

/// [`crate::KevEntry`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Kev<'a> {
    pub(crate) cve: &'a str,
    pub(crate) date_added: Option<&'a str>,
    pub(crate) due_date: Option<&'a str>,
    pub(crate) ransomware: bool,
}

/// A CNNVD entry without texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CnnvdCore<'a> {
    pub(crate) id: &'a str,
    #[serde(borrow)]
    pub(crate) cves: Vec<&'a str>,
    pub(crate) severity: Option<Rating>,
}

/// Counts and names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statistics<'a> {
    /// Publishers by name, with their advisories; the advisory table refers to them by position.
    #[serde(borrow)]
    pub(crate) sources: Vec<(&'a str, u32)>,
    /// Ecosystems by key, with packages and rows.
    #[serde(borrow)]
    pub(crate) ecosystems: Vec<(&'a str, u32, u32)>,
    pub(crate) flaws: u32,
    pub(crate) advisories: u32,
    pub(crate) kev: u32,
    pub(crate) epss: u32,
    pub(crate) cnnvd: u32,
    /// The newest date of any record.
    pub(crate) newest: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// The stored form of what a record says of one package.
    pub(crate) fn new(advisory: u32, affected: &'a Affected) -> Self {
        Self {
            advisory,
            name_kind: match affected.name_kind {
                NameKind::Source => Kind::Source,
                NameKind::Binary => Kind::Binary,
            },
            state: match affected.state {
                State::Affected => RowState::Affected,
                State::NotAffected => RowState::NotAffected,
                State::WontFix => RowState::WontFix,
                State::UnderInvestigation => RowState::UnderInvestigation,
            },
            ranges: affected.ranges.iter().map(Range::new).collect(),
            versions: affected.versions.iter().map(String::as_str).collect(),
            architectures: affected.architectures.iter().map(String::as_str).collect(),
            module: affected.module.as_deref(),
            severity: affected.severity.map(Rating::new),
        }
    }

    /// Back to a record's form.
    pub(crate) fn to_affected(&self, ecosystem: &Ecosystem, name: &str) -> Affected {
        Affected {
            ecosystem: ecosystem.clone(),
            name: name.to_owned(),
            name_kind: match self.name_kind {
                Kind::Source => NameKind::Source,
                Kind::Binary => NameKind::Binary,
            },
            state: match self.state {
                RowState::Affected => State::Affected,
                RowState::NotAffected => State::NotAffected,
                RowState::WontFix => State::WontFix,
                RowState::UnderInvestigation => State::UnderInvestigation,
            },
            ranges: self.ranges.iter().copied().map(Range::to_range).collect(),
            versions: owned(&self.versions),
            architectures: owned(&self.architectures),
            module: self.module.map(str::to_owned),
            severity: self.severity.map(Rating::severity),
        }
    }
}

impl<'a> Range<'a> {
    pub(crate) fn new(range: &'a VersionRange) -> Self {
        Self {
            introduced: range.introduced.as_deref(),
            introduced_exclusive: range.introduced_exclusive,
            end: match &range.upper {
                Upper::Fixed(version) => End::Fixed(version),
                Upper::Before(version) => End::Before(version),
                Upper::LastAffected(version) => End::LastAffected(version),
                Upper::Open => End::Open,
            },
        }
    }

    fn to_range(self) -> VersionRange {
        VersionRange {
            introduced: self.introduced.map(str::to_owned),
            introduced_exclusive: self.introduced_exclusive,
            upper: match self.end {
                End::Fixed(version) => Upper::Fixed(version.to_owned()),
                End::Before(version) => Upper::Before(version.to_owned()),
                End::LastAffected(version) => Upper::LastAffected(version.to_owned()),
                End::Open => Upper::Open,
            },
        }
    }
}

impl Rating {
    pub(crate) fn new(severity: Severity) -> Self {
        match severity {
            Severity::Unknown => Self::Unknown,
            Severity::Negligible => Self::Negligible,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }

    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Unknown => Severity::Unknown,
            Self::Negligible => Severity::Negligible,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

impl<'a> Vector<'a> {
    pub(crate) fn new(cvss: &'a Cvss) -> Self {
        Self {
            version: match cvss.version {
                CvssVersion::V2 => VectorVersion::V2,
                CvssVersion::V3_0 => VectorVersion::V3_0,
                CvssVersion::V3_1 => VectorVersion::V3_1,
                CvssVersion::V4_0 => VectorVersion::V4_0,
            },
            vector: &cvss.vector,
            // `as` saturates, and turns NaN into 0.
            tenths: (cvss.score.clamp(0.0, 10.0) * 10.0).round() as u8,
            source: &cvss.source,
        }
    }

    pub(crate) fn to_cvss(&self) -> Cvss {
        Cvss {
            version: match self.version {
                VectorVersion::V2 => CvssVersion::V2,
                VectorVersion::V3_0 => CvssVersion::V3_0,
                VectorVersion::V3_1 => CvssVersion::V3_1,
                VectorVersion::V4_0 => CvssVersion::V4_0,
            },
            vector: self.vector.to_owned(),
            score: f64::from(self.tenths) / 10.0,
            source: self.source.to_owned(),
        }
    }
}

/// Owned copies.
pub(crate) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
