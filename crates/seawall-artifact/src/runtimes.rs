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

/// Where runtimes keep images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stores {
    /// Directories, ordered.
    pub directories: Vec<PathBuf>,
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
pub fn stores(options: &Options) -> Stores {
    stores_of(RUNTIMES, options)
}

fn stores_of(runtimes: &[Runtime], options: &Options) -> Stores {
    let root = Path::new("/");
    let named = configured_stores(root).into_iter();
    let mut directories: Vec<PathBuf> = named.chain(users_stores(root)).collect();
    let mut incomplete = Vec::new();
    for runtime in runtimes {
        match (runtime.stores)(options) {
            Ok(asked) => directories.extend(asked),
            Err(error) => {
                let unknown = "it is not known where it keeps its images, whose files may be taken \
                               for the machine's";
                incomplete.push(unasked(runtime, unknown, &error));
            }
        }
    }
    for directory in &mut directories {
        if let Ok(real) = directory.canonicalize() {
            *directory = real;
        }
    }
    directories.sort_unstable();
    directories.dedup();
    Stores {
        directories,
        incomplete,
    }
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
            Err(error) => {
                let unlisted = unasked(runtime, "its images were not listed", &error);
                listed.incomplete.push(unlisted);
            }
        }
    }
    listed
}

fn unasked(runtime: &Runtime, what: &str, error: &Error) -> Incomplete {
    let unread = Incomplete::new(
        IncompleteReason::Unreadable,
        runtime.kind,
        format!("{what}: {error}"),
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
    fn a_runtime_that_could_not_be_asked_for_its_store_was_not_told() {
        let broken = Runtime {
            kind: "docker",
            all: |_| Ok(None),
            running: |_| Ok(None),
            stores: |_| {
                Err(Error::Limit {
                    place: "its answer".to_owned(),
                    limit: "1 byte".to_owned(),
                })
            },
        };
        let told = stores_of(&[broken], &Options::default()).incomplete;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].place, "docker");
        assert!(told[0].message.ends_with("exceeds the limit of 1 byte"));
    }

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
