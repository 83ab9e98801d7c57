use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;

/// `Gemfile.lock` and `gems.locked` as `Bundler::LockfileParser` reads them.
///
/// Gems from a registry or a Git repository are taken, as both state a version; gems of a `PATH`
/// are the project's own. The lockfile does not know groups, so nothing is marked as development.
#[derive(Debug)]
pub struct GemfileLock;

impl Analyzer for GemfileLock {
    fn name(&self) -> &'static str {
        "gemfile-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("Gemfile.lock"), Pattern::Name("gems.locked")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let mut declared = Declared::new(PackageType::Gem);
        let result = read(&text, &mut declared);
        declared.move_to(found);
        result
    }
}

fn read(text: &str, declared: &mut Declared) -> Result<(), AnalyzeError> {
    let mut section = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len() as u64;
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        if line.starts_with("<<<<<<<") {
            return Err(AnalyzeError::corrupt("an unresolved merge conflict").at(start));
        }
        if !line.starts_with(' ') {
            section = Some(line);
            continue;
        }
        match section {
            None => {
                let message = "not a Bundler lockfile: it does not begin with a section";
                return Err(AnalyzeError::corrupt(message).at(start));
            }
            Some("GEM" | "GIT" | "PLUGIN SOURCE") => {}
            Some(_) => continue,
        }
        // Gems are indented by four spaces, what they depend on by six.
        let Some(spec) = line.strip_prefix("    ").filter(|s| !s.starts_with(' ')) else {
            continue;
        };
        let Some((name, version)) = name_and_version(spec) else {
            let message = format!("'{spec}' is not a gem with its version");
            return Err(AnalyzeError::corrupt(message).at(start));
        };
        declared.add(name, version, false);
    }
    document::check_end(text)
}

/// `nokogiri (1.15.0-x86_64-linux)`: a gem's version has no hyphen, so that what follows one is
/// the platform.
fn name_and_version(spec: &str) -> Option<(&str, &str)> {
    let (name, version) = spec.split_once(" (")?;
    let version = version.strip_suffix([')'])?;
    Some((name, version.split('-').next().unwrap_or(version)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check, lines};

    #[test]
    fn gems_of_registries_and_repositories() {
        check(
            &GemfileLock,
            "app/Gemfile.lock",
            include_bytes!("fixtures/Gemfile.lock"),
            &[
                "forked 0.4.1",
                "nokogiri 1.15.4",
                "racc 1.7.1",
                "rails 7.0.0.rc1",
            ],
        );
    }

    #[test]
    fn damage_is_located() {
        for (bytes, offset) in [
            (&b"GEM\n  specs:\n    rails\n"[..], 13),
            (b"  rails (1.0)\n", 0),
            (b"GEM\n<<<<<<< HEAD\n", 4),
        ] {
            let (_, result) = analyze(&GemfileLock, "Gemfile.lock", bytes);
            assert_eq!(result.unwrap_err().offset, Some(offset));
        }
    }

    #[test]
    fn what_stood_before_the_damage_was_lost() {
        let bytes = b"GEM\n  specs:\n    rack (2.0)\n    rails\n";
        let (found, result) = analyze(&GemfileLock, "Gemfile.lock", bytes);
        assert!(result.is_err());
        assert_eq!(lines(&found), ["rack 2.0"]);
    }
}
