//! Haskell packages: what Stack and cabal freeze.

mod cabal_freeze;
mod stack_lock;

pub use cabal_freeze::CabalFreeze;
pub use stack_lock::StackLock;
