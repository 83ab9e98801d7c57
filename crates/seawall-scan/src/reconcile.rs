//! Settles what no single file can tell: which language packages are part of an OS package, which
//! declarations are realised by an installation beside them, and what is the same package.

use crate::analyzers::java::{Pom, resolve_poms};
use crate::analyzers::os_release;
use crate::declarations::drop_realised;
use crate::owners::{Owner, Owners};
use crate::path_set::PathHasher;
use crate::squash::{Squashed, VisibleFile};
use crate::unversioned::Asked;
use seawall_model::{Distro, DistroFamily, Incomplete, IncompleteReason, Package};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

/// The settled content of a target.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// Ordered by type, name, version and first path.
    pub(crate) packages: Vec<Package>,
    pub(crate) development_excluded: u32,
    pub(crate) distro: Option<Distro>,
    pub(crate) notes: Vec<String>,
    pub(crate) incomplete: Vec<Incomplete>,
}

/// Settles the files of the merged layers. Every package gets its layer.
pub(crate) fn reconcile(
    mut squashed: Squashed,
    hasher: &PathHasher,
    include_development: bool,
) -> Reconciled {
    let distro = choose_distro(&mut squashed.files);
    let owners = Owners::new(&mut squashed, distro.as_ref(), hasher);
    let mut folded: HashMap<String, u32> = HashMap::new();
    let mut incomplete = std::mem::take(&mut squashed.incomplete);
    let mut candidates: Vec<Package> = Vec::new();
    let mut linked: Vec<Package> = Vec::new();
    let mut poms: Vec<Pom> = Vec::new();
    let mut pom_layers: Vec<u32> = Vec::new();
    let mut asked = Asked::new(include_development);
    for VisibleFile {
        result,
        origins,
        layer,
        is_linked,
    } in squashed.files
    {
        let owner = owners.owner_of(&result.path);
        let is_owned = owner.is_some_and(Owner::owns_all);
        if !is_owned || result.is_database {
            incomplete.extend(result.incomplete);
        }
        if !is_owned {
            pom_layers.extend(result.poms.iter().map(|_| layer));
            poms.extend(result.poms);
            asked.add(&result.path, result.unversioned);
        }
        for (mut package, layer) in result.packages.into_iter().zip(origins) {
            package.layer = Some(layer);
            match owner {
                Some(owner) if owner.owns(&package, layer) => {
                    asked.answer(&package);
                    let count = folded.entry(owner.name.clone()).or_default();
                    *count = count.saturating_add(1);
                }
                _ if is_linked => linked.push(package),
                _ => candidates.push(package),
            }
        }
    }
    incomplete.extend(led_away(&owners.links));
    incomplete.extend(
        distro
            .as_ref()
            .and_then(|distro| without_database(distro, &candidates)),
    );
    let last = pom_layers.iter().copied().max().unwrap_or_default();
    let resolved = resolve_poms(&poms).into_iter().zip(&poms).zip(pom_layers);
    for ((resolved, pom), layer) in resolved {
        // Its versions may come from any of the others.
        let layer = if pom.asks_others() { last } else { layer };
        incomplete.extend(resolved.incomplete);
        candidates.extend(resolved.packages.into_iter().map(|mut package| {
            package.layer = Some(layer);
            package
        }));
    }
    let left_out = drop_realised(&mut candidates, &linked, include_development);
    // A project's links to its own workspaces do not tell that what it declares is installed.
    candidates.append(&mut linked);
    let mut packages = merge(candidates);
    for package in &packages {
        asked.answer(package);
    }
    assign_folded(&mut packages, &mut folded);
    let before = packages.len();
    packages.retain(|package| include_development || !package.development);
    let excluded = before.saturating_sub(packages.len());
    Reconciled {
        packages,
        development_excluded: u32::try_from(excluded).unwrap_or(u32::MAX),
        distro,
        notes: asked.notes().into_iter().chain(left_out).collect(),
        incomplete,
    }
}

/// The distribution by the most telling file that names one.
fn choose_distro(files: &mut [VisibleFile]) -> Option<Distro> {
    let telling = files
        .iter_mut()
        .filter(|file| file.result.distro.is_some())
        .min_by_key(|file| os_release::rank(&file.result.path))?;
    telling.result.distro.take()
}

/// Says that a distribution's packages are not known, where it has a package manager of which
/// nothing was found: removed to save space, most often.
fn without_database(distro: &Distro, packages: &[Package]) -> Option<Incomplete> {
    DistroFamily::from_os_release_id(&distro.id)?;
    let is_known = |package: &Package| package.kind.is_os();
    if packages.iter().any(is_known) {
        return None;
    }
    let name = format!("{} {}", distro.id, distro.version);
    let message = "no package database was found: the packages of the distribution are not known";
    let incomplete = Incomplete::new(IncompleteReason::Unreadable, name.trim_end(), message);
    Some(incomplete.hint("keep the package manager's database in the image"))
}

/// Where it is looked for what the system is and what its package manager installed; of one file or
/// directory all places together. Other one-line files of distributions are often links to files of
/// other names.
const PLACES: &[&[&str]] = &[
    &["etc/os-release", "usr/lib/os-release"],
    &["lib/apk/db/installed", "usr/lib/apk/db/installed"],
    &["usr/lib/sysimage/rpm", "usr/share/rpm", "var/lib/rpm"],
    &["var/lib/dpkg/status"],
    &["var/lib/dpkg/status.d"],
    &["var/lib/pacman/local"],
    &["var/lib/rpmmanifest"],
];

/// Links by which such a file would be where it is not looked for. A link to where it is, like `lib` to
/// `usr/lib`, does no harm.
fn led_away(links: &BTreeMap<String, String>) -> Vec<Incomplete> {
    let below = |path: &str, above: &str| {
        let rest = path.strip_prefix(above)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    };
    // With what follows in the place behind the link, or in the link behind the place.
    let leads_away = |link: &str, target: &str| {
        PLACES.iter().any(|places| {
            let is_one = |path: String, rest: &str| {
                let path = through(links, path);
                places.iter().any(|place| format!("{place}{rest}") == path)
            };
            places
                .iter()
                .any(|place| match (below(place, link), below(link, place)) {
                    (Some(rest), _) => !is_one(format!("{target}{rest}"), ""),
                    (None, Some(rest)) => !is_one(target.to_owned(), &rest),
                    (None, None) => false,
                })
        })
    };
    links
        .iter()
        .filter(|(link, target)| leads_away(link, target))
        .map(|(link, target)| {
            let message = format!(
                "it is a symbolic link to /{target}, where neither a package database nor \
                 os-release is looked for"
            );
            Incomplete::new(IncompleteReason::Unsupported, format!("/{link}"), message)
                .hint("put the file or directory itself there")
        })
        .collect()
}

/// The path behind the links on the way, as far as they are known.
fn through(links: &BTreeMap<String, String>, mut path: String) -> String {
    const MOST: usize = 8;
    for _ in 0..MOST {
        let next = links.iter().find_map(|(link, target)| {
            let rest = path.strip_prefix(link.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{target}{rest}"))
        });
        match next {
            Some(next) => path = next,
            None => break,
        }
    }
    path
}

/// Makes one package of all that have the same type, name, version and architecture in the same
/// layer, and orders them.
fn merge(candidates: Vec<Package>) -> Vec<Package> {
    let mut merged: BTreeMap<_, Package> = BTreeMap::new();
    for package in candidates {
        let key = (
            package.kind,
            package.name.clone(),
            package.version.clone(),
            package.architecture.clone(),
            package.layer,
        );
        match merged.entry(key) {
            Entry::Vacant(place) => {
                place.insert(package);
            }
            Entry::Occupied(mut place) => absorb(place.get_mut(), package),
        }
    }
    let mut packages: Vec<Package> = merged.into_values().collect();
    for package in &mut packages {
        package.paths.sort_unstable();
        package.paths.dedup();
    }
    packages.sort_by(|a, b| {
        let key = |p: &Package| (p.kind, p.layer, p.architecture.clone());
        (a.kind, &a.name, &a.version, a.paths.first())
            .cmp(&(b.kind, &b.name, &b.version, b.paths.first()))
            .then_with(|| key(a).cmp(&key(b)))
    });
    packages
}

/// Adds what a second sight of the same package tells; of contradictions the better evidence's
/// word holds.
fn absorb(package: &mut Package, mut other: Package) {
    if other.evidence > package.evidence {
        std::mem::swap(package, &mut other);
    }
    package.paths.append(&mut other.paths);
    package.development &= other.development;
    package.source = package.source.take().or(other.source);
    package.vendor = package.vendor.take().or(other.vendor);
    package.module = package.module.take().or(other.module);
    for (own, more) in [
        (&mut package.licenses, other.licenses),
        (&mut package.cpe_products, other.cpe_products),
    ] {
        for value in more {
            if !own.contains(&value) {
                own.push(value);
            }
        }
    }
}

/// Gives each OS package the number of language packages among its files. Where several versions
/// or architectures of one name are installed, the first in order has the count.
fn assign_folded(packages: &mut [Package], folded: &mut HashMap<String, u32>) {
    for package in packages.iter_mut().filter(|p| p.kind.is_os()) {
        if let Some(count) = folded.remove(&package.name) {
            package.folded = count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_layer::{names, scan};
    use seawall_model::{Evidence, Inventory, PackageType};

    fn check(layers: &[&[&str]], expected: &[&str]) -> Inventory {
        let inventory = scan(layers);
        assert_eq!(names(&inventory), expected, "{layers:?}");
        inventory
    }

    #[test]
    fn a_debian_package_of_a_maintainer_with_a_private_address_was_listed_twice() {
        let files: &[&str] = &[
            "var/db = node-six-1! tool-1!",
            "var/owned = node-six:usr/lib/a.installed tool:usr/lib/b.installed",
            "usr/lib/a.installed = six-1 seven-1",
            "usr/lib/b.installed = six-1",
        ];
        let expected = ["node-six-1@0", "tool-1@0", "seven-1@0", "six-1@0"];
        let inventory = check(&[files], &expected);
        let folded: Vec<u32> = inventory.packages.iter().map(|p| p.folded).collect();
        assert_eq!(folded, [1, 0, 0, 0]);
        assert_eq!(inventory.packages[3].paths, ["/usr/lib/b.installed"]);
    }

    #[test]
    fn what_an_os_package_brought_is_counted_there_and_not_listed() {
        let files: &[&str] = &[
            "var/db = python-3 other-1",
            "var/owned = python:usr/lib/py/a.installed other:usr/lib/py/c.installed",
            "usr/lib/py/a.installed = six-1 seven-1",
            "usr/lib/py/b.installed = eight-1",
        ];
        let inventory = check(&[files], &["other-1@0", "python-3@0", "eight-1@0"]);
        let folded: Vec<u32> = inventory.packages.iter().map(|p| p.folded).collect();
        assert_eq!(folded, [0, 2, 0]);
    }

    #[test]
    fn what_another_vendor_packed_was_left_to_the_distribution_s_advisories() {
        let owned = "var/owned = terraform:usr/bin/a.installed python:usr/lib/b.installed";
        let files = [
            "var/db = terraform-1! python-3 python-2!",
            owned,
            "usr/bin/a.installed = six-1",
            "usr/lib/b.installed = seven-1",
        ];
        let packages = [
            "python-2@0",
            "python-3@0",
            "terraform-1@0",
            "seven-1@0",
            "six-1@0",
        ];
        let inventory = check(&[&files], &packages);
        assert!(inventory.packages.iter().all(|package| package.folded == 0));
    }

    #[test]
    fn a_link_that_leads_away_from_the_database_was_not_mentioned() {
        for (link, target, expected) in [
            ("var/lib", "data/lib", true),
            ("var", "data", true),
            ("lib", "usr/lib", false),
            ("usr/lib", "lib64", true),
            ("srv", "data", false),
            ("etc/os-release", "usr/lib/os-release", false),
            ("etc/os-release", "opt/os-release", true),
            ("var/lib/dpkg/status", "opt/status", true),
            ("var/lib/rpm", "usr/lib/sysimage/rpm", false),
            (
                "var/lib/rpm/rpmdb.sqlite",
                "usr/share/rpm/rpmdb.sqlite",
                false,
            ),
            // A place of another file.
            ("var/lib/dpkg/status", "var/lib/rpm/x", true),
            ("var/lib/dpkg/status", "usr/lib/os-release", true),
            ("etc/os-release", "var/lib/rpm/x", true),
            ("var/lib/rpmmanifest", "x", true),
        ] {
            let links = BTreeMap::from([(link.to_owned(), target.to_owned())]);
            assert_eq!(!led_away(&links).is_empty(), expected, "{link} -> {target}");
        }
    }

    #[test]
    fn a_list_of_files_without_its_package_hid_what_it_named() {
        let files: &[&str] = &[
            "var/db = python-3",
            "var/owned = gone:app/a.installed",
            "app/a.installed = six-1",
        ];
        check(&[files], &["python-3@0", "six-1@0"]);
    }

    #[test]
    fn what_an_upper_layer_put_in_a_package_s_place_was_taken_for_the_package_s() {
        let base: &[&str] = &[
            "var/db = node-1",
            "var/owned = node:usr/a.installed",
            "usr/a.installed = six-2",
        ];
        check(
            &[base, &["usr/a.installed = six-1"]],
            &["node-1@0", "six-1@1"],
        );
        // Copied up as it is.
        check(&[base, &["usr/a.installed = six-2"]], &["node-1@0"]);
        // With a newer version of the package.
        let upgrade: &[&str] = &["var/db = node-2", "usr/a.installed = six-1"];
        check(&[base, upgrade], &["node-2@1"]);
    }

    #[test]
    fn damage_to_a_database_was_hidden_by_the_package_that_owns_it() {
        let owned = "var/owned = rpm:var/db rpm:usr/lib/a.installed";
        let layer = [
            "var/db = rpm-4 corrupt",
            owned,
            "usr/lib/a.installed = corrupt",
        ];
        let inventory = check(&[&layer], &["rpm-4@0"]);
        let places: Vec<&str> = inventory.incomplete.iter().map(|i| &*i.place).collect();
        assert_eq!(places, ["/var/db"]);
    }

    #[test]
    fn a_distribution_without_its_database_looked_like_one_without_packages() {
        let distro = |id: &str| os_release::parse_os_release(&format!("ID={id}")).unwrap();
        let package = |kind| Package::new(kind, "a", "1", Evidence::Installed);
        for (id, packages, expected) in [
            ("amzn", &[package(PackageType::Npm)][..], true),
            ("amzn", &[package(PackageType::Rpm)], false),
            ("buildroot", &[], false),
        ] {
            let said = without_database(&distro(id), packages).is_some();
            assert_eq!(said, expected, "{id} {packages:?}");
        }
    }

    #[test]
    fn ownership_is_seen_through_a_merged_usr() {
        for (link, listed, real) in [
            ("lib -> usr/lib", "lib/a.installed", "usr/lib/a.installed"),
            ("lib -> usr/lib", "usr/lib/a.installed", "lib/a.installed"),
            (
                "sbin -> usr/sbin",
                "sbin/a.installed",
                "usr/bin/a.installed",
            ),
        ] {
            let owned = format!("var/owned = os:{listed}");
            let file = format!("{real} = six-1");
            let layer = ["var/db = os-1", link, "usr/sbin -> bin", &owned, &file];
            check(&[&layer], &["os-1@0"]);
            // Without the links they are two files.
            let layer = ["var/db = os-1", &owned, &file];
            check(&[&layer], &["os-1@0", "six-1@0"]);
        }
    }

    #[test]
    fn dependencies_of_a_pom_were_read_and_then_forgotten() {
        let parent = "<project><groupId>g</groupId><artifactId>p</artifactId><version>1</version>\
            <properties><v>2.0</v></properties><dependencyManagement><dependencies><dependency>\
            <groupId>x</groupId><artifactId>y</artifactId><version>${v}</version></dependency>\
            </dependencies></dependencyManagement></project>";
        let child = "<project><parent><groupId>g</groupId><artifactId>p</artifactId>\
            <version>1</version></parent><artifactId>c</artifactId><dependencies><dependency>\
            <groupId>x</groupId><artifactId>y</artifactId></dependency></dependencies></project>";
        let (parent, child) = (
            format!("a/pom.xml = {parent}"),
            format!("a/c/pom.xml = {child}"),
        );
        check(&[&[&parent], &[&child]], &["x:y-2.0@1"]);
    }

    #[test]
    fn one_package_in_several_places_has_several_paths() {
        let inventory = check(
            &[
                &["b/x.lock = a-1", "a/x.lock = a-1", "c/m.installed = a-1"],
                &["d/x.lock = a-1"],
            ],
            &["a-1@0", "a-1@1"],
        );
        let paths: Vec<&[String]> = inventory
            .packages
            .iter()
            .map(|p| p.paths.as_slice())
            .collect();
        assert_eq!(paths[0], ["/a/x.lock", "/b/x.lock", "/c/m.installed"]);
        assert_eq!(paths[1], ["/d/x.lock"]);
    }

    #[test]
    fn development_packages_are_left_out_and_counted() {
        let inventory = check(
            &[&["a/x.lock = a-1? b-1? c-1", "b/x.lock = b-1"]],
            &["b-1@0", "c-1@0"],
        );
        assert_eq!(inventory.development_excluded, 1);
    }
}
