use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;
use std::collections::HashMap;

/// `vcpkg.json` (learn.microsoft.com/vcpkg, "vcpkg.json reference"): only `overrides` fix a
/// version. A dependency without one, or with a minimum, gets its version from a baseline that is
/// not in the file, and is told where it is not installed.
#[derive(Debug)]
pub struct VcpkgManifest;

/// `vcpkg/status` below vcpkg's `installed` directory: the packages that are installed, in
/// paragraphs like dpkg's.
#[derive(Debug)]
pub struct VcpkgStatus;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    overrides: Vec<Override>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    Name(String),
    Detailed {
        #[serde(default)]
        name: String,
        /// Needed to build.
        #[serde(default)]
        host: bool,
    },
}

#[derive(Deserialize)]
struct Override {
    #[serde(default)]
    name: String,
    #[serde(
        alias = "version-semver",
        alias = "version-string",
        alias = "version-date",
        default
    )]
    version: String,
    #[serde(rename = "port-version", default)]
    port_version: u64,
}

impl Analyzer for VcpkgManifest {
    fn name(&self) -> &'static str {
        "vcpkg-manifest"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("vcpkg.json")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let manifest: Manifest = document::json(file)?;
        let mut declared = Declared::new(PackageType::Vcpkg);
        for package in &manifest.overrides {
            if !package.version.is_empty() {
                let port_version = package.port_version.to_string();
                let version = with_port_version(&package.version, &port_version);
                declared.add(&package.name, &version, false);
            }
        }
        declared.move_to(found);
        for dependency in &manifest.dependencies {
            let (name, host) = match dependency {
                Dependency::Name(name) => (name, false),
                Dependency::Detailed { name, host } => (name, *host),
            };
            found.add_unversioned(Wanted::Requirement(PackageType::Vcpkg), name, host);
        }
        Ok(())
    }
}

impl Analyzer for VcpkgStatus {
    fn name(&self) -> &'static str {
        "vcpkg-status"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Suffix("vcpkg/status")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        // The file is a log: a later paragraph about the same package and triplet holds.
        let mut installed: HashMap<(String, String), usize> = HashMap::new();
        let mut packages: Vec<Option<Package>> = Vec::new();
        let mut paragraph = HashMap::new();
        for line in text.lines().chain([""]) {
            if !line.is_empty() {
                // Lines that go on are indented, and no field that matters has any.
                if let Some((field, value)) = line.split_once(':')
                    && !line.starts_with(' ')
                {
                    paragraph.insert(field, value.trim());
                }
                continue;
            }
            let fields = std::mem::take(&mut paragraph);
            let field = |name: &str| fields.get(name).copied().unwrap_or_default();
            let (name, triplet) = (field("Package"), field("Architecture"));
            // Paragraphs of features repeat the package without its version.
            if name.is_empty() || fields.contains_key("Feature") {
                continue;
            }
            let key = (name.to_owned(), triplet.to_owned());
            if let Some(earlier) = installed.get(&key).and_then(|i| packages.get_mut(*i)) {
                *earlier = None;
            }
            if field("Status") == "install ok installed" && !field("Version").is_empty() {
                let version = with_port_version(field("Version"), field("Port-Version"));
                let mut package =
                    Package::new(PackageType::Vcpkg, name, version, Evidence::Installed);
                package.architecture = Some(triplet.to_owned()).filter(|t| !t.is_empty());
                installed.insert(key, packages.len());
                packages.push(Some(package));
            }
        }
        for package in packages.into_iter().flatten() {
            found.add(package);
        }
        Ok(())
    }
}

/// vcpkg writes the version of the port, the recipe, after a `#`: `1.2.13#1`.
fn with_port_version(version: &str, port_version: &str) -> String {
    match port_version {
        "" | "0" => version.to_owned(),
        port_version => format!("{version}#{port_version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn overrides_of_a_manifest() {
        check(
            &VcpkgManifest,
            "vcpkg.json",
            br#"{"name": "own", "version": "1.0.0", "builtin-baseline": "00",
                "dependencies": ["fmt", {"name": "zlib", "version>=": "1.2.11#9"}],
                "overrides": [{"name": "fmt", "version": "6.0.0"},
                              {"name": "stb", "version-date": "2021-09-10", "port-version": 1}]}"#,
            &["fmt 6.0.0", "stb 2021-09-10#1"],
        );
    }

    #[test]
    fn dependencies_without_a_version_were_passed_over_in_silence() {
        let manifest = br#"{"dependencies": ["fmt", {"name": "cmake", "host": true}]}"#;
        let (found, result) = analyze(&VcpkgManifest, "vcpkg.json", manifest);
        assert!(result.is_ok());
        let wanted = found.unversioned.iter();
        let wanted: Vec<_> = wanted.map(|one| (&*one.name, one.development)).collect();
        assert_eq!(wanted, [("fmt", false), ("cmake", true)]);
    }

    #[test]
    fn installed_packages() {
        check(
            &VcpkgStatus,
            "src/vcpkg_installed/vcpkg/status",
            b"Package: zlib\nVersion: 1.2.12\nArchitecture: x64-linux\nMulti-Arch: same\n\
              Status: purge ok not-installed\n\n\
              Package: zlib\nVersion: 1.2.13\nPort-Version: 2\nArchitecture: x64-linux\n\
              Description: Compression\nStatus: install ok installed\n\n\
              Package: curl\nFeature: ssl\nArchitecture: x64-linux\nStatus: install ok installed\n\n\
              Package: curl\nVersion: 7.84.0\nArchitecture: x64-linux\n\
              Status: install ok installed\n\n\
              Package: gone\nVersion: 1.0\nArchitecture: x64-linux\n\
              Status: install ok installed\n\n\
              Package: gone\nVersion: 1.0\nArchitecture: x64-linux\n\
              Status: purge ok not-installed\n",
            &["zlib 1.2.13#2", "curl 7.84.0"],
        );
    }
}
