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
    for at in 0..archive.len() {
        let file = archive
            .by_index(at)
            .map_err(|err| malformed(format!("archive member {at} is out of reach: {err}")))?;
        let full_name = String::from_utf8_lossy(file.name_raw()).into_owned();
        if full_name.ends_with('/') {
            continue;
        }
        let start = file
            .data_start()
            .and_then(|start| usize::try_from(start).ok());
        let size = usize::try_from(file.size()).ok();
        let (Some(start), Some(size)) = (start, size) else {
            return Err(malformed(format!(
                "archive member {full_name:?} has no place or size"
            )));
        };
        let is_stored = file.compression() == CompressionMethod::Stored;
        let member = Member {
            path,
            bytes,
            at,
            full_name: &full_name,
            size,
            packed_size: file.compressed_size(),
        };
        let entry = match is_stored {
            true => member.stored(start),
            false => member.packed(file),
        };
        entries.push(entry.map_err(malformed)?);
    }
    Ok((entries, OwnOrder::Perhaps))
}

/// A member of an archive; what fails here is the whole archive's fault.
struct Member<'a> {
    path: &'a Path,
    bytes: &'a Arc<Bytes>,
    at: usize,
    full_name: &'a str,
    size: usize,
    packed_size: u64,
}

impl Member<'_> {
    /// numpy reads members with and without the ending.
    fn name(&self) -> &str {
        self.full_name
            .strip_suffix(".npy")
            .unwrap_or(self.full_name)
    }

    /// Whether these first bytes are of no array, and nobody said that they are.
    fn is_other(&self, first: &[u8]) -> bool {
        !self.full_name.ends_with(".npy") && !first.starts_with(header::MAGIC)
    }

    /// A member that lies in the archive as it is.
    fn stored(&self, start: usize) -> std::result::Result<Entry, String> {
        if self.packed_size != self.size as u64 {
            return Err(format!("archive member {:?} has two sizes", self.full_name));
        }
        if self.is_other(self.bytes.get(start..).unwrap_or_default()) {
            return Ok(self.unreadable("bytes that are no npy array"));
        }
        let entry = npy::entry(self.path, self.name(), self.bytes, start, self.size);
        // A member that nobody chooses need not be readable.
        Ok(entry.unwrap_or_else(|error| self.unreadable(&error.fact())))
    }

    /// A compressed member, of which `file` unpacks the header.
    fn packed(&self, file: impl Read) -> std::result::Result<Entry, String> {
        let (full_name, size) = (self.full_name, self.size);
        if size as u64 > MAX_RATIO * self.packed_size.min(self.bytes.len() as u64) {
            return Err(format!(
                "archive member {full_name:?} claims {size} bytes, more than its data can unpack to"
            ));
        }
        let mut prefix = Vec::new();
        file.take(header::PREFIX as u64)
            .read_to_end(&mut prefix)
            .map_err(|err| format!("archive member {full_name:?} does not unpack: {err}"))?;
        if self.is_other(&prefix) {
            return Ok(self.unreadable("bytes that are no npy array"));
        }
        let header = match header::parse(&prefix) {
            Ok(header) => header,
            Err(fact) => return Ok(self.unreadable(&fact)),
        };
        let promised = header.data_start.checked_add(header.data_size);
        let trailing = promised.and_then(|promised| size.checked_sub(promised));
        let Some(trailing) = trailing else {
            return Ok(self.unreadable(&format!(
                "a header that promises shape {:?}, but unpacks to {size} bytes",
                header.shape
            )));
        };
        let place = Place::Packed {
            archive: Arc::clone(self.bytes),
            member: self.at,
            size,
        };
        let trailing = match header.item.size() {
            Some(_) => trailing,
            None => 0,
        };
        Ok(npy::described(
            header,
            self.path,
            self.name(),
            place,
            trailing,
        ))
    }

    /// A member that can be named but not read.
    fn unreadable(&self, fact: &str) -> Entry {
        unreadable(self.path, self.name(), self.bytes, fact)
    }
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
