//! What is remembered of a file in the cache, beside it.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// From where a file came, and how the other side named this edition of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) url: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl State {
    /// The state kept beside a file; `None` where there is none that can be read.
    pub(super) fn load(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(Self::place(path)).ok()?;
        toml::from_str(&text).ok()
    }

    /// Keeps the state beside a file, replacing the older one whole.
    pub(super) fn store(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let temporary = with_suffix(path, ".state.partial");
        fs::write(&temporary, text)?;
        fs::rename(temporary, Self::place(path))
    }

    /// Forgets the state of a file.
    pub(super) fn forget(path: &Path) -> io::Result<()> {
        match fs::remove_file(Self::place(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What a range may be asked by: a strong entity tag, else the date (RFC 9110, 13.1.5).
    pub(super) fn range_validator(&self) -> Option<&str> {
        self.etag
            .as_deref()
            .filter(|etag| !etag.starts_with("W/"))
            .or(self.last_modified.as_deref())
    }

    fn place(path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Hidden, so that building from the cache's directory does not meet it.
        path.with_file_name(format!(".{name}.state"))
    }
}

/// A path with something added to its name, hidden.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{suffix}"))
}
