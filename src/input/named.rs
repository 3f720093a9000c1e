//! Any array of a file by its name, for what is stored beside layers.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::bytes::Bytes;
use super::entry::Entry;
use super::file;
use crate::Result;

/// An array known by its header.
#[derive(Debug, Clone)]
pub struct NamedArray(Entry);

/// The arrays at `path` (a file, or a directory of them), in natural order.
///
/// # Errors
/// As [`Dump::open`](super::Dump::open), about files that cannot be read.
pub fn arrays(path: &Path) -> Result<Vec<NamedArray>> {
    Ok(file::find(path)?
        .entries
        .into_iter()
        .map(NamedArray)
        .collect())
}

impl NamedArray {
    /// File stem, tensor name or archive member.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its axes.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// Its numbers in C order, widened.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) if they are none, or the array is empty;
    /// [`Error::Malformed`](crate::Error::Malformed) if it does not unpack.
    pub fn to_f64(&self) -> Result<Vec<f64>> {
        self.0.dtype()?;
        Ok(self.0.load()?.to_f64().expect("the dtype was checked"))
    }

    /// Its values as they are stored.
    ///
    /// # Errors
    /// As [`NamedArray::to_f64`].
    pub fn stored(&self) -> Result<StoredBytes> {
        let array = self.0.load()?;
        let size = usize::try_from(self.0.bytes()).unwrap_or(usize::MAX);
        Ok(StoredBytes {
            span: array.offset..array.offset.saturating_add(size).min(array.bytes.len()),
            bytes: array.bytes,
        })
    }
}

/// Bytes of a file, kept in reach.
pub struct StoredBytes {
    bytes: Arc<Bytes>,
    span: Range<usize>,
}

impl StoredBytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.span.clone()]
    }
}
