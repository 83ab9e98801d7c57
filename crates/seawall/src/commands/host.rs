//! This machine and its images.

use crate::exit::Result;
use crate::inventory::Reader;
use seawall_model::{Incomplete, IncompleteReason, Inventory};
use seawall_scan::host::{Host, Kernel, KernelState, RunningContainer};
use std::collections::BTreeSet;

/// Which images are scanned beside the machine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Images {
    None,
    Running,
    All,
}

/// The machine's inventory, then those of its images, with what the reader should know of the
/// machine. An image that cannot be read is told in the machine's own inventory: the others are
/// still scanned.
pub(crate) fn inventories(
    reader: &Reader<'_>,
    images: Images,
) -> Result<(Vec<Inventory>, Vec<String>)> {
    let Host {
        mut inventory,
        kernel,
        containers,
    } = reader.host()?;
    let mut targets = BTreeSet::new();
    if images != Images::None {
        for container in &containers {
            match image_of(container) {
                Ok(image) => drop(targets.insert(image)),
                Err(missed) => inventory.incomplete.push(missed),
            }
        }
    }
    let mut scanned = Vec::new();
    for image in targets {
        match reader.image(&image) {
            Ok(image) => scanned.push(image),
            Err(failure) => {
                let message = format!("the image was not scanned: {:#}", failure.error);
                let mut missed = Incomplete::new(IncompleteReason::Unreadable, image, message);
                missed.hint = failure.hint;
                inventory.incomplete.push(missed);
            }
        }
    }
    scanned.insert(0, inventory);
    Ok((scanned, notices(&kernel, &containers)))
}

/// The image of a container as `seawall scan image` takes it.
fn image_of(container: &RunningContainer) -> std::result::Result<String, Incomplete> {
    let runtime = match container.runtime {
        Some("cri-o") => "podman",
        Some(runtime) => runtime,
        None => "",
    };
    match (&container.image, runtime) {
        (Some(image), "docker" | "containerd" | "podman") => Ok(format!("{runtime}:{image}")),
        (Some(image), _) => Ok(image.clone()),
        (None, _) => Err(Incomplete::new(
            IncompleteReason::Unreadable,
            format!("container {}", container.id),
            "its image is not known, as its runtime's files could not be read",
        )
        .hint("run as root, or scan its image with `seawall scan image`")),
    }
}

fn notices(kernel: &Kernel, containers: &[RunningContainer]) -> Vec<String> {
    let release = &kernel.release;
    let kernel = match &kernel.state {
        KernelState::Current => format!("the running kernel {release} is the installed one"),
        KernelState::RestartNeeded { running, installed } => {
            let running = running.as_deref().unwrap_or(release);
            format!(
                "the running kernel {running} is older than the installed {installed}: restart to \
                 be rid of its flaws"
            )
        }
        KernelState::NotPackaged => {
            format!(
                "the running kernel {release} comes from no package: no distribution's \
                     advisories speak of it"
            )
        }
    };
    let processes: u32 = containers.iter().map(|container| container.processes).sum();
    let containers = match containers.len() {
        0 => "no container runs".to_owned(),
        count => format!("{count} containers run, with {processes} processes"),
    };
    vec![kernel, containers]
}
