//! `seawall base`: the catalogue of base images.

use crate::cli::{Base, Reading};
use crate::exit::{Exit, Failure, Result};
use crate::inventory::{Reader, catalogue_path, load_catalogue};
use crate::stdout;
use anyhow::{Context, anyhow};
use seawall_artifact::Claims;
use seawall_model::Incomplete;
use seawall_scan::base::{BaseImage, Catalogue, CatalogueError};
use std::fs;
use std::path::Path;

pub(crate) fn run(command: &Base) -> Result<Exit> {
    match command {
        Base::Add {
            target,
            name,
            owner,
            catalogue,
            platform,
            offline,
            quiet,
        } => {
            let reading = Reading {
                offline: *offline,
                include_development: false,
                base_catalogue: catalogue.file.clone(),
                owner: None,
                no_store: true,
            };
            let reader =
                Reader::new(&reading, Claims::default(), *quiet)?.for_platform(platform.as_deref());
            let inventory = reader.verifying_everything().image(target)?;
            let name = name
                .clone()
                .or_else(|| inventory.target.tags.first().cloned())
                .unwrap_or_else(|| inventory.target.name.clone());
            let base = BaseImage::from_inventory(name, owner.clone(), &inventory)
                .map_err(|error| refused(error, &inventory.incomplete))?;
            let exit = add(base, catalogue.file.as_deref())?;
            match inventory.incomplete.as_slice() {
                [] => Ok(exit),
                [first, ..] => Err(Failure::incomplete(anyhow!(
                    "{} in the image could not be read, like {first}",
                    match inventory.incomplete.len() {
                        1 => "1 thing".to_owned(),
                        number => format!("{number} things"),
                    }
                ))
                .hint(
                    "its layers are recognised all the same; what an update of it mends may be \
                     more than is told",
                )),
            }
        }
        Base::List { catalogue, json } => list(catalogue.file.as_deref(), *json),
        Base::Remove { name, catalogue } => remove(name, catalogue.file.as_deref()),
    }
}

fn add(base: BaseImage, file: Option<&Path>) -> Result<Exit> {
    let path = catalogue_path(file)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the directory {}", folder.display()))
            .map_err(|error| {
                Failure::usage(error).hint("name another file with --base-catalogue")
            })?;
    }
    let line = describe(&base);
    let name = base.name.clone();
    let replaced = Catalogue::change(&path, |catalogue| catalogue.add(base)).map_err(unusable)?;
    // An image has one name, or it would have two owners.
    let renamed = match replaced.filter(|known| known.name != name) {
        Some(known) => format!("; the same image was known as {} before", known.name),
        None => String::new(),
    };
    stdout::line(&format!("{line}\nadded to {}{renamed}", path.display()))
}

fn list(file: Option<&Path>, json: bool) -> Result<Exit> {
    let (catalogue, path) = load_catalogue(file)?;
    if json {
        return stdout::json(&catalogue);
    }
    if catalogue.bases().is_empty() {
        return stdout::line(&format!(
            "no base images in {}\nadd one with: seawall base add debian:12 --owner platform-team",
            path.display()
        ));
    }
    let lines: Vec<String> = catalogue.bases().iter().map(describe).collect();
    stdout::line(&lines.join("\n"))
}

fn remove(name: &str, file: Option<&Path>) -> Result<Exit> {
    let path = catalogue_path(file)?;
    let removed = match path.exists() {
        true => Catalogue::change(&path, |catalogue| catalogue.remove(name)).map_err(unusable)?,
        false => 0,
    };
    if removed == 0 {
        return Err(
            Failure::usage(anyhow!("no base image '{name}' in {}", path.display()))
                .hint("seawall base list shows the names"),
        );
    }
    stdout::line(&format!("removed {removed} from {}", path.display()))
}

fn describe(base: &BaseImage) -> String {
    let owner = base.owner.as_deref().unwrap_or("no owner");
    let platform = base.platform.as_deref().unwrap_or("unknown platform");
    let layers = if base.layers == 1 {
        "1 layer".to_owned()
    } else {
        format!("{} layers", base.layers)
    };
    let created = base
        .created
        .as_deref()
        .and_then(|created| created.get(..10))
        .unwrap_or("no date");
    let incomplete = if base.incomplete { " (incomplete)" } else { "" };
    format!(
        "{}  {owner}  {platform}  {created}  {layers}, {} packages{incomplete}  chain id {}",
        base.name,
        base.packages.len(),
        base.chain_id
    )
}

/// An image that cannot become an entry, with what was wrong with it first.
fn refused(error: CatalogueError, incomplete: &[Incomplete]) -> Failure {
    match (error, incomplete.first()) {
        (error @ CatalogueError::Unverified { .. }, Some(first)) => {
            let failure = Failure::incomplete(anyhow!("{error}: {first}"));
            match &first.hint {
                Some(hint) => failure.hint(hint),
                None => failure.hint("get the image again from where it comes"),
            }
        }
        (error, _) => unusable(error),
    }
}

fn unusable(error: CatalogueError) -> Failure {
    Failure::usage(error)
}
