//! The sections of the file, see [`Section`].

use super::identity::Identity;
use super::normalize::Prediction;
use super::{BuildError, EcosystemCount, Statistics};
use crate::database::layout::{Section, key_hash};
use crate::database::stored::{
    Bucket, CnnvdCore, Core, Estimate, Flaw, Kev, Row, Statistics as StoredStatistics, Text,
};
use crate::database::{
    FLAG_BULLETIN, FLAG_TRACKER, FLAG_WITHDRAWN, MAX_GROUP_BYTES, cve_number, product_of,
};
use crate::record::{Advisory, Affected, CnnvdEntry, KevEntry};
use rayon::prelude::*;
use seawall_model::Ecosystem;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

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
    let of_advisories = advisories(input, &sources)?;
    put(Section::AdvisoryTable, of_advisories.table);
    put(Section::AdvisoryFlaws, of_advisories.flaws);
    put(Section::Advisories, of_advisories.cores);
    let packages = buckets(input.advisories)?;
    put(Section::BucketIndex, packages.index);
    put(Section::Buckets, packages.buckets);
    let (table, bytes) = tabled(flaws_of(input).iter(), "flaws")?;
    put(Section::FlawTable, table);
    put(Section::Flaws, bytes);
    put(Section::NameIndex, name_index(input));
    let (table, bytes) = tabled(input.cnnvd.iter().map(CnnvdCore::new), "CNNVD entries")?;
    put(Section::CnnvdTable, table);
    put(Section::Cnnvd, bytes);
    put(Section::Epss, epss(input.epss));
    let (groups, texts) = texts(input)?;
    put(Section::TextGroups, groups);
    put(Section::Texts, texts);

    let statistics = Statistics {
        sources,
        ecosystems: packages.ecosystems,
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
        .filter(|date| is_date(date))
        .max()
        .cloned()
}

fn is_date(date: &str) -> bool {
    date.starts_with("19") || date.starts_with("20")
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
            .map(|count| {
                let newest = count.newest.as_deref();
                (count.key.as_str(), count.packages, count.rows, newest)
            })
            .collect(),
        flaws: statistics.flaws,
        advisories: statistics.advisories,
        kev: statistics.kev,
        epss: statistics.epss,
        cnnvd: statistics.cnnvd,
        newest: statistics.newest.as_deref(),
    }
}

/// The sections about advisories.
#[derive(Default)]
struct AdvisorySections {
    table: Vec<u8>,
    flaws: Vec<u8>,
    cores: Vec<u8>,
}

impl AdvisorySections {
    /// Ends the entries before, and begins the next.
    fn line(&mut self, source: u16, flags: u16) -> Result<(), BuildError> {
        let core = number(self.cores.len(), "advisories")?;
        let flaw = number(self.flaws.len() / 4, "flaws of advisories")?;
        self.table.extend_from_slice(&core.to_le_bytes());
        self.table.extend_from_slice(&flaw.to_le_bytes());
        self.table.extend_from_slice(&source.to_le_bytes());
        self.table.extend_from_slice(&flags.to_le_bytes());
        Ok(())
    }
}

/// The table of advisories, their flaws, and their cores.
fn advisories(
    input: &Input<'_>,
    sources: &[(String, u32)],
) -> Result<AdvisorySections, BuildError> {
    let encoded: Vec<Vec<u8>> = input
        .advisories
        .par_iter()
        .map(|advisory| encode(&Core::new(advisory)))
        .collect();
    let mut sections = AdvisorySections::default();
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
        sections.line(source, flags)?;
        sections.cores.extend_from_slice(core);
        for flaw in of_advisory {
            sections.flaws.extend_from_slice(&flaw.to_le_bytes());
        }
    }
    sections.line(0, 0)?;
    Ok(sections)
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The sections about packages.
struct PackageSections {
    index: Vec<u8>,
    buckets: Vec<u8>,
    ecosystems: Vec<EcosystemCount>,
}

/// A row with its ecosystem's key, package and advisory, in the order of the file.
type Placed<'a> = (&'a str, &'a str, u32, &'a Affected);

/// The index of packages, their rows, and the counts of each ecosystem.
fn buckets(advisories: &[Advisory]) -> Result<PackageSections, BuildError> {
    let keys: HashMap<&Ecosystem, String> = advisories
        .iter()
        .flat_map(|advisory| &advisory.affected)
        .map(|row| &row.ecosystem)
        .collect::<HashSet<_>>()
        .into_iter()
        .map(|ecosystem| (ecosystem, ecosystem.to_string()))
        .collect();
    let mut rows: Vec<Placed<'_>> = Vec::new();
    for (at, advisory) in advisories.iter().enumerate() {
        let at = number(at, "advisories")?;
        rows.extend(advisory.affected.iter().map(|row| {
            let key = keys.get(&row.ecosystem).map_or("", String::as_str);
            (key, row.name.as_str(), at, row)
        }));
    }
    // Stable: the rows of one advisory keep the order they were normalised to.
    rows.par_sort_by_key(|&(ecosystem, name, at, _)| (ecosystem, name, at));
    let packages: Vec<&[Placed<'_>]> = rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
    let encoded: Vec<(&str, &str, Vec<u8>)> = packages
        .par_iter()
        .filter_map(|rows| {
            let &(ecosystem, name, ..) = rows.first()?;
            let bucket = encode(&Bucket {
                ecosystem,
                name,
                rows: rows
                    .iter()
                    .map(|&(.., at, row)| Row::new(at, row))
                    .collect(),
            });
            Some((ecosystem, name, bucket))
        })
        .collect();
    let (mut index, mut buckets) = (Vec::new(), Vec::new());
    let mut ecosystems: BTreeMap<&str, EcosystemCount> = BTreeMap::new();
    for &(key, _, at, _) in &rows {
        let advisory = advisories.get(at as usize);
        let date = advisory.and_then(|a| a.published.as_ref().or(a.modified.as_ref()));
        let count = ecosystems.entry(key).or_insert_with(|| EcosystemCount {
            key: key.to_owned(),
            packages: 0,
            rows: 0,
            newest: None,
        });
        count.rows = count.rows.saturating_add(1);
        if let Some(date) = date.filter(|date| is_date(date))
            && count.newest.as_ref().is_none_or(|known| known < date)
        {
            count.newest = Some(date.clone());
        }
    }
    for (ecosystem, name, bucket) in &encoded {
        let place = (
            number(buckets.len(), "affected packages")?,
            number(bucket.len(), "affected packages")?,
        );
        index.push((key_hash(&[ecosystem, name]), place));
        if let Some(product) = product_of(ecosystem, name) {
            index.push((key_hash(&[ecosystem, product]), place));
        }
        buckets.extend_from_slice(bucket);
        if let Some(count) = ecosystems.get_mut(ecosystem) {
            count.packages = count.packages.saturating_add(1);
        }
    }
    index.sort_unstable();
    Ok(PackageSections {
        index: index.iter().flat_map(index_line).collect(),
        buckets,
        ecosystems: ecosystems.into_values().collect(),
    })
}

fn index_line(&(hash, (offset, len)): &(u64, (u32, u32))) -> Vec<u8> {
    [
        &hash.to_le_bytes()[..],
        &offset.to_le_bytes(),
        &len.to_le_bytes(),
    ]
    .concat()
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
            epss: std::iter::once(&names.id)
                .chain(&names.aliases)
                .filter_map(|name| estimate(input.epss, name))
                .max(),
        })
        .collect();
    for ((of_advisory, _), at) in input.identity.of_advisory.iter().zip(0..) {
        for &flaw in of_advisory {
            flaws[flaw as usize].advisories.push(at);
        }
    }
    for (&flaw, entry) in input.identity.of_kev.iter().zip(input.kev) {
        flaws[flaw as usize].kev.push(Kev::new(entry));
    }
    for (of_entry, at) in input.identity.of_cnnvd.iter().zip(0..) {
        for &flaw in of_entry {
            flaws[flaw as usize].cnnvd.push(at);
        }
    }
    flaws
}

/// The prediction for a CVE; predictions are sorted.
fn estimate(predictions: &[Prediction], cve: &str) -> Option<Estimate> {
    let key = cve_number(cve)?;
    let at = predictions
        .binary_search_by_key(&key, |&(year, number, ..)| (year, number))
        .ok()?;
    let &(_, _, score, percentile) = predictions.get(at)?;
    Some(Estimate { score, percentile })
}

/// Every name under which a flaw is asked for: its own, its bulletins', and CNNVD's. Names that a
/// bulletin has beside its own lead to all its flaws where they are not known to be of one.
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
    let of_one: HashSet<String> = identity
        .flaws
        .iter()
        .flat_map(|names| std::iter::once(&names.id).chain(&names.aliases))
        .map(|name| name.to_ascii_uppercase())
        .collect();
    for ((flaws, bulletin), advisory) in identity.of_advisory.iter().zip(input.advisories) {
        if *bulletin {
            let aliases = advisory.aliases.iter();
            let shared = aliases.filter(|name| !of_one.contains(&name.to_ascii_uppercase()));
            let own = Some(&advisory.id).filter(|id| cve_number(id).is_none());
            for name in shared.chain(own) {
                flaws.iter().for_each(|&flaw| line(name, flaw));
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
    let advisories = input.advisories.iter().map(Text::of_advisory);
    let cnnvd = input.cnnvd.iter().map(Text::of_cnnvd);
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
