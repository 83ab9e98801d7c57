//! Zip archives, opened only where their directory is of a size that memory is given for.

use super::{AnalyzeError, turn};
use seawall_model::IncompleteReason;
use std::io::{Read, Seek, SeekFrom};
use zip::ZipArchive;
use zip::result::ZipError;

/// Bytes of an archive's directory: half a million entries with short names.
const MAX_DIRECTORY: u64 = 32 << 20;

/// Bytes of memory for each of the directory's: entries of 46 bytes and a name take some 300.
const MEMORY_PER_BYTE: u64 = 8;

/// Whether a file that begins so is a zip archive, and not something else that goes by a name of
/// one.
pub(super) fn has_magic(mut reader: impl Read) -> std::io::Result<bool> {
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head)?;
    // An archive without entries begins with its end.
    Ok(matches!(&*head, b"PK\x03\x04" | b"PK\x05\x06"))
}

/// Opens an archive. A turn that is taken for a large directory is put into `turn`.
pub(super) fn open<R: Read + Seek>(
    mut reader: R,
    turn: &mut Option<turn::Turn>,
) -> Result<ZipArchive<R>, AnalyzeError> {
    let directory = directory_bytes(&mut reader)?;
    if directory > MAX_DIRECTORY {
        return Err(AnalyzeError {
            reason: IncompleteReason::LimitReached,
            offset: None,
            message: format!("the directory of the zip archive exceeds {MAX_DIRECTORY} bytes"),
        });
    }
    if turn.is_none() {
        *turn = turn::take(directory * MEMORY_PER_BYTE);
    }
    ZipArchive::new(reader).map_err(|error| damaged(&error))
}

pub(super) fn damaged(error: &ZipError) -> AnalyzeError {
    AnalyzeError::corrupt(format!("not a readable zip archive: {error}"))
}

/// The largest size that a record at the end states for the directory (APPNOTE.TXT 4.3.16, "End of
/// central directory record", and 4.3.14 for its 64-bit form). Bytes before the end may look like
/// one more record; which one counts is for the reader to say.
fn directory_bytes(reader: &mut (impl Read + Seek)) -> Result<u64, AnalyzeError> {
    /// Both records, the 64-bit one's locator, and the longest comment.
    const TAIL: u64 = 56 + 20 + 22 + u16::MAX as u64;
    let length = reader.seek(SeekFrom::End(0))?;
    let tail_length = length.min(TAIL);
    reader.seek(SeekFrom::Start(length - tail_length))?;
    let mut tail = Vec::new();
    reader.take(tail_length).read_to_end(&mut tail)?;
    reader.rewind()?;
    let short = memchr::memmem::find_iter(&tail, b"PK\x05\x06")
        .filter_map(|at| tail.get(at + 12..at + 16)?.try_into().ok())
        .map(|field| u64::from(u32::from_le_bytes(field)))
        // The 64-bit record holds it.
        .filter(|size| *size != u64::from(u32::MAX));
    let long = memchr::memmem::find_iter(&tail, b"PK\x06\x06")
        .filter_map(|at| tail.get(at + 40..at + 48)?.try_into().ok())
        .map(u64::from_le_bytes);
    // The directory lies in the file in any case.
    Ok(short
        .chain(long)
        .filter(|size| *size <= length)
        .max()
        .unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// An archive of empty directory entries, with the 64-bit record at its end or without.
    fn archive(entries: u64, is_long: bool) -> Vec<u8> {
        let entry = [&b"PK\x01\x02"[..], &[0; 24], &[1, 0], &[0; 16], b"x"].concat();
        let mut bytes = entry.repeat(usize::try_from(entries).unwrap());
        let size = bytes.len() as u64;
        if is_long {
            bytes.extend([&b"PK\x06\x06"[..], &44u64.to_le_bytes(), &[0; 12]].concat());
            for field in [entries, entries, size, 0] {
                bytes.extend(field.to_le_bytes());
            }
            bytes.extend(
                [
                    &b"PK\x06\x07"[..],
                    &[0; 4],
                    &size.to_le_bytes(),
                    &[1, 0, 0, 0],
                ]
                .concat(),
            );
        }
        bytes.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
        let field = u32::try_from(size).unwrap();
        bytes.extend(if is_long { u32::MAX } else { field }.to_le_bytes());
        bytes.extend([0; 6]);
        bytes
    }

    #[test]
    fn a_large_directory_was_read_where_its_size_is_in_the_64_bit_record() {
        for (entries, is_long, is_refused) in [
            (10, true, false),
            (800_000, true, true),
            (800_000, false, true),
        ] {
            let result = open(Cursor::new(archive(entries, is_long)), &mut None);
            let reason = result.err().map(|error| error.reason);
            let is_limit = reason == Some(IncompleteReason::LimitReached);
            assert_eq!(is_limit, is_refused, "{entries} {is_long}: {reason:?}");
        }
    }
}
