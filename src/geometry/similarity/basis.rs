//! An orthonormal basis of what a layer spans.

use faer::{Mat, MatRef};

use crate::geometry::Reason;
use crate::geometry::centred::Centred;

/// Singular values below this share of the largest are rounding, not directions.
const RANK_TOLERANCE: f64 = 1e-10;

/// The thin singular value decomposition X = U Σ Vᵀ of a centred layer, cut at its rank r.
#[derive(Debug, Clone)]
pub struct Basis {
    /// N × r, orthonormal columns: coordinates of the rows.
    left: Mat<f64>,
    /// σ_1 ≥ … ≥ σ_r > 1e-10 σ_1.
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
        let largest = values.first().copied().unwrap_or(0.0);
        let floor = RANK_TOLERANCE * largest;
        let rank = values.iter().take_while(|&&value| value > floor).count();
        if largest <= 0.0 || rank == 0 {
            return Err(Reason::ConstantLayer);
        }
        Ok(Self {
            left: svd.U().subcols(0, rank).to_owned(),
            singular_values: values[..rank].to_vec(),
            right: svd.V().subcols(0, rank).to_owned(),
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
