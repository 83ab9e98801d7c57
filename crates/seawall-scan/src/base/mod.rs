//! Whose layer is it: base images by their chain id, and what the history tells of the rest.

mod catalogue;
mod instruction;
mod roles;
mod update;

pub use catalogue::{BaseImage, BasePackage, Catalogue, CatalogueError};
pub use instruction::instruction;
pub(crate) use roles::assign_roles;
pub use update::{BaseUpdate, base_updates};
