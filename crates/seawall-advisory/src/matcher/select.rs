//! Which rows of the database may speak of a package.

use crate::database::stored::Bucket;
use crate::database::{Database, DatabaseError};
use seawall_model::{Distro, DistroFamily, Ecosystem, Package, PackageType, VersionScheme};
use std::borrow::Cow;

/// Chooses the ecosystems for one target.
pub(crate) struct Selector<'a> {
    database: &'a Database,
    /// The target's own distribution, and the one whose advisories are used.
    distro: Option<(Ecosystem, Option<Ecosystem>)>,
    distro_name: String,
}

/// Where to look a package up.
pub(crate) struct Selection<'p> {
    /// The ecosystem and its key; `None` where nothing can be looked up.
    scope: Option<(Ecosystem, String)>,
    /// Normalised names to look up.
    names: Vec<Cow<'p, str>>,
    /// Whether a name means no vendor's product where it names no vendor.
    exact: bool,
    /// The names under which source packages are meant, with the version they are compared by.
    pub(crate) source: (Cow<'p, str>, Cow<'p, str>),
    /// The ecosystem that has no advisories, where another stands in for it.
    pub(crate) stands_in_for: Option<String>,
    /// What there are no advisories for.
    pub(crate) without_advisories: Option<String>,
    /// The package's kind, if nobody publishes advisories for it.
    pub(crate) unpublished: Option<PackageType>,
}

impl Selection<'_> {
    /// What the database knows under the names.
    pub(crate) fn buckets<'d>(
        &self,
        database: &'d Database,
        ecosystem: &str,
    ) -> Result<Vec<Bucket<'d>>, DatabaseError> {
        let mut buckets = Vec::new();
        for name in &self.names {
            let mut found = database.buckets(ecosystem, name)?;
            found.retain(|bucket| !self.exact || bucket.name == name);
            buckets.extend(found);
        }
        Ok(buckets)
    }

    /// The key of the ecosystem whose rows apply.
    pub(crate) fn ecosystem(&self) -> Option<&str> {
        self.scope.as_ref().map(|(_, key)| key.as_str())
    }

    /// The ecosystem whose rows apply, and its key.
    pub(crate) fn scope(&self) -> Option<(&Ecosystem, &str)> {
        self.scope
            .as_ref()
            .map(|(ecosystem, key)| (ecosystem, key.as_str()))
    }
}

impl<'a> Selector<'a> {
    /// For packages of a target with this operating system.
    pub(crate) fn new(database: &'a Database, distro: Option<&Distro>) -> Self {
        let own = distro.and_then(Distro::ecosystem);
        Self {
            database,
            distro: own.map(|own| {
                let used = std::iter::once(own.clone())
                    .chain(stand_in(&own))
                    .chain(distro.and_then(by_codename))
                    .find(|candidate| database.knows(candidate));
                (own, used)
            }),
            distro_name: distro.map_or_else(
                || "an unknown distribution".to_owned(),
                |distro| {
                    format!("{} {}", distro.id, distro.version)
                        .trim()
                        .to_owned()
                },
            ),
        }
    }

    /// Where to look a package up.
    pub(crate) fn select<'p>(&self, package: &'p Package) -> Selection<'p> {
        let mut selection = Selection {
            scope: None,
            names: Vec::new(),
            exact: false,
            source: source_of(package),
            stands_in_for: None,
            without_advisories: None,
            unpublished: None,
        };
        let ecosystem = match package.kind.ecosystem() {
            Some(language) if self.database.knows(&language) => language,
            Some(language) => {
                selection.without_advisories = Some(language.to_string());
                return selection;
            }
            None if !package.kind.is_os() => {
                selection.unpublished = Some(package.kind);
                return selection;
            }
            None => match &self.distro {
                Some((own, _)) if !is_managed_by(package.kind, own) => {
                    let kind = package.kind.name();
                    selection.without_advisories = Some(format!("{kind} packages in {own}"));
                    return selection;
                }
                Some((own, Some(used))) => {
                    if own != used {
                        selection.stands_in_for = Some(own.to_string());
                    }
                    used.clone()
                }
                Some((own, None)) => {
                    selection.without_advisories = Some(own.to_string());
                    return selection;
                }
                None => {
                    selection.without_advisories = Some(self.distro_name.clone());
                    return selection;
                }
            },
        };
        selection.names = names_of(package, &ecosystem, &selection.source.0);
        selection.exact = is_of_known_vendor(package, &ecosystem);
        let key = ecosystem.to_string();
        selection.scope = Some((ecosystem, key));
        selection
    }
}

/// Whether the distribution's packages are of that kind: a package of another manager has nothing but
/// its name in common with those that its advisories speak of.
fn is_managed_by(kind: PackageType, distro: &Ecosystem) -> bool {
    let Ecosystem::Distro { family, .. } = distro else {
        return false;
    };
    match kind {
        PackageType::Alpm => *family == DistroFamily::Arch,
        PackageType::Apk => family.scheme() == VersionScheme::Apk,
        PackageType::Deb => family.scheme() == VersionScheme::Deb,
        _ => family.scheme() == VersionScheme::Rpm && *family != DistroFamily::Arch,
    }
}

/// The distribution whose advisories are near enough where there are none of its own: Rocky and
/// CentOS rebuild Red Hat's packages with the same names and versions. Alma and Oracle are not
/// listed, because they publish their own and their versions differ more often.
fn stand_in(own: &Ecosystem) -> Option<Ecosystem> {
    match own {
        Ecosystem::Distro {
            family: DistroFamily::Rocky | DistroFamily::CentOs,
            release,
        } => Some(Ecosystem::Distro {
            family: DistroFamily::RedHat,
            release: release.clone(),
        }),
        _ => None,
    }
}

/// Debian's testing and unstable state no version, and both the code name of the coming release:
/// unstable's advisories come first, as its fixes reach testing too, and then those of the release.
fn by_codename(distro: &Distro) -> Option<Ecosystem> {
    match (distro.ecosystem()?, distro.codename.as_deref()) {
        (
            Ecosystem::Distro {
                family: DistroFamily::Debian,
                release,
            },
            Some(codename),
        ) if release.is_empty() => Ecosystem::by_codename(DistroFamily::Debian, codename),
        _ => None,
    }
}

/// Name and version of the source package. Where none is recorded, the binary is its own: dpkg
/// leaves the field out when name and version are the same.
fn source_of(package: &Package) -> (Cow<'_, str>, Cow<'_, str>) {
    let Some(source) = &package.source else {
        return (
            Cow::Borrowed(package.name.as_str()),
            Cow::Borrowed(package.version.as_str()),
        );
    };
    let name = Cow::Borrowed(source.name.as_str());
    if source.version.is_empty() {
        return (name, Cow::Borrowed(package.version.as_str()));
    }
    // The name of a source rpm, from which its version is read, has no room for the epoch; binaries
    // inherit it unless their spec says otherwise.
    let version = match (package.kind, package.version.split_once(':')) {
        (PackageType::Rpm, Some((epoch, _))) if !source.version.contains(':') => {
            Cow::Owned(format!("{epoch}:{}", source.version))
        }
        _ => Cow::Borrowed(source.version.as_str()),
    };
    (name, version)
}

fn names_of<'p>(
    package: &'p Package,
    ecosystem: &Ecosystem,
    source: &Cow<'p, str>,
) -> Vec<Cow<'p, str>> {
    let mut names = vec![Cow::Owned(ecosystem.normalize_name(&package.name))];
    if package.kind.is_os() && **source != package.name {
        names.push(source.clone());
    }
    if is_of_known_vendor(package, ecosystem) {
        for product in &package.cpe_products {
            let product = ecosystem.normalize_name(product);
            // Publishers of one product's advisories name no vendor.
            if let Some((_, alone)) = product.split_once(':') {
                names.push(Cow::Owned(alone.to_owned()));
            }
            names.push(Cow::Owned(product));
        }
        names.sort();
        names.dedup();
    }
    names
}

/// Whether a program is known by vendor and product, so that what is said of another vendor's product
/// of the same name is not about it.
fn is_of_known_vendor(package: &Package, ecosystem: &Ecosystem) -> bool {
    *ecosystem == Ecosystem::Generic && !package.cpe_products.is_empty()
}
