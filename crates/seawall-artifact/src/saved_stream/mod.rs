//! An image archive that passes as a stream: what the Docker daemon sends, and compressed archive
//! files. Layers are read as they pass, by the names of their files; which of them belong to the
//! image, and in which order, the manifest says, wherever it stands in the stream.

mod stream;

use crate::compression::Compression;
use crate::image::archive::plan;
use crate::image::files::{Files, Listing, MAX_FILES, Member};
use crate::image::resume::{Members, read_members};
use crate::image::saved::digest_of_file;
use crate::image::{Blob, Layer};
use crate::layer::{Outcome, Reopen, read_first, read_links};
use crate::path::normalize;
use crate::read::Context;
use crate::second_pass::{Room, SecondPass};
use crate::tar::{Kind, is_header};
use crate::{Content, Error, LayerVisitor, Limits, Options, ReadArtifact};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::Read;
use stream::{ArchiveReader, Rest, with_archive};

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
    /// Gets the same bytes once more, where that can be done.
    pub(crate) again: Option<Box<Reopen<'static>>>,
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
    layers: HashMap<String, PassedLayer<V>>,
}

/// A layer that has passed.
struct PassedLayer<V> {
    layer: Layer,
    /// Where its header stands in the archive: a name may be there twice.
    offset: u64,
    /// What saw it; nothing once it was taken.
    visitor: Option<V>,
    outcome: Outcome,
    /// Hard links whose contents had passed before them.
    links: SecondPass,
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
        if let Some(again) = &self.again {
            let files = plan.files.iter().flatten().map(String::as_str).collect();
            passed.read_links(&self.place, &files, again, context);
        }
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

    /// Reads those of `files` once more which have hard links whose contents had passed before them.
    fn read_links(
        &mut self,
        place: &str,
        files: &HashSet<&str>,
        again: &Reopen<'_>,
        context: &Context<'_>,
    ) where
        V: LayerVisitor,
    {
        loop {
            let layers = self.layers.iter_mut().filter(|(file, layer)| {
                files.contains(file.as_str()) && layer.links.is_worth_a_pass()
            });
            let mut layers: HashMap<u64, &mut PassedLayer<V>> =
                layers.map(|(_, layer)| (layer.offset, layer)).collect();
            if layers.is_empty() {
                return;
            }
            let mut read = |reader: &mut ArchiveReader<'_>| {
                let read = read_links_of(&mut layers, reader, context);
                ((), read.map(|()| Rest::Unwanted))
            };
            let read = again().and_then(|stream| {
                let read = with_archive(place, stream, context, &mut read);
                read.damage.map_or(Ok(()), Err)
            });
            let error = read.err().unwrap_or_else(|| Error::Corrupt {
                place: place.to_owned(),
                offset: 0,
                message: "it was another archive when it was read once more".to_owned(),
            });
            for layer in layers.into_values() {
                layer.outcome.lose_links(&mut layer.links, &error);
            }
        }
    }

    /// What the visitor of a layer's file saw. The file passed once and may be several layers: the
    /// topmost, which has the last word on what is in it, asks first and gets it, the others nothing.
    fn take(&mut self, file: &str, new_visitor: &(dyn Fn() -> V + Sync)) -> Option<(V, Outcome)> {
        let passed = self.layers.get_mut(file)?;
        let links = std::mem::take(&mut passed.links);
        passed.outcome.note(links.finish(&passed.layer.place));
        let outcome = Outcome {
            incomplete: std::mem::take(&mut passed.outcome.incomplete),
            diff_id: passed.outcome.diff_id.clone(),
            ..passed.outcome
        };
        Some((passed.visitor.take().unwrap_or_else(new_visitor), outcome))
    }
}

/// Reads the stream for the first time.
fn pass<V: LayerVisitor>(
    place: &str,
    stream: Box<dyn Read + Send>,
    hash: bool,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> (Passed<V>, Option<Error>) {
    // Also of files that turn out to be none of the archive's.
    let mut layers = 0;
    let mut room = Room {
        contents: context.limits.held_bytes / 8,
        ..Room::NAMES
    };
    let mut read = |reader: &mut ArchiveReader<'_>| {
        let (passed, damage) = read_members(reader, &mut |reader, passed: &mut Passed<V>| {
            passed.members.check_room(place)?;
            if layers >= MAX_FILES {
                return Err(Error::Limit {
                    place: place.to_owned(),
                    limit: format!("{MAX_FILES} layers in an image archive"),
                });
            }
            if let Some(layer) = pass_member(reader, passed, hash, room, new_visitor, context)? {
                layers += 1;
                room.names = room.names.saturating_sub(layer.links.names());
            }
            Ok(())
        });
        (passed, damage.map_or(Ok(Rest::Wanted), Err))
    };
    let mut read = with_archive(place, stream, context, &mut read);
    if let Some(doubt) = read.doubt {
        read.result.members.note(doubt.to_owned());
    }
    (read.result, read.damage)
}

/// Reads a member, and gives the layer that it is, if it is one.
fn pass_member<'a, V: LayerVisitor>(
    reader: &mut ArchiveReader<'_>,
    passed: &'a mut Passed<V>,
    hash: bool,
    room: Room,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> Result<Option<&'a PassedLayer<V>>, Error> {
    let name = normalize(&reader.member().path);
    let mut layer = None;
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
                layer = Some(pass_layer(reader, &name, hash, room, new_visitor, context));
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
        Kind::Directory | Kind::Other => return Ok(None),
    };
    passed.members.insert(name.clone(), member);
    Ok(layer.map(|layer| &*passed.layers.entry(name).insert_entry(layer).into_mut()))
}

/// Whether a file can be a manifest, index or configuration.
fn is_metadata(name: &str, begin: &[u8]) -> bool {
    let json = begin
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| matches!(byte, b'{' | b'['));
    json || name == "repositories"
}

/// Reads a layer as it passes.
fn pass_layer<V: LayerVisitor>(
    reader: &mut ArchiveReader<'_>,
    name: &str,
    hash: bool,
    room: Room,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> PassedLayer<V> {
    let layer = Layer {
        place: format!("{}!{name}", reader.place()),
        digest: digest_of_file(name),
        diff_id: None,
        told_size: None,
        created_by: None,
        blob: Blob::Content(Content::from_bytes([])),
    };
    let offset = reader.member().offset;
    let mut visitor = new_visitor();
    let mut links = SecondPass::new(room);
    let (input, len) = reader.content_input();
    let bytes = input.by_ref().take(len);
    let inner = context.of_part();
    let outcome = read_first(&layer, bytes, hash, &mut links, &mut visitor, &inner);
    PassedLayer {
        layer,
        offset,
        visitor: Some(visitor),
        outcome: Outcome {
            stored: Some(len),
            ..outcome
        },
        links,
    }
}

/// Reads layers, by where they stand in the archive, as they pass once more; those that were read are
/// taken from `layers`.
fn read_links_of<V: LayerVisitor>(
    layers: &mut HashMap<u64, &mut PassedLayer<V>>,
    reader: &mut ArchiveReader<'_>,
    context: &Context<'_>,
) -> Result<(), Error> {
    while !layers.is_empty() && reader.advance()? {
        let offset = reader.member().offset;
        if reader.member().kind == Kind::File
            && let Some(layer) = layers.remove(&offset)
        {
            layer.read_links(reader, context);
        }
    }
    Ok(())
}

impl<V: LayerVisitor> PassedLayer<V> {
    /// Reads it as it passes once more.
    fn read_links(&mut self, reader: &mut ArchiveReader<'_>, context: &Context<'_>) {
        let Some(visitor) = &mut self.visitor else {
            return;
        };
        let (input, len) = reader.content_input();
        let bytes = input.by_ref().take(len);
        let (outcome, links) = (&mut self.outcome, &mut self.links);
        read_links(
            &self.layer,
            bytes,
            outcome,
            links,
            visitor,
            &context.of_part(),
        );
    }
}
