//! Spells names of the system as text.

use std::ffi::OsStr;
use std::path::Path;

/// A name of the system as text that no other name gives: bytes that are no UTF-8 stand as `\xff`.
pub(crate) fn text_of(name: &OsStr) -> String {
    let mut text = String::new();
    for part in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(part.valid());
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// The name of a file without its folder and ending.
pub(crate) fn stem(path: &Path) -> String {
    text_of(path.file_stem().unwrap_or_default())
}
