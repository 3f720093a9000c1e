//! Densities and peaks of single rows, aligned with the input.

/// Peak and density of every input row, those that took no part included.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPeaks {
    /// The peak; `None` for a row that took no part or has no density.
    pub peak: Vec<Option<usize>>,
    /// Whether the row lies in the halo of its peak.
    pub halo: Vec<bool>,
    /// Log-density; NaN where there is none.
    pub log_density: Vec<f64>,
    /// Its error; NaN where there is none.
    pub error: Vec<f64>,
    /// Neighbourhood of the density; `None` where there is none.
    pub kstar: Vec<Option<usize>>,
    /// The earlier row that this one repeats, whose peak and density it has.
    pub repeats: Vec<Option<usize>>,
}
