//! What a user sees of the command line: verdicts, exit codes, errors and their hints.

mod command;

use command::{Files, Workspace, docker_archive, findings, forged_archive};

const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n";

const STATUS: &str = "\
Package: libshelf1
Status: install ok installed
Architecture: amd64
Source: shelf
Version: 1.2-3

Package: lamp
Status: install ok installed
Architecture: amd64
Version: 2.0-1
";

/// One flaw in the source package `shelf`, one in an npm package, one that is mended in `lamp`.
const ADVISORIES: &str = "\
advisories:
  - id: CVE-2024-10001
    title: Shelf reads past its end
    severity: high
    packages:
      - {ecosystem: 'debian:12', name: libshelf1, affected: '< 1.2-4', fixed: 1.2-4}
  - id: ACME-2024-2
    title: Cart trusts its wheels
    severity: critical
    packages:
      - {purl: 'pkg:npm/cart', affected: '< 2.0.0'}
  - id: CVE-2024-10003
    title: Lamp burns
    severity: critical
    packages:
      - {ecosystem: 'debian:12', name: lamp, affected: '< 2.0-1', fixed: 2.0-1}
";

fn image() -> Vec<u8> {
    docker_archive(&[
        &[
            ("etc/os-release", OS_RELEASE),
            ("var/lib/dpkg/status", STATUS),
        ],
        &[(
            "app/node_modules/cart/package.json",
            r#"{"name":"cart","version":"1.4.0"}"#,
        )],
    ])
}

/// A workspace with a database and an image.
fn prepared() -> Workspace {
    let workspace = Workspace::new();
    workspace.build_database(ADVISORIES);
    workspace.write("image.tar", image());
    workspace
}

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
fn wrong_usage_is_told_apart_with_a_hint() {
    let workspace = prepared();
    workspace.write("broken.yaml", "ignore:\n  - id: CVE-1\n    reazon: typo\n");
    for (words, says) in [
        ("scan image nowhere.tar", "hint: "),
        ("scan fs nowhere", "hint: "),
        ("scan image image.tar --db missing.db", "hint: "),
        (
            "scan image image.tar --fail-on sometimes",
            "possible values",
        ),
        (
            "scan image image.tar --ignore-file broken.yaml",
            "broken.yaml:3",
        ),
        ("scan image image.tar --output pdf=x", "not one of"),
        ("version-compare deb 1.0", "hint: "),
        ("rematch nothing-of-that-name", "hint: "),
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 2, "{words}: {run:?}");
        assert!(run.stderr.contains(says), "{words}: {run:?}");
        assert_eq!(run.stdout, "", "{words}");
    }
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
fn several_outputs_are_written_at_once() {
    let workspace = prepared();
    let formats = [
        "table",
        "json",
        "sarif",
        "cyclonedx",
        "spdx",
        "html",
        "junit",
        "markdown",
    ];
    let outputs: String = formats
        .map(|format| format!(" --output {format}=out.{format}"))
        .concat();
    let run = workspace.run(&format!("scan image image.tar --quiet{outputs}"));
    assert_eq!(run.code, 0, "{run:?}");
    for format in formats {
        let path = workspace.path().join(format!("out.{format}"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("cart"), "{format}: {text}");
    }
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
fn stored_inventories_are_matched_again_without_the_image() {
    let workspace = prepared();
    workspace.run("scan image image.tar --quiet");
    std::fs::remove_file(workspace.path().join("image.tar")).unwrap();
    workspace.build_database(&format!(
        "{ADVISORIES}  - id: CVE-2025-10009\n    title: Lamp goes out\n    severity: low\n    \
         packages:\n      - {{ecosystem: 'debian:12', name: lamp, affected: '<= 2.0-1'}}\n"
    ));
    let run = workspace.run("rematch image.tar -f json");
    assert_eq!(run.code, 0, "{run:?}");
    let names: Vec<String> = findings(&run.json())
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(names, ["ACME-2024-2", "CVE-2024-10001", "CVE-2025-10009"]);
    assert_eq!(
        run.json()["notices"][0],
        "1 finding is new since this was matched last: CVE-2025-10009 in \
         pkg:deb/debian/lamp@2.0-1?arch=amd64&distro=debian-12"
    );
    let again = workspace.run("rematch image.tar");
    let nothing = "nothing is new since this was matched last";
    assert!(again.stdout.contains(nothing), "{again:?}");
    workspace.build_database(ADVISORIES);
    let run = workspace.run("rematch image.tar");
    assert!(run.stdout.contains("1 finding is gone"), "{run:?}");
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
fn a_damaged_database_is_refused_and_the_old_one_stays() {
    let workspace = prepared();
    let path = workspace.path().join(".local/share/seawall/advisories.db");
    let good = std::fs::read(&path).unwrap();
    for (what, bytes) in [("half", &good[..good.len() / 2]), ("empty", &[][..])] {
        std::fs::write(workspace.path().join("bad.db"), bytes).unwrap();
        let run = workspace.run("scan image image.tar --db bad.db");
        assert_eq!(run.code, 2, "{what}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{what}: {run:?}");
    }
    // A build that fails leaves the database of before.
    let run = workspace.run("db build --from nowhere");
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(std::fs::read(&path).unwrap(), good);
}

#[test]
fn files_that_are_no_feeds_do_not_make_an_empty_database() {
    let workspace = prepared();
    let path = workspace.path().join(".local/share/seawall/advisories.db");
    let good = std::fs::read(&path).unwrap();
    workspace.write("page.html", "<html>log in</html>");
    workspace.write("notes/read-me.txt", "nothing of interest");
    for path in ["page.html", "notes"] {
        let run = workspace.run(&format!("db build --from {path}"));
        assert_eq!(run.code, 2, "{run:?}");
        let error = format!("no advisory feed was found in {path}");
        assert!(run.stderr.contains(&error), "{run:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), good);
    workspace.write("damaged.yaml", "advisories:\n  - {id: 7, title: [}\n");
    let run = workspace.run("db build --from damaged.yaml");
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    // Whatever it was, its records are not in the database.
    workspace.write("feeds/lost.json", "{\"id\": \"A-1\",");
    workspace.write("feeds/b.yaml", ADVISORIES);
    let run = workspace.run("db build --from feeds --out other.db");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("not read: feeds/lost.json"), "{run:?}");
    std::fs::remove_dir_all(workspace.path().join("feeds")).unwrap();
    // A first line that is damaged does not take the others with it.
    let line = r#"{"schema_version":"1.4.0","id":"GHSA-2222-3333-4444","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"shelf"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#;
    workspace.write("osv.jsonl", format!("xx{{\"id\":\n{line}\n"));
    let run = workspace.run("db build --from osv.jsonl --out other.db");
    assert_eq!(run.code, 3, "{run:?}");
    let run = workspace.run("db lookup pkg:npm/shelf@1.0.0 --db other.db");
    assert!(run.stdout.contains("GHSA-2222-3333-4444"), "{run:?}");
    // Beside a feed it is said; inside of a directory or archive it may be a licence.
    let run = workspace.run("db build --from advisories.yaml page.html");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("not read: page.html"), "{run:?}");
    workspace.write("feeds/LICENSE", "do as you like");
    workspace.write("feeds/a.yaml", ADVISORIES);
    let run = workspace.run("db build --from feeds");
    assert_eq!(run.code, 0, "{run:?}");
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
fn a_database_that_scans_would_refuse_does_not_replace_one_that_they_trust() {
    let workspace = prepared();
    assert_eq!(workspace.run("db keygen key").code, 0);
    assert_eq!(workspace.run("db keygen other").code, 0);
    let public = std::fs::read(workspace.path().join("key.pub")).unwrap();
    workspace.write(".config/seawall/trusted-keys/ours", public);
    let signed = workspace.run("db build --quiet --from advisories.yaml --sign key");
    assert_eq!(signed.code, 0, "{signed:?}");
    for words in [
        "db build --from advisories.yaml",
        "db build --from advisories.yaml --sign other",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("hint: sign it"), "{run:?}");
        assert_eq!(workspace.run("db status").code, 0);
    }
    let elsewhere = workspace.run("db build --from advisories.yaml --out for-others.db");
    assert_eq!(elsewhere.code, 0, "{elsewhere:?}");
}

#[test]
fn trusted_keys_that_cannot_be_read_do_not_take_the_demand_away() {
    let workspace = prepared();
    workspace.write(".config/seawall/trusted-keys", "not a directory");
    let run = workspace.run("scan image image.tar");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("trusted-keys"), "{run:?}");
}

#[test]
fn a_signed_database_is_demanded_once_a_key_is_trusted() {
    let workspace = prepared();
    assert_eq!(workspace.run("db keygen key").code, 0);
    let public = std::fs::read(workspace.path().join("key.pub")).unwrap();
    workspace.write(".config/seawall/trusted-keys/ours", public);
    let run = workspace.run("scan image image.tar");
    assert_eq!(run.code, 2, "{run:?}");
    let run = workspace.run("db build --quiet --from advisories.yaml --sign key");
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(workspace.run("scan image image.tar").code, 0);
    assert_eq!(
        workspace.run("db keygen key").code,
        2,
        "a key is never overwritten"
    );
}

#[test]
fn versions_are_compared_as_words_and_as_lines() {
    let workspace = Workspace::new();
    for (words, input, expected) in [
        ("version-compare deb 1.0~rc1-1 1.0-1", "", "<\n"),
        ("version-compare rpm 1:1.0-1 2.0-1", "", ">\n"),
        (
            "version-compare pep440",
            "1.0 1.0.0\n\n2.0rc1 2.0\n",
            "=\n<\n",
        ),
        ("version-compare semver 1.0.0-alpha 1.0.0", "", "<\n"),
    ] {
        let run = workspace.run_with(words, input);
        assert_eq!((run.code, run.stdout.as_str()), (0, expected), "{words}");
    }
    let run = workspace.run_with("version-compare deb", "1.0 2.0\n1.0\n");
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("line 2"), "{run:?}");
}

#[test]
fn help_completions_and_man_page_are_made_from_one_grammar() {
    let workspace = Workspace::new();
    for words in [
        "--help",
        "scan image --help",
        "db build --help",
        "base add --help",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 0, "{words}");
        assert!(run.stdout.contains("seawall"), "{words}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            workspace
                .run(&format!("completions {shell}"))
                .stdout
                .contains("seawall")
        );
    }
    assert!(workspace.run("man").stdout.starts_with(".ie"));
    assert_eq!(workspace.run("man --directory pages").code, 0);
    assert!(
        workspace
            .path()
            .join("pages/seawall-scan-image.1")
            .is_file()
    );
}

#[test]
fn a_reader_that_goes_away_does_not_turn_the_verdict() {
    let workspace = prepared();
    for format in ["table", "json", "html"] {
        let words = format!("scan image image.tar --quiet --fail-on low -f {format}");
        assert_eq!(workspace.run_into_closed_pipe(&words), 1, "{format}");
    }
    let run = workspace.run_into_closed_pipe("scan image image.tar --quiet");
    assert_eq!(run, 0);
}

#[test]
fn an_output_that_fails_is_named_and_keeps_neither_the_others_nor_the_verdict() {
    let workspace = prepared();
    let run = workspace.run(
        "scan image image.tar --quiet --output json=/dev/full --output junit=out.xml -f markdown",
    );
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("cannot write /dev/full"), "{run:?}");
    assert!(run.stdout.contains("## Seawall"), "{run:?}");
    assert!(workspace.path().join("out.xml").is_file());
    let words = "scan image image.tar --quiet --output json=/dev/full --fail-on low";
    assert_eq!(workspace.run(words).code, 1);
    for (words, says) in [
        (
            "scan image image.tar --output json=nowhere/x.json",
            "its directory does not exist",
        ),
        ("scan image image.tar --output json=.", "it is a directory"),
        (
            "sbom image image.tar --output spdx=nowhere/x.json",
            "its directory does not exist",
        ),
        (
            "rematch --output json=nowhere/x.json",
            "its directory does not exist",
        ),
    ] {
        let run = workspace.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words}");
        assert!(
            run.stderr.contains(says) && run.stderr.contains("hint: "),
            "{run:?}"
        );
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_named() {
    let workspace = prepared();
    for words in [
        "scan image image.tar --quiet",
        "sbom image image.tar --quiet",
        "db status",
        "db query CVE-2024-10001",
        "db query CVE-2024-10001 --json",
        "version-compare deb 1 2",
        "base list",
        "completions fish",
        "man",
    ] {
        let (code, stderr) = workspace.run_into_full_disk(words);
        assert_eq!(code, 3, "{words}");
        assert!(
            stderr.contains("cannot write to standard output"),
            "{words}: {stderr}"
        );
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
fn a_damaged_inventory_does_not_keep_the_others_from_being_matched() {
    let workspace = prepared();
    workspace.run("scan image image.tar --quiet");
    workspace.write(
        ".local/share/seawall/inventories/image-0.json",
        "{\"inventory_version\": 1",
    );
    let run = workspace.run("rematch -f json");
    assert_eq!(run.code, 3, "{run:?}");
    let report = run.json();
    assert_eq!(findings(&report).len(), 2);
    let missed = &report["incomplete"][0];
    assert!(missed["place"].as_str().unwrap().ends_with("image-0.json"));
    assert!(
        missed["hint"]
            .as_str()
            .unwrap()
            .contains("scan the target again")
    );
}

#[test]
fn several_inventories_are_written_as_pages_and_suites_but_not_as_one_bill() {
    let workspace = prepared();
    workspace.write("other.tar", image());
    workspace.run("scan image image.tar --quiet");
    workspace.run("scan image other.tar --quiet");
    for (format, both) in [
        ("html", "<h1>2 targets</h1>"),
        ("junit", "other.tar: cart 1.4.0"),
    ] {
        let run = workspace.run(&format!("rematch -f {format}"));
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.contains(both), "{run:?}");
    }
    let run = workspace.run("rematch -f cyclonedx");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("hint: "), "{run:?}");
    assert_eq!(workspace.run("rematch other -f cyclonedx").code, 0);
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
fn the_list_of_feeds_can_be_written_to_its_own_place() {
    let workspace = Workspace::new();
    let path = workspace.write(".config/seawall/feeds.toml", "");
    let run = workspace.run("db update --print-feeds");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("http"), "{run:?}");
    std::fs::write(path, "# mine\n").unwrap();
    assert_eq!(workspace.run("db update --print-feeds").stdout, "# mine\n");
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
fn a_report_is_not_lost_where_the_inventory_cannot_be_stored() {
    let workspace = prepared();
    workspace.run("scan image image.tar --quiet");
    let store = workspace.path().join(".local/share/seawall/inventories");
    std::fs::remove_dir_all(&store).unwrap();
    workspace.write(".local/share/seawall/inventories", "in the way");
    let run = workspace.run("scan image image.tar -f json --fail-on critical");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stdout.contains("not kept for `seawall rematch`"),
        "{run:?}"
    );
}

#[test]
fn a_directory_is_stored_by_its_place_not_by_how_it_was_typed() {
    let workspace = prepared();
    workspace.write("app/requirements.txt", "django==3.2.0\n");
    workspace.run("scan fs app --quiet");
    workspace.run("scan fs ./app/. --quiet");
    let run = workspace.run("rematch --list");
    let place = workspace.path().canonicalize().unwrap().join("app");
    let place = place.display().to_string();
    assert_eq!(run.stdout.matches(&place).count(), 1, "{run:?}");
}

#[test]
fn a_delta_was_written_over_the_database_that_it_is_made_from() {
    let workspace = prepared();
    let good = workspace.path().join(".local/share/seawall/advisories.db");
    let good = std::fs::read(good).unwrap();
    workspace.write("old.db", &good);
    workspace.write("new.db", &good);
    std::os::unix::fs::symlink("new.db", workspace.path().join("link")).unwrap();
    for out in ["old.db", "./new.db", "link"] {
        let run = workspace.run(&format!("db delta create old.db new.db --out {out}"));
        assert_eq!(run.code, 2, "{out}: {run:?}");
        assert!(run.stderr.contains("hint: name another file"), "{run:?}");
    }
    for name in ["old.db", "new.db"] {
        let bytes = std::fs::read(workspace.path().join(name)).unwrap();
        assert_eq!(bytes, good, "{name}");
    }
    let run = workspace.run("db delta create old.db new.db --out delta");
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn of_two_reports_in_one_file_the_first_was_lost() {
    let workspace = prepared();
    for (first, second) in [("a", "a"), ("a", "./a"), ("a", ".local/../a")] {
        for words in [
            format!("scan image image.tar --output json={first} --output sarif={second}"),
            format!("rematch --output json={first} --output sarif={second}"),
            format!("sbom image image.tar --output spdx={first} --output cyclonedx={second}"),
        ] {
            let run = workspace.run(&words);
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words}: {run:?}");
            assert!(run.stderr.contains("goes to the same file"), "{run:?}");
            assert!(!workspace.path().join("a").exists(), "{words}");
        }
    }
    let words = "scan image image.tar --output json=/dev/null --output sarif=/dev/null";
    assert_eq!(workspace.run(words).code, 0);
}

#[test]
fn a_report_was_written_over_what_it_is_about() {
    let workspace = prepared();
    let before = image();
    workspace.write("rules.yaml", "ignore: []\n");
    let run = workspace.run("sbom image image.tar");
    workspace.write("bom.json", &run.stdout);
    for words in [
        "scan image image.tar --output json=./image.tar",
        "scan image docker-archive:image.tar --output json=image.tar",
        "sbom image.tar --output spdx=image.tar",
        "scan sbom bom.json --output cyclonedx=bom.json",
        "scan image image.tar --ignore-file rules.yaml --output json=rules.yaml",
        "scan image image.tar --output json=.local/share/seawall/advisories.db",
        "rematch --output json=.local/share/seawall/advisories.db",
    ] {
        let run = workspace.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words}: {run:?}");
        assert!(run.stderr.contains("it is read for this report"), "{run:?}");
    }
    let path = workspace.path().join("image.tar");
    assert_eq!(std::fs::read(path).unwrap(), before);
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
fn archives_of_one_name_took_each_others_place_in_the_store() {
    let workspace = prepared();
    workspace.write("a/image.tar", image());
    workspace.write("b/image.tar", docker_archive(&[]));
    for file in ["a/image.tar", "./b/../a/image.tar", "b/image.tar"] {
        workspace.run(&format!("scan image {file} --quiet"));
    }
    let listed = workspace.run("rematch --list").stdout;
    let place = workspace.path().canonicalize().unwrap();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    for file in ["a/image.tar", "b/image.tar"] {
        let place = place.join(file).display().to_string();
        assert!(listed.contains(&place), "{listed}");
        let matched = workspace.run(&format!("rematch {place} -f json")).json();
        assert_eq!(matched["target"]["name"], place.as_str());
    }
    // A report goes to others, to whom the place says nothing.
    let scanned = workspace.run("scan image a/image.tar -f json").json();
    assert_eq!(scanned["target"]["name"], "a/image.tar");
}

#[test]
fn what_came_through_a_pipe_took_the_place_of_whatever_did_before() {
    let workspace = prepared();
    let piped = String::from_utf8(image()).unwrap();
    let other = piped.replace("shop/web:1", "shop/web:2");
    for input in [&piped, &other, &piped] {
        let run = workspace.run_with("scan image - --quiet", input);
        assert!(run.stdout.contains("cart"), "{run:?}");
    }
    let listed = workspace.run("rematch --list").stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let nameless = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}"#;
    let run = workspace.run_with("scan sbom - -f json", nameless);
    assert!(run.stdout.contains("came through a pipe"), "{run:?}");
    let listed = workspace.run("rematch --list").stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
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
fn a_database_that_is_a_pipe_was_waited_for() {
    let workspace = prepared();
    let pipe = workspace.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success());
    let run = workspace.run("scan image image.tar --db pipe");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("must be a file"), "{run:?}");
    assert!(run.stderr.contains("hint: "), "{run:?}");
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
        &format!(
            "docker/contexts/meta/{}/meta.json",
            command::sha256(name.as_bytes())
        ),
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
fn the_list_of_inventories_was_refused_in_a_format_that_it_is_not_written_in() {
    let workspace = prepared();
    workspace.write("other.tar", image());
    workspace.run("scan image image.tar --quiet");
    workspace.run("scan image other.tar --quiet");
    let run = workspace.run("rematch --list -f cyclonedx");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run:?}");
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

#[test]
fn a_delta_that_was_applied_before_was_an_error() {
    let workspace = prepared();
    let path = ".local/share/seawall/advisories.db";
    let database = workspace.path().join(path);
    std::fs::copy(&database, workspace.path().join("old.db")).unwrap();
    workspace.build_database(&ADVISORIES.replace("burns", "glows"));
    let create = format!("db delta create old.db {path} --out delta");
    assert_eq!(workspace.run(&create).code, 0);
    let new = std::fs::read(&database).unwrap();
    for words in [
        "db delta apply delta --db old.db",
        "db delta apply delta --db old.db",
        "db delta apply delta --db old.db --out other.db",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 0, "{words}: {run:?}");
        assert!(run.stdout.contains("up to date"), "{words}: {run:?}");
    }
    for name in ["old.db", "other.db"] {
        let bytes = std::fs::read(workspace.path().join(name)).unwrap();
        assert_eq!(bytes, new, "{name}");
    }
}

#[test]
fn an_empty_variable_was_taken_for_the_name_of_a_database() {
    let workspace = prepared();
    for (value, code) in [("", 0), ("missing.db", 2)] {
        for words in ["scan image image.tar --quiet", "db status"] {
            let run = workspace.run_in(words, "", &[("SEAWALL_DB", value)]);
            assert_eq!(run.code, code, "{words}: {run:?}");
        }
    }
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
