//! npm packages: installed ones by their `package.json`, declared ones by the lockfiles of npm,
//! yarn, pnpm, bun and deno.

mod bun;
mod deno;
mod npm_lock;
mod package_json;
mod pnpm;
mod yarn;

pub use bun::BunLock;
pub use deno::DenoLock;
pub use npm_lock::NpmLock;
pub use package_json::PackageJson;
pub use pnpm::PnpmLock;
pub use yarn::YarnLock;

/// Splits `name@rest` and `@scope/name@rest` at the `@` that ends the name.
fn split_descriptor(descriptor: &str) -> Option<(&str, &str)> {
    let scoped = descriptor.strip_prefix('@');
    let (name, rest) = scoped.unwrap_or(descriptor).split_once('@')?;
    let name_length = name.len() + usize::from(scoped.is_some());
    (!name.is_empty()).then_some((descriptor.get(..name_length)?, rest))
}

/// Whether this looks like a version and not a URL, path or range: npm versions begin with a digit
/// (Semantic Versioning 2.0.0, item 2).
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['/', ':', ' '])
}

/// Whether a dependency is not a directory or file of the project's own (npm's `package.json`, "Local
/// Paths"; the protocols of yarn and pnpm).
fn is_from_elsewhere(reference: &str) -> bool {
    let own = ["file:", "link:", "portal:", "workspace:", ".", "/", "~/"];
    !own.iter().any(|begin| reference.starts_with(begin))
}

/// Whether a lockfile got a package by address: `https://...`, `git+ssh://...`, `github:owner/name`.
fn is_address(reference: &str) -> bool {
    reference.contains(':') && is_from_elsewhere(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_split_after_the_scope() {
        for (descriptor, expected) in [
            ("a@1", Some(("a", "1"))),
            ("@s/a@npm:b@2", Some(("@s/a", "npm:b@2"))),
            ("@s/a", None),
            ("@", None),
            ("", None),
        ] {
            assert_eq!(split_descriptor(descriptor), expected);
        }
    }
}
