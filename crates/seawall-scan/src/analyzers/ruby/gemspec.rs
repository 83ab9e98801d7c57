use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};

/// `specifications/NAME-VERSION.gemspec` of installed gems, as RubyGems writes them
/// (`Gem::Specification#to_ruby`).
///
/// These files are Ruby, but of a fixed shape: a `# stub:` comment with name and version, and one
/// assignment a line. A gemspec outside of `specifications` is the source of a gem, a program that
/// only Ruby can run, and does not count.
#[derive(Debug)]
pub struct Gemspec;

impl Analyzer for Gemspec {
    fn name(&self) -> &'static str {
        "gemspec"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Extension("gemspec")]
    }

    fn max_bytes(&self) -> u64 {
        4 << 20
    }

    fn counts_at(&self, path: &str) -> bool {
        path.split('/').any(|part| part == "specifications")
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let stub = text.lines().find_map(|line| line.strip_prefix("# stub: "));
        let mut name = None;
        let mut version = None;
        if let Some(stub) = stub {
            let mut words = stub.split(' ');
            (name, version) = (words.next(), words.next());
        }
        let mut licenses = Vec::new();
        for line in text.lines() {
            let Some((variable, value)) = line.trim_start().split_once('=') else {
                continue;
            };
            let field = variable.trim_end().split_once('.').map(|(_, field)| field);
            match field {
                Some("name") => name = name.or_else(|| quoted(value).next()),
                Some("version") => version = version.or_else(|| quoted(value).next()),
                Some("license" | "licenses") if licenses.is_empty() => {
                    licenses = quoted(value).map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        let (Some(name), Some(version)) = (name, version) else {
            return Err(AnalyzeError::corrupt(
                "it states neither in a stub nor by assignments which gem it describes",
            ));
        };
        let mut package = Package::new(PackageType::Gem, name, version, Evidence::Installed);
        package.licenses = licenses;
        found.add(package);
        Ok(())
    }
}

/// The texts between double quotes.
fn quoted(value: &str) -> impl Iterator<Item = &str> {
    value.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    const STUB: &[u8] = b"# -*- encoding: utf-8 -*-\n\
        # stub: nokogiri 1.15.4 x86_64-linux lib\n\n\
        Gem::Specification.new do |s|\n\
        \x20 s.name = \"nokogiri\".freeze\n\
        \x20 s.version = \"1.15.4\"\n\
        \x20 s.licenses = [\"MIT\".freeze, \"Apache-2.0\".freeze]\n\
        end\n";

    #[test]
    fn installed_gems() {
        let path = "usr/lib/ruby/gems/3.1.0/specifications/nokogiri-1.15.4.gemspec";
        check(&Gemspec, path, STUB, &["nokogiri 1.15.4 [MIT, Apache-2.0]"]);
        check(
            &Gemspec,
            "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec",
            b"Gem::Specification.new do |spec|\n  spec.name = \"json\"\n  \
              spec.version = Gem::Version.new \"2.6.1\"\nend\n",
            &["json 2.6.1"],
        );
    }

    #[test]
    fn the_source_of_a_gem_is_not_an_installed_gem() {
        assert!(!Gemspec.counts_at("src/nokogiri.gemspec"));
    }

    #[test]
    fn a_gemspec_of_another_shape_is_reported() {
        let (_, result) = analyze(&Gemspec, "specifications/x.gemspec", b"raise 'no'\n");
        assert!(result.is_err());
    }
}
