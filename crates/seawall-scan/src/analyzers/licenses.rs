//! Licences as packages of npm and Composer state them, in their own words and in old ones.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Licences: an expression, `{"type": "MIT"}` as before npm 2, or a list of either. Anything else is
/// none, so that an odd field does not cost the package.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Licenses(pub(super) Vec<String>);

/// No package has more.
const MOST: usize = 64;

impl<'de> Deserialize<'de> for Licenses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LicensesVisitor)
    }
}

struct LicensesVisitor;

impl<'de> Visitor<'de> for LicensesVisitor {
    type Value = Licenses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("licences")
    }

    fn visit_str<E>(self, text: &str) -> Result<Licenses, E> {
        let text = Some(text.trim()).filter(|text| !text.is_empty());
        Ok(Licenses(text.map(str::to_owned).into_iter().collect()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Licenses, E> {
        Ok(Licenses::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Licenses, E> {
        Ok(Licenses::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Licenses, E> {
        Ok(Licenses::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Licenses, E> {
        Ok(Licenses::default())
    }

    fn visit_unit<E>(self) -> Result<Licenses, E> {
        Ok(Licenses::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Licenses, A::Error> {
        let mut all = Licenses::default();
        while let Some(Licenses(some)) = seq.next_element()? {
            all.0.extend(some);
            all.0.truncate(MOST);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Licenses, A::Error> {
        let mut licenses = Licenses::default();
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "type" => licenses = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(licenses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_in_every_form() {
        for (json, expected) in [
            (r#"" MIT ""#, &["MIT"][..]),
            (r#"{"url": "x", "type": "MIT"}"#, &["MIT"]),
            (r#"["MIT", {"type": "BSD"}, null, ""]"#, &["MIT", "BSD"]),
            ("null", &[]),
            ("[0, -1, 1.5, true]", &[]),
        ] {
            let licenses: Licenses = serde_json::from_str(json).unwrap();
            assert_eq!(licenses.0, expected, "{json}");
        }
    }

    #[test]
    fn a_list_of_millions_of_licences_was_kept() {
        let list = format!("[{}\"MIT\"]", "\"MIT\",".repeat(1000));
        let licenses: Licenses = serde_json::from_str(&list).unwrap();
        assert_eq!(licenses.0.len(), MOST);
    }
}
