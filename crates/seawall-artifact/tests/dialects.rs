//! Dialects of tar, and what runtimes make of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::Options;
use support::raw::*;
use support::*;

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
