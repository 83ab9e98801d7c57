//! Publishers: whose word counts for a package.

use super::*;
use crate::matcher::Says;

#[test]
fn the_preferred_publisher_decides_and_the_others_add_what_they_know() {
    let go = |id: &str, source, upper, severity| {
        with(
            advisory(id, source, vec![row(Ecosystem::Go, "example.com/m", upper)]),
            |a| {
                a.aliases = vec!["CVE-2024-0003".to_owned()];
                a.severity = severity;
            },
        )
    };
    // Go's own database knows a lower fix; GitHub's range would still match.
    let records = records(vec![
        go("GO-2024-0003", Source::Go, fixed("v1.2.0"), None),
        go(
            "GHSA-2222-2222-2222",
            Source::GitHub,
            fixed("v1.5.0"),
            Some(Severity::Medium),
        ),
    ]);
    let inventory = inventory(
        None,
        vec![
            package(PackageType::Golang, "example.com/m", "v1.1.0"),
            package(PackageType::Golang, "example.com/m", "v1.3.0"),
        ],
    );
    check(
        records,
        &inventory,
        &[
            "example.com/m CVE-2024-0003 [GHSA-2222-2222-2222 GO-2024-0003] medium:ghsa \
             fixed v1.2.0 <GO-2024-0003 GHSA-2222-2222-2222>",
        ],
    );
}

#[test]
fn red_hats_rating_of_its_own_build_came_before_nvds_for_a_package_of_debian() {
    let of = |id: &str, source, rows, severity| {
        with(advisory(id, source, rows), |a| {
            a.severity = severity;
            a.cvss.extend(crate::cvss::parse(
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                a.source.name(),
            ));
        })
    };
    let red_hat = |id: &str| of(id, Source::RedHat, Vec::new(), Some(Severity::Critical));
    let debian_says = |id: &str| {
        let rows = vec![row(debian(), "curl", Upper::Open)];
        with(advisory(id, Source::Debian, rows), |_| {})
    };
    let nvd = with(advisory("CVE-2024-0012", Source::Nvd, Vec::new()), |a| {
        a.cvss.extend(crate::cvss::parse(
            "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
            "nvd",
        ));
    });
    let records = records(vec![
        debian_says("CVE-2024-0011"),
        red_hat("CVE-2024-0011"),
        debian_says("CVE-2024-0012"),
        red_hat("CVE-2024-0012"),
        nvd,
    ]);
    let inventory = inventory(Some(distro("debian", "12")), vec![deb("curl", "8.0")]);
    check(
        records,
        &inventory,
        &[
            "curl CVE-2024-0011 [] critical:redhat not-fixed - <CVE-2024-0011>",
            "curl CVE-2024-0012 [] low:nvd not-fixed - <CVE-2024-0012>",
        ],
    );
}

#[test]
fn the_user_silences_everybody() {
    let theirs = advisory(
        "CVE-2024-0004",
        Source::Debian,
        vec![row(debian(), "bash", Upper::Open)],
    );
    let ours = advisory(
        "CVE-2024-0004",
        Source::User,
        vec![Affected::new(
            debian(),
            "bash",
            NameKind::Source,
            State::NotAffected,
        )],
    );
    let inventory = inventory(Some(distro("debian", "12")), vec![deb("bash", "5.2")]);
    check(
        records(vec![theirs.clone()]),
        &inventory,
        &["bash CVE-2024-0004 [] unknown: not-fixed - <CVE-2024-0004>"],
    );
    check(records(vec![theirs, ours]), &inventory, &[]);
}

#[test]
fn withdrawn_records_never_match() {
    let withdrawn = with(
        advisory(
            "GHSA-3333-3333-3333",
            Source::GitHub,
            vec![row(Ecosystem::Npm, "left-pad", Upper::Open)],
        ),
        |a| a.withdrawn = Some("2024-01-01".to_owned()),
    );
    let inventory = inventory(None, vec![package(PackageType::Npm, "left-pad", "1.0.0")]);
    check(records(vec![withdrawn]), &inventory, &[]);
}

#[test]
fn rebuilds_fall_back_on_red_hat_and_say_so() {
    let records = records(vec![advisory(
        "CVE-2024-0008",
        Source::RedHat,
        vec![row(release(DistroFamily::RedHat, "9"), "bash", Upper::Open)],
    )]);
    check(
        records.clone(),
        &inventory(
            Some(distro("rocky", "9.3")),
            vec![package(PackageType::Rpm, "bash", "5.1-1")],
        ),
        &[
            "bash CVE-2024-0008 [] unknown: not-fixed - <CVE-2024-0008>",
            "# no advisories for rocky:9 in this database: those for redhat:9 were used",
        ],
    );
    check(
        records,
        &inventory(
            Some(distro("alpine", "3.20.1")),
            vec![
                package(PackageType::Apk, "musl", "1.2"),
                package(PackageType::Npm, "left-pad", "1.0.0"),
            ],
        ),
        &[
            "! alpine:3.20: no advisories for alpine:3.20 in this database: 1 package was not \
             matched",
            "! npm: no advisories for npm in this database: 1 package was not matched",
        ],
    );
}

#[test]
fn conda_s_packages_made_every_scan_incomplete_though_nobody_has_advisories_for_them() {
    let conda = |name| package(PackageType::Conda, name, "1.0");
    let conan = package(PackageType::Conan, "zlib", "1.0");
    check(
        records(Vec::new()),
        &inventory(
            Some(distro("debian", "12")),
            vec![conda("openssl"), conda("zlib"), conan],
        ),
        &[
            // OSV has a name for Conan's packages: another database may know some.
            "! conan: no advisories for conan in this database: 1 package was not matched",
            "# no publisher has advisories for conda packages: 2 packages were not matched",
        ],
    );
}

#[test]
fn a_debian_of_no_release_was_matched_with_unstable_s_advisories() {
    let flaw = advisory(
        "CVE-2024-0013",
        Source::Debian,
        vec![row(release(DistroFamily::Debian, ""), "bash", Upper::Open)],
    );
    for (codename, expected) in [
        (
            None,
            "! debian: no advisories for debian in this database: 1 package was not matched",
        ),
        (
            Some("nonesuch"),
            "! debian: no advisories for debian in this database: 1 package was not matched",
        ),
        (
            Some("sid"),
            "bash CVE-2024-0013 [] unknown: not-fixed - <CVE-2024-0013>",
        ),
    ] {
        let mut debian = distro("debian", "");
        debian.codename = codename.map(str::to_owned);
        let inventory = inventory(Some(debian), vec![deb("bash", "5.2")]);
        check(records(vec![flaw.clone()]), &inventory, &[expected]);
    }
}

#[test]
fn nvd_speaks_only_of_programs_without_a_package() {
    let records = records(vec![with(
        advisory(
            "CVE-2024-0009",
            Source::Nvd,
            vec![row(Ecosystem::Generic, "f5:nginx", fixed("1.25.4"))],
        ),
        |a| a.title = "A flaw in nginx".to_owned(),
    )]);
    let mut program = package(PackageType::Generic, "nginx", "1.25.3");
    program.cpe_products = vec!["nginx:nginx".to_owned(), "f5:nginx".to_owned()];
    let mut other = package(PackageType::Generic, "nginx", "1.25.3");
    other.cpe_products = vec!["acme:nginx".to_owned()];
    let named = package(PackageType::Generic, "nginx", "1.25.3");
    let inventory = inventory(
        None,
        vec![
            program,
            other,
            named,
            package(PackageType::Generic, "nginx", "1.25.4"),
        ],
    );
    let matches = open(records).match_inventory(&inventory).unwrap();
    let found: Vec<_> = matches
        .findings
        .iter()
        .map(|f| (f.package.0, f.confidence.name(), f.title.as_str()))
        .collect();
    assert_eq!(
        found,
        [(0, "low", "A flaw in nginx"), (2, "low", "A flaw in nginx")]
    );
}

#[test]
fn advisories_that_name_a_product_alone_were_not_for_programs_of_a_known_vendor() {
    let of = |id: &str, source, name: &str| {
        advisory(
            id,
            source,
            vec![row(Ecosystem::Generic, name, fixed("20.1"))],
        )
    };
    let records = records(vec![
        of("CVE-2024-0021", Source::NodeSecurity, "node"),
        of("CVE-2024-0022", Source::User, "node.js"),
        of("CVE-2024-0023", Source::Nvd, "nodejs:node.js"),
        of("CVE-2024-0024", Source::Nvd, "acme:node"),
        of("CVE-2024-0025", Source::Nvd, "acme:node.js"),
    ]);
    let mut program = package(PackageType::Generic, "node", "20.0");
    program.cpe_products = vec!["nodejs:node.js".to_owned()];
    let inventory = inventory(None, vec![program]);
    let matches = open(records).match_inventory(&inventory).unwrap();
    let found: Vec<&str> = matches.findings.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(found, ["CVE-2024-0021", "CVE-2024-0022", "CVE-2024-0023"]);
}

#[test]
fn not_affected_for_one_version_silenced_every_version() {
    let theirs = with(
        advisory(
            "UBUNTU-CVE-2023-38545",
            Source::Ubuntu,
            vec![row(
                release(DistroFamily::Ubuntu, "22.04"),
                "curl",
                fixed("7.81.0-1ubuntu1.14"),
            )],
        ),
        |a| a.aliases = vec!["CVE-2023-38545".to_owned()],
    );
    let vex = |source, versions: &[&str]| {
        let mut row = theirs.affected[0].clone();
        row.state = State::NotAffected;
        row.ranges.clear();
        row.versions = versions.iter().map(|&version| version.to_owned()).collect();
        advisory("CVE-2023-38545", source, vec![row])
    };
    let at = |version| inventory(Some(distro("ubuntu", "22.04")), vec![deb("curl", version)]);
    let found = "curl CVE-2023-38545 [UBUNTU-CVE-2023-38545] unknown: fixed 7.81.0-1ubuntu1.14 \
                 <UBUNTU-CVE-2023-38545>";
    for source in [Source::Ubuntu, Source::User] {
        let of_one = records(vec![theirs.clone(), vex(source, &["7.81.0-1ubuntu1.13"])]);
        check(of_one, &at("7.81.0-1ubuntu1.13"), &[]);
        let of_another = records(vec![theirs.clone(), vex(source, &["7.81.0-1ubuntu1.24"])]);
        check(of_another, &at("7.81.0-1ubuntu1.13"), &[found]);
        let of_all = records(vec![theirs.clone(), vex(source, &[])]);
        check(of_all, &at("7.81.0-1ubuntu1.13"), &[]);
    }
}

#[test]
fn what_is_known_of_the_cve_comes_with_the_finding() {
    let records = Records {
        advisories: vec![
            advisory(
                "CVE-2024-0010",
                Source::Debian,
                vec![row(debian(), "curl", Upper::Open)],
            ),
            with(advisory("CVE-2024-0010", Source::Nvd, Vec::new()), |a| {
                a.description = "A first sentence. A second one.\n\nMore.".to_owned();
                a.cvss.extend(crate::cvss::parse(
                    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                    "nvd",
                ));
                a.references = vec!["https://example.com/1".to_owned()];
            }),
        ],
        kev: vec![KevEntry {
            cve: "CVE-2024-0010".to_owned(),
            date_added: Some("2024-01-02".to_owned()),
            due_date: None,
            ransomware: true,
        }],
        epss: vec![EpssEntry {
            cve: "CVE-2024-0010".to_owned(),
            score: 0.94321,
            percentile: 0.999,
        }],
        ..Records::default()
    };
    let inventory = inventory(Some(distro("debian", "12")), vec![deb("curl", "8.0")]);
    let matches = open(records).match_inventory(&inventory).unwrap();
    let finding = &matches.findings[0];
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.severity_source, "nvd");
    assert_eq!(finding.title, "A first sentence");
    assert_eq!(finding.description, "A first sentence. A second one.");
    assert_eq!(finding.references, ["https://example.com/1"]);
    assert_eq!(finding.cvss[0].score, 9.8);
    assert!(finding.kev);
    assert_eq!(finding.epss.unwrap().score, 0.94321);
}

#[test]
fn what_is_known_and_said_can_be_asked_for() {
    let mut other_arch = row(debian(), "curl", Upper::Open);
    other_arch.architectures = vec!["s390x".to_owned()];
    let database = open(Records {
        advisories: vec![
            with(
                advisory(
                    "DSA-9-1",
                    Source::Debian,
                    vec![row(debian(), "curl", fixed("8.1")), other_arch],
                ),
                |a| a.covers = vec![CoveredFlaw::new("CVE-2024-0011")],
            ),
            with(
                advisory(
                    "GHSA-4444-4444-4444",
                    Source::GitHub,
                    vec![row(Ecosystem::Npm, "curl", Upper::Open)],
                ),
                |a| {
                    a.aliases = vec!["CVE-2024-0011".to_owned()];
                    a.withdrawn = Some("2024-01-01".to_owned());
                },
            ),
        ],
        epss: vec![EpssEntry {
            cve: "CVE-2020-0001".to_owned(),
            score: 0.5,
            percentile: 0.5,
        }],
        ..Records::default()
    });
    for name in ["CVE-2024-0011", "ghsa-4444-4444-4444", "dsa-9-1"] {
        let found = database.query(name).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].id, "CVE-2024-0011");
        assert_eq!(found[0].aliases, ["GHSA-4444-4444-4444"]);
        assert_eq!(found[0].advisories.len(), 2);
        assert_eq!(found[0].advisories[0].affected.len(), 2);
        assert!(found[0].advisories[1].withdrawn.is_some());
    }
    assert_eq!(database.query("CVE-2024-9999").unwrap(), []);
    let predicted = database.query("cve-2020-0001").unwrap();
    assert_eq!(predicted[0].epss.unwrap().score, 0.5);

    let mut package = deb("curl", "8.0");
    package.architecture = Some("amd64".to_owned());
    let lookup = database
        .lookup(&package, Some(&distro("debian", "12")))
        .unwrap();
    assert_eq!(lookup.ecosystem.as_deref(), Some("debian:12"));
    let says: Vec<_> = lookup.statements.iter().map(|s| &s.says).collect();
    assert!(says.contains(&&Says::Elsewhere), "{says:?}");
    let fixed = Some("8.1".to_owned());
    assert!(says.contains(&&Says::Affected { fixed }), "{says:?}");
    assert_eq!(lookup.matches.findings.len(), 1);
}
