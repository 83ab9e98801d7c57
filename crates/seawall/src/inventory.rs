//! A target in, an inventory out.

use crate::cli::Reading;
use crate::exit::{Failure, Result};
use crate::locations;
use crate::place;
use crate::progress::Bar;
use anyhow::{Context, anyhow};
use jiff::civil::Date;
use seawall_artifact::{Artifact, Claims, Options, Source, Verify};
use seawall_model::Inventory;
use seawall_scan::base::Catalogue;
use seawall_scan::host::{Host, scan_host};
use seawall_scan::{ScanOptions, end_of_life, sbom, scan_artifact};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest bill of materials that is read, in bytes.
const MAX_SBOM: u64 = 512 << 20;

/// How targets are read: the options, with the files that they name.
pub(crate) struct Reader<'a> {
    reading: &'a Reading,
    /// Of a multi-platform image.
    platform: Option<String>,
    catalogue: Catalogue,
    verify: Verify,
    today: Date,
    quiet: bool,
}

impl<'a> Reader<'a> {
    /// Images that claim to be what `claims` or the catalogue know are compared with that.
    pub(crate) fn new(reading: &'a Reading, mut claims: Claims, quiet: bool) -> Result<Self> {
        let (catalogue, _) = load_catalogue(reading.base_catalogue.as_deref())?;
        let known = catalogue.chain_ids().map(str::to_owned);
        claims.chain_ids.extend(known);
        Ok(Self {
            reading,
            platform: None,
            catalogue,
            verify: Verify::Claims(Arc::new(claims)),
            today: today(),
            quiet,
        })
    }

    /// Reads images for another platform than this machine's.
    pub(crate) fn for_platform(mut self, platform: Option<&str>) -> Self {
        self.platform = platform.map(str::to_owned);
        self
    }

    /// Compares every image with what it says of itself.
    pub(crate) fn verifying_everything(mut self) -> Self {
        self.verify = Verify::Everything;
        self
    }

    /// The base images by which layers were told apart.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// An image, named as on the command line; one in a file by the file's place, as a relative path
    /// is another file's elsewhere.
    pub(crate) fn image(&self, target: &str) -> Result<Inventory> {
        let source: Source = target.parse()?;
        let mut inventory = self.artifact(target, &source)?;
        inventory.target.place = source.place();
        Ok(inventory)
    }

    /// A directory.
    pub(crate) fn directory(&self, directory: &Path) -> Result<Inventory> {
        if !directory.is_dir() {
            let what = match directory.exists() {
                true => "is no directory",
                false => "does not exist",
            };
            return Err(Failure::usage(anyhow!("'{}' {what}", directory.display()))
                .hint("scan an image archive with 'seawall scan image FILE'"));
        }
        // "." is another directory elsewhere: reports and stored inventories name the place.
        let source = Source::Directory(directory.to_owned());
        let name = source.place();
        let name = name.unwrap_or_else(|| directory.display().to_string());
        self.artifact(&name, &source)
    }

    /// This machine, with its kernel and running containers.
    pub(crate) fn host(&self) -> Result<Host> {
        let bar = Bar::count("reading this machine", self.quiet);
        Ok(scan_host(
            &self.scan_options("this machine"),
            &self.options(),
            &bar,
        )?)
    }

    /// A bill of materials; `-` is standard input.
    pub(crate) fn sbom(&self, file: &Path) -> Result<Inventory> {
        let is_standard_input = file.as_os_str() == "-";
        // Pipes, as shells make them of `<(command)`, have no place.
        let place = (file.is_file() && !is_standard_input).then(|| place::canonical(file));
        let name = place.as_deref().unwrap_or(file).display().to_string();
        let mut bytes = Vec::new();
        let read = match is_standard_input {
            true => io::stdin().take(MAX_SBOM + 1).read_to_end(&mut bytes),
            false => {
                File::open(file).and_then(|file| file.take(MAX_SBOM + 1).read_to_end(&mut bytes))
            }
        };
        read.with_context(|| format!("cannot read {name}"))
            .map_err(|error| Failure::usage(error).hint("name a file, or - for standard input"))?;
        if bytes.len() as u64 > MAX_SBOM {
            return Err(Failure::incomplete(anyhow!(
                "{name} is larger than {MAX_SBOM} bytes"
            )));
        }
        if bytes.is_empty() {
            return Err(Failure::incomplete(anyhow!("{name} is empty"))
                .hint("what should have written it has failed: see what it says"));
        }
        let mut inventory = sbom::read(&name, &bytes).map_err(|error| {
            let hint = error.hint();
            Failure::incomplete(anyhow!(error).context(name.clone())).hint(hint)
        })?;
        if let Some(distro) = &mut inventory.distro {
            distro.end_of_life = end_of_life(distro, self.today);
        }
        inventory.target.place = place.map(|place| place.display().to_string());
        Ok(inventory)
    }

    fn artifact(&self, name: &str, source: &Source) -> Result<Inventory> {
        let bar = match source {
            Source::Directory(_) => Bar::count(name, self.quiet),
            _ => Bar::bytes(name, self.quiet),
        };
        tracing::info!(%source, "opening");
        let artifact = Artifact::open(source, &self.options())?;
        Ok(scan_artifact(artifact, &self.scan_options(name), &bar)?)
    }

    /// How artifacts are opened.
    pub(crate) fn options(&self) -> Options {
        Options {
            platform: self.platform.clone(),
            offline: self.reading.offline,
            verify: self.verify.clone(),
            ..Options::default()
        }
    }

    fn scan_options(&self, name: &str) -> ScanOptions<'_> {
        ScanOptions {
            include_development: self.reading.include_development,
            bases: Some(&self.catalogue),
            owner: self.reading.owner.clone(),
            ..ScanOptions::new(name, self.today)
        }
    }
}

/// The file that an image is read from, if it is one.
pub(crate) fn file_of_image(target: &str) -> Option<PathBuf> {
    target.parse::<Source>().ok()?.path()
}

/// Today in UTC: the same verdict wherever a pipeline runs.
pub(crate) fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}

/// Loads the catalogue of base images, the named one or the user's own, and says where it is.
pub(crate) fn load_catalogue(named: Option<&Path>) -> Result<(Catalogue, PathBuf)> {
    let path = catalogue_path(named)?;
    let catalogue = Catalogue::load(&path).map_err(|error| {
        Failure::usage(error).hint("move the file away, and add the base images again")
    })?;
    Ok((catalogue, path))
}

/// Where the catalogue is: the named file, else the one that scans use.
pub(crate) fn catalogue_path(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => locations::base_catalogue(),
    }
}
