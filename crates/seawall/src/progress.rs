//! A progress bar on a terminal, nothing in a pipe.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seawall_artifact::Progress;
use seawall_report::escape;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

/// Before the number of bytes is known, and where nobody knows it, as of a stream.
const UNKNOWN: &str = "{spinner} {msg}  {binary_bytes}";
const KNOWN: &str = "{spinner} {msg}  {wide_bar}  {binary_bytes} of {binary_total_bytes}";
const FILES: &str = "{spinner} {msg}  {human_pos} files";

/// What long work tells the user meanwhile.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// The total, for a bar that shows one.
    total: Option<Mutex<u64>>,
}

impl Bar {
    /// A bar for work on `what`, counted in bytes. Hidden where nobody looks.
    pub(crate) fn bytes(what: &str, quiet: bool) -> Self {
        Self::drawn(what, UNKNOWN, draw_target(quiet), Some(Mutex::default()))
    }

    /// A counter for work of unknown length.
    pub(crate) fn count(what: &str, quiet: bool) -> Self {
        Self::drawn(what, FILES, draw_target(quiet), None)
    }

    fn drawn(
        what: &str,
        style: &str,
        target: ProgressDrawTarget,
        total: Option<Mutex<u64>>,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        restyle(&bar, style);
        bar.set_message(escape::line(what).into_owned());
        Self { bar, total }
    }

    /// Prints a line above the bar; nothing where the bar is hidden.
    pub(crate) fn line(&self, line: &str) {
        self.bar.println(escape::line(line));
    }

    /// Says what is being worked on now.
    pub(crate) fn message(&self, message: String) {
        self.bar.set_message(message);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        let Some(total) = self.total.as_ref().filter(|_| bytes > 0) else {
            return;
        };
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        if *total == 0 {
            restyle(&self.bar, KNOWN);
        }
        *total = total.saturating_add(bytes);
        // Not `inc_length`, which leaves a length that is not known yet as it is.
        self.bar.set_length(*total);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

fn restyle(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

fn draw_target(quiet: bool) -> ProgressDrawTarget {
    match quiet || !io::stderr().is_terminal() {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_that_became_known_was_not_shown() {
        let drawn = |total| Bar::drawn("x", UNKNOWN, ProgressDrawTarget::hidden(), total);
        let bar = drawn(Some(Mutex::default()));
        bar.total(0);
        assert_eq!(bar.bar.length(), None);
        bar.total(1000);
        bar.total(500);
        bar.advance(600);
        assert_eq!((bar.bar.length(), bar.bar.position()), (Some(1500), 600));
        let counter = drawn(None);
        counter.total(1000);
        assert_eq!(counter.bar.length(), None);
    }

    #[test]
    fn the_templates_are_ones() {
        for template in [UNKNOWN, KNOWN, FILES] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
