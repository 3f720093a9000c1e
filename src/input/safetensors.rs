//! The safetensors format, single files and sharded ones with an index.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path};
use std::sync::Arc;

use ::safetensors::SafeTensors;
use ::safetensors::tensor::{Dtype as Stored, SafeTensorError};
use serde::Deserialize;

use super::bytes::Bytes;
use super::dtype::Dtype;
use super::entry::{Entry, Item, Place};
use super::natural;
use crate::{Error, Result};

/// The largest index file that is read.
const MAX_INDEX: usize = 100 << 20;

/// Every tensor of a file, in natural order of their names.
///
/// # Errors
/// [`Error::Malformed`] if the header contradicts itself or the size of the file.
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<Vec<Entry>> {
    let (header, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|err| malformed(path, fact(&err)))?;
    let data = header + size_of::<u64>();
    let mut entries: Vec<Entry> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| Entry {
            path: path.to_owned(),
            name,
            item: item(info.dtype),
            swapped: cfg!(target_endian = "big"),
            fortran: false,
            shape: info.shape.clone(),
            trailing: 0,
            void_as_bf16: false,
            place: Place::Plain {
                bytes: Arc::clone(bytes),
                offset: data + info.data_offsets.0,
            },
        })
        .collect();
    entries.sort_by(|a, b| natural::compare(&a.name, &b.name));
    Ok(entries)
}

/// The free text of a file's header: what its writer says about the tensors.
///
/// # Errors
/// [`Error::Malformed`] if the header cannot be read.
pub(crate) fn metadata(path: &Path) -> Result<HashMap<String, String>> {
    let bytes = Bytes::open(path)?;
    let (_, metadata) =
        SafeTensors::read_metadata(&bytes).map_err(|err| malformed(path, fact(&err)))?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Every tensor that an `*.safetensors.index.json` names, in natural order over all shards.
///
/// # Errors
/// [`Error::Malformed`] if the index is no index, names a file elsewhere, or a tensor that its
/// shard does not hold; whatever reading a shard can give.
pub(crate) fn sharded(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>> {
    if bytes.len() > MAX_INDEX {
        return Err(malformed(path, "this is no index (beyond 100 MiB)"));
    }
    let index: Index = serde_json::from_slice(bytes)
        .map_err(|err| malformed(path, format!("this is no safetensors index: {err}")))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut shards: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (tensor, shard) in &index.weight_map {
        shards.entry(shard).or_default().push(tensor);
    }
    let mut entries = Vec::new();
    for (shard, names) in shards {
        let inside = |part| matches!(part, Component::Normal(_));
        if shard.is_empty() || !Path::new(shard).components().all(inside) {
            return Err(malformed(
                path,
                format!("shard {shard:?} lies outside its folder"),
            ));
        }
        let file = folder.join(shard);
        let mut found = self::entries(&file, &Bytes::open(&file)?)?;
        found.retain(|entry| names.contains(&entry.name.as_str()));
        if found.len() < names.len() {
            let lost = names
                .iter()
                .find(|name| found.iter().all(|entry| entry.name != **name));
            let fact = format!(
                "tensor {:?} is not in its shard {shard}",
                lost.unwrap_or(&"")
            );
            return Err(malformed(path, fact));
        }
        entries.append(&mut found);
    }
    entries.sort_by(|a, b| natural::compare(&a.name, &b.name));
    Ok(entries)
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
        other => {
            return Item::Other {
                what: format!("{other} elements"),
                remedy: "convert with .to(torch.float32) before saving",
            };
        }
    })
}
