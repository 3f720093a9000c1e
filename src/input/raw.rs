//! Reads raw values without a header, whose type and shape are said: `FILE:f16:1000x768`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bytes::Bytes;
use super::dtype::Dtype;
use super::entry::{Entry, Place};
use super::item::{Item, dense_strides};
use super::name;
use crate::{Error, Result};

/// A file of raw values, as typed.
pub(crate) struct Raw {
    file: PathBuf,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl Raw {
    /// Reads `FILE:TYPE:AxB`; `None` if there is no such file, or the rest is no type and shape.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let text = path.to_str().filter(|_| !path.exists())?;
        let (rest, shape) = text.rsplit_once(':')?;
        let (file, dtype) = rest.rsplit_once(':')?;
        // As numpy writes shapes, too: (1000, 768).
        let shape = shape.trim_matches(['(', ')', '[', ']']);
        let shape: Option<Vec<usize>> = shape
            .split(['x', ','])
            .map(|n| n.trim().parse().ok())
            .collect();
        let dtype = match dtype.trim_start_matches(['<', '=']) {
            "f2" => "f16",
            "f4" => "f32",
            "f8" => "f64",
            other => other,
        };
        Some(Self {
            file: file.into(),
            dtype: Dtype::parse(dtype)?,
            shape: shape?,
        })
        .filter(|raw| raw.file.is_file())
    }

    /// The error for a file of raw values whose type and shape are misspelt.
    pub(crate) fn misspelt(path: &Path) -> Option<Error> {
        let text = path.to_str().filter(|_| !path.exists())?;
        let (file, said) = text.match_indices(':').find_map(|(at, _)| {
            let (file, said) = (&text[..at], &text[at + 1..]);
            (Path::new(file).is_file() && !said.is_empty()).then_some((file, said))
        })?;
        Some(Error::Malformed {
            path: file.into(),
            fact: format!("{said:?} behind it is no type and shape"),
            remedy:
                "an array of an archive is FILE#NAME; raw values are FILE:TYPE:AxB with all sizes, \
                     such as acts.bin:f16:1000x768"
                    .into(),
        })
    }

    /// The array, called by its file: values in this machine's byte order and C order.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Malformed`] if the file has another size than the shape.
    pub(crate) fn entry(&self) -> Result<Entry> {
        let bytes = Bytes::open(&self.file)?;
        let elements = self
            .shape
            .iter()
            .try_fold(1usize, |all, &n| all.checked_mul(n));
        let size = elements.and_then(|elements| elements.checked_mul(self.dtype.size()));
        if size != Some(bytes.len()) {
            let mut row = self.shape.iter().skip(1);
            let row = row.try_fold(self.dtype.size(), |all, &n| all.checked_mul(n));
            let rows = match row.and_then(|row| Some((row, bytes.len().checked_rem(row)?))) {
                Some((row, 0)) => format!("; of such rows it holds {}", bytes.len() / row),
                _ => String::new(),
            };
            return Err(Error::Malformed {
                path: self.file.clone(),
                fact: format!(
                    "the file has {} bytes, {} of shape {:?} need {}{rows}",
                    bytes.len(),
                    self.dtype,
                    self.shape,
                    size.map_or_else(|| "more than there are".into(), |size| size.to_string())
                ),
                remedy: "say the type and shape that it was written with".into(),
            });
        }
        Ok(Entry {
            path: self.file.clone(),
            name: name::stem(&self.file),
            item: Item::Number(self.dtype),
            swapped: false,
            strides: dense_strides(&self.shape, false),
            shape: self.shape.clone(),
            origin: 0,
            trailing: 0,
            void_as_bf16: false,
            lists: Vec::new(),
            place: Place::Plain {
                bytes: Arc::clone(&bytes),
                offset: 0,
            },
        })
    }
}
