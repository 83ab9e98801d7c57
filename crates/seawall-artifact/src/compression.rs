//! Compression formats: told by their magic numbers, undone under [`Limits`]. The one place where
//! decompressors are made.

use crate::tar::is_header;
use crate::{Error, Limits};
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A compression format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// RFC 1952, several members too; estargz is such a file.
    Gzip,
    /// RFC 8878, several frames and skippable frames too.
    Zstd,
    /// The .xz file format 1.2.
    Xz,
    /// bzip2.
    Bzip2,
}

/// Bytes needed by [`Compression::detect`].
pub(crate) const MAGIC_LEN: usize = 6;

/// Why programs may take bytes for a tar file, or for nothing, that we take for compressed ones, if
/// they may.
pub(crate) fn doubt(begin: &[u8]) -> Option<&'static str> {
    if is_skippable_frame(begin) {
        return Some(
            "it begins with a skippable frame of zstd, which other programs do not know for one",
        );
    }
    // Not every runtime knows xz and bzip2, and containerd goes by the media type first.
    let is_also_tar = Compression::detect(begin).is_some() && is_header(begin);
    is_also_tar.then_some("it begins both as compressed bytes and as a tar file")
}

/// Whether zstd's content begins with a frame that is no content (RFC 8878, 3.1.2).
fn is_skippable_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [low, 0x2a, 0x4d, 0x18, ..] if low & 0xf0 == 0x50)
}

/// Memory that an xz dictionary may take: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

impl Compression {
    /// The format of what begins with these bytes; `None` if it is not compressed.
    pub(crate) fn detect(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            bytes if is_skippable_frame(bytes) => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ => None,
        }
    }

    /// What is left of a file's name without the format's suffix.
    pub(crate) fn strip_suffix(self, name: &str) -> String {
        let (suffixes, tar): (&[&str], &[&str]) = match self {
            Self::Gzip => (&[".gz", ".z"], &[".tgz"]),
            Self::Zstd => (&[".zst", ".zstd"], &[".tzst"]),
            Self::Xz => (&[".xz"], &[".txz"]),
            Self::Bzip2 => (&[".bz2"], &[".tbz2", ".tbz"]),
        };
        let strip = |list: &[&str]| {
            list.iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .map(str::to_owned)
        };
        strip(suffixes)
            .or_else(|| strip(tar).map(|stem| stem + ".tar"))
            .unwrap_or_else(|| name.to_owned())
    }

    /// The decompressed bytes, until a limit is hit.
    #[expect(
        clippy::disallowed_methods,
        reason = "decompressors are made here, under the limits"
    )]
    pub(crate) fn decoder<'a>(
        self,
        compressed: impl BufRead + Send + 'a,
        limits: &Limits,
        place: &str,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let counted = Arc::new(AtomicU64::new(0));
        let input = Counting {
            inner: compressed,
            count: Arc::clone(&counted),
        };
        let decoder: Box<dyn Read + Send + 'a> = match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
            Self::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(
                    XZ_MEMORY,
                    liblzma::stream::CONCATENATED,
                )?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream))
            }
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        };
        Ok(Box::new(Capped {
            inner: decoder,
            compressed: Some(counted),
            produced: 0,
            bytes: limits.layer_bytes,
            ratio: limits.ratio,
            ratio_free_bytes: limits.ratio_free_bytes,
            place: place.to_owned(),
        }))
    }
}

/// Bytes as they come, until [`Limits::layer_bytes`] is hit.
pub(crate) fn capped<'a>(
    inner: impl Read + Send + 'a,
    limits: &Limits,
    place: &str,
) -> impl Read + Send + 'a {
    Capped {
        inner,
        compressed: None,
        produced: 0,
        bytes: limits.layer_bytes,
        ratio: limits.ratio,
        ratio_free_bytes: limits.ratio_free_bytes,
        place: place.to_owned(),
    }
}

/// Counts what a decompressor takes.
struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        self.inner.consume(n);
    }
}

/// Ends with an error when too much comes out.
struct Capped<R> {
    inner: R,
    compressed: Option<Arc<AtomicU64>>,
    produced: u64,
    bytes: u64,
    ratio: u64,
    ratio_free_bytes: u64,
    place: String,
}

impl<R: Read> Capped<R> {
    fn exceeded(&self, limit: String) -> io::Error {
        io::Error::other(Error::Limit {
            place: self.place.clone(),
            limit,
        })
    }

    fn ratio_exceeded(&self) -> bool {
        let Some(compressed) = &self.compressed else {
            return false;
        };
        let allowed = compressed
            .load(Ordering::Relaxed)
            .saturating_mul(self.ratio);
        self.produced.saturating_sub(self.ratio_free_bytes) > allowed
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes - self.produced).unwrap_or(usize::MAX);
        if left == 0 {
            // Up to the limit all is well; only more is too much.
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(self.exceeded(format!("{} uncompressed bytes", self.bytes))),
            };
        }
        let most = left.min(buffer.len());
        let n = self.inner.read(&mut buffer[..most])?;
        self.produced += n as u64;
        if self.ratio_exceeded() {
            return Err(self.exceeded(format!(
                "{} uncompressed bytes for each compressed byte",
                self.ratio
            )));
        }
        Ok(n)
    }
}
