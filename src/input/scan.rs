//! One pass over a layer: values that break arithmetic, and column statistics.

use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

use super::matrix::{Matrix, Values};

/// Rows whose sums are folded together; fixed, so that results do not depend on threads.
const CHUNK_ROWS: usize = 4096;

/// Values beyond this have squares (of differences, summed) outside f64.
const TOO_LARGE: f64 = 1e150;

/// One value of a matrix and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Its row in the matrix.
    pub row: usize,
    /// Its column.
    pub column: usize,
    /// The value.
    pub value: f64,
}

/// What one pass over a layer shows. Statistics are over the finite rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Rows holding NaN or infinity, ascending.
    pub nonfinite_rows: Vec<u32>,
    /// The first NaN or infinity.
    pub first_nonfinite: Option<Spot>,
    /// The first finite value beyond 1e150.
    pub too_large: Option<Spot>,
    /// Largest absolute value.
    pub max_abs: f64,
    /// Mean of each column.
    pub means: Vec<f64>,
    /// Variance of each column (ddof = 1; 0 for a single row).
    pub variances: Vec<f64>,
    /// Columns whose values are all equal.
    pub n_constant_columns: usize,
    /// Largest |mean| / standard deviation over the columns that vary; `None` if none does.
    pub max_mean_over_std: Option<f64>,
    /// Largest column variance over the sum of all; `None` if no column varies.
    pub top_column_variance_share: Option<f64>,
}

/// Scans a layer in f64, chunk by chunk of rows.
///
/// With x₀ the first finite row, mean = x₀ + Σ(x − x₀)/n and variance =
/// (Σ(x − x₀)² − (Σ(x − x₀))²/n)/(n − 1): a common offset, however large, cancels before squaring.
pub fn scan(matrix: &Matrix) -> Scan {
    let (n, width) = (matrix.n_rows(), matrix.n_columns());
    let origin = first_finite_row(matrix).unwrap_or_else(|| vec![0.0; width]);
    let mut total = Sums::new(width);
    let chunks: Vec<usize> = (0..n).step_by(CHUNK_ROWS).collect();
    // Wave by wave, so that no more sums are alive than threads; the order of folding is fixed.
    for wave in chunks.chunks(rayon::current_num_threads()) {
        let partial: Vec<Sums> = wave
            .par_iter()
            .map(|&start| Sums::of(matrix, start..(start + CHUNK_ROWS).min(n), &origin))
            .collect();
        partial.into_iter().for_each(|sums| total.add(sums));
    }
    total.finish(&origin)
}

fn first_finite_row(matrix: &Matrix) -> Option<Vec<f64>> {
    let mut row = vec![0.0; matrix.n_columns()];
    (0..matrix.n_rows()).find_map(|i| {
        matrix.widen_row(i, &mut row);
        row.iter().all(|x| x.is_finite()).then(|| row.clone())
    })
}

/// Sums over some rows of differences from the origin.
struct Sums {
    n: usize,
    sum: Vec<f64>,
    squares: Vec<f64>,
    /// Largest |difference|: zero exactly for a constant column.
    spread: Vec<f64>,
    max_abs: f64,
    nonfinite_rows: Vec<u32>,
    first_nonfinite: Option<Spot>,
    too_large: Option<Spot>,
}

impl Sums {
    fn new(width: usize) -> Self {
        Self {
            n: 0,
            sum: vec![0.0; width],
            squares: vec![0.0; width],
            spread: vec![0.0; width],
            max_abs: 0.0,
            nonfinite_rows: Vec::new(),
            first_nonfinite: None,
            too_large: None,
        }
    }

    fn of(matrix: &Matrix, rows: Range<usize>, origin: &[f64]) -> Self {
        let width = matrix.n_columns();
        let mut sums = Self::new(width);
        let mut single = vec![0.0f32; width];
        for row in rows {
            let start = matrix.stored_row(row) * width;
            let span = start..start + width;
            // Halves widen to f32 first: processors convert those eight at a time.
            match matrix.values() {
                Values::F64(values) => sums.take(row, &values[span], origin),
                Values::F32(values) => sums.take(row, &values[span], origin),
                Values::F16(values) => {
                    values[span].convert_to_f32_slice(&mut single);
                    sums.take(row, &single, origin);
                }
                Values::Bf16(values) => {
                    values[span].convert_to_f32_slice(&mut single);
                    sums.take(row, &single, origin);
                }
            }
        }
        sums
    }

    fn take<T: Copy + Into<f64>>(&mut self, row: usize, values: &[T], origin: &[f64]) {
        let (max_abs, poison) = extremes(values);
        let spot = |wanted: &dyn Fn(f64) -> bool| {
            let mut wide = values.iter().map(|&x| x.into());
            let column = wide.position(wanted)?;
            let value = values[column].into();
            Some(Spot { row, column, value })
        };
        if poison.is_nan() {
            // Row indices fit u32: matrices are selected by u32.
            self.nonfinite_rows
                .push(u32::try_from(row).expect("rows are counted in 32 bits"));
            self.first_nonfinite = self.first_nonfinite.or_else(|| spot(&|x| !x.is_finite()));
            return;
        }
        if max_abs > TOO_LARGE {
            self.too_large = self.too_large.or_else(|| spot(&|x| x.abs() > TOO_LARGE));
        }
        self.max_abs = self.max_abs.max(max_abs);
        self.n += 1;
        let sums = self
            .sum
            .iter_mut()
            .zip(&mut self.squares)
            .zip(&mut self.spread);
        for (((sum, squares), spread), (&x, &x0)) in sums.zip(values.iter().zip(origin)) {
            let difference = x.into() - x0;
            let size = difference.abs();
            *sum += difference;
            *squares += difference * difference;
            *spread = if size > *spread { size } else { *spread };
        }
    }

    fn add(&mut self, other: Self) {
        self.n += other.n;
        let pairs = |a: &mut [f64], b: &[f64], join: fn(f64, f64) -> f64| {
            a.iter_mut().zip(b).for_each(|(a, &b)| *a = join(*a, b));
        };
        pairs(&mut self.sum, &other.sum, |a, b| a + b);
        pairs(&mut self.squares, &other.squares, |a, b| a + b);
        pairs(&mut self.spread, &other.spread, f64::max);
        self.max_abs = self.max_abs.max(other.max_abs);
        self.nonfinite_rows.extend(other.nonfinite_rows);
        self.first_nonfinite = self.first_nonfinite.or(other.first_nonfinite);
        self.too_large = self.too_large.or(other.too_large);
    }

    fn finish(self, origin: &[f64]) -> Scan {
        let n = self.n as f64;
        let count = self.n.max(1) as f64;
        let means: Vec<f64> = origin
            .iter()
            .zip(&self.sum)
            .map(|(x0, sum)| x0 + sum / count)
            .collect();
        let variances: Vec<f64> = self
            .squares
            .iter()
            .zip(&self.sum)
            .map(|(squares, sum)| ((squares - sum * sum / count) / (n - 1.0).max(1.0)).max(0.0))
            .collect();
        let ratios = means
            .iter()
            .zip(&variances)
            .filter(|&(_, &variance)| variance > 0.0)
            .map(|(mean, variance)| mean.abs() / variance.sqrt());
        let all: f64 = variances.iter().sum();
        let top = variances.iter().copied().fold(0.0, f64::max);
        Scan {
            max_mean_over_std: ratios.reduce(f64::max),
            top_column_variance_share: (all > 0.0).then(|| top / all),
            n_constant_columns: self.spread.iter().filter(|&&size| size <= 0.0).count(),
            nonfinite_rows: self.nonfinite_rows,
            first_nonfinite: self.first_nonfinite,
            too_large: self.too_large,
            max_abs: self.max_abs,
            means,
            variances,
        }
    }
}

/// The largest absolute value, and a sum that is NaN exactly if some value is not finite.
fn extremes<T: Copy + Into<f64>>(values: &[T]) -> (f64, f64) {
    // Four lanes, so that one addition need not wait for the other; 0·x is 0 unless x is NaN or
    // infinite, and then NaN.
    let (mut max, mut poison) = ([0.0f64; 4], [0.0f64; 4]);
    let chunks = values.chunks_exact(4);
    let rest = chunks.remainder();
    let mut take = |lane: usize, x: f64| {
        let size = x.abs();
        max[lane] = if size > max[lane] { size } else { max[lane] };
        poison[lane] += x * 0.0;
    };
    for chunk in chunks {
        (0..4).for_each(|lane| take(lane, chunk[lane].into()));
    }
    rest.iter().for_each(|&x| take(0, x.into()));
    (max.into_iter().fold(0.0, f64::max), poison.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn a_shared_offset_of_ten_thousand_leaves_variances_exact() {
        let mut random = SplitMix64::new(3);
        let (n, d) = (9000usize, 5usize);
        let plain: Vec<f64> = (0..n * d)
            .map(|_| (random.below(1024) as f64) / 1024.0)
            .collect();
        let moved: Vec<f64> = plain.iter().map(|x| x + 16384.0).collect();
        let (a, b) = (
            scan(&Matrix::from_f64(n, d, plain)),
            scan(&Matrix::from_f64(n, d, moved)),
        );
        assert_eq!(a.variances, b.variances);
        assert!(
            a.means
                .iter()
                .zip(&b.means)
                .all(|(a, b)| (b - a - 16384.0).abs() < 1e-11)
        );
        // Uniform on a grid of step h in [0, 1): variance (1 − h²)/12.
        assert!(a.variances.iter().all(|v| (v - 1.0 / 12.0).abs() < 3e-3));
        assert!(b.max_mean_over_std.unwrap() > 5e4);
    }

    #[test]
    fn means_and_variances_match_two_passes() {
        let rows = [
            [1.0f32, -2.0, 7.0],
            [2.5, -2.0, 7.0],
            [4.0, 6.0, 7.0],
            [-1.5, 0.0, 7.0],
        ];
        let seen = scan(&Matrix::from_f32(4, 3, rows.concat()));
        assert_eq!(seen.means, [1.5, 0.5, 7.0]);
        assert_eq!(
            seen.variances,
            [
                (0.25 + 1.0 + 6.25 + 9.0) / 3.0,
                (6.25 + 6.25 + 30.25 + 0.25) / 3.0,
                0.0
            ]
        );
        assert_eq!(seen.n_constant_columns, 1);
        assert_eq!(seen.max_abs, 7.0);
        let share = seen.variances[1] / (seen.variances[0] + seen.variances[1]);
        assert_eq!(seen.top_column_variance_share, Some(share));
    }

    #[test]
    fn nonfinite_and_huge_values_are_found_in_row_order() {
        let mut values = vec![0.5f64; 10_000 * 3];
        values[9_000 * 3 + 1] = f64::NAN;
        values[5_000 * 3 + 2] = f64::NEG_INFINITY;
        values[3 * 3] = -1e200;
        let seen = scan(&Matrix::from_f64(10_000, 3, values));
        assert_eq!(seen.nonfinite_rows, [5_000, 9_000]);
        let first = seen.first_nonfinite.unwrap();
        assert_eq!(
            (first.row, first.column, first.value),
            (5_000, 2, f64::NEG_INFINITY)
        );
        assert_eq!(
            seen.too_large,
            Some(Spot {
                row: 3,
                column: 0,
                value: -1e200
            })
        );
    }

    #[test]
    fn threads_and_precision_do_not_change_a_bit() {
        let mut random = SplitMix64::new(8);
        let (n, d) = (10_000usize, 7usize);
        let halves: Vec<half::f16> = (0..n * d)
            .map(|_| half::f16::from_f64(random.uniform() - 0.3))
            .collect();
        let wide: Vec<f32> = halves.iter().map(|x| x.to_f32()).collect();
        let one = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let three = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let a = one.install(|| scan(&Matrix::from_f16(n, d, halves)));
        let b = three.install(|| scan(&Matrix::from_f32(n, d, wide)));
        assert_eq!(a, b);
    }

    #[test]
    fn a_layer_of_nothing_but_nan_has_no_statistics() {
        let seen = scan(&Matrix::from_f32(3, 2, vec![f32::NAN; 6]));
        assert_eq!(seen.nonfinite_rows, [0, 1, 2]);
        assert_eq!(
            (seen.max_mean_over_std, seen.top_column_variance_share),
            (None, None)
        );
    }
}
