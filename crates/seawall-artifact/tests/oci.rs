//! OCI image layouts: directories, archives, indexes, platforms.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Options, Source};
use serde_json::{Value, json};
use std::path::Path;
use support::*;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layout in a directory.
struct Layout(tempfile::TempDir);

impl Layout {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Stores a blob and returns its descriptor.
    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        let name = digest.replace("sha256:", "blobs/sha256/");
        write(self.path(), &name, bytes);
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// An image of one layer with one file of this content.
    fn image(&self, content: &str) -> Value {
        let layer = tar(&[Member::File("file", content.as_bytes())]);
        let layer_blob = self.blob(&format!("{LAYER}+gzip"), &compress(Format::Gzip, &layer));
        self.image_of(&[&layer], vec![layer_blob])
    }

    fn image_of(&self, layers: &[&[u8]], blobs: Vec<Value>) -> Value {
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config(layers).as_bytes(),
        );
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": blobs });
        self.blob(MANIFEST, manifest.to_string().as_bytes())
    }

    fn for_platform(&self, content: &str, platform: Value) -> Value {
        let mut image = self.image(content);
        image["platform"] = platform;
        image
    }

    fn index(&self, manifests: &[Value]) -> Value {
        self.blob(
            INDEX,
            json!({ "manifests": manifests }).to_string().as_bytes(),
        )
    }

    fn finish(&self, manifests: &[Value]) -> Source {
        write(
            self.path(),
            "oci-layout",
            b"{\"imageLayoutVersion\":\"1.0.0\"}",
        );
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        write(self.path(), "index.json", index.to_string().as_bytes());
        Source::OciDir(self.path().to_owned())
    }

    /// The same layout as an archive.
    fn archive(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_dir_all(".", self.path()).unwrap();
        builder.into_inner().unwrap()
    }
}

fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    descriptor
}

fn platform(text: &str) -> Options {
    Options {
        platform: Some(text.to_owned()),
        ..Options::default()
    }
}

#[test]
fn a_layout_is_read_as_directory_archive_and_stream() {
    let layout = Layout::new();
    let image = named(layout.image("one"), "app:1");
    let digest = image["digest"].as_str().unwrap().to_owned();
    let source = layout.finish(&[image]);
    let archive = layout.archive();
    for read in [
        read_source(&source, &Options::default()),
        read_source(
            &layout.path().to_str().unwrap().parse().unwrap(),
            &Options::default(),
        ),
        read_bytes(&archive, &Options::default()),
        read_bytes(&compress(Format::Gzip, &archive), &Options::default()),
    ] {
        let read = read.unwrap();
        assert_eq!(lines(&read), [["file file size=3 one"]]);
        assert_eq!(reasons(&read), [""; 0]);
        assert!(read.layers[0].digest.is_some());
        let info = read.image.unwrap();
        assert_eq!(info.digest.as_deref(), Some(&*digest));
        assert_eq!(info.tags, ["app:1"]);
    }
}

#[test]
fn the_platform_is_chosen_also_in_nested_indexes() {
    let layout = Layout::new();
    let linux = |arch: &str| json!({ "os": "linux", "architecture": arch });
    let mut attestation = layout.image("attestation");
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let inner = layout.index(&[
        layout.for_platform(
            "arm64",
            json!({ "os": "linux", "architecture": "arm64", "variant": "v8" }),
        ),
        layout.for_platform(
            "arm6",
            json!({ "os": "linux", "architecture": "arm", "variant": "v6" }),
        ),
        attestation,
    ]);
    let source = layout.finish(&[
        layout.for_platform("amd64", linux("amd64")),
        inner,
        layout.for_platform(
            "windows",
            json!({ "os": "windows", "architecture": "amd64" }),
        ),
    ]);
    let read = read_source(&source, &platform("linux/amd64")).unwrap();
    assert_eq!(lines(&read), [["file file size=5 amd64"]]);
    let error = read_source(&source, &platform("linux/s390x")).unwrap_err();
    assert_eq!(
        error.hint(),
        Some("choose one with --platform: linux/amd64, linux/arm/v6, linux/arm64, windows/amd64")
    );
    // The index leads to the arm image, but its configuration says amd64.
    for arch in ["linux/arm64", "linux/arm/v7"] {
        let error = read_source(&source, &platform(arch)).unwrap_err();
        assert_eq!(
            error.hint(),
            Some("choose one with --platform: linux/amd64")
        );
    }
    assert!(read_source(&source, &platform("arm64")).is_err());
}

#[test]
fn one_of_several_names_is_chosen() {
    let layout = Layout::new();
    let first = named(layout.image("first"), "app:1");
    let second = named(layout.image("second"), "app:2");
    layout.finish(&[first, second]);
    let path = layout.path().display().to_string();
    let open = |text: String| read_source(&text.parse().unwrap(), &Options::default());
    let error = open(format!("oci-dir:{path}")).unwrap_err();
    assert!(error.hint().unwrap().contains("app:1, app:2"));
    let read = open(format!("oci-dir:{path}:app:2")).unwrap();
    assert_eq!(lines(&read), [["file file size=6 second"]]);
    let error = open(format!("oci-dir:{path}:app:3")).unwrap_err();
    assert!(
        error.to_string().ends_with("exactly one image 'app:3'"),
        "{error}"
    );
    assert!(error.hint().unwrap().ends_with("there are: app:1, app:2"));
}

#[test]
fn layers_that_cannot_be_read_are_told() {
    let layout = Layout::new();
    let layer = tar(&[Member::File("file", b"x")]);
    let good = layout.blob(LAYER, &layer);
    let wasm = layout.blob("application/wasm", b"wasm");
    let mut foreign = layout.blob(LAYER, b"not kept");
    foreign["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
    let mut gone = layout.blob(LAYER, b"gone");
    let altered = layout.blob(&format!("{LAYER}+gzip"), &compress(Format::Gzip, &layer));
    gone["digest"] = sha256(b"other").into();
    let blob = |value: &Value| {
        let digest = value["digest"].as_str().unwrap();
        layout
            .path()
            .join(digest.replace("sha256:", "blobs/sha256/"))
    };
    std::fs::remove_file(blob(&foreign)).unwrap();
    let longer = tar(&[Member::File("file", b"altered")]);
    std::fs::write(blob(&altered), compress(Format::Gzip, &longer)).unwrap();
    let layers = [&*layer, b"", b"", b"", &layer];
    let blobs = vec![good, wasm, foreign, gone, altered];
    let image = layout.image_of(&layers, blobs);
    let source = layout.finish(&[image]);
    let read = read_source(&source, &Options::default()).unwrap();
    assert_eq!(
        lines(&read),
        [
            vec!["file file size=1 x"],
            vec![],
            vec![],
            vec![],
            vec!["file file size=7 altered"]
        ]
    );
    let reasons = reasons(&read);
    let expected = [
        "unsupported: layers of type 'application/wasm' are not read",
        "unsupported: a foreign layer, which is not part of the image",
        "unreadable: the manifest names it, but it is not in the archive",
        "corrupt: it has ",
        "corrupt: the digest of the layer is sha256:",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reason}");
    }
}

/// What is told of a layout whose only layer, of two files, is stored as `stored`, and whether the
/// layer counts as whole: the same as directory, archive and stream.
fn told_of_stored(media_type: &str, blob: &[u8], stored: &[u8]) -> Vec<String> {
    let layout = Layout::new();
    let layer = layout.blob(media_type, blob);
    let name = layer["digest"].as_str().unwrap().to_owned();
    let image = layout.image_of(&[blob], vec![layer]);
    let source = layout.finish(&[image]);
    let name = name.replace("sha256:", "blobs/sha256/");
    write(layout.path(), &name, stored);
    let archive = layout.archive();
    let [directory, archive, stream] = [
        read_source(&source, &Options::default()),
        read_bytes(&archive, &Options::default()),
        read_bytes(&compress(Format::Gzip, &archive), &Options::default()),
    ]
    .map(|read| {
        let read = read.unwrap();
        assert_eq!(read.layers[0].whole, read.incomplete.is_empty());
        reasons(&read)
    });
    assert_eq!(directory, archive);
    // The stream may know more: the digest is checked of what passes.
    assert!(
        directory.iter().all(|reason| stream.contains(reason)),
        "{directory:?} {stream:?}"
    );
    directory
}

#[test]
fn a_blob_that_was_cut_off_between_two_files_passed_for_the_whole() {
    let layer = tar(&[Member::File("a", &[1; 2000]), Member::File("b", b"2")]);
    let len = layer.len();
    for (cut, more) in [(0, Some("truncated: is empty")), (2560, None), (2100, None)] {
        let mut expected = vec![format!(
            "truncated: it has {cut} bytes, but the manifest says {len}"
        )];
        expected.extend(more.map(str::to_owned));
        let told = told_of_stored(LAYER, &layer, &layer[..cut]);
        let ends_in_file = "truncated: ends too early".to_owned();
        match cut {
            2100 => assert_eq!(told, [expected, vec![ends_in_file]].concat()),
            _ => assert_eq!(told, expected),
        }
    }
    let longer = [&*layer, &[0; 512]].concat();
    let expected = format!(
        "corrupt: it has {} bytes, but the manifest says {len}",
        len + 512
    );
    assert_eq!(told_of_stored(LAYER, &layer, &longer), [expected]);
}

#[test]
fn a_compressed_layer_of_nothing_passed_for_a_layer_without_files() {
    for format in [Format::Gzip, Format::Zstd] {
        let nothing = compress(format, b"");
        let media_type = format!("{LAYER}+gzip");
        assert_eq!(
            told_of_stored(&media_type, &nothing, &nothing),
            ["truncated: is empty"]
        );
    }
}

#[test]
fn a_layer_whose_builder_left_out_the_end_marker_is_whole_by_its_size_or_digest() {
    let layer = tar(&[Member::File("a", &[1; 2000])]);
    let unmarked = &layer[..2560];
    assert_eq!(told_of_stored(LAYER, unmarked, unmarked), [""; 0]);
    let gzip = compress(Format::Gzip, unmarked);
    assert_eq!(
        told_of_stored(&format!("{LAYER}+gzip"), &gzip, &gzip),
        [""; 0]
    );
}

#[test]
fn indexes_that_lead_to_themselves_end() {
    let layout = Layout::new();
    let own = sha256(b"own");
    let cyclic = json!({ "manifests": [{ "mediaType": INDEX, "digest": own }] }).to_string();
    write(
        layout.path(),
        &own.replace("sha256:", "blobs/sha256/"),
        cyclic.as_bytes(),
    );
    let source = layout.finish(&[json!({ "mediaType": INDEX, "digest": own })]);
    assert!(read_source(&source, &Options::default()).is_err());
    for digest in ["sha256:../../../etc/passwd", "x", "", "sha256:"] {
        let source = layout.finish(&[json!({ "mediaType": MANIFEST, "digest": digest })]);
        let error = read_source(&source, &Options::default()).unwrap_err();
        assert!(error.to_string().contains("is not a digest"), "{error}");
    }
}

/// In each of these another program takes the evil image for the platform.
#[test]
fn an_image_that_we_alone_pass_over_was_what_others_ran() {
    let evil = |change: fn(&mut Value)| {
        move |layout: &Layout| {
            let mut evil =
                layout.for_platform("evil", json!({ "os": "linux", "architecture": "amd64" }));
            change(&mut evil);
            evil
        }
    };
    let kinds: [fn(&mut Value); 8] = [
        |evil| evil["platform"] = json!({ "architecture": "amd64" }),
        |evil| evil["platform"]["os"] = json!(""),
        |evil| evil["platform"]["os"] = json!("L\u{130}NUX"),
        |evil| evil["platform"]["os.version"] = json!("6"),
        |evil| evil["annotations"] = json!({ "vnd.docker.reference.type": "x" }),
        |evil| evil["artifactType"] = json!("x"),
        |evil| evil["platform"]["architecture"] = json!("x86_64"),
        |evil| evil["platform"]["variant"] = json!("v1"),
    ];
    for kind in kinds {
        let layout = Layout::new();
        let good = layout.for_platform("good", json!({ "os": "linux", "architecture": "amd64" }));
        let evil = evil(kind)(&layout);
        let source = layout.finish(&[evil, good]);
        match read_source(&source, &platform("linux/amd64")) {
            Ok(read) => {
                assert_eq!(lines(&read), [["file file size=4 good"]]);
                assert!(
                    reasons(&read)[0].contains("another image"),
                    "{:?}",
                    reasons(&read)
                );
            }
            Err(error) => assert!(error.to_string().contains("several images"), "{error}"),
        }
    }
    // Images of several builds of Windows are told apart, and layers are no images.
    let layout = Layout::new();
    let of = |layout: &Layout, build: &str| {
        let system = json!({ "os": "windows", "architecture": "amd64", "os.version": build });
        layout.for_platform("windows", system)
    };
    let (one, other) = (of(&layout, "10.0.1"), of(&layout, "10.0.2"));
    let cache = layout.blob("application/vnd.oci.image.layer.v1.tar", b"cache");
    let good = layout.for_platform("good", json!({ "os": "linux", "architecture": "amd64" }));
    let source = layout.finish(&[one, other, good, cache]);
    let read = read_source(&source, &platform("linux/amd64")).unwrap();
    assert_eq!(reasons(&read), [""; 0]);
    // What is for no platform is nobody's image.
    let layout = Layout::new();
    let good = layout.for_platform("good", json!({ "os": "linux", "architecture": "amd64" }));
    let unknown = json!({ "os": "unknown", "architecture": "unknown" });
    let attestation = layout.for_platform("attestation", unknown);
    let source = layout.finish(&[good, attestation]);
    let read = read_source(&source, &platform("linux/amd64")).unwrap();
    assert_eq!(reasons(&read), [""; 0]);
}

#[test]
fn an_image_is_known_by_the_index_that_leads_to_it() {
    let layout = Layout::new();
    let image = layout.for_platform("one", json!({ "os": "linux", "architecture": "amd64" }));
    let index = layout.index(&[image]);
    let digest = index["digest"].as_str().unwrap().to_owned();
    let source = layout.finish(&[index]);
    let read = read_source(&source, &platform("linux/amd64")).unwrap();
    assert!(read.image.unwrap().other_digests.contains(&digest));
}

#[test]
fn an_image_was_known_by_an_index_whose_bytes_were_others() {
    let layout = Layout::new();
    let trusted = layout.index(&[layout.image("trusted")]);
    let digest = trusted["digest"].as_str().unwrap().to_owned();
    let forged = json!({ "manifests": [layout.image("forged")] }).to_string();
    let name = digest.replace("sha256:", "blobs/sha256/");
    let source = layout.finish(&[trusted]);
    write(layout.path(), &name, forged.as_bytes());
    let read = read_source(&source, &Options::default()).unwrap();
    assert_eq!(lines(&read), [["file file size=6 forged"]]);
    assert!(reasons(&read)[0].contains("digest should be"), "{read:?}");
    assert!(!read.image.unwrap().other_digests.contains(&digest));
}

#[test]
fn an_image_of_the_same_name_for_another_platform_was_what_others_ran() {
    let system = |arch: &str| json!({ "os": "linux", "architecture": arch });
    for (other, name, expected) in [
        ("s390x", "app:1", 1),
        ("unknown", "app:1", 1),
        ("s390x", "app:2", 0),
    ] {
        let layout = Layout::new();
        let good = named(layout.for_platform("good", system("amd64")), "app:1");
        let evil = named(layout.for_platform("evil", system(other)), name);
        let source = layout.finish(&[evil, good]);
        let read = read_source(&source, &platform("linux/amd64")).unwrap();
        assert_eq!(lines(&read), [["file file size=4 good"]]);
        assert_eq!(reasons(&read).len(), expected, "{other} {name}");
    }
}

#[test]
fn images_beyond_the_limit_were_left_out_in_silence() {
    let layout = Layout::new();
    let mut manifests = vec![named(layout.image("good"), "app:1"); 10_000];
    manifests.push(named(layout.image("evil"), "app:1"));
    let read = read_source(&layout.finish(&manifests), &Options::default()).unwrap();
    assert_eq!(lines(&read), [["file file size=4 good"]]);
    assert!(
        reasons(&read)[0].contains("10000 images"),
        "{:?}",
        reasons(&read)
    );
}

#[test]
fn a_document_that_is_image_and_index_in_one_is_refused() {
    let layout = Layout::new();
    let image = layout.image("one");
    let both = json!({ "manifests": [image], "config": image, "layers": [] });
    let both = layout.blob(MANIFEST, both.to_string().as_bytes());
    let source = layout.finish(&[both]);
    let error = read_source(&source, &Options::default()).unwrap_err();
    assert!(
        error.to_string().contains("an image and an index"),
        "{error}"
    );
}

#[test]
fn an_index_was_read_as_often_as_it_was_named() {
    let layout = Layout::new();
    let empty = layout.index(&[]);
    let outer = layout.index(&vec![empty; 20_000]);
    let source = layout.finish(&vec![outer.clone(); 20_000]);
    let error = read_source(&source, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("holds no image"), "{error}");
    // The image beside it is still found.
    let mut manifests = vec![outer; 1_000];
    manifests.push(layout.image("one"));
    let source = layout.finish(&manifests);
    let read = read_source(&source, &Options::default()).unwrap();
    assert_eq!(lines(&read), [["file file size=3 one"]]);
    assert_eq!(reasons(&read), [""; 0]);
}

#[test]
fn more_indexes_than_are_read_are_told() {
    let layout = Layout::new();
    let mut manifests = vec![layout.image("one")];
    manifests.extend((0..1_001).map(|n| {
        let index = json!({ "manifests": [], "annotations": { "n": n.to_string() } });
        layout.blob(INDEX, index.to_string().as_bytes())
    }));
    let read = read_source(&layout.finish(&manifests), &Options::default()).unwrap();
    assert_eq!(reasons(&read).len(), 1);
    assert!(reasons(&read)[0].contains("1000 indexes"));
}

#[test]
fn a_layer_of_a_digest_that_is_not_checked_was_not_mentioned() {
    let layout = Layout::new();
    let layer = tar(&[Member::File("file", b"one")]);
    let name = "a".repeat(128);
    write(layout.path(), &format!("blobs/sha512/{name}"), &layer);
    let blob = json!({ "mediaType": LAYER, "digest": format!("sha512:{name}") });
    let source = layout.finish(&[layout.image_of(&[&layer], vec![blob])]);
    let read = read_source(&source, &Options::default()).unwrap();
    assert_eq!(lines(&read), [["file file size=3 one"]]);
    let told = reasons(&read).concat();
    assert!(told.contains("of a kind that is not checked"), "{told}");
}
