//! Opens an HDF5 file whose bytes are in reach, and reads one dataset.

use std::path::Path;
use std::sync::Arc;

use hdf5_reader::{Hdf5File, OpenOptions};

use super::bytes::Bytes;
use crate::{Error, Result};

/// The bytes of a file, lent to its reader.
struct Lent(Arc<Bytes>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The values of a dataset, in its own byte order and C order.
///
/// # Errors
/// [`Error::Malformed`] if it does not unpack.
pub(crate) fn values(path: &Path, bytes: &Arc<Bytes>, name: &str) -> Result<Vec<u8>> {
    let wrong =
        |error: hdf5_reader::error::Error| malformed(path, format!("dataset {name:?}: {error}"));
    let file = open(path, bytes)?;
    let dataset = file.dataset(name).map_err(wrong)?;
    dataset.read_raw_bytes().map_err(wrong)
}

/// The file, ready to list.
///
/// # Errors
/// [`Error::Malformed`].
pub(crate) fn open(path: &Path, bytes: &Arc<Bytes>) -> Result<Hdf5File> {
    // What unpacks beyond the memory there is must be an error, not an abort.
    let most = crate::memory::machine_memory().and_then(|most| usize::try_from(most).ok());
    let mut options = OpenOptions::default();
    if let Some(most) = most {
        options = options.with_max_read_bytes(most);
    }
    Hdf5File::from_owner(Lent(Arc::clone(bytes)), options)
        .map_err(|error| malformed(path, error.to_string()))
}

/// The error of a damaged file.
pub(crate) fn malformed(path: &Path, fact: String) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "write it again with h5py".into(),
    }
}
