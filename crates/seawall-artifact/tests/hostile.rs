//! Archives that are damaged or mean harm: an error that says where, and what stands before it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Artifact, Entry, Error, LayerVisitor, Limits, Options, Progress, Source};
use seawall_model::IncompleteReason;
use std::sync::atomic::{AtomicU64, Ordering};
use support::*;

#[test]
fn an_archive_cut_off_anywhere_never_panics() {
    let layer = tar(&[
        Member::File(&"long/".repeat(40), b"x"),
        Member::File("a", b"hello"),
        Member::Link("b", "a"),
    ]);
    for format in [Format::Plain, Format::Gzip, Format::Zstd] {
        let archive = docker_archive(&[&compress(format, &layer)], true);
        for outer in [Format::Plain, Format::Gzip] {
            let archive = compress(outer, &archive);
            // Threads cost time: only what is read without them is cut at every byte.
            let step = match (format, outer) {
                (Format::Plain, Format::Plain) => 1,
                _ => 13,
            };
            for end in (0..archive.len()).step_by(step) {
                if let Ok(read) = read_bytes(&archive[..end], &Options::default()) {
                    let whole = lines(&read)
                        .concat()
                        .iter()
                        .any(|line| line.starts_with("hardlink b"));
                    assert!(
                        whole || !read.incomplete.is_empty(),
                        "{format:?} cut at {end}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_archive_cut_off_before_its_manifest_gave_nothing() {
    let base = tar(&[Member::File("a", b"base"), Member::File("b", b"base")]);
    let top = tar(&[Member::File("a", b"top")]);
    // As Docker saved before version 25: the upper layer may stand first.
    let old = tar(&[
        Member::File("1/json", br#"{"id":"1","parent":"2"}"#),
        Member::File("1/layer.tar", &top),
        Member::File("2/json", br#"{"id":"2"}"#),
        Member::File("2/layer.tar", &base),
        Member::File("manifest.json", b"[]"),
    ]);
    let config = config(&[&base, &top]);
    let digest = |bytes: &[u8]| sha256(bytes).replace(':', "/");
    let layer = |bytes: &[u8]| serde_json::json!({ "digest": sha256(bytes), "size": bytes.len() });
    let manifest = serde_json::json!({
        "config": { "digest": sha256(config.as_bytes()) },
        "layers": [layer(&base), layer(&top)],
    })
    .to_string();
    let mut new = Vec::new();
    for bytes in [manifest.as_bytes(), config.as_bytes(), &base, &top] {
        new.push((format!("blobs/{}", digest(bytes)), bytes));
    }
    new.push(("index.json".to_owned(), b"{}"));
    let new: Vec<Member<'_>> = new
        .iter()
        .map(|(name, bytes)| Member::File(name, bytes))
        .collect();
    let new = tar(&new);
    for (archive, what) in [(&old, "old"), (&new, "new")] {
        for outer in [Format::Plain, Format::Gzip] {
            // The header of the last member is whole, its content is not.
            let cut = compress(outer, &archive[..archive.len() - 1024 - 512]);
            let read = read_bytes(&cut, &Options::default()).unwrap();
            let found = lines(&read);
            assert_eq!(
                found[0],
                ["file a size=4 base", "file b size=4 base"],
                "{what}"
            );
            assert_eq!(found[1], ["file a size=3 top"], "{what}");
            let said = reasons(&read);
            assert!(
                said.concat().contains("the manifest is missing"),
                "{said:?}"
            );
            assert!(read.incomplete[0].offset.is_some(), "{said:?}");
            assert!(!said.concat().contains("digest"), "{said:?}");
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_never_panics() {
    let layer = tar(&[Member::File("a", b"hello"), Member::Link("b", "a")]);
    for format in [Format::Plain, Format::Gzip, Format::Zstd] {
        let archive = docker_archive(&[&compress(format, &layer)], true);
        let step = if format == Format::Plain { 1 } else { 13 };
        for at in (0..archive.len()).step_by(step) {
            let mut broken = archive.clone();
            broken[at] ^= 0x91;
            drop(read_bytes(&broken, &Options::default()));
        }
    }
}

#[test]
fn a_layer_without_an_image_is_read_too() {
    let layer = tar(&[Member::File("a", b"hello")]);
    for format in FORMATS {
        let bytes = compress(*format, &layer);
        let read = Artifact::from_layer_bytes("layer.tar", &bytes, &Options::default())
            .read(&Lines::default, &Quiet)
            .unwrap();
        assert_eq!(lines(&read), [["file a size=5 hello"]]);
        assert_eq!(reasons(&read), [""; 0]);
    }
}

#[test]
fn a_wrong_checksum_ends_the_layer_with_its_offset() {
    let mut layer = tar(&[Member::File("a", b"1"), Member::File("b", b"2")]);
    layer[1024 + 3] ^= 1;
    let read = read_bytes(&docker_archive(&[&layer], true), &Options::default()).unwrap();
    assert_eq!(lines(&read), [["file a size=1 1"]]);
    let incomplete = &read.incomplete[0];
    assert_eq!(incomplete.reason, IncompleteReason::Corrupt);
    assert_eq!(incomplete.offset, Some(1024));
    assert_eq!(incomplete.place, "image.tar!0/layer.tar");
}

/// A tar header with fields of our own.
fn header(name: &str, kind: u8, size: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let raw = header.as_mut_bytes();
    raw[..name.len()].copy_from_slice(name.as_bytes());
    raw[124..124 + size.len()].copy_from_slice(size);
    raw[156] = kind;
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn octal(size: usize) -> Vec<u8> {
    format!("{size:011o}\0").into_bytes()
}

/// A pax header with these records.
fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut len = rest + 1;
        while len != rest + len.to_string().len() {
            len = rest + len.to_string().len();
        }
        text += &format!("{len} {key}={value}\n");
    }
    [
        header("pax", b'x', &octal(text.len())),
        padded(text.as_bytes()),
    ]
    .concat()
}

#[test]
fn layers_of_many_dialects() {
    let file = |name: &str, bytes: &[u8]| {
        [header(name, b'0', &octal(bytes.len())), padded(bytes)].concat()
    };
    let long = "n".repeat(300);
    let long_name = [
        header("././@LongLink", b'L', &octal(301)),
        padded(format!("{long}\0").as_bytes()),
        file("short", b"x"),
    ]
    .concat();
    let cut = "d".repeat(99) + "/";
    let cut_after_slash = [
        header("././@LongLink", b'L', &octal(102)),
        padded(format!("{cut}f\0").as_bytes()),
        file(&cut, b"x"),
    ]
    .concat();
    let sparse_1_0 = [
        pax(&[
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.name", "holes"),
            ("GNU.sparse.realsize", "8"),
        ]),
        header("GNUSparseFile.0/holes", b'0', &octal(515)),
        padded(b"2\n1\n2\n6\n1\n"),
        padded(b"abc"),
    ]
    .concat();
    let mut old_gnu = header("old", b'S', &octal(3));
    old_gnu[386..398].copy_from_slice(&octal(1));
    old_gnu[398..410].copy_from_slice(&octal(3));
    old_gnu[483..495].copy_from_slice(&octal(6));
    old_gnu[148..156].fill(b' ');
    let sum: u32 = old_gnu.iter().map(|byte| u32::from(*byte)).sum();
    old_gnu[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let huge = [
        0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    let cases: Vec<(&str, Vec<u8>, Vec<String>, &str)> = vec![
        (
            "gnu long name",
            long_name,
            vec![format!("file {long} size=1 x")],
            "",
        ),
        (
            "long name whose first hundred bytes end in a slash",
            cut_after_slash,
            vec![format!("file {cut}f size=1 x")],
            "",
        ),
        (
            "pax path and size",
            [
                pax(&[("path", "über/x"), ("size", "2")]),
                header("y", b'0', &octal(0)),
                padded(b"ab"),
            ]
            .concat(),
            vec!["file über/x size=2 ab".to_owned()],
            "",
        ),
        (
            "global header",
            [
                header("g", b'g', &octal(5)),
                padded(b"bogus"),
                file("a", b"1"),
            ]
            .concat(),
            vec!["file a size=1 1".to_owned()],
            "",
        ),
        (
            "sparse 1.0",
            sparse_1_0,
            vec!["file holes size=8 .ab...c.".to_owned()],
            "",
        ),
        (
            "sparse 0.1",
            [
                pax(&[
                    ("GNU.sparse.map", "0,1,3,1"),
                    ("GNU.sparse.size", "5"),
                    ("GNU.sparse.name", "s"),
                ]),
                file("t", b"ab"),
            ]
            .concat(),
            vec!["file s size=5 a..b.".to_owned()],
            "",
        ),
        (
            "sparse 0.0",
            [
                pax(&[
                    ("GNU.sparse.size", "4"),
                    ("GNU.sparse.numblocks", "1"),
                    ("GNU.sparse.offset", "2"),
                    ("GNU.sparse.numbytes", "2"),
                ]),
                file("t", b"ab"),
            ]
            .concat(),
            vec!["file t size=4 ..ab".to_owned()],
            "",
        ),
        (
            "old GNU sparse",
            [old_gnu, padded(b"abc")].concat(),
            vec!["file old size=6 .abc..".to_owned()],
            "",
        ),
        (
            "lone zero block",
            [file("a", b"1"), vec![0; 512], file("b", b"2")].concat(),
            vec!["file a size=1 1".to_owned(), "file b size=1 2".to_owned()],
            "",
        ),
        (
            "directory with a size",
            [header("d", b'5', &octal(4096)), file("a", b"1")].concat(),
            vec!["dir d".to_owned(), "file a size=1 1".to_owned()],
            "",
        ),
        (
            "pax bomb",
            [
                file("a", b"1"),
                header("x", b'x', &octal(2 << 20)),
                vec![b'1'; 2 << 20],
            ]
            .concat(),
            vec!["file a size=1 1".to_owned()],
            "bytes for an extended tar header",
        ),
        (
            "broken pax record",
            [header("x", b'x', &octal(9)), padded(b"99 path=a")].concat(),
            vec![],
            "a record of a pax header is broken",
        ),
        (
            "negative size",
            header("a", b'0', &[0xff; 12]),
            vec![],
            "not a number",
        ),
        (
            "size beyond the end",
            header("a", b'0', &huge),
            vec!["file a size=9223372036854775807 !".to_owned()],
            "",
        ),
        (
            "size that overflows",
            header(
                "a",
                b'0',
                &[
                    0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                ],
            ),
            vec![],
            "not a number",
        ),
        (
            "overlapping sparse parts",
            [
                pax(&[("GNU.sparse.map", "0,2,1,2"), ("GNU.sparse.size", "9")]),
                file("t", b"abcd"),
            ]
            .concat(),
            vec![],
            "overlap",
        ),
        (
            "link to itself",
            [header("a", b'1', &octal(0)), file("b", b"2")].concat(),
            vec!["hardlink a -> ".to_owned(), "file b size=1 2".to_owned()],
            "",
        ),
    ];
    for (what, layer, expected, problem) in cases {
        for format in [Format::Plain, Format::Gzip] {
            let archive = docker_archive(&[&compress(format, &layer)], true);
            let read = read_bytes(&archive, &Options::default()).unwrap();
            let found = lines(&read).remove(0);
            assert_eq!(found.len(), expected.len(), "{what}: {found:?}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!(found.starts_with(expected), "{what}: {found}");
            }
            if !problem.is_empty() {
                assert!(
                    reasons(&read).concat().contains(problem),
                    "{what}: {:?}",
                    read.incomplete
                );
            }
        }
    }
}

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

/// Offsets of the archive's own headers, with their names.
fn headers(archive: &[u8]) -> Vec<(usize, String)> {
    let mut reader = tar::Archive::new(archive);
    let entries = reader.entries().unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            (entry.raw_header_position() as usize, name)
        })
        .collect()
}

#[test]
fn a_damaged_header_before_the_manifest_cost_the_whole_image() {
    // What stands in a layer looks like files of the archive.
    let base = tar(&[
        Member::File("a", b"base"),
        Member::File("manifest.json", br#"[{"Config":"c","Layers":["a"]}]"#),
        Member::File(
            "1/layer.tar",
            &tar(&[Member::File("c", b"of another image")]),
        ),
        Member::File("config.json", b"{}"),
    ]);
    let top = tar(&[Member::File("b", b"top")]);
    let archive = docker_archive(&[&base, &top], false);
    type Damage = fn(&mut [u8]);
    let kinds: [(&str, Damage); 4] = [
        ("a flipped bit", |header| header[3] ^= 1),
        ("a wrong size", |header| {
            header[124..136].copy_from_slice(b"00000000777\0")
        }),
        ("noise", |header| header.fill(0xa5)),
        ("zeros", |header| header.fill(0)),
    ];
    for (at, name) in headers(&archive) {
        for (kind, damage) in &kinds {
            let mut damaged = archive.clone();
            damage(&mut damaged[at..at + 512]);
            for outer in [Format::Plain, Format::Gzip] {
                let what = format!("{kind} in {name}, {outer:?}");
                let read = read_bytes(&compress(outer, &damaged), &Options::default());
                if name == "manifest.json" {
                    let error = read.unwrap_err();
                    assert!(error.to_string().contains("is damaged"), "{what}: {error}");
                    assert!(error.hint().is_some(), "{what}");
                    continue;
                }
                let read = read.unwrap_or_else(|error| panic!("{what}: {error}"));
                let found = lines(&read);
                let lost = |layer: &str| name == layer;
                assert_eq!(found.len(), 2, "{what}");
                assert_eq!(
                    found[0].is_empty(),
                    lost("0/layer.tar"),
                    "{what}: {found:?}"
                );
                let of_top: &[&str] = match lost("1/layer.tar") {
                    true => &[],
                    false => &["file b size=3 top"],
                };
                assert_eq!(found[1], of_top, "{what}");
                let told = read.incomplete.iter().find(|told| told.offset.is_some());
                let told = told.unwrap_or_else(|| panic!("{what}: {:?}", read.incomplete));
                assert_eq!(told.offset, Some(at as u64), "{what}");
                assert_eq!(read.image.unwrap().tags, ["app:1"], "{what}");
            }
        }
    }
}

#[test]
fn what_follows_two_damaged_headers_is_not_guessed() {
    let layer = tar(&[Member::File("a", b"1")]);
    let archive = docker_archive(&[&layer, &layer, &layer], false);
    let mut damaged = archive.clone();
    for (at, name) in headers(&archive) {
        if ["0/layer.tar", "2/layer.tar"].contains(&name.as_str()) {
            damaged[at] ^= 1;
        }
    }
    let read = read_bytes(&damaged, &Options::default()).unwrap();
    let found: Vec<bool> = lines(&read).iter().map(|lines| !lines.is_empty()).collect();
    // The one in between cannot be told from a file of a layer.
    assert_eq!(found, [false, false, false]);
    assert!(!read.incomplete.is_empty());
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

/// A header as given, of a name, a type and a size field, and content.
fn raw_member(
    name: &[u8],
    kind: u8,
    size: &[u8],
    content: &[u8],
    change: fn(&mut [u8]),
) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    let raw = header.as_mut_bytes();
    raw[..name.len()].copy_from_slice(name);
    raw[124..124 + size.len()].copy_from_slice(size);
    raw[156] = kind;
    change(raw);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Go's `archive/tar`, which container runtimes unpack with, finds `seen` in each of these; other
/// readers find something else.
#[test]
fn files_that_a_runtime_unpacks_were_not_seen() {
    let same: fn(&mut [u8]) = |_| {};
    let inner = tar(&[Member::File("hidden", b"h")]);
    let size = |bytes: &[u8]| format!("{:011o}\0", bytes.len()).into_bytes();
    let pax = |records: &[(&str, &str)]| {
        let mut text = String::new();
        for (key, value) in records {
            let len = key.len() + value.len() + 3;
            let len = (len..).find(|n| n.to_string().len() + len == *n).unwrap();
            text += &format!("{len} {key}={value}\n");
        }
        let bytes = text.into_bytes();
        raw_member(b"pax", b'x', &size(&bytes), &bytes, same)
    };
    let long = |name: &[u8]| raw_member(b"long", b'L', &size(name), name, same);
    let seen = |name: &[u8]| raw_member(name, b'0', b"00000000001\0", b"s", same);
    let with = |parts: &[Vec<u8>]| {
        let mut bytes = parts.concat();
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    };
    for (what, layer) in [
        (
            "a size that begins with NUL",
            with(&[
                raw_member(b"a", b'0', b"\x0000000002000", &inner[..1024], same),
                seen(b"seen"),
            ]),
        ),
        (
            "a file with a slash behind its name",
            with(&[
                raw_member(b"a/", b'0', b"00000002000\0", &inner[..1024], same),
                seen(b"seen"),
            ]),
        ),
        (
            "a long name beside a pax path",
            with(&[pax(&[("path", "other")]), long(b"seen"), seen(b"x")]),
        ),
        (
            "two pax headers",
            with(&[
                pax(&[("path", "other")]),
                pax(&[("comment", "c")]),
                seen(b"seen"),
            ]),
        ),
        (
            "a long name before a global header",
            with(&[
                long(b"other"),
                raw_member(b"g", b'g', b"00000000000\0", b"", same),
                seen(b"seen"),
            ]),
        ),
        (
            "a header of a type that Go does not know",
            with(&[
                raw_member(b"p", b'X', b"00000000014\0", b"12 path=b/c\n", same),
                seen(b"seen"),
            ]),
        ),
        (
            "a sparse file of an unknown version",
            with(&[
                pax(&[
                    ("GNU.sparse.major", "2"),
                    ("GNU.sparse.map", "0,1"),
                    ("GNU.sparse.name", "other"),
                ]),
                seen(b"seen"),
            ]),
        ),
        (
            "the prefix of star",
            with(&[raw_member(b"seen", b'0', b"00000000001\0", b"s", |raw| {
                raw[508..512].copy_from_slice(b"tar\0");
                raw[476] = b'1';
                raw[345] = b'd';
            })]),
        ),
        (
            "a prefix in the place of GNU's times",
            with(&[raw_member(b"seen", b'0', b"00000000001\0", b"s", |raw| {
                raw[257..265].copy_from_slice(b"ustar  \0");
                raw[345] = b'd';
            })]),
        ),
        (
            "a prefix where one of GNU's times is too large",
            with(&[raw_member(b"seen", b'0', b"00000000001\0", b"s", |raw| {
                raw[257..265].copy_from_slice(b"ustar  \0");
                raw[345] = b'7';
                raw[357] = 0x80;
                raw[358..369].fill(0xff);
            })]),
        ),
        (
            "an empty long name",
            with(&[long(b""), long(b"\0"), seen(b"seen")]),
        ),
        (
            "a directory by its prefix alone, with a size",
            with(&[raw_member(
                b"",
                0,
                b"00000002000\0",
                &seen(b"seen"),
                |raw| raw[345] = b'd',
            )]),
        ),
        (
            "no parts of a sparse file, nor a map",
            with(&[
                pax(&[("GNU.sparse.numblocks", "0"), ("GNU.sparse.size", "0")]),
                seen(b"seen"),
            ]),
        ),
        (
            "an empty map of a sparse file",
            with(&[pax(&[("GNU.sparse.map", "")]), seen(b"seen")]),
        ),
        (
            "a map behind the parts of a sparse file",
            with(&[
                pax(&[
                    ("GNU.sparse.numblocks", "1"),
                    ("GNU.sparse.offset", "0"),
                    ("GNU.sparse.numbytes", "1"),
                    ("GNU.sparse.size", "1"),
                    ("GNU.sparse.map", "0,0"),
                ]),
                seen(b"seen"),
            ]),
        ),
        (
            "an empty name of a sparse file",
            with(&[
                pax(&[
                    ("GNU.sparse.name", ""),
                    ("GNU.sparse.numblocks", "1"),
                    ("GNU.sparse.map", "0,1"),
                ]),
                seen(b"seen"),
            ]),
        ),
        (
            "an empty version of a sparse file",
            with(&[
                pax(&[
                    ("GNU.sparse.major", ""),
                    ("GNU.sparse.name", "seen"),
                    ("GNU.sparse.numblocks", "1"),
                    ("GNU.sparse.map", "0,1"),
                ]),
                seen(b"other"),
            ]),
        ),
    ] {
        let read = read_file(&docker_archive(&[&layer], true), &Options::default()).unwrap();
        let found = lines(&read).concat();
        let expected = ["seen", "d/seen", "7/seen"].map(|name| format!("file {name} size=1 s"));
        assert!(
            expected.iter().any(|line| found.contains(&line.as_str())),
            "{what}: {found:?}"
        );
        assert!(
            !found.iter().any(|line| line.starts_with("file hidden")),
            "{what}: {found:?}"
        );
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

#[test]
fn a_layer_stored_as_a_sparse_file_was_read_without_its_holes() {
    let b = [header("b", b'0', &octal(1)), padded(b"2"), vec![0; 1024]].concat();
    let a = header("a", b'0', &octal(1024));
    let layer = [&a, &vec![0; 1024], &b].map(|it| &**it).concat();
    // Without the hole, `b` would be the content of `a`.
    let stored = [&*a, &*b].concat();
    let config = config(&[&layer]);
    let archive = [
        pax(&[
            ("GNU.sparse.map", &format!("0,512,1536,{}", b.len())),
            ("GNU.sparse.numblocks", "2"),
            ("GNU.sparse.size", &layer.len().to_string()),
        ]),
        header("layer.tar", b'0', &octal(stored.len())),
        padded(&stored),
        tar(&[
            Member::File("c.json", config.as_bytes()),
            Member::File(
                "manifest.json",
                br#"[{"Config":"c.json","Layers":["layer.tar"]}]"#,
            ),
        ]),
    ]
    .concat();
    let read = read_bytes(&archive, &Options::default()).unwrap();
    assert_eq!(lines(&read).concat()[1], "file b size=1 2");
    assert_eq!(reasons(&read), [""; 0]);
    let passing = compress(Format::Gzip, &archive);
    let read = read_bytes(&passing, &Options::default()).unwrap();
    let said = reasons(&read).concat();
    assert!(said.contains("layer.tar is a sparse file"), "{said}");
}

#[test]
fn names_that_are_no_text_fell_together() {
    let layer = [
        raw_member(b"x\xff/a", b'0', b"00000000001\0", b"1", |_| {}),
        raw_member(b"x\xfe/a", b'0', b"00000000001\0", b"2", |_| {}),
        raw_member(
            "x\u{fffd}/a".as_bytes(),
            b'0',
            b"00000000001\0",
            b"3",
            |_| {},
        ),
        raw_member(b".wh.x\xfd", b'0', b"00000000000\0", b"", |_| {}),
        raw_member(b"link", b'2', b"00000000000\0", b"", |raw| raw[157] = 0xff),
    ];
    let read = read_bytes(
        &docker_archive(&[&layer.concat()], true),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(
        lines(&read).concat(),
        [
            "file x\u{fffd}ff/a size=1 1",
            "file x\u{fffd}fe/a size=1 2",
            "file x\u{fffd}\u{fffd}/a size=1 3",
            "whiteout x\u{fffd}fd",
            "symlink link -> \u{fffd}ff",
        ]
    );
}

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
fn what_is_wrong_behind_the_last_file_of_a_compressed_archive_was_not_told() {
    let layer = tar(&[Member::File("a", b"1")]);
    let archive = docker_archive(&[&layer], true);
    for bytes in damaged_behind(&archive) {
        let read = read_bytes(&bytes, &Options::default()).unwrap();
        assert_eq!(lines(&read), [["file a size=1 1"]]);
        assert_eq!(reasons(&read).len(), 1, "{:?}", reasons(&read));
        assert!(read.incomplete[0].place.ends_with("!end"));
    }
}

/// The bytes before the damage came once more behind it, and then the end as of a whole archive.
#[test]
fn an_archive_went_on_behind_the_damage_that_ended_it() {
    let layer = tar(&[Member::File("a", b"1")]);
    let mut archive = docker_archive(&[&layer], true);
    let (at, _) = headers(&archive)[1];
    archive[at] ^= 1;
    for (flipped, expected) in [(0, &["file a size=1 1"][..]), (1, &[])] {
        let mut bytes = compress(Format::Gzip, &archive);
        let checksum = bytes.len() - 6;
        bytes[checksum] ^= flipped;
        let read = read_bytes(&bytes, &Options::default()).unwrap();
        assert_eq!(lines(&read), [expected]);
        assert!(!read.incomplete.is_empty());
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
