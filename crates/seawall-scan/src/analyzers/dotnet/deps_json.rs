use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashSet};

/// `PROGRAM.deps.json` beside a published program (dotnet/sdk, "Runtime configuration files").
///
/// Packages and runtime packs (the parts of .NET in a self-contained program) are taken; projects
/// and plain references are the program itself. A package of which the program ships no file (a
/// build tool, or something that .NET itself brings in its place) is marked as development.
#[derive(Debug)]
pub struct DepsJson;

#[derive(Deserialize)]
struct Deps {
    /// By framework and runtime, then by `name/version`.
    #[serde(default)]
    targets: BTreeMap<String, BTreeMap<String, Assets>>,
    /// By `name/version`.
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
}

/// The files of a library, by kind.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Assets {
    runtime: BTreeMap<String, IgnoredAny>,
    native: BTreeMap<String, IgnoredAny>,
    resources: BTreeMap<String, IgnoredAny>,
    runtime_targets: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(rename = "type", default)]
    kind: String,
}

impl Analyzer for DepsJson {
    fn name(&self) -> &'static str {
        "dotnet-deps"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Suffix("deps.json")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if !file.path.ends_with(".deps.json") {
            return Ok(());
        }
        let deps: Deps = document::json(file)?;
        let shipped: HashSet<&str> = deps
            .targets
            .values()
            .flatten()
            .filter(|(_, assets)| assets.has_files())
            .map(|(key, _)| key.as_str())
            .collect();
        for (key, library) in &deps.libraries {
            let Some((name, version)) = key.split_once('/') else {
                continue;
            };
            let name = match library.kind.to_ascii_lowercase().as_str() {
                "package" => name,
                "runtimepack" => name.strip_prefix("runtimepack.").unwrap_or(name),
                _ => continue,
            };
            if !name.is_empty() && !version.is_empty() {
                let mut package =
                    Package::new(PackageType::NuGet, name, version, Evidence::Installed);
                package.development = !shipped.contains(key.as_str());
                found.add(package);
            }
        }
        Ok(())
    }
}

impl Assets {
    /// Whether there is any file but NuGet's placeholder for an empty folder.
    fn has_files(&self) -> bool {
        [
            &self.runtime,
            &self.native,
            &self.resources,
            &self.runtime_targets,
        ]
        .into_iter()
        .flat_map(BTreeMap::keys)
        .any(|file| !file.ends_with("/_._"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn shipped_packages_and_runtime() {
        let bytes = br#"{"runtimeTarget": {"name": ".NETCoreApp,Version=v6.0/linux-x64"},
            "targets": {".NETCoreApp,Version=v6.0": {}, ".NETCoreApp,Version=v6.0/linux-x64": {
                "App/1.0.0": {"runtime": {"App.dll": {}}},
                "Newtonsoft.Json/12.0.3": {"runtime": {"lib/netstandard2.0/Newtonsoft.Json.dll":
                    {"assemblyVersion": "12.0.0.0", "fileVersion": "12.0.3.23909"}}},
                "System.Net.Http/4.3.0": {"dependencies": {}, "runtime": {"lib/net6.0/_._": {}}},
                "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1":
                    {"native": {"libcoreclr.so": {"fileVersion": "0.0.0.0"}}}}},
            "libraries": {
                "App/1.0.0": {"type": "project", "serviceable": false, "sha512": ""},
                "Microsoft.SourceLink.GitHub/1.0.0": {"type": "package"},
                "Newtonsoft.Json/12.0.3": {"type": "package", "serviceable": true},
                "Plain/1.0.0.0": {"type": "reference"},
                "System.Net.Http/4.3.0": {"type": "package"},
                "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1":
                    {"type": "runtimepack"}}}"#;
        check(
            &DepsJson,
            "app/App.deps.json",
            bytes,
            &[
                "Microsoft.SourceLink.GitHub 1.0.0 dev",
                "Newtonsoft.Json 12.0.3",
                "System.Net.Http 4.3.0 dev",
                "Microsoft.NETCore.App.Runtime.linux-x64 6.0.1",
            ],
        );
        check(&DepsJson, "app/deps.json", b"not ours", &[]);
    }
}
