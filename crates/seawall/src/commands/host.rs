//! This machine and its images.

use crate::exit::Result;
use crate::inventory::Reader;
use seawall_artifact::runtimes::{self, Listed};
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
/// still scanned. `may_be_several` is asked as soon as there is an image beside the machine.
pub(crate) fn inventories(
    reader: &Reader<'_>,
    images: Images,
    may_be_several: &dyn Fn() -> Result<()>,
) -> Result<(Vec<Inventory>, Vec<String>)> {
    let listed = match images {
        Images::None => Listed::default(),
        Images::Running => runtimes::running_images(&reader.options()),
        Images::All => runtimes::all_images(&reader.options()),
    };
    if !listed.images.is_empty() {
        may_be_several()?;
    }
    let Host {
        mut inventory,
        kernel,
        containers,
    } = reader.host()?;
    // Of a runtime that could not be asked for anything, that it has images says more.
    let is_unlisted = |told: &Incomplete| listed.incomplete.iter().any(|it| it.place == told.place);
    inventory.incomplete.retain(|told| !is_unlisted(told));
    inventory.incomplete.extend(listed.incomplete);
    let mut targets = listed.images;
    if images != Images::None {
        inventory
            .incomplete
            .extend(add_unlisted(&containers, &mut targets));
    }
    if !targets.is_empty() {
        may_be_several()?;
    }
    let mut scanned: Vec<Inventory> = Vec::new();
    for target in targets {
        match reader.image(&target) {
            // One runtime may keep its images in another's store.
            Ok(image) if scanned.iter().any(|known| is_same(known, &image)) => {}
            Ok(image) => scanned.push(image),
            Err(failure) => {
                let message = format!("the image was not scanned: {:#}", failure.error);
                let mut missed = Incomplete::new(IncompleteReason::Unreadable, target, message);
                missed.hint = failure.hint;
                inventory.incomplete.push(missed);
            }
        }
    }
    let notices = notices(&kernel, &containers, scanned.len());
    scanned.insert(0, inventory);
    Ok((scanned, notices))
}

/// Adds the images of running containers whose runtime listed none. Returns the containers whose
/// image nobody names.
fn add_unlisted(containers: &[RunningContainer], targets: &mut Vec<String>) -> Vec<Incomplete> {
    let listed: BTreeSet<String> = targets
        .iter()
        .filter_map(|target| Some(target.split_once(':')?.0.to_owned()))
        .collect();
    let mut more = BTreeSet::new();
    let mut missed = Vec::new();
    for container in containers {
        let runtime = match container.runtime {
            Some("cri-o") => "podman",
            Some(runtime) => runtime,
            None => "",
        };
        match &container.image {
            _ if listed.contains(runtime) => {}
            Some(image) if runtime.is_empty() => drop(more.insert(image.clone())),
            Some(image) => drop(more.insert(format!("{runtime}:{image}"))),
            None => missed.push(
                Incomplete::new(
                    IncompleteReason::Unreadable,
                    format!("container {}", container.id),
                    "its image is not known, as its runtime's files could not be read",
                )
                .hint("run as root, or scan its image with `seawall scan image`"),
            ),
        }
    }
    targets.extend(more);
    missed
}

fn is_same(one: &Inventory, other: &Inventory) -> bool {
    one.target.digest.is_some() && one.target.digest == other.target.digest
}

fn notices(kernel: &Kernel, containers: &[RunningContainer], images: usize) -> Vec<String> {
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
    let processes = match processes {
        1 => "1 process".to_owned(),
        several => format!("{several} processes"),
    };
    let containers = match containers.len() {
        // Containers whose control groups are named otherwise, like those of `ctr run`, do run.
        0 if images > 0 => return vec![kernel],
        0 => "no container runs".to_owned(),
        1 => format!("1 container runs, with {processes}"),
        several => format!("{several} containers run, with {processes}"),
    };
    vec![kernel, containers]
}
