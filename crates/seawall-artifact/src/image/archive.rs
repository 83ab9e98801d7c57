//! Images in files: `docker save` archives and OCI layouts, in a tar file, a directory, or passing
//! as a stream.

use super::files::Files;
use super::layout::Layout;
use super::manifest::{Config, Descriptor, check_digest, parse, parse_manifest};
use super::platform::Platform;
use super::salvage::salvage;
use super::saved::Saved;
use super::{Blob, Image, Layer};
use crate::layer::missing;
use crate::path::split;
use crate::{Error, Limits, Options};
use seawall_model::{Incomplete, IncompleteReason};
use std::sync::Arc;

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
                    layer.blob = Blob::Content(content);
                }
                Some(Err(error)) => layer.blob = Blob::Missing(Box::new(error.to_incomplete())),
                Some(Ok(None)) | None => {}
            }
        }
        image
    }
}

/// What is asked of an archive or layout.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Chooses between several images.
    pub(super) reference: Option<&'a str>,
    /// Whether files may be missing which were there.
    pub(super) damaged: bool,
    pub(super) options: &'a Options,
}

/// Finds the image in an archive or layout, its layers' blobs not looked for yet. `reference`
/// chooses between several. `damage` is what ended the reading of the archive.
pub(crate) fn plan(
    files: &Files,
    reference: Option<&str>,
    damage: Option<Error>,
    options: &Options,
) -> Result<Plan, Error> {
    let asked = Asked {
        reference,
        damaged: damage.is_some(),
        options,
    };
    let damage = match (plan_whole(files, asked), damage) {
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
    if offset.is_some_and(|offset| offset < 512) && files.is_empty() {
        return Err(Error::Unsupported {
            place: files.place().to_owned(),
            message: "it is no image: it does not begin like an archive".to_owned(),
        });
    }
    salvage(files, options, damage)
}

fn plan_whole(files: &Files, asked: Asked<'_>) -> Result<Plan, Error> {
    let limits = &asked.options.limits;
    if files.knows("manifest.json") {
        let saved = Saved::read(files, limits)?;
        let mut plan = saved.plan(asked)?;
        if files.knows("index.json")
            && let Err(error) = compare(&mut plan, &saved, files, asked)
        {
            // It is not known what other programs read.
            plan.image.sound = false;
            plan.image.incomplete.push(error.to_incomplete());
        }
        return Ok(plan);
    }
    if files.knows("index.json") {
        return Layout::read(files, limits)?.plan(asked);
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
    plan: &mut Plan,
    saved: &Saved<'_>,
    files: &Files,
    asked: Asked<'_>,
) -> Result<(), Error> {
    let limits = &asked.options.limits;
    let layout = Layout::read(files, limits)?;
    let other = layout.plan(asked)?;
    let image = &mut plan.image;
    image.sound &= other.image.sound;
    let has_same_layers = plan.files == other.files;
    let other = other.image.info;
    let own = image.info.digest.as_ref();
    let is_same = own.is_some_and(|own| other.other_digests.contains(own));
    if is_same && has_same_layers && saved.configurations(limits)? == layout.configurations()? {
        let others = other.other_digests.into_iter().chain(other.digest);
        let others: Vec<String> = others.filter(|it| Some(it) != own).collect();
        image.info.other_digests.extend(others);
        return Ok(());
    }
    let message = "manifest.json and index.json name different images, and programs disagree which \
                   one counts";
    image.doubt(files.place(), message.to_owned());
    Ok(())
}

/// A configuration, and the bytes that it was read from; without any it is an empty one.
pub(super) type ReadConfig = (Config, Option<Arc<[u8]>>);

/// The configuration of that name with its bytes. Where it fell victim to damage, the manifest still
/// tells the layers and their order.
pub(super) fn read_config(
    files: &Files,
    name: &str,
    asked: Asked<'_>,
) -> Result<ReadConfig, Error> {
    let limits = &asked.options.limits;
    let bytes = match asked.damaged {
        true => files.metadata(name, limits)?,
        false => Some(files.required(name, limits)?),
    };
    let Some(bytes) = bytes else {
        return Ok((Config::default(), None));
    };
    let config = parse(&format!("{}!{name}", files.place()), &bytes)?;
    Ok((config, Some(bytes)))
}

/// The image of a manifest among the blobs.
pub(super) fn plan_manifest(
    files: &Files,
    digest: String,
    tags: Vec<String>,
    mut incomplete: Vec<Incomplete>,
    asked: Asked<'_>,
) -> Result<Plan, Error> {
    let limits = &asked.options.limits;
    let manifest_name = files.blob_name(&digest)?;
    let bytes = files.required(&manifest_name, limits)?;
    let place = format!("{}!{manifest_name}", files.place());
    let mut wrong = Vec::from_iter(check_digest(&place, &digest, &bytes));
    let manifest = parse_manifest(&place, &bytes)?;
    let config_digest = manifest.config.unwrap_or_default().digest;
    let config_name = files.blob_name(&config_digest)?;
    let (config, config_bytes) = read_config(files, &config_name, asked)?;
    if let Some(bytes) = &config_bytes {
        let place = format!("{}!{config_name}", files.place());
        wrong.extend(check_digest(&place, &config_digest, bytes));
    }
    check_platform(files.place(), &config, asked.options)?;
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

pub(super) fn ambiguous(place: &str, mut names: Vec<String>, reference: Option<&str>) -> Error {
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

/// Whether an image's full name is meant by what the user wrote, which may leave out the registry
/// of Docker's hub and the tag `latest`.
pub(super) fn is_named(name: &str, wanted: &str) -> bool {
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
        let layer = Layer {
            digest: Some(descriptor.digest.clone()).filter(|digest| !digest.is_empty()),
            diff_id: diff_ids.get(index).cloned(),
            told_size: descriptor.size,
            created_by: instructions.next().map(str::to_owned),
            blob: Blob::Missing(Box::new(why)),
            place: layer.place,
        };
        if file.is_some() && layer.digest.is_some() && !layer.has_checked_digest() {
            incomplete.push(Incomplete::new(
                IncompleteReason::Unsupported,
                &layer.place,
                "its digest is of a kind that is not checked",
            ));
        }
        layers.push(layer);
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
