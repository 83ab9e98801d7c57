//! Archives, images and layers.

use seawall_artifact::{
    Artifact, Entry, EntryKind, Error, LayerVisitor, Limits, Options, Progress, Source, Verify,
    archive,
};
use seawall_scan::{ScanOptions, scan_artifact};

/// Caps that are hit by small inputs already.
fn options() -> Options {
    Options {
        platform: Some("linux/amd64".to_owned()),
        limits: Limits {
            layer_bytes: 8 << 20,
            ratio: 1_100,
            ratio_free_bytes: 1 << 20,
            image_bytes: 32 << 20,
            entries: 2_000,
            file_bytes: 1 << 20,
            held_bytes: 4 << 20,
            nesting: 3,
            metadata_bytes: 256 << 10,
            layers: 8,
        },
        offline: true,
        verify: Verify::Everything,
    }
}

struct Unseen;

impl Progress for Unseen {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// Reads every content there is.
struct Reader;

impl LayerVisitor for Reader {
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        assert!(!entry.path().starts_with('/'), "{}", entry.path());
        assert!(
            !entry.path().split('/').any(|part| part == ".."),
            "{}",
            entry.path()
        );
        let mut begin = [0; 64];
        drop(entry.peek(&mut begin));
        if matches!(entry.kind(), EntryKind::File | EntryKind::HardLink(_))
            && let Ok(content) = entry.content()
            && content.len() <= 1 << 20
        {
            drop(content.read_all());
        }
        Ok(())
    }
}

pub(crate) fn feeds(data: &[u8]) {
    drop(archive::each_file_in(
        "feed",
        data,
        &options().limits,
        &mut |_, _| {},
    ));
}

pub(crate) fn image_archive(data: &[u8]) {
    if let Ok(image) = Artifact::from_bytes("image.tar", data, &options()) {
        let options = ScanOptions::new("image.tar", jiff::civil::date(2026, 1, 1));
        drop(scan_artifact(image, &options, &Unseen));
    }
}

pub(crate) fn layer(data: &[u8]) {
    let layer = Artifact::from_layer_bytes("layer.tar", data, &options());
    drop(layer.read(&|| Reader, &Unseen));
}

/// What the user names is not hostile by itself, but may come from a build file.
pub(crate) fn source(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(source) = text.parse::<Source>()
    {
        assert_eq!(source.to_string().parse::<Source>().ok(), Some(source));
    }
}
