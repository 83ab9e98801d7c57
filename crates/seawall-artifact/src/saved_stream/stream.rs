//! The threads between a stream and the archive in it.

use crate::Error;
use crate::compression::{self, Compression, capped};
use crate::pipeline::{Hashing, join, read_ahead};
use crate::read::Context;
use crate::tar::{Reader, Stream};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// A reader of an image archive at the end of the threads.
pub(super) type ArchiveReader<'a> = Reader<Stream<Box<dyn BufRead + Send + 'a>>>;

/// Whether the bytes behind what was read are fetched, too: only at their end shows whether the
/// stream was whole, and its sender is content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Wanted,
    Unwanted,
}

/// Reads what it wants of an archive.
pub(super) type ReadSome<'a, T> =
    dyn FnMut(&mut ArchiveReader<'_>) -> (T, Result<Rest, Error>) + 'a;

/// What came of reading an archive.
pub(super) struct ReadArchive<T> {
    pub(super) result: T,
    pub(super) damage: Option<Error>,
    /// See [`compression::doubt`].
    pub(super) doubt: Option<&'static str>,
}

/// Decompresses `stream` in threads of its own and has the archive in it read.
pub(super) fn with_archive<T: Default>(
    place: &str,
    stream: Box<dyn Read + Send>,
    context: &Context<'_>,
    read: &mut ReadSome<'_, T>,
) -> ReadArchive<T> {
    let limits = context.limits;
    let source = Hashing::new(stream, false, u64::MAX, context.progress);
    let drain = AtomicBool::new(true);
    // Every layer inside may be as large as a layer may be.
    let mut whole = limits.clone();
    whole.layer_bytes = limits
        .layer_bytes
        .saturating_mul(u64::from(limits.layers).max(1));
    std::thread::scope(|scope| {
        let (mut chunks, fetching) = read_ahead(scope, source, &drain);
        let mut decoding = None;
        let mut doubt = None;
        let tar = chunks
            .fill_buf()
            .and_then(|begin| match begin {
                [] => Err(io::Error::other(Error::Empty {
                    place: place.to_owned(),
                })),
                begin => {
                    doubt = compression::doubt(begin);
                    Ok(Compression::detect(begin))
                }
            })
            .and_then(|format| {
                let tar: Box<dyn BufRead + Send> = match format {
                    None => Box::new(BufReader::new(capped(chunks, &whole, place))),
                    Some(format) => {
                        let decoder = format.decoder(chunks, &whole, place)?;
                        let (chunks, thread) = read_ahead(scope, decoder, &drain);
                        decoding = Some(thread);
                        Box::new(chunks)
                    }
                };
                Ok(tar)
            });
        let tar = match tar {
            Ok(tar) => tar,
            Err(error) => {
                drain.store(false, Ordering::Relaxed);
                return ReadArchive {
                    result: T::default(),
                    damage: Some(Error::from_io(place, 0, error)),
                    doubt: None,
                };
            }
        };
        let input = Stream::new(tar, limits.metadata_bytes, context.budget.clone());
        let mut reader = Reader::new(input, place);
        let (result, rest) = read(&mut reader);
        // After a failure the rest is not worth fetching.
        drain.store(matches!(rest, Ok(Rest::Wanted)), Ordering::Relaxed);
        drop(reader);
        let decoded = decoding.map_or(Ok(()), |thread| join(thread).map(drop));
        let fetched = join(fetching).map(drop);
        let behind = |error| Error::from_io(&format!("{place}!end"), 0, error);
        ReadArchive {
            result,
            damage: rest
                .and_then(|_| decoded.and(fetched).map_err(behind))
                .err(),
            doubt,
        }
    })
}
