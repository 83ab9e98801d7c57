//! The stored inventories, one file each, named by the target so that a newer scan of it takes the
//! older one's place: a file by where it lies, all else by its name. What came through a pipe has no
//! name of its own: it goes by its tags, else by its digest.

use crate::exit::{Failure, Result};
use crate::locations;
use anyhow::Context;
use seawall_model::{Inventory, Target};
use seawall_report::inventory;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Largest stored inventory that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Paths of pipes: standard input, and what shells make of `<(command)`.
const PIPES: &[&str] = &["/dev/stdin", "/dev/fd/", "/proc/self/fd/"];

/// Whether another scan of the same target could be told to be one.
pub(crate) fn is_nameable(inventory: &Inventory) -> bool {
    let target = &inventory.target;
    !is_pipe(target) || !target.tags.is_empty() || target.digest.is_some()
}

fn is_pipe(target: &Target) -> bool {
    let name = target.name.as_str();
    target.place.is_none() && (name == "-" || PIPES.iter().any(|pipe| name.starts_with(pipe)))
}

/// Stores an inventory.
pub(crate) fn store(inventory: &Inventory) -> Result<()> {
    let path = path(inventory, "json")?;
    tracing::info!(file = %path.display(), "storing the inventory");
    write_beside(&path, |out| Ok(inventory::write(inventory, out)?))
}

/// The file with the findings that a stored inventory had when it was last matched.
pub(crate) fn known(inventory: &Inventory) -> Result<PathBuf> {
    path(inventory, "known")
}

/// Writes a file beside its place first, and moves it, so that a reader finds it whole.
pub(crate) fn write_beside(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> Result<()> {
    let write = || -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_added_extension(format!("{}.new", std::process::id()));
        let mut file = BufWriter::new(fs::File::create(&beside)?);
        content(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&beside, path)?;
        Ok(())
    };
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
    bytes(path)
        .and_then(|bytes| Ok(inventory::read(&bytes)?))
        .with_context(|| format!("cannot use the inventory {}", path.display()))
        .map_err(|error| {
            Failure::incomplete(error).hint("remove the file, or scan the target again")
        })
}

/// The bytes of a stored file.
pub(crate) fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    anyhow::ensure!(size <= MAX_BYTES, "it is larger than {MAX_BYTES} bytes");
    Ok(fs::read(path)?)
}

/// Kind and hash of the name: names hold slashes, and file systems limit their length.
fn path(inventory: &Inventory, extension: &str) -> Result<PathBuf> {
    let target = &inventory.target;
    let platform = target.platform.as_deref().unwrap_or_default();
    let name = match (is_pipe(target), target.tags.as_slice()) {
        (false, _) => target.place.as_ref().unwrap_or(&target.name).clone(),
        (true, []) => format!("-\n{}", target.digest.as_deref().unwrap_or_default()),
        (true, tags) => format!("-\n{}", tags.join("\n")),
    };
    let hash = Sha256::digest(format!("{name}\n{platform}"));
    let hash: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(locations::inventories()?.join(format!("{}-{hash}.{extension}", target.kind.name())))
}
