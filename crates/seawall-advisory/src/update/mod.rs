//! Fetches feeds into a directory, from which a database is built.
//!
//! A feed that did not change is not fetched again (conditional requests, RFC 9110 section 13), a
//! transfer that broke off is continued (ranges, section 14), and a file in the cache is replaced
//! only by a whole one that is a feed. What could not be fetched is said, and the older file, if
//! there is one, stays in use.

mod feeds;
mod fetch;
mod nvd;
mod state;
#[cfg(test)]
mod tests;

pub use feeds::{DEFAULT_FEEDS, Feed, FeedForm, Feeds, FeedsError};
pub use fetch::FetchError;

use fetch::Fetcher;
use futures_util::StreamExt as _;
use seawall_model::{Incomplete, IncompleteReason};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How feeds are fetched.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The most that one file may have, in bytes.
    pub max_bytes: u64,
    /// How often a request is tried.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The longest silence of the other side.
    pub idle: Duration,
    /// The pause between pages of the NVD, which asks for 6 seconds without an API key.
    pub page_pause: Duration,
    /// How many feeds are fetched at once.
    pub parallel: usize,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            max_bytes: 4 << 30,
            attempts: 4,
            backoff: Duration::from_secs(2),
            idle: Duration::from_secs(60),
            page_pause: Duration::from_secs(6),
            parallel: 4,
        }
    }
}

/// Looks at what was fetched before it replaces the older file: the first path is where the bytes
/// are, the second where they are to go, by whose name importers know their files. An error says
/// why they are no feed.
pub type Examine<'a> = &'a dyn Fn(&Path, &Path) -> Result<(), String>;

/// What became of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// New bytes were fetched: how many.
    New(u64),
    /// The file in the cache is still the newest.
    Unchanged,
}

/// What became of all feeds.
#[derive(Debug, Default)]
pub struct FetchReport {
    /// Each feed that could be fetched.
    pub fetched: Vec<(String, Fetched)>,
    /// Files and directories in the cache to build from, in the order of feeds, those of feeds that
    /// failed now but were fetched earlier too.
    pub paths: Vec<PathBuf>,
    /// Each feed that could not be fetched.
    pub incomplete: Vec<Incomplete>,
}

/// Fetches every enabled feed into `cache`. What `examine` refuses does not get there. `progress` is
/// called with a feed's name and what became of it, as it ends.
///
/// # Errors
/// The cache cannot be made, another update is at work in it, or networking cannot be set up. A feed
/// that fails is no error.
pub fn fetch_all(
    feeds: &Feeds,
    cache: &Path,
    options: &FetchOptions,
    examine: Examine<'_>,
    progress: &dyn Fn(&str, &Result<Fetched, FetchError>),
) -> io::Result<FetchReport> {
    std::fs::create_dir_all(cache)?;
    let _lock = lock(cache)?;
    let fetcher = Fetcher::new(options, examine)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let enabled: Vec<&Feed> = feeds.feeds.iter().filter(|feed| feed.enabled).collect();
    let outcomes: Vec<(&Feed, Result<Fetched, FetchError>)> = runtime.block_on(
        futures_util::stream::iter(enabled)
            .map(|feed| {
                let fetcher = &fetcher;
                async move {
                    let path = cache.join(&feed.name);
                    let outcome = match feed.form {
                        FeedForm::File => fetcher.file(&feed.url, &path).await,
                        FeedForm::Nvd => nvd::fetch(fetcher, &feed.url, &path).await,
                    };
                    progress(&feed.name, &outcome);
                    (feed, outcome)
                }
            })
            // In the order of feeds, so that reports are the same each time.
            .buffered(options.parallel.max(1))
            .collect(),
    );
    let mut report = FetchReport::default();
    for (feed, outcome) in outcomes {
        let path = cache.join(&feed.name);
        match outcome {
            Ok(fetched) => report.fetched.push((feed.name.clone(), fetched)),
            Err(error) => report
                .incomplete
                .push(incomplete(feed, &error, path.exists())),
        }
        if path.exists() {
            report.paths.push(path);
        }
    }
    Ok(report)
}

/// Keeps other updates out while it lives: they would append to each other's unfinished files. The
/// system gives it back when the process ends, however that is.
fn lock(cache: &Path) -> io::Result<File> {
    let file = File::create(cache.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            format!("another update is at work in {}", cache.display()),
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn incomplete(feed: &Feed, error: &FetchError, cached: bool) -> Incomplete {
    let reason = match error {
        FetchError::TooLarge { .. } => IncompleteReason::LimitReached,
        _ => IncompleteReason::Unreadable,
    };
    let mut message = format!("the feed was not fetched: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    if cached {
        message.push_str("; its file of an earlier update is used");
    }
    Incomplete::new(reason, format!("{} ({})", feed.name, feed.url), message)
        .hint("try again later, or disable the feed in the list of feeds")
}
