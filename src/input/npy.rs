//! Reads the npy format: one array, its header before its values.

use std::path::Path;
use std::sync::Arc;

use super::bytes::Bytes;
use super::entry::{Entry, Place};
use super::header::{self, Header};
use super::item::dense_strides;
use super::name;
use super::order::OwnOrder;
use crate::{Error, Result};

/// The one array of an npy file, called by the file.
///
/// # Errors
/// As [`entry`].
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)> {
    let entry = entry(path, &name::stem(path), bytes, 0, bytes.len())?;
    Ok((vec![entry], OwnOrder::None))
}

/// The array in an npy file that starts at `offset` of `bytes` and may be `size` bytes long.
///
/// # Errors
/// [`Error::Malformed`] if the header is none, or promises more than `size` bytes.
pub(crate) fn entry(
    path: &Path,
    name: &str,
    bytes: &Arc<Bytes>,
    offset: usize,
    size: usize,
) -> Result<Entry> {
    let malformed = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "write the array again with numpy.save".into(),
    };
    let content = offset
        .checked_add(size)
        .and_then(|end| bytes.get(offset..end))
        .ok_or_else(|| malformed(format!("array {name:?} reaches past the end of the file")))?;
    let header = header::parse(content).map_err(malformed)?;
    let available = size - header.data_start;
    let trailing = available.checked_sub(header.data_size).ok_or_else(|| {
        malformed(format!(
            "the header promises {} bytes of data (shape {:?}) but {available} follow",
            header.data_size, header.shape
        ))
    })?;
    let place = Place::Plain {
        bytes: Arc::clone(bytes),
        offset: offset + header.data_start,
    };
    let after = size - trailing;
    if header.item.size().is_some() && content[after..].starts_with(header::MAGIC) {
        return Err(Error::Malformed {
            path: path.to_owned(),
            fact: format!(
                "another array follows the first, {trailing} bytes before the end: numpy.save wrote \
                 several into one file"
            ),
            remedy: "read them one after the other with numpy.load(file) and write them with \
                     numpy.savez"
                .into(),
        });
    }
    // The payload of a refused type (a pickle, say) has no known size.
    let known = header.item.size().is_some();
    Ok(described(
        header,
        path,
        name,
        place,
        if known { trailing } else { 0 },
    ))
}

/// The array that a header describes.
pub(crate) fn described(
    header: Header,
    path: &Path,
    name: &str,
    place: Place,
    trailing: usize,
) -> Entry {
    Entry {
        path: path.to_owned(),
        name: name.to_owned(),
        item: header.item,
        swapped: header.swapped,
        strides: dense_strides(&header.shape, header.fortran),
        shape: header.shape,
        origin: 0,
        trailing,
        void_as_bf16: header.void_as_bf16,
        lists: Vec::new(),
        place,
    }
}
