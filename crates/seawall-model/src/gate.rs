use crate::{Finding, FixState, Severity};

/// A threshold of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailOn {
    /// Any finding of at least this severity.
    Severity(Severity),
    /// Any finding known to be exploited (CISA KEV).
    Kev,
    /// Any finding for which a version with the fix exists.
    Fixable,
}

impl FailOn {
    /// Every threshold, in the order in which help lists them.
    pub const ALL: &'static [FailOn] = &[
        FailOn::Severity(Severity::Low),
        FailOn::Severity(Severity::Medium),
        FailOn::Severity(Severity::High),
        FailOn::Severity(Severity::Critical),
        FailOn::Kev,
        FailOn::Fixable,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Severity(severity) => severity.name(),
            Self::Kev => "kev",
            Self::Fixable => "fixable",
        }
    }

    /// The inverse of [`FailOn::name`], for the thresholds in [`FailOn::ALL`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|own| own.name() == name)
    }

    /// Whether a finding is at or over the threshold. One that does not count never is.
    #[must_use]
    pub fn holds(self, finding: &Finding) -> bool {
        finding.status.counts()
            && match self {
                Self::Severity(severity) => finding.severity >= severity,
                Self::Kev => finding.kev,
                Self::Fixable => finding.fix.state == FixState::Fixed,
            }
    }
}

/// The verdict of the gate: whether a build may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The thresholds; one that holds is enough.
    pub fail_on: Vec<FailOn>,
    /// Number of findings at or over a threshold.
    pub matched: usize,
}

impl Gate {
    /// Holds the findings against the thresholds.
    #[must_use]
    pub fn evaluate(fail_on: &[FailOn], findings: &[Finding]) -> Self {
        let over = |finding: &&Finding| fail_on.iter().any(|threshold| threshold.holds(finding));
        Self {
            fail_on: fail_on.to_vec(),
            matched: findings.iter().filter(over).count(),
        }
    }

    /// Whether anything is at or over a threshold.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.matched > 0
    }
}
