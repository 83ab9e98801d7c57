//! One file over HTTP: conditional, resumed, capped, tried again.

use super::feeds::may_fetch;
use super::state::{State, with_suffix};
use super::{Examine, FetchOptions, Fetched};
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode, redirect};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// The longest pause that another side may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(120);
const MAX_REDIRECTS: usize = 5;

/// Why a feed was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is none that is fetched from.
    #[error("the address is neither https nor on this machine")]
    Address,
    /// The connection failed, or broke off.
    #[error("the transfer failed")]
    Transfer(#[source] reqwest::Error),
    /// The other side says no.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// The other side continues from elsewhere than asked, or less came than promised.
    #[error("the server's answer contradicts itself: {0}")]
    Answer(&'static str),
    /// The file is larger than allowed.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The cap, in bytes.
        limit: u64,
    },
    /// What came is not what a feed publishes: the login page of a proxy, half an archive.
    #[error("what the server sent is no feed: {0}")]
    NotAFeed(String),
    /// The cache cannot be written.
    #[error("the cache cannot be written")]
    Cache(#[from] io::Error),
}

impl FetchError {
    /// Whether another attempt may end better.
    fn is_passing(&self) -> bool {
        match self {
            Self::Transfer(error) => !error.is_builder() && !error.is_redirect(),
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    )
            }
            Self::Answer(_) => true,
            Self::Address | Self::TooLarge { .. } | Self::NotAFeed(_) | Self::Cache(_) => false,
        }
    }
}

/// Fetches files.
pub(super) struct Fetcher<'a> {
    client: Client,
    options: FetchOptions,
    examine: Examine<'a>,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(options: &FetchOptions, examine: Examine<'a>) -> io::Result<Self> {
        // An error says that the program has chosen its provider before: that one is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(options.idle)
            // Ranges and lengths are those of the bytes as they are sent.
            .no_gzip()
            .redirect(redirect::Policy::custom(|attempt| {
                let encrypted = |url: &reqwest::Url| url.scheme() == "https";
                // Nor to this machine: what a server elsewhere names there is not the user's choice.
                let leaves = !encrypted(attempt.url()) && attempt.previous().iter().any(encrypted);
                if attempt.previous().len() > MAX_REDIRECTS {
                    attempt.error("too many redirects")
                } else if may_fetch(attempt.url()) && !leaves {
                    attempt.follow()
                } else {
                    attempt.error("a redirect leaves https")
                }
            }))
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            client,
            options: options.clone(),
            examine,
        })
    }

    pub(super) fn options(&self) -> &FetchOptions {
        &self.options
    }

    /// Brings the file at `path` up to date with `url`.
    pub(super) async fn file(&self, url: &str, path: &Path) -> Result<Fetched, FetchError> {
        let url: reqwest::Url = url.parse().map_err(|_| FetchError::Address)?;
        if !may_fetch(&url) {
            return Err(FetchError::Address);
        }
        let mut pause = self.options.backoff;
        let mut attempt = 1;
        loop {
            let mut asked = None;
            let error = match self.attempt(&url, path, &mut asked).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            if attempt >= self.options.attempts || !error.is_passing() {
                return Err(error);
            }
            tracing::debug!(%url, attempt, %error, "trying again");
            tokio::time::sleep(asked.unwrap_or(pause).min(MAX_PAUSE)).await;
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        url: &reqwest::Url,
        path: &Path,
        pause: &mut Option<Duration>,
    ) -> Result<Fetched, FetchError> {
        let partial = with_suffix(path, ".partial");
        let have = resumable(&partial, url);
        let mut request = self.client.get(url.clone());
        if let Some((len, state)) = &have {
            request = request.header(RANGE, format!("bytes={len}-"));
            if let Some(validator) = state.range_validator() {
                request = request.header(IF_RANGE, validator);
            }
        } else if let Some(state) = State::load(path).filter(|state| state.url == url.as_str())
            && path.is_file()
        {
            if let Some(etag) = state.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(date) = state.last_modified {
                request = request.header(IF_MODIFIED_SINCE, date);
            }
        }
        let response = request.send().await.map_err(FetchError::Transfer)?;
        *pause = retry_after(response.headers());
        let start = match response.status() {
            StatusCode::NOT_MODIFIED if have.is_none() => return Ok(Fetched::Unchanged),
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => match have {
                Some((len, _)) if range_start(response.headers()) == Some(len) => len,
                _ => {
                    discard(&partial)?;
                    return Err(FetchError::Answer("it continues from elsewhere"));
                }
            },
            StatusCode::RANGE_NOT_SATISFIABLE => {
                discard(&partial)?;
                return Err(FetchError::Answer("there is nothing to continue"));
            }
            status => return Err(FetchError::Status(status)),
        };
        let state = state_of(url, response.headers());
        let total = self.receive(response, &partial, start, &state).await?;
        File::open(&partial)?.sync_all()?;
        if let Err(reason) = (self.examine)(&partial, path) {
            discard(&partial)?;
            return Err(FetchError::NotAFeed(reason));
        }
        // Between the two renames the file is new and its state old: then it is fetched again.
        State::forget(path)?;
        fs::rename(&partial, path)?;
        State::forget(&partial)?;
        state.store(path)?;
        Ok(Fetched::New(total - start))
    }

    /// Appends the body to the partial file, and says how long that is then.
    async fn receive(
        &self,
        mut response: Response,
        partial: &Path,
        start: u64,
        state: &State,
    ) -> Result<u64, FetchError> {
        let limit = self.options.max_bytes;
        let promised = response.content_length();
        if promised.is_some_and(|len| len > limit.saturating_sub(start)) {
            discard(partial)?;
            return Err(FetchError::TooLarge { limit });
        }
        let mut file = OpenOptions::new().create(true).append(true).open(partial)?;
        if start == 0 {
            file.set_len(0)?;
            state.store(partial)?;
        }
        let mut total = start;
        while let Some(chunk) = response.chunk().await.map_err(FetchError::Transfer)? {
            total = total.saturating_add(chunk.len() as u64);
            if total > limit {
                discard(partial)?;
                return Err(FetchError::TooLarge { limit });
            }
            file.write_all(&chunk)?;
        }
        if promised.is_some_and(|len| total - start != len) {
            return Err(FetchError::Answer("less came than promised"));
        }
        Ok(total)
    }
}

/// How much of a file is there from a transfer that broke off, if it can be continued.
fn resumable(partial: &Path, url: &reqwest::Url) -> Option<(u64, State)> {
    let len = fs::metadata(partial).ok()?.len();
    let state = State::load(partial)?;
    (len > 0 && state.url == url.as_str() && state.range_validator().is_some())
        .then_some((len, state))
}

fn discard(partial: &Path) -> io::Result<()> {
    State::forget(partial)?;
    match fs::remove_file(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn state_of(url: &reqwest::Url, headers: &HeaderMap) -> State {
    State {
        url: url.to_string(),
        etag: text(headers, ETAG),
        last_modified: text(headers, LAST_MODIFIED),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// `bytes 100-199/200` begins at 100.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, CONTENT_RANGE)?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}

/// Seconds; the form with a date is rare and not needed, as there is a pause anyway.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, RETRY_AFTER)?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
