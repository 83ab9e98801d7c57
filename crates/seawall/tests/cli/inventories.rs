//! Stored inventories, and what is matched again without the image.

use crate::command::{docker_archive, findings};
use crate::{ADVISORIES, image, prepared};

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
fn findings_of_packages_with_one_url_were_counted_once() {
    let workspace = prepared();
    let cart = r#"{"name":"cart","version":"1.4.0"}"#;
    let in_two_layers = docker_archive(&[
        &[("a/node_modules/cart/package.json", cart)],
        &[("b/node_modules/cart/package.json", cart)],
    ]);
    workspace.write("carts.tar", in_two_layers);
    workspace.run("scan image carts.tar --quiet");
    workspace
        .build_database("advisories:\n  - {id: A-1, title: x, packages: [{purl: 'pkg:npm/x'}]}\n");
    let run = workspace.run("rematch carts.tar -f json");
    let notice =
        "2 findings are gone since this was matched last: ACME-2024-2 in pkg:npm/cart@1.4.0";
    assert_eq!(run.json()["notices"][0], notice, "{run:?}");
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
fn the_list_of_inventories_was_refused_in_a_format_that_it_is_not_written_in() {
    let workspace = prepared();
    workspace.write("other.tar", image());
    workspace.run("scan image image.tar --quiet");
    workspace.run("scan image other.tar --quiet");
    let run = workspace.run("rematch --list -f cyclonedx");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run:?}");
}
