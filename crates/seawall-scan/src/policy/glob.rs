//! Patterns with `*` for names, purls and paths.

use regex::Regex;

/// A compiled pattern. Matching takes time linear in the text.
#[derive(Debug, Clone)]
pub(super) struct Glob(Regex);

/// Longest pattern, in bytes.
const MAX_BYTES: usize = 4096;

impl Glob {
    /// A pattern for a name or purl: `*` stands for any text, `?` for one character.
    pub(super) fn name(pattern: &str) -> Option<Self> {
        Self::compile(pattern, ".*", ".*", ".")
    }

    /// A pattern for a path: `*` and `?` stop at `/`, `**` does not. A leading slash may be left
    /// out.
    pub(super) fn path(pattern: &str) -> Option<Self> {
        Self::compile(pattern.trim_start_matches('/'), "[^/]*", ".*", "[^/]")
    }

    fn compile(pattern: &str, one: &str, many: &str, single: &str) -> Option<Self> {
        if pattern.is_empty() || pattern.len() > MAX_BYTES {
            return None;
        }
        let mut expression = String::from("(?s)^");
        let mut characters = pattern.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '*' if characters.next_if_eq(&'*').is_some() => {
                    // `**/` stands for no directory as well.
                    if many != one && characters.next_if_eq(&'/').is_some() {
                        expression.push_str("(?:.*/)?");
                    } else {
                        expression.push_str(many);
                    }
                }
                '*' => expression.push_str(one),
                '?' => expression.push_str(single),
                c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        expression.push('$');
        Regex::new(&expression).ok().map(Self)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub(super) fn matches_path(&self, path: &str) -> bool {
        self.0.is_match(path.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_reach_as_far_as_they_should() {
        for (pattern, path, expected) in [
            ("/app/*/package.json", "/app/x/package.json", true),
            ("app/*/package.json", "/app/x/y/package.json", false),
            ("/app/**", "/app/x/y", true),
            ("**/test/**", "/test/a", true),
            ("**/test/**", "/contest/a", false),
            ("/a.b", "/axb", false),
        ] {
            let matched = Glob::path(pattern).unwrap().matches_path(path);
            assert_eq!(matched, expected, "{pattern} {path}");
        }
        assert!(Glob::name("pkg:npm/*").unwrap().matches("pkg:npm/@a/b"));
        assert!(Glob::name("").is_none());
    }
}
