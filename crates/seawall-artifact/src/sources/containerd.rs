//! Images of containerd, read from its store on disk: names from the metadata database
//! (`core/metadata/buckets.go` of containerd describes its buckets), everything else from the
//! content store, by digest. The daemon need not run, and is not asked.

use super::bolt::{Bucket, Database};
use super::file;
use super::reference::Reference;
use super::resolve::{self, Store};
use crate::image::manifest::Descriptor;
use crate::image::{Blob, Image};
use crate::{Content, Error, Options};
use seawall_model::{Incomplete, IncompleteReason};
use serde::Deserialize;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where containerd keeps its data, and the state of what runs: its own defaults, k3s, MicroK8s,
/// and the one that Docker starts.
const PLACES: &[(&str, &str)] = &[
    ("/var/lib/containerd", "/run/containerd"),
    (
        "/var/lib/rancher/k3s/agent/containerd",
        "/run/k3s/containerd",
    ),
    (
        "/var/snap/microk8s/common/var/lib/containerd",
        "/var/snap/microk8s/common/run/containerd",
    ),
    (
        "/var/lib/docker/containerd/daemon",
        "/run/docker/containerd/daemon",
    ),
];
/// The configuration of containerd itself, where it is not among the [`PLACES`].
const CONFIGURATION: &str = "/etc/containerd/config.toml";
/// Namespaces that are looked through first.
const NAMESPACES: &[&str] = &["k8s.io", "default", "moby"];
/// How often a database that is being written to is read.
const ATTEMPTS: u32 = 5;

/// One containerd's files.
struct Installation {
    root: PathBuf,
    state: PathBuf,
}

/// A name that containerd knows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    namespace: String,
    name: String,
    /// Of the manifest or index.
    digest: String,
}

/// A container as containerd knows it, running or not.
struct Container {
    namespace: String,
    id: String,
    image: String,
}

/// What stands in the metadata.
#[derive(Default)]
struct Metadata {
    images: Vec<Named>,
    containers: Vec<Container>,
}

/// Opens an image by name, or by the digest of its manifest or index.
pub(super) fn open(text: &str, options: &Options) -> Result<Image, Error> {
    let installations = installations(options)?;
    if installations.is_empty() {
        return Err(Error::Usage {
            message: "there is no store of containerd on this machine".to_owned(),
            hint: "name its directory in CONTAINERD_ROOT if it is not /var/lib/containerd"
                .to_owned(),
        });
    }
    for installation in installations {
        let metadata = installation.metadata()?;
        if let Some(found) = find(&metadata.images, text) {
            return installation.open(found, &metadata.images, options);
        }
    }
    Err(Error::Usage {
        message: format!("containerd has no image {text}"),
        hint: "'ctr --namespace k8s.io images list' lists those it has; CONTAINERD_NAMESPACE \
               chooses another namespace"
            .to_owned(),
    })
}

/// Digests of all images. `None` without containerd.
pub(super) fn all_images(options: &Options) -> Result<Option<Vec<String>>, Error> {
    let mut digests = Vec::new();
    let installations = installations(options)?;
    for installation in &installations {
        let images = installation.metadata()?.images;
        digests.extend(images.into_iter().map(|image| image.digest));
    }
    Ok((!installations.is_empty()).then_some(digests))
}

/// Directories of the stores.
pub(super) fn stores(options: &Options) -> Result<Vec<PathBuf>, Error> {
    let installations = installations(options)?.into_iter();
    Ok(installations
        .map(|installation| installation.root)
        .collect())
}

/// Digests of the images of running containers. `None` without containerd.
pub(super) fn running_images(options: &Options) -> Result<Option<Vec<String>>, Error> {
    let mut digests = Vec::new();
    let installations = installations(options)?;
    for installation in &installations {
        let metadata = installation.metadata()?;
        for container in &metadata.containers {
            if !installation.runs(container) {
                continue;
            }
            let image = metadata.images.iter().find(|image| {
                image.namespace == container.namespace && image.name == container.image
            });
            digests.extend(image.map(|image| image.digest.clone()));
        }
    }
    Ok((!installations.is_empty()).then_some(digests))
}

/// What `config.toml` says of places (containerd-config.toml(5)).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Configuration {
    root: Option<PathBuf>,
    state: Option<PathBuf>,
}

/// The directory that a `config.toml` names for the data of containerd.
pub(super) fn configured_root(configuration: &str) -> Vec<PathBuf> {
    let read: Configuration = toml::from_str(configuration).unwrap_or_default();
    read.root.into_iter().collect()
}

/// The places in a `config.toml`, where they are not the default.
fn configured(path: &Path, limit: u64) -> Result<Option<Installation>, Error> {
    let read: Configuration = file::read_toml(path, limit)?.unwrap_or_default();
    let is_known = |root: &PathBuf| PLACES.iter().any(|(known, _)| Path::new(known) == root);
    let root = read.root.filter(|root| !is_known(root));
    Ok(root.map(|root| Installation {
        root,
        state: read.state.unwrap_or_else(|| "/run/containerd".into()),
    }))
}

fn installations(options: &Options) -> Result<Vec<Installation>, Error> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let limit = options.limits.metadata_bytes;
    let places = match set("CONTAINERD_ROOT") {
        Some(root) => vec![Installation {
            root: root.into(),
            state: set("CONTAINERD_STATE").map_or("/run/containerd".into(), PathBuf::from),
        }],
        None => PLACES
            .iter()
            .map(|(root, state)| Installation {
                root: root.into(),
                state: state.into(),
            })
            .chain(configured(Path::new(CONFIGURATION), limit)?)
            .collect(),
    };
    let is_there = |place: &Installation| match place.database().try_exists() {
        Ok(exists) => exists,
        // Told when it is opened.
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    };
    Ok(places.into_iter().filter(is_there).collect())
}

/// The image of this name in the first namespace that has it.
fn find<'a>(images: &'a [Named], text: &str) -> Option<&'a Named> {
    let reference = Reference::parse(text);
    let position = |namespace: &str| NAMESPACES.iter().position(|known| *known == namespace);
    images
        .iter()
        .filter(|image| {
            image.name == text || image.digest == text || reference.is_stored_as(&image.name)
        })
        .min_by_key(|image| position(&image.namespace).unwrap_or(usize::MAX))
}

impl Installation {
    fn database(&self) -> PathBuf {
        self.root.join("io.containerd.metadata.v1.bolt/meta.db")
    }

    fn metadata(&self) -> Result<Metadata, Error> {
        let path = self.database();
        let place = path.display().to_string();
        let (file, len) = file::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => Error::Usage {
                message: format!("the metadata of containerd may not be read: {place}"),
                hint: "run as root".to_owned(),
            },
            _ => Error::Io {
                place: place.clone(),
                source,
            },
        })?;
        let file = Arc::new(file);
        for _ in 0..ATTEMPTS {
            let content = Content::from_range(Arc::clone(&file), 0, len);
            let database = Database::open(&place, content)?;
            let metadata = read_metadata(&database);
            if database.is_current() {
                return metadata;
            }
        }
        Err(Error::Io {
            place,
            source: io::Error::other("it is written to faster than it can be read"),
        })
    }

    fn blob(&self, digest: &str) -> PathBuf {
        // The caller has checked what a digest is made of.
        let digest = digest.replace(':', "/");
        self.root
            .join("io.containerd.content.v1.content/blobs")
            .join(digest)
    }

    fn metadata_blob(&self, digest: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let bytes = file::read_if_there(&self.blob(digest), limit)?;
        bytes.ok_or_else(|| Error::Usage {
            message: format!("containerd has not stored {digest}"),
            hint: "it may have pulled the image for another platform only: see --platform"
                .to_owned(),
        })
    }

    fn open(&self, image: &Named, images: &[Named], options: &Options) -> Result<Image, Error> {
        let stored = Stored {
            installation: self,
            metadata_bytes: options.limits.metadata_bytes,
        };
        let manifest = stored.manifest(&image.digest)?;
        let mut tags: Vec<String> = images
            .iter()
            .filter(|other| other.digest == image.digest)
            .map(|other| other.name.clone())
            .filter(|name| !name.contains('@') && !name.starts_with("sha256:"))
            .collect();
        tags.sort_unstable();
        tags.dedup();
        let place = format!("containerd:{}", image.name);
        resolve::image(
            &stored,
            &place,
            image.digest.clone(),
            manifest,
            tags,
            options,
        )
    }

    /// Whether a container has a process: shims leave its number below the state directory.
    fn runs(&self, container: &Container) -> bool {
        if [&container.namespace, &container.id]
            .iter()
            .any(|name| name.contains('/'))
        {
            return false;
        }
        let task = self
            .state
            .join("io.containerd.runtime.v2.task")
            .join(&container.namespace)
            .join(&container.id);
        super::has_process(&task.join("init.pid"))
    }
}

/// The content store of one containerd.
struct Stored<'a> {
    installation: &'a Installation,
    metadata_bytes: u64,
}

impl Store for Stored<'_> {
    fn manifest(&self, digest: &str) -> Result<Vec<u8>, Error> {
        if !super::reference::is_digest(digest) {
            return Err(Error::Corrupt {
                place: self.installation.database().display().to_string(),
                offset: 0,
                message: format!("'{digest}' is not a digest"),
            });
        }
        self.installation.metadata_blob(digest, self.metadata_bytes)
    }

    fn config(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        self.installation
            .metadata_blob(&descriptor.digest, self.metadata_bytes)
    }

    fn layer(&self, descriptor: &Descriptor) -> Blob {
        let place = format!("layer {}", descriptor.digest);
        match file::open(&self.installation.blob(&descriptor.digest)) {
            Ok((file, len)) => Blob::Content(Content::from_range(Arc::new(file), 0, len)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let why = "containerd does not keep it (discard_unpacked_layers)";
                let why = Incomplete::new(IncompleteReason::Unreadable, place, why)
                    .hint("scan the image in its registry: registry:REF");
                Blob::Missing(Box::new(why))
            }
            Err(source) => Blob::Missing(Box::new(Error::Io { place, source }.to_incomplete())),
        }
    }
}

/// Reads the names that a metadata database of containerd holds, as `NAMESPACE NAME DIGEST`.
///
/// # Errors
/// It is none, or damaged.
pub(crate) fn image_names(database: &[u8]) -> Result<Vec<String>, Error> {
    let content = Content::from_bytes(database);
    let metadata = read_metadata(&Database::open("meta.db", content)?)?;
    let lines = metadata.images.into_iter().map(|image| {
        let Named {
            namespace,
            name,
            digest,
        } = image;
        format!("{namespace} {name} {digest}")
    });
    Ok(lines.collect())
}

fn read_metadata(database: &Database) -> Result<Metadata, Error> {
    let mut metadata = Metadata::default();
    let Some(version) = database.root().bucket(b"v1")? else {
        return Ok(metadata);
    };
    let chosen = env::var("CONTAINERD_NAMESPACE").ok();
    let chosen = chosen.filter(|namespace| !namespace.is_empty());
    for (namespace, bucket) in version.buckets()? {
        let namespace = text(namespace);
        if chosen.as_ref().is_some_and(|chosen| *chosen != namespace) {
            continue;
        }
        read_namespace(&namespace, &bucket, &mut metadata)?;
    }
    Ok(metadata)
}

fn read_namespace(
    namespace: &str,
    bucket: &Bucket<'_>,
    metadata: &mut Metadata,
) -> Result<(), Error> {
    if let Some(images) = bucket.bucket(b"images")? {
        for (name, image) in images.buckets()? {
            let Some(target) = image.bucket(b"target")? else {
                continue;
            };
            if let Some(digest) = target.value(b"digest")? {
                metadata.images.push(Named {
                    namespace: namespace.to_owned(),
                    name: text(name),
                    digest: text(digest),
                });
            }
        }
    }
    if let Some(containers) = bucket.bucket(b"containers")? {
        for (id, container) in containers.buckets()? {
            if let Some(image) = container.value(b"image")? {
                metadata.containers.push(Container {
                    namespace: namespace.to_owned(),
                    id: text(id),
                    image: text(image),
                });
            }
        }
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::bolt::tests::{Node, database};
    use super::*;

    fn metadata() -> Vec<u8> {
        let digest = |text| Node::Inline(vec![("digest", Node::Value(text))]);
        let image = |text| Node::Bucket(vec![("target", digest(text))], false);
        let images = vec![
            ("docker.io/library/app:1", image("sha256:aa")),
            ("sha256:cc", image("sha256:aa")),
        ];
        let container = Node::Inline(vec![("image", Node::Value("docker.io/library/app:1"))]);
        let kubernetes = vec![
            ("containers", Node::Bucket(vec![("c1", container)], false)),
            ("images", Node::Bucket(images, true)),
        ];
        let other = vec![("docker.io/library/app:1", image("sha256:bb"))];
        let other = vec![("images", Node::Bucket(other, false))];
        let namespaces = vec![
            ("a-build", Node::Bucket(other, false)),
            ("k8s.io", Node::Bucket(kubernetes, false)),
        ];
        database(vec![("v1", Node::Bucket(namespaces, false))])
    }

    #[test]
    fn names_of_all_namespaces() {
        assert_eq!(
            image_names(&metadata()).unwrap(),
            [
                "a-build docker.io/library/app:1 sha256:bb",
                "k8s.io docker.io/library/app:1 sha256:aa",
                "k8s.io sha256:cc sha256:aa",
            ]
        );
        assert!(image_names(b"").is_err());
        assert!(image_names(&database(Vec::new())).unwrap().is_empty());
    }

    #[test]
    fn the_namespace_of_kubernetes_comes_first() {
        let content = Content::from_bytes(metadata());
        let database = Database::open("meta.db", content).unwrap();
        let images = read_metadata(&database).unwrap().images;
        for (text, expected) in [
            ("app:1", Some("sha256:aa")),
            ("docker.io/library/app:1", Some("sha256:aa")),
            ("sha256:cc", Some("sha256:aa")),
            ("sha256:bb", Some("sha256:bb")),
            ("app", None),
            ("app:2", None),
        ] {
            let found = find(&images, text).map(|image| image.digest.as_str());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_understood_hid_the_images_of_its_place() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let root = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let found = configured(file.path(), 1 << 20)?;
            Ok::<_, Error>(found.map(|installation| installation.root))
        };
        assert_eq!(root("root = '/a'").unwrap(), Some("/a".into()));
        assert_eq!(root("root = '/var/lib/containerd'").unwrap(), None);
        let error = root("root = '/a'\n[plugins").unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        let nowhere = configured(Path::new("/nowhere/config.toml"), 1 << 20);
        assert!(nowhere.unwrap().is_none());
    }

    #[test]
    fn containers_run_while_their_process_does() {
        let directory = tempfile::tempdir().unwrap();
        let installation = Installation {
            root: directory.path().join("root"),
            state: directory.path().join("state"),
        };
        let path = installation.database();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, metadata()).unwrap();
        let container = &installation.metadata().unwrap().containers[0];
        assert_eq!(container.image, "docker.io/library/app:1");
        assert!(!installation.runs(container));
        let task = directory
            .path()
            .join("state/io.containerd.runtime.v2.task/k8s.io/c1");
        std::fs::create_dir_all(&task).unwrap();
        for (pid, expected) in [(std::process::id(), true), (u32::MAX, false)] {
            std::fs::write(task.join("init.pid"), pid.to_string()).unwrap();
            assert_eq!(installation.runs(container), expected, "{pid}");
        }
    }
}
