//! The image of a `docker save` archive, found from its `manifest.json` (Docker image specification
//! 1.2, "Combined Image JSON + Filesystem Changeset Format").

use super::archive::{
    Asked, Plan, PlannedLayer, ambiguous, assemble, check_platform, is_named, read_config,
};
use super::files::Files;
use super::manifest::{Descriptor, SavedImage, SavedImages, parse, sha256};
use crate::{Error, Limits};
use std::collections::HashSet;

/// An archive whose `manifest.json` was read.
pub(super) struct Saved<'a> {
    files: &'a Files,
    images: Vec<SavedImage>,
}

impl<'a> Saved<'a> {
    /// Reads `manifest.json`.
    pub(super) fn read(files: &'a Files, limits: &Limits) -> Result<Self, Error> {
        let bytes = files.required("manifest.json", limits)?;
        let place = format!("{}!manifest.json", files.place());
        let images = parse::<SavedImages>(&place, &bytes)?.images;
        Ok(Self { files, images })
    }

    /// The image that is asked for.
    pub(super) fn plan(&self, asked: Asked<'_>) -> Result<Plan, Error> {
        let named = |image: &&SavedImage| match asked.reference {
            Some(reference) => image.repo_tags.iter().any(|tag| is_named(tag, reference)),
            None => true,
        };
        let mut found = self.images.iter().filter(named);
        let (Some(image), None) = (found.next(), found.next()) else {
            let tags = self.images.iter().flat_map(|image| image.repo_tags.clone());
            return Err(ambiguous(
                self.files.place(),
                tags.collect(),
                asked.reference,
            ));
        };
        let (config, config_bytes) = read_config(self.files, &image.config, asked)?;
        check_platform(self.files.place(), &config, asked.options)?;
        let digest = config_bytes.as_deref().map(sha256);
        let info = config.image_info(digest, image.repo_tags.clone());
        let layers = image.layers.iter().map(|name| PlannedLayer {
            place: format!("{}!{name}", self.files.place()),
            file: self.files.resolve(name),
            descriptor: Descriptor {
                digest: digest_of_file(name).unwrap_or_default(),
                ..Descriptor::default()
            },
        });
        let config = config_bytes.is_some().then_some(&config);
        Ok(assemble(
            self.files.place(),
            info,
            config,
            layers.collect(),
            Vec::new(),
            &asked.options.limits,
        ))
    }

    /// The digests of all configurations that it names.
    pub(super) fn configurations(&self, limits: &Limits) -> Result<HashSet<String>, Error> {
        // Thousands of images may name one file.
        let names = self.images.iter().map(|it| self.files.resolve(&it.config));
        let names: HashSet<String> = names.collect();
        let configs = names.iter().map(|name| {
            let config = self.files.required(name, limits)?;
            Ok(sha256(&config))
        });
        configs.collect()
    }
}

/// The digest by which a file of a layout is named; `docker save` writes such files since 25.
pub(crate) fn digest_of_file(name: &str) -> Option<String> {
    let hex = name.strip_prefix("blobs/sha256/")?;
    Some(format!("sha256:{hex}"))
}
