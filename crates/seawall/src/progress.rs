//! A progress bar on a terminal, nothing in a pipe.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seawall_artifact::Progress;
use seawall_report::escape;
use std::io::{self, IsTerminal};

/// What long work tells the user meanwhile.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar for work on `what`, counted in bytes. Hidden where nobody looks.
    pub(crate) fn bytes(what: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, draw_target(quiet));
        let style = "{spinner} {msg}  {wide_bar}  {binary_bytes} of {binary_total_bytes}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(escape::line(what).into_owned());
        Self(bar)
    }

    /// A counter for work of unknown length.
    pub(crate) fn count(what: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, draw_target(quiet));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {human_pos}") {
            bar.set_style(style);
        }
        bar.set_message(escape::line(what).into_owned());
        Self(bar)
    }

    /// Prints a line above the bar; nothing where the bar is hidden.
    pub(crate) fn line(&self, line: &str) {
        self.0.println(escape::line(line));
    }

    /// Says what is being worked on now.
    pub(crate) fn message(&self, message: String) {
        self.0.set_message(message);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

fn draw_target(quiet: bool) -> ProgressDrawTarget {
    match quiet || !io::stderr().is_terminal() {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    }
}
