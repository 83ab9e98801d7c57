//! Which files OS packages brought, and what of it is counted to them.

use crate::distributor::is_own;
use crate::path_set::PathHasher;
use crate::same_software::is_same;
use crate::squash::Squashed;
use seawall_model::{Distro, Evidence, Package, PackageType};
use std::collections::{BTreeMap, HashMap};

/// Which OS package brought a file.
pub(crate) struct Owners<'a> {
    hasher: &'a PathHasher,
    /// Hash of the path and position in `owners`, ordered.
    files: Vec<(u64, u32)>,
    /// Packages that brought them.
    owners: Vec<Owner>,
    /// Directories that are links to others: `lib` and `usr/lib` on a system with a merged `/usr`.
    pub(crate) links: BTreeMap<String, String>,
}

/// An OS package with files.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    /// The layer that brought it.
    layer: u32,
    /// Whether it is the distribution's own. For what others packed nobody else speaks.
    is_own: bool,
    /// Versions of a Debian package that may be the distribution's own.
    versions: Vec<String>,
}

impl Owner {
    /// Whether all that is found in its files is counted to it.
    pub(crate) fn owns_all(&self) -> bool {
        self.is_own
    }

    /// Whether a package that a layer has in its files is counted to it.
    pub(crate) fn owns(&self, package: &Package, layer: u32) -> bool {
        let is_itself = |version: &String| is_same(&self.name, version, package);
        // What came after it is not what it brought.
        package.evidence != Evidence::Database
            && layer <= self.layer
            && (self.is_own || self.versions.iter().any(is_itself))
    }
}

impl<'a> Owners<'a> {
    pub(crate) fn new(
        squashed: &mut Squashed,
        distro: Option<&Distro>,
        hasher: &'a PathHasher,
    ) -> Self {
        let mut files = Vec::new();
        let mut owners = Vec::new();
        let mut installed: HashMap<String, Owner> = HashMap::new();
        for file in &squashed.files {
            for (package, layer) in file.result.packages.iter().zip(&file.origins) {
                if !package.kind.is_os() {
                    continue;
                }
                let is_own = distro.is_some_and(|distro| is_own(package, distro));
                let owner = installed.entry(package.name.clone());
                let owner = owner.or_insert_with(|| Owner {
                    name: package.name.clone(),
                    layer: 0,
                    is_own: true,
                    versions: Vec::new(),
                });
                owner.layer = owner.layer.max(*layer);
                // Which of several versions or architectures of a name owns a file is not recorded
                // everywhere.
                owner.is_own &= is_own;
                if package.kind == PackageType::Deb {
                    owner.versions.push(package.version.clone());
                }
            }
        }
        for file in &mut squashed.files {
            for owned in std::mem::take(&mut file.result.owned) {
                // A list of files whose package is not installed owns nothing.
                let Some(owner) = installed.get(&owned.package) else {
                    continue;
                };
                let Ok(index) = u32::try_from(owners.len()) else {
                    break;
                };
                files.extend(owned.paths.iter().map(|path| (*path, index)));
                owners.push(owner.clone());
            }
        }
        files.sort_unstable();
        Self {
            hasher,
            files,
            owners,
            links: std::mem::take(&mut squashed.symlinks),
        }
    }

    /// The package that brought a file.
    pub(crate) fn owner_of(&self, path: &str) -> Option<&Owner> {
        if self.files.is_empty() {
            return None;
        }
        self.spellings(path).iter().find_map(|spelling| {
            let hash = self.hasher.hash(spelling);
            let at = self.files.partition_point(|(known, _)| *known < hash);
            let (known, owner) = *self.files.get(at)?;
            (known == hash)
                .then(|| self.owners.get(owner as usize))
                .flatten()
        })
    }

    /// The path as it is, and as it reads through links of directories near the root. Package
    /// managers record either.
    fn spellings(&self, path: &str) -> Vec<String> {
        const MOST: usize = 8;
        let mut spellings = vec![path.to_owned()];
        let mut next = 0;
        while let Some(spelling) = spellings.get(next).cloned() {
            next += 1;
            for (link, target) in &self.links {
                for (from, to) in [(link, target), (target, link)] {
                    let other = spelling
                        .strip_prefix(from.as_str())
                        .filter(|rest| rest.starts_with('/'))
                        .map(|rest| format!("{to}{rest}"));
                    if let Some(other) = other
                        && spellings.len() < MOST
                        && !spellings.contains(&other)
                    {
                        spellings.push(other);
                    }
                }
            }
        }
        spellings
    }
}
