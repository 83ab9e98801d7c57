use std::io;

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system or the other side said no.
    #[error("cannot read {place}")]
    Io {
        /// The file, address or path.
        place: String,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The bytes are not what the format promises.
    #[error("{place} is damaged at byte {offset}: {message}")]
    Corrupt {
        /// The file or layer.
        place: String,
        /// Offset of the first bad byte, as near as known.
        offset: u64,
        /// What is wrong.
        message: String,
    },
    /// A cap was hit.
    #[error("{place} exceeds the limit of {limit}")]
    Limit {
        /// The file or layer.
        place: String,
        /// Which limit, with its value and unit.
        limit: String,
    },
    /// What the user gave cannot be used.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Not read by this version.
    #[error("{place}: {message}")]
    Unsupported {
        /// The file, layer or reference.
        place: String,
        /// What is not supported.
        message: String,
    },
}

impl Error {
    /// What the user can do about it, for the `hint:` line.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Usage { hint, .. } => Some(hint),
            _ => None,
        }
    }
}
