//! The packages that one lockfile or build file declares.

use super::{Found, MAX_PACKAGES};
use seawall_model::{Evidence, Package, PackageType};
use std::collections::HashMap;

/// Collects the packages of one file, each name and version once.
#[derive(Debug)]
pub(super) struct Declared {
    kind: PackageType,
    packages: Vec<Package>,
    index: HashMap<(String, String), usize>,
    /// Packages beyond the limit.
    left_out: u64,
}

impl Declared {
    /// An empty collection of one package type.
    pub(super) fn new(kind: PackageType) -> Self {
        Self {
            kind,
            packages: Vec::new(),
            index: HashMap::new(),
            left_out: 0,
        }
    }

    /// Adds a package. One that is needed both for development and otherwise is needed otherwise.
    /// Without a name or version it could neither be named nor matched, and is left out.
    pub(super) fn add(&mut self, name: &str, version: &str, development: bool) {
        self.add_licensed(name, version, development, Vec::new());
    }

    /// As [`Declared::add`], with licences.
    pub(super) fn add_licensed(
        &mut self,
        name: &str,
        version: &str,
        development: bool,
        licenses: Vec<String>,
    ) {
        if name.is_empty() || version.is_empty() {
            return;
        }
        let key = (name.to_owned(), version.to_owned());
        if let Some(package) = self.index.get(&key).and_then(|i| self.packages.get_mut(*i)) {
            package.development &= development;
            return;
        }
        if self.packages.len() >= MAX_PACKAGES {
            self.left_out += 1;
            return;
        }
        let mut package = Package::new(self.kind, name, version, Evidence::Declared);
        package.development = development;
        package.licenses = licenses;
        self.index.insert(key, self.packages.len());
        self.packages.push(package);
    }

    /// Hands the packages over, in the order in which they were added.
    pub(super) fn move_to(self, found: &mut Found) {
        for package in self.packages {
            found.add(package);
        }
        found.left_out.packages += self.left_out;
    }
}
