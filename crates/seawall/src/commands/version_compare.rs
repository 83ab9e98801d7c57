//! `seawall version-compare`.

use crate::cli::VersionCompare;
use crate::exit::{Exit, Failure, Result};
use crate::stdout;
use anyhow::{Context, anyhow};
use seawall_advisory::versions;
use seawall_model::VersionScheme;
use std::cmp::Ordering;
use std::io::{self, BufRead, Read, Write};

/// Longest line taken from standard input, in bytes.
const MAX_LINE: u64 = 64 << 10;

pub(crate) fn run(args: &VersionCompare) -> Result<Exit> {
    let scheme = VersionScheme::from_name(&args.scheme)
        .ok_or_else(|| Failure::usage(anyhow!("unknown scheme '{}'", args.scheme)))?;
    let mut out = io::stdout().lock();
    match args.versions.as_slice() {
        [a, b] => print(&mut out, compare(scheme, a, b)?)?,
        [] => return compare_lines(scheme, &mut io::stdin().lock(), &mut out),
        _ => {
            return Err(Failure::usage(anyhow!("one version was given"))
                .hint("give two versions, or none to read pairs from standard input"));
        }
    }
    Ok(Exit::Clean)
}

/// Compares a pair a line. A line that holds none is told, and the others are compared.
fn compare_lines(
    scheme: VersionScheme,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<Exit> {
    let mut number = 0;
    let mut exit = Exit::Clean;
    loop {
        let mut line = Vec::new();
        number += 1;
        let place = || format!("standard input, line {number}");
        let n = input
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .with_context(place)
            .map_err(Failure::incomplete)?;
        if n == 0 {
            return Ok(exit);
        }
        let whole = n < MAX_LINE as usize || line.ends_with(b"\n");
        match compare_line(scheme, &String::from_utf8_lossy(&line), whole) {
            Ok(Some(ordering)) => print(out, ordering)?,
            Ok(None) => {}
            Err(failure) => {
                let error = failure.error.context(place());
                drop(writeln!(io::stderr(), "{}", Failure { error, ..failure }));
                exit = Exit::Usage;
            }
        }
        if !whole {
            input
                .skip_until(b'\n')
                .with_context(place)
                .map_err(Failure::incomplete)?;
        }
    }
}

/// `None` for an empty line.
fn compare_line(scheme: VersionScheme, text: &str, whole: bool) -> Result<Option<Ordering>> {
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (None, ..) if whole => Ok(None),
        (Some(a), Some(b), None) if whole => compare(scheme, a, b).map(Some),
        _ => Err(Failure::usage(anyhow!("not two versions"))
            .hint("each line holds two versions with white space between them")),
    }
}

fn compare(scheme: VersionScheme, a: &str, b: &str) -> Result<Ordering> {
    versions::compare(scheme, a, b).map_err(Failure::usage)
}

fn print(out: &mut dyn Write, ordering: Ordering) -> Result<()> {
    let sign = match ordering {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    };
    writeln!(out, "{sign}").map_err(stdout::failed)
}
