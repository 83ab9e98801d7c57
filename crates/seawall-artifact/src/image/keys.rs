//! Keys that are written otherwise than the specifications write them.
//!
//! Go, in which container runtimes are written, takes `"layers"` and `"Layers"` for one key, of which
//! the last one counts (package `encoding/json`, "Unmarshal"); we take them for two. An image with the
//! one, or with both, would be one image here and another where it runs.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// JSON that describes an image.
pub(crate) trait Document {
    /// The keys that mean something in it, at whatever depth.
    const KEYS: &'static [&'static str];
}

/// Keys whose values have keys that mean something; the others hold names of the user's own, which may
/// differ in case.
const INNER: &[&str] = &[
    "config",
    "history",
    "layers",
    "manifests",
    "platform",
    "rootfs",
];

/// Refuses JSON with a key that differs from one of `keys`, or from another of the same object, in case
/// only.
pub(super) fn check(json: &[u8], keys: &'static [&'static str]) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Keys(keys).deserialize(&mut deserializer)
}

/// A key as Go compares it: by simple case folding, which makes two letters beyond ASCII Latin ones.
fn folded(key: &str) -> impl Iterator<Item = char> {
    key.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    })
}

/// Whether two keys are one to Go.
fn is_same(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

#[derive(Clone, Copy)]
struct Keys(&'static [&'static str]);

impl Keys {
    /// The key itself, or the one that Go takes it for.
    fn meant_by(self, key: &str) -> Option<&'static str> {
        let mut keys = self.0.iter().copied();
        let exact = keys.clone().find(|known| *known == key);
        exact.or_else(|| keys.find(|known| is_same(known, key)))
    }
}

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Few and common, the others are neither.
        let mut known: Vec<&str> = Vec::new();
        let mut others: HashSet<String> = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            match INNER.iter().any(|inner| is_same(inner, &key)) {
                true => map.next_value_seed(self)?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
            let meant = self.meant_by(&key);
            if let Some(meant) = meant.filter(|meant| *meant != key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{key}` is `{meant}` to some programs, and nothing to others"
                )));
            }
            let is_new = match meant {
                Some(meant) => !known.contains(&meant),
                None => others.insert(folded(&key).collect()),
            };
            known.extend(meant);
            if !is_new {
                return Err(A::Error::custom(format_args!(
                    "the key `{key}` is there twice, and programs disagree which one counts"
                )));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn keys_that_go_takes_for_others_are_refused() {
        const KEYS: &[&str] = &[
            "layers",
            "manifests",
            "digest",
            "rootfs",
            "Config",
            "config",
        ];
        for (json, allowed) in [
            (r#"{"layers":[],"Layers":[]}"#, false),
            (r#"{"Layers":[]}"#, false),
            (r#"{"layers":[],"layer\u017f":[]}"#, false),
            (r#"[{"Config":"a","CONFIG":"b"}]"#, false),
            (r#"{"manifests":[{"digest":"a","Digest":"b"}]}"#, false),
            (r#"{"manifests":[{"DIGEST":"b"}]}"#, false),
            (r#"{"RootFS":{}}"#, false),
            (r#"{"rootfs":{"odd":[],"Odd":[]}}"#, false),
            (
                r#"{"Config":{"Labels":{"a":"","A":""},"Volumes":{"/x":{},"/X":{}}}}"#,
                true,
            ),
            (r#"{"annotations":{"a":"","A":"","Digest":""}}"#, true),
            (r#"{"a":1,"b":[1.5,-1,true,null,"c"]}"#, true),
        ] {
            assert_eq!(check(json.as_bytes(), KEYS).is_ok(), allowed, "{json}");
        }
    }
}
