//! Finds the arrays behind a path, whatever the format.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bytes::{Bytes, read_stdin, read_stream};
use super::conversion::conversion;
use super::entry::Entry;
use super::order::{OwnOrder, natural_places};
use super::raw::Raw;
use super::{formats, name, natural};
use crate::{Error, Result};

/// What a path leads to.
pub(crate) struct Found {
    /// The arrays: files in natural order, and in each its own.
    pub entries: Vec<Entry>,
    /// The other arrays of the file of an array that was named.
    pub beside: Vec<Entry>,
    /// Whether the path named exactly one array: `FILE#NAME`, or a file that is one.
    pub explicit: bool,
    /// What the order of the arrays is worth.
    pub order: OwnOrder,
    /// Files and folders that hold no arrays, with the reason.
    pub passed_over: Vec<(String, String)>,
}

impl Found {
    /// The arrays in natural order of their names.
    pub(crate) fn sorted(self) -> Vec<Entry> {
        let names: Vec<&str> = self
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        let places = natural_places(&names);
        let mut entries: Vec<Option<Entry>> = self.entries.into_iter().map(Some).collect();
        places
            .into_iter()
            .filter_map(|at| entries[at].take())
            .collect()
    }
}

/// The arrays behind `path`: a directory, a file, `FILE#NAME`, or `-` for standard input.
pub(crate) fn find(path: &Path) -> Result<Found> {
    if path == Path::new("-") {
        return from_bytes(Path::new("stdin"), Arc::new(Bytes::Owned(read_stdin()?)));
    }
    if path.is_dir() {
        return directory(path, list_folder(path)?);
    }
    if let Some(raw) = Raw::parse(path) {
        return Ok(Found {
            entries: vec![raw.entry()?],
            beside: Vec::new(),
            explicit: true,
            order: OwnOrder::None,
            passed_over: Vec::new(),
        });
    }
    if let Some(error) = Raw::misspelt(path) {
        return Err(error);
    }
    if let Some((file, name)) = split_name(path) {
        let all = find(&file)?.entries;
        let names = list(all.iter().map(|entry| entry.name.as_str()));
        let is_named = |entry: &Entry| entry.name == name;
        let (entries, beside): (Vec<Entry>, Vec<Entry>) = all.into_iter().partition(is_named);
        if entries.is_empty() {
            return Err(Error::NoLayers {
                path: file,
                fact: format!("there is no array {name:?} inside"),
                remedy: format!("choose one of {names}"),
            });
        }
        return Ok(Found {
            entries,
            beside,
            explicit: true,
            order: OwnOrder::None,
            passed_over: Vec::new(),
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
    only(path, find(path)?.entries)
}

/// The one array in the content of a file.
///
/// # Errors
/// As [`single`].
pub(crate) fn single_of(path: &Path, bytes: Arc<Bytes>) -> Result<Entry> {
    only(path, from_bytes(path, bytes)?.entries)
}

fn only(path: &Path, mut entries: Vec<Entry>) -> Result<Entry> {
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
    let names: Vec<String> = names.map(|name| name.escape_debug().to_string()).collect();
    list_as_it_is(names.iter().map(String::as_str))
}

/// The same for texts that are safe to show.
pub(crate) fn list_as_it_is<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 6;
    let names: Vec<&str> = names.collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{}, … ({more} more)", names[..SHOWN].join(", ")),
    }
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
    let format = formats::of(path, &bytes)?;
    let (entries, order) = (format.entries)(path, &bytes)?;
    Ok(Found {
        entries,
        beside: Vec::new(),
        explicit: format.single,
        order,
        passed_over: Vec::new(),
    })
}

/// What lies in a folder, by name: files that may hold arrays, folders, and the rest with the reason why
/// it is passed over.
pub(super) struct Listing {
    pub files: Vec<(String, PathBuf)>,
    pub folders: Vec<(String, PathBuf)>,
    pub others: Vec<(String, String)>,
}

/// Lists a folder in natural order.
///
/// # Errors
/// [`Error::Read`].
pub(super) fn list_folder(path: &Path) -> Result<Listing> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let (mut files, mut folders, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for item in fs::read_dir(path).map_err(failed)? {
        let file = item.map_err(failed)?.path();
        let name = name::text_of(file.file_name().unwrap_or_default());
        if name.starts_with('.') {
            continue;
        } else if file.is_dir() {
            folders.push((name, file));
        } else if !formats::is_searched_for(&file) && formats::is_about_it(&file) {
            continue;
        } else if !formats::is_searched_for(&file) {
            others.push((name, "no arrays by its ending".to_owned()));
        } else if file.is_file() || !file.exists() {
            files.push((name, file));
        } else {
            others.push((name, "no regular file".to_owned()));
        }
    }
    files.sort_by(|(a, _), (b, _)| natural::compare(a, b));
    folders.sort_by(|(a, _), (b, _)| natural::compare(a, b));
    Ok(Listing {
        files,
        folders,
        others,
    })
}

/// The arrays of the files of a folder.
pub(super) fn directory(path: &Path, listing: Listing) -> Result<Found> {
    let Listing {
        files,
        folders,
        mut others,
    } = listing;
    if files.is_empty() {
        let is_zarr = ["zarr.json", ".zgroup", ".zarray"]
            .iter()
            .any(|name| path.join(name).is_file());
        let remedy = match folders.is_empty() {
            _ if is_zarr => conversion(Path::new("x.zarr")).unwrap_or_default(),
            true => others
                .iter()
                .find_map(|(name, _)| conversion(Path::new(name)))
                .unwrap_or_else(|| {
                    "dump layers there with numpy.save or safetensors (docs/formats.md)".into()
                }),
            false => format!(
                "choose a folder inside: {}",
                list(folders.iter().map(|(name, _)| name.as_str()))
            ),
        };
        return Err(Error::NoLayers {
            path: path.to_owned(),
            fact: format!("there are no {} files", formats::endings()),
            remedy,
        });
    }
    others.extend(
        folders
            .into_iter()
            .map(|(name, _)| (name, "a folder".to_owned())),
    );
    others.sort_by(|(a, _), (b, _)| natural::compare(a, b));
    let mut entries = Vec::new();
    let mut order = OwnOrder::None;
    let alone = files.len() == 1;
    for (_, file) in files {
        let found = from_bytes(&file, Bytes::open(&file)?)?;
        if alone {
            order = found.order;
        }
        entries.extend(found.entries);
    }
    Ok(Found {
        entries,
        beside: Vec::new(),
        explicit: false,
        order,
        passed_over: others,
    })
}
