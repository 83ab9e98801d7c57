//! Paths as archives have them, brought into the form of [`crate::Entry::path`].

use std::borrow::Cow;

/// Writes `raw` to `out` without leading slash, empty parts, `.` and `..`; what leads out of the
/// root stays in the root, as it would for a process inside it.
pub(crate) fn normalize_into(raw: &[u8], out: &mut String) {
    out.clear();
    let text: Cow<'_, str> = String::from_utf8_lossy(raw);
    for part in text.split('/') {
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
            (b"caf\xe9/x", "caf\u{fffd}/x"),
            ("文/件".as_bytes(), "文/件"),
        ] {
            assert_eq!(normalize(raw), expected);
        }
    }
}
