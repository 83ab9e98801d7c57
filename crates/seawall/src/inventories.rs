//! The stored inventories, one file each, named by the target so that a newer scan of it takes the
//! older one's place.

use crate::exit::{Failure, Result};
use crate::locations;
use anyhow::Context;
use seawall_model::Inventory;
use seawall_report::inventory;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Largest stored inventory that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Stores an inventory: beside its place first, then moved, so that a reader finds it whole.
pub(crate) fn store(inventory: &Inventory) -> Result<()> {
    let folder = locations::inventories()?;
    let path = folder.join(file_name(inventory));
    let write = || -> anyhow::Result<()> {
        fs::create_dir_all(&folder)?;
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = BufWriter::new(fs::File::create(&beside)?);
        inventory::write(inventory, &mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&beside, &path)?;
        Ok(())
    };
    tracing::info!(file = %path.display(), "storing the inventory");
    write()
        .with_context(|| format!("cannot store the inventory in {}", path.display()))
        .map_err(|error| Failure::usage(error).hint("scan with --no-store to go without"))
}

/// The stored inventories in the order of their files' names.
pub(crate) fn list() -> Result<Vec<PathBuf>> {
    let folder = locations::inventories()?;
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(Vec::new());
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    Ok(paths)
}

/// Reads a stored inventory.
pub(crate) fn load(path: &Path) -> Result<Inventory> {
    let read = || -> anyhow::Result<Inventory> {
        let size = fs::metadata(path)?.len();
        anyhow::ensure!(size <= MAX_BYTES, "it is larger than {MAX_BYTES} bytes");
        Ok(inventory::read(&fs::read(path)?)?)
    };
    read()
        .with_context(|| format!("cannot use the inventory {}", path.display()))
        .map_err(|error| {
            Failure::incomplete(error).hint("remove the file, or scan the target again")
        })
}

/// Kind and hash of the name: names hold slashes, and file systems limit their length.
fn file_name(inventory: &Inventory) -> String {
    let target = &inventory.target;
    let platform = target.platform.as_deref().unwrap_or_default();
    let hash = Sha256::digest(format!("{}\n{platform}", target.name));
    let hash: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}-{hash}.json", target.kind.name())
}
