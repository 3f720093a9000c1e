//! Named arrays of a file or folder: model weights, residual streams, tokens.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bytes::Bytes;
use super::dtype::Dtype;
use super::entry::{Entry, Place};
use super::item::Item;
use super::matrix::Matrix;
use super::{file, safetensors};
use crate::{Error, Result};

/// The arrays behind a path, known by their headers.
#[derive(Debug, Clone)]
pub struct Tensors {
    path: PathBuf,
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
    metadata: BTreeMap<String, String>,
}

/// One of [`Tensors`]; its values are still in the file.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a> {
    entry: &'a Entry,
}

impl Tensors {
    /// Lists the arrays of a directory, a file, a sharded index, or `FILE#NAME`.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Malformed`] or [`Error::NoLayers`] if nothing can be listed.
    pub fn open(path: &Path) -> Result<Self> {
        let entries = file::find(path)?.sorted();
        let mut metadata = BTreeMap::new();
        // Asked of the bytes that were read: a pipe cannot be opened again.
        let mut seen: HashSet<&Path> = HashSet::new();
        for entry in &entries {
            if let Place::Plain { bytes, .. } = &entry.place
                && entry
                    .path
                    .extension()
                    .is_some_and(|end| end == "safetensors")
                && seen.insert(&entry.path)
            {
                for (key, value) in safetensors::metadata(&entry.path, bytes)? {
                    let said: &mut String = metadata.entry(key).or_insert_with(|| value.clone());
                    // Of files that contradict each other neither is right.
                    if *said != value {
                        said.push_str(" | ");
                        said.push_str(&value);
                    }
                }
            }
        }
        let places = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.name.clone(), at))
            .collect();
        Ok(Self {
            path: path.to_owned(),
            entries,
            places,
            metadata,
        })
    }

    /// Where they were sought.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Their names, in natural order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// What the header of a safetensors file says under `key`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// All that the headers say, by key.
    pub(crate) fn all_metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The array called `name`.
    pub fn get(&self, name: &str) -> Option<Tensor<'_>> {
        let at = *self.places.get(name)?;
        self.entries.get(at).map(|entry| Tensor { entry })
    }

    /// The array that an 8-bit one is to be multiplied with: its name begins with that one's.
    pub(crate) fn scaled_by(&self, tensor: Tensor<'_>) -> Option<&str> {
        let name = tensor.name();
        let longer = |other: &&str| other.len() > name.len() && other.starts_with(name);
        tensor.is_float8().then(|| self.names().find(longer))?
    }

    /// The only array there is, whatever its name.
    pub fn only(&self) -> Option<Tensor<'_>> {
        match self.entries.as_slice() {
            [entry] => Some(Tensor { entry }),
            _ => None,
        }
    }

    /// The array called `name`, or an error that says what is missing and where it comes from.
    ///
    /// # Errors
    /// [`Error::NoLayers`].
    pub fn require(&self, name: &str, source: &str) -> Result<Tensor<'_>> {
        self.get(name).ok_or_else(|| Error::NoLayers {
            path: self.path.clone(),
            fact: format!("there is no tensor {name:?}"),
            remedy: format!("it comes from {source}"),
        })
    }
}

impl Tensor<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Its axes.
    pub fn shape(&self) -> &[usize] {
        &self.entry.shape
    }

    /// Whether its elements are floating-point numbers.
    pub fn is_float(&self) -> bool {
        matches!(self.entry.item, Item::Number(dtype) if dtype.is_float())
    }

    /// Whether its elements are 8-bit floats.
    fn is_float8(&self) -> bool {
        matches!(self.entry.item, Item::Number(Dtype::F8E4m3 | Dtype::F8E5m2))
    }

    /// Whether its elements are f64.
    pub fn is_f64(&self) -> bool {
        self.entry.item == Item::Number(Dtype::F64)
    }

    /// How messages call it: file and name.
    pub fn label(&self) -> String {
        self.entry.label()
    }

    /// An error that names it.
    pub fn refused(&self, fact: impl Into<String>, remedy: impl Into<String>) -> Error {
        self.entry.unsupported(fact, remedy)
    }

    /// Fails unless it has these axes.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming both shapes.
    pub fn expect_shape(&self, shape: &[usize]) -> Result<()> {
        if self.shape() == shape {
            return Ok(());
        }
        Err(self.refused(
            format!("shape {:?}", self.shape()),
            format!("{shape:?} is needed here"),
        ))
    }

    /// Its values in C order as rows of `columns`, in stored precision, mapped where possible.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there are no such rows, or no numbers.
    pub fn rows_of(&self, columns: usize) -> Result<Matrix> {
        let total: usize = self.shape().iter().product();
        let dtype = self.entry.dtype()?;
        if columns == 0 || !total.is_multiple_of(columns) {
            let fact = format!("shape {:?}", self.shape());
            return Err(self.refused(fact, format!("rows of {columns} values are needed")));
        }
        let mut entry = self.entry.clone();
        let dense = entry.is_dense();
        if dense {
            entry.shape = vec![total / columns, columns];
            entry.strides = vec![columns, 1];
        }
        let array = entry.load()?;
        if dense {
            return Ok(array
                .mapped()
                .unwrap_or_else(|| array.decoded(dtype, &array.whole_rows(None))));
        }
        let values = array.to_f64().unwrap_or_default();
        Ok(Matrix::from_f64(total / columns, columns, values))
    }

    /// Its numbers in C order, widened.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if they are none, or there are none.
    pub fn to_f64(&self) -> Result<Vec<f64>> {
        self.entry.dtype()?;
        Ok(self.entry.load()?.to_f64().unwrap_or_default())
    }

    /// Its values as they are stored.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there are none; [`Error::Malformed`] if it does not unpack.
    pub fn stored(&self) -> Result<StoredBytes> {
        let array = self.entry.load()?;
        let size = usize::try_from(self.entry.bytes()).unwrap_or(usize::MAX);
        let before = self.entry.origin * self.entry.item.size().unwrap_or(0);
        let start = array.offset + before;
        let end = start.saturating_add(size).min(array.bytes.len());
        Ok(StoredBytes {
            span: start..end,
            bytes: array.bytes,
        })
    }

    /// Its values in C order as whole numbers.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if they are no integers.
    pub fn integers(&self) -> Result<Vec<i64>> {
        let dtype = self.entry.dtype()?;
        if dtype.is_float() {
            return Err(self.refused(format!("{dtype} elements"), "whole numbers are needed"));
        }
        let array = self.entry.load()?;
        if let Some(value) = array.beyond_f64() {
            return Err(self.refused(format!("the integer {value}"), "no index is so large"));
        }
        let values = array.to_f64().unwrap_or_default();
        #[allow(clippy::cast_possible_truncation)] // whole and within 2^53
        let whole = values.into_iter().map(|value| value as i64).collect();
        Ok(whole)
    }
}

/// The values of a tensor as they are stored, kept in reach.
pub struct StoredBytes {
    bytes: Arc<Bytes>,
    span: Range<usize>,
}

impl StoredBytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.span.clone()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::storage::{TensorFile, TensorSpec};

    fn spec(name: &str, dtype: &'static str, shape: &[usize]) -> TensorSpec {
        TensorSpec {
            name: name.into(),
            dtype,
            shape: shape.to_vec(),
        }
    }

    #[test]
    fn pieces_written_come_back_as_one_tensor_and_gaps_are_zero() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.safetensors");
        let specs = [spec("a", "I32", &[3]), spec("b", "F64", &[2, 2])];
        let said = BTreeMap::from([("eps".to_owned(), "1e-5".to_owned())]);
        let mut file = TensorFile::create(&path, &specs, &said).unwrap();
        file.write("b", 8, &2.5f64.to_le_bytes()).unwrap();
        file.write("a", 4, &7i32.to_le_bytes()).unwrap();
        assert!(file.write("a", 12, &[0; 4]).is_err() && file.write("c", 0, &[]).is_err());
        assert!(!path.exists());
        file.finish().unwrap();
        let tensors = Tensors::open(&path).unwrap();
        assert_eq!(tensors.get("a").unwrap().integers().unwrap(), [0, 7, 0]);
        let mut row = [0.0; 2];
        tensors
            .get("b")
            .unwrap()
            .rows_of(2)
            .unwrap()
            .widen_row(0, &mut row);
        assert_eq!(row, [0.0, 2.5]);
        assert_eq!(tensors.metadata("eps"), Some("1e-5"));
    }
}
