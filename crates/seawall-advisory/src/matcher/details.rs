//! Everything about what was found, read once: first what is wanted ([`Wanted`]), then the groups of
//! texts that hold it, then the details, which borrow from the groups.

use super::package::Verdict;
use crate::database::stored::{Core, Flaw, Text};
use crate::database::{Database, DatabaseError, TextGroup, Unpacker};
use rayon::prelude::*;

/// The flaws of all verdicts, and the texts about them.
///
/// Each list is sorted by the number that it begins with.
pub(super) struct Details<'a> {
    flaws: Vec<(u32, About<'a>)>,
    /// Decoded once each, as the texts are: a bulletin is met again for every flaw and package it
    /// names.
    cores: Vec<(u32, Core<'a>)>,
    texts: Vec<(u32, Text<'a>)>,
}

/// What the verdicts need.
pub(super) struct Wanted<'a> {
    flaws: Vec<(u32, About<'a>)>,
    advisories: Vec<u32>,
    /// Advisories, and after them entries of CNNVD, whose texts are shown; with their groups.
    items: Vec<(u32, u32)>,
}

/// A flaw, and the advisories to describe it by.
pub(super) struct About<'a> {
    pub(super) flaw: Flaw<'a>,
    /// Those about this flaw alone, withdrawn ones left out.
    pub(super) own: Vec<u32>,
}

impl<'a> Wanted<'a> {
    /// Finds out.
    pub(super) fn by<'v>(
        database: &'a Database,
        verdicts: impl Iterator<Item = &'v Verdict>,
    ) -> Result<Self, DatabaseError> {
        let mut numbers = Vec::new();
        let mut items = Vec::new();
        let mut advisories = Vec::new();
        for verdict in verdicts {
            numbers.push(verdict.flaw);
            advisories.extend(&verdict.speakers);
            items.extend(verdict.matched.iter().map(|matched| matched.advisory));
        }
        let flaws: Vec<(u32, About<'a>)> = each_once(numbers)
            .par_iter()
            .map(|&number| Ok((number, About::load(database, number)?)))
            .collect::<Result<_, DatabaseError>>()?;
        let first_cnnvd = database.advisory_count();
        for (_, about) in &flaws {
            advisories.extend(&about.own);
            items.extend(&about.own);
            let entries = about.flaw.cnnvd.iter();
            items.extend(entries.map(|entry| first_cnnvd.saturating_add(*entry)));
        }
        advisories.extend(items.iter().filter(|item| **item < first_cnnvd));
        let items = each_once(items)
            .into_iter()
            .map(|item| Ok((item, database.text_group_of(item)?)))
            .collect::<Result<_, DatabaseError>>()?;
        Ok(Self {
            flaws,
            advisories: each_once(advisories),
            items,
        })
    }

    /// Unpacks the groups of texts, each once.
    pub(super) fn groups(
        &self,
        database: &Database,
    ) -> Result<Vec<(u32, TextGroup)>, DatabaseError> {
        each_once(self.items.iter().map(|(_, group)| *group).collect())
            .par_iter()
            .map_init(Unpacker::new, |unpacker, &group| {
                Ok((group, database.text_group(unpacker, group)?))
            })
            .collect()
    }
}

impl<'a> Details<'a> {
    /// Reads what is wanted; the groups are those of [`Wanted::groups`].
    pub(super) fn read(
        database: &'a Database,
        wanted: Wanted<'a>,
        groups: &'a [(u32, TextGroup)],
    ) -> Result<Self, DatabaseError> {
        let cores = wanted
            .advisories
            .par_iter()
            .map(|&advisory| Ok((advisory, database.core(advisory)?)))
            .collect::<Result<_, DatabaseError>>()?;
        let texts = wanted
            .items
            .par_iter()
            .map(|&(item, group)| {
                let group = numbered(groups, group)
                    .ok_or_else(|| DatabaseError::damaged(0, "a text is not there"))?;
                Ok((item, group.text(item)?))
            })
            .collect::<Result<_, DatabaseError>>()?;
        Ok(Self {
            flaws: wanted.flaws,
            cores,
            texts,
        })
    }

    /// A flaw of one of the verdicts.
    pub(super) fn about(&self, flaw: u32) -> Result<&About<'a>, DatabaseError> {
        numbered(&self.flaws, flaw).ok_or_else(|| DatabaseError::damaged(0, "a flaw is not there"))
    }

    /// An advisory of one of the verdicts.
    pub(super) fn core(&self, advisory: u32) -> Result<&Core<'a>, DatabaseError> {
        numbered(&self.cores, advisory)
            .ok_or_else(|| DatabaseError::damaged(0, "an advisory is not there"))
    }

    /// The texts of an advisory or CNNVD entry of one of the verdicts.
    pub(super) fn text(&self, item: u32) -> Result<&Text<'a>, DatabaseError> {
        numbered(&self.texts, item).ok_or_else(|| DatabaseError::damaged(0, "a text is not there"))
    }
}

impl<'a> About<'a> {
    fn load(database: &'a Database, number: u32) -> Result<Self, DatabaseError> {
        let flaw = database.flaw(number)?;
        let mut own = Vec::new();
        for &advisory in &flaw.advisories {
            let entry = database.advisory_entry(advisory)?;
            if !entry.bulletin && !entry.withdrawn {
                own.push(advisory);
            }
        }
        Ok(Self { flaw, own })
    }
}

/// Sorted, which keeps neighbours in the file together, and each once.
fn each_once(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn numbered<T>(sorted: &[(u32, T)], number: u32) -> Option<&T> {
    let at = sorted.binary_search_by_key(&number, |(own, _)| *own).ok()?;
    sorted.get(at).map(|(_, value)| value)
}
