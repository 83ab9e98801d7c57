//! The NVD's CVE API, version 2.0: pages by `startIndex` and `resultsPerPage`
//! (<https://nvd.nist.gov/developers/vulnerabilities>). Every page becomes a file, so that a fetch
//! that broke off is continued with the next page, and a page that did not change is not read again.

use super::Fetched;
use super::fetch::{FetchError, Fetcher};
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::Path;

/// The most that the API gives at once.
const PAGE: u64 = 2_000;
/// More records than the NVD will have for many years.
const MAX_RECORDS: u64 = 4_000_000;

#[derive(Deserialize)]
struct PageHead {
    #[serde(rename = "totalResults")]
    total: u64,
}

/// Fetches all pages into the directory `path`.
pub(super) async fn fetch(
    fetcher: &Fetcher<'_>,
    url: &str,
    path: &Path,
) -> Result<Fetched, FetchError> {
    fs::create_dir_all(path)?;
    let mut bytes = 0;
    let mut start = 0;
    loop {
        let file = path.join(format!("{start:07}.json"));
        let page = format!("{url}?resultsPerPage={PAGE}&startIndex={start}");
        if let Fetched::New(new) = fetcher.file(&page, &file).await? {
            bytes += new;
        }
        let head: PageHead = serde_json::from_slice(&fs::read(&file)?)
            .map_err(|_| FetchError::Answer("a page is not JSON of the NVD's API"))?;
        start += PAGE;
        if start >= head.total.min(MAX_RECORDS) {
            break;
        }
        tokio::time::sleep(fetcher.options().page_pause).await;
    }
    remove_after(path, start)?;
    Ok(if bytes == 0 {
        Fetched::Unchanged
    } else {
        Fetched::New(bytes)
    })
}

/// Removes pages past the last one.
fn remove_after(path: &Path, end: u64) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".json"))
            .and_then(|number| number.parse::<u64>().ok());
        if number.is_some_and(|number| number >= end) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
