//! Markdown for a comment on a pull request: small enough to be accepted, the important first.

use std::io::{self, Write};

use crate::escape::markdown;
use crate::groups::{self, Group, Row};
use crate::layout::{count, thousands};
use crate::summary::{BaseUpdate, Matching, Summary};
use crate::{Options, Report, held};

/// GitHub refuses comments of more than 65,536 characters; in bytes that is on the safe side.
const MAX_BYTES: usize = 64 << 10;
/// Bytes kept for the notice that something was left out.
const NOTICE: usize = 300;

/// Writes one comment on all reports.
pub(crate) fn write_all(
    reports: &[Report<'_>],
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut comment = Comment {
        text: String::new(),
        left_out: 0,
    };
    let rows = options.rows.unwrap_or(usize::MAX);
    for (at, report) in reports.iter().enumerate() {
        let summary = Summary::of(report);
        if at > 0 {
            comment.add("\n");
        }
        head(report, &summary, &mut comment);
        first(report, &mut comment);
        for group in groups::of(report) {
            section(&group, rows, &mut comment);
        }
        tail(report, &summary, rows, &mut comment);
    }
    comment.finish(out)
}

/// Text that stops growing before it is too long.
struct Comment {
    text: String,
    /// Blocks that did not fit.
    left_out: usize,
}

impl Comment {
    /// Adds a block as a whole, or leaves it out as a whole: half a table is no table.
    fn add(&mut self, block: &str) {
        if self.text.len() + block.len() + NOTICE <= MAX_BYTES {
            self.text.push_str(block);
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.left_out > 0 {
            self.text.push_str(&format!(
                "\n> **This report is cut:** {} did not fit into a comment of 64 KiB. The whole \
                 is in the JSON or HTML report.\n",
                count(self.left_out, "block")
            ));
        }
        out.write_all(self.text.as_bytes())
    }
}

fn head(report: &Report<'_>, summary: &Summary, comment: &mut Comment) {
    let target = &report.inventory.target;
    let mut text = format!("## Seawall: {}\n\n", markdown(&short(&target.name)));
    if let Some(gate) = &report.gate {
        let names: Vec<&str> = gate
            .fail_on
            .iter()
            .map(|threshold| threshold.name())
            .collect();
        let verdict = if gate.failed() {
            format!("**Failed**: {} at or over", count(gate.matched, "finding"))
        } else {
            "**Passed**: nothing at or over".to_owned()
        };
        text.push_str(&format!("{verdict} `{}`\n\n", names.join("`, `")));
    }
    let missing = report.inventory.incomplete.len();
    if missing > 0 {
        text.push_str(&format!(
            "> **Incomplete:** {} could not be read or matched; there may be more than is shown.\n\n",
            count(missing, "thing")
        ));
    }
    let packages = count(report.inventory.packages.len(), "package");
    let total = summary.counts.total();
    text.push_str(&match (total, summary.matching) {
        (0, Matching::NoDatabase) => format!("**Not matched**: {packages}, no advisory database\n"),
        (0, Matching::NoPackages) => {
            "No packages were found, nothing could be matched\n".to_owned()
        }
        (0, Matching::Nothing) => format!("**Not matched**: no advisories for any of {packages}\n"),
        (0, Matching::Partly) => {
            format!("No known vulnerabilities in what could be matched of {packages}\n")
        }
        (0, Matching::Fully) => format!("No known vulnerabilities in {packages}\n"),
        _ => counts(summary, &packages),
    });
    comment.add(&text);
}

fn counts(summary: &Summary, packages: &str) -> String {
    let found = || summary.counts.iter().filter(|(_, number)| *number > 0);
    let names: Vec<&str> = found().map(|(severity, _)| severity.name()).collect();
    let numbers: Vec<String> = found()
        .map(|(_, number)| thousands(number as u64))
        .collect();
    let rule = vec!["---:"; names.len() + 3].join("|");
    format!(
        "{packages}\n\n| findings | {} | fixable | exploited |\n|{rule}|\n| {} | {} | {} | {} |\n",
        names.join(" | "),
        thousands(summary.counts.total() as u64),
        numbers.join(" | "),
        thousands(summary.fixable as u64),
        thousands(summary.kev as u64),
    )
}

fn first(report: &Report<'_>, comment: &mut Comment) {
    let chosen = groups::first(report, 5);
    if chosen.is_empty() {
        return;
    }
    let mut text = "\n### Do first\n\n".to_owned();
    for item in chosen {
        let finding = item.finding;
        let fix = finding
            .fix
            .version
            .as_ref()
            .map_or(String::new(), |version| {
                format!(" → {}", markdown(&short(version)))
            });
        let exploited = if finding.kev {
            " **known exploited**"
        } else {
            ""
        };
        text.push_str(&format!(
            "1. **{}** {} {}{fix}{exploited} ({} {}) {}\n",
            markdown(&finding.id),
            markdown(&short(item.package)),
            markdown(&short(item.version)),
            finding.priority.level.name(),
            finding.priority.score,
            markdown(&short(groups::title(finding).unwrap_or_default())),
        ));
    }
    comment.add(&text);
}

fn section(group: &Group<'_>, rows: usize, comment: &mut Comment) {
    let mut text = format!(
        "\n<details><summary>{}",
        crate::escape::markup(&group.title())
    );
    if let Some(layer) = group.layer {
        text.push_str(&format!(", layer {}", layer.index));
    }
    text.push_str(&format!(
        ": {}, {} fixable</summary>\n\n",
        count(group.findings, "finding"),
        group.fixable
    ));
    if let Some(made_by) = group.layer.and_then(|layer| layer.created_by.as_ref()) {
        text.push_str(&format!("Made by {}\n\n", markdown(&short(made_by))));
    }
    text.push_str("| package | installed | fixed in | severity | flaws |\n|---|---|---|---|---|\n");
    let shown = group.shown(rows);
    for row in &shown {
        text.push_str(&line(row));
    }
    let more = group.rows.len() - shown.len();
    if more > 0 {
        text.push_str(&format!("\n... and {more} more\n"));
    }
    text.push_str("\n</details>\n");
    comment.add(&text);
}

fn line(row: &Row<'_>) -> String {
    let fix = row.fix.version.as_deref().unwrap_or(row.fix.state.name());
    format!(
        "| {} | {} | {} | {} | {} |\n",
        markdown(&short(&row.package)),
        markdown(&short(row.version)),
        markdown(&short(fix)),
        row.severity.name(),
        markdown(&row.identifiers(120)),
    )
}

fn tail(report: &Report<'_>, summary: &Summary, rows: usize, comment: &mut Comment) {
    let mut text = String::new();
    for sentence in summary.base_updates.iter().filter_map(BaseUpdate::sentence) {
        text.push_str(&format!("\n{}\n", markdown(&sentence)));
    }
    if !summary.suppressed.is_empty() {
        let by: Vec<String> = summary
            .suppressed
            .iter()
            .map(|(by, number)| format!("{number} by {by}"))
            .collect();
        text.push_str(&format!("\nSuppressed: {}\n\n", by.join(", ")));
        let held = held::of(report);
        for entry in held.iter().take(rows) {
            let (sentence, what) = (entry.sentence(), entry.what());
            text.push_str(&format!(
                "- {}: {}\n",
                markdown(&short(&sentence)),
                markdown(&short(&what))
            ));
        }
        let more = held.len().saturating_sub(rows);
        if more > 0 {
            text.push_str(&format!("- ... and {more} more rules\n"));
        }
    }
    for notice in report.notices {
        text.push_str(&format!("\n> {}\n", markdown(notice)));
    }
    comment.add(&text);
    let mut text = String::new();
    for entry in &report.inventory.incomplete {
        let place = markdown(&short(&entry.to_string()));
        text.push_str(&format!("- {}: {place}\n", entry.reason.name()));
    }
    if !text.is_empty() {
        comment.add(&format!("\n### Incomplete\n\n{text}"));
    }
}

/// Cells stay short, however long a hostile name is.
fn short(text: &str) -> String {
    crate::escape::shorten(text, 200).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::testing::{self, check_golden, rendered, rendered_with};

    #[test]
    fn a_comment_on_a_pull_request() {
        check_golden("report.md", &rendered(Format::Markdown));
    }

    #[test]
    fn a_comment_on_many_targets_is_never_refused_for_its_length() {
        let (inventory, findings) = (testing::inventory(), testing::findings());
        let report = testing::report(&inventory, &findings, None, &[]);
        let reports = vec![report; 200];
        let mut bytes = Vec::new();
        crate::write_all(Format::Markdown, &reports, &Options::default(), &mut bytes).unwrap();
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        assert!(
            String::from_utf8(bytes)
                .unwrap()
                .contains("This report is cut")
        );
    }

    #[test]
    fn a_comment_is_never_refused_for_its_length() {
        let mut inventory = testing::inventory();
        let package = inventory.packages[4].clone();
        inventory.packages = (0..4000)
            .map(|n| seawall_model::Package {
                name: format!("{n}{}", "|".repeat(300)),
                layer: Some(n % 3),
                ..package.clone()
            })
            .collect();
        let findings: Vec<_> = (0..4000)
            .map(|n| testing::finding("CVE-2025-1", n, seawall_model::Severity::High, Some("2")))
            .collect();
        for rows in [Some(12), Some(60), None] {
            let options = Options {
                rows,
                ..Options::default()
            };
            let text = rendered_with(Format::Markdown, &options, &inventory, &findings, None);
            assert!(text.len() <= MAX_BYTES, "{}", text.len());
            assert_eq!(
                text.contains("This report is cut"),
                rows != Some(12),
                "{rows:?}"
            );
        }
    }
}
