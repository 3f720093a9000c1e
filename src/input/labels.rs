//! Reads a class for every row.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::array::Array;
use super::dtype::Dtype;
use super::entry::Entry;
use super::expected_labels::ExpectedLabels;
use super::item::Item;
use super::label_text;
use super::text;
use super::token_rows::TokenRows;
use super::{file, formats};
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
    /// How the lines of a table came to rows, where that was asked for.
    placed: Option<String>,
}

/// Reports echo labels by their name, and how their lines came to rows where that was asked for.
impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.placed {
            None => serializer.serialize_str(&self.name),
            Some(placed) => serializer.collect_str(&format_args!(
                "{} of {}, {placed}",
                self.name,
                self.path.display()
            )),
        }
    }
}

impl Labels {
    /// Reads labels from an array (`.npy`, or `FILE#NAME`), a column of a table with a header
    /// (`FILE:COLUMN`), or a list with one label a line; `-` is standard input.
    ///
    /// The content decides which it is, and it is read once, so pipes will do. Values are compared
    /// as they are: 1.5 and 1.25 are two classes, never rounded; 2 and 2.0 are one, unless other
    /// labels are words.
    ///
    /// # Errors
    /// [`Error::NoLayers`] if the column or array is not there; [`Error::Unsupported`] for an array
    /// that is no list; [`Error::Read`] or [`Error::Malformed`] if the file is bad.
    pub fn open(spec: &Path) -> Result<Self> {
        Self::read(spec, None)
    }

    /// Reads labels as [`Labels::open`] does, if there are as many as expected.
    ///
    /// # Errors
    /// As [`Labels::open`]; [`Error::RowMismatch`] naming both.
    pub fn open_for(spec: &Path, expected: ExpectedLabels<'_>) -> Result<Self> {
        Self::read(spec, Some(expected))
    }

    /// Reads labels for rows that are tokens: one a token, one a token that counts, or one a prompt,
    /// which each of its tokens gets.
    ///
    /// # Errors
    /// As [`Labels::open`]; [`Error::RowMismatch`] for another number.
    pub fn open_for_tokens(spec: &Path, tokens: &TokenRows) -> Result<Self> {
        let remedy = format!(
            "give --labels with one label a token, one a token that the mask keeps, or one for each \
             of the {} prompts",
            tokens.n_prompts()
        );
        let kept = tokens.kept().map_or(tokens.n_rows(), <[u32]>::len);
        let expected = ExpectedLabels {
            n: tokens.n_rows(),
            or: &[kept, tokens.n_prompts()],
            of: "the dump",
            remedy: &remedy,
        };
        Ok(Self::open_for(spec, expected)?.for_tokens(tokens))
    }

    /// A label for each row, from one a row, one a row that counts, or one a prompt.
    fn for_tokens(mut self, tokens: &TokenRows) -> Self {
        let given = self.codes.len();
        let codes = match tokens.kept() {
            _ if given == tokens.n_rows() => return self,
            Some(kept) if given == kept.len() => {
                let mut codes = vec![None; tokens.n_rows()];
                for (code, &row) in self.codes.iter().zip(kept) {
                    codes[row as usize] = *code;
                }
                codes
            }
            _ if given == tokens.n_prompts() => (0..tokens.n_rows())
                .map(|row| self.codes[tokens.place(row).0])
                .collect(),
            _ => return self,
        };
        self.codes = codes;
        self
    }

    fn read(spec: &Path, expected: Option<ExpectedLabels<'_>>) -> Result<Self> {
        let split = text::split_column(spec);
        let (path, column) = match &split {
            Some((file, column)) => (file.as_path(), Some(column.as_str())),
            None => (spec, None),
        };
        if column.is_none() && !path.exists() && path != Path::new("-") {
            // FILE#NAME, or an error that says what is not there.
            return from_array(&file::single(path)?, expected);
        }
        let bytes = text::read(path)?;
        if formats::is_array(path, &bytes) {
            if let Some(column) = column {
                return Err(Error::NoLayers {
                    path: path.to_owned(),
                    fact: "arrays have no columns".into(),
                    remedy: format!("name one as {}#{column}", path.display()),
                });
            }
            return from_array(&file::single_of(path, bytes)?, expected);
        }
        let text = text::decode(path, &bytes)?;
        let column = label_text::read(path, &text, column, expected)?;
        Ok(Self {
            placed: column.placed,
            ..Self::new(column.name, path, column.values)
        })
    }

    /// Factorises `values`; empty ones and words such as NA and NaN are missing.
    pub fn from_values(name: &str, values: impl IntoIterator<Item = String>) -> Self {
        Self::new(name.to_owned(), Path::new(name), values)
    }

    fn new(name: String, path: &Path, values: impl IntoIterator<Item = String>) -> Self {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut classes = Vec::new();
        let codes = values
            .into_iter()
            .map(|value| {
                if text::is_missing(&value) {
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
            placed: None,
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
        ExpectedLabels::rows(n, what).check(&self.path, self.codes.len())
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

fn from_array(entry: &Entry, expected: Option<ExpectedLabels<'_>>) -> Result<Labels> {
    let n = match entry.shape.as_slice() {
        &[n] | &[n, 1] => n,
        shape => {
            let fact = format!("shape {shape:?}");
            return Err(entry.unsupported(
                fact,
                "labels are a list of one value per row; of one-hot rows save x.argmax(axis=1)",
            ));
        }
    };
    if let Some(expected) = expected {
        expected.check(&entry.path, n)?;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_prompts_and_of_kept_tokens_find_their_rows() {
        let rows = TokenRows::new(&[(2, 2)], Some(vec![0, 2, 3]));
        let of = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned());
            Labels::from_values("x", words).for_tokens(&rows).codes
        };
        assert_eq!(of(&["a", "b"]), [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(of(&["a", "b", "c"]), [Some(0), None, Some(1), Some(2)]);
        assert_eq!(of(&["a", "b", "c", "d"]), [0, 1, 2, 3].map(Some));
        assert_eq!(of(&["a"; 7]).len(), 7);
    }
}
