use crate::build::Builder;
use crate::database::{Database, OpenOptions};
use crate::importers::Records;
use crate::{
    Advisory, Affected, CnnvdEntry, CoveredFlaw, EpssEntry, KevEntry, NameKind, Source, State,
    Upper, VersionRange,
};
use seawall_model::{
    Distro, DistroFamily, Ecosystem, Evidence, Finding, Inventory, Package, PackageType, Severity,
    SourcePackage, Target,
};

fn distro(id: &str, version: &str) -> Distro {
    Distro {
        id: id.to_owned(),
        version: version.to_owned(),
        id_like: Vec::new(),
        codename: None,
        pretty_name: None,
        end_of_life: None,
    }
}

fn release(family: DistroFamily, release: &str) -> Ecosystem {
    Ecosystem::Distro {
        family,
        release: release.to_owned(),
    }
}

fn debian() -> Ecosystem {
    release(DistroFamily::Debian, "12")
}

fn inventory(distro: Option<Distro>, packages: Vec<Package>) -> Inventory {
    Inventory {
        target: Target::default(),
        distro,
        layers: Vec::new(),
        development_excluded: Default::default(),
        notes: Vec::new(),
        packages,
        incomplete: Vec::new(),
    }
}

fn package(kind: PackageType, name: &str, version: &str) -> Package {
    Package::new(kind, name, version, Evidence::Database)
}

fn deb(name: &str, version: &str) -> Package {
    package(PackageType::Deb, name, version)
}

fn advisory(id: &str, source: Source, affected: Vec<Affected>) -> Advisory {
    Advisory {
        affected,
        ..Advisory::new(id, source)
    }
}

fn row(ecosystem: Ecosystem, name: &str, upper: Upper) -> Affected {
    let kind = match ecosystem {
        Ecosystem::Distro { .. } => NameKind::Source,
        _ => NameKind::Binary,
    };
    Affected::new(ecosystem, name, kind, State::Affected).until(upper)
}

fn fixed(version: &str) -> Upper {
    Upper::Fixed(version.to_owned())
}

fn with(mut advisory: Advisory, change: impl FnOnce(&mut Advisory)) -> Advisory {
    change(&mut advisory);
    advisory
}

fn records(advisories: Vec<Advisory>) -> Records {
    Records {
        advisories,
        ..Records::default()
    }
}

fn open(records: Records) -> Database {
    let mut builder = Builder::new();
    builder.add(records);
    let built = builder.finish().unwrap();
    Database::from_bytes(built.bytes, &OpenOptions::default()).unwrap()
}

/// A finding in one line: package, id, aliases, severity, fix, matching advisories.
fn line(inventory: &Inventory, finding: &Finding) -> String {
    let package = &inventory.packages[finding.package.0 as usize];
    format!(
        "{} {} [{}] {}:{} {} {} <{}>",
        package.name,
        finding.id,
        finding.aliases.join(" "),
        finding.severity.name(),
        finding.severity_source,
        finding.fix.state.name(),
        finding.fix.version.as_deref().unwrap_or("-"),
        finding.matched_by.join(" "),
    )
}

/// Findings, then what is incomplete (marked `!`), then notes (marked `#`).
fn check(records: Records, inventory: &Inventory, expected: &[&str]) {
    let matches = open(records).match_inventory(inventory).unwrap();
    let mut lines: Vec<String> = matches
        .findings
        .iter()
        .map(|finding| line(inventory, finding))
        .collect();
    lines.extend(matches.incomplete.iter().map(|i| format!("! {i}")));
    lines.extend(matches.notes.iter().map(|note| format!("# {note}")));
    assert_eq!(lines, expected);
}

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
    assert!(says.contains(&&super::Says::Elsewhere), "{says:?}");
    let fixed = Some("8.1".to_owned());
    assert!(says.contains(&&super::Says::Affected { fixed }), "{says:?}");
    assert_eq!(lookup.matches.findings.len(), 1);
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
