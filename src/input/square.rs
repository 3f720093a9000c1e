//! Recognises what is over all pairs of rows: square matrices of distances, products or similarities,
//! and the upper half of one.

use ndarray::Array2;

use super::array::ReadRun;
use super::dtype::Dtype;
use super::entry::Entry;
use super::item::Item;
use super::recognise::some_rows;
use crate::Result;

/// What an array says of every row with every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Square {
    /// How far they are apart.
    Distances,
    /// The same in one line, the upper half row after row, as `pdist` of scipy gives it.
    Half,
    /// How alike they are: X Xᵀ, cosines, correlations, a kernel, a graph.
    Similarities,
}

/// Fewer rows than these may be symmetric by chance.
const FEWEST_DISTANCES: usize = 4;
const FEWEST_SIMILARITIES: usize = 8;
/// Pairs that differ from 0 beyond rounding, without which a matrix is no more than its diagonal.
const TIES: usize = 8;
/// Others that a row is compared with beside the rows that are looked at anyway.
const OTHERS: usize = 8;

impl Square {
    /// What an array holds; `None` for rows and columns.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let Item::Number(dtype) = entry.item else {
            return None;
        };
        let (n, columns) = match *entry.shape.as_slice() {
            [n, columns] => (n, columns),
            [length] if dtype.is_float() => return half(entry, length).then_some(Self::Half),
            _ => return None,
        };
        if n != columns || n < FEWEST_DISTANCES {
            return None;
        }
        let array = entry.load().ok()?;
        let read = array.runs_f64()?;
        let rows = Rows::new(&read, n);
        if rows.hold_distances() {
            return Some(Self::Distances);
        }
        let found = n >= FEWEST_SIMILARITIES && rows.hold_similarities(rounding(dtype));
        found.then_some(Self::Similarities)
    }

    /// Why it is no layer.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Distances => "distances of all rows to all; --neighbours reads them",
            Self::Half => {
                "as many as the pairs of some rows and like distances, as pdist gives them; \
                 --neighbours reads them, and values of one column are saved as [N, 1]"
            }
            Self::Similarities => {
                "symmetric, so products or similarities of all rows with all; --axes ND reads it as \
                 rows and columns"
            }
        }
    }
}

/// How many rows have `length` pairs; `None` where no number of rows has.
pub(super) fn rows_of_half(length: usize) -> Option<usize> {
    let root = length.checked_mul(2)?.isqrt();
    let n = root + 1;
    (root > 0 && root.checked_mul(n)? == 2 * length).then_some(n)
}

/// The upper half of a matrix of distances, row after row, as a square.
///
/// # Errors
/// If there are not as many values as pairs, or they cannot be read.
pub(super) fn unfolded(entry: &Entry) -> Result<Array2<f64>> {
    let Some(n) = rows_of_half(entry.shape[0]) else {
        return Err(entry.unsupported(
            format!("one axis of {} values", entry.shape[0]),
            "pdist gives N (N - 1) / 2 distances; a table has rows and columns",
        ));
    };
    entry.dtype()?;
    let values = entry.load()?.to_f64().expect("the dtype was checked");
    let mut all = Array2::zeros((n, n));
    let pairs = (0..n).flat_map(|row| (row + 1..n).map(move |column| [row, column]));
    for ([row, column], value) in pairs.zip(values) {
        all[[row, column]] = value;
        all[[column, row]] = value;
    }
    Ok(all)
}

/// Whether a list of values is as long as the pairs of some rows, and the roots of the values are
/// distances: those of squares are, and those of distances too.
fn half(entry: &Entry, length: usize) -> bool {
    let n = rows_of_half(length).filter(|&n| n >= FEWEST_SIMILARITIES);
    let (Some(n), Ok(array)) = (n, entry.load()) else {
        return false;
    };
    let Some(read) = array.runs_f64() else {
        return false;
    };
    let root = |a: usize, b: usize| -> f64 {
        let (row, column) = (a.min(b), a.max(b));
        let mut value = [0.0];
        // An element of a list is a row of one value.
        read(
            row * (2 * n - row - 1) / 2 + column - row - 1,
            0,
            &mut value,
        );
        if value[0] < 0.0 {
            f64::NAN
        } else {
            value[0].sqrt()
        }
    };
    let rows: Vec<usize> = some_rows(n).collect();
    let (mut sides, mut most) = (0, 0.0f64);
    for (at, &a) in rows.iter().enumerate() {
        for &b in &rows[..at] {
            most = most.max(root(a, b));
            for &by in rows.iter().filter(|by| ![a, b].contains(by)) {
                let around = root(a, by) + root(by, b);
                // What is no number fits nowhere.
                let fits = root(a, b) <= around * (1.0 + 1e-3);
                if !fits {
                    return false;
                }
                sides += 1;
            }
        }
    }
    sides > 0 && most > 0.0
}

/// How far apart the two halves of a symmetric matrix may be, relative to its diagonal: products are
/// often rounded to less than the type that they are stored in.
fn rounding(dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F16 => 1e-2,
        Dtype::Bf16 | Dtype::F8E4m3 | Dtype::F8E5m2 => 5e-2,
        _ => 1e-4,
    }
}

/// Some rows of a square matrix, and any other value of it.
struct Rows<'a> {
    read: &'a ReadRun<'a, f64>,
    n: usize,
    rows: Vec<usize>,
    values: Vec<Vec<f64>>,
}

impl<'a> Rows<'a> {
    fn new(read: &'a ReadRun<'a, f64>, n: usize) -> Self {
        let rows: Vec<usize> = some_rows(n).collect();
        let mut values = vec![vec![0.0; n]; rows.len()];
        for (&row, out) in rows.iter().zip(&mut values) {
            read(row, 0, out);
        }
        Self {
            read,
            n,
            rows,
            values,
        }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        let mut value = [0.0];
        (self.read)(row, column, &mut value);
        value[0]
    }

    /// Whether it is symmetric, not negative and 0 along its diagonal alone.
    fn hold_distances(&self) -> bool {
        self.rows.iter().zip(&self.values).all(|(&row, values)| {
            let most = values.iter().copied().fold(0.0, f64::max);
            most > 0.0
                // Rounding leaves a little on either side of 0 where a row meets itself.
                && values.iter().all(|value| *value >= -1e-6 * most)
                && values[row] <= 1e-6 * most
                && values.iter().filter(|value| **value <= 1e-6 * most).count() <= self.n / 4
                && self
                    .rows
                    .iter()
                    .all(|&other| (values[other] - self.at(other, row)).abs() <= 1e-6 * most)
        })
    }

    /// Whether it is symmetric and |a_ij|² ≤ a_ii a_jj, or its diagonal is 0 as in a graph; neither
    /// constant nor diagonal.
    fn hold_similarities(&self, rounding: f64) -> bool {
        let own = |row: usize| self.at(row, row);
        let is_graph = self.rows.iter().all(|&row| own(row).to_bits() << 1 == 0);
        let positive = self.rows.iter().filter(|&&row| own(row) > 0.0).count();
        let first = self.values[0][0];
        let mut all = self.values.iter().flatten();
        if !is_graph && 2 * positive < self.rows.len()
            || all.all(|value| (value - first).abs() <= rounding * first.abs())
        {
            return false;
        }
        let mut ties = 0;
        for (&row, values) in self.rows.iter().zip(&self.values) {
            for column in self.compared(row, values) {
                let (value, back) = (values[column], self.at(column, row));
                let scale = match is_graph {
                    true => value.abs(),
                    false => (own(row).max(0.0) * own(column).max(0.0)).sqrt(),
                };
                // What is no number is not symmetric either.
                let symmetric = (value - back).abs() <= rounding * scale;
                if !(symmetric && value.abs() <= (1.0 + rounding) * scale) {
                    return false;
                }
                ties += usize::from(value.abs() > 16.0 * rounding * scale);
            }
        }
        ties >= TIES
    }

    /// The columns in which a row is compared with its mirror image: those of the rows that are
    /// looked at, and some of those that differ from 0, which are few in a graph.
    fn compared(&self, row: usize, values: &[f64]) -> impl Iterator<Item = usize> {
        let others: Vec<usize> = (0..self.n)
            .filter(|&column| column != row && values[column].abs() > 0.0)
            .collect();
        let step = others.len().div_ceil(OTHERS).max(1);
        let looked_at = self.rows.iter().copied().filter(move |&other| other != row);
        let columns: Vec<usize> = looked_at.chain(others.into_iter().step_by(step)).collect();
        columns.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_tell_how_many_rows_there_are() {
        for n in [2, 3, 28, 1000] {
            assert_eq!(rows_of_half(n * (n - 1) / 2), Some(n));
            assert_eq!(rows_of_half(n * (n - 1) / 2 + n + 1), None, "{n}");
        }
        assert_eq!(rows_of_half(0), None);
        assert_eq!(rows_of_half(usize::MAX), None);
    }
}
