//! Images, archives, registries, runtimes' stores and directories, read as streams of files.
//!
//! This is the only crate that decompresses, and it does so under [`Limits`]. Nothing is unpacked
//! to disk. What could not be read is returned as [`seawall_model::Incomplete`] beside what could.

pub mod archive;
mod beneath;
mod budget;
mod compression;
mod content;
mod directory;
mod entry;
mod error;
mod image;
mod inflate;
mod layer;
mod limits;
mod path;
mod pipeline;
mod read;
pub mod runtimes;
mod saved_stream;
mod second_pass;
mod source;
mod sources;
mod sparse;
mod tally;
mod tar;
mod verify;

pub use content::{Content, ContentReader};
pub use entry::{Entry, EntryKind, LayerVisitor};
pub use error::Error;
pub use inflate::inflate_zlib;
pub use limits::Limits;
pub use read::{Artifact, ImageInfo, Options, Progress, ReadArtifact, ReadLayer};
pub use source::Source;
pub use verify::{Claims, Verify, chain_ids};
