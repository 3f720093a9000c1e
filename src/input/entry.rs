//! Keeps one array of a file: its header, and where its values are.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;

use super::array::Array;
use super::bytes::Bytes;
use super::dtype::Dtype;
use super::header;
use super::item::{Item, is_dense};
use super::name;
use crate::warning::{Warning, WarningCode};
use crate::{Error, Result};

/// Where the bytes of an array are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// As they are, from this offset on.
    Plain { bytes: Arc<Bytes>, offset: usize },
    /// In a compressed member of a zip archive: an npy file of this size.
    Packed {
        archive: Arc<Bytes>,
        member: usize,
        size: usize,
    },
    /// In a dataset of an HDF5 file, which is read when it is needed.
    #[cfg(feature = "hdf5")]
    Dataset { file: Arc<Bytes>, name: String },
}

/// An array of a file: its header and its place. The values are still where they were.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The file.
    pub path: PathBuf,
    /// The array's name: file stem, tensor name or archive member.
    pub name: String,
    /// Its element type.
    pub item: Item,
    /// Whether its bytes are in the opposite order of this machine's.
    pub swapped: bool,
    /// Its axes.
    pub shape: Vec<usize>,
    /// How many elements apart neighbours along each axis lie.
    pub strides: Vec<usize>,
    /// How many elements lie before the first.
    pub origin: usize,
    /// Bytes after the end of the array.
    pub trailing: usize,
    /// Whether bfloat16 was inferred from a two-byte void type.
    pub void_as_bf16: bool,
    /// Where in the name places in lists of the file stand, outermost first.
    pub lists: Vec<(usize, usize)>,
    /// Where its bytes are.
    pub place: Place,
}

impl Entry {
    /// The element type, if it is a number.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for text, records, complex numbers, objects, …
    pub(crate) fn dtype(&self) -> Result<Dtype> {
        match &self.item {
            Item::Number(dtype) => Ok(*dtype),
            Item::Unicode(_) | Item::Ascii(_) => {
                Err(self.unsupported("text elements", "activations must be numbers"))
            }
            Item::Other { what, remedy } => Err(self.unsupported(what, *remedy)),
        }
    }

    /// Whether its elements are integers of 16 bits, as which bfloat16 is kept where it has no name.
    pub(crate) fn is_of_16_bits(&self) -> bool {
        matches!(self.item, Item::Number(Dtype::I16 | Dtype::U16))
    }

    /// Size of the values in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let elements: usize = self.shape.iter().product();
        (elements * self.item.size().unwrap_or(0)) as u64
    }

    /// Whether its values lie side by side in C order.
    pub(crate) fn is_dense(&self) -> bool {
        is_dense(&self.shape, &self.strides)
    }

    /// How messages call this array: its file, and its name where the file holds several.
    pub(crate) fn label(&self) -> String {
        // What lies in a folder of pieces has the folder before its name.
        let folder = self.path.parent().and_then(Path::file_name);
        let own = match self.name.split_once('/') {
            Some((before, own)) if folder.is_some_and(|folder| folder == before) => own,
            _ => self.name.as_str(),
        };
        if name::stem(&self.path) == own {
            self.path.display().to_string()
        } else {
            format!("{}#{}", self.path.display(), self.name.escape_debug())
        }
    }

    /// An error that names this array.
    pub(crate) fn unsupported(&self, fact: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Unsupported {
            path: self.path.clone(),
            name: self.name.escape_debug().to_string(),
            fact: fact.into(),
            remedy: remedy.into(),
        }
    }

    /// What is worth saying about how this array was stored.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.void_as_bf16 {
            // Without a name, so that layers and pieces share the line.
            let message = "two-byte void elements were read as bfloat16";
            warnings.push(Warning::new(WarningCode::VoidAsBf16, 1, message));
        }
        if self.trailing > 0 {
            let name = self.name.escape_debug();
            let message = format!("{name}: {} bytes follow the array", self.trailing);
            warnings.push(Warning::new(
                WarningCode::TrailingBytes,
                self.trailing,
                message,
            ));
        }
        warnings
    }

    /// The array with its values in reach: still in the file, or unpacked from its archive.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it holds no numbers or text; [`Error::Malformed`] if a compressed
    /// member does not unpack to the size it promised.
    pub(crate) fn load(&self) -> Result<Array> {
        if let Item::Other { what, remedy } = &self.item {
            return Err(self.unsupported(what, *remedy));
        }
        if self.shape.contains(&0) {
            let fact = format!("shape {:?}, so no values", self.shape);
            return Err(self.unsupported(fact, "dump at least one row and one column"));
        }
        let (bytes, offset) = match &self.place {
            Place::Plain { bytes, offset } => (Arc::clone(bytes), *offset),
            Place::Packed {
                archive,
                member,
                size,
            } => self.unpack(archive, *member, *size)?,
            #[cfg(feature = "hdf5")]
            Place::Dataset { file, name } => {
                let values = super::hdf5_values::values(&self.path, file, name)?;
                (Arc::new(Bytes::Owned(values)), 0)
            }
        };
        Ok(Array {
            bytes,
            offset,
            item: self.item.clone(),
            swapped: self.swapped,
            shape: self.shape.clone(),
            strides: self.strides.clone(),
            origin: self.origin,
        })
    }

    fn unpack(
        &self,
        archive: &Arc<Bytes>,
        member: usize,
        size: usize,
    ) -> Result<(Arc<Bytes>, usize)> {
        let damaged = |fact: String| Error::Malformed {
            path: self.path.clone(),
            fact: format!("archive member {:?} {fact}", self.name),
            remedy: "write the archive again with numpy.savez".into(),
        };
        let mut zip = ZipArchive::new(Cursor::new(&archive[..]))
            .map_err(|err| damaged(format!("is out of reach: {err}")))?;
        let file = zip
            .by_index(member)
            .map_err(|err| damaged(format!("is out of reach: {err}")))?;
        let mut content = Vec::with_capacity(size);
        file.take(size as u64 + 1)
            .read_to_end(&mut content)
            .map_err(|err| damaged(format!("does not unpack: {err}")))?;
        if content.len() != size {
            return Err(damaged(format!(
                "does not unpack to the {size} bytes it promised"
            )));
        }
        let header = header::parse(&content).map_err(damaged)?;
        Ok((Arc::new(Bytes::Owned(content)), header.data_start))
    }
}
