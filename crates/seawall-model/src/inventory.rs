use crate::{Distro, Incomplete, Package};

/// Everything found in one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// What was scanned.
    pub target: Target,
    /// The operating system, where there is one.
    pub distro: Option<Distro>,
    /// The image's layers from the base up; empty for other targets.
    pub layers: Vec<Layer>,
    /// The packages, ordered by type, name, version and first path.
    pub packages: Vec<Package>,
    /// Number of packages left out because they serve only to develop or test.
    pub development_excluded: u32,
    /// Sentences for the reader on what is in the target and not among the packages, though nothing
    /// failed: what is asked for without a version, and Java archives that state none.
    pub notes: Vec<String>,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
}

impl Inventory {
    /// How many layers, from the base up, are known to be what the image says of them.
    #[must_use]
    pub fn verified_layers(&self) -> usize {
        let verified = self.layers.iter().take_while(|layer| layer.verified);
        verified.count()
    }

    /// Whether the image says that this is one of its digests.
    #[must_use]
    pub fn claims_digest(&self, digest: &str) -> bool {
        let target = &self.target;
        let mut digests = target.digest.iter().chain(&target.other_digests);
        digests.any(|own| own == digest)
    }

    /// Whether this is one of the image's digests, and all of the image is known to be what that names.
    #[must_use]
    pub fn has_digest(&self, digest: &str) -> bool {
        self.claims_digest(digest) && self.verified_layers() == self.layers.len()
    }
}

/// Index of a package in [`Inventory::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageIndex(pub u32);

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Its kind.
    pub kind: TargetKind,
    /// The name that the user gave, or the reference it resolved to.
    pub name: String,
    /// Where on this machine the file lies that the user named: a relative name is another file's
    /// elsewhere. Tells stored inventories apart.
    pub place: Option<String>,
    /// The image's digest (of the manifest where there is one, else of the configuration),
    /// `sha256:...`.
    pub digest: Option<String>,
    /// Other digests that name this image and nothing else: of its configuration, which is the
    /// runtimes' image id, and of the index that led to it.
    pub other_digests: Vec<String>,
    /// Tags under which the image is known.
    pub tags: Vec<String>,
    /// Whether a registry or a container runtime keeps the image under this name and these tags, and
    /// all layers could be read. What an archive says of itself is its maker's word, and its file's
    /// name is anybody's.
    pub named_by_store: bool,
    /// `linux/amd64`, `linux/arm64/v8`.
    pub platform: Option<String>,
    /// When the image was built, RFC 3339.
    pub created: Option<String>,
    /// The image's labels.
    pub labels: Vec<(String, String)>,
}

/// The kind of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TargetKind {
    /// A container image.
    Image,
    /// A root filesystem or source tree.
    #[default]
    Filesystem,
    /// A running machine.
    Host,
    /// A bill of materials.
    Sbom,
}

impl TargetKind {
    /// Lower-case name, as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Filesystem => "filesystem",
            Self::Host => "host",
            Self::Sbom => "sbom",
        }
    }
}

/// Which part of an image a layer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Role {
    /// The base image, recognised by its chain id or by the shape of its history.
    Base,
    /// Packages and runtimes installed on top of the base.
    Middleware,
    /// The application itself, and every target without layers.
    #[default]
    Application,
}

impl Role {
    /// Lower-case name, as written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Middleware => "middleware",
            Self::Application => "application",
        }
    }
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layer {
    /// Position from the base up, from 0.
    pub index: u32,
    /// Digest of the blob as stored or transferred, where known.
    pub digest: Option<String>,
    /// Digest of the uncompressed tar (OCI image specification, "Layer DiffID").
    pub diff_id: Option<String>,
    /// Whether the layer's bytes were compared with `diff_id` and are what it names. They are compared
    /// where something depends on it: a known base image, a trusted image.
    pub verified: bool,
    /// The chain id of this and all layers below (OCI image specification, "Layer ChainID").
    pub chain_id: Option<String>,
    /// The instruction that made it, as a Dockerfile would say it.
    pub created_by: Option<String>,
    /// The name of the base image that this layer is part of, from the catalogue.
    pub base: Option<String>,
    /// Which part of the image it belongs to.
    pub role: Role,
    /// Whether `role` is a guess from the history, not a match in the catalogue.
    pub role_guessed: bool,
    /// The team or person who owns it.
    pub owner: Option<String>,
    /// Size of the blob in bytes, where known.
    pub size: Option<u64>,
}
