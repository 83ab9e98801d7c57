//! Headers that speak of the member after them: pax records and GNU's long names. Of several, those
//! count that count for Go's `archive/tar` (see [`super::header`]).

use super::header::TypeFlag;

/// What extension headers said of the next member. What is empty was not said (POSIX pax, "pax
/// Extended Header"; Go takes GNU's long names so, too).
#[derive(Debug, Default)]
pub(super) struct Extension {
    pax_path: Vec<u8>,
    pax_link: Vec<u8>,
    gnu_path: Vec<u8>,
    gnu_link: Vec<u8>,
    pub(super) size: Option<u64>,
    sparse_name: Vec<u8>,
    sparse_size: Vec<u8>,
    sparse_real_size: Vec<u8>,
    sparse_major: Vec<u8>,
    sparse_minor: Vec<u8>,
    /// Offset and length of each part of a sparse file, from records of their own (GNU's pax format
    /// 0.0).
    sparse_parts: Vec<u64>,
    /// The same from one record (format 0.1).
    sparse_list: Vec<u64>,
    /// Whether overlayfs would show another directory's or file's content in the member's place.
    pub(super) redirects: bool,
}

const BROKEN: &str = "a number in a pax header is broken";

/// How a pax header says where the parts of a sparse file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SparseMap {
    /// GNU's formats 0.0 and 0.1.
    InRecords,
    /// GNU's format 1.0.
    InContent,
}

impl Extension {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn path(&self) -> Option<&[u8]> {
        said(&self.gnu_path).or(said(&self.pax_path))
    }

    pub(super) fn link(&self) -> Option<&[u8]> {
        said(&self.gnu_link).or(said(&self.pax_link))
    }

    /// Where the parts of the file are, if it is a sparse one: a version that is not known makes it
    /// none.
    pub(super) fn sparse_map(&self) -> Option<SparseMap> {
        match (&*self.sparse_major, &*self.sparse_minor) {
            (b"0", b"0" | b"1") => Some(SparseMap::InRecords),
            (b"1", b"0") => Some(SparseMap::InContent),
            (b"", b"") if !self.sparse_numbers().is_empty() => Some(SparseMap::InRecords),
            _ => None,
        }
    }

    /// The name of a sparse file.
    pub(super) fn sparse_name(&self) -> Option<&[u8]> {
        said(&self.sparse_name)
    }

    /// The size of a sparse file with its holes.
    pub(super) fn sparse_size(&self) -> Result<Option<u64>, &'static str> {
        said(&self.sparse_size)
            .or(said(&self.sparse_real_size))
            .map(|size| decimal(size).ok_or(BROKEN))
            .transpose()
    }

    /// Offset and length of each part of a sparse file.
    pub(super) fn sparse_pairs(&self) -> Vec<(u64, u64)> {
        let (pairs, _) = self.sparse_numbers().as_chunks();
        pairs.iter().map(|&[offset, len]| (offset, len)).collect()
    }

    /// Records of their own count, wherever they stand.
    fn sparse_numbers(&self) -> &[u64] {
        match &*self.sparse_parts {
            [] => &self.sparse_list,
            parts => parts,
        }
    }

    /// Takes in the content of one extension header. An error says what is wrong with it.
    pub(super) fn read(&mut self, kind: TypeFlag, bytes: &[u8]) -> Result<(), &'static str> {
        if kind.is_pax() {
            // It stands for any pax header before it.
            *self = Self {
                gnu_path: std::mem::take(&mut self.gnu_path),
                gnu_link: std::mem::take(&mut self.gnu_link),
                ..Self::default()
            };
            let mut rest = bytes;
            while let Some((key, value, after)) = next_record(rest)? {
                self.set(key, value)?;
                rest = after;
            }
            return Ok(());
        }
        let end = bytes.iter().position(|byte| *byte == 0);
        let name = bytes[..end.unwrap_or(bytes.len())].to_vec();
        if kind.is_long_name() {
            self.gnu_path = name;
        } else {
            self.gnu_link = name;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        match key {
            b"path" => self.pax_path = value.to_vec(),
            b"linkpath" => self.pax_link = value.to_vec(),
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(decimal(value).ok_or(BROKEN)?),
            b"GNU.sparse.name" => self.sparse_name = value.to_vec(),
            b"GNU.sparse.size" => self.sparse_size = value.to_vec(),
            b"GNU.sparse.realsize" => self.sparse_real_size = value.to_vec(),
            b"GNU.sparse.major" => self.sparse_major = value.to_vec(),
            b"GNU.sparse.minor" => self.sparse_minor = value.to_vec(),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let is_turn_of_offset = self.sparse_parts.len().is_multiple_of(2);
                if is_turn_of_offset != key.ends_with(b"offset") {
                    return Err(BROKEN);
                }
                self.sparse_parts.push(decimal(value).ok_or(BROKEN)?);
            }
            b"GNU.sparse.map" if value.is_empty() => self.sparse_list.clear(),
            b"GNU.sparse.map" => {
                let numbers = value.split(|byte| *byte == b',').map(decimal);
                self.sparse_list = numbers.collect::<Option<_>>().ok_or(BROKEN)?;
            }
            key if key.starts_with(XATTR) => {
                let own: [&[u8]; 4] = [b"redirect", b"metacopy", b"opaque", b"whiteout"];
                let mut classes = own.iter().filter_map(|name| key.strip_suffix(*name));
                self.redirects |= classes
                    .any(|it| it.ends_with(b".overlay.") || it.ends_with(b".fuseoverlayfs."));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Extended attributes, as star(1) and Go keep them.
const XATTR: &[u8] = b"SCHILY.xattr.";

fn said(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty()).then_some(value)
}

type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// The first record, `LENGTH KEY=VALUE\n` with the length of the whole, and what follows it.
fn next_record(bytes: &[u8]) -> Result<Option<Record<'_>>, &'static str> {
    const BROKEN: &str = "a record of a pax header is broken";
    // Some writers pad with NULs.
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let space = bytes
        .iter()
        .take(20)
        .position(|byte| *byte == b' ')
        .ok_or(BROKEN)?;
    let len = decimal(&bytes[..space])
        .and_then(|len| usize::try_from(len).ok())
        .ok_or(BROKEN)?;
    let record = bytes.get(space + 1..len).ok_or(BROKEN)?;
    let record = record.strip_suffix(b"\n").ok_or(BROKEN)?;
    let equals = record.iter().position(|byte| *byte == b'=').ok_or(BROKEN)?;
    Ok(Some((
        &record[..equals],
        &record[equals + 1..],
        bytes.get(len..).unwrap_or_default(),
    )))
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |n, digit| match digit {
        b'0'..=b'9' => n.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// The map at the begin of the content, GNU's pax format 1.0: the number of parts, then offset and
/// length of each, every number on a line, padded to whole blocks.
#[derive(Debug, Default)]
pub(super) struct MapInContent {
    parts: Option<u64>,
    pairs: Vec<(u64, u64)>,
    offset: Option<u64>,
    digits: Vec<u8>,
}

impl MapInContent {
    pub(super) fn is_complete(&self) -> bool {
        self.parts
            .is_some_and(|parts| parts == self.pairs.len() as u64)
    }

    pub(super) fn pairs(&self) -> &[(u64, u64)] {
        &self.pairs
    }

    pub(super) fn read(&mut self, block: &[u8]) -> Result<(), &'static str> {
        const BROKEN: &str = "the map of a sparse file is broken";
        for byte in block {
            if self.is_complete() {
                break;
            }
            if *byte != b'\n' {
                if self.digits.len() > 20 {
                    return Err(BROKEN);
                }
                self.digits.push(*byte);
                continue;
            }
            let number = decimal(&self.digits).ok_or(BROKEN)?;
            self.digits.clear();
            if self.parts.is_none() {
                self.parts = Some(number);
            } else if let Some(offset) = self.offset.take() {
                self.pairs.push((offset, number));
            } else {
                self.offset = Some(number);
            }
        }
        Ok(())
    }
}
