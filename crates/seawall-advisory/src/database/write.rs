use super::DatabaseError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Puts a database in its place: written beside it, flushed to the disk, then renamed over the
/// name. On any failure the old file stays as it is, and readers that have it mapped keep it.
///
/// # Errors
/// The directory cannot be made or written to.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), DatabaseError> {
    let error = |source| DatabaseError::Io {
        path: path.to_owned(),
        action: "write",
        source,
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).map_err(error)?;
    let temporary = temporary_name(path).map_err(error)?;
    let written = write_and_rename(&temporary, path, bytes);
    if written.is_err() {
        // Best effort: the half-written file is of no use, and its name is ours alone.
        drop(fs::remove_file(&temporary));
    }
    written.map_err(error)?;
    // The new name must survive a power cut as well.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(error)
}

fn write_and_rename(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

/// A name in the same directory that no other process uses, not even one with the same number in
/// another container.
fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.partial", hex::encode(random)));
    Ok(path.with_file_name(name))
}
