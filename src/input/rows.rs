//! Chooses which rows of the layers take part.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::chosen_column::chosen_column;
use super::dtype::Dtype;
use super::entry::Entry;
use super::labels::Labels;
use super::range::{IndexRange, whole_index};
use super::text::{self, Table};
use super::{file, formats};
use crate::random::SplitMix64;
use crate::{Error, Result};

/// Rows named by the user, as typed after `--rows`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RowSource {
    /// Every row.
    #[default]
    All,
    /// An index range such as `0..1000`; negative numbers count from the end.
    Range(String),
    /// A file of indices (an array, text with one a line, or a column as `FILE:COLUMN`) or of a
    /// boolean mask.
    File(PathBuf),
}

impl FromStr for RowSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // `..` is also the folder above, which holds no rows.
        let is_file = Path::new(text).exists() && !Path::new(text).is_dir();
        match IndexRange::parse(text) {
            Some(IndexRange::One(row)) if !is_file => {
                return Err(Error::Usage(format!(
                    "--rows {text}: one row has no neighbours; the first {row} rows are 0..{row}"
                )));
            }
            Some(_) if !is_file => return Ok(Self::Range(text.to_owned())),
            _ => {}
        }
        let looks_like_numbers = !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || "-,.:[]= ".contains(c));
        if looks_like_numbers && !Path::new(text).exists() && text.contains(|c: char| c != '-') {
            let step = text.split(':').count() == 3;
            if !step && text.contains(|c: char| c.is_ascii_digit()) {
                return Err(Error::Usage(format!(
                    "--rows {text}: give one range such as 0..500 (or 0:500), or a file with one \
                     index a line"
                )));
            }
        }
        let slice = text.split(':').count() == 3
            && text
                .split(':')
                .all(|part| part.is_empty() || part.parse::<i64>().is_ok());
        if slice && !is_file {
            return Err(Error::Usage(format!(
                "--rows {text}: slices with a step are not known; give a range such as 0..500, or \
                 a file of indices"
            )));
        }
        Ok(Self::File(text.into()))
    }
}

/// A seeded sample of the named rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sample {
    /// All of them.
    #[default]
    All,
    /// `m` rows, drawn without replacement (`--subsample`).
    Rows {
        /// How many.
        m: usize,
    },
    /// `m` rows of every class, drawn without replacement (`--per-class`); rows without a label
    /// are left out.
    PerClass {
        /// How many of each.
        m: usize,
    },
}

/// Which rows take part: those named, then a sample of them.
///
/// Rows are never reordered: a sample is a set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowChoice {
    /// The rows to choose from.
    pub source: RowSource,
    /// The sample of them.
    pub sample: Sample,
    /// The seed of the sample.
    pub seed: u64,
}

impl RowChoice {
    /// The chosen input rows of `n`, ascending, each once; `None` for all of them.
    ///
    /// `labels` hold one label for each of the `n` rows.
    ///
    /// # Errors
    /// [`Error::Usage`] if a row is not there, more are asked for than there are, or labels are
    /// missing or of another number; whatever reading a file of rows can give.
    pub fn resolve(&self, n: usize, labels: Option<&Labels>) -> Result<Option<Vec<u32>>> {
        self.resolve_among(n, None, labels)
    }

    /// The same, among some of the rows: those that take part at all.
    ///
    /// # Errors
    /// As [`RowChoice::resolve`].
    pub fn resolve_among(
        &self,
        n: usize,
        among: Option<&[u32]>,
        labels: Option<&Labels>,
    ) -> Result<Option<Vec<u32>>> {
        let mut named: Vec<usize> = match &self.source {
            RowSource::All if self.sample == Sample::All => {
                return Ok(among.map(<[u32]>::to_vec));
            }
            RowSource::All => (0..n).collect(),
            RowSource::Range(text) => {
                let range = IndexRange::parse(text).ok_or_else(|| format!("{text:?} is no range"));
                range
                    .and_then(|range| range.resolve(n))
                    .map_err(|fact| {
                        Error::Usage(format!("rows {text}: {fact}; rows count from 0"))
                    })?
                    .collect()
            }
            RowSource::File(path) => from_file(path, n)?,
        };
        if let Some(among) = among {
            named.retain(|&row| {
                u32::try_from(row).is_ok_and(|row| among.binary_search(&row).is_ok())
            });
            if named.is_empty() {
                return Err(Error::Usage(
                    "the rows that were named are all padding; rows that are tokens count from 0, \
                     those of the padding included"
                        .into(),
                ));
            }
        }
        let mut random = SplitMix64::new(self.seed);
        let chosen = match self.sample {
            Sample::All => named,
            Sample::Rows { m } => draw(&mut random, &named, m, || "--subsample".into())?,
            Sample::PerClass { m } => per_class(&mut random, &named, m, n, labels)?,
        };
        let rows = chosen.into_iter().map(|row| {
            u32::try_from(row).map_err(|_| Error::Usage(format!("row {row} is beyond 2^32")))
        });
        rows.collect::<Result<Vec<_>>>().map(Some)
    }
}

/// `m` of `rows`, ascending.
fn draw(
    random: &mut SplitMix64,
    rows: &[usize],
    m: usize,
    what: impl Fn() -> String,
) -> Result<Vec<usize>> {
    if m == 0 || m > rows.len() {
        return Err(Error::Usage(format!(
            "{} {m} needs a number from 1 to {}, the rows there are",
            what(),
            rows.len()
        )));
    }
    let mut chosen: Vec<usize> = random
        .choose(rows.len(), m)
        .into_iter()
        .map(|at| rows[at])
        .collect();
    chosen.sort_unstable();
    Ok(chosen)
}

fn per_class(
    random: &mut SplitMix64,
    rows: &[usize],
    m: usize,
    n: usize,
    labels: Option<&Labels>,
) -> Result<Vec<usize>> {
    let labels = labels.ok_or_else(|| Error::Usage("--per-class needs --labels".into()))?;
    labels.check_rows(n, "the dump")?;
    let mut members = vec![Vec::new(); labels.classes.len()];
    for &row in rows {
        if let Some(class) = labels.codes[row] {
            members[class as usize].push(row);
        }
    }
    let mut chosen = Vec::new();
    for (class, members) in labels.classes.iter().zip(&members) {
        chosen.extend(draw(random, members, m, || {
            format!("class {class:?}: --per-class")
        })?);
    }
    chosen.sort_unstable();
    Ok(chosen)
}

fn from_file(path: &Path, n: usize) -> Result<Vec<usize>> {
    let beyond = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: format!(
            "rows are indices from 0 to {} or {n} booleans",
            n.saturating_sub(1)
        ),
    };
    let split = text::split_column(path);
    let (file, column) = match &split {
        Some((file, column)) => (file.as_path(), Some(column.as_str())),
        None => (path, None),
    };
    let from_array = column.is_none() && !file.exists() && file != Path::new("-");
    let bytes = match from_array {
        true => None,
        false => Some(text::read(file)?),
    };
    let mut named = Named::new(n);
    match bytes {
        Some(bytes) if column.is_some() || !formats::is_array(file, &bytes) => {
            let text = text::decode(file, &bytes)?;
            of_text(file, &text, column, &mut named, &beyond)?;
        }
        Some(bytes) => of_array(&file::single_of(file, bytes)?, &mut named, &beyond)?,
        None => of_array(&file::single(file)?, &mut named, &beyond)?,
    }
    let rows = named.rows();
    match rows.is_empty() {
        true => Err(beyond("it names no rows".into())),
        false => Ok(rows),
    }
}

/// The rows that a file has named so far: one flag a row of the dump, however long the file is.
struct Named {
    flags: Vec<bool>,
    count: usize,
    beyond_one: bool,
}

impl Named {
    fn new(n: usize) -> Self {
        Self {
            flags: vec![false; n],
            count: 0,
            beyond_one: false,
        }
    }

    /// Names one row; `false` if there is none.
    fn add(&mut self, row: u64) -> bool {
        self.count += 1;
        self.beyond_one |= row > 1;
        let flag = usize::try_from(row)
            .ok()
            .and_then(|row| self.flags.get_mut(row));
        flag.map(|flag| *flag = true).is_some()
    }

    /// Sets every row from a mask of as many.
    fn mask(
        &mut self,
        length: usize,
        flags: impl Iterator<Item = bool>,
        beyond: &dyn Fn(String) -> Error,
    ) -> Result<()> {
        let n = self.flags.len();
        if length != n {
            return Err(beyond(format!("the mask has {length} rows, the dump {n}")));
        }
        for (flag, value) in self.flags.iter_mut().zip(flags) {
            *flag = value;
        }
        Ok(())
    }

    /// What is wrong with a row that is not there.
    fn lacks(&self, row: u64) -> String {
        let fact = format!("there is no row {row}");
        match row == self.flags.len() as u64 && self.flags.first() == Some(&false) {
            true => format!("{fact} and no index is 0, so they seem to count from 1: subtract 1"),
            false => fact,
        }
    }

    /// Fails for as many zeros and ones as there are rows, which may be a mask as well as indices.
    fn not_a_mask(&self, beyond: &dyn Fn(String) -> Error) -> Result<()> {
        let n = self.flags.len();
        if n > 2 && self.count == n && !self.beyond_one {
            return Err(beyond(format!(
                "it holds {n} zeros and ones, which look like a mask; save a mask as booleans"
            )));
        }
        Ok(())
    }

    /// The rows, ascending.
    fn rows(&self) -> Vec<usize> {
        (0..self.flags.len())
            .filter(|&row| self.flags[row])
            .collect()
    }
}

/// Rows of a list, or of a column of a table.
fn of_text(
    path: &Path,
    text: &str,
    column: Option<&str>,
    named: &mut Named,
    beyond: &dyn Fn(String) -> Error,
) -> Result<()> {
    let lines = text::list(text);
    let is_number = |line: &str| text::whole(line).is_some() || as_bool(line).is_some();
    if let Some(cells) = one_line(text).filter(|_| column.is_none()) {
        return of_words(cells, named, beyond);
    }
    if column.is_none() && lines.clone().next().is_none_or(is_number) {
        // A comment may stand behind an index, and lines may be empty.
        let bare = lines.map(|line| line.split('#').next().unwrap_or_default().trim());
        return of_words(bare.filter(|cell| !cell.is_empty()), named, beyond);
    }
    let table = Table::parse(path, text, column)?;
    let at = chosen_column(path, &table, column)?;
    of_words(table.column(at), named, beyond)
}

/// The cells of a list on one line, as in `0,5,7`, or in the brackets of Python and JSON, which may go
/// over several.
fn one_line(text: &str) -> Option<impl Iterator<Item = &str> + Clone> {
    let text = text.trim();
    let inside = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let list = inside.or_else(|| Some(text).filter(|text| !text.contains('\n')))?;
    let cells = list
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .filter(|cell| !cell.is_empty());
    let is_index = |cell: &str| text::whole(cell).is_some() || as_bool(cell).is_some();
    let several = cells.clone().nth(1).is_some();
    (several && cells.clone().all(is_index)).then_some(cells)
}

fn as_bool(cell: &str) -> Option<bool> {
    let is = |word: &str| cell.eq_ignore_ascii_case(word);
    is("true").then_some(true).or(is("false").then_some(false))
}

/// Rows of indices or of a mask in words.
fn of_words<'a>(
    cells: impl Iterator<Item = &'a str> + Clone,
    named: &mut Named,
    beyond: &dyn Fn(String) -> Error,
) -> Result<()> {
    let flags = cells.clone().map(as_bool);
    if flags.clone().next().is_some() && flags.clone().all(|flag| flag.is_some()) {
        return named.mask(flags.clone().count(), flags.flatten(), beyond);
    }
    let mut last = None;
    for cell in cells {
        let row = text::whole(cell).ok_or_else(|| beyond(format!("{cell:?} is no row index")))?;
        if !named.add(row) {
            last = last.max(Some(row));
        }
    }
    named.not_a_mask(beyond)?;
    last.map_or(Ok(()), |row| Err(beyond(named.lacks(row))))
}

/// Rows of an array of indices or booleans.
fn of_array(entry: &Entry, named: &mut Named, beyond: &dyn Fn(String) -> Error) -> Result<()> {
    let dtype = entry.dtype()?;
    // A column, or what numpy.where gives, has one axis of length 1 more.
    if entry.shape.iter().filter(|&&n| n != 1).count() > 1 || entry.shape.is_empty() {
        let fact = format!("{dtype} values of shape {:?}", entry.shape);
        return Err(entry.unsupported(fact, "--rows takes a list of integers or booleans"));
    }
    let length: usize = entry.shape.iter().product();
    let width = entry.shape[1..].iter().product::<usize>().max(1);
    let n = named.flags.len();
    let array = entry.load()?;
    let read = array.runs_f64().expect("the dtype was checked");
    let values = (0..length).map(|at| {
        let mut value = [0.0];
        read(at / width, at % width, &mut value);
        value[0]
    });
    if dtype == Dtype::Bool {
        return named.mask(length, values.map(|value| value > 0.0), beyond);
    }
    let mut last = None;
    for value in values {
        // One more than the last may be a count from 1, which is seen when all are read.
        match whole_index(value, n + 1) {
            Some(row) if named.add(row.into()) => {}
            Some(row) => last = last.max(Some(u64::from(row))),
            None => return Err(beyond(format!("there is no row {value}"))),
        }
    }
    named.not_a_mask(beyond)?;
    last.map_or(Ok(()), |row| Err(beyond(named.lacks(row))))
}
