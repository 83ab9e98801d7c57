//! Which feeds are fetched: a file that the user may replace.

use serde::Deserialize;
use std::collections::HashSet;

/// The feeds of a Seawall that nobody configured, with comments: a file to start from.
pub const DEFAULT_FEEDS: &str = include_str!("feeds.toml");

/// A list of feeds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feeds {
    /// In the order in which they are fetched.
    #[serde(default, rename = "feed")]
    pub feeds: Vec<Feed>,
}

/// One feed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Its name in messages, and the name of its file in the cache.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// How it is fetched.
    #[serde(default)]
    pub form: FeedForm,
    /// Whether it is fetched at all.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// How a feed is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum FeedForm {
    /// One file.
    #[default]
    #[serde(rename = "file")]
    File,
    /// The CVE API of the NVD, version 2.0: pages of at most 2,000 records.
    #[serde(rename = "nvd-2.0")]
    Nvd,
}

/// What is wrong with a list of feeds.
#[derive(Debug, thiserror::Error)]
pub enum FeedsError {
    /// Not TOML of the expected form.
    #[error("the list of feeds cannot be read")]
    Syntax(#[from] toml::de::Error),
    /// A name that is no file name, or used twice.
    #[error("the feed name '{0}' is used twice, or has other signs than letters, digits, . - _")]
    Name(String),
    /// An address that is not fetched from.
    #[error("feed '{name}': {url} is neither https nor on this machine")]
    Address {
        /// The feed.
        name: String,
        /// Its address.
        url: String,
    },
}

fn yes() -> bool {
    true
}

impl Feeds {
    /// Reads a list of feeds.
    ///
    /// # Errors
    /// It is malformed, or names or addresses cannot be used.
    pub fn parse(text: &str) -> Result<Self, FeedsError> {
        let feeds: Self = toml::from_str(text)?;
        let mut names = HashSet::new();
        for feed in &feeds.feeds {
            let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let good = feed.name.chars().all(usable)
                && feed.name.len() <= 100
                && feed.name.starts_with(|c: char| c.is_ascii_alphanumeric());
            if !good || !names.insert(&feed.name) {
                return Err(FeedsError::Name(feed.name.clone()));
            }
            if !reqwest::Url::parse(&feed.url).is_ok_and(|url| may_fetch(&url)) {
                return Err(FeedsError::Address {
                    name: feed.name.clone(),
                    url: feed.url.clone(),
                });
            }
        }
        Ok(feeds)
    }
}

/// TLS everywhere but on this machine itself.
pub(super) fn may_fetch(url: &reqwest::Url) -> bool {
    let loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_feeds_can_be_used() {
        let feeds = Feeds::parse(DEFAULT_FEEDS).unwrap();
        assert!(feeds.feeds.len() > 20);
    }

    #[test]
    fn what_would_be_dangerous_is_refused() {
        let check = |name: &str, url: &str, expected: bool| {
            let text = format!("[[feed]]\nname = \"{name}\"\nurl = \"{url}\"\n");
            assert_eq!(Feeds::parse(&text).is_ok(), expected, "{text}");
        };
        check("a", "https://example.com/a", true);
        check("a", "http://127.0.0.1:8080/a", true);
        check("a", "http://[::1]/a", true);
        check("a", "http://example.com/a", false);
        check("a", "http://127.0.0.1.example.com/a", false);
        check("a", "file:///etc/passwd", false);
        check("../a", "https://example.com/a", false);
        check(".a", "https://example.com/a", false);
        check("", "https://example.com/a", false);
    }
}
