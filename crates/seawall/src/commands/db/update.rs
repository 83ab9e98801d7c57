//! `seawall db update`.

use super::build;
use crate::exit::{Exit, Failure, Result};
use crate::locations;
use crate::progress::Bar;
use crate::stdout;
use anyhow::{Context, anyhow};
use seawall_advisory::importers::{self, FeedFile};
use seawall_advisory::update::{DEFAULT_FEEDS, Feeds, FetchOptions, Fetched, fetch_all};
use seawall_artifact::Limits;
use seawall_artifact::archive::each_file_called;
use seawall_model::IncompleteReason;
use std::fs;
use std::path::Path;

/// What to do where no feed can be fetched.
const WITHOUT_NETWORK: &str = "without a network, carry feed files here and run `seawall db build \
                               --from PATH`; the database of before stays in use";

pub(super) fn print_feeds() -> Result<Exit> {
    stdout::raw(configured(None)?.as_bytes())
}

/// Fetches, and builds from what is in the cache then: a feed that fails now keeps its older file.
pub(super) fn run(
    feeds: Option<&Path>,
    out: &Path,
    sign: Option<&Path>,
    quiet: bool,
) -> Result<Exit> {
    let feeds = Feeds::parse(&configured(feeds)?).map_err(|error| {
        Failure::usage(error).hint("`seawall db update --print-feeds` shows a list that works")
    })?;
    let bar = Bar::count("fetching feeds", quiet);
    let report = fetch_all(
        &feeds,
        &locations::feed_cache()?,
        &FetchOptions::default(),
        &examine,
        &|name, outcome| {
            let line = match outcome {
                Ok(Fetched::New(bytes)) => format!("{name}: {:.1} MB", *bytes as f64 / 1e6),
                Ok(Fetched::Unchanged) => format!("{name}: unchanged"),
                Err(error) => format!("{name}: {error}"),
            };
            bar.line(&line);
        },
    )
    .context("cannot fetch the feeds")
    .map_err(|error| {
        Failure::incomplete(error)
            .hint("let another update end first, and see that the cache can be written")
    })?;
    drop(bar);
    if report.paths.is_empty() {
        let first = report
            .incomplete
            .first()
            .map_or_else(|| "no feed is enabled".to_owned(), ToString::to_string);
        return Err(
            Failure::incomplete(anyhow!("no feed could be fetched: {first}")).hint(WITHOUT_NETWORK),
        );
    }
    // What a feed left behind may hold nothing either.
    let built = build::build(&report.paths, out, sign, quiet, report.incomplete);
    built.map_err(|failure| match failure.hint {
        None => failure,
        Some(_) => failure.hint(WITHOUT_NETWORK),
    })
}

/// Whether a file that was fetched can be unpacked to its end and holds what an importer knows.
/// Damage to single members is no reason to refuse the others: building tells of it.
fn examine(bytes: &Path, name: &Path) -> std::result::Result<(), String> {
    let mut feeds = 0;
    let unread = each_file_called(
        bytes,
        &name.display().to_string(),
        &Limits::default(),
        &mut |name, bytes| feeds += usize::from(importers::of(&FeedFile { name, bytes }).is_some()),
    )
    .map_err(|error| error.to_string())?;
    let truncated = unread
        .iter()
        .find(|one| one.reason == IncompleteReason::Truncated);
    match truncated.or(unread.first().filter(|_| feeds == 0)) {
        Some(first) => Err(first.to_string()),
        None if feeds == 0 => Err("no importer knows its form".to_owned()),
        None => Ok(()),
    }
}

/// The feeds file that is named, else the user's own, else the built-in one.
fn configured(named: Option<&Path>) -> Result<String> {
    let own = locations::feeds()?;
    let path = match named {
        Some(path) => path,
        // An empty one may be where `--print-feeds` is just being redirected to.
        None if fs::metadata(&own).is_ok_and(|file| file.len() > 0) => &own,
        None => return Ok(DEFAULT_FEEDS.to_owned()),
    };
    fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::usage)
}
