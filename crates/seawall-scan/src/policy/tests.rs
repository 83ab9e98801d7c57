use jiff::civil::{Date, date};
use seawall_model::{Finding, FixState, Severity, TargetKind};

use super::testing::{finding, inventory, long};
use super::*;

type Add = fn(&mut Policy, &str, &[u8]) -> Result<(), PolicyError>;

const TODAY: Date = date(2026, 6, 1);

fn findings() -> Vec<Finding> {
    vec![
        finding("CVE-2025-1", 0),
        finding("CVE-2025-1", 1),
        finding("CVE-2025-2", 1),
    ]
}

/// Applies a policy file to CVE-2025-1 in openssl and lodash and CVE-2025-2 in lodash, and returns
/// the status of each with the suppression's reason.
fn check(add: Add, file: &str, expected: [&str; 3]) -> Vec<String> {
    check_with(add, file, expected, |_| {})
}

fn check_with(
    add: Add,
    file: &str,
    expected: [&str; 3],
    change: impl Fn(&mut Finding),
) -> Vec<String> {
    let mut policy = Policy::default();
    add(&mut policy, "policy", long(file).as_bytes()).unwrap();
    let mut findings = findings();
    findings.iter_mut().for_each(&change);
    let notices = policy.apply(&inventory(), &mut findings, TODAY);
    let actual: Vec<String> = findings
        .iter()
        .map(|finding| match &finding.suppression {
            None => finding.status.name().to_owned(),
            Some(by) => format!(
                "{} {}",
                finding.status.name(),
                by.reason.as_deref().unwrap_or("-")
            ),
        })
        .collect();
    assert_eq!(actual, expected, "{file}");
    notices
}

fn refused(add: Add, file: &str, expected: &str) {
    let error = add(&mut Policy::default(), "policy", file.as_bytes()).unwrap_err();
    let text = format!("{error}; hint: {}", error.hint);
    assert!(text.contains(expected), "{text}\nshould contain {expected}");
}

const IGNORE: Add = Policy::add_ignore_file;
const VEX: Add = Policy::add_vex;
const TRUSTED: Add = Policy::add_trusted_images;

#[test]
fn ignore_rules_hold_back_what_they_name() {
    for (rule, expected) in [
        (
            "id: CVE-2025-1, reason: r",
            ["ignored r", "ignored r", "affected"],
        ),
        (
            "id: GHSA-2025-2, reason: r, owner: me",
            ["affected", "affected", "ignored r (owner me)"],
        ),
        (
            "package: 'pkg:npm/lodash', reason: r",
            ["affected", "ignored r", "ignored r"],
        ),
        (
            "package: 'pkg:npm/*', reason: r",
            ["affected", "ignored r", "ignored r"],
        ),
        (
            "package: 'pkg:npm/lodash@4.17.21', reason: r",
            ["affected", "affected", "affected"],
        ),
        (
            "package: openssl, reason: r",
            ["ignored r", "affected", "affected"],
        ),
        (
            "path: '/app/**', id: CVE-2025-2, reason: r",
            ["affected", "affected", "ignored r"],
        ),
        (
            "path: '/usr/**', reason: r",
            ["affected", "affected", "affected"],
        ),
        (
            "id: CVE-2025-1, reason: r, expires: 2026-06-02",
            ["ignored r", "ignored r", "affected"],
        ),
    ] {
        check(IGNORE, &format!("ignore:\n  - {{{rule}}}\n"), expected);
    }
}

#[test]
fn a_rule_for_one_directory_hid_the_same_package_elsewhere() {
    for (rule, holds_back) in [("path: '/app/test/**'", false), ("path: '/app/**'", true)] {
        let mut inventory = inventory();
        let copy = "/app/test/node_modules/lodash/package.json".to_owned();
        inventory.packages[1].paths.push(copy);
        let mut policy = Policy::default();
        let file = format!("ignore:\n  - {{{rule}, reason: r}}\n");
        IGNORE(&mut policy, "policy", file.as_bytes()).unwrap();
        let mut findings = vec![finding("CVE-2025-1", 1)];
        policy.apply(&inventory, &mut findings, TODAY);
        assert_eq!(findings[0].suppression.is_some(), holds_back, "{rule}");
    }
}

#[test]
fn an_expired_rule_does_not_hold_and_is_reported() {
    let file = "ignore:\n  - {id: CVE-2025-1, reason: r, expires: 2026-06-01}\n";
    let notices = check(IGNORE, file, ["affected", "affected", "affected"]);
    assert_eq!(
        notices,
        ["the ignore rule for CVE-2025-1 at policy:2 expired on 2026-06-01 and no longer holds"]
    );
}

#[test]
fn other_tools_ignore_files_are_read() {
    let both = ["ignored -", "ignored -", "affected"];
    check(
        IGNORE,
        "# comment\nCVE-2025-1\nCVE-2025-2 exp:2026-01-01\n",
        both,
    );
    check(
        IGNORE,
        "CVE-2025-1 # not used here\n",
        ["ignored not used here", "ignored not used here", "affected"],
    );
    check(
        IGNORE,
        "vulnerabilities:\n  - id: CVE-2025-1\n    purls: ['pkg:npm/lodash@4.17.20']\n    statement: s\n",
        ["affected", "ignored s", "affected"],
    );
    check(
        IGNORE,
        "output: json\nignore:\n  - vulnerability: CVE-2025-1\n    package:\n      type: npm\n      name: lodash\n",
        ["affected", "ignored -", "affected"],
    );
    check(
        IGNORE,
        "ignore:\n  - fix-state: not-fixed\n    reason: r\n",
        ["ignored r"; 3],
    );
    check(IGNORE, "", ["affected"; 3]);
}

#[test]
fn mistakes_in_policy_files_name_the_line_and_the_way_out() {
    for (add, file, expected) in [
        (IGNORE, "ignore:\n  - id: CVE-1\n    reson: r\n", "policy:3"),
        (IGNORE, "ignore:\n  - id: CVE-1\n    reson: r\n", "reson"),
        (IGNORE, "ignore:\n  - id: CVE-1\n", "reason"),
        (
            IGNORE,
            "ignore:\n  - reason: r\n",
            "would ignore everything",
        ),
        (
            IGNORE,
            "ignore:\n  - {id: a, reason: r, expires: soon}\n",
            "policy:2: `soon` is not a day; hint: write days as YYYY-MM-DD",
        ),
        (
            IGNORE,
            "ignore:\n  - {id: a, reason: ' '}\n",
            "the reason is empty",
        ),
        (
            IGNORE,
            "ignore: [{vulnerability: CVE-1, namespace: x}]\n",
            "namespace",
        ),
        (
            IGNORE,
            "CVE-1 until:2026\n",
            "policy:1: `until:2026` behind CVE-1 means nothing",
        ),
        (
            TRUSTED,
            "trusted:\n  - {name: a, digest: b, reason: r}\n",
            "exactly one key",
        ),
        (
            TRUSTED,
            "trusted:\n  - {digest: 'web@sha256:ab', reason: r}\n",
            "`web@sha256:ab` is no digest",
        ),
        (
            TRUSTED,
            "trusted:\n  - {chain_id: 'SHA256:AB', reason: r}\n",
            "`SHA256:AB` is no digest",
        ),
        (
            TRUSTED,
            "trusted:\n  - {name: a, up_to: awful, reason: r}\n",
            "`awful` is not a severity",
        ),
        (
            VEX,
            "{}",
            "no VEX document; hint: VEX is read as OpenVEX, CycloneDX or CSAF",
        ),
        (VEX, "{\"statements\": [}", "policy:1"),
    ] {
        refused(add, file, expected);
    }
    let latin1 = Policy::default().add_ignore_file("policy", b"# ok\nCVE-1 # caf\xe9\n");
    assert_eq!(
        latin1.unwrap_err().to_string(),
        "policy:2: the file is not UTF-8"
    );
}

#[test]
fn trusted_images_hold_back_what_somebody_else_answers_for() {
    for (entry, expected) in [
        ("digest: 'sha256:abc'", ["ignored r"; 3]),
        ("digest: 'sha256:abd'", ["affected"; 3]),
        ("name: 'reg.example.org/shop/*'", ["ignored r"; 3]),
        ("name: 'reg.example.org/shop/web'", ["ignored r"; 3]),
        ("name: 'shop/web'", ["affected"; 3]),
        (
            "chain_id: 'sha256:c0'",
            ["ignored r", "affected", "affected"],
        ),
        ("digest: 'sha256:abc', up_to: low", ["affected"; 3]),
        ("digest: 'sha256:abc', up_to: medium", ["ignored r"; 3]),
    ] {
        check(
            TRUSTED,
            &format!("trusted:\n  - {{{entry}, reason: r}}\n"),
            expected,
        );
    }
}

#[test]
fn a_forged_image_was_trusted_for_what_it_said_of_itself() {
    let vex = |product: &str| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{{
            "vulnerability":{{"name":"CVE-2025-1"}},"status":"fixed","products":["{product}"]}}]}}"#
        )
    };
    let trusted = |entry: &str| format!("trusted:\n  - {{{entry}, reason: r}}\n");
    let nothing = &(|_: &mut Inventory| ()) as &dyn Fn(&mut Inventory);
    let upper_layer = &|image: &mut Inventory| image.layers[1].verified = false;
    let lower_layer = &|image: &mut Inventory| image.layers[0].verified = false;
    let tagged = &|image: &mut Inventory| {
        image.target.tags = vec![long("reg/web@sha256:abc"), long("sha256:abc")];
        image.layers[0].verified = false;
    };
    let archive = &|image: &mut Inventory| image.target.named_by_store = false;
    let sbom = &|image: &mut Inventory| image.target.kind = TargetKind::Sbom;
    let unverified_sbom = &|image: &mut Inventory| {
        image.target.kind = TargetKind::Sbom;
        image.layers[0].verified = false;
    };
    for (add, file, change, counted, said) in [
        (TRUSTED, trusted("digest: 'sha256:abc'"), nothing, 0, ""),
        (
            TRUSTED,
            trusted("digest: 'sha256:abc'"),
            upper_layer,
            3,
            "not compared",
        ),
        (TRUSTED, trusted("digest: 'sha256:c0f'"), nothing, 0, ""),
        (
            TRUSTED,
            trusted("digest: 'sha256:c0f'"),
            upper_layer,
            3,
            "not compared",
        ),
        (TRUSTED, trusted("digest: 'sha256:abc'"), sbom, 0, ""),
        (
            TRUSTED,
            trusted("digest: 'sha256:abc'"),
            unverified_sbom,
            3,
            "not compared",
        ),
        (
            TRUSTED,
            trusted("chain_id: 'sha256:c0'"),
            upper_layer,
            2,
            "",
        ),
        (
            TRUSTED,
            trusted("chain_id: 'sha256:c1'"),
            upper_layer,
            3,
            "not compared",
        ),
        (
            TRUSTED,
            trusted("chain_id: 'sha256:c1'"),
            lower_layer,
            3,
            "not compared",
        ),
        (
            TRUSTED,
            trusted("name: 'reg.example.org/*'"),
            upper_layer,
            0,
            "",
        ),
        (
            TRUSTED,
            trusted("name: 'reg.example.org/*'"),
            archive,
            3,
            "whoever made it",
        ),
        (
            TRUSTED,
            trusted("name: 'other.example.org/*'"),
            archive,
            3,
            "",
        ),
        (VEX, vex("pkg:oci/web@sha256:abc"), nothing, 1, ""),
        (
            VEX,
            vex("pkg:oci/web@sha256:abc"),
            upper_layer,
            3,
            "not compared",
        ),
        (VEX, vex("sha256:abc"), lower_layer, 3, "not compared"),
        (VEX, vex("reg/web@sha256:abc"), nothing, 1, ""),
        (VEX, vex("reg/web@sha256:abc"), tagged, 3, "not compared"),
        (VEX, vex("sha256:0f"), lower_layer, 3, ""),
    ] {
        let mut policy = Policy::default();
        add(&mut policy, "policy", long(&file).as_bytes()).unwrap();
        let mut image = inventory();
        change(&mut image);
        let mut findings = findings();
        let notices = policy.apply(&image, &mut findings, TODAY);
        let left = findings.iter().filter(|it| it.status.counts()).count();
        assert_eq!(left, counted, "{file}: {notices:?}");
        match said {
            "" => assert_eq!(notices, [""; 0], "{file}"),
            said => assert!(notices[0].contains(said), "{file}: {notices:?}"),
        }
    }
}

#[test]
fn what_a_policy_relies_on_is_known_before_an_image_is_read() {
    let mut policy = Policy::default();
    let file =
        b"trusted:\n  - {digest: 'sha256:a', reason: r}\n  - {chain_id: 'sha256:b', reason: r}\n";
    let file = long(std::str::from_utf8(file).unwrap());
    policy.add_trusted_images("t", file.as_bytes()).unwrap();
    let products = r#"["pkg:oci/web@sha256:c","pkg:npm/a@sha256:d","sha256:e","web:1"]"#;
    let vex = openvex(products, "fixed");
    policy.add_vex("v", vex.as_bytes()).unwrap();
    let claims = policy.claims();
    assert_eq!(
        claims.digests.into_iter().collect::<Vec<_>>(),
        [
            long("sha256:a"),
            "sha256:c".to_owned(),
            "sha256:e".to_owned()
        ]
    );
    assert_eq!(
        claims.chain_ids.into_iter().collect::<Vec<_>>(),
        [long("sha256:b")]
    );
}

#[test]
fn known_exploited_flaws_of_trusted_images_count_unless_told_otherwise() {
    let exploited = |finding: &mut Finding| finding.kev = true;
    let file = "trusted:\n  - {digest: 'sha256:abc', reason: r}\n";
    check_with(TRUSTED, file, ["affected"; 3], exploited);
    let file = "trusted:\n  - {digest: 'sha256:abc', kev: true, reason: r}\n";
    check_with(TRUSTED, file, ["ignored r"; 3], exploited);
}

fn openvex(products: &str, status: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{{
            "vulnerability":{{"name":"GHSA-2025-1"}},"products":{products},"status":"{status}",
            "justification":"vulnerable_code_not_present"}}]}}"#
    )
}

#[test]
fn openvex_statements_reach_packages_and_images() {
    const NOT: &str = "not-affected vulnerable_code_not_present";
    for (products, expected) in [
        (
            r#"[{"@id":"pkg:npm/lodash@4.17.20"}]"#,
            ["affected", NOT, "affected"],
        ),
        (
            r#"[{"@id":"pkg:npm/lodash"}]"#,
            ["affected", NOT, "affected"],
        ),
        (
            r#"["pkg:npm/lodash@4.17.19"]"#,
            ["affected", "affected", "affected"],
        ),
        (
            r#"[{"@id":"pkg:oci/web@sha256:abc"}]"#,
            [NOT, NOT, "affected"],
        ),
        (
            r#"[{"@id":"pkg:oci/web@sha256:abc","subcomponents":[{"@id":"pkg:npm/lodash"}]}]"#,
            ["affected", NOT, "affected"],
        ),
        (
            r#"[{"@id":"pkg:npm/%40shop/web@1.4.0","subcomponents":[{"@id":"pkg:npm/lodash"}]}]"#,
            ["affected", NOT, "affected"],
        ),
        (
            r#"[{"@id":"pkg:npm/other","subcomponents":[{"@id":"pkg:npm/lodash"}]}]"#,
            ["affected", "affected", "affected"],
        ),
        (
            r#"[{"@id":"reg.example.org/shop/web:1.4"}]"#,
            [NOT, NOT, "affected"],
        ),
        (
            r#"[{"@id":"x","identifiers":{"purl":"pkg:npm/lodash"}}]"#,
            ["affected", NOT, "affected"],
        ),
    ] {
        check(VEX, &openvex(products, "not_affected"), expected);
    }
    let lodash = r#"["pkg:npm/lodash"]"#;
    check(
        VEX,
        &openvex(lodash, "under_investigation"),
        ["affected", "under-investigation", "affected"],
    );
    check(
        VEX,
        &openvex(lodash, "fixed"),
        ["affected", "fixed vulnerable_code_not_present", "affected"],
    );
    let notices = check(VEX, &openvex("[]", "fixed"), ["affected"; 3]);
    assert!(notices[0].contains("names no product"), "{notices:?}");
}

#[test]
fn the_newest_openvex_statement_decides() {
    let file = r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[
        {"vulnerability":{"name":"CVE-2025-1"},"products":["pkg:npm/lodash"],"status":"affected","timestamp":"2025-03-01T00:00:00Z"},
        {"vulnerability":"CVE-2025-1","products":["pkg:npm/lodash"],"status":"not_affected","timestamp":"2025-01-01T00:00:00Z"}]}"#;
    check(VEX, file, ["affected"; 3]);
}

#[test]
fn cyclonedx_vex_resolves_references() {
    for (reference, versions, expected) in [
        (
            "a",
            "",
            ["affected", "not-affected code_not_reachable: d", "affected"],
        ),
        (
            "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a",
            "",
            ["affected", "not-affected code_not_reachable: d", "affected"],
        ),
        (
            "pkg:npm/lodash",
            "",
            ["affected", "not-affected code_not_reachable: d", "affected"],
        ),
        (
            "urn:cdx:x/1#pkg%3Anpm%2Flodash",
            "",
            ["affected", "not-affected code_not_reachable: d", "affected"],
        ),
        (
            "pkg:npm/lodash",
            r#","versions":[{"version":"4.17.19"}]"#,
            ["affected"; 3],
        ),
        (
            "pkg:npm/lodash",
            r#","versions":[{"range":"vers:npm/<5"}]"#,
            ["affected"; 3],
        ),
        (
            "root",
            "",
            [
                "not-affected code_not_reachable: d",
                "not-affected code_not_reachable: d",
                "affected",
            ],
        ),
        // A purl without a version is of the version beside it.
        (
            "c",
            "",
            ["affected", "not-affected code_not_reachable: d", "affected"],
        ),
        ("d", "", ["affected"; 3]),
        ("nothing", "", ["affected"; 3]),
    ] {
        let file = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.5",
            "metadata":{{"component":{{"bom-ref":"root","name":"reg.example.org/shop/web","version":"1.4"}}}},
            "components":[{{"bom-ref":"b","components":[{{"bom-ref":"a","purl":"pkg:npm/lodash@4.17.20"}}]}},
                {{"bom-ref":"c","version":"4.17.20","purl":"pkg:npm/lodash"}},
                {{"bom-ref":"d","version":"9.9.9","purl":"pkg:npm/lodash"}}],
            "vulnerabilities":[{{"id":"CVE-2025-1","affects":[{{"ref":"{reference}"{versions}}}],
            "analysis":{{"state":"not_affected","justification":"code_not_reachable","detail":"d"}}}}]}}"#
        );
        check(VEX, &file, expected);
    }
}

#[test]
fn csaf_vex_holds_on_its_platform_alone() {
    for (cpe, expected) in [
        (
            "cpe:/o:redhat:enterprise_linux:9::baseos",
            [
                "not-affected component_not_present: why",
                "affected",
                "affected",
            ],
        ),
        ("cpe:/o:redhat:enterprise_linux:8::baseos", ["affected"; 3]),
        ("cpe:/a:redhat:openshift:4", ["affected"; 3]),
    ] {
        let file = format!(
            r#"{{"document":{{"category":"csaf_vex"}},
            "product_tree":{{"branches":[{{"branches":[
                {{"product":{{"product_id":"os","name":"os","product_identification_helper":{{"cpe":"{cpe}"}}}}}},
                {{"product":{{"product_id":"ssl","name":"ssl","product_identification_helper":{{"purl":"pkg:rpm/redhat/openssl"}}}}}}]}}],
             "relationships":[{{"category":"default_component_of","product_reference":"ssl","relates_to_product_reference":"os",
                "full_product_name":{{"product_id":"os:ssl","name":"x"}}}}]}},
            "vulnerabilities":[{{"cve":"CVE-2025-1","product_status":{{"known_not_affected":["os:ssl"]}},
                "flags":[{{"label":"component_not_present","product_ids":["os:ssl"]}}],
                "threats":[{{"category":"impact","details":"why","product_ids":["os:ssl"]}}]}}]}}"#
        );
        check(VEX, &file, expected);
    }
}

#[test]
fn a_csaf_range_of_versions_is_not_taken_for_all_versions() {
    for (category, purl, expected, notices) in [
        ("product_version", "pkg:npm/lodash", "not-affected -", 0),
        ("product_version_range", "pkg:npm/lodash", "affected", 1),
        (
            "product_version_range",
            "pkg:npm/lodash@4.17.20",
            "not-affected -",
            0,
        ),
    ] {
        let file = format!(
            r#"{{"document":{{"category":"csaf_vex"}},
            "product_tree":{{"branches":[{{"category":"product_name","name":"lodash","branches":[
                {{"category":"{category}","name":"vers:npm/<2","product":{{"product_id":"L","name":"l",
                  "product_identification_helper":{{"purl":"{purl}"}}}}}}]}}]}},
            "vulnerabilities":[{{"cve":"CVE-2025-1","product_status":{{"known_not_affected":["L"]}}}}]}}"#
        );
        let said = check(VEX, &file, ["affected", expected, "affected"]);
        assert_eq!(said.len(), notices, "{category} {purl}: {said:?}");
    }
}

#[test]
fn a_product_that_is_no_purl_is_said_and_not_passed_over() {
    let file = openvex(r#"["pkg:oci/shop/"]"#, "not_affected");
    let said = check(VEX, &file, ["affected"; 3]);
    assert!(said[0].contains("names no product"), "{said:?}");
}

#[test]
fn times_of_openvex_statements_are_compared_as_times() {
    // Noon in Shanghai comes before six in London.
    let statement = |time: &str, status: &str| {
        format!(
            r#"{{"vulnerability":{{"name":"CVE-2025-1"}},"products":["pkg:npm/lodash"],
            "status":"{status}"{time}}}"#
        )
    };
    let file = |first: String, second: String| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns","timestamp":"2026-01-01T07:00:00Z",
            "statements":[{first},{second}]}}"#
        )
    };
    let london = r#","timestamp":"2026-01-01T06:00:00Z""#;
    let shanghai = r#","timestamp":"2026-01-01T12:00:00+08:00""#;
    let later = file(statement(london, "fixed"), statement(shanghai, "affected"));
    check(VEX, &later, ["affected", "fixed -", "affected"]);
    // One without a time has the document's.
    let inherited = file(statement("", "fixed"), statement(london, "affected"));
    check(VEX, &inherited, ["affected", "fixed -", "affected"]);
}

#[test]
fn an_ignore_rule_does_not_hide_a_vex_statement() {
    let mut policy = Policy::default();
    policy.add_ignore_file("i", b"CVE-2025-1\n").unwrap();
    policy
        .add_vex("v", openvex(r#"["pkg:npm/lodash"]"#, "fixed").as_bytes())
        .unwrap();
    let mut findings = vec![finding("CVE-2025-1", 1)];
    findings[0].severity = Severity::High;
    findings[0].fix.state = FixState::Fixed;
    assert!(policy.apply(&inventory(), &mut findings, TODAY).is_empty());
    assert_eq!(
        findings[0].suppression.as_ref().map(|s| s.by),
        Some("openvex")
    );
}

#[test]
fn a_damaged_policy_file_never_panics() {
    let ignore = "ignore:\n  - {id: CVE-2025-1, path: '/a/**', reason: r, expires: 2026-06-02}\n";
    let trusted = "trusted:\n  - {name: 'a*', up_to: low, reason: r}\n";
    let vex = openvex(
        r#"[{"@id":"pkg:oci/web@sha256:abc","subcomponents":["pkg:npm/a"]}]"#,
        "fixed",
    );
    for (add, text) in [(IGNORE, ignore), (TRUSTED, trusted), (VEX, vex.as_str())] {
        for at in 0..text.len() {
            for byte in [0, b'-', b'"', b'*', b'{', 0xff] {
                let mut bad = text.as_bytes().to_vec();
                bad[at] = byte;
                drop(add(&mut Policy::default(), "policy", &bad));
                drop(add(&mut Policy::default(), "policy", &bad[..at]));
            }
        }
    }
}
