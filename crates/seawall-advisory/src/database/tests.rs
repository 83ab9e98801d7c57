use super::{Database, DatabaseError, OpenOptions, SignatureState, sign, write_file};
use crate::build::Builder;
use crate::importers::Records;
use crate::signature::SecretKey;
use crate::{
    Advisory, Affected, CnnvdEntry, CoveredFlaw, EpssEntry, KevEntry, NameKind, Source, State,
    Upper,
};
use seawall_model::{
    Ecosystem, Evidence, Inventory, Package, PackageIndex, PackageType, Severity, Target,
};

/// A record of every kind, with every field in use.
fn sample() -> Records {
    let mut row = Affected::new(Ecosystem::PyPi, "Django", NameKind::Binary, State::Affected)
        .until(Upper::Fixed("4.2".to_owned()));
    row.versions = vec!["4.1".to_owned(), "4.0".to_owned()];
    row.architectures = vec!["any".to_owned()];
    row.severity = Some(Severity::Low);
    let mut modular = row.clone();
    modular.module = Some("python:3".to_owned());
    Records {
        advisories: vec![
            Advisory {
                aliases: vec!["CVE-2024-1111".to_owned(), "PYSEC-2024-1".to_owned()],
                title: "  A title\nin two lines ".to_owned(),
                description: "What it is.".to_owned(),
                published: Some("2024-01-01".to_owned()),
                modified: Some("2024-02-01T00:00:00Z".to_owned()),
                severity: Some(Severity::High),
                cvss: crate::cvss::parse("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "ghsa")
                    .into_iter()
                    .collect(),
                cwes: vec!["CWE-79".to_owned()],
                references: vec!["https://example.com/a".to_owned()],
                affected: vec![row.clone(), modular, row],
                ..Advisory::new("GHSA-1111-1111-1111", Source::GitHub)
            },
            Advisory {
                covers: vec![
                    CoveredFlaw::new("CVE-2024-1111"),
                    CoveredFlaw::new("CVE-2024-2222"),
                ],
                withdrawn: Some("2024-03-01".to_owned()),
                ..Advisory::new("DSA-1", Source::Debian)
            },
        ],
        kev: vec![KevEntry {
            cve: "CVE-2024-1111".to_owned(),
            date_added: Some("2024-01-05".to_owned()),
            due_date: None,
            ransomware: false,
        }],
        epss: vec![
            EpssEntry {
                cve: "CVE-2024-1111".to_owned(),
                score: 0.5,
                percentile: 0.25,
            },
            EpssEntry {
                cve: "CVE-2023-0001".to_owned(),
                score: 0.000_43,
                percentile: 1.0,
            },
        ],
        cnnvd: vec![CnnvdEntry {
            id: "CNNVD-202401-001".to_owned(),
            cves: vec!["CVE-2024-1111".to_owned()],
            title: "标题".to_owned(),
            description: "描述".to_owned(),
            severity: Some(Severity::Medium),
        }],
        ..Records::default()
    }
}

fn build(records: Records) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.add(records);
    builder.finish().unwrap().bytes
}

fn open(bytes: Vec<u8>) -> Result<Database, DatabaseError> {
    Database::from_bytes(bytes, &OpenOptions::default())
}

fn inventory() -> Inventory {
    Inventory {
        target: Target::default(),
        distro: None,
        layers: Vec::new(),
        development_excluded: Default::default(),
        notes: Vec::new(),
        packages: vec![Package::new(
            PackageType::PyPi,
            "django",
            "4.1",
            Evidence::Installed,
        )],
        incomplete: Vec::new(),
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_order_of_records() {
    let records = sample();
    let mut shuffled = records.clone();
    shuffled.advisories.reverse();
    for advisory in &mut shuffled.advisories {
        advisory.affected.reverse();
        advisory.aliases.reverse();
        advisory.covers.reverse();
    }
    shuffled.epss.reverse();
    // The same records once more change nothing.
    shuffled.advisories.extend(records.advisories.clone());
    shuffled.kev.extend(records.kev.clone());
    assert_eq!(build(records), build(shuffled));
}

#[test]
fn a_database_built_from_its_own_records_is_the_same() {
    let bytes = build(sample());
    let records = open(bytes.clone()).unwrap().records().unwrap();
    assert_eq!(build(records), bytes);
}

#[test]
fn listed_versions_are_kept_only_where_no_range_holds_them() {
    let mut records = sample();
    for row in &mut records.advisories[0].affected {
        row.versions.push("5.1".to_owned());
    }
    let kept = open(build(records)).unwrap().records().unwrap();
    for row in &kept.advisories[1].affected {
        assert_eq!(row.versions, ["5.1"]);
    }
    assert_eq!(kept.advisories[1].affected.len(), 2);
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = build(sample());
    let expected = open(bytes.clone())
        .unwrap()
        .match_inventory(&inventory())
        .unwrap();
    assert_eq!(expected.findings[0].package, PackageIndex(0));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        let refused = open(damaged).and_then(|database| {
            database.check_all()?;
            database.records()?;
            database.match_inventory(&inventory())
        });
        assert!(refused.is_err(), "byte {at}");
    }
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = build(sample());
    for len in 0..bytes.len() {
        let error = open(bytes[..len].to_vec()).err().unwrap();
        assert!(
            matches!(
                error,
                DatabaseError::Damaged { .. } | DatabaseError::NotADatabase
            ),
            "{len}: {error}"
        );
    }
}

#[test]
fn hostile_content_under_right_checksums_does_not_panic() {
    // Whoever can make a database can make any content, with checksums that are right.
    let bytes = build(sample());
    let header = super::Header::decode(&bytes).unwrap();
    for at in super::HEADER_LEN..header.table_at as usize {
        for value in [0, 0x41, 0xff] {
            let mut sections: [Vec<u8>; super::Section::COUNT] = Default::default();
            for (section, (offset, len)) in sections.iter_mut().zip(header.sections) {
                let (start, end) = (offset as usize, (offset + len) as usize);
                *section = bytes[start..end].to_vec();
                if (start..end).contains(&at) {
                    section[at - start] = value;
                }
            }
            // Whether it is refused depends on the byte; that it returns is what counts.
            let Ok(database) = open(super::assemble(&sections)) else {
                continue;
            };
            drop(database.records());
            drop(database.match_inventory(&inventory()));
        }
    }
}

#[test]
fn signatures_are_asked_for_when_keys_are_trusted() {
    let (key, stranger) = (
        SecretKey::generate().unwrap(),
        SecretKey::generate().unwrap(),
    );
    let trusting = OpenOptions {
        trusted_keys: vec![key.public()],
    };
    let unsigned = build(sample());
    let mut signed = unsigned.clone();
    sign(&mut signed, &key).unwrap();
    let mut strange = unsigned.clone();
    sign(&mut strange, &stranger).unwrap();

    let database = Database::from_bytes(signed.clone(), &trusting).unwrap();
    assert_eq!(
        database.signature(),
        SignatureState::Valid {
            key: key.public(),
            trusted: true
        }
    );
    assert_eq!(database.digest(), open(unsigned.clone()).unwrap().digest());
    assert!(matches!(
        Database::from_bytes(unsigned, &trusting),
        Err(DatabaseError::Unsigned)
    ));
    assert!(matches!(
        Database::from_bytes(strange.clone(), &trusting),
        Err(DatabaseError::UntrustedKey { .. })
    ));
    // A signature that belongs to something else is refused even where none is asked for.
    let mut header = super::Header::decode(&strange).unwrap();
    header.signature[3] ^= 1;
    super::set_header(&mut strange, &header).unwrap();
    assert!(matches!(open(strange), Err(DatabaseError::WrongSignature)));
}

#[test]
fn a_newer_format_is_named() {
    let mut bytes = build(sample());
    bytes[8] = 5;
    let error = open(bytes).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the advisory database has format version 5, this program reads 4"
    );
    assert!(error.hint().contains("update seawall"));
}

#[test]
fn a_file_is_replaced_whole_and_the_open_one_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/advisories.db");
    assert!(matches!(
        Database::open(&path, &OpenOptions::default()),
        Err(DatabaseError::Io { .. })
    ));
    write_file(&path, &build(sample())).unwrap();
    let old = Database::open(&path, &OpenOptions::default()).unwrap();
    write_file(&path, &build(Records::default())).unwrap();
    let new = Database::open(&path, &OpenOptions::default()).unwrap();
    assert!(new.is_empty());
    assert_eq!(old.match_inventory(&inventory()).unwrap().findings.len(), 1);
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
}

#[test]
fn what_is_no_database_is_not_overwritten_by_one() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let bytes = build(sample());
    std::fs::write(at("precious"), "a letter").unwrap();
    std::fs::write(at("empty"), "").unwrap();
    std::fs::write(at("half"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::create_dir(at("directory")).unwrap();
    std::os::unix::fs::symlink("half", at("link")).unwrap();
    for name in ["precious", "directory", "/dev/null"] {
        let refused = write_file(&at(name), &bytes).unwrap_err();
        assert!(
            matches!(refused, DatabaseError::InTheWay { .. }),
            "{name}: {refused}"
        );
    }
    assert_eq!(std::fs::read(at("precious")).unwrap(), b"a letter");
    for name in ["empty", "link", "new"] {
        write_file(&at(name), &bytes).unwrap();
    }
    assert!(at("link").is_symlink());
    assert_eq!(std::fs::read(at("half")).unwrap(), bytes);
}
