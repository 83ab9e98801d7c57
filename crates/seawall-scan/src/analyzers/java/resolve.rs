use super::pom::{Dependency, Pom};
use seawall_model::{Evidence, Incomplete, IncompleteReason, Package, PackageType};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Parents above a `pom.xml`.
const MAX_PARENTS: usize = 16;
/// Replacements of `${...}` in one value.
const MAX_REPLACEMENTS: usize = 32;
/// Bytes of one value after replacement.
const MAX_VALUE: usize = 4096;
/// Dependencies and managed versions that are looked at for all files of a target, each file
/// looking at those of its parents and bills of materials again. A repository of 500 modules below
/// a bill of materials of 3,000 artifacts takes 1.5 million.
const MAX_WORK: u64 = 10_000_000;

/// What became of one `pom.xml`.
#[derive(Debug, Default, PartialEq)]
pub struct Resolved {
    /// Its declared dependencies, `paths` set to the file.
    pub packages: Vec<Package>,
    /// Said where versions come from a parent or bill of materials outside of the tree.
    pub incomplete: Option<Incomplete>,
}

/// Makes packages of all the `pom.xml` of one target, in their order: replaces properties, follows
/// parents within the tree, and takes versions from `dependencyManagement`, also of bills of
/// materials that lie in the tree (Maven, "Introduction to the Dependency Mechanism").
///
/// Transitive dependencies are in no file of the tree and are not found; scan the built archive.
#[must_use]
pub fn resolve_poms(poms: &[Pom]) -> Vec<Resolved> {
    let tree = Tree::of(poms);
    poms.iter().map(|pom| tree.resolve(pom)).collect()
}

/// The files of a target, by path and by coordinates.
struct Tree<'a> {
    by_path: HashMap<&'a str, &'a Pom>,
    by_name: HashMap<(&'a str, &'a str), &'a Pom>,
    work_left: Cell<u64>,
}

/// What a file inherits and adds, its own before its parents'.
#[derive(Default)]
struct Model<'a> {
    properties: BTreeMap<&'a str, &'a str>,
    managed: Vec<&'a Dependency>,
    dependencies: Vec<&'a Dependency>,
}

impl<'a> Tree<'a> {
    fn of(poms: &'a [Pom]) -> Self {
        let mut tree = Self {
            by_path: HashMap::new(),
            by_name: HashMap::new(),
            work_left: Cell::new(MAX_WORK),
        };
        for pom in poms {
            tree.by_path.insert(&pom.path, pom);
            let group = pom
                .group
                .as_deref()
                .or(pom.parent.as_ref().map(|p| p.group.as_str()));
            if let (Some(group), Some(artifact)) = (group, pom.artifact.as_deref()) {
                tree.by_name.entry((group, artifact)).or_insert(pom);
            }
        }
        tree
    }

    fn resolve(&self, pom: &'a Pom) -> Resolved {
        let (model, is_complete) = self.model(pom);
        let (managed, missing_imports) = self.managed(&model);
        let mut resolved = Resolved::default();
        let mut seen = HashSet::new();
        let mut unknown = Vec::new();
        for dependency in &model.dependencies {
            if !self.may_work() {
                break;
            }
            let group = model.replace(&dependency.group);
            let artifact = model.replace(&dependency.artifact);
            if group.is_empty() || artifact.is_empty() || self.is_own(&group, &artifact) {
                continue;
            }
            let name = format!("{group}:{artifact}");
            let manager = managed.get(&(group, artifact));
            let version = dependency
                .version
                .as_deref()
                .map(|version| model.replace(version))
                .or_else(|| manager.and_then(|(version, _)| version.clone()));
            let scope = dependency
                .scope
                .as_deref()
                .or(manager.and_then(|(_, s)| s.as_deref()));
            match version.as_deref().and_then(fixed_version) {
                Some(version) if seen.insert((name.clone(), version.to_owned())) => {
                    let mut package =
                        Package::new(PackageType::Maven, name, version, Evidence::Declared);
                    package.development = matches!(scope, Some("test" | "provided"));
                    package.paths = vec![format!("/{}", pom.path)];
                    resolved.packages.push(package);
                }
                Some(_) => {}
                None => unknown.push(name),
            }
        }
        if self.work_left.get() == 0 {
            let message = "the poms of this target depend on each other too often: some \
                           dependencies were not looked at";
            let incomplete = Incomplete::new(
                IncompleteReason::LimitReached,
                format!("/{}", pom.path),
                message,
            );
            resolved.incomplete = Some(incomplete);
        } else if let Some(first) = unknown.first() {
            let why = match (is_complete, missing_imports) {
                (true, false) => "no fixed version is given",
                _ => "a parent or bill of materials is not in the tree",
            };
            let count = unknown.len();
            let message = format!("{count} dependencies without a version, {first} first: {why}");
            let place = format!("/{}", pom.path);
            let incomplete = Incomplete::new(IncompleteReason::Unsupported, place, message);
            resolved.incomplete = Some(incomplete.hint("scan the built archive or image"));
        }
        resolved
    }

    /// Takes one off the work that is left; whether there was any.
    fn may_work(&self) -> bool {
        let left = self.work_left.get();
        self.work_left.set(left.saturating_sub(1));
        left > 0
    }

    /// Collects the file and its parents; and whether all parents were there.
    fn model(&self, pom: &'a Pom) -> (Model<'a>, bool) {
        let mut model = Model::default();
        let mut current = pom;
        for _ in 0..MAX_PARENTS {
            model.inherit(current);
            if current.parent.is_none() {
                return (model, true);
            }
            match self.parent(current) {
                Some(parent) => current = parent,
                None => return (model, false),
            }
        }
        (model, false)
    }

    fn parent(&self, pom: &Pom) -> Option<&'a Pom> {
        let parent = pom.parent.as_ref()?;
        let relative = parent.relative_path.as_deref().unwrap_or("../pom.xml");
        let path = beside(&pom.path, relative);
        let is_it = |found: &&&Pom| found.artifact.as_deref() == Some(parent.artifact.as_str());
        let at_path = [path.clone(), format!("{path}/pom.xml")]
            .iter()
            .find_map(|path| self.by_path.get(path.as_str()).filter(is_it))
            .copied();
        let key = (parent.group.as_str(), parent.artifact.as_str());
        at_path.or_else(|| self.by_name.get(&key).copied())
    }

    /// Versions and scopes by group and artifact; and whether a bill of materials was missing.
    #[expect(
        clippy::type_complexity,
        reason = "a map from name to version and scope"
    )]
    fn managed(
        &self,
        model: &Model<'a>,
    ) -> (
        HashMap<(String, String), (Option<String>, Option<String>)>,
        bool,
    ) {
        let mut managed = HashMap::new();
        let mut is_missing = false;
        for entry in &model.managed {
            if !self.may_work() {
                break;
            }
            let key = (model.replace(&entry.group), model.replace(&entry.artifact));
            if entry.scope.as_deref() == Some("import") {
                let Some(bill) = self.by_name.get(&(key.0.as_str(), key.1.as_str())) else {
                    is_missing = true;
                    continue;
                };
                let (bill, _) = self.model(bill);
                for entry in bill
                    .managed
                    .iter()
                    .filter(|e| e.scope.as_deref() != Some("import"))
                    .take_while(|_| self.may_work())
                {
                    let key = (bill.replace(&entry.group), bill.replace(&entry.artifact));
                    let version = entry
                        .version
                        .as_deref()
                        .map(|version| bill.replace(version));
                    managed.entry(key).or_insert((version, entry.scope.clone()));
                }
                continue;
            }
            let version = entry
                .version
                .as_deref()
                .map(|version| model.replace(version));
            managed.entry(key).or_insert((version, entry.scope.clone()));
        }
        (managed, is_missing)
    }

    /// Whether a module of the tree itself is meant.
    fn is_own(&self, group: &str, artifact: &str) -> bool {
        self.by_name.contains_key(&(group, artifact))
    }
}

impl<'a> Model<'a> {
    fn inherit(&mut self, pom: &'a Pom) {
        for (name, value) in &pom.properties {
            self.properties.entry(name).or_insert(value);
        }
        let parent = pom.parent.as_ref();
        let version = pom
            .version
            .as_deref()
            .or(parent.map(|p| p.version.as_str()));
        let group = pom.group.as_deref().or(parent.map(|p| p.group.as_str()));
        let own = [
            ("project.version", version),
            ("pom.version", version),
            ("version", version),
            ("project.groupId", group),
            ("project.artifactId", pom.artifact.as_deref()),
            ("project.parent.version", parent.map(|p| p.version.as_str())),
            ("project.parent.groupId", parent.map(|p| p.group.as_str())),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                self.properties.entry(name).or_insert(value);
            }
        }
        self.managed.extend(&pom.managed);
        self.dependencies.extend(&pom.dependencies);
    }

    /// Replaces `${name}`, also in what was replaced. What is not known stays.
    fn replace(&self, value: &str) -> String {
        let mut value = value.to_owned();
        for _ in 0..MAX_REPLACEMENTS {
            let Some((before, rest)) = value.split_once("${") else {
                break;
            };
            let Some((name, after)) = rest.split_once('}') else {
                break;
            };
            match self.properties.get(name.trim()) {
                Some(known) => value = format!("{before}{known}{after}"),
                None => break,
            }
            if value.len() > MAX_VALUE {
                break;
            }
        }
        value
    }
}

/// The version, if it is one and no range: `1.0`, or `[1.0]`, which allows nothing else.
fn fixed_version(version: &str) -> Option<&str> {
    let exact = version
        .strip_prefix('[')
        .and_then(|v| v.strip_suffix(']'))
        .unwrap_or(version);
    let is_fixed = !exact.is_empty() && !exact.contains(['[', '(', ',', '$', ')', ']']);
    (is_fixed && !matches!(exact, "LATEST" | "RELEASE")).then_some(exact)
}

/// The path of a file named relative to another.
fn beside(path: &str, other: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in other.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::pom::{PomXml, parse};
    use super::*;
    use crate::analyzers::testing::analyze;

    fn check(files: &[(&str, &str)], expected: &[&str], incomplete: usize) {
        let poms: Vec<Pom> = files
            .iter()
            .map(|(path, text)| parse(path, text).unwrap())
            .collect();
        let resolved = resolve_poms(&poms);
        let line = |p: &Package| {
            let scope = if p.development { " dev" } else { "" };
            format!("{} {}{scope} {}", p.name, p.version, p.paths[0])
        };
        let lines: Vec<String> = resolved
            .iter()
            .flat_map(|r| &r.packages)
            .map(line)
            .collect();
        assert_eq!(lines, expected);
        assert_eq!(
            resolved.iter().filter(|r| r.incomplete.is_some()).count(),
            incomplete
        );
    }

    const PARENT: &str = r#"<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>g</groupId><artifactId>parent</artifactId><version>1.0</version>
  <properties><v.a>2.<!-- not this -->1</v.a><v.b>${v.a}</v.b><loop>${loop}</loop></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>x</groupId><artifactId>b</artifactId><version>${v.b}</version></dependency>
    <dependency><groupId>x</groupId><artifactId>t</artifactId><version>3</version><scope>test</scope></dependency>
    <dependency><groupId>g</groupId><artifactId>bom</artifactId><version>1.0</version><type>pom</type><scope>import</scope></dependency>
  </dependencies></dependencyManagement>
</project>"#;

    const CHILD: &str = "<project>
  <parent><groupId>g</groupId><artifactId>parent</artifactId><version>1.0</version></parent>
  <artifactId>child</artifactId>
  <dependencies>
    <dependency><groupId>x</groupId><artifactId>a</artifactId><version>${v.a}</version></dependency>
    <dependency><groupId>x</groupId><artifactId>b</artifactId></dependency>
    <dependency><groupId>x</groupId><artifactId>t</artifactId></dependency>
    <dependency><groupId>x</groupId><artifactId>c</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version></dependency>
    <dependency><groupId>x</groupId><artifactId>p</artifactId><version>[4.0]</version><scope>provided</scope>
      <exclusions><exclusion><groupId>no</groupId><artifactId>no</artifactId></exclusion></exclusions></dependency>
  </dependencies>
  <build><plugins><plugin><dependencies><dependency><groupId>no</groupId></dependency></dependencies></plugin></plugins></build>
</project>";

    const BILL: &str =
        "<project><groupId>g</groupId><artifactId>bom</artifactId><version>1.0</version>
  <properties><c>5.0</c></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>x</groupId><artifactId>c</artifactId><version>${c}</version></dependency>
  </dependencies></dependencyManagement></project>";

    #[test]
    fn versions_come_from_parents_properties_and_bills_of_materials() {
        check(
            &[
                ("app/child/pom.xml", CHILD),
                ("app/pom.xml", PARENT),
                ("app/bom/pom.xml", BILL),
                (
                    "app/sibling/pom.xml",
                    "<project><groupId>g</groupId><artifactId>sibling</artifactId></project>",
                ),
            ],
            &[
                "x:a 2.1 /app/child/pom.xml",
                "x:b 2.1 /app/child/pom.xml",
                "x:t 3 dev /app/child/pom.xml",
                "x:c 5.0 /app/child/pom.xml",
                "x:p 4.0 dev /app/child/pom.xml",
            ],
            0,
        );
    }

    #[test]
    fn versions_that_are_nowhere_are_said() {
        check(
            &[("pom.xml", CHILD)],
            &["g:sibling 1.0 /pom.xml", "x:p 4.0 dev /pom.xml"],
            1,
        );
    }

    #[test]
    fn parents_in_a_circle_end() {
        let circle = "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version>
            <parent><groupId>g</groupId><artifactId>a</artifactId><relativePath>pom.xml</relativePath></parent>
            <properties><x>${x}${x}</x></properties>
            <dependencies><dependency><groupId>h</groupId><artifactId>b</artifactId><version>${x}</version></dependency></dependencies>
            </project>";
        check(&[("pom.xml", circle)], &[], 1);
    }

    #[test]
    fn damage_names_the_offset() {
        for text in [
            "<project><a></b></project>",
            "<project><a>",
            &"<a>".repeat(1000),
        ] {
            let (_, result) = analyze(&PomXml, "pom.xml", text.as_bytes());
            assert!(result.unwrap_err().offset.is_some(), "{text}");
        }
    }
}
