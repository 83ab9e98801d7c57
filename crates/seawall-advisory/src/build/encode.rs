//! The sections of the file, see [`Section`].

use super::identity::Identity;
use super::normalize::Prediction;
use super::{BuildError, EcosystemCount, Statistics};
use crate::database::layout::{Section, key_hash};
use crate::database::stored::{
    Bucket, CnnvdCore, Core, Covered, Flaw, Kev, Rating, Row, Statistics as StoredStatistics, Text,
    Vector,
};
use crate::database::{
    FLAG_BULLETIN, FLAG_TRACKER, FLAG_WITHDRAWN, MAX_GROUP_BYTES, cve_number, product_of,
};
use crate::record::{Advisory, Affected, CnnvdEntry, KevEntry};
use rayon::prelude::*;
use seawall_model::Cvss;
use serde::Serialize;
use std::collections::BTreeMap;

/// Texts are gathered to about this many bytes before they are packed: larger packs better,
/// smaller unpacks sooner.
const GROUP_BYTES: usize = 16 << 10;
/// Compression level of texts: they are packed once and unpacked often.
const LEVEL: i32 = 15;

/// Everything normalised, merged and sorted.
pub(super) struct Input<'a> {
    pub(super) advisories: &'a [Advisory],
    pub(super) kev: &'a [KevEntry],
    pub(super) epss: &'a [Prediction],
    pub(super) cnnvd: &'a [CnnvdEntry],
    pub(super) identity: &'a Identity,
}

/// All sections, and what is in them.
pub(super) fn sections(
    input: &Input<'_>,
) -> Result<([Vec<u8>; Section::COUNT], Statistics), BuildError> {
    let mut sections: [Vec<u8>; Section::COUNT] = Default::default();
    let mut put = |section: Section, bytes: Vec<u8>| sections[section as usize] = bytes;

    let sources = count_sources(input.advisories);
    let (table, flaws, cores) = advisories(input, &sources)?;
    put(Section::AdvisoryTable, table);
    put(Section::AdvisoryFlaws, flaws);
    put(Section::Advisories, cores);
    let (index, buckets, ecosystems) = buckets(input.advisories)?;
    put(Section::BucketIndex, index);
    put(Section::Buckets, buckets);
    let (table, bytes) = tabled(flaws_of(input).iter(), "flaws")?;
    put(Section::FlawTable, table);
    put(Section::Flaws, bytes);
    put(Section::NameIndex, name_index(input));
    let (table, bytes) = tabled(input.cnnvd.iter().map(cnnvd_core), "CNNVD entries")?;
    put(Section::CnnvdTable, table);
    put(Section::Cnnvd, bytes);
    put(Section::Epss, epss(input.epss));
    let (groups, texts) = texts(input)?;
    put(Section::TextGroups, groups);
    put(Section::Texts, texts);

    let statistics = Statistics {
        sources,
        ecosystems,
        flaws: number(input.identity.flaws.len(), "flaws")?,
        advisories: number(input.advisories.len(), "advisories")?,
        kev: number(input.kev.len(), "known exploited flaws")?,
        epss: number(input.epss.len(), "exploit predictions")?,
        cnnvd: number(input.cnnvd.len(), "CNNVD entries")?,
        newest: newest(input.advisories),
    };
    sections[Section::Statistics as usize] = encode(&stored_statistics(&statistics));
    Ok((sections, statistics))
}

fn number(value: usize, what: &'static str) -> Result<u32, BuildError> {
    u32::try_from(value).map_err(|_| BuildError::TooLarge {
        what,
        limit: "4,294,967,295 entries or bytes",
    })
}

/// Encoding to memory fails for no type in [`crate::database::stored`].
fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

fn count_sources(advisories: &[Advisory]) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for advisory in advisories {
        *counts.entry(advisory.source.name()).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}

/// The newest date of the feeds; dates that are none (`0001-...` stands for "unknown" in some) do
/// not count.
fn newest(advisories: &[Advisory]) -> Option<String> {
    advisories
        .iter()
        .flat_map(|advisory| [&advisory.modified, &advisory.published])
        .flatten()
        .filter(|date| date.starts_with("19") || date.starts_with("20"))
        .max()
        .cloned()
}

fn stored_statistics(statistics: &Statistics) -> StoredStatistics<'_> {
    StoredStatistics {
        sources: statistics
            .sources
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect(),
        ecosystems: statistics
            .ecosystems
            .iter()
            .map(|count| (count.key.as_str(), count.packages, count.rows))
            .collect(),
        flaws: statistics.flaws,
        advisories: statistics.advisories,
        kev: statistics.kev,
        epss: statistics.epss,
        cnnvd: statistics.cnnvd,
        newest: statistics.newest.as_deref(),
    }
}

/// The table of advisories, their flaws, and their cores.
fn advisories(
    input: &Input<'_>,
    sources: &[(String, u32)],
) -> Result<(Vec<u8>, Vec<u8>, Vec<u8>), BuildError> {
    let encoded: Vec<Vec<u8>> = input
        .advisories
        .par_iter()
        .map(|advisory| encode(&core(advisory)))
        .collect();
    let (mut table, mut flaws, mut cores) = (Vec::new(), Vec::new(), Vec::new());
    let mut line = |cores: &Vec<u8>, flaws: &Vec<u8>, source: u16, flags: u16| {
        table.extend_from_slice(&number(cores.len(), "advisories")?.to_le_bytes());
        table.extend_from_slice(&number(flaws.len() / 4, "flaws of advisories")?.to_le_bytes());
        table.extend_from_slice(&source.to_le_bytes());
        table.extend_from_slice(&flags.to_le_bytes());
        Ok::<_, BuildError>(())
    };
    for ((advisory, core), (of_advisory, bulletin)) in input
        .advisories
        .iter()
        .zip(&encoded)
        .zip(&input.identity.of_advisory)
    {
        let source = sources
            .iter()
            .position(|(name, _)| name == advisory.source.name())
            .and_then(|at| u16::try_from(at).ok())
            .unwrap_or(u16::MAX);
        let mut flags = 0;
        if *bulletin {
            flags |= FLAG_BULLETIN;
        }
        if advisory.withdrawn.is_some() {
            flags |= FLAG_WITHDRAWN;
        }
        if cve_number(&advisory.id).is_some() {
            flags |= FLAG_TRACKER;
        }
        line(&cores, &flaws, source, flags)?;
        cores.extend_from_slice(core);
        for flaw in of_advisory {
            flaws.extend_from_slice(&flaw.to_le_bytes());
        }
    }
    line(&cores, &flaws, 0, 0)?;
    Ok((table, flaws, cores))
}

fn core(advisory: &Advisory) -> Core<'_> {
    Core {
        id: &advisory.id,
        aliases: borrowed(&advisory.aliases),
        covers: advisory
            .covers
            .iter()
            .map(|flaw| Covered {
                id: &flaw.id,
                severity: flaw.severity.map(Rating::new),
                cvss: vectors(&flaw.cvss),
            })
            .collect(),
        published: advisory.published.as_deref(),
        modified: advisory.modified.as_deref(),
        withdrawn: advisory.withdrawn.as_deref(),
        severity: advisory.severity.map(Rating::new),
        cvss: vectors(&advisory.cvss),
        cwes: borrowed(&advisory.cwes),
    }
}

fn vectors(cvss: &[Cvss]) -> Vec<Vector<'_>> {
    cvss.iter().map(Vector::new).collect()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The index of packages, their rows, and the counts of each ecosystem.
fn buckets(advisories: &[Advisory]) -> Result<(Vec<u8>, Vec<u8>, Vec<EcosystemCount>), BuildError> {
    let mut packages: BTreeMap<(String, &str), Vec<(u32, &Affected)>> = BTreeMap::new();
    for (at, advisory) in advisories.iter().enumerate() {
        let at = number(at, "advisories")?;
        // Rows come sorted by ecosystem: its key is written once for all of them.
        let mut key = (None, String::new());
        for row in &advisory.affected {
            if key.0 != Some(&row.ecosystem) {
                key = (Some(&row.ecosystem), row.ecosystem.to_string());
            }
            packages
                .entry((key.1.clone(), &row.name))
                .or_default()
                .push((at, row));
        }
    }
    let packages: Vec<_> = packages.into_iter().collect();
    let encoded: Vec<Vec<u8>> = packages
        .par_iter()
        .map(|((ecosystem, name), rows)| {
            encode(&Bucket {
                ecosystem,
                name,
                rows: rows.iter().map(|(at, row)| Row::new(*at, row)).collect(),
            })
        })
        .collect();

    let (mut index, mut bytes) = (Vec::new(), Vec::new());
    let mut ecosystems: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for (((ecosystem, name), rows), bucket) in packages.iter().zip(&encoded) {
        let place = (
            number(bytes.len(), "affected packages")?,
            number(bucket.len(), "affected packages")?,
        );
        index.push((key_hash(&[ecosystem, name]), place));
        if let Some(product) = product_of(ecosystem, name) {
            index.push((key_hash(&[ecosystem, product]), place));
        }
        bytes.extend_from_slice(bucket);
        let count = ecosystems.entry(ecosystem).or_default();
        count.0 += 1;
        count.1 = count.1.saturating_add(number(rows.len(), "rows")?);
    }
    index.sort_unstable();
    let index = index
        .iter()
        .flat_map(|(hash, (offset, len))| {
            [
                &hash.to_le_bytes()[..],
                &offset.to_le_bytes(),
                &len.to_le_bytes(),
            ]
            .concat()
        })
        .collect();
    let ecosystems = ecosystems
        .into_iter()
        .map(|(key, (packages, rows))| EcosystemCount {
            key: key.to_owned(),
            packages,
            rows,
        })
        .collect();
    Ok((index, bytes, ecosystems))
}

/// A table of offsets and the values, one after the other.
fn tabled(
    values: impl Iterator<Item = impl Serialize>,
    what: &'static str,
) -> Result<(Vec<u8>, Vec<u8>), BuildError> {
    let (mut table, mut bytes) = (Vec::new(), Vec::new());
    for value in values {
        table.extend_from_slice(&number(bytes.len(), what)?.to_le_bytes());
        bytes.extend_from_slice(&encode(&value));
    }
    table.extend_from_slice(&number(bytes.len(), what)?.to_le_bytes());
    Ok((table, bytes))
}

fn flaws_of<'a>(input: &Input<'a>) -> Vec<Flaw<'a>> {
    let mut flaws: Vec<Flaw<'a>> = input
        .identity
        .flaws
        .iter()
        .map(|names| Flaw {
            id: &names.id,
            aliases: borrowed(&names.aliases),
            advisories: Vec::new(),
            cnnvd: Vec::new(),
            kev: Vec::new(),
        })
        .collect();
    for ((of_advisory, _), at) in input.identity.of_advisory.iter().zip(0..) {
        for &flaw in of_advisory {
            flaws[flaw as usize].advisories.push(at);
        }
    }
    for (&flaw, entry) in input.identity.of_kev.iter().zip(input.kev) {
        flaws[flaw as usize].kev.push(Kev {
            cve: &entry.cve,
            date_added: entry.date_added.as_deref(),
            due_date: entry.due_date.as_deref(),
            ransomware: entry.ransomware,
        });
    }
    for (of_entry, at) in input.identity.of_cnnvd.iter().zip(0..) {
        for &flaw in of_entry {
            flaws[flaw as usize].cnnvd.push(at);
        }
    }
    flaws
}

/// Every name under which a flaw is asked for: its own, its bulletins', and CNNVD's.
fn name_index(input: &Input<'_>) -> Vec<u8> {
    let identity = input.identity;
    let mut lines: Vec<(u64, u32)> = Vec::new();
    let mut line = |name: &str, flaw: u32| {
        lines.push((key_hash(&[&name.to_ascii_uppercase()]), flaw));
    };
    for (names, flaw) in identity.flaws.iter().zip(0..) {
        line(&names.id, flaw);
        names.aliases.iter().for_each(|alias| line(alias, flaw));
    }
    for ((flaws, bulletin), advisory) in identity.of_advisory.iter().zip(input.advisories) {
        if *bulletin {
            for &flaw in flaws {
                line(&advisory.id, flaw);
            }
        }
    }
    for (flaws, entry) in identity.of_cnnvd.iter().zip(input.cnnvd) {
        for &flaw in flaws {
            line(&entry.id, flaw);
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
        .iter()
        .flat_map(|(hash, flaw)| [&hash.to_le_bytes()[..], &flaw.to_le_bytes()].concat())
        .collect()
}

fn cnnvd_core(entry: &CnnvdEntry) -> CnnvdCore<'_> {
    CnnvdCore {
        id: &entry.id,
        cves: borrowed(&entry.cves),
        severity: entry.severity.map(Rating::new),
    }
}

fn epss(predictions: &[Prediction]) -> Vec<u8> {
    predictions
        .iter()
        .flat_map(|&(year, number, score, percentile)| {
            [year, number, score, percentile]
                .map(u32::to_le_bytes)
                .concat()
        })
        .collect()
}

/// The table of groups, and the packed groups.
fn texts(input: &Input<'_>) -> Result<(Vec<u8>, Vec<u8>), BuildError> {
    let advisories = input.advisories.iter().map(|advisory| Text {
        title: &advisory.title,
        description: &advisory.description,
        references: borrowed(&advisory.references),
    });
    let cnnvd = input.cnnvd.iter().map(|entry| Text {
        title: &entry.title,
        description: &entry.description,
        references: Vec::new(),
    });
    let mut groups: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut room = 0;
    for text in advisories.chain(cnnvd) {
        let text = encode(&text);
        match groups.last_mut() {
            Some(group) if text.len() <= room => group.push(text.clone()),
            _ => {
                groups.push(vec![text.clone()]);
                room = GROUP_BYTES;
            }
        }
        room = room.saturating_sub(text.len());
    }
    let packed: Vec<(usize, usize, Vec<u8>)> = groups
        .par_iter()
        .map(|group| {
            let raw = group_bytes(group)?;
            let packed = zstd::bulk::compress(&raw, LEVEL).map_err(BuildError::Pack)?;
            Ok((group.len(), raw.len(), packed))
        })
        .collect::<Result<_, BuildError>>()?;

    let (mut table, mut bytes) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (items, raw_len, packed) in packed {
        for word in [first, bytes.len(), packed.len(), raw_len] {
            table.extend_from_slice(&number(word, "texts")?.to_le_bytes());
        }
        bytes.extend_from_slice(&packed);
        first += items;
    }
    Ok((table, bytes))
}

fn group_bytes(texts: &[Vec<u8>]) -> Result<Vec<u8>, BuildError> {
    let mut raw = Vec::new();
    let mut offset = (texts.len() + 1) * 4;
    for text in texts {
        raw.extend_from_slice(&number(offset, "texts")?.to_le_bytes());
        offset += text.len();
    }
    raw.extend_from_slice(&number(offset, "texts")?.to_le_bytes());
    raw.extend(texts.iter().flatten());
    if raw.len() > MAX_GROUP_BYTES {
        return Err(BuildError::TooLarge {
            what: "the texts of one advisory",
            limit: "2 MiB",
        });
    }
    Ok(raw)
}
