use crate::budget::Budget;
use crate::directory::Directory;
use crate::image::{Blob, Image, Layer};
use crate::layer::{Outcome, read_layer};
use crate::saved_stream::SavedStream;
use crate::tally::Tally;
use crate::verify::{Verify, mismatch};
use crate::{Content, Error, LayerVisitor, Limits, Source, source};
use seawall_model::{Incomplete, IncompleteReason};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How to open and read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `os/architecture[/variant]`; the machine's own by default.
    pub platform: Option<String>,
    /// Caps.
    pub limits: Limits,
    /// Refuse what needs the network beyond loopback and local sockets.
    pub offline: bool,
    /// Whose layers' uncompressed bytes are compared with the image's configuration.
    pub verify: Verify,
}

/// Told how far reading is, in bytes; for a directory, whose bytes nobody adds up beforehand, in
/// files. Called from several threads.
pub trait Progress: Sync {
    /// The total number of bytes to read became known or grew.
    fn total(&self, bytes: u64);
    /// So many more bytes of the source were read or skipped.
    fn advance(&self, bytes: u64);
}

/// Reports no progress.
pub(crate) struct NoProgress;

impl Progress for NoProgress {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// An opened source: its metadata may not be known yet (the Docker daemon sends it last).
#[derive(Debug)]
pub struct Artifact {
    opened: Opened,
    /// See [`ImageInfo::named_by_store`].
    named_by_store: bool,
    options: Options,
}

/// What a source turned out to be.
#[derive(Debug)]
pub(crate) enum Opened {
    /// An image whose layers can be opened in any order.
    Image(Image),
    /// An image archive that passes as a stream.
    Stream(SavedStream),
    /// A directory.
    Directory(Directory),
}

/// What the reading of every layer needs.
pub(crate) struct Context<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) budget: Arc<Budget>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) progress: &'a dyn Progress,
}

impl Context<'_> {
    /// For a part of a stream that has a progress of its own.
    pub(crate) fn of_part(&self) -> Context<'_> {
        Context {
            limits: self.limits,
            budget: self.budget.clone(),
            tally: self.tally.clone(),
            progress: &NoProgress,
        }
    }
}

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// Digest of the manifest where there is one, else of the configuration (`sha256:...`).
    pub digest: Option<String>,
    /// Other digests that name this image and nothing else: of its configuration, which is the
    /// runtimes' image id, and of the index that led to it.
    pub other_digests: Vec<String>,
    /// Tags under which it is known.
    pub tags: Vec<String>,
    /// Whether a registry or a container runtime keeps it under the tags and under the name by
    /// which it was opened, and all its layers could be read. An archive's name and tags are
    /// whatever its maker wrote.
    pub named_by_store: bool,
    /// `os/architecture[/variant]`.
    pub platform: Option<String>,
    /// RFC 3339.
    pub created: Option<String>,
    /// Labels of the configuration.
    pub labels: Vec<(String, String)>,
    /// `created_by` of every history entry, with whether the entry made no layer.
    pub history: Vec<(String, bool)>,
}

/// One layer after reading.
#[derive(Debug)]
pub struct ReadLayer<V> {
    /// Digest of the blob as stored.
    pub digest: Option<String>,
    /// Digest of the uncompressed tar, from the configuration.
    pub diff_id: Option<String>,
    /// Whether its bytes have the digest `diff_id`: they were hashed (see [`Verify`]), or a container
    /// runtime did so when it unpacked them. Never in an image whose metadata contradict each other.
    pub verified: bool,
    /// Whether it was read to its end, with the digest that it was asked for by.
    pub whole: bool,
    /// Size of the blob as stored.
    pub size: Option<u64>,
    /// `created_by` of the history entry that made it.
    pub created_by: Option<String>,
    /// The visitor that saw its entries.
    pub visitor: V,
}

/// An artifact after reading.
#[derive(Debug)]
pub struct ReadArtifact<V> {
    /// For images.
    pub image: Option<ImageInfo>,
    /// From the base up; exactly one for a directory.
    pub layers: Vec<ReadLayer<V>>,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
}

impl Artifact {
    /// Opens a source.
    ///
    /// # Errors
    /// The source does not exist, is of another format, or refuses us.
    pub fn open(source: &Source, options: &Options) -> Result<Self, Error> {
        Ok(Self {
            opened: source::open(source, options)?,
            named_by_store: source.is_store(),
            options: options.clone(),
        })
    }

    /// An image that is opened already.
    #[cfg(test)]
    pub(crate) fn of_image(image: Image) -> Self {
        Self {
            opened: Opened::Image(image),
            named_by_store: true,
            options: Options::default(),
        }
    }

    /// Opens an image archive in memory; `name` is for messages.
    ///
    /// # Errors
    /// It is no image archive, or is damaged where its manifest is.
    pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Self, Error> {
        let content = Content::from_bytes(bytes);
        Ok(Self {
            opened: source::open_content(name.to_owned(), None, content, options)?,
            named_by_store: false,
            options: options.clone(),
        })
    }

    /// Takes the bytes of one layer, compressed or not, for an image of this layer alone that says
    /// nothing of itself; `name` is for messages.
    #[must_use]
    pub fn from_layer_bytes(name: &str, bytes: &[u8], options: &Options) -> Self {
        let layer = Layer {
            place: name.to_owned(),
            digest: None,
            diff_id: None,
            told_size: None,
            created_by: None,
            blob: Blob::Content(Content::from_bytes(bytes)),
        };
        Self {
            opened: Opened::Image(Image {
                info: ImageInfo::default(),
                layers: vec![layer],
                incomplete: Vec::new(),
                sound: true,
            }),
            named_by_store: false,
            options: options.clone(),
        }
    }

    /// Reads all layers, in parallel where the source allows it, each with a visitor of its own.
    /// Content that is damaged or capped ends its layer and is listed in
    /// [`ReadArtifact::incomplete`]; the other layers are still read. Digests are checked of
    /// layers that pass as a whole, but of uncompressed ones in a file, of which only the headers
    /// and the wanted contents are read, only where [`Options::verify`] asks for it.
    ///
    /// # Errors
    /// Nothing at all could be read.
    pub fn read<V: LayerVisitor>(
        self,
        new_visitor: &(dyn Fn() -> V + Sync),
        progress: &dyn Progress,
    ) -> Result<ReadArtifact<V>, Error> {
        let context = Context {
            limits: &self.options.limits,
            budget: Budget::new(self.options.limits.held_bytes),
            tally: Arc::default(),
            progress,
        };
        let mut artifact = match self.opened {
            Opened::Image(image) => {
                let verify = &self.options.verify;
                read_image(image, verify, new_visitor, &context)
            }
            Opened::Stream(stream) => stream.read(new_visitor, &self.options, &context)?,
            Opened::Directory(directory) => {
                let mut visitor = new_visitor();
                let incomplete = directory.read(&mut visitor, &context);
                ReadArtifact {
                    image: None,
                    layers: vec![ReadLayer {
                        digest: None,
                        diff_id: None,
                        verified: false,
                        whole: incomplete.is_empty(),
                        size: None,
                        created_by: None,
                        visitor,
                    }],
                    incomplete,
                }
            }
        };
        if let Some(image) = &mut artifact.image {
            let whole = artifact.layers.iter().all(|layer| layer.whole);
            image.named_by_store = self.named_by_store && whole;
        }
        Ok(artifact)
    }
}

/// Where a worker leaves what it read of a layer.
type Slot<V> = Mutex<Option<(V, Outcome)>>;

/// Reads the layers of an image, as many at a time as there are processors, the largest first so
/// that none of them is left over at the end.
fn read_image<V: LayerVisitor>(
    image: Image,
    verify: &Verify,
    new_visitor: &(dyn Fn() -> V + Sync),
    context: &Context<'_>,
) -> ReadArtifact<V> {
    // A directory adds up its own progress, in files.
    let bytes = |layer: &Layer| match layer.blob {
        Blob::Directory { .. } => None,
        _ => layer.size(),
    };
    let total = image.layers.iter().filter_map(bytes);
    context.progress.total(total.fold(0, u64::saturating_add));
    let mut order: Vec<&Layer> = image.layers.iter().collect();
    order.sort_by_key(|layer| std::cmp::Reverse(layer.size()));
    let place_of = |layer: &Layer| {
        image
            .layers
            .iter()
            .position(|other| std::ptr::eq(layer, other))
    };
    let done: Vec<Slot<V>> = image.layers.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let hashed = verify.layers(&image.info, &image.layers);
    let work = || {
        while let Some(layer) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some((index, slot)) = place_of(layer).and_then(|at| Some((at, done.get(at)?)))
            else {
                continue;
            };
            let mut visitor = new_visitor();
            let outcome = read_layer(layer, index < hashed, &mut visitor, context);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((visitor, outcome));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 1..workers.min(image.layers.len()) {
            scope.spawn(work);
        }
        work();
    });
    let (mut incomplete, sound) = (image.incomplete, image.sound);
    let mut layers = Vec::with_capacity(done.len());
    for (layer, slot) in image.layers.into_iter().zip(done) {
        let read = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((visitor, outcome)) = read {
            layers.push(layer.read(visitor, outcome, sound, &mut incomplete));
        }
    }
    ReadArtifact {
        image: Some(image.info),
        layers,
        incomplete,
    }
}

impl Layer {
    /// The layer after reading, of an image that is `sound`. What went wrong is added to
    /// `incomplete`.
    pub(crate) fn read<V>(
        self,
        visitor: V,
        outcome: Outcome,
        sound: bool,
        incomplete: &mut Vec<Incomplete>,
    ) -> ReadLayer<V> {
        let is_the_one = self.diff_id.is_some() && self.diff_id == outcome.diff_id;
        let cut = match (self.told_size, outcome.stored) {
            (Some(told), Some(stored)) if told != stored => Some(self.wrong_size(told, stored)),
            // Whoever knows the size or the digest knows that nothing is missing.
            (Some(_), Some(_)) => None,
            _ if is_the_one => None,
            _ => outcome.unmarked_end.map(|end| self.unmarked(end)),
        };
        let whole = outcome.whole && cut.is_none();
        incomplete.extend(cut);
        incomplete.extend(outcome.incomplete);
        incomplete.extend(mismatch(&self, outcome.diff_id.as_deref()));
        ReadLayer {
            verified: sound && is_the_one,
            whole,
            size: self.size(),
            digest: self.digest,
            diff_id: self.diff_id,
            created_by: self.created_by,
            visitor,
        }
    }

    fn wrong_size(&self, told: u64, stored: u64) -> Incomplete {
        let message = format!("it has {stored} bytes, but the manifest says {told}");
        match stored < told {
            true => Incomplete::new(IncompleteReason::Truncated, &self.place, message).at(stored),
            false => Incomplete::new(IncompleteReason::Corrupt, &self.place, message).at(told),
        }
    }

    fn unmarked(&self, end: u64) -> Incomplete {
        let message = "it ends without an end marker: it may have been cut off";
        Incomplete::new(IncompleteReason::Truncated, &self.place, message).at(end)
    }
}
