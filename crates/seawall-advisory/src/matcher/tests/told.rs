//! What a match says of itself: what was not matched, and what the database lacks.

use super::*;

#[test]
fn a_document_that_lists_one_package_again_and_again_had_any_number_of_findings() {
    let rows = |fix| vec![row(Ecosystem::Npm, "a", fixed(fix))];
    let records = records(vec![
        advisory("CVE-2024-1", Source::GitHub, rows("2.0.0")),
        advisory("CVE-2024-2", Source::GitHub, rows("3.0.0")),
    ]);
    let packages = vec![package(PackageType::Npm, "a", "1.0.0"); 3_000];
    let matches = open(records)
        .match_up_to(&inventory(None, packages), 2_001)
        .unwrap();
    assert_eq!(matches.findings.len(), 2_000);
    let said = matches.incomplete[0].to_string();
    let expected = format!("the last {} packages were not matched", 2_000);
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn versions_that_cannot_be_compared_are_said_once_a_package() {
    let rows = |name: &str| {
        advisory(
            name,
            Source::GitHub,
            vec![row(Ecosystem::PyPi, "django", fixed("4.2"))],
        )
    };
    check(
        records(vec![rows("CVE-2024-0013"), rows("CVE-2024-0014")]),
        &inventory(
            None,
            vec![package(PackageType::PyPi, "Django", "not a version")],
        ),
        &[
            "! Django: Django not a version: 2 advisories could not be compared: \
             'not a version' is not a pep440 version: it does not begin with numbers with dots between",
        ],
    );
}

#[test]
fn an_ecosystem_whose_feed_ended_long_before_the_others_is_told() {
    let dated = |id: &str, source, affected, date: &str| {
        with(advisory(id, source, vec![affected]), |a| {
            a.published = Some(date.to_owned());
        })
    };
    let records = records(vec![
        dated(
            "DSA-5398-1",
            Source::Debian,
            row(debian(), "chromium", fixed("113.0")),
            "2023-05-04",
        ),
        dated(
            "GHSA-aaaa-bbbb-cccc",
            Source::GitHub,
            row(Ecosystem::Npm, "left-pad", fixed("2.0.0")),
            "2026-08-01T00:00:00Z",
        ),
    ]);
    let packages = vec![
        deb("chromium", "120.0"),
        package(PackageType::Npm, "left-pad", "2.0.0"),
    ];
    check(
        records,
        &inventory(Some(distro("debian", "12")), packages),
        &[
            "# the newest advisory for debian:12 in this database is of 2023-05-04: flaws that \
           became known later are not found",
        ],
    );
}

#[test]
fn an_excerpt_of_a_feed_is_not_taken_for_the_whole_of_it() {
    let records = records(vec![advisory(
        "CVE-2024-0005",
        Source::Debian,
        vec![row(debian(), "bash", fixed("5.2"))],
    )]);
    let packages = (0..12).map(|at| deb(&format!("package-{at}"), "1"));
    check(
        records,
        &inventory(Some(distro("debian", "12")), packages.collect()),
        &[
            "# this database has advisories for only 1 package of debian:12: of the others \
           nothing is known",
        ],
    );
}
