//! Every file in a file or directory, through archives and compression: how advisory feeds are
//! read.

use crate::budget::{Budget, Lease};
use crate::compression::Compression;
use crate::directory::Directory;
use crate::path::normalize;
use crate::read::Context;
use crate::tar::{Input, Kind, Reader, Seekable, Stream, is_header};
use crate::{Content, Entry, EntryKind, Error, LayerVisitor, Limits, Progress};
use seawall_model::{Incomplete, IncompleteReason};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zip::ZipArchive;

/// What is told apart by its first bytes.
const BEGIN: usize = 512;

/// Gives every file in `path` to `found`: with its name, and all its bytes.
///
/// `path` is a file or a directory (read whole, in the order of names, symbolic links not
/// followed). Tar and zip archives are opened, and gzip, zstd, xz and bzip2 are undone, inside each
/// other too, as their first bytes show. In a name, `!` stands between an archive and its member,
/// and the suffixes of compression are left out: `feeds.tar.zst` has `feeds.tar!osv/a.json`.
///
/// The caps are those of `limits`: [`Limits::file_bytes`] of a single file,
/// [`Limits::layer_bytes`] and [`Limits::ratio`] of what comes out of one compressed file,
/// [`Limits::held_bytes`] of memory, [`Limits::entries`] files in all, and [`Limits::nesting`]
/// archives or compressed files inside each other. What is not read for them, or is damaged, is
/// returned; files that stand before the damage are given all the same, and whole lines before it of
/// files that hold a record in each (`.jsonl`, `.csv`).
///
/// # Errors
/// There is nothing at `path`, or it cannot be opened.
pub fn each_file(
    path: &Path,
    limits: &Limits,
    found: &mut (dyn FnMut(&str, &[u8]) + Send),
) -> Result<Vec<Incomplete>, Error> {
    let place = path.display().to_string();
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Usage {
            message: format!("there is no file or directory '{place}'"),
            hint: "check the path".to_owned(),
        },
        _ => Error::Io {
            place: place.clone(),
            source,
        },
    };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if metadata.is_dir() {
        let mut walk = Walk::new(limits, found);
        let context = Context {
            limits,
            budget: Arc::clone(&walk.budget),
            tally: Arc::default(),
            progress: &Unseen,
        };
        let directory = Directory::open(path)?;
        let mut visitor = DirectoryVisitor {
            walk: &mut walk,
            place: place.trim_end_matches('/'),
        };
        let unread = directory.read(&mut visitor, &context);
        walk.incomplete.extend(unread);
        Ok(walk.incomplete)
    } else {
        each_file_called(path, &place, limits, found)
    }
}

/// As [`each_file`], of one file that is not yet in its place: it is called `name`.
///
/// # Errors
/// It cannot be opened.
pub fn each_file_called(
    path: &Path,
    name: &str,
    limits: &Limits,
    found: &mut (dyn FnMut(&str, &[u8]) + Send),
) -> Result<Vec<Incomplete>, Error> {
    let io = |source| Error::Io {
        place: name.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    let mut walk = Walk::new(limits, found);
    walk.content(name, &Content::from_range(Arc::new(file), 0, len), 0);
    Ok(walk.incomplete)
}

/// As [`each_file`], of one file in memory.
pub fn each_file_in(
    name: &str,
    bytes: &[u8],
    limits: &Limits,
    found: &mut (dyn FnMut(&str, &[u8]) + Send),
) -> Vec<Incomplete> {
    let mut walk = Walk::new(limits, found);
    walk.content(name, &Content::from_bytes(bytes), 0);
    walk.incomplete
}

struct Unseen;

impl Progress for Unseen {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

struct Walk<'a> {
    limits: &'a Limits,
    budget: Arc<Budget>,
    found: &'a mut (dyn FnMut(&str, &[u8]) + Send),
    files: u64,
    incomplete: Vec<Incomplete>,
}

/// Bytes in memory, with the leave to hold them.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    leases: Vec<Lease>,
}

impl Held {
    fn into_content(self) -> Content {
        Content::held(self.bytes.into(), self.leases)
    }
}

struct DirectoryVisitor<'a, 'b> {
    walk: &'a mut Walk<'b>,
    place: &'a str,
}

impl LayerVisitor for DirectoryVisitor<'_, '_> {
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        if entry.kind() == EntryKind::File {
            let name = format!("{}/{}", self.place, entry.path());
            match entry.content() {
                Ok(content) => self.walk.content(&name, &content, 0),
                Err(error) => self.walk.failed(&error),
            }
        }
        Ok(())
    }
}

/// A file whose bytes come one after another.
type Bytes<'a> = Box<dyn BufRead + Send + 'a>;

impl<'a> Walk<'a> {
    fn new(limits: &'a Limits, found: &'a mut (dyn FnMut(&str, &[u8]) + Send)) -> Self {
        Self {
            limits,
            // One thread holds all: waiting for others would be for nothing.
            budget: Budget::with_patience(limits.held_bytes, Duration::ZERO),
            found,
            files: 0,
            incomplete: Vec::new(),
        }
    }

    /// A file that can be read at any place, `depth` archives deep.
    fn content(&mut self, name: &str, content: &Content, depth: u32) {
        let mut begin = [0; BEGIN];
        let begin = match content.read_at(&mut begin, 0) {
            Ok(n) => &begin[..n],
            Err(error) => return self.failed(&Error::from_io(name, 0, error)),
        };
        if let Some(format) = Compression::detect(begin) {
            let bytes = BufReader::with_capacity(128 << 10, content.reader());
            self.compressed(name, format, Box::new(bytes), depth);
        } else if is_header(begin) {
            if self.may_open(name, depth) {
                let reader = Reader::new(Seekable::new(content.clone()), name);
                self.tar(name, reader, depth);
            }
        } else if is_zip(begin) {
            if self.may_open(name, depth) {
                self.zip(name, content, depth);
            }
        } else if content.len() > self.limits.file_bytes {
            self.failed(&self.too_large(name));
        } else {
            match self.read_all(name, content) {
                Ok((bytes, _lease)) => self.plain(name, &bytes),
                Err(error) => self.failed(&error),
            }
        }
    }

    /// A file that passes.
    fn stream(&mut self, name: &str, bytes: Bytes<'_>, depth: u32) {
        let mut stream = Stream::new(bytes, self.limits.file_bytes, Arc::clone(&self.budget));
        let begin = match stream.fill(BEGIN) {
            Ok(begin) => begin,
            Err(error) => return self.failed(&Error::from_io(name, 0, error)),
        };
        if let Some(format) = Compression::detect(begin) {
            self.compressed(name, format, Box::new(BufReader::new(stream)), depth);
        } else if is_header(begin) {
            if self.may_open(name, depth) {
                self.tar(name, Reader::new(stream, name), depth);
            }
        } else {
            let is_zip = is_zip(begin);
            let mut held = Held::default();
            match self.read_to_end(name, &mut stream, &mut held) {
                Ok(()) if is_zip => self.content(name, &held.into_content(), depth),
                Ok(()) => self.plain(name, &held.bytes),
                Err(error) => self.cut_off(name, &held.bytes, &error),
            }
        }
    }

    fn compressed(&mut self, name: &str, format: Compression, bytes: Bytes<'_>, depth: u32) {
        if !self.may_open(name, depth) {
            return;
        }
        let inner = format.strip_suffix(name);
        match format.decoder(bytes, self.limits, name) {
            Ok(decoder) => {
                let bytes = BufReader::with_capacity(128 << 10, decoder);
                self.stream(&inner, Box::new(bytes), depth + 1);
            }
            Err(error) => self.failed(&Error::from_io(name, 0, error)),
        }
    }

    fn tar<I: Input>(&mut self, name: &str, mut reader: Reader<I>, depth: u32) {
        loop {
            match reader.advance() {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.failed(&error),
            }
            if reader.member().kind != Kind::File {
                continue;
            }
            if !self.may_go_on(name) {
                return;
            }
            let member = format!("{name}!{}", normalize(&reader.member().path));
            match reader.content() {
                Ok(content) => self.content(&member, &content, depth + 1),
                // The archive goes on behind a member that is too large.
                Err(Error::TooLarge { limit, .. }) => self.failed(&Error::TooLarge {
                    place: member,
                    limit,
                }),
                Err(error) => return self.failed(&error),
            }
        }
    }

    fn zip(&mut self, name: &str, content: &Content, depth: u32) {
        let mut archive = match ZipArchive::new(BufReader::new(content.reader())) {
            Ok(archive) => archive,
            Err(error) => return self.corrupt(name, &error.to_string()),
        };
        for index in 0..archive.len() {
            if !self.may_go_on(name) {
                return;
            }
            let mut file = match archive.by_index(index) {
                Ok(file) => file,
                Err(error) => {
                    self.corrupt(name, &format!("member {index}: {error}"));
                    continue;
                }
            };
            if !file.is_file() {
                continue;
            }
            let member = format!("{name}!{}", normalize(file.name_raw()));
            let mut held = Held::default();
            let read = self.read_to_end(&member, &mut file, &mut held);
            drop(file);
            match read {
                Ok(()) => self.content(&member, &held.into_content(), depth + 1),
                Err(error) => self.cut_off(&member, &held.bytes, &error),
            }
        }
    }

    /// A file of which only the begin could be read. Where each line is a record of its own, the whole
    /// ones are given.
    fn cut_off(&mut self, name: &str, begin: &[u8], error: &Error) {
        self.failed(error);
        // Of damage of another kind it is not known where it begins.
        let is_cut = matches!(error, Error::Truncated { .. });
        let is_of_lines = [".jsonl", ".csv"].iter().any(|it| name.ends_with(it));
        let whole = begin.iter().rposition(|byte| *byte == b'\n');
        if let (true, true, Some(end)) = (is_cut, is_of_lines, whole) {
            self.plain(name, begin.get(..=end).unwrap_or_default());
        }
    }

    fn plain(&mut self, name: &str, bytes: &[u8]) {
        if self.may_go_on(name) {
            self.files += 1;
            (self.found)(name, bytes);
        }
    }

    fn read_all(&self, name: &str, content: &Content) -> Result<(Arc<[u8]>, Option<Lease>), Error> {
        let lease = match content.is_in_memory() {
            true => None,
            false => Some(self.lease(name, content.len())?),
        };
        let bytes = content
            .read_all()
            .map_err(|error| Error::from_io(name, 0, error))?;
        Ok((bytes, lease))
    }

    /// All bytes of something whose size is not known, or not to be believed. Before an error those
    /// that came are in `held`.
    fn read_to_end(
        &self,
        name: &str,
        reader: &mut impl Read,
        held: &mut Held,
    ) -> Result<(), Error> {
        const STEP: u64 = 1 << 20;
        loop {
            // As much again as there is: few steps, and never more than twice what is needed.
            let before = held.bytes.len() as u64;
            let step = STEP.max(before);
            let read = reader.by_ref().take(step).read_to_end(&mut held.bytes);
            let n = held.bytes.len() as u64 - before;
            if before + n > self.limits.file_bytes {
                return Err(self.too_large(name));
            }
            held.leases.push(self.lease(name, n)?);
            read.map_err(|error| Error::from_io(name, before, error))?;
            if n < step {
                return Ok(());
            }
        }
    }

    fn lease(&self, name: &str, bytes: u64) -> Result<Lease, Error> {
        self.budget.lease(bytes).ok_or_else(|| Error::TooLarge {
            place: name.to_owned(),
            limit: format!("{} bytes of files held in memory", self.budget.limit()),
        })
    }

    fn too_large(&self, name: &str) -> Error {
        Error::TooLarge {
            place: name.to_owned(),
            limit: format!("{} bytes of one file", self.limits.file_bytes),
        }
    }

    fn may_open(&mut self, name: &str, depth: u32) -> bool {
        let may = depth < self.limits.nesting;
        if !may {
            self.failed(&Error::Limit {
                place: name.to_owned(),
                limit: format!("{} archives inside each other", self.limits.nesting),
            });
        }
        may
    }

    /// Whether more files may come; told once when not.
    fn may_go_on(&mut self, name: &str) -> bool {
        if self.files == self.limits.entries {
            self.files += 1;
            self.failed(&Error::Limit {
                place: name.to_owned(),
                limit: format!("{} files", self.limits.entries),
            });
        }
        self.files < self.limits.entries
    }

    fn corrupt(&mut self, name: &str, message: &str) {
        self.incomplete
            .push(Incomplete::new(IncompleteReason::Corrupt, name, message));
    }

    fn failed(&mut self, error: &Error) {
        self.incomplete.push(error.to_incomplete());
    }
}

fn is_zip(begin: &[u8]) -> bool {
    begin.starts_with(b"PK\x03\x04") || begin.starts_with(b"PK\x05\x06")
}
