use crate::analyzers::executable::Executable;
use crate::analyzers::{AnalyzeError, Found, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;

/// Bytes of the compressed list. That of a program with 1,000 crates has about 30 KiB.
const MAX_COMPRESSED: usize = 8 << 20;
/// Bytes of the list.
const MAX_LIST: usize = 64 << 20;

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `crates.io`, `git`, `local`, `registry`.
    #[serde(default)]
    source: String,
    /// `runtime` or `build`.
    #[serde(default)]
    kind: String,
    /// Whether this is the program itself.
    #[serde(default)]
    root: bool,
}

/// Reads the list that cargo-auditable leaves in section `.dep-v0`, zlib-compressed JSON
/// (<https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>).
pub(in crate::analyzers) fn read_executable(
    executable: &Executable<'_>,
    found: &mut Found,
) -> Result<(), AnalyzeError> {
    let Some(section) = executable.section(".dep-v0", MAX_COMPRESSED)? else {
        return Ok(());
    };
    add_list(&section, found)
}

fn add_list(section: &[u8], found: &mut Found) -> Result<(), AnalyzeError> {
    let json = seawall_artifact::inflate_zlib(section, MAX_LIST).map_err(|error| {
        AnalyzeError::corrupt(format!("cannot decompress the crates in .dep-v0: {error}"))
    })?;
    let list: List = document::json_from(&json)?;
    for krate in list.packages {
        // The crates that the program's own workspace is divided into, which no registry knows. The
        // program itself is listed: advisories are published for programs too.
        let is_inner = krate.source == "local" && !krate.root;
        if is_inner || krate.name.is_empty() || krate.version.is_empty() {
            continue;
        }
        let mut package = Package::new(
            PackageType::Cargo,
            krate.name,
            krate.version,
            Evidence::Installed,
        );
        // Ran while the program was built and is no part of it.
        package.development = krate.kind == "build";
        found.add(package);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::lines;

    /// `{"packages":[...]}` as zlib without compression (RFC 1950, RFC 1951 section 3.2.4).
    fn stored(json: &[u8]) -> Vec<u8> {
        let length = (json.len() as u16).to_le_bytes();
        let (mut a, mut b) = (1u32, 0u32);
        for byte in json {
            a = (a + u32::from(*byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        let complement = length.map(|byte| !byte);
        [
            &[0x78, 0x01, 0x01][..],
            &length,
            &complement,
            json,
            &(b << 16 | a).to_be_bytes(),
        ]
        .concat()
    }

    #[test]
    fn audit() {
        let json = br#"{"packages":[
            {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1,2,3]},
            {"name":"app-core","version":"0.1.0","source":"local"},
            {"name":"serde","version":"1.0.1","source":"crates.io"},
            {"name":"cc","version":"1.0.2","source":"crates.io","kind":"build"}]}"#;
        let mut found = Found::default();
        add_list(&stored(json), &mut found).unwrap();
        assert_eq!(lines(&found), ["app 0.1.0", "serde 1.0.1", "cc 1.0.2 dev"]);
        assert!(add_list(&stored(json)[..40], &mut Found::default()).is_err());
        assert!(add_list(b"no zlib", &mut Found::default()).is_err());
    }
}
