//! From a path to the arrays behind it, whatever the format.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bytes::{Bytes, read_stream};
use super::entry::Entry;
use super::{natural, npy, npz, safetensors};
use crate::{Error, Result};

/// The endings that a directory is searched for.
const ENDINGS: [&str; 3] = ["npy", "npz", "safetensors"];

/// What a path leads to.
pub(crate) struct Found {
    /// The arrays, in natural order of files, then of names.
    pub entries: Vec<Entry>,
    /// Whether the path named exactly one array: `FILE#NAME`, an npy file, or a stream.
    pub explicit: bool,
}

/// The arrays behind `path`: a directory, a file, `FILE#NAME`, or `-` for standard input.
pub(crate) fn find(path: &Path) -> Result<Found> {
    if path == Path::new("-") {
        return from_reader(&mut io::stdin().lock(), Path::new("stdin"));
    }
    if path.is_dir() {
        let entries = directory(path)?;
        return Ok(Found {
            entries,
            explicit: false,
        });
    }
    if let Some((file, name)) = split_name(path) {
        let mut entries = find(&file)?.entries;
        let names = list(entries.iter().map(|entry| entry.name.as_str()));
        entries.retain(|entry| entry.name == name);
        if entries.is_empty() {
            return Err(Error::NoLayers {
                path: file,
                fact: format!("there is no array {name:?} inside"),
                remedy: format!("choose one of {names}"),
            });
        }
        return Ok(Found {
            entries,
            explicit: true,
        });
    }
    from_bytes(path, Bytes::open(path)?)
}

/// The arrays of a stream that is read to its end.
pub(crate) fn from_reader(reader: &mut dyn Read, name: &Path) -> Result<Found> {
    let content = read_stream(reader).map_err(|source| Error::Read {
        path: name.to_owned(),
        source,
    })?;
    from_bytes(name, Arc::new(Bytes::Owned(content)))
}

/// The one array behind `FILE` or `FILE#NAME`.
///
/// # Errors
/// [`Error::NoLayers`] if there are none or several.
pub(crate) fn single(path: &Path) -> Result<Entry> {
    let mut entries = find(path)?.entries;
    match (entries.pop(), entries.is_empty()) {
        (Some(entry), true) => Ok(entry),
        (None, _) => Err(Error::NoLayers {
            path: path.to_owned(),
            fact: "there are no arrays inside".into(),
            remedy: "give a file that holds one".into(),
        }),
        (Some(last), false) => {
            let names = entries
                .iter()
                .chain([&last])
                .map(|entry| entry.name.as_str());
            Err(Error::NoLayers {
                path: path.to_owned(),
                fact: format!("there are {} arrays inside", entries.len() + 1),
                remedy: format!("choose one as FILE#NAME: {}", list(names)),
            })
        }
    }
}

/// A few of `names`, for a message.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 6;
    let names: Vec<String> = names.map(|name| name.escape_debug().to_string()).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{}, … ({more} more)", names[..SHOWN].join(", ")),
    }
}

/// A name of the system as text that no other name gives: bytes that are no UTF-8 stand as `\xff`.
pub(super) fn text_of(name: &OsStr) -> String {
    let mut text = String::new();
    for part in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(part.valid());
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// `FILE#NAME` in two parts, if no file has the whole as its name.
fn split_name(path: &Path) -> Option<(PathBuf, String)> {
    if path.exists() {
        return None;
    }
    let text = path.to_str()?;
    text.match_indices('#')
        .map(|(at, _)| (PathBuf::from(&text[..at]), text[at + 1..].to_owned()))
        .find(|(file, _)| file.as_path() == Path::new("-") || file.exists())
}

fn from_bytes(path: &Path, bytes: Arc<Bytes>) -> Result<Found> {
    let several = |entries| Found {
        entries,
        explicit: false,
    };
    // The content decides; the ending only where the content says nothing.
    if bytes.starts_with(npz::MAGIC) {
        return npz::entries(path, &bytes).map(several);
    }
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or("");
    match ending {
        _ if bytes.starts_with(npy::MAGIC) => {}
        "json" => return safetensors::sharded(path, &bytes).map(several),
        "npz" => return npz::entries(path, &bytes).map(several),
        "safetensors" => return safetensors::entries(path, &bytes).map(several),
        "npy" => {}
        // A safetensors header is a JSON object behind its length.
        _ if bytes.get(8) == Some(&b'{') => return safetensors::entries(path, &bytes).map(several),
        _ => {
            return Err(Error::Malformed {
                path: path.to_owned(),
                fact: "this is neither npy, npz nor safetensors".into(),
                remedy: "save activations with numpy.save or safetensors (docs/formats.md)".into(),
            });
        }
    }
    let stem = text_of(path.file_stem().unwrap_or_default());
    let entry = npy::entry(path, &stem, &bytes, 0, bytes.len())?;
    Ok(Found {
        entries: vec![entry],
        explicit: true,
    })
}

fn directory(path: &Path) -> Result<Vec<Entry>> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for item in fs::read_dir(path).map_err(failed)? {
        let file = item.map_err(failed)?.path();
        let name = text_of(file.file_name().unwrap_or_default());
        let ending = file.extension().and_then(OsStr::to_str).unwrap_or("");
        if name.starts_with('.') {
            continue;
        } else if file.is_dir() {
            folders.push(name);
        } else if ENDINGS.contains(&ending) {
            files.push((name, file));
        }
    }
    if files.is_empty() {
        folders.sort_by(|a, b| natural::compare(a, b));
        let remedy = match folders.is_empty() {
            true => "dump layers there with numpy.save or safetensors (docs/formats.md)".into(),
            false => format!(
                "choose a folder inside: {}",
                list(folders.iter().map(String::as_str))
            ),
        };
        return Err(Error::NoLayers {
            path: path.to_owned(),
            fact: "there are no .npy, .npz or .safetensors files".into(),
            remedy,
        });
    }
    files.sort_by(|(a, _), (b, _)| natural::compare(a, b));
    let mut entries = Vec::new();
    for (_, file) in files {
        entries.extend(from_bytes(&file, Bytes::open(&file)?)?.entries);
    }
    Ok(entries)
}
