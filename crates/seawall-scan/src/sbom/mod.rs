//! Bills of materials, read into inventories: CycloneDX 1.2 to 1.6 and SPDX 2.2, 2.3 and 3.0, in
//! JSON, with what syft, Trivy and Seawall itself write beside the standard's own fields.

mod collect;
mod cyclonedx;
mod field;
mod spdx;
mod spdx3;

use seawall_model::{Distro, Inventory, Package};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use collect::Collector;
use field::Text;

/// Largest document that is read, in bytes.
const MAX_BYTES: usize = 512 << 20;

/// Most objects that a document may hold: each takes many times the bytes that it is written in.
const MAX_OBJECTS: usize = 4_000_000;

/// Why a bill of materials could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SbomError {
    /// It is one of a form that is not read.
    #[error("this is {0}, which is not read")]
    Unsupported(String),
    /// It is damaged.
    #[error("the bill of materials cannot be read at line {line}, column {column}: {message}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It ends before its last bracket is closed.
    #[error("the bill of materials is cut off: it ends at byte {length} in the middle of its JSON")]
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// It is larger than the cap.
    #[error("the bill of materials is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It holds more than memory is given for.
    #[error("the bill of materials holds more than {MAX_OBJECTS} objects")]
    TooMany,
}

impl SbomError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unsupported(_) | Self::Malformed { .. } => {
                "CycloneDX 1.2 to 1.6 and SPDX 2.2, 2.3 and 3.0 are read, each in JSON: convert it, or \
                 have its tool write JSON"
            }
            Self::Truncated { .. } => {
                "have its tool write it again, and see that the disk is not full and the transfer whole"
            }
            Self::TooLarge | Self::TooMany => {
                "have its tool leave out files, and list packages alone"
            }
        }
    }
}

/// The package that a package URL names, and the operating system that its `distro` qualifier
/// names. `None` if the text is no package URL, or of a type that Seawall has no packages of.
#[must_use]
pub fn read_purl(text: &str) -> Option<(Package, Option<Distro>)> {
    let purl = crate::purl::parse(text)?;
    let package = crate::purl::package(&purl)?;
    let distro = collect::purl_distro(&purl).map(|(id, version)| collect::distro_of(id, version));
    Some((package, distro))
}

/// Reads a bill of materials. `name` becomes the target's name.
///
/// What cannot be matched (components without a package URL, of an unknown type, without a version,
/// packages of another distribution than the document's) is counted in [`Inventory::incomplete`].
///
/// # Errors
/// The document as a whole is not of a form that is read, or is damaged.
pub fn read(name: &str, bytes: &[u8]) -> Result<Inventory, SbomError> {
    if bytes.len() > MAX_BYTES {
        return Err(SbomError::TooLarge);
    }
    if let Some(other) = other_form(without_mark(bytes)) {
        return Err(SbomError::Unsupported(other.to_owned()));
    }
    if memchr::memchr_iter(b'{', bytes).count() > MAX_OBJECTS {
        return Err(SbomError::TooMany);
    }
    let shape: Shape = json(bytes)?;
    let mut collector = Collector::new(name);
    if shape.bom_format.text() == Some("CycloneDX") {
        cyclonedx::read(json(bytes)?, &mut collector);
    } else if let Some(version) = shape.spdx_version.text() {
        if !version.starts_with("SPDX-2.") {
            return Err(SbomError::Unsupported(format!("{version} in JSON")));
        }
        spdx::read(json(bytes)?, &mut collector);
    } else if shape.graph.is_some() && shape.context.mentions("spdx.org/rdf/3.") {
        spdx3::read(json(bytes)?, &mut collector);
    } else {
        return Err(SbomError::Unsupported("JSON of another kind".to_owned()));
    }
    Ok(collector.finish())
}

/// What the document is, if it is visibly not JSON.
fn other_form(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.trim_ascii_start();
    let head = start.get(..start.len().min(4096)).unwrap_or_default();
    let contains = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
    if start.starts_with(b"<") {
        Some(if contains("cyclonedx.org") {
            "CycloneDX in XML"
        } else if contains("spdx.org") {
            "SPDX in RDF/XML"
        } else {
            "XML"
        })
    } else if start.starts_with(b"SPDXVersion:") || contains("\nSPDXVersion:") {
        Some("SPDX in tag-value form")
    } else if start.starts_with(b"spdxVersion:") || contains("\nspdxVersion:") {
        Some("SPDX in YAML")
    } else {
        None
    }
}

/// The keys that tell the formats apart.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Shape {
    #[serde(rename = "bomFormat", default)]
    bom_format: Text,
    #[serde(rename = "spdxVersion", default)]
    spdx_version: Text,
    #[serde(rename = "@context", default)]
    context: Text,
    #[serde(rename = "@graph")]
    graph: Option<IgnoredAny>,
}

/// Without a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SbomError> {
    serde_json::from_slice(without_mark(bytes)).map_err(|error| {
        if error.is_eof() {
            let length = bytes.len();
            return SbomError::Truncated { length };
        }
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let place = format!(" at line {line} column {column}");
        SbomError::Malformed {
            line,
            column,
            message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        }
    })
}

#[cfg(test)]
mod tests;
