//! Which files the distribution's own packages brought.

use crate::distributor::is_own;
use crate::path_set::PathHasher;
use crate::squash::Squashed;
use seawall_model::Distro;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Which OS package brought a file.
pub(crate) struct Owners<'a> {
    hasher: &'a PathHasher,
    /// Hash of the path and position in `names`, ordered.
    files: Vec<(u64, u32)>,
    /// Packages, with the layers that brought them.
    names: Vec<(String, u32)>,
    /// Directories that are links to others: `lib` and `usr/lib` on a system with a merged `/usr`.
    pub(crate) links: BTreeMap<String, String>,
}

impl<'a> Owners<'a> {
    /// Of packages that the distribution built itself: for what others packed nobody else speaks.
    pub(crate) fn new(
        squashed: &mut Squashed,
        distro: Option<&Distro>,
        hasher: &'a PathHasher,
    ) -> Self {
        let mut files = Vec::new();
        let mut names = Vec::new();
        let mut installed: HashMap<String, u32> = HashMap::new();
        let mut foreign: HashSet<String> = HashSet::new();
        for file in &squashed.files {
            for (package, layer) in file.result.packages.iter().zip(&file.origins) {
                if !package.kind.is_os() {
                    continue;
                }
                if distro.is_some_and(|distro| is_own(package, distro)) {
                    let brought = installed.entry(package.name.clone()).or_default();
                    *brought = (*brought).max(*layer);
                } else {
                    foreign.insert(package.name.clone());
                }
            }
        }
        // Which of several versions or architectures of a name owns a file is not recorded everywhere.
        installed.retain(|name, _| !foreign.contains(name));
        for file in &mut squashed.files {
            for owned in std::mem::take(&mut file.result.owned) {
                // A list of files whose package is not installed, or another's, owns nothing.
                let Some(brought) = installed.get(&owned.package) else {
                    continue;
                };
                let Ok(index) = u32::try_from(names.len()) else {
                    break;
                };
                files.extend(owned.paths.iter().map(|path| (*path, index)));
                names.push((owned.package, *brought));
            }
        }
        files.sort_unstable();
        Self {
            hasher,
            files,
            names,
            links: std::mem::take(&mut squashed.symlinks),
        }
    }

    /// The package, and the layer that brought it.
    pub(crate) fn owner_of(&self, path: &str) -> Option<(&str, u32)> {
        if self.files.is_empty() {
            return None;
        }
        self.spellings(path).iter().find_map(|spelling| {
            let hash = self.hasher.hash(spelling);
            let at = self.files.partition_point(|(known, _)| *known < hash);
            let (known, owner) = *self.files.get(at)?;
            (known == hash)
                .then(|| self.names.get(owner as usize))
                .flatten()
                .map(|(name, brought)| (name.as_str(), *brought))
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
