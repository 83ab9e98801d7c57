//! Decides in tens of nanoseconds which analyzers want a file, because a layer may hold millions.

use crate::analyzers::{Analyzer, Pattern};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A set of analyzers, by their position in the list that the dispatcher was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct AnalyzerSet(u128);

impl AnalyzerSet {
    /// How many analyzers there can be.
    const CAPACITY: usize = u128::BITS as usize;

    fn one(index: usize) -> Self {
        Self(1 << index)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The positions, ascending.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let index = rest.trailing_zeros() as usize;
            rest &= rest.checked_sub(1)?;
            Some(index)
        })
    }
}

/// A condition beyond the key under which it is found.
#[derive(Debug, Clone, Copy)]
enum Check {
    Always,
    Path(&'static str),
    Suffix(&'static str),
}

impl Check {
    fn accepts(self, path: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Path(whole) => path == whole,
            Self::Suffix(suffix) => path
                .strip_suffix(suffix)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '.'])),
        }
    }
}

type Table = HashMap<&'static str, Vec<(Check, AnalyzerSet)>, BuildHasherDefault<FxHasher>>;

/// The patterns of all analyzers, arranged so that one look at the name and one at its extension
/// answer for nearly every path.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    by_name: Table,
    by_extension: Table,
    directories: Vec<(&'static str, AnalyzerSet)>,
    directory_names: Vec<(&'static str, AnalyzerSet)>,
    prefixes: Vec<(&'static str, AnalyzerSet)>,
    executables: AnalyzerSet,
    /// Directories whose name ends so, and a file that is wanted in them.
    files_in_directories: Vec<(&'static str, &'static str)>,
    /// Files and directories that are wanted in one place only.
    places: Vec<&'static str>,
}

impl Dispatcher {
    /// Arranges the patterns of `analyzers`, of which there may be at most 128.
    pub(crate) fn new(analyzers: &[&dyn Analyzer]) -> Self {
        assert!(analyzers.len() <= AnalyzerSet::CAPACITY);
        let mut dispatcher = Self {
            by_name: Table::default(),
            by_extension: Table::default(),
            directories: Vec::new(),
            directory_names: Vec::new(),
            prefixes: Vec::new(),
            executables: AnalyzerSet::default(),
            files_in_directories: Vec::new(),
            places: Vec::new(),
        };
        for (index, analyzer) in analyzers.iter().enumerate() {
            for pattern in analyzer.patterns() {
                dispatcher.add(*pattern, AnalyzerSet::one(index));
            }
        }
        dispatcher
    }

    fn add(&mut self, pattern: Pattern, set: AnalyzerSet) {
        let name_of = |path: &'static str| path.rsplit('/').next().unwrap_or(path);
        match pattern {
            Pattern::Name(name) => push(&mut self.by_name, name, Check::Always, set),
            Pattern::Extension(extension) => {
                push(&mut self.by_extension, extension, Check::Always, set);
            }
            Pattern::Path(path) => {
                push(&mut self.by_name, name_of(path), Check::Path(path), set);
                self.places.push(path);
            }
            Pattern::Suffix(suffix) if suffix.contains('/') => {
                self.files_in_directories.extend(suffix.rsplit_once('/'));
                push(
                    &mut self.by_name,
                    name_of(suffix),
                    Check::Suffix(suffix),
                    set,
                );
            }
            Pattern::Suffix(suffix) => match suffix.rsplit_once('.') {
                Some((_, extension)) => {
                    push(
                        &mut self.by_extension,
                        extension,
                        Check::Suffix(suffix),
                        set,
                    );
                }
                // A suffix without a dot begins at the last dot of the name, or is all of it.
                None => {
                    push(&mut self.by_extension, suffix, Check::Always, set);
                    push(&mut self.by_name, suffix, Check::Always, set);
                }
            },
            Pattern::Directory(directory) => {
                self.directories.push((directory, set));
                self.places.push(directory);
            }
            Pattern::InDirectory(name) => self.directory_names.push((name, set)),
            Pattern::NamePrefix(prefix) => self.prefixes.push((prefix, set)),
            Pattern::Executable => self.executables = self.executables.union(set),
        }
    }

    /// The analyzers that want the file at `path`, apart from those that want executables.
    pub(crate) fn wanted(&self, path: &str) -> AnalyzerSet {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut set = AnalyzerSet::default();
        if let Some(candidates) = self.by_name.get(name) {
            set = accepted(set, candidates, path);
        }
        if let Some((_, extension)) = name.rsplit_once('.')
            && extension.len() <= MAX_EXTENSION
        {
            let mut lower = [0; MAX_EXTENSION];
            if let Some(candidates) = lower_case(extension, &mut lower)
                .and_then(|extension| self.by_extension.get(extension))
            {
                set = accepted(set, candidates, path);
            }
        }
        for (directory, wanting) in &self.directories {
            if *directory == parent {
                set = set.union(*wanting);
            }
        }
        for (directory, wanting) in &self.directory_names {
            if parent
                .strip_suffix(directory)
                .is_some_and(|above| above.is_empty() || above.ends_with('/'))
            {
                set = set.union(*wanting);
            }
        }
        for (prefix, wanting) in &self.prefixes {
            if name.starts_with(prefix) {
                set = set.union(*wanting);
            }
        }
        set
    }

    /// The analyzers that would not want what is at `path` if it were at `other`, as far as they go by
    /// names, not by one place.
    pub(crate) fn wanted_by_name_only_at(&self, path: &str, other: &str) -> AnalyzerSet {
        match self.places.contains(&path) {
            true => AnalyzerSet::default(),
            false => self.wanted(path).without(self.wanted(other)),
        }
    }

    /// Whether files that would be wanted in a directory at `path` are not wanted in one at `other`: those
    /// in a directory of a certain name.
    pub(crate) fn is_wanted_below_only(&self, path: &str, other: &str) -> bool {
        let mut names = self.directory_names.iter();
        let differs = |name: &str| {
            let is_named = |path: &str| path.rsplit('/').next() == Some(name);
            is_named(path) && !is_named(other)
        };
        let mut files = self.files_in_directories.iter();
        names.any(|(name, _)| differs(name))
            || files.any(|(directory, file)| {
                let wanted = |path: &str| self.wanted(&format!("{path}/{file}"));
                path.ends_with(directory) && !wanted(path).without(wanted(other)).is_empty()
            })
    }

    /// Whether there is a file or directory at or below `path` that is wanted in this place only.
    pub(crate) fn leads_to_a_place(&self, path: &str) -> bool {
        let mut places = self.places.iter();
        places.any(|place| {
            let rest = place.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The analyzers that want a regular file if it begins like a program, for which its first bytes
    /// must be looked at; empty where its name and mode say that it does not run.
    pub(crate) fn wanted_if_program(&self, path: &str, mode: u32) -> AnalyzerSet {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match mode & 0o111 != 0 || name.contains(".so") || is_binary_extension(extension) {
            true => self.executables,
            false => AnalyzerSet::default(),
        }
    }
}

/// Whether a file that begins so is an ELF, PE or Mach-O program.
pub(crate) fn has_executable_magic(head: &[u8]) -> bool {
    match head {
        [0x7f, b'E', b'L', b'F', ..] | [b'M', b'Z', ..] => true,
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => true,
        // A universal Mach-O binary counts its few architectures where a Java class has its
        // version, which is at least 45.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, count, ..] => *count < 45,
        _ => false,
    }
}

/// Nothing that holds build information or a version string of a real program is smaller.
pub(crate) const MIN_EXECUTABLE_BYTES: u64 = 4 << 10;

/// Longer extensions belong to no pattern.
const MAX_EXTENSION: usize = 16;

/// Extensions of programs that need no execute permission.
fn is_binary_extension(extension: &str) -> bool {
    matches!(extension, "exe" | "dll" | "dylib" | "node")
}

fn push(table: &mut Table, key: &'static str, check: Check, set: AnalyzerSet) {
    table.entry(key).or_default().push((check, set));
}

fn accepted(set: AnalyzerSet, candidates: &[(Check, AnalyzerSet)], path: &str) -> AnalyzerSet {
    candidates
        .iter()
        .filter(|(check, _)| check.accepts(path))
        .fold(set, |set, (_, wanting)| set.union(*wanting))
}

/// `text` in lower case, in `buffer` if it had to be changed; `None` if it does not fit there.
fn lower_case<'a>(text: &'a str, buffer: &'a mut [u8; MAX_EXTENSION]) -> Option<&'a str> {
    if !text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some(text);
    }
    let lower = buffer.get_mut(..text.len())?;
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

/// The multiply-and-rotate hash of Firefox and rustc. Its keys here are our own patterns, so
/// nobody can choose colliding ones.
#[derive(Debug, Default)]
struct FxHasher(u64);

impl FxHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for FxHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut array = [0; 8];
            array.copy_from_slice(word);
            self.add(u64::from_le_bytes(array));
        }
        let mut last = [0; 8];
        let rest = words.remainder();
        if let Some(place) = last.get_mut(..rest.len()) {
            place.copy_from_slice(rest);
        }
        self.add(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u8(&mut self, _end_of_str: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::{AnalyzeError, File, Found};

    struct Wants(&'static [Pattern]);

    impl Analyzer for Wants {
        fn name(&self) -> &'static str {
            "test"
        }
        fn patterns(&self) -> &'static [Pattern] {
            self.0
        }
        fn analyze(&self, _: &File<'_>, _: &mut Found) -> Result<(), AnalyzeError> {
            Ok(())
        }
    }

    fn check(pattern: &'static [Pattern], path: &str, expected: bool) {
        let dispatcher = Dispatcher::new(&[&Wants(pattern)]);
        assert_eq!(
            !dispatcher.wanted(path).is_empty(),
            expected,
            "{pattern:?} on {path}"
        );
    }

    #[test]
    fn patterns_select_paths() {
        let name: &[Pattern] = &[Pattern::Name("package-lock.json")];
        check(name, "package-lock.json", true);
        check(name, "app/package-lock.json", true);
        check(name, "app/my-package-lock.json", false);
        check(name, "package-lock.json/x", false);
        let extension: &[Pattern] = &[Pattern::Extension("jar")];
        check(extension, "app/a.jar", true);
        check(extension, "app/A.JaR", true);
        check(extension, "app.jar/a", false);
        check(extension, "jar", false);
        check(extension, "a.b.", false);
        let path: &[Pattern] = &[Pattern::Path("var/lib/dpkg/status")];
        check(path, "var/lib/dpkg/status", true);
        check(path, "x/var/lib/dpkg/status", false);
        check(path, "var/lib/dpkg/status/x", false);
        let directory: &[Pattern] = &[Pattern::Directory("var/lib/dpkg/status.d")];
        check(directory, "var/lib/dpkg/status.d/base", true);
        check(directory, "var/lib/dpkg/status.d/a/b", false);
        check(directory, "y/var/lib/dpkg/status.d/base", false);
        let in_directory: &[Pattern] = &[Pattern::InDirectory("conda-meta")];
        check(in_directory, "opt/conda/conda-meta/x.json", true);
        check(in_directory, "conda-meta/x.json", true);
        check(in_directory, "my-conda-meta/x.json", false);
        check(in_directory, "conda-meta", false);
        let suffix: &[Pattern] = &[Pattern::Suffix("dist-info/METADATA")];
        check(suffix, "usr/lib/x-1.dist-info/METADATA", true);
        check(suffix, "dist-info/METADATA", true);
        check(suffix, "a/dist-info/METADATA", true);
        check(suffix, "a/xdist-info/METADATA", false);
        let dotted: &[Pattern] = &[Pattern::Suffix("deps.json")];
        check(dotted, "app/App.deps.json", true);
        check(dotted, "app/deps.json", true);
        check(dotted, "app/mydeps.json", false);
        let plain: &[Pattern] = &[Pattern::Suffix("lockfile")];
        check(plain, "app/gradle.lockfile", true);
        check(plain, "lockfile", true);
        check(plain, "app/mylockfile", false);
        let prefix: &[Pattern] = &[Pattern::NamePrefix("requirements")];
        check(prefix, "app/requirements-dev.txt", true);
        check(prefix, "requirements", true);
        check(prefix, "requirements/dev.txt", false);
    }

    #[test]
    fn links_of_whole_directories_were_passed_over() {
        let patterns: &[Pattern] = &[
            Pattern::Suffix("dist-info/METADATA"),
            Pattern::InDirectory("conda-meta"),
        ];
        let dispatcher = Dispatcher::new(&[&Wants(patterns)]);
        for (path, target, expected) in [
            ("lib/a-1.dist-info", "x/r", true),
            ("lib/a-1.dist-info", "cache/a-1.dist-info", false),
            ("opt/conda-meta", "x/r", true),
            ("opt/conda-meta", "conda/conda-meta", false),
            ("lib/a", "x/r", false),
        ] {
            let is = dispatcher.is_wanted_below_only(path, target);
            assert_eq!(is, expected, "{path} -> {target}");
        }
    }

    #[test]
    fn executables_are_peeked_at_only_where_likely() {
        let dispatcher = Dispatcher::new(&[&Wants(&[Pattern::Executable])]);
        for (path, mode, expected) in [
            ("usr/bin/node", 0o755, true),
            ("usr/bin/node", 0o644, false),
            ("usr/lib/libssl.so.3", 0o644, true),
            ("app/a.exe", 0o644, true),
            // Whatever it is called.
            ("app/server.js", 0o755, true),
        ] {
            let set = dispatcher.wanted_if_program(path, mode);
            assert_eq!(!set.is_empty(), expected, "{path} {mode:o}");
        }
    }

    #[test]
    fn magic_numbers_of_programs() {
        for (head, expected) in [
            (&b"\x7fELF\x02\x01\x01\0"[..], true),
            (b"MZ\x90\0", true),
            (b"\xcf\xfa\xed\xfe\x07\0\0\x01", true),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", true),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", false),
            (b"#!/bin/sh", false),
            (b"", false),
        ] {
            assert_eq!(has_executable_magic(head), expected, "{head:?}");
        }
    }

    #[test]
    fn sets_list_their_members() {
        let set = AnalyzerSet::one(0)
            .union(AnalyzerSet::one(7))
            .union(AnalyzerSet::one(127));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 7, 127]);
    }
}
