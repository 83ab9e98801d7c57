//! Reads one layer: hands wanted files to the analyzers and notes what the layer hides.

use crate::dispatch::{AnalyzerSet, Dispatcher, MIN_EXECUTABLE_BYTES, has_executable_magic};
use crate::path_set::{PathSet, parent};
use crate::pipeline::{FileResult, Job, Pipeline};
use rayon::Scope;
use seawall_artifact::{Entry, EntryKind, Error, LayerVisitor};
use seawall_model::{Incomplete, IncompleteReason};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// What one layer holds, as far as a scan needs to know.
#[derive(Debug, Default)]
pub(crate) struct LayerContents {
    /// What was found, by path; of several entries of one path only the last.
    pub(crate) results: Vec<FileResult>,
    /// Everything but directories.
    pub(crate) files: PathSet,
    pub(crate) directories: PathSet,
    /// Directories that something lies in, whether they are entries or not.
    pub(crate) parents: PathSet,
    pub(crate) whiteouts: PathSet,
    pub(crate) opaque: PathSet,
    /// Symbolic links, ordered by path.
    pub(crate) links: Vec<Link>,
    /// Those at most one directory below the root, and those by which a database would be read, with
    /// their targets from the root.
    pub(crate) symlinks: Vec<(String, String)>,
    /// What container runtimes make of the layer in different ways.
    pub(crate) incomplete: Vec<Incomplete>,
}

/// A symbolic link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) path: String,
    /// As it is written.
    pub(crate) target: String,
}

impl Link {
    /// Memory that it takes, with its place in the tables.
    fn cost(&self) -> u64 {
        const OVERHEAD: usize = 128;
        (self.path.len() + self.target.len() + OVERHEAD) as u64
    }
}

/// Entries of one layer that are named of those whose meaning is in doubt.
const MAX_DOUBTS: usize = 10;

/// Hard links to programs that are remembered of a layer.
const MAX_PROGRAM_LINKS: usize = 10_000;

/// More symbolic links near the root are of no use: they serve to recognise a merged `/usr`.
const MAX_SYMLINKS: usize = 1_000;

/// Visits the entries of one layer.
pub(crate) struct LayerReader<'a, 'scope> {
    pipeline: &'scope Pipeline<'scope>,
    scope: &'a Scope<'scope>,
    order: u32,
    /// The wanted files so far, each with the position of its last entry.
    wanted: HashMap<u64, u32, BuildHasherDefault<Prehashed>>,
    /// Positions of wanted files that a later entry of the same path replaced.
    replaced: HashSet<u32>,
    files: Vec<u64>,
    directories: Vec<u64>,
    /// Directories above entries.
    parents: HashedPaths,
    /// The one above the last entry.
    last_parent: String,
    /// Devices, sockets and pipes.
    others: Vec<u64>,
    /// Symbolic links; without what they are beyond the limit.
    links: HashMap<u64, Option<Link>, BuildHasherDefault<Prehashed>>,
    whiteouts: HashedPaths,
    opaque: HashedPaths,
    /// Directories with whiteouts or opaque directories in them, at any depth.
    hiding: HashedPaths,
    /// Files whose first bytes tell whether they are programs, and were looked at.
    runnable: HashedPaths,
    /// The programs among them, with the positions of their entries.
    programs: HashMap<u64, u32, BuildHasherDefault<Prehashed>>,
    /// Hard links to programs: the program's position, the link's own, and its path.
    program_links: Vec<(u32, u32, String)>,
    incomplete: Vec<Incomplete>,
    results: Arc<Mutex<Vec<FileResult>>>,
}

/// A layer that was read while its last files may still be with the analyzers.
pub(crate) struct PendingLayer {
    replaced: HashSet<u32>,
    program_links: Vec<(u32, u32, String)>,
    contents: LayerContents,
    results: Arc<Mutex<Vec<FileResult>>>,
}

impl<'a, 'scope> LayerReader<'a, 'scope> {
    pub(crate) fn new(pipeline: &'scope Pipeline<'scope>, scope: &'a Scope<'scope>) -> Self {
        Self {
            pipeline,
            scope,
            order: 0,
            wanted: HashMap::default(),
            replaced: HashSet::new(),
            files: Vec::new(),
            directories: Vec::new(),
            parents: HashedPaths::default(),
            last_parent: String::new(),
            others: Vec::new(),
            links: HashMap::default(),
            whiteouts: HashedPaths::default(),
            opaque: HashedPaths::default(),
            hiding: HashedPaths::default(),
            runnable: HashedPaths::default(),
            programs: HashMap::default(),
            program_links: Vec::new(),
            incomplete: Vec::new(),
            results: Arc::default(),
        }
    }

    pub(crate) fn finish(mut self) -> PendingLayer {
        let files = PathSet::new(std::mem::take(&mut self.files));
        let directories = PathSet::new(std::mem::take(&mut self.directories));
        // A directory that takes a file's place hides nothing, a file that takes a directory's all.
        if files.meets(&directories) {
            self.doubt("", "the layer has a path as a file and as a directory");
        }
        let others = PathSet::new(std::mem::take(&mut self.others));
        if others.meets(&files) || others.meets(&directories) {
            let message = "the layer has a path as a device or pipe and as a file or directory";
            self.doubt("", message);
        }
        let mut links: Vec<Link> = self.links.into_values().flatten().collect();
        links.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        PendingLayer {
            replaced: self.replaced,
            program_links: self.program_links,
            contents: LayerContents {
                results: Vec::new(),
                files,
                directories,
                parents: PathSet::new(self.parents.into_iter().collect()),
                whiteouts: PathSet::new(self.whiteouts.into_iter().collect()),
                opaque: PathSet::new(self.opaque.into_iter().collect()),
                symlinks: telling(&links, &self.pipeline.dispatcher),
                links,
                incomplete: self.incomplete,
            },
            results: self.results,
        }
    }

    /// Notes that the layer has something at this path. A wanted file there is no longer what the
    /// layer ends up with.
    fn note(&mut self, path: &str, is_directory: bool) -> u64 {
        let hash = self.pipeline.hasher.hash(path);
        if let Some(before) = self.wanted.remove(&hash) {
            self.replaced.insert(before);
        }
        self.runnable.remove(&hash);
        self.programs.remove(&hash);
        self.links.remove(&hash);
        self.note_parents(path);
        if is_directory {
            // Where a layer is unpacked, the directory takes the whiteout's place.
            if self.whiteouts.remove(&hash) {
                self.check_place(path, hash);
            }
            self.directories.push(hash);
        } else {
            self.check_place(path, hash);
            self.files.push(hash);
        }
        hash
    }

    /// Notes the directories above an entry, which need not be entries of their own.
    fn note_parents(&mut self, path: &str) {
        let parent = parent(path).unwrap_or_default();
        if parent == self.last_parent {
            return;
        }
        parent.clone_into(&mut self.last_parent);
        for above in self.pipeline.hasher.ancestors(path) {
            if !self.parents.insert(above) {
                break;
            }
        }
    }

    /// Looks whether an entry takes the place of what the layer hides other files by.
    fn check_place(&mut self, path: &str, hash: u64) {
        if self.hiding.contains(&hash) {
            let message =
                "it takes the place of a directory in which the layer hides files of those below";
            self.doubt(path, message);
        }
    }

    /// Notes that a directory hides what is below it in lower layers.
    fn hide(&mut self, hash: u64, directory: &str) {
        let hasher = &self.pipeline.hasher;
        let own = std::iter::once(hash);
        for above in own.chain(hasher.ancestors(directory)) {
            if !self.hiding.insert(above) {
                break;
            }
        }
    }

    /// Says that container runtimes disagree of what becomes of an entry.
    fn doubt(&mut self, path: &str, message: &str) {
        if self.incomplete.len() < MAX_DOUBTS {
            let place = format!("/{path}");
            let doubt = Incomplete::new(IncompleteReason::Corrupt, place, message);
            self.incomplete.push(doubt.hint(
                "container runtimes disagree of what this means: get the image again from where it \
                 comes, or build it with another program",
            ));
        }
    }

    fn visit_file(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        let hash = self.note(entry.path(), false);
        let dispatcher = &self.pipeline.dispatcher;
        let mut wanted = dispatcher.wanted(entry.path());
        let if_program = dispatcher.wanted_if_program(entry.path(), entry.mode());
        if !if_program.is_empty() {
            self.runnable.insert(hash);
            if entry.size() >= MIN_EXECUTABLE_BYTES && is_program(entry)? {
                wanted = wanted.union(if_program);
                self.programs.insert(hash, self.order);
            }
        }
        let is_skipped = entry.size() == 0 && !self.pipeline.takes_empty(wanted);
        if wanted.is_empty() || is_skipped {
            return Ok(());
        }
        self.wanted.insert(hash, self.order);
        if !self.pipeline.takes(wanted, entry.size()) {
            let result = self.pipeline.too_large(entry.path(), entry.size(), wanted);
            self.keep(result);
            return Ok(());
        }
        match self.submit(entry, wanted) {
            // What follows the file can still be read.
            Err(error @ Error::TooLarge { .. }) => {
                self.keep_error(entry.path(), wanted, &error);
                Ok(())
            }
            result => result,
        }
    }

    /// A hard link is analyzed under its own name, unless it is only wanted as a program, and the file
    /// that it links to was looked at already: a link may give it another mode.
    fn visit_hard_link(&mut self, entry: &mut dyn Entry, target: u64) {
        let hash = self.note(entry.path(), false);
        let dispatcher = &self.pipeline.dispatcher;
        let mut wanted = dispatcher.wanted(entry.path());
        if !self.runnable.contains(&target) {
            let if_program = dispatcher.wanted_if_program(entry.path(), entry.mode());
            wanted = wanted.union(if_program);
        }
        if wanted.is_empty() {
            self.link_program(entry.path(), hash, target);
            return;
        }
        self.wanted.insert(hash, self.order);
        match self.submit(entry, wanted) {
            // It is visited again with its content.
            Ok(()) | Err(Error::Deferred { .. }) => {}
            Err(error) => self.keep_error(entry.path(), wanted, &error),
        }
    }

    /// Remembers a link to a program, which may outlive the name by which it was looked at.
    fn link_program(&mut self, path: &str, hash: u64, target: u64) {
        let Some(program) = self.programs.get(&target) else {
            return;
        };
        if self.program_links.len() == MAX_PROGRAM_LINKS {
            let place = format!("/{path}");
            let message =
                format!("more than {MAX_PROGRAM_LINKS} hard links to programs in a layer");
            let limit = Incomplete::new(IncompleteReason::LimitReached, place, message);
            self.incomplete.push(limit);
        }
        if self.program_links.len() <= MAX_PROGRAM_LINKS {
            self.wanted.insert(hash, self.order);
            self.program_links
                .push((*program, self.order, path.to_owned()));
        }
    }

    /// Hands the file to the analyzers on the pool, or reads it here and now when enough wait there
    /// already.
    fn submit(&mut self, entry: &mut dyn Entry, wanted: AnalyzerSet) -> Result<(), Error> {
        let share = self.pipeline.budget.take(entry.size());
        let job = Job {
            path: entry.path().to_owned(),
            order: self.order,
            mode: entry.mode(),
            content: entry.content()?,
            wanted,
        };
        let pipeline = self.pipeline;
        let Some(share) = share else {
            if let Some(result) = pipeline.analyze(&job) {
                self.keep(result);
            }
            return Ok(());
        };
        let results = Arc::clone(&self.results);
        self.scope.spawn(move |_| {
            if let Some(result) = pipeline.analyze(&job) {
                pipeline.keep(result, &results);
            }
            drop(job);
            drop(share);
        });
        Ok(())
    }

    fn keep(&mut self, mut result: FileResult) {
        result.order = self.order;
        self.pipeline.keep(result, &self.results);
    }

    fn keep_error(&mut self, path: &str, wanted: AnalyzerSet, error: &Error) {
        let mut incomplete = error.to_incomplete();
        incomplete.place = format!("/{path}");
        let result = self.pipeline.unread(path, wanted, |_| incomplete.clone());
        self.keep(result);
    }

    /// Where it leads is only known of the merged image.
    fn visit_symlink(&mut self, path: &str, target: &str) {
        let hash = self.note(path, false);
        let link = Link {
            path: path.to_owned(),
            target: target.to_owned(),
        };
        let has_room = self.pipeline.links.room(link.cost()) == link.cost();
        self.links.insert(hash, has_room.then_some(link));
    }
}

impl LayerVisitor for LayerReader<'_, '_> {
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        if self.pipeline.is_excluded(entry.path()) {
            return Ok(());
        }
        match entry.kind() {
            EntryKind::File => self.visit_file(entry)?,
            EntryKind::HardLink(target) => {
                let hash = self.pipeline.hasher.hash(target);
                if let Some(link) = self.links.get(&hash) {
                    // The same text, which leads from where it stands.
                    let target = link.as_ref().map(|link| link.target.clone());
                    self.visit_symlink(entry.path(), &target.unwrap_or_default());
                } else {
                    self.visit_hard_link(entry, hash);
                }
            }
            EntryKind::Symlink(target) => {
                let target = target.to_owned();
                self.visit_symlink(entry.path(), &target);
            }
            EntryKind::Directory => {
                self.note(entry.path(), true);
            }
            // Who runs containers without being root makes no devices, and leaves what was there.
            EntryKind::Other => {
                let hash = self.pipeline.hasher.hash(entry.path());
                self.check_place(entry.path(), hash);
                self.others.push(hash);
            }
            EntryKind::Whiteout => {
                let path = entry.path();
                self.whiteouts.insert(self.pipeline.hasher.hash(path));
                let (directory, _) = path.rsplit_once('/').unwrap_or_default();
                self.hide(self.pipeline.hasher.hash(directory), directory);
            }
            // overlayfs(5) merges the root whatever is said of it.
            EntryKind::OpaqueDirectory if entry.path().is_empty() => {
                self.doubt("", "the layer hides everything below it");
            }
            EntryKind::OpaqueDirectory => {
                let hash = self.pipeline.hasher.hash(entry.path());
                self.opaque.insert(hash);
                self.hide(hash, entry.path());
            }
        }
        self.order = self.order.saturating_add(1);
        Ok(())
    }
}

impl PendingLayer {
    /// The contents, once the scope in which the files were analyzed has ended.
    pub(crate) fn contents(self) -> LayerContents {
        let results =
            std::mem::take(&mut *self.results.lock().unwrap_or_else(PoisonError::into_inner));
        let mut links: HashMap<u32, Vec<String>> = HashMap::new();
        for (program, link, path) in self.program_links {
            if !self.replaced.contains(&link) {
                links.entry(program).or_default().push(path);
            }
        }
        // One whose own name was taken goes on under that of a link.
        let mut results: Vec<FileResult> = results
            .into_iter()
            .filter_map(|mut result| {
                let mut links = links.remove(&result.order).unwrap_or_default();
                if self.replaced.contains(&result.order) {
                    let path = (!links.is_empty()).then(|| links.remove(0))?;
                    result = result.renamed(path);
                }
                result.links = links;
                Some(result)
            })
            .collect();
        results.sort_by(|a, b| a.path.cmp(&b.path).then(a.order.cmp(&b.order)));
        LayerContents {
            results,
            ..self.contents
        }
    }
}

fn is_program(entry: &mut dyn Entry) -> Result<bool, Error> {
    let mut head = [0; 8];
    let n = entry.peek(&mut head)?;
    Ok(has_executable_magic(head.get(..n).unwrap_or_default()))
}

/// The target of a symbolic link at `path`, as a path from the root.
fn resolve(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => path
            .rsplit_once('/')
            .map_or_else(Vec::new, |(parent, _)| parent.split('/').collect()),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The links that tell of a merged `/usr` or lead to a database, with their targets from the root.
fn telling(links: &[Link], dispatcher: &Dispatcher) -> Vec<(String, String)> {
    let depth = |link: &Link| link.path.bytes().filter(|b| *b == b'/').count();
    let mut room = MAX_SYMLINKS;
    let mut is_near = |link: &Link| {
        let is_near = depth(link) <= 1 && room > 0;
        room -= usize::from(is_near);
        is_near
    };
    let telling = links
        .iter()
        .filter(|link| is_near(link) || dispatcher.leads_to_a_place(&link.path));
    telling
        .map(|link| (link.path.clone(), resolve(&link.path, &link.target)))
        .collect()
}

/// Paths as hashes, while they are collected.
type HashedPaths = HashSet<u64, BuildHasherDefault<Prehashed>>;

/// Passes keys through that are hashes already.
#[derive(Default)]
struct Prehashed(u64);

impl Hasher for Prehashed {
    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_targets_are_taken_from_the_root() {
        for (path, target, expected) in [
            ("lib", "usr/lib", "usr/lib"),
            ("lib", "/usr/lib", "usr/lib"),
            ("usr/sbin", "bin", "usr/bin"),
            ("usr/lib64", "../lib/./x", "lib/x"),
            ("a", "../../..", ""),
        ] {
            assert_eq!(resolve(path, target), expected, "{path} -> {target}");
        }
    }
}
