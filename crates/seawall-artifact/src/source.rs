use crate::compression::{Compression, MAGIC_LEN};
use crate::directory::Directory;
use crate::image::archive;
use crate::image::files::Files;
use crate::read::Opened;
use crate::saved_stream::SavedStream;
use crate::{Content, Error, Options};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Where an artifact comes from.
///
/// An archive or layout of several images is given as `PATH:REFERENCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `docker save` output.
    DockerArchive(PathBuf),
    /// An OCI image layout in a tar file.
    OciArchive(PathBuf),
    /// A file that is one of the two, which shows when it is opened.
    Archive(PathBuf),
    /// An OCI image layout in a directory.
    OciDir(PathBuf),
    /// An image in a registry (distribution specification v2).
    Registry(String),
    /// An image of the Docker daemon.
    Docker(String),
    /// An image of containerd.
    Containerd(String),
    /// An image of podman or CRI-O (containers/storage).
    Podman(String),
    /// An image of whichever has it first: the Docker daemon, podman, containerd, the registry.
    Image(String),
    /// A directory: a root filesystem or a source tree.
    Directory(PathBuf),
}

impl Source {
    /// Whether a registry or a container runtime keeps what it names, under that name.
    pub(crate) fn is_store(&self) -> bool {
        match self {
            Self::Registry(_)
            | Self::Docker(_)
            | Self::Containerd(_)
            | Self::Podman(_)
            | Self::Image(_) => true,
            Self::DockerArchive(_)
            | Self::OciArchive(_)
            | Self::Archive(_)
            | Self::OciDir(_)
            | Self::Directory(_) => false,
        }
    }

    /// The file or directory that is read, if it is one, and which of several images in it.
    fn split(&self) -> Option<(PathBuf, Option<String>)> {
        match self {
            Self::DockerArchive(path)
            | Self::OciArchive(path)
            | Self::Archive(path)
            | Self::OciDir(path) => Some(split_reference(path)),
            Self::Directory(path) => Some((path.clone(), None)),
            _ => None,
        }
    }

    /// The file or directory that is read, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.split().map(|(path, _)| path)
    }

    /// The name of what lies in a file or directory, by where it lies: a path is another one elsewhere,
    /// and one file has many paths. `None` for what has no place, like standard input.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let (path, reference) = self.split()?;
        let kind = path.metadata().ok()?;
        if !kind.is_file() && !kind.is_dir() {
            return None;
        }
        let place = path.canonicalize().ok()?.display().to_string();
        Some(match reference {
            Some(reference) => format!("{place}:{reference}"),
            None => place,
        })
    }
}

type Make = fn(&str) -> Source;

/// Kinds that name a file or directory.
const FILES: &[(&str, Make)] = &[
    ("docker-archive", |path| Source::DockerArchive(path.into())),
    ("oci-archive", |path| Source::OciArchive(path.into())),
    ("oci-dir", |path| Source::OciDir(path.into())),
];

/// Kinds that name an image.
const REFERENCES: &[(&str, Make)] = &[
    ("registry", |name| Source::Registry(name.to_owned())),
    ("docker", |name| Source::Docker(name.to_owned())),
    ("containerd", |name| Source::Containerd(name.to_owned())),
    ("podman", |name| Source::Podman(name.to_owned())),
];

/// The longest path that Linux takes, and a reference behind it.
const MAX_TEXT: usize = 4096 + 512;

const KINDS_HINT: &str = "write docker-archive:FILE, oci-archive:FILE, oci-dir:DIR, registry:REF, \
                          docker:REF, containerd:REF or podman:REF";

impl FromStr for Source {
    type Err = Error;

    /// Reads a source as the command line has it: `KIND:WHAT`, a file, `-` for standard input (`-:NAME` for one
    /// image in it), a directory with an image layout, or the name of an image.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_TEXT {
            return Err(Error::Usage {
                message: format!("what to scan is named in {} bytes", text.len()),
                hint: format!("name it in at most {MAX_TEXT} bytes"),
            });
        }
        if text == "-" {
            return Ok(Self::Archive("/dev/stdin".into()));
        }
        if let Some(reference) = text.strip_prefix("-:") {
            return format!("/dev/stdin:{reference}").parse();
        }
        let prefixed = text.split_once(':');
        if let Some((kind, what)) = prefixed {
            if let Some((_, make)) = FILES.iter().find(|(name, _)| *name == kind) {
                let (path, _) = split_reference(Path::new(what));
                return match path.exists() {
                    true => Ok(make(what)),
                    false => Err(not_found(what)),
                };
            }
            if let Some((_, make)) = REFERENCES.iter().find(|(name, _)| *name == kind) {
                return match is_reference(what) {
                    true => Ok(make(what)),
                    false => Err(not_a_reference(what)),
                };
            }
        }
        let (path, _) = split_reference(Path::new(text));
        if path.is_dir() {
            return directory(text, &path);
        }
        if path.exists() {
            return Ok(Self::Archive(text.into()));
        }
        match prefixed {
            Some((kind, what)) if Path::new(what).exists() => Err(Error::Usage {
                message: format!("'{kind}' is not a kind of source"),
                hint: KINDS_HINT.to_owned(),
            }),
            _ if looks_like_path(text) => Err(not_found(text)),
            _ if is_reference(text) => Ok(Self::Image(text.to_owned())),
            _ => Err(not_a_reference(text)),
        }
    }
}

impl fmt::Display for Source {
    /// As on the command line, so that it can be given again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DockerArchive(path) => write!(f, "docker-archive:{}", path.display()),
            Self::OciArchive(path) => write!(f, "oci-archive:{}", path.display()),
            Self::OciDir(path) => write!(f, "oci-dir:{}", path.display()),
            Self::Archive(path) | Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Registry(name) => write!(f, "registry:{name}"),
            Self::Docker(name) => write!(f, "docker:{name}"),
            Self::Containerd(name) => write!(f, "containerd:{name}"),
            Self::Podman(name) => write!(f, "podman:{name}"),
            Self::Image(name) => f.write_str(name),
        }
    }
}

/// A bare directory is an image only if it has an image's layout.
fn directory(text: &str, path: &Path) -> Result<Source, Error> {
    if path.join("index.json").exists() && path.join("blobs").exists() {
        return Ok(Source::OciDir(text.into()));
    }
    let ambiguous = !looks_like_path(text) && is_reference(text);
    Err(match ambiguous {
        true => Error::Usage {
            message: format!("'{text}' may be an image or the directory here of that name"),
            hint: format!(
                "write docker:{text} or registry:{text} for the image, or scan the directory with \
                 'seawall scan fs {text}'"
            ),
        },
        false => Error::Usage {
            message: format!("'{text}' is a directory without an image layout (index.json, blobs)"),
            hint: format!("scan it with 'seawall scan fs {text}'"),
        },
    })
}

fn not_found(path: &str) -> Error {
    Error::Usage {
        message: format!("there is no file '{path}'"),
        hint: "check the path; for an image of that name write docker:NAME or registry:NAME"
            .to_owned(),
    }
}

fn not_a_reference(text: &str) -> Error {
    Error::Usage {
        message: format!("'{text}' is neither a file nor the name of an image"),
        hint: format!(
            "names of images are in lower case, like registry.example/team/app:1.2; {KINDS_HINT}"
        ),
    }
}

fn looks_like_path(text: &str) -> bool {
    let suffixes = [".tar", ".tgz", ".gz", ".zst", ".xz", ".oci"];
    text.starts_with(['/', '.', '~'])
        || text.ends_with('/')
        || suffixes.iter().any(|suffix| text.ends_with(suffix))
}

/// The grammar of the distribution specification, "Pulling manifests", with the registry's host
/// before it and a tag or digest behind it.
fn is_reference(text: &str) -> bool {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let digest_ok = digest.is_none_or(|digest| {
        digest.split_once(':').is_some_and(|(algorithm, hex)| {
            !algorithm.is_empty()
                && hex.len() >= 32
                && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    });
    let last_slash = name.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if path.len() >= last_slash => (path, Some(tag)),
        _ => (name, None),
    };
    let tag_ok = tag.is_none_or(|tag| {
        (1..=128).contains(&tag.len())
            && !tag.starts_with(['.', '-'])
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    });
    let host = path
        .split_once('/')
        .map(|(host, _)| host)
        .filter(|host| host.contains(['.', ':']) || *host == "localhost");
    let host_ok = host.is_none_or(|host| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte))
    });
    let rest = match host {
        Some(host) => path.get(host.len() + 1..).unwrap_or_default(),
        None => path,
    };
    let parts_ok = rest.split('/').all(|part| {
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        edge(part.bytes().next())
            && edge(part.bytes().last())
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
            })
    });
    digest_ok && tag_ok && host_ok && parts_ok && text.len() <= 512
}

/// Splits `FILE:REFERENCE`, where a file of the whole name does not exist but one of the first
/// part does.
fn split_reference(path: &Path) -> (PathBuf, Option<String>) {
    let whole = (path.to_owned(), None);
    let (false, Some(text)) = (path.exists(), path.to_str()) else {
        return whole;
    };
    text.match_indices(':')
        .filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)))
        .find(|(file, reference)| !reference.is_empty() && Path::new(file).exists())
        .map_or(whole, |(file, reference)| {
            (file.into(), Some(reference.to_owned()))
        })
}

/// Opens a source.
pub(crate) fn open(source: &Source, options: &Options) -> Result<Opened, Error> {
    match source {
        Source::DockerArchive(path) | Source::OciArchive(path) | Source::Archive(path) => {
            open_archive(path, options)
        }
        Source::OciDir(path) => {
            let (path, reference) = split_reference(path);
            let files = Files::in_directory(&path.display().to_string(), &path)?;
            let plan = archive::plan(&files, reference.as_deref(), None, options)?;
            Ok(Opened::Image(plan.open(&files)))
        }
        Source::Directory(path) => Ok(Opened::Directory(Directory::open(path)?)),
        Source::Registry(_)
        | Source::Docker(_)
        | Source::Containerd(_)
        | Source::Podman(_)
        | Source::Image(_) => crate::sources::open(source, options),
    }
}

/// The two kinds of archive need not be told apart: newer `docker save` writes both in one.
fn open_archive(path: &Path, options: &Options) -> Result<Opened, Error> {
    let (path, reference) = split_reference(path);
    let place = path.display().to_string();
    let io = |source: io::Error| Error::Io {
        place: place.clone(),
        source,
    };
    let file = File::open(&path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        // A pipe, like `<(docker save ...)`.
        return Ok(Opened::Stream(SavedStream {
            place,
            reference,
            size: None,
            stream: Box::new(file),
            again: None,
            tags: Vec::new(),
        }));
    }
    let content = Content::from_range(Arc::new(file), 0, metadata.len());
    open_content(place, reference, content, options)
}

/// Opens an image archive that can be read at any place.
pub(crate) fn open_content(
    place: String,
    reference: Option<String>,
    content: Content,
    options: &Options,
) -> Result<Opened, Error> {
    if content.is_empty() {
        return Err(Error::Empty { place });
    }
    let mut magic = [0; MAGIC_LEN];
    let n = content
        .read_at(&mut magic, 0)
        .map_err(|error| Error::from_io(&place, 0, error))?;
    if Compression::detect(&magic[..n]).is_some() {
        return Ok(Opened::Stream(SavedStream {
            place,
            reference,
            size: Some(content.len()),
            stream: Box::new(content.reader()),
            again: Some(Box::new(move || Ok(Box::new(content.reader())))),
            tags: Vec::new(),
        }));
    }
    let (files, damage) = Files::in_archive(&place, content)?;
    let plan = archive::plan(&files, reference.as_deref(), damage, options)?;
    Ok(Opened::Image(plan.open(&files)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().canonicalize().unwrap().join("a.tar");
        std::fs::write(&file, "x").unwrap();
        let place = |text: &str| text.parse::<Source>().unwrap().place();
        let plain = file.display().to_string();
        let name = folder.path().file_name().unwrap().display();
        let detour = format!("{}/../{name}/a.tar", folder.path().display());
        for spelling in [&plain, &detour, &format!("docker-archive:{plain}")] {
            assert_eq!(place(spelling).as_ref(), Some(&plain), "{spelling}");
        }
        let of_several = format!("{plain}:app:1");
        assert_eq!(place(&of_several).as_ref(), Some(&of_several));
        assert_eq!(place("registry:app:1"), None);
        assert_eq!(place("/dev/null"), None);
    }

    #[test]
    fn a_name_of_a_megabyte_was_looked_for_at_each_colon() {
        let error = "a:".repeat(500_000).parse::<Source>().unwrap_err();
        assert_eq!(error.hint(), Some("name it in at most 4608 bytes"));
    }
}
