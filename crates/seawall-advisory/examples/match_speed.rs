//! Measures what a scan asks of an advisory database: opening and matching; and a delta.
//!
//! ```text
//! cargo run --release -p seawall-advisory --example match_speed -- DATABASE [--packages N]
//! ```
//!
//! The packages are made of the names in the database, each at the highest version that an advisory
//! calls fixed; every tenth at one of the lower ones, so that there is something to find.
#![expect(
    clippy::print_stdout,
    reason = "a program that prints what it measured"
)]

use seawall_advisory::build::Builder;
use seawall_advisory::database::{Database, OpenOptions};
use seawall_advisory::delta;
use seawall_advisory::importers::Records;
use seawall_advisory::versions::compare;
use seawall_advisory::{Advisory, NameKind, Upper};
use seawall_model::{
    Distro, Ecosystem, Evidence, Inventory, Package, PackageType, SourcePackage, Target,
    VersionScheme,
};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut packages = 10_000;
    let mut path = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--packages" {
            packages = arguments
                .next()
                .ok_or("--packages takes a number")?
                .parse()?;
        } else {
            path = Some(PathBuf::from(argument));
        }
    }
    let path = path.ok_or("usage: match_speed DATABASE [--packages N]")?;
    let records = Database::open(&path, &OpenOptions::default())?.records()?;
    let inventory = inventory(&records.advisories, packages);
    measure_matching(&path, &inventory)?;
    measure_delta(&path, records)
}

fn measure_matching(path: &Path, inventory: &Inventory) -> Result<(), Box<dyn Error>> {
    for _ in 0..3 {
        let start = Instant::now();
        let database = Database::open(path, &OpenOptions::default())?;
        let opened = start.elapsed();
        let start = Instant::now();
        let matches = database.match_inventory(inventory)?;
        println!(
            "open    {opened:>9.1?}\nmatch   {:>9.1?}  {} packages, {} findings, {} incomplete",
            start.elapsed(),
            inventory.packages.len(),
            matches.findings.len(),
            matches.incomplete.len()
        );
    }
    Ok(())
}

/// The delta that brings a hundred advisories.
fn measure_delta(path: &Path, mut older: Records) -> Result<(), Box<dyn Error>> {
    let step = (older.advisories.len() / 100).max(1);
    let mut at = 0;
    older.advisories.retain(|_| {
        at += 1;
        at % step != 0
    });
    let mut builder = Builder::new();
    builder.add(older);
    let old = Database::from_bytes(builder.finish()?.bytes, &OpenOptions::default())?;
    let new = Database::open(path, &OpenOptions::default())?;
    let delta = delta::create(&old, &new)?;
    let start = Instant::now();
    let same = delta::apply(&old, &delta, &OpenOptions::default())? == Some(std::fs::read(path)?);
    println!(
        "delta   {:>9.1?}  {} bytes for 100 advisories, same result: {same}",
        start.elapsed(),
        delta.len()
    );
    Ok(())
}

/// Packages of all languages and of the distribution with the most advisories.
fn inventory(advisories: &[Advisory], count: usize) -> Inventory {
    let mut versions: BTreeMap<(String, String, bool), Vec<&str>> = BTreeMap::new();
    for row in advisories.iter().flat_map(|advisory| &advisory.affected) {
        for range in &row.ranges {
            if let Upper::Fixed(version) = &range.upper {
                let source = row.name_kind == NameKind::Source;
                versions
                    .entry((row.ecosystem.to_string(), row.name.clone(), source))
                    .or_default()
                    .push(version);
            }
        }
    }
    let mut of_distro: BTreeMap<String, usize> = BTreeMap::new();
    for (key, ..) in versions.keys() {
        if matches!(Ecosystem::from_key(key), Some(Ecosystem::Distro { .. })) {
            *of_distro.entry(key.clone()).or_default() += 1;
        }
    }
    let distro = of_distro
        .into_iter()
        .max_by_key(|(_, packages)| *packages)
        .and_then(|(key, _)| Ecosystem::from_key(&key));
    let mut packages = Vec::new();
    for ((key, name, source), versions) in &versions {
        let ecosystem = Ecosystem::from_key(key);
        let kind = match &ecosystem {
            Some(Ecosystem::Distro { .. }) if ecosystem != distro => continue,
            Some(Ecosystem::Distro { .. }) => PackageType::Rpm,
            Some(language) => match kind_of(language) {
                Some(kind) => kind,
                None => continue,
            },
            None => continue,
        };
        let mut versions = versions.clone();
        let scheme = distro
            .as_ref()
            .filter(|_| kind == PackageType::Rpm)
            .or(ecosystem.as_ref())
            .map_or(VersionScheme::Generic, Ecosystem::scheme);
        versions.sort_by(|a, b| compare(scheme, a, b).unwrap_or(Ordering::Equal));
        let version = if packages.len() % 10 == 0 {
            versions[versions.len() / 2]
        } else {
            versions[versions.len() - 1]
        };
        let mut package = Package::new(kind, name.clone(), version, Evidence::Database);
        if *source {
            package.source = Some(SourcePackage {
                name: name.clone(),
                version: version.to_owned(),
            });
        }
        packages.push(package);
    }
    let known = packages.len().max(1);
    let packages: Vec<Package> = packages.into_iter().cycle().take(count).collect();
    println!("        {known} different packages, {distro:?}");
    Inventory {
        target: Target::default(),
        distro: distro.as_ref().and_then(distro_of),
        layers: Vec::new(),
        development_excluded: Default::default(),
        notes: Vec::new(),
        packages,
        incomplete: Vec::new(),
    }
}

fn kind_of(language: &Ecosystem) -> Option<PackageType> {
    [
        PackageType::Npm,
        PackageType::PyPi,
        PackageType::Maven,
        PackageType::Golang,
        PackageType::Cargo,
        PackageType::Gem,
        PackageType::Composer,
        PackageType::NuGet,
        PackageType::Bitnami,
    ]
    .into_iter()
    .find(|kind| kind.ecosystem().as_ref() == Some(language))
}

fn distro_of(ecosystem: &Ecosystem) -> Option<Distro> {
    let Ecosystem::Distro { family, release } = ecosystem else {
        return None;
    };
    let id = match family.name() {
        "alma" => "almalinux",
        "redhat" => "rhel",
        "amazon" => "amzn",
        "oracle" => "ol",
        name => name,
    };
    Some(Distro {
        id: id.to_owned(),
        version: release.clone(),
        id_like: Vec::new(),
        codename: None,
        pretty_name: None,
        end_of_life: None,
    })
}
