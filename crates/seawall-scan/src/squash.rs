//! Merges layers from the base up, as a container's root filesystem is made of them (OCI image
//! specification, "Image Layer Filesystem Changeset").

use crate::layer::LayerContents;
use crate::path_set::PathHasher;
use crate::pipeline::FileResult;
use seawall_model::{Incomplete, Package, PackageType, SourcePackage};
use std::collections::{BTreeMap, HashSet};

/// A file that is visible in the merged image.
#[derive(Debug)]
pub(crate) struct VisibleFile {
    /// What its topmost version holds.
    pub(crate) result: FileResult,
    /// For each of its packages the layer that brought it: the lowest from which on every version
    /// of the file has the same package in the same version.
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
        chains.retain(|path, chain| {
            let is_hidden = hides(layer, &chain.location);
            chain.keep_links(|link| !hides(layer, &Location::new(link, hasher)));
            if is_hidden {
                moved.extend(chain.under_a_link(hasher));
            }
            again.contains(path.as_str()) || !is_hidden
        });
        for (path, chain) in moved {
            chains.entry(path).or_insert(chain);
        }
        symlinks.retain(|path, _| !hides(layer, &Location::new(path, hasher)));
        for result in results {
            let chain = chains
                .entry(result.path.clone())
                .or_insert_with(|| Chain::new(&result.path, hasher));
            chain.push(index, result);
        }
        symlinks.extend(std::mem::take(&mut layer.symlinks));
        incomplete.append(&mut layer.incomplete);
    }
    Squashed {
        files: chains.into_values().filter_map(Chain::visible).collect(),
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

/// The versions of one file, the lowest layer first.
struct Chain {
    location: Location,
    versions: Vec<(u32, FileResult)>,
}

impl Chain {
    fn new(path: &str, hasher: &PathHasher) -> Self {
        Self {
            location: Location::new(path, hasher),
            // Most files are in one layer.
            versions: Vec::with_capacity(1),
        }
    }

    /// Keeps the links to the topmost version that are still there.
    fn keep_links(&mut self, is_there: impl Fn(&str) -> bool) {
        if let Some((_, top)) = self.versions.last_mut() {
            top.links.retain(|link| is_there(link));
        }
    }

    /// The topmost version, whose own name is gone, under the name of a link to it.
    fn under_a_link(&mut self, hasher: &PathHasher) -> Option<(String, Self)> {
        let (layer, top) = self.versions.last_mut()?;
        let mut links = std::mem::take(&mut top.links).into_iter();
        let path = links.next()?;
        let mut chain = Self::new(&path, hasher);
        let mut result = top.clone().renamed(path.clone());
        result.links = links.collect();
        chain.push(*layer, result);
        Some((path, chain))
    }

    fn push(&mut self, layer: u32, result: FileResult) {
        // Of what lies below, only the packages are asked for again.
        if let Some((_, below)) = self.versions.last_mut() {
            below.owned = Vec::new();
            below.incomplete = Vec::new();
            below.poms = Vec::new();
            below.unversioned = Vec::new();
            below.out_of_place = Vec::new();
        }
        self.versions.push((layer, result));
    }

    fn visible(mut self) -> Option<VisibleFile> {
        let (top, result) = self.versions.pop()?;
        let mut origins = vec![top; result.packages.len()];
        let mut same: Vec<bool> = vec![true; result.packages.len()];
        for (layer, below) in self.versions.iter().rev() {
            let known: HashSet<_> = below.packages.iter().map(identity).collect();
            for ((package, origin), same) in result.packages.iter().zip(&mut origins).zip(&mut same)
            {
                *same = *same && known.contains(&identity(package));
                if *same {
                    *origin = *layer;
                }
            }
            if !same.contains(&true) {
                break;
            }
        }
        Some(VisibleFile {
            result,
            origins,
            layer: top,
            is_linked: false,
        })
    }
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
