//! The catalogue of base images: a JSON file that users keep and extend.

use jiff::Timestamp;
use seawall_model::{Inventory, Package};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Largest catalogue that is read, in bytes: an image takes some ten kilobytes.
const MAX_BYTES: u64 = 256 << 20;

/// The version of the file's layout that is written and read.
const VERSION: u32 = 1;

/// The base images that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    version: u32,
    bases: Vec<BaseImage>,
}

/// One base image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// Under which it is known: `debian:12`, `registry.example.org/base/java:17`.
    pub name: String,
    /// The team or person who maintains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The image's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The chain id of its top layer.
    pub chain_id: String,
    /// Number of its layers.
    pub layers: u32,
    /// `ID` and `VERSION_ID` of its os-release, with a space between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distro: Option<String>,
    /// `os/architecture[/variant]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// When it was built, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Whether something in it could not be read, so that `packages` may lack some.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
    /// What it holds.
    pub packages: Vec<BasePackage>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A package of a base image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasePackage {
    /// Its purl type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The operating system said no.
    #[error("cannot {action} the base image catalogue {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The file is not a catalogue.
    #[error("{path} is not a base image catalogue")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by another version.
    #[error("{path} has version {version}, and this program reads version {VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        version: u32,
    },
    /// The image has no layers, or they are not known by digest.
    #[error("{name} cannot be recognised as a base: its layers have no digests")]
    NoChain {
        /// The image.
        name: String,
    },
    /// A layer's bytes could not be read whole, or are others than the image says.
    #[error("{name} is not added as a base: layer {layer} is not known to be what the image says")]
    Unverified {
        /// The image.
        name: String,
        /// The lowest such layer, from 0.
        layer: u32,
    },
}

impl BaseImage {
    /// An entry for the image that `inventory` is of.
    ///
    /// # Errors
    /// The inventory has no layers with digests, or not all of them were compared with the bytes.
    pub fn from_inventory(
        name: impl Into<String>,
        owner: Option<String>,
        inventory: &Inventory,
    ) -> Result<Self, CatalogueError> {
        let name = name.into();
        let top = inventory.layers.last();
        let Some(chain_id) = top.and_then(|layer| layer.chain_id.clone()) else {
            return Err(CatalogueError::NoChain { name });
        };
        if let Some(layer) = inventory.layers.iter().find(|layer| !layer.verified) {
            let layer = layer.index;
            return Err(CatalogueError::Unverified { name, layer });
        }
        Ok(Self {
            name,
            owner,
            digest: inventory.target.digest.clone(),
            chain_id,
            layers: u32::try_from(inventory.layers.len()).unwrap_or(u32::MAX),
            distro: inventory
                .distro
                .as_ref()
                .map(|distro| format!("{} {}", distro.id, distro.version)),
            platform: inventory.target.platform.clone(),
            created: inventory.target.created.clone(),
            incomplete: !inventory.incomplete.is_empty(),
            packages: inventory.packages.iter().map(BasePackage::of).collect(),
        })
    }

    /// What successive builds of one base have in common: the repository, and of the tag the first
    /// number and the words. `debian:12-20260101` and `debian:12.4` are builds of `debian:12`;
    /// `debian:13` and `debian:12-slim` are not.
    #[must_use]
    pub fn series(&self) -> Vec<&str> {
        let name = self.name.split('@').next().unwrap_or(&self.name);
        let (repository, tag) = match name.rsplit_once(':') {
            // A colon before a slash is a registry's port.
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (name, "latest"),
        };
        let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = tag.split(['.', '-', '_', '+']);
        let telling = parts
            .enumerate()
            // A number of six digits and more is a date.
            .filter(|(at, part)| !is_number(part) || (*at == 0 && part.len() < 6))
            .map(|(_, part)| part);
        std::iter::once(repository).chain(telling).collect()
    }

    /// When it was built; dates are written with different offsets.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.created.as_deref()?.parse().ok()
    }
}

impl BasePackage {
    fn of(package: &Package) -> Self {
        Self {
            kind: package.kind.name().to_owned(),
            name: package.name.clone(),
            version: package.version.clone(),
        }
    }
}

impl Catalogue {
    /// Reads a catalogue; one without entries where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, is no catalogue, or is one of another version.
    pub fn load(path: &Path) -> Result<Self, CatalogueError> {
        let mut text = Vec::new();
        let read = File::open(path).and_then(|file| {
            file.take(MAX_BYTES + 1).read_to_end(&mut text)?;
            match text.len() as u64 > MAX_BYTES {
                true => Err(io::Error::other(format!(
                    "it is larger than {MAX_BYTES} bytes"
                ))),
                false => Ok(()),
            }
        });
        match read {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    version: VERSION,
                    bases: Vec::new(),
                });
            }
            Err(source) => return Err(failed("read", path)(source)),
        }
        Self::parse(&text, path)
    }

    fn parse(text: &[u8], path: &Path) -> Result<Self, CatalogueError> {
        let catalogue: Self =
            serde_json::from_slice(text).map_err(|source| CatalogueError::Format {
                path: path.to_owned(),
                source,
            })?;
        if catalogue.version != VERSION {
            return Err(CatalogueError::Version {
                path: path.to_owned(),
                version: catalogue.version,
            });
        }
        Ok(catalogue)
    }

    /// Changes the catalogue in a file; others who want to change it wait for so long.
    ///
    /// # Errors
    /// See [`Catalogue::load`]; or the directory cannot be written to.
    pub fn change<T>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, CatalogueError> {
        // The catalogue itself is replaced, so that a lock on it would be one on the old file.
        let lock = File::create(path.with_added_extension("lock")).map_err(failed("lock", path))?;
        lock.lock().map_err(failed("lock", path))?;
        let mut catalogue = Self::load(path)?;
        let before = catalogue.bases.clone();
        let outcome = change(&mut catalogue);
        if catalogue.bases != before {
            catalogue.save(path)?;
        }
        Ok(outcome)
    }

    /// Writes the catalogue beside `path` and moves it there in one step, so that a reader finds
    /// either the old one or the new.
    ///
    /// # Errors
    /// The directory cannot be written to.
    fn save(&self, path: &Path) -> Result<(), CatalogueError> {
        let current = Self {
            version: VERSION,
            bases: self.bases.clone(),
        };
        let mut text =
            serde_json::to_vec_pretty(&current).map_err(|source| CatalogueError::Format {
                path: path.to_owned(),
                source,
            })?;
        text.push(b'\n');
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&beside, path)
        };
        write().map_err(|source| {
            // Nothing more can be done about the half-written file.
            drop(std::fs::remove_file(&beside));
            failed("write", path)(source)
        })
    }

    /// Adds a base image. One with the same chain id is replaced, as it is the same image, and
    /// returned.
    pub fn add(&mut self, base: BaseImage) -> Option<BaseImage> {
        let mut bases = self.bases.iter();
        let known = bases.position(|known| known.chain_id == base.chain_id);
        let replaced = known.map(|known| self.bases.remove(known));
        self.bases.push(base);
        self.bases.sort_by(|a, b| {
            (&a.name, &a.created, &a.chain_id).cmp(&(&b.name, &b.created, &b.chain_id))
        });
        replaced
    }

    /// Removes the base images of this name, or the one with this digest or chain id, and returns
    /// how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.bases.len();
        self.bases.retain(|base| {
            base.name != name && base.digest.as_deref() != Some(name) && base.chain_id != name
        });
        before - self.bases.len()
    }

    /// All base images, ordered by name and date.
    #[must_use]
    pub fn bases(&self) -> &[BaseImage] {
        &self.bases
    }

    /// The chain ids by which images are known: whoever reads an image that claims one must compare
    /// that with its bytes.
    pub fn chain_ids(&self) -> impl Iterator<Item = &str> {
        self.bases.iter().map(|base| base.chain_id.as_str())
    }

    /// The known images of which an image with these chain ids is made, the one with the fewest
    /// layers first: `debian:12` before the `java:17` that was built on it.
    #[must_use]
    pub fn identify(&self, chain: &[&str]) -> Vec<&BaseImage> {
        let known = (1..).zip(chain).filter_map(|(layers, chain_id)| {
            self.bases
                .iter()
                .find(|base| base.chain_id == *chain_id && base.layers == layers)
        });
        known.collect()
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CatalogueError {
    let path = path.to_owned();
    move |source| CatalogueError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &str, chain_id: &str, layers: u32) -> BaseImage {
        BaseImage {
            name: name.to_owned(),
            chain_id: chain_id.to_owned(),
            layers,
            ..BaseImage::default()
        }
    }

    #[test]
    fn all_images_below_are_known() {
        let mut catalogue = Catalogue::default();
        catalogue.add(base("debian:12", "a", 1));
        catalogue.add(base("java:17", "c", 3));
        for (chain, expected) in [
            (&["a", "b", "c", "d"][..], &["debian:12", "java:17"][..]),
            (&["a", "b"], &["debian:12"]),
            (&["x", "a"], &[]),
            (&[], &[]),
        ] {
            let known = catalogue.identify(chain).into_iter();
            let found: Vec<&str> = known.map(|base| base.name.as_str()).collect();
            assert_eq!(found, expected, "{chain:?}");
        }
    }

    #[test]
    fn a_catalogue_reads_back_what_was_saved() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bases.json");
        let mut catalogue = Catalogue::load(&path).unwrap();
        catalogue.add(base("b", "2", 1));
        catalogue.add(base("a", "1", 1));
        catalogue.add(base("b:new", "2", 1));
        catalogue.save(&path).unwrap();
        let names = |catalogue: &Catalogue| -> Vec<String> {
            catalogue
                .bases()
                .iter()
                .map(|base| base.name.clone())
                .collect()
        };
        assert_eq!(names(&Catalogue::load(&path).unwrap()), ["a", "b:new"]);
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside the catalogue");
    }

    #[test]
    fn images_that_are_added_at_the_same_time_are_all_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bases.json");
        std::thread::scope(|scope| {
            for at in 0..12 {
                let path = &path;
                scope.spawn(move || {
                    let base = base(&format!("base-{at}"), &at.to_string(), 1);
                    Catalogue::change(path, |catalogue| catalogue.add(base)).unwrap();
                });
            }
        });
        assert_eq!(Catalogue::load(&path).unwrap().bases().len(), 12);
    }

    #[test]
    fn other_versions_and_other_files_are_refused() {
        let path = Path::new("bases.json");
        for (text, expected) in [
            (
                "{\"version\":2,\"bases\":[]}",
                "bases.json has version 2, and this program reads version 1",
            ),
            ("[]", "bases.json is not a base image catalogue"),
            ("", "bases.json is not a base image catalogue"),
        ] {
            let error = Catalogue::parse(text.as_bytes(), path).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn another_major_version_was_taken_for_a_newer_build() {
        for (one, other, expected) in [
            ("debian:12", "debian:12-20260101", true),
            ("node:18.19.0-slim", "node:18.20.1-slim", true),
            ("node:18", "node:20", false),
            ("node:18", "node:18-alpine3.19", false),
            ("ubuntu:jammy-20240101", "ubuntu:jammy-20240212", true),
            ("ubuntu:jammy", "ubuntu:noble", false),
            ("base:20240101", "base:20240212", true),
            (
                "r:5000/base/java:17@sha256:00",
                "r:5000/base/java:17.0.2",
                true,
            ),
            ("r:5000/base/java", "r:5000/base/java:latest", true),
            ("r:5000/base/java", "r:6000/base/java", false),
        ] {
            let (a, b) = (base(one, "", 1), base(other, "", 1));
            assert_eq!(a.series() == b.series(), expected, "{one} {other}");
        }
    }
}
