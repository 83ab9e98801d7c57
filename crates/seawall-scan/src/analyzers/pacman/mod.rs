//! Packages of Arch Linux and its kin: pacman's local database, one directory a package.
//!
//! Format: pacman's `lib/libalpm/be_local.c`: sections headed `%NAME%`, a value a line, a blank
//! line after each section.

use super::{AnalyzeError, Analyzer, File, Found, Pattern};
use seawall_model::{Evidence, Package, PackageType, SourcePackage};

/// Reads pacman's database.
pub struct Pacman;

const DATABASE: &str = "var/lib/pacman/local/";

impl Analyzer for Pacman {
    fn name(&self) -> &'static str {
        "pacman"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("desc"), Pattern::Name("files")]
    }

    fn is_database(&self, _path: &str) -> bool {
        true
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let Some((directory, name)) = file
            .path
            .strip_prefix(DATABASE)
            .and_then(|rest| rest.split_once('/'))
        else {
            return Ok(());
        };
        let bytes = file.content.read_all()?;
        let text = String::from_utf8_lossy(&bytes);
        match name {
            "desc" => found.add(parse_description(&text)?),
            "files" => {
                let paths = section(&text, "%FILES%").map(str::to_owned);
                found.own(package_name(directory), paths);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The name in `name-version-release`.
fn package_name(directory: &str) -> &str {
    directory.rsplitn(3, '-').nth(2).unwrap_or(directory)
}

fn parse_description(text: &str) -> Result<Package, AnalyzeError> {
    let first = |heading| section(text, heading).next();
    let (Some(name), Some(version)) = (first("%NAME%"), first("%VERSION%")) else {
        return Err(AnalyzeError::corrupt("a package without name or version"));
    };
    let mut package = Package::new(PackageType::Alpm, name, version, Evidence::Database);
    package.architecture = first("%ARCH%").map(str::to_owned);
    package.vendor = first("%PACKAGER%").map(str::to_owned);
    package.licenses = section(text, "%LICENSE%").map(str::to_owned).collect();
    package.source = Some(SourcePackage {
        name: first("%BASE%").unwrap_or(name).to_owned(),
        version: version.to_owned(),
    });
    Ok(package)
}

/// The values under a heading.
fn section<'a>(text: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_artifact::Content;

    fn analyze(path: &str, text: &str) -> Result<Found, AnalyzeError> {
        let content = Content::from_bytes(text.as_bytes().to_vec());
        let file = File {
            path,
            mode: 0o644,
            content: &content,
        };
        let mut found = Found::default();
        Pacman.analyze(&file, &mut found).map(|()| found)
    }

    #[test]
    fn a_package_is_a_directory_of_two_files() {
        let found = analyze(
            "var/lib/pacman/local/lib-example-1:2.3-4/desc",
            "%NAME%\nlib-example\n\n%VERSION%\n1:2.3-4\n\n%BASE%\nexample\n\n%ARCH%\nx86_64\n\n\
             %LICENSE%\nMIT\nBSD\n\n",
        )
        .unwrap();
        let package = &found.packages[0];
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("lib-example", "1:2.3-4")
        );
        assert_eq!(package.source.as_ref().unwrap().name, "example");
        assert_eq!(package.licenses, ["MIT", "BSD"]);
        let found = analyze(
            "var/lib/pacman/local/lib-example-1:2.3-4/files",
            "%FILES%\nusr/\nusr/lib/libexample.so\n\n%BACKUP%\netc/x\t00\n",
        )
        .unwrap();
        assert_eq!(found.owned[0].package, "lib-example");
        assert_eq!(found.owned[0].paths, ["usr/", "usr/lib/libexample.so"]);
    }

    #[test]
    fn other_files_of_these_names_are_left_alone() {
        assert_eq!(analyze("home/desc", "text").unwrap(), Found::default());
        assert!(analyze("var/lib/pacman/local/x-1-1/desc", "").is_err());
    }
}
