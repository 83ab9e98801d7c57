//! Images in files: `docker save` archives and OCI layouts, in a tar file, a directory, or passing
//! as a stream.

use super::files::Files;
use super::manifest::{
    Config, Descriptor, Manifest, SavedImage, SavedImages, check_digest, parse, sha256,
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
            if let Some(name) = files.twice() {
                let message =
                    format!("{name} is in it twice, and programs disagree which one counts");
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
    let other = other.image.info;
    match &image.info.digest {
        Some(config) if other.other_digests.contains(config) => {
            image.info.other_digests.extend(other.digest);
        }
        _ => {
            let message = "manifest.json and index.json name different images, and programs \
                           disagree which one counts";
            image.doubt(files.place(), message.to_owned());
        }
    }
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
}

fn plan_layout(
    files: &Files,
    reference: Option<&str>,
    damaged: bool,
    options: &Options,
) -> Result<Plan, Error> {
    let limits = &options.limits;
    let bytes = files.required("index.json", limits)?;
    let index: Manifest = parse(&format!("{}!index.json", files.place()), &bytes)?;
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
        return Err(ambiguous(files.place(), names, Some(reference)));
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
    let place = format!("{}!{manifest_name}", files.place());
    let mut wrong = Vec::from_iter(check_digest(&place, &digest, &bytes));
    let manifest: Manifest = parse(&place, &bytes)?;
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
    let place = format!("{}!index {}", files.place(), descriptor.digest);
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
            true => ambiguous(files.place(), Vec::new(), reference),
            false => no_platform(files.place(), &wanted, platforms),
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
            Err(ambiguous(files.place(), names.collect(), reference))
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
    let sound = diff_ids.len() == planned.len();
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
