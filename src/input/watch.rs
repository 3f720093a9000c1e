//! Notices files that change while they are read.
//!
//! A mapped file is read again and again until the last number is out, so a program that rewrites it
//! meanwhile makes numbers of a mixture. Each map remembers size and time of its file. A process that
//! runs one command asks about all of them before it writes a result ([`watch_files`],
//! [`check_files`]).

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::{Error, Result};

/// A file as it was when it was opened.
#[derive(Debug)]
pub(super) struct Stamp {
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
    inode: Option<(u64, u64)>,
}

#[cfg(unix)]
fn inode(found: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> Option<(u64, u64)> {
    None
}

impl Stamp {
    pub(super) fn new(path: &Path, found: &Metadata) -> Arc<Self> {
        let stamp = Arc::new(Self {
            path: path.to_owned(),
            size: found.len(),
            modified: found.modified().ok(),
            inode: inode(found),
        });
        if WATCHING.load(Ordering::Relaxed) {
            let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
            watched.push(Arc::clone(&stamp));
        }
        stamp
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file has been written since. One that was replaced or removed has not: a map
    /// keeps the old content.
    pub(super) fn is_stale(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|now| {
            inode(&now) == self.inode
                && (now.len() != self.size || now.modified().ok() != self.modified)
        })
    }
}

/// Whether stamps are kept for [`check_files`].
static WATCHING: AtomicBool = AtomicBool::new(false);

static WATCHED: Mutex<Vec<Arc<Stamp>>> = Mutex::new(Vec::new());

/// From now on every file that is mapped is remembered for [`check_files`], for as long as the
/// process lives.
pub fn watch_files() {
    WATCHING.store(true, Ordering::Relaxed);
}

/// Fails if a file was written to since it was opened.
///
/// # Errors
/// [`Error::Changed`] naming the first.
pub fn check_files() -> Result<()> {
    let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    match watched.iter().find(|stamp| stamp.is_stale()) {
        None => Ok(()),
        Some(stamp) => Err(Error::Changed {
            path: stamp.path.clone(),
        }),
    }
}

/// How many maps can be told apart by [`mapped_file`]; the rest have no name.
const MAPS: usize = 4096;

/// Where a map lies and what is behind it.
struct Place {
    start: usize,
    length: usize,
    name: String,
}

static PLACES: [OnceLock<Place>; MAPS] = [const { OnceLock::new() }; MAPS];
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Remembers for [`mapped_file`] where a file is mapped, in a process that watches its files.
pub(super) fn note_place(stamp: &Stamp, map: &[u8]) {
    if !WATCHING.load(Ordering::Relaxed) {
        return;
    }
    let at = TAKEN.fetch_add(1, Ordering::Relaxed);
    if let Some(place) = PLACES.get(at) {
        // A slot is handed out once, so it is free.
        let _ = place.set(Place {
            start: map.as_ptr() as usize,
            length: map.len(),
            name: stamp.path.to_string_lossy().escape_debug().to_string(),
        });
    }
}

/// The name of a watched file that is mapped at this address, escaped.
///
/// Takes no lock and no memory, so a signal handler may ask.
pub fn mapped_file(address: usize) -> Option<&'static str> {
    let taken = TAKEN.load(Ordering::Relaxed).min(MAPS);
    // The last page of a map reaches beyond the end of its file.
    const PAGE: usize = 1 << 16;
    let places = PLACES[..taken].iter().rev().filter_map(OnceLock::get);
    places
        .filter(|place| address >= place.start)
        .find(|place| address < (place.start + place.length).next_multiple_of(PAGE))
        .map(|place| place.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_rewritten_in_place_is_stale_and_one_that_is_replaced_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        fs::write(&path, [1; 64]).unwrap();
        let stamp = || Stamp::new(&path, &fs::metadata(&path).unwrap());
        let first = stamp();
        assert!(!first.is_stale());
        fs::write(&path, [2; 65]).unwrap();
        assert!(first.is_stale());

        let second = stamp();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        file.set_modified(later).unwrap();
        assert!(second.is_stale());

        let third = stamp();
        let other = folder.path().join("b.npy");
        fs::write(&other, [3; 10]).unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(!third.is_stale());
    }
}
