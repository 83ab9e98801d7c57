//! Reads one layer: which of its members become which entries.

use crate::compression::{self, Compression, MAGIC_LEN, capped};
use crate::image::{Blob, Layer};
use crate::path;
use crate::pipeline::{Hashing, join, read_ahead};
use crate::read::{Context, NoProgress};
use crate::second_pass::{Room, SecondPass};
use crate::tar::{self, Input, Kind, Reader, Seekable, Stream};
use crate::{Content, Entry, EntryKind, Error, LayerVisitor, Limits};
use seawall_model::{Incomplete, IncompleteReason};
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// What came of reading a layer, beside what its visitor saw.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What could not be read.
    pub(crate) incomplete: Vec<Incomplete>,
    /// Digest of its uncompressed bytes, where it was asked for and all of them could be read, or a
    /// runtime has noted it.
    pub(crate) diff_id: Option<String>,
    /// Whether it was read to its end, and had the digest of its name.
    pub(crate) whole: bool,
    /// Bytes as stored, where they were all at hand.
    pub(crate) stored: Option<u64>,
    /// Where its tar ends without an end marker, and no digest of its name says that this is all.
    pub(crate) unmarked_end: Option<u64>,
}

/// Reads a layer into its visitor, and hashes its uncompressed bytes if `hash`.
pub(crate) fn read_layer(
    layer: &Layer,
    hash: bool,
    visitor: &mut dyn LayerVisitor,
    context: &Context<'_>,
) -> Outcome {
    match &layer.blob {
        Blob::Missing(why) => Outcome {
            incomplete: vec![(**why).clone()],
            ..Outcome::default()
        },
        Blob::Directory { directory, diff_id } => {
            let incomplete = directory.read(visitor, context);
            Outcome {
                whole: incomplete.is_empty(),
                incomplete,
                diff_id: diff_id.clone(),
                ..Outcome::default()
            }
        }
        Blob::Content(content) => Outcome {
            stored: Some(content.len()),
            ..read_content(layer, content, hash, visitor, context)
        },
        Blob::Stream(open) => match open() {
            Ok(stream) => read_stream(layer, stream, open, hash, visitor, context),
            Err(error) => Outcome::failed(&error),
        },
    }
}

impl Outcome {
    fn failed(error: &Error) -> Self {
        Self {
            incomplete: vec![error.to_incomplete()],
            ..Self::default()
        }
    }

    /// Takes the error of a step, if there is one.
    pub(crate) fn note<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.incomplete.push(error.to_incomplete());
                None
            }
        }
    }

    /// Notes why a pass failed. What the visitor saw in it may be anything, and no other is tried.
    pub(crate) fn lose_links(&mut self, links: &mut SecondPass, error: &Error) {
        self.incomplete.push(error.to_incomplete());
        self.diff_id = None;
        self.whole = false;
        self.unmarked_end = None;
        links.give_up();
    }

    /// Notes that runtimes make something else of the layer than we did. Then its digest does not say
    /// what is in it.
    fn doubt(&mut self, place: &str, message: impl Into<String>) {
        let told = Incomplete::new(IncompleteReason::Corrupt, place, message);
        self.incomplete.push(told);
        self.diff_id = None;
        self.whole = false;
    }
}

fn read_content(
    layer: &Layer,
    content: &Content,
    hash: bool,
    visitor: &mut dyn LayerVisitor,
    context: &Context<'_>,
) -> Outcome {
    let mut magic = [0; MAGIC_LEN];
    let n = match content.read_at(&mut magic, 0) {
        Ok(n) => n,
        Err(error) => return Outcome::failed(&Error::from_io(&layer.place, 0, error)),
    };
    if Compression::detect(&magic[..n]).is_some() {
        let open = || Ok(Box::new(content.reader()) as Box<dyn Read + Send>);
        return read_stream(layer, content.reader(), &open, hash, visitor, context);
    }
    let reader = Reader::new(Seekable::new(content.clone()), layer.place.as_str());
    let mut targets = SeekableTargets::new(content.clone(), &layer.place);
    let mut reported = Reported::new(context, content.len());
    let mut passed = |position| {
        reported.up_to(position);
        Ok(())
    };
    let mut outcome = Outcome::default();
    let read = visit_members(reader, &mut targets, visitor, context, &mut passed);
    let visited = outcome.note(read);
    outcome.whole = visited.is_some();
    if hash {
        outcome.diff_id = outcome.note(hash_content(content, &layer.place, context.limits));
    }
    if let Some(visited) = visited {
        outcome.unmarked_end = visited.unmarked_end;
        visited.tell(&layer.place, &mut outcome);
    }
    outcome
}

/// The digest of a layer whose headers and wanted contents alone were read.
fn hash_content(content: &Content, place: &str, limits: &Limits) -> Result<String, Error> {
    let mut source = Hashing::new(content.reader(), true, limits.layer_bytes, &NoProgress);
    io::copy(&mut source, &mut io::sink())
        .map_err(|error| Error::from_io(place, content.len(), error))?;
    source.digest().ok_or_else(|| Error::Limit {
        place: place.to_owned(),
        limit: format!("{} uncompressed bytes", limits.layer_bytes),
    })
}

/// Opens bytes that passed once more, for a second pass.
pub(crate) type Reopen<'a> = dyn Fn() -> Result<Box<dyn Read + Send>, Error> + 'a;

/// Reads a layer that can be opened again, compressed or not, as a stream.
fn read_stream(
    layer: &Layer,
    stream: impl Read + Send,
    again: &Reopen<'_>,
    hash: bool,
    visitor: &mut dyn LayerVisitor,
    context: &Context<'_>,
) -> Outcome {
    let mut links = SecondPass::new(Room::NAMES);
    let mut outcome = read_first(layer, stream, hash, &mut links, visitor, context);
    while links.is_worth_a_pass() {
        context.progress.total(layer.size().unwrap_or(0));
        match again() {
            Ok(stream) => read_links(layer, stream, &mut outcome, &mut links, visitor, context),
            Err(error) => outcome.lose_links(&mut links, &error),
        }
    }
    outcome.note(links.finish(&layer.place));
    outcome
}

/// Reads a layer as it passes, but for hard links whose contents have passed.
pub(crate) fn read_first(
    layer: &Layer,
    stream: impl Read + Send,
    hash: bool,
    links: &mut SecondPass,
    visitor: &mut dyn LayerVisitor,
    context: &Context<'_>,
) -> Outcome {
    let mut count = context.tally.layer(context.limits);
    let mut counted = 0;
    let mut passed = |position: u64| {
        let more = position.saturating_sub(counted);
        counted = position;
        count.bytes(more, &layer.place)
    };
    let mut outcome = Outcome::default();
    let mut visited = Visited::default();
    let read = with_tar(layer, stream, hash, context, &mut |reader| {
        visited = visit_members(reader, links, visitor, context, &mut passed)?;
        Ok(())
    });
    let summary = match read {
        Ok(summary) => summary,
        Err(error) => {
            outcome.lose_links(links, &error);
            return outcome;
        }
    };
    links.end_first_pass();
    outcome.diff_id = summary.diff_id;
    outcome.whole = true;
    let unmarked_end = visited.unmarked_end;
    outcome.unmarked_end = unmarked_end.filter(|_| !layer.has_checked_digest());
    if let Some(doubt) = summary.doubt {
        outcome.doubt(&layer.place, doubt);
    }
    visited.tell(&layer.place, &mut outcome);
    outcome
}

/// Reads the layer once more, for contents of hard links that had passed.
pub(crate) fn read_links(
    layer: &Layer,
    stream: impl Read + Send,
    outcome: &mut Outcome,
    links: &mut SecondPass,
    visitor: &mut dyn LayerVisitor,
    context: &Context<'_>,
) {
    // A registry may send other bytes than before.
    let read = with_tar(layer, stream, false, context, &mut |reader| {
        links.run(reader, visitor)
    });
    if let Err(error) = read {
        outcome.lose_links(links, &error);
    }
}

/// A tar reader at the end of the threads.
type TarStream<'a> = Reader<Stream<Box<dyn BufRead + Send + 'a>>>;

/// What the bytes of a stream came to.
#[derive(Default)]
struct Summary {
    /// Digest of the uncompressed bytes, if it was asked for.
    diff_id: Option<String>,
    /// See [`compression::doubt`].
    doubt: Option<&'static str>,
}

/// Decompresses `stream` in threads of its own, has the tar in it read, and compares its digest
/// with the layer's.
fn with_tar(
    layer: &Layer,
    stream: impl Read + Send,
    hash: bool,
    context: &Context<'_>,
    read: &mut dyn FnMut(TarStream<'_>) -> Result<(), Error>,
) -> Result<Summary, Error> {
    let place = layer.place.as_str();
    let limits = context.limits;
    let expected = layer.digest.as_deref();
    let checked = layer.has_checked_digest();
    let source = Hashing::new(
        stream,
        checked || hash,
        limits.layer_bytes,
        context.progress,
    );
    let drain = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let (mut chunks, fetching) = read_ahead(scope, source, &drain);
        let mut decoding = None;
        let mut doubt = None;
        let result = chunks
            .fill_buf()
            .map(|begin| {
                doubt = compression::doubt(begin);
                Compression::detect(begin)
            })
            .and_then(|format| {
                let tar: Box<dyn BufRead + Send> = match format {
                    None => Box::new(BufReader::with_capacity(
                        64 << 10,
                        capped(chunks, limits, place),
                    )),
                    Some(format) => {
                        let decoder = format.decoder(chunks, limits, place)?;
                        let decoder = Hashing::new(decoder, hash, u64::MAX, &NoProgress);
                        let (chunks, thread) = read_ahead(scope, decoder, &drain);
                        decoding = Some(thread);
                        Box::new(chunks)
                    }
                };
                Ok(Stream::new(tar, limits.file_bytes, context.budget.clone()))
            })
            .map_err(|error| Error::from_io(place, 0, error))
            .and_then(|input| read(Reader::new(input, place)));
        // After a failure the rest is not worth fetching.
        drain.store(result.is_ok(), Ordering::Relaxed);
        let decoded = decoding.map(|thread| join(thread).map(Hashing::digest));
        let stored = join(fetching).map(Hashing::digest);
        if matches!(result, Err(Error::Truncated { .. } | Error::Empty { .. })) {
            // It has another digest, too, but where it ends says more.
            return result.map(|()| Summary::default());
        }
        if let (Ok(Some(found)), Some(expected)) = (&stored, expected)
            && checked
            && found != expected
        {
            return Err(Error::Corrupt {
                place: place.to_owned(),
                offset: 0,
                message: format!("the digest of the layer is {found}"),
            });
        }
        result?;
        // What stands behind the last file is no file, but its digest is the layer's.
        let behind = |error| Error::from_io(&format!("{place}!end"), 0, error);
        let stored = stored.map_err(behind)?;
        let decoded = decoded.transpose().map_err(behind)?;
        if stored.is_none() && (checked || hash) {
            return Err(Error::Limit {
                place: place.to_owned(),
                limit: format!("{} bytes", limits.layer_bytes),
            });
        }
        Ok(Summary {
            diff_id: decoded.unwrap_or(stored).filter(|_| hash),
            doubt,
        })
    })
}

/// Where the content of a hard link is found.
pub(crate) trait LinkTargets {
    /// The content of `target`, which stands before the link at `offset`.
    fn content(
        &mut self,
        target: &str,
        offset: u64,
        link: &str,
        mode: u32,
    ) -> Result<Content, Error>;
    /// Whether [`LinkTargets::content`] gives content at once.
    fn at_hand(&self) -> bool;
    /// Is told of everything that is written, before it is visited: what had this path is gone.
    fn passes(&mut self, _path: &str) {}
    /// Is told of a file whose content was asked for: links to it may follow.
    fn passed(&mut self, _path: &str, _content: &Content) {}
}

/// The longest path of one call to Linux (`PATH_MAX`, without the NUL): no runtime can unpack more,
/// and kept by the thousands, names of a megabyte would fill the memory.
const MAX_PATH: usize = 4095;

/// What is known of a layer whose members all passed.
#[derive(Debug, Default)]
struct Visited {
    /// See [`Reader::unmarked_end`].
    unmarked_end: Option<u64>,
    /// A symbolic link of the layer behind which files of it lie.
    link: Option<String>,
    /// A directory that bears a name of AUFS's own, with files in it.
    aufs: Option<String>,
    /// A file or directory in whose place overlayfs shows the content of another.
    redirect: Option<String>,
    /// Where the first file stands whose name is longer than [`MAX_PATH`], and was left out.
    too_long: Option<u64>,
}

impl Visited {
    /// Looks for what runtimes write elsewhere than to its name.
    fn check(&mut self, links: &mut Links, names: &Names, what: What) {
        if self.link.is_none() {
            let directory = match what {
                What::OpaqueDirectory => &names.path,
                _ => path::split(&names.path).0,
            };
            let mut link = links.on_the_way(directory);
            if what == What::HardLink {
                link = link.or_else(|| links.on_the_way(path::split(&names.link).0));
            }
            self.link = link.map(str::to_owned);
            // A hard link to a symbolic link is one.
            let is_link = match what {
                What::Symlink => true,
                What::HardLink => links.have(&names.link),
                _ => false,
            };
            if is_link {
                links.add(&names.path);
            }
        }
        if self.aufs.is_none() && names.path.starts_with(AUFS) {
            let directory = names.path.split('/').next();
            self.aufs = directory.map(str::to_owned);
        }
    }

    fn tell(self, place: &str, outcome: &mut Outcome) {
        if let Some(offset) = self.too_long {
            let message = format!("files with names of more than {MAX_PATH} bytes are not read");
            let told = Incomplete::new(IncompleteReason::LimitReached, place, message);
            outcome.incomplete.push(told.at(offset));
            outcome.whole = false;
        }
        if let Some(link) = self.link {
            let message = format!(
                "it has files behind {link}, a symbolic link of its own, which runtimes follow: \
                 they are listed where they are not"
            );
            outcome.doubt(place, message);
        }
        if let Some(path) = self.redirect {
            let message = format!(
                "it has {path} with an attribute of overlayfs, which shows something else there"
            );
            outcome.doubt(place, message);
        }
        if let Some(directory) = self.aufs {
            let message = format!("it has files in {directory}, which not every runtime unpacks");
            outcome.doubt(place, message);
        }
    }
}

/// The symbolic links that a layer made so far. Runtimes unpack a layer into a directory of its own and
/// follow them there; those that write layers from what is on a disk do not come upon that.
#[derive(Debug, Default)]
struct Links {
    /// Hashes of their paths, which may be long.
    paths: HashSet<u64>,
    hasher: RandomState,
    /// The directory that was looked at last, with no link on the way to it.
    clean: String,
}

impl Links {
    /// The first link among a directory and those above it.
    fn on_the_way<'a>(&mut self, directory: &'a str) -> Option<&'a str> {
        if self.paths.is_empty() || directory == self.clean {
            return None;
        }
        let link = self
            .hashes(directory)
            .find(|(_, hash)| self.paths.contains(hash));
        if link.is_none() {
            self.clean.clear();
            self.clean.push_str(directory);
        }
        link.map(|(path, _)| path)
    }

    fn have(&self, path: &str) -> bool {
        let last = self.hashes(path).last();
        last.is_some_and(|(_, hash)| self.paths.contains(&hash))
    }

    fn add(&mut self, path: &str) {
        if let Some((_, hash)) = self.hashes(path).last() {
            self.paths.insert(hash);
        }
        if self.clean.starts_with(path) {
            self.clean.clear();
        }
    }

    /// Hashes of all directories above a path, and of the path, in one go.
    fn hashes<'a>(&self, path: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        let mut hasher = self.hasher.build_hasher();
        let ends = path.match_indices('/').map(|(end, _)| end);
        let mut start = 0;
        ends.chain([path.len()]).filter_map(move |end| {
            hasher.write(path.get(start..end)?.as_bytes());
            start = end;
            Some((path.get(..end)?, hasher.finish()))
        })
    }
}

/// Hands every member to the visitor.
fn visit_members<I: Input>(
    mut reader: Reader<I>,
    targets: &mut dyn LinkTargets,
    visitor: &mut dyn LayerVisitor,
    context: &Context<'_>,
    passed: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<Visited, Error> {
    let limits = context.limits;
    let mut count = context.tally.layer(limits);
    let mut names = Names::default();
    let mut links = Links::default();
    let mut visited = Visited::default();
    while reader.advance()? {
        count.entry(reader.place())?;
        if reader.position() > limits.layer_bytes {
            return Err(Error::Limit {
                place: reader.place().to_owned(),
                limit: format!("{} uncompressed bytes", limits.layer_bytes),
            });
        }
        passed(reader.position())?;
        let Some(what) = names.read(reader.member()) else {
            continue;
        };
        if names.are_too_long(reader.member()) {
            let offset = reader.member().offset;
            visited.too_long.get_or_insert(offset);
            continue;
        }
        if reader.member().redirects && visited.redirect.is_none() {
            visited.redirect = Some(names.path.clone());
        }
        visited.check(&mut links, &names, what);
        if !matches!(what, What::Whiteout | What::OpaqueDirectory) {
            targets.passes(&names.path);
        }
        visitor.visit(&mut TarEntry {
            reader: &mut reader,
            names: &names,
            what,
            targets,
        })?;
    }
    match reader.unmarked_end() {
        // A layer of no files is two blocks of zeros.
        Some(0) => Err(Error::Empty {
            place: reader.place().to_owned(),
        }),
        unmarked_end => Ok(Visited {
            unmarked_end,
            ..visited
        }),
    }
}

/// What a member is to the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    File,
    Directory,
    Symlink,
    HardLink,
    Whiteout,
    OpaqueDirectory,
    Other,
}

/// The names of a member, in buffers that are used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) path: String,
    link: String,
}

const WHITEOUT: &str = ".wh.";
/// Names of AUFS's own in the root. Some runtimes leave out what has such a name and what is below,
/// others have forgotten AUFS. Elsewhere it is a name like any other.
const AUFS: &str = ".wh..wh.";
const OPAQUE: &str = ".wh..wh..opq";

impl Names {
    pub(crate) fn link(&self) -> &str {
        &self.link
    }

    /// Whether a name is longer than [`MAX_PATH`], as it stands in the archive and without its
    /// detours.
    fn are_too_long(&self, member: &tar::Member) -> bool {
        let is_too_long = |raw: &[u8], name: &str| raw.len().min(name.len()) > MAX_PATH;
        let has_link = matches!(member.kind, Kind::Symlink | Kind::HardLink);
        is_too_long(&member.path, &self.path) || (has_link && is_too_long(&member.link, &self.link))
    }

    /// Takes the names of a member. `None` for what is no entry: the root, and what AUFS put there.
    pub(crate) fn read(&mut self, member: &tar::Member) -> Option<What> {
        path::normalize_into(&member.path, &mut self.path);
        let (directory, name) = path::split(&self.path);
        if name == OPAQUE {
            let directory = directory.len();
            self.path.truncate(directory);
            return Some(What::OpaqueDirectory);
        }
        if name.is_empty() {
            return None;
        }
        if let Some(removed) = name.strip_prefix(WHITEOUT) {
            let is_of_aufs = directory.is_empty() && name.starts_with(AUFS);
            if is_of_aufs || matches!(removed, "" | "." | "..") {
                return None;
            }
            let at = self.path.len() - name.len();
            self.path.replace_range(at..at + WHITEOUT.len(), "");
            return Some(What::Whiteout);
        }
        Some(match member.kind {
            Kind::File => What::File,
            Kind::Directory => What::Directory,
            Kind::Symlink => {
                self.link.clear();
                self.link.push_str(&path::text(&member.link));
                What::Symlink
            }
            Kind::HardLink => {
                path::normalize_into(&member.link, &mut self.link);
                What::HardLink
            }
            Kind::Other => What::Other,
        })
    }
}

struct TarEntry<'a, I> {
    reader: &'a mut Reader<I>,
    names: &'a Names,
    what: What,
    targets: &'a mut dyn LinkTargets,
}

impl<I: Input> Entry for TarEntry<'_, I> {
    fn path(&self) -> &str {
        &self.names.path
    }

    fn kind(&self) -> EntryKind<'_> {
        match self.what {
            What::File => EntryKind::File,
            What::Directory => EntryKind::Directory,
            What::Symlink => EntryKind::Symlink(&self.names.link),
            What::HardLink => EntryKind::HardLink(&self.names.link),
            What::Whiteout => EntryKind::Whiteout,
            What::OpaqueDirectory => EntryKind::OpaqueDirectory,
            What::Other => EntryKind::Other,
        }
    }

    fn size(&self) -> u64 {
        match self.what {
            What::File => self.reader.member().size,
            _ => 0,
        }
    }

    fn mode(&self) -> u32 {
        self.reader.member().mode
    }

    fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        match self.what {
            What::File => self.reader.peek(buffer),
            What::HardLink if self.targets.at_hand() => {
                let content = self.content()?;
                content
                    .read_at(buffer, 0)
                    .map_err(|error| Error::from_io(&self.names.path, 0, error))
            }
            _ => Ok(0),
        }
    }

    fn content(&mut self) -> Result<Content, Error> {
        match self.what {
            What::File => {
                let content = self.reader.content()?;
                self.targets.passed(&self.names.path, &content);
                Ok(content)
            }
            What::HardLink => {
                let member = self.reader.member();
                let (offset, mode) = (member.offset, member.mode);
                let Names { path, link } = self.names;
                self.targets.content(link, offset, path, mode)
            }
            _ => Ok(Content::from_bytes([])),
        }
    }
}

/// Finds hard links' contents in a layer that can be read at any place: by an index of the
/// members before the link, which is made when the first such content is asked for.
struct SeekableTargets {
    content: Content,
    place: String,
    /// Hash of a path -> offset of the file that is there. Sixteen bytes for each member, where the
    /// paths themselves would be a hundred.
    index: HashMap<u64, u64>,
    hasher: RandomState,
    indexed_to: u64,
}

impl SeekableTargets {
    fn new(content: Content, place: &str) -> Self {
        Self {
            content,
            place: place.to_owned(),
            index: HashMap::new(),
            hasher: RandomState::new(),
            indexed_to: 0,
        }
    }

    fn reader(&self, offset: u64) -> Reader<Seekable> {
        let mut reader = Reader::new(Seekable::new(self.content.clone()), self.place.as_str());
        reader.jump(offset);
        reader
    }

    fn extend_index(&mut self, end: u64) -> Result<(), Error> {
        let mut reader = self.reader(self.indexed_to);
        let mut names = Names::default();
        while self.indexed_to < end && reader.advance()? {
            let member = reader.member();
            if member.offset >= end {
                break;
            }
            let offset = member.offset;
            let what = names.read(member);
            let hash = |path: &str| self.hasher.hash_one(path);
            let file = match what {
                Some(What::File) => Some(offset),
                Some(What::HardLink) => self.index.get(&hash(&names.link)).copied(),
                // In place of a file it leaves nothing to link to.
                Some(What::Symlink | What::Directory | What::Other) => None,
                Some(What::Whiteout | What::OpaqueDirectory) | None => continue,
            };
            match file {
                Some(offset) => self.index.insert(hash(&names.path), offset),
                None => self.index.remove(&hash(&names.path)),
            };
        }
        self.indexed_to = end;
        Ok(())
    }
}

impl LinkTargets for SeekableTargets {
    fn content(
        &mut self,
        target: &str,
        offset: u64,
        link: &str,
        _mode: u32,
    ) -> Result<Content, Error> {
        self.extend_index(offset)?;
        if let Some(at) = self.index.get(&self.hasher.hash_one(target)) {
            let mut reader = self.reader(*at);
            if reader.advance()? {
                return reader.content();
            }
        }
        Err(unreachable_target(&self.place, link, target))
    }

    fn at_hand(&self) -> bool {
        true
    }
}

/// The error for a hard link whose target is not in its layer.
pub(crate) fn unreachable_target(place: &str, link: &str, target: &str) -> Error {
    Error::Unsupported {
        place: place.to_owned(),
        message: format!("hard link {link} has its content in {target}, which is not reachable"),
    }
}

/// Progress through a seekable layer, told every few megabytes.
struct Reported<'a> {
    context: &'a Context<'a>,
    done: u64,
    len: u64,
}

impl<'a> Reported<'a> {
    const STEP: u64 = 4 << 20;

    fn new(context: &'a Context<'a>, len: u64) -> Self {
        Self {
            context,
            done: 0,
            len,
        }
    }

    fn up_to(&mut self, position: u64) {
        if position >= self.done + Self::STEP {
            self.context.progress.advance(position - self.done);
            self.done = position;
        }
    }
}

impl Drop for Reported<'_> {
    fn drop(&mut self) {
        let rest = self.len.saturating_sub(self.done);
        self.context.progress.advance(rest);
    }
}

/// What is said of a layer whose blob the image does not bring along.
pub(crate) fn missing(place: &str, message: &str) -> Incomplete {
    Incomplete::new(IncompleteReason::Unreadable, place, message)
}
