//! Which packages of a lockfile are needed only for development, where the file says it of the
//! direct dependencies alone.

use std::collections::{HashMap, HashSet};

/// A graph of dependencies: for each key, the keys it needs.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) needs: HashMap<String, Vec<String>>,
    /// What the project needs to run.
    pub(super) production: Vec<String>,
    /// What it needs to develop.
    pub(super) development: Vec<String>,
}

impl Graph {
    /// The keys reached from the development dependencies and not from the others.
    pub(super) fn development_only(&self) -> HashSet<&str> {
        let production = self.reached(&self.production);
        let mut development = self.reached(&self.development);
        development.retain(|key| !production.contains(key));
        development
    }

    fn reached<'a>(&'a self, from: &'a [String]) -> HashSet<&'a str> {
        let mut reached = HashSet::new();
        let mut open: Vec<&str> = from.iter().map(String::as_str).collect();
        while let Some(key) = open.pop() {
            if reached.insert(key) {
                open.extend(
                    self.needs
                        .get(key)
                        .into_iter()
                        .flatten()
                        .map(String::as_str),
                );
            }
        }
        reached
    }
}
