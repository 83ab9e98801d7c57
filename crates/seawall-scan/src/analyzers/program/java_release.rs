use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};

/// Java runtimes, by the file `release` at the top of each (JEP 223 and before it, written by the
/// JDK's own build).
#[derive(Debug)]
pub struct ReleaseFile;

impl Analyzer for ReleaseFile {
    fn name(&self) -> &'static str {
        "java-runtime"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("release")]
    }

    fn max_bytes(&self) -> u64 {
        1 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let text = document::text(file)?;
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.trim().trim_matches('"'))
        };
        // Many other files are called so.
        let Some(java) = value("JAVA_VERSION") else {
            return Ok(());
        };
        let commercial = value("BUILD_TYPE") == Some("commercial");
        let (product, version, cpe) = match value("GRAALVM_VERSION") {
            Some(graal) => ("graalvm", graal, vec!["oracle:graalvm"]),
            None if commercial => ("jdk", java, vec!["oracle:jdk", "oracle:jre"]),
            None => ("openjdk", java, vec!["oracle:openjdk"]),
        };
        let mut package = Package::new(PackageType::Generic, product, version, Evidence::Installed);
        package.vendor = value("IMPLEMENTOR").map(str::to_owned);
        package.cpe_products = cpe.into_iter().map(str::to_owned).collect();
        found.add(package);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::check;

    #[test]
    fn runtimes() {
        for (text, expected) in [
            (
                "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\n",
                &["openjdk 17.0.9"][..],
            ),
            (
                "BUILD_TYPE=\"commercial\"\nJAVA_VERSION=\"21.0.1\"\n",
                &["jdk 21.0.1"],
            ),
            (
                "GRAALVM_VERSION=\"22.3.0\"\nJAVA_VERSION=\"17.0.5\"\n",
                &["graalvm 22.3.0"],
            ),
            ("NAME=other\n", &[]),
        ] {
            check(
                &ReleaseFile,
                "opt/java/openjdk/release",
                text.as_bytes(),
                expected,
            );
        }
    }
}
