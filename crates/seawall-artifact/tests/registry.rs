//! Images from a registry that the test itself is: how it asks for credentials, sends elsewhere,
//! lies, breaks off and is busy.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use seawall_artifact::{Error, Options, Source, Verify};
use sha2::{Digest, Sha512};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::{Format, Member, compress, config, lines, read_source, reasons, sha256, tar};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[derive(Clone, Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// So many bytes of the body are sent, then the connection is closed.
    cut: Option<usize>,
}

impl Answer {
    fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server on loopback for as long as the test runs. Every request is noted as `METHOD PATH`.
struct Server {
    host: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (handler, noted): (Arc<Handler>, _) = (Arc::new(handler), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (handler, seen) = (Arc::clone(&handler), Arc::clone(&noted));
                std::thread::spawn(move || serve(stream.unwrap(), &*handler, &seen));
            }
        });
        Self { host, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, what: &str) -> usize {
        self.seen()
            .iter()
            .filter(|line| line.contains(what))
            .count()
    }
}

fn serve(stream: TcpStream, handler: &Handler, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        reader.read_line(&mut first).ok().filter(|n| *n > 0)?;
        let mut words = first.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let len = headers.get("content-length").and_then(|n| n.parse().ok());
        let mut body = vec![0; len.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        seen.lock().unwrap().push(format!("{method} {path}"));
        let request = Request {
            method,
            path,
            headers,
            body: String::from_utf8(body).unwrap(),
        };
        let answer = handler(&request);
        let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
        head += &format!("Content-Length: {}\r\n", answer.body.len());
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        writer.write_all((head + "\r\n").as_bytes()).ok()?;
        let sent = answer.cut.unwrap_or(answer.body.len());
        writer.write_all(&answer.body[..sent]).ok()?;
        if answer.cut.is_some() {
            return None;
        }
    }
}

/// The repository `team/app` with an image of two layers under the tag `1`.
struct Repository {
    manifests: HashMap<String, (&'static str, Vec<u8>)>,
    blobs: HashMap<String, Vec<u8>>,
    digest: String,
    layers: Vec<String>,
}

impl Repository {
    fn new() -> Self {
        let filler: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let first = tar(&[
            Member::File("etc/os-release", b"ID=debian\n"),
            Member::File("usr/filler", &filler),
            Member::Link("usr/link", "etc/os-release"),
        ]);
        let second = tar(&[Member::File("app/main", b"hello")]);
        let mut this = Self {
            manifests: HashMap::new(),
            blobs: HashMap::new(),
            digest: String::new(),
            layers: Vec::new(),
        };
        let config = config(&[&first, &second]);
        let manifest = this.manifest(&config, &[&first, &second]);
        this.digest = sha256(manifest.as_bytes());
        this.manifests
            .insert("1".to_owned(), (MANIFEST, manifest.clone().into()));
        this.manifests
            .insert(this.digest.clone(), (MANIFEST, manifest.into()));
        this
    }

    fn manifest(&mut self, config: &str, layers: &[&[u8]]) -> String {
        let mut store = |bytes: &[u8]| {
            let digest = sha256(bytes);
            self.blobs.insert(digest.clone(), bytes.to_vec());
            digest
        };
        let config = serde_json::json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": store(config.as_bytes()),
            "size": config.len(),
        });
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| {
                let blob = compress(Format::Gzip, layer);
                let digest = store(&blob);
                self.layers.push(digest.clone());
                serde_json::json!({ "mediaType": LAYER, "digest": digest, "size": blob.len() })
            })
            .collect();
        serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
        })
        .to_string()
    }

    fn answer(&self, request: &Request) -> Answer {
        if request.path == "/v2/" {
            return Answer::ok("{}");
        }
        let path = request.path.strip_prefix("/v2/team/app/").unwrap_or("");
        match path.split_once('/') {
            Some(("manifests", version)) => match self.manifests.get(version) {
                Some((media_type, bytes)) => Answer::ok(bytes.clone())
                    .header("Content-Type", *media_type)
                    .header("Docker-Content-Digest", sha256(bytes)),
                None => Answer::status(404),
            },
            Some(("blobs", digest)) => match self.blobs.get(digest) {
                Some(bytes) => ranged(request, bytes),
                None => Answer::status(404),
            },
            _ => Answer::status(404),
        }
    }
}

fn ranged(request: &Request, bytes: &[u8]) -> Answer {
    let range = request.header("range");
    match range
        .strip_prefix("bytes=")
        .and_then(|r| r.strip_suffix('-'))
    {
        Some(from) => {
            let from: usize = from.parse().unwrap();
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            let mut answer = Answer::ok(&bytes[from..]).header("Content-Range", range);
            answer.status = 206;
            answer
        }
        None => Answer::ok(bytes),
    }
}

fn image(server: &Server, version: &str) -> Source {
    Source::Registry(format!("{}/team/app{version}", server.host))
}

/// Reads the image and asserts that all of it was read.
fn read_all(server: &Server, version: &str) {
    let read = read_source(&image(server, version), &Options::default()).unwrap();
    assert_eq!(reasons(&read), Vec::<String>::new());
    let lines = lines(&read);
    assert_eq!(lines[0][0], "file etc/os-release size=10 ID=debian\n");
    assert_eq!(
        lines[0].last().unwrap(),
        &"hardlink usr/link -> etc/os-release ID=debian\n"
    );
    assert_eq!(lines[1], ["file app/main size=5 hello"]);
}

/// The error, with its hint, of an image that cannot be opened.
fn refusal(server: &Server, version: &str) -> String {
    let error = read_source(&image(server, version), &Options::default()).unwrap_err();
    told(&error)
}

fn told(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!(
        "{error} | {} | {}",
        cause.unwrap_or_default(),
        error.hint().unwrap_or_default()
    )
}

#[test]
fn an_image_is_read_by_tag_and_by_digest() {
    let repository = Repository::new();
    let digest = repository.digest.clone();
    let server = Server::start(move |request| repository.answer(request));
    read_all(&server, ":1");
    read_all(&server, &format!("@{digest}"));
    read_all(&server, &format!(":1@{digest}"));
    let read = read_source(&image(&server, ":1"), &Options::default()).unwrap();
    let info = read.image.unwrap();
    assert_eq!(info.digest, Some(digest));
    assert_eq!(info.tags, [format!("{}/team/app:1", server.host)]);
    assert_eq!(info.platform.as_deref(), Some("linux/amd64"));
    assert_eq!(read.layers[0].created_by.as_deref(), Some("RUN step 1"));
    let missing = refusal(&server, ":2");
    assert!(
        missing.contains("has no image") && missing.contains("check the name"),
        "{missing}"
    );
}

#[test]
fn a_token_is_fetched_for_this_repository_alone() {
    let repository = Repository::new();
    let realm = Arc::new(Mutex::new(String::new()));
    let given = Arc::clone(&realm);
    let server = Server::start(move |request| {
        if request.path.starts_with("/token?") {
            assert_eq!(request.header("authorization"), "");
            assert!(
                request
                    .path
                    .contains("service=s+1&scope=repository%3Ateam%2Fapp%3Apull")
            );
            return Answer::ok(r#"{"token":"t0ken"}"#);
        }
        match request.header("authorization") {
            "Bearer t0ken" => repository.answer(request),
            _ => Answer::status(401).header(
                "WWW-Authenticate",
                format!(r#"Bearer realm="{}",service="s 1""#, given.lock().unwrap()),
            ),
        }
    });
    *realm.lock().unwrap() = format!("http://{}/token", server.host);
    read_all(&server, ":1");
    assert_eq!(server.count("/token"), 1, "{:?}", server.seen());
    // Not told who we are in the clear, nor over a file.
    for wrong in [
        "http://tokens.example/t",
        "file:///etc/passwd",
        "",
        "nonsense",
    ] {
        *realm.lock().unwrap() = wrong.to_owned();
        let told = refusal(&server, ":1");
        assert!(told.contains("not spoken to"), "{told}");
    }
}

#[test]
fn what_needs_credentials_says_how_to_log_in() {
    let server = Server::start(|_| Answer::status(401).header("WWW-Authenticate", "Basic realm=x"));
    let told = refusal(&server, ":1");
    let login = format!("log in with 'docker login {}'", server.host);
    assert!(
        told.contains("denies access") && told.contains(&login),
        "{told}"
    );
    // The first question, and nothing over and over.
    assert_eq!(server.count("manifests"), 1, "{:?}", server.seen());
}

#[test]
fn redirects_of_blobs_are_followed_without_the_token() {
    let repository = Arc::new(Repository::new());
    let stored = Arc::clone(&repository);
    let cdn = Server::start(move |request| {
        assert_eq!(request.header("authorization"), "");
        assert_eq!(request.header("referer"), "");
        let digest = request.path.trim_start_matches("/cdn/");
        ranged(request, &stored.blobs[digest])
    });
    let host = cdn.host.clone();
    let own = Arc::new(Mutex::new(String::new()));
    let realm = Arc::clone(&own);
    let server = Server::start(move |request| {
        if request.path.starts_with("/token") {
            return Answer::ok(r#"{"access_token":"t0ken"}"#);
        }
        if request.header("authorization") != "Bearer t0ken" {
            let realm = realm.lock().unwrap();
            return Answer::status(401).header(
                "WWW-Authenticate",
                format!("Bearer realm=http://{realm}/token"),
            );
        }
        match request.path.split_once("/blobs/") {
            Some((_, digest)) => {
                Answer::status(307).header("Location", format!("http://{host}/cdn/{digest}"))
            }
            None => repository.answer(request),
        }
    });
    own.lock().unwrap().clone_from(&server.host);
    read_all(&server, ":1");
    assert!(cdn.count("/cdn/") >= 3);
}

#[test]
fn redirects_to_where_we_do_not_speak_are_refused() {
    for location in [
        "http://192.0.2.1/x",
        "file:///etc/passwd",
        "/v2/team/app/manifests/1",
    ] {
        let server = Server::start(move |request| match request.path.as_str() {
            "/v2/" => Answer::ok("{}"),
            _ => Answer::status(302).header("Location", location),
        });
        let told = refusal(&server, ":1");
        let expected = ["not spoken to", "too many redirects", "answers 302"];
        assert!(expected.iter().any(|text| told.contains(text)), "{told}");
    }
}

#[test]
fn what_answers_without_being_a_registry_was_told_without_a_hint() {
    let circle = Answer::status(302).header("Location", "/v2/");
    for (first, answer, expected) in [
        // It was taken for a server of HTTPS, and read as a corrupt message of TLS.
        (circle.clone(), circle, "too many redirects"),
        (Answer::ok("{}"), Answer::status(500), "answers 500"),
        (Answer::ok("{}"), Answer::status(418), "answers 418"),
        (Answer::ok("{}"), Answer::ok(" <!DOCTYPE html>"), "(HTML)"),
    ] {
        let server = Server::start(move |request| match request.path.as_str() {
            "/v2/" => first.clone(),
            _ => answer.clone(),
        });
        let error = read_source(&image(&server, ":1"), &Options::default()).unwrap_err();
        assert!(told(&error).contains(expected), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn wrong_digests_are_errors() {
    let wrong = format!("sha256:{}", "0".repeat(64));
    let serve = |change: fn(&mut Repository, &str)| {
        let mut repository = Repository::new();
        let mut digest = repository.digest.clone();
        change(&mut repository, &digest);
        if !repository.manifests.contains_key(&digest) {
            digest = format!("sha256:{}", "0".repeat(64));
        }
        (
            Server::start(move |request| repository.answer(request)),
            digest,
        )
    };
    // A manifest under another's digest.
    let (server, _) = serve(|repository, digest| {
        let manifest = repository.manifests[digest].clone();
        let wrong = format!("sha256:{}", "0".repeat(64));
        repository.manifests.insert(wrong, manifest);
    });
    let told = refusal(&server, &format!("@{wrong}"));
    assert!(told.contains("digest should be"), "{told}");
    // A configuration that is another.
    let (server, _) = serve(|repository, _| {
        for bytes in repository
            .blobs
            .values_mut()
            .filter(|bytes| bytes.starts_with(b"{"))
        {
            bytes.push(b' ');
        }
    });
    let told = refusal(&server, ":1");
    assert!(told.contains("digest should be"), "{told}");
    // A layer that is another of the same length: the other one is read all the same.
    let (server, _) = serve(|repository, _| {
        let layer = repository.layers[1].clone();
        let other = compress(Format::Gzip, &tar(&[Member::File("app/main", b"h4llo")]));
        let bytes = repository.blobs.get_mut(&layer).unwrap();
        assert_eq!(bytes.len(), other.len());
        *bytes = other;
    });
    let read = read_source(&image(&server, ":1"), &Options::default()).unwrap();
    assert_eq!(read.incomplete.len(), 1);
    assert!(reasons(&read)[0].contains("corrupt: the digest of the layer is"));
    assert_eq!(
        lines(&read)[0][0],
        "file etc/os-release size=10 ID=debian\n"
    );
    // A layer that goes on.
    let (server, _) = serve(|repository, _| {
        let layer = repository.layers[1].clone();
        repository.blobs.get_mut(&layer).unwrap().extend([0; 100]);
    });
    let read = read_source(&image(&server, ":1"), &Options::default()).unwrap();
    assert!(!read.incomplete.is_empty());
}

#[test]
fn a_shorter_layer_passed_for_the_one_of_the_digest() {
    let options = Options {
        verify: Verify::Everything,
        ..Options::default()
    };
    let shorter = compress(Format::Gzip, &tar(&[Member::File("app/main", b"evil")]));
    // Announced in the length that the manifest says, and cut off; or in its own.
    for own_length in [true, false] {
        let repository = Repository::new();
        let layer = repository.layers[1].clone();
        let length = repository.blobs[&layer].len();
        let bytes = shorter.clone();
        let server = Server::start(move |request| {
            if !request.path.ends_with(&layer) {
                return repository.answer(request);
            }
            let mut answer = ranged(request, &bytes);
            if !own_length {
                answer.cut = Some(answer.body.len());
                answer.body.resize(length.max(answer.body.len()), 0);
            }
            answer
        });
        let read = read_source(&image(&server, ":1"), &options).unwrap();
        assert!(!read.incomplete.is_empty(), "own length: {own_length}");
        assert!(!read.layers[1].verified);
        // Nor is it what the registry keeps under the name.
        assert!(!read.image.unwrap().named_by_store);
    }
}

#[test]
fn a_registry_sent_another_layer_when_it_was_asked_for_hard_links() {
    let options = Options {
        verify: Verify::Everything,
        ..Options::default()
    };
    let evil = compress(
        Format::Gzip,
        &tar(&[
            Member::File("etc/os-release", b"ID=evil\n"),
            Member::Link("usr/link", "etc/os-release"),
        ]),
    );
    for lies in [false, true] {
        let repository = Repository::new();
        let layer = repository.layers[0].clone();
        let (evil, asked) = (evil.clone(), AtomicUsize::new(0));
        let server = Server::start(move |request| {
            let again = request.path.ends_with(&layer) && asked.fetch_add(1, Ordering::SeqCst) > 0;
            match lies && again {
                true => ranged(request, &evil),
                false => repository.answer(request),
            }
        });
        let read = read_source(&image(&server, ":1"), &options).unwrap();
        assert_eq!(read.layers[0].verified, !lies, "{:?}", reasons(&read));
        assert_eq!(read.incomplete.is_empty(), !lies);
        assert_eq!(read.image.unwrap().named_by_store, !lies);
    }
}

#[test]
fn connections_that_break_off_are_continued_where_they_were() {
    for knows_ranges in [true, false] {
        let repository = Repository::new();
        let layer = repository.layers[0].clone();
        let cuts = Mutex::new(vec![300_000, 100_000, 10]);
        let server = Server::start(move |request| {
            let mut answer = match knows_ranges {
                true => repository.answer(request),
                false => repository.answer(&Request {
                    method: request.method.clone(),
                    path: request.path.clone(),
                    headers: HashMap::new(),
                    body: request.body.clone(),
                }),
            };
            if request.path.ends_with(&layer) {
                answer.cut = cuts.lock().unwrap().pop();
            }
            answer
        });
        read_all(&server, ":1");
        // Three that break off, one that does not, and one more for the hard link.
        assert_eq!(
            server.count(&format!("blobs/{}", &Repository::new().layers[0])),
            5
        );
    }
}

#[test]
fn a_layer_that_never_comes_whole_is_reported_and_the_other_read() {
    let repository = Repository::new();
    let layer = repository.layers[0].clone();
    let server = Server::start(move |request| {
        let mut answer = repository.answer(request);
        if request.path.ends_with(&layer) {
            answer.cut = Some(0);
        }
        answer
    });
    let read = read_source(&image(&server, ":1"), &Options::default()).unwrap();
    assert_eq!(read.incomplete.len(), 1, "{:?}", read.incomplete);
    assert_eq!(lines(&read)[1], ["file app/main size=5 hello"]);
}

#[test]
fn a_busy_registry_is_asked_again() {
    let repository = Repository::new();
    let busy = Mutex::new(vec![503, 429, 429]);
    let server = Server::start(move |request| match request.path.as_str() {
        "/v2/" => Answer::ok("{}"),
        _ => match busy.lock().unwrap().pop() {
            Some(status) => Answer::status(status).header("Retry-After", "0"),
            None => repository.answer(request),
        },
    });
    read_all(&server, ":1");
    let server = Server::start(|_| Answer::status(429).header("Retry-After", "0"));
    let told = refusal(&server, ":1");
    assert!(told.contains("limits how often"), "{told}");
    assert_eq!(server.count("manifests"), 4);
}

#[test]
fn the_platform_chooses_from_an_index() {
    let mut repository = Repository::new();
    let arm_layer = tar(&[Member::File("arm", b"")]);
    let arm_config = config(&[&arm_layer]).replace("amd64", "arm64");
    let arm = repository.manifest(&arm_config, &[&arm_layer]);
    let arm_digest = sha256(arm.as_bytes());
    repository
        .manifests
        .insert(arm_digest.clone(), (MANIFEST, arm.into()));
    let of = |digest: &str, architecture: &str| {
        serde_json::json!({
            "mediaType": MANIFEST, "digest": digest, "size": 1,
            "platform": { "os": "linux", "architecture": architecture },
        })
    };
    let inner = serde_json::json!({
        "schemaVersion": 2, "mediaType": INDEX,
        "manifests": [of(&arm_digest, "arm64"), of(&repository.digest, "amd64"),
                      of(&sha256(b"attestation"), "unknown")],
    })
    .to_string();
    let outer = serde_json::json!({
        "schemaVersion": 2, "mediaType": INDEX,
        "manifests": [{ "mediaType": INDEX, "digest": sha256(inner.as_bytes()) }],
    })
    .to_string();
    repository
        .manifests
        .insert(sha256(inner.as_bytes()), (INDEX, inner.clone().into()));
    repository
        .manifests
        .insert("many".to_owned(), (INDEX, outer.clone().into()));
    let server = Server::start(move |request| repository.answer(request));
    let read = |platform: &str| {
        let options = Options {
            platform: Some(platform.to_owned()),
            ..Options::default()
        };
        read_source(&image(&server, ":many"), &options)
    };
    let arm = read("linux/arm64").unwrap();
    assert_eq!(lines(&arm), [["file arm size=0 "]]);
    let info = arm.image.unwrap();
    // Known by the indexes that led to it, and by its configuration.
    let others = [sha256(outer.as_bytes()), sha256(inner.as_bytes())];
    assert_eq!(info.other_digests.get(..2), Some(&others[..]));
    assert_eq!(info.other_digests.len(), 3);
    assert_eq!(info.digest, Some(arm_digest));
    assert_eq!(read("linux/amd64").unwrap().layers.len(), 2);
    let told = told(&read("linux/s390x").unwrap_err());
    assert!(told.contains("linux/amd64, linux/arm64"), "{told}");
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    let chart = serde_json::json!({
        "schemaVersion": 2,
        "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": sha256(b"") },
        "layers": [],
    });
    for (manifest, expected) in [
        (
            chart.to_string(),
            "no container image, but 'application/vnd.cncf.helm",
        ),
        (
            r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(),
            "schema 1",
        ),
        (
            r#"{"schemaVersion":2,"config":{"digest":"sha256:../../x"}}"#.to_owned(),
            "not a digest",
        ),
        (
            r#"{"schemaVersion":2,"manifests":[{"digest":"../x"}]}"#.to_owned(),
            "not a digest",
        ),
        ("[html]".to_owned(), "damaged at byte"),
        (" ".repeat(9 << 20), "limit of 8388608 bytes"),
    ] {
        let shown: String = manifest.chars().take(40).collect();
        let server = Server::start(move |request| match request.path.as_str() {
            "/v2/" => Answer::ok("{}"),
            _ => Answer::ok(manifest.clone()),
        });
        let told = refusal(&server, ":1");
        assert!(told.contains(expected), "{shown}: {told}");
    }
}

#[test]
fn an_index_that_names_itself_ends() {
    for (kind, expected) in [("sha512", "digest should be"), ("blake3", "not checked")] {
        let server = Server::start(move |request| match request.path.as_str() {
            "/v2/" => Answer::ok("{}"),
            _ => {
                let itself = format!("{kind}:{}", "a".repeat(128));
                let index = serde_json::json!({
                    "schemaVersion": 2, "manifests": [{ "mediaType": INDEX, "digest": itself }],
                });
                Answer::ok(index.to_string())
            }
        });
        let told = refusal(&server, ":1");
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn offline_only_this_machine_is_asked() {
    let options = Options {
        offline: true,
        ..Options::default()
    };
    let source = Source::Registry("registry.example/app".to_owned());
    let told = told(&read_source(&source, &options).unwrap_err());
    assert!(
        told.contains("on the network") && told.contains("--offline"),
        "{told}"
    );
    let repository = Repository::new();
    let server = Server::start(move |request| repository.answer(request));
    assert!(read_source(&image(&server, ":1"), &options).is_ok());
}

/// Credentials come from the environment, which a test cannot change for itself alone: the test
/// runs once more, in a process with a `config.json` of its own.
#[test]
fn credentials_of_docker_login_are_used() {
    if let Ok(image) = std::env::var("SEAWALL_TEST_IMAGE") {
        let read = read_source(&Source::Registry(image), &Options::default()).unwrap();
        assert_eq!(reasons(&read), Vec::<String>::new());
        return;
    }
    let realm = Arc::new(Mutex::new(String::new()));
    for (config, authorization) in [
        (r#"{"auth":"dTpwOnE="}"#, "Basic dTpwOnE="),
        (r#"{"auth":"dTpwOnE="}"#, "Bearer basic"),
        (r#"{"identitytoken":"id"}"#, "Bearer identity"),
        (r#"{"registrytoken":"reg"}"#, "Bearer reg"),
    ] {
        let repository = Repository::new();
        let given = Arc::clone(&realm);
        let server = Server::start(move |request| {
            if request.path.starts_with("/token") && request.method == "GET" {
                assert_eq!(request.header("authorization"), "Basic dTpwOnE=");
                return Answer::ok(r#"{"token":"basic"}"#);
            }
            if request.path == "/token" && request.method == "POST" {
                let wanted = "grant_type=refresh_token&service=s&client_id=seawall&\
                              scope=repository%3Ateam%2Fapp%3Apull&refresh_token=id";
                assert_eq!(request.body, wanted);
                return Answer::ok(r#"{"access_token":"identity"}"#);
            }
            if request.header("authorization") == authorization {
                return repository.answer(request);
            }
            let challenge = match authorization.starts_with("Basic") {
                true => "Basic realm=x".to_owned(),
                false => format!("Bearer realm=\"{}\",service=s", given.lock().unwrap()),
            };
            Answer::status(401).header("WWW-Authenticate", challenge)
        });
        *realm.lock().unwrap() = format!("http://{}/token", server.host);
        let directory = tempfile::tempdir().unwrap();
        let json = format!(r#"{{"auths":{{"{}":{config}}}}}"#, server.host);
        support::write(directory.path(), "config.json", json.as_bytes());
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "credentials_of_docker_login_are_used"])
            .env("SEAWALL_TEST_IMAGE", format!("{}/team/app:1", server.host))
            .env("DOCKER_CONFIG", directory.path())
            .env_remove("REGISTRY_AUTH_FILE")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{authorization}: {printed}");
        assert!(!printed.contains("dTpwOnE="));
    }
}

#[test]
fn a_registry_that_is_not_there_says_what_to_check() {
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = free.local_addr().unwrap().to_string();
    drop(free);
    let source = Source::Registry(format!("{host}/app"));
    let told = told(&read_source(&source, &Options::default()).unwrap_err());
    assert!(
        told.contains("refused") && told.contains("SSL_CERT_FILE"),
        "{told}"
    );
}

/// A server of an index under the tag `index` that names these manifests.
fn serve_index(mut repository: Repository, manifests: &[serde_json::Value]) -> Server {
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
    let stored = (INDEX, index.into_bytes());
    repository.manifests.insert("index".to_owned(), stored);
    Server::start(move |request| repository.answer(request))
}

#[test]
fn a_manifest_under_sha512_was_refused_though_it_can_be_checked() {
    for change in ["", " "] {
        let mut repository = Repository::new();
        let (media_type, manifest) = repository.manifests[&repository.digest].clone();
        let digest = format!("sha512:{}", hex::encode(Sha512::digest(&manifest)));
        let stored = [&manifest, change.as_bytes()].concat();
        repository
            .manifests
            .insert(digest.clone(), (media_type, stored));
        let named = serde_json::json!({ "mediaType": MANIFEST, "digest": digest });
        let server = serve_index(repository, &[named]);
        let read = read_source(&image(&server, ":index"), &Options::default());
        match read {
            Ok(read) => assert_eq!((reasons(&read).len(), change), (0, "")),
            Err(error) => {
                assert_eq!(change, " ", "{error}");
                assert!(error.to_string().contains("digest should be"), "{error}");
            }
        }
    }
}

#[test]
fn that_an_index_names_a_second_image_for_a_platform_is_told() {
    let mut repository = Repository::new();
    let (_, manifest) = repository.manifests[&repository.digest].clone();
    let other = [&manifest[..], b" "].concat();
    let digests = [repository.digest.clone(), sha256(&other)];
    repository
        .manifests
        .insert(digests[1].clone(), (MANIFEST, other));
    let named = digests.clone().map(|digest| {
        let platform = serde_json::json!({ "os": "linux", "architecture": "amd64" });
        serde_json::json!({ "mediaType": MANIFEST, "digest": digest, "platform": platform })
    });
    let server = serve_index(repository, &named);
    let options = Options {
        platform: Some("linux/amd64".to_owned()),
        ..Options::default()
    };
    let read = read_source(&image(&server, ":index"), &options).unwrap();
    assert!(reasons(&read)[0].contains("another image"), "{read:?}");
    let info = read.image.unwrap();
    assert_eq!(info.digest.as_ref(), Some(&digests[0]));
    let second = image(&server, &format!("@{}", digests[1]));
    assert_eq!(read_source(&second, &options).unwrap().layers.len(), 2);
}
