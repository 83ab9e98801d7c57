//! Merges layers from the base up, as a container's root filesystem is made of them (OCI image
//! specification, "Image Layer Filesystem Changeset").

use crate::layer::LayerContents;
use crate::path_set::PathHasher;
use crate::pipeline::FileResult;
use seawall_model::{Incomplete, Package, PackageType, SourcePackage};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A file that is visible in the merged image.
#[derive(Debug)]
pub(crate) struct VisibleFile {
    /// What its topmost version holds.
    pub(crate) result: FileResult,
    /// For each of its packages the layer that brought it: the lowest from which on every version
    /// of the file has the same package in the same version. A package manager's database that moves
    /// to another place within a layer is the same file.
    pub(crate) origins: Vec<u32>,
    /// The layer of that version.
    pub(crate) layer: u32,
    /// Whether it is here for a link: what it holds counts only where that stands.
    pub(crate) is_linked: bool,
}

/// The merged image.
#[derive(Debug, Default)]
pub(crate) struct Squashed {
    /// Ordered by path.
    pub(crate) files: Vec<VisibleFile>,
    /// Symbolic links near the root, with their targets.
    pub(crate) symlinks: BTreeMap<String, String>,
    /// What may be otherwise in a container.
    pub(crate) incomplete: Vec<Incomplete>,
}

/// Merges layers, the base first.
pub(crate) fn squash(layers: &mut [LayerContents], hasher: &PathHasher) -> Squashed {
    let mut chains: BTreeMap<String, Chain> = BTreeMap::new();
    let mut symlinks: BTreeMap<String, String> = BTreeMap::new();
    let mut incomplete = Vec::new();
    for (index, layer) in (0..).zip(layers) {
        let results = std::mem::take(&mut layer.results);
        let again: HashSet<&str> = results.iter().map(|result| result.path.as_str()).collect();
        let mut moved = Vec::new();
        let mut gone: Vec<(Vec<Package>, Vec<u32>)> = Vec::new();
        chains.retain(|path, chain| {
            let is_hidden = hides(layer, &chain.location);
            chain.keep_links(|link| !hides(layer, &Location::new(link, hasher)));
            if is_hidden {
                moved.extend(chain.under_a_link(hasher));
            }
            let stays = again.contains(path.as_str()) || !is_hidden;
            if !stays && chain.top.is_database {
                let packages = std::mem::take(&mut chain.top.packages);
                gone.push((packages, std::mem::take(&mut chain.origins)));
            }
            stays
        });
        for (path, chain) in moved {
            chains.entry(path).or_insert(chain);
        }
        symlinks.retain(|path, _| !hides(layer, &Location::new(path, hasher)));
        let databases: Origins<'_> = gone.iter().flat_map(|(p, o)| origins(p, o)).collect();
        let none = Origins::new();
        for result in results {
            match chains.entry(result.path.clone()) {
                Entry::Occupied(mut chain) => chain.get_mut().push(index, result),
                Entry::Vacant(place) => {
                    let before = if result.is_database {
                        &databases
                    } else {
                        &none
                    };
                    place.insert(Chain::new(index, result, before, hasher));
                }
            }
        }
        symlinks.extend(std::mem::take(&mut layer.symlinks));
        incomplete.append(&mut layer.incomplete);
    }
    Squashed {
        files: chains.into_values().map(Chain::visible).collect(),
        symlinks,
        incomplete,
    }
}

/// A path and the directories above it, as hashes.
pub(crate) struct Location {
    pub(crate) path: u64,
    ancestors: Vec<u64>,
}

impl Location {
    pub(crate) fn new(path: &str, hasher: &PathHasher) -> Self {
        Self {
            path: hasher.hash(path),
            ancestors: hasher.ancestors(path).collect(),
        }
    }
}

/// Whether a layer hides what the layers below it have at this place: by an entry of the same path
/// of any kind, by a whiteout of it or of a directory above, by an opaque directory above, or by
/// something above that is not a directory.
pub(crate) fn hides(layer: &LayerContents, location: &Location) -> bool {
    layer.files.contains(location.path)
        || layer.directories.contains(location.path)
        || layer.whiteouts.contains(location.path)
        || location.ancestors.iter().any(|above| {
            layer.files.contains(*above)
                || layer.whiteouts.contains(*above)
                || layer.opaque.contains(*above)
        })
}

/// One file, as the layers so far leave it.
struct Chain {
    location: Location,
    /// Its topmost version, and the layer of that.
    top: FileResult,
    layer: u32,
    /// For each package of the topmost version the layer that brought it.
    origins: Vec<u32>,
}

impl Chain {
    /// A file that begins with this layer, but for packages that were there `before`.
    fn new(layer: u32, top: FileResult, before: &Origins<'_>, hasher: &PathHasher) -> Self {
        Self {
            location: Location::new(&top.path, hasher),
            origins: inherit(&top.packages, before, layer),
            top,
            layer,
        }
    }

    /// Keeps the links to the topmost version that are still there.
    fn keep_links(&mut self, is_there: impl Fn(&str) -> bool) {
        self.top.links.retain(|link| is_there(link));
    }

    /// The topmost version, whose own name is gone, under the name of a link to it.
    fn under_a_link(&mut self, hasher: &PathHasher) -> Option<(String, Self)> {
        let mut links = std::mem::take(&mut self.top.links).into_iter();
        let path = links.next()?;
        let mut top = self.top.clone().renamed(path.clone());
        top.links = links.collect();
        let chain = Self {
            location: Location::new(&path, hasher),
            top,
            layer: self.layer,
            origins: self.origins.clone(),
        };
        Some((path, chain))
    }

    fn push(&mut self, layer: u32, top: FileResult) {
        let before = origins(&self.top.packages, &self.origins).collect();
        self.origins = inherit(&top.packages, &before, layer);
        self.layer = layer;
        self.top = top;
    }

    fn visible(self) -> VisibleFile {
        VisibleFile {
            result: self.top,
            origins: self.origins,
            layer: self.layer,
            is_linked: false,
        }
    }
}

/// The layers that brought packages.
type Origins<'a> = HashMap<Identity<'a>, u32>;

fn origins<'a>(
    packages: &'a [Package],
    origins: &'a [u32],
) -> impl Iterator<Item = (Identity<'a>, u32)> {
    packages.iter().map(identity).zip(origins.iter().copied())
}

/// The layers that brought these packages: of those that were there `before` theirs, else this one.
fn inherit(packages: &[Package], before: &Origins<'_>, layer: u32) -> Vec<u32> {
    let of = |package| before.get(&identity(package)).copied();
    packages.iter().map(|it| of(it).unwrap_or(layer)).collect()
}

/// What tells by whose advisories a package is judged: an upper layer that changes it makes another
/// package of it.
type Identity<'a> = (
    PackageType,
    [&'a str; 2],
    [Option<&'a str>; 3],
    Option<&'a SourcePackage>,
);

fn identity(package: &Package) -> Identity<'_> {
    let also = [&package.architecture, &package.vendor, &package.module];
    (
        package.kind,
        [&package.name, &package.version],
        also.map(Option::as_deref),
        package.source.as_ref(),
    )
}

#[cfg(test)]
mod tests;
