//! The bytes of a file: mapped where possible, read where not.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::{Error, Result};

/// The whole content of a file or stream.
#[derive(Debug)]
pub enum Bytes {
    /// A read-only memory map; pages are loaded when they are touched.
    Mapped(Mmap),
    /// Bytes in memory: a pipe, an unpacked archive member, an empty file.
    Owned(Vec<u8>),
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
        let bytes = if metadata.is_file() && metadata.len() > 0 {
            // SAFETY: the map is read-only and every value read from it is valid for any bit
            // pattern. A file that another program shortens meanwhile ends the run (SIGBUS);
            // docs/formats.md asks users not to rewrite a dump while it is read.
            #[allow(unsafe_code)]
            let map = unsafe { Mmap::map(&file) };
            Self::Mapped(map.map_err(failed)?)
        } else {
            let mut content = Vec::new();
            file.read_to_end(&mut content).map_err(failed)?;
            Self::Owned(content)
        };
        Ok(Arc::new(bytes))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}
