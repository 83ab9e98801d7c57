//! Runs analyzers on the rayon pool while the layers are still being read.

use crate::analyzers::java::Pom;
use crate::analyzers::{Analyzer, File, Found};
use crate::dispatch::{AnalyzerSet, Dispatcher};
use crate::path_set::PathHasher;
use seawall_artifact::Content;
use seawall_model::{Distro, Incomplete, IncompleteReason, Package};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// What all layers of a scan share.
pub(crate) struct Pipeline<'a> {
    analyzers: &'a [&'a dyn Analyzer],
    pub(crate) dispatcher: Dispatcher,
    pub(crate) hasher: PathHasher,
    pub(crate) budget: Budget,
    excluded: &'a [String],
    packages_left: AtomicU64,
}

/// Packages that are kept of one target, each of which takes about a kilobyte. An image of all of
/// Debian has 60,000.
const MAX_PACKAGES: u64 = 1_000_000;

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
    pub(crate) incomplete: Vec<Incomplete>,
    /// Whether it is a package manager's database.
    pub(crate) is_database: bool,
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

impl<'a> Pipeline<'a> {
    pub(crate) fn new(
        analyzers: &'a [&'a dyn Analyzer],
        held_bytes: u64,
        excluded: &'a [String],
    ) -> Self {
        Self {
            analyzers,
            dispatcher: Dispatcher::new(analyzers),
            hasher: PathHasher::default(),
            budget: Budget::new(held_bytes),
            excluded,
            packages_left: AtomicU64::new(MAX_PACKAGES),
        }
    }

    /// Takes so many packages off what a target may have; how many of them may be kept.
    fn take_packages(&self, count: usize) -> usize {
        let count = count as u64;
        let left = self
            .packages_left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                Some(left.saturating_sub(count))
            });
        let (Ok(left) | Err(left)) = left;
        usize::try_from(left.min(count)).unwrap_or(usize::MAX)
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
        self.members(wanted).any(|a| size <= a.max_bytes())
    }

    /// Says that a file is larger than its analyzers take.
    pub(crate) fn too_large(&self, path: &str, size: u64, wanted: AnalyzerSet) -> FileResult {
        let incomplete = self
            .members(wanted)
            .map(|analyzer| beyond_limit(*analyzer, path, size))
            .collect();
        FileResult {
            path: path.to_owned(),
            incomplete,
            is_database: self.is_database(path, wanted),
            ..FileResult::default()
        }
    }

    /// Whether the file is a package manager's database.
    pub(crate) fn is_database(&self, path: &str, wanted: AnalyzerSet) -> bool {
        self.members(wanted)
            .any(|analyzer| analyzer.is_database(path))
    }

    fn members(&self, set: AnalyzerSet) -> impl Iterator<Item = &&'a dyn Analyzer> {
        set.iter().filter_map(|index| self.analyzers.get(index))
    }

    /// Runs all wanting analyzers on one file; `None` where nothing came of it.
    pub(crate) fn analyze(&self, job: &Job) -> Option<FileResult> {
        let file = File {
            path: &job.path,
            mode: job.mode,
            content: &job.content,
        };
        let mut found = Found::default();
        for analyzer in self.members(job.wanted) {
            if job.content.len() > analyzer.max_bytes() {
                let incomplete = beyond_limit(*analyzer, &job.path, job.content.len());
                found.incomplete.push(incomplete);
                continue;
            }
            // A bug in one analyzer must cost one file, not the scan.
            let place = || format!("/{}", job.path);
            match catch_unwind(AssertUnwindSafe(|| analyzer.analyze(&file, &mut found))) {
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
        found.note_left_out(&job.path);
        let declared: usize = found.poms.iter().map(Pom::len).sum();
        let kept = self.take_packages(found.packages.len() + declared);
        if kept < found.packages.len() + declared {
            found.packages.truncate(kept);
            found.poms.clear();
            found.incomplete.push(beyond_packages(&job.path));
        }
        if found == Found::default() {
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
            incomplete: found.incomplete,
            is_database: self.is_database(&job.path, job.wanted),
        })
    }
}

fn beyond_packages(path: &str) -> Incomplete {
    Incomplete::new(
        IncompleteReason::LimitReached,
        format!("/{path}"),
        format!("its packages were not kept: the target has more than {MAX_PACKAGES}"),
    )
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
        let pipeline = Pipeline::new(&[], 0, &[]);
        let half = usize::try_from(MAX_PACKAGES / 2).unwrap();
        assert_eq!(pipeline.take_packages(half), half);
        assert_eq!(pipeline.take_packages(half + 3), half);
        assert_eq!(pipeline.take_packages(1), 0);
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
