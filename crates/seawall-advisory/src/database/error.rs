use std::io;
use std::path::{Path, PathBuf};

/// Why a database cannot be used. What to do about it is in [`DatabaseError::hint`].
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be opened, mapped or written.
    #[error("{}: cannot {action} the advisory database", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `open`, `map`, `write`.
        action: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is something else.
    #[error("not an advisory database of Seawall")]
    NotADatabase,
    /// A pipe, a device or a directory: a database is mapped, not read.
    #[error("a database must be a file, and this is none")]
    NoFile,
    /// A file of an older or newer Seawall.
    #[error("the advisory database has format version {found}, this program reads {supported}")]
    FormatVersion {
        /// The file's.
        found: u32,
        /// Ours.
        supported: u32,
    },
    /// Half-written, cut off, or changed since it was written.
    #[error("the advisory database is damaged at byte {offset}: {what}")]
    Damaged {
        /// Offset in bytes of the block or field that is wrong.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Keys are configured, and the file has no signature.
    #[error("the advisory database is not signed, and trusted keys are configured")]
    Unsigned,
    /// The signature is valid, but by a key that is not trusted.
    #[error("the advisory database is signed by {key}, which is not among the trusted keys")]
    UntrustedKey {
        /// The key, as text.
        key: String,
    },
    /// A device, a directory or a file of something else is where a database shall be written.
    #[error("{}: what is there is no advisory database, and is not overwritten", path.display())]
    InTheWay {
        /// The place.
        path: PathBuf,
    },
    /// The signature does not belong to the content.
    #[error("the advisory database's signature is not valid")]
    WrongSignature,
    /// Another of these, with the file it is about.
    #[error("cannot use the advisory database {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<DatabaseError>,
    },
}

impl DatabaseError {
    pub(crate) fn damaged(offset: u64, what: &'static str) -> Self {
        Self::Damaged { offset, what }
    }

    pub(crate) fn of_file(self, path: &Path) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "run `seawall db update` to fetch advisories, or `seawall db build --from PATH` where there is no network"
            }
            Self::Io { .. } => "check the path and its permissions",
            Self::NotADatabase => {
                "name the file that `seawall db build` or `seawall db update` wrote"
            }
            Self::NoFile => "write the database to a file first, and name that",
            Self::FormatVersion { found, supported } if found > supported => {
                "update seawall, or make a database with this version by `seawall db update` or `seawall db build`"
            }
            Self::FormatVersion { .. } | Self::Damaged { .. } | Self::WrongSignature => {
                "make it anew with `seawall db update` or `seawall db build`"
            }
            Self::InTheWay { .. } => "name another file, or move this one away",
            Self::Unsigned => {
                "sign it with `seawall db build --sign KEY`, or take it out of the set of databases that must be signed"
            }
            Self::UntrustedKey { .. } => {
                "add the key to the trusted keys if it is known to you, or make the database anew with `seawall db update`"
            }
            Self::File { source, .. } => source.hint(),
        }
    }
}
