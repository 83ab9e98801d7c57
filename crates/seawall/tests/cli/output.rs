//! Where reports go: several at once, pipes that close, disks that are full.

use crate::{image, prepared};

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
    for path in ["rules.yaml", ".seawallignore.yaml"] {
        workspace.write(path, "ignore: []\n");
    }
    workspace.write("layout/index.json", "{}");
    workspace.write("layout/oci-layout", "{}");
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
        "scan image image.tar --base-catalogue bases.json --output json=bases.json",
        "sbom image.tar --output spdx=.local/share/seawall/bases.json",
        "scan image image.tar --output json=.seawallignore.yaml",
        "scan image oci-dir:layout --output json=layout/index.json",
    ] {
        let run = workspace.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words}: {run:?}");
        assert!(run.stderr.contains("it is read for this report"), "{run:?}");
    }
    let path = workspace.path().join("image.tar");
    assert_eq!(std::fs::read(path).unwrap(), before);
}
