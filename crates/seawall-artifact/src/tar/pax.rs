//! Headers that speak of the member after them: pax records and GNU's long names. Of several, those
//! count that count for Go's `archive/tar` (see [`super::header`]).

use super::header::TypeFlag;

/// What extension headers said of the next member.
#[derive(Debug, Default)]
pub(super) struct Extension {
    pax_path: Option<Vec<u8>>,
    pax_link: Option<Vec<u8>>,
    gnu_path: Option<Vec<u8>>,
    gnu_link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Parts of a sparse file in GNU's pax formats 0.0 and 0.1.
    pub(super) sparse_pairs: Vec<(u64, u64)>,
    pub(super) sparse_name: Option<Vec<u8>>,
    sparse_size: Option<u64>,
    sparse_real_size: Option<u64>,
    sparse_major: Option<Vec<u8>>,
    sparse_minor: Option<Vec<u8>>,
    has_pairs: bool,
    pending_offset: Option<u64>,
}

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
        self.gnu_path.as_deref().or(self.pax_path.as_deref())
    }

    pub(super) fn link(&self) -> Option<&[u8]> {
        self.gnu_link.as_deref().or(self.pax_link.as_deref())
    }

    /// Where the parts of the file are, if it is a sparse one: a version that is not known makes it
    /// none.
    pub(super) fn sparse_map(&self) -> Option<SparseMap> {
        match (self.sparse_major.as_deref(), self.sparse_minor.as_deref()) {
            (Some(b"0"), Some(b"0" | b"1")) => Some(SparseMap::InRecords),
            (Some(b"1"), Some(b"0")) => Some(SparseMap::InContent),
            (None, None) if self.has_pairs => Some(SparseMap::InRecords),
            _ => None,
        }
    }

    /// The size of a sparse file with its holes.
    pub(super) fn sparse_size(&self) -> Option<u64> {
        self.sparse_size.or(self.sparse_real_size)
    }

    /// Takes in the content of one extension header. An error says what is wrong with it.
    pub(super) fn read(&mut self, kind: TypeFlag, bytes: &[u8]) -> Result<(), &'static str> {
        if kind.is_pax() {
            // It stands for any pax header before it.
            *self = Self {
                gnu_path: self.gnu_path.take(),
                gnu_link: self.gnu_link.take(),
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
            self.gnu_path = Some(name);
        } else {
            self.gnu_link = Some(name);
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        const BROKEN: &str = "a number in a pax header is broken";
        match key {
            // An empty value takes the record back (POSIX pax, "pax Extended Header").
            b"path" => self.pax_path = (!value.is_empty()).then(|| value.to_vec()),
            b"linkpath" => self.pax_link = (!value.is_empty()).then(|| value.to_vec()),
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(decimal(value).ok_or(BROKEN)?),
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
            b"GNU.sparse.size" => self.sparse_size = Some(decimal(value).ok_or(BROKEN)?),
            b"GNU.sparse.realsize" => self.sparse_real_size = Some(decimal(value).ok_or(BROKEN)?),
            b"GNU.sparse.major" => self.sparse_major = Some(value.to_vec()),
            b"GNU.sparse.minor" => self.sparse_minor = Some(value.to_vec()),
            b"GNU.sparse.numblocks" => self.has_pairs = true,
            b"GNU.sparse.offset" => self.pending_offset = Some(decimal(value).ok_or(BROKEN)?),
            b"GNU.sparse.numbytes" => {
                let offset = self.pending_offset.take().ok_or(BROKEN)?;
                self.sparse_pairs
                    .push((offset, decimal(value).ok_or(BROKEN)?));
                self.has_pairs = true;
            }
            b"GNU.sparse.map" => {
                self.has_pairs = true;
                self.sparse_pairs.clear();
                if value.is_empty() {
                    return Ok(());
                }
                let mut numbers = value.split(|byte| *byte == b',').map(decimal);
                while let Some(offset) = numbers.next() {
                    let len = numbers.next().flatten().ok_or(BROKEN)?;
                    self.sparse_pairs.push((offset.ok_or(BROKEN)?, len));
                }
            }
            _ => {}
        }
        Ok(())
    }
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
