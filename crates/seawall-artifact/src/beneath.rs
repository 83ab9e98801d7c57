//! Files of a directory that is not ours: opened below its root, never through a symbolic link.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A directory below which files are opened.
#[derive(Debug, Clone)]
pub(crate) struct Root(Arc<OwnedFd>);

impl Root {
    /// Opens the root itself, through symbolic links: the user named it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self(Arc::new(fd)))
    }

    /// Opens a directory to list it; the empty path is the root.
    pub(crate) fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_beneath(path, OFlags::DIRECTORY | OFlags::RDONLY)
    }

    /// Opens a regular file to read it. A pipe is not waited for: it is refused, as is any other
    /// thing that is not a regular file.
    pub(crate) fn file(&self, path: &Path) -> io::Result<File> {
        let fd = self.open_beneath(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        let file = File::from(fd);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        Ok(file)
    }

    fn open_beneath(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let path = match path.as_os_str().is_empty() {
            true => Path::new("."),
            false => path,
        };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        loop {
            match openat2(&*self.0, path, flags, Mode::empty(), resolve) {
                // A rename raced with the lookup; the kernel asks to try again.
                Err(Errno::AGAIN | Errno::INTR) => {}
                // Kernels before 5.6, and sandboxes that do not know the call.
                Err(Errno::NOSYS | Errno::PERM) => return self.open_stepwise(path, flags),
                result => return Ok(result?),
            }
        }
    }

    /// The same by one `openat` per component.
    fn open_stepwise(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let step = OFlags::DIRECTORY | OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut here: Option<OwnedFd> = None;
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            let name = match part {
                Component::Normal(name) => name,
                Component::CurDir => ".".as_ref(),
                _ => return Err(io::ErrorKind::InvalidInput.into()),
            };
            let flags = if parts.peek().is_some() { step } else { flags };
            let parent = here.as_ref().unwrap_or(&self.0);
            here = Some(openat(parent, name.as_bytes(), flags, Mode::empty())?);
        }
        here.ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

/// A regular file below a root, opened when it is first read, so that many can be kept without
/// using up file descriptors.
#[derive(Debug)]
pub(crate) struct LazyFile {
    root: Root,
    path: PathBuf,
    file: OnceLock<File>,
}

impl LazyFile {
    pub(crate) fn new(root: Root, path: PathBuf) -> Self {
        Self {
            root,
            path,
            file: OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = self.root.file(&self.path)?;
        Ok(self.file.get_or_init(|| file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn nothing_outside_the_root_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let root_path = directory.path().join("root");
        std::fs::create_dir_all(root_path.join("a/b")).unwrap();
        std::fs::write(directory.path().join("secret"), "no").unwrap();
        std::fs::write(root_path.join("a/b/file"), "yes").unwrap();
        symlink("../secret", root_path.join("link")).unwrap();
        symlink("a", root_path.join("inner")).unwrap();
        let root = Root::open(&root_path).unwrap();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        for (path, allowed) in [
            ("a/b/file", true),
            ("./a/b/file", true),
            ("link", false),
            ("inner/b/file", false),
            ("../secret", false),
            ("a/../../secret", false),
            ("/etc/passwd", false),
        ] {
            assert_eq!(root.file(Path::new(path)).is_ok(), allowed, "{path}");
            let stepwise = root.open_stepwise(Path::new(path), flags);
            assert_eq!(stepwise.is_ok(), allowed, "stepwise {path}");
        }
        assert!(root.file(Path::new("a")).is_err());
    }
}
