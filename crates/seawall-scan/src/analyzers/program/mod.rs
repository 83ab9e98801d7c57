//! Programs that no package manager knows, recognised by name and version string.

mod java_release;
mod table;

pub use java_release::ReleaseFile;

use super::golang::BuildInfo;
use super::{AnalyzeError, File, Found};
use regex::bytes::Regex;
use seawall_artifact::Content;
use seawall_model::{Evidence, Package, PackageType};
use std::io;
use std::sync::OnceLock;
use table::{GO_PROGRAMS, LINKED_VERSION, PROGRAMS};

/// Bytes looked at in one go.
const CHUNK: usize = 1 << 20;
/// No version string with what surrounds it is longer.
const LONGEST: usize = 512;

/// A program known by the name of its file and a string in it.
struct Program {
    /// Product name, as in `pkg:generic/NAME`.
    product: &'static str,
    /// File names, `*` for any characters.
    files: &'static [&'static str],
    /// The string; its first group is the version.
    pattern: &'static str,
    /// Whether the version continues the number in the file's name, as in `libpython3.11.so.1.0`.
    numbered: bool,
    /// Candidate NVD products, `vendor:product`.
    cpe: &'static [&'static str],
}

/// A program written in Go, known by its main package.
struct GoProgram {
    /// The beginning of the main package's import path: its module without a major version.
    module: &'static str,
    /// A module that is released with the program under the same version.
    released_with: Option<&'static str>,
    /// A string that only this program has; its first group is the version.
    pattern: Option<&'static str>,
    /// Candidate NVD products, `vendor:product`.
    cpe: &'static [&'static str],
}

/// Adds the program that this file is, if it is one of the known ones.
pub(super) fn recognize(
    file: &File<'_>,
    go: Option<&BuildInfo>,
    found: &mut Found,
) -> Result<(), AnalyzeError> {
    if let Some(info) = go {
        return recognize_go(file, info, found);
    }
    let name = file.path.rsplit('/').next().unwrap_or(file.path);
    for (index, program) in PROGRAMS.iter().enumerate() {
        if !program.files.iter().any(|glob| matches_glob(glob, name)) {
            continue;
        }
        let Some(pattern) = compiled(index) else {
            continue;
        };
        let number = program.numbered.then(|| number_in(name));
        let is_it = |version: &str| number.is_none_or(|number| continues(version, number));
        if let Some(version) = find(file.content, pattern, &is_it)? {
            let mut package = Package::new(
                PackageType::Generic,
                program.product,
                version,
                Evidence::Pattern,
            );
            package.cpe_products = program.cpe.iter().map(|cpe| (*cpe).to_owned()).collect();
            found.add(package);
            return Ok(());
        }
    }
    Ok(())
}

/// The main module of a Go program is a package of its own; here it gets its NVD products, and a
/// version or name where the build information has none.
fn recognize_go(file: &File<'_>, info: &BuildInfo, found: &mut Found) -> Result<(), AnalyzeError> {
    let path = info.import_path();
    let Some(program) = GO_PROGRAMS.iter().find(|program| {
        let rest = path.strip_prefix(program.module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) else {
        return Ok(());
    };
    let cpe: Vec<String> = program.cpe.iter().map(|cpe| (*cpe).to_owned()).collect();
    // Built outside of module mode, a program knows the path of its main package alone.
    let module = info
        .main_module()
        .unwrap_or_else(|| with_major_version(program.module, path));
    let known = |package: &&mut Package| package.name == module;
    if let Some(package) = found.packages.iter_mut().find(known) {
        package.cpe_products = cpe;
        return Ok(());
    }
    let sibling = program.released_with;
    let pattern = program.pattern.and_then(|pattern| Regex::new(pattern).ok());
    let version = match (
        sibling.and_then(|sibling| info.dependency_version(sibling)),
        pattern,
    ) {
        (Some(version), _) => Some(version.to_owned()),
        (None, Some(pattern)) => go_version(file.content, &pattern)?,
        (None, None) => linked_version(file.content)?,
    };
    if let Some(version) = version {
        let mut package = Package::new(PackageType::Golang, module, version, Evidence::Installed);
        package.cpe_products = cpe;
        found.add(package);
    }
    Ok(())
}

/// The module that an import path begins with, with the major version that follows it there:
/// `example.org/app/v2` for `example.org/app/v2/cmd/app`.
fn with_major_version<'a>(module: &'a str, path: &'a str) -> &'a str {
    let after = path
        .strip_prefix(module)
        .and_then(|rest| rest.strip_prefix("/v"));
    let digits = after
        .and_then(|rest| rest.split('/').next())
        .filter(|major| !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit()));
    let length = digits.map(|major| module.len() + "/v".len() + major.len());
    length
        .and_then(|length| path.get(..length))
        .unwrap_or(module)
}

/// The first version that stands alone between two NULs, as the linker puts in a string that it is
/// told with `-X`. What a distribution adds after a `~` is no part of it.
fn linked_version(content: &Content) -> io::Result<Option<String>> {
    static LINKED: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = LINKED.get_or_init(|| Regex::new(LINKED_VERSION).ok());
    let Some(pattern) = pattern else {
        return Ok(None);
    };
    go_version(content, pattern)
}

/// The first version that a pattern finds, as Go writes it.
fn go_version(content: &Content, pattern: &Regex) -> io::Result<Option<String>> {
    let version = find(content, pattern, &|_| true)?;
    Ok(version.map(|version| format!("v{version}")))
}

/// The pattern of a row, compiled when it is first needed.
fn compiled(index: usize) -> Option<&'static Regex> {
    static COMPILED: [OnceLock<Option<Regex>>; PROGRAMS.len()] =
        [const { OnceLock::new() }; PROGRAMS.len()];
    let cell = COMPILED.get(index)?;
    cell.get_or_init(|| Regex::new(PROGRAMS.get(index)?.pattern).ok())
        .as_ref()
}

/// The first version in the file that satisfies `is_it`. Reads chunk by chunk, each with the end of
/// the one before.
fn find(
    content: &Content,
    pattern: &Regex,
    is_it: &dyn Fn(&str) -> bool,
) -> io::Result<Option<String>> {
    let mut buffer = vec![0; CHUNK + LONGEST];
    let mut offset = 0u64;
    loop {
        let n = content.read_at(&mut buffer, offset)?;
        let chunk = buffer.get(..n).unwrap_or_default();
        let last = n < buffer.len();
        for captures in pattern.captures_iter(chunk) {
            let (Some(whole), Some(version)) = (captures.get(0), captures.get(1)) else {
                continue;
            };
            // It may go on after the chunk, and is then whole in the next.
            if !last && whole.end() == n && whole.len() < LONGEST {
                continue;
            }
            let version = String::from_utf8_lossy(version.as_bytes());
            if is_it(&version) {
                return Ok(Some(version.into_owned()));
            }
        }
        if last {
            return Ok(None);
        }
        offset = offset.saturating_add(CHUNK as u64);
    }
}

/// Whether a name is of the form of a glob, in which only `*` is special.
fn matches_glob(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// `3.11` of `libpython3.11.so.1.0`, empty where there is none.
fn number_in(name: &str) -> &str {
    let start = name
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(name.len());
    let from = name.get(start..).unwrap_or_default();
    let end = from
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(from.len());
    from.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// Whether a version begins with a number: `3.11.2` with `3.11`, not `3.1`.
fn continues(version: &str, number: &str) -> bool {
    match version.strip_prefix(number) {
        Some(rest) => number.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::lines;

    fn check(path: &str, bytes: &[u8], expected: &[&str]) {
        let content = Content::from_bytes(bytes);
        let mut found = Found::default();
        let file = File {
            path,
            mode: 0o755,
            content: &content,
        };
        recognize(&file, None, &mut found).unwrap();
        assert_eq!(lines(&found), expected, "{path}");
    }

    #[test]
    fn every_pattern_compiles_and_has_one_group() {
        let rows = PROGRAMS.iter().map(|program| program.pattern);
        let go = GO_PROGRAMS.iter().filter_map(|program| program.pattern);
        for pattern in rows.chain(go).chain([LINKED_VERSION]) {
            let regex = Regex::new(pattern).unwrap();
            assert_eq!(regex.captures_len(), 2, "{pattern}");
        }
    }

    #[test]
    fn programs_by_name_and_version_string() {
        for (path, bytes, expected) in [
            (
                "usr/local/bin/node",
                &b"x\0node.js/v20.11.1\0"[..],
                "node 20.11.1",
            ),
            (
                "usr/sbin/nginx",
                b"\0nginx version: nginx/1.25.3\0",
                "nginx 1.25.3",
            ),
            (
                "usr/lib/libcrypto.so.3",
                b"\0OpenSSL 3.0.11 19 Sep 2023\0",
                "openssl 3.0.11",
            ),
            (
                "bin/bash",
                b"@(#)Bash version 5.2.15(1) release GNU\0",
                "bash 5.2.15",
            ),
            (
                "bin/busybox",
                b"BusyBox v1.36.1 (2023-11-07)\0",
                "busybox 1.36.1",
            ),
            (
                "usr/local/lib/libpython3.11.so.1.0",
                b"\x003.1.1\0\x003.40.1\0\x003.11.7\0",
                "python 3.11.7",
            ),
            (
                "usr/local/bin/redis-server",
                b"\x007.2.4buildkitsandbox-1704807690000000000\0",
                "redis 7.2.4",
            ),
            (
                "usr/local/bin/redis-server",
                b"x4.0.11841ce7054bd9-1542359302000000000\0",
                "redis 4.0.11",
            ),
            // What deno's exporter of telemetry calls itself stands before its own name.
            (
                "usr/bin/deno",
                b"OTel-OTLP-Exporter-Deno/0.82.0grpc-timeout2.9.8+fe7ed01Deno/2.9.8",
                "deno 2.9.8",
            ),
            // Debian builds without the name of a host; its `redis-server` is a link to this.
            (
                "usr/bin/redis-check-rdb",
                b"\x007.0.151790282056000000000\0",
                "redis 7.0.15",
            ),
            ("usr/bin/lua5.1", b"$Lua: Lua 5.1.5 Copyright", "lua 5.1.5"),
        ] {
            check(path, bytes, &[expected]);
        }
        check("usr/bin/other", b"\0nginx version: nginx/1.25.3\0", &[]);
    }

    fn check_go(info: &str, bytes: &[u8], expected: &[&str]) {
        let content = Content::from_bytes(bytes);
        let mut found = Found::default();
        let file = File {
            path: "usr/bin/x",
            mode: 0o755,
            content: &content,
        };
        let info = BuildInfo::parse(info);
        info.add_to(&mut found);
        recognize(&file, Some(&info), &mut found).unwrap();
        assert_eq!(lines(&found), expected, "{info:?}");
    }

    #[test]
    fn a_distribution_s_suffix_hid_the_version_of_a_go_program() {
        for (path, linked, expected) in [
            (
                "github.com/containerd/containerd/cmd/containerd",
                &b"x\x001.6.20~ds1\0"[..],
                "github.com/containerd/containerd v1.6.20",
            ),
            (
                "github.com/opencontainers/runc",
                b"x\x001.1.5+ds1\0",
                "github.com/opencontainers/runc v1.1.5+ds1",
            ),
            (
                "k8s.io/kubernetes/cmd/kubectl",
                b"x\0v1.32.4-dispatcher\0",
                "k8s.io/kubernetes v1.32.4-dispatcher",
            ),
            (
                "k8s.io/kubernetes/cmd/kubelet",
                b"x\0v1.28.5+k3s1\0",
                "k8s.io/kubernetes v1.28.5+k3s1",
            ),
        ] {
            check_go(&format!("path\t{path}\n"), linked, &[expected]);
        }
    }

    #[test]
    fn a_go_program_built_without_modules_lost_its_major_version() {
        let info = "path\tgithub.com/caddyserver/caddy/v2/cmd/caddy\n";
        let expected = "github.com/caddyserver/caddy/v2 v2.6.2";
        check_go(info, b"x\x002.6.2\0", &[expected]);
    }

    #[test]
    fn consul_has_its_version_in_the_page_it_serves() {
        check_go(
            "path\tgithub.com/hashicorp/consul\nmod\tgithub.com/hashicorp/consul\t(devel)\n",
            b"x\x000.0.1\0<!-- CONSUL_VERSION: 1.17.0 -->",
            &["github.com/hashicorp/consul v1.17.0"],
        );
    }

    #[test]
    fn etcd_has_the_version_of_the_module_released_with_it() {
        check_go(
            "path\tgo.etcd.io/etcd/server/v3\nmod\tgo.etcd.io/etcd/server/v3\t(devel)\n\
             dep\tgo.etcd.io/etcd/api/v3\tv3.5.9\n=>\t../api\t(devel)\n",
            b"",
            &[
                "go.etcd.io/etcd/api/v3 v3.5.9",
                "go.etcd.io/etcd/server/v3 v3.5.9",
            ],
        );
    }

    #[test]
    fn versions_across_chunks_are_whole() {
        for before in CHUNK - 40..CHUNK + LONGEST + 5 {
            if before % 7 != 0 {
                continue;
            }
            let mut bytes = vec![b'x'; before];
            bytes.extend_from_slice(b"\0nginx version: nginx/1.25.31\0");
            bytes.resize(before + 3000, b'y');
            check("nginx", &bytes, &["nginx 1.25.31"]);
        }
    }

    #[test]
    fn globs() {
        for (glob, name, expected) in [
            ("nginx", "nginx", true),
            ("nginx", "nginx-debug", false),
            ("libssl.so*", "libssl.so.3", true),
            ("libpython*.so*", "libpython3.11.so.1.0", true),
            ("php*", "php", true),
            ("a*b", "ab", true),
            ("a*b", "aXc", false),
        ] {
            assert_eq!(matches_glob(glob, name), expected, "{glob} {name}");
        }
    }
}
