//! Directories, and how sources are written.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Artifact, Entry, EntryKind, Error, LayerVisitor, Options, Source};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use support::*;

#[test]
fn a_tree_is_walked_in_order_and_never_left() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    write(&root, "b/file", b"B");
    write(&root, "a/z", b"Z");
    write(&root, "a/deep/x", b"X");
    write(&root, ".git/HEAD", b"ref");
    write(&root, ".git/objects/ab/cdef", b"blob");
    write(&root, "objects/kept", b"K");
    write(&root, "etc/.wh.name", b"plain");
    write(directory.path(), "outside/secret", b"no");
    symlink("../../outside", root.join("a/out")).unwrap();
    symlink("/", root.join("slash")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let read = read_source(&Source::Directory(root), &Options::default()).unwrap();
    assert_eq!(
        lines(&read),
        [[
            "dir .git",
            "dir a",
            "dir b",
            "dir etc",
            "dir objects",
            "other pipe",
            "symlink slash -> /",
            "file .git/HEAD size=3 ref",
            "dir .git/objects",
            "dir a/deep",
            "symlink a/out -> ../../outside",
            "file a/z size=1 Z",
            "file a/deep/x size=1 X",
            "file b/file size=1 B",
            "file etc/.wh.name size=5 plain",
            "file objects/kept size=1 K",
        ]]
    );
    assert_eq!(reasons(&read), [""; 0]);
    assert!(read.image.is_none());
}

#[test]
fn files_whose_names_are_no_text_fell_together() {
    let directory = tempfile::tempdir().unwrap();
    for name in [&b"x\xfe"[..], b"x\xff", "x\u{fffd}".as_bytes()] {
        fs::write(directory.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let source = Source::Directory(directory.path().to_owned());
    let read = read_source(&source, &Options::default()).unwrap();
    let found = lines(&read).concat().join("\n");
    for name in ["x\u{fffd}fe", "x\u{fffd}ff", "x\u{fffd}\u{fffd}"] {
        assert!(found.contains(&format!("file {name} size=")), "{found}");
    }
}

#[test]
fn a_very_deep_tree_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut parent = rustix::fs::open(
        directory.path(),
        rustix::fs::OFlags::DIRECTORY,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    let name = "d".repeat(200);
    for _ in 0..30 {
        rustix::fs::mkdirat(&parent, &*name, rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY;
        parent = rustix::fs::openat(&parent, &*name, flags, rustix::fs::Mode::empty()).unwrap();
    }
    let source = Source::Directory(directory.path().to_owned());
    let read = read_source(&source, &Options::default()).unwrap();
    assert_eq!(lines(&read)[0].len(), 20);
    assert!(
        reasons(&read)[0].starts_with("limit-reached"),
        "{:?}",
        reasons(&read)
    );
}

#[test]
fn what_may_not_be_read_is_told() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may read everything");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "locked/file", b"x");
    let locked = directory.path().join("locked");
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    let source = Source::Directory(directory.path().to_owned());
    let read = read_source(&source, &Options::default()).unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(lines(&read), [["dir locked"]]);
    assert!(reasons(&read)[0].starts_with("unreadable"));
}

#[test]
fn contents_outlive_the_walk_without_open_files() {
    #[derive(Default)]
    struct Keep(Vec<seawall_artifact::Content>);
    impl LayerVisitor for Keep {
        fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
            if entry.kind() == EntryKind::File {
                self.0.push(entry.content()?);
            }
            Ok(())
        }
    }
    let directory = tempfile::tempdir().unwrap();
    for n in 0..3000 {
        fs::write(directory.path().join(format!("{n:04}")), format!("{n}")).unwrap();
    }
    let source = Source::Directory(directory.path().to_owned());
    let artifact = Artifact::open(&source, &Options::default()).unwrap();
    let read = artifact.read(&Keep::default, &Quiet).unwrap();
    let kept = &read.layers[0].visitor.0;
    assert_eq!(kept.len(), 3000);
    assert_eq!(&*kept[1234].read_all().unwrap(), b"1234");
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 500, "{open} files are open");
}

#[test]
fn the_limit_of_entries_holds() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(directory.path(), name, b"");
    }
    let source = Source::Directory(directory.path().to_owned());
    let read = read_source(&source, &limited(|l| l.entries = 2)).unwrap();
    assert_eq!(lines(&read)[0].len(), 2);
    assert!(reasons(&read)[0].contains("2 entries"));
}

#[test]
fn sources_as_they_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "image.tar", b"");
    let file = file.display();
    let layout = directory.path().join("layout");
    write(&layout, "index.json", b"{}");
    write(&layout, "blobs/x", b"");
    let plain = directory.path().join("plain");
    fs::create_dir(&plain).unwrap();
    let hex = "0123456789abcdef".repeat(4);
    for (text, expected) in [
        (
            format!("{file}"),
            Ok(Source::Archive(file.to_string().into())),
        ),
        (
            format!("docker-archive:{file}"),
            Ok(Source::DockerArchive(file.to_string().into())),
        ),
        (
            format!("oci-archive:{file}:app:1"),
            Ok(Source::OciArchive(format!("{file}:app:1").into())),
        ),
        (
            format!("{}", layout.display()),
            Ok(Source::OciDir(layout.clone())),
        ),
        (
            format!("oci-dir:{}", layout.display()),
            Ok(Source::OciDir(layout.clone())),
        ),
        (
            "registry:localhost:5000/a/b:1".to_owned(),
            Ok(Source::Registry("localhost:5000/a/b:1".to_owned())),
        ),
        ("-".to_owned(), Ok(Source::Archive("/dev/stdin".into()))),
        (
            "-:app:1".to_owned(),
            Ok(Source::Archive("/dev/stdin:app:1".into())),
        ),
        (
            "docker:nginx".to_owned(),
            Ok(Source::Docker("nginx".to_owned())),
        ),
        (
            "podman:quay.io/x/y".to_owned(),
            Ok(Source::Podman("quay.io/x/y".to_owned())),
        ),
        (
            "containerd:a".to_owned(),
            Ok(Source::Containerd("a".to_owned())),
        ),
        (
            "nginx:1.27".to_owned(),
            Ok(Source::Image("nginx:1.27".to_owned())),
        ),
        (
            format!("nginx@sha256:{hex}"),
            Ok(Source::Image(format!("nginx@sha256:{hex}"))),
        ),
        (
            format!("{}", plain.display()),
            Err("without an image layout"),
        ),
        (
            "docker-archive:/no/such.tar".to_owned(),
            Err("there is no file '/no/such.tar'"),
        ),
        ("./no-such".to_owned(), Err("there is no file './no-such'")),
        (
            "image.tar.gz".to_owned(),
            Err("there is no file 'image.tar.gz'"),
        ),
        (
            format!("dockr-archive:{file}"),
            Err("'dockr-archive' is not a kind of source"),
        ),
        (
            "registry:Upper/Case".to_owned(),
            Err("neither a file nor the name"),
        ),
        ("docker:".to_owned(), Err("neither a file nor the name")),
        ("a b".to_owned(), Err("neither a file nor the name")),
        ("a:b:c".to_owned(), Err("neither a file nor the name")),
    ] {
        match (text.parse::<Source>(), expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected, "{text}");
                assert_eq!(
                    found.to_string().parse::<Source>().unwrap(),
                    found,
                    "{text}"
                );
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{text}: {error}");
                assert!(error.hint().is_some());
            }
            (found, expected) => panic!("{text}: {found:?}, expected {expected:?}"),
        }
    }
}
