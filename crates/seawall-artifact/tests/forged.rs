//! Images that say of themselves what they are not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Claims, Options, ReadArtifact, Verify, chain_ids};
use std::sync::Arc;
use support::*;

fn relying_on(digests: &[&str], chain_ids: &[&str]) -> Options {
    let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    Options {
        verify: Verify::Claims(Arc::new(Claims {
            digests: owned(digests),
            chain_ids: owned(chain_ids),
        })),
        ..Options::default()
    }
}

fn everything() -> Options {
    Options {
        verify: Verify::Everything,
        ..Options::default()
    }
}

fn verified(read: &ReadArtifact<Lines>) -> Vec<bool> {
    read.layers.iter().map(|layer| layer.verified).collect()
}

/// A `docker save` archive with the configuration of `named` and the layers `stored`.
fn archive(named: &[&[u8]], stored: &[&[u8]]) -> Vec<u8> {
    let config = config(named);
    let names: Vec<_> = (0..stored.len()).map(|n| format!("{n}.tar")).collect();
    let manifest = serde_json::json!([{ "Config": "c.json", "Layers": names }]).to_string();
    let mut members = vec![
        Member::File("manifest.json", manifest.as_bytes()),
        Member::File("c.json", config.as_bytes()),
    ];
    for (name, layer) in names.iter().zip(stored) {
        members.push(Member::File(name, layer));
    }
    tar(&members)
}

#[test]
fn a_forged_layer_passed_for_the_one_that_the_configuration_names() {
    let base = tar(&[Member::File("etc/os-release", b"ID=debian")]);
    let top = tar(&[Member::File("app", b"1")]);
    let evil = tar(&[Member::File("app", b"2")]);
    let chain = chain_ids([&*sha256(&base), &*sha256(&top)]);
    let digest = sha256(config(&[&base, &top]).as_bytes());
    for (options, hashed) in [
        (Options::default(), 0),
        (relying_on(&["sha256:other"], &[]), 0),
        (relying_on(&[&digest], &[]), 2),
        (relying_on(&[], &[&chain[0]]), 1),
        (relying_on(&[], &[&chain[1]]), 2),
        (everything(), 2),
    ] {
        for format in FORMATS {
            check_forged([&base, &top, &evil], *format, &options, hashed);
        }
    }
}

/// Reads the image of `base` and `top`, and the one that has `evil` in the place of `top`, of which
/// so many layers are to be hashed.
fn check_forged([base, top, evil]: [&[u8]; 3], format: Format, options: &Options, hashed: usize) {
    for stored in [[base, top], [base, evil]] {
        let is_forged = stored[1] == evil;
        let compressed = stored.map(|layer| compress(format, layer));
        let by_layer = archive(&[base, top], &[&compressed[0], &compressed[1]]);
        let as_stream = compress(format, &archive(&[base, top], &stored));
        for (bytes, streamed) in [(by_layer, false), (as_stream, format != Format::Plain)] {
            // Of a stream it shows too late which of its layers somebody relies on.
            let asked = options.verify != Verify::Nothing;
            let hashed = if streamed && asked { 2 } else { hashed };
            let read = read_file(&bytes, options).unwrap();
            let expected = [hashed > 0, hashed > 1 && !is_forged];
            assert_eq!(verified(&read), expected, "{format:?}");
            let told = reasons(&read);
            assert_eq!(told.len(), usize::from(hashed > 1 && is_forged), "{told:?}");
            let named = |it: &String| it.contains("corrupt: the configuration names it sha256:");
            assert!(told.iter().all(named), "{told:?}");
        }
    }
}

#[test]
fn a_layer_that_was_cut_off_is_not_verified() {
    let layer = tar(&[Member::File("a", b"1"), Member::File("b", &[7; 4096])]);
    let cut = &layer[..2000];
    for bytes in [cut.to_vec(), compress(Format::Gzip, cut)] {
        let read = read_file(&archive(&[&layer], &[&bytes]), &everything()).unwrap();
        assert_eq!(verified(&read), [false]);
        assert!(!reasons(&read).is_empty());
    }
}

#[test]
fn what_stands_behind_the_end_of_a_layer_is_hashed_too() {
    let layer = tar(&[Member::File("a", b"1")]);
    let mut longer = layer.clone();
    longer.extend([0; 20_000]);
    for format in FORMATS {
        let stored = compress(*format, &longer);
        let read = read_file(&archive(&[&longer], &[&stored]), &everything()).unwrap();
        assert_eq!(verified(&read), [true], "{format:?}");
        let read = read_file(&archive(&[&layer], &[&stored]), &everything()).unwrap();
        assert_eq!(verified(&read), [false], "{format:?}");
    }
}

#[test]
fn an_empty_layer_that_occurred_twice_in_a_stream_was_missing_the_second_time() {
    let base = tar(&[Member::File("a", b"1")]);
    let empty = vec![0; 1024];
    let config = config(&[&base, &empty, &base, &empty]);
    let manifest = br#"[{"Config":"c.json","Layers":["a.tar","e.tar","a.tar","e.tar"]}]"#;
    let saved = tar(&[
        Member::File("c.json", config.as_bytes()),
        Member::File("a.tar", &base),
        Member::File("e.tar", &empty),
        Member::File("manifest.json", manifest),
    ]);
    for bytes in [saved.clone(), compress(Format::Zstd, &saved)] {
        let read = read_file(&bytes, &everything()).unwrap();
        assert_eq!(reasons(&read), [""; 0]);
        assert_eq!(verified(&read), [true; 4]);
        assert_eq!(lines(&read)[2], ["file a size=1 1"]);
    }
}

#[test]
fn a_layout_had_the_digest_of_a_manifest_that_was_not_in_it() {
    let layer = tar(&[Member::File("a", b"1")]);
    let blob = |bytes: &[u8]| sha256(bytes).replace("sha256:", "blobs/sha256/");
    let config = config(&[&layer]);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": { "digest": sha256(config.as_bytes()) },
        "layers": [{ "digest": sha256(&layer) }],
    })
    .to_string();
    let digest = sha256(manifest.as_bytes());
    let index = serde_json::json!({ "manifests": [{ "digest": digest }] }).to_string();
    let other_config = config.replace("blue", "red!");
    let other_manifest = format!("{manifest} ");
    for (manifest_bytes, config_bytes, expected) in [
        (&manifest, &config, Some(&*digest)),
        (&other_manifest, &config, None),
        (&manifest, &other_config, None),
    ] {
        let layout = tar(&[
            Member::File("index.json", index.as_bytes()),
            Member::File(&blob(manifest.as_bytes()), manifest_bytes.as_bytes()),
            Member::File(&blob(config.as_bytes()), config_bytes.as_bytes()),
            Member::File(&blob(&layer), &layer),
        ]);
        let read = read_file(&layout, &everything()).unwrap();
        assert_eq!(read.image.as_ref().unwrap().digest.as_deref(), expected);
        assert_eq!(read.incomplete.is_empty(), expected.is_some());
        assert_eq!(verified(&read), [true]);
    }
}

#[test]
fn a_digest_of_an_unknown_kind_was_taken_for_checked_in_silence() {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest = serde_json::json!({
        "config": { "digest": "blake3:aa" },
        "layers": [{ "digest": sha256(&layer) }],
    })
    .to_string();
    let digest = sha256(manifest.as_bytes());
    let index = serde_json::json!({ "manifests": [{ "digest": digest }] }).to_string();
    let blob = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
    let layout = tar(&[
        Member::File("index.json", index.as_bytes()),
        Member::File(&blob(&digest), manifest.as_bytes()),
        Member::File("blobs/blake3/aa", config.as_bytes()),
        Member::File(&blob(&sha256(&layer)), &layer),
    ]);
    let read = read_file(&layout, &Options::default()).unwrap();
    assert_eq!(lines(&read), [["file a size=1 1"]]);
    assert!(
        reasons(&read)[0].contains("not checked"),
        "{:?}",
        reasons(&read)
    );
    assert_eq!(read.image.unwrap().digest, None);
}

/// The reason that is given for an archive of these members, none of whose layers is verified.
fn doubted(members: &[Member<'_>]) -> String {
    let mut told = Vec::new();
    let plain = tar(members);
    for bytes in [compress(Format::Gzip, &plain), plain] {
        let read = read_file(&bytes, &everything()).unwrap();
        assert!(!verified(&read).contains(&true));
        told = reasons(&read);
        assert!(read.incomplete[0].hint.is_some(), "{told:?}");
    }
    told.concat()
}

#[test]
fn a_manifest_that_was_there_twice_was_another_one_to_other_programs() {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest: &[u8] = br#"[{"Config":"c.json","Layers":["a.tar"]}]"#;
    let told = doubted(&[
        Member::File("manifest.json", b"[]"),
        Member::File("c.json", config.as_bytes()),
        Member::File("a.tar", &layer),
        Member::File("./manifest.json", manifest),
    ]);
    assert!(told.contains("manifest.json is in it twice"), "{told}");
}

#[test]
fn keys_that_differ_in_case_only_named_two_images() {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest = br#"[{"Config":"c.json","Layers":["a.tar"],"layers":["evil.tar"]}]"#;
    let archive = tar(&[
        Member::File("c.json", config.as_bytes()),
        Member::File("a.tar", &layer),
        Member::File("evil.tar", &layer),
        Member::File("manifest.json", manifest),
    ]);
    for bytes in [compress(Format::Gzip, &archive), archive] {
        let error = read_file(&bytes, &everything()).unwrap_err().to_string();
        assert!(
            error.contains("the key `layers` is `Layers` to some programs"),
            "{error}"
        );
    }
}

#[test]
fn an_archive_was_one_image_by_its_manifest_and_another_by_its_index() {
    let good = tar(&[Member::File("a", b"1")]);
    let evil = tar(&[Member::File("a", b"2")]);
    let blob = |bytes: &[u8]| sha256(bytes).replace("sha256:", "blobs/sha256/");
    let image = |layer: &[u8]| {
        let config = config(&[layer]);
        let manifest = serde_json::json!({
            "config": { "digest": sha256(config.as_bytes()) },
            "layers": [{ "digest": sha256(layer) }],
        })
        .to_string();
        (config, manifest)
    };
    let (config, manifest) = image(&good);
    let (evil_config, evil_manifest) = image(&evil);
    let saved = serde_json::json!([
        { "Config": blob(config.as_bytes()), "Layers": [blob(&good)] }
    ])
    .to_string();
    let index = |manifest: &str| {
        let digest = sha256(manifest.as_bytes());
        serde_json::json!({ "manifests": [{ "digest": digest }] }).to_string()
    };
    let (config_blob, manifest_blob) = (blob(config.as_bytes()), blob(manifest.as_bytes()));
    let mut members = vec![
        Member::File("manifest.json", saved.as_bytes()),
        Member::File(&config_blob, config.as_bytes()),
        Member::File(&manifest_blob, manifest.as_bytes()),
    ];
    let (good_blob, evil_blob) = (blob(&good), blob(&evil));
    members.push(Member::File(&good_blob, &good));
    let true_index = index(&manifest);
    members.push(Member::File("index.json", true_index.as_bytes()));
    let read = read_file(&tar(&members), &everything()).unwrap();
    assert_eq!(verified(&read), [true]);
    let info = read.image.unwrap();
    assert_eq!(info.digest.as_deref(), Some(&*sha256(config.as_bytes())));
    // As Docker writes it since 25: known by the manifest's digest, too.
    assert_eq!(info.other_digests, [sha256(manifest.as_bytes())]);

    // The same configuration, and another layer.
    members.pop();
    let other = serde_json::json!({
        "config": { "digest": sha256(config.as_bytes()) },
        "layers": [{ "digest": sha256(&evil) }],
    })
    .to_string();
    let (other_blob, other_index) = (blob(other.as_bytes()), index(&other));
    let mut mixed = members.clone();
    mixed.extend([
        Member::File(&other_blob, other.as_bytes()),
        Member::File(&evil_blob, &evil),
        Member::File("index.json", other_index.as_bytes()),
    ]);
    let told = doubted(&mixed);
    assert!(told.contains("manifest.json and index.json"), "{told}");

    let (evil_config_blob, evil_manifest_blob) =
        (blob(evil_config.as_bytes()), blob(evil_manifest.as_bytes()));
    let evil_index = index(&evil_manifest);
    members.extend([
        Member::File(&evil_config_blob, evil_config.as_bytes()),
        Member::File(&evil_manifest_blob, evil_manifest.as_bytes()),
        Member::File(&evil_blob, &evil),
        Member::File("index.json", evil_index.as_bytes()),
    ]);
    let told = doubted(&members);
    assert!(told.contains("manifest.json and index.json"), "{told}");
}

/// A `docker save` archive with an index beside its manifest, as Docker writes it since 25.
fn with_index(saved: &str, index: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest = manifest_of(&config, &layer);
    let blob = |bytes: &[u8]| sha256(bytes).replace("sha256:", "blobs/sha256/");
    let digest = sha256(manifest.as_bytes());
    let own = format!(
        r#"{{"Config":"{}","Layers":["{}"],"RepoTags":["app:1"]}}"#,
        blob(config.as_bytes()),
        blob(&layer)
    );
    let named =
        format!(r#"{{"digest":"{digest}","annotations":{{"io.containerd.image.name":"app:1"}}}}"#);
    let saved = saved.replace("OWN", &own);
    let index = index.replace("OWN", &named).replace("DIGEST", &digest);
    let (config_blob, layer_blob, manifest_blob) = (
        blob(config.as_bytes()),
        blob(&layer),
        blob(manifest.as_bytes()),
    );
    let mut members = vec![
        Member::File("manifest.json", saved.as_bytes()),
        Member::File("index.json", index.as_bytes()),
        Member::File(&config_blob, config.as_bytes()),
        Member::File(&layer_blob, &layer),
        Member::File(&manifest_blob, manifest.as_bytes()),
    ];
    let more = more.iter();
    members.extend(more.map(|(name, bytes)| Member::File(name, bytes)));
    tar(&members)
}

fn manifest_of(config: &str, layer: &[u8]) -> String {
    let padding = " ".repeat(1 << 20);
    let (config, layer) = (sha256(config.as_bytes()), sha256(layer));
    format!(r#"{{{padding}"config":{{"digest":"{config}"}},"layers":[{{"digest":"{layer}"}}]}}"#)
}

#[test]
fn why_the_index_was_not_compared_was_not_told() {
    let wrong = format!("blobs/sha256/{}", "0".repeat(64));
    let (other, stray) = (wrong.replace("blobs/sha256/", "sha256:"), "?");
    for (saved, index, expected) in [
        ("[OWN]", "{", "EOF while parsing".to_owned()),
        ("[OWN]", r#"{"manifests":[]}"#, "holds no image".to_owned()),
        (
            "[OWN,{\"Config\":\"gone\",\"RepoTags\":[\"app:2\"]}]",
            r#"{"manifests":[OWN]}"#,
            "there is no gone".to_owned(),
        ),
        (
            "[OWN]",
            &format!(
                r#"{{"manifests":[OWN,{{"digest":"{other}","annotations":{{"io.containerd.image.name":"b"}}}}]}}"#
            ),
            "expected value".to_owned(),
        ),
    ] {
        let archive = with_index(saved, index, &[(&wrong, stray.as_bytes())]);
        let file = temp(&archive);
        let source = format!("docker-archive:{}:app:1", file.path().display());
        let read = read_source(&source.parse().unwrap(), &everything()).unwrap();
        let told = reasons(&read).concat();
        assert!(told.contains(&expected), "{expected}: {told}");
        assert_eq!(verified(&read), [false]);
    }
}

#[test]
fn a_manifest_and_a_configuration_were_read_as_often_as_they_were_named() {
    let own = vec!["OWN"; 10_000].join(",");
    let others =
        vec![r#"{"digest":"DIGEST","annotations":{"io.containerd.image.name":"b:1"}}"#; 9_000]
            .join(",");
    let other_saved = own.replace("OWN", r#"{"Config":"c","RepoTags":["b:1"]}"#);
    let archive = with_index(
        &format!("[OWN,{other_saved}]"),
        &format!(r#"{{"manifests":[OWN,{others}]}}"#),
        &[("c", &vec![b' '; 1 << 20])],
    );
    let file = temp(&archive);
    let source = format!("docker-archive:{}:app:1", file.path().display());
    read_source(&source.parse().unwrap(), &everything()).unwrap();
}

#[test]
fn an_image_without_its_upper_layers_passed_for_the_whole() {
    let base = tar(&[Member::File("a", b"1")]);
    let fix = tar(&[Member::File("b", b"1")]);
    let config = config(&[&base, &fix]);
    let told = doubted(&[
        Member::File("c.json", config.as_bytes()),
        Member::File("a.tar", &base),
        Member::File(
            "manifest.json",
            br#"[{"Config":"c.json","Layers":["a.tar"]}]"#,
        ),
    ]);
    assert!(
        told.contains("the configuration has 2 layers, the manifest 1"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_behind_the_last_file_of_a_compressed_layer_was_not_told() {
    let layer = tar(&[Member::File("a", b"1")]);
    for bytes in damaged_behind(&layer) {
        for options in [Options::default(), everything()] {
            let read = read_file(&archive(&[&layer], &[&bytes]), &options).unwrap();
            assert_eq!(lines(&read), [["file a size=1 1"]]);
            assert_eq!(reasons(&read).len(), 1, "{:?}", reasons(&read));
            assert_eq!(verified(&read), [false]);
        }
    }
}

#[test]
fn a_tar_in_a_frame_that_zstd_skips_was_what_other_programs_unpacked() {
    let layer = tar(&[Member::File("a", b"1")]);
    let framed = |bytes: &[u8]| {
        let mut framed = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        framed.extend(compress(Format::Zstd, bytes));
        framed
    };
    let saved = archive(&[&layer], &[&layer]);
    for bytes in [archive(&[&layer], &[&framed(&layer)]), framed(&saved)] {
        let read = read_file(&bytes, &everything()).unwrap();
        assert_eq!(lines(&read), [["file a size=1 1"]]);
        assert_eq!(verified(&read), [false]);
        assert!(
            reasons(&read)[0].contains("skippable"),
            "{:?}",
            reasons(&read)
        );
    }
}

#[test]
fn links_in_an_archive_led_other_programs_to_another_manifest() {
    let layer = tar(&[Member::File("a", b"1")]);
    let config = config(&[&layer]);
    let manifest: &[u8] = br#"[{"Config":"c/c.json","Layers":["a.tar"]}]"#;
    for (link, expected) in [
        (Member::Symlink("d", "."), "lies below a link"),
        (
            Member::Symlink("c/other.json", "/e.json"),
            "a link to outside",
        ),
        (
            Member::Link("other", "d/later"),
            "a link to no file before it",
        ),
    ] {
        let told = doubted(&[
            Member::File("c/c.json", config.as_bytes()),
            Member::File("a.tar", &layer),
            link,
            Member::File("d/later", b"{}"),
            Member::File("manifest.json", manifest),
        ]);
        assert!(told.contains(expected), "{told}");
    }
}
