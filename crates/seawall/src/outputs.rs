//! Reports to standard output and to files.

use crate::assess::{Assessment, Assessor};
use crate::cli::Output;
use crate::exit::{Exit, Failure, Result};
use anyhow::Context;
use clap::ColorChoice;
use seawall_report::{Format, NewerBase, Options, Report};
use seawall_scan::base::{Catalogue, base_updates};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

/// Columns of a report that is no terminal's.
const FILE_WIDTH: usize = 120;

/// Writes the reports of all assessments, the main one first, wherever the options want them, and
/// says how the program ends.
pub(crate) fn write(
    assessor: &Assessor,
    assessments: &[Assessment],
    catalogue: &Catalogue,
    output: &Output,
    duration: Option<Duration>,
) -> Result<Exit> {
    let database = assessor.database_info()?;
    let reports: Vec<Report<'_>> = assessments
        .iter()
        .map(|assessment| Report {
            tool_version: env!("CARGO_PKG_VERSION"),
            generated_at: jiff::Timestamp::now(),
            duration,
            inventory: &assessment.inventory,
            findings: &assessment.findings,
            database: Some(database.clone()),
            gate: assessment.gate.clone(),
            newer_bases: newer_bases(catalogue, assessment),
            notices: &assessment.notices,
        })
        .collect();
    for (format, path) in &output.outputs {
        let mut file = create(path)?;
        seawall_report::write_all(*format, &reports, &options(output, false), &mut file)
            .and_then(|()| file.flush())
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::incomplete)?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    seawall_report::write_all(output.format, &reports, &options(output, true), &mut out)
        .and_then(|()| out.flush())
        .map_err(Failure::incomplete)?;
    Ok(exit(assessments))
}

/// The newest builds in the catalogue of the images that an image is built on, and what they mend.
fn newer_bases(catalogue: &Catalogue, assessment: &Assessment) -> Vec<NewerBase> {
    let counts = |position: &&usize| {
        assessment
            .findings
            .get(**position)
            .is_some_and(|finding| finding.status.counts())
    };
    base_updates(catalogue, &assessment.inventory, &assessment.findings)
        .into_iter()
        .map(|update| NewerBase {
            of: update.current.name.clone(),
            owner: update.current.owner.clone(),
            name: update.newest.name.clone(),
            digest: update.newest.digest.clone(),
            created: update.newest.created.clone(),
            mends: update.mended.iter().filter(counts).count(),
        })
        .collect()
}

/// Writes a bill of materials.
pub(crate) fn write_sbom(
    inventory: &seawall_model::Inventory,
    format: Format,
    outputs: &[(Format, std::path::PathBuf)],
) -> Result<Exit> {
    let report = Report {
        tool_version: env!("CARGO_PKG_VERSION"),
        generated_at: jiff::Timestamp::now(),
        duration: None,
        inventory,
        findings: &[],
        database: None,
        gate: None,
        newer_bases: Vec::new(),
        notices: &[],
    };
    let options = Options::default();
    for (format, path) in outputs {
        let mut file = create(path)?;
        seawall_report::write(*format, &report, &options, &mut file)
            .and_then(|()| file.flush())
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Failure::incomplete)?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    seawall_report::write(format, &report, &options, &mut out)
        .and_then(|()| out.flush())
        .map_err(Failure::incomplete)?;
    Ok(if inventory.incomplete.is_empty() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

/// Findings over the threshold decide, as no later reading can take them back; then whether
/// everything was read.
fn exit(assessments: &[Assessment]) -> Exit {
    let failed = |assessment: &Assessment| assessment.gate.as_ref().is_some_and(|g| g.failed());
    if assessments.iter().any(failed) {
        Exit::Findings
    } else if assessments
        .iter()
        .any(|assessment| !assessment.inventory.incomplete.is_empty())
    {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    let file = File::create(path)
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| Failure::usage(error).hint("check that its directory exists"))?;
    Ok(BufWriter::new(file))
}

fn options(output: &Output, terminal: bool) -> Options {
    let terminal = terminal && io::stdout().is_terminal();
    let color = match output.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // The NO_COLOR convention: any value that is not empty.
        ColorChoice::Auto => {
            terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    };
    let width = match terminal {
        true => terminal_size::terminal_size().map_or(FILE_WIDTH, |(width, _)| width.0.into()),
        false => FILE_WIDTH,
    };
    let rows = if output.all {
        None
    } else {
        Options::default().rows
    };
    Options { color, width, rows }
}
