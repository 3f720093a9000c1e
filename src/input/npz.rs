//! The npz format: a zip archive of npy files.

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::bytes::Bytes;
use super::entry::{Entry, Place};
use super::{natural, npy};
use crate::{Error, Result};

/// The first bytes of every zip archive that holds anything.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

/// No deflate stream unpacks to more than this many times its size (zlib's own figure is 1032).
const MAX_RATIO: u64 = 1040;

/// Every array of an archive, in natural order of their names.
///
/// Stored members stay where they are; of compressed ones only the header is unpacked.
///
/// # Errors
/// [`Error::Malformed`] if the archive or a member's header is damaged or promises what cannot be
/// true; [`Error::Unsupported`] for encryption and unusual compression.
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<Vec<Entry>> {
    let malformed = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "write the archive again with numpy.savez".into(),
    };
    let mut archive = ZipArchive::new(Cursor::new(&bytes[..]))
        .map_err(|err| malformed(format!("this is no readable zip archive: {err}")))?;
    let mut entries = Vec::new();
    for member in 0..archive.len() {
        let file = archive
            .by_index(member)
            .map_err(|err| malformed(format!("archive member {member} is out of reach: {err}")))?;
        let full_name = String::from_utf8_lossy(file.name_raw()).into_owned();
        let Some(name) = full_name.strip_suffix(".npy") else {
            if full_name.ends_with("data.pkl") {
                return Err(Error::Unsupported {
                    path: path.to_owned(),
                    name: "the archive".into(),
                    fact: "a PyTorch pickle inside (never loaded)".into(),
                    remedy: "save tensors with safetensors.torch.save_file".into(),
                });
            }
            continue;
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
            entries.push(npy::entry(path, name, bytes, start, size)?);
            continue;
        }
        if file.size() > MAX_RATIO * file.compressed_size().min(bytes.len() as u64) {
            return Err(malformed(format!(
                "archive member {full_name:?} claims {size} bytes, more than its data can unpack to"
            )));
        }
        let mut prefix = Vec::new();
        file.take(npy::PREFIX as u64)
            .read_to_end(&mut prefix)
            .map_err(|err| {
                malformed(format!(
                    "archive member {full_name:?} does not unpack: {err}"
                ))
            })?;
        let header = npy::parse(&prefix)
            .map_err(|fact| malformed(format!("archive member {full_name:?}: {fact}")))?;
        let promised = header.data_start.checked_add(header.data_size);
        let trailing = promised.and_then(|promised| size.checked_sub(promised));
        let Some(trailing) = trailing else {
            return Err(malformed(format!(
                "archive member {full_name:?} promises shape {:?} but unpacks to {size} bytes",
                header.shape
            )));
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
        entries.push(header.into_entry(path, name, place, trailing));
    }
    entries.sort_by(|a, b| natural::compare(&a.name, &b.name));
    Ok(entries)
}
