//! Alpine, Wolfi and Chainguard: `number{.number}[letter]{_suffix[number]}[~hash][-rN]`,
//! apk-package(5) of apk-tools 3, which follows Gentoo's Package Manager Specification.
//!
//! Components after the first that begin with a zero are compared as fractions, that is as text
//! (`1.05` < `1.1`, `1.0` < `1.00`). What apk calls invalid is refused, but for one thing that
//! apk-tools 2 accepted and old releases of Alpine have: digits after the letter (`1.0b2`).

use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Apk;

pub(super) struct Version<'a>(&'a str);

const PRE_SUFFIXES: &[&str] = &["alpha", "beta", "pre", "rc"];
const POST_SUFFIXES: &[&str] = &["cvs", "svn", "git", "hg", "p"];

/// A piece of a version. At the first position where two versions differ in kind, the kinds'
/// order decides: a suffix of a pre-release is below the end, everything else above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    PreSuffix,
    End,
    Revision,
    Hash,
    SuffixNumber,
    PostSuffix,
    Letter,
    Number,
    FirstNumber,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    /// Digits, letter or hash.
    text: &'a str,
    /// Position in the table of suffixes.
    suffix: usize,
}

impl Scheme for Apk {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let mut tokens = Tokens::new(text);
        while tokens.next()?.kind != Kind::End {}
        Ok(Version(text))
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        let (mut a, mut b) = (Tokens::new(a.0), Tokens::new(b.0));
        // Both were parsed before, so neither iterator fails.
        while let (Ok(a), Ok(b)) = (a.next(), b.next()) {
            let order = order_tokens(a, b);
            if order.is_ne() || a.kind == Kind::End {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn order_tokens(a: Token<'_>, b: Token<'_>) -> Ordering {
    a.kind.cmp(&b.kind).then_with(|| match a.kind {
        Kind::Number if a.text.starts_with('0') || b.text.starts_with('0') => a.text.cmp(b.text),
        Kind::FirstNumber | Kind::Number | Kind::SuffixNumber | Kind::Revision => {
            number::order(a.text, b.text)
        }
        Kind::PreSuffix | Kind::PostSuffix => a.suffix.cmp(&b.suffix),
        Kind::Letter | Kind::Hash => a.text.cmp(b.text),
        Kind::End => Ordering::Equal,
    })
}

struct Tokens<'a> {
    rest: &'a str,
    last: Option<Kind>,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            last: None,
        }
    }

    fn next(&mut self) -> Result<Token<'a>, &'static str> {
        let token = self.read()?;
        self.last = Some(token.kind);
        Ok(token)
    }

    fn read(&mut self) -> Result<Token<'a>, &'static str> {
        let Some(last) = self.last else {
            return self.digits(Kind::FirstNumber, "it does not begin with a number");
        };
        let in_numbers = matches!(last, Kind::FirstNumber | Kind::Number);
        let in_suffixes = matches!(
            last,
            Kind::PreSuffix | Kind::PostSuffix | Kind::SuffixNumber
        );
        let before_suffix = in_numbers || in_suffixes || last == Kind::Letter;
        match self.rest.as_bytes().first() {
            None => Ok(Token {
                kind: Kind::End,
                text: "",
                suffix: 0,
            }),
            Some(b'.') if in_numbers => {
                self.skip(".");
                self.digits(Kind::Number, "a dot is not followed by a number")
            }
            Some(b'a'..=b'z') if in_numbers => Ok(self.take(Kind::Letter, 1)),
            Some(b'0'..=b'9') if last == Kind::Letter => self.digits(Kind::Number, ""),
            Some(b'0'..=b'9') if matches!(last, Kind::PreSuffix | Kind::PostSuffix) => {
                self.digits(Kind::SuffixNumber, "")
            }
            Some(b'_') if before_suffix => {
                self.skip("_");
                self.suffix()
            }
            Some(b'~') if before_suffix => {
                self.skip("~");
                match self
                    .rest
                    .bytes()
                    .take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                    .count()
                {
                    0 => Err("a tilde is not followed by a commit's hash"),
                    n => Ok(self.take(Kind::Hash, n)),
                }
            }
            Some(b'-') if before_suffix || last == Kind::Hash => {
                if !self.rest.starts_with("-r") {
                    return Err("a hyphen is not followed by a revision like r1");
                }
                self.skip("-r");
                self.digits(Kind::Revision, "its revision is not a number")
            }
            Some(_) => Err("it has a character that apk does not allow there"),
        }
    }

    fn skip(&mut self, prefix: &str) {
        self.rest = self.rest.strip_prefix(prefix).unwrap_or(self.rest);
    }

    fn take(&mut self, kind: Kind, len: usize) -> Token<'a> {
        let (text, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        Token {
            kind,
            text,
            suffix: 0,
        }
    }

    fn digits(&mut self, kind: Kind, missing: &'static str) -> Result<Token<'a>, &'static str> {
        match number::split_digits(self.rest).0.len() {
            0 => Err(missing),
            n => Ok(self.take(kind, n)),
        }
    }

    fn suffix(&mut self) -> Result<Token<'a>, &'static str> {
        let (word, rest) = number::split_while(self.rest, |b| b.is_ascii_lowercase());
        for (kind, table) in [
            (Kind::PreSuffix, PRE_SUFFIXES),
            (Kind::PostSuffix, POST_SUFFIXES),
        ] {
            if let Some(suffix) = table.iter().position(|known| *known == word) {
                self.rest = rest;
                return Ok(Token {
                    kind,
                    text: word,
                    suffix,
                });
            }
        }
        Err("it has a suffix that apk does not know")
    }
}
