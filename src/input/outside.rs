//! Reads a table of somebody else: a key a line, and columns of numbers.

use std::path::Path;

use super::text;
use crate::error::{Error, Result};

/// Numbers by key, one column after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct OutsideTable {
    /// The column of the keys.
    pub key: String,
    /// The keys, one a line, each once.
    pub keys: Vec<String>,
    /// Name and values of every column; `None` is an empty cell.
    pub columns: Vec<(String, Vec<Option<f64>>)>,
    /// The group of every line, as a number by first appearance; `None` where nobody asked.
    pub groups: Option<Vec<usize>>,
}

/// Reads a table whose keys stand in the column `key`.
///
/// `wanted` are the columns to keep; empty keeps every column whose cells are numbers. `within` is a
/// column of groups.
///
/// # Errors
/// [`Error::Malformed`] for a column that is not there or holds no numbers, a key that is empty or
/// stands in two lines, and a line without a group.
pub fn read_outside(
    path: &Path,
    key: &str,
    wanted: &[String],
    within: Option<&str>,
) -> Result<OutsideTable> {
    let table = text::Table::parse(path, &text::decode(path, &text::read(path)?)?, Some(key))?;
    let reader = Reader {
        key_at: place(path, &table, key, "--key")?,
        path,
        table,
        key,
    };
    let keys = reader.keys()?;
    let groups = match within {
        None => None,
        Some(within) => Some(reader.groups(&keys, within)?),
    };
    let columns = match wanted.is_empty() {
        true => reader.columns_of_numbers(within)?,
        false => reader.columns(&keys, wanted)?,
    };
    Ok(OutsideTable {
        key: key.to_owned(),
        keys,
        columns,
        groups,
    })
}

struct Reader<'a> {
    path: &'a Path,
    table: text::Table,
    key: &'a str,
    key_at: usize,
}

impl Reader<'_> {
    fn keys(&self) -> Result<Vec<String>> {
        let key = self.key;
        let mut keys: Vec<String> = Vec::new();
        for row in 0..self.table.n_rows() {
            let name = self.table.cell(row, self.key_at).to_owned();
            if name.is_empty() {
                return Err(malformed(
                    self.path,
                    format!("line {} has no {key}", row + 1),
                    "fill it in, or delete the line".into(),
                ));
            }
            if keys.contains(&name) {
                return Err(malformed(
                    self.path,
                    format!("{key} {name:?} stands in two lines"),
                    "keep one of them, or give them names of their own".into(),
                ));
            }
            keys.push(name);
        }
        Ok(keys)
    }

    /// The group of every line, as a number by first appearance.
    fn groups(&self, keys: &[String], within: &str) -> Result<Vec<usize>> {
        let at = place(self.path, &self.table, within, "--within")?;
        let mut known: Vec<&str> = Vec::new();
        let mut groups = Vec::new();
        for (row, name) in keys.iter().enumerate() {
            let group = self.table.cell(row, at);
            if text::is_missing(group) {
                return Err(malformed(
                    self.path,
                    format!("{} {name:?} has no {within}", self.key),
                    "fill it in, or leave --within out".into(),
                ));
            }
            let known_at = known.iter().position(|one| *one == group);
            groups.push(known_at.unwrap_or_else(|| {
                known.push(group);
                known.len() - 1
            }));
        }
        Ok(groups)
    }

    /// Every column whose cells are numbers or empty, and not all empty.
    fn columns_of_numbers(&self, within: Option<&str>) -> Result<Vec<(String, Vec<Option<f64>>)>> {
        let mut columns = Vec::new();
        for (at, name) in self.table.header.iter().enumerate() {
            let is_asked = at != self.key_at && Some(name.as_str()) != within;
            if let Some(values) = is_asked.then(|| self.values(at).ok()).flatten()
                && values.iter().any(Option::is_some)
            {
                columns.push((name.clone(), values));
            }
        }
        if columns.is_empty() {
            return Err(malformed(
                self.path,
                "no column holds numbers alone".into(),
                "name one with --column, or mend its cells".into(),
            ));
        }
        Ok(columns)
    }

    fn columns(
        &self,
        keys: &[String],
        wanted: &[String],
    ) -> Result<Vec<(String, Vec<Option<f64>>)>> {
        let column = |name: &String| {
            let at = place(self.path, &self.table, name, "--column")?;
            let values = self.values(at).map_err(|row| {
                malformed(
                    self.path,
                    format!(
                        "{name} of {} {:?} is {:?}, which is no number",
                        self.key,
                        keys[row],
                        self.table.cell(row, at)
                    ),
                    "mend the cell, or leave it empty".into(),
                )
            })?;
            Ok((name.clone(), values))
        };
        wanted.iter().map(column).collect()
    }

    /// The numbers of a column, or the first row that holds none.
    fn values(&self, column: usize) -> std::result::Result<Vec<Option<f64>>, usize> {
        let number = |row: usize| {
            let words = self.table.cell(row, column);
            if text::is_missing(words) {
                return Ok(None);
            }
            let number = self.table.number(words).filter(|x| x.is_finite());
            number.map(Some).ok_or(row)
        };
        (0..self.table.n_rows()).map(number).collect()
    }
}

fn place(path: &Path, table: &text::Table, name: &str, flag: &str) -> Result<usize> {
    table.place(name).ok_or_else(|| {
        malformed(
            path,
            format!("there is no column {name:?}"),
            format!("choose {flag}: {}", table.header.join(", ")),
        )
    })
}

fn malformed(path: &Path, fact: String, remedy: String) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, wanted: &[&str], within: Option<&str>) -> Result<OutsideTable> {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("table.csv");
        std::fs::write(&file, text).unwrap();
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        read_outside(&file, "run", &wanted, within)
    }

    #[test]
    fn columns_of_numbers_are_kept_with_their_gaps() {
        let found = read(
            "run,corpus,loss,acc\nb,x,1.5,\na,y,2,0.5\nc,x,3,1\n",
            &[],
            Some("corpus"),
        );
        let found = found.unwrap();
        assert_eq!(found.keys, ["b", "a", "c"]);
        assert_eq!(found.groups, Some(vec![0, 1, 0]));
        let loss = ("loss".to_owned(), vec![Some(1.5), Some(2.0), Some(3.0)]);
        let acc = ("acc".to_owned(), vec![None, Some(0.5), Some(1.0)]);
        assert_eq!(found.columns, [loss, acc]);
    }

    #[test]
    fn a_bad_table_is_an_error_that_names_the_cell() {
        for (text, wanted, within, word) in [
            ("run,loss\na,1\na,2\n", &[][..], None, "two lines"),
            ("run,loss\n,1\n", &[], None, "line 1 has no run"),
            ("name,loss\na,1\n", &[], None, "--key"),
            ("run,loss\na,1\n", &["gain"], None, "--column"),
            ("run,loss\na,low\n", &["loss"], None, "\"low\""),
            ("run,loss\na,low\n", &[], None, "no column holds numbers"),
            ("run,loss,g\na,1,\n", &[], Some("g"), "has no g"),
        ] {
            let error = read(text, wanted, within).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
