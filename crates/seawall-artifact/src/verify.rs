//! Whether an image's layers are what its configuration says.
//!
//! The configuration names every layer by the digest of its uncompressed bytes (OCI image
//! specification, "Layer DiffID"), and who knows an image by its digest or by chain ids relies on
//! that. A forged image can name what it likes: where somebody relies on it, the bytes are hashed.

use crate::ImageInfo;
use crate::image::Layer;
use seawall_model::{Incomplete, IncompleteReason};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whose layers' uncompressed bytes are hashed and compared with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verify {
    /// Nobody's.
    #[default]
    Nothing,
    /// Those of images that claim to be what somebody relies on.
    Claims(Arc<Claims>),
    /// Every image's.
    Everything,
}

/// Names of images and layers on which somebody relies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Digests of images, `sha256:...`. All layers of such an image are hashed.
    pub digests: BTreeSet<String>,
    /// Chain ids of layers, `sha256:...`. Such a layer and all below it are hashed.
    pub chain_ids: BTreeSet<String>,
}

impl Verify {
    /// Whether it may be that a layer must be hashed, while nothing is known of the image.
    pub(crate) fn may_ask(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Claims(claims) => !claims.digests.is_empty() || !claims.chain_ids.is_empty(),
            Self::Everything => true,
        }
    }

    /// How many layers must be hashed, from the base up.
    pub(crate) fn layers(&self, image: &ImageInfo, layers: &[Layer]) -> usize {
        let mut digests = image.digest.iter().chain(&image.other_digests);
        match self {
            Self::Nothing => 0,
            Self::Everything => layers.len(),
            Self::Claims(claims) if digests.any(|it| claims.digests.contains(it)) => layers.len(),
            Self::Claims(claims) => {
                let diff_ids = layers.iter().map_while(|layer| layer.diff_id.as_deref());
                let top = chain_ids(diff_ids)
                    .iter()
                    .rposition(|chain_id| claims.chain_ids.contains(chain_id));
                top.map_or(0, |top| top + 1)
            }
        }
    }
}

/// The chain ids of an image's layers, the base first (OCI image specification, "Layer ChainID").
///
/// The chain id of a layer names the whole filesystem up to it, so two images that share one are
/// the same up to there.
#[must_use]
pub fn chain_ids<'a>(diff_ids: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut chain: Vec<String> = Vec::new();
    for diff_id in diff_ids {
        let next = match chain.last() {
            None => diff_id.to_owned(),
            Some(below) => {
                let digest = Sha256::digest(format!("{below} {diff_id}"));
                format!("sha256:{}", hex::encode(digest))
            }
        };
        chain.push(next);
    }
    chain
}

/// What is wrong with a layer whose uncompressed bytes were asked for and have the digest `found`;
/// `None` if they are what the configuration says, or could not be read, which is told elsewhere.
pub(crate) fn mismatch(layer: &Layer, found: Option<&str>) -> Option<Incomplete> {
    let (claimed, found) = (layer.diff_id.as_deref()?, found?);
    if !claimed.starts_with("sha256:") {
        return Some(Incomplete::new(
            IncompleteReason::Unsupported,
            &layer.place,
            format!("the configuration names it {claimed}, which is of a kind that is not checked"),
        ));
    }
    (claimed != found).then(|| {
        Incomplete::new(
            IncompleteReason::Corrupt,
            &layer.place,
            format!("the configuration names it {claimed}, but its content is {found}"),
        )
        .hint(
            "it is not the image that it says it is, and is treated as an unknown one: get it \
             again from where it comes",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;
    use crate::image::Blob;

    fn layers(diff_ids: &[Option<&str>]) -> Vec<Layer> {
        let layer = |diff_id: &Option<&str>| Layer {
            place: String::new(),
            digest: None,
            diff_id: diff_id.map(str::to_owned),
            told_size: None,
            created_by: None,
            blob: Blob::Content(Content::from_bytes([])),
        };
        diff_ids.iter().map(layer).collect()
    }

    #[test]
    fn a_chain_id_hashes_the_one_below_with_the_diff_id() {
        let one = format!("sha256:{}", "1".repeat(64));
        let two = format!("sha256:{}", "2".repeat(64));
        let digest = Sha256::digest(format!("{one} {two}"));
        let expected = format!("sha256:{}", hex::encode(digest));
        assert_eq!(
            chain_ids([one.as_str(), two.as_str()]),
            [one.clone(), expected]
        );
        assert!(chain_ids([]).is_empty());
    }

    #[test]
    fn layers_up_to_the_highest_claimed_one_are_hashed() {
        let chain = chain_ids(["a", "b", "c"]);
        let claims = |digests: &[&str], places: &[usize]| {
            Verify::Claims(Arc::new(Claims {
                digests: digests.iter().map(|it| (*it).to_owned()).collect(),
                chain_ids: places.iter().map(|it| chain[*it].clone()).collect(),
            }))
        };
        let known = [Some("a"), Some("b"), Some("c")];
        let image = ImageInfo {
            digest: Some("image".to_owned()),
            other_digests: vec!["config".to_owned()],
            ..ImageInfo::default()
        };
        for (verify, diff_ids, expected) in [
            (Verify::Nothing, &known[..], 0),
            (Verify::Everything, &known[..], 3),
            (claims(&[], &[]), &known[..], 0),
            (claims(&["image"], &[]), &known[..], 3),
            (claims(&["config"], &[]), &known[..], 3),
            (claims(&["other"], &[]), &known[..], 0),
            (claims(&[], &[0]), &known[..], 1),
            (claims(&[], &[0, 1]), &known[..], 2),
            (claims(&["other"], &[2]), &known[..], 3),
            // A layer of which nothing is claimed ends the chain.
            (claims(&[], &[0, 2]), &[Some("a"), None, Some("c")][..], 1),
        ] {
            assert_eq!(
                verify.layers(&image, &layers(diff_ids)),
                expected,
                "{verify:?}"
            );
        }
    }
}
