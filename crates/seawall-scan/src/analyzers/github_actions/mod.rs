//! The actions that GitHub workflows and composite actions use.

use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// `.github/workflows/*.yml` and `action.yml` (docs.github.com, "Workflow syntax" and "Metadata
/// syntax").
///
/// `uses: owner/repository[/path]@ref` is a package `owner/repository` whose version is the ref as
/// written, a tag mostly. Where the ref is a commit, the version is the one that the comment behind
/// it names (`# v4.1.1`, as Dependabot and others keep it), else the commit. Local actions (`./x`)
/// and container images (`docker://x`) are left out.
#[derive(Debug)]
pub struct Workflow;

#[derive(Deserialize)]
struct Document {
    /// Of a workflow.
    #[serde(default)]
    jobs: Option<BTreeMap<String, Option<Job>>>,
    /// Of a composite action.
    #[serde(default)]
    runs: Option<Runs>,
}

#[derive(Deserialize)]
struct Job {
    /// A workflow of another repository.
    #[serde(default)]
    uses: Option<String>,
    #[serde(default)]
    steps: Option<Vec<Option<Step>>>,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    steps: Option<Vec<Option<Step>>>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    uses: Option<String>,
}

impl Analyzer for Workflow {
    fn name(&self) -> &'static str {
        "github-actions"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::InDirectory("workflows"),
            Pattern::Name("action.yml"),
            Pattern::Name("action.yaml"),
        ]
    }

    fn max_bytes(&self) -> u64 {
        4 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if !is_workflow(file.path) {
            return Ok(());
        }
        let text = document::text(file)?;
        let comments = comments(&text);
        let mut declared = Declared::new(PackageType::GithubActions);
        for document in document::yaml::<Document>(file)? {
            let jobs = document.jobs.into_iter().flat_map(BTreeMap::into_values);
            let (reused, steps): (Vec<_>, Vec<_>) =
                jobs.flatten().map(|job| (job.uses, job.steps)).unzip();
            let runs = document.runs.map(|runs| runs.steps);
            let steps = steps.into_iter().chain(runs).flatten().flatten().flatten();
            let used = reused.into_iter().chain(steps.map(|step| step.uses));
            for uses in used.flatten() {
                if let Some((name, version)) = action(&uses, &comments) {
                    declared.add(&name, version, false);
                }
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

fn is_workflow(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let in_workflows =
        directory == ".github/workflows" || directory.ends_with("/.github/workflows");
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    matches!(name, "action.yml" | "action.yaml") || in_workflows && is_yaml
}

/// The name and version of what is used, if it is an action of a repository.
fn action<'a>(uses: &'a str, comments: &HashMap<&str, &'a str>) -> Option<(String, &'a str)> {
    let (path, reference) = uses.trim().split_once('@')?;
    if path.starts_with('.') || path.contains("://") {
        return None;
    }
    let mut parts = path.split('/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    if owner.is_empty() || repository.is_empty() {
        return None;
    }
    let is_commit = reference.len() >= 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    let version = match comments.get(uses.trim()) {
        Some(version) if is_commit => version,
        _ => reference,
    };
    Some((format!("{owner}/{repository}"), version))
}

/// The versions in comments, by the `uses` that they stand behind. YAML readers drop comments, so
/// the lines are looked at as text.
fn comments(text: &str) -> HashMap<&str, &str> {
    text.lines().filter_map(comment).collect()
}

/// `uses: owner/repository@commit # v4.1.1`
fn comment(line: &str) -> Option<(&str, &str)> {
    let (_, value) = line.split_once("uses:")?;
    let (value, comment) = value.split_once(" #")?;
    let version = comment
        .split(|c: char| c.is_whitespace() || matches!(c, '=' | ',' | '@'))
        .find(|word| is_version(word))?;
    Some((value.trim().trim_matches(['"', '\'']), version))
}

fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.starts_with(|c: char| c.is_ascii_digit()) && !number.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    const COMMIT: &str = "b4ffde65f46336ab88eb53be808477a3936bae11";

    #[test]
    fn actions_of_a_workflow() {
        let workflow = format!(
            "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      \
             - uses: actions/checkout@{COMMIT} # v4.1.1\n      \
             - name: Analyze\n        uses: \"github/codeql-action/init@v3\"\n      \
             - uses: acme/pinned@{COMMIT}\n      \
             - uses: ./local\n      - uses: docker://alpine:3.20\n      - run: echo uses\n  \
             call:\n    uses: acme/shared/.github/workflows/x.yml@main\n  empty:\n"
        );
        check(
            &Workflow,
            "src/.github/workflows/ci.yml",
            workflow.as_bytes(),
            &[
                "acme/shared main",
                "actions/checkout v4.1.1",
                "github/codeql-action v3",
                &format!("acme/pinned {COMMIT}"),
            ],
        );
        check(&Workflow, "docs/workflows/ci.yml", b"{not ours", &[]);
    }

    #[test]
    fn actions_of_a_composite_action() {
        check(
            &Workflow,
            "setup/action.yml",
            b"name: Setup\nruns:\n  using: composite\n  steps:\n    - uses: actions/cache@v4.0.2\n",
            &["actions/cache v4.0.2"],
        );
        check(
            &Workflow,
            "action.yml",
            b"name: Own\nruns:\n  using: node20\n  main: index.js\n",
            &[],
        );
    }

    #[test]
    fn damage_is_located() {
        let (_, result) = analyze(&Workflow, "action.yml", b"runs:\n  steps: [\n");
        assert!(result.unwrap_err().offset.is_some());
    }
}
