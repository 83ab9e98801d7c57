//! The only place of this crate that maps memory.

use super::DatabaseError;
use memmap2::Mmap;
use std::fs::File;
use std::path::Path;

/// Where the bytes of a database are.
pub(crate) enum Backing {
    /// A mapped file.
    Mapped(Mmap),
    /// Memory: a database just built or fetched.
    Memory(Vec<u8>),
}

impl Backing {
    /// Maps a file for reading.
    ///
    /// # Errors
    /// It cannot be opened or mapped, or is no regular file.
    #[expect(
        unsafe_code,
        reason = "mapping a file is how a database of any size opens in no time; see SAFETY"
    )]
    pub(crate) fn map(path: &Path) -> Result<Self, DatabaseError> {
        let error = |action| {
            move |source| DatabaseError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        // Not after opening it: that waits for whoever writes to a pipe.
        let is_file = std::fs::metadata(path).map_err(error("open"))?.is_file();
        let file = match is_file {
            true => File::open(path).map_err(error("open"))?,
            false => return Err(DatabaseError::NoFile.of_file(path)),
        };
        // SAFETY: a mapping is sound while nobody changes the file under it. Seawall never writes
        // a database in place: `write_file` makes a new file and renames it over the old name, so
        // the mapped inode keeps its bytes until the last mapping is gone. Somebody else with
        // write permission could still change the file, just as they could change the program;
        // cutting it short would end the process with SIGBUS. Every value read from the mapping is
        // copied or bounds-checked, so changed bytes can give wrong answers but break no memory
        // outside of the mapping; text is checked to be UTF-8 at the moment of decoding.
        let map = unsafe { Mmap::map(&file) }.map_err(error("map"))?;
        Ok(Self::Mapped(map))
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Memory(bytes) => bytes,
        }
    }
}
