//! Reads the safetensors format: single files and sharded ones with an index.

use std::collections::{HashMap, hash_map};
use std::path::{Component, Path};
use std::sync::Arc;

use ::safetensors::SafeTensors;
use ::safetensors::tensor::{Dtype as Stored, SafeTensorError};
use serde::Deserialize;

use super::bytes::Bytes;
use super::conversion::conversion;
use super::dtype::Dtype;
use super::entry::{Entry, Place};
use super::item::{Item, dense_strides};
use super::natural;
use super::order::OwnOrder;
use super::repeated;
use crate::{Error, Result};

/// The largest index file that is read.
const MAX_INDEX: usize = 100 << 20;

/// Every tensor of a file: in the order that its metadata say under `order`, a JSON list of names,
/// or in natural order of their names.
///
/// # Errors
/// [`Error::Malformed`] if the header contradicts itself or the size of the file, or the list does
/// not name each tensor once.
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)> {
    let (header, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|err| malformed(path, fact(&err)))?;
    let data = header + size_of::<u64>();
    no_name_twice(
        path,
        "the header",
        bytes.get(size_of::<u64>()..data).unwrap_or_default(),
    )?;
    let mut entries: Vec<Entry> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| Entry {
            path: path.to_owned(),
            name,
            item: item(info.dtype),
            swapped: cfg!(target_endian = "big"),
            strides: dense_strides(&info.shape, false),
            shape: info.shape.clone(),
            origin: 0,
            trailing: 0,
            void_as_bf16: false,
            lists: Vec::new(),
            place: Place::Plain {
                bytes: Arc::clone(bytes),
                offset: data + info.data_offsets.0,
            },
        })
        .collect();
    entries.sort_by(|a, b| natural::compare(&a.name, &b.name));
    let said = metadata
        .metadata()
        .as_ref()
        .and_then(|all| all.get("order"));
    match said {
        None => Ok((entries, OwnOrder::None)),
        Some(list) => Ok((ordered(path, entries, list)?, OwnOrder::Said)),
    }
}

/// Puts tensors into the order of `list`, the text of a JSON list of their names.
fn ordered(path: &Path, entries: Vec<Entry>, list: &str) -> Result<Vec<Entry>> {
    let refused = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "its metadata `order` must be a JSON list with the name of each tensor".into(),
    };
    let names: Vec<String> = serde_json::from_str(list)
        .map_err(|_| refused("the order in its metadata is no JSON list of names".into()))?;
    let mut left: HashMap<String, Entry> = entries
        .into_iter()
        .map(|entry| (entry.name.clone(), entry))
        .collect();
    let take = |name: &String| {
        let fact = || {
            refused(format!(
                "the order names {name:?}, which is not there or stands twice"
            ))
        };
        left.remove(name).ok_or_else(fact)
    };
    let ordered: Vec<Entry> = names.iter().map(take).collect::<Result<_>>()?;
    match left.keys().min() {
        None => Ok(ordered),
        Some(lost) => Err(refused(format!("the order does not name {lost:?}"))),
    }
}

/// The free text of a file's header: what its writer says about the tensors.
///
/// # Errors
/// [`Error::Malformed`] if the header cannot be read.
pub(crate) fn metadata(path: &Path, bytes: &[u8]) -> Result<HashMap<String, String>> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|err| malformed(path, fact(&err)))?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

#[derive(Deserialize)]
struct Index {
    weight_map: serde_json::Map<String, serde_json::Value>,
}

/// The error for JSON that is no index: an index that is broken, or values as text.
fn no_index(path: &Path, error: &serde_json::Error) -> Error {
    let fact = format!("this is no safetensors index: {error}");
    let is_called_one = path.to_string_lossy().ends_with(".index.json");
    match conversion(path).filter(|_| !is_called_one) {
        None => malformed(path, fact),
        Some(remedy) => Error::Malformed {
            path: path.to_owned(),
            fact,
            remedy,
        },
    }
}

/// Every tensor that an `*.safetensors.index.json` names, in its order.
///
/// # Errors
/// [`Error::Malformed`] if the index is no index, names a file elsewhere, or a tensor that its
/// shard does not hold; whatever reading a shard can give.
pub(crate) fn sharded(path: &Path, bytes: &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)> {
    if bytes.len() > MAX_INDEX {
        return Err(malformed(path, "this is no index (beyond 100 MiB)"));
    }
    let index: Index = serde_json::from_slice(bytes).map_err(|err| no_index(path, &err))?;
    no_name_twice(path, "the index", bytes)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut shards: HashMap<&str, HashMap<String, Entry>> = HashMap::new();
    let mut entries = Vec::new();
    for (tensor, shard) in &index.weight_map {
        let inside = |part| matches!(part, Component::Normal(_));
        let Some(shard) = shard.as_str() else {
            return Err(malformed(path, format!("tensor {tensor:?} has no shard")));
        };
        if shard.is_empty() || !Path::new(shard).components().all(inside) {
            return Err(malformed(
                path,
                format!("shard {shard:?} lies outside its folder"),
            ));
        }
        let held = match shards.entry(shard) {
            hash_map::Entry::Occupied(held) => held.into_mut(),
            hash_map::Entry::Vacant(slot) => {
                let file = folder.join(shard);
                let (found, _) = self::entries(&file, &Bytes::open(&file)?)?;
                let named = found.into_iter().map(|entry| (entry.name.clone(), entry));
                slot.insert(named.collect())
            }
        };
        let Some(entry) = held.remove(tensor) else {
            let fact = format!("tensor {tensor:?} is not in its shard {shard}");
            return Err(malformed(path, fact));
        };
        entries.push(entry);
    }
    Ok((entries, OwnOrder::Perhaps))
}

/// Fails where a name stands twice, so that one of two tensors would be taken without a word.
fn no_name_twice(path: &Path, what: &str, text: &[u8]) -> Result<()> {
    match repeated::in_json(text) {
        None => Ok(()),
        Some(name) => Err(malformed(path, format!("{what} names {name:?} twice"))),
    }
}

fn malformed(path: &Path, fact: impl Into<String>) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        fact: fact.into(),
        remedy: "copy or write the file again with safetensors' save_file".into(),
    }
}

fn fact(err: &SafeTensorError) -> String {
    match err {
        SafeTensorError::HeaderTooSmall => "the file ends before its header".into(),
        SafeTensorError::HeaderTooLarge => "the header claims to be beyond 100 MB".into(),
        SafeTensorError::InvalidHeaderLength => {
            "the header reaches past the end of the file".into()
        }
        SafeTensorError::InvalidOffset(name) => {
            format!("tensor {name:?} overlaps another or leaves a gap before it")
        }
        SafeTensorError::TensorInvalidInfo => {
            "a tensor's shape and dtype do not fit its number of bytes".into()
        }
        SafeTensorError::MetadataIncompleteBuffer => {
            "the tensors do not end where the file ends (cut off, or something appended)".into()
        }
        SafeTensorError::InvalidHeaderDeserialization(json) => {
            // serde lists every dtype it knows; what it met comes first.
            let text = json.to_string();
            let short = text.split(", expected one of").next().unwrap_or(&text);
            let short = short.replace("recursion limit exceeded", "values nested over 127 deep");
            format!("the header cannot be read: {short}").replace('\n', " ")
        }
        other => other.to_string().replace('\n', " "),
    }
}

fn item(dtype: Stored) -> Item {
    Item::Number(match dtype {
        Stored::BOOL => Dtype::Bool,
        Stored::U8 => Dtype::U8,
        Stored::I8 => Dtype::I8,
        Stored::I16 => Dtype::I16,
        Stored::U16 => Dtype::U16,
        Stored::F16 => Dtype::F16,
        Stored::BF16 => Dtype::Bf16,
        Stored::I32 => Dtype::I32,
        Stored::U32 => Dtype::U32,
        Stored::F32 => Dtype::F32,
        Stored::F64 => Dtype::F64,
        Stored::I64 => Dtype::I64,
        Stored::U64 => Dtype::U64,
        Stored::F8_E4M3 => Dtype::F8E4m3,
        Stored::F8_E5M2 => Dtype::F8E5m2,
        other => {
            return Item::Other {
                what: format!("{other} elements"),
                remedy: "convert with .to(torch.float32) before saving",
            };
        }
    })
}
