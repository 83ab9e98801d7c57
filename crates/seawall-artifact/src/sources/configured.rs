//! Where the runtimes on a machine were told to keep their data, whether they run or not: the
//! `daemon.json` of Docker, the `config.toml` of containerd, the `storage.conf` of podman and CRI-O.

use super::{containerd, docker, file, podman};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// No configuration is larger, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The directories that a configuration names; none if it cannot be understood, which its runtime
/// does not start with either. Those that runtimes are asked by are read, and complained of, there.
type Named = fn(&str) -> Vec<PathBuf>;

/// From the root of the machine.
const OF_THE_SYSTEM: &[(&str, Named)] = &[
    ("etc/docker/daemon.json", docker::data_roots),
    (
        "var/snap/docker/current/config/daemon.json",
        docker::data_roots,
    ),
    ("etc/containerd/config.toml", containerd::configured_root),
    (
        "var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        containerd::configured_root,
    ),
    ("etc/containers/storage.conf", podman::configured_stores),
    (
        "usr/share/containers/storage.conf",
        podman::configured_stores,
    ),
];

/// From the home of a user.
const OF_USERS: &[(&str, Named)] = &[
    (".config/docker/daemon.json", docker::data_roots),
    (".config/containers/storage.conf", podman::configured_stores),
];

/// The directories that the configurations of the machine with this root directory name.
pub(crate) fn stores(root: &Path) -> Vec<PathBuf> {
    let of_system = OF_THE_SYSTEM
        .iter()
        .flat_map(|(path, named)| read(&root.join(path), *named));
    let of_users = homes(root).into_iter().flat_map(|home| {
        OF_USERS
            .iter()
            .flat_map(move |(path, named)| of_user(&home.join(path), *named))
    });
    of_system.chain(of_users).collect()
}

/// The homes of the users.
pub(crate) fn homes(root: &Path) -> Vec<PathBuf> {
    let others = std::fs::read_dir(root.join("home")).into_iter().flatten();
    let homes = others.flatten().map(|home| home.path());
    homes.chain([root.join("root")]).collect()
}

fn read(configuration: &Path, named: Named) -> Vec<PathBuf> {
    let bytes = file::read(configuration, MAX_BYTES).unwrap_or_default();
    let mut directories = named(&String::from_utf8_lossy(&bytes));
    directories.retain(|directory| directory.is_absolute());
    directories
}

/// What a user calls a store is none of the machine's only as far as it is the user's: else any user
/// could take the machine's packages out of its scan.
fn of_user(configuration: &Path, named: Named) -> Vec<PathBuf> {
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|found| found.uid());
    let user = owner(configuration);
    let mut directories = read(configuration, named);
    directories.retain(|directory| user.is_some() && owner(directory) == user);
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_in_other_places_were_taken_for_files_of_the_machine() {
        let root = tempfile::tempdir().unwrap();
        let mine = root.path().join("mine");
        std::fs::create_dir(&mine).unwrap();
        let mine = mine.display().to_string();
        for (path, text) in [
            (
                "etc/docker/daemon.json",
                r#"{"data-root": "/data/docker", "graph": "relative"}"#,
            ),
            (
                "etc/containerd/config.toml",
                "version = 3\nroot = '/data/containerd'\n[plugins]\n",
            ),
            (
                "etc/containers/storage.conf",
                "[storage]\ndriver = 'btrfs'\ngraphroot = '/data/podman'\nimagestore = '/data/images'\n\
                 [storage.options]\nadditionalimagestores = ['/data/shared']\n",
            ),
            ("usr/share/containers/storage.conf", "[storage"),
            (
                "home/joe/.config/containers/storage.conf",
                &format!("[storage]\ngraphroot = '{mine}'\n"),
            ),
            // Nobody's own, whoever runs this.
            (
                "home/ann/.config/docker/daemon.json",
                r#"{"data-root": "/nowhere/at/all"}"#,
            ),
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(
            stores(root.path()),
            [
                "/data/docker",
                "/data/containerd",
                "/data/podman",
                "/data/images",
                "/data/shared",
                &mine,
            ]
            .map(PathBuf::from)
        );
    }

    #[test]
    fn a_user_does_not_take_the_files_of_others_for_a_store() {
        use std::os::unix::fs::chown;
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home/joe/.config/docker");
        let theirs = root.path().join("theirs");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir(&theirs).unwrap();
        let text = format!("{{\"data-root\": {:?}}}", theirs.display().to_string());
        let configuration = home.join("daemon.json");
        std::fs::write(&configuration, text).unwrap();
        assert_eq!(stores(root.path()), [theirs]);
        if chown(&configuration, Some(12345), None).is_err() {
            println!("skipped: only root may give files away");
            return;
        }
        assert_eq!(stores(root.path()), [] as [PathBuf; 0]);
    }
}
