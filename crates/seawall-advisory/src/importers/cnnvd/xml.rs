//! The yearly files, cut at their known tags.

use super::{encoding, is_number};
use crate::CnnvdEntry;
use crate::importers::rejected::Rejected;
use crate::importers::{FeedFile, Records, text};
use seawall_model::{IncompleteReason, Severity};

/// Reads all entries. One without its end tag ends where the next begins.
pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut rejected = Rejected::new(file);
    let text = encoding::text(file.bytes);
    // Offsets hold in the decoded text; only in UTF-8 are they those of the file.
    let offsets_hold = text.as_bytes() == file.bytes;
    let mut starts = entry_starts(&text).peekable();
    let mut number = 0_usize;
    while let Some(start) = starts.next() {
        number += 1;
        let end = starts.peek().copied().unwrap_or(text.len());
        let Some(body) = text.get(start..end) else {
            continue;
        };
        let offset = offsets_hold.then_some(start as u64);
        let complete = body.contains("</entry>");
        match entry(body) {
            Ok(entry) => {
                if !complete {
                    let message = format!("entry {number} ({}) has no end", entry.id);
                    rejected.push(IncompleteReason::Truncated, offset, message);
                }
                records.cnnvd.push(entry);
            }
            Err(message) => {
                let reason = match complete {
                    true => IncompleteReason::Corrupt,
                    false => IncompleteReason::Truncated,
                };
                rejected.push(reason, offset, format!("entry {number}: {message}"));
            }
        }
    }
    if number == 0 && !text.contains("</cnnvd>") {
        rejected.push(IncompleteReason::Truncated, None, "there are no entries");
    }
    rejected.finish(records);
}

/// Where entries begin.
fn entry_starts(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices("<entry").filter_map(|(start, tag)| {
        let next = text.as_bytes().get(start + tag.len())?;
        (*next == b'>' || next.is_ascii_whitespace()).then_some(start)
    })
}

fn entry(body: &str) -> Result<CnnvdEntry, String> {
    let get = |tag: &str| element(body, tag).unwrap_or_default();
    let id = get("vuln-id");
    if !is_number(&id) {
        return Err(format!("'{}' is no CNNVD number", shortened(&id)));
    }
    Ok(CnnvdEntry {
        id,
        cves: text::cves(&get("other-id")),
        title: get("name"),
        description: get("vuln-descript"),
        severity: Severity::from_word(&get("severity")).filter(|s| *s != Severity::Unknown),
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The text of the first element of that name, trimmed, references resolved. `<` that begins no
/// end tag of the name is text.
fn element(body: &str, tag: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{tag}>"))?;
    let (content, _) = rest.split_once(&format!("</{tag}>"))?;
    let content = content.trim();
    let content = content
        .strip_prefix("<![CDATA[")
        .and_then(|content| content.strip_suffix("]]>"))
        .map_or_else(|| unescaped(content), str::to_owned);
    Some(content.trim().to_owned())
}

/// Resolves the references that XML knows (XML 1.0, 4.1 and 4.6). Any other `&` is text.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // The longest reference, `&#x10FFFF;`, has nine characters after the `&`.
        let end = after.bytes().take(10).position(|byte| byte == b';');
        let name = end.and_then(|end| after.get(..end));
        match name.and_then(character) {
            Some(c) => {
                out.push(c);
                rest = after.split_once(';').map_or("", |(_, rest)| rest);
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_bare_signs_are_text() {
        for (text, expected) in [
            ("a &lt; b &amp;&amp; c", "a < b && c"),
            ("a & b < c", "a & b < c"),
            ("&#60;&#x6f0F;&#0;&nbsp;&;", "<漏&#0;&nbsp;&;"),
            ("&", "&"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }
}
