//! Wall time, processor time and peak memory of a command, as the kernel counts them.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// What one run used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Wall time in seconds.
    pub(crate) wall: f64,
    /// Processor time of all threads, user and system, in seconds.
    pub(crate) cpu: f64,
    /// Peak resident memory in MiB.
    pub(crate) memory: f64,
}

/// Runs a command `runs` times with its output in `out` and returns the fastest run's usage, with
/// the highest peak of memory. `accepted` are the exit codes that mean the work was done.
///
/// # Errors
/// A run ends otherwise, or GNU time is not installed.
pub(crate) fn fastest(
    command: &[&str],
    environment: &[(&str, &str)],
    out: &Path,
    runs: u32,
    accepted: &[i32],
) -> Result<Usage> {
    let mut best: Option<Usage> = None;
    for _ in 0..runs.max(1) {
        let usage = once(command, environment, out, accepted)?;
        best = Some(match best {
            None => usage,
            Some(best) => {
                let memory = best.memory.max(usage.memory);
                let faster = if usage.wall < best.wall { usage } else { best };
                Usage { memory, ..faster }
            }
        });
    }
    best.context("no run")
}

fn once(
    command: &[&str],
    environment: &[(&str, &str)],
    out: &Path,
    accepted: &[i32],
) -> Result<Usage> {
    let figures = out.with_extension("time");
    let status = Command::new("/usr/bin/time")
        .args(["--quiet", "--format", "%e %U %S %M", "--output"])
        .arg(&figures)
        .args(command)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(File::create(out).with_context(|| out.display().to_string())?)
        .stderr(File::create(out.with_extension("log"))?)
        .status()
        .context("cannot start /usr/bin/time (the package `time`)")?;
    ensure!(
        status.code().is_some_and(|code| accepted.contains(&code)),
        "{command:?} ended with {status}: see {}",
        out.with_extension("log").display()
    );
    let text = std::fs::read_to_string(&figures)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect();
    let [wall, user, system, kib] = numbers[..] else {
        anyhow::bail!("unexpected output of /usr/bin/time: {text}");
    };
    Ok(Usage {
        wall,
        cpu: user + system,
        memory: kib / 1024.0,
    })
}
