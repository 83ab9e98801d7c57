use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::PackageType;

/// `gradle.lockfile`, `buildscript-gradle.lockfile` and named ones
/// (<https://docs.gradle.org/current/userguide/dependency_locking.html>).
#[derive(Debug)]
pub struct GradleLock;

impl Analyzer for GradleLock {
    fn name(&self) -> &'static str {
        "gradle-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Extension("lockfile")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if !file.path.ends_with("gradle.lockfile") {
            return Ok(());
        }
        let text = document::text(file)?;
        let build_script = file.path.ends_with("buildscript-gradle.lockfile");
        let mut declared = Declared::new(PackageType::Maven);
        let result = read(&text, build_script, &mut declared);
        declared.move_to(found);
        result
    }
}

fn read(text: &str, build_script: bool, declared: &mut Declared) -> Result<(), AnalyzeError> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim();
        // `empty=` lists the configurations without dependencies.
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        // group:artifact:version=configuration,configuration
        let (coordinates, configurations) = line.split_once('=').unwrap_or((line, ""));
        let Some((name, version)) = coordinates
            .rsplit_once(':')
            .filter(|(n, _)| n.contains(':'))
        else {
            return Err(AnalyzeError::corrupt(
                "a line of the lockfile is not group:artifact:version=configurations",
            )
            .at(start as u64));
        };
        let development = build_script || is_for_development(configurations);
        declared.add(name, version, development);
    }
    Ok(())
}

/// Whether all configurations serve testing or run only while the project is built.
fn is_for_development(configurations: &str) -> bool {
    let mut all = configurations
        .split(',')
        .filter(|name| !name.is_empty())
        .peekable();
    all.peek().is_some()
        && all.all(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("test")
                || name.contains("annotationprocessor")
                || name.contains("kotlincompiler")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    const LOCK: &[u8] = b"# This is a Gradle generated file.
g:a:1.0=compileClasspath,runtimeClasspath,testRuntimeClasspath
g:b:2.0=testCompileClasspath,testRuntimeClasspath
empty=annotationProcessor
";

    #[test]
    fn gradle() {
        check(
            &GradleLock,
            "app/gradle.lockfile",
            LOCK,
            &["g:a 1.0", "g:b 2.0 dev"],
        );
        check(
            &GradleLock,
            "app/buildscript-gradle.lockfile",
            LOCK,
            &["g:a 1.0 dev", "g:b 2.0 dev"],
        );
        check(&GradleLock, "other.lockfile", b"x", &[]);
        let (_, result) = analyze(&GradleLock, "gradle.lockfile", b"# x\ng:a\n");
        assert_eq!(result.unwrap_err().offset, Some(4));
    }
}
