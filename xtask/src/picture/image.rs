//! An image of three layers with a few old packages, saved as docker does.

use anyhow::Result;
use sha2::{Digest, Sha256};

type File = (&'static str, String);

/// The base image alone.
pub(crate) fn base() -> Result<Vec<u8>> {
    saved("debian:12", &[base_layer()])
}

/// The image of the picture.
pub(crate) fn shop() -> Result<Vec<u8>> {
    let tools = vec![("var/lib/dpkg/status", status(true))];
    let app = vec![
        (
            "srv/shop/gradle.lockfile",
            "org.apache.logging.log4j:log4j-core:2.14.1=runtimeClasspath\n".to_owned(),
        ),
        npm(
            "srv/shop/node_modules/lodash/package.json",
            "lodash",
            "4.17.20",
        ),
        npm(
            "srv/shop/node_modules/minimist/package.json",
            "minimist",
            "1.2.5",
        ),
        npm(
            "srv/shop/node_modules/express/package.json",
            "express",
            "4.21.2",
        ),
    ];
    let layers = [
        base_layer(),
        ("RUN apt-get update && apt-get install -y curl", tools),
        ("COPY shop /srv/shop", app),
    ];
    saved("shop:1.4", &layers)
}

fn base_layer() -> (&'static str, Vec<File>) {
    let release = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n\
                   PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
    let files = vec![
        ("etc/os-release", release.to_owned()),
        ("var/lib/dpkg/status", status(false)),
    ];
    ("ADD rootfs.tar.xz /", files)
}

/// The package database, with or without curl.
fn status(with_curl: bool) -> String {
    let base: &[[&str; 3]] = &[
        ["bash", "bash", "5.2.15-2+b7"],
        ["coreutils", "coreutils", "9.1-1"],
        ["dpkg", "dpkg", "1.21.22"],
        ["libc-bin", "glibc", "2.36-9+deb12u1"],
        ["libc6", "glibc", "2.36-9+deb12u1"],
        ["libssl3", "openssl", "3.0.11-1~deb12u2"],
        ["perl-base", "perl", "5.36.0-7"],
        ["tar", "tar", "1.34+dfsg-1.2"],
        ["zlib1g", "zlib", "1:1.2.13.dfsg-1"],
    ];
    let curl: &[[&str; 3]] = &[
        ["curl", "curl", "7.88.1-10+deb12u3"],
        ["libcurl4", "curl", "7.88.1-10+deb12u3"],
    ];
    base.iter()
        .chain(if with_curl { curl } else { &[] })
        .map(|[name, source, version]| {
            format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n\
                 Source: {source}\nVersion: {version}\n\n"
            )
        })
        .collect()
}

fn npm(path: &'static str, name: &str, version: &str) -> File {
    (
        path,
        format!("{{\"name\":\"{name}\",\"version\":\"{version}\"}}"),
    )
}

/// A `docker save` archive of layers, each with its instruction.
fn saved(tag: &str, layers: &[(&str, Vec<File>)]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut names = Vec::new();
    let mut diff_ids = Vec::new();
    let mut history = Vec::new();
    for (index, (instruction, files)) in layers.iter().enumerate() {
        let mut layer = tar::Builder::new(Vec::new());
        for (path, content) in files {
            add(&mut layer, path, content.as_bytes())?;
        }
        let layer = layer.into_inner()?;
        let name = format!("{index}/layer.tar");
        add(&mut archive, &name, &layer)?;
        names.push(name);
        diff_ids.push(format!("sha256:{}", hex(&Sha256::digest(&layer))));
        history.push(serde_json::json!({"created_by": format!("{instruction} # buildkit")}));
    }
    let config = serde_json::to_vec(&serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {}, "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }))?;
    let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
    add(&mut archive, &config_name, &config)?;
    let manifest = serde_json::json!([{"Config": config_name, "RepoTags": [tag], "Layers": names}]);
    add(
        &mut archive,
        "manifest.json",
        &serde_json::to_vec(&manifest)?,
    )?;
    Ok(archive.into_inner()?)
}

fn add(archive: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, path, content)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
