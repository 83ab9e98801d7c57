use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeMap;

/// `pom.xml` of a source tree (<https://maven.apache.org/pom.html>).
///
/// Versions may stand in a parent, which is another file, so the analyzer only collects what each
/// file says in [`Found::poms`]; [`super::resolve_poms`] makes packages of it.
#[derive(Debug)]
pub struct PomXml;

/// Elements inside each other. A real file has eight.
const MAX_DEPTH: usize = 64;

/// What one `pom.xml` says, `${...}` not replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pom {
    /// Path of the file, without a leading slash.
    pub path: String,
    pub(super) group: Option<String>,
    pub(super) artifact: Option<String>,
    pub(super) version: Option<String>,
    pub(super) parent: Option<Parent>,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) managed: Vec<Dependency>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    /// `../pom.xml` where the file does not say it; empty to look only in repositories.
    pub(super) relative_path: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) kind: Option<String>,
}

impl Analyzer for PomXml {
    fn name(&self) -> &'static str {
        "maven-pom"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("pom.xml")]
    }

    fn max_bytes(&self) -> u64 {
        16 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // A built archive carries the file that it was built from, whether unpacked or not.
        if !format!("/{}", file.path).contains("/META-INF/maven/") {
            found.poms.push(parse(file.path, &document::text(file)?)?);
        }
        Ok(())
    }
}

impl Pom {
    /// Whether it takes anything from other files: from a parent, or from bills of materials.
    pub(crate) fn asks_others(&self) -> bool {
        let is_import = |it: &Dependency| it.scope.as_deref() == Some("import");
        self.parent.is_some() || self.managed.iter().any(is_import)
    }

    /// Dependencies and managed versions it names.
    pub(crate) fn len(&self) -> usize {
        self.dependencies.len() + self.managed.len()
    }

    /// Group, artifact and version of the project itself, as far as the file alone says them.
    pub(super) fn coordinates(&self) -> Option<(String, String, String)> {
        let parent = self.parent.as_ref();
        let group = self
            .group
            .clone()
            .or_else(|| parent.map(|p| p.group.clone()))?;
        let version = self
            .version
            .clone()
            .or_else(|| parent.map(|p| p.version.clone()))?;
        let complete = !group.is_empty() && !version.is_empty() && !version.contains("${");
        complete.then_some((group, self.artifact.clone()?, version))
    }
}

/// Reads one file.
pub(super) fn parse(path: &str, text: &str) -> Result<Pom, AnalyzeError> {
    let mut reader = Reader::from_str(text);
    let mut pom = Pom {
        path: path.to_owned(),
        ..Pom::default()
    };
    let mut open: Vec<String> = Vec::new();
    let mut value = String::new();
    loop {
        let event = reader.read_event().map_err(|error| {
            AnalyzeError::corrupt(format!("not valid XML here: {error}"))
                .at(reader.error_position())
        })?;
        match event {
            Event::Start(element) => {
                if open.len() == MAX_DEPTH {
                    return Err(AnalyzeError::corrupt("elements are nested too deeply")
                        .at(reader.buffer_position()));
                }
                open.push(element.local_name().as_ref().to_owned());
                value.clear();
                pom.open(&open);
            }
            Event::Empty(element) => {
                open.push(element.local_name().as_ref().to_owned());
                pom.open(&open);
                pom.set(&open, "");
                open.pop();
            }
            Event::Text(text) => value.push_str(&text.xml10_content()),
            Event::CData(text) => value.push_str(&text.xml10_content()),
            Event::End(_) => {
                pom.set(&open, value.trim());
                open.pop();
                value.clear();
            }
            Event::Eof if open.is_empty() => return Ok(pom),
            Event::Eof => {
                return Err(AnalyzeError::corrupt("the XML ends inside an element")
                    .at(reader.buffer_position()));
            }
            _ => {}
        }
    }
}

impl Pom {
    fn open(&mut self, path: &[String]) {
        match words(path).as_slice() {
            ["project", "parent"] => self.parent = Some(Parent::default()),
            ["project", "dependencies", "dependency"] => {
                self.dependencies.push(Dependency::default());
            }
            [
                "project",
                "dependencyManagement",
                "dependencies",
                "dependency",
            ] => {
                self.managed.push(Dependency::default());
            }
            _ => {}
        }
    }

    fn set(&mut self, path: &[String], value: &str) {
        let owned = || value.to_owned();
        match words(path).as_slice() {
            ["project", "groupId"] => self.group = Some(owned()),
            ["project", "artifactId"] => self.artifact = Some(owned()),
            ["project", "version"] => self.version = Some(owned()),
            ["project", "properties", name] => {
                self.properties.insert((*name).to_owned(), owned());
            }
            ["project", "parent", field] => {
                if let Some(parent) = &mut self.parent {
                    parent.set(field, value);
                }
            }
            ["project", "dependencies", "dependency", field] => {
                if let Some(dependency) = self.dependencies.last_mut() {
                    dependency.set(field, value);
                }
            }
            [
                "project",
                "dependencyManagement",
                "dependencies",
                "dependency",
                field,
            ] => {
                if let Some(dependency) = self.managed.last_mut() {
                    dependency.set(field, value);
                }
            }
            _ => {}
        }
    }
}

/// The path as far as any element of interest lies.
fn words(path: &[String]) -> Vec<&str> {
    path.iter().take(6).map(String::as_str).collect()
}

impl Parent {
    fn set(&mut self, field: &str, value: &str) {
        match field {
            "groupId" => self.group = value.to_owned(),
            "artifactId" => self.artifact = value.to_owned(),
            "version" => self.version = value.to_owned(),
            "relativePath" => self.relative_path = Some(value.to_owned()),
            _ => {}
        }
    }
}

impl Dependency {
    fn set(&mut self, field: &str, value: &str) {
        match field {
            "groupId" => self.group = value.to_owned(),
            "artifactId" => self.artifact = value.to_owned(),
            "version" => self.version = Some(value.to_owned()),
            "scope" => self.scope = Some(value.to_owned()),
            "type" => self.kind = Some(value.to_owned()),
            _ => {}
        }
    }
}
