//! How a registry is shown who we are: the challenge of its answer 401 (RFC 9110, section 11.6.1),
//! and the token service that a `Bearer` challenge names (distribution specification, "Token
//! Authentication"; "OAuth2 Token Authentication").

use super::super::credentials::Credentials;
use super::super::http::{Reach, body, form, send};
use crate::Error;
use base64::Engine as _;
use reqwest::Url;
use reqwest::blocking::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

/// Bytes of a token service's answer.
const MAX_ANSWER: u64 = 1 << 20;
/// Parameters of all challenges together.
const MAX_PARAMETERS: usize = 64;

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case: `basic`, `bearer`.
    scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads the challenges of a `WWW-Authenticate` header.
pub(super) fn challenges(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    for _ in 0..MAX_PARAMETERS {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() {
            break;
        }
        let Some(value) = behind.trim_start().strip_prefix('=') else {
            challenges.push(Challenge {
                scheme: word.to_ascii_lowercase(),
                parameters: Vec::new(),
            });
            rest = behind;
            continue;
        };
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = value.find([' ', '\t', ',']).unwrap_or(value.len());
                let (value, behind) = value.split_at(end);
                (value.to_owned(), behind)
            }
        };
        if let Some(challenge) = challenges.last_mut() {
            challenge
                .parameters
                .push((word.to_ascii_lowercase(), value));
        }
        rest = behind;
    }
    challenges
}

/// A quoted string up to its closing quote, and what stands behind it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        match next {
            '"' => break,
            '\\' => value.extend(chars.next()),
            other => value.push(other),
        }
    }
    (value, chars.as_str())
}

/// What a token service answers.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Whom to ask for what.
pub(super) struct Asker<'a> {
    pub(super) client: &'a Client,
    pub(super) reach: Reach,
    pub(super) repository: &'a str,
    pub(super) credentials: Option<&'a Credentials>,
    /// For messages.
    pub(super) place: &'a str,
}

impl Asker<'_> {
    /// The `Authorization` that answers one of the challenges. `None` if there is none for what
    /// we have.
    pub(super) fn authorization(
        &self,
        challenges: &[Challenge],
    ) -> Result<Option<HeaderValue>, Error> {
        for challenge in challenges {
            match (challenge.scheme.as_str(), self.credentials) {
                ("bearer", Some(Credentials::RegistryToken(token))) => {
                    return self.secret(&format!("Bearer {token}")).map(Some);
                }
                ("bearer", credentials) => {
                    let token = self.token(challenge, credentials)?;
                    return self.secret(&format!("Bearer {token}")).map(Some);
                }
                ("basic", Some(Credentials::Basic { user, password })) => {
                    let pair = base64::engine::general_purpose::STANDARD
                        .encode(format!("{user}:{password}"));
                    return self.secret(&format!("Basic {pair}")).map(Some);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn secret(&self, text: &str) -> Result<HeaderValue, Error> {
        let mut value = HeaderValue::from_str(text)
            .map_err(|_| self.wrong("a token that is none, with control characters in it"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Asks the token service for a token to pull.
    fn token(
        &self,
        challenge: &Challenge,
        credentials: Option<&Credentials>,
    ) -> Result<String, Error> {
        let realm = challenge
            .get("realm")
            .and_then(|realm| Url::parse(realm).ok());
        let realm = realm
            .filter(|realm| self.reach.includes(realm))
            .ok_or_else(|| {
                self.wrong("the address of a token service that is missing or not spoken to")
            })?;
        let service = challenge.get("service").unwrap_or_default();
        let scope = format!("repository:{}:pull", self.repository);
        let response = match credentials {
            Some(Credentials::IdentityToken(token)) => {
                let form = form(&[
                    ("grant_type", "refresh_token"),
                    ("service", service),
                    ("client_id", "seawall"),
                    ("scope", &scope),
                    ("refresh_token", token),
                ]);
                send(self.place, &|| {
                    self.client
                        .post(realm.clone())
                        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                        .body(form.clone())
                })?
            }
            other => {
                let mut url = realm;
                if !service.is_empty() {
                    url.query_pairs_mut().append_pair("service", service);
                }
                url.query_pairs_mut().append_pair("scope", &scope);
                send(self.place, &|| {
                    let request = self.client.get(url.clone());
                    match other {
                        Some(Credentials::Basic { user, password }) => {
                            request.basic_auth(user, Some(password))
                        }
                        _ => request,
                    }
                })?
            }
        };
        let status = response.status();
        if !status.is_success() {
            return Err(Error::Usage {
                message: format!(
                    "the token service of the registry refuses {} with the answer {status}",
                    self.place
                ),
                hint: "check the name and tag, and log in with 'docker login' or 'podman login'"
                    .to_owned(),
            });
        }
        let bytes = body(self.place, response, MAX_ANSWER)?;
        let token: Token = serde_json::from_slice(&bytes)
            .map_err(|_| self.wrong("a token service that answers with something else"))?;
        token
            .token
            .or(token.access_token)
            .filter(|token| !token.is_empty())
            .ok_or_else(|| self.wrong("a token service that gives no token"))
    }

    fn wrong(&self, what: &str) -> Error {
        Error::Io {
            place: self.place.to_owned(),
            source: std::io::Error::other(format!("the registry names {what}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_challenges() {
        let show = |header: &str| {
            let shown = challenges(header).into_iter().map(|challenge| {
                let parameters = challenge.parameters.iter();
                let parameters = parameters.map(|(name, value)| format!(" {name}={value}"));
                challenge.scheme.clone() + &parameters.collect::<String>()
            });
            shown.collect::<Vec<_>>().join("; ")
        };
        for (header, expected) in [
            (
                r#"Bearer realm="https://a.example/t",service="s",scope="repository:a/b:pull,push""#,
                "bearer realm=https://a.example/t service=s scope=repository:a/b:pull,push",
            ),
            (r#"Basic realm="a \"b\" c""#, r#"basic realm=a "b" c"#),
            ("Negotiate, Basic realm=x", "negotiate; basic realm=x"),
            (
                r#"BEARER Realm = "x" , service=y"#,
                "bearer realm=x service=y",
            ),
            (r#"Bearer realm="never closed"#, "bearer realm=never closed"),
            ("realm=x", ""),
            ("", ""),
            ("=", ""),
            (",,,", ""),
        ] {
            assert_eq!(show(header), expected, "{header}");
        }
    }

    #[test]
    fn a_header_of_many_parameters_is_cut() {
        let header = format!("Bearer {}", "a=b,".repeat(10_000));
        assert_eq!(challenges(&header)[0].parameters.len(), MAX_PARAMETERS - 1);
    }
}
