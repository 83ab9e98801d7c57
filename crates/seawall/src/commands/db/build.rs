//! `seawall db build`: feed files in, one database out.

use crate::assess::trusted_keys;
use crate::exit::{Exit, Failure, Result};
use crate::locations;
use crate::progress::Bar;
use crate::stdout;
use anyhow::{Context, anyhow};
use seawall_advisory::build::{Builder, BuiltDatabase};
use seawall_advisory::database::{self, DatabaseError};
use seawall_advisory::importers::{self, FeedFile, Records};
use seawall_advisory::signature::SecretKey;
use seawall_artifact::archive::each_file;
use seawall_artifact::{Limits, Progress};
use seawall_model::{Incomplete, IncompleteReason};
use seawall_report::escape;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Places shown of each kind of trouble; the rest is counted.
const SHOWN: usize = 5;

pub(super) fn run(from: &[PathBuf], out: &Path, sign: Option<&Path>, quiet: bool) -> Result<Exit> {
    build(from, out, sign, quiet, Vec::new())
}

/// Builds a database; `unread` is what was missed before.
pub(super) fn build(
    from: &[PathBuf],
    out: &Path,
    sign: Option<&Path>,
    quiet: bool,
    unread: Vec<Incomplete>,
) -> Result<Exit> {
    let key = sign.map(read_key).transpose()?;
    would_be_trusted(out, key.as_ref())?;
    let mut collected = Collected {
        unread,
        ..Collected::default()
    };
    let bar = Bar::count("reading advisories", quiet);
    for path in from {
        collected.read(path, &bar)?;
    }
    bar.message("building the database".to_owned());
    let mut built = collected.builder.finish().map_err(Failure::incomplete)?;
    let statistics = &built.statistics;
    if statistics.advisories + statistics.kev + statistics.epss + statistics.cnnvd == 0 {
        let missed: Vec<&Incomplete> = collected.unread.iter().chain(&built.incomplete).collect();
        return Err(nothing_read(from, &missed, out));
    }
    if let Some(key) = &key {
        built.sign(key).map_err(Failure::incomplete)?;
    }
    write(out, &built.bytes)?;
    drop(bar);
    say_missed(&collected.unread, &built);
    if !quiet {
        let report = Report {
            built: &built,
            read: &collected.read,
            passed_over: collected.passed_over,
        };
        stdout::text(|to| report.print(out, to))?;
    }
    Ok(
        match built.incomplete.is_empty() && collected.unread.is_empty() {
            true => Exit::Clean,
            false => Exit::Incomplete,
        },
    )
}

/// Writes a database where scans look for it, making the directory.
pub(super) fn write(out: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))
            .map_err(Failure::usage)?;
    }
    database::write_file(out, bytes).map_err(|error| {
        let hint = error.hint();
        match error {
            DatabaseError::InTheWay { .. } => Failure::usage(error),
            _ => Failure::incomplete(error),
        }
        .hint(hint)
    })
}

/// What the files gave.
#[derive(Default)]
struct Collected {
    builder: Builder,
    /// Files read, by importer.
    read: BTreeMap<&'static str, usize>,
    /// Files beside the feeds that are none: licences, scripts.
    passed_over: usize,
    /// Files and members that no importer saw.
    unread: Vec<Incomplete>,
}

impl Collected {
    fn read(&mut self, path: &Path, bar: &Bar) -> Result<()> {
        let mut feeds = 0;
        let unread = each_file(path, &Limits::default(), &mut |name, bytes| {
            bar.advance(1);
            if is_hidden(name) {
                return;
            }
            let file = FeedFile { name, bytes };
            let Some(importer) = importers::of(&file) else {
                tracing::debug!(name, "not a feed");
                match damaged_json(name, bytes) {
                    Some(damaged) => self.unread.push(damaged),
                    None => self.passed_over += 1,
                }
                return;
            };
            let mut records = Records::default();
            importer.import(&file, &mut records);
            feeds += 1;
            *self.read.entry(importer.name()).or_default() += 1;
            self.builder.add(records);
        })?;
        if feeds == 0 && unread.is_empty() {
            let message = "no feed that Seawall knows";
            self.unread.push(
                Incomplete::new(
                    IncompleteReason::Unsupported,
                    path.display().to_string(),
                    message,
                )
                .hint("give it as it was published, and by the name that it was published under"),
            );
        }
        self.unread.extend(unread);
        Ok(())
    }
}

/// What is wrong with a file that is JSON by its name and not by its content: a feed's, as nobody can
/// tell any more, may be lost in it.
fn damaged_json(name: &str, bytes: &[u8]) -> Option<Incomplete> {
    if ![".json", ".jsonl"].iter().any(|end| name.ends_with(end)) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    let message = match values.next() {
        Some(Err(error)) => format!("it is no JSON: {error}"),
        None if name.ends_with(".json") => "it is empty".to_owned(),
        Some(Ok(_)) | None => return None,
    };
    Some(Incomplete::new(IncompleteReason::Corrupt, name, message))
}

/// Hidden files are the cache's own: validators, and pages that are only half there.
fn is_hidden(name: &str) -> bool {
    name.rsplit(['/', '!'])
        .next()
        .is_some_and(|last| last.starts_with('.'))
}

/// A database of nothing would call everything clean.
fn nothing_read(from: &[PathBuf], missed: &[&Incomplete], out: &Path) -> Failure {
    let no_feed = |one: &&Incomplete| one.reason == IncompleteReason::Unsupported;
    let failure = if missed.iter().all(no_feed) {
        let paths: Vec<String> = from.iter().map(|path| path.display().to_string()).collect();
        Failure::usage(anyhow!(
            "no advisory feed was found in {}",
            paths.join(", ")
        ))
    } else {
        let first = missed.first().map_or_else(String::new, ToString::to_string);
        Failure::incomplete(anyhow!("no advisory was read: {first}"))
    };
    failure.hint(format!(
        "{} was not written; name the files or directories that hold feeds",
        out.display()
    ))
}

fn read_key(path: &Path) -> Result<SecretKey> {
    fs::read_to_string(path)
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(text.parse()?))
        .with_context(|| format!("cannot use the key {}", path.display()))
        .map_err(|error| Failure::usage(error).hint("make one with: seawall db keygen FILE"))
}

/// Where scans demand a signature, the database that they use is not replaced by one that they
/// would refuse.
fn would_be_trusted(out: &Path, key: Option<&SecretKey>) -> Result<()> {
    let trusted = trusted_keys()?;
    let accepted = key.is_some_and(|key| trusted.contains(&key.public()));
    if trusted.is_empty() || accepted || out != locations::database(None)? {
        return Ok(());
    }
    Err(Failure::usage(anyhow!(
        "scans would refuse {}: it would not be signed by one of the keys in {}",
        out.display(),
        locations::trusted_keys()?.display()
    ))
    .hint("sign it with --sign KEY, or write it elsewhere with --out FILE"))
}

/// Says on standard error what was not read.
fn say_missed(unread: &[Incomplete], built: &BuiltDatabase) {
    let missed: Vec<&Incomplete> = unread.iter().chain(&built.incomplete).collect();
    let mut lines: Vec<String> = missed
        .iter()
        .take(SHOWN)
        .map(|one| format!("not read: {}\n", escape::line(&one.to_string())))
        .collect();
    if missed.len() > SHOWN {
        lines.push(format!("not read: {} more\n", missed.len() - SHOWN));
    }
    // Nothing is left to tell anybody when standard error is closed; the exit code says it still.
    drop(io::stderr().write_all(lines.concat().as_bytes()));
}

/// What is told of a database that was built.
struct Report<'a> {
    built: &'a BuiltDatabase,
    read: &'a BTreeMap<&'static str, usize>,
    passed_over: usize,
}

impl Report<'_> {
    fn print(&self, path: &Path, out: &mut dyn Write) -> io::Result<()> {
        let mut files: Vec<String> = self
            .read
            .iter()
            .map(|(feed, files)| format!("{feed} {files}"))
            .collect();
        if self.passed_over > 0 {
            files.push(format!("{} beside them are no feeds", self.passed_over));
        }
        let statistics = &self.built.statistics;
        writeln!(out, "{}", path.display())?;
        writeln!(out, "  files       {}", files.join(", "))?;
        writeln!(
            out,
            "  advisories  {} on {} flaws, in {} ecosystems",
            statistics.advisories,
            statistics.flaws,
            statistics.ecosystems.len()
        )?;
        writeln!(
            out,
            "  beside      {} known to be exploited, {} exploit predictions, {} CNNVD entries",
            statistics.kev, statistics.epss, statistics.cnnvd
        )?;
        self.print_skipped(out)?;
        let newest = statistics.newest.as_deref().unwrap_or("unknown");
        writeln!(out, "  newest      {newest}")?;
        writeln!(
            out,
            "  size        {:.1} MB",
            self.built.bytes.len() as f64 / 1e6
        )
    }

    /// What importers left out on purpose, the most first.
    fn print_skipped(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut skipped: Vec<(&String, &u64)> = self.built.skipped.iter().collect();
        skipped.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
        let mut label = "left out";
        for (what, rows) in skipped.iter().take(SHOWN) {
            writeln!(out, "  {label:<11} {rows} rows: {}", what)?;
            label = "";
        }
        if skipped.len() > SHOWN {
            let rows: u64 = skipped.iter().skip(SHOWN).map(|(_, rows)| **rows).sum();
            let kinds = skipped.len() - SHOWN;
            writeln!(out, "  {label:<11} {rows} rows of {kinds} more kinds")?;
        }
        Ok(())
    }
}
