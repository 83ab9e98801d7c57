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
