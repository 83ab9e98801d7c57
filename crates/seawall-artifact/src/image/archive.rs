//! Images in files: `docker save` archives and OCI layouts, in a tar file, a directory, or passing
//! as a stream.

use super::manifest::{
    Config, Descriptor, Manifest, SavedImage, SavedImages, check_digest, parse, sha256,
};
use super::platform::Platform;
use super::resume::{Members, read_members};
use super::salvage::salvage;
use super::{Blob, Image, Layer};
use crate::beneath::Root;
use crate::layer::missing;
use crate::path::{normalize, split};
use crate::tar::{Kind, Reader, Seekable};
use crate::{Content, Error, Limits, Options};
use seawall_model::{Incomplete, IncompleteReason};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The most files that an archive of images may have: a layer makes one to four of them.
const MAX_FILES: usize = 100_000;
/// Symbolic links between the files of an archive that are followed.
const MAX_HOPS: usize = 8;
/// Indexes in indexes.
const MAX_DEPTH: usize = 4;
/// Images in all indexes together.
const MAX_IMAGES: usize = 10_000;

/// The files of an archive or layout, by name.
#[derive(Debug)]
pub(crate) struct Files {
    place: String,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Archive(HashMap<String, Member>),
    Directory(Root),
}

#[derive(Debug, Clone)]
pub(crate) enum Member {
    File(Content),
    /// Has passed already, or will: only the name is known.
    Passed,
    /// Another name for a file.
    Link(String),
}

impl Files {
    /// Lists an uncompressed tar file by its headers.
    pub(crate) fn in_archive(
        place: &str,
        content: Content,
    ) -> Result<(Self, Option<Error>), Error> {
        let mut reader = Reader::new(Seekable::new(content), place);
        let (members, damage): (HashMap<String, Member>, _) =
            read_members(&mut reader, &mut |reader, members| {
                if members.len() == MAX_FILES {
                    return Err(Error::Limit {
                        place: place.to_owned(),
                        limit: format!("{MAX_FILES} files in an image archive"),
                    });
                }
                let name = normalize(&reader.member().path);
                let member = match reader.member().kind {
                    // A file that is cut off is the last one, and what there is of it is read.
                    Kind::File => Member::File(reader.available()),
                    Kind::Symlink => Member::link(&name, &reader.member().link),
                    Kind::HardLink => Member::Link(normalize(&reader.member().link)),
                    Kind::Directory | Kind::Other => return Ok(()),
                };
                members.insert(name, member);
                Ok(())
            });
        match damage {
            Some(damage @ Error::Limit { .. }) => Err(damage),
            damage => Ok((Self::from_members(place, members), damage)),
        }
    }

    pub(crate) fn from_members(place: &str, members: HashMap<String, Member>) -> Self {
        Self {
            place: place.to_owned(),
            store: Store::Archive(members),
        }
    }

    pub(crate) fn in_directory(place: &str, path: &Path) -> Result<Self, Error> {
        let root = Root::open(path).map_err(|source| Error::Io {
            place: place.to_owned(),
            source,
        })?;
        Ok(Self {
            place: place.to_owned(),
            store: Store::Directory(root),
        })
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_ok_and(|found| found.is_some())
    }

    /// Whether there is a file of this name, also one that has passed.
    fn knows(&self, name: &str) -> bool {
        match &self.store {
            Store::Archive(members) => members.contains_key(&self.resolve(name)),
            Store::Directory(_) => self.contains(name),
        }
    }

    /// The name of the file itself, where `name` may be a link in the archive.
    pub(crate) fn resolve(&self, name: &str) -> String {
        let mut name = normalize(name.as_bytes());
        if let Store::Archive(members) = &self.store {
            for _ in 0..MAX_HOPS {
                match members.get(&name) {
                    Some(Member::Link(target)) => name.clone_from(target),
                    _ => break,
                }
            }
        }
        name
    }

    /// A file's content. `None` if there is no such file.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Content>, Error> {
        let name = self.resolve(name);
        match &self.store {
            Store::Archive(members) => Ok(match members.get(&name) {
                Some(Member::File(content)) => Some(content.clone()),
                _ => None,
            }),
            Store::Directory(root) => {
                let place = || format!("{}/{name}", self.place);
                let opened = root.file(Path::new(&name)).and_then(|file| {
                    let len = file.metadata()?.len();
                    Ok(Content::from_range(Arc::new(file), 0, len))
                });
                match opened {
                    Ok(content) => Ok(Some(content)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(Error::Io {
                        place: place(),
                        source,
                    }),
                }
            }
        }
    }

    /// For messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The names of all files of an archive.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.store {
            Store::Archive(members) => members.keys().map(String::as_str).collect(),
            Store::Directory(_) => Vec::new(),
        };
        names.sort_unstable();
        names
    }

    /// All of a small file.
    pub(super) fn metadata(&self, name: &str, limits: &Limits) -> Result<Option<Arc<[u8]>>, Error> {
        let Some(content) = self.get(name)? else {
            return Ok(None);
        };
        let place = format!("{}!{name}", self.place);
        if content.len() > limits.metadata_bytes {
            return Err(Error::Limit {
                place,
                limit: format!("{} bytes of metadata", limits.metadata_bytes),
            });
        }
        match content.read_all() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(Error::from_io(&place, content.len(), error)),
        }
    }

    fn required(&self, name: &str, limits: &Limits) -> Result<Arc<[u8]>, Error> {
        if let Some(bytes) = self.metadata(name, limits)? {
            return Ok(bytes);
        }
        let found = match &self.store {
            Store::Archive(members) => members.get(&self.resolve(name)),
            Store::Directory(_) => None,
        };
        Err(match found {
            Some(Member::Passed) => Error::Unsupported {
                place: format!("{}!{name}", self.place),
                message: format!(
                    "it is no JSON, or has more than {} bytes of metadata",
                    limits.metadata_bytes
                ),
            },
            _ => Error::Corrupt {
                place: self.place.clone(),
                offset: 0,
                message: format!("there is no {name} in it"),
            },
        })
    }

    fn blob_name(&self, digest: &str) -> Result<String, Error> {
        let name = digest
            .split_once(':')
            .filter(|(algorithm, hex)| {
                let plain = |text: &str| {
                    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
                };
                plain(algorithm) && plain(hex)
            })
            .map(|(algorithm, hex)| format!("blobs/{algorithm}/{hex}"));
        name.ok_or_else(|| Error::Corrupt {
            place: self.place.clone(),
            offset: 0,
            message: format!("'{digest}' is not a digest"),
        })
    }
}

impl Members for HashMap<String, Member> {
    fn have_manifest(&self) -> bool {
        self.contains_key("manifest.json") || self.contains_key("index.json")
    }

    fn add_behind(&mut self, part: Self) {
        for (name, member) in part {
            self.entry(name).or_insert(member);
        }
    }
}

impl Member {
    /// A symbolic link from one member to another, as `docker save` before 25 used for layers that
    /// occur twice.
    pub(crate) fn link(name: &str, target: &[u8]) -> Self {
        let mut path = split(name).0.as_bytes().to_vec();
        path.push(b'/');
        path.extend_from_slice(target);
        Self::Link(normalize(&path))
    }
}

/// An image's metadata with the names of its layers' files.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) image: Image,
    /// File of each layer of `image`, in the same order; `None` for layers that are not read.
    pub(crate) files: Vec<Option<String>>,
}

impl Plan {
    /// The image, with those of its layers that are among `files`.
    pub(crate) fn open(self, files: &Files) -> Image {
        let Self {
            mut image,
            files: names,
        } = self;
        for (layer, name) in image.layers.iter_mut().zip(names) {
            match name.map(|name| files.get(&name)) {
                Some(Ok(Some(content))) => {
                    layer.size = Some(content.len());
                    layer.blob = Blob::Content(content);
                }
                Some(Err(error)) => layer.blob = Blob::Missing(Box::new(error.to_incomplete())),
                Some(Ok(None)) | None => {}
            }
        }
        image
    }
}

/// Finds the image in an archive or layout, its layers' blobs not looked for yet. `reference`
/// chooses between several. `damage` is what ended the reading of the archive.
pub(crate) fn plan(
    files: &Files,
    reference: Option<&str>,
    damage: Option<Error>,
    options: &Options,
) -> Result<Plan, Error> {
    let planned = plan_whole(files, reference, damage.is_some(), options);
    let damage = match (planned, damage) {
        (Ok(mut plan), damage) => {
            let damage = damage.map(|error| error.to_incomplete());
            plan.image.incomplete.extend(damage);
            return Ok(plan);
        }
        (Err(error), None) => return Err(error),
        // The damage is why there is no manifest.
        (Err(_), Some(damage)) => damage,
    };
    let offset = match &damage {
        Error::Corrupt { offset, .. } | Error::Truncated { offset, .. } => Some(*offset),
        _ => None,
    };
    if offset.is_some_and(|offset| offset < 512) && files.names().is_empty() {
        return Err(Error::Unsupported {
            place: files.place.clone(),
            message: "it is no image: it does not begin like an archive".to_owned(),
        });
    }
    salvage(files, options, damage)
}

/// `damaged` says that files may be missing which were there.
fn plan_whole(
    files: &Files,
    reference: Option<&str>,
    damaged: bool,
    options: &Options,
) -> Result<Plan, Error> {
    if files.knows("manifest.json") {
        return plan_saved(files, reference, damaged, options);
    }
    if files.knows("index.json") {
        return plan_layout(files, reference, damaged, options);
    }
    if files.contains("repositories") {
        return Err(Error::Unsupported {
            place: files.place.clone(),
            message: "it was saved by Docker before 1.10, without manifest.json; load it into a \
                      newer Docker and save it again"
                .to_owned(),
        });
    }
    Err(Error::Unsupported {
        place: files.place.clone(),
        message: "it is no image: there is neither manifest.json nor index.json in it".to_owned(),
    })
}

/// A configuration, and the bytes that it was read from; without any it is an empty one.
type ReadConfig = (Config, Option<Arc<[u8]>>);

/// The configuration of that name with its bytes. Where it fell victim to damage, the manifest still
/// tells the layers and their order.
fn read_config(
    files: &Files,
    name: &str,
    damaged: bool,
    limits: &Limits,
) -> Result<ReadConfig, Error> {
    if damaged && files.metadata(name, limits)?.is_none() {
        return Ok((Config::default(), None));
    }
    let bytes = files.required(name, limits)?;
    let config = parse(&format!("{}!{name}", files.place), &bytes)?;
    Ok((config, Some(bytes)))
}

fn plan_saved(
    files: &Files,
    reference: Option<&str>,
    damaged: bool,
    options: &Options,
) -> Result<Plan, Error> {
    let limits = &options.limits;
    let bytes = files.required("manifest.json", limits)?;
    let place = format!("{}!manifest.json", files.place);
    let images = parse::<SavedImages>(&place, &bytes)?.images;
    let named = |image: &&SavedImage| match reference {
        Some(reference) => image.repo_tags.iter().any(|tag| is_named(tag, reference)),
        None => true,
    };
    let mut found = images.iter().filter(named);
    let (Some(image), None) = (found.next(), found.next()) else {
        let tags = images.iter().flat_map(|image| image.repo_tags.clone());
        return Err(ambiguous(&files.place, tags.collect(), reference));
    };
    let (config, config_bytes) = read_config(files, &image.config, damaged, limits)?;
    check_platform(&files.place, &config, options)?;
    let digest = config_bytes.as_deref().map(sha256);
    let info = config.image_info(digest, image.repo_tags.clone());
    let layers = image.layers.iter().map(|name| PlannedLayer {
        place: format!("{}!{name}", files.place),
        file: files.resolve(name),
        descriptor: Descriptor {
            digest: digest_of_file(name).unwrap_or_default(),
            ..Descriptor::default()
        },
    });
    let config = config_bytes.is_some().then_some(&config);
    Ok(assemble(
        &files.place,
        info,
        config,
        layers.collect(),
        Vec::new(),
        limits,
    ))
}

/// The digest by which a file of a layout is named; `docker save` writes such files since 25.
pub(crate) fn digest_of_file(name: &str) -> Option<String> {
    let hex = name.strip_prefix("blobs/sha256/")?;
    Some(format!("sha256:{hex}"))
}

/// A manifest that an index names, directly or through other indexes.
struct Leaf {
    descriptor: Descriptor,
    name: Option<String>,
}

fn plan_layout(
    files: &Files,
    reference: Option<&str>,
    damaged: bool,
    options: &Options,
) -> Result<Plan, Error> {
    let limits = &options.limits;
    let bytes = files.required("index.json", limits)?;
    let index: Manifest = parse(&format!("{}!index.json", files.place), &bytes)?;
    let mut incomplete = Vec::new();
    let mut leaves = Vec::new();
    let names: Vec<String> = index.manifests.iter().filter_map(name_of).collect();
    for descriptor in index.manifests {
        let name = name_of(&descriptor);
        if reference.is_none_or(|wanted| name.as_deref().is_some_and(|name| is_named(name, wanted)))
        {
            collect_leaves(
                files,
                descriptor,
                name.as_deref(),
                0,
                limits,
                &mut leaves,
                &mut incomplete,
            );
        }
    }
    if let (true, Some(reference)) = (leaves.is_empty() && incomplete.is_empty(), reference) {
        return Err(ambiguous(&files.place, names, Some(reference)));
    }
    let leaf = choose(files, &leaves, reference, options, &incomplete)?;
    let digest = leaf.descriptor.digest.clone();
    let tags = leaf.name.clone().into_iter().collect();
    plan_manifest(files, digest, tags, incomplete, damaged, options)
}

/// The image of a manifest among the blobs.
pub(super) fn plan_manifest(
    files: &Files,
    digest: String,
    tags: Vec<String>,
    mut incomplete: Vec<Incomplete>,
    damaged: bool,
    options: &Options,
) -> Result<Plan, Error> {
    let limits = &options.limits;
    let manifest_name = files.blob_name(&digest)?;
    let bytes = files.required(&manifest_name, limits)?;
    let place = format!("{}!{manifest_name}", files.place);
    let mut wrong = Vec::from_iter(check_digest(&place, &digest, &bytes));
    let manifest: Manifest = parse(&place, &bytes)?;
    let config_digest = manifest.config.unwrap_or_default().digest;
    let config_name = files.blob_name(&config_digest)?;
    let (config, config_bytes) = read_config(files, &config_name, damaged, limits)?;
    if let Some(bytes) = &config_bytes {
        let place = format!("{}!{config_name}", files.place);
        wrong.extend(check_digest(&place, &config_digest, bytes));
    }
    check_platform(&files.place, &config, options)?;
    // An image whose metadata is not what the digest names is another one.
    let digest = Some(digest).filter(|_| wrong.is_empty());
    incomplete.extend(wrong);
    let info = config.image_info(digest, tags);
    let mut layers = Vec::new();
    for descriptor in manifest.layers {
        layers.push(PlannedLayer {
            place: format!("layer {}", descriptor.digest),
            file: files.blob_name(&descriptor.digest)?,
            descriptor,
        });
    }
    let config = config_bytes.is_some().then_some(&config);
    Ok(assemble(
        &files.place,
        info,
        config,
        layers,
        incomplete,
        limits,
    ))
}

fn collect_leaves(
    files: &Files,
    descriptor: Descriptor,
    name: Option<&str>,
    depth: usize,
    limits: &Limits,
    leaves: &mut Vec<Leaf>,
    incomplete: &mut Vec<Incomplete>,
) {
    let is_index = descriptor.media_type == "application/vnd.oci.image.index.v1+json"
        || descriptor.media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
    if !is_index {
        if descriptor.is_image() && leaves.len() < MAX_IMAGES {
            leaves.push(Leaf {
                descriptor,
                name: name.map(str::to_owned),
            });
        }
        return;
    }
    let place = format!("{}!index {}", files.place, descriptor.digest);
    // Indexes are named by their digests and so cannot lead back to themselves, unless they lie.
    if depth == MAX_DEPTH || leaves.len() >= MAX_IMAGES {
        incomplete.push(Incomplete::new(
            IncompleteReason::LimitReached,
            place,
            format!("more than {MAX_DEPTH} indexes in each other or {MAX_IMAGES} images"),
        ));
        return;
    }
    let index = files
        .blob_name(&descriptor.digest)
        .and_then(|name| files.required(&name, limits))
        .and_then(|bytes| {
            incomplete.extend(check_digest(&place, &descriptor.digest, &bytes));
            parse::<Manifest>(&place, &bytes)
        });
    match index {
        Ok(index) => {
            for inner in index.manifests {
                if leaves.len() >= MAX_IMAGES || incomplete.len() >= MAX_IMAGES {
                    break;
                }
                collect_leaves(files, inner, name, depth + 1, limits, leaves, incomplete);
            }
        }
        Err(error) => incomplete.push(error.to_incomplete()),
    }
}

/// Chooses by platform.
fn choose<'a>(
    files: &Files,
    leaves: &'a [Leaf],
    reference: Option<&str>,
    options: &Options,
    incomplete: &[Incomplete],
) -> Result<&'a Leaf, Error> {
    let asked = options
        .platform
        .as_deref()
        .map(Platform::parse)
        .transpose()?;
    let platforms: HashSet<String> = leaves
        .iter()
        .filter_map(|leaf| Some(leaf.descriptor.platform.clone()?.normalized().to_string()))
        .collect();
    let digests: HashSet<&str> = leaves
        .iter()
        .map(|leaf| leaf.descriptor.digest.as_str())
        .collect();
    if let ([leaf, ..], 1, None) = (leaves, digests.len(), &asked) {
        return Ok(leaf);
    }
    let wanted = asked.unwrap_or_else(Platform::of_this_machine);
    let distance = |leaf: &Leaf| match &leaf.descriptor.platform {
        Some(offered) => wanted.distance(offered),
        None => Some(u32::MAX),
    };
    let Some(best) = leaves.iter().filter_map(distance).min() else {
        if let (true, Some(first)) = (leaves.is_empty(), incomplete.first()) {
            return Err(Error::Corrupt {
                place: first.place.clone(),
                offset: 0,
                message: first.message.clone(),
            });
        }
        return Err(match leaves.is_empty() {
            true => ambiguous(&files.place, Vec::new(), reference),
            false => no_platform(&files.place, &wanted, platforms),
        });
    };
    let found: Vec<&Leaf> = leaves
        .iter()
        .filter(|leaf| distance(leaf) == Some(best))
        .collect();
    let digests: HashSet<&str> = found
        .iter()
        .map(|leaf| leaf.descriptor.digest.as_str())
        .collect();
    match (found.first(), digests.len()) {
        (Some(leaf), 1) => Ok(leaf),
        _ => {
            let names = leaves.iter().filter_map(|leaf| leaf.name.clone());
            Err(ambiguous(&files.place, names.collect(), reference))
        }
    }
}

/// The error for an image that does not come for the platform.
pub(crate) fn no_platform(
    place: &str,
    wanted: &Platform,
    platforms: impl IntoIterator<Item = String>,
) -> Error {
    let mut platforms: Vec<String> = platforms.into_iter().collect();
    platforms.sort();
    Error::Usage {
        message: format!("{place} has no image for {wanted}"),
        hint: format!("choose one with --platform: {}", platforms.join(", ")),
    }
}

/// An image that comes for one platform only is read whatever it is, unless another was asked for.
pub(crate) fn check_platform(place: &str, config: &Config, options: &Options) -> Result<(), Error> {
    let (Some(asked), Some(offered)) = (&options.platform, config.platform()) else {
        return Ok(());
    };
    let asked = Platform::parse(asked)?;
    match asked.distance(&offered) {
        Some(_) => Ok(()),
        None => Err(no_platform(place, &asked, [offered.to_string()])),
    }
}

fn ambiguous(place: &str, mut names: Vec<String>, reference: Option<&str>) -> Error {
    names.sort();
    names.dedup();
    let message = match (reference, names.len()) {
        (Some(reference), 0) => format!("{place} holds no image of the name '{reference}'"),
        (None, 0) => format!("{place} holds no image"),
        (Some(reference), _) => format!("{place} does not hold exactly one image '{reference}'"),
        (None, _) => format!("{place} holds several images"),
    };
    let hint = match names.first() {
        Some(first) => format!(
            "add the name of one, like {place}:{first}; there are: {}",
            names.join(", ")
        ),
        None => "save the image again by its name, not by its identifier".to_owned(),
    };
    Error::Usage { message, hint }
}

fn name_of(descriptor: &Descriptor) -> Option<String> {
    [
        "io.containerd.image.name",
        "org.opencontainers.image.ref.name",
    ]
    .iter()
    .find_map(|key| descriptor.annotations.get(*key))
    .cloned()
}

/// Whether an image's full name is meant by what the user wrote, which may leave out the registry
/// of Docker's hub and the tag `latest`.
fn is_named(name: &str, wanted: &str) -> bool {
    let short = |text: &str| {
        let text = text.strip_prefix("docker.io/").unwrap_or(text);
        let text = text.strip_prefix("library/").unwrap_or(text);
        match split(text).1.contains(':') {
            true => text.to_owned(),
            false => format!("{text}:latest"),
        }
    };
    name == wanted || short(name) == short(wanted)
}

/// A layer as the manifest has it.
pub(crate) struct PlannedLayer {
    /// For messages.
    pub(crate) place: String,
    /// Its file in the archive.
    pub(crate) file: String,
    /// Empty in `docker save` archives.
    pub(crate) descriptor: Descriptor,
}

/// Brings manifest and configuration together. `config` is `None` where it is lost.
pub(crate) fn assemble(
    place: &str,
    info: crate::ImageInfo,
    config: Option<&Config>,
    mut planned: Vec<PlannedLayer>,
    mut incomplete: Vec<Incomplete>,
    limits: &Limits,
) -> Plan {
    let diff_ids = config.map(Config::diff_ids).unwrap_or_default();
    if config.is_some() && diff_ids.len() != planned.len() {
        incomplete.push(Incomplete::new(
            IncompleteReason::Corrupt,
            place,
            format!(
                "the configuration has {} layers, the manifest {}",
                diff_ids.len(),
                planned.len()
            ),
        ));
    }
    let most = limits.layers as usize;
    if planned.len() > most {
        incomplete.push(Incomplete::new(
            IncompleteReason::LimitReached,
            place,
            format!("{} layers exceed the limit of {most} layers", planned.len()),
        ));
        planned.truncate(most);
    }
    let mut instructions = config.into_iter().flat_map(Config::instructions);
    let mut files = Vec::with_capacity(planned.len());
    let mut layers = Vec::with_capacity(planned.len());
    for (index, layer) in planned.into_iter().enumerate() {
        let descriptor = &layer.descriptor;
        let mut file = Some(layer.file);
        let why = if let Some(message) = descriptor.unsupported_layer() {
            file = None;
            Incomplete::new(IncompleteReason::Unsupported, &layer.place, message)
        } else if descriptor.is_foreign() {
            Incomplete::new(
                IncompleteReason::Unsupported,
                &layer.place,
                "a foreign layer, which is not part of the image",
            )
        } else {
            missing(
                &layer.place,
                "the manifest names it, but it is not in the archive",
            )
        };
        layers.push(Layer {
            digest: Some(descriptor.digest.clone()).filter(|digest| !digest.is_empty()),
            diff_id: diff_ids.get(index).cloned(),
            size: descriptor.size,
            created_by: instructions.next().map(str::to_owned),
            blob: Blob::Missing(Box::new(why)),
            place: layer.place,
        });
        files.push(file);
    }
    Plan {
        image: Image {
            info,
            layers,
            incomplete,
        },
        files,
    }
}
