//! The containers that run on this machine, by what the kernel says of its processes: no runtime
//! needs to answer, and none can hide one.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A container with at least one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningContainer {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// Who runs it: `docker`, `containerd`, `cri-o`, `podman`; `None` where the control group does
    /// not tell.
    pub runtime: Option<&'static str>,
    /// The lowest process id in it, as the host counts; `/proc/<pid>/root` is its file system.
    pub pid: u32,
    /// Number of its processes.
    pub processes: u32,
    /// The image as its runtime names it, where the runtime's files could be read.
    pub image: Option<String>,
}

/// More processes are not looked at.
const MAX_PROCESSES: usize = 1 << 22;
/// No runtime's description of a container is larger.
const MAX_DESCRIPTION: u64 = 8 << 20;

/// Lists the containers that run on the machine with this root directory, ordered by id.
#[must_use]
pub fn running_containers(root: &Path) -> Vec<RunningContainer> {
    let mut containers: BTreeMap<String, RunningContainer> = BTreeMap::new();
    let Ok(processes) = std::fs::read_dir(root.join("proc")) else {
        return Vec::new();
    };
    for process in processes.flatten().take(MAX_PROCESSES) {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // A process that ends meanwhile has no container.
        let Some(group) = read_limited(&process.path().join("cgroup"), 64 << 10) else {
            continue;
        };
        let Some((id, runtime)) = container_of(&String::from_utf8_lossy(&group)) else {
            continue;
        };
        let container = containers
            .entry(id.clone())
            .or_insert_with(|| RunningContainer {
                id,
                runtime,
                pid,
                processes: 0,
                image: None,
            });
        container.processes = container.processes.saturating_add(1);
        container.pid = container.pid.min(pid);
    }
    let mut containers: Vec<RunningContainer> = containers.into_values().collect();
    for container in &mut containers {
        container.image = image_of(root, &container.id);
    }
    containers
}

/// The container's id and runtime in a `/proc/<pid>/cgroup` (cgroups(7)): the last component that
/// ends in 64 hexadecimal digits, with what stands around it.
fn container_of(text: &str) -> Option<(String, Option<&'static str>)> {
    text.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        path.rsplit('/').find_map(|component| {
            let component = component.strip_suffix(".scope").unwrap_or(component);
            let (before, id) = component.split_at_checked(component.len().checked_sub(64)?)?;
            if !id.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            let runtime = match before.trim_end_matches(['-', ':']) {
                "docker" => Some("docker"),
                "libpod" | "libpod-conmon" => Some("podman"),
                "crio" | "crio-conmon" => Some("cri-o"),
                before if before.contains("containerd") => Some("containerd"),
                _ if path.contains("/docker/") => Some("docker"),
                _ => None,
            };
            Some((id.to_owned(), runtime))
        })
    })
}

/// The image's name from the files in which each runtime describes the container.
fn image_of(root: &Path, id: &str) -> Option<String> {
    docker_image(root, id)
        .or_else(|| containerd_image(root, id))
        .or_else(|| storage_image(root, id))
}

fn docker_image(root: &Path, id: &str) -> Option<String> {
    let path = format!("var/lib/docker/containers/{id}/config.v2.json");
    string_at(&json(&root.join(path))?, "/Config/Image")
}

/// containerd's tasks are one directory for each of its name spaces.
fn containerd_image(root: &Path, id: &str) -> Option<String> {
    let tasks = root.join("run/containerd/io.containerd.runtime.v2.task");
    std::fs::read_dir(tasks).ok()?.flatten().find_map(|space| {
        let config = json(&space.path().join(id).join("config.json"))?;
        string_at(&config, "/annotations/io.kubernetes.cri.image-name")
    })
}

/// podman and CRI-O share a storage; both note the image's name in the container's annotations.
fn storage_image(root: &Path, id: &str) -> Option<String> {
    ["run/containers/storage", "var/lib/containers/storage"]
        .iter()
        .find_map(|storage| {
            let path = format!("{storage}/overlay-containers/{id}/userdata/config.json");
            let config = json(&root.join(path))?;
            [
                "/annotations/io.kubernetes.cri-o.ImageName",
                "/annotations/org.opencontainers.image.base.name",
                "/annotations/io.container.manager.image",
            ]
            .iter()
            .find_map(|pointer| string_at(&config, pointer))
        })
        .or_else(|| podman_image(root, id))
}

/// podman's list of containers holds the image's name in a document within the document.
fn podman_image(root: &Path, id: &str) -> Option<String> {
    let path = "var/lib/containers/storage/overlay-containers/containers.json";
    let list = json(&root.join(path))?;
    let container = list
        .as_array()?
        .iter()
        .find(|container| string_at(container, "/id").as_deref() == Some(id))?;
    let metadata: Value = serde_json::from_str(&string_at(container, "/metadata")?).ok()?;
    string_at(&metadata, "/image-name")
}

fn string_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&read_limited(path, MAX_DESCRIPTION)?).ok()
}

fn read_limited(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).ok()?.take(limit).read_to_end(&mut bytes);
    read.ok().map(|_| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn check(line: &str, expected: Option<Option<&str>>) {
        let line = line.replace("ID", ID);
        let found = container_of(&line);
        assert_eq!(found.map(|(_, runtime)| runtime), expected, "{line}");
    }

    #[test]
    fn control_groups_name_their_container() {
        check("0::/system.slice/docker-ID.scope", Some(Some("docker")));
        check("12:memory:/docker/ID", Some(Some("docker")));
        check(
            "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-ID.scope",
            Some(Some("containerd")),
        );
        check(
            "0::/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:ID",
            Some(Some("containerd")),
        );
        check("0::/kubepods.slice/crio-ID.scope", Some(Some("cri-o")));
        check(
            "0::/machine.slice/libpod-ID.scope/container",
            Some(Some("podman")),
        );
        check("0::/kubepods/besteffort/pod1/ID", Some(None));
        check("0::/init.scope", None);
        check("0::/user.slice/user-1000.slice", None);
        check("nonsense", None);
        check("", None);
    }

    #[test]
    fn containers_are_counted_by_process_and_named_by_their_runtime() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/1/cgroup", "0::/init.scope\n");
        write(
            "proc/70/cgroup",
            &format!("0::/system.slice/docker-{ID}.scope\n"),
        );
        write(
            "proc/71/cgroup",
            &format!("0::/system.slice/docker-{ID}.scope\n"),
        );
        write("proc/self", "");
        write(
            &format!("var/lib/docker/containers/{ID}/config.v2.json"),
            "{\"Config\":{\"Image\":\"nginx:1.27\"}}",
        );
        assert_eq!(
            running_containers(root.path()),
            [RunningContainer {
                id: ID.to_owned(),
                runtime: Some("docker"),
                pid: 70,
                processes: 2,
                image: Some("nginx:1.27".to_owned()),
            }]
        );
    }
}
