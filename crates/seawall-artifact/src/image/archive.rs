//! Images in files: `docker save` archives and OCI layouts, in a tar file, a directory, or passing
//! as a stream.

use super::files::Files;
use super::manifest::{
    Config, Descriptor, RIVALS, SavedImage, SavedImages, check_digest, parse, parse_manifest,
    sha256,
};
use super::platform::Platform;
use super::salvage::salvage;
use super::{Blob, Image, Layer};
use crate::layer::missing;
use crate::path::split;
use crate::{Error, Limits, Options};
use seawall_model::{Incomplete, IncompleteReason};
use std::collections::HashSet;
use std::sync::Arc;

/// Indexes in indexes.
const MAX_DEPTH: usize = 4;
/// Images in all indexes together.
const MAX_IMAGES: usize = 10_000;

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
            if let Some(message) = files.doubt() {
                plan.image.doubt(files.place(), message);
            }
            plan.image.sound &= damage.is_none();
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
            place: files.place().to_owned(),
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
        let mut plan = plan_saved(files, reference, damaged, options)?;
        if files.knows("index.json") {
            compare(&mut plan.image, files, reference, damaged, options);
        }
        return Ok(plan);
    }
    if files.knows("index.json") {
        return plan_layout(files, reference, damaged, options);
    }
    if files.contains("repositories") {
        return Err(Error::Unsupported {
            place: files.place().to_owned(),
            message: "it was saved by Docker before 1.10, without manifest.json; load it into a \
                      newer Docker and save it again"
                .to_owned(),
        });
    }
    Err(Error::Unsupported {
        place: files.place().to_owned(),
        message: "it is no image: there is neither manifest.json nor index.json in it".to_owned(),
    })
}

/// Compares an image that `manifest.json` describes with the one of `index.json`, which other programs
/// read instead: Docker writes both since 25, for one and the same image.
fn compare(
    image: &mut Image,
    files: &Files,
    reference: Option<&str>,
    damaged: bool,
    options: &Options,
) {
    // Without an answer it is not known what others read.
    let Ok(other) = plan_layout(files, reference, damaged, options) else {
        image.sound = false;
        return;
    };
    image.sound &= other.image.sound;
    let other = other.image.info;
    let config = image.info.digest.as_ref();
    let is_same = config.is_some_and(|config| other.other_digests.contains(config));
    if is_same && configurations_of_both(files, &options.limits).is_some_and(|(a, b)| a == b) {
        let others = other.other_digests.into_iter().chain(other.digest);
        let own = image.info.digest.clone();
        image
            .info
            .other_digests
            .extend(others.filter(|it| Some(it) != own.as_ref()));
        return;
    }
    let message = "manifest.json and index.json name different images, and programs disagree which \
                   one counts";
    image.doubt(files.place(), message.to_owned());
}

/// The digests of all configurations that `manifest.json` names, and of those that `index.json` leads
/// to; manifests for other platforms may be named there without being in the archive.
fn configurations_of_both(
    files: &Files,
    limits: &Limits,
) -> Option<(HashSet<String>, HashSet<String>)> {
    let bytes = files.metadata("manifest.json", limits).ok()??;
    let saved: SavedImages = parse("manifest.json", &bytes).ok()?;
    let mut by_manifest = HashSet::new();
    for image in saved.images {
        let config = files.metadata(&image.config, limits).ok()??;
        by_manifest.insert(sha256(&config));
    }
    let bytes = files.metadata("index.json", limits).ok()??;
    let index = parse_manifest("index.json", &bytes).ok()?;
    let mut search = Search {
        files,
        limits,
        leaves: Vec::new(),
        incomplete: Vec::new(),
    };
    for descriptor in index.manifests {
        search.descriptor(descriptor, None, &[]);
    }
    let mut by_index = HashSet::new();
    for leaf in search.leaves {
        if leaf.descriptor.is_for_no_platform() {
            continue;
        }
        let name = files.blob_name(&leaf.descriptor.digest).ok()?;
        if let Some(bytes) = files.metadata(&name, limits).ok()? {
            let manifest = parse_manifest(&name, &bytes).ok()?;
            by_index.extend(manifest.config.map(|config| config.digest));
        }
    }
    Some((by_manifest, by_index))
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
    let config = parse(&format!("{}!{name}", files.place()), &bytes)?;
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
    let place = format!("{}!manifest.json", files.place());
    let images = parse::<SavedImages>(&place, &bytes)?.images;
    let named = |image: &&SavedImage| match reference {
        Some(reference) => image.repo_tags.iter().any(|tag| is_named(tag, reference)),
        None => true,
    };
    let mut found = images.iter().filter(named);
    let (Some(image), None) = (found.next(), found.next()) else {
        let tags = images.iter().flat_map(|image| image.repo_tags.clone());
        return Err(ambiguous(files.place(), tags.collect(), reference));
    };
    let (config, config_bytes) = read_config(files, &image.config, damaged, limits)?;
    check_platform(files.place(), &config, options)?;
    let digest = config_bytes.as_deref().map(sha256);
    let info = config.image_info(digest, image.repo_tags.clone());
    let layers = image.layers.iter().map(|name| PlannedLayer {
        place: format!("{}!{name}", files.place()),
        file: files.resolve(name),
        descriptor: Descriptor {
            digest: digest_of_file(name).unwrap_or_default(),
            ..Descriptor::default()
        },
    });
    let config = config_bytes.is_some().then_some(&config);
    Ok(assemble(
        files.place(),
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
    /// Digests of the indexes below `index.json` that led to it, all of them checked.
    indexes: Vec<String>,
}

fn plan_layout(
    files: &Files,
    reference: Option<&str>,
    damaged: bool,
    options: &Options,
) -> Result<Plan, Error> {
    let limits = &options.limits;
    let bytes = files.required("index.json", limits)?;
    let index = parse_manifest(&format!("{}!index.json", files.place()), &bytes)?;
    let mut search = Search {
        files,
        limits,
        leaves: Vec::new(),
        incomplete: Vec::new(),
    };
    let names: Vec<String> = index.manifests.iter().flat_map(names_of).collect();
    for descriptor in index.manifests {
        let wanted = match reference {
            Some(wanted) => names_of(&descriptor).find(|name| is_named(name, wanted)),
            None => names_of(&descriptor).next(),
        };
        if reference.is_none() || wanted.is_some() {
            search.descriptor(descriptor, wanted.as_deref(), &[]);
        }
    }
    let Search {
        leaves, incomplete, ..
    } = search;
    if let (true, Some(reference)) = (leaves.is_empty() && incomplete.is_empty(), reference) {
        return Err(ambiguous(files.place(), names, Some(reference)));
    }
    let (leaf, has_rivals) = choose(files, &leaves, reference, options, &incomplete)?;
    let digest = leaf.descriptor.digest.clone();
    let tags = leaf.name.clone().into_iter().collect();
    let mut plan = plan_manifest(files, digest, tags, incomplete, damaged, options)?;
    if plan.image.info.digest.is_some() {
        plan.image.info.other_digests.extend(leaf.indexes.clone());
    }
    if has_rivals {
        plan.image.doubt(files.place(), RIVALS.to_owned());
    }
    Ok(plan)
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
    let place = format!("{}!{manifest_name}", files.place());
    let mut wrong = Vec::from_iter(check_digest(&place, &digest, &bytes));
    let manifest = parse_manifest(&place, &bytes)?;
    let config_digest = manifest.config.unwrap_or_default().digest;
    let config_name = files.blob_name(&config_digest)?;
    let (config, config_bytes) = read_config(files, &config_name, damaged, limits)?;
    if let Some(bytes) = &config_bytes {
        let place = format!("{}!{config_name}", files.place());
        wrong.extend(check_digest(&place, &config_digest, bytes));
    }
    check_platform(files.place(), &config, options)?;
    // An image whose metadata is not what the digest names is another one.
    let is_named = wrong.is_empty() && config_bytes.is_some();
    incomplete.extend(wrong);
    let mut info = config.image_info(Some(digest).filter(|_| is_named), tags);
    info.other_digests = Some(config_digest)
        .filter(|_| is_named)
        .into_iter()
        .collect();
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
        files.place(),
        info,
        config,
        layers,
        incomplete,
        limits,
    ))
}

/// Collects the leaves of a layout, those too that are no images to us: they may be to others.
struct Search<'a> {
    files: &'a Files,
    limits: &'a Limits,
    leaves: Vec<Leaf>,
    incomplete: Vec<Incomplete>,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.leaves.len() >= MAX_IMAGES || self.incomplete.len() >= MAX_IMAGES
    }

    /// Adds what a descriptor leads to; `above` are the indexes that led to it.
    fn descriptor(&mut self, descriptor: Descriptor, name: Option<&str>, above: &[String]) {
        let is_index = descriptor.media_type == "application/vnd.oci.image.index.v1+json"
            || descriptor.media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
        if !is_index {
            if !self.is_full() {
                self.leaves.push(Leaf {
                    descriptor,
                    name: name.map(str::to_owned),
                    indexes: above.to_vec(),
                });
            }
            return;
        }
        let place = format!("{}!index {}", self.files.place(), descriptor.digest);
        // Indexes are named by their digests and so cannot lead back to themselves, unless they lie.
        if above.len() == MAX_DEPTH || self.is_full() {
            self.incomplete.push(Incomplete::new(
                IncompleteReason::LimitReached,
                place,
                format!("more than {MAX_DEPTH} indexes in each other or {MAX_IMAGES} images"),
            ));
            return;
        }
        let index = self
            .files
            .blob_name(&descriptor.digest)
            .and_then(|name| self.files.required(&name, self.limits))
            .and_then(|bytes| {
                let wrong = check_digest(&place, &descriptor.digest, &bytes);
                Ok((parse_manifest(&place, &bytes)?, wrong))
            });
        match index {
            Ok((index, wrong)) => {
                self.incomplete.extend(wrong);
                let mut path = above.to_vec();
                path.push(descriptor.digest);
                for inner in index.manifests {
                    if self.is_full() {
                        break;
                    }
                    self.descriptor(inner, name, &path);
                }
            }
            Err(error) => self.incomplete.push(error.to_incomplete()),
        }
    }
}

/// Chooses by platform. Returns whether another leaf rivals the chosen one.
fn choose<'a>(
    files: &Files,
    leaves: &'a [Leaf],
    reference: Option<&str>,
    options: &Options,
    incomplete: &[Incomplete],
) -> Result<(&'a Leaf, bool), Error> {
    let asked = options
        .platform
        .as_deref()
        .map(Platform::parse)
        .transpose()?;
    let is_only = asked.is_none();
    let wanted = asked.unwrap_or_else(Platform::of_this_machine);
    let with_rivals = |leaf: &'a Leaf| {
        let mut others = leaves.iter().map(|other| &other.descriptor);
        (
            leaf,
            others.any(|other| other.rivals(&leaf.descriptor, &wanted)),
        )
    };
    let images: Vec<&Leaf> = leaves
        .iter()
        .filter(|it| it.descriptor.is_image())
        .collect();
    let digests = |leaves: &[&Leaf]| {
        let digests = leaves.iter().map(|leaf| leaf.descriptor.digest.clone());
        digests.collect::<HashSet<String>>().len()
    };
    if let ([leaf, ..], 1, true) = (images.as_slice(), digests(&images), is_only) {
        return Ok(with_rivals(leaf));
    }
    let distance = |leaf: &Leaf| match &leaf.descriptor.platform {
        Some(offered) => wanted.distance(offered),
        None => Some(u32::MAX),
    };
    let Some(best) = images.iter().filter_map(|leaf| distance(leaf)).min() else {
        if let (true, Some(first)) = (images.is_empty(), incomplete.first()) {
            return Err(Error::Corrupt {
                place: first.place.clone(),
                offset: 0,
                message: first.message.clone(),
            });
        }
        let platforms = images
            .iter()
            .filter_map(|leaf| leaf.descriptor.platform.clone());
        let platforms: HashSet<String> = platforms.map(|it| it.normalized().to_string()).collect();
        return Err(match images.is_empty() {
            true => ambiguous(files.place(), Vec::new(), reference),
            false => no_platform(files.place(), &wanted, platforms),
        });
    };
    let found: Vec<&Leaf> = images
        .iter()
        .copied()
        .filter(|leaf| distance(leaf) == Some(best))
        .collect();
    match (found.first(), digests(&found)) {
        (Some(leaf), 1) => Ok(with_rivals(leaf)),
        _ => {
            let names: Vec<String> = images.iter().filter_map(|leaf| leaf.name.clone()).collect();
            let differ = names.iter().any(|name| Some(name) != names.first());
            Err(match differ {
                true => ambiguous(files.place(), names, reference),
                // No name tells them apart.
                false => Error::Usage {
                    message: format!("{} holds several images for {wanted}", files.place()),
                    hint: "give the one that is meant in an archive of its own".to_owned(),
                },
            })
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

/// The names of a manifest in an index: programs look at one annotation, at the other, or at both.
fn names_of(descriptor: &Descriptor) -> impl Iterator<Item = String> {
    [
        "io.containerd.image.name",
        "org.opencontainers.image.ref.name",
    ]
    .into_iter()
    .filter_map(|key| descriptor.annotations.get(key).cloned())
}

/// Whether an image's full name is meant by what the user wrote, which may leave out the registry
/// of Docker's hub and the tag `latest`.
fn is_named(name: &str, wanted: &str) -> bool {
    let short = |text: &str| {
        let hub = ["docker.io/", "index.docker.io/"];
        let text = hub
            .iter()
            .find_map(|it| text.strip_prefix(it))
            .unwrap_or(text);
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
    let mut sound = diff_ids.len() == planned.len();
    if config.is_some() && !sound {
        let message = format!(
            "the configuration has {} layers, the manifest {}",
            diff_ids.len(),
            planned.len()
        );
        incomplete.push(contradiction(place, message));
    }
    let most = limits.layers as usize;
    if planned.len() > most {
        incomplete.push(Incomplete::new(
            IncompleteReason::LimitReached,
            place,
            format!("{} layers exceed the limit of {most} layers", planned.len()),
        ));
        planned.truncate(most);
        sound = false;
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
            told_size: descriptor.size,
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
            sound,
        },
        files,
    }
}

impl Image {
    /// Notes that the metadata can be read in more than one way.
    pub(crate) fn doubt(&mut self, place: &str, message: String) {
        self.incomplete.push(contradiction(place, message));
        self.sound = false;
    }
}

fn contradiction(place: &str, message: String) -> Incomplete {
    Incomplete::new(IncompleteReason::Corrupt, place, message)
        .hint("no program that builds images writes this: get the image again from where it comes")
}
