//! What a newer base image would mend.

use super::catalogue::{BaseImage, Catalogue};
use seawall_advisory::versions::compare;
use seawall_model::{Finding, FixState, Inventory, Role};
use std::cmp::Ordering;
use std::collections::HashMap;

/// What an update of the base image would do for an image's findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUpdate<'a> {
    /// The base that the image has.
    pub current: &'a BaseImage,
    /// The newest known build of the same base, if it is not the current one.
    pub newest: Option<&'a BaseImage>,
    /// Positions of the findings that are gone with `newest`: there the package is absent, or has
    /// the version with the fix or a later one.
    pub mended: Vec<usize>,
    /// Positions of the findings in the base's layers that its distribution has a fix for, though
    /// no known build of the base contains it.
    pub fixable: Vec<usize>,
}

/// Compares an image's base with the newest known build of it. `None` if its base is not in the
/// catalogue.
#[must_use]
pub fn base_update<'a>(
    catalogue: &'a Catalogue,
    inventory: &Inventory,
    findings: &[Finding],
) -> Option<BaseUpdate<'a>> {
    let chain: Vec<&str> = inventory
        .layers
        .iter()
        .map_while(|layer| layer.chain_id.as_deref())
        .collect();
    let current = catalogue.identify(&chain)?;
    let newest = newest_build(catalogue, current);
    let held: HashMap<(&str, &str), &str> = newest
        .map(|base| base.packages.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|p| ((p.kind.as_str(), p.name.as_str()), p.version.as_str()))
        .collect();
    let mut update = BaseUpdate {
        current,
        newest,
        mended: Vec::new(),
        fixable: Vec::new(),
    };
    for (position, finding) in findings.iter().enumerate() {
        let Some(package) = inventory.packages.get(finding.package.0 as usize) else {
            continue;
        };
        if package.role != Role::Base {
            continue;
        }
        let is_mended = newest.is_some()
            && match held.get(&(package.kind.name(), package.name.as_str())) {
                None => true,
                Some(version) => finding.fix.version.as_deref().is_some_and(|fix| {
                    package
                        .ecosystem(inventory.distro.as_ref())
                        .and_then(|ecosystem| compare(ecosystem.scheme(), version, fix).ok())
                        .is_some_and(Ordering::is_ge)
                }),
            };
        if is_mended {
            update.mended.push(position);
        } else if finding.fix.state == FixState::Fixed {
            update.fixable.push(position);
        }
    }
    Some(update)
}

/// The newest build of the same repository for the same platform and release of the distribution,
/// if it is newer than the current one.
fn newest_build<'a>(catalogue: &'a Catalogue, current: &BaseImage) -> Option<&'a BaseImage> {
    catalogue
        .bases()
        .iter()
        .filter(|base| {
            base.repository() == current.repository()
                && base.platform == current.platform
                && base.distro == current.distro
                && base.created > current.created
        })
        .max_by(|a, b| a.created.cmp(&b.created))
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::BasePackage;
    use super::*;
    use seawall_model::{Distro, Evidence, Fix, Layer, Package, PackageIndex, PackageType, Target};

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

    fn package(name: &str, role: Role) -> Package {
        Package {
            role,
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
        let inventory = Inventory {
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
                ..Layer::default()
            }],
            packages: vec![
                package("updated", Role::Base),
                package("dropped", Role::Base),
                package("late", Role::Base),
                package("mine", Role::Application),
            ],
            development_excluded: 0,
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
        let update = base_update(&catalogue, &inventory, &findings).unwrap();
        assert_eq!(update.newest.unwrap().chain_id, "new");
        assert_eq!(update.mended, [0, 3]);
        assert_eq!(update.fixable, [1, 4]);
    }
}
