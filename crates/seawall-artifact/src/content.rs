use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The bytes of one regular file, perhaps not read yet: a range of a seekable archive, or a buffer
/// filled from a stream. Cheap to clone and to send to another thread.
#[derive(Debug, Clone)]
pub struct Content(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Range {
        file: Arc<File>,
        start: u64,
        len: u64,
    },
    Memory(Arc<[u8]>),
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
        Self(Inner::Memory(bytes.into()))
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.0 {
            Inner::Range { len, .. } => *len,
            Inner::Memory(bytes) => bytes.len() as u64,
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
        match &self.0 {
            Inner::Memory(bytes) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let rest = bytes.get(start..).unwrap_or_default();
                let n = rest.len().min(buffer.len());
                buffer[..n].copy_from_slice(&rest[..n]);
                Ok(n)
            }
            Inner::Range { file, start, len } => {
                let rest = len.saturating_sub(offset);
                let want = buffer
                    .len()
                    .min(usize::try_from(rest).unwrap_or(usize::MAX));
                let mut done = 0;
                while done < want {
                    let at = start + offset + done as u64;
                    match file.read_at(&mut buffer[done..want], at) {
                        Ok(0) => break,
                        Ok(n) => done += n,
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        Err(e) => return Err(e),
                    }
                }
                Ok(done)
            }
        }
    }

    /// All bytes, for a file whose size the caller has checked against its own limit.
    ///
    /// # Errors
    /// As [`Content::read_at`]; `UnexpectedEof` if the file ends before its stated length.
    pub fn read_all(&self) -> io::Result<Arc<[u8]>> {
        match &self.0 {
            Inner::Memory(bytes) => Ok(bytes.clone()),
            Inner::Range { len, .. } => {
                let len = usize::try_from(*len).map_err(io::Error::other)?;
                let mut bytes = vec![0; len];
                let n = self.read_at(&mut bytes, 0)?;
                if n < len {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(bytes.into())
            }
        }
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
