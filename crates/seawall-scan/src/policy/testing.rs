//! A small image and findings in it, for the tests of policy and priority.

use seawall_model::{
    Confidence, Distro, Evidence, Finding, Fix, FixState, Inventory, Layer, Package, PackageIndex,
    PackageType, Priority, Severity, Status, Target, TargetKind,
};

/// The text with every digest, of which tests write the last digits only, in full length.
pub(crate) fn long(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_hexdigit());
        let (digits, rest) = part.split_at(end.unwrap_or(part.len()));
        all += &format!("sha256:{digits:0>64}{rest}");
    }
    all
}

pub(crate) fn inventory() -> Inventory {
    let layer = |index| Layer {
        index,
        chain_id: Some(long(&format!("sha256:c{index}"))),
        verified: true,
        ..Layer::default()
    };
    Inventory {
        target: Target {
            kind: TargetKind::Image,
            name: "reg.example.org/shop/web:1.4".to_owned(),
            digest: Some(long("sha256:abc")),
            other_digests: vec![long("sha256:c0f")],
            named_by_store: true,
            ..Target::default()
        },
        distro: Some(Distro {
            id: "rhel".to_owned(),
            version: "9.4".to_owned(),
            id_like: Vec::new(),
            codename: None,
            pretty_name: None,
            end_of_life: None,
        }),
        layers: vec![layer(0), layer(1)],
        packages: vec![
            Package {
                layer: Some(0),
                architecture: Some("x86_64".to_owned()),
                ..Package::new(
                    PackageType::Rpm,
                    "openssl",
                    "1:3.0.7-27.el9",
                    Evidence::Database,
                )
            },
            Package {
                layer: Some(1),
                paths: vec!["/app/node_modules/lodash/package.json".to_owned()],
                ..Package::new(PackageType::Npm, "lodash", "4.17.20", Evidence::Installed)
            },
            Package {
                layer: Some(1),
                ..Package::new(PackageType::Npm, "@shop/web", "1.4.0", Evidence::Installed)
            },
        ],
        development_excluded: 0,
        notes: Vec::new(),
        incomplete: Vec::new(),
    }
}

pub(crate) fn finding(id: &str, package: u32) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: vec![id.replace("CVE", "GHSA")],
        cnnvd: None,
        cnnvd_title: None,
        package: PackageIndex(package),
        severity: Severity::Medium,
        severity_source: "redhat".to_owned(),
        cvss: Vec::new(),
        epss: None,
        kev: false,
        fix: Fix {
            state: FixState::NotFixed,
            version: None,
        },
        title: String::new(),
        description: String::new(),
        cwes: Vec::new(),
        references: Vec::new(),
        published: None,
        matched_by: Vec::new(),
        confidence: Confidence::High,
        priority: Priority::default(),
        status: Status::Affected,
        suppression: None,
    }
}
