//! Reads the datasets of an HDF5 file, one by one and when they are needed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use hdf5_reader::error::ByteOrder;
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Datatype};

use super::bytes::Bytes;
use super::dtype::Dtype;
use super::entry::{Entry, Place};
use super::hdf5_values::{malformed, open};
use super::item::{Item, dense_strides};
use super::order::OwnOrder;
use crate::Result;

/// The first bytes of every file without a user block.
pub(crate) const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";
/// How deep groups may be nested, and how many datasets are listed.
const MAX_DEPTH: usize = 32;
const MAX_DATASETS: usize = 100_000;

/// Every dataset of a file, called by its path; HDF5 keeps no order of them.
///
/// # Errors
/// [`Error::Malformed`](crate::Error::Malformed) if the file is damaged.
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)> {
    let file = open(path, bytes)?;
    let malformed = |fact: String| malformed(path, fact);
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let root = file
        .root_group()
        .map_err(|error| malformed(error.to_string()))?;
    let mut groups = vec![(String::new(), root, 0)];
    while let Some((prefix, group, depth)) = groups.pop() {
        // A hard link may lead back to a group above it.
        if !seen.insert(group.address()) {
            continue;
        }
        let (below, datasets) = members(&group).map_err(malformed)?;
        for dataset in datasets {
            let name = format!("{prefix}{}", dataset.name());
            found.push(entry(path, bytes, name, &dataset).map_err(malformed)?);
        }
        if depth == MAX_DEPTH && !below.is_empty() || found.len() > MAX_DATASETS {
            return Err(malformed(
                "it holds more groups or datasets than are read".into(),
            ));
        }
        for group in below {
            groups.push((format!("{prefix}{}/", group.name()), group, depth + 1));
        }
    }
    Ok((found, OwnOrder::None))
}

fn members(group: &Group) -> Result<(Vec<Group>, Vec<Dataset>), String> {
    group.members().map_err(|error| error.to_string())
}

fn entry(
    path: &Path,
    bytes: &Arc<Bytes>,
    name: String,
    dataset: &Dataset,
) -> Result<Entry, String> {
    let size =
        |&n: &u64| usize::try_from(n).map_err(|_| format!("{name:?} has {n} rows or columns"));
    let shape: Vec<usize> = dataset
        .shape()
        .iter()
        .map(size)
        .collect::<Result<_, String>>()?;
    let (item, swapped) = element(dataset);
    Ok(Entry {
        path: path.to_owned(),
        item,
        swapped,
        strides: dense_strides(&shape, false),
        shape,
        origin: 0,
        trailing: 0,
        void_as_bf16: false,
        lists: Vec::new(),
        place: Place::Dataset {
            file: Arc::clone(bytes),
            name: name.clone(),
        },
        name,
    })
}

/// The elements of a dataset, and whether their bytes are in the opposite order of this machine's.
fn element(dataset: &Dataset) -> (Item, bool) {
    let other = |what: &str| {
        let item = Item::Other {
            what: what.to_owned(),
            remedy: "save numbers: numpy.asarray(x, dtype=numpy.float32)",
        };
        (item, false)
    };
    let swapped = |order: ByteOrder| {
        let big = matches!(order, ByteOrder::BigEndian);
        big != cfg!(target_endian = "big")
    };
    match dataset.dtype() {
        Datatype::FloatingPoint { size, byte_order } => {
            // Two formats have 16 bits; the exponent tells which.
            let exponent = || dataset.raw_datatype().ok()?.get(13).copied();
            let known = match size {
                2 if exponent() == Some(8) => Dtype::Bf16,
                2 => Dtype::F16,
                4 => Dtype::F32,
                8 => Dtype::F64,
                _ => return other("floats of another size"),
            };
            (Item::Number(known), swapped(*byte_order))
        }
        Datatype::FixedPoint {
            size,
            signed,
            byte_order,
        } => match integer(*size, *signed) {
            Some(known) => (Item::Number(known), swapped(*byte_order)),
            None => other("integers of another size"),
        },
        // h5py writes booleans so.
        Datatype::Enum { base, .. } => match **base {
            Datatype::FixedPoint { size: 1, .. } => (Item::Number(Dtype::I8), false),
            _ => other("an enumeration"),
        },
        _ => other("no plain numbers"),
    }
}

fn integer(size: u8, signed: bool) -> Option<Dtype> {
    Some(match (size, signed) {
        (1, true) => Dtype::I8,
        (2, true) => Dtype::I16,
        (4, true) => Dtype::I32,
        (8, true) => Dtype::I64,
        (1, false) => Dtype::U8,
        (2, false) => Dtype::U16,
        (4, false) => Dtype::U32,
        (8, false) => Dtype::U64,
        _ => return None,
    })
}
