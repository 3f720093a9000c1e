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
    let malformed = |fact: String, remedy: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy,
    };
    let table = text::Table::parse(path, &text::decode(path, &text::read(path)?)?, Some(key))?;
    let place = |name: &str, flag: &str| {
        table.place(name).ok_or_else(|| {
            malformed(
                format!("there is no column {name:?}"),
                format!("choose {flag}: {}", table.header.join(", ")),
            )
        })
    };
    let key_at = place(key, "--key")?;
    let cell = |row: usize, column: usize| table.cell(row, column);
    let mut keys: Vec<String> = Vec::new();
    for row in 0..table.n_rows() {
        let name = cell(row, key_at).to_owned();
        if name.is_empty() {
            return Err(malformed(
                format!("line {} has no {key}", row + 1),
                "fill it in, or delete the line".into(),
            ));
        }
        if keys.contains(&name) {
            return Err(malformed(
                format!("{key} {name:?} stands in two lines"),
                "keep one of them, or give them names of their own".into(),
            ));
        }
        keys.push(name);
    }
    let groups = match within {
        None => None,
        Some(within) => {
            let at = place(within, "--within")?;
            let mut known: Vec<&str> = Vec::new();
            let mut groups = Vec::new();
            for (row, name) in keys.iter().enumerate() {
                let group = cell(row, at);
                if text::is_missing(group) {
                    return Err(malformed(
                        format!("{key} {name:?} has no {within}"),
                        "fill it in, or leave --within out".into(),
                    ));
                }
                let known_at = known.iter().position(|one| *one == group);
                groups.push(known_at.unwrap_or_else(|| {
                    known.push(group);
                    known.len() - 1
                }));
            }
            Some(groups)
        }
    };
    let number = |row: usize, column: usize| -> std::result::Result<Option<f64>, ()> {
        let words = cell(row, column);
        match text::is_missing(words) {
            true => Ok(None),
            false => table
                .number(words)
                .filter(|x| x.is_finite())
                .map(Some)
                .ok_or(()),
        }
    };
    let values = |column: usize| -> std::result::Result<Vec<Option<f64>>, usize> {
        let rows = 0..table.n_rows();
        rows.map(|row| number(row, column).map_err(|()| row))
            .collect()
    };
    let mut columns = Vec::new();
    if wanted.is_empty() {
        for (at, name) in table.header.iter().enumerate() {
            let is_number = at != key_at && Some(name.as_str()) != within;
            if let Some(values) = is_number.then(|| values(at).ok()).flatten()
                && values.iter().any(Option::is_some)
            {
                columns.push((name.clone(), values));
            }
        }
        if columns.is_empty() {
            return Err(malformed(
                "no column holds numbers alone".into(),
                "name one with --column, or mend its cells".into(),
            ));
        }
    }
    for name in wanted {
        let at = place(name, "--column")?;
        let values = values(at).map_err(|row| {
            malformed(
                format!(
                    "{name} of {key} {:?} is {:?}, which is no number",
                    keys[row],
                    cell(row, at)
                ),
                "mend the cell, or leave it empty".into(),
            )
        })?;
        columns.push((name.clone(), values));
    }
    Ok(OutsideTable {
        key: key.to_owned(),
        keys,
        columns,
        groups,
    })
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
