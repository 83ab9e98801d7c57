/// How bad a flaw is, in the five steps of CVSS v3.1 section 5 with `Unknown` below them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Severity {
    /// Nobody has rated it.
    #[default]
    Unknown,
    /// CVSS 0.0, or the vendor's "negligible", "unimportant", "none".
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// All steps, the worst first.
    pub const WORST_FIRST: [Severity; 6] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Negligible,
        Severity::Unknown,
    ];

    /// The step for a CVSS v3 or v4 base score (0.0 to 10.0). CVSS v2 uses the same borders here,
    /// as the vendors do that still publish it.
    #[must_use]
    pub fn from_score(score: f64) -> Self {
        match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Negligible,
        }
    }

    /// The step for a vendor's word, in any case: Red Hat's `Important`, Debian's `unimportant`,
    /// Ubuntu's `negligible`, CNNVD's `超危`. `None` for a word that is no rating.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(
            match word
                .trim()
                .trim_end_matches('*')
                .to_ascii_lowercase()
                .as_str()
            {
                "critical" | "超危" | "严重" => Self::Critical,
                "high" | "important" | "高危" => Self::High,
                "medium" | "moderate" | "中危" => Self::Medium,
                "low" | "minor" | "低危" => Self::Low,
                "negligible" | "unimportant" | "none" | "informational" => Self::Negligible,
                "unknown" | "untriaged" | "unassigned" | "not yet assigned" | "undefined"
                | "n/a" => Self::Unknown,
                _ => return None,
            },
        )
    }

    /// Lower-case name, as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Which CVSS specification a vector follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CvssVersion {
    /// CVSS v2.0.
    V2,
    /// CVSS v3.0.
    V3_0,
    /// CVSS v3.1.
    V3_1,
    /// CVSS v4.0.
    V4_0,
}

impl CvssVersion {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
            Self::V4_0 => "4.0",
        }
    }
}

/// A CVSS vector with its base score.
#[derive(Debug, Clone, PartialEq)]
pub struct Cvss {
    /// The specification.
    pub version: CvssVersion,
    /// The vector in the specification's own spelling.
    pub vector: String,
    /// Base score, 0.0 to 10.0.
    pub score: f64,
    /// Who scored it: `nvd`, `ghsa`, `redhat`, ...
    pub source: String,
}
