use crate::{Error, LayerVisitor, Limits, Source};
use seawall_model::Incomplete;

/// How to open and read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `os/architecture[/variant]`; the machine's own by default.
    pub platform: Option<String>,
    /// Caps.
    pub limits: Limits,
    /// Refuse what needs the network beyond loopback and local sockets.
    pub offline: bool,
}

/// Told how far reading is. Called from several threads.
pub trait Progress: Sync {
    /// The total number of bytes to read became known or grew.
    fn total(&self, bytes: u64);
    /// So many more bytes of the source were read or skipped.
    fn advance(&self, bytes: u64);
}

/// An opened source: its metadata may not be known yet (the Docker daemon sends it last).
#[derive(Debug)]
pub struct Artifact {
    _source: Source,
    _options: Options,
}

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// Digest of the manifest where there is one, else of the configuration (`sha256:...`).
    pub digest: Option<String>,
    /// Tags under which it is known.
    pub tags: Vec<String>,
    /// `os/architecture[/variant]`.
    pub platform: Option<String>,
    /// RFC 3339.
    pub created: Option<String>,
    /// Labels of the configuration.
    pub labels: Vec<(String, String)>,
    /// `created_by` of every history entry, with whether the entry made no layer.
    pub history: Vec<(String, bool)>,
}

/// One layer after reading.
#[derive(Debug)]
pub struct ReadLayer<V> {
    /// Digest of the blob as stored.
    pub digest: Option<String>,
    /// Digest of the uncompressed tar, from the configuration.
    pub diff_id: Option<String>,
    /// Size of the blob as stored.
    pub size: Option<u64>,
    /// `created_by` of the history entry that made it.
    pub created_by: Option<String>,
    /// The visitor that saw its entries.
    pub visitor: V,
}

/// An artifact after reading.
#[derive(Debug)]
pub struct ReadArtifact<V> {
    /// For images.
    pub image: Option<ImageInfo>,
    /// From the base up; exactly one for a directory.
    pub layers: Vec<ReadLayer<V>>,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
}

impl Artifact {
    /// Opens a source.
    ///
    /// # Errors
    /// The source does not exist, is of another format, or refuses us.
    pub fn open(source: &Source, options: &Options) -> Result<Self, Error> {
        Ok(Self {
            _source: source.clone(),
            _options: options.clone(),
        })
    }

    /// Reads all layers, in parallel where the source allows it, each with a visitor of its own.
    /// Content that is damaged or capped ends its layer and is listed in
    /// [`ReadArtifact::incomplete`]; the other layers are still read.
    ///
    /// # Errors
    /// Nothing at all could be read.
    pub fn read<V: LayerVisitor>(
        self,
        _new_visitor: &(dyn Fn() -> V + Sync),
        _progress: &dyn Progress,
    ) -> Result<ReadArtifact<V>, Error> {
        Ok(ReadArtifact {
            image: None,
            layers: Vec::new(),
            incomplete: Vec::new(),
        })
    }
}
