use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The node of the project itself in a graph of Conan 1, which numbers nodes from it on.
const PROJECT: &str = "0";

/// `conan.lock` of Conan 1 (a graph) and 2 (lists) (docs.conan.io, "Lockfiles"). What is needed to
/// build only is marked as development.
#[derive(Debug)]
pub struct ConanLock;

/// `conanfile.txt` (docs.conan.io, "conanfile.txt"): requirements of one exact version. Ranges
/// (`zlib/[>=1.2]`) name no version.
#[derive(Debug)]
pub struct ConanfileTxt;

#[derive(Deserialize)]
struct Lock {
    graph_lock: Option<Graph>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    build_requires: Vec<String>,
    #[serde(default)]
    python_requires: Vec<String>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// The same with the package's id, before Conan 1.22.
    pref: Option<String>,
    /// Set on the project's own node, and on those of packages in development.
    path: Option<String>,
    /// `host` or `build`.
    context: Option<String>,
}

impl Analyzer for ConanLock {
    fn name(&self) -> &'static str {
        "conan-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("conan.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let lock: Lock = document::json(file)?;
        let mut declared = Declared::new(PackageType::Conan);
        for (id, node) in lock.graph_lock.iter().flat_map(|graph| &graph.nodes) {
            let reference = node.reference.as_ref().or(node.pref.as_ref());
            let is_project = id == PROJECT || node.path.is_some();
            if let Some(reference) = reference.filter(|_| !is_project) {
                let development = node.context.as_deref() == Some("build");
                add(reference, development, &mut declared);
            }
        }
        for (references, development) in [
            (&lock.requires, false),
            (&lock.build_requires, true),
            (&lock.python_requires, true),
        ] {
            for reference in references {
                add(reference, development, &mut declared);
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

impl Analyzer for ConanfileTxt {
    fn name(&self) -> &'static str {
        "conanfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("conanfile.txt")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let mut declared = Declared::new(PackageType::Conan);
        let mut section = "";
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name;
                continue;
            }
            let development = match section {
                "requires" => false,
                "build_requires" | "tool_requires" | "test_requires" => true,
                _ => continue,
            };
            if !line.starts_with('#') {
                add(line, development, &mut declared);
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

/// Adds `name/version[@user/channel][#revision][:package][%time]`.
fn add(reference: &str, development: bool, declared: &mut Declared) {
    if let Some((name, rest)) = reference.split_once('/') {
        let version = rest.split(['@', '#', ':', '%']).next().unwrap_or_default();
        // Conan writes Python's `None` where a recipe has no version.
        if !version.starts_with('[') && version != "None" {
            declared.add(name.trim(), version.trim(), development);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn lockfiles_of_all_generations() {
        check(
            &ConanLock,
            "conan.lock",
            br#"{"profile": "[settings]", "graph_lock": {"nodes": {
                "8e12": {"pref": "zlib/1.2.11@conan/stable#0:d50a#0", "options": "shared=False"},
                "8e13": {"pref": null, "requires": {"zlib/1.2.11@conan/stable#0": "8e12"}}}}}"#,
            &["zlib 1.2.11"],
        );
        check(
            &ConanLock,
            "conan.lock",
            br#"{"graph_lock": {"nodes": {
                "0": {"ref": "own/1.0", "path": "../conanfile.py", "requires": ["1"]},
                "1": {"ref": "openssl/1.1.1k#0123", "package_id": "00", "context": "host"},
                "2": {"ref": "cmake/3.20.0@user/stable", "context": "build"},
                "3": {"options": ""}}, "revisions_enabled": true}, "version": "0.4"}"#,
            &["openssl 1.1.1k", "cmake 3.20.0 dev"],
        );
        check(
            &ConanLock,
            "conan.lock",
            br#"{"version": "0.5", "requires": ["zlib/1.2.13#4e74%1667396813.733"],
                "build_requires": ["cmake/3.25.3#00%1"], "python_requires": ["tool/0.1"]}"#,
            &["zlib 1.2.13", "cmake 3.25.3 dev", "tool 0.1 dev"],
        );
    }

    #[test]
    fn the_project_itself_was_listed_as_a_package() {
        check(
            &ConanLock,
            "conan.lock",
            br#"{"graph_lock": {"nodes": {
                "0": {"ref": "own/1.0", "requires": ["1", "2"]},
                "1": {"ref": "zlib/1.2.11#0123"},
                "2": {"ref": "tools/None"}}}, "version": "0.4"}"#,
            &["zlib 1.2.11"],
        );
    }

    #[test]
    fn conanfile() {
        check(
            &ConanfileTxt,
            "conanfile.txt",
            b"[requires]\nzlib/1.2.11 # compression\n# old/1.0\npoco/[>1.0,<1.9]\n\
              boost/1.70.0@conan/stable\n\n[tool_requires]\ncmake/3.22.6\n\n[generators]\nCMakeDeps\n",
            &["zlib 1.2.11", "boost 1.70.0", "cmake 3.22.6 dev"],
        );
    }
}
