//! What a newer base image would mend.

use super::catalogue::{BaseImage, Catalogue};
use super::roles::verified_chain;
use seawall_advisory::versions::compare;
use seawall_model::{Finding, Inventory};
use std::cmp::Ordering;
use std::collections::HashMap;

/// What an update of a known image below would do for an image's findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUpdate<'a> {
    /// The known image that the image is built on.
    pub current: &'a BaseImage,
    /// The newest known build of it.
    pub newest: &'a BaseImage,
    /// Positions of the findings in the layers of `current` that are gone with `newest`: there the
    /// package is absent, or has the version with the fix or a later one.
    pub mended: Vec<usize>,
}

/// Compares the known images that an image is built on with the newest known builds of them, where
/// there are newer ones; the base first.
#[must_use]
pub fn base_updates<'a>(
    catalogue: &'a Catalogue,
    inventory: &Inventory,
    findings: &[Finding],
) -> Vec<BaseUpdate<'a>> {
    let known = catalogue.identify(&verified_chain(&inventory.layers));
    let updates = known.into_iter().filter_map(|current| {
        let newest = newest_build(catalogue, current)?;
        Some(BaseUpdate {
            current,
            newest,
            mended: mended(current, newest, inventory, findings),
        })
    });
    updates.collect()
}

fn mended(
    current: &BaseImage,
    newest: &BaseImage,
    inventory: &Inventory,
    findings: &[Finding],
) -> Vec<usize> {
    let mut held: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
    for package in &newest.packages {
        let key = (package.kind.as_str(), package.name.as_str());
        held.entry(key).or_default().push(&package.version);
    }
    let is_mended = |finding: &Finding| {
        let package = inventory.packages.get(finding.package.0 as usize)?;
        package.layer.filter(|layer| *layer < current.layers)?;
        let Some(versions) = held.get(&(package.kind.name(), package.name.as_str())) else {
            // What was not read may still be there.
            return Some(!newest.incomplete);
        };
        let fix = finding.fix.version.as_deref()?;
        let scheme = package.ecosystem(inventory.distro.as_ref())?.scheme();
        let has_fix = |version: &&str| compare(scheme, version, fix).is_ok_and(Ordering::is_ge);
        Some(versions.iter().all(has_fix))
    };
    let positions = findings.iter().enumerate();
    positions
        .filter(|(_, finding)| is_mended(finding).unwrap_or(false))
        .map(|(position, _)| position)
        .collect()
}

/// The newest build of the same series for the same platform and release of the distribution, if
/// it is newer than the current one.
fn newest_build<'a>(catalogue: &'a Catalogue, current: &BaseImage) -> Option<&'a BaseImage> {
    catalogue
        .bases()
        .iter()
        .filter(|base| {
            base.series() == current.series()
                && base.platform == current.platform
                && base.distro == current.distro
                && base.time() > current.time()
        })
        .max_by_key(|base| base.time())
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::BasePackage;
    use super::*;
    use seawall_model::{
        Distro, Evidence, Fix, FixState, Layer, Package, PackageIndex, PackageType, Target,
    };

    fn base(name: &str, created: &str, chain_id: &str, packages: &[(&str, &str)]) -> BaseImage {
        let packages = packages.iter().map(|(name, version)| BasePackage {
            kind: "deb".to_owned(),
            name: (*name).to_owned(),
            version: (*version).to_owned(),
        });
        BaseImage {
            name: name.to_owned(),
            chain_id: chain_id.to_owned(),
            layers: 1,
            created: Some(created.to_owned()),
            packages: packages.collect(),
            ..BaseImage::default()
        }
    }

    fn package(name: &str, layer: u32) -> Package {
        Package {
            layer: Some(layer),
            ..Package::new(PackageType::Deb, name, "1.0", Evidence::Database)
        }
    }

    fn finding(package: u32, fix: Option<&str>) -> Finding {
        Finding {
            id: "CVE-2026-0001".to_owned(),
            aliases: Vec::new(),
            cnnvd: None,
            cnnvd_title: None,
            package: PackageIndex(package),
            severity: seawall_model::Severity::High,
            severity_source: "debian".to_owned(),
            cvss: Vec::new(),
            epss: None,
            kev: false,
            fix: Fix {
                state: fix.map_or(FixState::NotFixed, |_| FixState::Fixed),
                version: fix.map(str::to_owned),
            },
            title: String::new(),
            description: String::new(),
            cwes: Vec::new(),
            references: Vec::new(),
            published: None,
            matched_by: Vec::new(),
            confidence: seawall_model::Confidence::High,
            priority: seawall_model::Priority::default(),
            status: seawall_model::Status::Affected,
            suppression: None,
        }
    }

    #[test]
    fn a_newer_build_mends_what_it_updates_or_drops() {
        let mut catalogue = Catalogue::default();
        let old = &[("updated", "1.0"), ("dropped", "1.0"), ("late", "1.0")];
        catalogue.add(base("debian:12", "2026-01-01T00:00:00Z", "old", old));
        let new = &[("updated", "1.1"), ("late", "1.0")];
        catalogue.add(base("debian:12", "2026-02-01T00:00:00Z", "new", new));
        catalogue.add(base("other:12", "2026-03-01T00:00:00Z", "other", &[]));
        let mut inventory = Inventory {
            target: Target::default(),
            distro: Some(Distro {
                id: "debian".to_owned(),
                version: "12".to_owned(),
                id_like: Vec::new(),
                codename: None,
                pretty_name: None,
                end_of_life: None,
            }),
            layers: vec![Layer {
                chain_id: Some("old".to_owned()),
                verified: true,
                ..Layer::default()
            }],
            packages: vec![
                package("updated", 0),
                package("dropped", 0),
                package("late", 0),
                package("mine", 1),
            ],
            development_excluded: 0,
            notes: Vec::new(),
            incomplete: Vec::new(),
        };
        let findings = [
            finding(0, Some("1.1")),
            finding(0, Some("1.2")),
            finding(0, None),
            finding(1, None),
            finding(2, Some("1.1")),
            finding(3, Some("1.1")),
        ];
        let updates = base_updates(&catalogue, &inventory, &findings);
        assert_eq!(updates.len(), 1);
        assert_eq!(updates[0].newest.chain_id, "new");
        assert_eq!(updates[0].mended, [0, 3]);
        // A package that could not be read is not a package that is gone.
        let mut newest = updates[0].newest.clone();
        newest.incomplete = true;
        catalogue.add(newest);
        let updates = base_updates(&catalogue, &inventory, &findings);
        assert_eq!(updates[0].mended, [0]);
        // A forged image is built on nothing that is known.
        inventory.layers[0].verified = false;
        assert_eq!(base_updates(&catalogue, &inventory, &findings), []);
    }

    #[test]
    fn dates_with_offsets_were_compared_as_text() {
        let mut catalogue = Catalogue::default();
        catalogue.add(base("b:1", "2026-01-01T00:30:00+01:00", "old", &[]));
        catalogue.add(base("b:1", "2025-12-31T23:45:00Z", "new", &[]));
        let old = catalogue.identify(&["old"])[0];
        assert_eq!(newest_build(&catalogue, old).unwrap().chain_id, "new");
        let new = catalogue.identify(&["new"])[0];
        assert_eq!(newest_build(&catalogue, new), None);
    }
}
