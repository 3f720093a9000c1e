//! What is known of single rows, aligned with the input.

use super::analysis::Found;

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

impl RowPeaks {
    /// Of `n` input rows the `members` took part, each at its place among the `kept` rows that were
    /// analysed; nothing was found in a layer without peaks.
    pub(super) fn new(
        n: usize,
        members: &[(u32, u32)],
        kept: &[u32],
        found: Option<&Found>,
    ) -> Self {
        let mut rows = Self {
            peak: vec![None; n],
            halo: vec![false; n],
            log_density: vec![f64::NAN; n],
            error: vec![f64::NAN; n],
            kstar: vec![None; n],
            repeats: vec![None; n],
        };
        for &(row, place) in members {
            let (row, place) = (row as usize, place as usize);
            let first = kept[place] as usize;
            rows.repeats[row] = Some(first).filter(|&first| first != row);
            let Some(found) = found else {
                continue;
            };
            rows.peak[row] = found.peaks.labels[place];
            rows.halo[row] = found.peaks.halo[place];
            if let Some(density) = found.densities.rows[place] {
                rows.log_density[row] = density.log_density;
                rows.error[row] = density.error;
                rows.kstar[row] = Some(density.kstar);
            }
        }
        rows
    }
}
