//! `cargo xtask bench scan`: the same files to every tool in turn.

use super::images::{self, Images};
use super::measure::{self, Usage};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

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

struct Bench {
    seawall: String,
    work: PathBuf,
    runs: u32,
    report: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    crate::run(
        Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--package", "seawall"])
            .args(["--package", "seawall-advisory", "--examples"])
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
    if let Some(out) = &args.out {
        fs::write(out, &bench.report).with_context(|| out.display().to_string())?;
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

    fn table(&mut self, title: &str) {
        self.line(&format!("\n### {title}\n"));
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
        self.line(&format!("\nsize: {:.1} MB", size as f64 / 1e6));
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
            let usage = self.measure("debian-scan.json", &command, &[0, 3])?;
            self.row("seawall scan (inventory and matching)", usage, Some(ours));
        }
        if syft {
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
        self.syft("small-files", &target, ours)?;
        Ok(())
    }

    fn gzip(&mut self, images: &Images) -> Result<()> {
        warm(&images.gzip_blob)?;
        self.table("Inventory of one gzip layer of about 1 GB");
        let target = format!("oci-dir:{}", text(&images.gzip)?);
        let ours = self.inventory("gzip", &target)?;
        self.row("seawall sbom", ours, Some(ours));
        let bare = bare_decompression(&images.gzip_blob, self.runs)?;
        self.row(
            "bare decompression (flate2 with zlib-rs, to nowhere)",
            bare,
            Some(ours),
        );
        self.syft("gzip", &target, ours)?;
        self.line(&format!(
            "\nto bare decompression: {:.2}x",
            ours.wall / bare.wall
        ));
        Ok(())
    }

    /// Matches a synthetic inventory of 10,000 packages.
    fn matching(&mut self, database: &Path) -> Result<()> {
        let example = crate::target_dir().join("release/examples/match_speed");
        let printed = crate::output_of(Command::new(example).arg(database))?;
        self.line("\n### Matching\n");
        self.line(printed.trim_end());
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

    fn syft(&mut self, name: &str, target: &str, ours: Usage) -> Result<bool> {
        if !installed("syft") {
            self.line("| syft | not installed | | | | |");
            return Ok(false);
        }
        let command = ["syft", "scan", "--quiet", "--output", "json", target];
        let usage = self.measure(&format!("{name}-syft.json"), &command, &[0])?;
        self.row("syft", usage, Some(ours));
        Ok(true)
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

/// What decompressing the layer costs alone, in this process.
#[expect(
    clippy::disallowed_methods,
    reason = "the measure of what Seawall's own caps cost"
)]
fn bare_decompression(blob: &Path, runs: u32) -> Result<Usage> {
    let mut best = f64::INFINITY;
    for _ in 0..runs.max(1) {
        let started = Instant::now();
        let file = fs::File::open(blob)?;
        let mut decoder =
            flate2::bufread::MultiGzDecoder::new(std::io::BufReader::with_capacity(1 << 18, file));
        let mut buffer = vec![0; 1 << 18];
        while decoder.read(&mut buffer)? > 0 {}
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(Usage {
        wall: best,
        cpu: best,
        memory: 1.0,
    })
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
