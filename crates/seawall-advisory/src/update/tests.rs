//! Against a server of a few lines that answers what each test wants.

use super::{Feed, FeedForm, Feeds, FetchOptions, FetchReport, Fetched, fetch_all};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Answers each request with the next of `answers`, and keeps what was asked: the first line and
/// the headers of interest, in one text.
fn serve(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let line = line.unwrap();
                if line.is_empty() {
                    break;
                }
                let name = line.split(':').next().unwrap_or_default().to_lowercase();
                if request.is_empty() || ["range", "if-range", "if-none-match"].contains(&&*name) {
                    request += &format!("{line}|");
                }
            }
            seen.lock().unwrap().push(request);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

fn answer(status: &str, headers: &str, promised: usize, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {promised}\r\n{headers}\r\n{body}"
    )
}

fn fetch(url: &str, form: FeedForm, cache: &Path, max_bytes: u64) -> FetchReport {
    let feeds = Feeds {
        feeds: vec![Feed {
            name: "feed.json".to_owned(),
            url: url.to_owned(),
            form,
            enabled: true,
        }],
    };
    let options = FetchOptions {
        max_bytes,
        attempts: 3,
        backoff: Duration::from_millis(1),
        page_pause: Duration::ZERO,
        ..FetchOptions::default()
    };
    let examine = |bytes: &Path, _: &Path| match std::fs::read_to_string(bytes) {
        Ok(text) if text.starts_with("<html>") => Err("it is a web page".to_owned()),
        _ => Ok(()),
    };
    fetch_all(&feeds, cache, &options, &examine, &|_, _| {}).unwrap()
}

/// Serves `answers`, fetches as often as `expected` is long, and compares outcomes and requests.
/// An outcome is `new N`, `unchanged`, or the beginning of what is said of the failure.
fn check(answers: Vec<String>, expected: &[&str], requests: &[&str], content: Option<&str>) {
    let cache = tempfile::tempdir().unwrap();
    let (url, asked) = serve(answers);
    for outcome in expected {
        let report = fetch(&url, FeedForm::File, cache.path(), 100);
        let found = match (report.fetched.first(), report.incomplete.first()) {
            (Some((_, Fetched::New(bytes))), None) => format!("new {bytes}"),
            (Some((_, Fetched::Unchanged)), None) => "unchanged".to_owned(),
            (None, Some(incomplete)) => incomplete.message.clone(),
            other => panic!("{other:?}"),
        };
        assert!(found.starts_with(outcome), "{found:?}, not {outcome:?}");
    }
    assert_eq!(*asked.lock().unwrap(), requests);
    let file = std::fs::read_to_string(cache.path().join("feed.json")).ok();
    assert_eq!(file.as_deref(), content);
}

#[test]
fn what_did_not_change_is_not_fetched_again() {
    check(
        vec![
            answer("200 OK", "ETag: \"1\"\r\n", 5, "hello"),
            answer("304 Not Modified", "", 0, ""),
            answer("200 OK", "ETag: \"2\"\r\n", 3, "new"),
        ],
        &["new 5", "unchanged", "new 3"],
        &[
            "GET / HTTP/1.1|",
            "GET / HTTP/1.1|if-none-match: \"1\"|",
            "GET / HTTP/1.1|if-none-match: \"1\"|",
        ],
        Some("new"),
    );
}

#[test]
fn a_short_body_is_continued() {
    check(
        vec![
            answer("200 OK", "ETag: \"1\"\r\n", 10, "hello"),
            answer(
                "206 Partial Content",
                "ETag: \"1\"\r\nContent-Range: bytes 5-9/10\r\n",
                5,
                "world",
            ),
        ],
        &["new 5"],
        &[
            "GET / HTTP/1.1|",
            "GET / HTTP/1.1|range: bytes=5-|if-range: \"1\"|",
        ],
        Some("helloworld"),
    );
}

#[test]
fn a_server_that_continues_from_elsewhere_is_asked_for_the_whole() {
    check(
        vec![
            answer("200 OK", "ETag: \"1\"\r\n", 10, "hello"),
            answer(
                "206 Partial Content",
                "Content-Range: bytes 7-9/10\r\n",
                3,
                "rld",
            ),
            answer("200 OK", "ETag: \"1\"\r\n", 10, "helloworld"),
        ],
        &["new 10"],
        &[
            "GET / HTTP/1.1|",
            "GET / HTTP/1.1|range: bytes=5-|if-range: \"1\"|",
            "GET / HTTP/1.1|",
        ],
        Some("helloworld"),
    );
}

#[test]
fn a_changed_file_is_fetched_whole_where_it_broke_off() {
    check(
        vec![
            answer("200 OK", "ETag: \"1\"\r\n", 10, "hello"),
            answer("200 OK", "ETag: \"2\"\r\n", 3, "new"),
        ],
        &["new 3"],
        &[
            "GET / HTTP/1.1|",
            "GET / HTTP/1.1|range: bytes=5-|if-range: \"1\"|",
        ],
        Some("new"),
    );
}

#[test]
fn a_failing_server_is_tried_again_and_the_old_file_stays() {
    let failing = || answer("503 Service Unavailable", "Retry-After: 0\r\n", 0, "");
    check(
        vec![
            answer("200 OK", "", 3, "old"),
            failing(),
            failing(),
            failing(),
            failing(),
            answer("200 OK", "", 3, "new"),
        ],
        &[
            "new 3",
            "the feed was not fetched: the server answers 503 Service Unavailable; its file of",
            "new 3",
        ],
        &["GET / HTTP/1.1|"; 6],
        Some("new"),
    );
    check(
        vec![answer("404 Not Found", "", 0, "")],
        &["the feed was not fetched: the server answers 404 Not Found"],
        &["GET / HTTP/1.1|"],
        None,
    );
}

#[test]
fn the_login_page_of_a_proxy_does_not_replace_a_feed() {
    check(
        vec![
            answer("200 OK", "ETag: \"1\"\r\n", 3, "old"),
            answer("200 OK", "", 19, "<html>log in</html>"),
            answer("304 Not Modified", "", 0, ""),
        ],
        &[
            "new 3",
            "the feed was not fetched: what the server sent is no feed: it is a web page; its file",
            "unchanged",
        ],
        &[
            "GET / HTTP/1.1|",
            "GET / HTTP/1.1|if-none-match: \"1\"|",
            "GET / HTTP/1.1|if-none-match: \"1\"|",
        ],
        Some("old"),
    );
}

#[test]
fn two_updates_do_not_write_into_each_others_files() {
    let cache = tempfile::tempdir().unwrap();
    let held = super::lock(cache.path()).unwrap();
    let feeds = Feeds { feeds: Vec::new() };
    let update = || {
        let options = FetchOptions::default();
        fetch_all(&feeds, cache.path(), &options, &|_, _| Ok(()), &|_, _| {})
    };
    let error = update().unwrap_err();
    assert!(error.to_string().contains("another update"), "{error}");
    drop(held);
    update().unwrap();
}

#[test]
fn too_much_is_refused_promised_or_not() {
    let long = "x".repeat(101);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n{long}\r\n0\r\n\r\n"
    );
    for body in [answer("200 OK", "", 101, &long), chunked] {
        check(
            vec![body],
            &["the feed was not fetched: it has more than 100 bytes"],
            &["GET / HTTP/1.1|"],
            None,
        );
    }
}

#[test]
fn a_redirect_to_plain_http_elsewhere_is_not_followed() {
    check(
        vec![answer(
            "302 Found",
            "Location: http://192.0.2.1/feed\r\n",
            0,
            "",
        )],
        &["the feed was not fetched: the transfer failed"],
        &["GET / HTTP/1.1|"],
        None,
    );
}

#[test]
fn pages_of_the_nvd_become_files() {
    let cache = tempfile::tempdir().unwrap();
    let page = |body: &str| answer("200 OK", "", body.len(), body);
    let (url, asked) = serve(vec![
        page(r#"{"totalResults": 2001, "vulnerabilities": []}"#),
        page(r#"{"totalResults": 2001, "vulnerabilities": []}"#),
    ]);
    std::fs::create_dir_all(cache.path().join("feed.json")).unwrap();
    std::fs::write(cache.path().join("feed.json/0004000.json"), "old").unwrap();
    let report = fetch(&url, FeedForm::Nvd, cache.path(), 1000);
    assert!(report.incomplete.is_empty(), "{:?}", report.incomplete);
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "GET /?resultsPerPage=2000&startIndex=0 HTTP/1.1|",
            "GET /?resultsPerPage=2000&startIndex=2000 HTTP/1.1|",
        ]
    );
    let mut names: Vec<_> = std::fs::read_dir(cache.path().join("feed.json"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    assert_eq!(names, ["0000000.json", "0002000.json"]);
}
