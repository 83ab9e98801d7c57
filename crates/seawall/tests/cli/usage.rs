//! Wrong usage, help, and the comparison of versions.

use crate::command::Workspace;
use crate::prepared;

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
}

#[test]
fn the_first_line_that_is_no_pair_of_versions_ended_the_comparison() {
    let workspace = Workspace::new();
    let long = "1".repeat(70_000);
    let run = workspace.run_with(
        "version-compare pep440",
        &format!("1.0 2.0\n1.0\n1.0 x\n{long} 1\n2.0 1.0\n"),
    );
    assert_eq!((run.code, run.stdout.as_str()), (2, "<\n>\n"), "{run:?}");
    for said in ["line 2: not two", "line 3: 'x'", "line 4: not two"] {
        assert!(run.stderr.contains(said), "{run:?}");
    }
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
