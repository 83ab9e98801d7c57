//! The reference images, made once and kept in the target directory.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where they are.
pub(crate) struct Images {
    /// About 1.3 GB of server software, saved by docker: uncompressed layers.
    pub(crate) debian: PathBuf,
    /// 300,000 small files, saved by docker.
    pub(crate) small_files: PathBuf,
    /// One gzip layer of about 1 GB in an OCI layout.
    pub(crate) gzip: PathBuf,
    /// The blob of that layer.
    pub(crate) gzip_blob: PathBuf,
}

/// Makes what is missing. Needs root, for debootstrap and a Docker daemon.
pub(crate) fn make(folder: &Path) -> Result<Images> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let debian = saved_image(folder, "debian")?;
    let small_files = saved_image(folder, "small-files")?;
    let (gzip, gzip_blob) = gzip_layer(folder, &debian)?;
    Ok(Images {
        debian,
        small_files,
        gzip,
        gzip_blob,
    })
}

/// Builds `bench/NAME.Dockerfile` and saves it.
fn saved_image(folder: &Path, name: &str) -> Result<PathBuf> {
    let file = folder.join(format!("{name}.tar"));
    if file.exists() {
        return Ok(file);
    }
    eprintln!("making {} (some minutes, once)", file.display());
    let tag = format!("seawall-bench/{name}");
    let part = file.with_extension("part");
    let script = format!(
        "scripts/base-image && \
         docker build --quiet --network host --file bench/{name}.Dockerfile --tag {tag} bench && \
         docker save {tag} --output \"$0\""
    );
    let root = crate::root();
    crate::run(
        Command::new(root.join("scripts/with-dockerd"))
            .args(["sh", "-c", &script])
            .arg(&part)
            .current_dir(&root),
    )?;
    fs::rename(&part, &file)?;
    Ok(file)
}

/// An OCI layout with one layer: the files of the Debian image, twice, as tar in gzip.
fn gzip_layer(folder: &Path, debian: &Path) -> Result<(PathBuf, PathBuf)> {
    let layout = folder.join("gzip");
    let link = folder.join("gzip-blob");
    if !link.exists() {
        eprintln!("making {} (some minutes, once)", layout.display());
        crate::run(
            Command::new(crate::root().join("bench/gzip-layer"))
                .arg(debian)
                .arg(&layout)
                .arg(&link),
        )?;
    }
    let blob = fs::canonicalize(&link).with_context(|| link.display().to_string())?;
    Ok((layout, blob))
}
