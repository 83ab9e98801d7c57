//! Standard output of the commands that print something other than a report.

use crate::exit::{Exit, Failure, Result};
use seawall_report::{escape, json_text};
use serde::Serialize;
use std::io::{self, Write};

/// Prints the text that `print` writes. Foreign text in it cannot act on the terminal.
pub(crate) fn text(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit> {
    let mut bytes = Vec::new();
    print(&mut bytes).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: String = text
        .lines()
        .flat_map(|line| [escape::line(line), "\n".into()])
        .collect();
    raw(lines.as_bytes())
}

/// Prints lines.
pub(crate) fn line(line: &str) -> Result<Exit> {
    text(|out| writeln!(out, "{line}"))
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Exit> {
    let mut bytes = Vec::new();
    json_text::write(value, &mut bytes).map_err(failed)?;
    raw(&bytes)
}

/// Prints bytes that are ours as they are.
pub(crate) fn raw(bytes: &[u8]) -> Result<Exit> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(failed)?;
    Ok(Exit::Clean)
}

/// Standard output does not take what is written to it.
pub(crate) fn failed(error: io::Error) -> Failure {
    Failure::incomplete(anyhow::Error::new(error).context("cannot write to standard output"))
}
