//! Files of the machine that are read whole, under a limit: configurations, certificates, metadata.

use crate::Error;
use rustix::fs::{Mode, OFlags};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file, with its length. A pipe is not waited for, but refused.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok((file, metadata.len())),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// All of a file of at most `limit` bytes; a larger one is refused.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let place = path.display().to_string();
    let mut bytes = Vec::new();
    let read =
        open(path).and_then(|(file, _)| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    match read {
        Ok(len) if len as u64 > limit => Err(Error::Limit {
            place,
            limit: format!("{limit} bytes of metadata"),
        }),
        Ok(_) => Ok(bytes),
        Err(source) => Err(Error::Io { place, source }),
    }
}

/// As [`read`]; `None` if there is no such file.
pub(super) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    match read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a configuration in TOML; `None` if there is no such file.
pub(super) fn read_toml<T: DeserializeOwned>(path: &Path, limit: u64) -> Result<Option<T>, Error> {
    let Some(bytes) = read_if_there(path, limit)? else {
        return Ok(None);
    };
    let read = toml::from_str(&String::from_utf8_lossy(&bytes));
    read.map(Some).map_err(|error| Error::Corrupt {
        place: path.display().to_string(),
        offset: error.span().map_or(0, |span| span.start as u64),
        message: error.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_too_large_was_cut_off_in_silence() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(read_if_there(&path, 4).unwrap(), None);
        std::fs::write(&path, "1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        let error = read(&path, 3).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error}");
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_was_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(read(&path, 4).is_err());
        assert!(read(directory.path(), 4).is_err());
    }
}
