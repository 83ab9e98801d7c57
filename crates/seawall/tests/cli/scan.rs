//! What `scan` finds, and how it says what it could not.

use crate::command::{Workspace, findings, sha256};
use crate::{image, prepared};

#[test]
fn an_image_is_scanned_to_findings_with_their_layers() {
    let workspace = prepared();
    let run = workspace.run("scan image image.tar -f json");
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["target"]["kind"], "image");
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            (
                f["id"].as_str().unwrap(),
                f["layer"].as_u64(),
                f["package"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("ACME-2024-2", Some(1), "pkg:npm/cart@1.4.0"),
            (
                "CVE-2024-10001",
                Some(0),
                "pkg:deb/debian/libshelf1@1.2-3?arch=amd64&distro=debian-12"
            ),
        ]
    );
    assert_eq!(report["findings"][1]["fix"]["state"], "fixed");
    assert_eq!(report["findings"][1]["fix"]["version"], "1.2-4");
    assert_eq!(report["incomplete"].as_array().unwrap().len(), 0);
}

#[test]
fn a_damaged_image_is_reported_as_far_as_it_was_read() {
    let workspace = prepared();
    let whole = image();
    // In the middle of the second layer.
    let end = whole
        .windows(4)
        .rposition(|window| window == b"cart")
        .unwrap();
    let mut damaged = whole.clone();
    damaged[end - 500..end - 400].fill(0xff);
    workspace.write("damaged.tar", damaged);
    let run = workspace.run("scan image damaged.tar -f json");
    assert_eq!(run.code, 3, "{run:?}");
    let report = run.json();
    assert!(!report["incomplete"].as_array().unwrap().is_empty());
    assert_eq!(
        findings(&report),
        [("CVE-2024-10001".to_owned(), "affected".to_owned())]
    );
}

#[test]
fn a_bill_of_materials_scans_like_its_image() {
    let workspace = prepared();
    let expected = findings(&workspace.run("scan image image.tar -f json").json());
    for format in ["cyclonedx", "spdx"] {
        let run = workspace.run(&format!("sbom image image.tar -f {format}"));
        assert_eq!(run.code, 0, "{run:?}");
        workspace.write("bom.json", &run.stdout);
        let report = workspace.run("scan sbom bom.json -f json").json();
        assert_eq!(findings(&report), expected, "{format}");
        let report = workspace
            .run_with("scan sbom - -f json", &run.stdout)
            .json();
        assert_eq!(findings(&report), expected, "{format} from standard input");
    }
}

#[test]
fn advisories_do_not_write_to_the_terminal_as_they_like() {
    let workspace = Workspace::new();
    let record = r#"{"id": "X-\u001b[2J1", "modified": "2024-01-01T00:00:00Z\u001b[2J",
        "aliases": ["CVE-2024-10001", "Y-\u001b[2J"], "summary": "\u001b]0;title\u0007",
        "affected": [{"package": {"ecosystem": "npm", "name": "cart"},
                      "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#;
    workspace.write("X-1.json", record);
    assert_eq!(workspace.run("db build --from X-1.json").code, 0);
    for words in [
        "db build --from X-1.json",
        "db query CVE-2024-10001",
        "db lookup pkg:npm/cart@1.0.0",
        "db status",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 0, "{run:?}");
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(!shown.contains('\u{1b}'), "{words}: {shown:?}");
    }
}

#[test]
fn a_package_without_a_version_is_not_called_unaffected() {
    let workspace = prepared();
    let run = workspace.run("db lookup pkg:npm/cart");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("no verdict"), "{run:?}");
    assert!(!run.stdout.contains("not affected"), "{run:?}");
}

#[test]
fn what_a_damaged_image_lacked_is_still_missing_in_its_bill_of_materials() {
    let workspace = prepared();
    let mut damaged = image();
    let end = damaged
        .windows(4)
        .rposition(|window| window == b"cart")
        .unwrap();
    damaged[end - 500..end - 400].fill(0xff);
    workspace.write("damaged.tar", damaged);
    for format in ["cyclonedx", "spdx"] {
        let run = workspace.run(&format!("sbom image damaged.tar -f {format}"));
        assert_eq!(run.code, 3, "{run:?}");
        workspace.write("bom.json", &run.stdout);
        let run = workspace.run("scan sbom bom.json -f json");
        assert_eq!(run.code, 3, "{format}: {run:?}");
        let message = run.json()["incomplete"][0]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            message.contains("not read when this was written"),
            "{message}"
        );
    }
}

#[test]
fn foreign_names_in_errors_do_not_act_on_the_terminal() {
    let workspace = prepared();
    for words in [
        "scan fs no\x1b[31m\u{202e}where",
        "scan sbom no\x1b[31m\u{202e}where",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(
            run.stderr.contains("no\\u{1b}[31m\\u{202e}where"),
            "{run:?}"
        );
        assert!(!run.stderr.contains('\x1b'), "{run:?}");
    }
}

#[test]
fn requirements_without_a_version_were_passed_over_in_silence() {
    let workspace = prepared();
    workspace.write("app/requirements.txt", "django==3.2.0\nflask>=2\n");
    workspace.write(
        "app/web/package.json",
        r#"{"dependencies": {"cart": "^1"}}"#,
    );
    let scan = workspace.run("scan fs app -f json");
    for run in [scan, workspace.run("rematch app -f json")] {
        let report = run.json();
        let notices = report["notices"].to_string();
        for says in [
            "1 requirement without an exact version in 1 file is not matched, like flask in \
             /requirements.txt",
            "1 dependency in 1 package.json is not matched, neither installed nor in a lockfile, \
             like cart in /web/package.json",
        ] {
            assert!(notices.contains(says), "{notices}");
        }
    }
    let table = workspace.run("scan fs app").stdout;
    assert!(table.contains("note: 1 requirement without"), "{table}");
}

#[test]
fn an_empty_file_was_called_an_image_without_a_manifest() {
    let workspace = prepared();
    workspace.write("empty", "");
    for words in [
        "scan image ./empty",
        "scan image -",
        "scan sbom empty",
        "scan sbom -",
        "sbom image ./empty",
    ] {
        let run = workspace.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{words}: {run:?}");
        assert!(run.stderr.contains(" is empty\nhint: "), "{words}: {run:?}");
    }
}

#[test]
fn a_platform_for_what_has_none_was_ignored() {
    let workspace = prepared();
    for words in [
        "scan fs . --platform linux/arm64",
        "scan host --no-images --platform linux/arm64",
        "scan sbom x.json --platform linux/arm64",
        "sbom fs . --platform linux/arm64",
        "sbom . --platform linux/arm64",
        "sbom host --platform linux/arm64",
    ] {
        let run = workspace.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words}: {run:?}");
        assert!(run.stderr.contains("--platform"), "{words}: {run:?}");
    }
    for words in ["scan image", "sbom image", "sbom"] {
        let run = workspace.run(&format!("{words} image.tar --platform linux/amd64"));
        assert_eq!(run.code, 0, "{words}: {run:?}");
    }
}

#[test]
fn an_unreachable_daemon_is_told_with_what_named_it() {
    let workspace = prepared();
    let run = |variables: &[(&str, &str)]| {
        let run = workspace.run_in("scan image docker:app:1", "", variables);
        assert_eq!(run.code, 2, "{run:?}");
        run.stderr
    };
    for host in ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"] {
        let said = run(&[("DOCKER_HOST", host)]);
        assert!(said.contains(host), "{said}");
        assert!(said.contains("hint: DOCKER_HOST names that"), "{said}");
    }
    let name = "far";
    workspace.write(
        &format!("docker/contexts/meta/{}/meta.json", sha256(name.as_bytes())),
        r#"{"Endpoints": {"docker": {"Host": "unix:///nowhere/docker.sock"}}}"#,
    );
    let folder = workspace.path().join("docker").display().to_string();
    let said = run(&[
        ("DOCKER_HOST", ""),
        ("DOCKER_CONFIG", &folder),
        ("DOCKER_CONTEXT", name),
    ]);
    assert!(
        said.contains(&format!("hint: the Docker context '{name}'")),
        "{said}"
    );
}

#[test]
fn an_image_of_standard_input_was_taken_for_an_option() {
    let workspace = prepared();
    let piped = String::from_utf8(image()).unwrap();
    for (name, code) in [("shop/web:1", 0), ("shop/web:2", 2)] {
        for command in ["scan image", "sbom"] {
            let run = workspace.run_with(&format!("{command} -:{name} --quiet"), &piped);
            assert_eq!(run.code, code, "{command} {name}: {run:?}");
        }
    }
}
