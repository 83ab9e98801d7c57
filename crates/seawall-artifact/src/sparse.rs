//! Files with holes: where the stored parts belong.

use crate::Content;
use std::io;

/// The most parts that one sparse file may have. A disk image of 100 GB has some ten thousand.
pub(crate) const MAX_SEGMENTS: usize = 1 << 17;

/// One stored part of a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where it belongs in the file.
    pub(crate) offset: u64,
    /// Where it lies in the stored bytes.
    pub(crate) stored: u64,
    /// Its length.
    pub(crate) len: u64,
}

/// The stored parts of a sparse file, in ascending order and without overlap.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SparseMap {
    segments: Vec<Segment>,
    size: u64,
}

impl SparseMap {
    /// A map of parts known to be in order.
    pub(crate) fn from_parts(parts: impl Into<Vec<Segment>>, size: u64) -> Self {
        Self {
            segments: parts.into(),
            size,
        }
    }

    /// The map for (offset, length) pairs as archives have them, whose bytes are stored one after
    /// another. An error says what is wrong with them.
    pub(crate) fn from_pairs(
        pairs: &[(u64, u64)],
        size: u64,
        stored: u64,
    ) -> Result<Self, &'static str> {
        let mut segments = Vec::with_capacity(pairs.len());
        let (mut end, mut at) = (0_u64, 0_u64);
        for &(offset, len) in pairs {
            if offset < end {
                return Err("parts of a sparse file overlap");
            }
            end = offset
                .checked_add(len)
                .filter(|end| *end <= size)
                .ok_or("a part of a sparse file lies behind its end")?;
            if len > 0 {
                segments.push(Segment {
                    offset,
                    stored: at,
                    len,
                });
            }
            at += len;
        }
        if at > stored {
            return Err("a sparse file has fewer bytes than its map says");
        }
        Ok(Self { segments, size })
    }

    /// The size with the holes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// As [`Content::read_at`], which has cut `buffer` to the size.
    pub(crate) fn read_at(
        &self,
        stored: &Content,
        buffer: &mut [u8],
        offset: u64,
    ) -> io::Result<usize> {
        buffer.fill(0);
        let end = offset + buffer.len() as u64;
        let first = self
            .segments
            .partition_point(|part| part.offset + part.len <= offset);
        for part in self.segments.get(first..).unwrap_or_default() {
            if part.offset >= end {
                break;
            }
            let from = part.offset.max(offset);
            let to = (part.offset + part.len).min(end);
            // Both lie within the buffer.
            let range = (from - offset) as usize..(to - offset) as usize;
            let want = range.len();
            let n = stored.read_at(&mut buffer[range], part.stored + (from - part.offset))?;
            if n < want {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn holes_read_as_zeros() {
        let map = SparseMap::from_pairs(&[(2, 3), (7, 1), (10, 0)], 10, 4).unwrap();
        let content = Content::sparse(Content::from_bytes(*b"abcd"), Arc::new(map));
        assert_eq!(&*content.read_all().unwrap(), b"\0\0abc\0\0d\0\0");
        let mut two = [9; 2];
        assert_eq!(content.read_at(&mut two, 4).unwrap(), 2);
        assert_eq!(&two, b"c\0");
    }

    #[test]
    fn maps_that_make_no_sense_are_refused() {
        for (pairs, size, stored) in [
            (&[(0, 5), (4, 1)][..], 10, 6),
            (&[(8, 3)], 10, 3),
            (&[(0, 3)], 10, 2),
            (&[(u64::MAX, 1)], u64::MAX, 1),
        ] {
            assert!(SparseMap::from_pairs(pairs, size, stored).is_err());
        }
    }
}
