//! The register of formats: how a file is recognised, and what reads its arrays.

use std::path::Path;
use std::sync::Arc;

use super::bytes::Bytes;
use super::conversion::conversion;
use super::entry::Entry;
#[cfg(feature = "hdf5")]
use super::hdf5;
use super::name::ending;
use super::order::OwnOrder;
use super::{header, npy, npz, safetensors, torch};
use crate::{Error, Result};

/// Lists the arrays of a file in its own order, and what that order is worth.
type ReadEntries = fn(&Path, &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)>;

/// A format of files that hold arrays.
pub(crate) struct Format {
    /// What messages call it.
    pub name: &'static str,
    /// The endings of its files, without their point.
    pub endings: &'static [&'static str],
    /// Whether the first bytes of a file show this format, whatever its ending.
    pub recognises: fn(&[u8]) -> bool,
    /// The arrays of a file in its own order, and what that order is worth.
    pub entries: ReadEntries,
    /// Whether a folder is searched for such files.
    pub in_folders: bool,
    /// Whether such a file is one array, named by the file.
    pub single: bool,
}

/// Every format, in the order in which contents are compared.
pub(crate) const FORMATS: &[Format] = &[
    #[cfg(feature = "hdf5")]
    Format {
        name: "HDF5",
        endings: &["h5", "hdf5"],
        recognises: |bytes| bytes.starts_with(hdf5::MAGIC),
        entries: hdf5::entries,
        in_folders: true,
        single: false,
    },
    Format {
        name: "torch",
        endings: &["pt", "pth"],
        recognises: torch::recognises,
        entries: torch::entries,
        in_folders: true,
        single: false,
    },
    Format {
        name: "npz",
        endings: &["npz"],
        recognises: |bytes| bytes.starts_with(npz::MAGIC),
        entries: npz::entries,
        in_folders: true,
        single: false,
    },
    Format {
        name: "npy",
        endings: &["npy"],
        recognises: |bytes| bytes.starts_with(header::MAGIC),
        entries: npy::entries,
        in_folders: true,
        single: true,
    },
    Format {
        name: "sharded index",
        endings: &["json"],
        recognises: |_| false,
        entries: safetensors::sharded,
        in_folders: false,
        single: false,
    },
    Format {
        name: "safetensors",
        endings: &["safetensors"],
        // The header is a JSON object behind its length.
        recognises: |bytes| bytes.get(8) == Some(&b'{'),
        entries: safetensors::entries,
        in_folders: true,
        single: false,
    },
];

/// The endings of files that a folder is searched for, as in `.npy, .npz`.
pub fn endings() -> String {
    let all = FORMATS.iter().filter(|format| format.in_folders);
    let all: Vec<String> = all
        .flat_map(|format| format.endings)
        .map(|ending| format!(".{ending}"))
        .collect();
    all.join(", ")
}

/// Whether a folder is searched for files of this name.
pub(crate) fn is_searched_for(path: &Path) -> bool {
    let ending = ending(path);
    let mut all = FORMATS.iter().filter(|format| format.in_folders);
    all.any(|format| format.endings.contains(&ending.as_str()))
}

/// Whether a file by its name tells of a dump, shows it or made it, and holds no arrays.
pub(crate) fn is_about_it(path: &Path) -> bool {
    const ENDINGS: [&str; 23] = [
        "md", "rst", "txt", "csv", "tsv", "json", "jsonl", "yaml", "yml", "toml", "ini", "cfg",
        "log", "py", "ipynb", "sh", "png", "jpg", "svg", "pdf", "html", "xml", "out",
    ];
    let ending = ending(path);
    let bare = ["LICENSE", "README", "Makefile"].map(std::ffi::OsStr::new);
    ENDINGS.contains(&ending.as_str()) || path.file_name().is_some_and(|name| bare.contains(&name))
}

/// The format of a file: its content decides, and its ending only where that says nothing.
///
/// # Errors
/// [`Error::Malformed`], with the line of Python that converts what the ending promises.
pub(crate) fn of(path: &Path, bytes: &[u8]) -> Result<&'static Format> {
    let ending = ending(path);
    let by_ending = || {
        let named = |format: &&Format| format.endings.contains(&ending.as_str());
        FORMATS.iter().find(named)
    };
    // An eighth byte may be a brace by chance, so that a known ending goes before it.
    let sure = FORMATS
        .iter()
        .filter(|format| format.name != "safetensors")
        .find(|format| (format.recognises)(bytes));
    // What torch wrote before it wrote archives has its ending, too.
    if bytes.starts_with(OLD_TORCH) {
        return Err(unknown(path, bytes));
    }
    sure.or_else(by_ending)
        .or_else(|| FORMATS.iter().find(|format| (format.recognises)(bytes)))
        .ok_or_else(|| unknown(path, bytes))
}

/// Whether a file holds arrays and no text, by its content or else its ending.
pub(crate) fn is_array(path: &Path, bytes: &[u8]) -> bool {
    of(path, bytes).is_ok_and(|format| format.in_folders)
}

/// How files of `torch.save` began before they were archives.
const OLD_TORCH: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

fn unknown(path: &Path, bytes: &[u8]) -> Error {
    if bytes.starts_with(OLD_TORCH) {
        let remedy = "save it again in Python: torch.save(torch.load(path), path)";
        return Error::Malformed {
            path: path.to_owned(),
            fact: "this is the format of torch before 1.6 (a pickle, never run)".into(),
            remedy: remedy.into(),
        };
    }
    let remedy = conversion(path).unwrap_or_else(|| {
        "save activations with numpy.save or safetensors (docs/formats.md)".into()
    });
    refuse(path, remedy)
}

fn refuse(path: &Path, remedy: String) -> Error {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    Error::Malformed {
        path: path.to_owned(),
        fact: format!("this is none of {}", names.join(", ")),
        remedy,
    }
}
