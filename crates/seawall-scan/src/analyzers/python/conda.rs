use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};
use serde::Deserialize;

/// Packages installed by conda: one JSON file each in `conda-meta`
/// (<https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/install.html>).
#[derive(Debug)]
pub struct CondaMeta;

#[derive(Deserialize)]
struct Record {
    name: String,
    version: String,
    license: Option<String>,
    /// Platform: `linux-64`, `noarch`.
    subdir: Option<String>,
}

impl Analyzer for CondaMeta {
    fn name(&self) -> &'static str {
        "conda"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::InDirectory("conda-meta")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // Beside them lies `history`, a text file, and others without the extension.
        if !file.path.ends_with(".json") {
            return Ok(());
        }
        let record: Record = document::json(file)?;
        let mut package = Package::new(
            PackageType::Conda,
            record.name,
            record.version,
            Evidence::Database,
        );
        package.architecture = record.subdir;
        package.licenses = record.license.into_iter().collect();
        found.add(package);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn conda() {
        check(
            &CondaMeta,
            "opt/conda/conda-meta/openssl-3.0.0-h0_0.json",
            br#"{"build": "h0_0", "name": "openssl", "version": "3.0.0", "license": "Apache-2.0",
                "subdir": "linux-64", "files": ["lib/libssl.so.3"]}"#,
            &["openssl 3.0.0 [Apache-2.0]"],
        );
        check(&CondaMeta, "opt/conda/conda-meta/history", b"==> 2024", &[]);
    }
}
