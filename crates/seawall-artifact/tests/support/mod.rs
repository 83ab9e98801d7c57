//! Archives built for tests, and a visitor that writes down what it sees.

#![allow(dead_code, reason = "every test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod raw;

use seawall_artifact::{
    Artifact, Entry, EntryKind, Error, LayerVisitor, Limits, Options, Progress, ReadArtifact,
    Source,
};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Lines of the form `kind path [-> target] [size=N] [content]`.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
    /// Ask for no contents.
    pub(crate) names_only: bool,
}

impl LayerVisitor for Lines {
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        let path = entry.path().to_owned();
        let mut line = match entry.kind() {
            EntryKind::File => format!("file {path} size={}", entry.size()),
            EntryKind::Directory => format!("dir {path}"),
            EntryKind::Symlink(target) => format!("symlink {path} -> {target}"),
            EntryKind::HardLink(target) => format!("hardlink {path} -> {target}"),
            EntryKind::Whiteout => format!("whiteout {path}"),
            EntryKind::OpaqueDirectory => format!("opaque {path}"),
            EntryKind::Other => format!("other {path}"),
        };
        let has_content = matches!(entry.kind(), EntryKind::File | EntryKind::HardLink(_));
        if has_content && !self.names_only {
            match entry.content() {
                Ok(content) => {
                    let bytes = match content.read_all() {
                        _ if content.len() > 100 << 20 => b"!too large for a test".to_vec(),
                        Ok(bytes) => bytes.to_vec(),
                        Err(error) => format!("!{error}").into_bytes(),
                    };
                    let text =
                        String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).replace('\0', ".");
                    let mut magic = [0; 4];
                    let n = entry.peek(&mut magic)?;
                    if !bytes.starts_with(b"!") {
                        assert_eq!(&magic[..n], &bytes[..n.min(bytes.len())], "peek of {path}");
                    }
                    line += &format!(" {}", text.chars().take(40).collect::<String>());
                }
                Err(Error::Deferred { .. }) => line += " (later)",
                Err(error) => line += &format!(" !{error}"),
            }
        }
        self.lines.push(line);
        Ok(())
    }
}

/// Contents of files of one name.
#[derive(Debug, Default)]
pub(crate) struct Packages(Vec<(String, String)>);

impl LayerVisitor for Packages {
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        if !entry.path().ends_with("/package.json") {
            return Ok(());
        }
        match entry.content() {
            Ok(content) => {
                let text = String::from_utf8(content.read_all().unwrap().to_vec()).unwrap();
                self.0.push((entry.path().to_owned(), text));
                Ok(())
            }
            Err(Error::Deferred { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Packages {
    /// What was last seen at a path.
    pub(crate) fn last(&self, path: &str) -> &str {
        let found = self.0.iter().rev().find(|(seen, _)| seen == path);
        found.map_or("nothing", |(_, content)| content)
    }
}

pub(crate) struct Quiet;

impl Progress for Quiet {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// One member of a tar file.
#[derive(Clone)]
pub(crate) enum Member<'a> {
    File(&'a str, &'a [u8]),
    Dir(&'a str),
    Symlink(&'a str, &'a str),
    Link(&'a str, &'a str),
    Fifo(&'a str),
}

pub(crate) fn tar(members: &[Member<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for member in members {
        let (kind, name, target, data): (_, &str, &str, &[u8]) = match member {
            Member::File(name, data) => (tar::EntryType::Regular, name, "", data),
            Member::Dir(name) => (tar::EntryType::Directory, name, "", b""),
            Member::Symlink(name, target) => (tar::EntryType::Symlink, name, target, b""),
            Member::Link(name, target) => (tar::EntryType::Link, name, target, b""),
            Member::Fifo(name) => (tar::EntryType::Fifo, name, "", b""),
        };
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        // Written raw: the builder refuses `..` and `/`, which a hostile archive has.
        let raw = header.as_mut_bytes();
        if name.len() <= 100 && target.len() <= 100 {
            raw[..name.len()].copy_from_slice(name.as_bytes());
            raw[157..157 + target.len()].copy_from_slice(target.as_bytes());
            header.set_cksum();
            builder.append(&header, data).unwrap();
        } else if target.is_empty() {
            header.set_cksum();
            builder.append_data(&mut header, name, data).unwrap();
        } else {
            builder.append_link(&mut header, name, target).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Gzip,
    /// Several members, as estargz has.
    GzipMembers,
    Zstd,
    /// Several frames and a skippable one.
    ZstdFrames,
    Xz,
    Bzip2,
}

pub(crate) const FORMATS: &[Format] = &[
    Format::Plain,
    Format::Gzip,
    Format::GzipMembers,
    Format::Zstd,
    Format::ZstdFrames,
    Format::Xz,
    Format::Bzip2,
];

/// The bytes compressed, with damage behind all that they hold: garbage, a wrong checksum, a trailer
/// that was cut off.
pub(crate) fn damaged_behind(bytes: &[u8]) -> [Vec<u8>; 4] {
    let changed = |format, change: fn(&mut Vec<u8>)| {
        let mut packed = compress(format, bytes);
        change(&mut packed);
        packed
    };
    [
        changed(Format::Gzip, |packed| packed.extend(b"garbage")),
        changed(Format::Zstd, |packed| packed.extend(b"garbage")),
        changed(Format::Gzip, |packed| {
            let at = packed.len() - 6;
            packed[at] ^= 1;
        }),
        changed(Format::Gzip, |packed| packed.truncate(packed.len() - 4)),
    ]
}

pub(crate) fn compress(format: Format, bytes: &[u8]) -> Vec<u8> {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let (first, second) = bytes.split_at(bytes.len() / 3);
    match format {
        Format::Plain => bytes.to_vec(),
        Format::Gzip => gzip(bytes),
        Format::GzipMembers => [gzip(first), gzip(second)].concat(),
        Format::Zstd => zstd::encode_all(bytes, 1).unwrap(),
        Format::ZstdFrames => [
            zstd::encode_all(first, 1).unwrap(),
            b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(),
            zstd::encode_all(second, 1).unwrap(),
        ]
        .concat(),
        Format::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Format::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// The configuration of an image for linux/amd64 with one history entry per layer.
pub(crate) fn config(layers: &[&[u8]]) -> String {
    let diff_ids: Vec<_> = layers.iter().map(|layer| sha256(layer)).collect();
    let mut history: Vec<_> = (1..=layers.len())
        .map(|n| serde_json::json!({ "created_by": format!("RUN step {n}") }))
        .collect();
    history.insert(
        0,
        serde_json::json!({ "created_by": "ENV A=1", "empty_layer": true }),
    );
    serde_json::json!({
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-02T03:04:05Z",
        "config": { "Labels": { "team": "blue" } },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": history,
    })
    .to_string()
}

/// A `docker save` archive.
pub(crate) fn docker_archive(layers: &[&[u8]], manifest_first: bool) -> Vec<u8> {
    let config = config(layers);
    let names: Vec<_> = (0..layers.len())
        .map(|n| format!("{n}/layer.tar"))
        .collect();
    let manifest = serde_json::json!([
        { "Config": "config.json", "RepoTags": ["app:1"], "Layers": names }
    ])
    .to_string();
    let mut members = vec![Member::File("config.json", config.as_bytes())];
    for (name, layer) in names.iter().zip(layers) {
        members.push(Member::File(name, layer));
    }
    let at = if manifest_first { 0 } else { members.len() };
    members.insert(at, Member::File("manifest.json", manifest.as_bytes()));
    tar(&members)
}

pub(crate) fn temp(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub(crate) fn read_file(bytes: &[u8], options: &Options) -> Result<ReadArtifact<Lines>, Error> {
    let file = temp(bytes);
    read_source(&Source::Archive(file.path().to_owned()), options)
}

pub(crate) fn read_bytes(bytes: &[u8], options: &Options) -> Result<ReadArtifact<Lines>, Error> {
    Artifact::from_bytes("image.tar", bytes, options)?.read(&Lines::default, &Quiet)
}

pub(crate) fn read_source(
    source: &Source,
    options: &Options,
) -> Result<ReadArtifact<Lines>, Error> {
    Artifact::open(source, options)?.read(&Lines::default, &Quiet)
}

pub(crate) fn limited(change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = Options::default();
    change(&mut options.limits);
    options
}

/// `reason: message` of what was not read, and the lines of all layers.
pub(crate) fn lines(read: &ReadArtifact<Lines>) -> Vec<Vec<&str>> {
    read.layers
        .iter()
        .map(|layer| layer.visitor.lines.iter().map(String::as_str).collect())
        .collect()
}

pub(crate) fn reasons(read: &ReadArtifact<Lines>) -> Vec<String> {
    read.incomplete
        .iter()
        .map(|incomplete| format!("{}: {}", incomplete.reason.name(), incomplete.message))
        .collect()
}

pub(crate) fn write(root: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}
