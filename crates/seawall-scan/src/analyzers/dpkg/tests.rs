use super::*;
use crate::analyzers::{MAX_NOTES, OwnedFiles, testing};
use seawall_artifact::Content;

fn analyze(path: &str, text: &[u8]) -> Found {
    let content = Content::from_bytes(text.to_vec());
    let file = File {
        path,
        mode: 0o644,
        content: &content,
    };
    let mut found = Found::default();
    Dpkg.analyze(&file, &mut found).unwrap();
    found
}

fn check(path: &str, text: &str, expected: &[&str]) {
    let found = analyze(path, text.as_bytes());
    let packages: Vec<String> = found
        .packages
        .iter()
        .map(|p| {
            let source = p.source.as_ref().unwrap();
            let architecture = p.architecture.as_deref().unwrap_or("-");
            format!(
                "{} {} {architecture} {} {}",
                p.name, p.version, source.name, source.version
            )
        })
        .collect();
    assert_eq!(packages, expected, "{path}");
}

const STATUS: &str = include_str!("fixtures/status");

#[test]
fn status_lists_what_is_on_disk() {
    check(
        "var/lib/dpkg/status",
        STATUS,
        &[
            "libexample1 1:2.3-4+b1 amd64 example 1:2.3-4",
            "held 5.0 all held 5.0",
            "waiting 1.0-1 amd64 waiting 1.0-1",
            "unconfigured 2.0-1 amd64 other-source 2.0-1",
        ],
    );
}

#[test]
fn a_database_cut_off_in_a_line_looked_whole() {
    let text = b"Package: a\nStatus: install ok installed\nVersion: 1.";
    let (found, result) = testing::analyze(&Dpkg, "var/lib/dpkg/status", text);
    assert_eq!(found.packages.len(), 1);
    let error = result.unwrap_err();
    assert_eq!(error.reason, IncompleteReason::Truncated);
    assert_eq!(error.offset, Some(text.len() as u64));
}

#[test]
fn a_small_file_of_damage_filled_memory_and_report() {
    let text = "a:b\n\n".repeat(MAX_NOTES + 7);
    let (mut found, _) = testing::analyze(&Dpkg, "var/lib/dpkg/status", text.as_bytes());
    assert_eq!(found.incomplete.len(), MAX_NOTES);
    found.note_left_out("var/lib/dpkg/status");
    let last = found.incomplete.last().unwrap();
    assert_eq!(last.reason, IncompleteReason::LimitReached);
    assert_eq!(last.message, "7 more places could not be read");
}

#[test]
fn distroless_keeps_one_paragraph_a_file_without_status() {
    check(
        "var/lib/dpkg/status.d/base",
        "Package: base-files\nVersion: 12.4+deb12u5\nArchitecture: amd64\n",
        &["base-files 12.4+deb12u5 amd64 base-files 12.4+deb12u5"],
    );
    let found = analyze(
        "var/lib/dpkg/status.d/base.md5sums",
        b"0123456789abcdef0123456789abcdef  usr/share/base-files/motd\n",
    );
    assert!(found.packages.is_empty());
    assert_eq!(found.owned[0].package, "base");
    assert_eq!(found.owned[0].paths, ["usr/share/base-files/motd"]);
}

#[test]
fn lists_name_their_package_without_its_architecture() {
    let found = analyze(
        "var/lib/dpkg/info/libexample1:amd64.list",
        b"/.\n/usr\n/usr/lib/libexample.so.1\n",
    );
    assert_eq!(found.owned[0].package, "libexample1");
    assert_eq!(found.owned[0].paths, ["usr", "usr/lib/libexample.so.1"]);
}

#[test]
fn other_lists_are_not_of_dpkg() {
    let found = analyze("etc/apt/sources.list", b"deb http://mirror ./\n");
    assert_eq!(found, Found::default());
}

#[test]
fn diverted_files_are_owned_where_they_are_now() {
    let found = analyze(
        "var/lib/dpkg/diversions",
        b"/usr/bin/tool\n/usr/bin/tool.real\nwrapper\n/cut/off\n",
    );
    assert_eq!(
        found.owned,
        [OwnedFiles {
            package: "wrapper".to_owned(),
            paths: vec!["usr/bin/tool.real".to_owned()],
        }]
    );
}

#[test]
fn a_package_without_version_is_reported_where_it_stands() {
    let text = "Package: good\nStatus: install ok installed\nVersion: 1\n\n\
                Package: bad\nStatus: install ok installed\n\n\
                Package: fine\nStatus: install ok installed\nVersion: 2\n";
    let found = analyze("var/lib/dpkg/status", text.as_bytes());
    assert_eq!(found.packages.len(), 2);
    assert_eq!(found.incomplete.len(), 1);
    assert_eq!(
        found.incomplete[0].offset,
        text.find("Package: bad").map(|n| n as u64)
    );
}

#[test]
fn every_truncation_is_survived() {
    for end in 0..STATUS.len() {
        drop(testing::analyze(
            &Dpkg,
            "var/lib/dpkg/status",
            &STATUS.as_bytes()[..end],
        ));
    }
}

#[test]
fn bytes_that_are_not_text_are_survived() {
    let found = analyze(
        "var/lib/dpkg/status",
        b"Package: a\xff\nVersion: 1\n\n\0\0\0\xfe:\n\n:\n",
    );
    assert_eq!(found.packages.len(), 1);
}

#[test]
fn a_package_was_lost_with_the_blank_line_before_it() {
    let text = "Package: a\nStatus: install ok installed\nVersion: 1\n\
                Package: b\nStatus: install ok installed\nVersion: 2\n\n\
                Package: c\nVersion: 3\n";
    check(
        "var/lib/dpkg/status",
        text,
        &["a 1 - a 1", "b 2 - b 2", "c 3 - c 3"],
    );
    let found = analyze("var/lib/dpkg/status", text.as_bytes());
    let [note] = &found.incomplete[..] else {
        panic!("one place is damaged: {:?}", found.incomplete);
    };
    assert_eq!(note.reason, IncompleteReason::Corrupt);
    assert_eq!(
        note.message,
        "dpkg: no blank line between the package 'a' and the next"
    );
    assert_eq!(note.offset, text.find("Package: b").map(|n| n as u64));
}

#[test]
fn a_package_in_an_unknown_state_was_dropped_without_a_word() {
    for status in ["install ok instxlled", "install ok"] {
        let text = format!("Package: a\nStatus: {status}\nVersion: 1\n");
        check("var/lib/dpkg/status", &text, &["a 1 - a 1"]);
        let found = analyze("var/lib/dpkg/status", text.as_bytes());
        let messages: Vec<&str> = found.incomplete.iter().map(|i| &*i.message).collect();
        assert_eq!(
            messages,
            ["dpkg: the package 'a' is in no state that dpkg knows"]
        );
    }
    for status in [
        "deinstall ok config-files",
        "unknown ok not-installed",
        "install ok half-installed",
    ] {
        let text = format!("Package: a\nStatus: {status}\nVersion: 1\n");
        assert_eq!(
            analyze("var/lib/dpkg/status", text.as_bytes()),
            Found::default()
        );
    }
}
