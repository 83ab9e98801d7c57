//! Images of podman, CRI-O and Buildah, read from their store on disk (containers/storage:
//! `containers-storage.conf(5)`, and the JSON files of its `images.go` and `layers.go`). Layers are
//! unpacked there, with what they remove marked as overlay file systems do.

use super::file::{read, read_if_there, read_toml};
use super::reference::Reference;
use crate::directory::Directory;
use crate::image::archive::{PlannedLayer, assemble, check_platform};
use crate::image::manifest::{
    Config, Descriptor, check_digest, parse, parse_json, parse_manifest, sha256,
};
use crate::image::{Blob, Image};
use crate::{Error, Options};
use base64::Engine as _;
use seawall_model::{Incomplete, IncompleteReason};
use serde::Deserialize;
use std::collections::HashMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// Drivers whose layers are directories of what each layer changes.
const OVERLAY: &str = "overlay";
/// The driver that copies all of the layers below into every layer.
const VFS: &str = "vfs";
const CONFIGURATIONS: &[&str] = &[
    "/etc/containers/storage.conf",
    "/usr/share/containers/storage.conf",
];
const SYSTEM_ROOT: &str = "/var/lib/containers/storage";
const SYSTEM_RUN: &str = "/run/containers/storage";

/// A store with one driver.
struct Storage {
    root: PathBuf,
    run: PathBuf,
    driver: &'static str,
    /// Bytes of one of its files.
    limit: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredImage {
    id: String,
    digest: Option<String>,
    names: Option<Vec<String>>,
    layer: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredLayer {
    id: String,
    parent: Option<String>,
    /// Digest of the uncompressed tar, computed when the layer was unpacked. That is not always
    /// compared with what the image's configuration says.
    #[serde(rename = "diff-digest")]
    diff_digest: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredContainer {
    id: String,
    image: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Configuration {
    storage: StorageTable,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StorageTable {
    graphroot: Option<PathBuf>,
    runroot: Option<PathBuf>,
    imagestore: Option<PathBuf>,
    options: OptionsTable,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OptionsTable {
    additionalimagestores: Vec<PathBuf>,
}

/// Opens an image by name, or by its id.
pub(super) fn open(text: &str, options: &Options) -> Result<Image, Error> {
    let storages = storages(options)?;
    if storages.is_empty() {
        return Err(Error::Usage {
            message: "there is no store of podman or CRI-O on this machine".to_owned(),
            hint: "name its configuration in CONTAINERS_STORAGE_CONF if it has another place"
                .to_owned(),
        });
    }
    for storage in &storages {
        if let Some(image) = find(storage.images()?, text) {
            return storage.open(&image, options);
        }
    }
    Err(Error::Usage {
        message: format!("podman has no image {text}"),
        hint: "'podman images' lists those it has; images of another user need that user, or root"
            .to_owned(),
    })
}

/// Ids of all images. `None` without a store.
pub(super) fn all_images(options: &Options) -> Result<Option<Vec<String>>, Error> {
    let storages = storages(options)?;
    let mut ids = Vec::new();
    for storage in &storages {
        let images = storage.images()?.into_iter();
        ids.extend(images.map(|image| format!("sha256:{}", image.id)));
    }
    Ok((!storages.is_empty()).then_some(ids))
}

/// Directories of the stores.
pub(super) fn stores(options: &Options) -> Result<Vec<PathBuf>, Error> {
    let storages = storages(options)?.into_iter();
    Ok(storages.map(|storage| storage.root).collect())
}

/// The directories that a `storage.conf` names for images, whatever their driver.
pub(super) fn configured_stores(configuration: &str) -> Vec<PathBuf> {
    let read: Configuration = toml::from_str(configuration).unwrap_or_default();
    let StorageTable {
        graphroot,
        imagestore,
        options,
        ..
    } = read.storage;
    let stores = graphroot.into_iter().chain(imagestore);
    stores.chain(options.additionalimagestores).collect()
}

/// Ids of the images of running containers. `None` without a store.
pub(super) fn running_images(options: &Options) -> Result<Option<Vec<String>>, Error> {
    let storages = storages(options)?;
    let mut ids = Vec::new();
    for storage in &storages {
        for container in storage.containers()? {
            let image = container.image.filter(|image| is_id(image));
            if is_id(&container.id) && storage.runs(&container.id) {
                ids.extend(image.map(|image| format!("sha256:{image}")));
            }
        }
    }
    Ok((!storages.is_empty()).then_some(ids))
}

fn find(images: Vec<StoredImage>, text: &str) -> Option<StoredImage> {
    let reference = Reference::parse(text);
    let local = Reference::parse(&format!("localhost/{text}"));
    let id = text.strip_prefix("sha256:").unwrap_or(text);
    let by_id = |image: &StoredImage| {
        image.id == id || (id.len() >= 12 && image.id.starts_with(id) && is_id(id))
    };
    let by_name = |image: &StoredImage| {
        let digest = reference.digest.is_some() && reference.digest == image.digest;
        image.names.iter().flatten().any(|name| {
            let stored = Reference::parse(name);
            reference.is_stored_as(name)
                || local.is_stored_as(name)
                || (digest
                    && stored.registry == reference.registry
                    && stored.repository == reference.repository)
        })
    };
    images
        .into_iter()
        .find(|image| is_id(&image.id) && (by_id(image) || by_name(image)))
}

/// Ids are names of directories.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The stores of the system and of the user, or the one that the environment names.
fn storages(options: &Options) -> Result<Vec<Storage>, Error> {
    let limit = options.limits.metadata_bytes;
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let mut places = Vec::new();
    if let Some(path) = set("CONTAINERS_STORAGE_CONF") {
        places.extend(configured(Path::new(&path), limit)?);
    } else {
        for path in CONFIGURATIONS {
            places.extend(configured(Path::new(path), limit)?);
        }
        places.push((SYSTEM_ROOT.into(), SYSTEM_RUN.into()));
        let home = set("HOME").map(PathBuf::from);
        let data = set("XDG_DATA_HOME").map(PathBuf::from);
        let config = set("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or_else(|| Some(home.as_ref()?.join(".config")));
        if let Some(config) = config {
            places.extend(configured(&config.join("containers/storage.conf"), limit)?);
        }
        if let Some(data) = data.or_else(|| Some(home?.join(".local/share"))) {
            let run =
                set("XDG_RUNTIME_DIR").map(|directory| Path::new(&directory).join("containers"));
            places.push((data.join("containers/storage"), run.unwrap_or_default()));
        }
    }
    places.sort();
    places.dedup_by(|a, b| a.0 == b.0);
    let mut storages = Vec::new();
    for (root, run) in places {
        for driver in [OVERLAY, VFS] {
            let storage = Storage {
                root: root.clone(),
                run: run.clone(),
                driver,
                limit,
            };
            match storage.file("images", "images.json").try_exists() {
                Ok(true) => storages.push(storage),
                Ok(false) => {}
                // The root of the system is closed to its users, who have stores of their own.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(source) => {
                    return Err(Error::Io {
                        place: root.display().to_string(),
                        source,
                    });
                }
            }
        }
    }
    Ok(storages)
}

/// The places that a configuration names.
fn configured(path: &Path, limit: u64) -> Result<Option<(PathBuf, PathBuf)>, Error> {
    let Some(Configuration { storage }) = read_toml(path, limit)? else {
        return Ok(None);
    };
    let run = storage.runroot.unwrap_or(SYSTEM_RUN.into());
    Ok(storage.graphroot.map(|root| (root, run)))
}

impl Storage {
    /// `overlay-images/images.json` and its like.
    fn file(&self, kind: &str, name: &str) -> PathBuf {
        self.root.join(format!("{}-{kind}", self.driver)).join(name)
    }

    fn images(&self) -> Result<Vec<StoredImage>, Error> {
        let path = self.file("images", "images.json");
        parse_json(&path.display().to_string(), &read(&path, self.limit)?)
    }

    fn containers(&self) -> Result<Vec<StoredContainer>, Error> {
        let path = self.file("containers", "containers.json");
        match read_if_there(&path, self.limit)? {
            Some(bytes) => parse_json(&path.display().to_string(), &bytes),
            None => Ok(Vec::new()),
        }
    }

    /// Whether a container has a process.
    fn runs(&self, id: &str) -> bool {
        let directory = format!("{}-containers", self.driver);
        let pid = self.run.join(directory).join(id).join("userdata/pidfile");
        super::has_process(&pid)
    }

    /// A file beside an image: a manifest or configuration. Names that are no plain words are kept
    /// in base64.
    fn big_data(&self, image: &StoredImage, name: &str) -> Result<Vec<u8>, Error> {
        let file = match name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            true => name.to_owned(),
            false => format!(
                "={}",
                base64::engine::general_purpose::STANDARD.encode(name)
            ),
        };
        read(&self.file("images", &image.id).join(file), self.limit)
    }

    /// The layers, from the base up.
    fn layers(&self, image: &StoredImage) -> Result<Vec<StoredLayer>, Error> {
        let path = self.file("layers", "layers.json");
        let place = path.display().to_string();
        let layers: Vec<StoredLayer> = parse_json(&place, &read(&path, self.limit)?)?;
        let mut layers: HashMap<String, StoredLayer> = layers
            .into_iter()
            .filter(|layer| is_id(&layer.id))
            .map(|layer| (layer.id.clone(), layer))
            .collect();
        let mut chain = Vec::new();
        let mut next = image.layer.clone().filter(|id| !id.is_empty());
        while let Some(id) = next {
            // Taken out, so that a chain that bites its tail ends.
            let layer = layers.remove(&id).ok_or_else(|| Error::Corrupt {
                place: place.clone(),
                offset: 0,
                message: format!("it does not have the layer {id}"),
            })?;
            next = layer.parent.clone().filter(|parent| !parent.is_empty());
            chain.push(layer);
        }
        chain.reverse();
        Ok(chain)
    }

    fn open(&self, image: &StoredImage, options: &Options) -> Result<Image, Error> {
        let place = format!("podman:{}", image.id);
        let manifest_bytes = self.big_data(image, "manifest")?;
        let manifest = parse_manifest(&format!("{place}!manifest"), &manifest_bytes)?;
        let config_digest = manifest.config.unwrap_or_default().digest;
        let config_place = format!("{place}!config {config_digest}");
        let bytes = self.big_data(image, &config_digest)?;
        let wrong = check_digest(&config_place, &config_digest, &bytes);
        let config: Config = parse(&config_place, &bytes)?;
        check_platform(&place, &config, options)?;
        let tags = image.names.iter().flatten();
        let tags = tags.filter(|name| !name.contains('@')).cloned().collect();
        // The store's own is that by which the image was pulled, mostly an index's.
        let mut digests = vec![sha256(&manifest_bytes), config_digest];
        digests.extend(image.digest.clone());
        let mut info = config.image_info(
            image.digest.clone().or_else(|| digests.first().cloned()),
            tags,
        );
        digests.retain(|digest| Some(digest) != info.digest.as_ref());
        info.other_digests = digests;
        let chain = self.layers(image)?;
        let mut descriptors = manifest.layers.into_iter();
        let planned = chain.iter().map(|layer| PlannedLayer {
            place: format!("{place}!layer {}", layer.id),
            file: layer.id.clone(),
            // What it was before it was unpacked.
            descriptor: Descriptor {
                media_type: String::new(),
                ..descriptors.next().unwrap_or_default()
            },
        });
        let planned = planned.collect();
        let sound = wrong.is_none();
        let incomplete = wrong.into_iter().collect();
        let plan = assemble(
            &place,
            info,
            Some(&config),
            planned,
            incomplete,
            &options.limits,
        );
        let mut image = plan.image;
        image.sound &= sound;
        let mut below = None;
        for (layer, stored) in image.layers.iter_mut().zip(&chain) {
            let id = stored.id.as_str();
            layer.blob = match self.layer(id, below) {
                Ok(directory) => Blob::Directory {
                    directory,
                    diff_id: stored.diff_digest.clone(),
                },
                Err(error) => Blob::Missing(Box::new(self.unread(&layer.place, &error))),
            };
            below = Some(id);
        }
        Ok(image)
    }

    /// The directory of a layer; with the one below it, where a layer repeats that.
    fn layer(&self, id: &str, below: Option<&str>) -> Result<Directory, Error> {
        match self.driver {
            VFS => {
                let path = |id: &str| self.root.join("vfs/dir").join(id);
                match below {
                    Some(below) => Directory::open_change(&path(id), &path(below)),
                    None => Directory::open(&path(id)),
                }
            }
            _ => {
                let layer = self.root.join(OVERLAY).join(id);
                if layer.join("composefs-data").exists() {
                    return Err(Error::Unsupported {
                        place: layer.display().to_string(),
                        message: "layers of composefs are not read".to_owned(),
                    });
                }
                Directory::open_layer(&layer.join("diff"))
            }
        }
    }

    fn unread(&self, place: &str, error: &Error) -> Incomplete {
        let reason = error.to_incomplete();
        let mut unread = Incomplete::new(reason.reason, place, reason.message);
        if reason.reason == IncompleteReason::Unreadable {
            unread = unread.hint("run as the user whose images these are, with 'podman unshare'");
        }
        unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::image::manifest::sha256;
    use crate::layer::read_layer;
    use crate::read::Context;
    use crate::{EntryKind, Limits, Progress};

    struct Silent;

    impl Progress for Silent {
        fn total(&self, _bytes: u64) {}
        fn advance(&self, _bytes: u64) {}
    }

    #[derive(Default)]
    struct Paths(Vec<String>);

    impl crate::LayerVisitor for Paths {
        fn visit(&mut self, entry: &mut dyn crate::Entry) -> Result<(), Error> {
            let kind = match entry.kind() {
                EntryKind::Directory => return Ok(()),
                EntryKind::Whiteout => "whiteout",
                EntryKind::OpaqueDirectory => "opaque",
                _ => "file",
            };
            self.0.push(format!("{kind} {}", entry.path()));
            Ok(())
        }
    }

    /// A store of one image of two layers, their directories still empty.
    fn store(driver: &'static str) -> (tempfile::TempDir, Storage) {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage {
            root: directory.path().join("root"),
            run: directory.path().join("run"),
            driver,
            limit: Limits::default().metadata_bytes,
        };
        let config = r#"{"os":"linux","architecture":"amd64",
            "rootfs":{"diff_ids":["sha256:d1","sha256:d2"]}}"#;
        let config_digest = sha256(config.as_bytes());
        let manifest = format!(
            r#"{{"config":{{"digest":"{config_digest}"}},"layers":[{{"size":1}},{{"size":2}}]}}"#
        );
        let write = |kind: &str, name: &str, text: &str| {
            let path = storage.file(kind, name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "images",
            "images.json",
            r#"[{"id":"aabbccddeeff00","digest":"sha256:m","layer":"two",
                "names":["docker.io/library/app:1","localhost/own:2"]},
               {"id":"../bad","names":["docker.io/library/bad:1"]}]"#,
        );
        write(
            "layers",
            "layers.json",
            r#"[{"id":"one","diff-digest":"sha256:d1"},{"id":"two","parent":"one"},
               {"id":"tail","parent":"tail"}]"#,
        );
        write(
            "containers",
            "containers.json",
            r#"[{"id":"c1","image":"aabbccddeeff00"},{"id":"../c2","image":"aabbccddeeff00"}]"#,
        );
        write("images", "aabbccddeeff00/manifest", &manifest);
        let name = base64::engine::general_purpose::STANDARD.encode(&config_digest);
        write("images", &format!("aabbccddeeff00/={name}"), config);
        (directory, storage)
    }

    /// `podman pull` takes any configuration for layers that are what the manifest says.
    #[test]
    fn a_layer_of_podman_passed_for_the_one_that_the_configuration_names() {
        let (_directory, storage) = store(VFS);
        for id in ["one", "two"] {
            files(&storage.root.join("vfs/dir").join(id), &["etc/a"]);
        }
        let read = |second: &str| {
            let layers = format!(
                r#"[{{"id":"one","diff-digest":"sha256:d1"}},{{"id":"two","parent":"one"{second}}}]"#
            );
            std::fs::write(storage.file("layers", "layers.json"), layers).unwrap();
            let image = find(storage.images().unwrap(), "app:1").unwrap();
            let image = storage.open(&image, &Options::default()).unwrap();
            let artifact = crate::Artifact::of_image(image);
            let read = artifact.read(&Paths::default, &Silent).unwrap();
            let verified: Vec<bool> = read.layers.iter().map(|it| it.verified).collect();
            (verified, read.incomplete.len())
        };
        assert_eq!(read(r#","diff-digest":"sha256:d2""#), (vec![true, true], 0));
        assert_eq!(
            read(r#","diff-digest":"sha256:d3""#),
            (vec![true, false], 1)
        );
        assert_eq!(read(""), (vec![true, false], 0));
    }

    fn files(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
    }

    fn read(storage: &Storage) -> (Vec<Vec<String>>, Vec<Incomplete>) {
        let image = find(storage.images().unwrap(), "app:1").unwrap();
        let image = storage.open(&image, &Options::default()).unwrap();
        let limits = Limits::default();
        let context = Context {
            budget: Budget::new(limits.held_bytes),
            tally: std::sync::Arc::default(),
            limits: &limits,
            progress: &Silent,
        };
        let mut incomplete = image.incomplete;
        let layers = image.layers.iter().map(|layer| {
            let mut paths = Paths::default();
            incomplete.extend(read_layer(layer, false, &mut paths, &context).incomplete);
            paths.0
        });
        (layers.collect(), incomplete)
    }

    #[test]
    fn layers_of_overlay_say_what_they_remove() {
        let (_directory, storage) = store(OVERLAY);
        let diff = |id: &str| storage.root.join("overlay").join(id).join("diff");
        files(&diff("one"), &["etc/old", "opt/hidden"]);
        files(
            &diff("two"),
            &["etc/.wh.old", "opt/.wh..wh..opq", "opt/new", "var/x"],
        );
        let mut expected = vec![
            "whiteout etc/old",
            "opaque opt",
            "file opt/new",
            "file var/x",
        ];
        let set = |name: &str, path: &str| {
            let path = diff("two").join(path);
            rustix::fs::lsetxattr(path, name, b"y", rustix::fs::XattrFlags::empty()).is_ok()
        };
        std::fs::write(diff("two").join("var/gone"), "").unwrap();
        // Not every file system has these attributes.
        if set("user.overlay.opaque", "var") && set("user.overlay.whiteout", "var/gone") {
            expected.insert(3, "whiteout var/gone");
            expected.insert(0, "opaque var");
        } else {
            expected.insert(3, "file var/gone");
        }
        let (layers, incomplete) = read(&storage);
        assert_eq!(incomplete, []);
        assert_eq!(layers[0], ["file etc/old", "file opt/hidden"]);
        assert_eq!(layers[1], expected);
    }

    #[test]
    fn a_directory_with_the_name_of_a_whiteout_removed_a_file() {
        let (_directory, storage) = store(OVERLAY);
        let diff = |id: &str| storage.root.join("overlay").join(id).join("diff");
        files(&diff("one"), &["etc/kept"]);
        files(&diff("two"), &["etc/.wh.kept/a"]);
        let (layers, incomplete) = read(&storage);
        assert_eq!(incomplete, []);
        assert_eq!(layers[1], ["file etc/.wh.kept/a"]);
    }

    #[test]
    fn layers_of_vfs_are_what_they_change() {
        let (_directory, storage) = store(VFS);
        let layer = |id: &str| storage.root.join("vfs/dir").join(id);
        files(
            &layer("one"),
            &["etc/same", "etc/changed", "etc/old", "opt/hidden"],
        );
        files(&layer("two"), &["etc/same", "etc/changed", "etc/new"]);
        // Of the same length, and of the same time where a build sets all times.
        std::fs::write(layer("two").join("etc/changed"), "etc/ch4nged").unwrap();
        let (layers, incomplete) = read(&storage);
        assert_eq!(incomplete, []);
        assert_eq!(layers[0].len(), 4);
        assert_eq!(
            layers[1],
            [
                "whiteout opt",
                "whiteout etc/old",
                "file etc/changed",
                "file etc/new"
            ]
        );
    }

    #[test]
    fn a_layer_of_podman_that_was_not_read_in_full_passed_for_the_whole() {
        let (_directory, storage) = store(OVERLAY);
        for id in ["one", "two"] {
            files(&storage.root.join("overlay").join(id).join("diff"), &["a"]);
        }
        let image = find(storage.images().unwrap(), "app:1").unwrap();
        let image = storage.open(&image, &Options::default()).unwrap();
        for (entries, expected) in [(2, true), (0, false)] {
            let limits = Limits {
                entries,
                layers: 1,
                ..Limits::default()
            };
            let context = Context {
                budget: Budget::new(limits.held_bytes),
                tally: std::sync::Arc::default(),
                limits: &limits,
                progress: &Silent,
            };
            let layer = image.layers.first().unwrap();
            let outcome = read_layer(layer, false, &mut Paths::default(), &context);
            assert_eq!(outcome.whole, expected, "{:?}", outcome.incomplete);
        }
    }

    #[test]
    fn names_and_ids() {
        let (_directory, storage) = store(OVERLAY);
        for (text, expected) in [
            ("app:1", true),
            ("docker.io/library/app:1", true),
            ("own:2", true),
            ("localhost/own:2", true),
            ("aabbccddeeff00", true),
            ("sha256:aabbccddeeff00", true),
            ("aabbccddeeff", true),
            ("docker.io/library/app@sha256:m", true),
            ("aabbcc", false),
            ("app", false),
            ("bad:1", false),
        ] {
            let found = find(storage.images().unwrap(), text);
            assert_eq!(found.is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_layer_that_is_missing_is_told_and_the_other_read() {
        let (_directory, storage) = store(OVERLAY);
        files(&storage.root.join("overlay/one/diff"), &["etc/old"]);
        std::fs::create_dir_all(storage.root.join("overlay/two/composefs-data")).unwrap();
        let (layers, incomplete) = read(&storage);
        assert_eq!(layers[0], ["file etc/old"]);
        assert_eq!(incomplete.len(), 1);
        assert_eq!(incomplete[0].reason, IncompleteReason::Unsupported);
        // Chains that do not end are errors.
        for layer in ["tail", "none"] {
            let image = StoredImage {
                layer: Some(layer.to_owned()),
                ..StoredImage::default()
            };
            assert!(storage.layers(&image).is_err(), "{layer}");
        }
    }

    #[test]
    fn containers_run_while_their_process_does() {
        let (_directory, storage) = store(OVERLAY);
        assert_eq!(storage.containers().unwrap().len(), 2);
        assert!(!storage.runs("c1"));
        let data = storage.run.join("overlay-containers/c1/userdata");
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("pidfile"), std::process::id().to_string()).unwrap();
        assert!(storage.runs("c1"));
    }

    #[test]
    fn a_configuration_names_the_places() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let limit = 1 << 20;
        std::fs::write(
            file.path(),
            "[storage]\ndriver='overlay'\ngraphroot='/a'\nrunroot='/b'\n",
        )
        .unwrap();
        let places = configured(file.path(), limit).unwrap();
        assert_eq!(places, Some(("/a".into(), "/b".into())));
        std::fs::write(file.path(), "[storage]\n").unwrap();
        assert_eq!(configured(file.path(), limit).unwrap(), None);
        assert_eq!(
            configured(Path::new("/nowhere/storage.conf"), limit).unwrap(),
            None
        );
        std::fs::write(file.path(), "[storage").unwrap();
        assert!(configured(file.path(), limit).is_err());
    }
}
