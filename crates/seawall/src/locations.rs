//! Where Seawall keeps its files (XDG Base Directory specification).

use crate::exit::{Failure, Result};
use anyhow::anyhow;
use std::env;
use std::path::{Path, PathBuf};

/// The named advisory database, else the one that scans use: that of `SEAWALL_DB`, else the user's
/// own. An empty variable is as good as none.
pub(crate) fn database(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    match env::var_os("SEAWALL_DB").filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => Ok(data()?.join("advisories.db")),
    }
}

/// The catalogue of base images.
pub(crate) fn base_catalogue() -> Result<PathBuf> {
    Ok(data()?.join("bases.json"))
}

/// The stored inventories.
pub(crate) fn inventories() -> Result<PathBuf> {
    Ok(data()?.join("inventories"))
}

/// What feeds were fetched, with their validators for conditional requests.
pub(crate) fn feed_cache() -> Result<PathBuf> {
    Ok(base("XDG_CACHE_HOME", ".cache")?.join("feeds"))
}

/// The user's own choice of feeds.
pub(crate) fn feeds() -> Result<PathBuf> {
    Ok(base("XDG_CONFIG_HOME", ".config")?.join("feeds.toml"))
}

/// Public keys, one a file: with any of them a database must be signed by one.
pub(crate) fn trusted_keys() -> Result<PathBuf> {
    Ok(base("XDG_CONFIG_HOME", ".config")?.join("trusted-keys"))
}

fn data() -> Result<PathBuf> {
    base("XDG_DATA_HOME", ".local/share")
}

/// The directory that a variable names. An empty or relative one would be looked for below the
/// current directory, and what lies there must not decide which keys are trusted.
fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os(variable)?);
    path.is_absolute().then_some(path)
}

/// `$VARIABLE/seawall`, or `~/<fallback>/seawall`. Relative values are ignored, as the
/// specification demands.
fn base(variable: &str, fallback: &str) -> Result<PathBuf> {
    let folder = match absolute(variable) {
        Some(folder) => folder,
        None => absolute("HOME")
            .ok_or_else(|| {
                Failure::usage(anyhow!("neither {variable} nor HOME names a directory"))
                    .hint(format!("set {variable} to a directory for Seawall's files"))
            })?
            .join(fallback),
    };
    Ok(folder.join("seawall"))
}
