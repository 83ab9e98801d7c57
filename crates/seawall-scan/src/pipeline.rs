//! Runs analyzers on the rayon pool while the layers are still being read.

use crate::analyzers::java::Pom;
use crate::analyzers::{Analyzer, File, Found, Unversioned, turn};
use crate::dispatch::{AnalyzerSet, Dispatcher};
use crate::path_set::PathHasher;
use crate::scan::ScanOptions;
use seawall_artifact::Content;
use seawall_model::{Distro, Evidence, Incomplete, IncompleteReason, Package};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What all layers of a scan share.
pub(crate) struct Pipeline<'a> {
    analyzers: &'a [&'a dyn Analyzer],
    pub(crate) dispatcher: Dispatcher,
    pub(crate) hasher: PathHasher,
    pub(crate) budget: Budget,
    excluded: &'a [String],
    /// Of package managers' databases: nothing else can use up their share.
    recorded: Quota,
    packages: Quota,
    unversioned: Quota,
    /// Names of files that OS packages own.
    owned: Quota,
    incomplete: Quota,
    out_of_place: Quota,
    /// Bytes of the symbolic links that are remembered.
    pub(crate) links: Quota,
}

/// Memory for the symbolic links of a scan. A large distribution has some 50,000 of 100 bytes.
const MAX_LINK_BYTES: u64 = 128 << 20;

/// What the analyzers found in one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FileResult {
    /// Path without a leading slash.
    pub(crate) path: String,
    /// Position of the file among the entries of its layer.
    pub(crate) order: u32,
    pub(crate) packages: Vec<Package>,
    pub(crate) owned: Vec<OwnedHashes>,
    pub(crate) distro: Option<Distro>,
    pub(crate) poms: Vec<Pom>,
    pub(crate) unversioned: Vec<Unversioned>,
    pub(crate) incomplete: Vec<Incomplete>,
    /// Whether it is a package manager's database.
    pub(crate) is_database: bool,
    /// Hard links to it, of which none has a result of its own.
    pub(crate) links: Vec<String>,
    /// What counts only where a symbolic link leads to it.
    pub(crate) out_of_place: Vec<OutOfPlace>,
}

/// What an analyzer found in a file that stands where it does not count.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutOfPlace {
    /// Position of the analyzer.
    pub(crate) analyzer: usize,
    pub(crate) packages: Vec<Package>,
    pub(crate) incomplete: Vec<Incomplete>,
}

impl FileResult {
    /// The same of a file that is called otherwise.
    pub(crate) fn renamed(mut self, path: String) -> Self {
        let (before, after) = (format!("/{}", self.path), format!("/{path}"));
        let paths = self.packages.iter_mut().flat_map(|it| &mut it.paths);
        let places = self.incomplete.iter_mut().map(|it| &mut it.place);
        for place in paths.chain(places).filter(|it| **it == before) {
            place.clone_from(&after);
        }
        self.path = path;
        self
    }
}

/// Files of one OS package, as hashes of their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedHashes {
    pub(crate) package: String,
    pub(crate) paths: Vec<u64>,
}

/// One file on its way to the analyzers.
pub(crate) struct Job {
    pub(crate) path: String,
    pub(crate) order: u32,
    pub(crate) mode: u32,
    pub(crate) content: Content,
    pub(crate) wanted: AnalyzerSet,
}

/// Files of OS packages, of all layers: ten times what a large desktop has.
const MAX_OWNED: u64 = 5_000_000;

impl<'a> Pipeline<'a> {
    pub(crate) fn new(analyzers: &'a [&'a dyn Analyzer], options: &'a ScanOptions<'_>) -> Self {
        Self {
            analyzers,
            dispatcher: Dispatcher::new(analyzers),
            hasher: PathHasher::default(),
            budget: Budget::new(options.held_bytes),
            excluded: &options.excluded,
            recorded: Quota::new(options.max_packages),
            packages: Quota::new(options.max_packages),
            unversioned: Quota::new(options.max_packages),
            owned: Quota::new(MAX_OWNED),
            incomplete: Quota::new(options.max_incomplete),
            out_of_place: Quota::new(options.max_packages),
            links: Quota::new(MAX_LINK_BYTES),
        }
    }

    /// Keeps a result, as far as the scan may grow.
    pub(crate) fn keep(&self, result: FileResult, results: &Mutex<Vec<FileResult>>) {
        if let Some(result) = self.admit(result) {
            // A panic of an analyzer is caught before it can leave a list half-written.
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(result);
        }
    }

    /// What the scan may keep of a result; `None` where it is nothing.
    pub(crate) fn admit(&self, mut result: FileResult) -> Option<FileResult> {
        let recorded = |package: &Package| package.evidence == Evidence::Database;
        let quota = match result.packages.first().is_some_and(recorded) {
            true => &self.recorded,
            false => &self.packages,
        };
        quota.cut(&mut result.packages);
        // All or nothing: a pom without some of its dependencies would resolve to something else.
        let declared = result.poms.iter().map(Pom::len).sum::<usize>() as u64;
        if quota.room(declared) < declared {
            result.poms.clear();
        }
        self.unversioned.cut(&mut result.unversioned);
        for files in &mut result.owned {
            self.owned.cut(&mut files.paths);
        }
        self.incomplete.cut(&mut result.incomplete);
        result.out_of_place.retain(|it| {
            let count = (it.packages.len() + it.incomplete.len()) as u64;
            self.out_of_place.room(count) == count
        });
        let is_empty = result.out_of_place.is_empty();
        let is_empty = is_empty && result.packages.is_empty() && result.incomplete.is_empty();
        let is_empty = is_empty && result.poms.is_empty() && result.unversioned.is_empty();
        let is_empty = is_empty && result.owned.is_empty() && result.distro.is_none();
        (!is_empty).then_some(result)
    }

    /// What was found and not kept.
    pub(crate) fn not_kept(&self, place: &str) -> Vec<Incomplete> {
        [
            (&self.recorded, "packages of package managers"),
            (&self.packages, "packages"),
            (&self.unversioned, "packages without a version"),
            (&self.owned, "names of files of OS packages"),
            (&self.incomplete, "files that could not be read"),
            (&self.out_of_place, "packages to which only links may lead"),
        ]
        .into_iter()
        .filter_map(|(quota, what)| {
            let refused = quota.refused.load(Ordering::Acquire);
            let message = format!(
                "at most {} {what} are listed: {refused} more are left out",
                quota.limit
            );
            (refused > 0).then(|| Incomplete::new(IncompleteReason::LimitReached, place, message))
        })
        .collect()
    }

    /// Whether nothing below this directory is wanted.
    pub(crate) fn is_excluded(&self, path: &str) -> bool {
        self.excluded.iter().any(|directory| {
            path.strip_prefix(directory.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Whether any of the wanting analyzers takes a file of this size.
    pub(crate) fn takes(&self, wanted: AnalyzerSet, size: u64) -> bool {
        self.members(wanted).any(|(_, a)| size <= a.max_bytes())
    }

    /// Whether any of the wanting analyzers takes an empty file.
    pub(crate) fn takes_empty(&self, wanted: AnalyzerSet) -> bool {
        self.members(wanted)
            .any(|(_, analyzer)| analyzer.takes_empty())
    }

    /// Says that a file is larger than its analyzers take.
    pub(crate) fn too_large(&self, path: &str, size: u64, wanted: AnalyzerSet) -> FileResult {
        self.unread(path, wanted, |analyzer| beyond_limit(analyzer, path, size))
    }

    /// Says of a file that could not be read why; where it does not count, only if a link leads to it.
    pub(crate) fn unread(
        &self,
        path: &str,
        wanted: AnalyzerSet,
        why: impl Fn(&dyn Analyzer) -> Incomplete,
    ) -> FileResult {
        let mut result = FileResult {
            path: path.to_owned(),
            is_database: self.is_database(path, wanted),
            ..FileResult::default()
        };
        for (index, analyzer) in self.members(wanted) {
            let why = why(analyzer);
            if !analyzer.counts_at(path) {
                result.out_of_place.push(OutOfPlace {
                    analyzer: index,
                    packages: Vec::new(),
                    incomplete: vec![why],
                });
            } else if !result.incomplete.contains(&why) {
                result.incomplete.push(why);
            }
        }
        result
    }

    /// Whether the file at `path` counts for the analyzer at this position.
    pub(crate) fn counts_at(&self, analyzer: usize, path: &str) -> bool {
        let analyzer = self.analyzers.get(analyzer);
        analyzer.is_some_and(|analyzer| analyzer.counts_at(path))
    }

    /// Whether the file is a package manager's database.
    pub(crate) fn is_database(&self, path: &str, wanted: AnalyzerSet) -> bool {
        self.members(wanted)
            .any(|(_, analyzer)| analyzer.is_database(path))
    }

    /// The analyzers of a set with their positions.
    fn members(&self, set: AnalyzerSet) -> impl Iterator<Item = (usize, &'a dyn Analyzer)> {
        set.iter()
            .filter_map(|index| Some((index, *self.analyzers.get(index)?)))
    }

    /// Runs all wanting analyzers on one file; `None` where nothing came of it.
    pub(crate) fn analyze(&self, job: &Job) -> Option<FileResult> {
        let file = File {
            path: &job.path,
            mode: job.mode,
            content: &job.content,
        };
        let memory = self
            .members(job.wanted)
            .map(|(_, analyzer)| analyzer.memory_per_byte())
            .max();
        let memory = job.content.len().saturating_mul(memory.unwrap_or(0));
        let _turn = turn::take(memory);
        let mut found = Found::default();
        let mut out_of_place = Vec::new();
        for (index, analyzer) in self.members(job.wanted) {
            if analyzer.counts_at(&job.path) {
                run(analyzer, &file, &mut found);
                continue;
            }
            let mut apart = Found::default();
            run(analyzer, &file, &mut apart);
            complete(&mut apart, &job.path);
            found.unversioned.append(&mut apart.unversioned);
            if !apart.packages.is_empty() || !apart.incomplete.is_empty() {
                out_of_place.push(OutOfPlace {
                    analyzer: index,
                    packages: apart.packages,
                    incomplete: apart.incomplete,
                });
            }
        }
        complete(&mut found, &job.path);
        if found == Found::default() && out_of_place.is_empty() {
            return None;
        }
        for package in &mut found.packages {
            if package.paths.is_empty() {
                package.paths.push(format!("/{}", job.path));
            }
        }
        let owned = found.owned.into_iter().map(|files| OwnedHashes {
            package: files.package,
            paths: files.paths.iter().map(|p| self.hasher.hash(p)).collect(),
        });
        Some(FileResult {
            path: job.path.clone(),
            order: job.order,
            packages: found.packages,
            owned: owned.collect(),
            distro: found.distro,
            poms: found.poms,
            unversioned: found.unversioned,
            incomplete: found.incomplete,
            is_database: self.is_database(&job.path, job.wanted),
            links: Vec::new(),
            out_of_place,
        })
    }
}

/// Runs one analyzer on a file.
fn run(analyzer: &dyn Analyzer, file: &File<'_>, found: &mut Found) {
    if file.content.len() > analyzer.max_bytes() {
        let incomplete = beyond_limit(analyzer, file.path, file.content.len());
        found.incomplete.push(incomplete);
        return;
    }
    // A bug in one analyzer must cost one file, not the scan.
    let place = || format!("/{}", file.path);
    match catch_unwind(AssertUnwindSafe(|| analyzer.analyze(file, found))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => found.incomplete.push(Incomplete {
            reason: error.reason,
            place: place(),
            offset: error.offset,
            message: format!("{}: {}", analyzer.name(), error.message),
            hint: None,
        }),
        Err(_) => found.incomplete.push(
            Incomplete::new(
                IncompleteReason::Unsupported,
                place(),
                format!("{} failed on this file", analyzer.name()),
            )
            .hint("this is a bug in Seawall: please report it with the file"),
        ),
    }
}

/// Completes the places of what could not be read in the file at `path`.
fn complete(found: &mut Found, path: &str) {
    for incomplete in &mut found.incomplete {
        if !incomplete.place.starts_with('/') {
            incomplete.place.insert(0, '/');
        }
    }
    found.note_left_out(path);
}

fn beyond_limit(analyzer: &dyn Analyzer, path: &str, size: u64) -> Incomplete {
    Incomplete::new(
        IncompleteReason::LimitReached,
        format!("/{path}"),
        format!(
            "{size} bytes are more than the {} bytes that {} reads",
            analyzer.max_bytes(),
            analyzer.name()
        ),
    )
}

/// How many of a kind a scan keeps.
pub(crate) struct Quota {
    limit: u64,
    kept: AtomicU64,
    refused: AtomicU64,
}

impl Quota {
    fn new(limit: u64) -> Self {
        Self {
            limit,
            kept: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.refused.load(Ordering::Acquire) > 0
    }

    /// Takes room for so many, and says how many of them there is room for.
    pub(crate) fn room(&self, wanted: u64) -> u64 {
        let before = self.kept.fetch_add(wanted, Ordering::AcqRel);
        let room = self.limit.saturating_sub(before).min(wanted);
        self.refused.fetch_add(wanted - room, Ordering::AcqRel);
        room
    }

    /// Cuts a list to what there is room for.
    fn cut<T>(&self, list: &mut Vec<T>) {
        let room = self.room(list.len() as u64);
        // No more than the length of the list, which mostly has one element and room for four.
        list.truncate(room as usize);
        list.shrink_to_fit();
    }
}

/// Bytes of the files that wait for an analyzer or are with one.
pub(crate) struct Budget {
    held: AtomicU64,
    limit: u64,
}

impl Budget {
    /// What a waiting file costs beside its bytes.
    const OVERHEAD: u64 = 1 << 10;

    fn new(limit: u64) -> Self {
        Self {
            held: AtomicU64::new(0),
            limit,
        }
    }

    /// Takes a share for a file of `bytes`; `None` when the rest does not suffice. Nobody waits
    /// for a share: who gets none does the work itself, so that readers which are on the pool
    /// themselves cannot block it.
    pub(crate) fn take(&self, bytes: u64) -> Option<Share<'_>> {
        let bytes = bytes.saturating_add(Self::OVERHEAD);
        self.held
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                held.checked_add(bytes).filter(|sum| *sum <= self.limit)
            })
            .ok()
            .map(|_| Share {
                budget: self,
                bytes,
            })
    }
}

/// A part of a [`Budget`], given back when dropped.
pub(crate) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_no_more_packages_than_fit_into_memory() {
        let quota = Quota::new(10);
        assert_eq!(quota.room(5), 5);
        assert_eq!(quota.room(5 + 3), 5);
        assert_eq!(quota.room(1), 0);
        assert_eq!(quota.refused.load(Ordering::Acquire), 4);
    }

    #[test]
    fn budget_gives_back_what_was_taken() {
        let budget = Budget::new(10 << 10);
        let first = budget.take(6 << 10);
        assert!(first.is_some());
        assert!(budget.take(6 << 10).is_none());
        drop(first);
        assert!(budget.take(6 << 10).is_some());
        assert!(budget.take(u64::MAX).is_none());
    }
}
