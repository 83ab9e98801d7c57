use crate::test_layer::{names, program, scan, scan_holding, scan_limited};

fn check(layers: &[&[&str]], expected: &[&str]) {
    assert_eq!(names(&scan(layers)), expected, "{layers:?}");
}

#[test]
fn a_whiteout_hides_only_lower_layers() {
    check(&[&["a/x.lock = p-1"], &["!a/x.lock"]], &[]);
    check(&[&["a/x.lock = p-1"], &["!a"]], &[]);
    check(&[&["a/b/c/x.lock = p-1"], &["!a"]], &[]);
    check(&[&["!a/x.lock", "a/x.lock = p-1"]], &["p-1@0"]);
    check(&[&["a/x.lock = p-1", "!a/x.lock"]], &["p-1@0"]);
    check(&[&["a/x.lock = p-1", "!a"]], &["p-1@0"]);
    check(&[&["a/x.lock = p-1"], &["!a/x"]], &["p-1@0"]);
    check(&[&["ab/x.lock = p-1"], &["!a"]], &["p-1@0"]);
    check(
        &[&["a/x.lock = p-1"], &["!a/x.lock"], &["a/x.lock = p-1"]],
        &["p-1@2"],
    );
}

#[test]
fn an_opaque_directory_hides_what_lower_layers_have_in_it() {
    check(&[&["a/x.lock = p-1"], &["!a/*"]], &[]);
    check(&[&["a/b/x.lock = p-1"], &["!a/*"]], &[]);
    check(
        &[&["a/x.lock = p-1"], &["!a/*", "a/y.lock = q-1"]],
        &["q-1@1"],
    );
    check(
        &[&["a/x.lock = p-1"], &["a/y.lock = q-1", "!a/*"]],
        &["q-1@1"],
    );
    check(&[&["a/x.lock = p-1"], &["!a/b/*"]], &["p-1@0"]);
}

#[test]
fn layers_hid_what_containers_see() {
    for (upper, doubt) in [
        // overlayfs merges the root.
        (&["!*"][..], Some("/: the layer hides everything below it")),
        // The directory takes the whiteout's place where the layer is unpacked.
        (&["!a", "a/"], None),
        // Rootless runtimes make no devices.
        (&["a |"], None),
        (&["a/x.lock |"], None),
    ] {
        let inventory = scan(&[&["a/x.lock = p-1"], upper]);
        assert_eq!(names(&inventory), ["p-1@0"], "{upper:?}");
        let said: Vec<String> = inventory.incomplete.iter().map(|i| i.to_string()).collect();
        assert_eq!(said.first().map(String::as_str), doubt, "{upper:?}");
    }
    for upper in [
        &["a/", "!a/*", "a = text", "a/"][..],
        &["a/b/", "!a/b/x", "a -> c", "a/"],
        &["!a/b", "a |", "a/"],
        &["!a/*", "a |"],
        &["!a", "!a/*", "a/"],
    ] {
        let inventory = scan(&[&["a/x.lock = p-1"], upper]);
        let said = inventory.incomplete[0].to_string();
        assert!(
            said.starts_with("/a: it takes the place of a directory"),
            "{said}"
        );
    }
    let inventory = scan(&[&["a/x.lock = p-1"], &["a = text", "a/"]]);
    let said = inventory.incomplete[0].to_string();
    assert!(said.contains("as a file and as a directory"), "{said}");
    let inventory = scan(&[&["a/x.lock = p-1"], &["a = text", "a |"]]);
    let said = inventory.incomplete[0].to_string();
    assert!(said.contains("as a device or pipe and as a file"), "{said}");
    assert_eq!(
        scan(&[&["!a/*", "a/y = text", "a/z -> y", "b = text"]]).incomplete,
        []
    );
}

#[test]
fn a_program_that_was_left_under_its_other_name_only_was_lost() {
    let (tool, newer) = (program("a.so", "p-1"), program("a.so", "p-2"));
    let layer: &[&str] = &[&tool, "b.so => a.so", "c.so => a.so"];
    let paths = |layers: &[&[&str]]| -> Vec<String> {
        let inventory = scan(layers);
        assert_eq!(inventory.incomplete, []);
        let found = inventory.packages.iter();
        found
            .map(|it| format!("{} {}", it.version, it.paths.join(" ")))
            .collect()
    };
    assert_eq!(paths(&[layer]), ["1 /a.so"]);
    assert_eq!(paths(&[layer, &["!a.so"]]), ["1 /b.so"]);
    assert_eq!(paths(&[layer, &["!b.so"], &["!a.so"]]), ["1 /c.so"]);
    assert_eq!(paths(&[layer, &["!b.so", "!c.so"], &["!a.so"]]), [""; 0]);
    assert_eq!(paths(&[layer, &[&newer]]), ["1 /b.so", "2 /a.so"]);
    assert_eq!(
        paths(&[&[&tool, "b.so => a.so", "a.so = text"]]),
        ["1 /b.so"]
    );
    assert_eq!(
        paths(&[&[&tool, "b.so => a.so", "b.so = text", "a.so = text"]]),
        [""; 0]
    );
    // A script whose name a program took, and then a link.
    let program = program("a.so", "p-1");
    assert_eq!(
        paths(&[&["a.so = text", &program, "b.so => a.so", "a.so = text"]]),
        ["1 /b.so"]
    );
}

#[test]
fn a_version_that_an_upper_layer_chose_was_the_lower_one_s() {
    let parent = |version: &str| {
        format!(
            "pom.xml = <project><groupId>g</groupId><artifactId>up</artifactId>\
             <version>1</version><properties><v>{version}</v></properties></project>"
        )
    };
    let child = "m/pom.xml = <project><artifactId>m</artifactId><parent><groupId>g</groupId>\
                 <artifactId>up</artifactId><version>1</version></parent><dependencies>\
                 <dependency><groupId>x</groupId><artifactId>y</artifactId>\
                 <version>${v}</version></dependency></dependencies></project>";
    let (old, new) = (parent("2"), parent("3"));
    check(&[&[&old, child]], &["x:y-2@0"]);
    check(&[&[&old, child], &[&new]], &["x:y-3@1"]);
}

#[test]
fn a_package_of_another_source_was_taken_for_the_one_below() {
    check(
        &[&["var/db = a-1/foo b-1/x"], &["var/db = a-1/glibc b-1/x"]],
        &["a-1@1", "b-1@0"],
    );
}

#[test]
fn links_in_the_place_of_files_were_passed_over_in_silence() {
    for (link, expected) in [
        (
            "a/x.lock -> /opt/data",
            Some("/a/x.lock: it is a link to /opt/data, which"),
        ),
        ("a/x.lock -> y.lock", None),
        (
            "app/node_modules -> ../opt/nm",
            Some("/app/node_modules: it is a link to /opt/nm, which"),
        ),
        ("app/node_modules -> /deps/node_modules", None),
        ("app/x -> /opt/data", None),
    ] {
        let inventory = scan(&[&[link]]);
        let said = inventory.incomplete.first().map(ToString::to_string);
        let said = said.unwrap_or_default();
        assert!(
            said.starts_with(expected.unwrap_or_default()),
            "{link}: {said}"
        );
        assert_eq!(said.is_empty(), expected.is_none(), "{link}: {said}");
    }
    // A hard link to a link is one.
    let inventory = scan(&[&["s -> ../q", "app/node_modules => s"]]);
    let said = inventory.incomplete[0].to_string();
    assert!(
        said.starts_with("/app/node_modules: it is a link to /q,"),
        "{said}"
    );
    // One that an upper layer replaces leads nowhere.
    let inventory = scan(&[&["x.lock -> y"], &["x.lock = p-1"]]);
    assert_eq!(inventory.incomplete, []);
}

#[test]
fn whatever_takes_a_path_hides_what_was_there() {
    check(&[&["a/x.lock = p-1"], &["a/x.lock = p-2"]], &["p-2@1"]);
    check(&[&["a/x.lock = p-1"], &["a/x.lock -> y"]], &[]);
    check(&[&["a/x.lock = p-1"], &["a/x.lock/"]], &[]);
    check(&[&["a/x.lock = p-1"], &["a -> b"]], &[]);
    check(&[&["a/b/x.lock = p-1"], &["a = text"]], &[]);
    check(&[&["a/b/x.lock = p-1"], &["a/b => c"]], &[]);
    check(&[&["a/x.lock = p-1"], &["a/"]], &["p-1@0"]);
    check(&[&["a/x.lock = p-1"], &["a/x.lock = "]], &[]);
}

#[test]
fn of_one_path_twice_in_a_layer_the_last_entry_holds() {
    check(&[&["x.lock = p-1", "x.lock = p-2"]], &["p-2@0"]);
    check(&[&["x.lock = p-1", "x.lock -> y"]], &[]);
    check(&[&["x.lock = p-1", "x.lock/"]], &[]);
    check(&[&["x.lock -> y", "x.lock = p-1"]], &["p-1@0"]);
}

#[test]
fn a_hard_link_is_a_file_of_its_own() {
    check(&[&["other = p-1", "x.lock => p-1"]], &["p-1@0"]);
    check(
        &[&["x.lock = p-1"], &["y.lock => p-2"], &["!x.lock"]],
        &["p-2@1"],
    );
}

#[test]
fn a_package_belongs_to_the_lowest_layer_that_has_had_it_since() {
    check(
        &[
            &["var/db = a-1 b-1"],
            &["other = text"],
            &["var/db = a-1 b-2 c-1"],
            &["var/db = a-1 b-2 c-1 d-1"],
        ],
        &["a-1@0", "b-2@2", "c-1@2", "d-1@3"],
    );
    // Removed and installed again: the layer that brought it back.
    check(
        &[
            &["var/db = a-1 b-1"],
            &["var/db = b-1"],
            &["var/db = a-1 b-1"],
        ],
        &["a-1@2", "b-1@0"],
    );
    // A database that comes with its whole directory is still the same database.
    check(
        &[&["var/db = a-1"], &["!var/*", "var/db = a-1 b-1"]],
        &["a-1@0", "b-1@1"],
    );
}

#[test]
fn a_database_that_moved_made_every_package_the_upper_layer_s() {
    for (below, mv) in [
        ("var/lib/db", "!var/lib/db"),
        ("lib/apk/db", "!lib/apk"),
        ("lib/apk/db", "lib -> usr/lib"),
    ] {
        let below = format!("{below} = a-1 b-1");
        let files = [&*below, "x.lock = p-1"];
        let upper = [mv, "!x.lock", "usr/lib/db = a-1 b-2", "y.lock = p-1"];
        // What is no database is another file under another name.
        check(&[&files, &upper], &["a-1@0", "b-2@1", "p-1@1"]);
    }
    // Between the two there was none.
    check(
        &[&["var/db = a-1"], &["!var/db"], &["usr/db = a-1"]],
        &["a-1@2"],
    );
}

#[test]
fn files_are_analyzed_in_place_when_the_budget_is_used_up() {
    let entries: Vec<String> = (0..500).map(|n| format!("{n}.lock = p{n}-1")).collect();
    let layer: Vec<&str> = entries.iter().map(String::as_str).collect();
    for held_bytes in [0, 3_000, 1 << 20] {
        let inventory = scan_holding(&[&layer], held_bytes);
        assert_eq!(inventory.packages.len(), 500);
    }
}

#[test]
fn what_cannot_be_read_is_said_unless_it_is_hidden() {
    let long = format!("long.lock = {}", "x".repeat(6_001));
    let inventory = scan(&[&[
        "a.lock = p-1 corrupt",
        "b.lock = panic",
        &long,
        "c.lock = q-1",
    ]]);
    assert_eq!(names(&inventory), ["p-1@0", "q-1@0"]);
    let mut said: Vec<String> = inventory.incomplete.iter().map(|i| i.to_string()).collect();
    said.sort();
    assert_eq!(
        said,
        [
            "/a.lock: words: as asked (at byte 7)",
            "/b.lock: words failed on this file",
            "/long.lock: 6001 bytes are more than the 6000 bytes that words reads",
        ]
    );
    let inventory = scan(&[&["a.lock = corrupt"], &["!a.lock"]]);
    assert!(inventory.incomplete.is_empty());
}

#[test]
fn a_small_layer_of_millions_of_packages_took_gigabytes() {
    let layer: &[&str] = &[
        "a.lock = p-1 q-1 r-1",
        "b.lock = corrupt",
        "c.lock = panic",
        "d.lock = s-1",
        "var/db = t-1",
    ];
    let inventory = scan_limited(&[layer], |options| {
        // Nothing waits, so that the order is that of the layer.
        options.held_bytes = 0;
        options.max_packages = 2;
        options.max_incomplete = 1;
    });
    assert_eq!(names(&inventory), ["t-1@0", "p-1@0", "q-1@0"]);
    let said: Vec<String> = inventory.incomplete.iter().map(|i| i.to_string()).collect();
    assert_eq!(
        said,
        [
            "test: at most 2 packages are listed: 2 more are left out",
            "test: at most 1 files that could not be read are listed: 1 more are left out",
            "/b.lock: words: as asked (at byte 7)",
        ]
    );
}
