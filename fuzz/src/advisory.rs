//! Advisory feeds, what they say, and the database that they become.

use crate::edits;
use seawall_advisory::build::Builder;
use seawall_advisory::database::{Database, OpenOptions};
use seawall_advisory::importers::{self, FeedFile, Records};
use seawall_advisory::update::Feeds;
use seawall_advisory::{Upper, VersionRange, cvss, delta, versions};
use seawall_model::{Evidence, Inventory, Package, PackageType, Target, VersionScheme};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::sync::OnceLock;

/// A name for each form that a feed's files have.
const FILE_NAMES: &[&str] = &["feed/a.json", "feed/a.yml"];

pub(crate) fn import(name: &str, data: &[u8]) {
    let importer = importers::ALL
        .iter()
        .find(|importer| importer.name() == name);
    let importer = importer.unwrap_or_else(|| panic!("'{name}' is not an importer"));
    for name in FILE_NAMES {
        let file = FeedFile { name, bytes: data };
        importer.recognizes(&file);
    }
    let file = FeedFile {
        name: FILE_NAMES[0],
        bytes: data,
    };
    let mut records = Records::default();
    importer.import(&file, &mut records);
    drop(build(records));
}

fn build(records: Records) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.add(records);
    builder
        .finish()
        .expect("records of a small file can be built")
        .bytes
}

pub(crate) fn cvss(data: &[u8]) {
    if let Ok(vector) = std::str::from_utf8(data)
        && let Some(parsed) = cvss::parse(vector, "nvd")
    {
        assert!(
            (0.0..=10.0).contains(&parsed.score),
            "{vector}: {}",
            parsed.score
        );
    }
}

/// The scheme that the first line names, and the other lines.
fn lines(data: &[u8]) -> Option<(VersionScheme, std::str::Split<'_, char>)> {
    let mut lines = std::str::from_utf8(data).ok()?.split('\n');
    let scheme = VersionScheme::from_name(lines.next()?)?;
    Some((scheme, lines))
}

/// Versions have an order: each equals itself, none is both above and below another, and what is
/// above the greater of two is above the lesser.
pub(crate) fn versions(data: &[u8]) {
    let Some((scheme, mut lines)) = lines(data) else {
        return;
    };
    let mut next = || lines.next().unwrap_or_default();
    let (a, b, c) = (next(), next(), next());
    let compare = |a: &str, b: &str| versions::compare(scheme, a, b).ok();
    for version in [a, b, c] {
        let valid = versions::validate(scheme, version).is_ok();
        assert_eq!(
            compare(version, version),
            valid.then_some(Ordering::Equal),
            "{version}"
        );
    }
    assert_eq!(
        compare(a, b),
        compare(b, a).map(Ordering::reverse),
        "{a} {b}"
    );
    if let (Some(first), Some(second), Some(whole)) = (compare(a, b), compare(b, c), compare(a, c))
    {
        let expected = match (first, second) {
            (Ordering::Equal, other) | (other, Ordering::Equal) => Some(other),
            (first, second) => (first == second).then_some(first),
        };
        assert!(
            expected.is_none_or(|expected| whole == expected),
            "{a} {b} {c}: {whole:?}"
        );
    }
}

/// A version, where a range begins, and where it ends.
pub(crate) fn ranges(data: &[u8]) {
    let Some((scheme, mut lines)) = lines(data) else {
        return;
    };
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let (version, begin, end) = (next(), next(), next());
    for upper in [
        Upper::Fixed(end.clone()),
        Upper::Before(end.clone()),
        Upper::LastAffected(end),
        Upper::Open,
    ] {
        let mut range = VersionRange::new(Some(begin.clone()), upper);
        drop(versions::contains(scheme, &version, &range));
        range.introduced_exclusive = true;
        drop(versions::contains(scheme, &version, &range));
    }
}

pub(crate) fn feed_list(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        drop(Feeds::parse(text));
    }
}

/// A small database of every kind of record.
fn sample() -> &'static [u8] {
    static SAMPLE: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let sample = build(sample_records());
        let mut resealed = sample.clone();
        make_checksums_right(&mut resealed, table_at(&sample));
        assert!(
            resealed == sample,
            "edited files would all be refused for their checksums"
        );
        sample
    })
}

fn sample_records() -> Records {
    macro_rules! sample {
        ($folder:literal, $file:literal) => {
            include_bytes!(concat!(
                "../../crates/seawall-advisory/src/importers/",
                $folder,
                "/samples/",
                $file
            ))
        };
    }
    let samples: [(&str, &[u8]); 5] = [
        ("osv", sample!("osv", "records.jsonl")),
        ("debian", sample!("debian", "tracker.json")),
        ("kev", sample!("kev", "catalogue.json")),
        ("epss", sample!("epss", "scores.csv")),
        ("cnnvd", sample!("cnnvd", "year.xml")),
    ];
    let mut records = Records::default();
    for (name, bytes) in samples {
        let importer = importers::ALL
            .iter()
            .find(|importer| importer.name() == name);
        let importer = importer.unwrap_or_else(|| panic!("'{name}' is not an importer"));
        importer.import(&FeedFile { name, bytes }, &mut records);
    }
    records
}

/// Where the header keeps what is needed here: see `database/layout.rs`.
const HEADER_LEN: usize = 1024;
const BLOCK_LEN: usize = 64 << 10;
const TABLE_AT: usize = 24;
const ROOT_AT: usize = 32;
const CHECKSUM_AT: usize = HEADER_LEN - 32;

/// Writes the checksums that the content calls for. The table of blocks stays where it is.
fn make_checksums_right(file: &mut [u8], table_at: usize) {
    let (data, table) = file.split_at_mut(table_at);
    for (block, hash) in data[HEADER_LEN..]
        .chunks(BLOCK_LEN)
        .zip(table.chunks_exact_mut(32))
    {
        hash.copy_from_slice(blake3::hash(block).as_bytes());
    }
    data[ROOT_AT..ROOT_AT + 32].copy_from_slice(&Sha256::digest(&*table));
    let checksum = Sha256::digest(&data[..CHECKSUM_AT]);
    data[CHECKSUM_AT..HEADER_LEN].copy_from_slice(&checksum);
}

fn table_at(file: &[u8]) -> usize {
    let bytes = file[TABLE_AT..]
        .first_chunk()
        .expect("a database has a header");
    u64::from_le_bytes(*bytes) as usize
}

pub(crate) fn database(data: &[u8]) {
    let mut file = sample().to_vec();
    let table_at = table_at(&file);
    edits::apply(&mut file, table_at, data);
    make_checksums_right(&mut file, table_at);
    let Ok(database) = Database::from_bytes(file, &OpenOptions::default()) else {
        return;
    };
    drop(database.status());
    drop(database.query("CVE-2024-10001"));
    drop(database.query("DSA-9001-1"));
    drop(database.records());
    drop(database.match_inventory(&sample_inventory()));
}

fn sample_inventory() -> Inventory {
    Inventory {
        target: Target::default(),
        distro: None,
        layers: Vec::new(),
        packages: vec![Package::new(
            PackageType::Npm,
            "left-shelf",
            "1.0.0",
            Evidence::Installed,
        )],
        development_excluded: 0,
        notes: Vec::new(),
        incomplete: Vec::new(),
    }
}

/// Edits of the changes that a delta holds, which are packed and summed up anew.
pub(crate) fn delta(data: &[u8]) {
    static BEFORE: OnceLock<(Database, Vec<u8>)> = OnceLock::new();
    const LENGTH_AT: usize = 172;
    const CHANGES_AT: usize = 180;
    let (before, delta) = BEFORE.get_or_init(|| {
        let open = |bytes| Database::from_bytes(bytes, &OpenOptions::default());
        let before = open(build(Records::default())).expect("an empty database opens");
        let after = open(sample().to_vec()).expect("the sample opens");
        let delta = delta::create(&before, &after).expect("there is a delta between sound files");
        (before, delta)
    });
    let raw_len = delta[LENGTH_AT..]
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let packed = &delta[CHANGES_AT..delta.len() - 32];
    let mut changes = zstd::bulk::decompress(packed, raw_len as usize).expect("it is sound");
    let end = changes.len();
    edits::apply(&mut changes, end, data);
    let mut edited = delta[..CHANGES_AT].to_vec();
    edited.extend(zstd::bulk::compress(&changes, 1).expect("memory takes everything"));
    let checksum = Sha256::digest(&edited);
    edited.extend_from_slice(&checksum);
    drop(delta::apply(before, &edited, &OpenOptions::default()));
}
