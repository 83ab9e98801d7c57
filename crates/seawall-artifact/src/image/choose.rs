//! Which of several images is meant: the one that runs best on a platform.

use super::archive::no_platform;
use super::manifest::Descriptor;
use super::platform::Platform;
use crate::{Error, Options};
use std::collections::{BTreeSet, HashSet};

/// What an index offers for the platform that is asked for, or for this machine.
pub(crate) struct Choice<'a, T> {
    /// All that the index names.
    named: &'a [T],
    pub(crate) wanted: Platform,
    /// The images among them.
    pub(crate) images: Vec<&'a T>,
    /// Those that run best, one of each digest.
    pub(crate) best: Vec<&'a T>,
}

impl<'a, T: AsRef<Descriptor>> Choice<'a, T> {
    /// Chooses among what an index names.
    pub(crate) fn among(named: &'a [T], options: &Options) -> Result<Self, Error> {
        let asked = options.platform.as_deref().map(Platform::parse);
        let asked = asked.transpose()?;
        let images = named.iter().filter(|it| it.as_ref().is_image());
        let images: Vec<&T> = images.collect();
        let mut best = distinct(images.iter().copied());
        let is_meant = asked.is_none() && best.len() == 1;
        let wanted = asked.unwrap_or_else(Platform::of_this_machine);
        if !is_meant {
            best = distinct(nearest(&images, &wanted).into_iter());
        }
        Ok(Self {
            named,
            wanted,
            images,
            best,
        })
    }

    /// Whether other programs may take something else for `chosen`.
    pub(crate) fn has_rivals(&self, chosen: &T) -> bool {
        let mut others = self.named.iter().map(T::as_ref);
        others.any(|other| other.rivals(chosen.as_ref(), &self.wanted))
    }

    /// The error where none of the images is for the platform.
    pub(crate) fn no_platform(&self, place: &str) -> Error {
        let offered = self.images.iter().map(|it| it.as_ref().platform.clone());
        let offered = offered.flatten().map(|it| it.normalized().to_string());
        let offered: BTreeSet<String> = offered.collect();
        no_platform(place, &self.wanted, offered)
    }
}

/// The first of each digest.
fn distinct<'a, T: AsRef<Descriptor>>(images: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut digests = HashSet::new();
    images
        .filter(|it| digests.insert(T::as_ref(*it).digest.as_str()))
        .collect()
}

/// Those at the least distance from the platform.
fn nearest<'a, T: AsRef<Descriptor>>(images: &[&'a T], wanted: &Platform) -> Vec<&'a T> {
    let distance = |it: &T| match &it.as_ref().platform {
        Some(offered) => wanted.distance(offered),
        // An image that does not say is better than none.
        None => Some(u32::MAX),
    };
    let least = images.iter().filter_map(|it| distance(it)).min();
    let is_nearest = |it: &&T| least.is_some() && distance(it) == least;
    images.iter().copied().filter(is_nearest).collect()
}
