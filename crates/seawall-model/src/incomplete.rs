use std::fmt;

/// Something that was not read, and why. No verdict is silent: a report that has any of these is
/// marked incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// Why.
    pub reason: IncompleteReason,
    /// Where: a path in the target, a layer's digest, a file name.
    pub place: String,
    /// Offset in bytes into `place` at which reading stopped, where that is known.
    pub offset: Option<u64>,
    /// What happened, one sentence without a full stop.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
}

/// Why something was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IncompleteReason {
    /// The bytes are not what the format promises.
    Corrupt,
    /// The bytes end too early.
    Truncated,
    /// A cap was hit.
    LimitReached,
    /// A format or feature that Seawall does not read.
    Unsupported,
    /// The operating system or the other side refused.
    Unreadable,
    /// No advisories for this distribution or ecosystem: nothing could be matched.
    NoAdvisories,
}

impl IncompleteReason {
    /// Name as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Truncated => "truncated",
            Self::LimitReached => "limit-reached",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::NoAdvisories => "no-advisories",
        }
    }
}

impl Incomplete {
    /// An entry without offset and hint.
    #[must_use]
    pub fn new(
        reason: IncompleteReason,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            place: place.into(),
            offset: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds the offset at which reading stopped.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(offset) = self.offset {
            write!(f, " (at byte {offset})")?;
        }
        Ok(())
    }
}
