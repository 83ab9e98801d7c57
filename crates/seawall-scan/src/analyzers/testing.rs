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

/// Checks that a file is read without complaint and holds exactly these packages, and that no
/// damage to it makes the analyzer panic.
#[track_caller]
pub(super) fn check(analyzer: &dyn Analyzer, path: &str, bytes: &[u8], expected: &[&str]) {
    let (found, result) = analyze(analyzer, path, bytes);
    assert!(result.is_ok(), "{path}: {result:?}");
    assert_eq!(found.incomplete, [], "{path}");
    assert_eq!(lines(&found), expected, "{path}");
    for place in (0..bytes.len()).step_by(bytes.len() / 100 + 1) {
        let (head, tail) = bytes.split_at(place);
        let rest = tail.get(1..).unwrap_or_default();
        for damage in [&b""[..], b"\0", b"\xFF", b"\"", b"[", b"\n"] {
            let damaged = [head, damage, rest].concat();
            drop(analyze(analyzer, path, &damaged));
        }
        drop(analyze(analyzer, path, head));
    }
}
