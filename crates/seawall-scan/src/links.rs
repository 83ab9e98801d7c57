//! Follows the symbolic links of the merged image, which no layer can: they may lead into any other.
//!
//! A package that is installed by a link was read where its files stand. Here it gets the name under
//! which it is installed.

use crate::declarations::PACKAGE_DIRECTORIES;
use crate::layer::LayerContents;
use crate::path_set::{PathHasher, parent};
use crate::pipeline::{FileResult, OutOfPlace, Pipeline};
use crate::squash::{Location, Squashed, VisibleFile, hides};
use seawall_model::{Incomplete, IncompleteReason};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Links on the way to one file (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Bytes of a path (limits.h, `PATH_MAX`).
const MAX_PATH: usize = 4095;

/// Work to find out where links lead, in bytes of paths that are compared or hashed. A million ordinary
/// links need less.
const MAX_WORK: u64 = 1 << 30;

/// What a look for a path among the links costs beside its bytes, and one in the sets of a layer.
const LOOK: usize = 64;
const LOOK_IN_LAYER: usize = 4;

/// Bytes of the names that links give to the files of packages.
const MAX_NAMES: u64 = 64 << 20;

/// Names that are listed of one package.
const MAX_PATHS: usize = 16;

/// Of the directories above a file, by whose names it counts as an installed package's, the most that
/// are below a link: `node_modules` in `node_modules/@scope/name/package.json`.
const MAX_BELOW: usize = 3;

/// Adds the packages that are installed by links, and says which links lead to what is not read.
pub(crate) fn follow(layers: &[LayerContents], squashed: &mut Squashed, pipeline: &Pipeline<'_>) {
    let tree = Tree::new(layers, &pipeline.hasher);
    let mut names = Names::new(&tree);
    let mut more: Vec<VisibleFile> = Vec::new();
    for (path, link) in &tree.links {
        let Some(real) = tree.resolve(path, link.target) else {
            // It leads nowhere in a container either.
            continue;
        };
        names.add(path, &real, link.layer);
        let told = unread(path, &real, &squashed.files, &tree, pipeline);
        let told = told.and_then(|it| pipeline.admit(it));
        more.extend(told.map(|result| VisibleFile {
            result,
            origins: Vec::new(),
            layer: link.layer,
            is_linked: true,
        }));
    }
    names.sort();
    for file in &mut squashed.files {
        for found in std::mem::take(&mut file.result.out_of_place) {
            let counts = |name: &str| pipeline.counts_at(found.analyzer, name);
            let counting = names.of(&file.result.path, counts);
            let Some(layer) = counting.iter().map(|name| name.layer).min() else {
                continue;
            };
            let result = installed(&file.result.path, found, &counting);
            let layer = layer.max(file.layer);
            more.extend(pipeline.admit(result).map(|result| VisibleFile {
                origins: vec![layer; result.packages.len()],
                result,
                layer,
                is_linked: true,
            }));
        }
    }
    if pipeline.links.is_exceeded() || tree.is_exhausted() || names.is_exhausted() {
        let message = "too many symbolic links, or ways along them: not all were followed";
        let limit = Incomplete::new(IncompleteReason::LimitReached, "/", message);
        squashed.incomplete.push(limit);
    }
    squashed.files.append(&mut more);
    squashed
        .files
        .sort_by(|a, b| a.result.path.cmp(&b.result.path));
}

/// What was found in the file at `path`, under the names by which links lead to it.
fn installed(path: &str, found: OutOfPlace, names: &[Name]) -> FileResult {
    // Where a file tells of many packages, all names of each would fill the memory.
    let listed = if found.packages.len() > 1 {
        1
    } else {
        MAX_PATHS
    };
    let names = names.iter().take(listed);
    let paths: Vec<String> = names.map(|it| format!("/{}", it.path)).collect();
    let mut result = FileResult {
        // Which OS package it belongs to is told by where it stands.
        path: path.to_owned(),
        packages: found.packages,
        incomplete: found.incomplete,
        ..FileResult::default()
    };
    for package in &mut result.packages {
        package.paths.clone_from(&paths);
    }
    for incomplete in &mut result.incomplete {
        if let (Some(name), Some(rest)) = (paths.first(), incomplete.place.strip_prefix('/'))
            && rest == path
        {
            incomplete.place.clone_from(name);
        }
    }
    result
}

/// Says of a link where files or packages are looked for that what it leads to is not read: as a file
/// by its name, or as a directory by what is in it. Of what is not in the image neither is known.
fn unread(
    path: &str,
    real: &str,
    files: &[VisibleFile],
    tree: &Tree<'_>,
    pipeline: &Pipeline<'_>,
) -> Option<FileResult> {
    let dispatcher = &pipeline.dispatcher;
    let by_name = dispatcher.wanted_by_name_only_at(path, real);
    let below = dispatcher.is_wanted_below_only(path, real);
    if by_name.is_empty() && !below && !has_a_name_of_packages(path, real) {
        return None;
    }
    let is_unread = match tree.kind(real) {
        Some(Kind::File) => !by_name.is_empty(),
        Some(Kind::Directory) => below,
        None if holds_files(real, files) => below,
        None => true,
    };
    let message = format!("it is a link to /{real}, which is not read under this name");
    is_unread.then(|| FileResult {
        path: path.to_owned(),
        incomplete: vec![
            Incomplete::new(IncompleteReason::Unsupported, format!("/{path}"), message)
                .hint("put the file or directory itself there"),
        ],
        is_database: pipeline.is_database(path, by_name),
        ..FileResult::default()
    })
}

/// Whether packages are installed in directories of this name, and not of the other.
fn has_a_name_of_packages(path: &str, other: &str) -> bool {
    let name_of = |path| str::rsplit(path, '/').next().unwrap_or_default();
    let mut special = PACKAGE_DIRECTORIES.iter().map(|it| it.trim_matches('/'));
    name_of(path) != name_of(other) && special.any(|name| name == name_of(path))
}

/// Whether something was found in files below a directory, which need not be an entry of its own.
fn holds_files(directory: &str, files: &[VisibleFile]) -> bool {
    let below = format!("{directory}/");
    let at = files.partition_point(|file| file.result.path < below);
    let next = files.get(at);
    next.is_some_and(|file| file.result.path.starts_with(&below))
}

/// What a container sees at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
}

/// The merged image with its symbolic links.
struct Tree<'a> {
    layers: &'a [LayerContents],
    hasher: &'a PathHasher,
    links: BTreeMap<&'a str, VisibleLink<'a>>,
    work: Cell<u64>,
}

/// A symbolic link that is visible in the merged image.
struct VisibleLink<'a> {
    target: &'a str,
    layer: u32,
}

impl<'a> Tree<'a> {
    fn new(layers: &'a [LayerContents], hasher: &'a PathHasher) -> Self {
        let mut tree = Self {
            layers,
            hasher,
            links: BTreeMap::new(),
            work: Cell::new(0),
        };
        let mut above = layers;
        for (index, layer) in (0..).zip(layers) {
            above = above.get(1..).unwrap_or_default();
            for link in &layer.links {
                let Some(location) = tree.locate(&link.path, above.len()) else {
                    break;
                };
                // A directory replaces a link even where it is no entry of its own.
                let replaces = |layer: &LayerContents| layer.parents.contains(location.path);
                if !above
                    .iter()
                    .any(|layer| hides(layer, &location) || replaces(layer))
                {
                    let visible = VisibleLink {
                        target: &link.target,
                        layer: index,
                    };
                    tree.links.insert(&link.path, visible);
                }
            }
        }
        tree
    }

    /// A path to look for in so many layers, as far as the work is bounded.
    fn locate(&self, path: &str, layers: usize) -> Option<Location> {
        let directories = path.bytes().filter(|b| *b == b'/').count() + 2;
        self.work(directories * (path.len() + LOOK_IN_LAYER * layers))
            .then(|| Location::new(path, self.hasher))
    }

    /// Whether there may be more work.
    fn work(&self, bytes: usize) -> bool {
        self.work.set(self.work.get().saturating_add(bytes as u64));
        !self.is_exhausted()
    }

    fn is_exhausted(&self) -> bool {
        self.work.get() > MAX_WORK
    }

    /// Where a link leads; `None` where no container comes to an end of it.
    fn resolve(&self, path: &str, target: &'a str) -> Option<String> {
        let mut real = match target.starts_with('/') {
            true => String::new(),
            false => parent(path).unwrap_or_default().to_owned(),
        };
        let mut rest: Vec<&str> = target.rsplit('/').collect();
        let mut links = 1;
        while let Some(part) = rest.pop() {
            match part {
                "" | "." => continue,
                ".." => {
                    let above = parent(&real).unwrap_or_default().len();
                    real.truncate(above);
                    continue;
                }
                _ => {}
            }
            let directory = real.len();
            if directory > 0 {
                real.push('/');
            }
            real.push_str(part);
            if real.len() > MAX_PATH || !self.work(LOOK + real.len()) {
                return None;
            }
            if let Some(link) = self.links.get(real.as_str()) {
                links += 1;
                if links > MAX_LINKS || !self.work(link.target.len()) {
                    return None;
                }
                let is_from_root = link.target.starts_with('/');
                real.truncate(if is_from_root { 0 } else { directory });
                rest.extend(link.target.rsplit('/'));
            }
        }
        Some(real)
    }

    /// What is at a path that no link is on; `None` where nothing is.
    fn kind(&self, path: &str) -> Option<Kind> {
        let location = self.locate(path, self.layers.len())?;
        let top = self.layers.iter().rev();
        let mut top = top.skip_while(|layer| !hides(layer, &location));
        let layer = top.next()?;
        if layer.files.contains(location.path) {
            return Some(Kind::File);
        }
        let is_directory = layer.directories.contains(location.path);
        is_directory.then_some(Kind::Directory)
    }
}

/// A path along links.
#[derive(Debug, Clone)]
struct Name {
    path: String,
    /// The uppermost layer that has a link on it.
    layer: u32,
}

/// The names that links give to files.
struct Names<'a> {
    hasher: &'a PathHasher,
    /// Where the links lead, as hashes, with the links and their layers.
    links: Vec<(u64, &'a str, u32)>,
    bytes: u64,
}

impl<'a> Names<'a> {
    fn new(tree: &Tree<'a>) -> Self {
        Self {
            hasher: tree.hasher,
            links: Vec::with_capacity(tree.links.len()),
            bytes: 0,
        }
    }

    fn add(&mut self, link: &'a str, real: &str, layer: u32) {
        self.links.push((self.hasher.hash(real), link, layer));
    }

    fn sort(&mut self) {
        self.links.sort_unstable();
    }

    fn is_exhausted(&self) -> bool {
        self.bytes > MAX_NAMES
    }

    /// The names of the file at `path` that count, the nearest first. A link may lead to one of the
    /// directories above it, and another link to one above that link.
    fn of(&mut self, path: &str, counts: impl Fn(&str) -> bool) -> Vec<Name> {
        let mut counting = Vec::new();
        let mut ways = vec![Name {
            path: path.to_owned(),
            layer: 0,
        }];
        let mut next = 0;
        while let Some(way) = ways.get(next).cloned() {
            next += 1;
            let above = std::iter::successors(Some(&*way.path), |it| parent(it));
            for directory in above.take(MAX_BELOW + 1) {
                let rest = way.path.strip_prefix(directory).unwrap_or_default();
                let rest = rest.trim_start_matches('/');
                let hash = self.hasher.hash(directory);
                let from = self.links.partition_point(|(real, ..)| *real < hash);
                let links = self.links.get(from..).unwrap_or_default();
                for (_, link, layer) in links.iter().take_while(|(real, ..)| *real == hash) {
                    let path = match rest.is_empty() {
                        true => (*link).to_owned(),
                        false => format!("{link}/{rest}"),
                    };
                    self.bytes += path.len() as u64 + 1;
                    if self.is_exhausted() || counting.len() == MAX_PATHS {
                        return counting;
                    }
                    let layer = way.layer.max(*layer);
                    let list = match counts(&path) {
                        true => &mut counting,
                        false => &mut ways,
                    };
                    list.push(Name { path, layer });
                }
            }
        }
        counting
    }
}

#[cfg(test)]
mod tests;
