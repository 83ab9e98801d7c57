use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document, zip_file};
use seawall_model::{Evidence, Incomplete, IncompleteReason, Package, PackageType};
use std::io::Read;

/// Installed distributions: `METADATA` in a `.dist-info` directory, `PKG-INFO` in an `.egg-info` or
/// `EGG-INFO` directory, and `.egg-info` as a file of its own (core metadata specification,
/// <https://packaging.python.org/en/latest/specifications/core-metadata/>).
#[derive(Debug)]
pub struct Metadata;

/// Zipped eggs with their metadata inside
/// (<https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html>).
#[derive(Debug)]
pub struct Egg;

/// Metadata holds the project's whole description; the longest known have some hundred KiB.
const MAX_METADATA: u64 = 8 << 20;

impl Analyzer for Metadata {
    fn name(&self) -> &'static str {
        "python-metadata"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::Name("METADATA"),
            Pattern::Name("PKG-INFO"),
            Pattern::Extension("egg-info"),
        ]
    }

    fn counts_at(&self, path: &str) -> bool {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        match name {
            "METADATA" => directory.ends_with("dist-info"),
            "PKG-INFO" => directory.ends_with("egg-info") || directory.ends_with("EGG-INFO"),
            _ => true,
        }
    }

    fn max_bytes(&self) -> u64 {
        MAX_METADATA
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let package = read(&document::text(file)?, file.path)?;
        found.add(package);
        Ok(())
    }
}

impl Analyzer for Egg {
    fn name(&self) -> &'static str {
        "python-egg"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Extension("egg")]
    }

    fn max_bytes(&self) -> u64 {
        512 << 20
    }

    fn memory_per_byte(&self) -> u64 {
        0
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // Other programs have eggs of their own.
        if !zip_file::has_magic(file.content.reader())? {
            return Ok(());
        }
        let mut turn = None;
        let reader = std::io::BufReader::new(file.content.reader());
        let mut archive = zip_file::open(reader, &mut turn)?;
        let member = match archive.by_name("EGG-INFO/PKG-INFO") {
            Ok(member) => member,
            // Something else that goes by the name.
            Err(zip::result::ZipError::FileNotFound) => return Ok(()),
            Err(error) => return Err(AnalyzeError::corrupt(error.to_string())),
        };
        let mut bytes = Vec::new();
        member.take(MAX_METADATA).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == MAX_METADATA {
            found.note(Incomplete::new(
                IncompleteReason::LimitReached,
                format!("{}!/EGG-INFO/PKG-INFO", file.path),
                format!("read only the first {MAX_METADATA} bytes"),
            ));
        }
        let package = read(&String::from_utf8_lossy(&bytes), file.path)?;
        found.add(package);
        Ok(())
    }
}

/// Reads the header. What it does not say is taken from the directory's or file's name, which the
/// specification of recorded installations forms as `name-version.dist-info`.
fn read(text: &str, path: &str) -> Result<Package, AnalyzeError> {
    let mut header = Header::default();
    // The header ends at an empty line, the description follows.
    for line in text.lines().take_while(|line| !line.trim().is_empty()) {
        if let Some((key, value)) = line.split_once(':') {
            header.take(key, value.trim());
        }
    }
    let (name_of_path, version_of_path) = name_and_version_of(path);
    let name = header.name.unwrap_or(name_of_path);
    let version = header.version.unwrap_or(version_of_path);
    if name.is_empty() || version.is_empty() {
        return Err(AnalyzeError::corrupt(
            "neither the metadata nor the directory's name says the name and version",
        ));
    }
    let mut package = Package::new(PackageType::PyPi, name, version, Evidence::Installed);
    package.licenses = match header.expression.or(header.license) {
        Some(license) => vec![license.to_owned()],
        None => header.classifiers,
    };
    Ok(package)
}

#[derive(Default)]
struct Header<'a> {
    name: Option<&'a str>,
    version: Option<&'a str>,
    expression: Option<&'a str>,
    license: Option<&'a str>,
    classifiers: Vec<String>,
}

impl<'a> Header<'a> {
    fn take(&mut self, key: &str, value: &'a str) {
        let value = Some(value).filter(|v| !v.is_empty() && *v != "UNKNOWN");
        match key.to_ascii_lowercase().as_str() {
            "name" => self.name = self.name.or(value),
            "version" => self.version = self.version.or(value),
            "license-expression" => self.expression = value,
            // Old packages put the licence's whole text here; its continuation lines have no use.
            "license" => self.license = value.filter(|v| v.len() <= 100),
            "classifier" => {
                let name = value
                    .filter(|v| v.starts_with("License ::"))
                    .and_then(|v| v.rsplit("::").next());
                self.classifiers.extend(name.map(|n| n.trim().to_owned()));
            }
            _ => {}
        }
    }
}

/// `six`, `1.16.0` for `.../six-1.16.0.dist-info/METADATA` and `.../six-1.16.0-py3.11.egg-info`.
fn name_and_version_of(path: &str) -> (&str, &str) {
    let stem = path
        .rsplit('/')
        .find_map(|part| {
            [".dist-info", ".egg-info", ".egg"]
                .iter()
                .find_map(|extension| part.strip_suffix(extension))
        })
        .unwrap_or_default();
    let mut parts = stem.split('-');
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};
    use std::io::Write;

    #[test]
    fn metadata() {
        for (path, text, expected) in [
            (
                "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\nLicense: MIT\n\nName: other\n",
                "six 1.16.0 [MIT]",
            ),
            (
                "a/Zope.x.egg-info/PKG-INFO",
                "Name: Zope.x\r\nVersion: 5\r\nLicense: UNKNOWN\r\n\
                 Classifier: License :: OSI Approved :: Zope Public License\r\n\
                 Classifier: Topic :: x\r\n\r\n",
                "Zope.x 5 [Zope Public License]",
            ),
            (
                "a/x.dist-info/METADATA",
                "Name: x\nVersion: 1\nLicense: MIT License\nLicense-Expression: MIT\n",
                "x 1 [MIT]",
            ),
            (
                "a/y-2.0-py3.11.egg-info",
                "Metadata-Version: 1.0\n",
                "y 2.0",
            ),
            ("a/z-1.0.dist-info/METADATA", "", "z 1.0"),
        ] {
            check(&Metadata, path, text.as_bytes(), &[expected]);
        }
    }

    #[test]
    fn metadata_counts_in_directories_of_installed_distributions() {
        for (path, expected) in [
            ("lib/six-1.dist-info/METADATA", true),
            ("lib/six.egg-info/PKG-INFO", true),
            ("lib/six.egg/EGG-INFO/PKG-INFO", true),
            ("lib/six-1-py3.11.egg-info", true),
            ("src/six/PKG-INFO", false),
            ("q/METADATA", false),
            ("METADATA", false),
        ] {
            assert_eq!(Metadata.counts_at(path), expected, "{path}");
        }
    }

    #[test]
    fn metadata_without_name_is_reported() {
        let (_, result) = analyze(&Metadata, "a/x.egg-info/PKG-INFO", b"\0\x01\x02");
        assert!(result.is_err());
    }

    #[test]
    fn egg() {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("EGG-INFO/PKG-INFO", options).unwrap();
        zip.write_all(b"Name: e\nVersion: 0.1\n").unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        check(&Egg, "a/e-0.1-py2.7.egg", &bytes, &["e 0.1"]);
        let (_, result) = analyze(&Egg, "a/e-0.1-py2.7.egg", &bytes[..20]);
        assert!(result.is_err());
    }
}
