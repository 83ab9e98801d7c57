//! The command line's grammar. What the flags mean stands here once: help, completions and the man
//! page are made from it.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueHint};
use seawall_model::FailOn;
use seawall_report::Format;
use std::path::PathBuf;

/// Finds what is inside an image, a directory or a machine, what is vulnerable, which layer brought
/// it, who owns that layer, and what to do first.
#[derive(Debug, Parser)]
#[command(
    name = "seawall",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = FIRST_STEPS)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say more on standard error (-v: what is done, -vv: every detail)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

const FIRST_STEPS: &str = "\
Examples:
  seawall db update                                fetch advisories
  seawall scan image nginx:1.27                    from docker, podman, containerd or a registry
  seawall scan image app.tar --fail-on critical    for CI: ends with 1 if anything is critical
  seawall scan fs . --output html=report.html
  seawall scan host

Exit codes:
  0  nothing at or over the threshold of --fail-on
  1  findings at or over it
  2  wrong usage or configuration
  3  the scan could not be completed; the report says what is missing";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find packages and their vulnerabilities
    #[command(subcommand)]
    Scan(Scan),
    /// Write a bill of materials (CycloneDX or SPDX)
    #[command(after_help = "\
Examples:
  seawall sbom image alpine.tar -f cyclonedx > alpine.cdx.json
  seawall sbom fs . -f spdx --output spdx=app.spdx.json")]
    Sbom(Sbom),
    /// Make, update and ask the advisory database
    #[command(subcommand)]
    Db(Db),
    /// Keep the catalogue of base images, by which layers get an owner
    #[command(subcommand)]
    Base(Base),
    /// Match stored inventories again, without the images
    #[command(after_help = "\
Every scan stores its inventory. When the database changes, this matches all of them again and says
what is new in each since the last time.

Examples:
  seawall rematch
  seawall rematch nginx --fail-on high -f json")]
    Rematch(Rematch),
    /// Compare versions by the rules of an ecosystem: prints <, = or >
    #[command(after_help = "\
Examples:
  seawall version-compare deb 1.0~rc1-1 1.0-1
  printf '1.0 1.0.0\\n2.0rc1 2.0\\n' | seawall version-compare pep440")]
    VersionCompare(VersionCompare),
    /// Write shell completions to standard output
    #[command(after_help = "\
Examples:
  seawall completions bash > ~/.local/share/bash-completion/completions/seawall
  seawall completions zsh > ~/.zfunc/_seawall
  seawall completions fish > ~/.config/fish/completions/seawall.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man page to standard output, or every page to a directory
    #[command(after_help = "\
Examples:
  seawall man | man -l -
  seawall man --directory ~/.local/share/man/man1")]
    Man {
        /// Write one page per subcommand here
        #[arg(long, value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scan {
    /// An image: from an archive, a registry or a container runtime
    #[command(after_help = "\
Targets:
  docker-archive:FILE   written by `docker save`
  oci-archive:FILE      an OCI image layout in a tar file
  oci-dir:DIR           an OCI image layout in a directory
  registry:REF          a registry, without asking the runtimes on this machine
  docker:REF            the Docker daemon
  containerd:REF        containerd
  podman:REF            podman and CRI-O
  FILE                  any of the archives above; `-` is standard input; FILE:NAME and -:NAME
                        choose one of several images
  REF                   docker, podman, containerd, then the registry

Examples:
  seawall scan image nginx:1.27
  seawall scan image app.tar --fail-on critical --output sarif=app.sarif
  seawall scan image registry:registry.example/app:1 --platform linux/arm64")]
    Image {
        /// The image
        #[arg(value_name = "TARGET", value_hint = ValueHint::AnyPath)]
        target: String,
        #[command(flatten)]
        choice: Choice,
        #[command(flatten)]
        options: ScanOptions,
    },
    /// A root filesystem or a source tree
    #[command(after_help = "\
Examples:
  seawall scan fs .
  seawall scan fs /mnt/rootfs -f json")]
    Fs {
        /// The directory
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        directory: PathBuf,
        #[command(flatten)]
        options: ScanOptions,
    },
    /// This machine: its packages, its kernel, and the images of its running containers
    #[command(after_help = "\
Examples:
  seawall scan host
  seawall scan host --all-images --output html=host.html")]
    Host {
        /// Scan every image on this machine, not only those that run
        #[arg(long)]
        all_images: bool,
        /// Do not scan any image
        #[arg(long, conflicts_with = "all_images")]
        no_images: bool,
        #[command(flatten)]
        options: ScanOptions,
    },
    /// A bill of materials: CycloneDX or SPDX, JSON
    #[command(after_help = "\
Examples:
  seawall scan sbom app.cdx.json
  syft app:1 -o spdx-json | seawall scan sbom -")]
    Sbom {
        /// The file, or - for standard input
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        options: ScanOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ScanOptions {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) matching: Matching,
}

/// Which of several images.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct Choice {
    /// Platform of a multi-platform image: os/architecture[/variant]
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,
}

/// How the target is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct Reading {
    /// Ask nothing of the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Count packages that are only needed to develop and test
    #[arg(long)]
    pub(crate) include_development: bool,
    /// Catalogue of base images
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) base_catalogue: Option<PathBuf>,
    /// Owner of the layers above the base image
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// Do not store the inventory for `seawall rematch`
    #[arg(long)]
    pub(crate) no_store: bool,
}

/// What the inventory is matched against, and what counts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Matching")]
pub(crate) struct Matching {
    /// Advisory database [env: SEAWALL_DB]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) db: Option<PathBuf>,
    /// Exit with 1 if there is a finding of this severity or worse, one that is known to be
    /// exploited (kev), or one that has a fix (fixable); several with commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = thresholds())]
    pub(crate) fail_on: Vec<FailOn>,
    /// Findings to hold back, with reason and expiry [default: .seawallignore.yaml or .trivyignore here, if any]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ignore_file: Option<PathBuf>,
    /// Statements on what is affected: OpenVEX, CycloneDX or CSAF (several)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) vex: Vec<PathBuf>,
    /// Images whose findings are accepted, with reason and expiry
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trusted_images: Option<PathBuf>,
}

/// What is written where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Format on standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = formats(Format::ALL))]
    pub(crate) format: Format,
    /// Write a report of that format to a file as well (several)
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = parse_output)]
    pub(crate) outputs: Vec<(Format, PathBuf)>,
    /// List every finding in the table, not the worst of each group
    #[arg(long)]
    pub(crate) all: bool,
    /// Print the report only: no progress, no hints
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: clap::ColorChoice,
}

#[derive(Debug, Args)]
pub(crate) struct Sbom {
    /// As for `seawall scan`: `image TARGET`, `fs DIR`, `host` or `sbom FILE`; without the word, a
    /// directory is read as `fs` and all else as `image`
    #[arg(value_name = "KIND TARGET", required = true, num_args = 1..=2, value_hint = ValueHint::AnyPath)]
    pub(crate) target: Vec<String>,
    /// Format on standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "cyclonedx", value_parser = formats(SBOMS))]
    pub(crate) format: Format,
    /// Write to a file as well (several)
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = parse_sbom_output)]
    pub(crate) outputs: Vec<(Format, PathBuf)>,
    /// No progress, no hints
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Build a database from files: directories, archives and single feed files
    #[command(after_help = "\
Everything that a feed publishes can be given as it was downloaded, in zip, tar, gzip or zstd too.

Examples:
  seawall db build --from feeds/ --out advisories.db
  seawall db build --from osv/all.zip epss.csv.gz our-advisories.yaml --out advisories.db")]
    Build {
        /// Files, directories or archives
        #[arg(long, value_name = "PATH", required = true, num_args = 1.., value_hint = ValueHint::AnyPath)]
        from: Vec<PathBuf>,
        /// The database to write [default: the one that scans use]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
        /// Sign it with this key, made by `seawall db keygen`
        #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
        sign: Option<PathBuf>,
        /// No progress
        #[arg(short, long)]
        quiet: bool,
    },
    /// Fetch the configured feeds and build the database from them
    #[command(after_help = "\
A feed that has not changed is not fetched again, and one that fails keeps its older file.

Examples:
  seawall db update
  seawall db update --print-feeds > feeds.toml    # to edit it, then:
  seawall db update --feeds feeds.toml")]
    Update {
        /// Feeds to fetch [default: feeds.toml of the configuration, else the built-in ones]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        feeds: Option<PathBuf>,
        /// Print the configuration of the feeds and stop
        #[arg(long)]
        print_feeds: bool,
        /// The database to write [default: the one that scans use]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
        /// Sign it with this key, made by `seawall db keygen`
        #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
        sign: Option<PathBuf>,
        /// No progress
        #[arg(short, long)]
        quiet: bool,
    },
    /// Say what the database holds and how old it is
    Status {
        #[command(flatten)]
        database: DatabaseFile,
    },
    /// Everything known of a flaw, by any of its names
    #[command(after_help = "\
Examples:
  seawall db query CVE-2021-44228
  seawall db query CNNVD-202112-799 --json")]
    Query {
        /// CVE, GHSA, DSA, RHSA, CNNVD, ...
        id: String,
        #[command(flatten)]
        database: DatabaseFile,
    },
    /// The advisories for a package, and whether this version is affected
    #[command(after_help = "\
Examples:
  seawall db lookup pkg:npm/lodash@4.17.20
  seawall db lookup 'pkg:deb/debian/openssl@3.0.9-1?distro=debian-12'")]
    Lookup {
        /// A package URL
        purl: String,
        #[command(flatten)]
        database: DatabaseFile,
    },
    /// Make a file with what changed between two databases, or apply it
    #[command(subcommand)]
    Delta(Delta),
    /// Make a pair of keys to sign databases with
    #[command(after_help = "\
As soon as ~/.config/seawall/trusted-keys holds a public key, a database must be signed by one.

Examples:
  seawall db keygen advisories.key
  seawall db build --from feeds/ --sign advisories.key --out advisories.db")]
    Keygen {
        /// Where to write the private key; the public one goes beside it with `.pub`
        #[arg(value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Delta {
    /// Write what turns OLD into NEW
    #[command(after_help = "\
Examples:
  seawall db delta create monday.db tuesday.db --out tuesday.delta")]
    Create {
        /// The database that users have
        #[arg(value_hint = ValueHint::FilePath)]
        old: PathBuf,
        /// The database that they shall get
        #[arg(value_hint = ValueHint::FilePath)]
        new: PathBuf,
        /// The delta file
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
    /// Turn a database into the next one
    #[command(after_help = "\
Examples:
  seawall db delta apply tuesday.delta
  seawall db delta apply tuesday.delta --db monday.db --out tuesday.db")]
    Apply {
        /// The delta file
        #[arg(value_hint = ValueHint::FilePath)]
        delta: PathBuf,
        /// The database to bring up to date; it stays as it is if anything is wrong
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        db: Option<PathBuf>,
        /// Write the new database here and leave the old one
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DatabaseFile {
    /// Advisory database [env: SEAWALL_DB]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) db: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Base {
    /// Add an image to the catalogue: its layers are recognised in every image built on it
    #[command(after_help = "\
Examples:
  seawall base add debian:12 --owner platform-team
  seawall base add oci-dir:./base --name registry.example/base:2026.11 --owner platform-team")]
    Add {
        /// As for `seawall scan image`
        target: String,
        /// Name in reports [default: the image's]
        #[arg(long)]
        name: Option<String>,
        /// The team or person who answers for it
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        catalogue: CatalogueFile,
        /// Platform of a multi-platform image: os/architecture[/variant]
        #[arg(long, value_name = "PLATFORM")]
        platform: Option<String>,
        /// Ask nothing of the network
        #[arg(long)]
        offline: bool,
        /// No progress
        #[arg(short, long)]
        quiet: bool,
    },
    /// List the catalogue
    List {
        #[command(flatten)]
        catalogue: CatalogueFile,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove the images of that name, or one by its digest
    Remove {
        /// Name or digest
        name: String,
        #[command(flatten)]
        catalogue: CatalogueFile,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CatalogueFile {
    /// Catalogue of base images
    #[arg(long = "base-catalogue", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Rematch {
    /// Only inventories whose name contains this
    pub(crate) name: Option<String>,
    /// Only list what is stored
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) matching: Matching,
}

#[derive(Debug, Args)]
pub(crate) struct VersionCompare {
    /// The scheme
    #[arg(value_parser = PossibleValuesParser::new(seawall_model::VersionScheme::names()))]
    pub(crate) scheme: String,
    /// Two versions; without them, lines of two versions are read from standard input
    #[arg(value_names = ["A", "B"], num_args = 0..=2, allow_hyphen_values = true)]
    pub(crate) versions: Vec<String>,
}

/// What bills of materials are written in.
const SBOMS: &[(Format, &str)] = &[(Format::CycloneDx, "cyclonedx"), (Format::Spdx, "spdx")];

fn formats(allowed: &'static [(Format, &'static str)]) -> impl TypedValueParser<Value = Format> {
    let names = allowed.iter().map(|(_, name)| *name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Format>())
}

fn thresholds() -> impl TypedValueParser<Value = FailOn> {
    PossibleValuesParser::new(FailOn::ALL.iter().map(|threshold| threshold.name()))
        .try_map(|name| FailOn::from_name(&name).ok_or("unknown threshold"))
}

fn parse_output(text: &str) -> Result<(Format, PathBuf), String> {
    split_output(text, Format::ALL)
}

fn parse_sbom_output(text: &str) -> Result<(Format, PathBuf), String> {
    split_output(text, SBOMS)
}

fn split_output(text: &str, allowed: &[(Format, &str)]) -> Result<(Format, PathBuf), String> {
    let (name, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or_else(|| "expected FORMAT=FILE, as in json=report.json".to_owned())?;
    let format = allowed
        .iter()
        .find(|(_, own)| *own == name)
        .ok_or_else(|| {
            let names: Vec<&str> = allowed.iter().map(|(_, name)| *name).collect();
            format!("'{name}' is not one of {}", names.join(", "))
        })?;
    Ok((format.0, PathBuf::from(file)))
}
