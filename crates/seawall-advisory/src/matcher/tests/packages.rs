//! Packages: what a row of a record is about, and what it says of a version.

use super::*;

#[test]
fn a_bulletins_fix_closes_an_open_entry_but_not_a_later_fix() {
    let tracker = |upper| {
        advisory(
            "CVE-2024-0005",
            Source::Debian,
            vec![row(debian(), "bash", upper)],
        )
    };
    let bulletin = with(
        advisory(
            "DSA-5-1",
            Source::Debian,
            vec![row(debian(), "bash", fixed("5.2-2"))],
        ),
        |a| a.covers = vec![CoveredFlaw::new("CVE-2024-0005")],
    );
    let at = |version| inventory(Some(distro("debian", "12")), vec![deb("bash", version)]);
    check(
        records(vec![tracker(Upper::Open), bulletin.clone()]),
        &at("5.2-2"),
        &[],
    );
    check(
        records(vec![tracker(Upper::Open), bulletin.clone()]),
        &at("5.2-1"),
        &["bash CVE-2024-0005 [DSA-5-1] unknown: not-fixed - <CVE-2024-0005 DSA-5-1>"],
    );
    check(
        records(vec![tracker(fixed("5.2-3")), bulletin]),
        &at("5.2-2"),
        &["bash CVE-2024-0005 [DSA-5-1] unknown: fixed 5.2-3 <CVE-2024-0005>"],
    );
}

#[test]
fn architectures_and_kinds_of_names_are_told_apart() {
    let mut rows = vec![
        Affected::new(
            release(DistroFamily::RedHat, "9"),
            "openssl-libs",
            NameKind::Binary,
            State::Affected,
        )
        .until(fixed("1:3.0.8")),
    ];
    rows[0].architectures = vec!["x86_64".to_owned(), "noarch".to_owned()];
    rows.push({
        let mut row = rows[0].clone();
        row.name = "openssl-devel".to_owned();
        row.architectures = vec!["s390x".to_owned()];
        row
    });
    let rpm = |name: &str, arch: &str| {
        let mut package = package(PackageType::Rpm, name, "1:3.0.7");
        package.architecture = Some(arch.to_owned());
        package.source = Some(SourcePackage {
            name: "openssl-libs".to_owned(),
            version: "3.0.7".to_owned(),
        });
        package
    };
    let inventory = inventory(
        Some(distro("rhel", "9.4")),
        vec![
            rpm("openssl-libs", "x86_64"),
            rpm("openssl-devel", "x86_64"),
            rpm("openssl-perl", "x86_64"),
        ],
    );
    check(
        records(vec![advisory("RHSA-2024:1", Source::RedHat, rows)]),
        &inventory,
        &["openssl-libs RHSA-2024:1 [] unknown: fixed 1:3.0.8 <RHSA-2024:1>"],
    );
}

#[test]
fn module_streams_are_not_held_against_each_other() {
    let named = |module: &str, fix: &str| {
        let mut row = row(release(DistroFamily::RedHat, "8"), "nodejs", fixed(fix));
        row.module = Some(module.to_owned());
        row
    };
    let unnamed = row(
        release(DistroFamily::RedHat, "8"),
        "nodejs",
        fixed("1:18.9-1.module+el8"),
    );
    let rpm = |version: &str, label: Option<&str>| {
        let mut package = package(PackageType::Rpm, "nodejs", version);
        package.module = label.map(str::to_owned);
        package
    };
    let inventory = inventory(
        Some(distro("rhel", "8")),
        vec![
            rpm("1:16.1-1.module+el8", Some("nodejs:16:8080:abcd")),
            rpm("1:18.1-1.module+el8", Some("nodejs:18:8080:abcd")),
            rpm("1:17.1-1.el8", None),
        ],
    );
    check(
        records(vec![
            advisory(
                "CVE-2024-0006",
                Source::RedHat,
                vec![named("nodejs:16", "1:16.9-1.module+el8")],
            ),
            advisory("CVE-2024-0007", Source::RedHat, vec![unnamed]),
        ]),
        &inventory,
        &[
            "nodejs CVE-2024-0006 [] unknown: fixed 1:16.9-1.module+el8 <CVE-2024-0006>",
            "nodejs CVE-2024-0007 [] unknown: fixed 1:18.9-1.module+el8 <CVE-2024-0007>",
        ],
    );
}

#[test]
fn modules_with_capitals_in_their_names_were_lost_on_the_way_through_a_purl() {
    let name = "github.com/Masterminds/goutils";
    let rows = vec![row(Ecosystem::Go, name, fixed("1.1.1"))];
    let records = records(vec![advisory("GO-2022-0411", Source::Go, rows)]);
    let installed = |name: &str| package(PackageType::Golang, name, "v1.1.0");
    let packages = vec![installed(name), installed("github.com/masterminds/goutils")];
    let matches = open(records)
        .match_inventory(&inventory(None, packages))
        .unwrap();
    assert_eq!(matches.findings.len(), 2);
}

#[test]
fn testing_without_a_version_is_known_by_its_code_name() {
    let mut testing = distro("debian", "");
    testing.codename = Some("trixie".to_owned());
    check(
        records(vec![advisory(
            "CVE-2024-0012",
            Source::Debian,
            vec![row(
                release(DistroFamily::Debian, "13"),
                "bash",
                Upper::Open,
            )],
        )]),
        &inventory(Some(testing), vec![deb("bash", "5.2")]),
        &[
            "bash CVE-2024-0012 [] unknown: not-fixed - <CVE-2024-0012>",
            "# no advisories for debian in this database: those for debian:13 were used",
        ],
    );
}

#[test]
fn a_listed_version_that_is_none_does_not_keep_the_ranges_from_deciding() {
    let mut affected = row(Ecosystem::PyPi, "ipython", fixed("8.10.0"));
    affected.versions = vec!["0.7.1.fix1".to_owned(), "8.9.0".to_owned()];
    let records = records(vec![advisory(
        "PYSEC-2023-12",
        Source::PyPa,
        vec![affected],
    )]);
    let packages = vec![
        package(PackageType::PyPi, "ipython", "8.12.3"),
        package(PackageType::PyPi, "ipython", "8.9"),
    ];
    check(
        records,
        &inventory(None, packages),
        &["ipython PYSEC-2023-12 [] unknown: fixed 8.10.0 <PYSEC-2023-12>"],
    );
}

#[test]
fn a_fix_for_an_older_minor_release_was_measured_by_that_of_a_newer_one() {
    let bulletin = |id: &str, fixes: &[&str]| {
        let rows = fixes.iter().map(|fix| {
            let alma = release(DistroFamily::Alma, "9");
            Affected::new(alma, "curl", NameKind::Binary, State::Affected).until(fixed(fix))
        });
        with(advisory(id, Source::Alma, rows.collect()), |a| {
            a.covers = vec![CoveredFlaw::new("CVE-2023-27536")];
        })
    };
    let records = || {
        records(vec![
            bulletin("ALSA-2023:5763", &["7.76.1-23.el9_2.4"]),
            bulletin("ALSA-2023:6745", &["7.76.1-26.el9_3.2"]),
            bulletin("ALSA-2024:1", &["7.76.1-29.el9"]),
        ])
    };
    let check = |version, expected: &[&str]| {
        let package = package(PackageType::Rpm, "curl", version);
        let inventory = inventory(Some(distro("almalinux", "9.2")), vec![package]);
        check(records(), &inventory, expected);
    };
    check("7.76.1-23.el9_2.4", &[]);
    check("7.76.1-24.el9_2", &[]);
    let found = |fix: &str, by: &str| {
        format!(
            "curl CVE-2023-27536 [ALSA-2023:5763 ALSA-2023:6745 ALSA-2024:1] unknown: fixed {fix} <{by}>"
        )
    };
    let own = found("7.76.1-23.el9_2.4", "ALSA-2023:5763");
    check("7.76.1-23.el9_2.3", &[&own]);
    let newer = found("7.76.1-26.el9_3.2", "ALSA-2023:6745");
    check("7.76.1-26.el9_3.1", &[&newer]);
    // Nothing mends 9.1, and builds without a minor number are not told apart.
    let all = found("7.76.1-29.el9", "ALSA-2023:5763 ALSA-2023:6745 ALSA-2024:1");
    check("7.76.1-19.el9_1.1", &[&all]);
    check("7.76.1-19.el9", &[&all]);
}

#[test]
fn ranges_for_several_minor_releases_are_told_apart_by_their_marks() {
    let mut row = Affected::new(
        release(DistroFamily::RedHat, "8"),
        "sudo",
        NameKind::Binary,
        State::Affected,
    )
    .until(fixed("1.8.29-6.el8_1.2"));
    let later = VersionRange::new(Some("1.8.29-7".to_owned()), fixed("1.9.5-1.el8_6.1"));
    row.ranges.push(later);
    let records = || {
        records(vec![advisory(
            "CVE-2023-22809",
            Source::RedHat,
            vec![row.clone()],
        )])
    };
    let check = |version, expected: &[&str]| {
        let package = package(PackageType::Rpm, "sudo", version);
        let inventory = inventory(Some(distro("rhel", "8.6")), vec![package]);
        check(records(), &inventory, expected);
    };
    let found = |fix: &str| format!("sudo CVE-2023-22809 [] unknown: fixed {fix} <CVE-2023-22809>");
    check("1.8.29-6.el8_1.1", &[&found("1.8.29-6.el8_1.2")]);
    // Of 8.6, though below what mends 8.1.
    check("1.8.29-5.el8_6", &[&found("1.9.5-1.el8_6.1")]);
    check("1.8.29-8.el8_1.1", &[]);
    check("1.8.29-8.el8_4", &[&found("1.9.5-1.el8_6.1")]);
}
