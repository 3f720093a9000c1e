//! An orthonormal basis of what a layer spans.

use ndarray::{Array2, ArrayView2, Axis, s};

use crate::algebra::{product, thin_svd};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;

/// A direction stands out from rounding by this much, or it is rounding.
const STANDS_OUT: f64 = 4.0;

/// The thin singular value decomposition X = U Σ Vᵀ of a centred layer, less the directions that
/// rounding may have made.
///
/// A direction (u, σ, v) counts if
///
/// ```text
/// σ > 4 (√N + √D) √(Σ_ij u_i² e_ij² v_j²) + max(N, D) 2⁻⁵² σ_1
/// ```
///
/// with e_ij the largest error of the stored value x_ij. The first term bounds the singular values
/// of independent errors of the size that they have in the rows and columns of this direction, so a
/// column or a row of large values drowns no direction but its own; the second is the error of the
/// decomposition.
#[derive(Debug, Clone)]
pub struct Basis {
    /// N × r, orthonormal columns: coordinates of the rows.
    left: Array2<f64>,
    /// σ_1 ≥ … ≥ σ_r.
    pub singular_values: Vec<f64>,
    /// D × r, orthonormal columns.
    right: Array2<f64>,
    n_columns: usize,
}

impl Basis {
    /// The basis of `layer`.
    ///
    /// The decomposition is of X itself, not of XᵀX, whose small eigenvalues are rounding already
    /// at a condition number of 1e8. Reasons for none: `too_few_rows` (2), `constant_layer`,
    /// `not_converged`.
    pub fn of(layer: &Centred<'_>) -> Result<Self, Reason> {
        if layer.n_rows() < 2 || layer.n_columns() == 0 {
            return Err(Reason::TooFewRows);
        }
        let svd = thin_svd(layer.to_array().view()).ok_or(Reason::NotConverged)?;
        let values = &svd.values;
        let rounding = direction_errors(layer, svd.left.view(), svd.right.view());
        let (n, d) = (layer.n_rows() as f64, layer.n_columns() as f64);
        let floor = n.max(d) * f64::EPSILON * values.first().copied().unwrap_or(0.0);
        let noise = |k: usize| STANDS_OUT * (n.sqrt() + d.sqrt()) * rounding[k] + floor;
        let kept: Vec<usize> = (0..values.len())
            .filter(|&k| values[k] > noise(k))
            .collect();
        if kept.is_empty() {
            return Err(Reason::ConstantLayer);
        }
        let columns = |all: &Array2<f64>| all.select(Axis(1), &kept);
        Ok(Self {
            left: columns(&svd.left),
            singular_values: kept.iter().map(|&k| values[k]).collect(),
            right: columns(&svd.right),
            n_columns: layer.n_columns(),
        })
    }

    /// N.
    pub fn n_rows(&self) -> usize {
        self.left.nrows()
    }

    /// D.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// r.
    pub fn rank(&self) -> usize {
        self.singular_values.len()
    }

    /// The smallest number of leading components whose variances sum to at least `share` of all.
    pub fn leading(&self, share: f64) -> usize {
        let variances = || self.singular_values.iter().map(|value| value * value);
        // Rounding must not keep a share of 1 from being reached by all components.
        let target = share * variances().sum::<f64>() * (1.0 - 1e-14);
        let mut sum = 0.0;
        let reached = variances().position(|variance| {
            sum += variance;
            sum >= target
        });
        reached.map_or(self.rank(), |at| at + 1)
    }

    /// The basis of the same layer with its rows in the order `rows`.
    ///
    /// # Panics
    /// If an index is not below N.
    pub fn with_rows(&self, rows: &[u32]) -> Self {
        let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
        let left = self.left.select(Axis(0), &rows);
        Self {
            left,
            ..self.clone()
        }
    }

    /// The first `k` left singular vectors.
    pub(super) fn left(&self, k: usize) -> ArrayView2<'_, f64> {
        self.left.slice(s![.., ..k])
    }

    /// Σ Vᵀ, the coordinates of the layer's columns in the basis: r × D.
    pub(super) fn loadings(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.rank(), self.n_columns), |(k, c)| {
            self.singular_values[k] * self.right[(c, k)]
        })
    }

    /// Bytes that the decomposition takes.
    pub fn bytes(n_rows: u64, n_columns: u64) -> u64 {
        8 * n_rows.min(n_columns) * (n_rows + n_columns)
    }
}

/// √(Σ_ij u_i² e_ij² v_j²) of every direction.
fn direction_errors(
    layer: &Centred<'_>,
    left: ArrayView2<'_, f64>,
    right: ArrayView2<'_, f64>,
) -> Vec<f64> {
    let square = |m: ArrayView2<'_, f64>| m.mapv(|x| x * x);
    let by_row = product(layer.squared_errors().view(), square(right).view());
    let left = square(left);
    (0..right.ncols())
        .map(|k| {
            let rows = left.column(k).into_iter().zip(by_row.column(k));
            rows.map(|(u, e)| u * e).sum::<f64>().sqrt()
        })
        .collect()
}
