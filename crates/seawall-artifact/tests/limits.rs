//! Archives that ask for too much: caps that are told, and the rest is read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Artifact, Entry, Error, LayerVisitor, Limits, Options, Progress, Source};
use std::sync::atomic::{AtomicU64, Ordering};
use support::raw::*;
use support::*;

#[test]
fn every_limit_is_told_and_the_rest_is_read() {
    let layer = tar(&[
        Member::File("small", b"1"),
        Member::File("large", &[b'x'; 5000]),
        Member::File("more", b"2"),
    ]);
    let plain = docker_archive(&[&layer], true);
    let gzip = docker_archive(&[&compress(Format::Gzip, &layer)], true);
    let three = docker_archive(&[&layer, &layer, &layer], true);
    let gzip_layer = compress(Format::Gzip, &layer);
    let three_gzip = docker_archive(&[&gzip_layer, &gzip_layer, &gzip_layer], true);
    let zeros = tar(&[
        Member::File("zeros", &vec![0; 10 << 20]),
        Member::File("b", b"1"),
    ]);
    let bomb = docker_archive(&[&compress(Format::Zstd, &zeros)], true);
    type Change = fn(&mut Limits);
    // Archive, limit, entries seen, what is said of it (by the layer or by the content).
    let cases: &[(&[u8], Change, usize, &str)] = &[
        (&gzip, |l| l.file_bytes = 4000, 3, "4000 bytes of one file"),
        (
            &gzip,
            |l| l.held_bytes = 4000,
            3,
            "4000 bytes of files held",
        ),
        (
            &gzip,
            |l| l.layer_bytes = 3000,
            2,
            "3000 uncompressed bytes",
        ),
        (
            &plain,
            |l| l.layer_bytes = 3000,
            2,
            "3000 uncompressed bytes",
        ),
        (&gzip, |l| l.entries = 2, 2, "2 entries"),
        (&plain, |l| l.entries = 2, 2, "2 entries"),
        (&three, |l| l.layers = 2, 6, "limit of 2 layers"),
        // Each layer is within the limit, all together are not.
        (&three, |l| l.entries = 5, 5, "5 entries"),
        (
            &three_gzip,
            |l| l.image_bytes = 20_000,
            8,
            "20000 uncompressed bytes of all layers",
        ),
        (
            &bomb,
            |l| (l.ratio, l.ratio_free_bytes) = (10, 1 << 20),
            1,
            "10 uncompressed bytes for each",
        ),
    ];
    for (archive, change, entries, expected) in cases {
        let read = read_bytes(archive, &limited(change)).unwrap();
        let lines = lines(&read).concat();
        assert_eq!(
            lines.len(),
            *entries,
            "{expected}: {lines:?} {:?}",
            read.incomplete
        );
        let said = lines.concat() + &reasons(&read).concat();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let error = read_bytes(&plain, &limited(|l| l.metadata_bytes = 20)).unwrap_err();
    assert!(
        error.to_string().contains("20 bytes of metadata"),
        "{error}"
    );
}

#[test]
fn a_limit_of_the_stream_was_taken_for_one_of_the_file() {
    let layer = tar(&[
        Member::File("zeros", &vec![0; 10 << 20]),
        Member::File("behind", b"1"),
    ]);
    let bomb = docker_archive(&[&compress(Format::Zstd, &layer)], true);
    let options = limited(|l| (l.ratio, l.ratio_free_bytes) = (10, 1 << 20));
    let file = temp(&bomb);
    let taken = std::sync::Mutex::new(Vec::new());
    struct Takes<'a>(&'a std::sync::Mutex<Vec<Error>>);
    impl LayerVisitor for Takes<'_> {
        fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
            if let Err(error) = entry.content() {
                self.0.lock().unwrap().push(error);
            }
            Ok(())
        }
    }
    let artifact = Artifact::open(&Source::Archive(file.path().to_owned()), &options).unwrap();
    artifact.read(&|| Takes(&taken), &Quiet).unwrap();
    let taken = taken.into_inner().unwrap();
    assert!(matches!(taken[..], [Error::Limit { .. }]), "{taken:?}");
}

#[test]
fn links_between_files_of_the_archive_do_not_go_in_circles() {
    let archive = tar(&[
        Member::Symlink("manifest.json", "b"),
        Member::Symlink("b", "manifest.json"),
    ]);
    assert!(read_bytes(&archive, &Options::default()).is_err());
}

#[test]
fn progress_adds_up_to_the_total() {
    #[derive(Default)]
    struct Sum {
        total: AtomicU64,
        done: AtomicU64,
    }
    impl Progress for Sum {
        fn total(&self, bytes: u64) {
            self.total.fetch_add(bytes, Ordering::Relaxed);
        }
        fn advance(&self, bytes: u64) {
            self.done.fetch_add(bytes, Ordering::Relaxed);
        }
    }
    let layer = tar(&[Member::File("large", &vec![b'x'; 9 << 20])]);
    let gzip = compress(Format::Gzip, &layer);
    let archive = docker_archive(&[&layer, &gzip], true);
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a/image.tar", &archive);
    let zst = write(
        directory.path(),
        "image.tar.zst",
        &compress(Format::Zstd, &archive),
    );
    for source in [
        Source::Archive(file),
        Source::Archive(zst),
        Source::Directory(directory.path().to_owned()),
    ] {
        let sum = Sum::default();
        Artifact::open(&source, &Options::default())
            .unwrap()
            .read(&Lines::default, &sum)
            .unwrap();
        let (total, done) = (sum.total.into_inner(), sum.done.into_inner());
        assert!(total > 0);
        assert_eq!(total, done, "{source}");
    }
}

#[test]
fn names_of_a_megabyte_each_filled_the_memory() {
    let names: Vec<String> = (0..70)
        .map(|n| format!("{n}/{}y", "x/".repeat(500_000)))
        .collect();
    let members: Vec<Member<'_>> = names.iter().map(|name| Member::File(name, b"")).collect();
    let archive = tar(&members);
    for bytes in [compress(Format::Zstd, &archive), archive] {
        let error = read_file(&bytes, &Options::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("bytes of file names"), "{error}");
    }
}

#[test]
fn names_longer_than_any_system_has_were_kept_by_the_thousands() {
    let path = |len: usize| "x/".repeat(len / 2) + "y";
    let (longest, long) = (path(4094), path(4096));
    let detour = "x/../".repeat(2_000) + "z";
    let mut layer = [pax(&[("path", &detour)]), header("", b'0', b"0")].concat();
    layer.extend(tar(&[
        Member::File(&long, b"1"),
        Member::Symlink("long", &long),
        Member::File(&longest, b"2"),
    ]));
    for format in FORMATS {
        let archive = docker_archive(&[&compress(*format, &layer)], true);
        let read = read_bytes(&archive, &Options::default()).unwrap();
        let longest = format!("file {longest} size=1 2");
        assert_eq!(lines(&read), [["file z size=0 ", &longest]], "{format:?}");
        let told = "limit-reached: files with names of more than 4095 bytes are not read";
        assert_eq!(reasons(&read), [told], "{format:?}");
        assert!(!read.layers[0].whole);
    }
}
