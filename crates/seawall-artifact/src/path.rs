//! Paths as archives have them, brought into the form of [`crate::Entry::path`].

use std::borrow::Cow;

/// Writes `raw` to `out` without leading slash, empty parts, `.` and `..`; what leads out of the
/// root stays in the root, as it would for a process inside it.
pub(crate) fn normalize_into(raw: &[u8], out: &mut String) {
    out.clear();
    for part in text(raw).split('/') {
        match part {
            "" | "." => {}
            ".." => out.truncate(out.rfind('/').unwrap_or(0)),
            name => {
                if !out.is_empty() {
                    out.push('/');
                }
                out.push_str(name);
            }
        }
    }
}

/// The bytes of a name as text. Names that differ do so as text: each byte that is not of UTF-8
/// becomes U+FFFD with its hexadecimal digits, and U+FFFD itself is doubled.
pub(crate) fn text(raw: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(raw) {
        Ok(text) if !text.contains(REPLACEMENT) => Cow::Borrowed(text),
        _ => Cow::Owned(escape(raw)),
    }
}

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

fn escape(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len() + 16);
    for chunk in raw.utf8_chunks() {
        for char in chunk.valid().chars() {
            out.push(char);
            if char == REPLACEMENT {
                out.push(char);
            }
        }
        for byte in chunk.invalid() {
            out.push(REPLACEMENT);
            out.push_str(&hex::encode([*byte]));
        }
    }
    out
}

/// [`normalize_into`] a new string.
pub(crate) fn normalize(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    normalize_into(raw, &mut out);
    out
}

/// The directory part and the last component.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_root() {
        for (raw, expected) in [
            (&b"etc/passwd"[..], "etc/passwd"),
            (b"./etc//passwd/", "etc/passwd"),
            (b"/etc/./passwd", "etc/passwd"),
            (b"../../etc/passwd", "etc/passwd"),
            (b"a/b/../../../c", "c"),
            (b"a/..", ""),
            (b"./", ""),
            (b"", ""),
            (b"caf\xe9/x", "caf\u{fffd}e9/x"),
            ("caf\u{fffd}e9/x".as_bytes(), "caf\u{fffd}\u{fffd}e9/x"),
            (b"\xf0\x9f/\xff", "\u{fffd}f0\u{fffd}9f/\u{fffd}ff"),
            ("文/件".as_bytes(), "文/件"),
        ] {
            assert_eq!(normalize(raw), expected);
        }
    }
}
