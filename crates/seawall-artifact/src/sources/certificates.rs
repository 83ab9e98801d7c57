//! Certificates for single registries, where Docker and podman look for them
//! (containers-certs.d(5)): `certs.d/HOST[:PORT]/` with authorities to trust beside those of the
//! system in `*.crt`, and to show who we are `*.cert` with its key in `*.key`.

use super::file::read;
use super::http::causes;
use crate::Error;
use reqwest::blocking::ClientBuilder;
use reqwest::{Certificate, Identity};
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of one file.
const MAX_BYTES: u64 = 4 << 20;

/// What webpki says of a server that shows the certificate of an authority as its own. RFC 5280 has
/// nothing against it if the certificate itself is trusted, and Go accepts it; webpki never does, and
/// to check name and time in its stead would be to write a verifier of our own.
pub(super) const AUTHORITY_SHOWN: &str = "CaUsedAsEndEntity";

/// What to do about [`AUTHORITY_SHOWN`]. `openssl req -x509` alone makes such certificates.
pub(super) const AUTHORITY_SHOWN_HINT: &str = "give the server a certificate of its own and trust that \
    (certs.d/HOST[:PORT]/*.crt, SSL_CERT_FILE): openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem \
    -out cert.pem -days 365 -subj /CN=HOST -addext subjectAltName=DNS:HOST \
    -addext basicConstraints=critical,CA:FALSE";

/// Sets up what is configured for `host`.
pub(super) fn configured(builder: ClientBuilder, host: &str) -> Result<ClientBuilder, Error> {
    with_directories(builder, &directories(host))
}

fn directories(host: &str) -> Vec<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let own = match set("XDG_CONFIG_HOME") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => set("HOME").map(|home| PathBuf::from(home).join(".config")),
    };
    let own = own.map(|directory| directory.join("containers"));
    own.into_iter()
        .chain(["/etc/containers".into(), "/etc/docker".into()])
        .map(|directory: PathBuf| directory.join("certs.d").join(host))
        .collect()
}

fn with_directories(
    mut builder: ClientBuilder,
    directories: &[PathBuf],
) -> Result<ClientBuilder, Error> {
    let mut identity = None;
    for directory in directories {
        for path in files(directory)? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => {
                    let authorities = Certificate::from_pem_bundle(&read(&path, MAX_BYTES)?)
                        .map_err(|error| unusable(&path, &error))?;
                    builder = builder.tls_certs_merge(authorities);
                }
                Some("cert") if identity.is_none() => {
                    let key = read(&path.with_extension("key"), MAX_BYTES)?;
                    let pem = [read(&path, MAX_BYTES)?, b"\n".to_vec(), key].concat();
                    let found = Identity::from_pem(&pem).map_err(|error| unusable(&path, &error));
                    identity = Some(found?);
                }
                _ => {}
            }
        }
    }
    Ok(match identity {
        Some(identity) => builder.identity(identity),
        None => builder,
    })
}

/// The files of a directory by name; none if there is no such directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(Error::Io {
                place: directory.display().to_string(),
                source,
            });
        }
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort_unstable();
    Ok(files)
}

fn unusable(path: &Path, error: &reqwest::Error) -> Error {
    Error::Usage {
        message: format!("{} cannot be used: {}", path.display(), causes(error)),
        hint: "*.crt holds authorities, *.cert a certificate with its key in *.key, all in PEM"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::http;
    use std::time::Duration;

    #[test]
    fn certificates_of_a_registry_were_not_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let set_up = || {
            let builder = http::builder(Duration::from_secs(1));
            let missing = directory.path().join("missing");
            with_directories(builder, &[missing, directory.path().to_owned()])
        };
        assert!(set_up().is_ok());
        fs::write(directory.path().join("notes.txt"), "no certificate").unwrap();
        assert!(set_up().is_ok());
        fs::write(directory.path().join("client.cert"), "").unwrap();
        let error = set_up().unwrap_err();
        assert!(error.to_string().contains("client.key"), "{error}");
        let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        fs::write(directory.path().join("ca.crt"), broken).unwrap();
        let error = set_up().unwrap_err();
        assert!(error.to_string().contains("ca.crt"), "{error}");
    }
}
