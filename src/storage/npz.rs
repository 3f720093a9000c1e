//! Several arrays for numpy: an `.npz` archive, nothing compressed.

use std::io::{Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Members begin on a multiple of this many bytes, so that values can be read in place.
const ALIGNMENT: u16 = 64;

/// Beyond this a member needs the long form of sizes.
const LONG: u64 = u32::MAX as u64;

/// Writes an `.npz` archive of `members`: names without ending, and whole `.npy` files.
///
/// The same members give the same bytes: no time is stored.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn npz(out: impl Write + Seek, members: &[(&str, Vec<u8>)]) -> std::io::Result<()> {
    let mut archive = ZipWriter::new(out);
    for (name, bytes) in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(bytes.len() as u64 >= LONG)
            .with_alignment(ALIGNMENT);
        archive.start_file(format!("{name}.npy"), options)?;
        archive.write_all(bytes)?;
    }
    archive.finish()?.flush()
}
