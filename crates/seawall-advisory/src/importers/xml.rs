//! XML read event by event: nesting is capped, entities of the file's own are never expanded, and a
//! damaged file gives what stands before the damage.

use super::FeedFile;
use super::rejected::Rejected;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use seawall_model::IncompleteReason;
use std::borrow::Cow;

/// Elements inside each other. OVAL's deepest criteria nest about 15.
const MAX_DEPTH: usize = 64;

/// What the readers of feeds need of XML.
pub(super) enum Node<'a> {
    /// An element begins. One without content ends at once.
    Start(BytesStart<'a>),
    /// Its text, in pieces: entities and comments cut it.
    Text(Cow<'a, str>),
    /// The innermost open element ends.
    End(String),
}

/// Reads a text of XML.
pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    ended: bool,
}

/// The file's text; what is not UTF-8 in it is replaced by U+FFFD.
pub(super) fn text<'a>(file: &FeedFile<'a>) -> Cow<'a, str> {
    String::from_utf8_lossy(super::json::without_bom(file.bytes))
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        Self {
            reader,
            depth: 0,
            ended: false,
        }
    }

    /// The offset up to which the text was read.
    pub(super) fn offset(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// The next node; `None` at the end, which is reported when it comes too early.
    pub(super) fn next(&mut self, rejected: &mut Rejected<'_>) -> Option<Node<'a>> {
        while !self.ended {
            match self.reader.read_event() {
                Ok(Event::Start(start)) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        let message = format!("more than {MAX_DEPTH} elements inside each other");
                        self.stop(rejected, IncompleteReason::LimitReached, &message);
                        break;
                    }
                    return Some(Node::Start(start));
                }
                Ok(Event::End(end)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Some(Node::End(end.local_name().as_ref().to_owned()));
                }
                Ok(Event::Text(text)) => return Some(Node::Text(text.into_inner())),
                Ok(Event::CData(text)) => return Some(Node::Text(text.into_inner())),
                Ok(Event::GeneralRef(reference)) => {
                    let text = match reference.resolve_char_ref() {
                        Ok(Some(c)) => Cow::from(c.to_string()),
                        _ => predefined(&reference.into_inner()),
                    };
                    return Some(Node::Text(text));
                }
                Ok(Event::Eof) => {
                    self.ended = true;
                    if self.depth > 0 {
                        let message = "the file ends inside an element";
                        self.stop(rejected, IncompleteReason::Truncated, message);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let message = format!("not well-formed XML here: {error}");
                    let reason = match error {
                        quick_xml::Error::Syntax(_) => IncompleteReason::Truncated,
                        _ => IncompleteReason::Corrupt,
                    };
                    self.stop(rejected, reason, &message);
                }
            }
        }
        None
    }

    fn stop(&mut self, rejected: &mut Rejected<'_>, reason: IncompleteReason, message: &str) {
        self.ended = true;
        let offset = self.reader.error_position().max(self.offset());
        rejected.push(reason, Some(offset), message);
    }
}

/// The five entities of XML 1.0 section 4.6; others, which are the file's own, are left as written.
fn predefined<'a>(name: &str) -> Cow<'a, str> {
    Cow::from(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => " ",
        other => return Cow::from(format!("&{other};")),
    })
}

/// The value of an attribute, by its name without prefix.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.attributes();
    attributes.with_checks(false);
    let found = attributes
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0);
    Some(value.ok()?.into_owned())
}
