//! Contents of hard links in layers that are streams: when a link is met, its content has passed.
//! Those that were asked for are noted, and the layer is read once more. Where that costs much, the
//! contents that a visitor took are kept for links to them: links join files of one name, as package
//! managers make them, so that a link is mostly wanted where its target was.

use crate::layer::{LinkTargets, Names, What, unreachable_target};
use crate::tar::{Input, Reader};
use crate::{Content, Entry, EntryKind, Error, LayerVisitor};
use std::collections::HashMap;

/// The most contents that hard links of one layer get together. Each gets one, except where several
/// files had the path of its target.
const MAX_VISITS: usize = 500_000;

/// What a kept content or a noted link costs beside its bytes.
const OVERHEAD: u64 = 256;

/// The memory that hard links may take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    /// Bytes of contents that are kept for links to come.
    pub(crate) contents: u64,
    /// Bytes of names of links that are noted for the next pass.
    pub(crate) names: u64,
}

impl Room {
    /// For names of links alone; a hundred thousand of usual length.
    pub(crate) const NAMES: Self = Self {
        contents: 0,
        names: 64 << 20,
    };
}

/// Hard links whose contents a visitor wants.
#[derive(Debug, Default)]
pub(crate) struct SecondPass {
    room: Room,
    /// By path.
    kept: HashMap<String, Content>,
    /// By target.
    wanted: HashMap<String, Vec<Wanted>>,
    /// Where the links stand whose paths nothing else has taken since.
    standing: HashMap<String, u64>,
    /// Links for whose names was no room.
    lost: usize,
    visits: usize,
    /// Whether the next pass may find what the last one did not.
    hopeful: bool,
    passes: usize,
}

/// The most passes over one layer for hard links to hard links. Archivers name the file itself, so
/// that one is enough.
const MAX_PASSES: usize = 4;

#[derive(Debug)]
struct Wanted {
    path: String,
    mode: u32,
    /// Where the link stands, or a link that leads on from it: what counts is the last thing before it
    /// that has the target's path.
    before: u64,
    found: Found,
}

/// What a pass found at the path of a target.
#[derive(Debug, Default)]
enum Found {
    #[default]
    Nothing,
    Content,
    /// A link to another target, and where it stands.
    Link(String, u64),
}

impl SecondPass {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            room,
            hopeful: true,
            ..Self::default()
        }
    }

    /// Ends the first pass: no links follow.
    pub(crate) fn end_first_pass(&mut self) {
        self.kept = HashMap::new();
        let standing = std::mem::take(&mut self.standing);
        self.wanted.retain(|_, links| {
            links.retain(|link| standing.get(&link.path) == Some(&link.before));
            !links.is_empty()
        });
    }

    /// Bytes of the names that are noted.
    pub(crate) fn names(&self) -> u64 {
        let links = self
            .wanted
            .iter()
            .flat_map(|(target, links)| links.iter().map(move |link| names(&link.path, target)));
        links.sum()
    }

    /// Wants nothing any more: a pass failed, which is told.
    pub(crate) fn give_up(&mut self) {
        *self = Self::default();
    }

    /// Whether the layer should be read once more.
    pub(crate) fn is_worth_a_pass(&self) -> bool {
        !self.wanted.is_empty() && self.hopeful && self.passes < MAX_PASSES
    }

    /// Reads the layer again, up to the last link whose content is wanted. Where several files had the
    /// path of a target before the link was made, the link is visited with each, as they were, and the
    /// last one holds.
    pub(crate) fn run<I: Input>(
        &mut self,
        mut reader: Reader<I>,
        visitor: &mut dyn LayerVisitor,
    ) -> Result<(), Error> {
        self.passes += 1;
        let links = self.wanted.values().flatten();
        let end = links.map(|link| link.before).max().unwrap_or(0);
        let mut names = Names::default();
        while reader.advance()? && reader.member().offset < end {
            let offset = reader.member().offset;
            let what = names.read(reader.member());
            let Some(links) = self.wanted.get_mut(&names.path) else {
                continue;
            };
            self.visits += links.len();
            if self.visits > MAX_VISITS {
                return Err(Error::Limit {
                    place: names.path,
                    limit: format!("{MAX_VISITS} contents of hard links in a compressed layer"),
                });
            }
            for link in links.iter_mut().filter(|link| offset < link.before) {
                match what {
                    Some(What::File) => {
                        link.found = Found::Content;
                        visitor.visit(&mut LinkEntry {
                            link,
                            target: &names.path,
                            reader: &mut reader,
                        })?;
                    }
                    // Its content is where that of the other link is, which may have passed.
                    Some(What::HardLink) => {
                        link.found = Found::Link(names.link().to_owned(), offset);
                    }
                    // In place of a file it leaves nothing to link to.
                    Some(What::Symlink | What::Directory | What::Other) => {
                        link.found = Found::Nothing;
                    }
                    Some(What::Whiteout | What::OpaqueDirectory) | None => {}
                }
            }
        }
        self.hopeful = false;
        for (target, links) in std::mem::take(&mut self.wanted) {
            for mut link in links {
                let target = match std::mem::take(&mut link.found) {
                    Found::Content => continue,
                    Found::Link(target, before) => {
                        self.hopeful = true;
                        link.before = before;
                        target
                    }
                    Found::Nothing => target.clone(),
                };
                self.wanted.entry(target).or_default().push(link);
            }
        }
        Ok(())
    }

    /// What was not found.
    pub(crate) fn finish(self, place: &str) -> Result<(), Error> {
        let number = self.wanted.values().map(Vec::len).sum();
        let firsts = self
            .wanted
            .into_iter()
            .filter_map(|(target, links)| Some((links.into_iter().next()?.path, target)));
        let Some((link, target)) = firsts.min() else {
            return match self.lost {
                0 => Ok(()),
                lost => Err(Error::Limit {
                    place: place.to_owned(),
                    limit: format!(
                        "the memory for names of hard links; {lost} of them could not be read"
                    ),
                }),
            };
        };
        if self.passes > 0 {
            return Err(unreachable_target(place, &link, &target));
        }
        let (links, their) = match self.lost.saturating_add(number) {
            1 => ("1 hard link".to_owned(), "its content"),
            number => (format!("{number} hard links"), "their contents"),
        };
        Err(Error::Unsupported {
            place: place.to_owned(),
            message: format!(
                "{links} could not be read, as {their} had passed in the stream, like {link} to \
                 {target}; save the image uncompressed ('docker save -o image.tar') and scan that \
                 file"
            ),
        })
    }
}

/// What noting a link costs: its path is kept twice.
fn names(link: &str, target: &str) -> u64 {
    (2 * link.len() + target.len()) as u64 + OVERHEAD
}

impl LinkTargets for SecondPass {
    fn content(
        &mut self,
        target: &str,
        offset: u64,
        link: &str,
        mode: u32,
    ) -> Result<Content, Error> {
        if let Some(content) = self.kept.get(target).cloned() {
            // For links to the link.
            self.kept.insert(link.to_owned(), content.clone());
            return Ok(content);
        }
        let deferred = Err(Error::Deferred {
            place: link.to_owned(),
        });
        let Some(rest) = self.room.names.checked_sub(names(link, target)) else {
            self.lost += 1;
            return deferred;
        };
        self.room.names = rest;
        self.standing.insert(link.to_owned(), offset);
        self.wanted
            .entry(target.to_owned())
            .or_default()
            .push(Wanted {
                path: link.to_owned(),
                mode,
                before: offset,
                found: Found::Nothing,
            });
        deferred
    }

    fn at_hand(&self) -> bool {
        false
    }

    fn passes(&mut self, path: &str) {
        if !self.kept.is_empty() {
            self.kept.remove(path);
        }
        if !self.standing.is_empty() {
            self.standing.remove(path);
        }
    }

    fn passed(&mut self, path: &str, content: &Content) {
        let bytes = content.len().saturating_add(OVERHEAD);
        if let Some(rest) = self.room.contents.checked_sub(bytes) {
            self.room.contents = rest;
            self.kept.insert(path.to_owned(), content.clone());
        }
    }
}

/// A hard link, visited when its target passes.
struct LinkEntry<'a, I> {
    link: &'a Wanted,
    target: &'a str,
    reader: &'a mut Reader<I>,
}

impl<I: Input> Entry for LinkEntry<'_, I> {
    fn path(&self) -> &str {
        &self.link.path
    }

    fn kind(&self) -> EntryKind<'_> {
        EntryKind::HardLink(self.target)
    }

    fn size(&self) -> u64 {
        0
    }

    fn mode(&self) -> u32 {
        self.link.mode
    }

    fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.reader.peek(buffer)
    }

    fn content(&mut self) -> Result<Content, Error> {
        self.reader.content()
    }
}
