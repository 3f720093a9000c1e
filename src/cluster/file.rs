//! One part as a file: arrays, and a key that says what they are of.
//!
//! The bytes are a function of the content, so a file that was read is whole exactly if it is what
//! writing its content again would give.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::Xxh3;

use super::key::Key;
use crate::error::{Error, Result};
use crate::neighbours::{NeighbourTable, OrderDistances, RankCounts};
use crate::storage::write_atomically;

/// The one metadata key.
const KEY: &str = "repgeo";

/// An array of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Array {
    name: &'static str,
    dtype: &'static str,
    shape: [usize; 2],
    bytes: Vec<u8>,
}

/// What a unit found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Payload {
    /// Rows of a table.
    Table(NeighbourTable),
    /// Distances at some orders, of some rows.
    Orders(Array2<f64>),
    /// Ranks of some rows' targets, and how often every row stood before them.
    Ranks(RankCounts),
}

/// Why a part cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no file.
    Missing,
    /// It is not whole.
    Damaged(String),
    /// It is of something else.
    Foreign(String),
    /// The system gave an error.
    Failed(io::Error),
}

impl Fault {
    /// As an error about the file at `path`.
    pub(super) fn error(self, path: &Path) -> Error {
        let again = "repgeo shard does it again";
        match self {
            Self::Failed(source) => Error::Read {
                path: path.to_owned(),
                source,
            },
            Self::Foreign(fact) => Error::Identity {
                path: path.to_owned(),
                fact,
                remedy: format!("delete it; {again}"),
            },
            Self::Damaged(fact) => Error::Holes {
                run: path.to_owned(),
                fact,
                remedy: again.to_owned(),
            },
            Self::Missing => Error::Holes {
                run: path.to_owned(),
                fact: "it is not there".into(),
                remedy: again.to_owned(),
            },
        }
    }
}

/// Where the part of a unit lies in the folder of its run.
pub(super) fn place(folder: &Path, unit: usize) -> PathBuf {
    folder.join("shards").join(format!("{unit:06}.safetensors"))
}

/// Writes a part: whole or not at all, over whatever is there.
pub(super) fn write(path: &Path, key: &Key, payload: &Payload) -> Result<()> {
    write_atomically(path, &encode(key, &payload.arrays()))
}

/// Reads the part that `expected` describes; the key as it stands there comes with it.
pub(super) fn read(path: &Path, expected: &Key) -> std::result::Result<(Key, Payload), Fault> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        _ => Fault::Failed(error),
    })?;
    let (key, arrays) = decode(&bytes).map_err(Fault::Damaged)?;
    if let Some(fact) = key.differs(expected) {
        return Err(Fault::Foreign(fact));
    }
    let payload = Payload::from_arrays(arrays)
        .ok_or_else(|| Fault::Damaged("its arrays are none that a part has".into()))?;
    Ok((key, payload))
}

/// The bytes of a file; the checksum of the key is made here.
fn encode(key: &Key, arrays: &[Array]) -> Vec<u8> {
    let mut key = key.clone();
    key.checksum.clear();
    let mut hash = Xxh3::new();
    hash.update(&serde_json::to_vec(&key).expect("a key is plain text"));
    for array in arrays {
        hash.update(format!("{} {} {:?} ", array.name, array.dtype, array.shape).as_bytes());
        hash.update(&array.bytes);
    }
    key.checksum = format!("{:032x}", hash.digest128());
    let text = serde_json::to_string(&key).expect("a key is plain text");
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({ KEY: text }));
    let mut end = 0;
    for array in arrays {
        let start = end;
        end += array.bytes.len();
        header.insert(
            array.name.into(),
            json!({"dtype": array.dtype, "shape": array.shape, "data_offsets": [start, end]}),
        );
    }
    let mut header = Value::Object(header).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.reserve_exact(header.len() + end);
    bytes.extend(header.as_bytes());
    for array in arrays {
        bytes.extend_from_slice(&array.bytes);
    }
    bytes
}

/// The content of a file that is whole.
fn decode(bytes: &[u8]) -> std::result::Result<(Key, Vec<Array>), String> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| format!("it is not whole ({error})"))?;
    let text = metadata
        .metadata()
        .as_ref()
        .and_then(|all| all.get(KEY))
        .ok_or("it has no key of repgeo")?;
    let key: Key =
        serde_json::from_str(text).map_err(|error| format!("its key cannot be read: {error}"))?;
    let tensors =
        SafeTensors::deserialize(bytes).map_err(|error| format!("it is not whole ({error})"))?;
    let mut arrays = Vec::new();
    for name in metadata.offset_keys() {
        let view = tensors
            .tensor(&name)
            .map_err(|error| format!("its array {name} cannot be read ({error})"))?;
        let known = NAMES.into_iter().find(|known| **known == name);
        let (Some(name), &[rows, columns]) = (known, view.shape()) else {
            return Err(format!("its array {name} is none that a part has"));
        };
        let dtype = match view.dtype() {
            Dtype::U32 => "U32",
            Dtype::U64 => "U64",
            Dtype::F64 => "F64",
            other => return Err(format!("its array {name} is {other:?}")),
        };
        arrays.push(Array {
            name,
            dtype,
            shape: [rows, columns],
            bytes: view.data().to_vec(),
        });
    }
    if encode(&key, &arrays) == bytes {
        Ok((key, arrays))
    } else {
        Err("its checksum does not fit its content".into())
    }
}

const NAMES: [&str; 5] = ["indices", "distances", "orders", "ranks", "nearer"];

impl Payload {
    fn arrays(&self) -> Vec<Array> {
        fn array<T: Copy, const W: usize>(
            name: &'static str,
            dtype: &'static str,
            values: &Array2<T>,
            bytes: impl Fn(T) -> [u8; W],
        ) -> Array {
            let (rows, columns) = values.dim();
            Array {
                name,
                dtype,
                shape: [rows, columns],
                bytes: values.iter().flat_map(|&value| bytes(value)).collect(),
            }
        }
        match self {
            Self::Table(table) => vec![
                array("indices", "U32", &table.indices, u32::to_le_bytes),
                array("distances", "F64", &table.distances, f64::to_le_bytes),
            ],
            Self::Orders(distances) => vec![array("orders", "F64", distances, f64::to_le_bytes)],
            Self::Ranks(counts) => {
                let ranks = array("ranks", "U32", &counts.ranks, u32::to_le_bytes);
                let small = counts.nearer.mapv(u32::try_from);
                // Sums over a block nearly always fit; a file may be as large as the layer's rows.
                let nearer = if small.iter().all(std::result::Result::is_ok) {
                    let small = small.mapv(std::result::Result::unwrap_or_default);
                    array("nearer", "U32", &small, u32::to_le_bytes)
                } else {
                    array("nearer", "U64", &counts.nearer, u64::to_le_bytes)
                };
                vec![ranks, nearer]
            }
        }
    }

    fn from_arrays(arrays: Vec<Array>) -> Option<Self> {
        let f64s = |array: &Array| {
            let (values, _) = array.bytes.as_chunks::<8>();
            let values = values.iter().map(|value| f64::from_le_bytes(*value));
            Array2::from_shape_vec(array.shape, values.collect()).ok()
        };
        let u32s = |array: &Array| {
            let (values, _) = array.bytes.as_chunks::<4>();
            let values = values.iter().map(|value| u32::from_le_bytes(*value));
            Array2::from_shape_vec(array.shape, values.collect()).ok()
        };
        let u64s = |array: &Array| {
            let (values, _) = array.bytes.as_chunks::<8>();
            let values = values.iter().map(|value| u64::from_le_bytes(*value));
            Array2::from_shape_vec(array.shape, values.collect()).ok()
        };
        let kinds: Vec<(&str, &str)> = arrays
            .iter()
            .map(|array| (array.name, array.dtype))
            .collect();
        match (&kinds[..], &arrays[..]) {
            ([("indices", "U32"), ("distances", "F64")], [indices, distances]) => {
                let table = NeighbourTable {
                    indices: u32s(indices)?,
                    distances: f64s(distances)?,
                };
                (table.indices.dim() == table.distances.dim()).then_some(Self::Table(table))
            }
            ([("orders", "F64")], [orders]) => Some(Self::Orders(f64s(orders)?)),
            ([("ranks", "U32"), ("nearer", wide)], [ranks, nearer]) => {
                Some(Self::Ranks(RankCounts {
                    ranks: u32s(ranks)?,
                    nearer: match *wide {
                        "U32" => u32s(nearer)?.mapv(u64::from),
                        "U64" => u64s(nearer)?,
                        _ => return None,
                    },
                }))
            }
            _ => None,
        }
    }
}

impl From<OrderDistances> for Payload {
    fn from(found: OrderDistances) -> Self {
        Self::Orders(found.distances)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn payloads() -> Vec<Payload> {
        let table = NeighbourTable {
            indices: array![[1, 2], [0, 2]],
            distances: array![[0.5, 1.5], [0.5, f64::MIN_POSITIVE]],
        };
        let counts = |large| RankCounts {
            ranks: array![[1, 3, 2]],
            nearer: array![[0], [large], [7]],
        };
        vec![
            Payload::Table(table),
            Payload::Orders(array![[0.25, 4.0]]),
            Payload::Ranks(counts(9)),
            Payload::Ranks(counts(1 << 40)),
        ]
    }

    fn key(targets: &str) -> Key {
        let text = r#"{"format":"repgeo-shard/1","plan":"0","unit":3,"layer":"a \u00fc","content":"1",
            "metric":"euclidean","sought":{"table":2},"rows":[0,2],"targets":"","checksum":""}"#;
        let mut key: Key = serde_json::from_str(text).unwrap();
        targets.clone_into(&mut key.targets);
        key
    }

    #[test]
    fn what_is_written_is_read_back() {
        for payload in payloads() {
            let bytes = encode(&key("ab"), &payload.arrays());
            let (read, arrays) = decode(&bytes).unwrap();
            assert_eq!(read.differs(&key("")), None);
            assert_eq!(read.targets, "ab");
            assert_eq!(Payload::from_arrays(arrays), Some(payload));
        }
    }

    #[test]
    fn no_bit_can_change_and_no_byte_be_missing_unnoticed() {
        for payload in payloads() {
            let bytes = encode(&key("ab"), &payload.arrays());
            for bit in 0..8 * bytes.len() {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(&flipped).is_err(), "bit {bit}");
            }
            for length in 0..bytes.len() {
                assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
            }
        }
    }
}
