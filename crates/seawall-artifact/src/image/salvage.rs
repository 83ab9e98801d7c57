//! What is left of an archive that was cut off before its manifest, which most writers put last, or
//! is damaged there.
//!
//! Two things stand beside the layers that tell their order: in archives of Docker 25 and newer the
//! manifest as a blob, in older ones a file `json` for each layer (Docker image specification 1.1)
//! that names the layer below.

use super::archive::{Asked, Plan, PlannedLayer, assemble, plan_manifest};
use super::files::Files;
use super::manifest::{Descriptor, Manifest, parse_json, parse_manifest, sha256};
use crate::{Error, ImageInfo, Options};
use seawall_model::{Incomplete, IncompleteReason};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Files that are looked at for a manifest.
const MAX_CANDIDATES: usize = 1_000;

/// A layer's `json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OldLayer {
    parent: Option<String>,
}

/// The layers that can still be read. `damage` is returned where nothing tells which.
pub(super) fn salvage(files: &Files, options: &Options, damage: Error) -> Result<Plan, Error> {
    let plan = from_manifest_blob(files, options).or_else(|| from_old_layers(files, options));
    let Some(mut plan) = plan else {
        return Err(damage);
    };
    let told = Incomplete::new(
        IncompleteReason::Truncated,
        files.place(),
        "the manifest is missing: layers that were found are read, others may have changed or \
         removed what is in them",
    );
    plan.image.sound = false;
    plan.image.incomplete.push(damage.to_incomplete());
    plan.image.incomplete.push(match damage.hint() {
        Some(hint) => told.hint(hint),
        None => told,
    });
    Ok(plan)
}

/// The image of the only manifest among the blobs.
fn from_manifest_blob(files: &Files, options: &Options) -> Option<Plan> {
    let names = files.names();
    let blobs = names.iter().filter(|name| name.starts_with("blobs/"));
    let mut manifests = blobs.take(MAX_CANDIDATES).filter_map(|name| {
        let bytes = files.metadata(name, &options.limits).ok().flatten()?;
        let begins = bytes.first() == Some(&b'{');
        let manifest: Manifest = begins
            .then(|| parse_manifest(name, &bytes).ok())
            .flatten()?;
        (manifest.config.is_some() && !manifest.layers.is_empty()).then(|| sha256(&bytes))
    });
    let (Some(digest), None) = (manifests.next(), manifests.next()) else {
        return None;
    };
    let asked = Asked {
        reference: None,
        damaged: true,
        options,
    };
    plan_manifest(files, digest, Vec::new(), Vec::new(), asked).ok()
}

/// Layers in directories of their own, those below first.
fn from_old_layers(files: &Files, options: &Options) -> Option<Plan> {
    let mut parents: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let names = files.names();
    for id in names
        .iter()
        .filter_map(|name| name.strip_suffix("/layer.tar"))
    {
        let name = format!("{id}/json");
        let bytes = files.metadata(&name, &options.limits).ok().flatten()?;
        let layer: OldLayer = parse_json(&name, &bytes).ok()?;
        parents.insert(id, layer.parent);
    }
    let planned: Vec<PlannedLayer> = in_order(&parents)
        .into_iter()
        .map(|id| format!("{id}/layer.tar"))
        .map(|name| PlannedLayer {
            place: format!("{}!{name}", files.place()),
            file: files.resolve(&name),
            descriptor: Descriptor::default(),
        })
        .collect();
    if planned.is_empty() {
        return None;
    }
    let (info, limits) = (ImageInfo::default(), &options.limits);
    let nothing = Vec::new();
    Some(assemble(
        files.place(),
        info,
        None,
        planned,
        nothing,
        limits,
    ))
}

/// Parents before their children; of what hangs together by nothing, the lower name first.
fn in_order<'a>(parents: &BTreeMap<&'a str, Option<String>>) -> Vec<&'a str> {
    let mut order = Vec::with_capacity(parents.len());
    let mut done = BTreeSet::new();
    for id in parents.keys() {
        let mut line = Vec::new();
        let mut next = Some(*id);
        // Ends at a layer that is in order already, which one that is its own parent is, too.
        while let Some(id) = next.filter(|id| done.insert(*id)) {
            line.push(id);
            let parent = parents.get(id).and_then(Option::as_deref);
            next = parent
                .and_then(|parent| parents.get_key_value(parent))
                .map(|(id, _)| *id);
        }
        order.extend(line.into_iter().rev());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_stand_before_their_children() {
        for (pairs, expected) in [
            (
                &[("a", "c"), ("b", ""), ("c", "b")][..],
                &["b", "c", "a"][..],
            ),
            (&[("a", "gone"), ("b", "a")], &["a", "b"]),
            (&[("a", "b"), ("b", "a")], &["b", "a"]),
            (&[("a", "a")], &["a"]),
            (&[], &[]),
        ] {
            let parents = pairs
                .iter()
                .map(|(id, parent)| (*id, Some((*parent).to_owned())));
            assert_eq!(in_order(&parents.collect()), expected, "{pairs:?}");
        }
    }
}
