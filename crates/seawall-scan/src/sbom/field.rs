//! Fields of foreign documents that may hold anything.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::marker::PhantomData;

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

    /// All texts of a list.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
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

/// A list of objects, where `null` may stand for an empty one. What is no object in it is counted, so
/// that one odd entry does not make a whole document unreadable.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>, usize);

impl<T> List<T> {
    /// How many entries are no objects.
    pub(super) fn odd_entries(&self) -> usize {
        self.1
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new(), 0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<List<T>, E> {
        Ok(List::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut list = List::default();
        while let Some(entry) = seq.next_element()? {
            match entry {
                Entry::Object(object) => list.0.push(object),
                Entry::Odd => list.1 += 1,
            }
        }
        Ok(list)
    }
}

/// An entry of a list.
enum Entry<T> {
    Object(T),
    Odd,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor(PhantomData))
    }
}

struct EntryVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntryVisitor<T> {
    type Value = Entry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Entry::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entry<T>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::Odd)
    }

    fn visit_str<E>(self, _: &str) -> Result<Entry<T>, E> {
        Ok(Entry::Odd)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Entry<T>, E> {
        Ok(Entry::Odd)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entry<T>, E> {
        Ok(Entry::Odd)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entry<T>, E> {
        Ok(Entry::Odd)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entry<T>, E> {
        Ok(Entry::Odd)
    }

    fn visit_unit<E>(self) -> Result<Entry<T>, E> {
        Ok(Entry::Odd)
    }
}
