//! Makes a file that nobody sees before it is whole: without a name where the system can do that,
//! else hidden beside its target.
//!
//! On Linux the file has no name until it is linked to its target (`O_TMPFILE`), so a run that is
//! killed leaves nothing. Elsewhere, and for the moment in which an old file is replaced, it is called
//! `.repgeo-` and six letters, and whoever makes it holds a lock on it: what such a run leaves is
//! locked by nobody, and the next writer in that folder removes it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempPath;

/// More links than this in a row are a loop (Linux's own limit).
const MAX_LINKS: usize = 40;

/// What the name of every temporary file begins with.
const PREFIX: &str = ".repgeo-";

/// How many letters follow.
const LETTERS: usize = 6;

/// Where locks do not exist, what is older than this is nobody's.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Temporary files of this process that have a name.
static NAMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Folders in which this process has looked for what others left.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Files that this process has put in their places.
static PUBLISHED: AtomicUsize = AtomicUsize::new(0);

fn lock<T>(set: &Mutex<T>) -> MutexGuard<'_, T> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file in the making; dropped before it is published, it leaves nothing.
#[derive(Debug)]
pub(super) struct Pending {
    file: File,
    /// `None` where it has no name yet.
    name: Option<TempPath>,
    target: PathBuf,
    folder: PathBuf,
    /// Of the file that it will replace.
    permissions: Option<fs::Permissions>,
}

impl Pending {
    /// A new file that will become `path`, or what the link `path` leads to.
    ///
    /// An existing file must be writable, although renaming over it would work.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let target = follow_links(path)?;
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let permissions = permissions_if_writable(&target)?;
        sweep(&folder);
        let (file, name) = match unnamed(&folder) {
            Some(file) => (file, None),
            None => named(&folder).map_err(|error| without_name(&error))?,
        };
        Ok(Self {
            file,
            name,
            target,
            folder,
            permissions,
        })
    }

    /// The file to fill.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the file in its place, over what is there.
    pub(super) fn publish(mut self) -> io::Result<()> {
        if let Some(permissions) = self.permissions.take() {
            self.file.set_permissions(permissions)?;
        }
        self.file.sync_all()?;
        let linked = match self.name {
            Some(_) => false,
            None => self.link()?,
        };
        if let (false, Some(name)) = (linked, self.name.take()) {
            let path = name.to_path_buf();
            let renamed = name.persist(&self.target);
            lock(&NAMED).remove(&path);
            renamed.map_err(|error| without_name(&error.error))?;
        }
        // A link or a new name survives a power cut only once the folder is on disk; where folders
        // cannot be synced (some network mounts, Windows) the file is still whole.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        PUBLISHED.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Links a file without a name to its target; `false` if there is a file already, so that it
    /// has a name beside it now and must be renamed.
    fn link(&mut self) -> io::Result<bool> {
        match link_open_file(&self.file, &self.target) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => return self.copy().map(|()| false),
        }
        let made = builder().make_in(&self.folder, |path| {
            lock(&NAMED).insert(path.to_owned());
            link_open_file(&self.file, path).inspect_err(|_| {
                lock(&NAMED).remove(path);
            })
        });
        match made {
            Ok(made) => self.name = Some(made.into_temp_path()),
            Err(_) => self.copy()?,
        }
        Ok(false)
    }

    /// The same content in a file with a name, where the system does not link open files after all.
    fn copy(&mut self) -> io::Result<()> {
        use std::io::Seek;
        let (mut file, name) = named(&self.folder).map_err(|error| without_name(&error))?;
        self.file.rewind()?;
        io::copy(&mut self.file, &mut file)?;
        file.set_permissions(self.file.metadata()?.permissions())?;
        file.sync_all()?;
        (self.file, self.name) = (file, name);
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            let path = name.to_path_buf();
            drop(name);
            lock(&NAMED).remove(&path);
        }
    }
}

/// Removes the temporary files of this process: what a run that is told to stop does last.
pub fn remove_unfinished() {
    // Whoever holds the lock is about to finish; a process that ends must not wait for long.
    for _ in 0..50 {
        if let Ok(named) = NAMED.try_lock() {
            for path in named.iter() {
                let _ = fs::remove_file(path);
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How many files this process has written whole.
pub fn files_written() -> usize {
    PUBLISHED.load(Ordering::Relaxed)
}

/// Removes temporary files in `folder` that nobody is writing any more; once a process.
pub(crate) fn sweep(folder: &Path) {
    let key = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    if !lock(&SWEPT).insert(key) {
        return;
    }
    let Ok(items) = fs::read_dir(folder) else {
        return;
    };
    for item in items.flatten() {
        let is_ours = item.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(PREFIX).is_some_and(|rest| {
                rest.len() == LETTERS && rest.chars().all(|c| c.is_ascii_alphanumeric())
            })
        });
        if is_ours && item.file_type().is_ok_and(|kind| kind.is_file()) {
            remove_if_abandoned(&item.path());
        }
    }
}

fn remove_if_abandoned(path: &Path) {
    if lock(&NAMED).contains(path) {
        return;
    }
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else {
        return;
    };
    let abandoned = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => file
            .metadata()
            .and_then(|found| found.modified())
            .is_ok_and(|time| SystemTime::now().duration_since(time).unwrap_or_default() > STALE),
    };
    if abandoned {
        // Another run may have been quicker.
        let _ = fs::remove_file(path);
    }
}

/// The file that `path` leads to, which need not exist.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&target) else {
            return Ok(target);
        };
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// The permissions of a file that exists; an error if it may not be written.
fn permissions_if_writable(target: &Path) -> io::Result<Option<fs::Permissions>> {
    match OpenOptions::new().write(true).open(target) {
        Ok(file) => Ok(Some(file.metadata()?.permissions())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file in `folder` that has no name; `None` where there is no such thing.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = i32::try_from(rustix::fs::OFlags::TMPFILE.bits()).ok()?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o666)
        .custom_flags(flags)
        .open(folder)
        .ok()?;
    // It is linked through /proc, which some containers lack.
    let seen = fs::metadata(path_of_open(&file)).is_ok();
    // Held while it has a temporary name; a file system without locks has none to respect.
    let _ = file.try_lock();
    seen.then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

#[cfg(target_os = "linux")]
fn path_of_open(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(target_os = "linux")]
fn link_open_file(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    linkat(CWD, path_of_open(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn link_open_file(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A file in `folder` with a name of its own, locked.
fn named(folder: &Path) -> io::Result<(File, Option<TempPath>)> {
    loop {
        let made = builder().make_in(folder, |path| {
            lock(&NAMED).insert(path.to_owned());
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            options.open(path).inspect_err(|_| {
                lock(&NAMED).remove(path);
            })
        });
        let (file, name) = made?.into_parts();
        let _ = file.try_lock();
        // Another run may have taken it for abandoned before it was locked.
        if name.exists() {
            return Ok((file, Some(name)));
        }
        lock(&NAMED).remove(&name.to_path_buf());
    }
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(LETTERS);
    builder
}

/// The error without the name of the temporary file, which means nothing to the user.
fn without_name(error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "its folder does not exist"),
        io::ErrorKind::PermissionDenied => {
            io::Error::new(error.kind(), "permission denied in its folder")
        }
        kind => match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => kind.into(),
        },
    }
}
