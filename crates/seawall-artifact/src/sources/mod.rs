//! Images that are fetched: from registries and from the stores of container runtimes.

mod bolt;
mod certificates;
mod configured;
mod containerd;
mod credentials;
mod docker;
mod file;
mod http;
mod podman;
mod reference;
mod registry;
mod resolve;

use crate::read::Opened;
use crate::{Error, Options, Source};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(crate) use configured::{homes, stores as configured_stores};
pub(crate) use containerd::image_names;

/// Opens a source that is no file.
pub(crate) fn open(source: &Source, options: &Options) -> Result<Opened, Error> {
    match source {
        Source::Registry(name) => Ok(Opened::Image(registry::open(name, options)?)),
        Source::Docker(name) => Ok(Opened::Stream(docker::open(name, options)?)),
        Source::Containerd(name) => Ok(Opened::Image(containerd::open(name, options)?)),
        Source::Podman(name) => Ok(Opened::Image(podman::open(name, options)?)),
        Source::Image(name) => open_anywhere(name, options),
        _ => Err(Error::Unsupported {
            place: source.to_string(),
            message: "it is a file".to_owned(),
        }),
    }
}

/// Opens an image where it is found first: what is at hand before what is fetched.
fn open_anywhere(name: &str, options: &Options) -> Result<Opened, Error> {
    let places = [
        Source::Docker(name.to_owned()),
        Source::Podman(name.to_owned()),
        Source::Containerd(name.to_owned()),
        Source::Registry(name.to_owned()),
    ];
    let mut said = Vec::new();
    let mut hint = String::new();
    for place in places {
        match open(&place, options) {
            Ok(opened) => return Ok(opened),
            Err(error) => {
                hint = error.hint().unwrap_or_default().to_owned();
                said.push(format!("{place}: {}", http::causes(&error)));
            }
        }
    }
    if hint.is_empty() {
        hint = "check the name; docker:REF, podman:REF, containerd:REF and registry:REF ask only \
                one of them"
            .to_owned();
    }
    Err(Error::Usage {
        message: format!("the image {name} was not found ({})", said.join("; ")),
        hint,
    })
}

/// What a runtime keeps, for [`crate::runtimes`].
pub(crate) struct Runtime {
    /// The kind of [`Source`] for its images.
    pub(crate) kind: &'static str,
    /// Names or digests of its images; `None` if it is not there.
    pub(crate) all: List,
    /// The same of its running containers.
    pub(crate) running: List,
    /// Directories in which it keeps its images.
    pub(crate) stores: fn(&Options) -> Result<Vec<PathBuf>, Error>,
}

pub(crate) type List = fn(&Options) -> Result<Option<Vec<String>>, Error>;

/// Runtimes, in the order in which they are asked.
pub(crate) const RUNTIMES: &[Runtime] = &[
    Runtime {
        kind: "docker",
        all: docker::all_images,
        running: docker::running_images,
        stores: docker::stores,
    },
    Runtime {
        kind: "podman",
        all: podman::all_images,
        running: podman::running_images,
        stores: podman::stores,
    },
    Runtime {
        kind: "containerd",
        all: containerd::all_images,
        running: containerd::running_images,
        stores: containerd::stores,
    },
];

/// Whether the process runs whose number a runtime left in a file.
fn has_process(file: &Path) -> bool {
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(32).read_to_string(&mut text));
    let id: Option<u32> = text.trim().parse().ok();
    read.is_ok() && id.is_some_and(|id| Path::new("/proc").join(id.to_string()).exists())
}
