//! An image archive that passes as a stream: what the Docker daemon sends, and compressed archive
//! files. Layers are read as they pass, by the names of their files; which of them belong to the
//! image, and in which order, the manifest says, wherever it stands in the stream.

use crate::compression::{self, Compression, capped};
use crate::image::archive::plan;
use crate::image::files::{Files, Listing, MAX_FILES, Member};
use crate::image::resume::{Members, read_members};
use crate::image::saved::digest_of_file;
use crate::image::{Blob, Layer};
use crate::layer::{Outcome, read_stream};
use crate::path::normalize;
use crate::pipeline::{Hashing, join, read_ahead};
use crate::read::{Context, NoProgress};
use crate::tar::{Kind, Reader, Stream, is_header};
use crate::{Content, Error, LayerVisitor, Limits, Options, ReadArtifact};
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// An image archive as a stream, compressed or not.
pub(crate) struct SavedStream {
    /// For messages.
    pub(crate) place: String,
    /// Which image of several.
    pub(crate) reference: Option<String>,
    /// Bytes to expect, if known, for the progress.
    pub(crate) size: Option<u64>,
    /// The bytes.
    pub(crate) stream: Box<dyn Read + Send>,
    /// Tags that the sender knows, where the stream itself names none.
    pub(crate) tags: Vec<String>,
}

impl fmt::Debug for SavedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedStream")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// What has passed.
struct Passed<V> {
    members: Listing,
    /// Bytes of the files among them that are kept.
    kept_bytes: u64,
    layers: HashMap<String, (Option<V>, Outcome)>,
}

impl SavedStream {
    /// Reads the stream to its end.
    pub(crate) fn read<V: LayerVisitor>(
        self,
        new_visitor: &(dyn Fn() -> V + Sync),
        options: &Options,
        context: &Context<'_>,
    ) -> Result<ReadArtifact<V>, Error> {
        context.progress.total(self.size.unwrap_or(0));
        // Which of the layers somebody relies on shows when all have passed.
        let hash = options.verify.may_ask();
        let (mut passed, damage) = pass(&self.place, self.stream, hash, new_visitor, context);
        let files = Files::from_members(&self.place, std::mem::take(&mut passed.members));
        let plan = plan(&files, self.reference.as_deref(), damage, options)?;
        let mut info = plan.image.info;
        if info.tags.is_empty() {
            info.tags = self.tags;
        }
        let (mut incomplete, sound) = (plan.image.incomplete, plan.image.sound);
        let planned = plan.image.layers.into_iter().zip(plan.files);
        let read = planned.rev().map(|(layer, file)| {
            let passed = file.and_then(|file| passed.take(&file, new_visitor));
            let (visitor, outcome) = passed.unwrap_or_else(|| {
                let mut outcome = Outcome::default();
                if let Blob::Missing(why) = &layer.blob {
                    outcome.incomplete.push((**why).clone());
                }
                (new_visitor(), outcome)
            });
            (layer, visitor, outcome)
        });
        let read: Vec<_> = read.collect();
        let layers = read.into_iter().rev();
        let layers = layers
            .map(|(layer, visitor, outcome)| layer.read(visitor, outcome, sound, &mut incomplete))
            .collect();
        Ok(ReadArtifact {
            image: Some(info),
            layers,
            incomplete,
        })
    }
}

impl<V> Default for Passed<V> {
    fn default() -> Self {
        Self {
            members: Listing::default(),
            kept_bytes: 0,
            layers: HashMap::new(),
        }
    }
}

impl<V> Members for Passed<V> {
    fn have_manifest(&self) -> bool {
        self.members.have_manifest()
    }

    fn add_behind(&mut self, part: Self) {
        self.members.add_behind(part.members);
        self.kept_bytes = self.kept_bytes.saturating_add(part.kept_bytes);
        for (name, layer) in part.layers {
            self.layers.entry(name).or_insert(layer);
        }
    }
}

impl<V> Passed<V> {
    /// Whether one more file may be kept. They stay until the end, so that they must leave most of
    /// the memory to the layers: whoever asks for more than there is waits for others.
    fn may_keep(&self, bytes: u64, limits: &Limits) -> bool {
        self.kept_bytes.saturating_add(bytes) <= limits.held_bytes / 8
    }

    /// What the visitor of a layer's file saw. The file passed once and may be several layers: the
    /// topmost, which has the last word on what is in it, asks first and gets it, the others nothing.
    fn take(&mut self, file: &str, new_visitor: &(dyn Fn() -> V + Sync)) -> Option<(V, Outcome)> {
        let (visitor, outcome) = self.layers.get_mut(file)?;
        let outcome = Outcome {
            incomplete: std::mem::take(&mut outcome.incomplete),
            diff_id: outcome.diff_id.clone(),
            ..*outcome
        };
        Some((visitor.take().unwrap_or_else(new_visitor), outcome))
    }
}

fn pass<V: LayerVisitor>(
    place: &str,
    stream: Box<dyn Read + Send>,
    hash: bool,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> (Passed<V>, Option<Error>) {
    let limits = context.limits;
    let source = Hashing::new(stream, false, u64::MAX, context.progress);
    let drain = AtomicBool::new(true);
    // Every layer inside may be as large as a layer may be.
    let mut whole = limits.clone();
    whole.layer_bytes = limits
        .layer_bytes
        .saturating_mul(u64::from(limits.layers).max(1));
    let mut doubt = None;
    let (mut passed, damage) = std::thread::scope(|scope| {
        let (mut chunks, fetching) = read_ahead(scope, source, &drain);
        let mut decoding = None;
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
                return (Passed::default(), Some(Error::from_io(place, 0, error)));
            }
        };
        let input = Stream::new(tar, limits.metadata_bytes, context.budget.clone());
        // Also of files that turn out to be none of the archive's.
        let mut layers = 0;
        let mut reader = Reader::new(input, place);
        let (passed, damage) = read_members(&mut reader, &mut |reader, passed: &mut Passed<V>| {
            passed.members.check_room(place)?;
            if layers >= MAX_FILES {
                return Err(Error::Limit {
                    place: place.to_owned(),
                    limit: format!("{MAX_FILES} layers in an image archive"),
                });
            }
            let before = passed.layers.len();
            pass_member(reader, passed, hash, new_visitor, context)?;
            layers += passed.layers.len() - before;
            Ok(())
        });
        // After a failure the rest is not worth fetching.
        drain.store(damage.is_none(), Ordering::Relaxed);
        drop(reader);
        let decoded = decoding.map_or(Ok(()), |thread| join(thread).map(drop));
        let fetched = join(fetching).map(drop);
        let behind = |error| Error::from_io(&format!("{place}!end"), 0, error);
        let damage = damage.or_else(|| decoded.and(fetched).map_err(behind).err());
        (passed, damage)
    });
    if let Some(doubt) = doubt {
        let passed: &mut Passed<V> = &mut passed;
        passed.members.note(doubt.to_owned());
    }
    (passed, damage)
}

fn pass_member<V: LayerVisitor, R: BufRead + Send>(
    reader: &mut Reader<Stream<R>>,
    passed: &mut Passed<V>,
    hash: bool,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> Result<(), Error> {
    let name = normalize(&reader.member().path);
    let member = match reader.member().kind {
        // Programs that write images leave no holes.
        Kind::File if reader.member().is_sparse() => {
            passed.members.note(format!(
                "{name} is a sparse file, which cannot be read as it passes"
            ));
            Member::Passed
        }
        Kind::File => {
            let mut begin = [0; 512];
            let n = reader.peek(&mut begin)?;
            let begin = &begin[..n];
            // A layer of an instruction that changed nothing has no header, only zeros.
            let is_empty = begin.iter().all(|byte| *byte == 0);
            if is_empty || Compression::detect(begin).is_some() || is_header(begin) {
                let (visitor, outcome) = pass_layer(reader, &name, hash, new_visitor, context);
                let read = (Some(visitor), outcome);
                passed.layers.insert(name.clone(), read);
                Member::Passed
            } else if is_metadata(&name, begin)
                && passed.may_keep(reader.member().size, context.limits)
            {
                match reader.content() {
                    Ok(content) => {
                        passed.kept_bytes += content.len();
                        Member::File(content)
                    }
                    // Bills of materials beside the image, mostly. If it is needed all the same, that
                    // is told when it is asked for.
                    Err(Error::TooLarge { .. }) => Member::Passed,
                    Err(error) => return Err(error),
                }
            } else {
                Member::Passed
            }
        }
        Kind::Symlink => passed.members.symlink(&name, &reader.member().link),
        Kind::HardLink => passed.members.hard_link(&name, &reader.member().link),
        Kind::Directory | Kind::Other => return Ok(()),
    };
    passed.members.insert(name, member);
    Ok(())
}

/// Whether a file can be a manifest, index or configuration.
fn is_metadata(name: &str, begin: &[u8]) -> bool {
    let json = begin
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| matches!(byte, b'{' | b'['));
    json || name == "repositories"
}

fn pass_layer<V: LayerVisitor, R: BufRead + Send>(
    reader: &mut Reader<Stream<R>>,
    name: &str,
    hash: bool,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> (V, Outcome) {
    let layer = Layer {
        place: format!("{}!{name}", reader.place()),
        digest: digest_of_file(name),
        diff_id: None,
        told_size: None,
        created_by: None,
        blob: Blob::Content(Content::from_bytes([])),
    };
    let mut visitor = new_visitor();
    let (input, len) = reader.content_input();
    // Layers inside the stream are counted by the stream's own progress.
    let inner = Context {
        limits: context.limits,
        budget: context.budget.clone(),
        tally: context.tally.clone(),
        progress: &NoProgress,
    };
    let bytes = input.by_ref().take(len);
    let outcome = read_stream(&layer, bytes, None, hash, &mut visitor, &inner);
    let outcome = Outcome {
        stored: Some(len),
        ..outcome
    };
    (visitor, outcome)
}
