//! Whose layer is it: base images by their chain id, and what the history tells of the rest.

mod catalogue;
mod instruction;
mod roles;
mod update;

pub use catalogue::{BaseImage, BasePackage, Catalogue, CatalogueError};
pub use instruction::instruction;
pub(crate) use roles::assign_roles;
pub use update::{BaseUpdate, base_updates};

use sha2::{Digest, Sha256};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_id_hashes_the_one_below_with_the_diff_id() {
        let one = format!("sha256:{}", "1".repeat(64));
        let two = format!("sha256:{}", "2".repeat(64));
        let expected = format!(
            "sha256:{}",
            hex::encode(Sha256::digest(format!("{one} {two}")))
        );
        assert_eq!(
            chain_ids([one.as_str(), two.as_str()]),
            [one.clone(), expected]
        );
        assert!(chain_ids([]).is_empty());
    }
}
