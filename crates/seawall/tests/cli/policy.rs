//! Thresholds, ignore files, trusted images and base images.

use crate::command::{Files, docker_archive, findings, forged_archive};
use crate::{OS_RELEASE, STATUS, prepared};

#[test]
fn exit_codes_follow_the_threshold() {
    let workspace = prepared();
    for (fail_on, expected) in [
        ("low", 1),
        ("high", 1),
        ("critical", 1),
        ("kev", 0),
        ("fixable", 1),
        ("kev,high", 1),
    ] {
        let run = workspace.run(&format!("scan image image.tar --quiet --fail-on {fail_on}"));
        assert_eq!(run.code, expected, "{fail_on}: {run:?}");
    }
}

#[test]
fn what_is_ignored_stays_in_the_report_with_its_reason() {
    let workspace = prepared();
    workspace.write(
        ".seawallignore.yaml",
        "ignore:\n  - id: ACME-2024-2\n    reason: no wheels here\n    expires: 2999-01-01\n",
    );
    let run = workspace.run("scan image image.tar -f json --fail-on critical");
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert!(findings(&report).contains(&("ACME-2024-2".to_owned(), "ignored".to_owned())));
    let ignored = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["id"] == "ACME-2024-2");
    let suppression = &ignored.unwrap()["suppression"];
    assert_eq!(suppression["reason"], "no wheels here");
    assert!(
        suppression["source"]
            .as_str()
            .unwrap()
            .contains(".seawallignore.yaml")
    );
}

#[test]
fn a_base_image_owns_its_layers() {
    let workspace = prepared();
    workspace.write(
        "base.tar",
        docker_archive(&[&[
            ("etc/os-release", OS_RELEASE),
            ("var/lib/dpkg/status", STATUS),
        ]]),
    );
    let run = workspace.run("base add base.tar --name shelf-base:1 --owner platform");
    assert_eq!(run.code, 0, "{run:?}");
    let report = workspace
        .run("scan image image.tar -f json --owner shop")
        .json();
    let layers: Vec<_> = report["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| {
            (
                layer["base"].as_str(),
                layer["role"].as_str(),
                layer["owner"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        layers,
        [
            (Some("shelf-base:1"), Some("base"), Some("platform")),
            (None, Some("application"), Some("shop")),
        ]
    );
    let run = workspace.run("base remove shelf-base:1");
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(workspace.run("base remove shelf-base:1").code, 2);
}

#[test]
fn a_forged_image_took_the_owner_and_the_trust_of_the_one_it_named() {
    let workspace = prepared();
    let base: Files<'_> = &[
        ("etc/os-release", OS_RELEASE),
        ("var/lib/dpkg/status", STATUS),
    ];
    let harmless: Files<'_> = &[
        ("etc/os-release", OS_RELEASE),
        (
            "var/lib/dpkg/status",
            "Package: tzdata\nStatus: install ok installed\nVersion: 1\n",
        ),
    ];
    workspace.write("true.tar", docker_archive(&[base]));
    workspace.write("harmless.tar", docker_archive(&[harmless]));
    workspace.write("forged.tar", forged_archive(&[harmless], &[base]));
    let run = workspace.run("base add forged.tar --name known:1 --owner platform");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("the configuration names it"), "{run:?}");
    let run = workspace.run("base add harmless.tar --name known:1 --owner platform");
    assert_eq!(run.code, 0, "{run:?}");
    let report = workspace.run("scan image harmless.tar -f json").json();
    assert_eq!(report["layers"][0]["owner"], "platform");
    assert_eq!(report["layers"][0]["verified"], true);
    let digest = report["target"]["digest"].as_str().unwrap();
    let chain_id = report["layers"][0]["chain_id"].as_str().unwrap();

    let run = workspace.run("scan image forged.tar --owner me -f json");
    assert_eq!(run.code, 3, "{run:?}");
    let report = run.json();
    assert_eq!(report["layers"][0]["base"], serde_json::Value::Null);
    assert_ne!(report["layers"][0]["owner"], "platform");
    for entry in [
        format!("digest: '{digest}'"),
        format!("chain_id: '{chain_id}'"),
        "name: 'shop/*'".to_owned(),
        "name: '*.tar'".to_owned(),
    ] {
        workspace.write(
            "trusted.yaml",
            format!("trusted:\n  - {{{entry}, reason: r}}\n"),
        );
        let run = workspace.run("scan image forged.tar --trusted-images trusted.yaml -f json");
        let report = run.json();
        assert_eq!(report["summary"]["suppressed"], 0, "{entry}");
        assert_ne!(report["summary"]["findings"], 0, "{entry}");
        let notices = report["notices"].to_string();
        assert!(
            notices.contains("trusted.yaml:2 is not applied"),
            "{notices}"
        );
        // An inventory that was stored before somebody relied on the image was not compared.
        workspace.run("scan image true.tar");
        let run = workspace.run("rematch true.tar --trusted-images trusted.yaml -f json");
        assert_eq!(run.json()["summary"]["suppressed"], 0, "{entry}");
    }
    let report = workspace.run("scan image true.tar -f json").json();
    let digest = report["target"]["digest"].as_str().unwrap();
    let entry = format!("trusted:\n  - {{digest: '{digest}', reason: r}}\n");
    workspace.write("trusted.yaml", entry);
    for words in ["scan image true.tar", "rematch true.tar"] {
        let run = workspace.run(&format!("{words} --trusted-images trusted.yaml -f json"));
        let report = run.json();
        assert_eq!(report["summary"]["findings"], 0, "{words}");
        assert_ne!(report["summary"]["suppressed"], 0, "{words}");
    }
}

#[test]
fn a_policy_file_was_read_whole_before_its_size_was_looked_at() {
    let workspace = prepared();
    let file = std::fs::File::create(workspace.path().join("huge")).unwrap();
    // All holes, and more than any machine has memory for.
    file.set_len(1 << 40).unwrap();
    for option in ["--vex", "--ignore-file", "--trusted-images"] {
        let run = workspace.run(&format!("scan image image.tar {option} huge"));
        assert_eq!(run.code, 2, "{run:?}");
        let told = "huge: the file is larger than 268435456 bytes\nhint: split it";
        assert!(run.stderr.contains(told), "{run:?}");
    }
}
