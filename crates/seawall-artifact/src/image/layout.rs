//! The image of an OCI layout, found from its `index.json` (OCI image specification, "Image Layout").

use super::archive::{Asked, Plan, ambiguous, is_named, plan_manifest};
use super::choose::Choice;
use super::files::Files;
use super::manifest::{Descriptor, Manifest, RIVALS, check_digest, parse_manifest};
use crate::{Error, Limits};
use seawall_model::{Incomplete, IncompleteReason};
use std::collections::HashSet;

/// Indexes in indexes.
const MAX_DEPTH: usize = 4;
/// Indexes that are read.
const MAX_INDEXES: usize = 1_000;
/// Images in all indexes together.
const MAX_IMAGES: usize = 10_000;

/// A layout whose `index.json` was read.
pub(super) struct Layout<'a> {
    files: &'a Files,
    limits: &'a Limits,
    index: Manifest,
}

/// A manifest that an index names, directly or through other indexes.
struct Leaf {
    descriptor: Descriptor,
    name: Option<String>,
    /// Digest of the entry of `index.json` that led to it.
    entry: String,
    /// Digests of the indexes that led to it, as far as their bytes have them.
    indexes: Vec<String>,
}

impl AsRef<Descriptor> for Leaf {
    fn as_ref(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl<'a> Layout<'a> {
    /// Reads `index.json`.
    pub(super) fn read(files: &'a Files, limits: &'a Limits) -> Result<Self, Error> {
        let bytes = files.required("index.json", limits)?;
        let index = parse_manifest(&format!("{}!index.json", files.place()), &bytes)?;
        Ok(Self {
            files,
            limits,
            index,
        })
    }

    /// The image that is asked for.
    pub(super) fn plan(&self, asked: Asked<'_>) -> Result<Plan, Error> {
        let reference = asked.reference;
        let files = self.files;
        let Search {
            leaves,
            incomplete,
            is_cut,
            ..
        } = self.search(reference);
        if let (true, Some(reference)) = (leaves.is_empty() && incomplete.is_empty(), reference) {
            let names = self.index.manifests.iter().flat_map(names_of).collect();
            return Err(ambiguous(files.place(), names, Some(reference)));
        }
        let (leaf, has_rivals) = choose(files.place(), &leaves, asked, &incomplete)?;
        let digest = leaf.descriptor.digest.clone();
        let tags = leaf.name.clone().into_iter().collect();
        let mut plan = plan_manifest(files, digest, tags, incomplete, asked)?;
        if plan.image.info.digest.is_some() {
            plan.image.info.other_digests.extend(leaf.indexes.clone());
        }
        plan.image.sound &= !is_cut;
        if has_rivals || self.has_namesake(&leaf.entry) {
            plan.image.doubt(files.place(), RIVALS.to_owned());
        }
        Ok(plan)
    }

    /// Whether another entry of `index.json` has a name of this one: programs that go by names take the
    /// first or the last, and look at no platform.
    fn has_namesake(&self, entry: &str) -> bool {
        let entries = self.index.manifests.iter();
        let (own, others): (Vec<_>, Vec<_>) = entries.partition(|it| it.digest == entry);
        let own: HashSet<String> = own.into_iter().flat_map(names_of).collect();
        let mut others = others.into_iter().flat_map(names_of);
        others.any(|name| own.contains(&name))
    }

    /// The digests of all configurations that it leads to. Manifests for other platforms may be
    /// named without being there.
    pub(super) fn configurations(&self) -> Result<HashSet<String>, Error> {
        let leaves = self.search(None).leaves;
        let images = leaves
            .iter()
            .filter(|it| !it.descriptor.is_for_no_platform());
        let names = images.map(|leaf| {
            let name = self.files.blob_name(&leaf.descriptor.digest)?;
            Ok(self.files.resolve(&name))
        });
        // Thousands of leaves may name one file.
        let names: HashSet<String> = names.collect::<Result<_, Error>>()?;
        let mut configurations = HashSet::new();
        for name in names {
            if let Some(bytes) = self.files.metadata(&name, self.limits)? {
                let manifest = parse_manifest(&name, &bytes)?;
                configurations.extend(manifest.config.map(|config| config.digest));
            }
        }
        Ok(configurations)
    }

    /// The manifests of that name, or all of them.
    fn search(&self, reference: Option<&str>) -> Search<'a> {
        let mut search = Search {
            files: self.files,
            limits: self.limits,
            leaves: Vec::new(),
            opened: HashSet::new(),
            is_cut: false,
            incomplete: Vec::new(),
        };
        for descriptor in &self.index.manifests {
            let wanted = match reference {
                Some(wanted) => names_of(descriptor).find(|name| is_named(name, wanted)),
                None => names_of(descriptor).next(),
            };
            if reference.is_none() || wanted.is_some() {
                let from = Way {
                    name: wanted,
                    entry: descriptor.digest.clone(),
                    indexes: Vec::new(),
                    depth: 0,
                };
                search.descriptor(descriptor.clone(), &from);
            }
        }
        search
    }
}

/// Collects the leaves of a layout, those too that are no images to us: they may be to others.
struct Search<'a> {
    files: &'a Files,
    limits: &'a Limits,
    leaves: Vec<Leaf>,
    /// Digests of the indexes whose leaves are known: thousands of others may name one.
    opened: HashSet<String>,
    /// Whether there was more than may be.
    is_cut: bool,
    incomplete: Vec<Incomplete>,
}

/// What led to a descriptor.
struct Way {
    name: Option<String>,
    entry: String,
    indexes: Vec<String>,
    depth: usize,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.leaves.len() >= MAX_IMAGES || self.incomplete.len() >= MAX_IMAGES
    }

    /// Notes that there are more than may be: what is left out may be what other programs take.
    fn cut(&mut self, place: &str) {
        if !std::mem::replace(&mut self.is_cut, true) {
            self.incomplete.push(Incomplete::new(
                IncompleteReason::LimitReached,
                place,
                format!(
                    "more than {MAX_DEPTH} indexes in each other, {MAX_INDEXES} indexes or \
                     {MAX_IMAGES} images"
                ),
            ));
        }
    }

    /// Adds what a descriptor leads to.
    fn descriptor(&mut self, descriptor: Descriptor, way: &Way) {
        let place = format!("{}!index {}", self.files.place(), descriptor.digest);
        if self.is_full() {
            return self.cut(&place);
        }
        if !descriptor.is_index() {
            self.leaves.push(Leaf {
                descriptor,
                name: way.name.clone(),
                entry: way.entry.clone(),
                indexes: way.indexes.clone(),
            });
            return;
        }
        if self.opened.contains(&descriptor.digest) {
            return;
        }
        if way.depth == MAX_DEPTH || self.opened.len() == MAX_INDEXES {
            return self.cut(&place);
        }
        self.opened.insert(descriptor.digest.clone());
        let index = self
            .files
            .blob_name(&descriptor.digest)
            .and_then(|name| self.files.required(&name, self.limits))
            .and_then(|bytes| {
                let wrong = check_digest(&place, &descriptor.digest, &bytes);
                Ok((parse_manifest(&place, &bytes)?, wrong))
            });
        match index {
            Ok((index, wrong)) => {
                let mut indexes = way.indexes.clone();
                match wrong {
                    // It is not what the digest names, nor is what it leads to.
                    Some(wrong) => self.incomplete.push(wrong),
                    None => indexes.push(descriptor.digest),
                }
                let way = Way {
                    name: way.name.clone(),
                    entry: way.entry.clone(),
                    indexes,
                    depth: way.depth + 1,
                };
                for inner in index.manifests {
                    if self.is_cut {
                        break;
                    }
                    self.descriptor(inner, &way);
                }
            }
            Err(error) => self.incomplete.push(error.to_incomplete()),
        }
    }
}

/// Chooses by platform. Returns whether another leaf rivals the chosen one.
fn choose<'a>(
    place: &str,
    leaves: &'a [Leaf],
    asked: Asked<'_>,
    incomplete: &[Incomplete],
) -> Result<(&'a Leaf, bool), Error> {
    let choice = Choice::among(leaves, asked.options)?;
    match (choice.best.as_slice(), incomplete.first()) {
        ([leaf], _) => Ok((*leaf, choice.has_rivals(leaf))),
        ([], Some(first)) if choice.images.is_empty() => Err(Error::Corrupt {
            place: first.place.clone(),
            offset: 0,
            message: first.message.clone(),
        }),
        ([], None) if choice.images.is_empty() => {
            Err(ambiguous(place, Vec::new(), asked.reference))
        }
        ([], _) => Err(choice.no_platform(place)),
        _ => {
            let names = choice.images.iter().filter_map(|leaf| leaf.name.clone());
            let names: Vec<String> = names.collect();
            let differ = names.iter().any(|name| Some(name) != names.first());
            Err(match differ {
                true => ambiguous(place, names, asked.reference),
                // No name tells them apart.
                false => Error::Usage {
                    message: format!("{place} holds several images for {}", choice.wanted),
                    hint: "give the one that is meant in an archive of its own".to_owned(),
                },
            })
        }
    }
}

/// The names of a manifest in an index: programs look at one annotation, at the other, or at both.
fn names_of(descriptor: &Descriptor) -> impl Iterator<Item = String> {
    [
        "io.containerd.image.name",
        "org.opencontainers.image.ref.name",
    ]
    .into_iter()
    .filter_map(|key| descriptor.annotations.get(key).cloned())
}
