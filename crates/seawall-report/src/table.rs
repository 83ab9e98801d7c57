//! The report for a person at a terminal: what was looked at, how bad it is, what to do first, and
//! then everything by the part of the image and the team that it belongs to.

use std::io::{self, Write};

use anstyle::Style;
use seawall_model::{FixState, TargetKind};

use crate::groups::{self, Group, Row};
use crate::layout::{
    ALARM, BOLD, Cell, FAINT, GOOD, Painter, WARNING, count, level_style, severity_style, thousands,
};
use crate::summary::{BaseUpdate, Matching, Summary};
use crate::{Options, Report, held};

/// Findings in the list "do first".
const FIRST: usize = 5;
/// Columns that are taken for granted: on less, nothing can be told apart any more.
const LEAST_WIDTH: usize = 30;
/// Types of packages that are named with their numbers, the most frequent first.
const MAX_TYPES: usize = 5;
/// Columns of the terminal from which on there is room for columns of the table.
const ROOMY: usize = 60;
/// Entries of `incomplete` that are shown; the rest is counted.
const INCOMPLETE: usize = 10;

pub(crate) fn write(report: &Report<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let summary = Summary::of(report);
    let table = Table {
        report,
        summary: &summary,
        rows: options.rows.unwrap_or(usize::MAX),
        painter: Painter {
            color: options.color,
            width: options.width.clamp(LEAST_WIDTH, 500),
        },
    };
    let sections = [
        table.header(),
        table.verdict(),
        table.first(),
        table.groups(),
        table.base_updates(),
        table.suppressed(),
        table.notices(),
        table.incomplete(),
        table.gate(),
    ];
    for (at, section) in sections
        .iter()
        .filter(|lines| !lines.is_empty())
        .enumerate()
    {
        if at > 0 {
            writeln!(out)?;
        }
        for line in section {
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(())
}

struct Table<'a> {
    report: &'a Report<'a>,
    summary: &'a Summary,
    rows: usize,
    painter: Painter,
}

impl Table<'_> {
    fn header(&self) -> Vec<String> {
        let inventory = self.report.inventory;
        let target = &inventory.target;
        let mut lines = vec![
            self.painter.line(
                0,
                &[
                    Cell::new(&format!("{} ", target.kind.name()), FAINT),
                    Cell::new(&target.name, BOLD),
                    Cell::plain(
                        &target
                            .platform
                            .as_ref()
                            .map_or(String::new(), |p| format!("  {p}")),
                    ),
                ],
            ),
        ];
        // Images of a runtime are listed by their digests, which tell nobody anything.
        if !target.tags.is_empty()
            && !target
                .tags
                .iter()
                .any(|tag| target.name.ends_with(tag.as_str()))
        {
            lines.push(self.fact("tags", &target.tags.join(", "), Style::new()));
        }
        if let Some(digest) = &target.digest {
            lines.push(self.fact("digest", digest, Style::new()));
        }
        lines.push(self.system());
        lines.push(self.fact("contents", &self.contents(), Style::new()));
        lines.push(match &self.report.database {
            None => self.fact("advisories", "none: there is no database", ALARM),
            Some(database) => {
                let newest = database.newest.as_deref().map_or(String::new(), |newest| {
                    format!(", newest of {}", newest.get(..10).unwrap_or(newest))
                });
                let number = thousands(database.advisories);
                self.fact("advisories", &format!("{number}{newest}"), Style::new())
            }
        });
        if let Some(duration) = self.report.duration {
            let time = format!("{:.2} s", duration.as_secs_f64());
            lines.push(self.fact("time", &time, Style::new()));
        }
        lines
    }

    fn fact(&self, name: &str, value: &str, style: Style) -> String {
        let cells = [Cell::new(name, FAINT), Cell::new(value, style)];
        self.painter.columns(2, &[10], &cells)
    }

    fn system(&self) -> String {
        let Some(distro) = &self.report.inventory.distro else {
            return self.fact("system", "no Linux distribution recognised", Style::new());
        };
        let name = distro
            .pretty_name
            .clone()
            .unwrap_or_else(|| format!("{} {}", distro.id, distro.version));
        match &distro.end_of_life {
            None => self.fact("system", &name, Style::new()),
            Some(end) if end.passed => {
                let text = format!(
                    "{name} - END OF LIFE since {}, no fixes come any more",
                    end.date
                );
                self.fact("system", &text, ALARM)
            }
            Some(end) => {
                let text = format!("{name}, supported until {}", end.date);
                self.fact("system", &text, Style::new())
            }
        }
    }

    fn contents(&self) -> String {
        let inventory = self.report.inventory;
        let mut text = String::new();
        if inventory.target.kind == TargetKind::Image {
            text.push_str(&count(inventory.layers.len(), "layer"));
            text.push_str(", ");
        }
        text.push_str(&count(inventory.packages.len(), "package"));
        let types: Vec<String> = self
            .summary
            .packages
            .iter()
            .map(|(kind, number)| format!("{} {}", thousands(*number as u64), kind.name()))
            .collect();
        if !types.is_empty() {
            text.push_str(": ");
            text.push_str(&types.get(..MAX_TYPES).unwrap_or(&types).join(", "));
        }
        if let Some(more) = types.len().checked_sub(MAX_TYPES).filter(|more| *more > 0) {
            text.push_str(&format!(" and {}", count(more, "more type")));
        }
        if inventory.development_excluded > 0 {
            let number = thousands(u64::from(inventory.development_excluded));
            text.push_str(&format!(" (without {number} only for development)"));
        }
        text
    }

    fn verdict(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let missing = self.report.inventory.incomplete.len();
        if missing > 0 {
            let text = format!(
                "INCOMPLETE: {} could not be read or matched; there may be more than is shown \
                 (listed below)",
                count(missing, "thing")
            );
            lines.extend(self.painter.wrap(0, &text, ALARM));
        }
        if self.summary.counts.total() == 0 {
            let (text, style) = self.no_findings();
            lines.extend(self.painter.wrap(0, &text, style));
            return lines;
        }
        let mut cells = vec![Cell::new(
            &count(self.summary.counts.total(), "finding"),
            BOLD,
        )];
        if self.summary.flaws != self.summary.counts.total() {
            let text = format!(" of {}", count(self.summary.flaws, "different flaw"));
            cells.push(Cell::plain(&text));
        }
        cells.push(Cell::plain(":"));
        for (severity, number) in self.summary.counts.iter().filter(|(_, number)| *number > 0) {
            let text = format!("  {} {}", thousands(number as u64), severity.name());
            cells.push(Cell::new(&text, severity_style(severity)));
        }
        lines.push(self.painter.line(0, &cells));
        let mut cells = vec![Cell::plain(&format!(
            "{} can be fixed by an update",
            thousands(self.summary.fixable as u64)
        ))];
        if self.summary.kev > 0 {
            let text = format!(
                "{} known to be exploited (KEV)",
                thousands(self.summary.kev as u64)
            );
            cells.extend([Cell::plain(", "), Cell::new(&text, ALARM)]);
        }
        let suppressed: usize = self.summary.suppressed.values().sum();
        if suppressed > 0 {
            let text = format!(", {} more suppressed", thousands(suppressed as u64));
            cells.push(Cell::plain(&text));
        }
        lines.push(self.painter.line(0, &cells));
        lines
    }

    /// What to say when nothing was found: "clean" only as far as something could be matched.
    fn no_findings(&self) -> (String, Style) {
        let packages = count(self.report.inventory.packages.len(), "package");
        let of = self
            .report
            .database
            .as_ref()
            .and_then(|database| database.newest.as_deref())
            .map_or(String::new(), |newest| {
                format!(" (database of {})", newest.get(..10).unwrap_or(newest))
            });
        let suppressed: usize = self.summary.suppressed.values().sum();
        let apart = if suppressed > 0 {
            format!(" apart from {suppressed} suppressed")
        } else {
            String::new()
        };
        match self.summary.matching {
            Matching::NoDatabase => (
                format!("NOT MATCHED: {packages} read, but there is no advisory database"),
                WARNING,
            ),
            Matching::NoPackages => (
                "No packages were found, so nothing could be matched".to_owned(),
                WARNING,
            ),
            Matching::Nothing => (
                format!("NOT MATCHED: there are no advisories for any of {packages}"),
                WARNING,
            ),
            Matching::Partly => (
                format!(
                    "No known vulnerabilities in what could be matched of {packages}{of}{apart}"
                ),
                WARNING,
            ),
            Matching::Fully => (
                format!("No known vulnerabilities in {packages}{of}{apart}"),
                GOOD,
            ),
        }
    }

    fn first(&self) -> Vec<String> {
        let chosen = groups::first(self.report, FIRST);
        if chosen.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![self.painter.paint("Do first", BOLD)];
        let below = if self.is_narrow() { 4 } else { 15 };
        for (at, item) in chosen.iter().enumerate() {
            let finding = item.finding;
            let priority = &finding.priority;
            let mut cells = vec![
                Cell::plain(&format!("{}. ", at + 1)),
                Cell::new(
                    &format!("{:>3} {:<5}", priority.score, priority.level.name()),
                    level_style(priority.level),
                ),
                Cell::new(&format!("  {}", finding.id), BOLD),
                Cell::plain(&format!("  {} {}", item.package, item.version)),
            ];
            if let Some(version) = &finding.fix.version {
                cells.push(Cell::new(&format!(" -> {version}"), GOOD));
            }
            if finding.kev {
                cells.push(Cell::new("  KEV", ALARM));
            }
            lines.push(self.painter.line(2, &cells));
            if let Some(title) = groups::title(finding) {
                lines.push(self.painter.line(below, &[Cell::plain(title)]));
            }
            let parts: Vec<String> = priority
                .parts
                .iter()
                .map(|part| format!("{} {} {:+}", part.name, part.value, part.points))
                .collect();
            lines.extend(self.painter.wrap(below, &parts.join(" · "), FAINT));
            let mut place: Vec<String> = Vec::new();
            place.extend(item.path.map(|path| format!("at {path}")));
            if item.others > 0 {
                place.push(format!("and {} in it", count(item.others, "other flaw")));
            }
            if !place.is_empty() {
                lines.extend(self.painter.wrap(below, &place.join(", "), FAINT));
            }
        }
        lines
    }

    fn groups(&self) -> Vec<String> {
        let groups = groups::of(self.report);
        let widths = self.widths(&groups);
        let mut lines = Vec::new();
        let mut part = None;
        let mut hidden = 0;
        for group in &groups {
            if part != Some(group.part()) {
                if part.is_some() {
                    lines.push(String::new());
                }
                part = Some(group.part());
                lines.push(self.part_heading(group, &groups));
            }
            lines.extend(self.layer_heading(group));
            if !self.is_narrow() {
                lines.push(self.row_heading(&widths));
            }
            let mut above = None;
            let shown = group.shown(self.rows);
            for row in &shown {
                // A package with several fixes is named once.
                let named = above == Some((&row.package, row.version));
                lines.extend(match self.is_narrow() {
                    true => self.stacked(row),
                    false => self.row(row, named, &widths),
                });
                above = Some((&row.package, row.version));
            }
            let more = group.rows.len() - shown.len();
            if more > 0 {
                hidden += more;
                let text = format!("... and {} more of these", thousands(more as u64));
                lines.push(self.painter.line(4, &[Cell::new(&text, FAINT)]));
            }
        }
        if hidden > 0 {
            let text = format!(
                "{} not shown; `--all` shows them, `--output html=FILE` keeps them",
                count(hidden, "row")
            );
            lines.push(self.painter.line(0, &[Cell::new(&text, FAINT)]));
        }
        lines
    }

    /// `BASE debian:12 (platform team)    120 findings, 80 fixable`.
    fn part_heading(&self, group: &Group<'_>, groups: &[Group<'_>]) -> String {
        let same = || groups.iter().filter(|other| other.part() == group.part());
        let findings: usize = same().map(|group| group.findings).sum();
        let fixable: usize = same().map(|group| group.fixable).sum();
        let fixable = thousands(fixable as u64);
        let numbers = format!("  {}, {fixable} fixable", count(findings, "finding"));
        self.painter
            .line(0, &[Cell::new(&group.title(), BOLD), Cell::plain(&numbers)])
    }

    fn layer_heading(&self, group: &Group<'_>) -> Option<String> {
        let layer = group.layer?;
        let made_by = layer.created_by.as_deref().unwrap_or("instruction unknown");
        let cells = [
            Cell::new(&format!("layer {}  ", layer.index), FAINT),
            Cell::new(made_by, FAINT),
        ];
        Some(self.painter.line(2, &cells))
    }

    fn widths(&self, groups: &[Group<'_>]) -> [usize; 4] {
        let rows = || groups.iter().flat_map(|group| group.shown(self.rows));
        let widest = |text: &dyn Fn(&Row<'_>) -> String, least: usize| {
            rows()
                .map(|row| Cell::plain(&text(row)).width())
                .max()
                .unwrap_or(0)
                .max(least)
        };
        let mut widths = [
            widest(&|row| row.package.clone(), 7),
            widest(&|row| row.version.to_owned(), 9),
            widest(&|row| fix_text(row), 8),
            10,
        ];
        // An identifier and how many more there are keep their room; for that the widest columns
        // give way.
        let gaps = 4 + 4 * 2;
        let flaws = "CVE-2026-12345 +10 more".len();
        let budget = self.painter.width.saturating_sub(gaps + flaws);
        while let Some(excess) = widths.iter().sum::<usize>().checked_sub(budget)
            && excess > 0
            && let Some(widest) = widths.iter_mut().max()
        {
            *widest = widest.saturating_sub(excess.div_ceil(3));
        }
        widths
    }

    fn row_heading(&self, widths: &[usize]) -> String {
        let names = ["PACKAGE", "INSTALLED", "FIXED IN", "SEVERITY", "FLAWS"];
        let cells: Vec<Cell> = names.iter().map(|name| Cell::new(name, FAINT)).collect();
        self.painter.columns(4, widths, &cells)
    }

    fn is_narrow(&self) -> bool {
        self.painter.width < ROOMY
    }

    /// A row where there is no room for columns: the flaws stand below the package.
    fn stacked(&self, row: &Row<'_>) -> Vec<String> {
        let package = [
            Cell::plain(&format!("{} {}", row.package, row.version)),
            Cell::plain(match row.fix.state {
                FixState::Fixed => " -> ",
                _ => ", ",
            }),
            Cell::new(&fix_text(row), fix_style(row)),
            Cell::plain("  "),
            Cell::new(row.severity.name(), severity_style(row.severity)),
        ];
        let room = self.painter.width.saturating_sub(6);
        let flaws = self.flaws(row, room).into_iter();
        let mut lines = vec![self.painter.line(4, &package)];
        lines.extend(flaws.map(|cell| self.painter.line(6, &[cell])));
        lines
    }

    /// The identifiers, on as many lines as they take where all is shown, else on one.
    fn flaws(&self, row: &Row<'_>, room: usize) -> Vec<Cell> {
        let lines = match self.rows == usize::MAX {
            true => row.all_identifiers(room),
            false => vec![row.identifiers(room)],
        };
        let style = if row.kev() { ALARM } else { Style::new() };
        lines.iter().map(|text| Cell::new(text, style)).collect()
    }

    fn row(&self, row: &Row<'_>, named: bool, widths: &[usize]) -> Vec<String> {
        let name = |text: &str| Cell::plain(if named { "" } else { text });
        let fix = fix_style(row);
        let taken: usize = widths.iter().map(|width| width + 2).sum();
        let room = self.painter.width.saturating_sub(4 + taken);
        let mut flaws = self.flaws(row, room).into_iter();
        let first = [
            name(&row.package),
            name(row.version),
            Cell::new(&fix_text(row), fix),
            Cell::new(row.severity.name(), severity_style(row.severity)),
            flaws.next().unwrap_or_else(|| Cell::plain("")),
        ];
        let mut lines = vec![self.painter.columns(4, widths, &first)];
        lines.extend(flaws.map(|flaw| {
            let blank = || Cell::plain("");
            let cells = [blank(), blank(), blank(), blank(), flaw];
            self.painter.columns(4, widths, &cells)
        }));
        lines
    }

    fn base_updates(&self) -> Vec<String> {
        let updates = self.summary.base_updates.iter();
        let sentences = updates.filter_map(BaseUpdate::sentence);
        sentences
            .flat_map(|text| self.painter.wrap(0, &text, BOLD))
            .collect()
    }

    fn suppressed(&self) -> Vec<String> {
        if self.summary.suppressed.is_empty() {
            return Vec::new();
        }
        let by: Vec<String> = self
            .summary
            .suppressed
            .iter()
            .map(|(by, number)| format!("{number} by {by}"))
            .collect();
        let heading = format!("Suppressed: {}", by.join(", "));
        let mut lines = vec![self.painter.line(0, &[Cell::plain(&heading)])];
        let held = held::of(self.report);
        for entry in held.iter().take(self.rows) {
            lines.extend(self.painter.wrap(2, &entry.sentence(), Style::new()));
            lines.push(self.painter.line(4, &[Cell::new(&entry.what(), FAINT)]));
        }
        let more = held.len().saturating_sub(self.rows);
        if more > 0 {
            lines.push(format!("  ... and {more} more rules; `--all` shows them"));
        }
        lines
    }

    fn notices(&self) -> Vec<String> {
        let notices = self.report.notices.iter();
        notices
            .flat_map(|notice| self.painter.wrap(0, &format!("note: {notice}"), WARNING))
            .collect()
    }

    fn incomplete(&self) -> Vec<String> {
        let incomplete = &self.report.inventory.incomplete;
        if incomplete.is_empty() {
            return Vec::new();
        }
        let heading = format!("INCOMPLETE: {}", count(incomplete.len(), "thing"));
        let mut lines = vec![self.painter.paint(&heading, ALARM)];
        for entry in incomplete.iter().take(INCOMPLETE) {
            let text = format!("{}: {entry}", entry.reason.name());
            lines.extend(self.painter.wrap(2, &text, Style::new()));
            if let Some(hint) = &entry.hint {
                lines.extend(self.painter.wrap(4, &format!("hint: {hint}"), FAINT));
            }
        }
        let more = incomplete.len().saturating_sub(INCOMPLETE);
        if more > 0 {
            lines.push(format!("  ... and {more} more; all are in `-f json`"));
        }
        lines
    }

    fn gate(&self) -> Vec<String> {
        let Some(gate) = &self.report.gate else {
            return Vec::new();
        };
        let names: Vec<&str> = gate
            .fail_on
            .iter()
            .map(|threshold| threshold.name())
            .collect();
        let names = names.join(", ");
        let (text, style) = if gate.failed() {
            let number = count(gate.matched, "finding");
            (
                format!("FAILED: {number} at or over --fail-on {names}"),
                ALARM,
            )
        } else if self.report.inventory.incomplete.is_empty() {
            (
                format!("passed: nothing at or over --fail-on {names}"),
                GOOD,
            )
        } else {
            let text = format!(
                "not failed: nothing at or over --fail-on {names} in what could be read, but the \
                 scan is incomplete"
            );
            (text, WARNING)
        };
        self.painter.wrap(0, &text, style)
    }
}

fn fix_style(row: &Row<'_>) -> Style {
    match row.fix.state {
        FixState::Fixed => Style::new(),
        FixState::NotFixed | FixState::WontFix | FixState::Unknown => FAINT,
    }
}

fn fix_text(row: &Row<'_>) -> String {
    match (&row.fix.version, row.fix.state) {
        (Some(version), FixState::Fixed) => version.clone(),
        (None, FixState::Fixed) => "yes".to_owned(),
        (_, FixState::NotFixed) => "no fix yet".to_owned(),
        (_, FixState::WontFix) => "won't fix".to_owned(),
        (_, FixState::Unknown) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::testing::{self, check_golden, rendered_with};
    use crate::{DatabaseInfo, Format};

    fn table(options: &Options) -> String {
        let (inventory, findings) = (testing::inventory(), testing::findings());
        rendered_with(
            Format::Table,
            options,
            &inventory,
            &findings,
            Some(testing::database()),
        )
    }

    #[test]
    fn a_report_reads_well() {
        check_golden("table.txt", &table(&Options::default()));
    }

    #[test]
    fn no_width_is_exceeded_and_nothing_hostile_gets_through() {
        for width in [0, 30, 40, 59, 60, 67, 80, 133, 10_000] {
            let text = table(&Options {
                width,
                ..Options::default()
            });
            for line in text.lines() {
                assert!(line.width() <= width.clamp(30, 500), "{width}: {line}");
                assert!(!line.chars().any(char::is_control), "{line:?}");
                assert!(!line.contains('\u{202e}'), "{line:?}");
            }
        }
    }

    #[test]
    fn a_narrow_terminal_got_lines_of_sixty_columns() {
        let text = table(&Options {
            width: 40,
            ..Options::default()
        });
        let findings = testing::findings();
        assert!(text.contains(&findings[0].id), "{text}");
        assert!(!text.contains("INSTALLED"), "{text}");
    }

    #[test]
    fn colours_only_when_told() {
        let color = |color| {
            table(&Options {
                color,
                ..Options::default()
            })
        };
        assert!(!color(false).contains('\x1b'));
        assert!(color(true).contains("\x1b[1m"));
        assert!(!color(true).contains("\x1b[2J"));
    }

    #[test]
    fn rows_over_the_limit_are_counted() {
        let text = table(&Options {
            rows: Some(0),
            ..Options::default()
        });
        assert!(text.contains("... and 1 more of these"), "{text}");
        assert!(text.contains("4 rows not shown; `--all`"), "{text}");
    }

    #[test]
    fn all_shows_every_flaw_of_a_package_with_many() {
        let (inventory, one) = (testing::inventory(), testing::findings());
        let findings: Vec<_> = (0..30)
            .map(|at| seawall_model::Finding {
                id: format!("CVE-2030-{}", 1000 + at),
                ..one[0].clone()
            })
            .collect();
        let shown = |rows| {
            let options = Options {
                rows,
                ..Options::default()
            };
            let text = rendered_with(Format::Table, &options, &inventory, &findings, None);
            let ids = findings.iter().map(|finding| finding.id.as_str());
            ids.filter(|id| text.contains(id)).count()
        };
        assert!(shown(Some(12)) < 30);
        assert_eq!(shown(None), 30);
    }

    #[test]
    fn nothing_is_called_clean_that_was_not_matched() {
        let clean = |change: &dyn Fn(&mut seawall_model::Inventory),
                     database: Option<DatabaseInfo>| {
            let mut inventory = testing::inventory();
            inventory.incomplete.clear();
            change(&mut inventory);
            rendered_with(
                Format::Table,
                &Options::default(),
                &inventory,
                &[],
                database,
            )
        };
        let database = || Some(testing::database());
        let missing = seawall_model::Incomplete::new(
            seawall_model::IncompleteReason::NoAdvisories,
            "debian:12",
            "no advisories",
        );
        for (text, expected) in [
            (
                clean(&|_| {}, database()),
                "No known vulnerabilities in 6 packages (database of 2026-11-20)",
            ),
            (
                clean(&|_| {}, None),
                "NOT MATCHED: 6 packages read, but there is no advisory database",
            ),
            (
                clean(&|i| i.packages.clear(), database()),
                "No packages were found",
            ),
            (
                clean(
                    &|i| {
                        i.distro = None;
                        i.packages.truncate(3);
                    },
                    database(),
                ),
                "NOT MATCHED: there are no advisories for any of 3 packages",
            ),
            (
                clean(&|i| i.incomplete.push(missing.clone()), database()),
                "No known vulnerabilities in what could be matched of 6 packages",
            ),
        ] {
            assert!(text.contains(expected), "{text}\nshould contain {expected}");
        }
    }
}
