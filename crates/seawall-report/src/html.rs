//! One HTML file that needs nothing else: styles and a small script for filtering and sorting are
//! inside, a content security policy by their hashes keeps everything else out.

use std::io::{self, Write};

use base64::Engine as _;
use seawall_model::{Finding, Package};
use sha2::{Digest, Sha256};

use crate::escape::{link, markup};
use crate::layout::{count, thousands};
use crate::summary::{BaseUpdate, Matching, Summary};
use crate::{Report, groups, held};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Writes a section for each report, behind a list of them where there are several.
pub(crate) fn write_all(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    let summaries: Vec<Summary> = reports.iter().map(Summary::of).collect();
    head(reports, out)?;
    if reports.len() > 1 {
        contents(reports, &summaries, out)?;
    }
    for (number, (report, summary)) in reports.iter().zip(&summaries).enumerate() {
        writeln!(out, "<section id=\"target-{number}\">")?;
        header(report, summary, number, out)?;
        first(report, out)?;
        base_updates(summary, out)?;
        findings(report, out)?;
        layers(report, out)?;
        incomplete(report, number, out)?;
        writeln!(out, "</section>")?;
    }
    writeln!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// The targets of a page that has several, with their numbers.
fn contents(reports: &[Report<'_>], summaries: &[Summary], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<h1>{}</h1>\n<table><thead><tr><th>target</th><th>kind</th><th>packages</th>\
         <th>findings</th></tr></thead><tbody>",
        count(reports.len(), "target")
    )?;
    for (number, (report, summary)) in reports.iter().zip(summaries).enumerate() {
        let target = &report.inventory.target;
        let found = summary.counts.iter().filter(|(_, number)| *number > 0);
        let mut findings: Vec<String> = found
            .map(|(severity, number)| {
                let name = severity.name();
                format!(
                    "<span class=\"{name}\">{} {name}</span>",
                    thousands(number as u64)
                )
            })
            .collect();
        if !report.inventory.incomplete.is_empty() {
            findings.push("<span class=\"bad\">incomplete</span>".to_owned());
        }
        writeln!(
            out,
            "<tr><td><a href=\"#target-{number}\">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            markup(&target.name),
            target.kind.name(),
            thousands(report.inventory.packages.len() as u64),
            findings.join(", "),
        )?;
    }
    writeln!(out, "</tbody></table>")
}

/// The source expression of an inline block (Content Security Policy 3, "hash-source").
fn hash_source(content: &str) -> String {
    let hash = Sha256::digest(content.as_bytes());
    format!(
        "'sha256-{}'",
        base64::engine::general_purpose::STANDARD.encode(hash)
    )
}

fn head(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    let name = match reports {
        [report] => markup(&report.inventory.target.name),
        several => count(several.len(), "target"),
    };
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src {}; script-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Seawall: {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
        hash_source(STYLE),
        hash_source(SCRIPT),
    )
}

fn header(
    report: &Report<'_>,
    summary: &Summary,
    number: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let inventory = report.inventory;
    writeln!(out, "<h1>{}</h1>\n<dl>", markup(&inventory.target.name))?;
    let mut fact =
        |name: &str, value: String| writeln!(out, "<dt>{name}</dt><dd>{}</dd>", markup(&value));
    fact("kind", inventory.target.kind.name().to_owned())?;
    if let Some(digest) = &inventory.target.digest {
        fact("digest", digest.clone())?;
    }
    if let Some(distro) = &inventory.distro {
        let name = distro
            .pretty_name
            .clone()
            .unwrap_or(format!("{} {}", distro.id, distro.version));
        let end = match &distro.end_of_life {
            None => String::new(),
            Some(end) if end.passed => format!(", END OF LIFE since {}", end.date),
            Some(end) => format!(", supported until {}", end.date),
        };
        fact("system", format!("{name}{end}"))?;
    }
    let types: Vec<String> = summary
        .packages
        .iter()
        .map(|(kind, number)| format!("{} {}", thousands(*number as u64), kind.name()))
        .collect();
    let packages = count(inventory.packages.len(), "package");
    fact("contents", format!("{packages}: {}", types.join(", ")))?;
    fact(
        "advisories",
        match &report.database {
            None => "none: there is no database".to_owned(),
            Some(database) => format!(
                "{}, newest of {}, database {}",
                thousands(database.advisories),
                database.newest.as_deref().unwrap_or("unknown date"),
                database.digest,
            ),
        },
    )?;
    fact(
        "made",
        format!("{} by seawall {}", report.timestamp(), report.tool_version),
    )?;
    writeln!(out, "</dl>")?;
    if let Some(gate) = &report.gate {
        let names: Vec<&str> = gate
            .fail_on
            .iter()
            .map(|threshold| threshold.name())
            .collect();
        let (class, verdict) = if gate.failed() {
            (
                "bad",
                format!("Failed: {} at or over", count(gate.matched, "finding")),
            )
        } else {
            ("good", "Passed: nothing at or over".to_owned())
        };
        writeln!(
            out,
            "<p class=\"{class}\">{verdict} {}</p>",
            names.join(", ")
        )?;
    }
    let missing = inventory.incomplete.len();
    if missing > 0 {
        let things = count(missing, "thing");
        writeln!(
            out,
            "<p class=\"bad\">Incomplete: <a href=\"#incomplete-{number}\">{things}</a> could not be read or \
             matched; there may be more than is shown.</p>"
        )?;
    }
    for notice in report.notices {
        writeln!(out, "<p class=\"warn\">{}</p>", markup(notice))?;
    }
    verdict(summary, &packages, out)
}

fn verdict(summary: &Summary, packages: &str, out: &mut dyn Write) -> io::Result<()> {
    if summary.counts.total() == 0 {
        let (class, text) = match summary.matching {
            Matching::NoDatabase => (
                "bad",
                format!("Not matched: {packages}, no advisory database"),
            ),
            Matching::NoPackages => (
                "warn",
                "No packages were found, nothing could be matched".to_owned(),
            ),
            Matching::Nothing => (
                "bad",
                format!("Not matched: no advisories for any of {packages}"),
            ),
            Matching::Partly => (
                "warn",
                format!("No known vulnerabilities in what could be matched of {packages}"),
            ),
            Matching::Fully => ("good", format!("No known vulnerabilities in {packages}")),
        };
        return writeln!(out, "<p class=\"{class}\">{text}</p>");
    }
    writeln!(out, "<ul class=\"counts\">")?;
    for (severity, number) in summary.counts.iter().filter(|(_, number)| *number > 0) {
        let name = severity.name();
        let number = thousands(number as u64);
        writeln!(out, "<li class=\"{name}\"><b>{number}</b> {name}</li>")?;
    }
    let suppressed: usize = summary.suppressed.values().sum();
    for (number, name) in [
        (summary.fixable, "fixable"),
        (summary.kev, "known exploited"),
        (suppressed, "suppressed"),
    ] {
        writeln!(out, "<li><b>{}</b> {name}</li>", thousands(number as u64))?;
    }
    writeln!(out, "</ul>")
}

fn first(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let chosen = groups::first(report, 5);
    if chosen.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Do first</h2>\n<ol>")?;
    for item in chosen {
        let finding = item.finding;
        let fix = finding
            .fix
            .version
            .as_ref()
            .map_or(String::new(), |v| format!(" → {v}"));
        let parts: Vec<String> = finding
            .priority
            .parts
            .iter()
            .map(|part| format!("{} {} {:+}", part.name, part.value, part.points))
            .collect();
        writeln!(
            out,
            "<li><b>{}</b> {} <span class=\"faint\">{} {}: {}</span>{}</li>",
            markup(&finding.id),
            markup(&format!("{} {}{fix}", item.package, item.version)),
            finding.priority.level.name(),
            finding.priority.score,
            markup(&parts.join(" · ")),
            groups::title(finding).map_or(String::new(), |title| format!("<br>{}", markup(title))),
        )?;
    }
    writeln!(out, "</ol>")
}

fn base_updates(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    for text in summary.base_updates.iter().filter_map(BaseUpdate::sentence) {
        writeln!(out, "<p>{}</p>", markup(&text))?;
    }
    Ok(())
}

fn findings(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Findings</h2>\n<p class=\"tools\" hidden><input type=\"search\" \
         placeholder=\"filter: openssl critical base\" aria-label=\"filter\"> <label><input \
         type=\"checkbox\"> suppressed too</label> <span class=\"shown\"></span></p>\n\
         <table class=\"findings\"><thead><tr><th>priority</th><th>severity</th><th>flaw</th>\
         <th>package</th><th>installed</th><th>fixed in</th><th>part</th><th>status</th></tr>\
         </thead><tbody>"
    )?;
    for finding in report.findings {
        if let Some(package) = report.package(finding) {
            row(finding, package, out)?;
        }
    }
    writeln!(out, "</tbody></table>")
}

fn row(finding: &Finding, package: &Package, out: &mut dyn Write) -> io::Result<()> {
    let severity = finding.severity.name();
    let class = if finding.status.counts() {
        ""
    } else {
        " class=\"held\""
    };
    let mut part: Vec<String> = Vec::new();
    if let Some(layer) = package.layer {
        part.extend([package.role.name().to_owned(), format!("layer {layer}")]);
    }
    part.extend(package.owner.clone());
    let fix = finding
        .fix
        .version
        .as_deref()
        .unwrap_or(finding.fix.state.name());
    writeln!(
        out,
        "<tr{class}><td data-sort=\"{}\">{} {}</td><td class=\"{severity}\" \
         data-sort=\"{}\">{severity}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
         <td>{}</td></tr>",
        finding.priority.score,
        finding.priority.score,
        finding.priority.level.name(),
        finding.severity as u8,
        details(finding, package),
        markup(&package.name),
        markup(&package.version),
        markup(fix),
        markup(&part.join(", ")),
        markup(&held::why(finding)),
    )
}

/// The identifier, with everything else behind it.
fn details(finding: &Finding, package: &Package) -> String {
    let mut text = format!("<details><summary>{}", markup(&finding.id));
    if finding.kev {
        text.push_str(" <b class=\"bad\">KEV</b>");
    }
    if let Some(epss) = finding.epss.filter(|epss| epss.score >= 0.1) {
        text.push_str(&format!(" EPSS {:.0}%", epss.score * 100.0));
    }
    text.push_str(&format!(
        "</summary><p><b>{}</b></p>",
        markup(&finding.title)
    ));
    if !finding.description.is_empty() {
        text.push_str(&format!("<p>{}</p>", markup(&finding.description)));
    }
    let mut list = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            text.push_str(&format!("<p>{name}: {}</p>", values.join(", ")));
        }
    };
    let mut names: Vec<String> = finding.aliases.iter().map(|alias| markup(alias)).collect();
    if let Some(cnnvd) = &finding.cnnvd {
        let title = finding.cnnvd_title.as_deref().unwrap_or_default();
        names.push(markup(&format!("{cnnvd} {title}")));
    }
    list("also known as", names);
    let scores = finding.cvss.iter().map(|cvss| {
        markup(&format!(
            "{} {:.1} {} ({})",
            cvss.version.name(),
            cvss.score,
            cvss.vector,
            cvss.source
        ))
    });
    list("CVSS", scores.collect());
    list("severity by", vec![markup(&finding.severity_source)]);
    list(
        "weaknesses",
        finding.cwes.iter().map(|cwe| markup(cwe)).collect(),
    );
    list(
        "found at",
        package.paths.iter().map(|path| markup(path)).collect(),
    );
    let links = finding.references.iter().filter_map(|url| link(url));
    let links = links.map(|url| {
        let url = markup(url);
        format!("<a rel=\"noreferrer noopener\" href=\"{url}\">{url}</a>")
    });
    list("links", links.collect());
    text.push_str("</details>");
    text
}

fn layers(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.inventory.layers.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Layers</h2>\n<table><thead><tr><th>layer</th><th>part</th><th>base</th><th>owner</th>\
         <th>instruction</th></tr></thead><tbody>"
    )?;
    for layer in &report.inventory.layers {
        let text = |value: &Option<String>| markup(value.as_deref().unwrap_or("-"));
        let guessed = if layer.role_guessed { " (guessed)" } else { "" };
        writeln!(
            out,
            "<tr><td>{}</td><td>{}{guessed}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            layer.index,
            layer.role.name(),
            text(&layer.base),
            text(&layer.owner),
            text(&layer.created_by),
        )?;
    }
    writeln!(out, "</tbody></table>")
}

fn incomplete(report: &Report<'_>, number: usize, out: &mut dyn Write) -> io::Result<()> {
    if report.inventory.incomplete.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2 id=\"incomplete-{number}\">Incomplete</h2>\n<ul>")?;
    for entry in &report.inventory.incomplete {
        let hint = entry
            .hint
            .as_ref()
            .map_or(String::new(), |h| format!(" <i>{}</i>", markup(h)));
        writeln!(
            out,
            "<li>{}: {}{hint}</li>",
            entry.reason.name(),
            markup(&entry.to_string())
        )?;
    }
    writeln!(out, "</ul>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::testing::{check_golden, rendered};

    #[test]
    fn rows_of_findings_do_not_take_the_layout_of_the_totals() {
        let page = rendered(Format::Html);
        assert!(page.contains("<ul class=\"counts\">") && STYLE.contains("ul.counts {"));
        let classes: std::collections::BTreeSet<&str> = page
            .split("<tr class=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(classes.into_iter().collect::<Vec<_>>(), ["held"]);
    }

    #[test]
    fn several_targets_are_sections_of_one_page() {
        let page = crate::testing::rendered_twice(Format::Html);
        assert!(page.contains("<h1>2 targets</h1>"));
        for number in [0, 1] {
            for part in [
                format!("<section id=\"target-{number}\">"),
                format!("href=\"#target-{number}\""),
                format!("id=\"incomplete-{number}\""),
            ] {
                assert_eq!(page.matches(&part).count(), 1, "{part}");
            }
        }
        assert_eq!(page.matches("<!doctype").count(), 1);
    }

    #[test]
    fn a_page_of_its_own() {
        let page = rendered(Format::Html);
        check_golden("report.html", &page);
        assert!(
            !page.contains("<script>alert"),
            "hostile names must stay text"
        );
        assert!(
            !page.contains("javascript:"),
            "only web addresses become links"
        );
        for outside in [" src=", "<link", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains(&hash_source(SCRIPT)) && page.contains(&hash_source(STYLE)));
    }
}
