//! What all formats come to: components with a purl and properties, made into an inventory.

use std::collections::{BTreeMap, HashMap};

use seawall_model::{
    Distro, DistroFamily, Evidence, Incomplete, IncompleteReason, Inventory, Layer, Package,
    PackageType, Role, SourcePackage, Target, TargetKind, VersionScheme, purl_namespace,
};

use crate::purl;
use crate::scan::MAX_PACKAGES;

/// Names and values beside a component's own fields.
pub(super) type Properties = Vec<(String, String)>;

/// Most layers that an image may state.
const MAX_LAYERS: usize = 10_000;

/// Dashes in a name of a distribution, before its release.
const MAX_DASHES: usize = 8;

/// Most distributions beside the document's own that are named one by one.
const MAX_OTHERS: usize = 20;

/// One component of any format.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) name: String,
    /// Stated beside the name and the package URL.
    pub(super) group: Option<String>,
    pub(super) version: Option<String>,
    pub(super) purl: Option<String>,
    pub(super) cpes: Vec<String>,
    pub(super) vendor: Option<String>,
    pub(super) licenses: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) properties: Properties,
}

/// Collects components, and counts what cannot be matched.
pub(super) struct Collector {
    inventory: Inventory,
    /// Kept apart until the document's distribution is known.
    os_packages: Vec<OsPackage>,
    /// Layers by the digest of their uncompressed bytes.
    layer_of: HashMap<String, u32>,
    odd_entries: usize,
    /// The most packages that are listed of package managers, and the most others.
    pub(super) max_packages: u64,
    of_managers: u64,
    others: u64,
    without_purl: Counted,
    bad_purl: Counted,
    other_type: Counted,
    without_version: Counted,
}

/// A number with the first example.
#[derive(Default)]
struct Counted {
    number: usize,
    example: String,
}

impl Counted {
    fn add(&mut self, example: &str) {
        if self.number == 0 {
            example.clone_into(&mut self.example);
        }
        self.number += 1;
    }
}

impl Collector {
    pub(super) fn new(name: &str) -> Self {
        Self {
            inventory: Inventory {
                target: Target {
                    kind: TargetKind::Sbom,
                    name: name.to_owned(),
                    // A document is taken at its word, unless the word is that nobody knows.
                    named_by_store: true,
                    ..Target::default()
                },
                distro: None,
                layers: Vec::new(),
                packages: Vec::new(),
                development_excluded: 0,
                notes: Vec::new(),
                incomplete: Vec::new(),
            },
            layer_of: HashMap::new(),
            os_packages: Vec::new(),
            odd_entries: 0,
            max_packages: MAX_PACKAGES,
            of_managers: 0,
            others: 0,
            without_purl: Counted::default(),
            bad_purl: Counted::default(),
            other_type: Counted::default(),
            without_version: Counted::default(),
        }
    }

    /// What the document describes: an image's name and digest, its layers.
    pub(super) fn subject(&mut self, name: &str, version: Option<&str>, properties: &Properties) {
        let target = &mut self.inventory.target;
        match version {
            Some(digest) if digest.starts_with("sha256:") => {
                target.digest = Some(digest.to_owned());
                target.tags.push(name.to_owned());
            }
            Some(tag) if !name.ends_with(tag) => target.tags.push(format!("{name}:{tag}")),
            _ => target.tags.push(name.to_owned()),
        }
        for (key, value) in properties {
            match key.as_str() {
                "seawall:platform" => target.platform = Some(value.clone()),
                "seawall:tag" => target.tags.push(value.clone()),
                "seawall:other-digest" => target.other_digests.push(value.clone()),
                "seawall:named-by-store" => target.named_by_store = value == "true",
                "seawall:incomplete" => {
                    let message = format!("was not read when this was written: {value}");
                    let place = target.name.clone();
                    self.inventory.incomplete.push(
                        Incomplete::new(IncompleteReason::Unreadable, place, message)
                            .hint("scan the target itself to know more"),
                    );
                }
                // Trivy lists them from the base up.
                "aquasecurity:trivy:DiffID" => {
                    let index = self.inventory.layers.len() as u32;
                    self.inventory.layers.push(Layer {
                        index,
                        diff_id: Some(value.clone()),
                        verified: true,
                        ..Layer::default()
                    });
                }
                key => {
                    if let Some(field) = key.strip_prefix("seawall:layer:") {
                        layer_field(&mut self.inventory.layers, field, value);
                    }
                }
            }
            self.inventory.layers.truncate(MAX_LAYERS);
        }
        target.tags.dedup();
        for layer in &self.inventory.layers {
            if let Some(diff_id) = &layer.diff_id {
                self.layer_of.entry(diff_id.clone()).or_insert(layer.index);
            }
        }
    }

    /// The layer of a component, where the document says in which order the layers lie.
    fn layer(&self, properties: &Properties) -> Option<u32> {
        if let Some(index) = property(properties, "seawall:layer").and_then(|it| it.parse().ok()) {
            let layers = u32::try_from(self.inventory.layers.len()).unwrap_or(u32::MAX);
            return Some(index).filter(|index| *index < layers);
        }
        let diff_id = property(properties, "aquasecurity:trivy:LayerDiffID")
            .or_else(|| property(properties, "syft:location:0:layerID"))?;
        self.layer_of.get(diff_id).copied()
    }

    /// The operating system, as a component states it.
    pub(super) fn operating_system(
        &mut self,
        name: &str,
        version: &str,
        pretty_name: Option<String>,
        properties: &Properties,
    ) {
        let all = |key: &str| -> Vec<String> {
            let matching = properties.iter().filter(|(name, _)| name == key);
            matching.map(|(_, value)| value.clone()).collect()
        };
        let single = |key: &str| all(key).into_iter().next();
        self.inventory.distro = Some(Distro {
            id: os_release_id(&single("syft:distro:id").unwrap_or_else(|| name.to_owned())),
            version: single("syft:distro:versionID").unwrap_or_else(|| version.to_owned()),
            id_like: all("seawall:id-like"),
            codename: single("seawall:codename").or_else(|| single("syft:distro:versionCodename")),
            pretty_name: pretty_name.or_else(|| single("syft:distro:prettyName")),
            end_of_life: None,
        });
    }

    /// That the document says of itself that it does not list everything.
    pub(super) fn is_not_whole(&mut self) {
        let note = "The bill of materials says of itself that it is incomplete.".to_owned();
        self.inventory.notes.push(note);
    }

    /// Entries of the list of components that are none.
    pub(super) fn odd_entries(&mut self, number: usize) {
        self.odd_entries += number;
    }

    pub(super) fn component(&mut self, component: Component) {
        let Some(text) = &component.purl else {
            match program(&component) {
                Some(package) if self.may_list(&package) => {
                    self.inventory.packages.push(package);
                }
                Some(_) => {}
                None => self.without_purl.add(&component.name),
            }
            return;
        };
        let Some(parsed) = purl::parse(text) else {
            self.bad_purl.add(text);
            return;
        };
        let Some(mut package) = purl::package(&parsed) else {
            self.other_type.add(text);
            return;
        };
        if package.version.is_empty() {
            match &component.version {
                Some(version) => package.version.clone_from(version),
                None => self.without_version.add(text),
            }
        }
        // A library of Maven is none without its group.
        if package.kind == PackageType::Maven
            && parsed.namespace().is_none()
            && let Some(group) = component.group.filter(|_| !package.name.contains(':'))
        {
            package.name = format!("{group}:{}", package.name);
        }
        package.vendor = component.vendor;
        package.licenses = component.licenses;
        package.paths = component.paths;
        if package.kind == PackageType::Generic {
            package.cpe_products = component
                .cpes
                .iter()
                .filter_map(|c| cpe_product(c))
                .collect();
        }
        apply_properties(&mut package, &component.properties);
        package.layer = self.layer(&component.properties);
        tidy(&mut package);
        if !self.may_list(&package) {
            return;
        }
        if package.kind.is_os() {
            self.os_packages.push(OsPackage {
                package,
                distro: purl_distro(&parsed),
                namespace: parsed.namespace().map(os_release_id),
            });
        } else {
            self.inventory.packages.push(package);
        }
    }

    /// Counts a package. Whether the list may grow by it.
    fn may_list(&mut self, package: &Package) -> bool {
        let listed = match package.kind.is_os() {
            true => &mut self.of_managers,
            false => &mut self.others,
        };
        *listed += 1;
        *listed <= self.max_packages
    }

    /// The distribution that the document states, else the one that most packages name.
    fn settle_distro(&mut self) {
        let stated = self.inventory.distro.as_ref();
        if stated.is_some_and(|distro| !distro.version.is_empty()) {
            return;
        }
        let mut named: BTreeMap<&(String, String), usize> = BTreeMap::new();
        for distro in self.os_packages.iter().filter_map(|p| p.distro.as_ref()) {
            let (id, version) = distro;
            let is_rolling = || {
                DistroFamily::from_os_release_id(id)
                    .is_some_and(|family| family.normalize_release(version).is_empty())
            };
            if stated.is_none_or(|stated| stated.id == *id && !is_rolling()) {
                *named.entry(distro).or_default() += 1;
            }
        }
        let Some(((id, version), _)) = named.into_iter().max_by_key(|(_, number)| *number) else {
            return;
        };
        let (id, version) = (id.clone(), version.clone());
        match &mut self.inventory.distro {
            Some(stated) => stated.version = version,
            None => self.inventory.distro = Some(distro_of(id, version)),
        }
    }

    /// Adds the OS packages that are of the document's distribution. An inventory has one, whose
    /// advisories say nothing of another's packages: those are counted instead.
    fn add_os_packages(&mut self) {
        let mut others: BTreeMap<String, Counted> = BTreeMap::new();
        let own = self.inventory.distro.as_ref();
        let family = own.and_then(Distro::family);
        for package in std::mem::take(&mut self.os_packages) {
            match own.and_then(|own| package.other_distribution(own, family)) {
                None => self.inventory.packages.push(package.package),
                Some(other) => {
                    let is_listed = others.len() < MAX_OTHERS || others.contains_key(&other);
                    let other = match is_listed {
                        true => other,
                        false => ANOTHER.to_owned(),
                    };
                    let Package { name, version, .. } = &package.package;
                    others
                        .entry(other)
                        .or_default()
                        .add(&format!("{name} {version}"));
                }
            }
        }
        let own = own.map_or(String::new(), |own| spoken(&own.id, &own.version));
        for (other, Counted { number, example }) in others {
            let are = match number {
                1 => "1 package is".to_owned(),
                number => format!("{number} packages are"),
            };
            let message = format!(
                "{are} of {other} in a document of {own} and not matched, the first is `{example}`"
            );
            self.note(
                IncompleteReason::Unsupported,
                message,
                "have the tool that made it write a document for each distribution",
            );
        }
    }

    /// Says of the document as a whole what was not taken from it.
    fn note(&mut self, reason: IncompleteReason, message: String, hint: &str) {
        let place = self.inventory.target.name.as_str();
        let incomplete = Incomplete::new(reason, place, message).hint(hint);
        self.inventory.incomplete.push(incomplete);
    }

    pub(super) fn finish(mut self) -> Inventory {
        self.settle_distro();
        self.add_os_packages();
        let packages = &mut self.inventory.packages;
        fn key(package: &Package) -> impl Ord + '_ {
            let path = package.paths.first();
            (package.kind, &package.name, &package.version, path)
        }
        packages.sort_by(|a, b| key(a).cmp(&key(b)));
        packages.dedup();
        if self.odd_entries > 0 {
            let entries = match self.odd_entries {
                1 => "1 entry among the components is no object and was".to_owned(),
                number => format!("{number} entries among the components are no objects and were"),
            };
            self.note(
                IncompleteReason::Corrupt,
                format!("{entries} skipped"),
                "have the tool that made it corrected",
            );
        }
        let most = self.max_packages;
        for (number, what) in [
            (self.of_managers, "packages of package managers"),
            (self.others, "packages"),
        ] {
            if number > most {
                let refused = number - most;
                self.note(
                    IncompleteReason::LimitReached,
                    format!("at most {most} {what} are listed: {refused} more are left out"),
                    "split the bill of materials into several, and scan each",
                );
            }
        }
        let cases = [
            (
                std::mem::take(&mut self.without_purl),
                "no package URL",
                "have the tool that made it write purls",
            ),
            (
                std::mem::take(&mut self.bad_purl),
                "a package URL that is none",
                "have the tool that made it corrected",
            ),
            (
                std::mem::take(&mut self.other_type),
                "a package URL of a type without advisories",
                "look at them by hand",
            ),
            (
                std::mem::take(&mut self.without_version),
                "no version",
                "have the tool that made it write versions",
            ),
        ];
        for (Counted { number, example }, what, hint) in cases {
            if number > 0 {
                let have = match number {
                    1 => "component has",
                    _ => "components have",
                };
                self.note(
                    IncompleteReason::Unsupported,
                    format!(
                        "{number} {have} {what} and cannot be matched, the first is `{example}`"
                    ),
                    hint,
                );
            }
        }
        self.inventory
    }
}

/// A distribution that is not named.
const ANOTHER: &str = "another distribution";

/// A distribution's package, with what its purl says of the distribution.
struct OsPackage {
    package: Package,
    /// `ID` and `VERSION_ID` by the qualifier `distro`.
    distro: Option<(String, String)>,
    /// As an `ID`.
    namespace: Option<String>,
}

impl OsPackage {
    /// The distribution or release that this is of, if that is not `own`, which is of `family`.
    fn other_distribution(&self, own: &Distro, family: Option<DistroFamily>) -> Option<String> {
        let is_own = |id: &str| {
            let other = DistroFamily::from_os_release_id(id);
            id == own.id || other.is_some() && other == family
        };
        if let Some((id, version)) = &self.distro {
            let release = |version: &str| match family {
                Some(family) => family.normalize_release(version),
                None => version.to_owned(),
            };
            let is_release = version.is_empty() || release(version) == release(&own.version);
            if !is_own(id) || !is_release {
                return Some(spoken(id, version));
            }
        } else if let Some(namespace) = &self.namespace {
            // A vendor's name may stand for any of its distributions, and an unknown one is no proof.
            let is_known = DistroFamily::from_os_release_id(namespace).is_some();
            let is_vendor = purl_namespace(namespace) == purl_namespace(&own.id);
            if is_known && !is_vendor && !is_own(namespace) {
                return Some(namespace.clone());
            }
        }
        let scheme = match self.package.kind {
            PackageType::Deb => VersionScheme::Deb,
            PackageType::Apk => VersionScheme::Apk,
            _ => VersionScheme::Rpm,
        };
        let fits = family.is_none_or(|family| family.scheme() == scheme);
        (!fits).then(|| ANOTHER.to_owned())
    }
}

/// A distribution's name and release for a sentence.
fn spoken(id: &str, version: &str) -> String {
    format!("{id} {version}").trim().to_owned()
}

/// A distribution of which no more is known.
pub(super) fn distro_of(id: String, version: String) -> Distro {
    Distro {
        id,
        version,
        id_like: Vec::new(),
        codename: None,
        pretty_name: None,
        end_of_life: None,
    }
}

/// Duplicates go; so does a source that says nothing new.
fn tidy(package: &mut Package) {
    let mut seen = std::collections::HashSet::new();
    package.paths.retain(|path| seen.insert(path.clone()));
    if let (PackageType::Rpm, Some(source), Some((epoch, _))) = (
        package.kind,
        &mut package.source,
        package.version.split_once(':'),
    ) && !source.version.contains(':')
    {
        // File names of source rpms lack the epoch, which is that of their binaries.
        source.version = format!("{epoch}:{}", source.version);
    }
}

/// A program that is known by its CPE alone.
fn program(component: &Component) -> Option<Package> {
    let products: Vec<String> = component
        .cpes
        .iter()
        .filter_map(|cpe| cpe_product(cpe))
        .collect();
    let version = component.version.clone()?;
    if products.is_empty() || component.name.is_empty() {
        return None;
    }
    let mut package = Package::new(
        PackageType::Generic,
        &component.name,
        version,
        Evidence::Sbom,
    );
    package.cpe_products = products;
    package.paths.clone_from(&component.paths);
    Some(package)
}

/// `vendor:product` of a CPE 2.2 or 2.3 of an application.
fn cpe_product(cpe: &str) -> Option<String> {
    let body = cpe
        .strip_prefix("cpe:2.3:a:")
        .or_else(|| cpe.strip_prefix("cpe:/a:"))?;
    let mut fields = body.split(':');
    let (vendor, product) = (fields.next()?, fields.next()?);
    let known = |field: &str| !field.is_empty() && !matches!(field, "*" | "-");
    (known(vendor) && known(product)).then(|| {
        format!("{vendor}:{product}")
            .replace('\\', "")
            .to_ascii_lowercase()
    })
}

/// Distribution and release of a purl: `debian-12`, `opensuse-leap-15.5`, a code name, or Trivy's
/// bare version.
pub(super) fn purl_distro(purl: &packageurl::PackageUrl<'_>) -> Option<(String, String)> {
    let distro: &str = purl.qualifiers().get("distro")?;
    let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if starts_with_digit(distro) {
        let namespace = purl.namespace()?;
        return Some((os_release_id(namespace), distro.to_owned()));
    }
    if let Some(release) = by_codename(distro) {
        return Some(release);
    }
    // Both name and release may have dashes: `opensuse-leap-15.5`, `openeuler-22.03-LTS-SP1`.
    let mut splits = distro
        .match_indices('-')
        .take(MAX_DASHES)
        .filter_map(|(at, _)| distro.split_at_checked(at))
        .filter_map(|(id, rest)| Some((id, rest.strip_prefix('-')?)));
    let is_known = |id: &str| DistroFamily::from_os_release_id(&os_release_id(id)).is_some();
    let numbered = splits
        .clone()
        .find(|(_, version)| starts_with_digit(version));
    let split = match numbered {
        // syft's `arch-rolling`; `opensuse-tumbleweed` is a name as a whole.
        None if !is_known(distro) => splits.find(|(id, _)| is_known(id)),
        numbered => numbered,
    };
    let (id, version) = split.unwrap_or((distro, ""));
    Some((os_release_id(id), version.to_owned()))
}

/// `ID` and `VERSION_ID` of the release that has this code name, by which the package URL
/// specification's own examples name it: `jessie`, `ubuntu-jammy`.
fn by_codename(distro: &str) -> Option<(String, String)> {
    let distro = distro.to_ascii_lowercase();
    let (stated, codename) = match distro.split_once('-') {
        Some((id, codename)) => (Some(id), codename),
        None => (None, &*distro),
    };
    [DistroFamily::Debian, DistroFamily::Ubuntu]
        .into_iter()
        .filter(|family| stated.is_none_or(|stated| stated == family.name()))
        .find_map(|family| {
            let version = family.release_by_codename(codename)?;
            Some((family.name().to_owned(), version.to_owned()))
        })
}

/// The `ID` of os-release(5) for the names that Trivy gives distributions.
fn os_release_id(name: &str) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "redhat" => "rhel",
        "amazon" => "amzn",
        "alma" => "almalinux",
        "oracle" => "ol",
        "cbl-mariner" => "mariner",
        "opensuse.leap" => "opensuse-leap",
        "opensuse.tumbleweed" => "opensuse-tumbleweed",
        "suse linux enterprise server" => "sles",
        same => same,
    }
    .to_owned()
}

/// `0:diff-id` and its value.
fn layer_field(layers: &mut Vec<Layer>, field: &str, value: &str) {
    let Some((index, name)) = field.split_once(':') else {
        return;
    };
    let Some(index) = index
        .parse()
        .ok()
        .filter(|index: &usize| *index < MAX_LAYERS)
    else {
        return;
    };
    while layers.len() <= index {
        let next = layers.len() as u32;
        layers.push(Layer {
            index: next,
            ..Layer::default()
        });
    }
    let Some(layer) = layers.get_mut(index) else {
        return;
    };
    let text = Some(value.to_owned());
    match name {
        "digest" => layer.digest = text,
        "diff-id" => layer.diff_id = text,
        "verified" => layer.verified = value == "true",
        "chain-id" => layer.chain_id = text,
        "created-by" => layer.created_by = text,
        "base" => layer.base = text,
        "owner" => layer.owner = text,
        "role" => layer.role = role(value),
        "role-guessed" => layer.role_guessed = value == "true",
        "size" => layer.size = value.parse().ok(),
        _ => {}
    }
}

fn role(name: &str) -> Role {
    let roles = [Role::Base, Role::Middleware, Role::Application];
    roles
        .into_iter()
        .find(|role| role.name() == name)
        .unwrap_or_default()
}

/// The first value of that name, if it is not empty.
fn property<'a>(properties: &'a Properties, key: &str) -> Option<&'a str> {
    let found = properties.iter().find(|(name, _)| name == key);
    found
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// What the three tools write beside the formats' own fields. Documented by syft in its source
/// (`syft:metadata:*` follows its package metadata) and by Trivy ("SBOM", section "CycloneDX").
fn apply_properties(package: &mut Package, properties: &Properties) {
    let get = |key: &str| property(properties, key);
    let all = |key: &str| -> Vec<&String> {
        let matching = properties.iter().filter(|(name, _)| name == key);
        matching.map(|(_, value)| value).collect()
    };
    if package.source.is_none() && package.kind.is_os() {
        package.source = source(&get, &package.version);
    }
    if package.module.is_none() {
        package.module = get("syft:metadata:modularityLabel")
            .or_else(|| get("aquasecurity:trivy:Modularitylabel"))
            .map(str::to_owned);
    }
    if let Some(epoch) = get("syft:metadata:epoch").filter(|epoch| *epoch != "0")
        && package.kind == PackageType::Rpm
        && !package.version.contains(':')
    {
        package.version = format!("{epoch}:{}", package.version);
    }
    if let Some(name) = get("seawall:name") {
        name.clone_into(&mut package.name);
    }
    if let Some(architecture) = get("seawall:architecture") {
        package.architecture = Some(architecture.to_owned());
    }
    let own_products = all("seawall:cpe-product");
    if !own_products.is_empty() {
        package.cpe_products = own_products.into_iter().cloned().collect();
    } else if package.kind == PackageType::Generic {
        let products = all("syft:cpe23")
            .into_iter()
            .filter_map(|cpe| cpe_product(cpe));
        package.cpe_products.extend(products);
        package.cpe_products.dedup();
    }
    package.development = get("seawall:development") == Some("true");
    package.folded = get("seawall:folded")
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    package.owner = get("seawall:owner").map(str::to_owned);
    package.role = get("seawall:role").map_or(Role::default(), role);
    package
        .paths
        .extend(all("seawall:path").into_iter().cloned());
    let trivy_paths = all("aquasecurity:trivy:FilePath");
    let absolute = |path: &String| format!("/{}", path.trim_start_matches('/'));
    package.paths.extend(trivy_paths.into_iter().map(absolute));
    let syft_paths = properties
        .iter()
        .filter(|(name, _)| name.starts_with("syft:location:") && name.ends_with(":path"));
    package
        .paths
        .extend(syft_paths.map(|(_, path)| path.clone()));
}

fn source<'a>(get: &impl Fn(&str) -> Option<&'a str>, version: &str) -> Option<SourcePackage> {
    if let Some(name) = get("aquasecurity:trivy:SrcName") {
        let mut source = get("aquasecurity:trivy:SrcVersion")
            .unwrap_or(version)
            .to_owned();
        if let Some(release) = get("aquasecurity:trivy:SrcRelease") {
            source = format!("{source}-{release}");
        }
        if let Some(epoch) = get("aquasecurity:trivy:SrcEpoch").filter(|epoch| *epoch != "0") {
            source = format!("{epoch}:{source}");
        }
        return Some(SourcePackage {
            name: name.to_owned(),
            version: source,
        });
    }
    if let Some(source) = get("syft:metadata:sourceRpm").and_then(purl::source_rpm) {
        return Some(source);
    }
    let name = get("syft:metadata:source").or_else(|| get("syft:metadata:originPackage"))?;
    Some(SourcePackage {
        name: name.to_owned(),
        version: get("syft:metadata:sourceVersion")
            .unwrap_or(version)
            .to_owned(),
    })
}
