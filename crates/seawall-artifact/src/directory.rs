//! A directory as a source: a root filesystem or a source tree.
//!
//! What is left out, without a word in the report because nothing of it is a file that anybody
//! installed:
//! - file systems of the kernel below another one (`/proc`, `/sys`, cgroups and their like),
//! - with `/` as the root also overlay file systems: the merged views of running containers, which
//!   are scanned as images,
//! - `objects` below `.git`: compressed history.

use crate::beneath::{LazyFile, Root};
use crate::path::{split, text};
use crate::read::Context;
use crate::tally::Count;
use crate::{Content, Entry, EntryKind, Error, LayerVisitor};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
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

/// Files and directories that cannot be read and are named one by one.
const MAX_UNREADABLE: usize = 1_000;

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
    /// Whether it is one layer of an overlay file system, with marks of what is removed.
    is_layer: bool,
    /// What stood here before: then only what changed since is visited.
    before: Option<Root>,
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
            is_layer: false,
            before: None,
        })
    }

    /// A directory that is one layer of an overlay file system (the kernel's `overlayfs.rst`,
    /// "whiteouts and opaque directories"; fuse-overlayfs marks as layer archives do).
    pub(crate) fn open_layer(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            is_layer: true,
            ..Self::open(path)?
        })
    }

    /// A directory that was copied from `before` and then changed: what differs in kind, mode or
    /// content is visited, and what is there no more as a whiteout.
    pub(crate) fn open_change(path: &Path, before: &Path) -> Result<Self, Error> {
        Ok(Self {
            before: Some(Self::open(before)?.root),
            ..Self::open(path)?
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
            count: context.tally.layer(context.limits),
            incomplete: Vec::new(),
            more_unreadable: 0,
        };
        if let Err(error) = walk.run(visitor) {
            walk.incomplete.push(error.to_incomplete());
        }
        if walk.more_unreadable > 0 {
            walk.incomplete.push(Incomplete::new(
                IncompleteReason::Unreadable,
                self.place.to_string_lossy(),
                format!(
                    "{} more files and directories cannot be read",
                    walk.more_unreadable
                ),
            ));
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
    count: Count<'a>,
    incomplete: Vec<Incomplete>,
    /// What is no longer listed one by one.
    more_unreadable: u64,
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
            let before = Before::list(self.directory, &next.path);
            for (name, kind) in before.iter().flat_map(|before| before.removed(&names)) {
                let path = next.path.join(OsStr::from_bytes(name.to_bytes()));
                let mut entry = DirectoryEntry::new(self.directory, &fd, name, *kind, path);
                entry.mark = Some(Mark::Whiteout);
                visitor.visit(&mut entry)?;
            }
            self.context.progress.total(names.len() as u64);
            let first_new = pending.len();
            for (name, kind) in &names {
                self.count.entry(&self.directory.place.to_string_lossy())?;
                let path = next.path.join(OsStr::from_bytes(name.to_bytes()));
                let mut entry = DirectoryEntry::new(self.directory, &fd, name, *kind, path);
                if let Some(error) = entry.failed() {
                    // Removed since it was listed: then it is not there.
                    if error.kind() != io::ErrorKind::NotFound {
                        self.unreadable(&entry.path, &error);
                    }
                    continue;
                }
                if before.as_ref().is_some_and(|before| before.has(&mut entry)) {
                    continue;
                }
                visitor.visit(&mut entry)?;
                if self.directory.is_layer && entry.is_redirected() {
                    let message = "an attribute of overlayfs, which is not followed, shows another \
                                   directory's files there";
                    let place = self.directory.place.join(&entry.path);
                    let place = place.to_string_lossy();
                    let told = Incomplete::new(IncompleteReason::Unsupported, place, message);
                    self.note(told);
                }
                if self.directory.is_layer && entry.is_opaque() {
                    entry.mark = Some(Mark::Opaque);
                    visitor.visit(&mut entry)?;
                }
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
        let names = names_in(&fd)?;
        Ok(Some((fd, device, names)))
    }

    fn is_left_out(&self, fd: &OwnedFd) -> io::Result<bool> {
        // The type of f_type is signed on some architectures.
        let magic = fstatfs(fd)?.f_type as u64 & 0xffff_ffff;
        Ok(KERNEL_FILE_SYSTEMS.contains(&magic)
            || (self.directory.is_system_root && magic == OVERLAY))
    }

    fn note(&mut self, incomplete: Incomplete) {
        match self.incomplete.len() < MAX_UNREADABLE {
            true => self.incomplete.push(incomplete),
            false => self.more_unreadable += 1,
        }
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
        self.note(incomplete);
    }
}

/// The entries of a directory, ordered by name.
fn names_in(fd: &OwnedFd) -> io::Result<Vec<(CString, FileType)>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(fd)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            names.push((name.to_owned(), entry.file_type()));
        }
    }
    names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(names)
}

/// Bytes that are compared at a time.
const COMPARED: usize = 64 << 10;

/// What a directory was before it changed.
struct Before {
    fd: OwnedFd,
    names: Vec<(CString, FileType)>,
}

impl Before {
    /// `None` if it was not there. One that cannot be read counts as new, so that nothing in it is
    /// passed over.
    fn list(directory: &Directory, path: &Path) -> Option<Self> {
        let fd = directory.before.as_ref()?.directory(path).ok()?;
        let names = names_in(&fd).ok()?;
        Some(Self { fd, names })
    }

    /// Entries that are not among `names` any more.
    fn removed(&self, names: &[(CString, FileType)]) -> impl Iterator<Item = &(CString, FileType)> {
        self.names
            .iter()
            .filter(|(old, _)| names.binary_search_by(|(name, _)| name.cmp(old)).is_err())
    }

    /// Whether an entry is as it was. Directories have to be entered to know. Times prove nothing
    /// where a build sets them all to the same, so contents are compared.
    fn has(&self, entry: &mut DirectoryEntry<'_>) -> bool {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let (Ok(old), Some(new)) = (statat(&self.fd, entry.name, flags), entry.stat()) else {
            return false;
        };
        if (old.st_mode, old.st_size) != (new.st_mode, new.st_size) {
            return false;
        }
        match entry.kind {
            FileType::Directory => false,
            FileType::RegularFile => self.has_content(entry).unwrap_or(false),
            FileType::Symlink => readlinkat(&self.fd, entry.name, Vec::new())
                .is_ok_and(|target| text(target.as_bytes()) == entry.target),
            _ => old.st_rdev == new.st_rdev,
        }
    }

    fn has_content(&self, entry: &mut DirectoryEntry<'_>) -> io::Result<bool> {
        let Some(before) = &entry.directory.before else {
            return Ok(false);
        };
        let old = Content::lazy(
            LazyFile::new(before.clone(), entry.path.clone()),
            entry.size(),
        );
        let new = entry.content().map_err(io::Error::other)?;
        let (mut a, mut b) = (vec![0; COMPARED], vec![0; COMPARED]);
        let mut offset = 0;
        loop {
            let n = old.read_at(&mut a, offset)?;
            let m = new.read_at(&mut b, offset)?;
            if a.get(..n) != b.get(..m) {
                return Ok(false);
            }
            if n == 0 {
                return Ok(true);
            }
            offset += n as u64;
        }
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

/// What an entry of a layer says of the layers below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Whiteout,
    Opaque,
}

const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";
/// Set where a directory of a lower layer was renamed.
const REDIRECT_ATTRIBUTES: &[&str] = &["trusted.overlay.redirect", "user.overlay.redirect"];
/// Set by the kernel, by the kernel in a user namespace, by fuse-overlayfs.
const OPAQUE_ATTRIBUTES: &[&str] = &[
    "trusted.overlay.opaque",
    "user.overlay.opaque",
    "user.fuseoverlayfs.opaque",
];
/// Of empty files that stand for a whiteout where there can be no devices.
const WHITEOUT_ATTRIBUTES: &[&str] = &["trusted.overlay.whiteout", "user.overlay.whiteout"];

struct DirectoryEntry<'a> {
    directory: &'a Directory,
    parent: &'a OwnedFd,
    name: &'a CStr,
    path: PathBuf,
    text: String,
    kind: FileType,
    mark: Option<Mark>,
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
            text: text(path.as_os_str().as_bytes()).into_owned(),
            path,
            kind,
            mark: None,
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
                Ok(target) => entry.target = text(target.as_bytes()).into_owned(),
                Err(error) => entry.error = Some(error.into()),
            }
        }
        if directory.is_layer {
            entry.read_mark();
        }
        entry
    }

    /// Finds out whether the entry stands for something that is removed.
    fn read_mark(&mut self) {
        // No mark is a directory: that is one with the name of a mark, for the files in it.
        if self.kind == FileType::Directory {
            return;
        }
        let (above, name) = split(&self.text);
        if name == OPAQUE {
            self.text = above.to_owned();
            self.mark = Some(Mark::Opaque);
        } else if let Some(removed) = name.strip_prefix(WHITEOUT) {
            self.text = match above {
                "" => removed.to_owned(),
                above => format!("{above}/{removed}"),
            };
            self.mark = Some(Mark::Whiteout);
        } else if self.is_whiteout() {
            self.mark = Some(Mark::Whiteout);
        }
    }

    fn is_whiteout(&self) -> bool {
        match self.kind {
            FileType::CharacterDevice => self.stat().is_some_and(|stat| stat.st_rdev == 0),
            FileType::RegularFile => {
                self.size() == 0 && self.has_attribute(WHITEOUT_ATTRIBUTES, None)
            }
            _ => false,
        }
    }

    fn is_opaque(&self) -> bool {
        self.kind == FileType::Directory && self.has_attribute(OPAQUE_ATTRIBUTES, Some(b"y"))
    }

    fn is_redirected(&self) -> bool {
        self.kind == FileType::Directory && self.has_attribute(REDIRECT_ATTRIBUTES, None)
    }

    /// Whether one of the extended attributes is set (to `value`).
    fn has_attribute(&self, names: &[&str], value: Option<&[u8]>) -> bool {
        // Through the directory that is open already: nothing on the way can be a link.
        let mut path = PathBuf::from(format!("/proc/self/fd/{}", self.parent.as_raw_fd()));
        path.push(OsStr::from_bytes(self.name.to_bytes()));
        names.iter().any(|name| {
            let mut buffer = [0; 8];
            // Longer than the buffer is not what is looked for.
            match (rustix::fs::lgetxattr(&path, *name, &mut buffer[..]), value) {
                (Ok(len), Some(value)) => buffer.get(..len) == Some(value),
                (Ok(_) | Err(rustix::io::Errno::RANGE), None) => true,
                (Err(_), _) => false,
            }
        })
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
        match self.mark {
            Some(Mark::Whiteout) => return EntryKind::Whiteout,
            Some(Mark::Opaque) => return EntryKind::OpaqueDirectory,
            None => {}
        }
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
