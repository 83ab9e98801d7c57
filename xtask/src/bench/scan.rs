//! `cargo xtask bench scan`: the same files to every tool in turn.

use super::images::{self, Images};
use super::measure::{self, Usage};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the reference images are made and kept [default: `bench` in the target directory]
    #[arg(long)]
    images: Option<PathBuf>,
    /// Runs of each command; the fastest counts
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Write the tables, as Markdown, to this file too
    #[arg(long)]
    out: Option<PathBuf>,
    /// Directory with advisories
    #[arg(long, env = "SEAWALL_DATA")]
    data: Option<PathBuf>,
}

/// How the page with the results begins.
const ABOUT: &str = "\
# Benchmarks

`cargo xtask bench scan --out docs/benchmarks.md` wrote this page, and writes yours: it makes the
reference images with debootstrap and docker, gives the same files to Seawall and to syft, trivy and
grype where they are on `PATH`, one after the other, and takes of each the fastest of several runs
and the highest peak of resident memory.

- The Debian image has nginx, nodejs, npm, python3-django, openjdk-17-jre-headless, maven and
  postgresql-15 in it, and was written by `docker save`: uncompressed layers.
- The gzip layer holds the files of that image twice.
- Files that a distribution's package owns are that package's. syft lists the npm, Python and Java
  packages among them a second time; Seawall does not, because their fixes come with the
  distribution's package. They are counted below the table.
- The 10,000 packages are made of the names in the database: all languages' and one distribution's,
  every tenth at a version with flaws.
";

struct Bench {
    seawall: String,
    work: PathBuf,
    runs: u32,
    report: String,
    goals: Vec<Goal>,
}

/// A figure to reach.
struct Goal {
    what: &'static str,
    measured: String,
    reached: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    crate::run(
        Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--package", "seawall"])
            .args([
                "--package",
                "seawall-advisory",
                "--package",
                "seawall-artifact",
            ])
            .args(["--bins", "--examples"])
            .current_dir(crate::root()),
    )?;
    let work = crate::target_dir().join("bench");
    let images = images::make(args.images.as_deref().unwrap_or(&work))?;
    fs::create_dir_all(&work)?;
    let mut bench = Bench {
        seawall: path_text(&crate::target_dir().join("release/seawall")),
        work,
        runs: args.runs,
        report: String::new(),
        goals: Vec::new(),
    };
    let data = args
        .data
        .clone()
        .unwrap_or_else(|| crate::root().join("../shared/data"));
    bench.machine()?;
    let database = bench.database(&data)?;
    bench.debian(&images, database.as_deref())?;
    bench.small_files(&images)?;
    bench.gzip(&images)?;
    if let Some(database) = &database {
        bench.matching(database)?;
    }
    bench.goals();
    if let Some(out) = &args.out {
        let page = format!("{ABOUT}\n{}", bench.report);
        fs::write(out, page).with_context(|| out.display().to_string())?;
    }
    Ok(())
}

impl Bench {
    fn line(&mut self, line: &str) {
        println!("{line}");
        self.report.push_str(line);
        self.report.push('\n');
    }

    fn row(&mut self, tool: &str, usage: Usage, than: Option<Usage>) {
        let ratio = than.map_or_else(
            || " | ".to_owned(),
            |than| {
                format!(
                    "{:.1}x | {:.1}x",
                    usage.wall / than.wall,
                    usage.memory / than.memory
                )
            },
        );
        self.line(&format!(
            "| {tool} | {:.2} s | {:.2} s | {:.0} MiB | {ratio} |",
            usage.wall, usage.cpu, usage.memory
        ));
    }

    fn goal(&mut self, what: &'static str, measured: f64, unit: &str, most: f64) {
        self.goals.push(Goal {
            what,
            measured: format!("{measured:.2}{unit}"),
            reached: measured <= most,
        });
    }

    fn goals(&mut self) {
        self.line("\n## Goals\n\n| goal | measured | reached |\n|---|---|---|");
        for goal in std::mem::take(&mut self.goals) {
            let reached = if goal.reached { "yes" } else { "no" };
            self.line(&format!(
                "| {} | {} | {reached} |",
                goal.what, goal.measured
            ));
        }
    }

    fn table(&mut self, title: &str) {
        self.line(&format!("\n## {title}\n"));
        self.line("| | wall | CPU | peak memory | wall, to Seawall | memory, to Seawall |");
        self.line("|---|---|---|---|---|---|");
    }

    fn measure(&self, name: &str, command: &[&str], accepted: &[i32]) -> Result<Usage> {
        let environment = [
            ("SYFT_CHECK_FOR_APP_UPDATE", "false"),
            ("GRYPE_CHECK_FOR_APP_UPDATE", "false"),
            ("GRYPE_DB_AUTO_UPDATE", "false"),
        ];
        measure::fastest(
            command,
            &environment,
            &self.work.join(name),
            self.runs,
            accepted,
        )
    }

    fn machine(&mut self) -> Result<()> {
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown processor", |model| {
                model.trim_start_matches([' ', '\t', ':'])
            });
        let cores = std::thread::available_parallelism()?;
        let date = crate::output_of(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?;
        self.line(&format!(
            "{}, {model}, {cores} cores, files in the page cache",
            date.trim()
        ));
        Ok(())
    }

    /// Builds the database of all advisories at hand.
    fn database(&mut self, data: &Path) -> Result<Option<PathBuf>> {
        let advisories = data.join("advisories");
        if !advisories.is_dir() {
            self.line("\nno advisories at hand: set SEAWALL_DATA to measure matching");
            return Ok(None);
        }
        let database = self.work.join("advisories.db");
        let seawall = self.seawall.clone();
        let command = [
            &seawall,
            "db",
            "build",
            "--quiet",
            "--from",
            text(&advisories)?,
            "--out",
            text(&database)?,
        ];
        let usage = self.measure("build", &command, &[0, 3])?;
        let size = fs::metadata(&database)?.len();
        self.table("Advisory database");
        self.row("build", usage, None);
        let megabytes = size as f64 / 1e6;
        self.line(&format!("\nsize: {megabytes:.1} MB"));
        self.goal("all advisories built in 20 s", usage.wall, " s", 20.0);
        self.goal("into 60 MB", megabytes, " MB", 60.0);
        Ok(Some(database))
    }

    fn debian(&mut self, images: &Images, database: Option<&Path>) -> Result<()> {
        let archive = text(&images.debian)?.to_owned();
        warm(&images.debian)?;
        self.table("Inventory of the Debian image, saved by docker");
        let target = format!("docker-archive:{archive}");
        let ours = self.inventory("debian", &target)?;
        self.row("seawall sbom", ours, Some(ours));
        let syft = self.syft("debian", &target, ours)?;
        if let Some(syft) = syft {
            let (wall, memory) = (ours.wall / syft.wall, ours.memory / syft.memory);
            self.goal(
                "Debian image: 1/15 of syft's time (0.067)",
                wall,
                "",
                1.0 / 15.0,
            );
            self.goal("1/6 of syft's memory (0.167)", memory, "", 1.0 / 6.0);
        }
        self.peers(&archive, &target, ours)?;
        if let Some(database) = database {
            let seawall = self.seawall.clone();
            let command = [
                &seawall,
                "scan",
                "image",
                &target,
                "--db",
                text(database)?,
                "--format",
                "json",
                "--quiet",
                "--no-store",
                "--offline",
            ];
            // The others took minutes, in which the machine may have given the file's memory away.
            warm(&images.debian)?;
            let beside = self.inventory("debian", &target)?;
            let usage = self.measure("debian-scan.json", &command, &[0, 3])?;
            self.row("seawall sbom, again", beside, Some(ours));
            self.row("seawall scan (inventory and matching)", usage, Some(ours));
            let ratio = usage.wall / beside.wall;
            self.goal("with matching: 1.3 times the inventory", ratio, "", 1.3);
        }
        if syft.is_some() {
            self.compare_packages("debian")?;
        }
        Ok(())
    }

    fn small_files(&mut self, images: &Images) -> Result<()> {
        warm(&images.small_files)?;
        self.table("Inventory of 300,000 small files, saved by docker");
        let target = format!("docker-archive:{}", text(&images.small_files)?);
        let ours = self.inventory("small-files", &target)?;
        self.row("seawall sbom", ours, Some(ours));
        self.goal("300,000 files in 5 s", ours.wall, " s", 5.0);
        self.goal("and 300 MB", ours.memory * 1.048_576, " MB", 300.0);
        self.syft("small-files", &target, ours)?;
        Ok(())
    }

    fn gzip(&mut self, images: &Images) -> Result<()> {
        warm(&images.gzip_blob)?;
        self.table("Inventory of one gzip layer of about 1 GB");
        let target = format!("oci-dir:{}", text(&images.gzip)?);
        let ours = self.inventory("gzip", &target)?;
        self.row("seawall sbom", ours, Some(ours));
        let example = crate::target_dir().join("release/examples/bare_gzip");
        let command = [text(&example)?, text(&images.gzip_blob)?];
        let bare = self.measure("gzip-bare", &command, &[0])?;
        self.row("bare decompression (flate2 with zlib-rs)", bare, Some(ours));
        self.syft("gzip", &target, ours)?;
        let ratio = ours.wall / bare.wall;
        self.goal("gzip layer: 1.3 times bare decompression", ratio, "", 1.3);
        Ok(())
    }

    /// Matches a synthetic inventory of 10,000 packages.
    fn matching(&mut self, database: &Path) -> Result<()> {
        let example = crate::target_dir().join("release/examples/match_speed");
        let printed = crate::output_of(Command::new(example).arg(database))?;
        self.line("\n## Matching\n\n```text");
        self.line(printed.trim_end());
        self.line("```");
        let milliseconds = fastest_match(&printed).context("no time of a match was printed")?;
        self.goal(
            "10,000 packages matched in 50 ms",
            milliseconds,
            " ms",
            50.0,
        );
        Ok(())
    }

    fn inventory(&self, name: &str, target: &str) -> Result<Usage> {
        let command = [
            self.seawall.as_str(),
            "sbom",
            "image",
            target,
            "--format",
            "cyclonedx",
            "--quiet",
            "--no-store",
            "--offline",
        ];
        self.measure(&format!("{name}-seawall.json"), &command, &[0, 3])
    }

    fn syft(&mut self, name: &str, target: &str, ours: Usage) -> Result<Option<Usage>> {
        if !installed("syft") {
            self.line("| syft | not installed | | | | |");
            return Ok(None);
        }
        let command = ["syft", "scan", "--quiet", "--output", "json", target];
        let usage = self.measure(&format!("{name}-syft.json"), &command, &[0])?;
        self.row("syft", usage, Some(ours));
        Ok(Some(usage))
    }

    fn peers(&mut self, archive: &str, target: &str, ours: Usage) -> Result<()> {
        let trivy = [
            "trivy",
            "image",
            "--quiet",
            "--offline-scan",
            "--skip-db-update",
            "--skip-java-db-update",
            "--format",
            "cyclonedx",
            "--input",
            archive,
        ];
        let grype = ["grype", "--quiet", "--output", "json", target];
        for command in [&trivy[..], &grype[..]] {
            let name = command[0];
            if installed(name) {
                let usage = self.measure(&format!("debian-{name}.json"), command, &[0])?;
                self.row(name, usage, Some(ours));
            } else {
                self.line(&format!("| {name} | not installed | | | | |"));
            }
        }
        Ok(())
    }

    /// Accounts for every package that syft lists and Seawall does not.
    fn compare_packages(&mut self, name: &str) -> Result<()> {
        let read = |tool: &str| fs::read(self.work.join(format!("{name}-{tool}.json")));
        let ours: CycloneDx = serde_json::from_slice(&read("seawall")?)?;
        let theirs: Syft = serde_json::from_slice(&read("syft")?)?;
        let found: BTreeSet<(String, &str)> = ours
            .components
            .iter()
            .map(|component| (component.full_name(), component.version.as_str()))
            .collect();
        // By syft's own account of what dpkg installed.
        let installed: BTreeSet<&str> = theirs
            .artifacts
            .iter()
            .filter(|artifact| artifact.kind == "deb")
            .flat_map(|artifact| &artifact.metadata.files)
            .map(|file| file.path.as_str())
            .collect();
        let missing = theirs.artifacts.iter().filter(|artifact| {
            !found.contains(&(artifact.name.clone(), artifact.version.as_str()))
        });
        let (owned, unexplained): (Vec<_>, Vec<_>) = missing.partition(|artifact| {
            artifact
                .locations
                .iter()
                .any(|place| installed.contains(place.path.as_str()))
        });
        self.line(&format!(
            "\nsyft lists {} packages, Seawall {}. Of syft's, {} are files of a Debian package \
             that is listed itself, and are counted with it ({}); {} are not explained",
            theirs.artifacts.len(),
            ours.components.len(),
            owned.len(),
            by_kind(&owned),
            unexplained.len()
        ));
        for artifact in unexplained {
            self.line(&format!(
                "- {} {} {}",
                artifact.kind, artifact.name, artifact.version
            ));
        }
        Ok(())
    }
}

/// The least of the lines `match 12.3ms ...`.
fn fastest_match(printed: &str) -> Option<f64> {
    printed
        .lines()
        .filter_map(|line| line.strip_prefix("match")?.split_whitespace().next())
        .filter_map(|time| time.strip_suffix("ms")?.parse().ok())
        .min_by(f64::total_cmp)
}

fn by_kind(artifacts: &[&SyftArtifact]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for artifact in artifacts {
        *counts.entry(&artifact.kind).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    counts.join(", ")
}

#[derive(Deserialize)]
struct CycloneDx {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    group: Option<String>,
    name: String,
    #[serde(default)]
    version: String,
    purl: Option<String>,
}

impl Component {
    /// The name as syft writes it: npm's scope and Go's path before the name, no Maven group.
    fn full_name(&self) -> String {
        let maven = self
            .purl
            .as_deref()
            .is_some_and(|purl| purl.starts_with("pkg:maven/"));
        match &self.group {
            Some(group) if !maven && !group.is_empty() => format!("{group}/{}", self.name),
            _ => self.name.clone(),
        }
    }
}

#[derive(Deserialize)]
struct Syft {
    artifacts: Vec<SyftArtifact>,
}

#[derive(Deserialize)]
struct SyftArtifact {
    name: String,
    version: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    locations: Vec<Place>,
    #[serde(default)]
    metadata: SyftMetadata,
}

#[derive(Deserialize, Default)]
struct SyftMetadata {
    /// What the package manager installed.
    #[serde(default)]
    files: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
}

/// Reads a file once, so that every tool finds it in the page cache.
fn warm(file: &Path) -> Result<()> {
    std::io::copy(&mut fs::File::open(file)?, &mut std::io::sink())?;
    Ok(())
}

fn installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
