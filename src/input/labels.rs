//! A class for every row.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::array::Array;
use super::bytes::read_file;
use super::dtype::Dtype;
use super::entry::{Entry, Item};
use super::file;
use crate::{Error, Result};

/// Labels factorised by value, in order of first appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// What reports call them: the column, or the file's stem.
    pub name: String,
    /// The distinct values.
    pub classes: Vec<String>,
    /// The class of each row, an index into `classes`; `None` where it is missing (empty or NaN).
    pub codes: Vec<Option<u32>>,
    path: PathBuf,
}

impl Labels {
    /// Reads labels from an array (`.npy`, or `FILE#NAME`), a column of a CSV file with a header
    /// (`FILE:COLUMN`), or a text file with one label a line.
    ///
    /// Values are compared as they are: 1.5 and 1.25 are two classes, never rounded.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if the column or array is not there; [`Error::Unsupported`] for an array
    /// that is no list; [`Error::Read`] or [`Error::Malformed`] if the file is bad.
    pub fn open(spec: &Path) -> Result<Self> {
        if let Some((file, column)) = split_column(spec) {
            return from_csv(&file, Some(&column));
        }
        match spec.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => from_csv(spec, None),
            Some("txt") => {
                let text = read_text(spec)?;
                let lines = text.lines().map(|line| line.trim().to_owned());
                Ok(Self::new(stem(spec), spec, lines))
            }
            _ => from_array(&file::single(spec)?),
        }
    }

    /// Factorises `values`; empty ones are missing.
    pub fn from_values(name: &str, values: impl IntoIterator<Item = String>) -> Self {
        Self::new(name.to_owned(), Path::new(name), values)
    }

    fn new(name: String, path: &Path, values: impl IntoIterator<Item = String>) -> Self {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut classes = Vec::new();
        let codes = values
            .into_iter()
            .map(|value| {
                if value.is_empty() {
                    return None;
                }
                let next = u32::try_from(classes.len()).ok()?;
                Some(*seen.entry(value).or_insert_with_key(|value| {
                    classes.push(value.clone());
                    next
                }))
            })
            .collect();
        Self {
            name,
            classes,
            codes,
            path: path.to_owned(),
        }
    }

    /// Number of rows without a label.
    pub fn n_missing(&self) -> usize {
        self.codes.iter().filter(|code| code.is_none()).count()
    }

    /// Whether there is one label for each of the `n` rows of `what`.
    ///
    /// # Errors
    /// [`Error::RowMismatch`] naming both.
    pub fn check_rows(&self, n: usize, what: &str) -> Result<()> {
        if self.codes.len() == n {
            return Ok(());
        }
        Err(Error::RowMismatch {
            first: what.to_owned(),
            n_first: n,
            second: self.path.display().to_string(),
            n_second: self.codes.len(),
            remedy: "give --labels with one label per row of the dump".into(),
        })
    }

    /// The labels of some rows, in that order, with the same classes.
    ///
    /// # Panics
    /// If a row is not below the number of labels.
    pub fn select(&self, rows: &[u32]) -> Self {
        Self {
            codes: rows.iter().map(|&row| self.codes[row as usize]).collect(),
            ..self.clone()
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// `FILE:COLUMN` in two parts, if no file has the whole as its name.
fn split_column(spec: &Path) -> Option<(PathBuf, String)> {
    if spec.exists() {
        return None;
    }
    let (file, column) = spec.to_str()?.rsplit_once(':')?;
    Path::new(file)
        .exists()
        .then(|| (file.into(), column.to_owned()))
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = read_file(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    String::from_utf8(bytes).map_err(|_| malformed(path, "the text is not UTF-8"))
}

fn malformed(path: &Path, fact: impl Into<String>) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        fact: fact.into(),
        remedy: "labels come as .npy, .txt (one a line) or .csv with a header (docs/formats.md)"
            .into(),
    }
}

fn from_csv(path: &Path, column: Option<&str>) -> Result<Labels> {
    let text = read_text(path)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let bad = |err: csv::Error| malformed(path, err.to_string().replace('\n', " "));
    let header = reader.headers().map_err(bad)?.clone();
    let at = match column {
        Some(column) => header.iter().position(|name| name.trim() == column),
        None => (header.len() == 1).then_some(0),
    };
    let Some(at) = at else {
        return Err(Error::NoLayers {
            path: path.to_owned(),
            fact: match column {
                Some(column) => format!("there is no column {column:?}"),
                None => format!("there are {} columns", header.len()),
            },
            remedy: format!("choose one as FILE:COLUMN: {}", file::list(header.iter())),
        });
    };
    let values = reader
        .records()
        .map(|record| record.map(|record| record[at].trim().to_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(bad)?;
    Ok(Labels::new(header[at].trim().to_owned(), path, values))
}

fn from_array(entry: &Entry) -> Result<Labels> {
    let n = match entry.shape.as_slice() {
        &[n] | &[n, 1] => n,
        shape => {
            let fact = format!("shape {shape:?}");
            return Err(entry.unsupported(fact, "labels are a list of one value per row"));
        }
    };
    let array = entry.load()?;
    let text = texts(&array)
        .ok_or_else(|| entry.unsupported("no readable values", "save numbers or text"))?;
    Ok(Labels::new(
        entry.name.clone(),
        &entry.path,
        (0..n).map(text),
    ))
}

/// The text of each element of a list.
fn texts(array: &Array) -> Option<Box<dyn Fn(usize) -> String + '_>> {
    fn one<'a, T: Default + Copy + 'a>(
        read: super::array::ReadRun<'a, T>,
        show: impl Fn(T) -> String + 'a,
    ) -> Box<dyn Fn(usize) -> String + 'a> {
        Box::new(move |row| {
            let mut value = [T::default()];
            read(row, 0, &mut value);
            show(value[0])
        })
    }
    Some(match array.item {
        Item::Number(Dtype::I64) => one(array.runs(|x: i64| x), |x| x.to_string()),
        Item::Number(Dtype::U64) => one(array.runs(|x: u64| x), |x| x.to_string()),
        Item::Number(Dtype::Bool) => one(array.runs(|x: u8| x != 0), |x| x.to_string()),
        // + 0.0 makes one class of both zeros; NaN is missing.
        Item::Number(_) => one(array.runs_f64()?, |x| match x.is_nan() {
            true => String::new(),
            false => (x + 0.0).to_string(),
        }),
        Item::Unicode(length) => Box::new(move |row| {
            let start = array.offset + row * length * 4;
            let characters = array.bytes[start..start + length * 4]
                .chunks_exact(4)
                .map(|raw| {
                    let mut code = [raw[0], raw[1], raw[2], raw[3]];
                    if array.swapped {
                        code.reverse();
                    }
                    u32::from_ne_bytes(code)
                });
            let text: String = characters
                .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            text.trim_end_matches('\0').to_owned()
        }),
        Item::Ascii(length) => Box::new(move |row| {
            let start = array.offset + row * length;
            let text = String::from_utf8_lossy(&array.bytes[start..start + length]);
            text.trim_end_matches('\0').to_owned()
        }),
        Item::Other { .. } => return None,
    })
}
