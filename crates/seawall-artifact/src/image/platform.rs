//! Which image of a multi-platform index is meant: `os/architecture[/variant]`, compared as
//! containerd compares platforms.

use crate::Error;
use serde::Deserialize;
use std::fmt;

/// A platform, in the names of Go (`GOOS`, `GOARCH`), which the OCI image specification uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Platform {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) variant: Option<String>,
    /// Of Windows: the build that an image is for, which tells images of one architecture apart.
    #[serde(default, rename = "os.version")]
    pub(crate) os_version: Option<String>,
}

impl Platform {
    /// Reads `os/architecture[/variant]`; the names of the kernel (`x86_64`, `aarch64`) are
    /// understood too.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('/');
        let platform = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant, None)
                if !os.is_empty() && !architecture.is_empty() =>
            {
                Self {
                    os: os.to_owned(),
                    architecture: architecture.to_owned(),
                    variant: variant.map(str::to_owned),
                    os_version: None,
                }
            }
            _ => {
                return Err(Error::Usage {
                    message: format!("'{text}' is not a platform"),
                    hint: "write os/architecture[/variant], like linux/arm64 or linux/arm/v7"
                        .to_owned(),
                });
            }
        };
        Ok(platform.normalized())
    }

    /// The platform of images that this machine runs.
    pub(crate) fn of_this_machine() -> Self {
        Self {
            os: "linux".to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            variant: None,
            os_version: None,
        }
        .normalized()
    }

    /// One name for each thing: `aarch64` is `arm64`, its `v8` says nothing, and 32-bit ARM
    /// without variant is `v7`.
    pub(crate) fn normalized(mut self) -> Self {
        self.os = lower_case(&self.os);
        // Where it is not said, container runtimes take it for that of the machine.
        if self.os.is_empty() {
            self.os = "linux".to_owned();
        }
        self.architecture = lower_case(&self.architecture);
        self.variant = self
            .variant
            .map(|variant| lower_case(&variant))
            .filter(|variant| !variant.is_empty());
        let (architecture, variant) = match self.architecture.as_str() {
            "x86_64" | "x86-64" | "amd64" => ("amd64", self.variant.filter(|v| v != "v1")),
            "aarch64" | "arm64" => (
                "arm64",
                self.variant
                    .filter(|v| !matches!(v.as_str(), "8" | "v8" | "v8.0")),
            ),
            "armel" => ("arm", Some("v6".to_owned())),
            "armhf" => ("arm", Some("v7".to_owned())),
            "arm" => {
                let variant = match self.variant.as_deref() {
                    None | Some("7") => "v7",
                    Some("6") => "v6",
                    Some("5") => "v5",
                    Some(other) => other,
                };
                ("arm", Some(variant.to_owned()))
            }
            "i386" | "i486" | "i586" | "i686" | "x86" => ("386", None),
            "powerpc64" => ("ppc64le", self.variant),
            other => (other, self.variant),
        };
        Self {
            os: self.os,
            architecture: architecture.to_owned(),
            variant,
            os_version: self.os_version,
        }
    }

    /// How well an image for `offered` runs here: `None` if not at all, else the lower the better.
    /// A processor runs what was built for an earlier variant of its architecture.
    pub(crate) fn distance(&self, offered: &Platform) -> Option<u32> {
        let offered = offered.clone().normalized();
        if offered.os != self.os || offered.architecture != self.architecture {
            return None;
        }
        let level = |variant: &Option<String>| match variant {
            None if self.architecture == "arm64" => Some(80),
            None => Some(10),
            Some(variant) => {
                let (major, minor) = variant
                    .strip_prefix('v')?
                    .split_once('.')
                    .unwrap_or((variant.strip_prefix('v')?, "0"));
                let major: u32 = major.parse().ok().filter(|n| *n < 100)?;
                let minor: u32 = minor.parse().ok().filter(|n| *n < 10)?;
                Some(major * 10 + minor)
            }
        };
        match (level(&self.variant), level(&offered.variant)) {
            (Some(own), Some(offered)) => own.checked_sub(offered),
            _ => (self.variant == offered.variant).then_some(0),
        }
    }
}

/// In lower case, letter by letter, as Go does it.
fn lower_case(text: &str) -> String {
    text.chars()
        .filter_map(|c| c.to_lowercase().next())
        .collect()
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (own, offered, expected) in [
            ("linux/amd64", "linux/amd64", Some(0)),
            ("linux/x86_64", "linux/amd64", Some(0)),
            ("linux/amd64", "linux/amd64/v3", None),
            ("linux/amd64/v3", "linux/amd64/v2", Some(10)),
            ("linux/amd64", "linux/arm64", None),
            ("linux/amd64", "windows/amd64", None),
            ("linux/arm64", "linux/arm64/v8", Some(0)),
            ("linux/arm64/v9", "linux/arm64", Some(10)),
            ("linux/arm", "linux/arm/v7", Some(0)),
            ("linux/arm/v7", "linux/arm/v6", Some(10)),
            ("linux/arm/v6", "linux/arm/v7", None),
            ("linux/riscv64/rva23", "linux/riscv64/rva23", Some(0)),
        ] {
            let own = Platform::parse(own).unwrap();
            let offered = Platform::parse(offered).unwrap();
            assert_eq!(own.distance(&offered), expected, "{own} {offered}");
        }
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d"] {
            assert!(Platform::parse(text).is_err(), "{text}");
        }
    }
}
