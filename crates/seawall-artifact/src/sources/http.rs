//! The HTTP client of registries and of the Docker daemon: which addresses are spoken to, and how
//! much of an answer is taken.

use super::certificates;
use super::reference::is_loopback;
use crate::Error;
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder, Response};
use reqwest::header::RETRY_AFTER;
use reqwest::{StatusCode, Url, redirect};
use std::io::{self, Read};
use std::thread::sleep;
use std::time::Duration;

const MAX_REDIRECTS: usize = 10;
/// How often one thing is asked for.
const ATTEMPTS: u32 = 4;
/// The longest pause that another side may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Who may be spoken to, from the first address on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine alone.
    Loopback,
    /// This machine, and everyone over TLS.
    LoopbackAndTls,
    /// Everyone, over TLS.
    Tls,
}

impl Reach {
    /// Of what is asked for at a host. A registry elsewhere has no business with the services of
    /// this machine.
    pub(super) fn of(host: &str, offline: bool) -> Self {
        match (is_loopback(host), offline) {
            (_, true) => Self::Loopback,
            (true, false) => Self::LoopbackAndTls,
            (false, false) => Self::Tls,
        }
    }

    pub(super) fn includes(self, url: &Url) -> bool {
        let loopback = url.host_str().is_some_and(is_loopback);
        match (self, url.scheme()) {
            (Self::Loopback, "http" | "https") => loopback,
            (Self::LoopbackAndTls, "http") => loopback,
            (Self::LoopbackAndTls | Self::Tls, "https") => true,
            _ => false,
        }
    }
}

/// A client with our name and limits. Its timeout is that of every single wait, for the begin of
/// an answer and for more of it. Bytes come as they are stored: nothing is decompressed.
pub(super) fn builder(timeout: Duration) -> ClientBuilder {
    // An error says that the program has chosen its provider before: that one is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .timeout(timeout)
        .no_gzip()
        .referer(false)
}

/// A client for a registry. Redirects are followed within reach; credentials are not sent along to
/// another host.
pub(super) fn registry_client(host: &str, reach: Reach) -> Result<Client, Error> {
    let builder = || {
        let policy = move |attempt: redirect::Attempt<'_>| match attempt.previous().len() {
            n if n > MAX_REDIRECTS => attempt.error("too many redirects"),
            _ if reach.includes(attempt.url()) => attempt.follow(),
            _ => attempt.error("a redirect to an address that is not spoken to"),
        };
        let builder = builder(Duration::from_secs(60)).redirect(redirect::Policy::custom(policy));
        certificates::configured(builder, host)
    };
    if !is_loopback(host) {
        return build(builder()?);
    }
    // Proxies from the environment are for what is elsewhere, and a machine without certificates
    // can still speak to itself.
    let local = || Ok::<_, Error>(builder()?.no_proxy());
    build(local()?).or_else(|_| build(local()?.tls_certs_only([])))
}

/// Sends a request, again after a pause where that may help: the connection broke off, or the
/// other side is too busy or broken.
pub(super) fn send(place: &str, request: &dyn Fn() -> RequestBuilder) -> Result<Response, Error> {
    let mut attempt = 1;
    loop {
        let result = request().send();
        let asked = match &result {
            Ok(response) if is_passing(response.status()) => retry_after(response),
            Err(error) if is_broken_off(error) => None,
            _ => return result.map_err(|error| transfer_error(place, error)),
        };
        if attempt == ATTEMPTS {
            return result.map_err(|error| transfer_error(place, error));
        }
        tracing::debug!(place, attempt, "asking again");
        drop(result);
        sleep(asked.unwrap_or(pause(attempt)).min(MAX_PAUSE));
        attempt += 1;
    }
}

/// How long to wait after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << failures.min(6))
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
}

/// Whether the other side was there and then not any more.
fn is_broken_off(error: &reqwest::Error) -> bool {
    !(error.is_connect() || error.is_timeout() || error.is_redirect() || error.is_builder())
}

/// Seconds; the form with a date is rare and not needed, as there is a pause anyway.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(text.trim().parse().ok()?))
}

/// Builds the client.
pub(super) fn build(builder: ClientBuilder) -> Result<Client, Error> {
    builder.build().map_err(|error| Error::Usage {
        message: format!("no client for HTTPS can be set up: {}", causes(&error)),
        hint:
            "install the package ca-certificates, or name a file of certificates in SSL_CERT_FILE"
                .to_owned(),
    })
}

/// A failed transfer. The address is left out: after a redirect it may carry a signature.
pub(super) fn transfer_error(place: &str, error: reqwest::Error) -> Error {
    let kind = match error.is_connect() {
        true => io::ErrorKind::NotConnected,
        false => io::ErrorKind::Other,
    };
    let redirect = error.is_redirect();
    let said = causes(&error.without_url());
    if redirect {
        return Error::Remote {
            place: place.to_owned(),
            message: said,
            hint:
                "check the name of the registry: who answers there sends requests on to where they \
                   end nowhere"
                    .to_owned(),
        };
    }
    if said.contains(certificates::AUTHORITY_SHOWN) {
        return Error::Remote {
            place: place.to_owned(),
            message:
                "the server shows the certificate of an authority (CA:TRUE) as its own, which is \
                      not accepted even where that certificate is trusted"
                    .to_owned(),
            hint: certificates::AUTHORITY_SHOWN_HINT.to_owned(),
        };
    }
    Error::Io {
        place: place.to_owned(),
        source: io::Error::new(kind, said),
    }
}

/// What an error says, with what led to it.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// All of an answer, of at most `limit` bytes.
pub(super) fn body(place: &str, response: Response, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    response
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Io {
            place: place.to_owned(),
            source,
        })?;
    match bytes.len() as u64 > limit {
        true => Err(Error::Limit {
            place: place.to_owned(),
            limit: format!("{limit} bytes of metadata"),
        }),
        false => Ok(bytes),
    }
}

/// `application/x-www-form-urlencoded`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    // The encoding of a query, of any URL.
    let mut url = Url::parse("https://form.invalid/").ok();
    if let Some(url) = &mut url {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.as_ref()
        .and_then(Url::query)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear_and_only_by_itself() {
        let ask = |host: &str, offline, url: &str| {
            Reach::of(host, offline).includes(&Url::parse(url).unwrap())
        };
        for (host, offline, url, expected) in [
            ("r.example", false, "https://cdn.example/x", true),
            ("r.example", false, "http://r.example/x", false),
            ("r.example", false, "http://127.0.0.1/x", false),
            ("r.example", false, "file:///etc/passwd", false),
            ("r.example", true, "https://r.example/x", false),
            ("localhost:1", false, "http://127.0.0.1:2/x", true),
            ("localhost:1", false, "https://cdn.example/x", true),
            ("localhost:1", false, "http://cdn.example/x", false),
            ("localhost:1", true, "http://[::1]:2/x", true),
            ("localhost:1", true, "https://cdn.example/x", false),
        ] {
            assert_eq!(ask(host, offline, url), expected, "{host} {offline} {url}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(form(&[("a", "b c&d"), ("e", "=")]), "a=b+c%26d&e=%3D");
    }
}
