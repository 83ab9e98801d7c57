//! Where Seawall keeps its files (XDG Base Directory specification).

use crate::exit::{Failure, Result};
use anyhow::anyhow;
use std::env;
use std::path::PathBuf;

/// The advisory database that scans use.
pub(crate) fn database() -> Result<PathBuf> {
    Ok(data()?.join("advisories.db"))
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

/// `$VARIABLE/seawall`, or `~/<fallback>/seawall`. Relative values are ignored, as the
/// specification demands.
fn base(variable: &str, fallback: &str) -> Result<PathBuf> {
    let named = env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let folder = match named {
        Some(folder) => folder,
        None => PathBuf::from(env::var_os("HOME").ok_or_else(|| {
            Failure::usage(anyhow!("neither {variable} nor HOME is set"))
                .hint(format!("set {variable} to a directory for Seawall's files"))
        })?)
        .join(fallback),
    };
    Ok(folder.join("seawall"))
}
