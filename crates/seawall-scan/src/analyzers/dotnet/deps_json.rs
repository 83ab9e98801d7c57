use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `PROGRAM.deps.json` beside a published program (dotnet/sdk, "Runtime configuration files").
///
/// Packages and runtime packs (the parts of .NET in a self-contained program) are taken; projects
/// and plain references are the program itself.
#[derive(Debug)]
pub struct DepsJson;

#[derive(Deserialize)]
struct Deps {
    /// By `name/version`.
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
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
                found.packages.push(Package::new(
                    PackageType::NuGet,
                    name,
                    version,
                    Evidence::Installed,
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn shipped_packages_and_runtime() {
        let bytes = br#"{"runtimeTarget": {"name": ".NETCoreApp,Version=v6.0/linux-x64"},
            "libraries": {
                "App/1.0.0": {"type": "project", "serviceable": false, "sha512": ""},
                "Newtonsoft.Json/12.0.3": {"type": "package", "serviceable": true},
                "Plain/1.0.0.0": {"type": "reference"},
                "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1":
                    {"type": "runtimepack"}}}"#;
        check(
            &DepsJson,
            "app/App.deps.json",
            bytes,
            &[
                "Newtonsoft.Json 12.0.3",
                "Microsoft.NETCore.App.Runtime.linux-x64 6.0.1",
            ],
        );
        check(&DepsJson, "app/deps.json", b"not ours", &[]);
    }
}
