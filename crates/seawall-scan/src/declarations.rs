//! Lockfiles beside what is installed: what is installed counts.

use seawall_model::{Evidence, Package, PackageType};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Where a package manager installs the packages that a project declares, below the project.
const INSTALL_DIRECTORIES: &[(PackageType, &str)] = &[
    (PackageType::Npm, "/node_modules/"),
    (PackageType::Composer, "/vendor/"),
    (PackageType::Gem, "/vendor/bundle/"),
    (PackageType::PyPi, "/.venv/"),
    (PackageType::PyPi, "/venv/"),
    (PackageType::PyPi, "/env/"),
];

/// Directories of installed packages. A lockfile in there is the one that the package was
/// developed with: it says nothing of what is installed.
pub(crate) const PACKAGE_DIRECTORIES: &[&str] = &[
    "/node_modules/",
    "/bower_components/",
    "/site-packages/",
    "/dist-packages/",
    "/go/pkg/mod/",
    "/.cargo/registry/src/",
    "/cargo/registry/src/",
    GEMS,
    "/.m2/repository/",
];

const GEMS: &str = "/gems/";

/// Where RubyGems and Bundler have a directory of gems, beside those named by Ruby's version: any
/// project may have one of that name.
const GEM_HOMES: &[&str] = &["all", "bundle", "bundler", "shared"];

/// Whether a file, by its path from the root with a leading slash, is part of an installed package.
pub(crate) fn is_in_package(path: &str) -> bool {
    PACKAGE_DIRECTORIES.iter().any(|directory| {
        let mut places = path.match_indices(directory);
        places.any(|(at, _)| *directory != GEMS || is_gem_home(path.get(..at).unwrap_or_default()))
    })
}

fn is_gem_home(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_digit()) || GEM_HOMES.contains(&name)
}

/// Removes what is declared where the same project's packages are installed, and what is declared
/// by an installed package for its own development. Says what a project declares and has not
/// installed: it may be part of the program all the same, bundled into a file of its own.
pub(crate) fn drop_realised(
    packages: &mut Vec<Package>,
    linked: &[Package],
    include_development: bool,
) -> Option<String> {
    let installed = Installed::new(packages, linked);
    let mut left_out = LeftOut::default();
    packages.retain(|package| {
        if package.evidence != Evidence::Declared {
            return true;
        }
        let is_realised = |path: &String| {
            is_in_package(path) || installed.has_project(package.kind, directory(path))
        };
        if !package.paths.iter().all(is_realised) {
            return true;
        }
        let is_wanted = include_development || !package.development;
        for path in package.paths.iter().filter(|_| is_wanted) {
            if !is_in_package(path) {
                left_out.add(path, package, installed.has(package, directory(path)));
            }
        }
        false
    });
    left_out.note()
}

/// What is installed below projects.
struct Installed {
    projects: HashSet<(PackageType, String)>,
    /// Of each package the projects, as its registry compares the name.
    packages: HashMap<(PackageType, String), BTreeSet<String>>,
}

impl Installed {
    /// Those that are there for a link say nothing of the rest of a project.
    fn new(packages: &[Package], linked: &[Package]) -> Self {
        let mut installed = Self {
            projects: HashSet::new(),
            packages: HashMap::new(),
        };
        let is_installed =
            |(package, _): &(&Package, bool)| package.evidence == Evidence::Installed;
        let linked = linked.iter().map(|package| (package, true));
        let all = packages
            .iter()
            .map(|package| (package, false))
            .chain(linked);
        for (package, is_linked) in all.filter(is_installed) {
            let kinds = INSTALL_DIRECTORIES.iter();
            for (kind, directory) in kinds.filter(|(kind, _)| package.kind == *kind) {
                for path in &package.paths {
                    if let Some((project, _)) = path.split_once(directory) {
                        if !is_linked {
                            installed.projects.insert((*kind, project.to_owned()));
                        }
                        let projects = installed.packages.entry(key(package)).or_default();
                        projects.insert(project.to_owned());
                    }
                }
            }
        }
        installed
    }

    fn has_project(&self, kind: PackageType, project: &str) -> bool {
        self.projects.contains(&(kind, project.to_owned()))
    }

    /// Whether the package is installed in any version, in the project or one of its workspaces.
    fn has(&self, package: &Package, project: &str) -> bool {
        let below = format!("{project}/");
        self.packages.get(&key(package)).is_some_and(|projects| {
            let next = projects.range(below.clone()..).next();
            projects.contains(project) || next.is_some_and(|next| next.starts_with(&below))
        })
    }
}

fn key(package: &Package) -> (PackageType, String) {
    let name = match package.kind.ecosystem() {
        Some(ecosystem) => ecosystem.normalize_name(&package.name),
        None => package.name.clone(),
    };
    (package.kind, name)
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// What projects declare and have not installed, where they have installed other packages.
#[derive(Default)]
struct LeftOut {
    /// By project: how many packages it declares, and how many of them are not installed.
    projects: HashMap<String, (usize, usize)>,
    example: Option<String>,
}

impl LeftOut {
    fn add(&mut self, path: &str, package: &Package, is_installed: bool) {
        let project = directory(path).to_owned();
        let (declared, missing) = self.projects.entry(project).or_default();
        *declared += 1;
        if !is_installed {
            *missing += 1;
            let example = || format!("{} in {path}", package.name);
            self.example.get_or_insert_with(example);
        }
    }

    fn note(self) -> Option<String> {
        let example = self.example?;
        let partly: Vec<_> = self.projects.values().filter(|(_, it)| *it > 0).collect();
        let declared: usize = partly.iter().map(|(declared, _)| declared).sum();
        let missing: usize = partly.iter().map(|(_, missing)| missing).sum();
        let declare = match partly.len() {
            1 => "a project with installed packages declares".to_owned(),
            projects => format!("{projects} projects with installed packages declare"),
        };
        let are = if missing == 1 { "is" } else { "are" };
        Some(format!(
            "{missing} of {declared} packages that {declare} {are} not installed and not matched, \
             like {example}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_layer::{names, scan};

    fn check(layer: &[&str], expected: &[&str], notes: &[&str]) {
        let inventory = scan(&[layer]);
        assert_eq!(names(&inventory), expected, "{layer:?}");
        assert_eq!(inventory.notes, notes, "{layer:?}");
    }

    #[test]
    fn installed_beats_declared_in_the_same_project() {
        check(
            &[
                "app/x.lock = a-1 dev-1?",
                "app/node_modules/a/m.installed = a-1",
                "other/x.lock = b-1",
            ],
            &["a-1@0", "b-1@0"],
            &[],
        );
    }

    #[test]
    fn lockfiles_of_installed_packages_declare_nothing() {
        check(
            &[
                "app/node_modules/a/m.installed = a-1",
                "app/node_modules/a/x.lock = b-1",
                "usr/lib/python3/site-packages/p/x.lock = c-1",
            ],
            &["a-1@0"],
            &[],
        );
    }

    #[test]
    fn what_a_lockfile_names_and_is_not_installed_was_left_out_in_silence() {
        let note = "2 of 3 packages that a project with installed packages declares are not \
             installed and not matched, like b in /app/x.lock";
        check(
            &[
                "app/x.lock = a-2 b-1 c-1 dev-1?",
                "app/node_modules/a/m.installed = a-1",
                "elsewhere/node_modules/b/m.installed = b-1",
            ],
            &["a-1@0", "b-1@0"],
            &[note],
        );
        // A workspace has its packages below, too.
        check(
            &[
                "app/x.lock = a-1 b-1",
                "app/node_modules/a/m.installed = a-1",
                "app/web/node_modules/b/m.installed = b-1",
            ],
            &["a-1@0", "b-1@0"],
            &[],
        );
    }

    #[test]
    fn a_package_behind_a_link_counts_as_installed_and_does_not_make_its_project_so() {
        let package = |name: &str, path: &str, evidence| {
            let mut package = Package::new(PackageType::Npm, name, "1", evidence);
            package.paths = vec![path.to_owned()];
            package
        };
        let declared = |name| package(name, "/app/yarn.lock", Evidence::Declared);
        let installed = |name: &str| {
            let path = format!("/app/node_modules/{name}/package.json");
            package(name, &path, Evidence::Installed)
        };
        let mut packages = vec![declared("a"), declared("b"), installed("a")];
        assert_eq!(drop_realised(&mut packages, &[installed("b")], false), None);
        assert_eq!(packages, [installed("a")]);
        let mut packages = vec![declared("a"), declared("b")];
        assert_eq!(drop_realised(&mut packages, &[installed("b")], false), None);
        assert_eq!(packages.len(), 2);
    }

    #[test]
    fn a_project_below_a_directory_called_gems_was_taken_for_a_gem() {
        for (path, expected) in [
            ("/srv/gems/app/Gemfile.lock", false),
            ("/gems/app/Gemfile.lock", false),
            ("/usr/local/bundle/gems/rack-3.0/Gemfile.lock", true),
            (
                "/srv/gems/app/vendor/bundle/ruby/3.1.0/gems/rack-3.0/x",
                true,
            ),
            ("/usr/lib/ruby/gems/3.1.0/gems/rack-3.0/Gemfile.lock", true),
            (
                "/usr/local/bundle/bundler/gems/rack-0a1b/Gemfile.lock",
                true,
            ),
            ("/app/node_modules/a/yarn.lock", true),
            ("/app/yarn.lock", false),
        ] {
            assert_eq!(is_in_package(path), expected, "{path}");
        }
    }
}
