//! Images in registries (OCI distribution specification 1.1, "Pull"; Docker Registry HTTP API V2).

mod auth;
mod blob;

use super::credentials::{self, Found};
use super::http::{self, Reach, registry_client};
use super::reference::{Reference, is_digest, is_loopback};
use super::resolve::{self, Store};
use crate::image::manifest::{Descriptor, INDEXES, MANIFESTS, sha256};
use crate::image::{Blob, Image};
use crate::{Error, Options};
use auth::{Asker, challenges};
use blob::BlobReader;
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RANGE, WWW_AUTHENTICATE};
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Docker's first type of manifests, which is asked for to say that it is not read.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1";

/// Opens an image in a registry.
pub(super) fn open(text: &str, options: &Options) -> Result<Image, Error> {
    let reference = Reference::parse(text);
    let registry = Arc::new(Registry::new(reference.clone(), options)?);
    let response = registry.get(
        &format!("manifests/{}", reference.version()),
        Some(&manifest_types()),
        0,
    )?;
    let named = reference
        .digest
        .clone()
        .or_else(|| content_digest(response.headers()));
    let manifest = registry.body(response, registry.place())?;
    let digest = named.unwrap_or_else(|| sha256(&manifest));
    let tags = reference.tag.iter().map(|_| {
        let unpinned = Reference {
            digest: None,
            ..reference.clone()
        };
        unpinned.to_string()
    });
    resolve::image(
        &Remote(Arc::clone(&registry)),
        registry.place(),
        digest,
        manifest,
        tags.collect(),
        options,
    )
}

/// The types of manifests that are asked for.
fn manifest_types() -> String {
    let types = INDEXES.into_iter().chain(MANIFESTS).chain([SCHEMA_1]);
    types.collect::<Vec<_>>().join(", ")
}

/// What the registry says that the manifest's digest is.
fn content_digest(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("Docker-Content-Digest")?.to_str().ok()?;
    (is_digest(text) && text.starts_with("sha256:")).then(|| text.to_owned())
}

/// One repository of a registry.
pub(crate) struct Registry {
    client: Client,
    reach: Reach,
    reference: Reference,
    /// `https://HOST`
    base: String,
    place: String,
    metadata_bytes: u64,
    found: OnceLock<Found>,
    /// What the registry last accepted, or will after being asked by several threads at once.
    authorization: Mutex<Option<HeaderValue>>,
}

/// [`Store`] for an [`Arc`], which the layers keep.
struct Remote(Arc<Registry>);

impl Store for Remote {
    fn manifest(&self, digest: &str) -> Result<Vec<u8>, Error> {
        let path = format!("manifests/{digest}");
        let response = self.0.get(&path, Some(&manifest_types()), 0)?;
        self.0.body(response, &format!("{}!{path}", self.0.place))
    }

    fn config(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let path = format!("blobs/{}", descriptor.digest);
        let response = self.0.get(&path, None, 0)?;
        self.0.body(response, &format!("{}!{path}", self.0.place))
    }

    fn layer(&self, descriptor: &Descriptor) -> Blob {
        let registry = Arc::clone(&self.0);
        let (digest, size) = (descriptor.digest.clone(), descriptor.size);
        Blob::Stream(Box::new(move || {
            let reader = BlobReader::open(Arc::clone(&registry), &digest, size)?;
            Ok(Box::new(reader) as Box<dyn Read + Send>)
        }))
    }
}

impl Registry {
    fn new(reference: Reference, options: &Options) -> Result<Self, Error> {
        let host = reference.host();
        if options.offline && !is_loopback(host) {
            return Err(Error::Usage {
                message: format!("{reference} is in a registry on the network"),
                hint: "leave --offline away, or give the image as an archive: docker-archive:FILE"
                    .to_owned(),
            });
        }
        let place = reference.to_string();
        let reach = Reach::of(host, options.offline);
        let client = registry_client(host, reach)?;
        let base = base(&client, &place, host)?;
        Ok(Self {
            client,
            reach,
            base,
            place,
            reference,
            metadata_bytes: options.limits.metadata_bytes,
            found: OnceLock::new(),
            authorization: Mutex::new(None),
        })
    }

    /// For messages.
    fn place(&self) -> &str {
        &self.place
    }

    /// Asks for something of the repository, from the byte `from` on. Only success is returned.
    fn get(&self, path: &str, accept: Option<&str>, from: u64) -> Result<Response, Error> {
        let url = format!("{}/v2/{}/{path}", self.base, self.reference.repository);
        let mut renewed = false;
        loop {
            let shown = self.authorization().clone();
            let response = http::send(&self.place, &|| {
                let mut request = self.client.get(&url);
                if let Some(authorization) = &shown {
                    request = request.header(AUTHORIZATION, authorization);
                }
                if let Some(accept) = accept {
                    request = request.header(ACCEPT, accept);
                }
                if from > 0 {
                    request = request.header(RANGE, format!("bytes={from}-"));
                }
                request
            })?;
            match response.status() {
                status if status.is_success() => return Ok(response),
                // Not of the host that a redirect led to: it is not to be shown anything.
                StatusCode::UNAUTHORIZED
                    if !renewed && response.url().as_str().starts_with(&self.base) =>
                {
                    renewed = true;
                    if !self.renew(shown, response.headers())? {
                        return Err(self.refused(StatusCode::UNAUTHORIZED, path));
                    }
                }
                status => return Err(self.refused(status, path)),
            }
        }
    }

    fn authorization(&self) -> std::sync::MutexGuard<'_, Option<HeaderValue>> {
        self.authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Gets a new authorization for the challenge of an answer to `shown`. Whether there is one.
    fn renew(&self, shown: Option<HeaderValue>, headers: &HeaderMap) -> Result<bool, Error> {
        let mut current = self.authorization();
        // Another thread was faster.
        if *current != shown {
            return Ok(true);
        }
        let headers = headers.get_all(WWW_AUTHENTICATE).iter();
        let challenges: Vec<_> = headers
            .filter_map(|header| header.to_str().ok())
            .flat_map(challenges)
            .collect();
        let asker = Asker {
            client: &self.client,
            reach: self.reach,
            repository: &self.reference.repository,
            credentials: self.found().credentials.as_ref(),
            place: &self.place,
        };
        *current = asker.authorization(&challenges)?;
        Ok(current.is_some())
    }

    fn found(&self) -> &Found {
        self.found
            .get_or_init(|| credentials::find(&self.reference))
    }

    fn body(&self, response: Response, place: &str) -> Result<Vec<u8>, Error> {
        let bytes = http::body(place, response, self.metadata_bytes)?;
        match bytes.trim_ascii_start().starts_with(b"<") {
            true => Err(Error::Remote {
                place: place.to_owned(),
                message: "the answer is a page for people (HTML), not what a registry answers"
                    .to_owned(),
                hint: format!(
                    "check that {} is a registry, and that no proxy or login page stands before it",
                    self.reference.registry
                ),
            }),
            false => Ok(bytes),
        }
    }

    /// The error for an answer that is no success.
    fn refused(&self, status: StatusCode, path: &str) -> Error {
        let place = &self.place;
        let login = format!("'docker login {}'", self.reference.registry);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let mut hint = match self.found().credentials {
                    Some(_) => format!(
                        "the credentials that were found are not accepted: check the name, or log \
                         in again with {login}"
                    ),
                    None => format!("check the name, or log in with {login}"),
                };
                for problem in &self.found().problems {
                    hint.push_str(&format!("; credentials were not read from {problem}"));
                }
                Error::Usage {
                    message: format!("the registry denies access to {place}"),
                    hint,
                }
            }
            StatusCode::NOT_FOUND if path.starts_with("manifests/") => Error::Usage {
                message: format!("the registry has no image {place}"),
                hint: "check the name and the tag".to_owned(),
            },
            StatusCode::TOO_MANY_REQUESTS => Error::Usage {
                message: format!("the registry limits how often {place} is asked for"),
                hint: format!("try again later, or log in with {login}"),
            },
            status => Error::Remote {
                place: format!("{place}!{path}"),
                message: format!("the registry answers {status}"),
                hint: match status.is_server_error() {
                    true => "try again later; if it stays, its log says why".to_owned(),
                    false => format!("check that {} is a registry", self.reference.registry),
                },
            },
        }
    }
}

/// HTTPS, but on this machine what answers there: the registry's own image serves plain HTTP.
fn base(client: &Client, place: &str, host: &str) -> Result<String, Error> {
    let secure = format!("https://{host}");
    if !is_loopback(host) {
        return Ok(secure);
    }
    let plain = format!("http://{host}");
    match client.get(format!("{plain}/v2/")).send() {
        // What a server of HTTPS written in Go answers.
        Ok(response) if response.status() == StatusCode::BAD_REQUEST => Ok(secure),
        Ok(_) => Ok(plain),
        // Who redirects is no server of HTTPS: its own error says more than one of TLS.
        Err(error) if error.is_connect() || error.is_redirect() => {
            Err(http::transfer_error(place, error))
        }
        Err(_) => Ok(secure),
    }
}
