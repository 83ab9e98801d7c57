//! What CycloneDX and SPDX share: package URLs with all that other tools match by, licences, and
//! what only Seawall knows, as properties that it reads back.

use packageurl::PackageUrl;
use seawall_model::{
    Distro, Incomplete, IncompleteReason, Inventory, Layer, Package, PackageType, TargetKind,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io;

/// The purl with the qualifiers by which scanners find the source package and the rpm module:
/// `upstream` as syft and grype write it, `modularitylabel` of the purl specification.
pub(crate) fn purl(package: &Package, distro: Option<&Distro>) -> String {
    let purl = package.purl(distro);
    if !package.kind.is_os() {
        return purl;
    }
    let upstream = package
        .source
        .as_ref()
        .map(|source| match source.version.as_str() {
            "" => source.name.clone(),
            version if version == package.version && source.name != package.name => {
                source.name.clone()
            }
            version => format!("{}@{version}", source.name),
        });
    let Ok(mut parsed) = purl.parse::<PackageUrl<'_>>() else {
        return purl;
    };
    for (key, value) in [
        ("modularitylabel", &package.module),
        ("upstream", &upstream),
    ] {
        if let Some(value) = value
            && parsed.add_qualifier(key, value.clone()).is_err()
        {
            return purl;
        }
    }
    parsed.to_string()
}

/// Makes every purl an identifier of its own: the second `p` becomes `p#2`. (A purl's own subpath
/// cannot be `2` here, as we write none.)
pub(crate) fn references(purls: &[String]) -> Vec<String> {
    let mut seen: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    purls
        .iter()
        .map(|purl| {
            let times = seen.entry(purl).or_default();
            *times += 1;
            match *times {
                1 => purl.clone(),
                times => format!("{purl}#{times}"),
            }
        })
        .collect()
}

/// What Seawall knows of a package and the formats have no field for.
pub(crate) fn package_properties(package: &Package) -> Vec<(&'static str, String)> {
    let mut properties = vec![("seawall:evidence", package.evidence.name().to_owned())];
    let mut add = |name, value: Option<String>| {
        properties.extend(value.map(|value| (name, value)));
    };
    add(
        "seawall:layer",
        package.layer.map(|layer| layer.to_string()),
    );
    add(
        "seawall:role",
        package.layer.map(|_| package.role.name().to_owned()),
    );
    add("seawall:owner", package.owner.clone());
    add(
        "seawall:development",
        package.development.then(|| "true".to_owned()),
    );
    add(
        "seawall:folded",
        (package.folded > 0).then(|| package.folded.to_string()),
    );
    // An architecture that is no qualifier of the type's purl.
    let architecture = package
        .architecture
        .clone()
        .filter(|_| !package.kind.is_os());
    add("seawall:architecture", architecture);
    // Names that a purl does not give back: it has PyPI's normalised, and readers drop segments
    // like that of Go's local `./module`.
    let dots = |name: &str| {
        name.split('/')
            .any(|segment| matches!(segment, "" | "." | ".."))
    };
    if package.kind == PackageType::PyPi || dots(&package.name) {
        add("seawall:name", Some(package.name.clone()));
    }
    for product in &package.cpe_products {
        add("seawall:cpe-product", Some(product.clone()));
    }
    properties
}

/// What Seawall knows of the target and the formats have no field for: its layers, its platform, and
/// what was not read, as an incomplete inventory must not pass for a whole one.
pub(crate) fn target_properties(inventory: &Inventory) -> Vec<(String, String)> {
    let target = &inventory.target;
    let layers = inventory.layers.iter().flat_map(properties_of_layer);
    let platform = target
        .platform
        .iter()
        .map(|platform| ("seawall:platform".to_owned(), platform.clone()));
    let tags = target
        .tags
        .iter()
        .map(|tag| ("seawall:tag".to_owned(), tag.clone()));
    let missing = unread(inventory).map(|entry| {
        let text = format!("{}: {entry}", entry.reason.name());
        ("seawall:incomplete".to_owned(), text)
    });
    let digests = target
        .other_digests
        .iter()
        .map(|digest| ("seawall:other-digest".to_owned(), digest.clone()));
    // What an archive says of itself must not become a document's word.
    let named = (target.kind != TargetKind::Filesystem && target.kind != TargetKind::Host)
        .then(|| target.named_by_store.to_string());
    let named = named.map(|named| ("seawall:named-by-store".to_owned(), named));
    layers
        .chain(platform)
        .chain(tags)
        .chain(digests)
        .chain(named)
        .chain(missing)
        .collect()
}

/// What was not read of the target. That some of it could not be matched is no matter of inventories.
pub(crate) fn unread(inventory: &Inventory) -> impl Iterator<Item = &Incomplete> {
    let entries = inventory.incomplete.iter();
    entries.filter(|entry| entry.reason != IncompleteReason::NoAdvisories)
}

fn properties_of_layer(layer: &Layer) -> Vec<(String, String)> {
    let role = Some(layer.role.name().to_owned());
    [
        ("digest", layer.digest.clone()),
        ("diff-id", layer.diff_id.clone()),
        ("verified", Some(layer.verified.to_string())),
        ("chain-id", layer.chain_id.clone()),
        ("created-by", layer.created_by.clone()),
        ("base", layer.base.clone()),
        ("role", role),
        (
            "role-guessed",
            layer.role_guessed.then(|| "true".to_owned()),
        ),
        ("owner", layer.owner.clone()),
        ("size", layer.size.map(|size| size.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((format!("seawall:layer:{}:{name}", layer.index), value?)))
    .collect()
}

/// Whether a declared licence is an SPDX expression; package managers write all sorts of text.
pub(crate) fn is_expression(license: &str) -> bool {
    license.len() <= 1000 && spdx::Expression::parse(license).is_ok()
}

/// CPE 2.3 formatted string (NISTIR 7695 section 6.2) of a program; `None` if a part has characters
/// that CPE does not know.
pub(crate) fn cpe(product: &str, version: &str) -> Option<String> {
    let (vendor, product) = product.split_once(':')?;
    let part = |text: &str| -> Option<String> {
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' => escaped.push(c),
                '!'..='~' => escaped.extend(['\\', c]),
                _ => return None,
            }
        }
        (!escaped.is_empty() && escaped != "-").then_some(escaped)
    };
    let (vendor, product, version) = (part(vendor)?, part(product)?, part(version)?);
    Some(format!(
        "cpe:2.3:a:{vendor}:{product}:{version}:*:*:*:*:*:*:*"
    ))
}

/// A UUID of version 8 (RFC 9562 section 5.8) from the hash of content: the same content has the
/// same one.
pub(crate) fn uuid(content: &[u8]) -> String {
    uuid_of_hash(Sha256::digest(content).as_slice())
}

/// The same of a document's content, which is not kept in memory.
pub(crate) fn uuid_of(document: &impl Serialize) -> io::Result<String> {
    struct Hashing(Sha256);
    impl io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = io::BufWriter::new(Hashing(Sha256::new()));
    serde_json::to_writer(&mut hashing, document)?;
    let hashing = hashing
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    Ok(uuid_of_hash(hashing.0.finalize().as_slice()))
}

fn uuid_of_hash(hash: &[u8]) -> String {
    let mut bytes = [0u8; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash) {
        *byte = *hashed;
    }
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | (0x8 << 76);
    number = number & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_stable_and_valid() {
        let id = uuid(b"x");
        assert_eq!(id, uuid(b"x"));
        assert_ne!(id, uuid(b"y"));
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'8'));
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        assert_eq!(references(&["a".to_owned(), "a".to_owned()]), ["a", "a#2"]);
        assert_eq!(
            cpe("redis:redis", "7.0+1").as_deref(),
            Some("cpe:2.3:a:redis:redis:7.0\\+1:*:*:*:*:*:*:*")
        );
        assert_eq!(cpe("redis:redis", "7 漏"), None);
    }
}
