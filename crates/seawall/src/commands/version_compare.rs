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
        [] => compare_lines(scheme, &mut io::stdin().lock(), &mut out)?,
        _ => {
            return Err(Failure::usage(anyhow!("one version was given"))
                .hint("give two versions, or none to read pairs from standard input"));
        }
    }
    Ok(Exit::Clean)
}

fn compare_lines(
    scheme: VersionScheme,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<()> {
    let mut number = 0;
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
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(a), Some(b), None) if n < MAX_LINE as usize => {
                let ordering = compare(scheme, a, b).map_err(|failure| Failure {
                    error: failure.error.context(place()),
                    ..failure
                })?;
                print(out, ordering)?;
            }
            _ => {
                return Err(Failure::usage(anyhow!("{}: not two versions", place()))
                    .hint("each line holds two versions with white space between them"));
            }
        }
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
