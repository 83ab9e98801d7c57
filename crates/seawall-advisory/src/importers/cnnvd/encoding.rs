//! What encoding a file really has.

use encoding_rs::{Encoding, GB18030};
use std::borrow::Cow;

/// A text with one unreadable place in so many characters beyond ASCII is still held to be UTF-8.
const UTF8_TOLERANCE: usize = 20;

/// The text of a file: by its byte order mark, as UTF-8 where it is that, else as GB18030, of which
/// GBK and GB 2312 are parts. What the file declares is not asked, because it is often wrong.
/// Bytes that cannot be read become U+FFFD.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let utf8 = String::from_utf8_lossy(bytes);
    let damaged = utf8
        .chars()
        .filter(|c| *c == char::REPLACEMENT_CHARACTER)
        .count();
    let beyond_ascii = utf8.chars().filter(|c| !c.is_ascii()).count();
    if damaged.saturating_mul(UTF8_TOLERANCE) < beyond_ascii {
        return utf8;
    }
    GB18030.decode_without_bom_handling(bytes).0
}
