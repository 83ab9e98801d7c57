//! `seawall db build`: feed files in, one database out.

use crate::exit::{Exit, Failure, Result};
use crate::progress::Bar;
use crate::stdout;
use anyhow::{Context, anyhow};
use seawall_advisory::build::{Builder, BuiltDatabase};
use seawall_advisory::database;
use seawall_advisory::importers::{self, FeedFile, Records};
use seawall_advisory::signature::SecretKey;
use seawall_artifact::archive::each_file;
use seawall_artifact::{Limits, Progress};
use seawall_model::Incomplete;
use seawall_report::escape;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What files are counted as that no importer knows.
const NOT_A_FEED: &str = "not a feed";
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
    let mut collected = Collected {
        unread,
        ..Collected::default()
    };
    let bar = Bar::count("reading advisories", quiet);
    for path in from {
        collected.read(path, &bar)?;
    }
    if collected.read.keys().all(|name| *name == NOT_A_FEED) {
        return Err(collected.nothing(from));
    }
    bar.message("building the database".to_owned());
    let mut built = collected.builder.finish().map_err(Failure::incomplete)?;
    if let Some(key) = sign {
        sign_with(&mut built, key)?;
    }
    write(out, &built.bytes)?;
    drop(bar);
    if !quiet {
        missed(&collected.unread, &built);
        stdout::text(|to| report(out, &built, &collected.read, to))?;
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
    database::write_file(out, bytes).map_err(Failure::incomplete)
}

/// What the files gave.
#[derive(Default)]
struct Collected {
    builder: Builder,
    /// Files read, by importer.
    read: BTreeMap<&'static str, usize>,
    /// Files and members that no importer saw.
    unread: Vec<Incomplete>,
}

impl Collected {
    /// A database of nothing would call everything clean.
    fn nothing(&self, from: &[PathBuf]) -> Failure {
        let paths: Vec<String> = from.iter().map(|path| path.display().to_string()).collect();
        let error = anyhow!("no advisory feed was found in {}", paths.join(", "));
        let failure = match self.unread.first() {
            None => Failure::usage(error),
            Some(first) => Failure::incomplete(anyhow!("{error}: {first}")),
        };
        failure.hint("docs/advisories.md lists the feeds; the database of before stays in use")
    }

    fn read(&mut self, path: &Path, bar: &Bar) -> Result<()> {
        let unread = each_file(path, &Limits::default(), &mut |name, bytes| {
            bar.advance(1);
            let file = FeedFile { name, bytes };
            // A file that no importer knows is no feed: a licence, a script beside the data.
            let Some(importer) = importers::ALL.iter().find(|one| one.recognizes(&file)) else {
                *self.read.entry(NOT_A_FEED).or_default() += 1;
                return;
            };
            let mut records = Records::default();
            importer.import(&file, &mut records);
            *self.read.entry(importer.name()).or_default() += 1;
            self.builder.add(records);
        })?;
        self.unread.extend(unread);
        Ok(())
    }
}

fn sign_with(built: &mut BuiltDatabase, path: &Path) -> Result<()> {
    let key: SecretKey = fs::read_to_string(path)
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(text.parse()?))
        .with_context(|| format!("cannot use the key {}", path.display()))
        .map_err(|error| Failure::usage(error).hint("make one with: seawall db keygen FILE"))?;
    built.sign(&key).map_err(Failure::incomplete)
}

/// Says on standard error what was not read.
fn missed(unread: &[Incomplete], built: &BuiltDatabase) {
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

fn report(
    out: &Path,
    built: &BuiltDatabase,
    read: &BTreeMap<&'static str, usize>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let files: Vec<String> = read
        .iter()
        .map(|(feed, files)| format!("{feed} {files}"))
        .collect();
    let statistics = &built.statistics;
    writeln!(to, "{}", out.display())?;
    writeln!(to, "  files       {}", files.join(", "))?;
    writeln!(
        to,
        "  advisories  {} on {} flaws, in {} ecosystems",
        statistics.advisories,
        statistics.flaws,
        statistics.ecosystems.len()
    )?;
    writeln!(
        to,
        "  beside      {} known to be exploited, {} exploit predictions, {} CNNVD entries",
        statistics.kev, statistics.epss, statistics.cnnvd
    )?;
    let newest = statistics.newest.as_deref().unwrap_or("unknown");
    writeln!(to, "  newest      {newest}")?;
    writeln!(to, "  size        {:.1} MB", built.bytes.len() as f64 / 1e6)
}
