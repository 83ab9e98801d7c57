//! Which file a path means: one file has many spellings.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Symbolic links that are followed to a file that is not there yet, as many as Linux follows.
const MAX_HOPS: usize = 40;

/// The one absolute path of a file, without links and dots; also of one that is yet to be written,
/// as long as its directory is there.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_HOPS {
        if let Ok(place) = fs::canonicalize(&path) {
            return place;
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        match fs::read_link(&path) {
            // Writing to a link that leads nowhere makes the file that it names.
            Ok(target) => path = folder.join(target),
            Err(_) => {
                return match (fs::canonicalize(folder), path.file_name()) {
                    (Ok(folder), Some(name)) => folder.join(name),
                    _ => path,
                };
            }
        }
    }
    path
}

/// Whether writing to one of the two would change what is read from the other. Of devices and pipes,
/// like `/dev/null`, it would not.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => {
            one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
        }
        (Err(_), Err(_)) => canonical(one) == canonical(other),
        _ => false,
    }
}

/// Whether `path` is a file that there is in `directory`, however deep.
pub(crate) fn is_part_of(path: &Path, directory: &Path) -> bool {
    path.is_file() && directory.is_dir() && canonical(path).starts_with(canonical(directory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn one_file_has_many_spellings() -> std::io::Result<()> {
        let folder = tempfile::TempDir::new()?;
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub"))?;
        fs::write(at("there"), "")?;
        fs::hard_link(at("there"), at("hard"))?;
        symlink("there", at("soft"))?;
        symlink("sub/new", at("dangling"))?;
        symlink("loop", at("loop"))?;
        for (one, other, expected) in [
            ("there", "sub/../there", true),
            ("there", "hard", true),
            ("there", "soft", true),
            ("there", "sub", false),
            ("new", "./new", true),
            ("new", "sub/new", false),
            ("sub/new", "dangling", true),
            ("loop", "new", false),
            ("nowhere/new", "new", false),
            ("/dev/null", "/dev/null", false),
        ] {
            assert_eq!(
                is_same_file(&at(one), &at(other)),
                expected,
                "{one} {other}"
            );
        }
        Ok(())
    }
}
