//! China National Vulnerability Database of Information Security (<https://www.cnnvd.org.cn/>): the
//! yearly XML files, and answers of the web site's interface in JSON.
//!
//! The XML files are often not XML: they say UTF-8 and are GBK or GB18030, and hold `<` and `&` in
//! plain text. They are therefore not parsed as XML but cut at their known tags.

mod encoding;
mod xml;

use super::rejected::Rejected;
use super::{FeedFile, Importer, Records, document, json, text};
use crate::CnnvdEntry;
use seawall_model::{IncompleteReason, Severity};
use serde_json::Value;

/// How far into a file the telling words are looked for.
const HEAD: usize = 16 << 10;

/// Reads CNNVD's files.
#[derive(Debug, Clone, Copy)]
pub struct Cnnvd;

enum Form {
    Xml,
    Json,
}

fn form(file: &FeedFile<'_>) -> Option<Form> {
    // In UTF-16, which encoding::text reads too, the zero bytes stand between.
    let head: Vec<u8> = document::head(file, HEAD)
        .iter()
        .copied()
        .filter(|byte| *byte != 0)
        .collect();
    let is_json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
    if is_json && document::contains(&head, "\"cnnvdCode\"") {
        return Some(Form::Json);
    }
    let is_xml = document::contains(&head, "<cnnvd")
        || (document::contains(&head, "<vuln-id>") && document::contains(&head, "<entry"));
    (is_xml && !is_json).then_some(Form::Xml)
}

impl Importer for Cnnvd {
    fn name(&self) -> &'static str {
        "cnnvd"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        form(file).is_some()
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match form(file) {
            Some(Form::Xml) => xml::import(file, records),
            Some(Form::Json) => import_json(file, records),
            None => {}
        }
    }
}

/// Reads every object with a CNNVD number, however deep the answer wraps it; one answer a file, or
/// several one after the other.
fn import_json(file: &FeedFile<'_>, records: &mut Records) {
    let mut rejected = Rejected::new(file);
    let bytes = json::without_bom(file.bytes);
    let answers = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    for answer in answers {
        match answer {
            Ok(answer) => collect(&answer, records, &mut rejected),
            Err(error) => rejected.push_json(&error, "the answer"),
        }
    }
    rejected.finish(records);
}

/// The parser bounds how deep this recurses.
fn collect(value: &Value, records: &mut Records, rejected: &mut Rejected<'_>) {
    match value {
        Value::Object(object) if object.contains_key("cnnvdCode") => {
            let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
            let id = text("cnnvdCode").trim();
            if !is_number(id) {
                let message = format!("'{id}' is no CNNVD number");
                rejected.push(IncompleteReason::Corrupt, None, message);
                return;
            }
            records.cnnvd.push(CnnvdEntry {
                id: id.to_owned(),
                cves: text::cves(text("cveCode")),
                title: text("vulName").trim().to_owned(),
                description: text("vulDesc").trim().to_owned(),
                severity: object.get("hazardLevel").and_then(hazard_level),
            });
        }
        Value::Object(object) => {
            for value in object.values() {
                collect(value, records, rejected);
            }
        }
        Value::Array(list) => {
            for value in list {
                collect(value, records, rejected);
            }
        }
        _ => {}
    }
}

/// The levels of the site's own dictionary: 1 超危, 2 高危, 3 中危, 4 低危.
fn hazard_level(value: &Value) -> Option<Severity> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    match text.as_str() {
        "1" => Some(Severity::Critical),
        "2" => Some(Severity::High),
        "3" => Some(Severity::Medium),
        "4" => Some(Severity::Low),
        word => Severity::from_word(word),
    }
}

/// `CNNVD-201701-225`.
fn is_number(id: &str) -> bool {
    id.strip_prefix("CNNVD-").is_some_and(|rest| {
        rest.split_once('-').is_some_and(|(month, number)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits(month) && digits(number)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importers::testing;
    use encoding_rs::{GB18030, GBK};

    const XML: &str = include_str!("samples/year.xml");

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in [
            ("year.xml", "cnnvd-2024.xml"),
            ("detail.json", "detail.json"),
            ("list.json", "list.json"),
        ] {
            testing::check(&Cnnvd, "cnnvd", sample, name);
            testing::survives_damage(&Cnnvd, "cnnvd", sample, name);
        }
    }

    /// The encoding is found by looking, whatever the file declares.
    #[test]
    fn every_encoding_gives_the_same_records() {
        let expected = testing::import_bytes(&Cnnvd, "a.xml", XML.as_bytes()).cnnvd;
        assert_eq!(expected.len(), 4);
        let (gbk, ..) = GBK.encode(XML);
        let (gb18030, ..) = GB18030.encode(XML);
        let declared = XML.replace("utf-8", "gb2312");
        let utf16: Vec<u8> = [0xFEFF]
            .into_iter()
            .chain(XML.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for (what, bytes) in [
            ("GBK", gbk.as_ref()),
            ("GB18030", gb18030.as_ref()),
            ("UTF-8 declared as GB 2312", declared.as_bytes()),
            ("UTF-8 with a mark", format!("\u{feff}{XML}").as_bytes()),
            ("UTF-16", &utf16),
        ] {
            let file = FeedFile {
                name: "a.xml",
                bytes,
            };
            assert!(Cnnvd.recognizes(&file), "{what}");
            let found = testing::import_bytes(&Cnnvd, "a.xml", bytes).cnnvd;
            assert_eq!(found, expected, "{what}");
        }
    }

    #[test]
    fn one_damaged_byte_does_not_turn_utf8_into_gb18030() {
        let mut bytes = XML.as_bytes().to_vec();
        let at = XML.find("漏洞").unwrap();
        bytes[at + 1] = b'?';
        let found = testing::import_bytes(&Cnnvd, "a.xml", &bytes).cnnvd;
        assert!(
            found.iter().any(|entry| entry.title.contains("漏洞")),
            "{found:?}"
        );
    }
}
