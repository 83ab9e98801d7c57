//! A running machine: its packages, its kernel, and the containers that run on it.

mod containers;
mod kernel;

pub use containers::{RunningContainer, running_containers};
pub use kernel::{Kernel, KernelState};

use crate::scan::{ScanOptions, scan_artifact};
use seawall_artifact::{Artifact, Error, Options, Progress, Source, runtimes};
use seawall_model::{Inventory, TargetKind};
use std::path::Path;

/// What there is on a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Its packages. A kernel that no package brought is listed as a program.
    pub inventory: Inventory,
    /// The kernel that runs.
    pub kernel: Kernel,
    /// The containers that run, ordered by id. Their images are scanned by whoever asks for it.
    pub containers: Vec<RunningContainer>,
}

/// Where container runtimes keep images and containers, which are no files of the host's own;
/// other places are asked for.
const CONTAINER_STORES: &[&str] = &[
    "run/containerd",
    "run/containers",
    "run/docker",
    "var/lib/containerd",
    "var/lib/containers",
    "var/lib/docker",
    "var/lib/kubelet/pods",
    "var/lib/rancher/k3s/agent/containerd",
];

/// What is kept in a directory that holds one of these would exclude the machine itself.
const OF_THE_MACHINE: &[&str] = &["etc", "usr", "var/lib"];

/// Scans the machine that this program runs on.
///
/// # Errors
/// The root directory cannot be read.
pub fn scan_host(
    options: &ScanOptions<'_>,
    reading: &Options,
    progress: &dyn Progress,
) -> Result<Host, Error> {
    let root = Path::new("/");
    let mut options = options.clone();
    options
        .excluded
        .extend(CONTAINER_STORES.iter().map(|store| (*store).to_owned()));
    let stores = runtimes::stores(reading);
    let directories = stores.directories.iter();
    options
        .excluded
        .extend(directories.filter_map(|store| to_exclude(store)));
    let artifact = Artifact::open(&Source::Directory(root.to_owned()), reading)?;
    let mut inventory = scan_artifact(artifact, &options, progress)?;
    inventory.incomplete.extend(stores.incomplete);
    inventory.target.kind = TargetKind::Host;
    let kernel = kernel::examine(&mut inventory, &rustix::system::uname());
    let containers = running_containers(root);
    Ok(Host {
        inventory,
        kernel,
        containers,
    })
}

/// A runtime's store as it is excluded.
fn to_exclude(store: &Path) -> Option<String> {
    let below_root = store.strip_prefix("/").ok()?;
    let is_apart = !OF_THE_MACHINE
        .iter()
        .any(|own| Path::new(own).starts_with(below_root));
    Some(below_root.to_str().filter(|_| is_apart)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_does_not_exclude_the_machine() {
        for (store, expected) in [
            ("/", None),
            ("/var", None),
            ("/var/lib", None),
            ("/usr", None),
            ("relative", None),
            ("/var/lib/docker", Some("var/lib/docker")),
            ("/data", Some("data")),
        ] {
            assert_eq!(to_exclude(Path::new(store)).as_deref(), expected, "{store}");
        }
    }
}
