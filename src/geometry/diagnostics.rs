//! How far a layer can be trusted: the block that stands beside every number.

use serde::Serialize;

/// The quantile levels of [`Quantiles`].
pub const LEVELS: [f64; 9] = [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0];

/// Diagnostics of the values of one layer, before any row is removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Rows of the layer.
    pub n_rows: usize,
    /// Distinct rows.
    pub n_unique: usize,
    /// Rows that repeat an earlier one.
    pub n_duplicates: usize,
    /// Largest number of times one row occurs.
    pub max_multiplicity: usize,
    /// Rows with NaN or infinity.
    pub n_nonfinite_rows: usize,
    /// Columns with zero variance.
    pub n_constant_columns: usize,
    /// Largest |column mean| / column standard deviation over non-constant columns; `None` if none.
    pub max_mean_over_std: Option<f64>,
    /// Largest column variance over the total variance; `None` for a constant layer.
    pub top_column_variance_share: Option<f64>,
    /// What the neighbour distances say; `None` where no neighbours were sought.
    pub distances: Option<DistanceDiagnostics>,
}

/// Diagnostics of the first two neighbour distances of the rows that were analysed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DistanceDiagnostics {
    /// Rows with r1 exactly 0.
    pub n_zero_r1: usize,
    /// Rows with r1 < 1e-6 · median(r1).
    pub n_near_zero_r1: usize,
    /// Rows with r1 = r2 exactly.
    pub n_tied_r1_r2: usize,
    /// Rows whose ratio r2 / r1 is not finite.
    pub n_nonfinite_mu: usize,
    /// Quantiles of r1.
    pub r1: Quantiles,
    /// Quantiles of r2.
    pub r2: Quantiles,
    /// Quantiles of the finite ratios r2 / r1.
    pub mu: Quantiles,
}

/// Quantiles at [`LEVELS`], linear between order statistics (type 7); empty without values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Quantiles(pub Vec<f64>);
