//! `seawall rematch`: stored inventories against the database of today.

use crate::assess::Assessor;
use crate::cli::Rematch;
use crate::exit::{Exit, Failure, Result};
use crate::inventory::{load_catalogue, today};
use crate::{inventories, outputs};
use anyhow::anyhow;
use seawall_model::Inventory;
use seawall_scan::end_of_life;
use std::io::{self, Write};

pub(crate) fn run(args: &Rematch) -> Result<Exit> {
    let mut stored = Vec::new();
    for path in inventories::list()? {
        let inventory = inventories::load(&path)?;
        let wanted = args
            .name
            .as_deref()
            .is_none_or(|part| inventory.target.name.contains(part));
        if wanted {
            stored.push(inventory);
        }
    }
    if stored.is_empty() {
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
    let assessor = Assessor::open(&args.matching, today())?;
    let mut assessments = Vec::new();
    for mut inventory in stored {
        if let Some(distro) = &mut inventory.distro {
            distro.end_of_life = end_of_life(distro, today());
        }
        assessments.push(assessor.assess(inventory)?);
    }
    let (catalogue, _) = load_catalogue(None)?;
    outputs::write(&assessor, &assessments, &catalogue, &args.output, None)
}

fn list(stored: &[Inventory]) -> Result<Exit> {
    let mut out = io::stdout().lock();
    for inventory in stored {
        let target = &inventory.target;
        let (kind, packages) = (target.kind.name(), inventory.packages.len());
        let digest = target.digest.as_deref().unwrap_or("no digest");
        writeln!(
            out,
            "{kind} {} ({digest}), {packages} packages",
            target.name
        )
        .map_err(Failure::incomplete)?;
    }
    Ok(Exit::Clean)
}
