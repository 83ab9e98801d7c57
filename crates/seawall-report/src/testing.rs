//! One report with something of everything, hostile names included, that the tests of all writers
//! share.

use seawall_model::{
    Confidence, Cvss, CvssVersion, Distro, EndOfLife, Epss, Evidence, FailOn, Finding, Fix,
    FixState, Gate, Incomplete, IncompleteReason, Inventory, Layer, Package, PackageIndex,
    PackageType, Priority, PriorityLevel, PriorityPart, Role, Severity, SourcePackage, Status,
    Suppression, Target, TargetKind,
};

use crate::{DatabaseInfo, Format, Options, Report};

pub(crate) const HOSTILE: &str = "evil\x1b[2J<script>alert(1)</script>|`x`\u{202e}]]>&\"'";

pub(crate) fn inventory() -> Inventory {
    Inventory {
        target: Target {
            kind: TargetKind::Image,
            name: "registry.example.org/shop/web:1.4".to_owned(),
            place: Some("/srv/web.tar".to_owned()),
            digest: Some(format!("sha256:{}", "a1".repeat(32))),
            other_digests: vec![format!("sha256:{}", "a2".repeat(32))],
            tags: vec!["shop/web:1.4".to_owned()],
            named_by_store: true,
            platform: Some("linux/amd64".to_owned()),
            created: Some("2026-01-02T03:04:05Z".to_owned()),
            labels: vec![("team".to_owned(), "shop".to_owned())],
        },
        distro: Some(Distro {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            id_like: Vec::new(),
            codename: Some("bookworm".to_owned()),
            pretty_name: Some("Debian GNU/Linux 12 (bookworm)".to_owned()),
            end_of_life: Some(EndOfLife {
                date: "2028-06-30".to_owned(),
                passed: false,
            }),
        }),
        layers: vec![
            layer(
                0,
                Role::Base,
                "ADD rootfs.tar / # buildkit",
                Some("debian:12"),
                Some("platform team"),
            ),
            layer(
                1,
                Role::Middleware,
                "RUN apt-get install -y nginx",
                None,
                None,
            ),
            layer(
                2,
                Role::Application,
                "COPY app /app",
                None,
                Some("shop team"),
            ),
        ],
        packages: vec![
            deb("libssl3", "3.0.11-1~deb12u2", "openssl"),
            deb("openssl", "3.0.11-1~deb12u2", "openssl"),
            Package {
                role: Role::Middleware,
                owner: None,
                layer: Some(1),
                folded: 3,
                ..deb("nginx", "1.22.1-9", "nginx")
            },
            Package {
                layer: Some(2),
                owner: Some("shop team".to_owned()),
                licenses: vec!["MIT".to_owned(), "See LICENSE file".to_owned()],
                paths: vec!["/app/node_modules/@x/漏洞/package.json".to_owned()],
                development: true,
                ..Package::new(
                    PackageType::Npm,
                    "@x/left-pad",
                    "1.0.0",
                    Evidence::Installed,
                )
            },
            Package {
                layer: Some(2),
                owner: Some("shop team".to_owned()),
                paths: vec![format!("/app/{HOSTILE}")],
                ..Package::new(PackageType::PyPi, HOSTILE, "1.0", Evidence::Declared)
            },
            Package {
                layer: Some(2),
                cpe_products: vec!["redis:redis".to_owned()],
                paths: vec!["/usr/local/bin/redis-server".to_owned()],
                ..Package::new(PackageType::Generic, "redis", "7.0.1", Evidence::Pattern)
            },
        ],
        development_excluded: 2,
        notes: vec!["1 requirement without a version".to_owned()],
        incomplete: vec![
            Incomplete::new(
                IncompleteReason::Corrupt,
                "/app/lib.jar",
                "the zip directory is cut off",
            )
            .at(1234)
            .hint("build the archive again"),
            Incomplete::new(
                IncompleteReason::LimitReached,
                HOSTILE,
                "more than 100 nested archives",
            ),
        ],
    }
}

fn layer(index: u32, role: Role, by: &str, base: Option<&str>, owner: Option<&str>) -> Layer {
    Layer {
        index,
        digest: Some(format!("sha256:{}", format!("{index:02}").repeat(32))),
        diff_id: Some(format!("sha256:{}", format!("d{index}").repeat(32))),
        verified: base.is_some(),
        chain_id: Some(format!("sha256:{}", format!("c{index}").repeat(32))),
        created_by: Some(by.to_owned()),
        base: base.map(str::to_owned),
        role,
        role_guessed: false,
        owner: owner.map(str::to_owned),
        size: Some(1000),
    }
}

fn deb(name: &str, version: &str, source: &str) -> Package {
    Package {
        architecture: Some("amd64".to_owned()),
        source: Some(SourcePackage {
            name: source.to_owned(),
            version: version.to_owned(),
        }),
        vendor: Some("Debian".to_owned()),
        paths: vec!["/var/lib/dpkg/status".to_owned()],
        layer: Some(0),
        role: Role::Base,
        owner: Some("platform team".to_owned()),
        ..Package::new(PackageType::Deb, name, version, Evidence::Database)
    }
}

pub(crate) fn finding(id: &str, package: u32, severity: Severity, fix: Option<&str>) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: vec![format!("GHSA-{package}-{}", id.len())],
        cnnvd: None,
        cnnvd_title: None,
        package: PackageIndex(package),
        severity,
        severity_source: "debian".to_owned(),
        cvss: vec![Cvss {
            version: CvssVersion::V3_1,
            vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
            score: 9.8,
            source: "nvd".to_owned(),
        }],
        epss: None,
        kev: false,
        fix: Fix {
            state: if fix.is_some() {
                FixState::Fixed
            } else {
                FixState::NotFixed
            },
            version: fix.map(str::to_owned),
        },
        title: format!("A flaw named {id}"),
        description: "What it is, at length.".to_owned(),
        cwes: vec!["CWE-79".to_owned()],
        references: vec![
            format!("https://example.org/{id}"),
            "javascript:alert(1)".to_owned(),
        ],
        published: Some("2025-01-01T00:00:00Z".to_owned()),
        matched_by: vec![id.to_owned()],
        confidence: Confidence::High,
        priority: Priority {
            score: 55,
            level: PriorityLevel::Soon,
            parts: vec![PriorityPart {
                name: "severity",
                value: format!("{} (debian)", severity.name()),
                points: 55,
            }],
        },
        status: Status::Affected,
        suppression: None,
    }
}

pub(crate) fn findings() -> Vec<Finding> {
    vec![
        Finding {
            kev: true,
            epss: Some(Epss {
                score: 0.94,
                percentile: 0.999,
            }),
            cnnvd: Some("CNNVD-202501-001".to_owned()),
            cnnvd_title: Some("OpenSSL 安全漏洞".to_owned()),
            ..finding(
                "CVE-2025-0001",
                0,
                Severity::Critical,
                Some("3.0.15-1~deb12u1"),
            )
        },
        finding(
            "CVE-2025-0001",
            1,
            Severity::Critical,
            Some("3.0.15-1~deb12u1"),
        ),
        finding("CVE-2025-0002", 0, Severity::High, Some("3.0.15-1~deb12u1")),
        finding("CVE-2025-0003", 2, Severity::Medium, None),
        Finding {
            title: HOSTILE.to_owned(),
            description: HOSTILE.to_owned(),
            ..finding("CVE-2025-0004", 4, Severity::Low, Some("1.1"))
        },
        Finding {
            confidence: Confidence::Low,
            ..finding("CVE-2025-0005", 5, Severity::Unknown, None)
        },
        Finding {
            status: Status::Ignored,
            suppression: Some(Suppression {
                by: "ignore-file",
                source: ".seawallignore.yaml:3".to_owned(),
                reason: Some("not reachable".to_owned()),
                expires: Some("2027-01-01".to_owned()),
            }),
            ..finding("CVE-2025-0006", 3, Severity::High, Some("1.0.1"))
        },
        Finding {
            status: Status::NotAffected,
            suppression: Some(Suppression {
                by: "openvex",
                source: "vex.json statement 1".to_owned(),
                reason: None,
                expires: None,
            }),
            ..finding("CVE-2025-0007", 3, Severity::High, None)
        },
    ]
}

pub(crate) fn database() -> DatabaseInfo {
    DatabaseInfo {
        digest: "0f".repeat(32),
        newest: Some("2026-11-20T00:00:00Z".to_owned()),
        advisories: 512_345,
    }
}

/// What a writer makes of an inventory and findings.
pub(crate) fn rendered_with(
    format: Format,
    options: &Options,
    inventory: &Inventory,
    findings: &[Finding],
    database: Option<DatabaseInfo>,
) -> String {
    let mut bytes = Vec::new();
    let notices = notices();
    let report = report(inventory, findings, database, &notices);
    crate::write(format, &report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn notices() -> Vec<String> {
    vec!["rule 2 of .seawallignore.yaml expired on 2026-01-01".to_owned()]
}

pub(crate) fn report<'a>(
    inventory: &'a Inventory,
    findings: &'a [Finding],
    database: Option<DatabaseInfo>,
    notices: &'a [String],
) -> Report<'a> {
    Report {
        tool_version: "1.2.3",
        generated_at: "2026-11-21T00:30:00.5Z".parse().unwrap(),
        duration: Some(std::time::Duration::from_millis(730)),
        inventory,
        findings,
        database,
        gate: Some(Gate::evaluate(
            &[FailOn::Severity(Severity::High), FailOn::Kev],
            findings,
        )),
        newer_bases: Vec::new(),
        notices,
    }
}

/// The document of two targets.
pub(crate) fn rendered_twice(format: Format) -> String {
    let (inventory, findings, notices) = (inventory(), findings(), notices());
    let report = report(&inventory, &findings, Some(database()), &notices);
    let mut bytes = Vec::new();
    let reports = [report.clone(), report];
    crate::write_all(format, &reports, &Options::default(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn rendered(format: Format) -> String {
    let (inventory, findings) = (inventory(), findings());
    rendered_with(
        format,
        &Options::default(),
        &inventory,
        &findings,
        Some(database()),
    )
}

#[test]
fn the_same_input_gives_the_same_bytes_and_none_of_them_acts_on_a_terminal() {
    for (format, name) in Format::ALL {
        let text = rendered(*format);
        assert_eq!(text, rendered(*format), "{name}");
        let active = |c: char| c != '\n' && crate::escape::is_active(c);
        assert_eq!(text.chars().find(|c| active(*c)), None, "{name}");
    }
}

#[test]
fn an_empty_report_is_written_in_every_format() {
    let inventory = Inventory {
        target: Target::default(),
        distro: None,
        layers: Vec::new(),
        packages: Vec::new(),
        development_excluded: 0,
        notes: Vec::new(),
        incomplete: Vec::new(),
    };
    for (format, name) in Format::ALL {
        let text = rendered_with(*format, &Options::default(), &inventory, &[], None);
        assert!(!text.is_empty(), "{name}");
        assert_eq!(name.parse(), Ok(*format));
    }
}

/// Compares with a golden file of `src/golden`; `SEAWALL_BLESS=1` writes it.
pub(crate) fn check_golden(name: &str, actual: &str) {
    let path = std::path::Path::new("src/golden").join(name);
    if std::env::var_os("SEAWALL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{name} differs; look at it and bless it with SEAWALL_BLESS=1\n{actual}"
    );
}
