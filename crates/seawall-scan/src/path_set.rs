//! Sets of paths as 64-bit hashes: 8 bytes a path, however long it is.

use std::hash::{BuildHasher, RandomState};

/// Hashes paths with a key drawn at random for each scan, so that an image cannot be built in
/// which two chosen paths collide. By chance, two of a million paths collide once in 30 million
/// scans.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathHasher(RandomState);

impl PathHasher {
    pub(crate) fn hash(&self, path: &str) -> u64 {
        self.0.hash_one(path)
    }

    /// The hashes of all directories above `path`, the nearest first, the root (`""`) last.
    pub(crate) fn ancestors<'a>(&'a self, path: &'a str) -> impl Iterator<Item = u64> + 'a {
        std::iter::successors(parent(path), |directory| parent(directory))
            .map(|directory| self.hash(directory))
    }
}

/// The directory that holds `path`; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    if path.is_empty() {
        return None;
    }
    Some(path.rsplit_once('/').map_or("", |(parent, _)| parent))
}

/// A set of paths, filled once and then asked.
#[derive(Debug, Default)]
pub(crate) struct PathSet(Vec<u64>);

impl PathSet {
    pub(crate) fn new(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// Whether a path is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (few, many) = match self.0.len() < other.0.len() {
            true => (self, other),
            false => (other, self),
        };
        few.0.iter().any(|hash| many.contains(*hash))
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.0.binary_search(&hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_end_at_the_root() {
        let hasher = PathHasher::default();
        let expected: Vec<u64> = ["a/b", "a", ""].map(|path| hasher.hash(path)).to_vec();
        assert_eq!(hasher.ancestors("a/b/c").collect::<Vec<_>>(), expected);
        assert_eq!(hasher.ancestors("").count(), 0);
    }
}
