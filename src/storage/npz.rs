//! Writes several arrays for numpy: an `.npz` archive, nothing compressed, nothing held back.

use std::io::{self, Seek, SeekFrom, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::npy::{Element, npy_header};

/// Members begin on a multiple of this many bytes, so that values can be read in place.
const ALIGNMENT: u16 = 64;

/// Beyond this a member needs the long form of sizes.
const LONG: u64 = u32::MAX as u64;

/// Bytes of values that are held before they are written.
const PIECE: usize = 1 << 16;

/// An `.npz` archive in the making. The same arrays give the same bytes: no time is stored.
pub struct NpzWriter<W: Write + Seek> {
    archive: ZipWriter<OneError<W>>,
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An archive without arrays.
    pub fn new(out: W) -> Self {
        Self {
            archive: ZipWriter::new(OneError { out, failed: false }),
        }
    }

    /// Adds the array `name` of `shape` with `values`, row after row; `see` is shown their bytes.
    ///
    /// # Errors
    /// Whatever writing gives, and `InvalidInput` unless the shape holds as many values.
    pub fn array<T: Element>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl IntoIterator<Item = T>,
        mut see: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let header = npy_header::<T>(shape);
        let mut left = (shape.iter().product::<usize>() * size_of::<T>()) as u64;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(header.len() as u64 + left >= LONG)
            .with_alignment(ALIGNMENT);
        self.archive.start_file(format!("{name}.npy"), options)?;
        self.archive.write_all(&header)?;
        let unfit = || io::Error::new(io::ErrorKind::InvalidInput, "a shape holds its values");
        let mut piece = Vec::with_capacity(PIECE + size_of::<T>());
        let mut put = |piece: &mut Vec<u8>| -> io::Result<()> {
            left = left.checked_sub(piece.len() as u64).ok_or_else(unfit)?;
            see(piece);
            self.archive.write_all(piece)?;
            piece.clear();
            Ok(())
        };
        for value in values {
            value.put(&mut piece);
            if piece.len() >= PIECE {
                put(&mut piece)?;
            }
        }
        put(&mut piece)?;
        if left == 0 { Ok(()) } else { Err(unfit()) }
    }

    /// Writes what an archive ends with.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn finish(self) -> io::Result<()> {
        self.archive.finish()?.out.flush()
    }
}

/// Reports the first error and then none: the archive writer tries to end what has failed already,
/// and would tell the terminal about it.
struct OneError<W> {
    out: W,
    failed: bool,
}

impl<W> OneError<W> {
    fn once<T>(&mut self, quiet: T, act: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.failed {
            return Ok(quiet);
        }
        act(&mut self.out).inspect_err(|_| self.failed = true)
    }
}

impl<W: Write> Write for OneError<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.once(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.once((), Write::flush)
    }
}

impl<W: Seek> Seek for OneError<W> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.once(0, |out| out.seek(place))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_shape_that_does_not_hold_its_values_is_refused() {
        for count in [5u8, 7] {
            let mut bytes = Cursor::new(Vec::new());
            let mut archive = NpzWriter::new(&mut bytes);
            let made = archive.array("a", &[2, 3], 0..count, |_| ());
            assert_eq!(made.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn what_is_shown_is_what_is_written() {
        let mut bytes = Cursor::new(Vec::new());
        let mut seen = Vec::new();
        let mut archive = NpzWriter::new(&mut bytes);
        let values = (0..20_000).map(f64::from);
        archive
            .array("x", &[20_000], values, |piece| {
                seen.extend_from_slice(piece)
            })
            .unwrap();
        archive.finish().unwrap();
        assert_eq!(seen.len(), 160_000);
        let found = bytes.into_inner();
        assert!(found.windows(64).any(|span| span == &seen[800..864]));
    }

    #[test]
    fn a_full_disk_is_one_error() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self
                    .0
                    .checked_sub(bytes.len())
                    .ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl Seek for Full {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Ok(0)
            }
        }
        let mut archive = NpzWriter::new(Full(1000));
        let made = archive.array("x", &[10_000], (0..10_000).map(f64::from), |_| ());
        assert_eq!(made.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(archive.archive.is_writing_file());
    }
}
