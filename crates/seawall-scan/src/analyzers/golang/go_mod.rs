use super::release;
use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;
use std::collections::HashMap;

/// `go.mod` (<https://go.dev/ref/mod#go-mod-file>): required modules after replacements, and the
/// standard library of a `toolchain` line. Modules before Go 1.17 list only their direct
/// dependencies; the rest is in the programs built from them.
#[derive(Debug)]
pub struct GoMod;

impl Analyzer for GoMod {
    fn name(&self) -> &'static str {
        "go-mod"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("go.mod")]
    }

    fn max_bytes(&self) -> u64 {
        8 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // The module cache and vendored sources: built from, not built.
        if ["pkg/mod/", "vendor/", "testdata/"]
            .iter()
            .any(|own| file.path.contains(own))
        {
            return Ok(());
        }
        let text = document::text(file)?;
        let mut module = Module::default();
        let result = module.read(&text);
        let mut declared = Declared::new(PackageType::Golang);
        if let Some(version) = module.toolchain.and_then(release) {
            declared.add("stdlib", &version, false);
        }
        for (path, version) in &module.required {
            let replaced = module
                .replaced
                .get(&(*path, Some(*version)))
                .or_else(|| module.replaced.get(&(*path, None)));
            match replaced {
                Some((path, Some(version))) => declared.add(path, version, false),
                // A directory, which keeps the name and version that it is required by.
                Some((_, None)) if version.starts_with("v0.0.0") => {}
                Some((_, None)) | None => declared.add(path, version, false),
            }
        }
        declared.move_to(found);
        result
    }
}

/// A module's path and, where it matters, its version.
type Target<'a> = (&'a str, Option<&'a str>);

#[derive(Default)]
struct Module<'a> {
    required: Vec<(&'a str, &'a str)>,
    replaced: HashMap<Target<'a>, Target<'a>>,
    toolchain: Option<&'a str>,
}

impl<'a> Module<'a> {
    fn read(&mut self, text: &'a str) -> Result<(), AnalyzeError> {
        let mut block = None;
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let start = offset;
            offset += line.len();
            let line = line.split("//").next().unwrap_or(line);
            let mut words: Vec<&str> = line
                .split_whitespace()
                .map(|w| w.trim_matches(['"', '`']))
                .collect();
            match (block, words.as_slice()) {
                (_, []) => continue,
                (Some(_), [")"]) => {
                    block = None;
                    continue;
                }
                (None, [verb, "("]) => {
                    block = Some(*verb);
                    continue;
                }
                (None, [verb]) if verb.ends_with('(') => {
                    block = verb.strip_suffix('(');
                    continue;
                }
                _ => {}
            }
            let verb = match block {
                Some(verb) => verb,
                None => words.remove(0),
            };
            self.take(verb, &words).ok_or_else(|| {
                AnalyzeError::corrupt(format!("not a {verb} directive of go.mod")).at(start as u64)
            })?;
        }
        Ok(())
    }

    /// Directives of later Go versions, and those that change no version, are passed over.
    fn take(&mut self, verb: &str, words: &[&'a str]) -> Option<()> {
        match (verb, words) {
            ("require", [path, version]) => self.required.push((path, version)),
            ("replace", [path, "=>", new, rest @ ..]) => {
                self.replaced
                    .insert((path, None), (new, rest.first().copied()));
            }
            ("replace", [path, version, "=>", new, rest @ ..]) => {
                self.replaced
                    .insert((path, Some(version)), (new, rest.first().copied()));
            }
            ("toolchain", [version]) => self.toolchain = Some(version),
            ("require" | "replace" | "toolchain", _) => return None,
            _ => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check, lines};

    #[test]
    fn go_mod() {
        check(
            &GoMod,
            "app/go.mod",
            br#"module example.org/app // comment

go 1.21
toolchain go1.22.3

require example.org/a v1.0.0

require (
	example.org/b v1.1.0 // indirect
	"example.org/c" v1.2.0+incompatible
	example.org/d v1.3.0
	example.org/e v1.4.0
	example.org/f v0.0.0-00010101000000-000000000000
)

exclude example.org/a v0.9.0
replace (
	example.org/b => example.org/fork v1.1.1
	example.org/d v1.3.0 => ../d
	example.org/f => ./f
	example.org/e v9.0.0 => example.org/fork-e v9.0.1
)
retract [v1.0.0, v1.1.0]
"#,
            &[
                "stdlib 1.22.3",
                "example.org/a v1.0.0",
                "example.org/fork v1.1.1",
                "example.org/c v1.2.0+incompatible",
                "example.org/d v1.3.0",
                "example.org/e v1.4.0",
            ],
        );
    }

    #[test]
    fn a_block_without_a_space_before_its_bracket_cost_the_whole_file() {
        let text = b"module x\nrequire(\n\texample.org/a v1.0.0\n)\nrequire example.org/b v1.1.0\n";
        let expected = ["example.org/a v1.0.0", "example.org/b v1.1.0"];
        check(&GoMod, "go.mod", text, &expected);
    }

    #[test]
    fn the_module_cache_is_not_a_project() {
        check(
            &GoMod,
            "root/go/pkg/mod/example.org/a@v1.0.0/go.mod",
            b"require b v1.0.0",
            &[],
        );
    }

    #[test]
    fn what_stood_before_the_damage_was_lost() {
        let (found, result) = analyze(&GoMod, "go.mod", b"require x v1.0.0\nrequire y\n");
        assert_eq!(result.unwrap_err().offset, Some(17));
        assert_eq!(lines(&found), ["x v1.0.0"]);
    }
}
