//! Reports to standard output and to files.

use crate::assess::{Assessment, Assessor};
use crate::cli::Output;
use crate::exit::{Exit, Failure, Result};
use crate::place::{is_part_of, is_same_file};
use crate::stdout;
use anyhow::anyhow;
use clap::ColorChoice;
use seawall_report::{Format, NewerBase, Options, Report};
use seawall_scan::base::{Catalogue, base_updates};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Columns of a report that is no terminal's.
const FILE_WIDTH: usize = 120;

/// Refuses outputs that could not be written, or would be written over one of the `inputs`, before
/// minutes are spent on what they should hold.
pub(crate) fn check(outputs: &[(Format, PathBuf)], inputs: &[PathBuf]) -> Result<()> {
    for (index, (_, path)) in outputs.iter().enumerate() {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let refused = |why: &str, hint: &str| {
            Err(Failure::usage(anyhow!("cannot write {}: {why}", path.display())).hint(hint))
        };
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return refused("its directory does not exist", "make the directory first");
        }
        if path.is_dir() {
            return refused("it is a directory", "name a file in it");
        }
        let is_read = |input: &PathBuf| is_same_file(input, path) || is_part_of(path, input);
        if inputs.iter().any(is_read) {
            return refused("it is read for this report", "name another file");
        }
        let mut before = outputs.iter().take(index);
        if let Some((format, _)) = before.find(|(_, other)| is_same_file(other, path)) {
            let why = format!("the {} report goes to the same file", format.name());
            return refused(&why, "name a file of its own for each report");
        }
    }
    Ok(())
}

/// Refuses formats that hold one target, before minutes are spent on several.
pub(crate) fn hold_several(output: &Output) -> Result<()> {
    let formats = output.outputs.iter().map(|(format, _)| *format);
    let mut formats = formats.chain([output.format]);
    match formats.find(|format| !format.holds_several()) {
        None => Ok(()),
        Some(format) => Err(Failure::usage(anyhow!(
            "{} holds one target, and this would be several",
            format.name()
        ))),
    }
}

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
    everywhere(
        output.format,
        &output.outputs,
        exit(assessments),
        |format, terminal, out| {
            seawall_report::write_all(format, &reports, &options(output, terminal), out)
        },
    )
}

/// Writes to every file and to standard output (`terminal`). One that fails does not keep the others
/// from being written, and nothing takes back the verdict that there are findings over the threshold.
fn everywhere(
    format: Format,
    outputs: &[(Format, PathBuf)],
    verdict: Exit,
    write: impl Fn(Format, bool, &mut dyn Write) -> io::Result<()>,
) -> Result<Exit> {
    let to_file = |format: Format, path: &Path| {
        let mut file = BufWriter::new(File::create(path)?);
        write(format, false, &mut file)?;
        file.flush()
    };
    let mut failures: Vec<Failure> = Vec::new();
    for (format, path) in outputs {
        failures.extend(to_file(*format, path).err().map(|error| {
            let context = format!("cannot write {}", path.display());
            Failure::incomplete(anyhow::Error::new(error).context(context))
        }));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match write(format, true, &mut out).and_then(|()| out.flush()) {
        // The reader went away, as `head` does: that is its choice, and the verdict stands.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => failures.push(stdout::failed(error)),
        Ok(()) => {}
    }
    match (failures.into_iter().next(), verdict) {
        (None, verdict) => Ok(verdict),
        (Some(failure), Exit::Findings) => Err(Failure {
            exit: Exit::Findings,
            ..failure
        }),
        (Some(failure), _) => Err(failure),
    }
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
    outputs: &[(Format, PathBuf)],
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
    let verdict = match inventory.incomplete.is_empty() {
        true => Exit::Clean,
        false => Exit::Incomplete,
    };
    everywhere(format, outputs, verdict, |format, _, out| {
        seawall_report::write(format, &report, &Options::default(), out)
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
