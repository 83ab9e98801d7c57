//! Images of the Docker daemon (Docker Engine API): asked for by name, then streamed as
//! `docker save` would, and never written to disk.

use super::credentials::docker_config;
use super::http::{self, transfer_error};
use super::reference::is_loopback;
use crate::saved_stream::SavedStream;
use crate::{Error, Options};
use reqwest::blocking::{Client, Response};
use reqwest::{Certificate, Identity, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The daemon gathers a large image for minutes before it sends the first byte.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Since this version, an image may be asked for in one of its platforms.
const API_WITH_PLATFORM: (u32, u32) = (1, 48);

/// Opens an image of the daemon as a stream.
pub(super) fn open(name: &str, options: &Options) -> Result<SavedStream, Error> {
    let daemon = Daemon::find(options)?.ok_or_else(|| Error::Usage {
        message: format!("no Docker daemon listens at {DEFAULT_SOCKET}"),
        hint: "start it, or name its address in DOCKER_HOST".to_owned(),
    })?;
    let (image, api) = daemon.inspect(name, options)?;
    let query = match platform_query(options, api) {
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    let path = format!("images/{name}/get{query}");
    let (asked, options) = (name.to_owned(), options.clone());
    let get = move || -> Result<Box<dyn Read + Send>, Error> {
        let response = daemon.get(&path)?;
        match response.status().is_success() {
            true => Ok(Box::new(response)),
            false => Err(daemon.refused(&asked, response, &options)),
        }
    };
    Ok(SavedStream {
        place: format!("docker:{name}"),
        reference: None,
        size: image.size,
        stream: get()?,
        again: Some(Box::new(get)),
        tags: image.repo_tags.unwrap_or_default(),
    })
}

/// Names of the images that the daemon has, digests of those that have none. `None` without a daemon.
pub(super) fn all_images(options: &Options) -> Result<Option<Vec<String>>, Error> {
    let Some(daemon) = Daemon::find(options)? else {
        return Ok(None);
    };
    let images: Vec<ImageSummary> = daemon.list("images/json", options)?;
    Ok(Some(
        images.into_iter().map(ImageSummary::into_name).collect(),
    ))
}

/// The directory of the daemon's data, if the daemon is on this machine.
pub(super) fn stores(options: &Options) -> Result<Vec<PathBuf>, Error> {
    match Daemon::find(options)? {
        Some(daemon) if daemon.address.starts_with("unix://") => {
            let info: DaemonInfo = daemon.list("info", options)?;
            Ok(vec![info.docker_root_dir])
        }
        _ => Ok(Vec::new()),
    }
}

/// The directories that a `daemon.json` names for the daemon's data (dockerd(8); `graph` was its name
/// before Docker 17.05).
pub(super) fn data_roots(configuration: &str) -> Vec<PathBuf> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "kebab-case")]
    struct Configuration {
        data_root: Option<PathBuf>,
        graph: Option<PathBuf>,
    }
    let read: Configuration = serde_json::from_str(configuration).unwrap_or_default();
    read.data_root.into_iter().chain(read.graph).collect()
}

/// Names of the images of the daemon's running containers, digests of those that have none. `None`
/// without a daemon.
pub(super) fn running_images(options: &Options) -> Result<Option<Vec<String>>, Error> {
    let Some(daemon) = Daemon::find(options)? else {
        return Ok(None);
    };
    let containers: Vec<Container> = daemon.list("containers/json", options)?;
    let images: Vec<ImageSummary> = daemon.list("images/json", options)?;
    let names: HashMap<String, String> = images
        .into_iter()
        .map(|image| (image.id.clone(), image.into_name()))
        .collect();
    let images = containers.into_iter().map(|container| container.image_id);
    Ok(Some(
        images
            .map(|id| names.get(&id).cloned().unwrap_or(id))
            .collect(),
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedImage {
    repo_tags: Option<Vec<String>>,
    size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageSummary {
    id: String,
    repo_tags: Option<Vec<String>>,
}

impl ImageSummary {
    /// The first of its tags; a daemon has no tag twice. The digest where there is none, which older
    /// daemons write as `<none>:<none>`.
    fn into_name(self) -> String {
        let tags = self.repo_tags.into_iter().flatten();
        tags.filter(|tag| !tag.contains('<'))
            .min()
            .unwrap_or(self.id)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DaemonInfo {
    docker_root_dir: PathBuf,
}

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "ImageID")]
    image_id: String,
}

/// What the daemon says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// Where a daemon listens.
#[derive(Debug, PartialEq, Eq)]
enum Address {
    Socket(PathBuf),
    /// `HOST:PORT`, with the directory of the certificates for TLS.
    Tcp(String, Option<PathBuf>),
}

/// Who named the address, for hints.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// `DOCKER_HOST`.
    Variable,
    /// The context of this name.
    Context(String),
    /// Nobody: it is where a daemon listens unless it is told otherwise.
    Default,
}

impl Origin {
    /// What to do where no daemon answers.
    fn hint(&self) -> String {
        match self {
            Self::Variable => "DOCKER_HOST names that address: start a daemon there, correct the \
                               variable, or unset it"
                .to_owned(),
            Self::Context(name) => format!(
                "the Docker context '{name}' names that address: start a daemon there, or choose \
                 another with 'docker context use' or DOCKER_CONTEXT"
            ),
            Self::Default => "start it, or name its address in DOCKER_HOST".to_owned(),
        }
    }
}

/// A daemon that we may speak to.
struct Daemon {
    client: Client,
    base: String,
    /// For messages: as in `DOCKER_HOST`.
    address: String,
    origin: Origin,
}

impl Daemon {
    /// `None` if there is none where one would be by default.
    fn find(options: &Options) -> Result<Option<Self>, Error> {
        let (address, origin) = address()?;
        let builder = http::builder(TIMEOUT);
        let (builder, base, shown) = match &address {
            Address::Socket(path) => {
                if origin == Origin::Default && !path.exists() {
                    return Ok(None);
                }
                let builder = builder.unix_socket(path.as_path()).tls_certs_only([]);
                let shown = format!("unix://{}", path.display());
                (builder, "http://docker".to_owned(), shown)
            }
            Address::Tcp(host, certificates) => {
                if options.offline && !is_loopback(host) {
                    return Err(Error::Usage {
                        message: format!("the Docker daemon at {host} is on the network"),
                        hint: match &origin {
                            Origin::Context(name) => format!(
                                "leave --offline away, or choose another context than '{name}' with \
                                 DOCKER_CONTEXT"
                            ),
                            _ => "leave --offline away, or unset DOCKER_HOST".to_owned(),
                        },
                    });
                }
                let shown = format!("tcp://{host}");
                match certificates {
                    None => (builder.tls_certs_only([]), format!("http://{host}"), shown),
                    Some(directory) => (
                        with_certificates(builder, directory)?,
                        format!("https://{host}"),
                        shown,
                    ),
                }
            }
        };
        // The daemon is no place that a proxy leads to.
        let builder = builder
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Ok(Some(Self {
            client: http::build(builder)?,
            base,
            address: shown,
            origin,
        }))
    }

    /// Without a version in its path, a request is taken as one of the daemon's newest.
    fn get(&self, path: &str) -> Result<Response, Error> {
        let request = self.client.get(format!("{}/{path}", self.base));
        request.send().map_err(|error| {
            if is_denied(&error) {
                return Error::Usage {
                    message: format!("the Docker daemon at {} may not be asked", self.address),
                    hint: "run as root or as a member of the group docker".to_owned(),
                };
            }
            if error.is_connect() {
                return Error::Usage {
                    message: format!(
                        "no Docker daemon answers at {}: {}",
                        self.address,
                        http::causes(&error.without_url())
                    ),
                    hint: self.origin.hint(),
                };
            }
            transfer_error(&self.address, error)
        })
    }

    fn inspect(
        &self,
        name: &str,
        options: &Options,
    ) -> Result<(InspectedImage, Option<(u32, u32)>), Error> {
        let response = self.get(&format!("images/{name}/json"))?;
        if !response.status().is_success() {
            return Err(self.refused(name, response, options));
        }
        let api = response
            .headers()
            .get("Api-Version")
            .and_then(|version| version.to_str().ok()?.split_once('.'))
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        Ok((self.json(response, options)?, api))
    }

    fn list<T: DeserializeOwned>(&self, path: &str, options: &Options) -> Result<T, Error> {
        let response = self.get(path)?;
        match response.status().is_success() {
            true => self.json(response, options),
            false => Err(self.refused("", response, options)),
        }
    }

    fn json<T: DeserializeOwned>(&self, response: Response, options: &Options) -> Result<T, Error> {
        let bytes = http::body(&self.address, response, options.limits.metadata_bytes)?;
        crate::image::manifest::parse_json(&self.address, &bytes)
    }

    fn refused(&self, name: &str, response: Response, options: &Options) -> Error {
        let status = response.status();
        if status == StatusCode::NOT_FOUND && !name.is_empty() {
            return Error::Usage {
                message: format!("the Docker daemon at {} has no image {name}", self.address),
                hint: format!(
                    "'docker images' lists those it has; registry:{name} reads it from its registry"
                ),
            };
        }
        let said = self
            .json::<Refusal>(response, options)
            .map_or(status.to_string(), |refusal| refusal.message);
        Error::Io {
            place: self.address.clone(),
            source: io::Error::other(said),
        }
    }
}

/// JSON of the image specification, for one platform of several.
fn platform_query(options: &Options, api: Option<(u32, u32)>) -> Option<String> {
    let asked = options.platform.as_deref()?;
    if api? < API_WITH_PLATFORM {
        return None;
    }
    let platform = crate::image::platform::Platform::parse(asked).ok()?;
    let mut json = serde_json::json!({
        "os": platform.os,
        "architecture": platform.architecture,
    });
    if let Some(variant) = platform.variant {
        json["variant"] = variant.into();
    }
    Some(http::form(&[("platform", &json.to_string())]))
}

fn is_denied(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::PermissionDenied
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The daemon that the Docker command line would speak to: `DOCKER_HOST`, the context, the socket
/// of the system, that of the user.
fn address() -> Result<(Address, Origin), Error> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let certificates = || {
        set("DOCKER_TLS_VERIFY")?;
        set("DOCKER_CERT_PATH")
            .map(PathBuf::from)
            .or_else(|| Some(docker_config()?.parent()?.to_owned()))
    };
    if let Some(host) = set("DOCKER_HOST") {
        let address = parse_address(&host, certificates(), &Origin::Variable)?;
        return Ok((address, Origin::Variable));
    }
    if let Some((name, host)) = docker_config().and_then(|config| context_host(&config)) {
        let origin = Origin::Context(name);
        return Ok((parse_address(&host, certificates(), &origin)?, origin));
    }
    let rootless =
        set("XDG_RUNTIME_DIR").map(|directory| Path::new(&directory).join("docker.sock"));
    let socket = match rootless {
        Some(rootless) if !Path::new(DEFAULT_SOCKET).exists() && rootless.exists() => rootless,
        _ => DEFAULT_SOCKET.into(),
    };
    Ok((Address::Socket(socket), Origin::Default))
}

fn parse_address(
    text: &str,
    certificates: Option<PathBuf>,
    origin: &Origin,
) -> Result<Address, Error> {
    let tcp = || {
        let rest = ["tcp://", "http://", "https://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(&byte);
        let host = rest.trim_end_matches('/');
        (!host.is_empty() && host.bytes().all(plain)).then(|| host.to_owned())
    };
    if let Some(path) = text.strip_prefix("unix://") {
        return Ok(Address::Socket(path.into()));
    }
    tcp()
        .map(|host| Address::Tcp(host, certificates))
        .ok_or_else(|| Error::Usage {
            message: match origin {
                Origin::Context(name) => {
                    format!("the address '{text}' in the Docker context '{name}' is not spoken to")
                }
                _ => format!("the address '{text}' in DOCKER_HOST is not spoken to"),
            },
            hint: "set DOCKER_HOST to unix://PATH or tcp://HOST:PORT".to_owned(),
        })
}

/// Name and address of the context that `docker context use` or `DOCKER_CONTEXT` chose. Certificates
/// of contexts are not read.
fn context_host(config: &Path) -> Option<(String, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        current_context: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Context {
        endpoints: Endpoints,
    }
    #[derive(Deserialize)]
    struct Endpoints {
        docker: Endpoint,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Endpoint {
        host: String,
    }
    let name = match env::var("DOCKER_CONTEXT") {
        Ok(name) => name,
        Err(_) => {
            let config: Config = serde_json::from_slice(&std::fs::read(config).ok()?).ok()?;
            config.current_context?
        }
    };
    if matches!(name.as_str(), "" | "default") {
        return None;
    }
    let directory = hex::encode(Sha256::digest(name.as_bytes()));
    let meta = config
        .parent()?
        .join("contexts/meta")
        .join(directory)
        .join("meta.json");
    let context: Context = serde_json::from_slice(&std::fs::read(meta).ok()?).ok()?;
    Some((name, context.endpoints.docker.host))
}

/// `ca.pem`, `cert.pem` and `key.pem`, as the Docker command line has them.
fn with_certificates(
    builder: reqwest::blocking::ClientBuilder,
    directory: &Path,
) -> Result<reqwest::blocking::ClientBuilder, Error> {
    let read = |name: &str| {
        let path = directory.join(name);
        std::fs::read(&path).map_err(|source| Error::Io {
            place: path.display().to_string(),
            source,
        })
    };
    let invalid = |error: reqwest::Error| Error::Usage {
        message: format!(
            "the certificates in {} cannot be used: {}",
            directory.display(),
            http::causes(&error)
        ),
        hint: "DOCKER_CERT_PATH needs ca.pem, cert.pem and key.pem".to_owned(),
    };
    let authorities = Certificate::from_pem_bundle(&read("ca.pem")?).map_err(invalid)?;
    let mut identity = read("cert.pem")?;
    identity.push(b'\n');
    identity.extend(read("key.pem")?);
    let identity = Identity::from_pem(&identity).map_err(invalid)?;
    Ok(builder.tls_certs_only(authorities).identity(identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_the_daemon_were_named_by_digests_alone() {
        for (tags, expected) in [
            (r#"["b:1","a:2"]"#, "a:2"),
            (r#"["<none>:<none>"]"#, "sha256:1"),
            ("[]", "sha256:1"),
            ("null", "sha256:1"),
        ] {
            let json = format!(r#"{{"Id":"sha256:1","RepoTags":{tags}}}"#);
            let image: ImageSummary = serde_json::from_str(&json).unwrap();
            assert_eq!(image.into_name(), expected);
        }
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            (
                "unix:///run/d.sock",
                Some(Address::Socket("/run/d.sock".into())),
            ),
            (
                "tcp://127.0.0.1:2375",
                Some(Address::Tcp("127.0.0.1:2375".to_owned(), None)),
            ),
            (
                "tcp://[::1]:2375/",
                Some(Address::Tcp("[::1]:2375".to_owned(), None)),
            ),
            ("ssh://host", None),
            ("tcp://user@host/x?y", None),
            ("", None),
        ] {
            let parsed = parse_address(text, None, &Origin::Variable);
            assert_eq!(parsed.ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_address_of_a_context() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.json");
        std::fs::write(&config, r#"{"currentContext":"far"}"#).unwrap();
        assert_eq!(context_host(&config), None);
        let meta = directory
            .path()
            .join("contexts/meta")
            .join(hex::encode(Sha256::digest(b"far")));
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"far","Endpoints":{"docker":{"Host":"tcp://10.0.0.1:2375"}}}"#,
        )
        .unwrap();
        assert_eq!(
            context_host(&config),
            Some(("far".to_owned(), "tcp://10.0.0.1:2375".to_owned()))
        );
    }
}
