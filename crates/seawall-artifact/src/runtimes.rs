//! The images on this machine: those that its container runtimes keep, and those that run.

use crate::sources::{List, RUNTIMES, Runtime, configured_stores, homes, image_names};
use crate::{Error, Options};
use seawall_model::{Incomplete, IncompleteReason};
use std::path::{Path, PathBuf};

/// Images that runtimes named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Each as a [`crate::Source`] is written, like `docker:app:1` or `docker:sha256:...`. Ordered by runtime, then
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

/// Directories on this machine in which runtimes keep images: files in them are no files of the
/// machine's own. Those of the runtimes that can be asked, those that the configurations of runtimes
/// name, and those of every user's own podman and Docker.
#[must_use]
pub fn stores(options: &Options) -> Vec<PathBuf> {
    // That one could not be asked is told when its images are listed.
    let asked = RUNTIMES
        .iter()
        .flat_map(|runtime| (runtime.stores)(options).unwrap_or_default());
    let root = Path::new("/");
    let mut stores: Vec<PathBuf> = asked
        .chain(configured_stores(root))
        .chain(users_stores(root))
        .collect();
    for store in &mut stores {
        if let Ok(real) = store.canonicalize() {
            *store = real;
        }
    }
    stores.sort_unstable();
    stores.dedup();
    stores
}

/// Where podman and Docker keep what users run without being root.
fn users_stores(root: &Path) -> Vec<PathBuf> {
    homes(root)
        .into_iter()
        .map(|home| home.join(".local/share"))
        .flat_map(|data| [data.join("containers/storage"), data.join("docker")])
        .filter(|store| store.is_dir())
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_users_were_taken_for_files_of_the_machine() {
        let root = tempfile::tempdir().unwrap();
        let podman = root.path().join("home/joe/.local/share/containers/storage");
        let docker = root.path().join("root/.local/share/docker");
        for store in [&podman, &docker] {
            std::fs::create_dir_all(store).unwrap();
        }
        std::fs::create_dir_all(root.path().join("home/ann")).unwrap();
        assert_eq!(users_stores(root.path()), [podman, docker]);
    }
}
