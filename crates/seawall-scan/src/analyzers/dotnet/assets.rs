use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// `obj/project.assets.json`, what `dotnet restore` resolved (NuGet.Client, `LockFile`).
///
/// Dependencies on other projects are left out. A direct dependency whose assets are all private
/// (`suppressParent: All`: analyzers, build tools) is marked as development.
#[derive(Debug)]
pub struct ProjectAssets;

#[derive(Deserialize)]
struct Assets {
    /// By `name/version`.
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
    #[serde(default)]
    project: Project,
}

#[derive(Deserialize)]
struct Library {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Default, Deserialize)]
struct Project {
    #[serde(default)]
    frameworks: BTreeMap<String, Framework>,
}

#[derive(Deserialize)]
struct Framework {
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(rename = "suppressParent", default)]
    suppress_parent: String,
}

impl Analyzer for ProjectAssets {
    fn name(&self) -> &'static str {
        "nuget-assets"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("project.assets.json")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let assets: Assets = document::json(file)?;
        let private: HashSet<&str> = assets
            .project
            .frameworks
            .values()
            .flat_map(|framework| &framework.dependencies)
            .filter(|(_, dependency)| dependency.suppress_parent.eq_ignore_ascii_case("all"))
            .map(|(name, _)| name.as_str())
            .collect();
        let mut declared = Declared::new(PackageType::NuGet);
        for (key, library) in &assets.libraries {
            if let Some((name, version)) = key.split_once('/')
                && library.kind.eq_ignore_ascii_case("package")
            {
                declared.add(name, version, private.contains(name));
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn restored_packages() {
        check(
            &ProjectAssets,
            "src/obj/project.assets.json",
            br#"{"version": 3, "targets": {"net6.0": {}}, "libraries": {
                    "Newtonsoft.Json/12.0.3": {"type": "package", "path": "newtonsoft.json/12.0.3"},
                    "StyleCop.Analyzers/1.1.118": {"type": "package"},
                    "Own/1.0.0": {"type": "project", "path": "../Own/Own.csproj"}},
                "project": {"version": "1.0.0", "frameworks": {"net6.0": {"dependencies": {
                    "Newtonsoft.Json": {"target": "Package", "version": "[12.0.3, )"},
                    "StyleCop.Analyzers": {"suppressParent": "All", "target": "Package"}}}}}}"#,
            &["Newtonsoft.Json 12.0.3", "StyleCop.Analyzers 1.1.118 dev"],
        );
    }
}
