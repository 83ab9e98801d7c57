//! The file format, read so that a damaged file gives what stands before the damage.

use super::super::FeedFile;
use super::super::document::{self, corrupt};
use super::super::rejected::Rejected;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// One repository of one release.
#[derive(Default)]
pub(super) struct Secdb {
    pub(super) distroversion: Option<String>,
    pub(super) reponame: Option<String>,
    pub(super) urlprefix: Option<String>,
    pub(super) packages: Vec<Package>,
}

/// A package, and by version the flaws that it mends.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    #[serde(default)]
    pub(super) secfixes: Option<BTreeMap<String, Option<Vec<Option<String>>>>>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

/// The same in YAML, where whole documents alone can be read.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    distroversion: Option<String>,
    #[serde(default)]
    reponame: Option<String>,
    #[serde(default)]
    urlprefix: Option<String>,
    #[serde(default)]
    packages: Option<Vec<Entry>>,
}

/// Reads the file, JSON or YAML. What is wrong is reported.
pub(super) fn parse(file: &FeedFile<'_>, rejected: &mut Rejected<'_>) -> Secdb {
    let mut secdb = Secdb::default();
    if file.bytes.trim_ascii_start().starts_with(b"{") {
        let mut damaged = Vec::new();
        let seed = SecdbSeed {
            secdb: &mut secdb,
            damaged: &mut damaged,
        };
        document::json_seed(file, rejected, seed);
        for message in damaged {
            rejected.report(corrupt(file, message));
        }
        return secdb;
    }
    let document = document::yaml(file).or_else(|incomplete| {
        let before = incomplete.offset.and_then(|offset| {
            let whole = file.bytes.get(..usize::try_from(offset).ok()?)?;
            let cut = memchr::memmem::rfind(whole, b"- pkg:")?;
            let start = memchr::memrchr(b'\n', whole.get(..cut)?)?;
            whole.get(..=start)
        });
        rejected.report(incomplete);
        let bytes = before.unwrap_or_default();
        document::yaml(&FeedFile { bytes, ..*file })
    });
    if let Ok::<Document, _>(document) = document {
        secdb.distroversion = document.distroversion;
        secdb.reponame = document.reponame;
        secdb.urlprefix = document.urlprefix;
        let entries = document.packages.unwrap_or_default().into_iter();
        secdb.packages = entries.map(|entry| entry.pkg).collect();
    }
    secdb
}

struct SecdbSeed<'a> {
    secdb: &'a mut Secdb,
    damaged: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for SecdbSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SecdbSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secdb object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "distroversion" => self.secdb.distroversion = map.next_value()?,
                "reponame" => self.secdb.reponame = map.next_value()?,
                "urlprefix" => self.secdb.urlprefix = map.next_value()?,
                "packages" => map.next_value_seed(PackagesSeed {
                    packages: &mut self.secdb.packages,
                    damaged: &mut *self.damaged,
                })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct PackagesSeed<'a> {
    packages: &'a mut Vec<Package>,
    damaged: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for PackagesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PackagesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of packages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut position = 0u64;
        while let Some(entry) = seq.next_element::<Value>()? {
            position = position.saturating_add(1);
            match serde_json::from_value::<Entry>(entry) {
                Ok(entry) => self.packages.push(entry.pkg),
                Err(error) => self.damaged.push(format!("package {position}: {error}")),
            }
        }
        Ok(())
    }
}
