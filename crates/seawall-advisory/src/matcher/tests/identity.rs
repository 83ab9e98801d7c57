//! Names: which records tell of one flaw.

use super::*;

#[test]
fn one_flaw_under_many_names_is_one_finding() {
    let records = Records {
        advisories: vec![
            with(
                advisory(
                    "RUSTSEC-2024-0001",
                    Source::RustSec,
                    vec![row(Ecosystem::CratesIo, "some_crate", fixed("2.0.0"))],
                ),
                |a| a.aliases = vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
            ),
            with(
                advisory(
                    "GHSA-aaaa-bbbb-cccc",
                    Source::GitHub,
                    vec![row(Ecosystem::CratesIo, "some-crate", fixed("2.0.0"))],
                ),
                |a| {
                    a.aliases = vec!["cve-2024-1000".to_owned()];
                    a.severity = Some(Severity::High);
                },
            ),
        ],
        cnnvd: vec![CnnvdEntry {
            id: "CNNVD-202401-001".to_owned(),
            cves: vec!["CVE-2024-1000".to_owned()],
            title: "标题".to_owned(),
            description: String::new(),
            severity: Some(Severity::Critical),
        }],
        ..Records::default()
    };
    let inventory = inventory(
        None,
        vec![package(PackageType::Cargo, "some_crate", "1.0.0")],
    );
    check(
        records,
        &inventory,
        &[
            "some_crate CVE-2024-1000 [CNNVD-202401-001 GHSA-aaaa-bbbb-cccc RUSTSEC-2024-0001] \
             high:ghsa fixed 2.0.0 <RUSTSEC-2024-0001 GHSA-aaaa-bbbb-cccc>",
        ],
    );
}

#[test]
fn a_bulletin_keeps_its_flaws_apart() {
    let bulletin = with(
        advisory(
            "DSA-1-1",
            Source::Debian,
            vec![row(debian(), "openssl", fixed("3.0.2"))],
        ),
        |a| {
            a.covers = vec![
                CoveredFlaw::new("CVE-2024-2"),
                CoveredFlaw::new("CVE-2024-0001"),
                CoveredFlaw {
                    severity: Some(Severity::Low),
                    ..CoveredFlaw::new("CVE-2024-0002")
                },
            ];
            a.severity = Some(Severity::High);
        },
    );
    let lonely = advisory(
        "DSA-2-1",
        Source::Debian,
        vec![row(debian(), "openssl", fixed("3.0.2"))],
    );
    let mut libssl = deb("libssl3", "3.0.1+b1");
    libssl.source = Some(SourcePackage {
        name: "openssl".to_owned(),
        version: "3.0.1".to_owned(),
    });
    let inventory = inventory(
        Some(distro("debian", "12")),
        vec![libssl, deb("openssl", "3.0.2")],
    );
    check(
        records(vec![bulletin, lonely]),
        &inventory,
        &[
            "libssl3 CVE-2024-0001 [DSA-1-1] high:debian fixed 3.0.2 <DSA-1-1>",
            "libssl3 CVE-2024-0002 [DSA-1-1] low:debian fixed 3.0.2 <DSA-1-1>",
            "libssl3 CVE-2024-2 [DSA-1-1] high:debian fixed 3.0.2 <DSA-1-1>",
            "libssl3 DSA-2-1 [] unknown: fixed 3.0.2 <DSA-2-1>",
        ],
    );
}

/// A record on the npm package `chained`, affected up to `fix`.
fn on_chained(id: &str, source: Source, aliases: &[&str], fix: &str) -> Advisory {
    let rows = vec![row(Ecosystem::Npm, "chained", fixed(fix))];
    with(advisory(id, source, rows), |a| {
        a.aliases = aliases.iter().map(|&name| name.to_owned()).collect();
    })
}

#[test]
fn cves_that_records_list_side_by_side_were_one_flaw() {
    let advisories = (0..3)
        .map(|n| {
            let (one, next) = (format!("CVE-2024-010{n}"), format!("CVE-2024-010{}", n + 1));
            let id = format!("GHSA-5555-5555-555{n}");
            on_chained(&id, Source::GitHub, &[&one, &next], "2.0.0")
        })
        .collect();
    check(
        records(advisories),
        &inventory(None, vec![package(PackageType::Npm, "chained", "1.0.0")]),
        &[
            "chained CVE-2024-0100 [GHSA-5555-5555-5550] unknown: fixed 2.0.0 <GHSA-5555-5555-5550>",
            "chained CVE-2024-0101 [GHSA-5555-5555-5550 GHSA-5555-5555-5551] unknown: fixed 2.0.0 \
             <GHSA-5555-5555-5550 GHSA-5555-5555-5551>",
            "chained CVE-2024-0102 [GHSA-5555-5555-5551 GHSA-5555-5555-5552] unknown: fixed 2.0.0 \
             <GHSA-5555-5555-5551 GHSA-5555-5555-5552>",
            "chained CVE-2024-0103 [GHSA-5555-5555-5552] unknown: fixed 2.0.0 <GHSA-5555-5555-5552>",
        ],
    );
}

#[test]
fn a_record_about_two_cves_overruled_those_about_one() {
    let both = on_chained(
        "GHSA-6666-6666-6666",
        Source::GitHub,
        &["CVE-2021-0001", "CVE-2022-0001", "GHSA-7777-7777-7777"],
        "4.77.0",
    );
    let first = on_chained(
        "GHSA-7777-7777-7777",
        Source::GitHub,
        &["CVE-2021-0001"],
        "4.59.0",
    );
    check(
        records(vec![both, first]),
        &inventory(None, vec![package(PackageType::Npm, "chained", "4.60.0")]),
        &[
            "chained CVE-2022-0001 [GHSA-6666-6666-6666] unknown: fixed 4.77.0 <GHSA-6666-6666-6666>",
        ],
    );
}

#[test]
fn not_affected_by_one_cve_silenced_another_that_a_record_lists_beside_it() {
    let both = on_chained(
        "GO-2022-0536",
        Source::Go,
        &["CVE-2019-9512", "CVE-2019-9514"],
        "2.0.0",
    );
    let mut ours = on_chained("CVE-2019-9512", Source::User, &[], "2.0.0");
    ours.affected[0].state = State::NotAffected;
    ours.affected[0].ranges.clear();
    check(
        records(vec![both, ours]),
        &inventory(None, vec![package(PackageType::Npm, "chained", "1.0.0")]),
        &["chained CVE-2019-9514 [GO-2022-0536] unknown: fixed 2.0.0 <GO-2022-0536>"],
    );
}

#[test]
fn a_name_that_two_cves_are_given_joins_them_nowhere() {
    // GitHub calls its record by the second CVE; the others' aliases cannot make it the first.
    let advisories = vec![
        on_chained(
            "A-1",
            Source::Osv,
            &["CVE-2024-0001", "GHSA-8888-8888-8888"],
            "2.0.0",
        ),
        on_chained(
            "GHSA-8888-8888-8888",
            Source::GitHub,
            &["CVE-2024-0002"],
            "3.0.0",
        ),
        on_chained("Z-1", Source::Osv, &["A-1", "GHSA-8888-8888-8888"], "4.0.0"),
    ];
    let database = open(records(advisories));
    let flaws = |name: &str| -> Vec<String> {
        let flaws = database.query(name).unwrap();
        flaws.into_iter().map(|flaw| flaw.id).collect()
    };
    assert_eq!(flaws("a-1"), ["CVE-2024-0001"]);
    assert_eq!(flaws("GHSA-8888-8888-8888"), ["CVE-2024-0002"]);
    assert_eq!(flaws("Z-1"), ["CVE-2024-0001", "CVE-2024-0002"]);
}

#[test]
fn a_record_about_two_cves_is_found_by_all_its_names_and_lends_them_its_rating() {
    let both = with(
        on_chained(
            "GO-2022-0536",
            Source::Go,
            &["CVE-2019-9512", "CVE-2019-9514", "GHSA-9999-9999-9999"],
            "2.0.0",
        ),
        |a| {
            let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
            a.cvss.extend(crate::cvss::parse(vector, "govulndb"));
        },
    );
    let database = open(records(vec![both.clone()]));
    for name in ["GO-2022-0536", "ghsa-9999-9999-9999"] {
        assert_eq!(database.query(name).unwrap().len(), 2, "{name}");
    }
    assert_eq!(database.query("CVE-2019-9512").unwrap().len(), 1);
    check(
        records(vec![both]),
        &inventory(None, vec![package(PackageType::Npm, "chained", "1.0.0")]),
        &[
            "chained CVE-2019-9512 [GO-2022-0536] high:govulndb fixed 2.0.0 <GO-2022-0536>",
            "chained CVE-2019-9514 [GO-2022-0536] high:govulndb fixed 2.0.0 <GO-2022-0536>",
        ],
    );
}
