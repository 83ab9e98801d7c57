//! Work on a stream spread over threads: one fetches and hashes, one decompresses, one reads what
//! comes out, with a few buffers between each two.

use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

/// Size of a buffer between two threads.
const CHUNK: usize = 256 << 10;
/// Buffers under way between two threads.
const AHEAD: usize = 4;

/// The reading end of a thread that reads ahead.
pub(crate) struct Chunks {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    used: usize,
    /// What ended the bytes before their end.
    failed: Option<Failure>,
}

/// An error that may be told more than once.
type Failure = (io::ErrorKind, String);

/// What a thread that read ahead leaves behind.
pub(crate) struct Finished<R> {
    source: R,
    /// What ended the reading before the end. The reader of the bytes is told too, but may have had
    /// all that it wanted by then.
    error: Option<Failure>,
}

/// The source that a thread has read to its end, or what kept it from that.
pub(crate) fn join<R>(thread: ScopedJoinHandle<'_, Finished<R>>) -> io::Result<R> {
    let Ok(finished) = thread.join() else {
        return Err(io::Error::other("it could not be read to its end"));
    };
    match finished.error {
        Some((kind, message)) => Err(io::Error::new(kind, message)),
        None => Ok(finished.source),
    }
}

/// Starts a thread that reads `source`. When nobody takes the bytes any more, it reads on to the
/// end only while `drain` says so.
pub(crate) fn read_ahead<'scope, R>(
    scope: &'scope Scope<'scope, '_>,
    mut source: R,
    drain: &'scope AtomicBool,
) -> (Chunks, ScopedJoinHandle<'scope, Finished<R>>)
where
    R: Read + Send + 'scope,
{
    let (full_in, full) = bounded(AHEAD);
    let (empty, empty_out) = bounded::<Vec<u8>>(AHEAD + 2);
    let thread = scope.spawn(move || {
        let mut wanted = true;
        let mut spare = None;
        let mut told = None;
        while wanted || drain.load(Ordering::Relaxed) {
            let mut chunk = spare
                .take()
                .or_else(|| empty_out.try_recv().ok())
                .unwrap_or_default();
            let result = fill_chunk(&mut source, &mut chunk);
            let ended = !matches!(result, Ok(true));
            if wanted && !chunk.is_empty() {
                wanted = full_in.send(Ok(std::mem::take(&mut chunk))).is_ok();
            }
            if !wanted {
                spare = Some(chunk);
            }
            if let Err(error) = result {
                told = Some((error.kind(), error.to_string()));
                // Nobody left to tell is fine: it is told to who joins the thread.
                drop(full_in.send(Err(error)));
            }
            if ended {
                break;
            }
        }
        Finished {
            source,
            error: told,
        }
    });
    let chunks = Chunks {
        full,
        empty,
        chunk: Vec::new(),
        used: 0,
        failed: None,
    };
    (chunks, thread)
}

/// Reads a chunk full, and says whether there may be more. What came before an error is kept.
fn fill_chunk(source: &mut impl Read, chunk: &mut Vec<u8>) -> io::Result<bool> {
    chunk.resize(CHUNK, 0);
    let mut len = 0;
    let more = loop {
        match source.read(&mut chunk[len..]) {
            Ok(0) => break Ok(false),
            Ok(n) => len += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
        if len == CHUNK {
            break Ok(true);
        }
    };
    chunk.truncate(len);
    more
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.chunk.len() {
            // Whoever reads on after an error must not take it for the end.
            if let Some((kind, message)) = &self.failed {
                return Err(io::Error::new(*kind, message.clone()));
            }
            if let Ok(next) = self.full.recv() {
                let next = next
                    .inspect_err(|error| self.failed = Some((error.kind(), error.to_string())))?;
                self.used = 0;
                let old = std::mem::replace(&mut self.chunk, next);
                // The thread may have ended and want no buffers any more.
                drop(self.empty.try_send(old));
            }
        }
        Ok(&self.chunk[self.used..])
    }

    fn consume(&mut self, n: usize) {
        self.used = (self.used + n).min(self.chunk.len());
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

/// Hashes what passes, and reports it as progress.
pub(crate) struct Hashing<'a, R> {
    inner: R,
    hash: Option<Sha256>,
    ended: bool,
    left: u64,
    progress: &'a dyn crate::Progress,
}

impl<'a, R: Read> Hashing<'a, R> {
    /// Hashes only if `hash`; gives up the end of what is longer than `most` bytes.
    pub(crate) fn new(inner: R, hash: bool, most: u64, progress: &'a dyn crate::Progress) -> Self {
        Self {
            inner,
            hash: hash.then(Sha256::new),
            ended: false,
            left: most,
            progress,
        }
    }

    /// The digest (`sha256:...`) of all bytes, if all were read.
    pub(crate) fn digest(self) -> Option<String> {
        let hash = self.hash.filter(|_| self.ended)?;
        Some(format!("sha256:{}", hex::encode(hash.finalize())))
    }
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let n = self.inner.read(&mut buffer[..most])?;
        self.ended = n == 0 && most > 0;
        self.left -= n as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..n]);
        }
        self.progress.advance(n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few bytes, then an error.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                false => io::repeat(7).take(3).read(buffer),
                true => Err(io::Error::new(io::ErrorKind::InvalidData, "broken")),
            }
        }
    }

    #[test]
    fn bytes_before_an_error_came_again_behind_it() {
        let drain = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (mut chunks, thread) = read_ahead(scope, Broken(false), &drain);
            let mut bytes = Vec::new();
            for _ in 0..3 {
                let error = chunks.read_to_end(&mut bytes).unwrap_err();
                assert_eq!(error.to_string(), "broken");
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                assert_eq!(bytes, [7; 3]);
            }
            assert!(join(thread).is_err());
        });
    }
}
