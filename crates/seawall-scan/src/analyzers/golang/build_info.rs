use super::release;
use crate::analyzers::executable::Executable;
use crate::analyzers::{AnalyzeError, Found};
use seawall_model::{Evidence, Package, PackageType};
use std::io;

/// What the Go linker writes into every program since Go 1.13 and `go version -m` prints
/// (`debug/buildinfo` and `runtime/debug` of the standard library).
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::analyzers) struct BuildInfo {
    /// As the tool chain writes it: `go1.21.5`.
    go: String,
    /// Import path of the main package.
    path: String,
    main: Option<Module>,
    dependencies: Vec<Module>,
    /// `-ldflags` of the build.
    linker_flags: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Module {
    path: String,
    version: String,
}

impl Module {
    /// Takes the replacement of the line before it. A directory has no version: most often it is
    /// the same module in the same repository, which keeps the name and version that it is
    /// required by. Where nothing but the replacement made the requirement work, its version is a
    /// zero that says nothing.
    fn replace_by(&mut self, replacement: Self) {
        if replacement.has_version() {
            *self = replacement;
        } else if ["v0.0.0", "v0.0.0-00010101000000-000000000000"].contains(&self.version.as_str())
        {
            self.version.clear();
        }
    }

    /// A module built from a directory has `(devel)` instead.
    fn has_version(&self) -> bool {
        !self.version.is_empty() && self.version != "(devel)"
    }
}

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The header is followed by the strings; the longest lists known have some thousand modules.
const MAX_INFO: usize = 4 << 20;
/// Where there is no section of its own, the header lies near the start of the data.
const MAX_SEARCH: usize = 1 << 20;
const HEADER: usize = 32;

impl BuildInfo {
    /// Reads the build information of a program; `None` if it was not built by Go.
    ///
    /// # Errors
    /// The file cannot be read, or holds the header and not what must follow.
    pub(in crate::analyzers) fn read(
        executable: &Executable<'_>,
    ) -> Result<Option<Self>, AnalyzeError> {
        let Some(data) = data_with_header(executable)? else {
            return Ok(None);
        };
        let damaged = || AnalyzeError::corrupt("Go's build information is damaged");
        let pointer_size = data.get(14).copied().ok_or_else(damaged)?;
        let flags = data.get(15).copied().ok_or_else(damaged)?;
        let (go, modules) = if flags & 2 != 0 {
            inline_strings(&data).ok_or_else(damaged)?
        } else {
            pointed_strings(executable, &data, pointer_size, flags & 1 != 0)?.ok_or_else(damaged)?
        };
        let mut info = Self::parse(&String::from_utf8_lossy(without_sentinels(&modules)));
        info.go = String::from_utf8_lossy(&go).into_owned();
        Ok(Some(info))
    }

    /// Parses the lines of module information (`runtime/debug.ParseBuildInfo`).
    pub(in crate::analyzers) fn parse(text: &str) -> Self {
        let mut info = Self::default();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let first = fields.next().unwrap_or_default();
            let module = || Module {
                path: first.to_owned(),
                version: fields.clone().next().unwrap_or_default().to_owned(),
            };
            match kind {
                "path" => info.path = first.to_owned(),
                "mod" => info.main = Some(module()),
                "dep" => info.dependencies.push(module()),
                "=>" => {
                    if let Some(last) = info.dependencies.last_mut().or(info.main.as_mut()) {
                        last.replace_by(module());
                    }
                }
                "build" => {
                    if let Some(flags) = first.strip_prefix("-ldflags=") {
                        info.linker_flags = unquote(flags);
                    }
                }
                _ => {}
            }
        }
        info
    }

    /// Adds the standard library (and the tool chain, if the program is `go`), the main module and
    /// its dependencies. A main module without a version in the information itself takes the one
    /// that the linker was told.
    pub(in crate::analyzers) fn add_to(&self, found: &mut Found) {
        let mut add = |name: &str, version: &str| {
            if !name.is_empty() && !version.is_empty() {
                let package = Package::new(PackageType::Golang, name, version, Evidence::Installed);
                found.add(package);
            }
        };
        if let Some(version) = release(&self.go) {
            add("stdlib", &version);
            if self.path == "cmd/go" {
                add("toolchain", &version);
            }
        }
        if let Some(main) = &self.main {
            add(&main.path, &self.version().unwrap_or_default());
        }
        for module in self
            .dependencies
            .iter()
            .filter(|module| module.has_version())
        {
            add(&module.path, &module.version);
        }
    }

    /// Import path of the main package: `github.com/docker/cli/cmd/docker`.
    pub(in crate::analyzers) fn import_path(&self) -> &str {
        &self.path
    }

    /// Path of the main module; none for a program that was built outside of module mode.
    pub(in crate::analyzers) fn main_module(&self) -> Option<&str> {
        self.main.as_ref().map(|main| main.path.as_str())
    }

    /// The version of the main module, with its leading `v` as written.
    pub(in crate::analyzers) fn version(&self) -> Option<String> {
        // A pseudo-version of no tag says less than what the release's build was told.
        let is_release =
            |main: &&Module| main.has_version() && !main.version.starts_with("v0.0.0-");
        match self.main.as_ref().filter(is_release) {
            Some(main) => Some(main.version.clone()),
            None => self.version_of_linker_flags(),
        }
    }

    /// The version of a module that was built in.
    pub(in crate::analyzers) fn dependency_version(&self, path: &str) -> Option<&str> {
        let module = self
            .dependencies
            .iter()
            .find(|module| module.path == path)?;
        module.has_version().then_some(module.version.as_str())
    }

    /// The value of `-X importpath.version=v1.2.3`. Of several, one in package `main` goes first,
    /// then one in a package of the main module, then any.
    fn version_of_linker_flags(&self) -> Option<String> {
        let module = self.main_module().unwrap_or(&self.path);
        let mut best: Option<(u8, &str)> = None;
        for definition in self.linker_flags.split([' ', '\t', '\'', '"']) {
            let definition = definition.strip_prefix("-X=").unwrap_or(definition);
            let Some((variable, value)) = definition.split_once('=') else {
                continue;
            };
            let Some((package, name)) = variable.rsplit_once('.') else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let is_version = [
                "version",
                "gitversion",
                "buildversion",
                "appversion",
                "releaseversion",
                "fullversion",
                "gitdescribe",
            ]
            .contains(&name.as_str());
            if !is_version || !looks_like_a_version(value) {
                continue;
            }
            let rank = match package {
                "main" => 0,
                own if !module.is_empty() && own.starts_with(module) => 1,
                _ => 2,
            };
            if best.is_none_or(|(known, _)| rank < known) {
                best = Some((rank, value));
            }
        }
        best.map(|(_, value)| match value.starts_with('v') {
            true => value.to_owned(),
            false => format!("v{value}"),
        })
    }
}

fn looks_like_a_version(value: &str) -> bool {
    let number = value.strip_prefix('v').unwrap_or(value);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.')
}

/// Go quotes a value with spaces as a Go string.
fn unquote(value: &str) -> String {
    value.trim_matches(['"', '`']).replace("\\\"", "\"")
}

/// The data from the header on.
fn data_with_header(executable: &Executable<'_>) -> io::Result<Option<Vec<u8>>> {
    for name in [".go.buildinfo", "__go_buildinfo"] {
        if let Some(data) = executable.section(name, MAX_INFO)? {
            return Ok(from_header(0, data));
        }
    }
    // Windows programs have no section for it, and others may have lost theirs.
    match executable.section(".data", MAX_SEARCH)? {
        Some(data) => Ok(from_header(0, data)),
        None if !executable.has_sections() => {
            let (address, data) = executable.writable_data(MAX_SEARCH)?;
            Ok(from_header(address, data))
        }
        _ => Ok(None),
    }
}

/// The header's address is aligned to 16 bytes. Sections are themselves, segments need not be.
fn from_header(address: u64, mut data: Vec<u8>) -> Option<Vec<u8>> {
    let is_aligned = |at: &usize| address.wrapping_add(*at as u64).is_multiple_of(16);
    let start = memchr::memmem::find_iter(&data, MAGIC).find(is_aligned)?;
    data.drain(..start);
    Some(data)
}

/// Since Go 1.18 both strings follow the header, each after its length as a varint.
fn inline_strings(data: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (go, rest) = varint_string(data.get(HEADER..)?)?;
    let (modules, _) = varint_string(rest)?;
    Some((go.to_vec(), modules.to_vec()))
}

fn varint_string(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0u64;
    for (index, byte) in data.iter().enumerate().take(9) {
        length |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).ok()?;
            return data.get(index + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// Until Go 1.17 two pointers to strings follow, each string a pointer and a length.
fn pointed_strings(
    executable: &Executable<'_>,
    data: &[u8],
    pointer_size: u8,
    big_endian: bool,
) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let size = usize::from(pointer_size);
    let word = |bytes: &[u8], at: usize| -> Option<u64> {
        let bytes = bytes.get(at..at + size)?;
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        match (size, big_endian) {
            (4 | 8, true) => Some(bytes.iter().fold(0, fold)),
            (4 | 8, false) => Some(bytes.iter().rev().fold(0, fold)),
            _ => None,
        }
    };
    let string = |at: usize| -> io::Result<Option<Vec<u8>>> {
        let Some(address) = word(data, at) else {
            return Ok(None);
        };
        let header = executable.at_address(address, 2 * size)?;
        let (Some(address), Some(length)) = (word(&header, 0), word(&header, size)) else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(MAX_INFO).min(MAX_INFO);
        executable.at_address(address, length).map(Some)
    };
    let (go, modules) = (string(16)?, string(16 + size)?);
    Ok(go.zip(modules))
}

/// The module information stands between two marks of 16 bytes, the second after a line's end.
fn without_sentinels(modules: &[u8]) -> &[u8] {
    let end = modules.len().saturating_sub(16);
    match modules.get(16..end) {
        Some(inner) if inner.ends_with(b"\n") => inner,
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::lines;

    fn check(text: &str, go: &str, expected: &[&str]) {
        let mut info = BuildInfo::parse(text);
        info.go = go.to_owned();
        let mut found = Found::default();
        info.add_to(&mut found);
        assert_eq!(lines(&found), expected);
    }

    #[test]
    fn modules_with_replacements() {
        check(
            "path\texample.org/app/cmd/app\nmod\texample.org/app\tv1.2.3\t\n\
             dep\texample.org/a\tv1.0.0\th1:x=\ndep\texample.org/b\tv1.0.0\n\
             =>\texample.org/fork\tv1.0.1\th1:y=\n",
            "go1.21.5",
            &[
                "stdlib 1.21.5",
                "example.org/app v1.2.3",
                "example.org/a v1.0.0",
                "example.org/fork v1.0.1",
            ],
        );
    }

    #[test]
    fn a_directory_that_replaces_a_module_is_no_module_of_its_own() {
        check(
            "path\texample.org/app\nmod\texample.org/app\t(devel)\t\n\
             dep\texample.org/app/api\tv1.4.2\n=>\t../api\t(devel)\t\n\
             dep\texample.org/old\tv1.5.0\n=>\t./old\t\n\
             dep\texample.org/zero\tv0.0.0\n=>\t./zero\t(devel)\t\n\
             dep\texample.org/workspace\t(devel)\t\n",
            "go1.21.5",
            &[
                "stdlib 1.21.5",
                "example.org/app/api v1.4.2",
                "example.org/old v1.5.0",
            ],
        );
    }

    #[test]
    fn the_main_module_takes_its_version_from_the_linker_flags() {
        for (flags, expected) in [
            ("-X main.version=1.2.3", Some("v1.2.3")),
            (
                "\"-s -w -X other.org/x.Version=v9.9.9 -X 'example.org/app/v.gitVersion=v1.4.0'\"",
                Some("v1.4.0"),
            ),
            ("-s -w -X main.commit=abc.def -X main.version=unknown", None),
        ] {
            let text = format!(
                "path\texample.org/app\nmod\texample.org/app\t(devel)\t\nbuild\t-ldflags={flags}\n"
            );
            assert_eq!(
                BuildInfo::parse(&text).version().as_deref(),
                expected,
                "{flags}"
            );
        }
    }

    #[test]
    fn strings_follow_the_header_since_go_1_18() {
        let mut data = b"\xff Go buildinf:\x08\x02".to_vec();
        data.resize(HEADER, 0);
        let modules = [&[b'0'; 16][..], b"path\tx\n", &[b'1'; 16]].concat();
        data.extend([&[8][..], b"go1.21.5", &[modules.len() as u8], &modules].concat());
        let (go, read) = inline_strings(&data).unwrap();
        assert_eq!(go, b"go1.21.5");
        assert_eq!(without_sentinels(&read), b"path\tx\n");
        for length in 0..data.len() {
            assert_eq!(inline_strings(&data[..length]), None);
        }
    }

    #[test]
    fn a_header_was_lost_where_its_segment_is_not_aligned() {
        for (address, before, is_header) in
            [(0x1000, 16, true), (0x1008, 8, true), (0x1008, 16, false)]
        {
            let data = [&vec![0; before][..], MAGIC].concat();
            let found = from_header(address, data).is_some();
            assert_eq!(found, is_header, "{address:x} {before}");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        assert_eq!(varint_string(&[0xFF; 12]), None);
        assert_eq!(varint_string(&[0x80, 0x80, 0x04, b'x']), None);
    }
}
