//! What the JSON feeds share: telling them apart by their first keys, cheaply.

use memchr::memchr2;

/// How far into a file its first object's keys are looked for. The longest record of a public feed
/// that puts its text before its telling keys has well under a tenth of this.
const HEAD: usize = 1 << 20;

/// At most so many keys are collected; no feed has more than 40 at the top.
const MAX_KEYS: usize = 100;

/// The bytes without a UTF-8 byte order mark.
pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The keys of the first object of a JSON file, as they are written: of the file's own object, or
/// of the first element where the file is an array or holds one object a line. Empty for what does
/// not begin like JSON. Keys past the first MiB are not seen.
pub(super) fn first_keys(bytes: &[u8]) -> Vec<&[u8]> {
    let bytes = without_bom(bytes);
    let mut scanner = Scanner {
        bytes: bytes.get(..HEAD).unwrap_or(bytes),
        at: 0,
    };
    let mut keys = Vec::new();
    scanner.eat(b'[');
    if !scanner.eat(b'{') {
        return keys;
    }
    while keys.len() < MAX_KEYS {
        let Some(key) = scanner.string() else { break };
        keys.push(key);
        if !scanner.eat(b':') || !scanner.skip_value() || !scanner.eat(b',') {
            break;
        }
    }
    keys
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// A string's bytes between the quotes, escapes left as they are.
    fn string(&mut self) -> Option<&'a [u8]> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let found = memchr2(b'"', b'\\', rest)?;
            let end = self.at + found;
            if rest.get(found) == Some(&b'"') {
                self.at = end + 1;
                return self.bytes.get(start..end);
            }
            self.at = end + 2;
        }
    }

    /// Skips one value without looking whether it is well formed. `false` at the end of the bytes.
    fn skip_value(&mut self) -> bool {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                None => return false,
                Some(b'"') => {
                    if self.string().is_none() {
                        return false;
                    }
                }
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b'}' | b']' | b',') if depth == 0 => return true,
                Some(_) => self.at += 1,
            }
            if depth == 0 && matches!(self.peek(), Some(b',' | b'}' | b']') | None) {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_first_object_are_found() {
        for (text, expected) in [
            (r#"{"a":1,"b":[{"c":2}],"d":"x}\",y"}"#, "a b d"),
            (r#" [ {"a" : {"x":[1,2]} , "b" : null } , {"c":1}]"#, "a b"),
            ("{\"a\":1}\n{\"b\":2}", "a"),
            ("\u{feff}{\"a\":true,\"b\":-1e5}", "a b"),
            (r#"{"a":"unfinished"#, "a"),
            (r#"{"a\"#, ""),
            ("[]", ""),
            ("<xml/>", ""),
            ("", ""),
        ] {
            let keys: Vec<_> = first_keys(text.as_bytes())
                .into_iter()
                .map(String::from_utf8_lossy)
                .collect();
            assert_eq!(keys.join(" "), expected, "{text}");
        }
    }
}
