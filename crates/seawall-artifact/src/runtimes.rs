//! The images on this machine: those that its container runtimes keep, and those that run.

use crate::sources::{List, RUNTIMES, Runtime, image_names};
use crate::{Error, Options};
use seawall_model::{Incomplete, IncompleteReason};

/// Images that runtimes named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Each as a [`crate::Source`] is written, like `docker:sha256:...`. Ordered by runtime, then
    /// by text; an image that two runtimes keep is listed twice.
    pub images: Vec<String>,
    /// Runtimes that are there, but could not be asked.
    pub incomplete: Vec<Incomplete>,
}

/// The images that the Docker daemon, podman and CRI-O, and containerd keep. A runtime that is not
/// there is not mentioned.
#[must_use]
pub fn all_images(options: &Options) -> Listed {
    list(options, |runtime| runtime.all)
}

/// The images of the containers that run now under the same runtimes.
#[must_use]
pub fn running_images(options: &Options) -> Listed {
    list(options, |runtime| runtime.running)
}

/// Reads the names that a metadata database of containerd (`meta.db`) holds, each as
/// `NAMESPACE NAME DIGEST`.
///
/// # Errors
/// It is no such database, or is damaged.
pub fn containerd_image_names(database: &[u8]) -> Result<Vec<String>, Error> {
    image_names(database)
}

fn list(options: &Options, of: fn(&Runtime) -> List) -> Listed {
    let mut listed = Listed::default();
    for runtime in RUNTIMES {
        match of(runtime)(options) {
            Ok(images) => {
                let mut images = images.unwrap_or_default();
                images.sort_unstable();
                images.dedup();
                let images = images.iter();
                listed
                    .images
                    .extend(images.map(|image| format!("{}:{image}", runtime.kind)));
            }
            Err(error) => listed.incomplete.push(unasked(runtime, &error)),
        }
    }
    listed
}

fn unasked(runtime: &Runtime, error: &Error) -> Incomplete {
    let unread = Incomplete::new(
        IncompleteReason::Unreadable,
        runtime.kind,
        format!("its images were not listed: {error}"),
    );
    match error.hint() {
        Some(hint) => unread.hint(hint),
        None => unread,
    }
}
