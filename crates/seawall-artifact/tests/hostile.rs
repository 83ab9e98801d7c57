//! Archives that mean one thing to a runtime and another to a reader: told, or read as runtimes do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::Options;
use support::raw::*;
use support::*;

fn said_of_layer(layer: &[u8]) -> Vec<(Vec<String>, String)> {
    [Format::Plain, Format::Gzip]
        .map(|format| {
            let archive = docker_archive(&[&compress(format, layer)], true);
            let read = read_bytes(&archive, &Options::default()).unwrap();
            let found = lines(&read).concat().into_iter().map(str::to_owned);
            (found.collect(), reasons(&read).concat())
        })
        .into()
}

#[test]
fn what_overlayfs_shows_elsewhere_was_not_told() {
    let layer = [
        pax(&[("SCHILY.xattr.trusted.overlay.redirect", "/stash")]),
        tar(&[Member::Dir("app/")]),
    ]
    .concat();
    let marked = [
        pax(&[("SCHILY.xattr.user.overlay.opaque", "n")]),
        tar(&[Member::Dir("app/")]),
    ]
    .concat();
    for (_, said) in [said_of_layer(&layer), said_of_layer(&marked)].concat() {
        assert!(
            said.contains("app with an attribute of overlayfs"),
            "{said}"
        );
    }
    let harmless = [
        pax(&[("SCHILY.xattr.user.overlay.origin", "x")]),
        tar(&[Member::Dir("app/")]),
    ]
    .concat();
    for (_, said) in said_of_layer(&harmless) {
        assert_eq!(said, "");
    }
}

#[test]
fn files_below_names_like_those_of_aufs_were_left_out() {
    let layer = tar(&[
        Member::File("opt/.wh..wh.a/b", b"1"),
        Member::File("opt/.wh..wh.c", b""),
    ]);
    for (found, said) in said_of_layer(&layer) {
        assert_eq!(
            found,
            ["file opt/.wh..wh.a/b size=1 1", "whiteout opt/.wh.c"]
        );
        assert_eq!(said, "");
    }
    // In the root runtimes disagree.
    let layer = tar(&[
        Member::Dir(".wh..wh.plnk/"),
        Member::File(".wh..wh.plnk/1.2", b"1"),
        Member::File(".wh..wh.c", b""),
    ]);
    for (found, said) in said_of_layer(&layer) {
        assert_eq!(found, ["file .wh..wh.plnk/1.2 size=1 1"]);
        assert!(said.contains("files in .wh..wh.plnk,"), "{said}");
    }
}

#[test]
fn files_behind_a_link_of_their_layer_were_taken_for_others() {
    for (what, members, told) in [
        (
            "a file",
            vec![
                Member::Symlink("a/link", "../real"),
                Member::File("a/link/deep/b", b"1"),
            ],
            "behind a/link,",
        ),
        (
            "a whole directory",
            vec![
                Member::File("a/deep/b", b"1"),
                Member::Symlink("a", "real"),
                Member::File("a/deep/c", b"1"),
            ],
            "behind a,",
        ),
        (
            "what is hidden",
            vec![
                Member::Symlink("a", "real"),
                Member::File("a/.wh..wh..opq", b""),
            ],
            "behind a,",
        ),
        (
            "the target of a hard link",
            vec![
                Member::File("d/a", b"1"),
                Member::Symlink("d", "real"),
                Member::Link("b", "d/a"),
            ],
            "behind d,",
        ),
        (
            "a hard link to a link",
            vec![
                Member::Symlink("s", "real"),
                Member::Link("t", "s"),
                Member::File("t/a", b"1"),
            ],
            "behind t,",
        ),
        (
            "links beside files",
            vec![
                Member::Symlink("a/link", "b"),
                Member::File("a/linked/b", b"1"),
                Member::File("a/b", b"1"),
                Member::Symlink("a/c", "b"),
                Member::File("link/b", b"1"),
            ],
            "",
        ),
    ] {
        for (found, said) in said_of_layer(&tar(&members)) {
            assert!(found.len() >= members.len(), "{what}: {found:?}");
            assert_eq!(said.is_empty(), told.is_empty(), "{what}: {said}");
            assert!(said.contains(told), "{what}: {said}");
        }
    }
}

#[test]
fn a_hard_link_had_the_content_that_its_target_had_before() {
    let layer = tar(&[
        Member::File("t", b"1"),
        Member::File("t", b"2"),
        Member::Link("to-second", "t"),
        Member::Link("to-link", "to-second"),
        Member::File("t", b"3"),
        Member::Link("to-third", "t"),
        Member::Link("still-to-second", "to-link"),
        Member::Symlink("t", "u"),
        Member::Link("to-symlink", "t"),
    ]);
    for (found, said) in said_of_layer(&layer) {
        let last = |path: &str| {
            let begin = format!("hardlink {path} -> ");
            let mut lines = found.iter().rev();
            lines.find(|line| line.starts_with(&begin)).unwrap()
        };
        for (path, content) in [
            ("to-second", " 2"),
            ("to-link", " 2"),
            ("to-third", " 3"),
            ("still-to-second", " 2"),
        ] {
            assert!(last(path).ends_with(content), "{path}: {found:?}");
        }
        let said = said + last("to-symlink");
        assert!(said.contains("link to-symlink has its content"), "{said}");
    }
    // Where contents are kept for links to come.
    let passing = compress(Format::Gzip, &docker_archive(&[&layer], true));
    let read = read_bytes(&passing, &Options::default()).unwrap();
    let found = lines(&read).concat();
    assert!(
        found[2].ends_with(" 2") && found[6].ends_with(" 2"),
        "{found:?}"
    );
    let told = &read.incomplete[0].message;
    assert!(told.contains("link to-symlink has its content"), "{told}");
}

#[test]
fn a_hard_link_came_back_over_the_file_in_its_place() {
    let layer = tar(&[
        Member::File("t", b"1"),
        Member::Link("a", "t"),
        Member::File("a", b"2"),
    ]);
    for (found, said) in said_of_layer(&layer) {
        assert_eq!(found.last().unwrap(), "file a size=1 2");
        assert_eq!(said, "");
    }
}

#[test]
fn compressed_bytes_that_are_a_tar_file_too_were_read_one_way() {
    // gzip's extra field holds the rest of a tar header with a right checksum.
    let mut extra = raw_member(b"\x1f\x8b\x08\x04", b'0', b"00000000000\0", b"", |raw| {
        raw[10..12].copy_from_slice(&500_u16.to_le_bytes());
    });
    let layer = tar(&[Member::File("a", b"1")]);
    extra.extend_from_slice(&compress(Format::Gzip, &layer)[10..]);
    let read = read_bytes(&docker_archive(&[&extra], true), &Options::default()).unwrap();
    assert_eq!(lines(&read).concat(), ["file a size=1 1"]);
    let said = reasons(&read).concat();
    assert!(said.contains("as a tar file"), "{said}");
    assert!(!read.layers[0].whole);

    extra.truncate(512);
    extra.extend_from_slice(&compress(Format::Gzip, &docker_archive(&[&layer], true))[10..]);
    let read = read_bytes(&extra, &Options::default()).unwrap();
    assert_eq!(lines(&read).concat(), ["file a size=1 1"]);
    let said = reasons(&read).concat();
    assert!(said.contains("as a tar file"), "{said}");
}
