//! `seawall sbom`.

use crate::cli::Sbom;
use crate::exit::{Exit, Failure, Result};
use crate::inventory::Reader;
use crate::outputs;
use anyhow::anyhow;
use seawall_artifact::Claims;
use seawall_model::Inventory;
use std::path::Path;

pub(crate) fn run(args: &Sbom) -> Result<Exit> {
    outputs::check(&args.outputs)?;
    let reader = Reader::new(&args.reading, Claims::default(), args.quiet)?;
    let inventory = read(&reader, &args.target)?;
    outputs::write_sbom(&inventory, args.format, &args.outputs)
}

fn read(reader: &Reader<'_>, words: &[String]) -> Result<Inventory> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["image", target] => reader.image(target),
        ["fs", directory] => reader.directory(Path::new(directory)),
        ["sbom", file] => reader.sbom(Path::new(file)),
        ["host"] => Ok(reader.host()?.inventory),
        [target] if is_plain_directory(Path::new(target)) => reader.directory(Path::new(target)),
        [target] => reader.image(target),
        _ => Err(
            Failure::usage(anyhow!("'{}' is not a target", words.join(" ")))
                .hint("write image TARGET, fs DIR, host or sbom FILE"),
        ),
    }
}

fn is_plain_directory(path: &Path) -> bool {
    path.is_dir() && !path.join("index.json").is_file()
}
