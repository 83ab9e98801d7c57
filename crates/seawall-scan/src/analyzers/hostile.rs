//! No bytes make an analyzer panic.

use super::testing::analyze;
use super::{ALL, Analyzer, Pattern};
use proptest::prelude::*;

/// A path that the analyzer takes for its own.
fn path_of(analyzer: &dyn Analyzer) -> String {
    match analyzer.patterns().first() {
        Some(Pattern::Name(name)) => format!("node_modules/x/{name}"),
        Some(Pattern::Extension(extension)) => format!("a-1.0.{extension}"),
        Some(Pattern::Path(path)) => (*path).to_owned(),
        Some(Pattern::Directory(directory) | Pattern::InDirectory(directory)) => {
            format!("{directory}/x.json")
        }
        Some(Pattern::Suffix(suffix)) => (*suffix).to_owned(),
        Some(Pattern::NamePrefix(prefix)) => format!("{prefix}.txt"),
        Some(Pattern::Executable) | None => "nginx".to_owned(),
    }
}

/// Beginnings that lead deeper into the formats.
const BEGINNINGS: &[&[u8]] = &[
    b"",
    b"{\"packages\": {\"a@1\": [",
    b"[[package]]\nname = \"a\"\n",
    b"packages:\n  /a/1.0.0:\n",
    b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0",
    b"MZ\0\0",
    b"\xcf\xfa\xed\xfe\x07\0\0\x01",
    b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
    b"<project><dependencies><dependency>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_an_analyzer_panic(
        beginning in prop::sample::select(BEGINNINGS),
        rest in prop::collection::vec(any::<u8>(), 0..256),
        text in "[\\[\\]{}:,\"'@/\\\\ \n\t#=$<>a-z0-9.()-]{0,128}",
    ) {
        let bytes = [beginning, &rest].concat();
        let text = [beginning, text.as_bytes()].concat();
        for analyzer in ALL {
            let path = path_of(*analyzer);
            for bytes in [&bytes, &text] {
                drop(analyze(*analyzer, &path, bytes));
            }
        }
    }
}
