//! Lines for a terminal: columns, styles and widths.

use std::borrow::Cow;

use anstyle::{AnsiColor, Effects, Style};
use seawall_model::{PriorityLevel, Severity};
use unicode_width::UnicodeWidthStr;

use crate::escape;

/// How text looks when colours are on.
pub(crate) const BOLD: Style = Style::new().effects(Effects::BOLD);
pub(crate) const FAINT: Style = Style::new().effects(Effects::DIMMED);
pub(crate) const ALARM: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();

pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => ALARM,
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Negligible | Severity::Unknown => FAINT,
    }
}

pub(crate) fn level_style(level: PriorityLevel) -> Style {
    match level {
        PriorityLevel::Now => ALARM,
        PriorityLevel::Soon => WARNING,
        PriorityLevel::Plan | PriorityLevel::Later => Style::new(),
    }
}

/// A piece of text with its style. Made from foreign text, it is harmless.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: &str, style: Style) -> Self {
        Self {
            text: escape::line(text).into_owned(),
            style,
        }
    }

    pub(crate) fn plain(text: &str) -> Self {
        Self::new(text, Style::new())
    }

    pub(crate) fn width(&self) -> usize {
        self.text.width()
    }
}

/// Turns cells into lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painter {
    pub(crate) color: bool,
    pub(crate) width: usize,
}

impl Painter {
    /// The text in its style.
    pub(crate) fn paint(self, text: &str, style: Style) -> String {
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Cells one after another, cut where the line ends.
    pub(crate) fn line(self, indent: usize, cells: &[Cell]) -> String {
        let mut line = " ".repeat(indent);
        let mut room = self.width.saturating_sub(indent);
        for cell in cells {
            let text = escape::fit(&cell.text, room);
            room = room.saturating_sub(text.width());
            line.push_str(&self.paint(&text, cell.style));
        }
        line
    }

    /// Cells in columns of the given widths, two blanks apart; the last takes what is left.
    pub(crate) fn columns(self, indent: usize, widths: &[usize], cells: &[Cell]) -> String {
        let mut line = " ".repeat(indent);
        let mut used = indent;
        for (at, cell) in cells.iter().enumerate() {
            let last = at + 1 == cells.len();
            let column = match widths.get(at) {
                Some(width) if !last => *width,
                _ => self.width.saturating_sub(used),
            };
            let text: Cow<'_, str> = escape::fit(&cell.text, column);
            line.push_str(&self.paint(&text, cell.style));
            if !last {
                let pad = column.saturating_sub(text.width()) + 2;
                line.extend(std::iter::repeat_n(' ', pad));
                used += column + 2;
            }
        }
        line
    }

    /// Text broken at blanks into lines of at most the width, each behind `indent` blanks. A word
    /// that is longer than a line is cut.
    pub(crate) fn wrap(self, indent: usize, text: &str, style: Style) -> Vec<String> {
        let room = self.width.saturating_sub(indent).max(10);
        let text = escape::line(text);
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&escape::fit(word, room));
        }
        lines.push(line);
        let pad = " ".repeat(indent);
        lines
            .iter()
            .map(|line| format!("{pad}{}", self.paint(line, style)))
            .collect()
    }
}

/// `12 packages`, `1 package`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number as u64))
}

/// `512,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), expected);
        }
        assert_eq!(count(1, "layer"), "1 layer");
        assert_eq!(count(0, "layer"), "0 layers");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let painter = Painter {
            color: false,
            width: 20,
        };
        let cells = [
            Cell::plain("漏洞漏洞漏洞漏洞"),
            Cell::plain("abcdefghijkl"),
            Cell::plain("xyz"),
        ];
        for line in [
            painter.line(2, &cells),
            painter.columns(2, &[6, 4], &cells),
            painter
                .wrap(
                    2,
                    "a-very-long-word-without-any-blank and more",
                    Style::new(),
                )
                .join(""),
        ]
        .iter()
        .take(2)
        {
            assert!(line.width() <= 20, "{line:?} {}", line.width());
        }
        assert_eq!(painter.columns(2, &[6, 4], &cells), "  漏洞…   abc…  xyz");
    }
}
