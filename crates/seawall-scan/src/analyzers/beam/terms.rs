//! The tokens of Elixir and Erlang terms, as far as they are needed here.

use crate::analyzers::AnalyzeError;
use seawall_model::IncompleteReason;

#[derive(Debug, Clone, Copy)]
pub(super) enum Language {
    Elixir,
    Erlang,
}

/// Colons of atoms and the brackets of binaries are left out: they change nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An atom, a number or a key.
    Word(&'a str),
    /// What stands between double quotes.
    Text(&'a str),
    /// Any other character but white space.
    Mark(char),
}

/// Yields the tokens up to the end, or the first damage and then nothing more.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    rest: &'a str,
    comment: char,
}

impl<'a> Tokens<'a> {
    /// # Errors
    /// The text does not begin as a file of the language does.
    pub(super) fn new(text: &'a str, language: Language) -> Result<Self, AnalyzeError> {
        let start = text.trim_start();
        let (begins, comment) = match language {
            Language::Elixir => (start.starts_with("%{"), '#'),
            Language::Erlang => (start.starts_with(['{', '[', '%']), '%'),
        };
        if !begins {
            let message = "not a term: it does not begin with a map, a list or a tuple";
            return Err(AnalyzeError::corrupt(message).at(0));
        }
        Ok(Self {
            text,
            rest: text,
            comment,
        })
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, AnalyzeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.rest.chars().next()?;
            let after = self.rest.strip_prefix(first).unwrap_or_default();
            if first == '"' {
                let Some((string, after)) = split_string(after) else {
                    let offset = self.text.len() - self.rest.len();
                    self.rest = "";
                    return Some(Err(AnalyzeError {
                        reason: IncompleteReason::Truncated,
                        offset: Some(offset as u64),
                        message: "a text that begins here does not end".to_owned(),
                    }));
                };
                self.rest = after;
                return Some(Ok(Token::Text(string)));
            }
            if is_word(first) {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                let (word, after) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
                self.rest = after;
                return Some(Ok(Token::Word(word)));
            }
            if first == self.comment {
                self.rest = after.split_once('\n').map_or("", |(_, after)| after);
                continue;
            }
            self.rest = after;
            if !first.is_whitespace() && !matches!(first, ':' | '<' | '>') {
                return Some(Ok(Token::Mark(first)));
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@')
}

/// Splits at the closing quote; an escaped one does not close.
fn split_string(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    })?;
    let (string, rest) = text.split_at_checked(end)?;
    Some((string, rest.strip_prefix('"')?))
}
