use seawall_model::{IncompleteReason, Inventory, Package};

use super::*;

fn inventory(text: &str) -> Inventory {
    read("bom.json", text.as_bytes()).unwrap()
}

/// `type name version | source version | arch | module | layer`, a package a line.
fn lines(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .map(|p| {
            let source = p
                .source
                .as_ref()
                .map(|s| format!("{} {}", s.name, s.version));
            let mut line = format!("{} {} {}", p.kind.name(), p.name, p.version);
            for part in [
                source,
                p.architecture.clone(),
                p.module.clone(),
                p.layer.map(|l| l.to_string()),
            ] {
                line.push_str(" | ");
                line.push_str(part.as_deref().unwrap_or("-"));
            }
            line
        })
        .collect()
}

fn check(text: &str, distro: &str, expected: &[&str]) {
    let inventory = inventory(text);
    let own = inventory
        .distro
        .as_ref()
        .map_or(String::new(), |d| format!("{} {}", d.id, d.version));
    assert_eq!(own, distro);
    assert_eq!(lines(&inventory.packages), expected);
}

#[test]
fn our_own_bills_of_materials_read_back() {
    for text in [
        include_str!("../../../seawall-report/src/golden/report.cdx.json"),
        include_str!("../../../seawall-report/src/golden/report.spdx.json"),
    ] {
        let evil = "evil\x1b[2J<script>alert(1)</script>|`x`\u{202e}]]>&\"'";
        check(
            text,
            "debian 12",
            &[
                "deb libssl3 3.0.11-1~deb12u2 | openssl 3.0.11-1~deb12u2 | amd64 | - | 0",
                "deb nginx 1.22.1-9 | nginx 1.22.1-9 | amd64 | - | 1",
                "deb openssl 3.0.11-1~deb12u2 | openssl 3.0.11-1~deb12u2 | amd64 | - | 0",
                "generic redis 7.0.1 | - | - | - | 2",
                "npm @x/left-pad 1.0.0 | - | - | - | 2",
                &format!("pypi {evil} 1.0 | - | - | - | 2"),
            ],
        );
        let inventory = inventory(text);
        assert_eq!(inventory.incomplete.len(), 2, "what was not read stays so");
        assert!(inventory.incomplete[0].message.contains("/app/lib.jar"));
        assert_eq!(inventory.layers.len(), 3);
        assert_eq!(
            inventory.layers[1].created_by.as_deref(),
            Some("RUN apt-get install -y nginx")
        );
        let npm = &inventory.packages[4];
        assert_eq!(npm.paths, ["/app/node_modules/@x/漏洞/package.json"]);
        assert_eq!(
            (npm.owner.as_deref(), npm.development),
            (Some("shop team"), true)
        );
        assert_eq!(npm.licenses, ["MIT", "See LICENSE file"]);
        assert_eq!(inventory.packages[3].cpe_products, ["redis:redis"]);
        assert_eq!(inventory.packages[1].folded, 3);
        assert!(inventory.target.digest.is_some());
    }
}

#[test]
fn what_syft_writes_is_read() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"/x"}},
      "components":[
      {"type":"library","name":"bash","version":"1:5.1-6.el9","purl":"pkg:rpm/rhel/bash@5.1-6.el9?arch=x86_64&epoch=1&distro=rhel-9.4&upstream=bash-5.1-6.el9.src.rpm",
       "properties":[{"name":"syft:location:0:path","value":"/var/lib/rpm/rpmdb.sqlite"},{"name":"syft:metadata:modularityLabel","value":"bash:1:2:3"}]},
      {"type":"library","name":"lodash","version":"4","purl":"pkg:npm/lodash@4","components":[{"type":"library","name":"in","purl":"pkg:npm/in@1"}]},
      {"type":"file","name":"/etc/passwd"},
      {"type":"operating-system","name":"rhel","version":"9.4","properties":[{"name":"syft:distro:id","value":"rhel"},{"name":"syft:distro:versionID","value":"9.4"}]}]}"#;
    check(
        text,
        "rhel 9.4",
        &[
            "npm in 1 | - | - | - | -",
            "npm lodash 4 | - | - | - | -",
            "rpm bash 1:5.1-6.el9 | bash 1:5.1-6.el9 | x86_64 | bash:1:2:3 | -",
        ],
    );
}

#[test]
fn what_trivy_writes_is_read() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.5",
      "metadata":{"component":{"type":"container","name":"web:1","properties":[
        {"name":"aquasecurity:trivy:DiffID","value":"sha256:a"},{"name":"aquasecurity:trivy:DiffID","value":"sha256:b"}]}},
      "components":[
      {"type":"operating-system","name":"redhat","version":"8.4"},
      {"type":"application","name":"package-lock.json","properties":[{"name":"aquasecurity:trivy:Class","value":"lang-pkgs"}]},
      {"type":"library","name":"ssl","version":"1","purl":"pkg:rpm/redhat/ssl@1-2?arch=x86_64&epoch=3","properties":[
        {"name":"aquasecurity:trivy:SrcName","value":"openssl"},{"name":"aquasecurity:trivy:SrcVersion","value":"1"},
        {"name":"aquasecurity:trivy:SrcRelease","value":"2"},{"name":"aquasecurity:trivy:SrcEpoch","value":"3"},
        {"name":"aquasecurity:trivy:LayerDiffID","value":"sha256:b"}]}]}"#;
    check(
        text,
        "rhel 8.4",
        &["rpm ssl 3:1-2 | openssl 3:1-2 | x86_64 | - | 1"],
    );
}

#[test]
fn the_distribution_comes_from_purls_where_nothing_else_says_it() {
    let text = r#"{"spdxVersion":"SPDX-2.3","packages":[
      {"SPDXID":"SPDXRef-DocumentRoot-x","name":"x"},
      {"name":"a","versionInfo":"1","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:apk/alpine/a@1?arch=x86_64&distro=alpine-3.17.10&upstream=b"}]}]}"#;
    check(text, "alpine 3.17.10", &["apk a 1 | b 1 | x86_64 | - | -"]);
}

#[test]
fn spdx_3_is_read() {
    let text = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
      {"type":"CreationInfo"},
      {"type":"software_Package","name":"a","software_packageVersion":"1","software_packageUrl":"pkg:npm/a@1"},
      {"type":"software_Package","name":"b","externalIdentifier":[{"externalIdentifierType":"packageUrl","identifier":"pkg:npm/b@2"}]}]}"#;
    check(
        text,
        "",
        &["npm a 1 | - | - | - | -", "npm b 2 | - | - | - | -"],
    );
}

#[test]
fn what_cannot_be_matched_is_counted() {
    let text = r#"{"bomFormat":"CycloneDX","components":[
      {"type":"library","name":"no-purl","version":"1"},{"type":"library","name":"no-purl-2"},
      {"type":"library","name":"x","purl":"nonsense"},
      {"type":"library","name":"x","purl":"pkg:swid/x@1"},
      {"type":"library","name":"x","purl":"pkg:npm/x"},
      {"type":"application","name":"redis","version":"7","cpe":"cpe:2.3:a:redis:redis:7:*:*:*:*:*:*:*"}]}"#;
    let inventory = inventory(text);
    assert_eq!(
        lines(&inventory.packages),
        ["generic redis 7 | - | - | - | -", "npm x  | - | - | - | -"]
    );
    let said: Vec<&str> = inventory
        .incomplete
        .iter()
        .map(|i| i.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "2 components have no package URL and cannot be matched, the first is `no-purl-2`",
            "1 component has a package URL that is none and cannot be matched, the first is `nonsense`",
            "1 component has a package URL of a type without advisories and cannot be matched, the first is `pkg:swid/x@1`",
            "1 component has no version and cannot be matched, the first is `pkg:npm/x`",
        ]
    );
    assert!(
        inventory
            .incomplete
            .iter()
            .all(|i| i.reason == IncompleteReason::Unsupported)
    );
}

#[test]
fn forms_that_are_not_read_are_named() {
    let depth = 10_000;
    let (open, close) = ("[{\"components\":".repeat(depth), "}]".repeat(depth));
    let nested = format!("{{\"bomFormat\":\"CycloneDX\",\"components\":{open}[]{close}}}");
    for (text, expected) in [
        (
            "<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\"/>",
            "CycloneDX in XML",
        ),
        ("SPDXVersion: SPDX-2.3\n", "SPDX in tag-value form"),
        ("{}", "JSON of another kind"),
        (r#"{"spdxVersion":"SPDX-4.0"}"#, "SPDX-4.0 in JSON"),
        ("{\"bomFormat\":\n\"CycloneDX\",}", "line 2, column 13"),
        (&"[".repeat(100_000), "cannot be read"),
        (&nested, "recursion limit"),
    ] {
        let error = read("bom.json", text.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains(expected),
            "{error} should contain {expected}"
        );
    }
}

#[test]
fn odd_fields_do_not_make_a_document_unreadable() {
    let text = r#"{"bomFormat":"CycloneDX","metadata":{"component":null},"components":[
      {"type":3,"name":{"x":1},"version":1.5,"purl":"pkg:npm/a@1","licenses":null,"properties":null,
       "evidence":{"occurrences":null}},{"name":["a"],"purl":null,"publisher":false}]}"#;
    let inventory = inventory(text);
    assert_eq!(lines(&inventory.packages), ["npm a 1 | - | - | - | -"]);
}

#[test]
fn layers_are_capped() {
    let text = r#"{"bomFormat":"CycloneDX","metadata":{"component":{"name":"x","properties":[
      {"name":"seawall:layer:4294967295:role","value":"base"},{"name":"seawall:layer:1:role","value":"base"}]}}}"#;
    assert_eq!(inventory(text).layers.len(), 2);
}

#[test]
fn a_damaged_document_is_an_error_and_never_a_panic() {
    for text in [
        include_str!("../../../seawall-report/src/golden/report.cdx.json"),
        include_str!("../../../seawall-report/src/golden/report.spdx.json"),
    ] {
        for end in (0..text.trim_end().len()).step_by(13) {
            assert!(read("x", &text.as_bytes()[..end]).is_err(), "cut at {end}");
        }
        for at in (0..text.len()).step_by(7) {
            let mut bad = text.as_bytes().to_vec();
            bad[at] = b"\"9{\0"[at % 4];
            drop(read("x", &bad));
        }
    }
}

#[test]
fn a_document_of_millions_of_empty_objects_is_refused_before_they_take_memory() {
    let many = "{},".repeat(MAX_OBJECTS);
    let text = format!(r#"{{"bomFormat":"CycloneDX","components":[{many}{{}}]}}"#);
    assert_eq!(read("bom.json", text.as_bytes()), Err(SbomError::TooMany));
    let texts = r#""","#.repeat(1_000_000);
    let text = format!(r#"{{"bomFormat":"CycloneDX","components":[{{"name":[{texts}""]}}]}}"#);
    assert_eq!(inventory(&text).packages.len(), 0);
}

/// A CycloneDX document of these purls.
fn document_of(purls: &[&str]) -> String {
    let rows = purls
        .iter()
        .map(|purl| format!(r#"{{"name":"x","purl":"{purl}"}}"#));
    let rows: Vec<String> = rows.collect();
    format!(
        r#"{{"bomFormat":"CycloneDX","components":[{}]}}"#,
        rows.join(",")
    )
}

#[test]
fn packages_of_one_distribution_were_matched_as_another_s() {
    let zlib = "pkg:apk/alpine/zlib@1?distro=alpine-3.12.12";
    let inventory = inventory(&document_of(&[
        zlib,
        "pkg:deb/debian/apt@1?distro=debian-8",
        "pkg:deb/debian/dpkg@1?distro=debian-8.11",
        "pkg:deb/debian/unsaid@1",
        "pkg:deb/debian/bash@1?distro=debian-8",
        "pkg:deb/debian/new@1?distro=bookworm",
        "pkg:deb/ubuntu/other@1",
        "pkg:apk/misfit@1",
        "pkg:npm/a@1",
    ]));
    let names: Vec<&str> = inventory.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["apt", "bash", "dpkg", "unsaid", "a"]);
    let said: Vec<&str> = inventory
        .incomplete
        .iter()
        .map(|i| i.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "1 package is of alpine 3.12.12 in a document of debian 8 and not matched, the first is \
             `zlib 1`",
            "1 package is of another distribution in a document of debian 8 and not matched, the \
             first is `misfit 1`",
            "1 package is of debian 12 in a document of debian 8 and not matched, the first is \
             `new 1`",
            "1 package is of ubuntu in a document of debian 8 and not matched, the first is \
             `other 1`",
        ]
    );
}

#[test]
fn a_vendor_s_name_is_no_other_distribution() {
    for (name, version, purl) in [
        ("redhat", "9.4", "pkg:rpm/redhat/a@1?distro=redhat-9.4"),
        ("rhel", "9.4", "pkg:rpm/redhat/a@1"),
        ("sles", "15.6", "pkg:rpm/suse/a@1?distro=sles-15.6"),
        ("opensuse-tumbleweed", "20260101", "pkg:rpm/opensuse/a@1"),
        ("alpine", "3.16.9", "pkg:apk/alpine/a@1?distro=3.16.9"),
        (
            "amazon",
            "2 (Karoo)",
            "pkg:rpm/amazon/a@1?distro=amazon-2%20%28Karoo%29",
        ),
        (
            "openEuler",
            "22.03-LTS-SP1",
            "pkg:rpm/openeuler/a@1?distro=openeuler-22.03-LTS-SP1",
        ),
        ("debian", "", "pkg:deb/debian/a@1?distro=debian-12"),
        ("oddix", "1", "pkg:rpm/oddix/a@1?distro=oddix-1"),
        ("arch", "", "pkg:alpm/arch/a@1?distro=arch-rolling"),
    ] {
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","components":[{{"name":"x","purl":"{purl}"}},
              {{"type":"operating-system","name":"{name}","version":"{version}"}}]}}"#
        );
        let inventory = inventory(&text);
        assert_eq!(inventory.incomplete, [], "{purl}");
        assert_eq!(inventory.packages.len(), 1, "{purl}");
    }
}

#[test]
fn a_code_name_alone_was_a_distribution_of_that_name() {
    for (purl, id, version) in [
        ("pkg:deb/debian/a@1?distro=bookworm", "debian", "12"),
        ("pkg:deb/debian/a@1?distro=debian-bookworm", "debian", "12"),
        ("pkg:deb/debian/a@1?distro=sid", "debian", ""),
        ("pkg:deb/ubuntu/a@1?distro=jammy", "ubuntu", "22.04"),
        ("pkg:deb/ubuntu/a@1?distro=ubuntu-jammy", "ubuntu", "22.04"),
        ("pkg:rpm/fedora/a@1?distro=fedora-25", "fedora", "25"),
        (
            "pkg:rpm/suse/a@1?distro=opensuse-leap-15.5",
            "opensuse-leap",
            "15.5",
        ),
        ("pkg:alpm/arch/a@1?distro=arch", "arch", ""),
        ("pkg:alpm/arch/a@1?distro=arch-rolling", "arch", "rolling"),
        ("pkg:apk/alpine/a@1?distro=alpine-edge", "alpine", "edge"),
        (
            "pkg:rpm/opensuse/a@1?distro=opensuse-tumbleweed",
            "opensuse-tumbleweed",
            "",
        ),
        ("pkg:rpm/odd/a@1?distro=odd-ix", "odd-ix", ""),
    ] {
        let (_, distro) = read_purl(purl).unwrap();
        let distro = distro.unwrap();
        assert_eq!((&*distro.id, &*distro.version), (id, version), "{purl}");
    }
}

#[test]
fn one_entry_that_is_no_object_made_the_document_unreadable() {
    let spdx = r#"{"name":"a","externalRefs":[null,{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]}"#;
    for (text, odd) in [
        (
            r#"{"bomFormat":"CycloneDX","components":[null,{"purl":"pkg:npm/a@1","licenses":[null,3]},"x",[{}],1]}"#.to_owned(),
            "4 entries among the components are no objects and were skipped",
        ),
        (
            r#"{"bomFormat":"CycloneDX","components":[{"purl":"pkg:npm/a@1","components":[null]}]}"#.to_owned(),
            "1 entry among the components is no object and was skipped",
        ),
        (
            format!(r#"{{"spdxVersion":"SPDX-2.3","packages":[{spdx},-1.5,true]}}"#),
            "2 entries among the components are no objects and were skipped",
        ),
    ] {
        let inventory = inventory(&text);
        assert_eq!(lines(&inventory.packages), ["npm a 1 | - | - | - | -"]);
        let messages: Vec<&str> = inventory.incomplete.iter().map(|i| &*i.message).collect();
        assert_eq!(messages, [odd]);
        assert_eq!(inventory.incomplete[0].reason, IncompleteReason::Corrupt);
    }
}

#[test]
fn a_document_that_was_cut_off_was_only_malformed() {
    for text in [
        "",
        "{",
        "\u{feff}{\"bomFormat\": \"Cyc",
        r#"{"bomFormat":"CycloneDX","components":[{}"#,
    ] {
        let length = text.len();
        assert_eq!(
            read("bom.json", text.as_bytes()),
            Err(SbomError::Truncated { length })
        );
    }
    let error = SbomError::Truncated { length: 7 };
    assert!(error.to_string().contains("byte 7") && error.hint().contains("again"));
}

#[test]
fn errors_named_the_types_of_our_own_source() {
    for text in [
        "3",
        r#"{"bomFormat":"CycloneDX","components":3}"#,
        r#"{"bomFormat":"CycloneDX","metadata":3}"#,
        r#"{"bomFormat":"CycloneDX","metadata":{"component":3}}"#,
        r#"{"bomFormat":"CycloneDX","components":[{"evidence":3}]}"#,
        r#"{"bomFormat":"CycloneDX","components":[{"licenses":[{"license":"MIT"}]}]}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":"x"}"#,
    ] {
        let error = read("bom.json", text.as_bytes()).unwrap_err().to_string();
        assert!(
            !error.contains("struct") && !error.contains("expected expected"),
            "{error}"
        );
        assert!(error.contains("expected a"), "{error}");
    }
}

#[test]
fn a_bill_of_materials_of_any_number_of_packages_was_listed_whole() {
    let mut collector = Collector::new("bom.json");
    collector.max_packages = 2;
    let deb = |number| format!("pkg:deb/debian/p{number}@1?distro=debian-12");
    let npm = |number| format!("pkg:npm/p{number}@1");
    for purl in (0..5).map(deb).chain((0..3).map(npm)) {
        collector.component(collect::Component {
            purl: Some(purl),
            ..collect::Component::default()
        });
    }
    let inventory = collector.finish();
    assert_eq!(inventory.packages.len(), 4);
    let told: Vec<_> = inventory
        .incomplete
        .iter()
        .map(|incomplete| (incomplete.reason, incomplete.message.as_str()))
        .collect();
    let limit = IncompleteReason::LimitReached;
    assert_eq!(
        told,
        [
            (
                limit,
                "at most 2 packages of package managers are listed: 3 more are left out"
            ),
            (limit, "at most 2 packages are listed: 1 more are left out"),
        ]
    );
}

#[test]
fn the_second_package_url_of_a_package_was_passed_over() {
    check(
        r#"{"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "externalRefs": [
            {"referenceType": "purl", "referenceLocator": "pkg:npm/nothing@1.0.0"},
            {"referenceType": "purl", "referenceLocator": "pkg:npm/lodash@4.17.4"}]}]}"#,
        "",
        &[
            "npm lodash 4.17.4 | - | - | - | -",
            "npm nothing 1.0.0 | - | - | - | -",
        ],
    );
}

#[test]
fn a_library_whose_group_is_beside_its_package_url_had_none() {
    check(
        r#"{"bomFormat": "CycloneDX", "components": [
            {"type": "library", "group": "org.g", "name": "a", "purl": "pkg:maven/a@1.0"},
            {"type": "library", "group": "x", "name": "b", "purl": "pkg:maven/org.g/b@1.0"}]}"#,
        "",
        &[
            "maven org.g:a 1.0 | - | - | - | -",
            "maven org.g:b 1.0 | - | - | - | -",
        ],
    );
}

#[test]
fn a_document_that_says_that_it_is_incomplete_was_taken_for_whole() {
    for (aggregate, notes) in [("complete", 0), ("incomplete_first_party_only", 1)] {
        let text = format!(
            r#"{{"bomFormat": "CycloneDX", "compositions": [{{"aggregate": "{aggregate}"}}]}}"#
        );
        assert_eq!(inventory(&text).notes.len(), notes, "{aggregate}");
    }
}
