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

/// The ending of a file in lower case, without its point.
pub(crate) fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_ascii_lowercase()
}

/// The name of a file without its folder and ending.
///
/// A pipe that the shell opened, as `<(command)` does, has a number for a name: it is called `pipe_63`.
pub(crate) fn stem(path: &Path) -> String {
    let stem = text_of(path.file_stem().unwrap_or_default());
    match is_open_pipe(path) {
        true => format!("pipe_{stem}"),
        false => stem,
    }
}

/// Whether `path` is a descriptor that somebody opened for this process.
pub fn is_open_pipe(path: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"]
        .iter()
        .any(|folder| path.parent() == Some(Path::new(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_of_the_shell_is_no_bare_number() {
        assert_eq!(stem(Path::new("/dev/fd/63")), "pipe_63");
        assert_eq!(stem(Path::new("/proc/self/fd/12")), "pipe_12");
        assert_eq!(stem(Path::new("acts/63")), "63");
        assert_eq!(stem(Path::new("/dev/fd/more/layer_3.npy")), "layer_3");
    }
}
