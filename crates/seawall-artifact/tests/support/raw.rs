//! Tar members byte by byte, for what no library writes.

/// A tar header with fields of our own.
pub(crate) fn header(name: &str, kind: u8, size: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let raw = header.as_mut_bytes();
    raw[..name.len()].copy_from_slice(name.as_bytes());
    raw[124..124 + size.len()].copy_from_slice(size);
    raw[156] = kind;
    header.set_cksum();
    header.as_bytes().to_vec()
}

pub(crate) fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn octal(size: usize) -> Vec<u8> {
    format!("{size:011o}\0").into_bytes()
}

/// A pax header with these records.
pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut len = rest + 1;
        while len != rest + len.to_string().len() {
            len = rest + len.to_string().len();
        }
        text += &format!("{len} {key}={value}\n");
    }
    [
        header("pax", b'x', &octal(text.len())),
        padded(text.as_bytes()),
    ]
    .concat()
}

/// A header as given, of a name, a type and a size field, and content.
pub(crate) fn raw_member(
    name: &[u8],
    kind: u8,
    size: &[u8],
    content: &[u8],
    change: fn(&mut [u8]),
) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    let raw = header.as_mut_bytes();
    raw[..name.len()].copy_from_slice(name);
    raw[124..124 + size.len()].copy_from_slice(size);
    raw[156] = kind;
    change(raw);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}
