//! Tar archives: POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU tar's extensions, as described
//! in POSIX `pax`, "ustar Interchange Format", and in GNU tar's manual, "Tar Internals".
//!
//! Our own reader instead of the `tar` crate's, because it must walk an archive of gigabytes by
//! its headers alone (no copy of a content, no allocation per entry, positioned reads that several
//! threads share), it must cap what an extension header can make us keep, and it must know where
//! the sparse formats of pax keep their maps.
//!
//! Where the specifications leave a choice, this follows Go's `archive/tar`, by which container
//! runtimes unpack: links, directories and devices have no content whatever their size field
//! says, and global pax headers change nothing.

mod header;
mod input;
mod pax;

pub(crate) use input::{Input, Seekable, Stream};

use crate::sparse::{MAX_SEGMENTS, SparseMap};
use crate::{Content, Error};
use header::{BLOCK, Block};
use pax::Extension;
use std::sync::Arc;

/// The most bytes that a long name or a pax header may have, as in Go's `archive/tar`.
const MAX_EXTENSION: u64 = 1 << 20;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    HardLink,
    Other,
}

/// One member of an archive. Names are as they stand in the archive.
#[derive(Debug)]
pub(crate) struct Member {
    /// Offset of its first header, extension headers included.
    pub(crate) offset: u64,
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: Kind,
    /// Size of the content, with holes.
    pub(crate) size: u64,
    pub(crate) mode: u32,
    /// Bytes in the archive.
    stored: u64,
    sparse: Option<Arc<SparseMap>>,
    /// See [`Extension::redirects`].
    pub(crate) redirects: bool,
}

impl Member {
    /// Whether holes are left out of its stored bytes.
    pub(crate) fn is_sparse(&self) -> bool {
        self.sparse.is_some()
    }
}

/// Reads the members of an archive one after another.
#[derive(Debug)]
pub(crate) struct Reader<I> {
    input: I,
    place: Arc<str>,
    next: u64,
    member: Member,
    extension: Extension,
    taken: Option<Content>,
    lone_zeros: Option<u64>,
    unmarked_end: Option<u64>,
}

/// Whether a block is a tar header: its checksum is right.
pub(crate) fn is_header(block: &[u8]) -> bool {
    block
        .first_chunk::<BLOCK>()
        .is_some_and(|block| !Block(block).is_zero() && Block(block).has_valid_checksum())
}

impl<I: Input> Reader<I> {
    /// A reader from where `input` stands. `place` is for messages.
    pub(crate) fn new(input: I, place: impl Into<Arc<str>>) -> Self {
        Self {
            next: input.position(),
            input,
            place: place.into(),
            member: Member {
                offset: 0,
                path: Vec::new(),
                link: Vec::new(),
                kind: Kind::Other,
                size: 0,
                mode: 0,
                stored: 0,
                sparse: None,
                redirects: false,
            },
            extension: Extension::default(),
            taken: None,
            lone_zeros: None,
            unmarked_end: None,
        }
    }

    /// The member that [`Reader::advance`] found.
    pub(crate) fn member(&self) -> &Member {
        &self.member
    }

    /// Offset up to which the archive has been read or skipped.
    pub(crate) fn position(&self) -> u64 {
        self.input.position()
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Goes to the next member, past the content of this one. `false` at the end, which is two
    /// blocks of zeros, or the end of the bytes where a header would begin.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        self.extension.clear();
        self.taken = None;
        let mut first = None;
        loop {
            if !self.skip_to(self.next)? {
                self.unmarked_end = Some(self.input.position());
                return Ok(false);
            }
            let offset = self.input.position();
            let Some(block) = self.block()? else {
                if first.is_some() {
                    return Err(self.truncated(offset));
                }
                self.unmarked_end = Some(offset);
                return Ok(false);
            };
            let block = Block(&block);
            self.next = offset + BLOCK as u64;
            if block.is_zero() {
                if self.at_second_zero_block()? {
                    return Ok(false);
                }
                self.lone_zeros = Some(offset);
                continue;
            }
            if !block.has_valid_checksum() {
                return Err(self.corrupt(offset, "the checksum of a tar header is wrong"));
            }
            let size = block
                .size()
                .ok_or_else(|| self.corrupt(offset, "the size in a tar header is not a number"))?;
            let kind = block.kind();
            if kind.is_extension() {
                first.get_or_insert(offset);
                self.read_extension(kind, offset, size)?;
            } else {
                self.fill_member(&block, first.unwrap_or(offset), offset, size)?;
                return Ok(true);
            }
        }
    }

    /// Offset of the last block of zeros that was passed over because none followed it: GNU tar warns
    /// of it and reads on, Go's `archive/tar` ends there.
    pub(crate) fn lone_zeros(&self) -> Option<u64> {
        self.lone_zeros
    }

    /// Where the archive ended, after [`Reader::advance`] said `false`, if not a single block of zeros
    /// marks its end, as of one that was cut off between two members or in the padding of the last.
    pub(crate) fn unmarked_end(&self) -> Option<u64> {
        self.unmarked_end
    }

    /// Goes on to the next block that is a header by its magic and its checksum, and makes it the next
    /// member's. Returns its offset; `None` if there is none up to the end of the bytes.
    pub(crate) fn find_header(&mut self) -> Result<Option<u64>, Error> {
        self.extension.clear();
        self.taken = None;
        self.lone_zeros = None;
        let aligned = self.input.position().next_multiple_of(BLOCK as u64);
        if !self.skip_to(aligned)? {
            return Ok(None);
        }
        loop {
            let offset = self.input.position();
            let bytes = self.fill(BLOCK)?;
            let Some(block) = bytes.first_chunk::<BLOCK>() else {
                return Ok(None);
            };
            if Block(block).has_magic() && Block(block).has_valid_checksum() {
                self.next = offset;
                return Ok(Some(offset));
            }
            self.input.consume(BLOCK);
        }
    }

    /// Whether zeros are all that follows. Else it stands at the first block of something else.
    pub(crate) fn only_zeros_follow(&mut self) -> Result<bool, Error> {
        loop {
            let bytes = self.fill(BLOCK)?;
            let Some(block) = bytes.first_chunk::<BLOCK>() else {
                return Ok(bytes.iter().all(|byte| *byte == 0));
            };
            if !Block(block).is_zero() {
                return Ok(false);
            }
            self.input.consume(BLOCK);
        }
    }

    /// The first bytes of the member's content.
    pub(crate) fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.taken.is_some() || self.member.sparse.is_some() {
            let content = self.content()?;
            let offset = self.member.offset;
            return content
                .read_at(buffer, 0)
                .map_err(|error| Error::from_io(&self.place, offset, error));
        }
        let want = usize::try_from(self.member.stored)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let bytes = self.fill(want)?;
        let n = bytes.len().min(want);
        buffer[..n].copy_from_slice(&bytes[..n]);
        Ok(n)
    }

    /// The member's content.
    pub(crate) fn content(&mut self) -> Result<Content, Error> {
        if let Some(content) = &self.taken {
            return Ok(content.clone());
        }
        let stored = self.input.content(self.member.stored, &self.place)?;
        let content = match &self.member.sparse {
            Some(map) => Content::sparse(stored, Arc::clone(map)),
            None => stored,
        };
        self.taken = Some(content.clone());
        Ok(content)
    }

    /// The input, standing at the member's content, to be read no further than the returned
    /// length.
    pub(crate) fn content_input(&mut self) -> (&mut I, u64) {
        (&mut self.input, self.member.stored)
    }

    fn fill_member(
        &mut self,
        block: &Block<'_>,
        first: u64,
        offset: u64,
        header_size: u64,
    ) -> Result<(), Error> {
        let member = &mut self.member;
        match self.extension.path() {
            Some(path) => replace(&mut member.path, path),
            None => block.path_into(&mut member.path),
        }
        match self.extension.link() {
            Some(link) => replace(&mut member.link, link),
            None => replace(&mut member.link, block.link()),
        }
        // By the whole name, from wherever it comes; only that of a sparse file is too late for it.
        let kind = block.kind().member(&member.path);
        let stored = match kind {
            Kind::File => self.extension.size.unwrap_or(header_size),
            _ => 0,
        };
        let data_end = self
            .next
            .checked_add(stored)
            .and_then(|end| end.checked_next_multiple_of(BLOCK as u64))
            .ok_or_else(|| self.corrupt(offset, "the size in a tar header is too large"))?;
        let member = &mut self.member;
        member.offset = first;
        member.kind = kind;
        member.mode = block.mode();
        member.stored = stored;
        member.size = stored;
        member.sparse = None;
        member.redirects = self.extension.redirects;
        if kind == Kind::File {
            if block.kind().is_old_gnu_sparse() {
                self.read_old_gnu_map(block, offset)?;
            } else if self.extension.sparse_map().is_some() {
                self.read_pax_map(offset)?;
            }
        }
        // A map that stands before the content has moved the content's begin, not its end, except
        // for the old GNU format, whose map is no part of the size.
        self.next = self
            .input
            .position()
            .checked_add(self.member.stored)
            .and_then(|end| end.checked_next_multiple_of(BLOCK as u64))
            .unwrap_or(data_end);
        Ok(())
    }

    fn read_extension(
        &mut self,
        kind: header::TypeFlag,
        offset: u64,
        size: u64,
    ) -> Result<(), Error> {
        let end = self
            .next
            .checked_add(size)
            .and_then(|end| end.checked_next_multiple_of(BLOCK as u64))
            .ok_or_else(|| self.corrupt(offset, "the size in a tar header is too large"))?;
        if kind.is_global() {
            // For Go it is a member, which ends what the headers before it said of the next.
            self.extension.clear();
            self.next = end;
            return Ok(());
        }
        if size > MAX_EXTENSION {
            return Err(Error::Limit {
                place: self.place.to_string(),
                limit: format!("{MAX_EXTENSION} bytes for an extended tar header"),
            });
        }
        let len = usize::try_from(size).unwrap_or(usize::MAX);
        let bytes = self
            .input
            .fill(len)
            .map_err(|error| Error::from_io(&self.place, offset, error))?;
        let Some(bytes) = bytes.get(..len) else {
            let end = offset + (BLOCK + bytes.len()) as u64;
            return Err(self.truncated(end));
        };
        let read = self.extension.read(kind, bytes);
        self.next = end;
        read.map_err(|message| self.corrupt(offset, message))
    }

    /// GNU tar's manual, "Old GNU Format": four parts in the header, then blocks of 21.
    fn read_old_gnu_map(&mut self, block: &Block<'_>, offset: u64) -> Result<(), Error> {
        let broken = "the map of a sparse file is broken";
        let mut pairs = Vec::new();
        let mut more = block
            .sparse_pairs(&mut pairs)
            .ok_or_else(|| self.corrupt(offset, broken))?;
        while more {
            let at = self.input.position();
            let next = self.block()?.ok_or_else(|| self.truncated(at))?;
            more = Block(&next)
                .more_sparse_pairs(&mut pairs)
                .ok_or_else(|| self.corrupt(at, broken))?;
            self.check_segments(pairs.len())?;
        }
        let size = block
            .sparse_size()
            .ok_or_else(|| self.corrupt(offset, broken))?;
        self.set_sparse(&pairs, size, offset)
    }

    /// GNU tar's manual, "PAX Format, Versions 0.0 and 0.1" and "1.0".
    fn read_pax_map(&mut self, offset: u64) -> Result<(), Error> {
        if let Some(name) = self.extension.sparse_name() {
            replace(&mut self.member.path, name);
        }
        let size = self
            .extension
            .sparse_size()
            .map_err(|message| self.corrupt(offset, message))?
            .unwrap_or(self.member.stored);
        if self.extension.sparse_map() == Some(pax::SparseMap::InRecords) {
            let pairs = self.extension.sparse_pairs();
            self.check_segments(pairs.len())?;
            return self.set_sparse(&pairs, size, offset);
        }
        let start = self.input.position();
        let mut numbers = pax::MapInContent::default();
        while !numbers.is_complete() {
            let at = self.input.position();
            if at - start + BLOCK as u64 > self.member.stored {
                return Err(self.corrupt(at, "the map of a sparse file does not end"));
            }
            let block = self.block()?.ok_or_else(|| self.truncated(at))?;
            numbers
                .read(&block)
                .map_err(|message| self.corrupt(at, message))?;
            self.check_segments(numbers.pairs().len())?;
        }
        self.member.stored -= self.input.position() - start;
        self.set_sparse(numbers.pairs(), size, offset)
    }

    fn check_segments(&self, count: usize) -> Result<(), Error> {
        if count <= MAX_SEGMENTS {
            return Ok(());
        }
        Err(Error::Limit {
            place: self.place.to_string(),
            limit: format!("{MAX_SEGMENTS} parts of a sparse file"),
        })
    }

    fn set_sparse(&mut self, pairs: &[(u64, u64)], size: u64, offset: u64) -> Result<(), Error> {
        let map = SparseMap::from_pairs(pairs, size, self.member.stored)
            .map_err(|message| self.corrupt(offset, message))?;
        self.member.size = size;
        self.member.sparse = Some(Arc::new(map));
        Ok(())
    }

    /// `false` if nothing but padding is missing.
    fn skip_to(&mut self, target: u64) -> Result<bool, Error> {
        let position = self.input.position();
        let want = target.saturating_sub(position);
        let skipped = self
            .input
            .skip(want)
            .map_err(|error| Error::from_io(&self.place, position, error))?;
        let missing = want - skipped;
        if missing == 0 {
            return Ok(true);
        }
        let padding = match self.member.stored % BLOCK as u64 {
            0 => 0,
            used => BLOCK as u64 - used,
        };
        if missing <= padding {
            return Ok(false);
        }
        Err(self.truncated(position + skipped))
    }

    /// Takes a whole block. `None` at the end of the bytes.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        let offset = self.input.position();
        let bytes = self.fill(BLOCK)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let Some(block) = bytes.first_chunk::<BLOCK>().copied() else {
            let end = offset + bytes.len() as u64;
            return Err(self.truncated(end));
        };
        self.input.consume(BLOCK);
        Ok(Some(block))
    }

    fn at_second_zero_block(&mut self) -> Result<bool, Error> {
        let bytes = self.fill(BLOCK)?;
        Ok(bytes
            .first_chunk::<BLOCK>()
            .is_none_or(|block| Block(block).is_zero()))
    }

    fn fill(&mut self, want: usize) -> Result<&[u8], Error> {
        let offset = self.input.position();
        let place = &self.place;
        self.input
            .fill(want)
            .map_err(|error| Error::from_io(place, offset, error))
    }

    fn corrupt(&self, offset: u64, message: impl Into<String>) -> Error {
        Error::Corrupt {
            place: self.place.to_string(),
            offset,
            message: message.into(),
        }
    }

    fn truncated(&self, offset: u64) -> Error {
        Error::Truncated {
            place: self.place.to_string(),
            offset,
        }
    }
}

impl Reader<Seekable> {
    /// Goes to the member whose first header is at `offset`.
    pub(crate) fn jump(&mut self, offset: u64) {
        self.input.seek(offset);
        self.next = offset;
    }

    /// The bytes that are there of the member's content, which may be cut off.
    pub(crate) fn available(&self) -> Content {
        let stored = self.input.available(self.member.stored);
        match &self.member.sparse {
            Some(map) => Content::sparse(stored, Arc::clone(map)),
            None => stored,
        }
    }
}

fn replace(target: &mut Vec<u8>, bytes: &[u8]) {
    target.clear();
    target.extend_from_slice(bytes);
}
