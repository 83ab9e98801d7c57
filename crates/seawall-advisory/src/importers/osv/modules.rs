//! Streams of rpm modules in bulletins of AlmaLinux and Rocky.
//!
//! The records name a stream in their title alone (`Moderate: nodejs:18 security update`), and list
//! the same package once for each build of the module: one for every minor release that it was
//! rebuilt for, and for every stream that shares the package.

use crate::versions::compare;
use crate::{Affected, Upper};
use seawall_model::{Ecosystem, VersionScheme};
use std::cmp::Ordering;
use std::collections::HashMap;

/// Gives modular rows the streams that the title names, and keeps of several builds of one version
/// the lowest.
pub(super) fn settle(rows: Vec<Affected>, title: &str) -> Vec<Affected> {
    if !rows.iter().any(|row| modular_fix(row).is_some()) {
        return rows;
    }
    let streams: Vec<&str> = streams_in(title).collect();
    lowest_builds(rows)
        .into_iter()
        .flat_map(|row| {
            if row.module.is_some() || modular_fix(&row).is_none() || streams.is_empty() {
                return vec![row];
            }
            // A title may name two modules (`virt:rhel and virt-devel:rhel`), and does not say
            // which has the package: that of the other matches no label.
            let of_stream = |stream: &&str| Affected {
                module: Some((*stream).to_owned()),
                ..row.clone()
            };
            streams.iter().map(of_stream).collect()
        })
        .collect()
}

/// The fixed version, if it was built for a module (`.module+el8`, `.module_el8`).
fn modular_fix(row: &Affected) -> Option<&str> {
    row.ranges.iter().find_map(|range| match &range.upper {
        Upper::Fixed(v) if v.contains(".module+") || v.contains(".module_") => Some(v.as_str()),
        _ => None,
    })
}

/// The `name:stream` words of a title. Numbers of bulletins (`ALSA-2022:5468: php:8.0 security
/// update`) look alike, but end in a colon.
fn streams_in(title: &str) -> impl Iterator<Item = &str> {
    title.split([' ', ',', ';']).filter(|word| {
        !word.ends_with(':')
            && word.split_once(':').is_some_and(|(name, stream)| {
                !name.is_empty() && stream.starts_with(|c: char| c.is_ascii_alphanumeric())
            })
    })
}

/// The bulletin itself says that the earliest build of a version is mended, so the later ones,
/// rebuilt from the same source, must not make it look affected.
fn lowest_builds(rows: Vec<Affected>) -> Vec<Affected> {
    type Key = (Ecosystem, String, String, Option<String>);
    let key = |row: &Affected| -> Option<Key> {
        let fix = modular_fix(row)?;
        let source = fix.split_once(".module").map_or(fix, |(before, _)| before);
        let name = row.name.clone();
        Some((
            row.ecosystem.clone(),
            name,
            source.to_owned(),
            row.module.clone(),
        ))
    };
    let mut lowest: HashMap<Key, String> = HashMap::new();
    for row in &rows {
        let (Some(key), Some(fix)) = (key(row), modular_fix(row)) else {
            continue;
        };
        let known = lowest.entry(key).or_insert_with(|| fix.to_owned());
        if compare(VersionScheme::Rpm, fix, known) == Ok(Ordering::Less) {
            *known = fix.to_owned();
        }
    }
    rows.into_iter()
        .filter(|row| match key(row) {
            Some(key) => lowest.get(&key).map(String::as_str) == modular_fix(row),
            None => true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NameKind, State, VersionRange};
    use seawall_model::DistroFamily;

    /// `name fix` lines in, `name fix stream` lines out.
    fn check(title: &str, rows: &[&str], expected: &[&str]) {
        let rows = rows
            .iter()
            .map(|line| {
                let (name, fix) = line.split_once(' ').unwrap();
                Affected {
                    ecosystem: Ecosystem::Distro {
                        family: DistroFamily::Alma,
                        release: "8".to_owned(),
                    },
                    name: name.to_owned(),
                    name_kind: NameKind::Binary,
                    state: State::Affected,
                    ranges: vec![VersionRange::new(None, Upper::Fixed(fix.to_owned()))],
                    versions: Vec::new(),
                    architectures: Vec::new(),
                    module: None,
                    severity: None,
                }
            })
            .collect();
        let settled: Vec<String> = settle(rows, title)
            .iter()
            .map(|row| {
                let fix = match &row.ranges[0].upper {
                    Upper::Fixed(fix) => fix,
                    other => panic!("{other:?}"),
                };
                let module = row.module.as_deref().unwrap_or("-");
                format!("{} {fix} {module}", row.name)
            })
            .collect();
        assert_eq!(settled, expected, "{title}");
    }

    #[test]
    fn both_modules_of_a_title_count() {
        check(
            "Low: virt:rhel and virt-devel:rhel security update",
            &["netcf 0.2.8-12.module_el8.3.0+2048+a"],
            &[
                "netcf 0.2.8-12.module_el8.3.0+2048+a virt:rhel",
                "netcf 0.2.8-12.module_el8.3.0+2048+a virt-devel:rhel",
            ],
        );
    }

    #[test]
    fn the_number_of_a_bulletin_is_no_module() {
        check(
            "ALSA-2022:5468: php:8.0 security update (Important)",
            &["php 8.0.13-3.module_el8.6.0+2739+b"],
            &["php 8.0.13-3.module_el8.6.0+2739+b php:8.0"],
        );
    }

    #[test]
    fn the_first_build_that_a_bulletin_lists_is_mended() {
        check(
            "Moderate: container-tools security update",
            &[
                "libslirp 4.4.0-1.module_el8.7.0+3407+95aa0ca9",
                "libslirp 4.4.0-1.module_el8.6.0+2877+8e437bf5",
                "podman 4.9.4-1.module_el8.10.0+1+a",
                "podman 4.9.4-2.module_el8.10.0+2+a",
                "bash 5.0-1.el8",
            ],
            &[
                "libslirp 4.4.0-1.module_el8.6.0+2877+8e437bf5 -",
                "podman 4.9.4-1.module_el8.10.0+1+a -",
                "podman 4.9.4-2.module_el8.10.0+2+a -",
                "bash 5.0-1.el8 -",
            ],
        );
    }
}
