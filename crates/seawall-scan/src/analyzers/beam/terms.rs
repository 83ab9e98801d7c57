//! The tokens of Elixir and Erlang terms, as far as lockfiles need them.

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

/// The tokens up to the end or to the first damage.
pub(super) fn tokens(text: &str, language: Language) -> (Vec<Token<'_>>, Option<AnalyzeError>) {
    let (begins, comment) = match language {
        Language::Elixir => (text.trim_start().starts_with("%{"), '#'),
        Language::Erlang => (text.trim_start().starts_with(['{', '[', '%']), '%'),
    };
    if !begins {
        let message = "not a lockfile: it does not begin with a map or a list";
        return (Vec::new(), Some(AnalyzeError::corrupt(message).at(0)));
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let offset = text.len() - rest.len();
        let after = rest.strip_prefix(first).unwrap_or_default();
        if first == '"' {
            let Some((string, after)) = split_string(after) else {
                let error = AnalyzeError {
                    reason: IncompleteReason::Truncated,
                    offset: Some(offset as u64),
                    message: "a text that begins here does not end".to_owned(),
                };
                return (tokens, Some(error));
            };
            tokens.push(Token::Text(string));
            rest = after;
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            tokens.push(Token::Word(word));
            rest = after;
        } else if first == comment && !after.starts_with('{') {
            rest = after.split_once('\n').map_or("", |(_, after)| after);
        } else {
            if !first.is_whitespace() && !matches!(first, ':' | '<' | '>') {
                tokens.push(Token::Mark(first));
            }
            rest = after;
        }
    }
    (tokens, None)
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
