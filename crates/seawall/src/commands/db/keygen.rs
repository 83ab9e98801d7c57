//! `seawall db keygen`.

use crate::exit::{Exit, Failure, Result};
use crate::{locations, stdout};
use anyhow::Context;
use seawall_advisory::signature::SecretKey;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a new key for its owner's eyes only, and the public key beside it.
pub(super) fn run(out: &Path) -> Result<Exit> {
    let key = SecretKey::generate().map_err(Failure::incomplete)?;
    let public = out.with_added_extension("pub");
    OpenOptions::new()
        .write(true)
        // An old key is never overwritten: what it signed could not be renewed.
        .create_new(true)
        .mode(0o600)
        .open(out)
        .and_then(|mut file| writeln!(file, "{}", key.to_secret_text()))
        .with_context(|| format!("cannot write {}", out.display()))
        .map_err(|error| Failure::usage(error).hint("choose a file that does not exist yet"))?;
    fs::write(&public, format!("{}\n", key.public()))
        .with_context(|| format!("cannot write {}", public.display()))
        .map_err(Failure::usage)?;
    let folder = locations::trusted_keys()?;
    stdout::line(&format!(
        "wrote {} (private) and {} (public)\n\
         sign databases with: seawall db build --sign {} --from PATH...\n\
         demand the signature where scans run: put the public key into {}",
        out.display(),
        public.display(),
        out.display(),
        folder.display()
    ))
}
