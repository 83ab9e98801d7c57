//! Archives that are cut off or damaged: an error that says where, and what stands before it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Artifact, Options};
use seawall_model::IncompleteReason;
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
