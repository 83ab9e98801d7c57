//! Between records and their stored form.

use super::stored::{
    CnnvdCore, Core, Covered, End, Estimate, Kev, Kind, Range, Rating, Row, RowState, Text, Vector,
    VectorVersion,
};
use crate::record::{
    Advisory, Affected, CnnvdEntry, CoveredFlaw, KevEntry, NameKind, Source, State, Upper,
    VersionRange,
};
use seawall_model::{Cvss, CvssVersion, Ecosystem, Epss, Severity};

impl<'a> Core<'a> {
    /// The stored form of an advisory without texts and rows.
    pub(crate) fn new(advisory: &'a Advisory) -> Self {
        Self {
            id: &advisory.id,
            aliases: borrowed(&advisory.aliases),
            covers: advisory
                .covers
                .iter()
                .map(|flaw| Covered {
                    id: &flaw.id,
                    severity: flaw.severity.map(Rating::new),
                    cvss: vectors(&flaw.cvss),
                })
                .collect(),
            published: advisory.published.as_deref(),
            modified: advisory.modified.as_deref(),
            withdrawn: advisory.withdrawn.as_deref(),
            severity: advisory.severity.map(Rating::new),
            cvss: vectors(&advisory.cvss),
            cwes: borrowed(&advisory.cwes),
        }
    }

    /// Back to a record's form, without rows.
    pub(crate) fn to_advisory(&self, source: Source, text: &Text<'_>) -> Advisory {
        let cvss = |vectors: &[Vector<'_>]| vectors.iter().map(Vector::to_cvss).collect();
        Advisory {
            id: self.id.to_owned(),
            source,
            aliases: owned(&self.aliases),
            covers: self
                .covers
                .iter()
                .map(|covered| CoveredFlaw {
                    id: covered.id.to_owned(),
                    severity: covered.severity.map(Rating::severity),
                    cvss: cvss(&covered.cvss),
                })
                .collect(),
            title: text.title.to_owned(),
            description: text.description.to_owned(),
            published: self.published.map(str::to_owned),
            modified: self.modified.map(str::to_owned),
            withdrawn: self.withdrawn.map(str::to_owned),
            severity: self.severity.map(Rating::severity),
            cvss: cvss(&self.cvss),
            cwes: owned(&self.cwes),
            references: owned(&text.references),
            affected: Vec::new(),
        }
    }
}

impl<'a> Text<'a> {
    /// The texts of an advisory.
    pub(crate) fn of_advisory(advisory: &'a Advisory) -> Self {
        Self {
            title: &advisory.title,
            description: &advisory.description,
            references: borrowed(&advisory.references),
        }
    }

    /// The texts of a CNNVD entry.
    pub(crate) fn of_cnnvd(entry: &'a CnnvdEntry) -> Self {
        Self {
            title: &entry.title,
            description: &entry.description,
            references: Vec::new(),
        }
    }
}

impl<'a> CnnvdCore<'a> {
    /// The stored form of a CNNVD entry without texts.
    pub(crate) fn new(entry: &'a CnnvdEntry) -> Self {
        Self {
            id: &entry.id,
            cves: borrowed(&entry.cves),
            severity: entry.severity.map(Rating::new),
        }
    }

    /// Back to a record's form.
    pub(crate) fn to_entry(&self, text: &Text<'_>) -> CnnvdEntry {
        CnnvdEntry {
            id: self.id.to_owned(),
            cves: owned(&self.cves),
            title: text.title.to_owned(),
            description: text.description.to_owned(),
            severity: self.severity.map(Rating::severity),
        }
    }
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

impl Estimate {
    pub(crate) fn to_epss(self) -> Epss {
        Epss {
            score: f64::from(self.score) / 1e9,
            percentile: f64::from(self.percentile) / 1e9,
        }
    }
}

impl<'a> Kev<'a> {
    /// The stored form of an entry of CISA's catalogue.
    pub(crate) fn new(entry: &'a KevEntry) -> Self {
        Self {
            cve: &entry.cve,
            date_added: entry.date_added.as_deref(),
            due_date: entry.due_date.as_deref(),
            ransomware: entry.ransomware,
        }
    }

    /// Back to a record's form.
    pub(crate) fn to_entry(&self) -> KevEntry {
        KevEntry {
            cve: self.cve.to_owned(),
            date_added: self.date_added.map(str::to_owned),
            due_date: self.due_date.map(str::to_owned),
            ransomware: self.ransomware,
        }
    }
}

fn vectors(cvss: &[Cvss]) -> Vec<Vector<'_>> {
    cvss.iter().map(Vector::new).collect()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
