//! A directory as a source: a root filesystem or a source tree.
//!
//! What is left out, without a word in the report because nothing of it is a file that anybody
//! installed:
//! - file systems of the kernel below another one (`/proc`, `/sys`, cgroups and their like),
//! - with `/` as the root also overlay file systems: the merged views of running containers, which
//!   are scanned as images,
//! - `objects` below `.git`: compressed history.

use crate::beneath::{LazyFile, Root};
use crate::read::Context;
use crate::{Content, Entry, EntryKind, Error, LayerVisitor};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Stat, fstat, fstatfs, readlinkat, statat};
use seawall_model::{Incomplete, IncompleteReason};
use std::cell::OnceCell;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The deepest directory that is entered. The kernel refuses longer paths in one call; nobody has
/// them but to do harm.
const MAX_PATH: usize = 4000;

/// Magic numbers of the kernel's own file systems, statfs(2).
const KERNEL_FILE_SYSTEMS: &[u64] = &[
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x27_e0eb,   // cgroup
    0x6367_7270, // cgroup2
    0x1cd1,      // devpts
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0x6265_6570, // configfs
    0x6573_5543, // fusectl
    0x1980_0202, // mqueue
    0x9584_58f6, // hugetlbfs
    0xde5e_81e4, // efivarfs
    0x4249_4e4d, // binfmt_misc
    0xf97c_ff8c, // selinuxfs
    0x6759_6969, // rpc_pipefs
    0x187,       // autofs
    0x6e73_6673, // nsfs
];

const OVERLAY: u64 = 0x794c_7630;

/// An opened directory.
#[derive(Debug)]
pub(crate) struct Directory {
    root: Root,
    place: PathBuf,
    is_system_root: bool,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let root = Root::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Usage {
                message: format!("there is no directory '{}'", path.display()),
                hint: "check the path".to_owned(),
            },
            io::ErrorKind::NotADirectory => Error::Usage {
                message: format!("'{}' is not a directory", path.display()),
                hint: format!(
                    "scan an image archive with 'seawall scan image {}'",
                    path.display()
                ),
            },
            _ => Error::Io {
                place: path.display().to_string(),
                source,
            },
        })?;
        let is_system_root = path.canonicalize().is_ok_and(|path| path == Path::new("/"));
        Ok(Self {
            root,
            place: path.to_owned(),
            is_system_root,
        })
    }

    /// Visits everything below, the entries of a directory in the order of their names, before
    /// those of the directories in it.
    pub(crate) fn read(
        &self,
        visitor: &mut dyn LayerVisitor,
        context: &Context<'_>,
    ) -> Vec<Incomplete> {
        let mut walk = Walk {
            directory: self,
            context,
            entries: 0,
            incomplete: Vec::new(),
        };
        if let Err(error) = walk.run(visitor) {
            walk.incomplete.push(error.to_incomplete());
        }
        walk.incomplete
    }
}

/// A directory still to be listed.
struct Pending {
    path: PathBuf,
    /// Device of the directory above; `None` for the root.
    parent_device: Option<u64>,
}

struct Walk<'a> {
    directory: &'a Directory,
    context: &'a Context<'a>,
    entries: u64,
    incomplete: Vec<Incomplete>,
}

impl Walk<'_> {
    fn run(&mut self, visitor: &mut dyn LayerVisitor) -> Result<(), Error> {
        let mut pending = vec![Pending {
            path: PathBuf::new(),
            parent_device: None,
        }];
        while let Some(next) = pending.pop() {
            let listed = self.list(&next);
            let (fd, device, names) = match listed {
                Ok(Some(listed)) => listed,
                Ok(None) => continue,
                Err(error) => {
                    self.unreadable(&next.path, &error);
                    continue;
                }
            };
            self.context.progress.total(names.len() as u64);
            let first_new = pending.len();
            for (name, kind) in &names {
                self.entries += 1;
                let limit = self.context.limits.entries;
                if self.entries > limit {
                    return Err(Error::Limit {
                        place: self.directory.place.display().to_string(),
                        limit: format!("{limit} entries"),
                    });
                }
                let path = next.path.join(OsStr::from_bytes(name.to_bytes()));
                let mut entry = DirectoryEntry::new(self.directory, &fd, name, *kind, path);
                if let Some(error) = entry.failed() {
                    // Removed since it was listed: then it is not there.
                    if error.kind() != io::ErrorKind::NotFound {
                        self.unreadable(&entry.path, &error);
                    }
                    continue;
                }
                visitor.visit(&mut entry)?;
                if entry.kind == FileType::Directory && !is_git_objects(&entry.path) {
                    pending.push(Pending {
                        path: entry.path,
                        parent_device: Some(device),
                    });
                }
            }
            // The stack gives the last one first.
            if let Some(new) = pending.get_mut(first_new..) {
                new.reverse();
            }
            self.context.progress.advance(names.len() as u64);
        }
        Ok(())
    }

    /// The sorted entries of a directory with its device; `None` if it is left out.
    #[expect(clippy::type_complexity, reason = "the three are taken apart at once")]
    fn list(&self, next: &Pending) -> io::Result<Option<(OwnedFd, u64, Vec<(CString, FileType)>)>> {
        if next.path.as_os_str().len() > MAX_PATH {
            return Err(io::Error::new(
                io::ErrorKind::InvalidFilename,
                format!("its path is longer than {MAX_PATH} bytes"),
            ));
        }
        let fd = self.directory.root.directory(&next.path)?;
        let device = fstat(&fd)?.st_dev;
        if next.parent_device.is_some_and(|parent| parent != device) && self.is_left_out(&fd)? {
            return Ok(None);
        }
        let mut names = Vec::new();
        for entry in Dir::read_from(&fd)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                names.push((name.to_owned(), entry.file_type()));
            }
        }
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Some((fd, device, names)))
    }

    fn is_left_out(&self, fd: &OwnedFd) -> io::Result<bool> {
        // The type of f_type is signed on some architectures.
        let magic = fstatfs(fd)?.f_type as u64 & 0xffff_ffff;
        Ok(KERNEL_FILE_SYSTEMS.contains(&magic)
            || (self.directory.is_system_root && magic == OVERLAY))
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let reason = match error.kind() {
            io::ErrorKind::InvalidFilename => IncompleteReason::LimitReached,
            _ => IncompleteReason::Unreadable,
        };
        let place = self.directory.place.join(path);
        let mut incomplete = Incomplete::new(
            reason,
            place.to_string_lossy(),
            format!("cannot be read: {error}"),
        );
        if error.kind() == io::ErrorKind::PermissionDenied {
            incomplete = incomplete.hint("run as a user who may read it");
        }
        self.incomplete.push(incomplete);
    }
}

/// Whether a directory holds the history of a git repository or of one of its submodules.
fn is_git_objects(path: &Path) -> bool {
    path.file_name() == Some(OsStr::new("objects"))
        && path
            .ancestors()
            .skip(1)
            .any(|above| above.file_name() == Some(OsStr::new(".git")))
}

struct DirectoryEntry<'a> {
    directory: &'a Directory,
    parent: &'a OwnedFd,
    name: &'a CStr,
    path: PathBuf,
    text: String,
    kind: FileType,
    target: String,
    /// Asked of the kernel only when someone wants to know: most files interest nobody.
    stat: OnceCell<Option<Stat>>,
    error: Option<io::Error>,
    content: Option<Content>,
}

impl<'a> DirectoryEntry<'a> {
    fn new(
        directory: &'a Directory,
        parent: &'a OwnedFd,
        name: &'a CStr,
        kind: FileType,
        path: PathBuf,
    ) -> Self {
        let mut entry = Self {
            directory,
            parent,
            name,
            text: path.to_string_lossy().into_owned(),
            path,
            kind,
            target: String::new(),
            stat: OnceCell::new(),
            error: None,
            content: None,
        };
        if kind == FileType::Unknown {
            match entry.ask() {
                Ok(stat) => {
                    entry.kind = FileType::from_raw_mode(stat.st_mode);
                    entry.stat = OnceCell::from(Some(stat));
                }
                Err(error) => entry.error = Some(error),
            }
        }
        if entry.kind == FileType::Symlink {
            match readlinkat(parent.as_fd(), name, Vec::new()) {
                Ok(target) => entry.target = target.to_string_lossy().into_owned(),
                Err(error) => entry.error = Some(error.into()),
            }
        }
        entry
    }

    fn failed(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    fn ask(&self) -> io::Result<Stat> {
        Ok(statat(
            self.parent,
            self.name,
            AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT,
        )?)
    }

    fn stat(&self) -> Option<&Stat> {
        self.stat.get_or_init(|| self.ask().ok()).as_ref()
    }
}

impl Entry for DirectoryEntry<'_> {
    fn path(&self) -> &str {
        &self.text
    }

    fn kind(&self) -> EntryKind<'_> {
        match self.kind {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => EntryKind::Directory,
            FileType::Symlink => EntryKind::Symlink(&self.target),
            _ => EntryKind::Other,
        }
    }

    fn size(&self) -> u64 {
        match self.kind {
            FileType::RegularFile => self
                .stat()
                .map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0)),
            _ => 0,
        }
    }

    fn mode(&self) -> u32 {
        self.stat().map_or(0, |stat| stat.st_mode & 0o7777)
    }

    fn peek(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.kind != FileType::RegularFile {
            return Ok(0);
        }
        let content = self.content()?;
        content.read_at(buffer, 0).map_err(|source| Error::Io {
            place: self.text.clone(),
            source,
        })
    }

    fn content(&mut self) -> Result<Content, Error> {
        if let Some(content) = &self.content {
            return Ok(content.clone());
        }
        let content = match self.kind {
            FileType::RegularFile => Content::lazy(
                LazyFile::new(self.directory.root.clone(), self.path.clone()),
                self.size(),
            ),
            _ => Content::from_bytes([]),
        };
        self.content = Some(content.clone());
        Ok(content)
    }
}
