use super::*;
use seawall_artifact::Content;
use std::fmt::Write as _;
use std::path::PathBuf;

/// A header of string and number tags, as rpm writes them.
struct HeaderBuilder {
    index: Vec<u8>,
    data: Vec<u8>,
}

impl HeaderBuilder {
    fn new() -> Self {
        Self {
            index: Vec::new(),
            data: Vec::new(),
        }
    }

    fn entry(mut self, tag: u32, kind: u32, count: usize, value: &[u8]) -> Self {
        if kind == 4 {
            self.data.resize(self.data.len().next_multiple_of(4), 0);
        }
        let offset = u32::try_from(self.data.len()).unwrap();
        let count = u32::try_from(count).unwrap();
        for number in [tag, kind, offset, count] {
            self.index.extend(number.to_be_bytes());
        }
        self.data.extend(value);
        self
    }

    fn string(self, tag: u32, value: &str) -> Self {
        self.entry(tag, 6, 1, format!("{value}\0").as_bytes())
    }

    fn strings(self, tag: u32, values: &[&str]) -> Self {
        let value: String = values.iter().map(|value| format!("{value}\0")).collect();
        self.entry(tag, 8, values.len(), value.as_bytes())
    }

    fn numbers(self, tag: u32, values: &[u32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|n| n.to_be_bytes()).collect();
        self.entry(tag, 4, values.len(), &bytes)
    }

    fn build(self) -> Vec<u8> {
        let entries = u32::try_from(self.index.len() / 16).unwrap();
        let bytes = u32::try_from(self.data.len()).unwrap();
        let mut blob = entries.to_be_bytes().to_vec();
        blob.extend(bytes.to_be_bytes());
        blob.extend(self.index);
        blob.extend(self.data);
        blob
    }
}

fn example(name: &str) -> Vec<u8> {
    HeaderBuilder::new()
        .string(header::NAME, name)
        .string(header::VERSION, "1.2")
        .string(header::RELEASE, "3.el9")
        .numbers(header::EPOCH, &[4])
        .string(header::VENDOR, "Example")
        .string(header::LICENSE, "MIT")
        .string(header::ARCHITECTURE, "x86_64")
        .string(header::SOURCE_RPM, "example-source-1.2-3.el9.src.rpm")
        .string(header::MODULARITY_LABEL, "example:1:20240101:abc")
        .strings(1117, &["a", "b", "c"])
        .strings(1118, &["/usr/bin/", "/etc/"])
        .numbers(1116, &[0, 1, 7])
        .build()
}

/// A header that needs overflow pages.
fn large(name: &str) -> Vec<u8> {
    let text = "long ".repeat(900);
    HeaderBuilder::new()
        .string(header::NAME, name)
        .string(header::VERSION, "1")
        .string(1005, &text)
        .build()
}

fn sqlite_of(blobs: &[Vec<u8>]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rpmdb.sqlite");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
             CREATE TABLE 'Name' (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL);",
        )
        .unwrap();
    for blob in blobs {
        connection
            .execute("INSERT INTO Packages (blob) VALUES (?1)", [blob])
            .unwrap();
    }
    drop(connection);
    std::fs::read(path).unwrap()
}

fn ndb_of(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"RpmP".to_vec();
    for number in [0_u32, 1, 1, 0, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    let mut body = Vec::new();
    for (index, blob) in (1_u32..).zip(blobs) {
        let start = 4096 + body.len();
        bytes.extend(b"Slot");
        for number in [index, u32::try_from(start / 16).unwrap(), 0] {
            bytes.extend(number.to_le_bytes());
        }
        body.extend(b"BlbS");
        for number in [index, 0, u32::try_from(blob.len()).unwrap()] {
            body.extend(number.to_le_bytes());
        }
        body.extend(blob);
        body.resize(body.len().next_multiple_of(16), 0);
    }
    while bytes.len() < 4096 {
        bytes.extend(b"Slot\0\0\0\0\0\0\0\0\0\0\0\0");
    }
    bytes.extend(body);
    bytes
}

/// A hash table of one page with one key and one value on overflow pages for each blob.
fn bdb_of(blobs: &[Vec<u8>]) -> Vec<u8> {
    const PAGE: usize = 512;
    let mut overflow: Vec<u8> = Vec::new();
    let mut table = vec![0; PAGE];
    table[25] = 13;
    table[20..22].copy_from_slice(&u16::try_from(blobs.len() * 2).unwrap().to_le_bytes());
    let mut end = PAGE;
    for (index, blob) in blobs.iter().enumerate() {
        let first = u32::try_from(2 + overflow.len() / PAGE).unwrap();
        let chunks = blob.len().div_ceil(PAGE - 26);
        for (number, chunk) in blob.chunks(PAGE - 26).enumerate() {
            let mut page = vec![0; PAGE];
            let next = match number + 1 < chunks {
                true => first + u32::try_from(number).unwrap() + 1,
                false => 0,
            };
            page[16..20].copy_from_slice(&next.to_le_bytes());
            page[22..24].copy_from_slice(&u16::try_from(chunk.len()).unwrap().to_le_bytes());
            page[25] = 7;
            page[26..26 + chunk.len()].copy_from_slice(chunk);
            overflow.extend(page);
        }
        let key = end - 5;
        let value = key - 12;
        table[key] = 1;
        table[value] = 3;
        table[value + 4..value + 8].copy_from_slice(&first.to_le_bytes());
        let length = u32::try_from(blob.len()).unwrap();
        table[value + 8..value + 12].copy_from_slice(&length.to_le_bytes());
        for (place, at) in [(2 * index, key), (2 * index + 1, value)] {
            let at = u16::try_from(at).unwrap();
            table[26 + 2 * place..28 + 2 * place].copy_from_slice(&at.to_le_bytes());
        }
        end = value;
    }
    let mut bytes = vec![0; PAGE];
    bytes[12..16].copy_from_slice(&0x0006_1561_u32.to_le_bytes());
    bytes[20..24].copy_from_slice(&512_u32.to_le_bytes());
    let last = u32::try_from(1 + overflow.len() / PAGE).unwrap();
    bytes[32..36].copy_from_slice(&last.to_le_bytes());
    bytes[88..92].copy_from_slice(&u32::try_from(blobs.len()).unwrap().to_le_bytes());
    bytes.extend(table);
    bytes.extend(overflow);
    bytes
}

type Format = (&'static str, fn(&[Vec<u8>]) -> Vec<u8>);

const FORMATS: &[Format] = &[("sqlite", sqlite_of), ("ndb", ndb_of), ("bdb", bdb_of)];

fn parse(bytes: &[u8]) -> (Found, Result<(), AnalyzeError>) {
    let mut found = Found::default();
    let result = parse_database("var/lib/rpm/Packages", bytes, &mut found);
    (found, result)
}

#[test]
fn every_format_gives_the_same_packages() {
    let key = HeaderBuilder::new()
        .string(header::NAME, "gpg-pubkey")
        .string(header::VERSION, "1")
        .build();
    let blobs = [example("one"), key, large("two")];
    for (format, build) in FORMATS {
        let (found, result) = parse(&build(&blobs));
        assert!(result.is_ok(), "{format}: {result:?}");
        assert!(
            found.incomplete.is_empty(),
            "{format}: {:?}",
            found.incomplete
        );
        let names: Vec<&str> = found.packages.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["one", "two"], "{format}");
        let package = &found.packages[0];
        assert_eq!(package.version, "4:1.2-3.el9");
        assert_eq!(package.architecture.as_deref(), Some("x86_64"));
        assert_eq!(package.vendor.as_deref(), Some("Example"));
        assert_eq!(package.module.as_deref(), Some("example:1:20240101:abc"));
        assert_eq!(package.licenses, ["MIT"]);
        let source = package.source.as_ref().unwrap();
        assert_eq!(
            (source.name.as_str(), source.version.as_str()),
            ("example-source", "4:1.2-3.el9")
        );
        // The third file names a directory that there is not.
        assert_eq!(found.owned[0].paths, ["usr/bin/a", "etc/b"]);
        assert_eq!(found.packages[1].version, "1");
    }
}

#[test]
fn a_table_of_many_pages_is_read_whole() {
    let blobs: Vec<Vec<u8>> = (0..500).map(|n| example(&format!("package-{n}"))).collect();
    let (found, result) = parse(&sqlite_of(&blobs));
    assert!(result.is_ok());
    assert_eq!(found.packages.len(), 500);
}

#[test]
fn every_truncation_is_survived_and_said() {
    for (format, build) in FORMATS {
        let bytes = build(&[example("one"), large("two")]);
        let step = if *format == "sqlite" { 97 } else { 1 };
        for end in (0..bytes.len()).step_by(step) {
            let (found, result) = parse(&bytes[..end]);
            let whole = found.packages.len() == 2;
            assert!(
                result.is_err() || !found.incomplete.is_empty() || whole,
                "{format} cut at {end} of {}",
                bytes.len()
            );
        }
    }
}

#[test]
fn every_changed_byte_is_survived() {
    for (format, build) in FORMATS {
        let mut bytes = build(&[example("one"), large("two")]);
        let step = if *format == "sqlite" { 31 } else { 3 };
        for at in (0..bytes.len()).step_by(step) {
            for value in [0, 0x7f, 0xff] {
                let old = std::mem::replace(&mut bytes[at], value);
                drop(parse(&bytes));
                bytes[at] = old;
            }
        }
    }
}

#[test]
fn packages_in_damaged_places_of_a_hash_table_were_left_out() {
    const PAGE: usize = 512;
    let whole = bdb_of(&[example("bash"), example("zlib")]);
    // The place of the last package's value, and the value.
    let place = PAGE + 26 + 2 * 3;
    let value = PAGE + usize::from(u16::from_le_bytes([whole[place], whole[place + 1]]));
    let changes: [(usize, &[u8], &str); 4] = [
        (value, &[9], "of no known kind"),
        (value, &[2], "of no known kind"),
        (place, &[0xff, 0xff], "of no known kind"),
        (
            PAGE + 20,
            &[2, 0],
            "2 entries by its own count, but 1 were found",
        ),
    ];
    for (at, bytes, message) in changes {
        let mut damaged = whole.clone();
        damaged[at..at + bytes.len()].copy_from_slice(bytes);
        let (found, result) = parse(&damaged);
        let said = found.incomplete.iter().map(|it| it.message.clone());
        let said = said.chain(result.err().map(|error| error.message));
        let said = said.collect::<Vec<_>>().join("; ");
        assert!(said.contains(message), "{said}");
        assert_eq!(found.packages.len(), 1, "{said}");
    }
}

#[test]
fn rows_that_share_their_overflow_pages_do_not_fill_the_memory() {
    // Every slot names the same blob.
    let mut bytes = ndb_of(&[large("one")]);
    let slot = bytes[32..48].to_vec();
    for at in (48..4096).step_by(16) {
        bytes[at..at + 16].copy_from_slice(&slot);
    }
    let (found, _) = parse(&bytes);
    assert_eq!(found.packages.len(), 1);
    assert!(!found.incomplete.is_empty());
}

#[test]
fn one_directory_for_any_number_of_files_does_not_fill_the_memory() {
    let directory = format!("/{}/", "d".repeat(4_000));
    let names = vec!["n"; 60_000];
    let blob = HeaderBuilder::new()
        .strings(1118, &[&directory])
        .strings(1117, &names)
        .numbers(1116, &vec![0; names.len()])
        .build();
    let header = Header::parse(&blob).unwrap();
    let mut found = Found::default();
    for _ in 0..3 {
        found.own("x", header.files());
    }
    let kept: usize = found.owned.iter().map(|owned| owned.paths.len()).sum();
    assert!(kept < (256 << 20) / 4_000, "{kept}");
    found.note_left_out("var/lib/rpm/Packages");
    assert_eq!(found.incomplete.len(), 1);
}

#[test]
fn a_journal_is_said_not_to_be_read() {
    let content = Content::from_bytes(vec![1]);
    let file = File {
        path: "var/lib/rpm/rpmdb.sqlite-wal",
        mode: 0o644,
        content: &content,
    };
    let mut found = Found::default();
    Rpm.analyze(&file, &mut found).unwrap();
    assert_eq!(found.incomplete.len(), 1);
}

#[test]
fn the_manifest_of_images_without_rpm_is_read() {
    let mut found = Found::default();
    parse_manifest(
        "glibc\t2.35-7.cm2\t1\t1\tMicrosoft\t(none)\t1\tx86_64\t0\tglibc-2.35-7.cm2.src.rpm\n\
         gpg-pubkey\t1-2\t1\t1\t(none)\t(none)\t0\t(none)\t0\t(none)\n\
         epoch\t1-2\t1\t1\t(none)\t3\t1\tnoarch\t3\t(none)\nshort\n",
        &mut found,
    );
    let mut text = String::new();
    for package in &found.packages {
        let source = package.source.as_ref().map_or("-", |s| s.name.as_str());
        write!(text, "{} {} {source}; ", package.name, package.version).unwrap();
    }
    assert_eq!(text, "glibc 2.35-7.cm2 glibc; epoch 3:1-2 -; ");
}

/// Databases as distributions ship them, with the number of packages that `rpm -qa` lists, without
/// `gpg-pubkey`.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the compressed samples are ours, and small"
)]
fn databases_of_distributions_are_read_whole() {
    let folder = std::env::var_os("SEAWALL_DATA")
        .map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    for (name, packages, first) in [
        ("amazonlinux2023.rpmdb.sqlite", 102, "alternatives"),
        ("cbl-mariner-2.0.rpmdb.sqlite", 129, "bash"),
        ("libuuid.bdb.Packages", 1, "libuuid"),
    ] {
        let path = folder.join("packages/rpmdb").join(format!("{name}.zst"));
        let Ok(file) = std::fs::File::open(&path) else {
            println!("skipped: {} is not here", path.display());
            continue;
        };
        let bytes = zstd::decode_all(file).unwrap();
        let (found, result) = parse(&bytes);
        assert!(result.is_ok(), "{name}: {result:?}");
        assert_eq!(found.incomplete, [], "{name}");
        assert_eq!(found.packages.len(), packages, "{name}");
        assert!(found.packages.iter().any(|p| p.name == first), "{name}");
    }
}
