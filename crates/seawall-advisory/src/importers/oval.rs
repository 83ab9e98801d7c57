//! OVAL definitions (<https://oval.mitre.org/language/version5.11/>) as the distributions use them:
//! a definition's criteria are brought into rows of *this package below this version, on this
//! release, with this module, on this architecture*.
//!
//! The file is read event by event. Definitions come before the tests, objects and states that
//! they refer to, so these are kept, by identifier, in the few words that matter. Where a test is
//! missing its comment is used, which says the same in words.

use super::FeedFile;
use super::json::without_bom;
use super::rejected::Rejected;
use super::rpm_rows::evr;
use super::xml::{self, Node, Xml, attribute};
use quick_xml::events::BytesStart;
use seawall_model::IncompleteReason;
use std::collections::HashMap;

/// Ways to fulfil one definition's criteria, times tests in each. The largest known definitions
/// (kernels of SUSE) have a few ten thousand.
const MAX_EXPANDED: usize = 500_000;

/// Text of one element that is kept, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// A parsed file.
#[derive(Default)]
pub(super) struct Document {
    pub(super) definitions: Vec<Definition>,
    tests: HashMap<String, Test>,
    objects: HashMap<String, String>,
    states: HashMap<String, StateOf>,
}

/// One definition.
#[derive(Default)]
pub(super) struct Definition {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) severity: String,
    pub(super) issued: Option<String>,
    pub(super) updated: Option<String>,
    /// Azure Linux: `true`, `false` or `Not Applicable`.
    pub(super) patchable: String,
    pub(super) references: Vec<Reference>,
    pub(super) flaws: Vec<Flaw>,
    pub(super) cpes: Vec<String>,
    /// Red Hat: what will be done about packages without a fix, as (state, package).
    pub(super) resolutions: Vec<(String, String)>,
    criteria: Option<Criteria>,
    /// Where it begins in the file.
    pub(super) offset: u64,
}

/// Another name, with a link.
pub(super) struct Reference {
    pub(super) source: String,
    pub(super) id: String,
    pub(super) url: String,
}

/// A flaw that a definition speaks of.
#[derive(Default)]
pub(super) struct Flaw {
    pub(super) id: String,
    pub(super) impact: String,
    /// The vector behind `score/`.
    pub(super) vectors: Vec<String>,
    pub(super) cwe: String,
}

enum Criteria {
    Group { any: bool, children: Vec<Criteria> },
    Test { reference: String, comment: String },
}

struct Test {
    object: String,
    state: String,
}

#[derive(Default)]
struct StateOf {
    operation: String,
    evr: String,
    architectures: Vec<String>,
}

/// What one test asks.
#[derive(Debug, Clone, PartialEq)]
enum Fact<'a> {
    Platform(&'a str),
    Architecture(&'a str),
    Module(&'a str),
    /// Oracle's packages that are patched in memory.
    Ksplice,
    Package {
        name: &'a str,
        bound: Bound<'a>,
        architectures: &'a [String],
    },
}

/// Which versions of a package a test is true for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound<'a> {
    Below(&'a str),
    UpTo(&'a str),
    /// Every version.
    Installed,
    /// None: the definition says that the package is not affected.
    Never,
}

/// One way to fulfil a definition's criteria.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<'a> {
    /// As the comment names it: `Oracle Linux 8`.
    pub(super) platform: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) bound: Bound<'a>,
    pub(super) architectures: Vec<&'a str>,
    pub(super) module: Option<&'a str>,
    pub(super) ksplice: bool,
}

/// Whether a file is of OVAL, and its generator's or definitions' words hold `mark`.
pub(super) fn is_oval_of(file: &FeedFile<'_>, marks: &[&str]) -> bool {
    let bytes = without_bom(file.bytes);
    let head = bytes.get(..4096).unwrap_or(bytes);
    let has = |mark: &&str| memchr::memmem::find(head, mark.as_bytes()).is_some();
    head.trim_ascii_start().starts_with(b"<") && has(&"<oval_definitions") && marks.iter().any(has)
}

/// Reads a file. What is damaged is reported, and what stands before it returned.
pub(super) fn read(file: &FeedFile<'_>, rejected: &mut Rejected<'_>) -> Document {
    let text = xml::text(file);
    let mut xml = Xml::new(&text);
    let mut parser = Parser::default();
    while let Some(node) = xml.next(rejected) {
        match node {
            Node::Start(start) => parser.start(&start, xml.offset()),
            Node::Text(text) => {
                if parser.text.len() < MAX_TEXT {
                    parser.text.push_str(&text);
                }
            }
            Node::End(name) => parser.end(&name),
        }
    }
    parser.document
}

#[derive(Default)]
struct Parser {
    document: Document,
    definition: Option<Definition>,
    groups: Vec<Criteria>,
    flaw: Flaw,
    resolution: String,
    /// Identifier of the test, object or state that is open.
    id: String,
    test: Option<Test>,
    state: StateOf,
    text: String,
}

impl Parser {
    fn start(&mut self, start: &BytesStart<'_>, offset: u64) {
        self.text.clear();
        let get = |name: &str| attribute(start, name).unwrap_or_default();
        match start.local_name().as_ref() {
            "definition" => {
                self.groups.clear();
                self.definition = Some(Definition {
                    id: get("id"),
                    offset,
                    ..Definition::default()
                });
            }
            "criteria" => self.groups.push(Criteria::Group {
                any: get("operator").eq_ignore_ascii_case("OR"),
                children: Vec::new(),
            }),
            "criterion" => {
                let test = Criteria::Test {
                    reference: get("test_ref"),
                    comment: get("comment"),
                };
                self.close(test);
            }
            "reference" => {
                if let Some(definition) = &mut self.definition {
                    definition.references.push(Reference {
                        source: get("source"),
                        id: get("ref_id"),
                        url: get("ref_url"),
                    });
                }
            }
            "issued" => {
                if let Some(definition) = &mut self.definition {
                    definition.issued = attribute(start, "date");
                }
            }
            "updated" => {
                if let Some(definition) = &mut self.definition {
                    definition.updated = attribute(start, "date");
                }
            }
            "cve" => {
                let vectors = ["cvss4", "cvss3", "cvss2"].into_iter();
                self.flaw = Flaw {
                    id: String::new(),
                    impact: get("impact"),
                    vectors: vectors
                        .filter_map(|name| attribute(start, name))
                        .filter_map(|value| Some(value.split_once('/')?.1.to_owned()))
                        .collect(),
                    cwe: get("cwe"),
                };
            }
            "resolution" => self.resolution = get("state"),
            "rpminfo_test" => {
                self.id = get("id");
                self.test = Some(Test {
                    object: String::new(),
                    state: String::new(),
                });
            }
            "object" => {
                if let Some(test) = &mut self.test {
                    test.object = get("object_ref");
                }
            }
            "state" => {
                if let Some(test) = &mut self.test {
                    test.state = get("state_ref");
                }
            }
            "rpminfo_object" => self.id = get("id"),
            "rpminfo_state" => {
                self.id = get("id");
                self.state = StateOf::default();
            }
            "evr" | "version" if !self.id.is_empty() => self.state.operation = get("operation"),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        match name {
            "criteria" => {
                if let Some(group) = self.groups.pop() {
                    self.close(group);
                }
            }
            "rpminfo_test" => {
                let id = std::mem::take(&mut self.id);
                if let Some(test) = self.test.take() {
                    self.document.tests.insert(id, test);
                }
            }
            "rpminfo_object" => self.id.clear(),
            "name" if !self.id.is_empty() && self.test.is_none() => {
                let id = std::mem::take(&mut self.id);
                self.document.objects.insert(id, text.to_owned());
            }
            "evr" | "version" if !self.id.is_empty() => self.state.evr = evr(text).to_owned(),
            "arch" if !self.id.is_empty() => {
                let names = text
                    .trim_start_matches('(')
                    .trim_end_matches(')')
                    .split('|');
                self.state.architectures = names.map(|name| name.trim().to_owned()).collect();
            }
            "rpminfo_state" => {
                let id = std::mem::take(&mut self.id);
                let state = std::mem::take(&mut self.state);
                self.document.states.insert(id, state);
            }
            "definition" => self.document.definitions.extend(self.definition.take()),
            _ => self.end_of_metadata(name, text),
        }
    }

    fn end_of_metadata(&mut self, name: &str, text: &str) {
        let Some(definition) = &mut self.definition else {
            return;
        };
        match name {
            "title" => definition.title = text.to_owned(),
            "description" => definition.description = text.to_owned(),
            "severity" => definition.severity = text.to_owned(),
            "patchable" => definition.patchable = text.to_owned(),
            "advisory_date" => definition.issued = Some(text.to_owned()),
            "cpe" => definition.cpes.push(text.to_owned()),
            "component" => {
                let state = self.resolution.clone();
                definition.resolutions.push((state, text.to_owned()));
            }
            "cve" => {
                let mut flaw = std::mem::take(&mut self.flaw);
                // SUSE writes `CVE-2010-1323 at NVD`.
                let id = text.split_whitespace().next().unwrap_or_default();
                flaw.id = id.to_owned();
                definition.flaws.push(flaw);
            }
            _ => {}
        }
    }

    /// Hands finished criteria to the group around them, or to the definition.
    fn close(&mut self, criteria: Criteria) {
        match (self.groups.last_mut(), &mut self.definition) {
            (Some(Criteria::Group { children, .. }), _) => children.push(criteria),
            (_, Some(definition)) => definition.criteria = Some(criteria),
            _ => {}
        }
    }
}

impl Document {
    /// The ways to fulfil a definition's criteria, one row for each package.
    pub(super) fn rows<'a>(
        &'a self,
        definition: &'a Definition,
        rejected: &mut Rejected<'_>,
    ) -> Vec<Row<'a>> {
        let mut budget = MAX_EXPANDED;
        let ways = match &definition.criteria {
            Some(criteria) => self.expand(criteria, &mut budget),
            None => Some(Vec::new()),
        };
        let Some(ways) = ways else {
            let message = format!("criteria of {} are too many to follow", definition.id);
            let offset = Some(definition.offset);
            rejected.push(IncompleteReason::LimitReached, offset, message);
            return Vec::new();
        };
        ways.iter().flat_map(|way| rows_of(way)).collect()
    }

    /// All conjunctions of facts that fulfil the criteria; `None` when they are too many.
    fn expand<'a>(
        &'a self,
        criteria: &'a Criteria,
        budget: &mut usize,
    ) -> Option<Vec<Vec<Fact<'a>>>> {
        let (any, children) = match criteria {
            Criteria::Test { reference, comment } => {
                let fact = self.fact(reference, comment);
                return Some(vec![fact.into_iter().collect()]);
            }
            Criteria::Group { any, children } => (*any, children),
        };
        let mut ways: Vec<Vec<Fact<'a>>> = match any {
            true => Vec::new(),
            false => vec![Vec::new()],
        };
        for child in children {
            let own = self.expand(child, budget)?;
            if any {
                ways.extend(own);
            } else if let [only] = own.as_slice() {
                // The common case, without copies: another condition on all ways so far.
                ways.iter_mut().for_each(|way| way.extend_from_slice(only));
            } else {
                let size = ways
                    .iter()
                    .chain(&own)
                    .map(|way| way.len() + 1)
                    .sum::<usize>();
                let cost = size.checked_mul(ways.len().max(own.len()))?;
                *budget = budget.checked_sub(cost)?;
                ways = ways
                    .iter()
                    .flat_map(|way| own.iter().map(|more| [&way[..], &more[..]].concat()))
                    .collect();
            }
        }
        Some(ways)
    }

    /// What a test asks, or `None` for what does not matter here (signatures, running kernels).
    fn fact<'a>(&'a self, reference: &str, comment: &'a str) -> Option<Fact<'a>> {
        if let Some(fact) = fact_by_comment(comment) {
            return Some(fact);
        }
        if is_ignored(comment) {
            return None;
        }
        let test = self.tests.get(reference);
        let name = test.and_then(|test| self.objects.get(&test.object));
        let Some((test, name)) = test.zip(name) else {
            return package_by_comment(comment);
        };
        let state = self.states.get(&test.state);
        let version = state.map(|state| state.evr.as_str()).unwrap_or_default();
        let operation = state.map(|state| state.operation.as_str());
        let bound = match operation {
            // SUSE's older files give the number of the operation instead of its name.
            Some("less than" | "6") => Bound::Below(version),
            Some("less than or equal") => Bound::UpTo(version),
            Some("equals") if version == "0" => Bound::Never,
            Some("equals") => Bound::UpTo(version),
            _ => Bound::Installed,
        };
        Some(Fact::Package {
            name,
            bound,
            architectures: state
                .map(|state| &state.architectures[..])
                .unwrap_or_default(),
        })
    }
}

/// Facts that are told by the comment alone in every distribution's files.
fn fact_by_comment(comment: &str) -> Option<Fact<'_>> {
    const PLATFORMS: [&str; 6] = [
        "Red Hat Enterprise Linux ",
        "Red Hat CoreOS",
        "Oracle Linux ",
        "SUSE ",
        "openSUSE ",
        "Image ",
    ];
    if let Some(module) = comment
        .strip_prefix("Module ")
        .and_then(|rest| rest.strip_suffix(" is enabled"))
    {
        return Some(Fact::Module(module));
    }
    if let Some(architecture) = comment.strip_prefix("Oracle Linux arch is ") {
        return Some(Fact::Architecture(architecture));
    }
    if comment.ends_with(" is ksplice-based") {
        return Some(Fact::Ksplice);
    }
    let platform = comment.strip_suffix(" is installed")?;
    let known = PLATFORMS.iter().any(|prefix| platform.starts_with(prefix));
    known.then_some(Fact::Platform(platform))
}

fn is_ignored(comment: &str) -> bool {
    comment.contains(" is signed with ")
        || comment.contains("is currently running")
        || comment.contains("set to boot up")
        || comment.ends_with("must be installed")
        || comment.ends_with("is not installed")
}

/// A package, told by the comment where the test is missing.
fn package_by_comment(comment: &str) -> Option<Fact<'_>> {
    let comment = comment.strip_prefix("Package ").unwrap_or(comment);
    let (name, bound) = if let Some((name, version)) = comment.split_once(" is earlier than ") {
        let version = version.split([',', ' ']).find(|word| !word.is_empty())?;
        (name, Bound::Below(evr(version)))
    } else if let Some(name) = comment.strip_suffix(" is not affected") {
        (name, Bound::Never)
    } else if let Some(name) = comment.strip_suffix(" is affected") {
        (name, Bound::Installed)
    } else {
        let package = comment.strip_suffix(" is installed")?;
        // SUSE's way to name the version that mends: `krb5-1.15.2-4.25 is installed`.
        let mut parts = package.rsplitn(3, '-');
        let (release, version, name) = (parts.next()?, parts.next(), parts.next());
        let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        match (version, name) {
            (Some(version), Some(name)) if number(release) && number(version) => {
                let start = name.len() + 1;
                (name, Bound::Below(package.get(start..)?))
            }
            _ => (package, Bound::Installed),
        }
    };
    Some(Fact::Package {
        name,
        bound,
        architectures: &[],
    })
}

fn rows_of<'a>(way: &[Fact<'a>]) -> Vec<Row<'a>> {
    let platform = way.iter().find_map(|fact| match fact {
        Fact::Platform(platform) => Some(*platform),
        _ => None,
    });
    let module = way.iter().find_map(|fact| match fact {
        Fact::Module(module) => Some(*module),
        _ => None,
    });
    let on = way.iter().find_map(|fact| match fact {
        Fact::Architecture(architecture) => Some(*architecture),
        _ => None,
    });
    let ksplice = way.contains(&Fact::Ksplice);
    way.iter()
        .filter_map(|fact| match fact {
            Fact::Package {
                name,
                bound,
                architectures,
            } => Some(Row {
                platform,
                name,
                bound: *bound,
                architectures: match on {
                    Some(architecture) => vec![architecture],
                    None => architectures.iter().map(String::as_str).collect(),
                },
                module,
                ksplice,
            }),
            _ => None,
        })
        .collect()
}
