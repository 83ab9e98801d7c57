//! `seawall scan`.

use super::host;
use crate::assess::Assessor;
use crate::cli::{Scan, ScanOptions};
use crate::exit::{Exit, Result};
use crate::inventory::{Reader, catalogue_path, file_of_image, today};
use crate::{inventories, known, outputs};
use seawall_model::Inventory;
use std::path::PathBuf;
use std::time::Instant;

pub(crate) fn run(scan: &Scan) -> Result<Exit> {
    match scan {
        Scan::Image {
            target,
            choice,
            options,
        } => {
            let platform = choice.platform.as_deref();
            one(options, platform, file_of_image(target), |reader| {
                reader.image(target)
            })
        }
        Scan::Fs { directory, options } => {
            one(options, None, None, |reader| reader.directory(directory))
        }
        Scan::Sbom { file, options } => one(options, None, Some(file.clone()), |reader| {
            reader.sbom(file)
        }),
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
            let may_be_several = || {
                outputs::hold_several(&options.output).map_err(|failure| {
                    failure.hint("add --no-images, and scan the images with `seawall scan image`")
                })
            };
            several(options, None, None, |reader| {
                host::inventories(reader, images, &may_be_several)
            })
        }
    }
}

/// Scans the target in `file`, if it is one.
fn one(
    options: &ScanOptions,
    platform: Option<&str>,
    file: Option<PathBuf>,
    read: impl Fn(&Reader<'_>) -> Result<Inventory>,
) -> Result<Exit> {
    several(options, platform, file, |reader| {
        Ok((vec![read(reader)?], Vec::new()))
    })
}

/// Scans, and adds `notices` to what the first report says.
fn several(
    options: &ScanOptions,
    platform: Option<&str>,
    file: Option<PathBuf>,
    read: impl Fn(&Reader<'_>) -> Result<(Vec<Inventory>, Vec<String>)>,
) -> Result<Exit> {
    let started = Instant::now();
    let mut inputs = options.matching.files()?;
    inputs.push(catalogue_path(options.reading.base_catalogue.as_deref())?);
    inputs.extend(file);
    outputs::check(&options.output.outputs, &inputs)?;
    let assessor = Assessor::open(&options.matching, today())?;
    let reader = Reader::new(&options.reading, assessor.claims(), options.output.quiet)?
        .for_platform(platform);
    let (inventories, notices) = read(&reader)?;
    let mut assessments = Vec::new();
    for inventory in inventories {
        let wanted = !options.reading.no_store;
        let store = wanted && inventories::is_nameable(&inventory);
        let stored = store.then(|| inventories::store(&inventory));
        let mut assessment = assessor.assess(inventory)?;
        let stored = stored.map(|stored| {
            stored.and_then(|()| known::remember(&assessment.inventory, &assessment.findings))
        });
        if wanted && !store {
            let notice = "not kept for `seawall rematch`: what came through a pipe has no name";
            assessment.notices.push(notice.to_owned());
        }
        // The report is what was asked for: a read-only home does not cost it.
        if let Some(Err(failure)) = stored {
            let notice = format!("not kept for `seawall rematch`: {:#}", failure.error);
            assessment.notices.push(notice);
        }
        assessments.push(assessment);
    }
    if let Some(first) = assessments.first_mut() {
        first.notices.splice(0..0, notices);
    }
    outputs::write(
        &assessor,
        &assessments,
        reader.catalogue(),
        &options.output,
        Some(started.elapsed()),
    )
}
