//! The stored inventory: what was found in a target, kept so that it can be matched again when the
//! advisories change, without the image.
//!
//! JSON, versioned by `inventory_version`, and without loss: what [`write()`] wrote, [`read`] gives
//! back. Foreign files are checked before they are believed.

use std::io::{self, Write};

use seawall_model::{
    Distro, EndOfLife, Evidence, Incomplete, IncompleteReason, Inventory, Layer, Package,
    PackageType, Role, SourcePackage, Target, TargetKind,
};
use serde::{Deserialize, Serialize};

/// Raised when the shape changes; older versions stay readable.
const INVENTORY_VERSION: u32 = 1;
/// Largest file that is read: an inventory of a million packages is smaller.
const MAX_BYTES: usize = 1 << 30;
/// Most packages, layers and other entries, each.
const MAX_ENTRIES: usize = 4_000_000;

/// Why a stored inventory was refused.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It is not JSON, or not of the right shape.
    #[error("not a stored inventory: {message} (line {line}, column {column})")]
    Malformed {
        /// What is wrong.
        message: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A later program wrote it.
    #[error(
        "this inventory has version {0}, known is {INVENTORY_VERSION}; \
         hint: update seawall, or scan the target again"
    )]
    Version(u32),
    /// It is larger than the cap.
    #[error(
        "the inventory is larger than {MAX_BYTES} bytes or has more than {MAX_ENTRIES} entries"
    )]
    TooLarge,
    /// A value has no meaning.
    #[error("package or entry {index}: {what} `{value}` is not known")]
    Value {
        /// Position in its list, from 0.
        index: usize,
        /// Which field.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// A package names a layer that is not there.
    #[error("package {index} names layer {layer}, but there are {layers}")]
    Layer {
        /// Position of the package, from 0.
        index: usize,
        /// The layer it names.
        layer: u32,
        /// Number of layers.
        layers: usize,
    },
}

/// Writes an inventory in one line of JSON.
///
/// # Errors
/// What `out` returns.
pub fn write(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &File::of(inventory))?;
    writeln!(out)
}

/// Reads an inventory that [`write()`] wrote.
///
/// # Errors
/// See [`InventoryError`]. Nothing is read in part: a damaged inventory would be matched as if it
/// were whole.
pub fn read(bytes: &[u8]) -> Result<Inventory, InventoryError> {
    if bytes.len() > MAX_BYTES {
        return Err(InventoryError::TooLarge);
    }
    let malformed = |error: serde_json::Error| InventoryError::Malformed {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    };
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(malformed)?;
    if envelope.inventory_version != INVENTORY_VERSION {
        return Err(InventoryError::Version(envelope.inventory_version));
    }
    let file: File = serde_json::from_slice(bytes).map_err(malformed)?;
    file.into_inventory()
}

#[derive(Deserialize)]
struct Envelope {
    inventory_version: u32,
}

#[derive(Serialize, Deserialize)]
struct File {
    inventory_version: u32,
    target: TargetRow,
    distro: Option<DistroRow>,
    layers: Vec<LayerRow>,
    packages: Vec<PackageRow>,
    #[serde(default)]
    development_excluded: u32,
    #[serde(default)]
    notes: Vec<String>,
    incomplete: Vec<IncompleteRow>,
}

#[derive(Serialize, Deserialize)]
struct TargetRow {
    kind: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    other_digests: Vec<String>,
    tags: Vec<String>,
    #[serde(default)]
    named_by_store: bool,
    platform: Option<String>,
    created: Option<String>,
    labels: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct DistroRow {
    id: String,
    version: String,
    id_like: Vec<String>,
    codename: Option<String>,
    pretty_name: Option<String>,
    /// Date, and whether it had passed.
    end_of_life: Option<(String, bool)>,
}

#[derive(Serialize, Deserialize)]
struct LayerRow {
    index: u32,
    digest: Option<String>,
    diff_id: Option<String>,
    #[serde(default)]
    verified: bool,
    chain_id: Option<String>,
    created_by: Option<String>,
    base: Option<String>,
    role: String,
    role_guessed: bool,
    owner: Option<String>,
    size: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct PackageRow {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    /// Name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    evidence: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    development: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<u32>,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cpe_products: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    folded: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
struct IncompleteRow {
    reason: String,
    place: String,
    offset: Option<u64>,
    message: String,
    hint: Option<String>,
}

const TARGETS: [TargetKind; 4] = [
    TargetKind::Image,
    TargetKind::Filesystem,
    TargetKind::Host,
    TargetKind::Sbom,
];
const ROLES: [Role; 3] = [Role::Base, Role::Middleware, Role::Application];
const REASONS: [IncompleteReason; 6] = [
    IncompleteReason::Corrupt,
    IncompleteReason::Truncated,
    IncompleteReason::LimitReached,
    IncompleteReason::Unsupported,
    IncompleteReason::Unreadable,
    IncompleteReason::NoAdvisories,
];

/// The value whose name is `name`.
fn named<T: Copy>(
    index: usize,
    what: &'static str,
    name: &str,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<T, InventoryError> {
    find(name).ok_or_else(|| InventoryError::Value {
        index,
        what,
        value: name.to_owned(),
    })
}

fn role(index: usize, name: &str) -> Result<Role, InventoryError> {
    named(index, "role", name, |n| {
        ROLES.into_iter().find(|role| role.name() == n)
    })
}

impl File {
    fn of(inventory: &Inventory) -> Self {
        let target = &inventory.target;
        Self {
            inventory_version: INVENTORY_VERSION,
            target: TargetRow {
                kind: target.kind.name().to_owned(),
                name: target.name.clone(),
                place: target.place.clone(),
                digest: target.digest.clone(),
                other_digests: target.other_digests.clone(),
                tags: target.tags.clone(),
                named_by_store: target.named_by_store,
                platform: target.platform.clone(),
                created: target.created.clone(),
                labels: target.labels.clone(),
            },
            distro: inventory.distro.as_ref().map(DistroRow::of),
            layers: inventory.layers.iter().map(LayerRow::of).collect(),
            packages: inventory.packages.iter().map(PackageRow::of).collect(),
            development_excluded: inventory.development_excluded,
            notes: inventory.notes.clone(),
            incomplete: inventory.incomplete.iter().map(IncompleteRow::of).collect(),
        }
    }

    fn into_inventory(self) -> Result<Inventory, InventoryError> {
        let most = self
            .packages
            .len()
            .max(self.layers.len())
            .max(self.notes.len())
            .max(self.incomplete.len());
        if most > MAX_ENTRIES {
            return Err(InventoryError::TooLarge);
        }
        let kind = named(0, "target kind", &self.target.kind, |name| {
            TARGETS.into_iter().find(|kind| kind.name() == name)
        })?;
        let layers: Vec<Layer> = (0..)
            .zip(self.layers)
            .map(|(index, row)| row.into_layer(index))
            .collect::<Result<_, _>>()?;
        let packages = (0..)
            .zip(self.packages)
            .map(|(index, row)| row.into_package(index, layers.len()))
            .collect::<Result<_, _>>()?;
        let incomplete = (0..)
            .zip(self.incomplete)
            .map(|(index, row)| row.into_incomplete(index))
            .collect::<Result<_, _>>()?;
        Ok(Inventory {
            target: Target {
                kind,
                name: self.target.name,
                place: self.target.place,
                digest: self.target.digest,
                other_digests: self.target.other_digests,
                tags: self.target.tags,
                named_by_store: self.target.named_by_store,
                platform: self.target.platform,
                created: self.target.created,
                labels: self.target.labels,
            },
            distro: self.distro.map(DistroRow::into_distro),
            layers,
            packages,
            development_excluded: self.development_excluded,
            notes: self.notes,
            incomplete,
        })
    }
}

impl DistroRow {
    fn of(distro: &Distro) -> Self {
        Self {
            id: distro.id.clone(),
            version: distro.version.clone(),
            id_like: distro.id_like.clone(),
            codename: distro.codename.clone(),
            pretty_name: distro.pretty_name.clone(),
            end_of_life: distro
                .end_of_life
                .as_ref()
                .map(|end| (end.date.clone(), end.passed)),
        }
    }

    fn into_distro(self) -> Distro {
        Distro {
            id: self.id,
            version: self.version,
            id_like: self.id_like,
            codename: self.codename,
            pretty_name: self.pretty_name,
            end_of_life: self
                .end_of_life
                .map(|(date, passed)| EndOfLife { date, passed }),
        }
    }
}

impl LayerRow {
    fn of(layer: &Layer) -> Self {
        Self {
            index: layer.index,
            digest: layer.digest.clone(),
            diff_id: layer.diff_id.clone(),
            verified: layer.verified,
            chain_id: layer.chain_id.clone(),
            created_by: layer.created_by.clone(),
            base: layer.base.clone(),
            role: layer.role.name().to_owned(),
            role_guessed: layer.role_guessed,
            owner: layer.owner.clone(),
            size: layer.size,
        }
    }

    fn into_layer(self, index: usize) -> Result<Layer, InventoryError> {
        Ok(Layer {
            role: role(index, &self.role)?,
            index: self.index,
            digest: self.digest,
            diff_id: self.diff_id,
            verified: self.verified,
            chain_id: self.chain_id,
            created_by: self.created_by,
            base: self.base,
            role_guessed: self.role_guessed,
            owner: self.owner,
            size: self.size,
        })
    }
}

impl PackageRow {
    fn of(package: &Package) -> Self {
        let source = package.source.as_ref();
        Self {
            kind: package.kind.name().to_owned(),
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            source: source.map(|source| (source.name.clone(), source.version.clone())),
            vendor: package.vendor.clone(),
            module: package.module.clone(),
            licenses: package.licenses.clone(),
            paths: package.paths.clone(),
            evidence: package.evidence.name().to_owned(),
            development: package.development,
            layer: package.layer,
            role: package.role.name().to_owned(),
            owner: package.owner.clone(),
            cpe_products: package.cpe_products.clone(),
            folded: package.folded,
        }
    }

    fn into_package(self, index: usize, layers: usize) -> Result<Package, InventoryError> {
        if let Some(layer) = self.layer.filter(|layer| *layer as usize >= layers) {
            return Err(InventoryError::Layer {
                index,
                layer,
                layers,
            });
        }
        Ok(Package {
            kind: named(index, "package type", &self.kind, PackageType::from_name)?,
            evidence: named(index, "evidence", &self.evidence, Evidence::from_name)?,
            role: role(index, &self.role)?,
            name: self.name,
            version: self.version,
            architecture: self.architecture,
            source: self
                .source
                .map(|(name, version)| SourcePackage { name, version }),
            vendor: self.vendor,
            module: self.module,
            licenses: self.licenses,
            paths: self.paths,
            development: self.development,
            layer: self.layer,
            owner: self.owner,
            cpe_products: self.cpe_products,
            folded: self.folded,
        })
    }
}

impl IncompleteRow {
    fn of(incomplete: &Incomplete) -> Self {
        Self {
            reason: incomplete.reason.name().to_owned(),
            place: incomplete.place.clone(),
            offset: incomplete.offset,
            message: incomplete.message.clone(),
            hint: incomplete.hint.clone(),
        }
    }

    fn into_incomplete(self, index: usize) -> Result<Incomplete, InventoryError> {
        let reason = named(index, "reason", &self.reason, |name| {
            REASONS.into_iter().find(|reason| reason.name() == name)
        })?;
        Ok(Incomplete {
            reason,
            place: self.place,
            offset: self.offset,
            message: self.message,
            hint: self.hint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn stored(inventory: &Inventory) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(inventory, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_inventory_reads_back_without_loss() {
        let inventory = testing::inventory();
        assert_eq!(read(&stored(&inventory)).unwrap(), inventory);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = String::from_utf8(stored(&testing::inventory())).unwrap();
        for (bad, expected) in [
            (String::new(), "not a stored inventory"),
            ("{}".to_owned(), "missing field `inventory_version`"),
            (good.replacen(":1,", ":9,", 1), "has version 9"),
            (
                good.replace("\"type\":\"deb\"", "\"type\":\"dab\""),
                "package type `dab`",
            ),
            (
                good.replace("\"layer\":1", "\"layer\":77"),
                "names layer 77, but there are 3",
            ),
            (
                good.get(..good.len() / 2).unwrap().to_owned(),
                "EOF while parsing",
            ),
            (
                "{\"inventory_version\":1,\"x\":".to_owned() + &"[".repeat(100_000),
                "EOF while parsing a list",
            ),
        ] {
            let error = read(bad.as_bytes()).unwrap_err().to_string();
            assert!(
                error.contains(expected),
                "{error} should contain {expected}"
            );
        }
    }

    #[test]
    fn a_damaged_inventory_is_an_error_and_never_a_panic() {
        let good = stored(&testing::inventory());
        for end in 0..good.len() - 1 {
            assert!(read(&good[..end]).is_err(), "cut at {end}");
        }
        for at in 0..good.len() {
            for byte in [0, b'"', b'9', 0xff] {
                let mut bad = good.clone();
                bad[at] = byte;
                drop(read(&bad));
            }
        }
    }
}
