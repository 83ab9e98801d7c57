/// Caps on what a hostile archive can make us do. Every cap that is hit is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Uncompressed bytes of one layer.
    pub layer_bytes: u64,
    /// Uncompressed bytes per compressed byte of one layer, beyond the first
    /// [`Limits::ratio_free_bytes`].
    pub ratio: u64,
    /// Uncompressed bytes of one layer at which its ratio begins to count. Files with holes, as
    /// databases and virtual machines make them, compress by any ratio, and undoing it takes
    /// about a second for these.
    pub ratio_free_bytes: u64,
    /// Uncompressed bytes of all compressed layers together. Of this and of the entries, each
    /// layer has besides a share of its own, the part of one in [`Limits::layers`].
    pub image_bytes: u64,
    /// Entries of all layers together.
    pub entries: u64,
    /// Bytes of one file that are copied to memory from a stream.
    pub file_bytes: u64,
    /// Bytes of all files held in memory at one time.
    pub held_bytes: u64,
    /// Archives inside archives.
    pub nesting: u32,
    /// Bytes of a manifest, index or configuration.
    pub metadata_bytes: u64,
    /// Layers of one image.
    pub layers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            layer_bytes: 64 << 30,
            image_bytes: 256 << 30,
            ratio: 1_100,
            ratio_free_bytes: 4 << 30,
            entries: 20_000_000,
            file_bytes: 512 << 20,
            held_bytes: 768 << 20,
            nesting: 5,
            metadata_bytes: 8 << 20,
            layers: 1_000,
        }
    }
}
