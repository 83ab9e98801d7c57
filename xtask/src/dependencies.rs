//! Who may know whom (ARCHITECTURE.md), and what licences may come in (deny.toml).

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::Command;

/// For each crate of ours the crates of ours that it may name in `[dependencies]`.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("seawall-model", &[]),
    ("seawall-artifact", &["seawall-model"]),
    ("seawall-advisory", &["seawall-model"]),
    (
        "seawall-scan",
        &["seawall-artifact", "seawall-advisory", "seawall-model"],
    ),
    ("seawall-report", &["seawall-model"]),
    (
        "seawall",
        &[
            "seawall-artifact",
            "seawall-advisory",
            "seawall-model",
            "seawall-report",
            "seawall-scan",
        ],
    ),
    (
        "seawall-fuzz",
        &[
            "seawall-artifact",
            "seawall-advisory",
            "seawall-model",
            "seawall-report",
            "seawall-scan",
        ],
    ),
    ("xtask", &[]),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `null` for normal dependencies, `dev` or `build` for the others.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Deny {
    licenses: DenyLicenses,
}

#[derive(Deserialize)]
struct DenyLicenses {
    allow: Vec<String>,
}

/// Checks both, and lists every violation.
pub(crate) fn check() -> Result<()> {
    let json = crate::output_of(
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--locked"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .current_dir(crate::root()),
    )?;
    let metadata: Metadata = serde_json::from_str(&json).context("cargo metadata")?;
    let deny = std::fs::read_to_string(crate::root().join("deny.toml")).context("deny.toml")?;
    let deny: Deny = toml::from_str(&deny).context("deny.toml")?;

    let mut violations = wrong_arrows(&metadata);
    violations.extend(wrong_licences(&metadata, &deny.licenses.allow));
    for violation in &violations {
        eprintln!("{violation}");
    }
    if !violations.is_empty() {
        bail!(
            "{} dependencies against the rules of ARCHITECTURE.md and deny.toml",
            violations.len()
        );
    }
    println!(
        "{} crates of ours know only whom they may; {} dependencies have allowed licences",
        metadata.workspace_members.len(),
        metadata.packages.len() - metadata.workspace_members.len()
    );
    Ok(())
}

fn wrong_arrows(metadata: &Metadata) -> Vec<String> {
    let rules: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let ours = metadata
        .packages
        .iter()
        .filter(|p| metadata.workspace_members.contains(&p.id));
    let mut wrong = Vec::new();
    for package in ours {
        let Some(allowed) = rules.get(package.name.as_str()) else {
            wrong.push(format!(
                "{} has no rule in xtask/src/dependencies.rs",
                package.name
            ));
            continue;
        };
        let known = package.dependencies.iter().filter(|d| d.kind.is_none());
        for dependency in known.filter(|d| rules.contains_key(d.name.as_str())) {
            if !allowed.contains(&dependency.name.as_str()) {
                wrong.push(format!(
                    "{} must not know {}",
                    package.name, dependency.name
                ));
            }
        }
    }
    wrong
}

fn wrong_licences(metadata: &Metadata, allowed: &[String]) -> Vec<String> {
    let foreign = metadata
        .packages
        .iter()
        .filter(|p| !metadata.workspace_members.contains(&p.id));
    foreign
        .filter(|p| !p.license.as_deref().is_some_and(|l| satisfied(l, allowed)))
        .map(|p| {
            let licence = p.license.as_deref().unwrap_or("no licence");
            format!(
                "{} {} is under {licence}, which deny.toml does not allow",
                p.name, p.version
            )
        })
        .collect()
}

/// Whether an SPDX expression can be met with the allowed licences: every operand of `AND`, one of
/// `OR`. Parentheses bind as written; the old `/` means `OR`.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let expression = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let tokens: Vec<&str> = expression.split_whitespace().collect();
    let mut position = 0;
    either(&tokens, &mut position, allowed)
}

fn either(tokens: &[&str], position: &mut usize, allowed: &[String]) -> bool {
    let mut met = both(tokens, position, allowed);
    while tokens.get(*position) == Some(&"OR") {
        *position += 1;
        met |= both(tokens, position, allowed);
    }
    met
}

fn both(tokens: &[&str], position: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(tokens, position, allowed);
    while tokens.get(*position) == Some(&"AND") {
        *position += 1;
        met &= one(tokens, position, allowed);
    }
    met
}

fn one(tokens: &[&str], position: &mut usize, allowed: &[String]) -> bool {
    let Some(token) = tokens.get(*position) else {
        return false;
    };
    *position += 1;
    if *token == "(" {
        let met = either(tokens, position, allowed);
        *position += 1;
        return met;
    }
    let mut licence = (*token).to_owned();
    if tokens.get(*position) == Some(&"WITH") {
        licence = format!(
            "{licence} WITH {}",
            tokens.get(*position + 1).unwrap_or(&"")
        );
        *position += 2;
    }
    allowed.contains(&licence)
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    #[test]
    fn expressions_are_met_by_one_of_or_and_all_of_and() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT/Apache-2.0", true),
            ("GPL-2.0 OR (MIT AND BSD-4-Clause)", false),
        ] {
            assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
        }
    }
}
