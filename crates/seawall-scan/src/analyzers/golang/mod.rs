//! Go modules: those built into programs, and those that `go.mod` declares.
//!
//! `go.sum` is not read. It lists every version that was ever looked at while versions were chosen,
//! most of which are in no program.

mod build_info;
mod go_mod;

pub(super) use build_info::BuildInfo;
pub use go_mod::GoMod;

/// A Go release as a semantic version: `1.21.5` for `go1.21.5 X:boringcrypto`, `1.20.0` for
/// `go1.20`, `1.22.0-rc.1` for `go1.22rc1`. `None` for development versions, which have no number.
fn release(text: &str) -> Option<String> {
    let release = text.strip_prefix("go").unwrap_or(text);
    let release = release.split([' ', '-', '+']).next()?;
    let numbers = release.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (numbers, stage) = release.split_at_checked(numbers.unwrap_or(release.len()))?;
    let parts = numbers.split('.').collect::<Vec<_>>();
    if parts.len() < 2 || parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let mut version = match parts.len() {
        2 => format!("{numbers}.0"),
        _ => numbers.to_owned(),
    };
    let digits = stage.find(|c: char| c.is_ascii_digit());
    if let Some((word, number)) = digits.and_then(|at| stage.split_at_checked(at)) {
        version.push_str(&format!("-{word}.{number}"));
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_become_semantic_versions() {
        for (text, expected) in [
            ("go1.21.5", Some("1.21.5")),
            ("go1.21.5 X:boringcrypto", Some("1.21.5")),
            ("go1.24.2-fips", Some("1.24.2")),
            ("go1.20", Some("1.20.0")),
            ("go1.22rc1", Some("1.22.0-rc.1")),
            ("devel go1.20-0a1b2c", None),
            ("", None),
        ] {
            assert_eq!(release(text).as_deref(), expected, "{text}");
        }
    }
}
