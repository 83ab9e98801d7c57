//! `updateinfo.xml` (createrepo's format, as dnf reads it):
//! `update` > `id`, `severity`, `references`, `pkglist` > `collection` > `package`.

use super::super::rejected::Rejected;
use super::super::rpm_rows::{Key, RpmRows, Verdict, is_debug_package};
use super::super::text::date;
use super::super::xml::{self, Node, Xml, attribute};
use super::super::{FeedFile, Records};
use super::{ecosystem, keep, link};
use crate::{Advisory, CoveredFlaw, Source};
use quick_xml::events::BytesStart;
use seawall_model::{IncompleteReason, Severity};

/// Text of one element that is kept, in bytes.
const MAX_TEXT: usize = 64 * 1024;

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut rejected = Rejected::new(file);
    let text = xml::text(file);
    let mut xml = Xml::new(&text);
    let mut update: Option<Update> = None;
    let mut content = String::new();
    while let Some(node) = xml.next(&mut rejected) {
        match node {
            Node::Start(start) => {
                content.clear();
                if start.local_name().as_ref() == "update" {
                    update = Some(Update::new(&start));
                } else if let Some(update) = &mut update {
                    update.start(&start, xml.offset(), &mut rejected);
                }
            }
            Node::Text(text) if content.len() < MAX_TEXT => content.push_str(&text),
            Node::Text(_) => {}
            Node::End(name) if name == "update" => {
                if let Some(update) = update.take() {
                    update.finish(records);
                }
            }
            Node::End(name) => {
                if let Some(update) = &mut update {
                    update.end(&name, content.trim());
                }
                content.clear();
            }
        }
    }
    rejected.finish(records);
}

struct Update {
    advisory: Advisory,
    rows: RpmRows,
    security: bool,
    in_packages: bool,
}

impl Update {
    fn new(start: &BytesStart<'_>) -> Self {
        let kind = attribute(start, "type");
        Self {
            advisory: Advisory::new("", Source::Amazon),
            rows: RpmRows::default(),
            security: kind.is_none_or(|kind| kind == "security"),
            in_packages: false,
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, offset: u64, rejected: &mut Rejected<'_>) {
        let get = |name: &str| attribute(start, name);
        match start.local_name().as_ref() {
            "issued" => self.advisory.published = get("date").as_deref().and_then(date),
            "updated" => self.advisory.modified = get("date").as_deref().and_then(date),
            "reference" if get("type").as_deref() == Some("cve") => {
                let flaws = get("id").map(CoveredFlaw::new);
                self.advisory.covers.extend(flaws);
            }
            "pkglist" => self.in_packages = true,
            "package" => {
                if let Err(error) = self.package(get) {
                    let message = format!("{}: {error}", self.advisory.id);
                    rejected.push(IncompleteReason::Corrupt, Some(offset), message);
                }
            }
            _ => {}
        }
    }

    fn package(&mut self, get: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let name = get("name").ok_or("a package without a name")?;
        let version = get("version").zip(get("release"));
        let (version, release) = version.ok_or_else(|| format!("'{name}' without a version"))?;
        let architecture = get("arch").unwrap_or_default();
        if architecture == "src" || is_debug_package(&name) {
            return Ok(());
        }
        let version = match get("epoch").as_deref() {
            None | Some("" | "0") => format!("{version}-{release}"),
            Some(epoch) => format!("{epoch}:{version}-{release}"),
        };
        let ecosystem = ecosystem(&version)
            .ok_or_else(|| format!("of which release is '{name}' {version}?"))?;
        let key = Key::binary(ecosystem, name);
        let verdict = Verdict::Fixed(version);
        self.rows.add(key, verdict, Some(&architecture));
        Ok(())
    }

    fn end(&mut self, name: &str, text: &str) {
        let advisory = &mut self.advisory;
        match name {
            "id" if !self.in_packages => text.clone_into(&mut advisory.id),
            "title" if !self.in_packages => text.clone_into(&mut advisory.title),
            "description" => text.clone_into(&mut advisory.description),
            "severity" => advisory.severity = Severity::from_word(text),
            _ => {}
        }
    }

    fn finish(mut self, records: &mut Records) {
        if !self.security {
            return;
        }
        self.advisory.references = vec![link(&self.advisory.id)];
        self.advisory.affected = self.rows.finish();
        keep(self.advisory, records);
    }
}
