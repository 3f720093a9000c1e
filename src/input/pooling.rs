//! Makes rows and columns of arrays with more than two axes.

use std::fmt;
use std::str::FromStr;

use super::array::{Array, Cut, map_rows};
use super::dtype::Dtype;
use super::entry::Entry;
use super::mask::MaskRows;
use super::matrix::Matrix;
use crate::{Error, Result};

/// What to make of the axes behind the first, as typed after `--pool`.
///
/// `last`, `mean`, `max`, `first` and `token:I` take `[N, T, D]` to `[N, D]`, `last:K` to `[N, K D]`,
/// `tokens` to `[N T, D]`; `gap` takes `[N, C, H, W]` to `[N, C]`; `flatten` takes either to one row of everything. Means are
/// computed and kept in f64, the rest keeps its stored precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The last token, or the last one that the mask keeps.
    Last,
    /// The last K tokens side by side, or the last that the mask keeps, in their order.
    LastFew(usize),
    /// The mean over tokens, or over those that the mask keeps.
    Mean,
    /// The largest value of each column over tokens, or over those that the mask keeps.
    Max,
    /// The first token, or the first one that the mask keeps.
    First,
    /// The token at this position; negative positions count from the end.
    Token(i64),
    /// Every token is a row of its own, or every one that the mask keeps.
    Tokens,
    /// All values of a row, side by side.
    Flatten,
    /// Global average pooling: the mean of each channel over height and width.
    Gap,
}

impl FromStr for Pooling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            Error::Usage(format!(
                "--pool {text:?} is unknown; use last, mean, max, first, cls, token:I, last:K, \
                 tokens, flatten or gap"
            ))
        };
        match text {
            "last" => Ok(Self::Last),
            "mean" => Ok(Self::Mean),
            "max" => Ok(Self::Max),
            // The token that stands for the text in BERT and ViT is the first.
            "first" | "cls" => Ok(Self::First),
            "tokens" => Ok(Self::Tokens),
            "flatten" => Ok(Self::Flatten),
            "gap" => Ok(Self::Gap),
            _ if text.starts_with("last:") => match text["last:".len()..].parse() {
                Ok(count @ 1..) => Ok(Self::LastFew(count)),
                _ => Err(unknown()),
            },
            _ => {
                let index = text.strip_prefix("token:").ok_or_else(unknown)?;
                index.parse().map(Self::Token).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("last"),
            Self::LastFew(count) => write!(f, "last:{count}"),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
            Self::First => f.write_str("first"),
            Self::Token(index) => write!(f, "token:{index}"),
            Self::Tokens => f.write_str("tokens"),
            Self::Flatten => f.write_str("flatten"),
            Self::Gap => f.write_str("gap"),
        }
    }
}

impl Pooling {
    /// Whether axis 1 of three is tokens.
    pub(crate) fn heeds_tokens(self) -> bool {
        self.heeds_mask() || matches!(self, Self::Token(_))
    }

    /// Whether a mask changes the result.
    pub(crate) fn heeds_mask(self) -> bool {
        matches!(
            self,
            Self::Last | Self::LastFew(_) | Self::Mean | Self::Max | Self::First | Self::Tokens
        )
    }
}

/// Rows of an array with three or four axes.
///
/// # Errors
/// [`Error::Unsupported`] for a pooling that this number of axes does not have or a token that is
/// not there; [`Error::Usage`] for a mask that the pooling would ignore; what
/// [`MaskRows::check`] says.
pub(crate) fn pool(
    entry: &Entry,
    array: &Array,
    pooling: Pooling,
    mask: Option<MaskRows<'_>>,
    rows: Option<&[u32]>,
) -> Result<Matrix> {
    if mask.is_some() && !pooling.heeds_mask() {
        return Err(Error::Usage(
            "--mask has no part in this --pool; use it with mean, max, last, first or tokens"
                .into(),
        ));
    }
    let refuse = |fact: &str, remedy: &str| {
        let fact = format!("shape {:?}, {fact}", array.shape);
        Err(entry.unsupported(fact, remedy))
    };
    match (array.shape.as_slice(), pooling) {
        (_, Pooling::Flatten) => whole(entry, array, rows),
        (&[_, channels, height, width], Pooling::Gap) => {
            let all = |_| vec![true; height * width];
            Ok(averages(array, rows, channels, all, Axis::Last))
        }
        (&[_, tokens, width], Pooling::Tokens) => every_token(entry, array, rows, tokens, width),
        (_, Pooling::Gap) => refuse("and gap needs [N, C, H, W]", "use --pool mean for tokens"),
        (&[n, tokens, width], _) => {
            if let Some(mask) = mask {
                mask.check(entry, n, tokens, rows)?;
            }
            pool_tokens(entry, array, pooling, mask, rows, (tokens, width))
        }
        _ => refuse(
            "which has no tokens",
            "use --pool gap or --pool flatten, or say the axes, such as --axes LNTD",
        ),
    }
}

/// Rows of `[N, T, D]`, under a mask that was checked.
fn pool_tokens(
    entry: &Entry,
    array: &Array,
    pooling: Pooling,
    mask: Option<MaskRows<'_>>,
    rows: Option<&[u32]>,
    (tokens, width): (usize, usize),
) -> Result<Matrix> {
    let kept = |row: usize| match &mask {
        None => vec![true; tokens],
        Some(mask) => mask.row(row).to_vec(),
    };
    let first = |row| mask.map_or(0, |mask| position(mask.row(row).iter().position(|&k| k)));
    let last = |row| {
        mask.map_or(tokens - 1, |mask| {
            position(mask.row(row).iter().rposition(|&k| k))
        })
    };
    match pooling {
        Pooling::Mean => Ok(averages(array, rows, width, kept, Axis::Middle)),
        Pooling::Max => Ok(largest(entry.dtype()?, array, rows, width, kept)),
        Pooling::LastFew(count) => last_few(entry, array, rows, (count, width), kept),
        Pooling::First => token(entry, array, rows, width, &first),
        Pooling::Last => token(entry, array, rows, width, &last),
        Pooling::Token(index) => match from_end(index, tokens) {
            Some(at) => token(entry, array, rows, width, &|_| at),
            None => Err(entry.unsupported(
                format!("{tokens} tokens, and there is no token {index} among them"),
                "choose another --pool token:I",
            )),
        },
        Pooling::Flatten | Pooling::Gap | Pooling::Tokens => whole(entry, array, rows),
    }
}

/// Rows `rows` of the tokens of `[N, T, D]`, row n T + t being token t of row n: in the file where they
/// can stay.
fn every_token(
    entry: &Entry,
    array: &Array,
    rows: Option<&[u32]>,
    tokens: usize,
    width: usize,
) -> Result<Matrix> {
    if let Some(flat) = array.merged() {
        return whole(entry, &flat, rows);
    }
    let read = array.runs_f64().expect("the dtype of a layer is a number");
    let n = array.n_rows() * tokens;
    let values = map_rows(n, rows, width, |block, rows| {
        for (out, &row) in block.chunks_exact_mut(width).zip(rows) {
            read(row / tokens, row % tokens * width, out);
        }
    });
    let n = rows.map_or(n, <[u32]>::len);
    Ok(Matrix::from_f64(n, width, values).narrowed(entry.dtype()?))
}

/// Every value of every row: the file's own bytes where they can stay.
pub(crate) fn whole(entry: &Entry, array: &Array, rows: Option<&[u32]>) -> Result<Matrix> {
    match (array.mapped(), rows) {
        (Some(matrix), None) => Ok(matrix),
        (Some(matrix), Some(rows)) => Ok(matrix.select(rows)),
        (None, _) => Ok(array.decoded(entry.dtype()?, &array.whole_rows(rows))),
    }
}

fn token(
    entry: &Entry,
    array: &Array,
    rows: Option<&[u32]>,
    width: usize,
    at: &(dyn Fn(usize) -> usize + Sync),
) -> Result<Matrix> {
    let start = |row| at(row) * width;
    let cut = Cut {
        rows,
        width,
        start: &start,
    };
    Ok(array.decoded(entry.dtype()?, &cut))
}

fn position(kept: Option<usize>) -> usize {
    kept.expect("a mask was checked to keep a token of every row")
}

fn from_end(index: i64, n: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    match index {
        0.. => Some(distance).filter(|&at| at < n),
        _ => n.checked_sub(distance),
    }
}

/// The largest value of each column over the tokens that `kept` names; NaN stays where one is.
fn largest(
    dtype: Dtype,
    array: &Array,
    rows: Option<&[u32]>,
    columns: usize,
    kept: impl Fn(usize) -> Vec<bool> + Sync,
) -> Matrix {
    let read = array.runs_f64().expect("the dtype of a layer is a number");
    let values = map_rows(array.n_rows(), rows, columns, |block, rows| {
        let mut token = vec![0.0; columns];
        for (out, &row) in block.chunks_exact_mut(columns).zip(rows) {
            out.fill(f64::NEG_INFINITY);
            for (at, _) in kept(row).iter().enumerate().filter(|&(_, &k)| k) {
                read(row, at * columns, &mut token);
                for (most, &x) in out.iter_mut().zip(&token) {
                    // Not f64::max, which passes NaN over.
                    *most = if x > *most || x.is_nan() { x } else { *most };
                }
            }
        }
    });
    let n = rows.map_or(array.n_rows(), <[u32]>::len);
    Matrix::from_f64(n, columns, values).narrowed(dtype)
}

/// The last `count` tokens that `kept` names, side by side in their order.
fn last_few(
    entry: &Entry,
    array: &Array,
    rows: Option<&[u32]>,
    (count, width): (usize, usize),
    kept: impl Fn(usize) -> Vec<bool> + Sync,
) -> Result<Matrix> {
    let places = |row: usize| -> Vec<usize> {
        let kept = kept(row);
        let places = (0..kept.len()).rev().filter(|&at| kept[at]).take(count);
        let mut places: Vec<usize> = places.collect();
        places.reverse();
        places
    };
    let short = |row: &usize| places(*row).len() < count;
    let found = match rows {
        None => (0..array.n_rows()).find(short),
        Some(rows) => rows.iter().map(|&row| row as usize).find(short),
    };
    if let Some(row) = found {
        let fact = format!("only {} tokens in row {row}", places(row).len());
        return Err(entry.unsupported(fact, format!("--pool last:{count} needs {count}")));
    }
    let read = array.runs_f64().expect("the dtype of a layer is a number");
    let columns = count * width;
    let values = map_rows(array.n_rows(), rows, columns, |block, rows| {
        for (out, &row) in block.chunks_exact_mut(columns).zip(rows) {
            for (token, at) in out.chunks_exact_mut(width).zip(places(row)) {
                read(row, at * width, token);
            }
        }
    });
    let n = rows.map_or(array.n_rows(), <[u32]>::len);
    Ok(Matrix::from_f64(n, columns, values).narrowed(entry.dtype()?))
}

/// Which axis of `[N, A, B]` is averaged away.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    /// A: tokens, leaving one column per B.
    Middle,
    /// B: pixels, leaving one column per A.
    Last,
}

/// Means over one axis in f64, summed in ascending order over the places that `kept` names.
fn averages(
    array: &Array,
    rows: Option<&[u32]>,
    columns: usize,
    kept: impl Fn(usize) -> Vec<bool> + Sync,
    axis: Axis,
) -> Matrix {
    let read = array.runs_f64().expect("the dtype of a layer is a number");
    let values = map_rows(array.n_rows(), rows, columns, |block, rows| {
        for (out, &row) in block.chunks_exact_mut(columns).zip(rows) {
            let kept = kept(row);
            let count = kept.iter().filter(|&&k| k).count() as f64;
            match axis {
                Axis::Middle => {
                    let mut token = vec![0.0; columns];
                    for (at, _) in kept.iter().enumerate().filter(|&(_, &k)| k) {
                        read(row, at * columns, &mut token);
                        out.iter_mut().zip(&token).for_each(|(sum, x)| *sum += x);
                    }
                    out.iter_mut().for_each(|sum| *sum /= count);
                }
                Axis::Last => {
                    let mut channel = vec![0.0; kept.len()];
                    for (at, mean) in out.iter_mut().enumerate() {
                        read(row, at * kept.len(), &mut channel);
                        *mean = channel.iter().sum::<f64>() / count;
                    }
                }
            }
        }
    });
    let n = rows.map_or(array.n_rows(), <[u32]>::len);
    Matrix::from_f64(n, columns, values)
}

/// How many rows some parts of a layer have.
pub(super) fn rows_in(parts: &[Entry], pool: Option<Pooling>) -> usize {
    let rows = |part: &Entry| match (part.shape.as_slice(), pool) {
        (&[n, tokens, _], Some(Pooling::Tokens)) => n.saturating_mul(tokens),
        (shape, _) => shape.first().copied().unwrap_or(1),
    };
    parts.iter().map(rows).fold(0, usize::saturating_add)
}
