//! Manifests and configurations: OCI image specification 1.1, Docker's image manifest version 2
//! schema 2, and the `manifest.json` of `docker save` archives.
//!
//! Own types, because foreign tools write `null` and leave out what the specification asks for,
//! and a scanner reads what it can.

use super::keys::{self, Document};
use super::platform::Platform;
use crate::{Error, ImageInfo};
use seawall_model::{Incomplete, IncompleteReason};
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// The types of image indexes.
pub(crate) const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// The types of image manifests.
pub(crate) const MANIFESTS: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// A reference to a blob.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Descriptor {
    #[serde(deserialize_with = "nullable")]
    pub(crate) media_type: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) digest: String,
    pub(crate) size: Option<u64>,
    pub(crate) platform: Option<Platform>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) artifact_type: Option<String>,
}

/// An image index or an image manifest: which of the two shows in what it has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Manifest {
    /// 2; 1 in Docker's first format, which has nothing else in common.
    pub(crate) schema_version: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) media_type: String,
    /// Of an index.
    #[serde(deserialize_with = "list")]
    pub(crate) manifests: Vec<Descriptor>,
    /// Of a manifest.
    pub(crate) config: Option<Descriptor>,
    /// Of a manifest.
    #[serde(deserialize_with = "list")]
    pub(crate) layers: Vec<Descriptor>,
}

/// The `manifest.json` of `docker save`.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct SavedImages {
    #[serde(deserialize_with = "list")]
    pub(crate) images: Vec<SavedImage>,
}

/// An image in the `manifest.json` of `docker save`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SavedImage {
    #[serde(deserialize_with = "nullable")]
    pub(crate) config: String,
    #[serde(deserialize_with = "list")]
    pub(crate) repo_tags: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) layers: Vec<String>,
}

/// An image configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    #[serde(deserialize_with = "nullable")]
    os: String,
    #[serde(deserialize_with = "nullable")]
    architecture: String,
    variant: Option<String>,
    created: Option<String>,
    #[serde(deserialize_with = "nullable")]
    config: RunConfig,
    #[serde(deserialize_with = "nullable")]
    rootfs: RootFs,
    #[serde(deserialize_with = "list")]
    history: Vec<History>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RunConfig {
    #[serde(deserialize_with = "nullable")]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct RootFs {
    #[serde(deserialize_with = "list")]
    diff_ids: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct History {
    #[serde(deserialize_with = "nullable")]
    created_by: String,
    #[serde(deserialize_with = "nullable")]
    empty_layer: bool,
}

fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The most elements of any list. Without it, `[{},{},...]` would take a hundred times its size.
const MAX_ELEMENTS: usize = 20_000;

/// A list, or `null`, of bounded length.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX_ELEMENTS} elements")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() == MAX_ELEMENTS {
                return Err(A::Error::invalid_length(MAX_ELEMENTS + 1, &self));
            }
            list.push(element);
        }
        Ok(list)
    }
}

/// Reads JSON that describes an image. What another program may read otherwise is refused.
pub(crate) fn parse<T: Document + DeserializeOwned>(place: &str, bytes: &[u8]) -> Result<T, Error> {
    keys::check(bytes, T::KEYS).map_err(|error| broken(place, bytes, &error))?;
    parse_json(place, bytes)
}

/// Reads JSON; an error says where it is broken.
pub(crate) fn parse_json<T: DeserializeOwned>(place: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| broken(place, bytes, &error))
}

fn broken(place: &str, bytes: &[u8], error: &serde_json::Error) -> Error {
    Error::Corrupt {
        place: place.to_owned(),
        offset: offset_of(bytes, error.line(), error.column()),
        message: error.to_string(),
    }
}

impl Document for Manifest {
    const KEYS: &'static [&'static str] = &[
        "schemaVersion",
        "mediaType",
        "manifests",
        "config",
        "layers",
        "digest",
        "size",
        "platform",
        "annotations",
        "artifactType",
        "os",
        "os.version",
        "architecture",
        "variant",
    ];
}

impl Document for SavedImages {
    const KEYS: &'static [&'static str] = &["Config", "RepoTags", "Layers"];
}

impl Document for Config {
    const KEYS: &'static [&'static str] = &[
        "os",
        "architecture",
        "variant",
        "created",
        "config",
        "Labels",
        "rootfs",
        "diff_ids",
        "history",
        "created_by",
        "empty_layer",
    ];
}

fn offset_of(bytes: &[u8], line: usize, column: usize) -> u64 {
    let before: usize = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (before + column.saturating_sub(1)).min(bytes.len()) as u64
}

/// `sha256:...` of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// What is wrong with bytes that are named by a digest of one of the registered algorithms (OCI image
/// specification, "Registered algorithms"). Bytes under another are read, as they are found by the
/// name, and that nobody checked them is said.
pub(crate) fn check_digest(place: &str, digest: &str, bytes: &[u8]) -> Option<Incomplete> {
    let found = match digest.split_once(':') {
        Some(("sha256", _)) => sha256(bytes),
        Some(("sha512", _)) => format!("sha512:{}", hex::encode(Sha512::digest(bytes))),
        _ => {
            let message = format!("its digest {digest} is of a kind that is not checked");
            return Some(Incomplete::new(
                IncompleteReason::Unsupported,
                place,
                message,
            ));
        }
    };
    (digest != found).then(|| {
        Incomplete::new(
            IncompleteReason::Corrupt,
            place,
            format!("its digest should be {digest}, but is {found}"),
        )
    })
}

/// Reads an image index or an image manifest. A document that is both is refused.
pub(crate) fn parse_manifest(place: &str, bytes: &[u8]) -> Result<Manifest, Error> {
    let manifest: Manifest = parse(place, bytes)?;
    let is_image = manifest.config.is_some() || !manifest.layers.is_empty();
    if is_image && !manifest.manifests.is_empty() {
        return Err(Error::Corrupt {
            place: place.to_owned(),
            offset: 0,
            message: "it is an image and an index of images in one".to_owned(),
        });
    }
    Ok(manifest)
}

/// What is said of an index in which [`Descriptor::rivals`] something.
pub(crate) const RIVALS: &str =
    "the index names another image, which other programs take for this platform";

impl AsRef<Self> for Descriptor {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Descriptor {
    /// Whether it names an index.
    pub(crate) fn is_index(&self) -> bool {
        INDEXES.contains(&self.media_type.as_str())
    }

    /// Attestations and other things beside images, as BuildKit and `cosign` add them to indexes.
    pub(crate) fn is_image(&self) -> bool {
        !self.annotations.contains_key("vnd.docker.reference.type")
            && self.artifact_type.as_deref().unwrap_or("").is_empty()
            && !self.is_for_no_platform()
    }

    /// What no program takes for an image of any platform.
    pub(crate) fn is_for_no_platform(&self) -> bool {
        let unknown = |platform: &Platform| platform.architecture == "unknown";
        self.platform.as_ref().is_some_and(unknown)
    }

    /// Whether it can be an image or an index: layers and other blobs may be listed beside them.
    fn is_manifest(&self) -> bool {
        let media_type = self.media_type.as_str();
        media_type.is_empty() || self.is_index() || MANIFESTS.contains(&media_type)
    }

    /// Whether another program, which knows no annotations, no types of artifacts or no second names
    /// of platforms, may take this where we take `chosen`.
    pub(crate) fn rivals(&self, chosen: &Self, wanted: &Platform) -> bool {
        if self.digest == chosen.digest || self.is_for_no_platform() || !self.is_manifest() {
            return false;
        }
        let (Some(own), Some(other)) = (&self.platform, &chosen.platform) else {
            return true;
        };
        let (own, other) = (own.clone().normalized(), other.clone().normalized());
        let is_same = match own.os == "windows" && own.os_version.is_some() {
            true => own == other,
            // What is said of other systems' versions nobody looks at.
            false => {
                let key =
                    |it: &Platform| (it.os.clone(), it.architecture.clone(), it.variant.clone());
                key(&own) == key(&other)
            }
        };
        is_same || (!self.is_image() && wanted.distance(&own).is_some())
    }

    /// Why a layer of this media type is not read; `None` if it is. What the bytes really are
    /// shows when they are read.
    pub(crate) fn unsupported_layer(&self) -> Option<String> {
        let base = self.media_type.split('+').next().unwrap_or_default();
        let encrypted = self.media_type.ends_with("+encrypted");
        let known = matches!(
            base,
            "" | "application/vnd.oci.image.layer.v1.tar"
                | "application/vnd.oci.image.layer.nondistributable.v1.tar"
                | "application/vnd.docker.image.rootfs.diff.tar"
                | "application/vnd.docker.image.rootfs.diff.tar.gzip"
                | "application/vnd.docker.image.rootfs.diff.tar.zstd"
                | "application/vnd.docker.image.rootfs.foreign.diff.tar"
                | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        );
        (encrypted || !known).then(|| format!("layers of type '{}' are not read", self.media_type))
    }

    /// Whether the layer may be left out of archives and registries, for its licence.
    pub(crate) fn is_foreign(&self) -> bool {
        self.media_type.contains("nondistributable") || self.media_type.contains("foreign")
    }
}

impl Config {
    /// `None` where it names none.
    pub(crate) fn platform(&self) -> Option<Platform> {
        (!self.os.is_empty() || !self.architecture.is_empty()).then(|| Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone().filter(|variant| !variant.is_empty()),
            os_version: None,
        })
    }

    /// Digests of the uncompressed layers.
    pub(crate) fn diff_ids(&self) -> &[String] {
        &self.rootfs.diff_ids
    }

    /// The instruction of every layer, from the base up.
    pub(crate) fn instructions(&self) -> impl Iterator<Item = &str> {
        self.history
            .iter()
            .filter(|entry| !entry.empty_layer)
            .map(|entry| entry.created_by.as_str())
    }

    /// What the image says of itself.
    pub(crate) fn image_info(&self, digest: Option<String>, tags: Vec<String>) -> ImageInfo {
        ImageInfo {
            digest,
            tags,
            other_digests: Vec::new(),
            named_by_store: false,
            platform: self.platform().map(|platform| platform.to_string()),
            created: self.created.clone(),
            labels: self.config.labels.clone().into_iter().collect(),
            history: self
                .history
                .iter()
                .map(|entry| (entry.created_by.clone(), entry.empty_layer))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nulls_and_missing_fields_are_nothing() {
        for json in ["{}", r#"{"layers":null,"config":null,"manifests":null}"#] {
            let manifest: Manifest = parse("m", json.as_bytes()).unwrap();
            assert!(manifest.layers.is_empty());
        }
        let config: Config = parse("c", br#"{"history":null,"rootfs":null,"config":{}}"#).unwrap();
        assert!(config.diff_ids().is_empty());
    }

    /// Takes down the fields that a struct asks for.
    struct Fields<'a>(&'a mut BTreeSet<&'static str>);

    impl<'de> Deserializer<'de> for Fields<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom("no struct"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            self.0.extend(fields);
            Err(Self::Error::custom("only its fields are asked for"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
            ignored_any
        }
    }

    fn fields<T: DeserializeOwned>(fields: &mut BTreeSet<&'static str>) {
        assert!(T::deserialize(Fields(fields)).is_err());
    }

    #[test]
    fn a_key_of_a_struct_was_not_among_those_that_mean_something() {
        type Collect = fn(&mut BTreeSet<&'static str>);
        let documents: [(&[&str], &[Collect]); 3] = [
            (
                Manifest::KEYS,
                &[fields::<Manifest>, fields::<Descriptor>, fields::<Platform>],
            ),
            (SavedImages::KEYS, &[fields::<SavedImage>]),
            (
                Config::KEYS,
                &[
                    fields::<Config>,
                    fields::<RunConfig>,
                    fields::<RootFs>,
                    fields::<History>,
                ],
            ),
        ];
        for (keys, structs) in documents {
            let mut expected = BTreeSet::new();
            structs.iter().for_each(|collect| collect(&mut expected));
            assert_eq!(BTreeSet::from_iter(keys.iter().copied()), expected);
        }
    }

    #[test]
    fn a_list_of_millions_is_refused() {
        let json = format!("[{}{{}}]", "{},".repeat(MAX_ELEMENTS));
        let error = parse::<SavedImages>("m", json.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("at most 20000 elements"),
            "{error}"
        );
    }

    #[test]
    fn an_error_says_where() {
        let error = parse::<Manifest>("m", b"{\n \"layers\": 7}").unwrap_err();
        assert!(
            matches!(error, Error::Corrupt { offset: 13, .. }),
            "{error:?}"
        );
    }
}
