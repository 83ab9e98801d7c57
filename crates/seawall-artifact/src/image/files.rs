//! The files of an image archive or OCI layout, wherever they are.

use super::resume::{Members, read_members};
use crate::beneath::Root;
use crate::path::{normalize, split};
use crate::tar::{Kind, Reader, Seekable};
use crate::{Content, Error, Limits};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The most files that an archive of images may have: a layer makes one to four of them.
pub(crate) const MAX_FILES: usize = 100_000;
/// The most bytes that their names may have together; a long one may have a megabyte.
const MAX_NAME_BYTES: usize = 64 << 20;
/// Symbolic links between the files of an archive that are followed.
const MAX_HOPS: usize = 8;

/// The files of an archive or layout, by name.
#[derive(Debug)]
pub(crate) struct Files {
    place: String,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Archive(Listing),
    Directory(Root),
}

/// The members of an archive by name.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    members: HashMap<String, Member>,
    name_bytes: usize,
    /// What programs read in different ways, if there is something.
    doubt: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Member {
    File(Content),
    /// Has passed already, or will: only the name is known.
    Passed,
    /// Another name for a file.
    Link(String),
}

impl Files {
    /// Lists an uncompressed tar file by its headers.
    pub(crate) fn in_archive(
        place: &str,
        content: Content,
    ) -> Result<(Self, Option<Error>), Error> {
        let mut reader = Reader::new(Seekable::new(content), place);
        let (members, damage): (Listing, _) = read_members(&mut reader, &mut |reader, members| {
            members.check_room(place)?;
            let name = normalize(&reader.member().path);
            let member = match reader.member().kind {
                // A file that is cut off is the last one, and what there is of it is read.
                Kind::File => Member::File(reader.available()),
                Kind::Symlink => members.symlink(&name, &reader.member().link),
                Kind::HardLink => members.hard_link(&name, &reader.member().link),
                Kind::Directory | Kind::Other => return Ok(()),
            };
            members.insert(name, member);
            Ok(())
        });
        match damage {
            Some(damage @ Error::Limit { .. }) => Err(damage),
            damage => Ok((Self::from_members(place, members), damage)),
        }
    }

    pub(crate) fn from_members(place: &str, members: Listing) -> Self {
        Self {
            place: place.to_owned(),
            store: Store::Archive(members),
        }
    }

    pub(crate) fn in_directory(place: &str, path: &Path) -> Result<Self, Error> {
        let root = Root::open(path).map_err(|source| Error::Io {
            place: place.to_owned(),
            source,
        })?;
        Ok(Self {
            place: place.to_owned(),
            store: Store::Directory(root),
        })
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_ok_and(|found| found.is_some())
    }

    /// Whether there is a file of this name, also one that has passed.
    pub(super) fn knows(&self, name: &str) -> bool {
        match &self.store {
            Store::Archive(listing) => listing.members.contains_key(&self.resolve(name)),
            Store::Directory(_) => self.contains(name),
        }
    }

    /// The name of the file itself, where `name` may be a link in the archive.
    pub(crate) fn resolve(&self, name: &str) -> String {
        let mut name = normalize(name.as_bytes());
        if let Store::Archive(listing) = &self.store {
            for _ in 0..MAX_HOPS {
                match listing.members.get(&name) {
                    Some(Member::Link(target)) => name.clone_from(target),
                    _ => break,
                }
            }
        }
        name
    }

    /// A file's content. `None` if there is no such file.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Content>, Error> {
        let name = self.resolve(name);
        match &self.store {
            Store::Archive(listing) => Ok(match listing.members.get(&name) {
                Some(Member::File(content)) => Some(content.clone()),
                _ => None,
            }),
            Store::Directory(root) => {
                let place = || format!("{}/{name}", self.place);
                let opened = root.file(Path::new(&name)).and_then(|file| {
                    let len = file.metadata()?.len();
                    Ok(Content::from_range(Arc::new(file), 0, len))
                });
                match opened {
                    Ok(content) => Ok(Some(content)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(Error::Io {
                        place: place(),
                        source,
                    }),
                }
            }
        }
    }

    /// For messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Why programs may read other files than we do, if they may.
    pub(super) fn doubt(&self) -> Option<String> {
        match &self.store {
            Store::Archive(listing) => listing.doubt(),
            Store::Directory(_) => None,
        }
    }

    /// Whether an archive has no files.
    pub(super) fn is_empty(&self) -> bool {
        match &self.store {
            Store::Archive(listing) => listing.members.is_empty(),
            Store::Directory(_) => false,
        }
    }

    /// The names of all files of an archive.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.store {
            Store::Archive(listing) => listing.members.keys().map(String::as_str).collect(),
            Store::Directory(_) => Vec::new(),
        };
        names.sort_unstable();
        names
    }

    /// All of a small file.
    pub(super) fn metadata(&self, name: &str, limits: &Limits) -> Result<Option<Arc<[u8]>>, Error> {
        let Some(content) = self.get(name)? else {
            return Ok(None);
        };
        let place = format!("{}!{name}", self.place);
        if content.len() > limits.metadata_bytes {
            return Err(Error::Limit {
                place,
                limit: format!("{} bytes of metadata", limits.metadata_bytes),
            });
        }
        match content.read_all() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(Error::from_io(&place, content.len(), error)),
        }
    }

    pub(super) fn required(&self, name: &str, limits: &Limits) -> Result<Arc<[u8]>, Error> {
        if let Some(bytes) = self.metadata(name, limits)? {
            return Ok(bytes);
        }
        let found = match &self.store {
            Store::Archive(listing) => listing.members.get(&self.resolve(name)),
            Store::Directory(_) => None,
        };
        Err(match found {
            Some(Member::Passed) => Error::Unsupported {
                place: format!("{}!{name}", self.place),
                message: format!(
                    "it is no JSON, or has more than {} bytes of metadata",
                    limits.metadata_bytes
                ),
            },
            _ => Error::Corrupt {
                place: self.place.clone(),
                offset: 0,
                message: format!("there is no {name} in it"),
            },
        })
    }

    pub(super) fn blob_name(&self, digest: &str) -> Result<String, Error> {
        let name = digest
            .split_once(':')
            .filter(|(algorithm, hex)| {
                let plain = |text: &str| {
                    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
                };
                plain(algorithm) && plain(hex)
            })
            .map(|(algorithm, hex)| format!("blobs/{algorithm}/{hex}"));
        name.ok_or_else(|| Error::Corrupt {
            place: self.place.clone(),
            offset: 0,
            message: format!("'{digest}' is not a digest"),
        })
    }
}

impl Listing {
    /// Refuses one more member where there are too many, or too long ones.
    pub(crate) fn check_room(&self, place: &str) -> Result<(), Error> {
        let limit = if self.members.len() >= MAX_FILES {
            format!("{MAX_FILES} files in an image archive")
        } else if self.name_bytes >= MAX_NAME_BYTES {
            format!("{MAX_NAME_BYTES} bytes of file names in an image archive")
        } else {
            return Ok(());
        };
        Err(Error::Limit {
            place: place.to_owned(),
            limit,
        })
    }

    /// Adds a member; the last of a name counts, as where an archive is unpacked.
    pub(crate) fn insert(&mut self, name: String, member: Member) {
        let target = match &member {
            Member::Link(target) => target.len(),
            Member::File(_) | Member::Passed => 0,
        };
        self.name_bytes += name.len() + target;
        if self.members.insert(name.clone(), member).is_some() {
            self.note(format!(
                "{name} is in it twice, and programs disagree which one counts"
            ));
        }
    }

    /// A symbolic link from one member to another, as `docker save` before 25 used for layers that
    /// occur twice.
    pub(crate) fn symlink(&mut self, name: &str, target: &[u8]) -> Member {
        if target.first() == Some(&b'/') {
            self.note(format!(
                "{name} is a link to outside, and programs disagree where that is"
            ));
        }
        let mut path = split(name).0.as_bytes().to_vec();
        path.push(b'/');
        path.extend_from_slice(target);
        Member::Link(normalize(&path))
    }

    /// A second name of a member before it.
    pub(crate) fn hard_link(&mut self, name: &str, target: &[u8]) -> Member {
        let target = normalize(target);
        if !matches!(
            self.members.get(&target),
            Some(Member::File(_) | Member::Passed)
        ) {
            self.note(format!(
                "{name} is a link to no file before it, and programs disagree what it is"
            ));
        }
        Member::Link(target)
    }

    /// Notes what programs read in different ways; the first is told.
    pub(crate) fn note(&mut self, doubt: String) {
        self.doubt.get_or_insert(doubt);
    }

    /// Links lead other programs elsewhere that unpack the archive, or look for a name as it stands.
    fn doubt(&self) -> Option<String> {
        self.doubt.clone().or_else(|| {
            let name = self.first_below_link()?;
            Some(format!(
                "{name} lies below a link, and programs disagree where that is"
            ))
        })
    }

    fn first_below_link(&self) -> Option<&str> {
        let is_link = |(_, member): &(&String, &Member)| matches!(member, Member::Link(_));
        let mut links = self.members.iter().filter(is_link).peekable();
        links.peek()?;
        let mut names: Vec<&str> = self.members.keys().map(String::as_str).collect();
        names.sort_unstable();
        let below = links.filter_map(|(link, _)| {
            let begin = format!("{link}/");
            let at = names.partition_point(|name| *name < begin.as_str());
            names.get(at).filter(|name| name.starts_with(&begin))
        });
        below.min().copied()
    }
}

impl Members for Listing {
    fn have_manifest(&self) -> bool {
        self.members.contains_key("manifest.json") || self.members.contains_key("index.json")
    }

    fn add_behind(&mut self, part: Self) {
        for (name, member) in part.members {
            self.members.entry(name).or_insert(member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(files: &[&str], links: &[&str]) -> Listing {
        let mut listing = Listing::default();
        for name in files {
            listing.insert((*name).to_owned(), Member::Passed);
        }
        for name in links {
            listing.insert((*name).to_owned(), Member::Link("elsewhere".to_owned()));
        }
        listing
    }

    #[test]
    fn the_first_name_below_a_link_is_told() {
        for (files, links, expected) in [
            (&["a/b", "c"][..], &[][..], None),
            (&["a/b", "c"], &["c"], None),
            (&["a/b", "a.b", "ab/c"], &["a"], Some("a/b")),
            (&["d/e/f", "a/z", "a/b"], &["d/e", "a"], Some("a/b")),
            (&["d/e/f"], &["d/e"], Some("d/e/f")),
        ] {
            assert_eq!(listing(files, links).first_below_link(), expected);
        }
    }

    #[test]
    fn a_name_of_a_megabyte_was_hashed_at_each_of_its_slashes() {
        let long = "x/".repeat(500_000) + "y";
        for links in [&[][..], &["x/z"]] {
            assert_eq!(listing(&[&long], links).first_below_link(), None);
        }
    }
}
