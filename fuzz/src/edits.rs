//! Files with checksums are not fuzzed as they are: nothing that is changed would get past the
//! checksum. Instead, the fuzzer's bytes are edits of a sound file, whose checksums are then made
//! right again.

/// Applies edits of three bytes each to what lies before `end`: the place (little-endian) and the
/// new value.
pub(crate) fn apply(file: &mut [u8], end: usize, edits: &[u8]) {
    for edit in edits.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        if let Some(byte) = file[..end].get_mut(place) {
            *byte = edit[2];
        }
    }
}
