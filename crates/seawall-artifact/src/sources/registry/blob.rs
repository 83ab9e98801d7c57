//! A blob as it comes from a registry: when the connection breaks off, it is continued.

use super::super::http::pause;
use super::Registry;
use crate::Error;
use reqwest::StatusCode;
use reqwest::blocking::Response;
use reqwest::header::CONTENT_RANGE;
use std::io::{self, Read};
use std::sync::Arc;
use std::thread::sleep;

/// Failures without a byte between them after which a blob is given up.
const MAX_FAILURES_IN_A_ROW: u32 = 4;
/// Failures of one blob in all.
const MAX_FAILURES: u32 = 50;

/// Reads a blob from its begin.
pub(super) struct BlobReader {
    registry: Arc<Registry>,
    digest: String,
    /// What the manifest says.
    size: Option<u64>,
    position: u64,
    response: Option<Response>,
    failures_in_a_row: u32,
    failures: u32,
}

impl BlobReader {
    pub(super) fn open(
        registry: Arc<Registry>,
        digest: &str,
        size: Option<u64>,
    ) -> Result<Self, Error> {
        let mut reader = Self {
            registry,
            digest: digest.to_owned(),
            size,
            position: 0,
            response: None,
            failures_in_a_row: 0,
            failures: 0,
        };
        reader.response = Some(reader.connect()?);
        Ok(reader)
    }

    /// Asks for the blob from the position on.
    fn connect(&self) -> Result<Response, Error> {
        let path = format!("blobs/{}", self.digest);
        let mut response = self.registry.get(&path, None, self.position)?;
        let start = match response.status() {
            StatusCode::PARTIAL_CONTENT => range_start(&response),
            // All of it, from a registry that does not know ranges.
            _ => Some(0),
        };
        let surplus = start.and_then(|start| self.position.checked_sub(start));
        let Some(surplus) = surplus else {
            return Err(Error::Io {
                place: self.place(),
                source: io::Error::other("the registry continues from elsewhere than asked"),
            });
        };
        io::copy(&mut response.by_ref().take(surplus), &mut io::sink()).map_err(|source| {
            Error::Io {
                place: self.place(),
                source,
            }
        })?;
        Ok(response)
    }

    fn place(&self) -> String {
        format!("layer {}", self.digest)
    }

    /// Counts a failure, and says whether to go on after it.
    fn may_continue(&mut self) -> bool {
        self.response = None;
        self.failures += 1;
        self.failures_in_a_row += 1;
        let may = self.failures_in_a_row < MAX_FAILURES_IN_A_ROW && self.failures < MAX_FAILURES;
        if may {
            tracing::debug!(digest = self.digest, position = self.position, "continuing");
            sleep(pause(self.failures_in_a_row - 1));
        }
        may
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let response = match &mut self.response {
                Some(response) => response,
                None => match self.connect() {
                    Ok(response) => self.response.insert(response),
                    Err(error) if !self.may_continue() => return Err(io::Error::other(error)),
                    Err(_) => continue,
                },
            };
            let ended = match response.read(buffer) {
                Ok(0) if !buffer.is_empty() && self.size.is_some_and(|n| self.position < n) => {
                    io::Error::other(Error::Truncated {
                        place: self.place(),
                        offset: self.position,
                    })
                }
                Ok(n) => {
                    self.position += n as u64;
                    self.failures_in_a_row = 0;
                    return match self.size {
                        Some(size) if self.position > size => {
                            Err(io::Error::other(Error::Corrupt {
                                place: self.place(),
                                offset: size,
                                message: "it goes on behind the end that the manifest says"
                                    .to_owned(),
                            }))
                        }
                        _ => Ok(n),
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            if !self.may_continue() {
                return Err(ended);
            }
        }
    }
}

/// `bytes 100-199/200` begins at 100.
fn range_start(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}
