//! Brings the bytes of a file in reach: mapped where possible, read where not.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memmap2::Mmap;

use super::watch::{Stamp, note_place};
use crate::memory::machine_memory;
use crate::{Error, Result};

/// A file of up to this many bytes is read where it cannot be mapped.
const SMALL: u64 = 1 << 20;

/// The whole content of a file or stream.
#[derive(Debug)]
pub enum Bytes {
    /// A read-only memory map; pages are loaded when they are touched.
    Mapped(MappedFile),
    /// Bytes in memory: a pipe, an unpacked archive member, an empty file.
    Owned(Vec<u8>),
}

/// A map, and its file as it was when it was opened.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
    stamp: Arc<Stamp>,
}

impl Bytes {
    /// Maps the file at `path`, or reads it to its end if it is a pipe.
    ///
    /// # Errors
    /// [`Error::Read`] if it cannot be opened, mapped or read.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        let failed = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        refuse_device(&file, &metadata).map_err(failed)?;
        let bytes = if metadata.is_file() && metadata.len() > 0 {
            // SAFETY: the map is read-only and every value read from it is valid for any bit
            // pattern. A file that another program shortens meanwhile raises SIGBUS, which the
            // command line turns into words; one that is rewritten is noticed by its stamp.
            #[allow(unsafe_code)]
            match unsafe { Mmap::map(&file) } {
                Ok(map) => {
                    let stamp = Stamp::new(path, &metadata);
                    note_place(&stamp, &map);
                    Self::Mapped(MappedFile { map, stamp })
                }
                // A system maps 65 530 files at most; small ones can as well be read.
                Err(error)
                    if error.kind() == io::ErrorKind::OutOfMemory && metadata.len() <= SMALL =>
                {
                    Self::Owned(read_stream(&mut file).map_err(failed)?)
                }
                Err(error) => return Err(failed(error)),
            }
        } else {
            Self::Owned(read_stream(&mut file).map_err(failed)?)
        };
        match bytes.starts_with(LFS_POINTER) {
            true => Err(Error::Malformed {
                path: path.to_owned(),
                fact: "this is a Git LFS pointer, not the file itself".into(),
                remedy: "fetch the file with git lfs pull".into(),
            }),
            false => Ok(Arc::new(bytes)),
        }
    }
}

impl Bytes {
    /// The mapped file behind these bytes, if it was written to since it was opened.
    pub(super) fn changed(&self) -> Option<&Path> {
        match self {
            Self::Mapped(mapped) if mapped.stamp.is_stale() => Some(mapped.stamp.path()),
            _ => None,
        }
    }
}

/// The whole content of a small file or a pipe.
///
/// # Errors
/// What opening and reading give; `FileTooLarge` beyond `most` bytes.
pub(crate) fn read_small_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    refuse_device(&file, &file.metadata()?)?;
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("more than {} MiB", most >> 20),
        ));
    }
    Ok(content)
}

/// Refuses devices: most have no end. A terminal is one that somebody types at.
#[cfg(unix)]
fn refuse_device(file: &File, metadata: &Metadata) -> io::Result<()> {
    use std::io::IsTerminal;
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    if (kind.is_char_device() || kind.is_block_device()) && !file.is_terminal() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is a device, neither a file nor a pipe",
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_device(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Everything that stands in standard input, which is there once.
///
/// # Errors
/// [`Error::Usage`] where it was read before; what reading gives.
pub(crate) fn read_stdin() -> Result<Vec<u8>> {
    static WAS_READ: AtomicBool = AtomicBool::new(false);
    if WAS_READ.swap(true, Ordering::Relaxed) {
        return Err(Error::Usage(
            "standard input (-) can be read once and is named twice; write one of the two to a file, \
             or use <(command)"
                .into(),
        ));
    }
    read_stream(&mut io::stdin().lock()).map_err(|source| Error::Read {
        path: "stdin".into(),
        source,
    })
}

/// Everything a stream gives, up to a quarter of the machine's memory: some have no end, and a
/// growing buffer is copied.
///
/// # Errors
/// What reading gives; `FileTooLarge` beyond that.
pub(crate) fn read_stream(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let most = machine_memory().map_or(u64::MAX, |bytes| bytes / 4);
    let mut content = Vec::new();
    reader.take(most).read_to_end(&mut content)?;
    if content.len() as u64 == most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "more than {} MiB came and no end, a quarter of what this machine has",
                most >> 20
            ),
        ));
    }
    Ok(content)
}
/// What Git LFS leaves in the place of a file that was not fetched.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(mapped) => &mapped.map,
            Self::Owned(bytes) => bytes,
        }
    }
}
