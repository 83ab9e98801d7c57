use crate::{Content, Error};

/// One entry of a layer or directory, its content not read yet.
///
/// A trait, because a seekable archive, a stream and a directory fetch content in three ways.
pub trait Entry {
    /// The path from the root, without a leading slash, `.` and `..` resolved: `etc/os-release`.
    /// A byte that is not of UTF-8 is U+FFFD and two hexadecimal digits, and U+FFFD itself stands twice,
    /// so that no two files have one path. For a whiteout, the path that it removes.
    fn path(&self) -> &str;
    /// What it is.
    fn kind(&self) -> EntryKind<'_>;
    /// Size of the content in bytes, 0 for what is not a regular file.
    fn size(&self) -> u64;
    /// Permission bits (`0o7777`).
    fn mode(&self) -> u32;
    /// The first bytes of a regular file, up to `buffer.len()`, without using up the content.
    /// Nothing for what has no content at hand, which in a stream includes hard links. Made for
    /// magic numbers: buffers of up to 64 KiB.
    ///
    /// # Errors
    /// The archive is truncated or unreadable here.
    fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;
    /// The content of a regular file. From a stream it is copied to memory, so ask only for what
    /// will be analyzed. For a hard link to an earlier file of the same layer: that file's content
    /// where it is still reachable.
    ///
    /// # Errors
    /// The archive is truncated or unreadable here, or a limit was hit. [`Error::Deferred`] for a
    /// hard link in a compressed layer: the entry comes once more, with its content, or the layer's
    /// reader tells of all that do not.
    fn content(&mut self) -> Result<Content, Error>;
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind<'a> {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link with its target as written. Never followed.
    Symlink(&'a str),
    /// A hard link to another path of the same layer, normalised like [`Entry::path`].
    HardLink(&'a str),
    /// Removes a path of the layers below (OCI image specification, "Whiteouts").
    Whiteout,
    /// Hides what the layers below have in this directory ("Opaque Whiteout").
    OpaqueDirectory,
    /// A device, socket or pipe.
    Other,
}

/// Receives the entries of one layer (or of a directory) in the order in which they stand: a path
/// that stands twice is visited twice, and the last one holds. The root directory itself is not
/// visited, except to say that it is opaque.
pub trait LayerVisitor: Send {
    /// Takes one entry. An error of the entry's own content is the visitor's to record; an `Err`
    /// from here ends the reading of this layer.
    ///
    /// # Errors
    /// What [`Entry::content`] returned, when reading on makes no sense.
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error>;
}
