//! `seawall sbom`.

use crate::cli::Sbom;
use crate::exit::{Exit, Failure, Result};
use crate::inventory::{Reader, catalogue_path, file_of_image};
use crate::outputs;
use anyhow::anyhow;
use seawall_artifact::Claims;
use seawall_model::Inventory;
use std::path::Path;

pub(crate) fn run(args: &Sbom) -> Result<Exit> {
    let named = args.target.last();
    let mut inputs = vec![catalogue_path(args.reading.base_catalogue.as_deref())?];
    inputs.extend(named.and_then(|target| file_of_image(target)));
    outputs::check(&args.outputs, &inputs)?;
    let platform = args.choice.platform.as_deref();
    let reader = Reader::new(&args.reading, Claims::default(), args.quiet)?.for_platform(platform);
    let inventory = read(&reader, &args.target, platform)?;
    outputs::write_sbom(&inventory, args.format, &args.outputs)
}

fn read(reader: &Reader<'_>, words: &[String], platform: Option<&str>) -> Result<Inventory> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_image = match words.as_slice() {
        ["host"] => false,
        [target] => !is_plain_directory(Path::new(target)),
        words => words.first() == Some(&"image"),
    };
    if platform.is_some() && !is_image {
        return Err(Failure::usage(anyhow!(
            "--platform is for images, and '{}' is none",
            words.join(" ")
        ))
        .hint("leave --platform away"));
    }
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
