//! Fields of foreign documents that may hold anything.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Text where the format wants text. A number is taken as it is written, a list for its texts;
/// anything else is nothing, so that one odd field does not make a whole document unreadable.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Text(Vec<String>);

impl Text {
    /// The text, unless there is none or it is empty.
    pub(super) fn text(&self) -> Option<&str> {
        self.0
            .first()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(super) fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn mentions(&self, part: &str) -> bool {
        self.0.iter().any(|text| text.contains(part))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(vec![text.to_owned()]))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(vec![text]))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(vec![number.to_string()]))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(vec![number.to_string()]))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(vec![number.to_string()]))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        const MAX_TEXTS: usize = 64;
        let mut texts = Vec::new();
        while let Some(Text(inner)) = seq.next_element()? {
            texts.extend(inner);
            texts.truncate(MAX_TEXTS);
        }
        Ok(Text(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

/// A list where `null` may stand for an empty one.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}
