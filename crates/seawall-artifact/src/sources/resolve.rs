//! From a manifest to an image, where everything is stored under its digest: in registries and in
//! containerd's content store.

use super::reference::is_digest;
use crate::image::archive::{PlannedLayer, assemble, check_platform};
use crate::image::choose::Choice;
use crate::image::manifest::{
    Config, Descriptor, Manifest, RIVALS, check_digest, parse, parse_manifest,
};
use crate::image::{Blob, Image};
use crate::{Error, Options};
use seawall_model::{Incomplete, IncompleteReason};

/// Indexes in indexes.
const MAX_DEPTH: usize = 4;

/// Manifests, configurations and layers by digest. Digests are checked by the caller.
pub(super) trait Store {
    /// A manifest or index.
    fn manifest(&self, digest: &str) -> Result<Vec<u8>, Error>;
    /// A configuration.
    fn config(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error>;
    /// A layer, to be read later.
    fn layer(&self, descriptor: &Descriptor) -> Blob;
}

/// Reads the image that `manifest` describes, or the one for the platform if it is an index.
/// `place` is for messages.
pub(super) fn image(
    store: &dyn Store,
    place: &str,
    digest: String,
    manifest: Vec<u8>,
    tags: Vec<String>,
    options: &Options,
) -> Result<Image, Error> {
    let Found {
        digest,
        indexes: mut digests,
        manifest,
        has_rivals,
    } = image_manifest(store, place, digest, manifest, options)?;
    let config = manifest.config.unwrap_or_default();
    if !is_image_config(&config.media_type) {
        return Err(Error::Unsupported {
            place: place.to_owned(),
            message: format!("it is no container image, but '{}'", config.media_type),
        });
    }
    let config_place = format!("{place}!config {}", config.digest);
    require_digest(&config_place, &config.digest)?;
    let bytes = store.config(&config)?;
    verify(&config_place, &config.digest, &bytes)?;
    digests.push(config.digest);
    let config: Config = parse(&config_place, &bytes)?;
    check_platform(place, &config, options)?;
    let mut info = config.image_info(Some(digest), tags);
    info.other_digests = digests;
    let descriptors = manifest.layers.clone();
    let planned = manifest.layers.into_iter().map(|descriptor| PlannedLayer {
        place: format!("layer {}", descriptor.digest),
        file: descriptor.digest.clone(),
        descriptor,
    });
    let limits = &options.limits;
    let plan = assemble(
        place,
        info,
        Some(&config),
        planned.collect(),
        Vec::new(),
        limits,
    );
    let mut image = plan.image;
    if has_rivals {
        image.doubt(place, RIVALS.to_owned());
    }
    let layers = image.layers.iter_mut().zip(plan.files).zip(&descriptors);
    for ((layer, file), descriptor) in layers {
        if file.is_none() {
            continue;
        }
        layer.blob = match require_digest(&layer.place, &descriptor.digest) {
            Ok(()) => store.layer(descriptor),
            Err(error) => Blob::Missing(Box::new(error.to_incomplete())),
        };
    }
    Ok(image)
}

/// A manifest, and the way to it.
struct Found {
    digest: String,
    manifest: Manifest,
    /// Digests of the indexes that led to it.
    indexes: Vec<String>,
    /// Whether one of them leads other programs elsewhere.
    has_rivals: bool,
}

/// Goes from index to manifest.
fn image_manifest(
    store: &dyn Store,
    place: &str,
    mut digest: String,
    mut bytes: Vec<u8>,
    options: &Options,
) -> Result<Found, Error> {
    let mut indexes = Vec::new();
    let mut has_rivals = false;
    for _ in 0..MAX_DEPTH {
        let manifest_place = format!("{place}!manifest {digest}");
        let manifest = parse_manifest(&manifest_place, &bytes)?;
        if manifest.schema_version == Some(1) {
            return Err(Error::Unsupported {
                place: place.to_owned(),
                message:
                    "its manifest is of schema 1, which Docker gave up in 2019; pull and push \
                          it again with a newer Docker"
                        .to_owned(),
            });
        }
        verify(&manifest_place, &digest, &bytes)?;
        if manifest.config.is_some() || manifest.manifests.is_empty() {
            return Ok(Found {
                digest,
                manifest,
                indexes,
                has_rivals,
            });
        }
        indexes.push(digest);
        let (chosen, rivals) = choose(place, &manifest.manifests, options)?;
        has_rivals |= rivals;
        digest = chosen.digest.clone();
        require_digest(place, &digest)?;
        bytes = store.manifest(&digest)?;
    }
    Err(Error::Limit {
        place: place.to_owned(),
        limit: format!("{MAX_DEPTH} indexes in each other"),
    })
}

/// The image in an index that runs best on the platform, and whether others rival it.
fn choose<'m>(
    place: &str,
    manifests: &'m [Descriptor],
    options: &Options,
) -> Result<(&'m Descriptor, bool), Error> {
    let choice = Choice::among(manifests, options)?;
    match choice.best.as_slice() {
        // Of several for one platform, runtimes take the first; the others are its rivals.
        [image, ..] => Ok((*image, choice.has_rivals(image))),
        [] if choice.images.is_empty() => Err(Error::Unsupported {
            place: place.to_owned(),
            message: "its index names no image".to_owned(),
        }),
        [] => Err(choice.no_platform(place)),
    }
}

/// What is stored under a digest is that or nothing.
fn verify(place: &str, digest: &str, bytes: &[u8]) -> Result<(), Error> {
    let Some(wrong) = check_digest(place, digest, bytes) else {
        return Ok(());
    };
    let Incomplete { place, message, .. } = wrong;
    Err(match wrong.reason {
        IncompleteReason::Unsupported => Error::Unsupported { place, message },
        _ => Error::Corrupt {
            place,
            offset: 0,
            message,
        },
    })
}

fn require_digest(place: &str, digest: &str) -> Result<(), Error> {
    match is_digest(digest) {
        true => Ok(()),
        false => Err(Error::Corrupt {
            place: place.to_owned(),
            offset: 0,
            message: format!("'{digest}' is not a digest"),
        }),
    }
}

/// Charts, signatures and programs are stored in registries too.
fn is_image_config(media_type: &str) -> bool {
    matches!(
        media_type,
        "" | "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
    )
}
