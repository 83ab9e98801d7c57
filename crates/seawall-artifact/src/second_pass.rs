//! Contents of hard links in layers that are streams: when a link is met, its content has passed.
//! Those that were asked for are noted, and the layer is read once more. Where it passes only once,
//! the contents that a visitor took are kept for links to them.

use crate::layer::{LinkTargets, Names, What, unreachable_target};
use crate::tar::{Input, Reader};
use crate::{Content, Entry, EntryKind, Error, LayerVisitor};
use std::collections::HashMap;

/// The most hard links of one layer whose contents are fetched.
const MAX_LINKS: usize = 100_000;

/// The most contents that they get together. Each gets one, except where several files had the path of
/// its target.
const MAX_VISITS: usize = 5 * MAX_LINKS;

/// What a kept content costs beside its bytes.
const KEPT_OVERHEAD: u64 = 256;

/// Hard links whose contents a visitor wants.
#[derive(Debug)]
pub(crate) struct SecondPass {
    possible: bool,
    /// By path; only where there is no second pass.
    kept: HashMap<String, Content>,
    /// Links whose contents had passed and were not kept, and the first with its target.
    lost: usize,
    first_lost: Option<(String, String)>,
    /// Bytes that may still be kept. Links join files of one name, as package managers make them,
    /// so that a link is wanted where its target was.
    room: u64,
    /// By target.
    wanted: HashMap<String, Vec<Wanted>>,
    /// Where the links stand whose paths nothing else has taken since.
    standing: HashMap<String, u64>,
    count: usize,
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
    /// `possible`: whether the layer can be read once more; if not, contents of `room` bytes are
    /// kept.
    pub(crate) fn new(possible: bool, room: u64) -> Self {
        Self {
            possible,
            kept: HashMap::new(),
            lost: 0,
            first_lost: None,
            room,
            wanted: HashMap::new(),
            standing: HashMap::new(),
            count: 0,
            visits: 0,
            hopeful: true,
            passes: 0,
        }
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
        let standing = std::mem::take(&mut self.standing);
        if self.passes == 1 {
            self.wanted.retain(|_, links| {
                links.retain(|link| standing.get(&link.path) == Some(&link.before));
                !links.is_empty()
            });
        }
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

    /// The content of a link where there is no second pass, also for links to the link. pnpm links
    /// every file, so that those without a content are told together.
    fn kept_content(&mut self, target: &str, link: &str) -> Result<Content, Error> {
        let Some(content) = self.kept.get(target).cloned() else {
            self.lost += 1;
            self.first_lost
                .get_or_insert_with(|| (link.to_owned(), target.to_owned()));
            return Err(Error::Deferred {
                place: link.to_owned(),
            });
        };
        self.kept.insert(link.to_owned(), content.clone());
        Ok(content)
    }

    /// What was not found.
    pub(crate) fn finish(self, place: &str) -> Result<(), Error> {
        if let Some((link, target)) = self.first_lost {
            let (links, their) = match self.lost {
                1 => ("1 hard link".to_owned(), "its content"),
                number => (format!("{number} hard links"), "their contents"),
            };
            return Err(Error::Unsupported {
                place: place.to_owned(),
                message: format!(
                    "{links} could not be read, as {their} had passed in the stream, like {link} to \
                     {target}; save the image uncompressed ('docker save -o image.tar') and scan that \
                     file"
                ),
            });
        }
        let first = self
            .wanted
            .into_iter()
            .filter_map(|(target, links)| Some((links.into_iter().next()?.path, target)))
            .min();
        match first {
            None => Ok(()),
            Some((link, target)) => Err(unreachable_target(place, &link, &target)),
        }
    }
}

impl LinkTargets for SecondPass {
    fn content(
        &mut self,
        target: &str,
        offset: u64,
        link: &str,
        mode: u32,
    ) -> Result<Content, Error> {
        if !self.possible {
            return self.kept_content(target, link);
        }
        if self.count == MAX_LINKS {
            return Err(Error::Limit {
                place: link.to_owned(),
                limit: format!("{MAX_LINKS} hard links with content in a compressed layer"),
            });
        }
        self.count += 1;
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
        Err(Error::Deferred {
            place: link.to_owned(),
        })
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
        let bytes = content.len().saturating_add(KEPT_OVERHEAD);
        if let (false, Some(rest)) = (self.possible, self.room.checked_sub(bytes)) {
            self.room = rest;
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
