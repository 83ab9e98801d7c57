//! `docker save` archives, as files, compressed, and as streams.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use rustix::fs::{FileType, Mode};
use seawall_artifact::{Artifact, Error, Options, ReadArtifact, Source};
use support::*;

fn two_layers() -> [Vec<u8>; 2] {
    let base = tar(&[
        Member::Dir("etc/"),
        Member::File("./etc/os-release", b"ID=debian"),
        Member::File("usr/bin/git", b"\x7fELF git"),
        Member::Link("usr/bin/git-add", "usr/bin/git"),
        Member::Link("usr/bin/git-log", "/usr/bin/git-add"),
        Member::Symlink("bin", "usr/bin"),
        Member::Fifo("run/pipe"),
    ]);
    let top = tar(&[
        Member::File("../../etc/shadow", b"x"),
        Member::File("etc/.wh.os-release", b""),
        Member::File("opt/.wh..wh..opq", b""),
        Member::Dir(".wh..wh.plnk/"),
        Member::File("app/a.txt", b"one"),
        Member::File("app/a.txt", b"two"),
        Member::Link("app/b.txt", "app/a.txt"),
    ]);
    [base, top]
}

const BASE: &[&str] = &[
    "dir etc",
    "file etc/os-release size=9 ID=debian",
    "file usr/bin/git size=8 \u{7f}ELF git",
    "hardlink usr/bin/git-add -> usr/bin/git \u{7f}ELF git",
    "hardlink usr/bin/git-log -> usr/bin/git-add \u{7f}ELF git",
    "symlink bin -> usr/bin",
    "other run/pipe",
];

const TOP: &[&str] = &[
    "file etc/shadow size=1 x",
    "whiteout etc/os-release",
    "opaque opt",
    "file app/a.txt size=3 one",
    "file app/a.txt size=3 two",
    "hardlink app/b.txt -> app/a.txt two",
];

#[test]
fn an_archive_is_read_by_its_headers() {
    let [base, top] = two_layers();
    for manifest_first in [true, false] {
        let archive = docker_archive(&[&base, &top], manifest_first);
        let read = read_file(&archive, &Options::default()).unwrap();
        assert_eq!(lines(&read), [BASE, TOP]);
        assert_eq!(reasons(&read), [""; 0]);
        let image = read.image.unwrap();
        assert_eq!(image.tags, ["app:1"]);
        assert_eq!(image.platform.as_deref(), Some("linux/amd64"));
        assert_eq!(image.labels, [("team".to_owned(), "blue".to_owned())]);
        assert_eq!(image.history.len(), 3);
        assert!(image.digest.unwrap().starts_with("sha256:"));
        let created_by: Vec<_> = read.layers.iter().map(|l| l.created_by.clone()).collect();
        assert_eq!(
            created_by,
            [Some("RUN step 1".to_owned()), Some("RUN step 2".to_owned())]
        );
        assert_eq!(read.layers[1].diff_id.as_deref(), Some(&*sha256(&top)));
    }
}

#[test]
fn a_compressed_archive_is_read_as_it_passes() {
    let [base, top] = two_layers();
    for manifest_first in [true, false] {
        for format in FORMATS {
            if *format == Format::Plain {
                continue;
            }
            let archive = compress(*format, &docker_archive(&[&base, &top], manifest_first));
            let read = read_file(&archive, &Options::default()).unwrap();
            let found = lines(&read);
            assert_eq!(found, [BASE, TOP], "{format:?}");
            assert_eq!(read.image.unwrap().tags, ["app:1"]);
        }
    }
}

#[test]
fn a_hard_link_in_a_stream_had_no_content() {
    let layer = tar(&[
        Member::File("store/package.json", b"{}"),
        Member::Link("app/package.json", "store/package.json"),
        Member::File("behind", b"1"),
    ]);
    let archive = compress(Format::Gzip, &docker_archive(&[&layer], false));
    let read = read_file(&archive, &Options::default()).unwrap();
    let found = lines(&read).concat();
    assert_eq!(
        found[1],
        "hardlink app/package.json -> store/package.json {}"
    );
    assert_eq!(found[2], "file behind size=1 1");
    assert_eq!(read.incomplete, []);
}

/// Reads an image for contents of files named `package.json` alone.
fn read_packages(source: &Source) -> ReadArtifact<Packages> {
    let artifact = Artifact::open(source, &Options::default()).unwrap();
    artifact.read(&Packages::default, &Quiet).unwrap()
}

/// Two files that were linked to content whose own name nobody asks for, as pnpm does.
fn with_links_to_a_store() -> Vec<u8> {
    tar(&[
        Member::File("store/00", b"zero"),
        Member::File("store/01", b"one"),
        Member::Link("app/a/package.json", "store/00"),
        Member::Link("app/b/package.json", "store/01"),
        Member::Link("app/c/package.json", "app/a/package.json"),
        Member::Link("app/gone/package.json", "store/01"),
        Member::File("app/gone/package.json", b"own"),
    ])
}

#[test]
fn hard_links_in_an_archive_that_passes_were_lost() {
    let store = with_links_to_a_store();
    let top = tar(&[Member::File("app/d/package.json", b"four")]);
    for manifest_first in [true, false] {
        for format in FORMATS.iter().filter(|format| **format != Format::Plain) {
            for layer in [store.clone(), compress(*format, &store)] {
                let archive = docker_archive(&[&top, &layer, &top], manifest_first);
                let file = temp(&compress(*format, &archive));
                let source = Source::Archive(file.path().to_owned());
                let read = read_packages(&source);
                assert_eq!(read.incomplete, []);
                assert_eq!(read.layers[1].visitor.last("app/a/package.json"), "zero");
                assert_eq!(read.layers[1].visitor.last("app/b/package.json"), "one");
                assert_eq!(read.layers[1].visitor.last("app/c/package.json"), "zero");
                assert_eq!(read.layers[1].visitor.last("app/gone/package.json"), "own");
                assert!(read.layers[1].whole);
            }
        }
    }
}

#[test]
fn the_last_of_two_layers_of_one_name_is_read_once_more() {
    let store = with_links_to_a_store();
    let other = tar(&[Member::Link("app/a/package.json", "store/01")]);
    let manifest = br#"[{"Config":"c.json","Layers":["layer.tar"]}]"#;
    let config = config(&[&store]);
    let archive = tar(&[
        Member::File("c.json", config.as_bytes()),
        Member::File("layer.tar", &other),
        Member::File("layer.tar", &store),
        Member::File("manifest.json", manifest),
    ]);
    let file = temp(&compress(Format::Gzip, &archive));
    let read = read_packages(&Source::Archive(file.path().to_owned()));
    assert_eq!(read.layers[0].visitor.last("app/a/package.json"), "zero");
}

#[test]
fn each_hard_link_in_a_stream_was_told_in_a_line_of_its_own() {
    let archive = docker_archive(&[&with_links_to_a_store()], false);
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, mode, 0).unwrap();
    let read = std::thread::scope(|scope| {
        scope.spawn(|| std::fs::write(&pipe, archive).unwrap());
        read_packages(&Source::Archive(pipe.clone()))
    });
    let [told] = &*read.incomplete else {
        panic!("{:?}", read.incomplete);
    };
    let message = "3 hard links could not be read, as their contents had passed in the stream, like \
                   app/a/package.json to store/00; save the image uncompressed ('docker save -o \
                   image.tar') and scan that file";
    assert_eq!(told.message, message);
}

#[test]
fn a_large_bill_of_materials_beside_the_image_ended_the_stream() {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest = br#"[{"Config":"c.json","Layers":["layer.tar"]}]"#;
    let bill = format!("{{\"sbom\":\"{}\"}}", "x".repeat(2000));
    let archive = |manifest: &[u8]| {
        let archive = tar(&[
            Member::File("c.json", config.as_bytes()),
            Member::File("blobs/sha256/aa", bill.as_bytes()),
            Member::File("layer.tar", &layer),
            Member::File("manifest.json", manifest),
        ]);
        compress(Format::Gzip, &archive)
    };
    let options = limited(|l| l.metadata_bytes = 1000);
    let read = read_file(&archive(manifest), &options).unwrap();
    assert_eq!(lines(&read), [["file a size=1 1"]]);
    let error = read_file(&archive(bill.as_bytes()), &options).unwrap_err();
    assert!(
        error.to_string().contains("1000 bytes of metadata"),
        "{error}"
    );
}

#[test]
fn a_stream_full_of_json_made_every_file_wait_for_memory() {
    let layer = tar(&[Member::File("a", b"1")]);
    let mut members: Vec<(String, Vec<u8>)> = (0..200)
        .map(|n| (format!("blobs/{n}"), vec![b'{'; 1000]))
        .collect();
    members.push(("layer.tar".to_owned(), layer));
    let members: Vec<Member<'_>> = members
        .iter()
        .map(|(name, bytes)| Member::File(name, bytes))
        .collect();
    let archive = compress(Format::Gzip, &tar(&members));
    let start = std::time::Instant::now();
    let error = read_file(&archive, &limited(|l| l.held_bytes = 100_000)).unwrap_err();
    assert!(error.to_string().contains("neither manifest"), "{error}");
    assert!(start.elapsed() < std::time::Duration::from_secs(15));
}

#[test]
fn layers_of_every_compression_are_read() {
    let [base, top] = two_layers();
    for format in FORMATS {
        let compressed = compress(*format, &base);
        let archive = docker_archive(&[&compressed, &top], true);
        let read = read_file(&archive, &Options::default()).unwrap();
        let mut found = lines(&read).remove(0);
        if *format != Format::Plain {
            // Hard links' contents come in a second pass.
            let later = found.split_off(7);
            assert_eq!(
                later,
                [
                    "hardlink usr/bin/git-add -> usr/bin/git \u{7f}ELF git",
                    "hardlink usr/bin/git-log -> usr/bin/git \u{7f}ELF git",
                ]
            );
            assert!(found[3].ends_with("(later)"));
            found[3] = BASE[3];
            found[4] = BASE[4];
        }
        assert_eq!(found, BASE, "{format:?}");
        assert_eq!(reasons(&read), [""; 0]);
    }
}

#[test]
fn a_layer_that_was_cut_off_between_two_files_passed_for_the_whole() {
    let layer = tar(&[
        Member::File("a", &[1; 2000]),
        Member::File("b", b"2"),
        Member::File("c", b"3"),
    ]);
    let unmarked = "truncated: it ends without an end marker: it may have been cut off";
    for (bytes, expected) in [
        (&layer[..0], &["truncated: is empty"][..]),
        (&layer[..2560], &[unmarked]),
        // In the padding of a file.
        (&layer[..3200], &[unmarked]),
        (&layer[..3584], &[unmarked]),
        // Some writers end with one block of zeros.
        (&layer[..layer.len() - 512], &[]),
        (&layer, &[]),
    ] {
        for inner in [Format::Plain, Format::Gzip, Format::Zstd] {
            for outer in [Format::Plain, Format::Gzip] {
                let archive = docker_archive(&[&compress(inner, bytes)], true);
                let said_otherwise = archive_of(&layer, &compress(inner, bytes));
                for archive in [archive, said_otherwise] {
                    let read = read_bytes(&compress(outer, &archive), &Options::default()).unwrap();
                    let what = format!("{} {inner:?} {outer:?}", bytes.len());
                    assert_eq!(reasons(&read), expected, "{what}");
                    assert_eq!(read.layers[0].whole, expected.is_empty(), "{what}");
                }
            }
        }
    }
}

/// An archive whose configuration names `named`, with `stored` in its place.
fn archive_of(named: &[u8], stored: &[u8]) -> Vec<u8> {
    let config = config(&[named]);
    let manifest = br#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["l.tar"]}]"#;
    tar(&[
        Member::File("manifest.json", manifest),
        Member::File("c.json", config.as_bytes()),
        Member::File("l.tar", stored),
    ])
}

#[test]
fn what_is_no_image_says_so() {
    for (archive, expected) in [
        (tar(&[Member::File("a", b"b")]), "neither manifest.json"),
        (tar(&[Member::File("repositories", b"{}")]), "before 1.10"),
        (
            tar(&[Member::File("manifest.json", b"[{\"Config\":")]),
            "EOF while parsing",
        ),
        (
            tar(&[Member::File("manifest.json", b"[]")]),
            "holds no image",
        ),
        // A script was called cut off, with the advice to download it again.
        (b"#!/bin/sh\n".to_vec(), "does not begin like an archive"),
        (vec![b'x'; 2000], "does not begin like an archive"),
    ] {
        let error = read_file(&archive, &Options::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn one_of_several_images_is_chosen_by_name() {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest = r#"[
        {"Config":"c","RepoTags":["app:1"],"Layers":["l.tar"]},
        {"Config":"c","RepoTags":["docker.io/library/app:2"],"Layers":["l.tar","gone.tar"]}
    ]"#;
    let archive = tar(&[
        Member::File("c", config.as_bytes()),
        Member::File("l.tar", &layer),
        Member::File("manifest.json", manifest.as_bytes()),
    ]);
    let error = read_file(&archive, &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Usage { .. }));
    assert!(
        error.hint().unwrap().contains("app:1"),
        "{:?}",
        error.hint()
    );
    let file = temp(&archive);
    let source = format!("docker-archive:{}:app:2", file.path().display())
        .parse()
        .unwrap();
    let read = read_source(&source, &Options::default()).unwrap();
    assert_eq!(lines(&read), [vec!["file a size=1 1"], vec![]]);
    assert_eq!(
        reasons(&read),
        [
            "corrupt: the configuration has 1 layers, the manifest 2",
            "unreadable: the manifest names it, but it is not in the archive"
        ]
    );
}
