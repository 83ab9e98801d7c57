use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use quick_xml::events::{BytesStart, Event};
use seawall_model::PackageType;

/// `packages.config` of .NET Framework projects (learn.microsoft.com, "packages.config
/// reference").
#[derive(Debug)]
pub struct PackagesConfig;

impl Analyzer for PackagesConfig {
    fn name(&self) -> &'static str {
        "nuget-packages-config"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("packages.config")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut declared = Declared::new(PackageType::NuGet);
        let result = loop {
            let event = reader.read_event();
            let corrupt = |error: &dyn std::fmt::Display| {
                AnalyzeError::corrupt(format!("not valid XML here: {error}"))
                    .at(reader.error_position().max(1))
            };
            match event {
                Err(error) => break Err(corrupt(&error)),
                Ok(Event::Eof) => break Ok(()),
                Ok(Event::Empty(tag) | Event::Start(tag)) if tag.name().as_ref() == "package" => {
                    if let Err(error) = add(&tag, &mut declared) {
                        break Err(corrupt(&error));
                    }
                }
                Ok(_) => {}
            }
        };
        declared.move_to(found);
        result
    }
}

fn add(
    tag: &BytesStart<'_>,
    declared: &mut Declared,
) -> Result<(), quick_xml::events::attributes::AttrError> {
    let (mut name, mut version, mut development) = (String::new(), String::new(), false);
    // The check for duplicates compares each attribute with all others.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute?;
        let value = attribute.value;
        match attribute.key.as_ref() {
            "id" => name = value.into_owned(),
            "version" => version = value.into_owned(),
            "developmentDependency" => development = value.eq_ignore_ascii_case("true"),
            _ => {}
        }
    }
    declared.add(&name, &version, development);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check, lines};

    #[test]
    fn packages() {
        check(
            &PackagesConfig,
            "src/packages.config",
            b"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<packages>\n  \
              <package id=\"jQuery\" version=\"3.1.1\" targetFramework=\"net46\" />\n  \
              <package id=\"NUnit\" version='3.0.0' developmentDependency=\"true\" />\n</packages>",
            &["jQuery 3.1.1", "NUnit 3.0.0 dev"],
        );
    }

    #[test]
    fn what_stands_before_the_damage_is_kept() {
        let bytes = b"<packages><package id=\"a\" version=\"1\"/><package id=</packages>";
        let (found, result) = analyze(&PackagesConfig, "packages.config", bytes);
        assert!(result.unwrap_err().offset.is_some());
        assert_eq!(lines(&found), ["a 1"]);
    }
}
