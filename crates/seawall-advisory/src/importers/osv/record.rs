//! The parts of an OSV record that are read (OSV schema 1.7), borrowed from the file's bytes.
//!
//! Everything but the identifier may be missing or null: real databases leave out what they do not
//! have in every way that JSON allows.

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Debug, Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) summary: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) details: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) published: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) modified: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) withdrawn: Text<'a>,
    #[serde(borrow, default, deserialize_with = "texts")]
    pub(super) aliases: Vec<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "texts")]
    pub(super) related: Vec<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "texts")]
    pub(super) upstream: Vec<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) severity: Vec<Severity<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) references: Vec<Reference<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) affected: Vec<Affected<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) database_specific: Specific<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Severity<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "text")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) score: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "text")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) url: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Affected<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) package: Option<Package<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) ranges: Vec<Range<'a>>,
    #[serde(borrow, default, deserialize_with = "texts")]
    pub(super) versions: Vec<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) severity: Vec<Severity<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) ecosystem_specific: Specific<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) database_specific: Specific<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Package<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) ecosystem: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Range<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "text")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) events: Vec<Event<'a>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) introduced: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) fixed: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) last_affected: Text<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) limit: Text<'a>,
}

/// What the databases add in `database_specific` and `ecosystem_specific`, as far as it is used.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Specific<'a> {
    /// GitHub, Bitnami, openEuler, OSS-Fuzz: a word.
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) severity: Text<'a>,
    /// Debian: a word.
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) urgency: Text<'a>,
    /// Ubuntu: a word.
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) priority: Text<'a>,
    /// GitHub.
    #[serde(borrow, default, deserialize_with = "texts")]
    pub(super) cwe_ids: Vec<Cow<'a, str>>,
    /// RustSec: why this is no vulnerability.
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) informational: Text<'a>,
    /// AlmaLinux: `name:stream`.
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) rpm_modularity: Text<'a>,
    /// Ubuntu's bulletins: how each flaw is rated.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) cves_map: CvesMap<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CvesMap<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) cves: Vec<RatedCve<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RatedCve<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub(super) id: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) severity: Vec<Severity<'a>>,
}

/// `null` as the default.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A scalar as text, borrowed where it has no escapes; anything else is skipped.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'de>, D::Error> {
    deserializer.deserialize_any(TextVisitor)
}

/// A list of texts; a lone text is a list of one. What is no text is skipped.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cow<'de, str>>, D::Error> {
    deserializer.deserialize_any(TextsVisitor)
}

struct MaybeText<'a>(Text<'a>);

impl<'de> Deserialize<'de> for MaybeText<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(v.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(v.to_string())))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(v.to_string())))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(v.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Vec<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(vec![Cow::Borrowed(v)])
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(vec![Cow::Owned(v.to_owned())])
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(MaybeText(text)) = seq.next_element()? {
            texts.extend(text);
        }
        Ok(texts)
    }
}
