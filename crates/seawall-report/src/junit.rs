//! JUnit XML, as CI servers read it: a suite for each package with findings, a failed case for each
//! finding that counts, a skipped one for each that is suppressed and for each notice. What could
//! not be read is an error, so that a CI server shows it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use seawall_model::{Finding, Incomplete, Package};

use crate::escape::markup;
use crate::layout::count;
use crate::{Report, held};

/// Writes the suites of all reports. Where there are several, each suite is named after its target.
pub(crate) fn write_all(reports: &[Report<'_>], out: &mut dyn Write) -> io::Result<()> {
    let cases: Vec<Cases<'_>> = reports.iter().map(Cases::of).collect();
    let name = match reports {
        [report] => report.inventory.target.name.clone(),
        several => count(several.len(), "target"),
    };
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"seawall {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        markup(&name),
        cases.iter().map(Cases::number).sum::<usize>(),
        cases.iter().map(|cases| cases.failures).sum::<usize>(),
        cases.iter().map(|cases| cases.missed.len()).sum::<usize>(),
    )?;
    for cases in &cases {
        let target = &cases.report.inventory.target.name;
        let prefix = match reports.len() {
            1 => String::new(),
            _ => format!("{target}: "),
        };
        cases.write(&prefix, out)?;
    }
    writeln!(out, "</testsuites>")
}

/// The test cases of one target.
struct Cases<'a> {
    report: &'a Report<'a>,
    by_package: BTreeMap<u32, Vec<&'a Finding>>,
    failures: usize,
    missed: &'a [Incomplete],
}

impl<'a> Cases<'a> {
    fn of(report: &'a Report<'_>) -> Self {
        let mut by_package: BTreeMap<u32, Vec<&Finding>> = BTreeMap::new();
        for finding in report.findings {
            by_package
                .entry(finding.package.0)
                .or_default()
                .push(finding);
        }
        let counting = report.findings.iter().filter(|f| f.status.counts());
        Self {
            report,
            by_package,
            failures: counting.count(),
            missed: &report.inventory.incomplete,
        }
    }

    fn number(&self) -> usize {
        let findings = self.report.findings.len();
        findings.max(1) + self.missed.len() + self.report.notices.len()
    }

    fn write(&self, prefix: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.by_package.is_empty() {
            // A CI server takes a report without cases for a broken one.
            suite_head(&format!("{prefix}findings"), [1, 0, 0, 0], self.report, out)?;
            let packages = count(self.report.inventory.packages.len(), "package");
            writeln!(
                out,
                "    <testcase classname=\"seawall\" name=\"{packages} without findings\"/>"
            )?;
            writeln!(out, "  </testsuite>")?;
        }
        for findings in self.by_package.values() {
            let package = findings.first().and_then(|f| self.report.package(f));
            if let Some(package) = package {
                suite(self.report, prefix, package, findings, out)?;
            }
        }
        if !self.missed.is_empty() {
            let number = self.missed.len();
            let name = format!("{prefix}incomplete");
            suite_head(&name, [number, 0, 0, number], self.report, out)?;
            for entry in self.missed {
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
        let notices = self.report.notices;
        if !notices.is_empty() {
            let name = format!("{prefix}notices");
            suite_head(
                &name,
                [notices.len(), 0, notices.len(), 0],
                self.report,
                out,
            )?;
            for (number, notice) in (1..).zip(notices) {
                writeln!(
                    out,
                    "    <testcase classname=\"notices\" name=\"notice {number}\"><skipped \
                     message=\"{}\"/></testcase>",
                    markup(notice),
                )?;
            }
            writeln!(out, "  </testsuite>")?;
        }
        Ok(())
    }
}

/// Opens a suite of so many tests, failures, skipped ones and errors.
fn suite_head(
    name: &str,
    [tests, failures, skipped, errors]: [usize; 4],
    report: &Report<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" \
         skipped=\"{skipped}\" errors=\"{errors}\" timestamp=\"{}\">",
        markup(name),
        report.timestamp().trim_end_matches('Z'),
    )
}

fn suite(
    report: &Report<'_>,
    prefix: &str,
    package: &Package,
    findings: &[&Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let failures = findings
        .iter()
        .filter(|finding| finding.status.counts())
        .count();
    let name = format!("{prefix}{} {}", package.name, package.version);
    let numbers = [findings.len(), failures, findings.len() - failures, 0];
    suite_head(&name, numbers, report, out)?;
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
            write!(
                out,
                "<skipped message=\"{}\"/>",
                markup(&held::why(finding))
            )?;
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
    fn suites_of_several_targets_are_told_apart_and_add_up() {
        let one = rendered(Format::Junit);
        let two = crate::testing::rendered_twice(Format::Junit);
        assert_eq!(two.matches("<testsuites ").count(), 1);
        let cases = |text: &str| text.matches("<testcase ").count();
        assert_eq!(cases(&two), 2 * cases(&one));
        assert!(
            two.contains(&format!(" tests=\"{}\" ", cases(&two))),
            "{two}"
        );
        assert!(
            two.contains("<testsuite name=\"registry.example.org/shop/web:1.4: nginx 1.22.1-9\"")
        );
    }

    #[test]
    fn a_report_for_ci_servers() {
        let text = rendered(Format::Junit);
        assert!(!text.contains("<script>"));
        check_golden("report.junit.xml", &text);
    }
}
