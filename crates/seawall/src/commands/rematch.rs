//! `seawall rematch`: stored inventories against the database of today.

use crate::assess::Assessor;
use crate::cli::Rematch;
use crate::exit::{Exit, Failure, Result};
use crate::inventory::{load_catalogue, today};
use crate::{inventories, known, outputs, stdout};
use anyhow::anyhow;
use seawall_model::{Incomplete, IncompleteReason, Inventory};
use seawall_scan::end_of_life;
use std::path::PathBuf;

pub(crate) fn run(args: &Rematch) -> Result<Exit> {
    outputs::check(&args.output.outputs, &args.matching.files()?)?;
    let mut stored = Vec::new();
    let mut damaged = Vec::new();
    for path in inventories::list()? {
        match inventories::load(&path) {
            Ok(inventory) if is_wanted(&inventory, args) => stored.push(inventory),
            Ok(_) => {}
            Err(failure) => damaged.push((path, failure)),
        }
    }
    if stored.is_empty() {
        if let Some((_, failure)) = damaged.into_iter().next() {
            return Err(failure);
        }
        let which = args
            .name
            .as_deref()
            .map_or(String::new(), |name| format!(" named like '{name}'"));
        return Err(Failure::usage(anyhow!("no inventory{which} is stored"))
            .hint("every `seawall scan` stores one, unless it is told --no-store"));
    }
    if args.list {
        return list(&stored);
    }
    if stored.len() > 1 {
        outputs::hold_several(&args.output)
            .map_err(|failure| failure.hint("add a part of the name of one target"))?;
    }
    // One that cannot be read is told in the first report: the others are still matched.
    if let Some(first) = stored.first_mut() {
        first.incomplete.extend(damaged.into_iter().map(missed));
    }
    let assessor = Assessor::open(&args.matching, today())?;
    let mut assessments = Vec::new();
    for mut inventory in stored {
        if let Some(distro) = &mut inventory.distro {
            distro.end_of_life = end_of_life(distro, today());
        }
        let mut assessment = assessor.assess(inventory)?;
        let changes = known::changes(&assessment.inventory, &assessment.findings)?;
        assessment.notices.splice(0..0, changes);
        known::remember(&assessment.inventory, &assessment.findings)?;
        // A relative name meant a file where the scan was run.
        let target = &mut assessment.inventory.target;
        if let Some(place) = &target.place {
            target.name.clone_from(place);
        }
        assessments.push(assessment);
    }
    let (catalogue, _) = load_catalogue(None)?;
    outputs::write(&assessor, &assessments, &catalogue, &args.output, None)
}

fn is_wanted(inventory: &Inventory, args: &Rematch) -> bool {
    let target = &inventory.target;
    let mut names = std::iter::once(&target.name).chain(&target.place);
    args.name
        .as_deref()
        .is_none_or(|part| names.any(|name| name.contains(part)))
}

fn missed((path, failure): (PathBuf, Failure)) -> Incomplete {
    let message = format!("this inventory was not matched: {:#}", failure.error);
    let mut missed = Incomplete::new(
        IncompleteReason::Unreadable,
        path.display().to_string(),
        message,
    );
    missed.hint = failure.hint;
    missed
}

fn list(stored: &[Inventory]) -> Result<Exit> {
    stdout::text(|out| {
        for inventory in stored {
            let target = &inventory.target;
            let (kind, packages) = (target.kind.name(), inventory.packages.len());
            let digest = target.digest.as_deref().unwrap_or("no digest");
            writeln!(
                out,
                "{kind} {} ({digest}), {packages} packages",
                target.place.as_ref().unwrap_or(&target.name)
            )?;
        }
        Ok(())
    })
}
