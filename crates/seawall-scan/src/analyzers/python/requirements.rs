use super::{is_development_group, is_of_an_installed_package};
use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::{Incomplete, IncompleteReason, PackageType};

/// Requirement files of pip
/// (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>): `requirements*.txt`, and
/// the files of a directory `requirements`. Only exact pins (`==`, `===`) say what is installed.
#[derive(Debug)]
pub struct Requirements;

impl Analyzer for Requirements {
    fn name(&self) -> &'static str {
        "python-requirements"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[
            Pattern::NamePrefix("requirements"),
            Pattern::Suffix("-requirements.txt"),
            Pattern::InDirectory("requirements"),
        ]
    }

    fn max_bytes(&self) -> u64 {
        8 << 20
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        if !is_requirement_file(file.path) || is_of_an_installed_package(file.path) {
            return Ok(());
        }
        let text = document::text(file)?;
        let development = is_for_development(file.path);
        let mut declared = Declared::new(PackageType::PyPi);
        for line in logical_lines(&text) {
            if let Some(other) = included(&line) {
                if !is_requirement_file(&beside(file.path, other)) {
                    found.note(not_read(file.path, other));
                }
            } else if let Some((name, version)) = pinned(&line) {
                declared.add(name, version, development);
            } else if let Some(name) = unpinned(&line) {
                found.add_unversioned(Wanted::Requirement(PackageType::PyPi), name, development);
            }
        }
        declared.move_to(found);
        Ok(())
    }
}

fn is_requirement_file(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let in_requirements = directory.rsplit('/').next() == Some("requirements");
    name.ends_with(".txt")
        && (in_requirements
            || name.starts_with("requirements")
            || name.ends_with("-requirements.txt"))
}

/// Whether the file's name speaks of development: `requirements-dev.txt`, `requirements/test.txt`.
fn is_for_development(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(".txt")
        .split(['-', '_', '.'])
        .any(is_development_group)
}

/// Joins lines that end with a backslash and drops comments, which begin at a `#` after a space.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut logical = String::new();
    for line in text.lines() {
        let continued = line.trim_end().strip_suffix('\\');
        logical.push_str(continued.unwrap_or(line));
        if continued.is_none() {
            lines.push(std::mem::take(&mut logical));
        }
    }
    lines.push(logical);
    for line in &mut lines {
        let comment = line.match_indices('#').map(|(at, _)| at).find(|at| {
            line.get(..*at)
                .is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
        });
        if let Some(at) = comment {
            line.truncate(at);
        }
    }
    lines
}

/// The file of `-r FILE`. Constraint files (`-c`) install nothing.
fn included(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = line
        .strip_prefix("--requirement")
        .or_else(|| line.strip_prefix("-r"))?;
    Some(rest.trim_start_matches(['=', ' ', '\t']).trim()).filter(|other| !other.is_empty())
}

/// The path of a file named relative to another.
fn beside(path: &str, other: &str) -> String {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut parts: Vec<&str> = directory.split('/').collect();
    for part in other.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn not_read(path: &str, other: &str) -> Incomplete {
    Incomplete::new(
        IncompleteReason::Unsupported,
        path,
        format!("includes {other}, which is not recognised as a requirement file"),
    )
    .hint("name it requirements-*.txt or put it into a directory named requirements")
}

/// Name and version of a pinned requirement (PEP 508): `name[extra]==1.0; marker --hash=...`, or of
/// a wheel or source archive given by URL.
fn pinned(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with('-') {
        return None;
    }
    if let Some((name, url)) = line
        .split_once('@')
        .filter(|(name, _)| !name.contains(['=', '/']))
    {
        return version_in_file_name(url).map(|version| (bare_name(name), version));
    }
    let requirement = line.split(';').next().unwrap_or(line);
    let (name, version) = requirement.split_once("==")?;
    let version = version.trim_start_matches('=').trim();
    let version = version.split([' ', ',']).next().unwrap_or(version);
    let name = bare_name(name);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let exact = version.starts_with(|c: char| c.is_ascii_alphanumeric()) && !version.contains('*');
    (exact && !name.is_empty() && name.chars().all(is_name)).then_some((name, version))
}

/// The name of a requirement that is not [`pinned`]: without a version, with a range, or from a
/// repository. Files and directories, and options, are none.
fn unpinned(line: &str) -> Option<&str> {
    let line = line.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let (name, rest) = line.split_at(line.find(|c| !is_name(c)).unwrap_or(line.len()));
    let begins_and_ends = |c: char| c.is_ascii_alphanumeric();
    let is_file = [".whl", ".zip", ".gz"]
        .iter()
        .any(|end| name.ends_with(end));
    let rest = rest.trim_start();
    let follows =
        rest.is_empty() || rest.starts_with(['[', '(', '<', '>', '=', '!', '~', ';', '@']);
    (name.starts_with(begins_and_ends) && name.ends_with(begins_and_ends) && follows && !is_file)
        .then_some(name)
}

/// The name without extras.
fn bare_name(name: &str) -> &str {
    name.split('[').next().unwrap_or(name).trim()
}

/// `1.0` of `.../name-1.0-py3-none-any.whl` and `.../name-1.0.tar.gz`.
fn version_in_file_name(url: &str) -> Option<&str> {
    let path = url.split([';', '#', '?']).next()?.trim();
    let (_, file) = path.rsplit_once('/')?;
    let version = if let Some(wheel) = file.strip_suffix(".whl") {
        wheel.split('-').nth(1)?
    } else {
        let stem = file
            .strip_suffix(".tar.gz")
            .or_else(|| file.strip_suffix(".zip"))?;
        stem.rsplit_once('-')?.1
    };
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn exact_pins_only() {
        check(
            &Requirements,
            "app/requirements.txt",
            br#"# made by pip-compile
--index-url https://example.org/simple
-c constraints.txt
a==1.0  # via b
b[x,y]==2.0; python_version < "3.9"
c == 3.0 ; sys_platform == "linux"
d===4.0
e==5.0 \
    --hash=sha256:aa \
    --hash=sha256:bb
f>=6.0
g==7.*
h
i @ https://example.org/i-8.0-py3-none-any.whl#sha256=cc
j @ https://example.org/x/j-9.0.tar.gz ; python_version > "3"
k @ git+https://example.org/k.git@v1
-e ./own
./own2
l==1.0,<2
"#,
            &[
                "a 1.0", "b 2.0", "c 3.0", "d 4.0", "e 5.0", "i 8.0", "j 9.0", "l 1.0",
            ],
        );
    }

    #[test]
    fn what_is_not_pinned_was_passed_over_in_silence() {
        let text = b"# a\na==1\nb>=2\nc\nd[x] ~= 1.0 ; python_version < \"3\"\n\
            e @ git+https://example.org/e.git@v1\n-r base.txt\n-e ./own\n./own2\nown/f\n\
            g-1.0-py3-none-any.whl\nhttps://example.org/h\nThis is a letter.\ni==1.*\n";
        let (found, _) = analyze(&Requirements, "requirements.txt", text);
        let names: Vec<&str> = found.unversioned.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["b", "c", "d", "e", "i"]);
        assert!(found.unversioned.iter().all(|one| !one.development));
    }

    #[test]
    fn names_that_speak_of_development() {
        for (path, expected) in [
            ("requirements-dev.txt", &["a 1 dev"][..]),
            ("requirements/test.txt", &["a 1 dev"]),
            ("requirements/base.txt", &["a 1"]),
            ("test-requirements.txt", &["a 1 dev"]),
            ("requirements.md", &[]),
            ("docs/notes.txt", &[]),
            ("lib/python3.11/site-packages/x/requirements.txt", &[]),
        ] {
            check(&Requirements, path, b"a==1\n", expected);
        }
    }

    #[test]
    fn included_files_that_are_not_read_are_said() {
        let text = b"-r base.txt\n-r requirements/prod.txt\n--requirement=requirements-x.txt\n";
        let (found, result) = analyze(&Requirements, "app/requirements.txt", text);
        assert!(result.is_ok());
        assert_eq!(found.incomplete.len(), 1);
        assert!(found.incomplete[0].message.contains("base.txt"));
    }

    #[test]
    fn files_of_windows_in_utf16() {
        let text: Vec<u8> = "\u{feff}a==1\r\nb==2\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        check(&Requirements, "requirements.txt", &text, &["a 1", "b 2"]);
    }
}
