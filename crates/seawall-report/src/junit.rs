//! JUnit XML, as CI servers read it: a suite for each package with findings, a failed case for each
//! finding that counts, a skipped one for each that is suppressed. What could not be read is an
//! error, so that a CI server shows it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use seawall_model::{Finding, Package};

use crate::Report;
use crate::escape::markup;

pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<u32, Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings {
        suites.entry(finding.package.0).or_default().push(finding);
    }
    let incomplete = &report.inventory.incomplete;
    let failures = report
        .findings
        .iter()
        .filter(|finding| finding.status.counts())
        .count();
    let passed = usize::from(report.findings.is_empty());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"seawall {}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\">",
        markup(&report.inventory.target.name),
        report.findings.len() + incomplete.len() + passed,
        incomplete.len(),
    )?;
    if passed == 1 {
        // A CI server takes a report without cases for a broken one.
        let name = format!("{} packages", report.inventory.packages.len());
        writeln!(
            out,
            "  <testsuite name=\"findings\" tests=\"1\" failures=\"0\" errors=\"0\">"
        )?;
        writeln!(
            out,
            "    <testcase classname=\"seawall\" name=\"{name} without findings\"/>"
        )?;
        writeln!(out, "  </testsuite>")?;
    }
    for findings in suites.values() {
        let package = findings.first().and_then(|finding| report.package(finding));
        if let Some(package) = package {
            suite(report, package, findings, out)?;
        }
    }
    if !incomplete.is_empty() {
        let number = incomplete.len();
        writeln!(
            out,
            "  <testsuite name=\"incomplete\" tests=\"{number}\" failures=\"0\" errors=\"{number}\">"
        )?;
        for entry in incomplete {
            writeln!(
                out,
                "    <testcase classname=\"incomplete\" name=\"{}\"><error type=\"{}\" \
                 message=\"{}\"/></testcase>",
                markup(&entry.place),
                entry.reason.name(),
                markup(&entry.to_string()),
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(
    report: &Report<'_>,
    package: &Package,
    findings: &[&Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let failures = findings
        .iter()
        .filter(|finding| finding.status.counts())
        .count();
    let name = markup(&format!("{} {}", package.name, package.version));
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{}\" \
         errors=\"0\" timestamp=\"{}\">",
        findings.len(),
        findings.len() - failures,
        report.timestamp().trim_end_matches('Z'),
    )?;
    for finding in findings {
        let class = markup(&format!("{}.{}", package.kind.name(), package.name));
        let title = markup(&format!("[{}] {}", finding.severity.name(), finding.id));
        write!(out, "    <testcase classname=\"{class}\" name=\"{title}\">")?;
        if finding.status.counts() {
            write!(
                out,
                "<failure type=\"{}\" message=\"{}\">{}</failure>",
                finding.severity.name(),
                markup(&finding.title),
                markup(&details(package, finding)),
            )?;
        } else {
            let reason = finding.suppression.as_ref().map_or(String::new(), |by| {
                let reason = by.reason.as_deref().unwrap_or("no reason given");
                format!("{reason} ({}: {})", by.by, by.source)
            });
            write!(out, "<skipped message=\"{}\"/>", markup(&reason))?;
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

fn details(package: &Package, finding: &Finding) -> String {
    let mut parts = vec![format!("installed {}", package.version)];
    parts.push(match &finding.fix.version {
        Some(version) => format!("fixed in {version}"),
        None => finding.fix.state.name().to_owned(),
    });
    parts.push(format!(
        "priority {} ({})",
        finding.priority.score,
        finding.priority.level.name()
    ));
    if let Some(layer) = package.layer {
        parts.push(format!("layer {layer}, {}", package.role.name()));
    }
    parts.extend(package.owner.as_ref().map(|owner| format!("owner {owner}")));
    parts.extend(finding.kev.then(|| "known exploited".to_owned()));
    parts.extend(package.paths.first().cloned());
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{check_golden, rendered};

    #[test]
    fn a_report_for_ci_servers() {
        let text = rendered(Format::Junit);
        assert!(!text.contains("<script>"));
        check_golden("report.junit.xml", &text);
    }
}
