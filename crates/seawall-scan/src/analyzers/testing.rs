//! The one way in which analyzers are tested: a file in, lines out.

use super::{AnalyzeError, Analyzer, File, Found};
use seawall_artifact::Content;

/// Runs an analyzer on one file.
pub(super) fn analyze(
    analyzer: &dyn Analyzer,
    path: &str,
    bytes: &[u8],
) -> (Found, Result<(), AnalyzeError>) {
    let content = Content::from_bytes(bytes);
    let mut found = Found::default();
    let file = File {
        path,
        mode: 0o644,
        content: &content,
    };
    let result = analyzer.analyze(&file, &mut found);
    (found, result)
}

/// One line a package: `name version`, then ` dev` and the licences in brackets where there are
/// any.
pub(super) fn lines(found: &Found) -> Vec<String> {
    let line = |package: &seawall_model::Package| {
        let mut line = format!("{} {}", package.name, package.version);
        if package.development {
            line.push_str(" dev");
        }
        if !package.licenses.is_empty() {
            line.push_str(&format!(" [{}]", package.licenses.join(", ")));
        }
        line
    };
    found.packages.iter().map(line).collect()
}

/// Checks that a file is read without complaint and holds exactly these packages.
#[track_caller]
pub(super) fn check(analyzer: &dyn Analyzer, path: &str, bytes: &[u8], expected: &[&str]) {
    let (found, result) = analyze(analyzer, path, bytes);
    assert!(result.is_ok(), "{path}: {result:?}");
    assert_eq!(found.incomplete, [], "{path}");
    assert_eq!(lines(&found), expected, "{path}");
}
