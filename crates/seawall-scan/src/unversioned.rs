//! What files ask for without a version or from places that no advisories speak of, and Java archives
//! that state no version. It is no package that could be matched; unless it was found installed or in
//! a lockfile, the reader is told so, in one sentence for each kind.

use crate::analyzers::{Unversioned, Wanted};
use crate::declarations::is_in_package;
use seawall_model::{Ecosystem, Package, PackageType};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What is asked for, and what was found.
#[derive(Debug)]
pub(crate) struct Asked {
    include_development: bool,
    /// By file, in the order of their paths.
    files: Vec<(String, Vec<Unversioned>)>,
    /// Packages found anywhere: pip installs into a directory that the project does not name.
    found: HashSet<(PackageType, String)>,
    /// Directories of projects, without slashes around them, with the names of their packages.
    npm: HashMap<String, HashSet<String>>,
    /// Directories that hold packages of a kind.
    holders: HashMap<PackageType, BTreeSet<String>>,
}

impl Asked {
    pub(crate) fn new(include_development: bool) -> Self {
        Self {
            include_development,
            files: Vec::new(),
            found: HashSet::new(),
            npm: HashMap::new(),
            holders: HashMap::new(),
        }
    }

    /// Adds what the file at `path`, without a leading slash, asks for.
    pub(crate) fn add(&mut self, path: &str, mut wanted: Vec<Unversioned>) {
        for one in &wanted {
            // It is in the lockfile, though none of the registry's.
            if one.wanted == Wanted::Elsewhere(PackageType::Npm) {
                let names = self.npm.entry(directory(path).to_owned()).or_default();
                names.insert(one.name.clone());
            }
        }
        wanted.retain(|one| self.include_development || !one.development);
        // What an installed package asks for is installed with it, or was not needed. An archive in it
        // is there.
        let is_installed = is_in_package(&format!("/{path}"));
        wanted.retain(|one| !is_installed || one.wanted == Wanted::Archive);
        if !wanted.is_empty() {
            self.files.push((path.to_owned(), wanted));
        }
    }

    /// Takes note of a package that was found with its version.
    pub(crate) fn answer(&mut self, package: &Package) {
        self.found.insert(key(package.kind, &package.name));
        match package.kind {
            PackageType::PyPi | PackageType::Conda => {}
            PackageType::Npm => {
                for path in &package.paths {
                    let project = match path.split_once("/node_modules/") {
                        Some((project, _)) => project,
                        None => directory(path),
                    };
                    let project = project.trim_start_matches('/').to_owned();
                    let names = self.npm.entry(project).or_default();
                    names.insert(package.name.clone());
                }
            }
            _ => {
                for path in &package.paths {
                    let holder = directory(path).trim_start_matches('/').to_owned();
                    self.holders.entry(package.kind).or_default().insert(holder);
                }
            }
        }
    }

    /// What was not found, as sentences.
    pub(crate) fn notes(&self) -> Vec<String> {
        let requirements = self.missing(&|_| {
            Box::new(|one| match one.wanted {
                Wanted::Requirement(kind) => !self.found.contains(&key(kind, &one.name)),
                _ => false,
            })
        });
        let requirements = requirements.map(|missing| {
            let (what, are) = missing.words("requirement", "requirements");
            let files = match missing.files {
                1 => "1 file".to_owned(),
                files => format!("{files} files"),
            };
            format!(
                "{what} without an exact version in {files} {are} not matched, like {}",
                missing.example
            )
        });
        let dependencies = self.missing(&|path| {
            // Beside the project or above it, where a workspace has both lockfile and packages.
            let projects = directories(path).filter_map(|it| self.npm.get(it));
            let projects: Vec<&HashSet<String>> = projects.collect();
            Box::new(move |one| {
                let mut projects = projects.iter();
                one.wanted == Wanted::Dependency && !projects.any(|it| it.contains(&one.name))
            })
        });
        let dependencies = dependencies.map(|missing| {
            let (what, are) = missing.words("dependency", "dependencies");
            format!(
                "{what} in {} package.json {are} not matched, neither installed nor in a lockfile, \
                 like {}",
                missing.files, missing.example
            )
        });
        let elsewhere = self.missing(&|_| {
            Box::new(|one| match one.wanted {
                Wanted::Elsewhere(kind) => !self.found.contains(&key(kind, &one.name)),
                _ => false,
            })
        });
        let elsewhere = elsewhere.map(|missing| {
            let (what, are) = missing.words("package", "packages");
            format!(
                "{what} from elsewhere than the usual registry {are} not matched, like {}",
                missing.example
            )
        });
        let archives = self.missing(&|_| Box::new(|one| one.wanted == Wanted::Archive));
        let archives = archives.map(|missing| {
            let (what, are) = missing.words("Java archive", "Java archives");
            format!(
                "{what} without a version {are} not matched, like {}",
                missing.example
            )
        });
        let projects = self.missing(&|path| {
            Box::new(move |one| match one.wanted {
                Wanted::Project(kind) => !self.is_locked(path, kind),
                _ => false,
            })
        });
        let projects = projects.map(|missing| {
            let (what, ask) = match missing.packages {
                1 => ("1 project".to_owned(), "asks"),
                number => (format!("{number} projects"), "ask"),
            };
            format!(
                "what {what} without a lockfile {ask} for is matched only where it is installed, \
                 like {}",
                missing.example
            )
        });
        let notes = requirements.into_iter().chain(dependencies);
        let notes = notes.chain(elsewhere).chain(archives);
        notes.chain(projects).collect()
    }

    /// Whether packages of that kind are in the project's directory, below it, or above it, where a
    /// workspace has its lockfile. Below the root is everything, and says nothing.
    fn is_locked(&self, path: &str, kind: PackageType) -> bool {
        let Some(holders) = self.holders.get(&kind) else {
            return false;
        };
        let below = format!("{}/", directory(path));
        let next = holders.range(below.clone()..).next();
        next.is_some_and(|it| it.starts_with(&below))
            || directories(path).any(|it| holders.contains(it))
    }

    fn missing<'a>(&'a self, in_file: &dyn Fn(&'a str) -> IsMissing<'a>) -> Option<Missing> {
        let mut missing: Option<Missing> = None;
        for (path, wanted) in &self.files {
            let is_missing = in_file(path);
            let mut names = wanted.iter().filter(|one| is_missing(one));
            let Some(first) = names.next() else {
                continue;
            };
            let so_far = missing.get_or_insert_with(|| Missing {
                packages: 0,
                files: 0,
                example: match path.rsplit('/').next() == Some(&first.name) {
                    true => format!("/{path}"),
                    false => format!("{} in /{path}", first.name),
                },
            });
            so_far.packages += 1 + names.count();
            so_far.files += 1;
        }
        missing
    }
}

/// Tells of what a file asks for whether it was not found.
type IsMissing<'a> = Box<dyn Fn(&Unversioned) -> bool + 'a>;

/// What was asked for and not found.
struct Missing {
    packages: usize,
    files: usize,
    example: String,
}

impl Missing {
    fn words(&self, one: &str, many: &str) -> (String, &'static str) {
        match self.packages {
            1 => (format!("1 {one}"), "is"),
            number => (format!("{number} {many}"), "are"),
        }
    }
}

/// A package's registry and its name as that compares it.
fn key(kind: PackageType, name: &str) -> (PackageType, String) {
    match kind {
        PackageType::PyPi | PackageType::Conda => {
            (PackageType::PyPi, Ecosystem::PyPi.normalize_name(name))
        }
        _ => (kind, name.to_owned()),
    }
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The file's directory and those above it, to the root, which is empty. A path that Linux would not
/// take (limits.h, `PATH_MAX`) is not walked: the work grows with the square of its length.
fn directories(path: &str) -> impl Iterator<Item = &str> {
    let has_parent = |it: &str| !it.is_empty() && it.len() < 4096;
    std::iter::successors(Some(directory(path)), move |it| {
        has_parent(it).then(|| directory(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::Evidence;

    fn asked(files: &[(&str, Wanted, &[&str])], found: &[(PackageType, &str, &str)]) -> Asked {
        let mut asked = Asked::new(false);
        for (path, wanted, names) in files {
            let files = names.iter().map(|name| Unversioned {
                wanted: *wanted,
                name: name.trim_end_matches('?').to_owned(),
                development: name.ends_with('?'),
            });
            asked.add(path, files.collect());
        }
        for (kind, name, path) in found {
            let mut package = Package::new(*kind, *name, "1", Evidence::Installed);
            package.paths = vec![(*path).to_owned()];
            asked.answer(&package);
        }
        asked
    }

    #[test]
    fn requirements_that_are_not_installed_are_counted() {
        use PackageType::PyPi;
        let wanted = Wanted::Requirement(PyPi);
        let files: &[(&str, Wanted, &[&str])] = &[
            (
                "a/requirements.txt",
                wanted,
                &["Zope.Interface", "flask", "x?"],
            ),
            ("b/requirements.txt", wanted, &["flask", "django"]),
            ("v/lib/site-packages/c/requirements.txt", wanted, &["d"]),
        ];
        let found = [(PyPi, "zope-interface", "/usr/lib/z.dist-info/METADATA")];
        assert_eq!(
            asked(files, &found).notes(),
            [
                "3 requirements without an exact version in 2 files are not matched, like flask in \
              /a/requirements.txt"
            ]
        );
        let all = ["zope-interface", "flask", "django"].map(|name| (PyPi, name, "/x"));
        assert_eq!(asked(files, &all).notes(), [""; 0]);
    }

    #[test]
    fn java_archives_are_counted_wherever_they_lie() {
        use {
            PackageType::{Maven, PyPi},
            Wanted::{Archive, Requirement},
        };
        let jar: (&str, Wanted, &[&str]) = ("app/x.jar", Archive, &["x.jar"]);
        let note = "1 Java archive without a version is not matched, like /app/x.jar";
        assert_eq!(asked(&[jar], &[(Maven, "x.jar", "/x")]).notes(), [note]);
        let files: &[(&str, Wanted, &[&str])] = &[
            (
                "v/site-packages/spark/app.war",
                Archive,
                &["a.jar", "b.jar"],
            ),
            (
                "v/site-packages/spark/requirements.txt",
                Requirement(PyPi),
                &["a"],
            ),
            jar,
        ];
        assert_eq!(
            asked(files, &[]).notes(),
            [
                "3 Java archives without a version are not matched, like a.jar in \
              /v/site-packages/spark/app.war"
            ]
        );
    }

    #[test]
    fn dependencies_are_looked_for_in_the_project_and_above() {
        use {PackageType::Npm, Wanted::Dependency};
        let files: &[(&str, Wanted, &[&str])] = &[
            ("app/package.json", Dependency, &["a"]),
            ("app/packages/web/package.json", Dependency, &["a", "b"]),
            ("other/package.json", Dependency, &["a"]),
        ];
        let found = [
            (Npm, "a", "/app/node_modules/a/package.json"),
            (Npm, "b", "/app/yarn.lock"),
            (Npm, "a", "/usr/lib/node_modules/a/package.json"),
        ];
        assert_eq!(
            asked(files, &found).notes(),
            [
                "1 dependency in 1 package.json is not matched, neither installed nor in a lockfile, \
              like a in /other/package.json"
            ]
        );
    }

    #[test]
    fn a_package_from_elsewhere_was_said_to_be_in_no_lockfile() {
        use {
            PackageType::{Hex, Npm},
            Wanted::{Dependency, Elsewhere},
        };
        let files: &[(&str, Wanted, &[&str])] = &[
            ("app/bun.lock", Elsewhere(Npm), &["fork", "there", "dev?"]),
            ("app/mix.lock", Elsewhere(Hex), &["tip"]),
            ("app/package.json", Dependency, &["fork", "there", "dev"]),
        ];
        let found = [(Npm, "there", "/app/node_modules/there/package.json")];
        assert_eq!(
            asked(files, &found).notes(),
            [
                "2 packages from elsewhere than the usual registry are not matched, like fork in \
              /app/bun.lock"
            ]
        );
    }

    #[test]
    fn projects_are_locked_by_what_is_beside_below_or_above_them() {
        use {PackageType::Cargo, PackageType::NuGet, Wanted::Project};
        let files: &[(&str, Wanted, &[&str])] = &[
            ("Cargo.toml", Project(Cargo), &["Cargo.toml"]),
            ("w/a/Cargo.toml", Project(Cargo), &["Cargo.toml"]),
            ("x/Cargo.toml", Project(Cargo), &["Cargo.toml"]),
            ("net/a.csproj", Project(NuGet), &["a.csproj"]),
            ("net/b/b.csproj", Project(NuGet), &["b.csproj"]),
        ];
        let found = [
            (Cargo, "serde", "/w/Cargo.lock"),
            (NuGet, "n", "/net/obj/project.assets.json"),
            (NuGet, "n", "/x/packages.lock.json"),
        ];
        assert_eq!(
            asked(files, &found).notes(),
            [
                "what 3 projects without a lockfile ask for is matched only where it is installed, \
              like /Cargo.toml"
            ]
        );
        let found = [
            (Cargo, "serde", "/Cargo.lock"),
            (NuGet, "n", "/net/packages.lock.json"),
        ];
        assert_eq!(asked(files, &found).notes(), [""; 0]);
    }

    #[test]
    fn paths_deeper_than_linux_takes_cost_the_square_of_their_length() {
        use {PackageType::Cargo, Wanted::Dependency, Wanted::Project};
        let deep = "x/".repeat(500_000) + "package.json";
        let names: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let files: &[(&str, Wanted, &[&str])] = &[
            (&deep, Dependency, &names),
            (&deep, Project(Cargo), &["package.json"]),
        ];
        let holder = "x/".repeat(500_000) + "Cargo.lock";
        assert_eq!(asked(files, &[(Cargo, "a", &holder)]).notes().len(), 1);
    }
}
