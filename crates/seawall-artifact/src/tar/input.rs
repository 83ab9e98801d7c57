//! The two ways to get at an archive's bytes.

use crate::budget::Budget;
use crate::{Content, Error};
use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// Where an archive's bytes come from.
pub(crate) trait Input {
    /// At least `want` bytes from the current position, without moving on; fewer only at the end.
    fn fill(&mut self, want: usize) -> io::Result<&[u8]>;
    /// Moves on by bytes that [`Input::fill`] has shown.
    fn consume(&mut self, n: usize);
    /// Moves on, and returns by how much: less only at the end.
    fn skip(&mut self, n: u64) -> io::Result<u64>;
    /// Bytes from the begin.
    fn position(&self) -> u64;
    /// The next `len` bytes as a content.
    fn content(&mut self, len: u64, place: &str) -> Result<Content, Error>;
}

const MIN_WINDOW: usize = 1 << 10;
const MAX_WINDOW: usize = 64 << 10;

/// Positioned reads: contents are skipped for nothing. The window read around a header grows
/// while headers stand close together, and shrinks when files between them are large.
#[derive(Debug)]
pub(crate) struct Seekable {
    content: Content,
    position: u64,
    buffer: Vec<u8>,
    start: u64,
    len: usize,
    window: usize,
}

impl Seekable {
    pub(crate) fn new(content: Content) -> Self {
        Self {
            content,
            position: 0,
            buffer: Vec::new(),
            start: 0,
            len: 0,
            window: MIN_WINDOW,
        }
    }

    pub(crate) fn seek(&mut self, position: u64) {
        self.position = position;
    }

    pub(crate) fn available(&self, len: u64) -> Content {
        self.content.slice(self.position, len)
    }

    fn load(&mut self, want: usize) -> io::Result<()> {
        let end = self.start + self.len as u64;
        let gap = self.position.saturating_sub(end);
        self.window = if self.position >= self.start && gap < self.window as u64 {
            (self.window * 2).min(MAX_WINDOW)
        } else {
            (self.window / 2).max(MIN_WINDOW)
        };
        let size = self.window.max(want);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        self.start = self.position;
        self.len = 0;
        self.len = self
            .content
            .read_at(&mut self.buffer[..size], self.position)?;
        Ok(())
    }

    /// Index of the position in the buffer, if it is there with `want` bytes after it.
    fn buffered(&self, want: usize) -> Option<usize> {
        let at = usize::try_from(self.position.checked_sub(self.start)?).ok()?;
        (at.checked_add(want)? <= self.len).then_some(at)
    }
}

impl Input for Seekable {
    fn fill(&mut self, want: usize) -> io::Result<&[u8]> {
        let at = match self.buffered(want) {
            Some(at) => at,
            None => {
                self.load(want)?;
                0
            }
        };
        Ok(&self.buffer[at..self.len])
    }

    fn consume(&mut self, n: usize) {
        self.position += n as u64;
    }

    fn skip(&mut self, n: u64) -> io::Result<u64> {
        let n = n.min(self.content.len().saturating_sub(self.position));
        self.position += n;
        Ok(n)
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn content(&mut self, len: u64, place: &str) -> Result<Content, Error> {
        let content = self.content.slice(self.position, len);
        if content.len() < len {
            return Err(Error::Truncated {
                place: place.to_owned(),
                offset: self.content.len(),
            });
        }
        Ok(content)
    }
}

/// Bytes that pass once. Contents are copied to memory when asked for.
#[derive(Debug)]
pub(crate) struct Stream<R> {
    inner: R,
    position: u64,
    /// Bytes taken from `inner` ahead of the position, where one buffer of it was not enough.
    ahead: Vec<u8>,
    used: usize,
    file_bytes: u64,
    budget: Arc<Budget>,
}

impl<R: BufRead> Stream<R> {
    /// `file_bytes` is the most that a content may have.
    pub(crate) fn new(inner: R, file_bytes: u64, budget: Arc<Budget>) -> Self {
        Self {
            inner,
            position: 0,
            ahead: Vec::new(),
            used: 0,
            file_bytes,
            budget,
        }
    }

    fn ahead(&self) -> &[u8] {
        self.ahead.get(self.used..).unwrap_or_default()
    }
}

impl<R: BufRead> Input for Stream<R> {
    fn fill(&mut self, want: usize) -> io::Result<&[u8]> {
        if self.ahead().is_empty() {
            self.ahead.clear();
            self.used = 0;
            if retry(|| self.inner.fill_buf().map(<[u8]>::len))? >= want {
                return self.inner.fill_buf();
            }
        }
        while self.ahead().len() < want {
            let missing = want - self.ahead().len();
            retry(|| self.inner.fill_buf().map(<[u8]>::len))?;
            let bytes = self.inner.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let n = bytes.len().min(missing);
            self.ahead.extend_from_slice(&bytes[..n]);
            self.inner.consume(n);
        }
        Ok(self.ahead())
    }

    fn consume(&mut self, n: usize) {
        self.position += n as u64;
        let from_ahead = n.min(self.ahead().len());
        self.used += from_ahead;
        self.inner.consume(n - from_ahead);
    }

    fn skip(&mut self, n: u64) -> io::Result<u64> {
        let mut left = n;
        while left > 0 {
            let bytes = self.fill(1)?;
            if bytes.is_empty() {
                break;
            }
            let step = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(step);
            left -= step as u64;
        }
        Ok(n - left)
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn content(&mut self, len: u64, place: &str) -> Result<Content, Error> {
        let limit = |limit| Error::TooLarge {
            place: place.to_owned(),
            limit,
        };
        if len > self.file_bytes {
            return Err(limit(format!("{} bytes of one file", self.file_bytes)));
        }
        let lease = self.budget.lease(len).ok_or_else(|| {
            limit(format!(
                "{} bytes of files held in memory",
                self.budget.limit()
            ))
        })?;
        let len = usize::try_from(len).map_err(|_| limit("memory".to_owned()))?;
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, len).collect();
        let buffer = Arc::get_mut(&mut bytes).unwrap_or_default();
        let start = self.position;
        self.read_exact(buffer)
            .map_err(|error| Error::from_io(place, start, error))?;
        Ok(Content::held(bytes, [lease]))
    }
}

impl<R: BufRead> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill(1)?;
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

/// Again while a signal interrupts.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
