//! Reads a class for every row.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::array::Array;
use super::dtype::Dtype;
use super::entry::Entry;
use super::item::Item;
use super::text::{self, Table};
use super::token_rows::TokenRows;
use super::{file, formats, name};
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

/// Reports echo labels by their name.
impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

/// How many labels there have to be: a file with more is refused before they are taken to memory.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedLabels<'a> {
    /// The number.
    pub n: usize,
    /// Other numbers that will do.
    pub or: &'a [usize],
    /// What has as many rows.
    pub of: &'a str,
    /// What to do where they differ.
    pub remedy: &'a str,
}

impl<'a> ExpectedLabels<'a> {
    /// One label for each of the `n` rows of a dump, a layer.
    pub fn rows(n: usize, of: &'a str) -> Self {
        Self {
            n,
            or: &[],
            of,
            remedy: "give --labels with one label per row of the dump",
        }
    }

    fn check(&self, path: &Path, found: usize) -> Result<()> {
        if found == self.n || self.or.contains(&found) {
            return Ok(());
        }
        Err(Error::RowMismatch {
            first: self.of.to_owned(),
            n_first: self.n,
            second: path.display().to_string(),
            n_second: found,
            remedy: self.remedy.to_owned(),
        })
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
        from_text(path, &text::decode(path, &bytes)?, column, expected)
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

/// A table with a header, or one label a line.
fn from_text(
    path: &Path,
    text: &str,
    column: Option<&str>,
    expected: Option<ExpectedLabels<'_>>,
) -> Result<Labels> {
    let check = |found| expected.map_or(Ok(()), |expected| expected.check(path, found));
    let ending = text::ending(path);
    let is_list = ending == "txt";
    let lines = text::list(text);
    let piped = !is_list && ending != "csv" && ending != "tsv";
    let looks_like_a_table = text::looks_like_a_table(lines.clone());
    if column.is_none() && (is_list || piped && !looks_like_a_table) {
        if looks_like_a_table {
            return Err(Error::Malformed {
                path: path.to_owned(),
                fact: "each line has several columns, separated by a tab or semicolon".into(),
                remedy: "name one as FILE:COLUMN below a header, or write one label a line".into(),
            });
        }
        let all: Vec<&str> = lines.clone().collect();
        check(all.len()).map_err(|error| header_in_list(error, &all))?;
        one_column(path, &all)?;
        let values = lines.map(str::to_owned);
        return Ok(Labels::new(
            name::stem(path),
            path,
            plain_numbers(values.collect()),
        ));
    }
    let table = Table::parse(path, text, column)?;
    let (column, order) = match column {
        Some(spec) if table.place(spec).is_none() => ordered(path, &table, spec)?,
        _ => (column, LineOrder::Unsaid),
    };
    let at = match column {
        Some(column) => table.place(column),
        None => (table.header.len() == 1).then_some(0),
    };
    let Some(at) = at else {
        return Err(Error::NoLayers {
            path: path.to_owned(),
            fact: match column {
                Some(column) => format!("there is no column {column:?}"),
                None => format!("there are {} columns", table.header.len()),
            },
            remedy: format!(
                "choose one as FILE:COLUMN: {}",
                file::list(table.header.iter().map(String::as_str))
            ),
        });
    };
    check(table.n_rows()).map_err(|error| match error {
        Error::RowMismatch {
            first,
            n_first,
            second,
            n_second,
            remedy,
        } if n_second + 1 == n_first => Error::RowMismatch {
            remedy: format!(
                "{remedy}; its first line, {:?}, was taken for a header: a list without one ends in \
                 .txt",
                table.header[at]
            ),
            first,
            n_first,
            second,
            n_second,
        },
        other => other,
    })?;
    if let (LineOrder::Unsaid, Some(column)) = (&order, table.out_of_order(at)) {
        let name = match column {
            "" => "first column, which has no name,".to_owned(),
            name => format!("column {}", name.escape_debug()),
        };
        return Err(Error::Malformed {
            path: path.to_owned(),
            fact: format!("its {name} numbers the lines in another order than they stand"),
            remedy: format!(
                "FILE:{}@{} gives each row the label of its number, FILE:{}@lines takes the lines as \
                 they stand",
                table.header[at],
                if column.is_empty() { "0" } else { column },
                table.header[at],
            ),
        });
    }
    if table.header.len() == 1 {
        let cells: Vec<&str> = table.column(0).collect();
        one_column(path, &cells)?;
    }
    let values = match order {
        LineOrder::Column(lines) => lines
            .iter()
            .map(|&line| table.cell(line, at).to_owned())
            .collect(),
        _ => table.column(at).map(str::to_owned).collect(),
    };
    Ok(Labels::new(
        table.header[at].clone(),
        path,
        plain_numbers(values),
    ))
}

/// The error for one label too many, which the first line may be as a header.
fn header_in_list(error: Error, lines: &[&str]) -> Error {
    let header = lines.first().copied().unwrap_or_default();
    match error {
        Error::RowMismatch {
            first,
            n_first,
            second,
            n_second,
            remedy,
        } if n_second == n_first + 1 && !lines[1..].contains(&header) => Error::RowMismatch {
            remedy: format!(
                "{remedy}; if its first line, {header:?}, is a header, name the column as \
                 {second}:{header}"
            ),
            first,
            n_first,
            second,
            n_second,
        },
        other => other,
    }
}

/// Which row each line of a table is about.
enum LineOrder {
    /// Line after line, unless a column says otherwise.
    Unsaid,
    /// Line after line, whatever columns say: `COLUMN@lines`.
    Lines,
    /// The lines in the order of a column that numbers them: `COLUMN@id`.
    Column(Vec<usize>),
}

/// A column and the order of its lines, of `COLUMN@ORDER`.
fn ordered<'a>(path: &Path, table: &Table, spec: &'a str) -> Result<(Option<&'a str>, LineOrder)> {
    let known = spec
        .rsplit_once('@')
        .filter(|(column, _)| table.place(column).is_some());
    let Some((column, by)) = known else {
        return Ok((Some(spec), LineOrder::Unsaid));
    };
    // The nameless first column of pandas is called 0.
    let nameless = (by == "0" && table.header[0].is_empty()).then_some(0);
    match table.place(by).or(nameless) {
        None if by == "lines" => Ok((Some(column), LineOrder::Lines)),
        None => Err(Error::NoLayers {
            path: path.to_owned(),
            fact: format!("there is no column {by:?} that numbers the rows"),
            remedy: format!(
                "choose one as FILE:{column}@COLUMN, or @lines for the lines as they stand: {}",
                file::list(table.header.iter().map(String::as_str))
            ),
        }),
        Some(at) => match table.order_by(at) {
            Some(lines) => Ok((Some(column), LineOrder::Column(lines))),
            None => Err(Error::Malformed {
                path: path.to_owned(),
                fact: format!(
                    "its column {} does not number the {} lines from 0 or 1, each once",
                    by.escape_debug(),
                    table.n_rows()
                ),
                remedy: "give every row of the dump one line with its number".into(),
            }),
        },
    }
}

/// Fails for lines that differ all, and have the same separators: a row's number beside its label.
fn one_column(path: &Path, lines: &[&str]) -> Result<()> {
    let mut distinct = lines.to_vec();
    distinct.sort_unstable();
    if lines.len() < 3 || distinct.windows(2).any(|pair| pair[0] == pair[1]) {
        return Ok(());
    }
    let count = |line: &str, separator: char| line.matches(separator).count();
    let same = |&separator: &char| {
        let first = count(lines[0], separator);
        first > 0 && lines.iter().all(|line| count(line, separator) == first)
    };
    match [',', '|', ' ', ':']
        .iter()
        .find(|separator| same(separator))
    {
        None => Ok(()),
        Some(separator) => Err(Error::Malformed {
            path: path.to_owned(),
            fact: format!(
                "no two lines are alike, and all have columns separated by {separator:?}"
            ),
            remedy:
                "write one label a line, or a header above columns separated by commas and name \
                     one as FILE:COLUMN"
                    .into(),
        }),
    }
}

/// Numbers without needless zeros, so that 2 and 2.0 are one class; anything where not all are
/// numbers.
fn plain_numbers(mut values: Vec<String>) -> Vec<String> {
    let is_number = |value: &String| {
        text::is_missing(value) || value.parse().is_ok_and(|number: f64| number.is_finite())
    };
    if values.iter().all(is_number) {
        for value in &mut values {
            let digits = value.trim_start_matches(['+', '-']);
            if let Some(number) = text::whole(value).filter(|_| value.contains(['e', 'E'])) {
                *value = number.to_string();
                continue;
            }
            let plain = digits.contains('.')
                && digits
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.');
            if plain {
                let short = value.trim_end_matches('0').trim_end_matches('.');
                *value = match short {
                    "" | "-" | "+" | "-0" => "0".to_owned(),
                    short => short.to_owned(),
                };
            }
        }
    }
    values
}

fn from_array(entry: &Entry, expected: Option<ExpectedLabels<'_>>) -> Result<Labels> {
    let n = match entry.shape.as_slice() {
        &[n] | &[n, 1] => n,
        shape => {
            let fact = format!("shape {shape:?}");
            return Err(entry.unsupported(fact, "labels are a list of one value per row"));
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
    fn whole_numbers_as_floats_are_the_same_class_and_words_stay() {
        let plain = |values: &[&str]| plain_numbers(values.iter().map(|v| v.to_string()).collect());
        assert_eq!(
            plain(&["2.0", "2", "", "1.50", "0.0"]),
            ["2", "2", "", "1.5", "0"]
        );
        assert_eq!(plain(&["2.0", "v2.0"]), ["2.0", "v2.0"]);
        assert_eq!(plain(&["10", "100"]), ["10", "100"]);
    }

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
