//! JSON, YAML and TOML files read into typed values, with errors that name the line.

use super::{AnalyzeError, File};
use seawall_model::IncompleteReason;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_saphyr::budget::BudgetBreach;
use std::borrow::Cow;

/// Nested brackets in a JSON file with comments, as serde_json's own limit for plain JSON.
const JSON_DEPTH: usize = 128;

/// Values of one JSON file, each of which may take some 200 bytes of memory. The largest
/// package-lock.json have 600,000 in 30 MB.
const JSON_VALUES: usize = 1_500_000;

/// Tokens of one TOML file, each of which may take some 120 bytes. A uv.lock of 10 MB has two million.
const TOML_TOKENS: usize = 2_500_000;

/// As many other tokens as one that begins a table: a brace, or the dot of a dotted key.
const TOML_TABLE: usize = 7;

/// YAML events of one file: a pnpm-lock.yaml of 4,000 packages has about 300,000.
const YAML_EVENTS: usize = 1_200_000;

/// The whole file as text. A byte order mark is dropped, UTF-16 (which PowerShell's redirection
/// writes) decoded, and what is not UTF-8 replaced by U+FFFD.
pub(super) fn text(file: &File<'_>) -> Result<String, AnalyzeError> {
    let bytes = file.content.read_all()?;
    Ok(decode(&bytes).into_owned())
}

/// That the last line of a text ends. Programs that write line by line end each, so that one
/// without an end is what is left of a longer text.
pub(super) fn check_end(text: &str) -> Result<(), AnalyzeError> {
    if text.is_empty() || text.ends_with('\n') {
        return Ok(());
    }
    Err(AnalyzeError {
        reason: IncompleteReason::Truncated,
        offset: Some(text.len() as u64),
        message: "the text ends in the middle of a line".to_owned(),
    })
}

/// Refuses a document before it is parsed, if it may hold more than memory is given for: at most as
/// many as there are bytes that begin one. Those in texts count too, which none holds so many of.
fn check_count(
    bytes: &[u8],
    begins_one: impl Fn(u8) -> bool,
    limit: usize,
    what: &str,
) -> Result<(), AnalyzeError> {
    /// Large enough that the count is as fast as memory, and small enough that it ends early.
    const PART: usize = 64 << 10;
    // The many small documents need not be counted.
    if bytes.len() <= limit {
        return Ok(());
    }
    let mut count = 0;
    for part in bytes.chunks(PART) {
        count += part.iter().filter(|byte| begins_one(**byte)).count();
        if count > limit {
            return Err(beyond_limit(limit, what));
        }
    }
    Ok(())
}

fn beyond_limit(limit: usize, what: &str) -> AnalyzeError {
    AnalyzeError {
        reason: IncompleteReason::LimitReached,
        offset: None,
        message: format!("the file holds more than {limit} {what} and was not read"),
    }
}

fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes).into(),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes).into(),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Reads JSON (RFC 8259).
pub(super) fn json<T: DeserializeOwned>(file: &File<'_>) -> Result<T, AnalyzeError> {
    let bytes = file.content.read_all()?;
    json_from(without_mark(&bytes))
}

/// Reads JSON from bytes that came out of another file.
pub(super) fn json_from<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AnalyzeError> {
    // A value is the first in brackets, or follows a comma.
    let begins_value = |byte: u8| matches!(byte, b',' | b'[' | b'{');
    check_count(bytes, begins_value, JSON_VALUES, "values")?;
    let is_double = |error: &serde_json::Error| error.to_string().starts_with("duplicate field");
    let value = match serde_json::from_slice(bytes) {
        // Of several fields of one name the last counts, as for JavaScript's own parser.
        Err(error) if is_double(&error) => {
            serde_json::from_slice::<serde_json::Value>(bytes).and_then(T::deserialize)
        }
        result => result,
    };
    value.map_err(|error| {
        let offset = offset_of(bytes, error.line(), error.column());
        let reason = if error.is_eof() {
            IncompleteReason::Truncated
        } else {
            IncompleteReason::Corrupt
        };
        AnalyzeError {
            reason,
            offset,
            message: format!("not valid JSON here: {error}"),
        }
    })
}

/// Reads a field that may be `null` where it should be absent.
pub(super) fn nullable<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads JSON with `//` and `/* */` comments and trailing commas, as bun writes it.
pub(super) fn json_with_comments<T: DeserializeOwned>(file: &File<'_>) -> Result<T, AnalyzeError> {
    let mut bytes = file.content.read_all()?.to_vec();
    blank_comments_and_trailing_commas(&mut bytes)?;
    json_from(without_mark(&bytes))
}

/// Overwrites comments and trailing commas with spaces, so that offsets stay as they are.
fn blank_comments_and_trailing_commas(bytes: &mut [u8]) -> Result<(), AnalyzeError> {
    let mut at = 0;
    let mut depth = 0usize;
    let mut comma = None;
    while let Some(&byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', _) => {
                at = string_end(bytes, at);
                comma = None;
                continue;
            }
            (b'/', Some(b'/')) => {
                let rest = bytes.get_mut(at..).unwrap_or_default();
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                rest.iter_mut().take(length).for_each(|b| *b = b' ');
                at += length;
                continue;
            }
            (b'/', Some(b'*')) => {
                let rest = bytes.get_mut(at..).unwrap_or_default();
                let length = memchr::memmem::find(rest, b"*/").map_or(rest.len(), |n| n + 2);
                let comment = rest.iter_mut().take(length);
                comment.filter(|b| **b != b'\n').for_each(|b| *b = b' ');
                at += length;
                continue;
            }
            (b',', _) => comma = Some(at),
            (b'[' | b'{', _) => {
                depth += 1;
                if depth > JSON_DEPTH {
                    return Err(
                        AnalyzeError::corrupt("brackets are nested too deeply").at(at as u64)
                    );
                }
                comma = None;
            }
            (b']' | b'}', _) => {
                depth = depth.saturating_sub(1);
                if let Some(comma) = comma.take().and_then(|n| bytes.get_mut(n)) {
                    *comma = b' ';
                }
            }
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            _ => comma = None,
        }
        at += 1;
    }
    Ok(())
}

/// The offset after the string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Reads TOML 1.0. Nesting is capped by the parser.
pub(super) fn toml<T: DeserializeOwned>(file: &File<'_>) -> Result<T, AnalyzeError> {
    let text = text(file)?;
    if toml_tokens(text.as_bytes()) > TOML_TOKENS {
        return Err(beyond_limit(TOML_TOKENS, "tokens"));
    }
    toml::from_str(&text).map_err(|error| {
        let offset = error.span().map(|span| span.start);
        let line = offset.map_or(0, |n| text.bytes().take(n).filter(|b| *b == b'\n').count()) + 1;
        AnalyzeError {
            reason: IncompleteReason::Corrupt,
            offset: offset.map(|n| n as u64),
            message: format!("not valid TOML here: {} at line {line}", error.message()),
        }
    })
}

/// At least as many tokens as a TOML text has, outside of texts and comments (TOML 1.0, "Spec").
fn toml_tokens(text: &[u8]) -> usize {
    // The many small documents need not be counted.
    if text.len() <= TOML_TOKENS / TOML_TABLE {
        return 0;
    }
    let mut tokens = 0;
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let end = match byte {
            b'"' | b'\'' => toml_text_end(byte, behind),
            b'#' => memchr::memchr(b'\n', behind).unwrap_or(behind.len()),
            _ => 0,
        };
        rest = rest.get(end..).unwrap_or_default();
        tokens += match byte {
            b'.' | b'{' => TOML_TABLE,
            b'[' | b']' | b'}' | b'=' | b',' | b'#' | b'"' | b'\'' => 1,
            b' ' | b'\t'..=b'\r' => 1,
            _ => 0,
        };
    }
    tokens
}

/// The byte behind a text whose first quote was read: it ends at the next, or at three where it began
/// with three; one of a line ends with the line in any case.
fn toml_text_end(quote: u8, text: &[u8]) -> usize {
    let three = [quote; 3];
    if let Some(lines) = text.strip_prefix(three.get(1..).unwrap_or_default()) {
        let end = memchr::memmem::find(lines, &three);
        return end.map_or(text.len(), |at| at + 5);
    }
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += match byte {
            b'\\' if quote == b'"' => 2,
            b'\n' => return at,
            byte if byte == quote => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

/// Reads the documents of a YAML stream, with aliases, anchors and nesting capped.
pub(super) fn yaml<T: DeserializeOwned>(file: &File<'_>) -> Result<Vec<T>, AnalyzeError> {
    let text = text(file)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: YAML_EVENTS,
            max_nodes: YAML_EVENTS,
        },
        // Lockfiles hold no aliases worth the name.
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        emit_comments: false,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(&text, options).map_err(|error| {
        if let serde_saphyr::Error::Budget { breach, .. } = error.without_snippet()
            && matches!(
                breach,
                BudgetBreach::Events { .. } | BudgetBreach::Nodes { .. }
            )
        {
            return beyond_limit(YAML_EVENTS, "values");
        }
        let place = error.location();
        AnalyzeError {
            reason: IncompleteReason::Corrupt,
            offset: place.and_then(|place| {
                let line = usize::try_from(place.line()).ok()?;
                let column = usize::try_from(place.column()).ok()?;
                offset_of(text.as_bytes(), line, column)
            }),
            message: format!("not valid YAML here: {error}"),
        }
    })
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// The offset of a place given by line and column, both from 1.
fn offset_of(bytes: &[u8], line: usize, column: usize) -> Option<u64> {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(nth) => memchr::memchr_iter(b'\n', bytes).nth(nth)? + 1,
    };
    Some(start.saturating_add(column.saturating_sub(1)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_artifact::Content;
    use std::collections::BTreeMap;

    type Numbers = BTreeMap<String, Vec<u32>>;

    fn read(
        parse: fn(&File<'_>) -> Result<Numbers, AnalyzeError>,
        bytes: &[u8],
    ) -> Result<Numbers, AnalyzeError> {
        let content = Content::from_bytes(bytes);
        parse(&File {
            path: "x",
            mode: 0o644,
            content: &content,
        })
    }

    #[test]
    fn comments_and_trailing_commas_are_no_part_of_the_value() {
        let input = br#"{ // one
            "a//b": [1, 2, /* three, */ ],
            "c\",]": [],
        }"#;
        let numbers = read(json_with_comments, input).unwrap();
        assert_eq!(numbers["a//b"], [1, 2]);
        assert_eq!(numbers["c\",]"], [] as [u32; 0]);
    }

    #[test]
    fn errors_name_the_offset() {
        let json_error = read(json, b"{\"a\":\n [1, x]}").unwrap_err();
        assert_eq!(json_error.offset, Some(11));
        assert!(json_error.message.contains("line 2"), "{json_error}");
        let toml_error = read(toml, b"a = [1]\nb = [1, x]\n").unwrap_err();
        assert_eq!(toml_error.offset, Some(16));
        assert!(toml_error.message.contains("line 2"), "{toml_error}");
        let one = |file: &File<'_>| yaml(file).map(|mut all| all.remove(0));
        let yaml_error = read(one, b"a: [1]\nb: [x]\n").unwrap_err();
        assert_eq!(yaml_error.offset, Some(11));
    }

    #[test]
    fn truncated_json_is_said_to_be_truncated() {
        let error = read(json, b"{\"a\": [1").unwrap_err();
        assert_eq!(error.reason, IncompleteReason::Truncated);
    }

    #[test]
    fn utf16_is_decoded() {
        assert_eq!(decode(b"\xFF\xFEa\0=\0\xB0\0"), "a=\u{b0}");
    }

    #[test]
    fn deep_nesting_is_refused_and_not_recursed_into() {
        let deep = "[".repeat(100_000);
        for parse in [json, json_with_comments] {
            assert!(read(parse, deep.as_bytes()).is_err());
        }
        let one = |file: &File<'_>| yaml(file).map(|mut all| all.remove(0));
        assert!(read(one, deep.as_bytes()).is_err());
        assert!(read(toml, format!("a = {deep}").as_bytes()).is_err());
    }

    #[test]
    fn a_small_compressed_document_of_millions_of_values_took_gigabytes() {
        type Parse = fn(&File<'_>) -> Result<Numbers, AnalyzeError>;
        let one: Parse = |file| yaml(file).map(|mut all| all.remove(0));
        let rows: [(Parse, &str, &str, usize, &str); 5] = [
            (json, "{\"a\":[", "0,", JSON_VALUES, "0]}"),
            (json_with_comments, "{\"a\":[", "0,", JSON_VALUES, "0]}"),
            (toml, "a=[", "0,", TOML_TOKENS, "0]"),
            (toml, "", "\n", TOML_TOKENS, ""),
            (one, "a: [", "0,", YAML_EVENTS, "0]"),
        ];
        for (parse, head, unit, limit, tail) in rows {
            let of = |count: usize| format!("{head}{}{tail}", unit.repeat(count));
            assert!(read(parse, of(1000).as_bytes()).is_ok(), "{head}");
            let error = read(parse, of(limit + 1).as_bytes()).unwrap_err();
            assert_eq!(
                error.reason,
                IncompleteReason::LimitReached,
                "{head} {error}"
            );
        }
    }

    #[test]
    fn texts_of_a_large_lockfile_were_counted_as_if_they_were_tokens() {
        let row =
            "    { url = \"https://files.example.org/a/b/c-1.0-py3-none-any.whl\", size = 1 },\n";
        let text = format!("a = [1]\nwheels = [\n{}]\n", row.repeat(80_000));
        assert!(toml_tokens(text.as_bytes()) < TOML_TOKENS);
        for (text, tokens) in [
            ("a='b.c'", 2),
            ("a=\"b\\\".c\"", 2),
            ("a=\"\"\"\n..\"\"\"", 2),
            ("# a.b=\"", 1),
            ("'a\n.", 9),
        ] {
            let padded = format!("{text}\n\"{}", "x".repeat(TOML_TOKENS));
            assert_eq!(toml_tokens(padded.as_bytes()), tokens + 2, "{text}");
        }
    }

    #[test]
    fn yaml_alias_bombs_are_refused() {
        let mut bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for (name, of) in ["ba", "cb", "dc", "ed", "fe", "gf", "hg", "ih"].map(|p| p.split_at(1)) {
            let row = vec![format!("*{of}"); 10].join(",");
            bomb.push_str(&format!("{name}: &{name} [{row}]\n"));
        }
        let content = Content::from_bytes(bomb.into_bytes());
        let file = File {
            path: "x",
            mode: 0,
            content: &content,
        };
        assert!(yaml::<serde_json::Value>(&file).is_err());
    }
}
