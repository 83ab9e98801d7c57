//! Contents of hard links in layers that are streams: when a link is met, its content has passed.
//! Those that were asked for are noted, and the layer is read once more. Where it passes only once,
//! the contents that a visitor took are kept for links to them.

use crate::layer::{LinkTargets, Names, What, unreachable_target};
use crate::tar::{Input, Reader};
use crate::{Content, Entry, EntryKind, Error, LayerVisitor};
use std::collections::HashMap;

/// The most hard links of one layer whose contents are fetched.
const MAX_LINKS: usize = 100_000;

/// What a kept content costs beside its bytes.
const KEPT_OVERHEAD: u64 = 256;

/// Hard links whose contents a visitor wants.
#[derive(Debug)]
pub(crate) struct SecondPass {
    possible: bool,
    /// By path; only where there is no second pass.
    kept: HashMap<String, Content>,
    /// Bytes that may still be kept. Links join files of one name, as package managers make them,
    /// so that a link is wanted where its target was.
    room: u64,
    /// By target.
    wanted: HashMap<String, Vec<Wanted>>,
    count: usize,
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
}

impl SecondPass {
    /// `possible`: whether the layer can be read once more; if not, contents of `room` bytes are
    /// kept.
    pub(crate) fn new(possible: bool, room: u64) -> Self {
        Self {
            possible,
            kept: HashMap::new(),
            room,
            wanted: HashMap::new(),
            count: 0,
            hopeful: true,
            passes: 0,
        }
    }

    /// Whether the layer should be read once more.
    pub(crate) fn is_worth_a_pass(&self) -> bool {
        !self.wanted.is_empty() && self.hopeful && self.passes < MAX_PASSES
    }

    /// Reads the layer again, up to the last content that is wanted.
    pub(crate) fn run<I: Input>(
        &mut self,
        mut reader: Reader<I>,
        visitor: &mut dyn LayerVisitor,
    ) -> Result<(), Error> {
        self.passes += 1;
        self.hopeful = false;
        let mut names = Names::default();
        while !self.wanted.is_empty() && reader.advance()? {
            match names.read(reader.member()) {
                Some(What::File) => {
                    let Some(links) = self.wanted.remove(&names.path) else {
                        continue;
                    };
                    for link in &links {
                        visitor.visit(&mut LinkEntry {
                            link,
                            target: &names.path,
                            reader: &mut reader,
                        })?;
                    }
                }
                // A link to a link: its content is where that one's is, which may have passed.
                Some(What::HardLink) => {
                    if let Some(links) = self.wanted.remove(&names.path) {
                        self.hopeful = true;
                        self.wanted
                            .entry(names.link().to_owned())
                            .or_default()
                            .extend(links);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The content of a link where there is no second pass, also for links to the link.
    fn kept_content(&mut self, target: &str, link: &str) -> Result<Content, Error> {
        let Some(content) = self.kept.get(target).cloned() else {
            return Err(Error::Unsupported {
                place: link.to_owned(),
                message: format!(
                    "this hard link has its content in {target}, which had passed in the stream; \
                     save the image to a file and scan that"
                ),
            });
        };
        self.kept.insert(link.to_owned(), content.clone());
        Ok(content)
    }

    /// What was not found.
    pub(crate) fn finish(self, place: &str) -> Result<(), Error> {
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
        _offset: u64,
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
        self.wanted
            .entry(target.to_owned())
            .or_default()
            .push(Wanted {
                path: link.to_owned(),
                mode,
            });
        Err(Error::Deferred {
            place: link.to_owned(),
        })
    }

    fn at_hand(&self) -> bool {
        false
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
