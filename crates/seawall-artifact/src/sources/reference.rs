//! Names of images, `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`, as Docker completes short ones.

use std::fmt;
use std::net::IpAddr;

/// The name of Docker's hub in the names of images.
const HUB: &str = "docker.io";
/// Where Docker's hub answers.
const HUB_HOST: &str = "registry-1.docker.io";

/// The full name of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// Host with port, as in the name: `docker.io`, `localhost:5000`.
    pub(super) registry: String,
    /// `library/nginx`.
    pub(super) repository: String,
    /// `latest` unless there is another or a digest.
    pub(super) tag: Option<String>,
    /// `sha256:...`
    pub(super) digest: Option<String>,
}

impl Reference {
    /// Completes a name whose grammar has been checked when it became a source.
    pub(super) fn parse(text: &str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (text, None),
        };
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.to_owned())),
            _ => (name, None),
        };
        let (registry, repository) = match path.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
            _ => (HUB, path),
        };
        let registry = match registry {
            "index.docker.io" | HUB_HOST => HUB,
            other => other,
        };
        let repository = match (registry, repository.contains('/')) {
            (HUB, false) => format!("library/{repository}"),
            _ => repository.to_owned(),
        };
        let tag = match (&tag, &digest) {
            (None, None) => Some("latest".to_owned()),
            _ => tag,
        };
        Self {
            registry: registry.to_owned(),
            repository,
            tag,
            digest,
        }
    }

    /// Where the registry answers.
    pub(super) fn host(&self) -> &str {
        match self.registry.as_str() {
            HUB => HUB_HOST,
            host => host,
        }
    }

    /// What the registry is asked for: the digest, where there is one.
    pub(super) fn version(&self) -> &str {
        self.digest
            .as_deref()
            .or(self.tag.as_deref())
            .unwrap_or("latest")
    }

    pub(super) fn is_hub(&self) -> bool {
        self.registry == HUB
    }

    /// Whether `name`, a name in full as runtimes store it, is this image by its tag or, where
    /// there is one, by its digest.
    pub(super) fn is_stored_as(&self, name: &str) -> bool {
        let stored = Self::parse(name);
        let same_version = match &self.digest {
            Some(_) => stored.digest == self.digest,
            None => stored.digest.is_none() && stored.tag == self.tag,
        };
        stored.registry == self.registry && stored.repository == self.repository && same_version
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether a host of a URL, or `HOST[:PORT]`, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether text is `ALGORITHM:HEX`, and so can stand in a path.
pub(super) fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        !algorithm.is_empty() && plain(algorithm) && (32..=128).contains(&hex.len()) && plain(hex)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, host, full) in [
            ("nginx", HUB_HOST, "docker.io/library/nginx:latest"),
            ("nginx:1.2", HUB_HOST, "docker.io/library/nginx:1.2"),
            ("team/app", HUB_HOST, "docker.io/team/app:latest"),
            (
                "index.docker.io/nginx",
                HUB_HOST,
                "docker.io/library/nginx:latest",
            ),
            ("localhost/app", "localhost", "localhost/app:latest"),
            (
                "localhost:5000/a/b:c",
                "localhost:5000",
                "localhost:5000/a/b:c",
            ),
            ("[::1]:5000/app", "[::1]:5000", "[::1]:5000/app:latest"),
            (
                "quay.example/app",
                "quay.example",
                "quay.example/app:latest",
            ),
            (
                &format!("r.example/app@{digest}"),
                "r.example",
                &format!("r.example/app@{digest}"),
            ),
            (
                &format!("r.example:1/app:2@{digest}"),
                "r.example:1",
                &format!("r.example:1/app:2@{digest}"),
            ),
        ] {
            let reference = Reference::parse(text);
            assert_eq!(reference.to_string(), full, "{text}");
            assert_eq!(reference.host(), host, "{text}");
            assert!(reference.is_stored_as(full), "{text}");
        }
    }

    #[test]
    fn loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("127.8.9.10:80", true),
            ("[::1]", true),
            ("[::1]:5000", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1:5000", false),
            ("[::2]", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
