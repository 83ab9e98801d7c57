//! The fixed header block: POSIX.1-1988 `ustar`, and the fields that GNU tar put in its place.
//!
//! Where archivers differ, a header is read as Go's `archive/tar` reads it, which container runtimes
//! unpack layers with: what we read otherwise would be other files than those that run.

use super::Kind;
use std::ops::Range;

/// Archives are made of blocks of this size.
pub(super) const BLOCK: usize = 512;

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..265;
const PREFIX: Range<usize> = 345..500;
/// What stands in the end of a header of Schilling's star, and its shorter prefix.
const STAR_TRAILER: (Range<usize>, &[u8]) = (508..512, b"tar\0");
const STAR_PREFIX: Range<usize> = 345..476;
const GNU_TIMES: [Range<usize>; 2] = [345..357, 357..369];
const GNU_SPARSE: Range<usize> = 386..482;
const GNU_SPARSE_MORE: usize = 482;
const GNU_REAL_SIZE: Range<usize> = 483..495;
const GNU_EXTENDED: Range<usize> = 0..504;
const GNU_EXTENDED_MORE: usize = 504;

/// One block, seen as a header.
pub(super) struct Block<'a>(pub(super) &'a [u8; BLOCK]);

/// The type of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeFlag(u8);

impl TypeFlag {
    /// A header that says something of the member after it.
    pub(super) fn is_extension(self) -> bool {
        matches!(self.0, b'x' | b'g' | b'L' | b'K')
    }

    pub(super) fn is_global(self) -> bool {
        self.0 == b'g'
    }

    pub(super) fn is_pax(self) -> bool {
        self.0 == b'x'
    }

    pub(super) fn is_long_name(self) -> bool {
        self.0 == b'L'
    }

    pub(super) fn is_old_gnu_sparse(self) -> bool {
        self.0 == b'S'
    }

    /// The kind of member. `name` is the whole name: pre-POSIX archives, which have no type for a file,
    /// mark a directory by it.
    pub(super) fn member(self, name: &[u8]) -> Kind {
        match self.0 {
            0 if name.ends_with(b"/") => Kind::Directory,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'5' => Kind::Directory,
            b'3' | b'4' | b'6' => Kind::Other,
            // POSIX: a type that is not known is treated as a regular file.
            _ => Kind::File,
        }
    }
}

impl<'a> Block<'a> {
    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// The sum of the bytes, those of the checksum taken as spaces. Some old archivers summed
    /// signed bytes.
    pub(super) fn has_valid_checksum(&self) -> bool {
        let Some(expected) = octal(&self.0[CHECKSUM]) else {
            return false;
        };
        let around = || {
            self.0[..CHECKSUM.start]
                .iter()
                .chain(&self.0[CHECKSUM.end..])
        };
        let spaces = CHECKSUM.len() as i64 * i64::from(b' ');
        let unsigned: i64 = around().map(|byte| i64::from(*byte)).sum();
        if unsigned + spaces == expected {
            return true;
        }
        let signed: i64 = around().map(|byte| i64::from(*byte as i8)).sum();
        signed + spaces == expected
    }

    /// Whether it says of itself that it is a header, as those of all archivers of this century do.
    pub(super) fn has_magic(&self) -> bool {
        self.0[MAGIC].starts_with(b"ustar")
    }

    pub(super) fn kind(&self) -> TypeFlag {
        TypeFlag(self.0[TYPE])
    }

    pub(super) fn size(&self) -> Option<u64> {
        unsigned(&self.0[SIZE])
    }

    pub(super) fn mode(&self) -> u32 {
        number(&self.0[MODE]).map_or(0, |mode| (mode & 0o7777) as u32)
    }

    pub(super) fn name(&self) -> &'a [u8] {
        text(&self.0[NAME])
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(&self.0[LINK])
    }

    /// The name with its prefix.
    pub(super) fn path_into(&self, out: &mut Vec<u8>) {
        out.clear();
        let prefix = self.prefix();
        if !prefix.is_empty() {
            out.extend_from_slice(prefix);
            out.push(b'/');
        }
        out.extend_from_slice(self.name());
    }

    fn prefix(&self) -> &'a [u8] {
        let (trailer, star) = STAR_TRAILER;
        match &self.0[MAGIC] {
            [b'u', b's', b't', b'a', b'r', 0, ..] if self.0[trailer] == *star => {
                text(&self.0[STAR_PREFIX])
            }
            [b'u', b's', b't', b'a', b'r', 0, ..] => text(&self.0[PREFIX]),
            // GNU headers have times where the prefix is. Where these are none, Go takes them for a
            // prefix that its writer once put there.
            b"ustar  \0" if !GNU_TIMES.into_iter().all(|time| is_time(&self.0[time])) => {
                let prefix = text(&self.0[PREFIX]);
                if prefix.is_ascii() { prefix } else { b"" }
            }
            _ => b"",
        }
    }

    /// The first parts of an old GNU sparse file, and whether more blocks of them follow.
    pub(super) fn sparse_pairs(&self, pairs: &mut Vec<(u64, u64)>) -> Option<bool> {
        read_pairs(&self.0[GNU_SPARSE], pairs)?;
        Some(self.0[GNU_SPARSE_MORE] != 0)
    }

    /// The same for the blocks that follow.
    pub(super) fn more_sparse_pairs(&self, pairs: &mut Vec<(u64, u64)>) -> Option<bool> {
        read_pairs(&self.0[GNU_EXTENDED], pairs)?;
        Some(self.0[GNU_EXTENDED_MORE] != 0)
    }

    pub(super) fn sparse_size(&self) -> Option<u64> {
        unsigned(&self.0[GNU_REAL_SIZE])
    }
}

fn read_pairs(field: &[u8], pairs: &mut Vec<(u64, u64)>) -> Option<()> {
    for pair in field.chunks_exact(24) {
        let (offset, len) = pair.split_at(12);
        if offset.starts_with(b"\0") {
            break;
        }
        pairs.push((unsigned(offset)?, unsigned(len)?));
    }
    Some(())
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// A time, or nothing.
fn is_time(field: &[u8]) -> bool {
    field.starts_with(b"\0") || number(field).is_some()
}

/// A number that cannot be negative.
fn unsigned(field: &[u8]) -> Option<u64> {
    u64::try_from(number(field)?).ok()
}

/// An octal number, or GNU's base-256: a big-endian two's complement behind a first bit that only
/// marks it. `None` where Go's `archive/tar` finds none, or one that it cannot hold.
fn number(field: &[u8]) -> Option<i64> {
    match field {
        [first @ 0x80..=0xff, rest @ ..] => {
            // Without the mark, the sign is the second bit.
            let first = i128::from((first << 1) as i8 >> 1);
            // No field has more than the twelve bytes that this has room for.
            let number = rest
                .iter()
                .fold(first, |n, byte| n << 8 | i128::from(*byte));
            i64::try_from(number).ok()
        }
        _ => octal(field),
    }
}

/// Octal digits between spaces and NULs, up to a NUL among them. Empty is zero.
fn octal(mut field: &[u8]) -> Option<i64> {
    while let [0 | b' ', rest @ ..] | [rest @ .., 0 | b' '] = field {
        field = rest;
    }
    text(field).iter().try_fold(0_i64, |n, digit| match digit {
        b'0'..=b'7' => n.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            // As Go reads it.
            (b"\x000000644", Some(0o644)),
            (b"\0 644\0 7", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"77777777777\0", Some(0o77_777_777_777)),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Some(1 << 33)),
            (b"\x80\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\xff\xff\xff\xed", Some(-0o23)),
            (b"\xc0\0\0\0\0\0\0\0\0\0\0\0", None),
            (b"1 7", None),
            (b"12x4", None),
            (b"-1", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
