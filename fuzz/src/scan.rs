//! Files that packages are found in, bills of materials, policies and stored inventories.

use seawall_artifact::Content;
use seawall_model::{
    Confidence, Evidence, Finding, Fix, FixState, Inventory, Package, PackageIndex, PackageType,
    Priority, Severity, Status, Target,
};
use seawall_scan::analyzers::{self, File, Found};
use seawall_scan::policy::Policy;

/// Analyzers by name, each with the path that its file has. All of a list see the same bytes:
/// formats of one kind (JSON, TOML, ...) share what the fuzzer learns of them.
pub(crate) type Analyzers = &'static [(&'static str, &'static str)];

pub(crate) const APK: Analyzers = &[("apk", "lib/apk/db/installed")];
pub(crate) const DPKG: Analyzers = &[
    ("dpkg", "var/lib/dpkg/status"),
    ("dpkg", "var/lib/dpkg/status.d/base"),
    ("dpkg", "var/lib/dpkg/status.d/base.md5sums"),
    ("dpkg", "var/lib/dpkg/diversions"),
    ("dpkg", "var/lib/dpkg/info/base.list"),
];
pub(crate) const BITNAMI: Analyzers = &[
    ("bitnami", "opt/bitnami/.bitnami_components.json"),
    ("bitnami", "opt/bitnami/postgresql/.spdx-postgresql.spdx"),
];
pub(crate) const OS_RELEASE: Analyzers = &[
    ("os-release", "etc/os-release"),
    ("os-release", "etc/alpine-release"),
    ("os-release", "etc/redhat-release"),
    ("os-release", "etc/SuSE-release"),
    ("os-release", "etc/lsb-release"),
    ("os-release", "etc/debian_version"),
    ("java-runtime", "opt/java/release"),
];
pub(crate) const PACMAN: Analyzers = &[
    ("pacman", "var/lib/pacman/local/base-1-1/desc"),
    ("pacman", "var/lib/pacman/local/base-1-1/files"),
];
pub(crate) const RPM: Analyzers = &[
    ("rpm", "var/lib/rpm/Packages"),
    ("rpm", "var/lib/rpmmanifest/container-manifest-2"),
];
pub(crate) const JAVASCRIPT: Analyzers = &[
    ("npm-package", "app/node_modules/a/package.json"),
    ("npm-lockfile", "app/package-lock.json"),
    ("bun-lockfile", "app/bun.lock"),
    ("deno-lockfile", "app/deno.lock"),
];
pub(crate) const YARN: Analyzers = &[("yarn-lockfile", "app/yarn.lock")];
pub(crate) const PNPM: Analyzers = &[("pnpm-lockfile", "app/pnpm-lock.yaml")];
pub(crate) const PYTHON: Analyzers = &[
    ("python-metadata", "lib/a-1.dist-info/METADATA"),
    ("python-requirements", "app/requirements.txt"),
    ("pipfile-lockfile", "app/Pipfile.lock"),
    ("conda", "opt/conda/conda-meta/a-1-0.json"),
];
pub(crate) const PYTHON_TOML: Analyzers = &[
    ("poetry-lockfile", "app/poetry.lock"),
    ("pdm-lockfile", "app/pdm.lock"),
    ("uv-lockfile", "app/uv.lock"),
    ("pylock", "app/pylock.toml"),
];
pub(crate) const PROJECT: Analyzers = &[
    ("project", "app/Pipfile"),
    ("project", "app/pyproject.toml"),
    ("project", "app/Cargo.toml"),
    ("project", "app/composer.json"),
    ("project", "app/pubspec.yaml"),
];
pub(crate) const JAVA_ARCHIVE: Analyzers = &[
    ("java-archive", "app/a-1.0.jar"),
    ("python-egg", "lib/a-1.0-py3.egg"),
];
pub(crate) const JAVA: Analyzers = &[
    ("maven-pom", "app/pom.xml"),
    ("gradle-lockfile", "app/gradle.lockfile"),
];
pub(crate) const GO: Analyzers = &[("go-mod", "app/go.mod")];
pub(crate) const RUST: Analyzers = &[("cargo-lockfile", "app/Cargo.lock")];
pub(crate) const EXECUTABLE: Analyzers = &[
    ("executable", "usr/sbin/nginx"),
    ("executable", "usr/lib/libpython3.12.so"),
];
pub(crate) const RUBY: Analyzers = &[
    ("gemfile-lockfile", "app/Gemfile.lock"),
    ("gemspec", "gems/specifications/a-1.gemspec"),
];
pub(crate) const PHP: Analyzers = &[
    ("composer-lockfile", "app/composer.lock"),
    ("composer-installed", "app/vendor/composer/installed.json"),
];
pub(crate) const DOTNET: Analyzers = &[
    ("dotnet-deps", "app/app.deps.json"),
    ("nuget-lockfile", "app/packages.lock.json"),
    ("nuget-assets", "app/obj/project.assets.json"),
    ("nuget-packages-config", "app/packages.config"),
];
pub(crate) const YAML: Analyzers = &[
    ("pub-lockfile", "app/pubspec.lock"),
    ("github-actions", "app/.github/workflows/build.yml"),
    ("github-actions", "app/action.yml"),
];
pub(crate) const BEAM: Analyzers = &[
    ("mix-lockfile", "app/mix.lock"),
    ("rebar-lockfile", "app/rebar.lock"),
    ("erlang-application", "lib/a/ebin/a.app"),
];
pub(crate) const SWIFT: Analyzers = &[("swift-lockfile", "app/Package.resolved")];
pub(crate) const CPP: Analyzers = &[
    ("conan-lockfile", "app/conan.lock"),
    ("conanfile", "app/conanfile.txt"),
    ("vcpkg-manifest", "app/vcpkg.json"),
    ("vcpkg-status", "app/vcpkg/status"),
];
pub(crate) const R: Analyzers = &[
    ("renv-lockfile", "app/renv.lock"),
    ("r-description", "usr/lib/R/library/a/DESCRIPTION"),
];
pub(crate) const HASKELL: Analyzers = &[
    ("stack-lockfile", "app/stack.yaml.lock"),
    ("cabal-freeze", "app/cabal.project.freeze"),
];

const ALL: &[Analyzers] = &[
    APK,
    DPKG,
    BITNAMI,
    OS_RELEASE,
    PACMAN,
    RPM,
    JAVASCRIPT,
    YARN,
    PNPM,
    PYTHON,
    PYTHON_TOML,
    PROJECT,
    JAVA_ARCHIVE,
    JAVA,
    GO,
    RUST,
    EXECUTABLE,
    RUBY,
    PHP,
    DOTNET,
    YAML,
    BEAM,
    SWIFT,
    CPP,
    R,
    HASKELL,
];

/// An analyzer that is in no list.
pub(crate) fn missing() -> Option<&'static str> {
    let listed = |name: &str| ALL.iter().copied().flatten().any(|(own, _)| *own == name);
    let mut names = analyzers::ALL.iter().map(|analyzer| analyzer.name());
    names.find(|name| !listed(name))
}

pub(crate) fn analyze(list: Analyzers, data: &[u8]) {
    let content = Content::from_bytes(data);
    for (name, path) in list {
        let analyzer = analyzers::ALL
            .iter()
            .find(|analyzer| analyzer.name() == *name);
        let analyzer = analyzer.unwrap_or_else(|| panic!("'{name}' is not an analyzer"));
        let file = File {
            path,
            mode: 0o755,
            content: &content,
        };
        let mut found = Found::default();
        drop(analyzer.analyze(&file, &mut found));
        // What is found goes on into reports and to the matcher.
        for package in &found.packages {
            drop(package.purl(found.distro.as_ref()));
        }
    }
}

pub(crate) fn sbom(data: &[u8]) {
    if let Ok(inventory) = seawall_scan::sbom::read("sbom.json", data) {
        read_back(&inventory);
    }
}

pub(crate) fn inventory(data: &[u8]) {
    if let Ok(inventory) = seawall_report::inventory::read(data) {
        read_back(&inventory);
    }
}

/// What is stored is read back as it was.
fn read_back(inventory: &Inventory) {
    let mut stored = Vec::new();
    seawall_report::inventory::write(inventory, &mut stored).expect("memory takes everything");
    let read = seawall_report::inventory::read(&stored);
    assert_eq!(read.as_ref().ok(), Some(inventory));
}

pub(crate) fn ignore_file(data: &[u8]) {
    apply(|policy| policy.add_ignore_file("ignore.yaml", data).is_ok());
}

pub(crate) fn vex(data: &[u8]) {
    apply(|policy| policy.add_vex("vex.json", data).is_ok());
}

pub(crate) fn trusted_images(data: &[u8]) {
    apply(|policy| policy.add_trusted_images("trusted.yaml", data).is_ok());
}

/// Applies a policy, if it is one, to a finding.
fn apply(add: impl FnOnce(&mut Policy) -> bool) {
    let mut policy = Policy::default();
    if !add(&mut policy) {
        return;
    }
    let lodash = Package::new(PackageType::Npm, "lodash", "4.17.20", Evidence::Installed);
    let inventory = Inventory {
        target: Target {
            name: "registry.example.org/shop/web:1.4".to_owned(),
            ..Target::default()
        },
        distro: None,
        layers: Vec::new(),
        packages: vec![lodash],
        development_excluded: 0,
        notes: Vec::new(),
        incomplete: Vec::new(),
    };
    drop(policy.apply(&inventory, &mut [finding()], jiff::civil::date(2026, 1, 1)));
}

fn finding() -> Finding {
    Finding {
        id: "CVE-2025-1000".to_owned(),
        aliases: vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
        cnnvd: None,
        cnnvd_title: None,
        package: PackageIndex(0),
        severity: Severity::Medium,
        severity_source: "ghsa".to_owned(),
        cvss: Vec::new(),
        epss: None,
        kev: false,
        fix: Fix {
            state: FixState::NotFixed,
            version: None,
        },
        title: String::new(),
        description: String::new(),
        cwes: Vec::new(),
        references: Vec::new(),
        published: None,
        matched_by: Vec::new(),
        confidence: Confidence::High,
        priority: Priority::default(),
        status: Status::Affected,
        suppression: None,
    }
}
