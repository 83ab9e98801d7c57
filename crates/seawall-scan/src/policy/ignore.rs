//! Ignore files: which findings somebody decided to live with.

use jiff::civil::Date;
use seawall_model::{Finding, Package, Suppression};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::glob::Glob;
use super::{PolicyError, day, yaml};

/// One rule. All conditions that it has must hold.
#[derive(Debug)]
pub(super) struct Rule {
    /// File and line.
    source: String,
    ids: Vec<String>,
    packages: Vec<Glob>,
    paths: Vec<Glob>,
    version: Option<String>,
    kind: Option<String>,
    upstream: Option<Glob>,
    fix_state: Option<String>,
    reason: Option<String>,
    expires: Option<Date>,
}

impl Rule {
    /// Whether it has not expired: `expires` is the first day on which it no longer holds.
    pub(super) fn holds(&self, today: Date) -> bool {
        self.expires.is_none_or(|expires| today < expires)
    }

    pub(super) fn matches(&self, finding: &Finding, package: &Package, purl: &str) -> bool {
        let named = |id: &String| {
            let names = std::iter::once(&finding.id)
                .chain(&finding.aliases)
                .chain(&finding.cnnvd);
            names.into_iter().any(|name| name.eq_ignore_ascii_case(id))
        };
        let spellings = spellings(purl);
        let packaged = |glob: &Glob| {
            glob.matches(&package.name) || spellings.iter().any(|spelling| glob.matches(spelling))
        };
        let source = package
            .source
            .as_ref()
            .map_or(&package.name, |source| &source.name);
        any(&self.ids, named)
            && any(&self.packages, packaged)
            && self.covers_all(&package.paths)
            && self
                .version
                .as_ref()
                .is_none_or(|version| *version == package.version)
            && self
                .kind
                .as_deref()
                .is_none_or(|kind| kind == package.kind.name())
            && self
                .upstream
                .as_ref()
                .is_none_or(|glob| glob.matches(source))
            && self
                .fix_state
                .as_deref()
                .is_none_or(|state| state == finding.fix.state.name())
    }

    /// Whether the rule's paths cover every place of a package: one that lies beside the tests as well is
    /// no package of the tests.
    fn covers_all(&self, paths: &[String]) -> bool {
        let is_covered = |path: &String| self.paths.iter().any(|glob| glob.matches_path(path));
        self.paths.is_empty() || (!paths.is_empty() && paths.iter().all(is_covered))
    }

    pub(super) fn suppression(&self) -> Suppression {
        Suppression {
            by: "ignore-file",
            source: self.source.clone(),
            reason: self.reason.clone(),
            expires: self.expires.map(|day| day.to_string()),
        }
    }

    pub(super) fn expired(&self) -> String {
        let day = self
            .expires
            .map_or(String::new(), |day| format!(" on {day}"));
        let what = self
            .ids
            .first()
            .map_or(String::new(), |id| format!(" for {id}"));
        format!(
            "the ignore rule{what} at {} expired{day} and no longer holds",
            self.source
        )
    }
}

/// No condition, or one that holds.
fn any<T>(conditions: &[T], holds: impl Fn(&T) -> bool) -> bool {
    conditions.is_empty() || conditions.iter().any(holds)
}

/// A purl as rules write it: whole, without qualifiers, without version.
fn spellings(purl: &str) -> [&str; 3] {
    let plain = purl.split_once('?').map_or(purl, |(plain, _)| plain);
    let bare = plain.rsplit_once('@').map_or(plain, |(bare, _)| bare);
    [purl, plain, bare]
}

const HINT: &str = "a rule has the keys `reason` (required), `id`, `package`, `path`, `expires` and \
                    `owner`; see docs/policy.md";

/// Reads an ignore file of any of the kinds that [`super::Policy::add_ignore_file`] names.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Rule>, PolicyError> {
    if is_plain_list(text) {
        return plain_list(file, text);
    }
    let shape: Shape = yaml(file, text, HINT)?;
    if shape.vulnerabilities.is_some() {
        let document: TrivyFile = yaml(file, text, TRIVY_HINT)?;
        return document
            .vulnerabilities
            .iter()
            .map(|rule| rule.value.rule(file, rule))
            .collect();
    }
    if shape.ignore.iter().flatten().any(RuleShape::is_grype) {
        let document: GrypeFile = yaml(file, text, GRYPE_HINT)?;
        return document
            .ignore
            .iter()
            .map(|rule| rule.value.rule(file, rule))
            .collect();
    }
    let document: OwnFile = yaml(file, text, HINT)?;
    document
        .ignore
        .iter()
        .map(|rule| rule.value.rule(file, rule))
        .collect()
}

/// Which kind of file it is, told from its keys.
#[derive(Deserialize)]
struct Shape {
    ignore: Option<Vec<RuleShape>>,
    vulnerabilities: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RuleShape {
    vulnerability: Option<IgnoredAny>,
    #[serde(rename = "fix-state")]
    fix_state: Option<IgnoredAny>,
    package: Option<TextOrMap>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrMap {
    Text(#[expect(dead_code, reason = "only the shape counts")] String),
    Map(IgnoredAny),
}

impl RuleShape {
    fn is_grype(&self) -> bool {
        let map = matches!(self.package, Some(TextOrMap::Map(_)));
        self.vulnerability.is_some() || self.fix_state.is_some() || map
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnFile {
    ignore: Vec<Spanned<OwnRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnRule {
    id: Option<String>,
    package: Option<String>,
    path: Option<String>,
    reason: String,
    expires: Option<String>,
    owner: Option<String>,
}

impl OwnRule {
    fn rule(&self, file: &str, at: &Spanned<Self>) -> Result<Rule, PolicyError> {
        let mut rule = RuleBuilder::new(file, at.referenced.line());
        if self.id.is_none() && self.package.is_none() && self.path.is_none() {
            return Err(rule.refuse(
                "a rule without `id`, `package` and `path` would ignore everything",
                HINT,
            ));
        }
        if self.reason.trim().is_empty() {
            return Err(rule.refuse("the reason is empty", "say why this may be ignored"));
        }
        rule.ids(self.id.as_slice());
        rule.packages(self.package.as_slice())?;
        rule.paths(self.path.as_slice())?;
        rule.expires(self.expires.as_deref())?;
        rule.rule.reason = Some(match &self.owner {
            Some(owner) => format!("{} (owner {owner})", self.reason),
            None => self.reason.clone(),
        });
        Ok(rule.rule)
    }
}

const TRIVY_HINT: &str = "the keys of a rule of `.trivyignore.yaml` are `id`, `paths`, `purls`, \
                          `expired_at` and `statement`";

/// `.trivyignore.yaml`. The other lists (misconfigurations, secrets, licences) speak of other
/// kinds of findings.
#[derive(Deserialize)]
struct TrivyFile {
    vulnerabilities: Vec<Spanned<TrivyRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrivyRule {
    id: String,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    purls: Vec<String>,
    expired_at: Option<String>,
    statement: Option<String>,
}

impl TrivyRule {
    fn rule(&self, file: &str, at: &Spanned<Self>) -> Result<Rule, PolicyError> {
        let mut rule = RuleBuilder::new(file, at.referenced.line());
        rule.ids(std::slice::from_ref(&self.id));
        rule.packages(&self.purls)?;
        rule.paths(&self.paths)?;
        rule.expires(self.expired_at.as_deref())?;
        rule.rule.reason = self.statement.clone();
        Ok(rule.rule)
    }
}

const GRYPE_HINT: &str = "the keys of a grype rule that are read are `vulnerability`, `fix-state`, \
                          `reason` and `package` with `name`, `version`, `type`, `location` and \
                          `upstream-name`";

/// A grype configuration; its other keys are settings of grype.
#[derive(Deserialize)]
struct GrypeFile {
    ignore: Vec<Spanned<GrypeRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GrypeRule {
    vulnerability: Option<String>,
    // Ours always looks at aliases.
    #[serde(rename = "include-aliases")]
    _include_aliases: Option<bool>,
    fix_state: Option<String>,
    reason: Option<String>,
    package: Option<GrypePackage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GrypePackage {
    name: Option<String>,
    version: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    location: Option<String>,
    upstream_name: Option<String>,
}

impl GrypeRule {
    fn rule(&self, file: &str, at: &Spanned<Self>) -> Result<Rule, PolicyError> {
        let mut rule = RuleBuilder::new(file, at.referenced.line());
        let package = self.package.as_ref();
        let conditions = package.is_some_and(|p| {
            [&p.name, &p.version, &p.kind, &p.location, &p.upstream_name]
                .iter()
                .any(|k| k.is_some())
        });
        if self.vulnerability.is_none() && self.fix_state.is_none() && !conditions {
            return Err(rule.refuse(
                "a rule without conditions would ignore everything",
                GRYPE_HINT,
            ));
        }
        rule.ids(self.vulnerability.as_slice());
        if let Some(package) = package {
            rule.packages(package.name.as_slice())?;
            rule.paths(package.location.as_slice())?;
            rule.rule.version = package.version.clone();
            rule.rule.kind = package.kind.as_deref().map(grype_kind);
            rule.rule.upstream = match &package.upstream_name {
                Some(name) => Some(rule.glob(Glob::name(name), name)?),
                None => None,
            };
        }
        rule.rule.fix_state = self.fix_state.clone();
        rule.rule.reason = self.reason.clone();
        Ok(rule.rule)
    }
}

/// grype's package types where they differ from purl's.
fn grype_kind(kind: &str) -> String {
    match kind {
        "python" => "pypi",
        "java-archive" => "maven",
        "go-module" => "golang",
        "rust-crate" => "cargo",
        "php-composer" => "composer",
        "dotnet" => "nuget",
        "binary" => "generic",
        same => same,
    }
    .to_owned()
}

/// Whether every line is a comment or begins with an identifier, not with a YAML key.
fn is_plain_list(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.all(|line| {
        let word = line.split_whitespace().next().unwrap_or_default();
        !word.contains(':') && !word.starts_with(['-', '{', '[']) && word.contains('-')
    })
}

/// `.trivyignore`: an identifier a line, `exp:YYYY-MM-DD` behind it, `#` begins a comment.
fn plain_list(file: &str, text: &str) -> Result<Vec<Rule>, PolicyError> {
    let mut rules = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (line, comment) = line.split_once('#').unwrap_or((line, ""));
        let mut words = line.split_whitespace();
        let Some(id) = words.next() else {
            continue;
        };
        let mut rule = RuleBuilder::new(file, number);
        rule.ids(&[id.to_owned()]);
        for word in words {
            match word.strip_prefix("exp:") {
                Some(day) => rule.expires(Some(day))?,
                None => {
                    let message = format!("`{word}` behind {id} means nothing");
                    let hint = "behind an identifier only `exp:YYYY-MM-DD` or a comment is read";
                    return Err(rule.refuse(&message, hint));
                }
            }
        }
        let comment = comment.trim();
        rule.rule.reason = (!comment.is_empty()).then(|| comment.to_owned());
        rules.push(rule.rule);
    }
    Ok(rules)
}

/// A rule in the making, with the place that errors name.
struct RuleBuilder<'a> {
    file: &'a str,
    line: u64,
    rule: Rule,
}

impl<'a> RuleBuilder<'a> {
    fn new(file: &'a str, line: u64) -> Self {
        let rule = Rule {
            source: format!("{file}:{line}"),
            ids: Vec::new(),
            packages: Vec::new(),
            paths: Vec::new(),
            version: None,
            kind: None,
            upstream: None,
            fix_state: None,
            reason: None,
            expires: None,
        };
        Self { file, line, rule }
    }

    fn refuse(&self, message: &str, hint: &'static str) -> PolicyError {
        PolicyError {
            file: self.file.to_owned(),
            line: Some(self.line),
            message: message.to_owned(),
            hint,
        }
    }

    fn glob(&self, glob: Option<Glob>, pattern: &str) -> Result<Glob, PolicyError> {
        let message = format!("`{pattern}` is not a pattern");
        glob.ok_or_else(|| self.refuse(&message, "`*` stands for any text, `?` for one character"))
    }

    fn ids(&mut self, ids: &[String]) {
        self.rule
            .ids
            .extend(ids.iter().map(|id| id.trim().to_owned()));
    }

    fn packages(&mut self, patterns: &[String]) -> Result<(), PolicyError> {
        for pattern in patterns {
            self.rule
                .packages
                .push(self.glob(Glob::name(pattern), pattern)?);
        }
        Ok(())
    }

    fn paths(&mut self, patterns: &[String]) -> Result<(), PolicyError> {
        for pattern in patterns {
            self.rule
                .paths
                .push(self.glob(Glob::path(pattern), pattern)?);
        }
        Ok(())
    }

    fn expires(&mut self, text: Option<&str>) -> Result<(), PolicyError> {
        if let Some(text) = text {
            self.rule.expires = Some(day(self.file, Some(self.line), text)?);
        }
        Ok(())
    }
}
