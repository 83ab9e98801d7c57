//! `seawall db build`: feed files in, one database out.

use crate::exit::{Exit, Failure, Result};
use crate::progress::Bar;
use anyhow::Context;
use seawall_advisory::build::{Builder, BuiltDatabase};
use seawall_advisory::database;
use seawall_advisory::importers::{self, FeedFile, Records};
use seawall_advisory::signature::SecretKey;
use seawall_artifact::archive::each_file;
use seawall_artifact::{Limits, Progress};
use seawall_model::Incomplete;
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
    if let Some(key) = sign {
        sign_with(&mut built, key)?;
    }
    write(out, &built.bytes)?;
    drop(bar);
    report(out, &built, &collected.read, &collected.unread, quiet).map_err(Failure::incomplete)?;
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
    fn read(&mut self, path: &Path, bar: &Bar) -> Result<()> {
        let unread = each_file(path, &Limits::default(), &mut |name, bytes| {
            bar.advance(1);
            let file = FeedFile { name, bytes };
            // A file that no importer knows is no feed: a licence, a script beside the data.
            let Some(importer) = importers::ALL.iter().find(|one| one.recognizes(&file)) else {
                *self.read.entry("not a feed").or_default() += 1;
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

fn report(
    out: &Path,
    built: &BuiltDatabase,
    read: &BTreeMap<&'static str, usize>,
    unread: &[Incomplete],
    quiet: bool,
) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let missed: Vec<&Incomplete> = unread.iter().chain(&built.incomplete).collect();
    for one in missed.iter().take(if quiet { 0 } else { SHOWN }) {
        writeln!(err, "not read: {one}")?;
    }
    if missed.len() > SHOWN && !quiet {
        writeln!(err, "not read: {} more", missed.len() - SHOWN)?;
    }
    if quiet {
        return Ok(());
    }
    let files: Vec<String> = read
        .iter()
        .map(|(feed, files)| format!("{feed} {files}"))
        .collect();
    let statistics = &built.statistics;
    let mut std_out = io::stdout().lock();
    writeln!(std_out, "{}", out.display())?;
    writeln!(std_out, "  files       {}", files.join(", "))?;
    writeln!(
        std_out,
        "  advisories  {} on {} flaws, in {} ecosystems",
        statistics.advisories,
        statistics.flaws,
        statistics.ecosystems.len()
    )?;
    writeln!(
        std_out,
        "  beside      {} known to be exploited, {} exploit predictions, {} CNNVD entries",
        statistics.kev, statistics.epss, statistics.cnnvd
    )?;
    let newest = statistics.newest.as_deref().unwrap_or("unknown");
    writeln!(std_out, "  newest      {newest}")?;
    writeln!(
        std_out,
        "  size        {:.1} MB",
        built.bytes.len() as f64 / 1e6
    )
}
