//! Matching, as inventories in memory see it.

mod identity;
mod packages;
mod publishers;
mod told;

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
