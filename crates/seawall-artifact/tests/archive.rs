//! Files in archives in archives, as advisory feeds come.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Limits, archive};
use std::io::Write;
use std::path::{Path, PathBuf};
use support::*;

/// What is found in `path`: `name=content`, with the directory cut off, and what is not read.
fn each(path: &Path, limits: &Limits) -> (Vec<String>, Vec<String>) {
    let root = path.parent().unwrap().display().to_string() + "/";
    let mut found = Vec::new();
    let incomplete = archive::each_file(path, limits, &mut |name, bytes| {
        let text = String::from_utf8_lossy(bytes);
        found.push(format!("{}={text}", name.replace(&root, "")));
    })
    .unwrap();
    let incomplete = incomplete
        .iter()
        .map(|incomplete| incomplete.to_string().replace(&root, ""))
        .collect();
    (found, incomplete)
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn files_are_found_wherever_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("feeds");
    let inner = tar(&[
        Member::Dir("osv/"),
        Member::File("osv/a.json", b"A"),
        Member::File("osv/b.json.gz", &compress(Format::Gzip, b"B")),
        Member::File("deep.zip", &zip(&[("c.json", b"C"), ("../d.json", b"D")])),
        Member::Symlink("link", "/etc/passwd"),
    ]);
    for (format, suffix) in [
        (Format::Plain, ""),
        (Format::GzipMembers, ".gz"),
        (Format::ZstdFrames, ".zst"),
        (Format::Xz, ".xz"),
        (Format::Bzip2, ".bz2"),
    ] {
        write(
            &root,
            &format!("x{suffix}/f.tar{suffix}"),
            &compress(format, &inner),
        );
    }
    write(
        &root,
        "all.zip",
        &zip(&[("n/e.jsonl.bz2", &compress(Format::Bzip2, b"E"))]),
    );
    write(&root, "kev.csv", b"K");
    write(
        &root,
        "t.tgz",
        &compress(Format::Gzip, &tar(&[Member::File("f", b"F")])),
    );
    write(
        &root,
        "zipped.zst",
        &compress(Format::Zstd, &zip(&[("z", b"Z")])),
    );
    std::os::unix::fs::symlink("/etc/passwd", root.join("passwd")).unwrap();
    let (found, incomplete) = each(&root, &Limits::default());
    let mut expected = vec![
        "feeds/all.zip!n/e.jsonl=E".to_owned(),
        "feeds/kev.csv=K".to_owned(),
        "feeds/t.tar!f=F".to_owned(),
        "feeds/zipped!z=Z".to_owned(),
    ];
    for suffix in ["", ".bz2", ".gz", ".xz", ".zst"] {
        for (name, content) in [
            ("osv/a.json", "A"),
            ("osv/b.json", "B"),
            ("deep.zip!c.json", "C"),
            ("deep.zip!d.json", "D"),
        ] {
            expected.push(format!("feeds/x{suffix}/f.tar!{name}={content}"));
        }
    }
    assert_eq!(found, expected);
    assert_eq!(incomplete, [""; 0]);
}

#[test]
fn files_before_the_damage_are_given() {
    let archive = tar(&[Member::File("a", b"A"), Member::File("b", &[b'B'; 2000])]);
    let cut = &archive[..512 + 512 + 512 + 700];
    let file = temp(&compress(Format::Zstd, cut));
    let (found, incomplete) = each(file.path(), &Limits::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("!a=A"));
    assert!(incomplete[0].contains("ends too early"), "{incomplete:?}");

    let compressed = compress(Format::Gzip, &archive);
    let file = temp(&compressed[..compressed.len() - 12]);
    let (found, incomplete) = each(file.path(), &Limits::default());
    assert_eq!(found.len(), 2);
    assert!(incomplete[0].contains("ends too early"), "{incomplete:?}");
}

#[test]
fn the_whole_lines_of_a_file_that_was_cut_off_were_lost() {
    let lines: String = (0..60_000_u64).map(|n| format!("{}\n", n.pow(2))).collect();
    let directory = tempfile::tempdir().unwrap();
    for (format, suffix) in [(Format::Gzip, "gz"), (Format::Zstd, "zst")] {
        for (name, is_given) in [("a.jsonl", true), ("a.csv", true), ("a.json", false)] {
            let packed = compress(format, lines.as_bytes());
            let path = directory.path().join(format!("{name}.{suffix}"));
            std::fs::write(&path, &packed[..packed.len() - 5]).unwrap();
            let (found, incomplete) = each(&path, &Limits::default());
            assert!(incomplete[0].contains("ends too early"), "{incomplete:?}");
            assert_eq!(found.len(), usize::from(is_given), "{path:?}");
            for file in found {
                let (_, given) = file.split_once('=').unwrap();
                assert!(
                    lines.starts_with(given) && given.ends_with('\n'),
                    "{path:?}"
                );
            }
        }
    }
}

#[test]
fn every_limit_is_told() {
    let layers = compress(
        Format::Gzip,
        &tar(&[
            Member::File("small", b"1"),
            Member::File("large", &[b'x'; 5000]),
            Member::File("more", b"2"),
        ]),
    );
    let nested = zip(&[("1.zip", &zip(&[("2.zip", &zip(&[("deep", b"3")]))]))]);
    let zeros = compress(Format::Zstd, &vec![0; 70 << 20]);
    type Change = fn(&mut Limits);
    let cases: &[(&[u8], Change, usize, &str)] = &[
        (
            &layers,
            |l| l.file_bytes = 4000,
            2,
            "4000 bytes of one file",
        ),
        (
            &layers,
            |l| l.held_bytes = 4000,
            2,
            "4000 bytes of files held",
        ),
        (
            &layers,
            |l| l.layer_bytes = 3000,
            1,
            "3000 uncompressed bytes",
        ),
        (&layers, |l| l.entries = 2, 2, "2 files"),
        (
            &layers,
            |l| l.nesting = 1,
            0,
            "1 archives inside each other",
        ),
        (
            &nested,
            |l| l.nesting = 2,
            0,
            "2 archives inside each other",
        ),
        (&nested, |_| {}, 1, ""),
        (
            &zeros,
            |l| (l.ratio, l.ratio_free_bytes) = (100, 1 << 20),
            0,
            "100 uncompressed bytes for each",
        ),
        (
            &[b'x'; 100],
            |l| l.file_bytes = 99,
            0,
            "99 bytes of one file",
        ),
    ];
    for (bytes, change, count, expected) in cases {
        let mut limits = Limits::default();
        change(&mut limits);
        let (found, incomplete) = each(temp(bytes).path(), &limits);
        assert_eq!(found.len(), *count, "{expected}: {incomplete:?}");
        match expected.is_empty() {
            true => assert_eq!(incomplete, [""; 0]),
            false => assert!(incomplete[0].contains(expected), "{incomplete:?}"),
        }
    }
}

#[test]
fn the_feed_samples_are_read() {
    let data = std::env::var_os("SEAWALL_DATA")
        .map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    let advisories = data.join("advisories");
    if !advisories.exists() {
        println!("skipped: no advisories at {}", advisories.display());
        return;
    }
    let mut files = 0;
    let mut bytes = 0;
    let limits = Limits {
        file_bytes: 1 << 30,
        held_bytes: 3 << 30,
        ..Limits::default()
    };
    let incomplete = archive::each_file(&advisories, &limits, &mut |_, content| {
        files += 1;
        bytes += content.len();
    })
    .unwrap();
    assert!(files > 1000, "{files}");
    println!("{files} files, {bytes} bytes, not read: {incomplete:?}");
}
