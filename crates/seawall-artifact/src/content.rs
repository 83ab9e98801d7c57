use crate::beneath::LazyFile;
use crate::budget::Lease;
use crate::sparse::SparseMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The bytes of one regular file, perhaps not read yet: a range of a seekable archive, a buffer
/// filled from a stream, or a file of a directory that is opened when it is first read. Cheap to
/// clone and to send to another thread.
#[derive(Debug, Clone)]
pub struct Content(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Range {
        file: Arc<File>,
        start: u64,
        len: u64,
    },
    Memory {
        bytes: Arc<[u8]>,
        start: usize,
        end: usize,
        // Gives the bytes' share of the memory budget back when the last clone is gone.
        _lease: Arc<[Lease]>,
    },
    Lazy {
        file: Arc<LazyFile>,
        len: u64,
    },
    Sparse {
        stored: Box<Content>,
        map: Arc<SparseMap>,
    },
}

impl Content {
    /// `len` bytes of `file` from `start`.
    #[must_use]
    pub fn from_range(file: Arc<File>, start: u64, len: u64) -> Self {
        Self(Inner::Range { file, start, len })
    }

    /// Bytes in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::held(bytes.into(), [])
    }

    /// Bytes in memory with their share of the budget.
    pub(crate) fn held(bytes: Arc<[u8]>, lease: impl Into<Arc<[Lease]>>) -> Self {
        Self(Inner::Memory {
            start: 0,
            end: bytes.len(),
            bytes,
            _lease: lease.into(),
        })
    }

    /// A file below a directory, opened at the first read.
    pub(crate) fn lazy(file: LazyFile, len: u64) -> Self {
        Self(Inner::Lazy {
            file: Arc::new(file),
            len,
        })
    }

    /// The stored parts of a sparse file, with zeros between them.
    pub(crate) fn sparse(stored: Content, map: Arc<SparseMap>) -> Self {
        Self(Inner::Sparse {
            stored: Box::new(stored),
            map,
        })
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.0, Inner::Memory { .. })
    }

    /// The part from `start` of up to `len` bytes; less where there is less.
    pub(crate) fn slice(&self, from: u64, len: u64) -> Self {
        let from = from.min(self.len());
        let len = len.min(self.len() - from);
        match &self.0 {
            Inner::Range { file, start, .. } => {
                Self::from_range(Arc::clone(file), start.saturating_add(from), len)
            }
            Inner::Memory {
                bytes,
                start,
                _lease,
                ..
            } => {
                // Both fit: they lie within a buffer in memory.
                let start = start + usize::try_from(from).unwrap_or(0);
                Self(Inner::Memory {
                    bytes: Arc::clone(bytes),
                    start,
                    end: start + usize::try_from(len).unwrap_or(0),
                    _lease: Arc::clone(_lease),
                })
            }
            Inner::Lazy { .. } | Inner::Sparse { .. } => {
                let one = [crate::sparse::Segment {
                    offset: 0,
                    stored: from,
                    len,
                }];
                Self::sparse(self.clone(), Arc::new(SparseMap::from_parts(one, len)))
            }
        }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.0 {
            Inner::Range { len, .. } | Inner::Lazy { len, .. } => *len,
            Inner::Memory { start, end, .. } => (end - start) as u64,
            Inner::Sparse { map, .. } => map.size(),
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end.
    ///
    /// # Errors
    /// What the operating system says of the underlying file.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.len().saturating_sub(offset);
        let want = buffer
            .len()
            .min(usize::try_from(rest).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..want];
        match &self.0 {
            Inner::Memory {
                bytes, start, end, ..
            } => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = bytes
                    .get(*start..*end)
                    .and_then(|bytes| bytes.get(from..))
                    .unwrap_or_default();
                let n = rest.len().min(buffer.len());
                buffer[..n].copy_from_slice(&rest[..n]);
                Ok(n)
            }
            Inner::Range { file, start, .. } => {
                read_file_at(file, buffer, start.saturating_add(offset))
            }
            Inner::Lazy { file, .. } => read_file_at(file.get()?, buffer, offset),
            Inner::Sparse { stored, map } => map.read_at(stored, buffer, offset),
        }
    }

    /// All bytes, for a file whose size the caller has checked against its own limit.
    ///
    /// # Errors
    /// As [`Content::read_at`]; `UnexpectedEof` if the file ends before its stated length.
    pub fn read_all(&self) -> io::Result<Arc<[u8]>> {
        if let Inner::Memory {
            bytes, start, end, ..
        } = &self.0
            && *start == 0
            && *end == bytes.len()
        {
            return Ok(Arc::clone(bytes));
        }
        let len = usize::try_from(self.len()).map_err(io::Error::other)?;
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, len).collect();
        // Just made, so nobody else has it.
        let buffer = Arc::get_mut(&mut bytes).ok_or(io::ErrorKind::Other)?;
        if self.read_at(buffer, 0)? < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    /// A reader over the bytes with its own position.
    #[must_use]
    pub fn reader(&self) -> ContentReader {
        ContentReader {
            content: self.clone(),
            position: 0,
        }
    }
}

/// Fills the buffer as far as the file goes.
fn read_file_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// Reads a [`Content`] from any position. Unbuffered.
#[derive(Debug, Clone)]
pub struct ContentReader {
    content: Content,
    position: u64,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read_at(buffer, self.position)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for ContentReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.content.len().checked_add_signed(n),
            SeekFrom::Current(n) => self.position.checked_add_signed(n),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
