//! The image of an OCI layout, found from its `index.json` (OCI image specification, "Image Layout").

use super::archive::{Plan, ambiguous, is_named, no_platform, plan_manifest};
use super::files::Files;
use super::manifest::{Descriptor, Manifest, RIVALS, check_digest, parse_manifest};
use super::platform::Platform;
use crate::{Error, Limits, Options};
use seawall_model::{Incomplete, IncompleteReason};
use std::collections::HashSet;

/// Indexes in indexes.
const MAX_DEPTH: usize = 4;
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
    /// Digests of the indexes below `index.json` that led to it, all of them checked.
    indexes: Vec<String>,
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

    /// The image that `reference` and the platform choose.
    pub(super) fn plan(
        &self,
        reference: Option<&str>,
        damaged: bool,
        options: &Options,
    ) -> Result<Plan, Error> {
        let files = self.files;
        let Search {
            leaves, incomplete, ..
        } = self.search(reference);
        if let (true, Some(reference)) = (leaves.is_empty() && incomplete.is_empty(), reference) {
            let names = self.index.manifests.iter().flat_map(names_of).collect();
            return Err(ambiguous(files.place(), names, Some(reference)));
        }
        let (leaf, has_rivals) = choose(files, &leaves, reference, options, &incomplete)?;
        let digest = leaf.descriptor.digest.clone();
        let tags = leaf.name.clone().into_iter().collect();
        let mut plan = plan_manifest(files, digest, tags, incomplete, damaged, options)?;
        if plan.image.info.digest.is_some() {
            plan.image.info.other_digests.extend(leaf.indexes.clone());
        }
        if has_rivals {
            plan.image.doubt(files.place(), RIVALS.to_owned());
        }
        Ok(plan)
    }

    /// The digests of all configurations that it leads to. Manifests for other platforms may be
    /// named without being there.
    pub(super) fn configurations(&self) -> Result<HashSet<String>, Error> {
        let mut configurations = HashSet::new();
        for leaf in self.search(None).leaves {
            if leaf.descriptor.is_for_no_platform() {
                continue;
            }
            let name = self.files.blob_name(&leaf.descriptor.digest)?;
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
            incomplete: Vec::new(),
        };
        for descriptor in &self.index.manifests {
            let wanted = match reference {
                Some(wanted) => names_of(descriptor).find(|name| is_named(name, wanted)),
                None => names_of(descriptor).next(),
            };
            if reference.is_none() || wanted.is_some() {
                search.descriptor(descriptor.clone(), wanted.as_deref(), &[]);
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
    incomplete: Vec<Incomplete>,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.leaves.len() >= MAX_IMAGES || self.incomplete.len() >= MAX_IMAGES
    }

    /// Adds what a descriptor leads to; `above` are the indexes that led to it.
    fn descriptor(&mut self, descriptor: Descriptor, name: Option<&str>, above: &[String]) {
        let is_index = descriptor.media_type == "application/vnd.oci.image.index.v1+json"
            || descriptor.media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
        if !is_index {
            if !self.is_full() {
                self.leaves.push(Leaf {
                    descriptor,
                    name: name.map(str::to_owned),
                    indexes: above.to_vec(),
                });
            }
            return;
        }
        let place = format!("{}!index {}", self.files.place(), descriptor.digest);
        // Indexes are named by their digests and so cannot lead back to themselves, unless they lie.
        if above.len() == MAX_DEPTH || self.is_full() {
            self.incomplete.push(Incomplete::new(
                IncompleteReason::LimitReached,
                place,
                format!("more than {MAX_DEPTH} indexes in each other or {MAX_IMAGES} images"),
            ));
            return;
        }
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
                self.incomplete.extend(wrong);
                let mut path = above.to_vec();
                path.push(descriptor.digest);
                for inner in index.manifests {
                    if self.is_full() {
                        break;
                    }
                    self.descriptor(inner, name, &path);
                }
            }
            Err(error) => self.incomplete.push(error.to_incomplete()),
        }
    }
}

/// Chooses by platform. Returns whether another leaf rivals the chosen one.
fn choose<'a>(
    files: &Files,
    leaves: &'a [Leaf],
    reference: Option<&str>,
    options: &Options,
    incomplete: &[Incomplete],
) -> Result<(&'a Leaf, bool), Error> {
    let asked = options
        .platform
        .as_deref()
        .map(Platform::parse)
        .transpose()?;
    let is_only = asked.is_none();
    let wanted = asked.unwrap_or_else(Platform::of_this_machine);
    let with_rivals = |leaf: &'a Leaf| {
        let mut others = leaves.iter().map(|other| &other.descriptor);
        (
            leaf,
            others.any(|other| other.rivals(&leaf.descriptor, &wanted)),
        )
    };
    let images: Vec<&Leaf> = leaves
        .iter()
        .filter(|it| it.descriptor.is_image())
        .collect();
    let digests = |leaves: &[&Leaf]| {
        let digests = leaves.iter().map(|leaf| leaf.descriptor.digest.clone());
        digests.collect::<HashSet<String>>().len()
    };
    if let ([leaf, ..], 1, true) = (images.as_slice(), digests(&images), is_only) {
        return Ok(with_rivals(leaf));
    }
    let distance = |leaf: &Leaf| match &leaf.descriptor.platform {
        Some(offered) => wanted.distance(offered),
        None => Some(u32::MAX),
    };
    let Some(best) = images.iter().filter_map(|leaf| distance(leaf)).min() else {
        if let (true, Some(first)) = (images.is_empty(), incomplete.first()) {
            return Err(Error::Corrupt {
                place: first.place.clone(),
                offset: 0,
                message: first.message.clone(),
            });
        }
        let platforms = images
            .iter()
            .filter_map(|leaf| leaf.descriptor.platform.clone());
        let platforms: HashSet<String> = platforms.map(|it| it.normalized().to_string()).collect();
        return Err(match images.is_empty() {
            true => ambiguous(files.place(), Vec::new(), reference),
            false => no_platform(files.place(), &wanted, platforms),
        });
    };
    let found: Vec<&Leaf> = images
        .iter()
        .copied()
        .filter(|leaf| distance(leaf) == Some(best))
        .collect();
    match (found.first(), digests(&found)) {
        (Some(leaf), 1) => Ok(with_rivals(leaf)),
        _ => {
            let names: Vec<String> = images.iter().filter_map(|leaf| leaf.name.clone()).collect();
            let differ = names.iter().any(|name| Some(name) != names.first());
            Err(match differ {
                true => ambiguous(files.place(), names, reference),
                // No name tells them apart.
                false => Error::Usage {
                    message: format!("{} holds several images for {wanted}", files.place()),
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
