use std::path::PathBuf;

/// Where an artifact comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `docker save` output.
    DockerArchive(PathBuf),
    /// An OCI image layout in a tar file.
    OciArchive(PathBuf),
    /// An OCI image layout in a directory.
    OciDir(PathBuf),
    /// An image in a registry (distribution specification v2).
    Registry(String),
    /// An image of the Docker daemon.
    Docker(String),
    /// An image of containerd.
    Containerd(String),
    /// An image of podman or CRI-O (containers/storage).
    Podman(String),
    /// A directory: a root filesystem or a source tree.
    Directory(PathBuf),
}
