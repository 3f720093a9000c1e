//! Which rows of the layers take part.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::dtype::Dtype;
use super::file;
use super::labels::Labels;
use super::range::{IndexRange, whole_index};
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
    /// A file of indices (`.npy` integers, or text with one a line) or a boolean mask (`.npy`).
    File(PathBuf),
}

impl FromStr for RowSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if IndexRange::parse(text).is_some() && !Path::new(text).exists() {
            return Ok(Self::Range(text.to_owned()));
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
        let named = match &self.source {
            RowSource::All if self.sample == Sample::All => return Ok(None),
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
    let mut rows = if path.extension().is_some_and(|ending| ending == "txt") {
        let text = fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| {
                line.parse()
                    .map_err(|_| beyond(format!("{line:?} is no row index")))
            })
            .collect::<Result<Vec<usize>>>()?
    } else {
        let entry = file::single(path)?;
        let dtype = entry.dtype()?;
        if entry.shape.len() != 1 || dtype.is_float() {
            let fact = format!("{dtype} values of shape {:?}", entry.shape);
            return Err(entry.unsupported(fact, "--rows takes a list of integers or booleans"));
        }
        let values = entry.load()?.to_f64().expect("the dtype was checked");
        match dtype {
            Dtype::Bool if values.len() != n => {
                return Err(beyond(format!(
                    "the mask has {} rows, the dump {n}",
                    values.len()
                )));
            }
            Dtype::Bool => (0..n).filter(|&row| values[row] > 0.0).collect(),
            _ => values
                .iter()
                .map(|&x| {
                    whole_index(x, n)
                        .map(|row| row as usize)
                        .ok_or_else(|| beyond(format!("there is no row {x}")))
                })
                .collect::<Result<_>>()?,
        }
    };
    rows.sort_unstable();
    rows.dedup();
    match rows.last() {
        None => Err(beyond("it names no rows".into())),
        Some(&last) if last >= n => Err(beyond(format!("there is no row {last}"))),
        Some(_) => Ok(rows),
    }
}
