use super::DatabaseError;
use super::layout::MAGIC;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Puts a database in its place: written beside it, flushed to the disk, then renamed over the
/// name. On any failure the old file stays as it is, and readers that have it mapped keep it. Behind
/// a symbolic link, what it points to is replaced.
///
/// # Errors
/// The directory cannot be made or written to; or what is there is something else than a database.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), DatabaseError> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let path = place.as_path();
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
    if !may_be_replaced(path).map_err(error)? {
        return Err(DatabaseError::InTheWay {
            path: path.to_owned(),
        });
    }
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

/// Whether nothing is there, an empty file, or a database in whatever state.
fn may_be_replaced(path: &Path) -> io::Result<bool> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        found => found?,
    };
    if !found.is_file() {
        return Ok(false);
    }
    let mut begin = Vec::new();
    File::open(path)?
        .take(MAGIC.len() as u64)
        .read_to_end(&mut begin)?;
    Ok(MAGIC.starts_with(&begin))
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
