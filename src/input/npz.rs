//! Reads the npz format: a zip archive of npy files.

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::bytes::Bytes;
use super::entry::{Entry, Place};
use super::item::Item;
use super::order::OwnOrder;
use super::{header, npy, repeated};
use crate::{Error, Result};

/// The first bytes of every zip archive that holds anything.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

/// No deflate stream unpacks to more than this many times its size (zlib's own figure is 1032).
const MAX_RATIO: u64 = 1040;

/// Every array of an archive, in its order.
///
/// Stored members stay where they are; of compressed ones only the header is unpacked.
///
/// # Errors
/// [`Error::Malformed`] if the archive is damaged or promises what cannot be true;
/// [`Error::Unsupported`] for encryption and unusual compression.
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)> {
    let malformed = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "write the archive again with numpy.savez".into(),
    };
    let mut archive = ZipArchive::new(Cursor::new(&bytes[..]))
        .map_err(|err| malformed(format!("this is no readable zip archive: {err}")))?;
    if let Some(name) = repeated::in_archive(&archive, bytes) {
        return Err(malformed(format!("the archive holds {name:?} twice")));
    }
    let mut entries = Vec::new();
    for member in 0..archive.len() {
        let file = archive
            .by_index(member)
            .map_err(|err| malformed(format!("archive member {member} is out of reach: {err}")))?;
        let full_name = String::from_utf8_lossy(file.name_raw()).into_owned();
        if full_name.ends_with('/') {
            continue;
        }
        // numpy reads members with and without the ending.
        let (name, must_be_npy) = match full_name.strip_suffix(".npy") {
            Some(name) => (name, true),
            None => (full_name.as_str(), false),
        };
        let start = file
            .data_start()
            .and_then(|start| usize::try_from(start).ok());
        let size = usize::try_from(file.size()).ok();
        let (Some(start), Some(size)) = (start, size) else {
            return Err(malformed(format!(
                "archive member {full_name:?} has no place or size"
            )));
        };
        if file.compression() == CompressionMethod::Stored {
            if file.compressed_size() != file.size() {
                return Err(malformed(format!(
                    "archive member {full_name:?} has two sizes"
                )));
            }
            let content = bytes.get(start..).unwrap_or_default();
            entries.push(match npy::entry(path, name, bytes, start, size) {
                _ if !must_be_npy && !content.starts_with(header::MAGIC) => {
                    unreadable(path, name, bytes, "bytes that are no npy array")
                }
                Ok(entry) => entry,
                // A member that nobody chooses need not be readable.
                Err(error) => unreadable(path, name, bytes, &error.fact()),
            });
            continue;
        }
        if file.size() > MAX_RATIO * file.compressed_size().min(bytes.len() as u64) {
            return Err(malformed(format!(
                "archive member {full_name:?} claims {size} bytes, more than its data can unpack to"
            )));
        }
        let mut prefix = Vec::new();
        file.take(header::PREFIX as u64)
            .read_to_end(&mut prefix)
            .map_err(|err| {
                malformed(format!(
                    "archive member {full_name:?} does not unpack: {err}"
                ))
            })?;
        let header = match header::parse(&prefix) {
            _ if !must_be_npy && !prefix.starts_with(header::MAGIC) => {
                entries.push(unreadable(path, name, bytes, "bytes that are no npy array"));
                continue;
            }
            Ok(header) => header,
            Err(fact) => {
                entries.push(unreadable(path, name, bytes, &fact));
                continue;
            }
        };
        let promised = header.data_start.checked_add(header.data_size);
        let trailing = promised.and_then(|promised| size.checked_sub(promised));
        let Some(trailing) = trailing else {
            let fact = format!(
                "a header that promises shape {:?}, but unpacks to {size} bytes",
                header.shape
            );
            entries.push(unreadable(path, name, bytes, &fact));
            continue;
        };
        let place = Place::Packed {
            archive: Arc::clone(bytes),
            member,
            size,
        };
        let trailing = if header.item.size().is_some() {
            trailing
        } else {
            0
        };
        entries.push(npy::described(header, path, name, place, trailing));
    }
    Ok((entries, OwnOrder::Perhaps))
}

/// A member that can be named but not read.
fn unreadable(path: &Path, name: &str, bytes: &Arc<Bytes>, fact: &str) -> Entry {
    Entry {
        path: path.to_owned(),
        name: name.to_owned(),
        item: Item::Other {
            what: fact.to_owned(),
            remedy: "write the archive again with numpy.savez",
        },
        swapped: false,
        // As many axes as a layer has: one was meant, so that it is not passed over in silence.
        shape: vec![0, 0],
        strides: vec![0, 0],
        origin: 0,
        trailing: 0,
        void_as_bf16: false,
        lists: Vec::new(),
        place: Place::Plain {
            bytes: Arc::clone(bytes),
            offset: 0,
        },
    }
}
