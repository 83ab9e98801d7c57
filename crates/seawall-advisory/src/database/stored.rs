//! The values that are written with postcard. They borrow: on the way in from the records, on the
//! way out from the file.

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

/// A [`crate::Affected`] without ecosystem and name.
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

/// [`crate::NameKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    Source,
    Binary,
}

/// [`crate::State`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum RowState {
    Affected,
    NotAffected,
    WontFix,
    UnderInvestigation,
}

/// [`crate::VersionRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Range<'a> {
    pub(crate) introduced: Option<&'a str>,
    pub(crate) introduced_exclusive: bool,
    #[serde(borrow)]
    pub(crate) end: End<'a>,
}

/// [`crate::Upper`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum End<'a> {
    Fixed(&'a str),
    Before(&'a str),
    LastAffected(&'a str),
    Open,
}

/// [`seawall_model::Severity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Rating {
    Unknown,
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

/// [`seawall_model::Cvss`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Vector<'a> {
    pub(crate) version: VectorVersion,
    pub(crate) vector: &'a str,
    /// The base score times ten: scores have one decimal.
    pub(crate) tenths: u8,
    pub(crate) source: &'a str,
}

/// [`seawall_model::CvssVersion`].
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
    /// Entries of CISA's catalogue.
    #[serde(borrow)]
    pub(crate) kev: Vec<Kev<'a>>,
    /// The exploit prediction for its CVE. It stands in the section of all predictions
    /// too, which a scan then has no need to read.
    pub(crate) epss: Option<Estimate>,
}

/// An exploit prediction: score and percentile in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Estimate {
    pub(crate) score: u32,
    pub(crate) percentile: u32,
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
    /// Ecosystems by key, with packages, rows and the date of the newest advisory.
    #[serde(borrow)]
    pub(crate) ecosystems: Vec<(&'a str, u32, u32, Option<&'a str>)>,
    pub(crate) flaws: u32,
    pub(crate) advisories: u32,
    pub(crate) kev: u32,
    pub(crate) epss: u32,
    pub(crate) cnnvd: u32,
    /// The newest date of any record.
    pub(crate) newest: Option<&'a str>,
}
