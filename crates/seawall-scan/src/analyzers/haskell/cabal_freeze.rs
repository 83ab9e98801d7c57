use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;

/// `cabal.project.freeze` (cabal.readthedocs.io, "cabal freeze"): exact constraints, one a package.
/// Constraints on flags (`aeson -cffi`) and on what GHC brought (`base installed`) name no version.
#[derive(Debug)]
pub struct CabalFreeze;

impl Analyzer for CabalFreeze {
    fn name(&self) -> &'static str {
        "cabal-freeze"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("cabal.project.freeze")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let mut declared = Declared::new(PackageType::Hackage);
        let mut in_constraints = false;
        for line in text.lines() {
            let line = line.split("--").next().unwrap_or_default();
            let constraints = match line.split_once(':') {
                // A field begins in the first column; its value goes on in indented lines.
                Some((field, value)) if !line.starts_with([' ', '\t']) => {
                    in_constraints = field.trim_end().eq_ignore_ascii_case("constraints");
                    value
                }
                _ => line,
            };
            if in_constraints {
                for constraint in constraints.split(',') {
                    if let Some((name, version)) = constraint.split_once("==") {
                        let name = name.trim();
                        let name = name.strip_prefix("any.").unwrap_or(name);
                        declared.add(name, version.trim(), false);
                    }
                }
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn exact_constraints() {
        check(
            &CabalFreeze,
            "cabal.project.freeze",
            b"active-repositories: hackage.haskell.org:merge\n\
              constraints: any.aeson ==2.0.3.0,\n             aeson -cffi +ordered-keymap,\n\
              \x20            any.base ==4.15.1.0, any.text installed -- from GHC\n\
              index-state: hackage.haskell.org 2022-09-01T00:00:00Z\n",
            &["aeson 2.0.3.0", "base 4.15.1.0"],
        );
    }
}
