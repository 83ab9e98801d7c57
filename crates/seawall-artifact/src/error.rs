use seawall_model::{Incomplete, IncompleteReason};
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
    /// The other side of a connection gives no answer that is of use.
    #[error("cannot read {place}: {message}")]
    Remote {
        /// The image, or a part of it.
        place: String,
        /// What the other side did.
        message: String,
        /// What to do.
        hint: String,
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
    /// The bytes end before the format says so.
    #[error("{place} ends too early, at byte {offset}")]
    Truncated {
        /// The file or layer.
        place: String,
        /// Where it ends.
        offset: u64,
    },
    /// The content of a hard link in a compressed layer has passed already. Not a failure: the
    /// same entry is visited once more, with its content, when the layer has been read once; where it
    /// cannot be read again, such links are told of together.
    #[error("the content of {place} comes in a second pass")]
    Deferred {
        /// The path of the hard link.
        place: String,
    },
    /// There is not a single byte.
    #[error("{place} is empty")]
    Empty {
        /// The file or stream.
        place: String,
    },
    /// A cap was hit: what comes behind it is not read.
    #[error("{place} exceeds the limit of {limit}")]
    Limit {
        /// The file or layer.
        place: String,
        /// Which limit, with its value and unit.
        limit: String,
    },
    /// The content of one file is more than is kept in memory. What comes behind it is read.
    #[error("{place} exceeds the limit of {limit}")]
    TooLarge {
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
            Self::Usage { hint, .. } | Self::Remote { hint, .. } => Some(hint),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotConnected => Some(
                    "check the name and the network; HTTPS_PROXY names a proxy; certificates to trust \
                     are named in SSL_CERT_FILE, or put into /etc/docker/certs.d/HOST/*.crt",
                ),
                io::ErrorKind::PermissionDenied => Some("run as a user who may read it"),
                _ => None,
            },
            Self::Truncated { .. } => {
                Some("copy, save or download it again: what is here is not all of it")
            }
            Self::Empty { .. } => {
                Some("what should have written an image there has failed: see what it says")
            }
            Self::Corrupt { .. } => {
                Some("get it again from where it comes: what is here is damaged")
            }
            _ => None,
        }
    }

    /// The same as a line of the report on what was not read.
    #[must_use]
    pub fn to_incomplete(&self) -> Incomplete {
        match self {
            Self::Io { place, source } => Incomplete::new(
                IncompleteReason::Unreadable,
                place,
                format!("cannot be read: {source}"),
            ),
            Self::Remote {
                place,
                message,
                hint,
            } => Incomplete::new(
                IncompleteReason::Unreadable,
                place,
                format!("cannot be read: {message}"),
            )
            .hint(hint),
            Self::Corrupt {
                place,
                offset,
                message,
            } => Incomplete::new(IncompleteReason::Corrupt, place, message).at(*offset),
            Self::Truncated { place, offset } => {
                Incomplete::new(IncompleteReason::Truncated, place, "ends too early").at(*offset)
            }
            Self::Empty { place } => {
                Incomplete::new(IncompleteReason::Truncated, place, "is empty")
            }
            Self::Deferred { place } => Incomplete::new(
                IncompleteReason::Unsupported,
                place,
                "content of a hard link was not read",
            ),
            Self::Limit { place, limit } | Self::TooLarge { place, limit } => Incomplete::new(
                IncompleteReason::LimitReached,
                place,
                format!("exceeds the limit of {limit}"),
            ),
            Self::Usage { message, hint } => {
                Incomplete::new(IncompleteReason::Unreadable, "", message).hint(hint)
            }
            Self::Unsupported { place, message } => {
                Incomplete::new(IncompleteReason::Unsupported, place, message)
            }
        }
    }

    /// Gives an error of a reader its place. Readers of this crate carry our own errors through
    /// `io::Error`; those come out as they went in.
    pub(crate) fn from_io(place: &str, offset: u64, error: io::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(own) => return own,
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated {
                place: place.to_owned(),
                offset,
            },
            // What the decompressors say of bytes that they cannot make sense of.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Corrupt {
                place: place.to_owned(),
                offset,
                message: error.to_string(),
            },
            _ => Self::Io {
                place: place.to_owned(),
                source: error,
            },
        }
    }
}
