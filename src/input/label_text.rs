//! Reads labels from text: a column of a table, or a list with one a line.

use std::path::Path;

use super::chosen_column::chosen_column;
use super::expected_labels::ExpectedLabels;
use super::text::{self, Table};
use super::{file, name};
use crate::{Error, Result};

/// Labels as text gives them.
pub(super) struct Column {
    /// The column, or the stem of the file.
    pub name: String,
    /// One label a row.
    pub values: Vec<String>,
    /// How lines came to rows, where that was asked for.
    pub placed: Option<String>,
}

/// The labels of a table with a header, or of one label a line.
///
/// # Errors
/// As `Labels::open_for`.
pub(super) fn read(
    path: &Path,
    text: &str,
    column: Option<&str>,
    expected: Option<ExpectedLabels<'_>>,
) -> Result<Column> {
    let ending = text::ending(path);
    let is_list = ending == "txt";
    let lines = text::list(text);
    let piped = !is_list && ending != "csv" && ending != "tsv";
    let looks_like_a_table = text::looks_like_a_table(lines.clone());
    if column.is_none() && (is_list || piped && !looks_like_a_table) {
        let all: Vec<&str> = lines.collect();
        return list(path, &all, looks_like_a_table, expected);
    }
    let table = Table::parse(path, text, column)?;
    let (column, order) = match column {
        Some(spec) if table.place(spec).is_none() => ordered(path, &table, spec)?,
        _ => (column, LineOrder::Unsaid),
    };
    let at = chosen_column(path, &table, column)?;
    check(path, table.n_rows(), expected)
        .map_err(|error| list_as_table(error, &table.header[at]))?;
    if matches!(order, LineOrder::Unsaid) {
        in_row_order(path, &table, at)?;
    }
    if table.header.len() == 1 {
        let cells: Vec<&str> = table.column(0).collect();
        one_column(path, &cells)?;
    }
    let values = match &order {
        LineOrder::Column(_, lines) => lines
            .iter()
            .map(|&line| table.cell(line, at).to_owned())
            .collect(),
        _ => table.column(at).map(str::to_owned).collect(),
    };
    let placed = match order {
        LineOrder::Unsaid => None,
        LineOrder::Lines => Some("line after line".to_owned()),
        LineOrder::Column(by, _) => Some(format!("each line at the row that {by} numbers")),
    };
    Ok(Column {
        name: table.header[at].clone(),
        values: plain_numbers(values),
        placed,
    })
}

fn check(path: &Path, found: usize, expected: Option<ExpectedLabels<'_>>) -> Result<()> {
    expected.map_or(Ok(()), |expected| expected.check(path, found))
}

/// One label a line, called after the file.
fn list(
    path: &Path,
    lines: &[&str],
    looks_like_a_table: bool,
    expected: Option<ExpectedLabels<'_>>,
) -> Result<Column> {
    if looks_like_a_table {
        return Err(Error::Malformed {
            path: path.to_owned(),
            fact: "each line has several columns, separated by a tab or semicolon".into(),
            remedy: "name one as FILE:COLUMN below a header, or write one label a line".into(),
        });
    }
    no_json(path, lines)?;
    check(path, lines.len(), expected).map_err(|error| header_in_list(error, lines))?;
    one_column(path, lines)?;
    let values = lines.iter().map(|line| (*line).to_owned());
    Ok(Column {
        name: name::stem(path),
        values: plain_numbers(values.collect()),
        placed: None,
    })
}

/// Fails for JSON, a line of which is no label.
fn no_json(path: &Path, lines: &[&str]) -> Result<()> {
    let first = lines.first().map_or("", |line| line.trim());
    let lines_of_objects = first.starts_with('{') && first.ends_with('}') && first.contains("\":");
    let remedy = match first.starts_with("[\"") || first == "[" || first == "{" {
        _ if lines_of_objects => {
            "import pandas; pandas.read_json(\"…\", lines=True).to_csv(\"labels.csv\", index=False)"
        }
        true => "import pandas; pandas.read_json(\"…\").to_csv(\"labels.csv\", index=False)",
        false => return Ok(()),
    };
    Err(Error::Malformed {
        path: path.to_owned(),
        fact: "this is JSON, whose lines are no labels".into(),
        remedy: format!("convert it in Python: {remedy}"),
    })
}

/// Fails where another column numbers the rows in another order than the lines stand in.
fn in_row_order(path: &Path, table: &Table, at: usize) -> Result<()> {
    let Some(column) = table.out_of_order(at) else {
        return Ok(());
    };
    let name = match column {
        "" => "first column, which has no name,".to_owned(),
        name => format!("column {}", name.escape_debug()),
    };
    Err(Error::Malformed {
        path: path.to_owned(),
        fact: format!("its {name} numbers the lines in another order than they stand"),
        remedy: format!(
            "FILE:{}@{} gives each row the label of its number, FILE:{}@lines takes the lines as they \
             stand",
            table.header[at],
            if column.is_empty() { "0" } else { column },
            table.header[at],
        ),
    })
}

/// The error for one label too few, where the first line may be no header.
fn list_as_table(error: Error, header: &str) -> Error {
    match error {
        Error::RowMismatch {
            first,
            n_first,
            second,
            n_second,
            remedy,
        } if n_second + 1 == n_first => Error::RowMismatch {
            remedy: format!(
                "{remedy}; its first line, {header:?}, was taken for a header: a list without one \
                 ends in .txt"
            ),
            first,
            n_first,
            second,
            n_second,
        },
        other => other,
    }
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
    /// A column that numbers the lines, and the lines in its order: `COLUMN@id`.
    Column(String, Vec<usize>),
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
            Some(lines) => Ok((Some(column), LineOrder::Column(by.to_owned(), lines))),
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
}
