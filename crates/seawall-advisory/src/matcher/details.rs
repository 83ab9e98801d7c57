//! The texts of what was found, unpacked once.

use super::package::Verdict;
use crate::database::stored::{Core, Flaw, Text};
use crate::database::{Database, DatabaseError, TextGroup};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// The flaws of all verdicts, and the texts about them.
pub(super) struct Details<'a> {
    flaws: HashMap<u32, About<'a>>,
    /// Decoded once each: a bulletin is met again for every flaw and package it names.
    cores: HashMap<u32, Core<'a>>,
    groups: HashMap<u32, TextGroup>,
}

/// A flaw, and the advisories to describe it by.
pub(super) struct About<'a> {
    pub(super) flaw: Flaw<'a>,
    /// Those about this flaw alone, withdrawn ones left out.
    pub(super) own: Vec<u32>,
}

impl<'a> Details<'a> {
    /// Loads what the verdicts need.
    pub(super) fn load<'v>(
        database: &'a Database,
        verdicts: impl Iterator<Item = &'v Verdict>,
    ) -> Result<Self, DatabaseError> {
        let mut numbers = BTreeSet::new();
        let mut items = BTreeSet::new();
        let mut advisories = BTreeSet::new();
        for verdict in verdicts {
            numbers.insert(verdict.flaw);
            advisories.extend(&verdict.speakers);
            items.extend(verdict.matched.iter().map(|matched| matched.advisory));
        }
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let flaws: HashMap<u32, About<'a>> = numbers
            .par_iter()
            .map(|&number| Ok((number, About::load(database, number)?)))
            .collect::<Result<_, DatabaseError>>()?;
        advisories.extend(&items);
        advisories.extend(flaws.values().flat_map(|about| &about.own));
        let advisories: Vec<u32> = advisories.into_iter().collect();
        let cores = advisories
            .par_iter()
            .map(|&advisory| Ok((advisory, database.core(advisory)?)))
            .collect::<Result<_, DatabaseError>>()?;
        let first_cnnvd = database.advisory_count();
        for about in flaws.values() {
            items.extend(&about.own);
            items.extend(
                about
                    .flaw
                    .cnnvd
                    .iter()
                    .map(|entry| first_cnnvd.saturating_add(*entry)),
            );
        }
        let groups = items
            .into_iter()
            .map(|item| database.text_group_of(item))
            .collect::<Result<BTreeSet<u32>, _>>()?;
        let groups: Vec<u32> = groups.into_iter().collect();
        let groups = groups
            .par_iter()
            .map(|&group| Ok((group, database.text_group(group)?)))
            .collect::<Result<_, DatabaseError>>()?;
        Ok(Self {
            flaws,
            cores,
            groups,
        })
    }

    /// A flaw of one of the verdicts.
    pub(super) fn about(&self, flaw: u32) -> Result<&About<'a>, DatabaseError> {
        self.flaws
            .get(&flaw)
            .ok_or_else(|| DatabaseError::damaged(0, "a flaw is not there"))
    }

    /// An advisory of one of the verdicts.
    pub(super) fn core(&self, advisory: u32) -> Result<&Core<'a>, DatabaseError> {
        self.cores
            .get(&advisory)
            .ok_or_else(|| DatabaseError::damaged(0, "an advisory is not there"))
    }

    /// The texts of an advisory or CNNVD entry of one of the verdicts.
    pub(super) fn text(&self, database: &Database, item: u32) -> Result<Text<'_>, DatabaseError> {
        self.groups
            .get(&database.text_group_of(item)?)
            .ok_or_else(|| DatabaseError::damaged(0, "a text is not there"))?
            .text(item)
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
