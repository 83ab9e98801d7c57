//! Runs the fuzz targets of `fuzz/`. LibFuzzer's instrumentation is a code generation option of the
//! stable compiler, so neither a nightly nor cargo-fuzz has to be installed.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const HOST: &str = "x86_64-unknown-linux-gnu";

/// What cargo-fuzz passes as well: inline counters, a table of program counters, and comparisons,
/// so that magic numbers are found.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Targets to run; all of them by default
    targets: Vec<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Targets that run at the same time
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Memory that a target may use, in MiB
    #[arg(long, default_value_t = 2048)]
    memory: u64,
    /// Keep inputs that reach new code in fuzz/corpus, made as small as they get
    #[arg(long)]
    grow: bool,
    /// Only list the targets
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let all = targets()?;
    if args.list {
        for target in &all {
            println!("{target}");
        }
        return Ok(());
    }
    for name in &args.targets {
        ensure!(
            all.contains(name),
            "no fuzz target '{name}'; see cargo xtask fuzz --list"
        );
    }
    let chosen = if args.targets.is_empty() {
        all
    } else {
        args.targets.clone()
    };
    let program = build()?;
    let queue = std::sync::Mutex::new(chosen.iter());
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some(target) = next else { return };
                    if let Err(error) = run_target(&program, target, args)
                        && let Ok(mut failed) = failed.lock()
                    {
                        eprintln!("{target}: {error:#}");
                        failed.push(target.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    if !failed.is_empty() {
        bail!(
            "{} of {} fuzz targets failed: {}",
            failed.len(),
            chosen.len(),
            failed.join(", ")
        );
    }
    println!("{} fuzz targets ran without a finding", chosen.len());
    Ok(())
}

/// The names in the table of `fuzz/src/targets.rs`.
fn targets() -> Result<Vec<String>> {
    let path = crate::root().join("fuzz/src/targets.rs");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let rows = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\""));
    let names: Vec<String> = rows
        .filter_map(|row| row.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .collect();
    ensure!(!names.is_empty(), "{} names no targets", path.display());
    Ok(names)
}

fn build() -> Result<PathBuf> {
    let target_dir = crate::target_dir().join("fuzz");
    crate::run(
        Command::new(env!("CARGO"))
            .args(["build", "--profile", "fuzz", "--package", "seawall-fuzz"])
            .args(["--locked", "--target", HOST])
            .current_dir(crate::root())
            .env("CARGO_TARGET_DIR", &target_dir)
            .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}")),
    )?;
    Ok(target_dir.join(HOST).join("fuzz/seawall-fuzz"))
}

fn run_target(program: &Path, target: &str, args: &Args) -> Result<()> {
    let stored = crate::root().join("fuzz/corpus").join(target);
    let work = crate::target_dir().join("fuzz/work").join(target);
    let artifacts = crate::target_dir().join("fuzz/artifacts").join(target);
    for folder in [&work, &artifacts] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let started = Instant::now();
    let mut command = Command::new(program);
    command
        .env("SEAWALL_FUZZ_TARGET", target)
        // One thread does the same for the same input, and targets run beside each other anyway.
        .env("RAYON_NUM_THREADS", "1")
        .arg(&work)
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-rss_limit_mb={}", args.memory))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args([
            // By the clock on the wall: other work on the machine must not look like a hang.
            "-timeout=30",
            "-print_final_stats=1",
            "-verbosity=0",
            "-max_len=65536",
        ])
        .stdin(Stdio::null());
    if stored.is_dir() {
        command.arg(&stored);
    }
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprintln!("{log}");
        bail!("found an input that fails: see {}", artifacts.display());
    }
    if args.grow {
        fs::create_dir_all(&stored)?;
        crate::run(
            Command::new(program)
                .env("SEAWALL_FUZZ_TARGET", target)
                .args(["-merge=1", "-verbosity=0", "-max_len=4096"])
                .args([&stored, &work])
                .stderr(Stdio::null()),
        )?;
    }
    let runs = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .map_or("0", str::trim);
    println!(
        "{target}: {runs} inputs in {:.0} s",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
