//! Reads text as people write it: lists and tables of labels, rows, targets, series.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::bytes::{Bytes, read_stdin};
use super::name;
use crate::{Error, Result};

/// The most bytes of text that are read, compressed or not.
const MAX_TEXT: u64 = 1 << 30;

/// The most bytes of a list of names: layers, runs.
const MAX_NAMES: usize = 64 << 20;

/// What separates columns; the first is what one column is read with.
const SEPARATORS: [u8; 3] = [b',', b'\t', b';'];

/// The ending of a text file in lower case: that behind which `.gz` stands, where it does.
pub(super) fn ending(path: &Path) -> String {
    match name::ending(path).as_str() {
        "gz" => name::ending(&path.with_extension("")),
        other => other.to_owned(),
    }
}

/// Whether a file is a table or a list by its ending, compressed or not.
pub(crate) fn is_text(path: &Path) -> bool {
    matches!(ending(path).as_str(), "csv" | "tsv" | "txt")
}

/// The content of a file, a pipe, or `-`, read once; gzip is unpacked.
///
/// # Errors
/// [`Error::Read`]; [`Error::Malformed`] if gzip does not unpack, or to more than 1 GiB.
pub(crate) fn read(path: &Path) -> Result<Arc<Bytes>> {
    let bytes = if path == Path::new("-") {
        Arc::new(Bytes::Owned(read_stdin()?))
    } else {
        Bytes::open(path)?
    };
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(bytes);
    }
    let refused = |fact: String| malformed(path, fact, "compress it again with gzip");
    let mut content = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .take(MAX_TEXT + 1)
        .read_to_end(&mut content)
        .map_err(|error| refused(format!("gzip does not unpack: {error}")))?;
    if content.len() as u64 > MAX_TEXT {
        return Err(refused("gzip unpacks to more than 1 GiB".into()));
    }
    Ok(Arc::new(Bytes::Owned(content)))
}

/// `FILE:COLUMN` in two parts, if no file has the whole as its name.
pub(crate) fn split_column(spec: &Path) -> Option<(PathBuf, String)> {
    if spec.exists() {
        return None;
    }
    let (file, column) = spec.to_str()?.rsplit_once(':')?;
    let there = file == "-" || Path::new(file).exists();
    there.then(|| (file.into(), column.to_owned()))
}

/// The text of some bytes: UTF-8, or UTF-16 behind its mark; marks are left out.
///
/// # Errors
/// [`Error::Malformed`] for another encoding, and beyond 1 GiB.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<String> {
    if bytes.len() as u64 > MAX_TEXT {
        let fact = format!("{} MiB are no text that is read whole", bytes.len() >> 20);
        return Err(malformed(
            path,
            fact,
            "text may have 1 GiB; save numbers as .npy",
        ));
    }
    let other = || malformed(path, "the text is not UTF-8", "save it as UTF-8");
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.ok_or_else(other)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest)
            .map(str::to_owned)
            .map_err(|_| other()),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| other()),
    }
}

/// Whether a cell says that there is no value, in the words of pandas, R and spreadsheets.
pub(crate) fn is_missing(cell: &str) -> bool {
    const EXACT: [&str; 12] = [
        "", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "1.#IND", "-1.#IND", "1.#QNAN",
        "-1.#QNAN",
    ];
    const ANY_CASE: [&str; 5] = ["nan", "-nan", "null", "none", "nat"];
    EXACT.contains(&cell) || ANY_CASE.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// A whole number, also written as a float (`2.0`), as pandas does beside missing values, or with an
/// exponent (`2.0e+00`), as numpy.savetxt does.
pub(crate) fn whole(cell: &str) -> Option<u64> {
    if cell.contains(['e', 'E']) {
        let value: f64 = cell.parse().ok()?;
        let is_whole = value >= 0.0 && value <= 2f64.powi(53) && value.fract().abs() <= 0.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole and in range
        return is_whole.then_some(value as u64);
    }
    let digits = match cell.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|digit| digit == b'0') => digits,
        Some(_) => return None,
        None => cell,
    };
    digits.parse().ok()
}

/// The lines of a list, trimmed: without the comments (`#`) above the first, and without the empty
/// lines behind the last.
pub(crate) fn list(text: &str) -> impl Iterator<Item = &str> + Clone {
    let lines = text.trim_end().lines().map(str::trim);
    lines.skip_while(|line| line.starts_with('#')).map(unquoted)
}

/// A cell without the quotes around all of it.
fn unquoted(cell: &str) -> &str {
    let inner = cell
        .strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(cell)
}

/// The lines of a text file without empty ones: names, in order.
///
/// # Errors
/// As reading; [`Error::Malformed`] if there are none.
pub fn read_lines(path: &Path) -> Result<Vec<String>> {
    let text = read_names(path)?;
    let lines = list(&text).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    match lines.is_empty() {
        true => Err(malformed(
            path,
            "there are no lines",
            "write one name a line",
        )),
        false => Ok(lines),
    }
}

/// The text of a file that names layers or runs.
///
/// # Errors
/// As [`read`] and [`decode`]; [`Error::Malformed`] beyond 64 MiB.
pub(crate) fn read_names(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    if bytes.len() > MAX_NAMES {
        let fact = format!("{} MiB are no list of names", bytes.len() >> 20);
        return Err(malformed(path, fact, "such a list may have 64 MiB"));
    }
    decode(path, &bytes)
}

/// A table with a header.
pub(crate) struct Table {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The cells of all lines one behind the other, and where each ends: a string for each would
    /// take far more than the file.
    cells: String,
    ends: Vec<u32>,
    n_rows: usize,
    separator: u8,
}

impl Table {
    /// Reads a table whose columns are separated by commas, tabs or semicolons: by whichever gives
    /// every line as many cells as the header has, or the column `wanted`.
    ///
    /// # Errors
    /// [`Error::Malformed`] if lines differ in their number of cells, or two separators fit.
    pub(crate) fn parse(path: &Path, text: &str, wanted: Option<&str>) -> Result<Self> {
        let text = below_comments(text.strip_prefix("sep=").map_or(text, |rest| {
            // A spreadsheet's word for its separator.
            rest.split_once('\n').map_or("", |(_, below)| below)
        }));
        let bad = |error: csv::Error| {
            malformed(
                path,
                error.to_string().replace('\n', " "),
                "each line needs as many cells as the header",
            )
        };
        let mut fitting: Vec<Self> = SEPARATORS
            .iter()
            .filter_map(|&separator| Self::with(&text, separator).ok())
            .filter(|table| table.header.len() > 1)
            .collect();
        if let Some(wanted) = wanted
            && fitting.iter().any(|table| table.place(wanted).is_some())
        {
            fitting.retain(|table| table.place(wanted).is_some());
        }
        if let [table] = fitting.as_slice()
            && let Some(name) = table.name_of_two()
            && wanted.is_none_or(|wanted| wanted == name)
        {
            return Err(malformed(
                path,
                format!("two columns are called {name:?}"),
                "give each column a name of its own",
            ));
        }
        match fitting.len() {
            1 => Ok(fitting.remove(0)),
            0 => {
                // The separator that the header has most of shows what is wrong.
                let header = text.lines().next().unwrap_or_default();
                let count = |&&separator: &&u8| {
                    let counted = header.bytes().filter(|&byte| byte == separator).count();
                    (counted, usize::from(separator == b','))
                };
                let separator = SEPARATORS.iter().max_by_key(count).unwrap_or(&b',');
                Self::with(&text, *separator).map_err(bad)
            }
            _ => Err(malformed(
                path,
                "columns may be separated by several characters (comma, tab, semicolon)",
                "quote the cells that hold one of them, or name the column as FILE:COLUMN",
            )),
        }
    }

    fn with(text: &str, separator: u8) -> Result<Self, csv::Error> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers()?.iter().map(str::to_owned).collect();
        let mut table = Self {
            header,
            cells: String::new(),
            ends: Vec::new(),
            n_rows: 0,
            separator,
        };
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            for cell in &record {
                table.cells.push_str(cell);
                // A text has at most 1 GiB.
                table
                    .ends
                    .push(u32::try_from(table.cells.len()).unwrap_or(u32::MAX));
            }
            table.n_rows += 1;
        }
        Ok(table)
    }

    /// The number of lines below the header.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// One cell.
    ///
    /// # Panics
    /// If there is no such line or column.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        assert!(column < self.header.len(), "there is no column {column}");
        let at = row * self.header.len() + column;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.cells[start as usize..self.ends[at] as usize]
    }

    /// The cells of one column.
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        (0..self.n_rows).map(move |row| self.cell(row, column))
    }

    /// A name that two columns have.
    pub(crate) fn name_of_two(&self) -> Option<&str> {
        let mut names = self.header.iter().enumerate();
        let twice = names.find(|(at, name)| !name.is_empty() && self.header[..*at].contains(name));
        twice.map(|(_, name)| name.as_str())
    }

    /// The lines in the order in which a column counts them from 0 or 1; `None` if it does not.
    pub(crate) fn order_by(&self, column: usize) -> Option<Vec<usize>> {
        let numbers: Option<Vec<u64>> = self.column(column).map(whole).collect();
        let numbers = numbers?;
        let mut lines: Vec<usize> = (0..numbers.len()).collect();
        lines.sort_by_key(|&line| numbers[line]);
        let first = numbers[*lines.first()?];
        let counted = lines
            .iter()
            .enumerate()
            .all(|(at, &line)| numbers[line] == first + at as u64);
        (first < 2 && counted).then_some(lines)
    }

    /// The column that counts the lines, from 0 or 1, in another order than theirs: one called `row`,
    /// `index`, `id` and the like, or the nameless one in front that pandas writes; the one that is
    /// read, `asked`, is no claim about lines.
    pub(crate) fn out_of_order(&self, asked: usize) -> Option<&str> {
        const COUNTS: [&str; 5] = ["row", "index", "idx", "id", "unnamed: 0"];
        let mut names = self.header.iter().enumerate();
        let found = names.find(|(at, name)| {
            let is_count = COUNTS.contains(&name.to_lowercase().as_str());
            let claims = is_count || *at == 0 && name.is_empty();
            *at != asked && claims && self.counts_in_another_order(*at)
        });
        found.map(|(_, name)| name.as_str())
    }

    fn counts_in_another_order(&self, column: usize) -> bool {
        // Anything but a count of lines is no claim about them.
        let order = self.order_by(column);
        order.is_some_and(|order| !order.is_sorted())
    }

    /// The place of a column.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// A number in a cell; where semicolons separate, its point may be a comma.
    pub(crate) fn number(&self, cell: &str) -> Option<f64> {
        if self.separator == b';' && !cell.contains('.') {
            return cell.replacen(',', ".", 1).parse().ok();
        }
        cell.parse().ok()
    }
}

/// The text behind the comment lines above a header; a header that is itself behind a `#` loses it.
fn below_comments(text: &str) -> String {
    let mut rest = text;
    while let Some(comment) = rest.strip_prefix('#') {
        let (line, below) = comment.split_once('\n').unwrap_or((comment, ""));
        let next = below.lines().next().unwrap_or_default();
        let cells =
            |line: &str, separator: u8| line.bytes().filter(|&byte| byte == separator).count();
        let is_header = !next.starts_with('#')
            && SEPARATORS
                .iter()
                .any(|&sep| cells(line, sep) > 0 && cells(line, sep) == cells(next, sep));
        if is_header {
            return comment.trim_start().to_owned();
        }
        rest = below;
    }
    rest.to_owned()
}

/// Whether every line has the same cells by a tab or a semicolon, so that it is no list.
pub(crate) fn looks_like_a_table<'a>(mut lines: impl Iterator<Item = &'a str> + Clone) -> bool {
    let count = |line: &str, separator: u8| line.bytes().filter(|&byte| byte == separator).count();
    let Some(header) = lines.next() else {
        return false;
    };
    lines.clone().next().is_some()
        && [b'\t', b';'].iter().any(|&separator| {
            let first = count(header, separator);
            first > 0 && lines.clone().all(|line| count(line, separator) == first)
        })
}

fn malformed(path: &Path, fact: impl Into<String>, remedy: &str) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        fact: fact.into(),
        remedy: remedy.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, wanted: Option<&str>) -> Result<Table> {
        Table::parse(Path::new("t.csv"), text, wanted)
    }

    #[test]
    fn separators_are_found_by_what_gives_every_line_its_cells() {
        for text in [
            "class,row\ncat,0\ndog,1\n",
            "class;row\r\ncat;0\r\ndog;1\r\n",
            "class\trow\n\ncat\t0\ndog\t1\n\n",
            "# made by hand\nclass,row\ncat,0\ndog,1\n",
            "#class,row\ncat,0\ndog,1\n",
            "\"class\",\"row\"\n\"cat\",0\n\"dog\",1\n",
        ] {
            let table = table(text, None).unwrap();
            assert_eq!(table.header, ["class", "row"], "{text:?}");
            assert_eq!((table.cell(1, 0), table.n_rows()), ("dog", 2));
        }
        assert!(table("a,b;c\n1,2;3\n", None).is_err());
        assert_eq!(
            table("a,b;c\n1,2;3\n", Some("c")).unwrap().header,
            ["a,b", "c"]
        );
        let ragged = table("a,b\n1\n", None).err().unwrap().to_string();
        assert!(
            ragged.contains("t.csv") && ragged.contains("record"),
            "{ragged}"
        );
        assert_eq!(table("only\nx\n", None).unwrap().header, ["only"]);
        let german = table("x;id\n1;2,5\n", None).unwrap();
        assert_eq!(german.number(german.cell(0, 1)), Some(2.5));
    }

    #[test]
    fn marks_and_wide_characters_are_read() {
        let path = Path::new("x");
        assert_eq!(decode(path, b"\xef\xbb\xbfcat").unwrap(), "cat");
        assert_eq!(decode(path, b"\xff\xfec\0a\0t\0").unwrap(), "cat");
        assert_eq!(decode(path, b"\xfe\xff\0c\0a\0t").unwrap(), "cat");
        assert!(decode(path, b"\xff\xfec").is_err() && decode(path, b"caf\xe9").is_err());
    }

    #[test]
    fn lists_keep_gaps_inside_and_drop_what_is_around() {
        let lines: Vec<&str> = list("# labels\na\r\n\n\"b\"\n\n\n").collect();
        assert_eq!(lines, ["a", "", "b"]);
        assert_eq!(list("# nothing\n\n").count(), 0);
        assert!(looks_like_a_table(["cat;0", "dog;1"].into_iter()));
        assert!(!looks_like_a_table(["cat", "dog;1"].into_iter()));
        for (cell, number) in [
            ("2", Some(2)),
            ("2.0", Some(2)),
            ("2.000000000000000000e+00", Some(2)),
            ("1.5e0", None),
            ("2.5", None),
            ("-1", None),
        ] {
            assert_eq!(whole(cell), number, "{cell}");
        }
    }
}
