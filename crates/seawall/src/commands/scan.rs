//! `seawall scan`.

use super::host;
use crate::assess::Assessor;
use crate::cli::{Scan, ScanOptions};
use crate::exit::{Exit, Result};
use crate::inventory::{Reader, today};
use crate::{inventories, outputs};
use seawall_model::Inventory;
use std::time::Instant;

pub(crate) fn run(scan: &Scan) -> Result<Exit> {
    match scan {
        Scan::Image { target, options } => one(options, |reader| reader.image(target)),
        Scan::Fs { directory, options } => one(options, |reader| reader.directory(directory)),
        Scan::Sbom { file, options } => one(options, |reader| reader.sbom(file)),
        Scan::Host {
            all_images,
            no_images,
            options,
        } => {
            let images = match (all_images, no_images) {
                (true, _) => host::Images::All,
                (_, true) => host::Images::None,
                _ => host::Images::Running,
            };
            several(options, |reader| host::inventories(reader, images))
        }
    }
}

fn one(options: &ScanOptions, read: impl Fn(&Reader<'_>) -> Result<Inventory>) -> Result<Exit> {
    several(options, |reader| Ok(vec![read(reader)?]))
}

fn several(
    options: &ScanOptions,
    read: impl Fn(&Reader<'_>) -> Result<Vec<Inventory>>,
) -> Result<Exit> {
    let started = Instant::now();
    let assessor = Assessor::open(&options.matching, today())?;
    let reader = Reader::new(&options.reading, options.output.quiet)?;
    let mut assessments = Vec::new();
    for inventory in read(&reader)? {
        if !options.reading.no_store {
            inventories::store(&inventory)?;
        }
        assessments.push(assessor.assess(inventory)?);
    }
    outputs::write(
        &assessor,
        &assessments,
        &options.output,
        Some(started.elapsed()),
    )
}
