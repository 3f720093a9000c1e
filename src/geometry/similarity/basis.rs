//! An orthonormal basis of what a layer spans.

use faer::{Mat, MatRef};

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
    left: Mat<f64>,
    /// σ_1 ≥ … ≥ σ_r.
    pub singular_values: Vec<f64>,
    /// D × r, orthonormal columns.
    right: Mat<f64>,
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
        let svd = layer
            .to_mat()
            .thin_svd()
            .map_err(|_| Reason::NotConverged)?;
        let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
        let rounding = direction_errors(layer, svd.U(), svd.V());
        let (n, d) = (layer.n_rows() as f64, layer.n_columns() as f64);
        let floor = n.max(d) * f64::EPSILON * values.first().copied().unwrap_or(0.0);
        let noise = |k: usize| STANDS_OUT * (n.sqrt() + d.sqrt()) * rounding[k] + floor;
        let kept: Vec<usize> = (0..values.len())
            .filter(|&k| values[k] > noise(k))
            .collect();
        if kept.is_empty() {
            return Err(Reason::ConstantLayer);
        }
        let columns =
            |all: MatRef<'_, f64>| Mat::from_fn(all.nrows(), kept.len(), |i, k| all[(i, kept[k])]);
        Ok(Self {
            left: columns(svd.U()),
            singular_values: kept.iter().map(|&k| values[k]).collect(),
            right: columns(svd.V()),
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
        let left = Mat::from_fn(rows.len(), self.rank(), |i, j| {
            self.left[(rows[i] as usize, j)]
        });
        Self {
            left,
            ..self.clone()
        }
    }

    /// The first `k` left singular vectors.
    pub(super) fn left(&self, k: usize) -> MatRef<'_, f64> {
        self.left.subcols(0, k)
    }

    /// Σ Vᵀ, the coordinates of the layer's columns in the basis: r × D.
    pub(super) fn loadings(&self) -> Mat<f64> {
        Mat::from_fn(self.rank(), self.n_columns, |k, c| {
            self.singular_values[k] * self.right[(c, k)]
        })
    }

    /// Bytes that the decomposition takes.
    pub fn bytes(n_rows: usize, n_columns: usize) -> usize {
        8 * n_rows.min(n_columns) * (n_rows + n_columns)
    }
}

/// √(Σ_ij u_i² e_ij² v_j²) of every direction.
fn direction_errors(
    layer: &Centred<'_>,
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
) -> Vec<f64> {
    let square =
        |m: MatRef<'_, f64>| Mat::from_fn(m.nrows(), m.ncols(), |i, k| m[(i, k)] * m[(i, k)]);
    let by_row: Mat<f64> = layer.squared_errors() * square(right);
    let left = square(left);
    (0..right.ncols())
        .map(|k| {
            let rows = left.col(k).iter().zip(by_row.col(k).iter());
            rows.map(|(u, e)| u * e).sum::<f64>().sqrt()
        })
        .collect()
}
