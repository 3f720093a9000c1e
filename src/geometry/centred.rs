//! A layer less its column means, widened to f64 where it is needed, and its products.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::rounding::Rounding;
use crate::algebra::{Accumulate, Part, multiply, multiply_part};
use crate::input::{Matrix, Scan, Values, scan};

/// Rows widened at a time; fixed, so that the order of additions is a function of the data alone.
const BLOCK: usize = 1024;

/// Columns of a product that one task computes.
const PANEL: usize = 256;

/// X − 1x̄ᵀ, with x̄ the column means: N rows, D columns.
///
/// The values stay where and as they are stored; blocks of rows are widened and centred on the
/// way into a product. A column that varies by no more than the rounding of the stored type,
/// ‖x^c − x̄_c‖ ≤ u‖x^c‖, is constant: what varies in it is rounding, which may be larger than all
/// that other columns hold.
#[derive(Clone)]
pub struct Centred<'a> {
    data: &'a Matrix,
    means: Vec<f64>,
    /// What centred values are multiplied by: a power of two, or 0 for a constant column.
    factors: Vec<f64>,
    /// Squares of the largest norms of the errors of the columns.
    errors: Vec<f64>,
    noise: Noise,
}

/// What rounding to the stored type may have done to a layer, over columns that vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Largest Frobenius norm of all errors.
    pub norm: f64,
    /// Σ_c e_c² ‖x^c − x̄_c‖², e_c the largest norm of the errors of column c.
    pub in_products: f64,
}

impl<'a> Centred<'a> {
    /// The rows of `data`, which must be finite, less their means.
    pub fn new(data: &'a Matrix) -> Self {
        Self::scaled(data, &scan(data), 1.0)
    }

    /// The same, times the power of two that brings the largest value of `data` near 1.
    ///
    /// Fourth powers of what is left neither overflow nor vanish, whatever the unit of the data.
    pub fn of_unit_size(data: &'a Matrix) -> Self {
        let scan = scan(data);
        let factor = unit_factor(scan.max_abs);
        Self::scaled(data, &scan, factor)
    }

    fn scaled(data: &'a Matrix, scan: &Scan, factor: f64) -> Self {
        let (n, rounding) = (data.n_rows(), Rounding::of(data));
        let columns = scan.means.iter().zip(&scan.variances);
        let columns: Vec<[f64; 2]> = columns
            .map(|(mean, variance)| {
                let spread = variance.sqrt() * factor * (n as f64 - 1.0).max(0.0).sqrt();
                let offset = (mean * factor).abs() * (n as f64).sqrt();
                let error = rounding.unit * libm::hypot(spread, offset);
                [
                    spread,
                    error + rounding.smallest * factor * (n as f64).sqrt(),
                ]
            })
            .collect();
        let varies = |[spread, error]: &[f64; 2]| spread > error;
        let factors = columns
            .iter()
            .map(|column| if varies(column) { factor } else { 0.0 });
        let sum = |term: fn(f64, f64) -> f64| {
            let varying = columns.iter().filter(|column| varies(column));
            varying
                .map(|&[spread, error]| term(spread, error))
                .sum::<f64>()
        };
        Self {
            data,
            means: scan.means.clone(),
            factors: factors.collect(),
            errors: columns.iter().map(|[_, error]| error * error).collect(),
            noise: Noise {
                norm: sum(|_, error| error * error).sqrt(),
                in_products: sum(|spread, error| (error * spread) * (error * spread)),
            },
        }
    }

    /// What rounding to the stored type may have done to the centred values.
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// The square of the largest norm of the errors that rounding may have left in each column.
    pub fn column_errors(&self) -> &[f64] {
        &self.errors
    }

    /// The squares of the largest errors that rounding may have left in the rows, N × D.
    pub(super) fn squared_errors(&self) -> Array2<f64> {
        let (n, d) = (self.n_rows(), self.n_columns());
        let rounding = Rounding::of(self.data);
        let mut row = vec![0.0; d];
        let mut errors = Array2::zeros((n, d));
        for i in 0..n {
            self.data.widen_row(i, &mut row);
            for (j, (x, factor)) in row.iter().zip(&self.factors).enumerate() {
                let error = factor * rounding.of_norm(x.abs(), 1);
                errors[(i, j)] = error * error;
            }
        }
        errors
    }

    /// N.
    pub fn n_rows(&self) -> usize {
        self.data.n_rows()
    }

    /// D.
    pub fn n_columns(&self) -> usize {
        self.means.len()
    }

    /// The centred rows `rows`, one after the other.
    pub fn rows(&self, rows: Range<usize>) -> Vec<f64> {
        let mut values = Vec::new();
        self.rows_into(rows, &mut values);
        values
    }

    /// The same into memory that is used again.
    pub(super) fn rows_into(&self, rows: Range<usize>, values: &mut Vec<f64>) {
        let d = self.n_columns();
        values.resize(rows.len() * d, 0.0);
        for (row, out) in rows.zip(values.chunks_exact_mut(d.max(1))) {
            self.data.widen_row(row, out);
            out.iter_mut()
                .zip(self.means.iter().zip(&self.factors))
                .for_each(|(x, (mean, factor))| *x = (*x - mean) * factor);
        }
    }

    /// The centred rows `rows` rounded to f32, into memory that is used again.
    pub(super) fn single_rows_into(
        &self,
        rows: Range<usize>,
        wide: &mut Vec<f64>,
        single: &mut Vec<f32>,
    ) {
        self.rows_into(rows, wide);
        single.clear();
        #[allow(clippy::cast_possible_truncation)] // rounding is what is asked for
        single.extend(wide.iter().map(|&x| x as f32));
    }

    /// Whether values are stored in 32 bits or fewer.
    pub(super) fn is_stored_single(&self) -> bool {
        !matches!(self.data.values(), Values::F64(_))
    }

    /// The whole as a matrix.
    pub fn to_array(&self) -> Array2<f64> {
        let (n, d) = (self.n_rows(), self.n_columns());
        Array2::from_shape_vec((n, d), self.rows(0..n)).expect("rows of D values")
    }

    /// The squared norms p_i = ‖x_i‖² of the centred rows.
    pub fn squared_norms(&self) -> Vec<f64> {
        let d = self.n_columns().max(1);
        let blocks: Vec<Range<usize>> = blocks(self.n_rows());
        let parts: Vec<Vec<f64>> = blocks
            .into_par_iter()
            .map(|rows| {
                let norm = |row: &[f64]| row.iter().map(|x| x * x).sum();
                self.rows(rows).chunks_exact(d).map(norm).collect()
            })
            .collect();
        parts.concat()
    }

    /// The columns `columns` of XᵀY, where `other` is Y: D_x × len.
    pub fn product_panel(&self, other: &Centred<'_>, columns: Range<usize>) -> Array2<f64> {
        let (d_x, d_y) = (self.n_columns(), other.n_columns());
        let mut product = Array2::zeros((d_x, columns.len()));
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for rows in blocks(self.n_rows()) {
            let n = rows.len();
            self.rows_into(rows.clone(), &mut x);
            other.rows_into(rows, &mut y);
            let (x, y) = (as_rows(&x, n, d_x), as_rows(&y, n, d_y));
            let y = y.slice(s![.., columns.clone()]);
            multiply(product.view_mut(), Accumulate::Add, x.t(), y, None);
        }
        product
    }

    /// XᵀY: D_x × D_y.
    pub fn product(&self, other: &Centred<'_>) -> Array2<f64> {
        let panels: Vec<(usize, Array2<f64>)> = panels(other.n_columns())
            .into_par_iter()
            .map(|columns| (columns.start, self.product_panel(other, columns)))
            .collect();
        let mut product = Array2::zeros((self.n_columns(), other.n_columns()));
        for (start, panel) in panels {
            let columns = start..start + panel.ncols();
            product.slice_mut(s![.., columns]).assign(&panel);
        }
        product
    }

    /// Bytes that [`Centred::gram`] holds at most: the product, its panels before they are joined,
    /// and for each thread a block of rows and what a product packs of it.
    pub fn gram_bytes(&self) -> u64 {
        const PACKED: u64 = 1 << 20;
        let (n, d) = (self.n_rows().min(BLOCK) as u64, self.n_columns() as u64);
        16 * d * d + (8 * n * d + PACKED) * rayon::current_num_threads() as u64
    }

    /// XᵀX: D × D, symmetric to the bit.
    pub fn gram(&self) -> Array2<f64> {
        let d = self.n_columns();
        let panels: Vec<(Range<usize>, Array2<f64>)> = panels(d)
            .into_par_iter()
            .map(|columns| (columns.clone(), self.gram_panel(columns)))
            .collect();
        let mut gram = Array2::zeros((d, d));
        for (columns, panel) in panels {
            for (at, column) in columns.enumerate() {
                for row in column..d {
                    gram[(row, column)] = panel[(row, at)];
                    gram[(column, row)] = panel[(row, at)];
                }
            }
        }
        gram
    }

    /// The share of ‖XᵀX‖² that the columns `columns` hold from their diagonal downwards, entries
    /// beside the diagonal counted twice: the shares of all columns add up to ‖XᵀX‖².
    pub(super) fn gram_panel_squares(&self, columns: Range<usize>) -> f64 {
        let panel = self.gram_panel(columns.clone());
        let lower = panel.rows().into_iter().enumerate().map(|(row, entries)| {
            let until = columns.end.min(row + 1).max(columns.start) - columns.start;
            let entries = entries.slice(s![..until]);
            let squares: f64 = entries.iter().map(|x| x * x).sum();
            let own = columns.contains(&row).then(|| entries[row - columns.start]);
            2.0 * squares - own.map_or(0.0, |x| x * x)
        });
        lower.sum()
    }

    /// The columns `columns` of XᵀX, right from their diagonal downwards; what lies above is zero.
    fn gram_panel(&self, columns: Range<usize>) -> Array2<f64> {
        let (d, first, width) = (self.n_columns(), columns.start, columns.len());
        let mut panel = Array2::zeros((d, width));
        let mut x = Vec::new();
        for rows in blocks(self.n_rows()) {
            let n = rows.len();
            self.rows_into(rows, &mut x);
            let x = as_rows(&x, n, d);
            let own = x.slice(s![.., first..first + width]);
            let below = x.slice(s![.., columns.end..]);
            let part = panel.slice_mut(s![first.., ..]);
            let (corner, rest) = part.split_at(Axis(0), width);
            let add = Accumulate::Add;
            multiply_part(corner, add, own.t(), own, None, Part::Lower);
            multiply(rest, add, below.t(), own, None);
        }
        panel
    }
}

/// The power of two that brings `largest` near 1; 1 for zero.
pub(super) fn unit_factor(largest: f64) -> f64 {
    if largest > 0.0 && largest.is_finite() {
        // Beyond these exponents the factor itself would be no normal number.
        libm::exp2(-libm::log2(largest).floor().clamp(-1000.0, 1000.0))
    } else {
        1.0
    }
}

/// `n` rows of `d` values as a matrix.
fn as_rows(values: &[f64], n: usize, d: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((n, d), values).expect("rows of D values")
}

/// The blocks of rows in which products are summed.
pub(super) fn blocks(n: usize) -> Vec<Range<usize>> {
    cut(n, BLOCK)
}

/// Bytes of [`Centred::product_panel`] of layers of `n` rows and at most `d` columns.
pub(super) fn panel_bytes(n: usize, d: usize) -> u64 {
    8 * (2 * n.min(BLOCK) * d + 3 * d * PANEL.min(d)) as u64
}

/// The panels of columns that tasks share out.
pub(super) fn panels(d: usize) -> Vec<Range<usize>> {
    cut(d, PANEL)
}

/// `0..n` in runs of `size`, the last one shorter.
pub(super) fn cut(n: usize, size: usize) -> Vec<Range<usize>> {
    (0..n)
        .step_by(size.max(1))
        .map(|start| start..(start + size).min(n))
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::random::SplitMix64;

    fn random(n: usize, d: usize, seed: u64) -> Array2<f64> {
        let mut random = SplitMix64::new(seed);
        Array2::from_shape_simple_fn((n, d), || random.uniform() + 3.0)
    }

    #[test]
    fn products_in_blocks_and_panels_are_those_of_the_definition() {
        let (x, y) = (random(1500, 300, 1), random(1500, 7, 2));
        let centre = |m: &Array2<f64>| m - &m.mean_axis(ndarray::Axis(0)).unwrap();
        let (cx, cy) = (centre(&x), centre(&y));
        let y_values = y.clone();
        let (x, y) = (Matrix::from(x), Matrix::from(y));
        let (x, y) = (Centred::new(&x), Centred::new(&y));
        let close = |found: &Array2<f64>, expected: &Array2<f64>| {
            let mut pairs = expected.indexed_iter();
            pairs.all(|((i, j), value)| (found[(i, j)] - value).abs() < 1e-10)
        };
        assert!(close(&x.product(&y), &cx.t().dot(&cy)));
        assert!(close(&y.product(&x), &cy.t().dot(&cx)));
        assert!(close(&x.gram(), &cx.t().dot(&cx)));
        let scaled = &(y_values * 1e150);
        let scaled = Matrix::from(scaled.clone());
        let unit = Centred::of_unit_size(&scaled).gram();
        let own = y.gram();
        let ratio = own[(0, 1)] / own[(1, 1)];
        assert!((unit[(0, 1)] / unit[(1, 1)] / ratio - 1.0).abs() < 1e-9);
        assert!((0.01..1e4).contains(&unit[(0, 0)]));
        let norms = (&cx * &cx).sum_axis(ndarray::Axis(1));
        let found = x.squared_norms();
        assert!(norms.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-10));
    }
}
