//! Ruby gems: Bundler's lockfile, and the specifications of installed gems.

mod gemfile_lock;
mod gemspec;

pub use gemfile_lock::GemfileLock;
pub use gemspec::Gemspec;
