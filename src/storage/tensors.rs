//! A safetensors file that is written piece by piece and appears whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::pending::Pending;
use super::write::is_stream;
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// Name, type and axes of a tensor that will be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name.
    pub name: String,
    /// Its type as safetensors calls it: `F32`, `F64` or `I32`.
    pub dtype: &'static str,
    /// Its axes.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Size of its values.
    pub fn bytes(&self) -> u64 {
        let width = if self.dtype == "F64" { 8 } else { 4 };
        self.shape.iter().map(|&axis| axis as u64).product::<u64>() * width
    }
}

/// The file in the making; what is never written stays zero.
pub struct TensorFile {
    path: PathBuf,
    file: Pending,
    places: HashMap<String, (u64, u64)>,
}

impl TensorFile {
    /// A file with room for `tensors`, beside `path` until it is finished.
    ///
    /// # Errors
    /// [`Error::Write`]; pipes and devices cannot be written piece by piece.
    pub fn create(
        path: &Path,
        tensors: &[TensorSpec],
        metadata: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let failed = |source| Error::Write {
            path: path.to_owned(),
            source,
        };
        if is_stream(path) {
            return Err(failed(io::Error::other(
                "tensors need a file that can be seeked",
            )));
        }
        let mut header = Map::new();
        if !metadata.is_empty() {
            header.insert("__metadata__".into(), json!(metadata));
        }
        let (mut places, mut end) = (HashMap::new(), 0);
        for tensor in tensors {
            let (start, size) = (end, tensor.bytes());
            end += size;
            places.insert(tensor.name.clone(), (start, size));
            let entry =
                json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, end]});
            header.insert(tensor.name.clone(), entry);
        }
        let mut text = Value::Object(header).to_string();
        // Values start at a multiple of 8, so that a memory map can use them where they lie.
        text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
        let data = 8 + text.len() as u64;
        places.values_mut().for_each(|(start, _)| *start += data);
        let make = || -> io::Result<Pending> {
            let mut pending = Pending::create(path)?;
            let file = pending.file();
            file.write_all(&(text.len() as u64).to_le_bytes())?;
            file.write_all(text.as_bytes())?;
            file.set_len(data + end)?;
            Ok(pending)
        };
        Ok(Self {
            path: path.to_owned(),
            file: make().map_err(failed)?,
            places,
        })
    }

    /// Writes `bytes` into a tensor, `offset` bytes after its start.
    ///
    /// # Errors
    /// [`Error::Write`], also for a tensor that was not planned or is too short.
    pub fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        let write = |file: &mut File| -> io::Result<()> {
            let &(start, size) = self
                .places
                .get(name)
                .filter(|(_, size)| offset + bytes.len() as u64 <= *size)
                .ok_or_else(|| io::Error::other(format!("{name} has no room for its values")))?;
            debug_assert!(size >= offset);
            file.seek(SeekFrom::Start(start + offset))?;
            file.write_all(bytes)
        };
        write(self.file.file()).map_err(|source| Error::Write {
            path: self.path.clone(),
            source,
        })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn finish(self) -> Result<()> {
        self.file.publish().map_err(|source| Error::Write {
            path: self.path,
            source,
        })
    }
}
