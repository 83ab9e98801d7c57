//! Crates: those built into programs by cargo-auditable, and those of a `Cargo.lock`.

mod audit;
mod cargo_lock;

pub(super) use audit::read_executable;
pub use cargo_lock::CargoLock;
