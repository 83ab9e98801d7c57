//! Images: what they say of themselves, and where their layers are.
//!
//! A source of images (an archive, a layout, a registry, a runtime's store) makes an [`Image`] of
//! metadata and blobs; reading the layers is the same for all.

pub(crate) mod archive;
pub(crate) mod choose;
pub(crate) mod files;
mod keys;
mod layout;
pub(crate) mod manifest;
pub(crate) mod platform;
pub(crate) mod resume;
mod salvage;
pub(crate) mod saved;

use crate::directory::Directory;
use crate::{Content, Error, ImageInfo};
use seawall_model::Incomplete;
use std::fmt;
use std::io::Read;

/// An image whose layers are known and can be opened.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) info: ImageInfo,
    /// From the base up.
    pub(crate) layers: Vec<Layer>,
    /// What is wrong with the metadata.
    pub(crate) incomplete: Vec<Incomplete>,
    /// Whether the metadata can be read in one way only. Where it can be read in several, another
    /// program may take it for another image, so that nothing in it is known to be what it says.
    pub(crate) sound: bool,
}

/// One layer of an image.
#[derive(Debug)]
pub(crate) struct Layer {
    /// For messages: the layer's digest, or its file in the archive.
    pub(crate) place: String,
    /// Digest of the blob as stored; checked when all of it is read.
    pub(crate) digest: Option<String>,
    /// Digest of the uncompressed tar, from the configuration.
    pub(crate) diff_id: Option<String>,
    /// Size of the blob as stored, as the manifest says it.
    pub(crate) told_size: Option<u64>,
    /// `created_by` of its history entry.
    pub(crate) created_by: Option<String>,
    /// Its bytes.
    pub(crate) blob: Blob,
}

impl Layer {
    /// Size of the blob as stored, by the blob itself where it is at hand.
    pub(crate) fn size(&self) -> Option<u64> {
        match &self.blob {
            Blob::Content(content) => Some(content.len()),
            _ => self.told_size,
        }
    }

    /// Whether its name is a digest that is compared with its bytes when all of them pass.
    pub(crate) fn has_checked_digest(&self) -> bool {
        self.digest
            .as_deref()
            .is_some_and(|digest| digest.starts_with("sha256:"))
    }
}

/// Where a layer's bytes come from.
pub(crate) enum Blob {
    /// Anywhere that can be read at any place.
    Content(Content),
    /// Opened for reading from the begin, perhaps more than once.
    Stream(Box<dyn Fn() -> Result<Box<dyn Read + Send>, Error> + Send + Sync>),
    /// Unpacked, as a layer of an overlay file system.
    Directory {
        /// Where.
        directory: Directory,
        /// Digest of the uncompressed tar, as the runtime found it when it unpacked it.
        diff_id: Option<String>,
    },
    /// Cannot be read, and why.
    Missing(Box<Incomplete>),
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(content) => f.debug_tuple("Content").field(content).finish(),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Directory { directory, .. } => {
                f.debug_tuple("Directory").field(directory).finish()
            }
            Self::Missing(why) => f.debug_tuple("Missing").field(why).finish(),
        }
    }
}
