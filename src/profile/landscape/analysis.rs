//! One neighbour table through dimension, densities and peaks.

use ndarray::{ArrayView2, s};

use super::dimension::{Dimension, dimension};
use super::options::PeakOptions;
use super::rows::RowPeaks;
use super::rules::DensityRule;
use super::shape::DensitySummary;
use crate::geometry::Reason;
use crate::geometry::density::peaks::{Peaks, density_peaks};
use crate::geometry::density::{Correction, Densities, knn, kstar, kstar_nn, pak};
use crate::geometry::diagnostics::{LEVELS, Quantiles};
use crate::geometry::stats::mean;

/// What a table says about the rows it was made of.
pub(super) struct Analysis {
    pub(super) id: Dimension,
    pub(super) found: Result<Landmarks, Reason>,
}

/// Densities and peaks.
pub(super) struct Landmarks {
    pub(super) densities: Densities,
    pub(super) peaks: Peaks,
}

impl Analysis {
    /// Nothing, for this reason.
    pub(super) fn none(options: &PeakOptions, reason: Reason) -> Self {
        Self {
            id: Dimension::none(options.id, reason),
            found: Err(reason),
        }
    }

    /// What the table `distances`, `indices` says.
    pub(super) fn of(
        distances: ArrayView2<f64>,
        indices: ArrayView2<u32>,
        options: &PeakOptions,
    ) -> Self {
        if distances.nrows() < 2 {
            return Self::none(options, Reason::TooFewRows);
        }
        // Only the density looks at a limited number of neighbours.
        let near = options.density.k().min(distances.ncols());
        let (r, nb) = (
            distances.slice(s![.., ..near]),
            indices.slice(s![.., ..near]),
        );
        let id = match options.density {
            DensityRule::Knn { .. } => dimension(distances, indices, options.id, options.density),
            _ => dimension(r, nb, options.id, options.density),
        };
        let found = id.outcome.0.and_then(|value| {
            let densities = densities(r, nb, value.id, options.density)?;
            let peaks = density_peaks(&densities, indices, options.z)?;
            Ok(Landmarks { densities, peaks })
        });
        Self { id, found }
    }
}

fn densities(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    id: f64,
    rule: DensityRule,
) -> Result<Densities, Reason> {
    let sizes = |alpha| kstar(distances, indices, id, alpha, Correction::None);
    match rule {
        DensityRule::Knn { k } => knn(distances, k, id),
        DensityRule::Kstar { alpha, .. } => kstar_nn(distances, &sizes(alpha)?, id),
        DensityRule::Pak { alpha, .. } => pak(distances, &sizes(alpha)?, id),
    }
}

impl Landmarks {
    /// The densities in a few numbers.
    pub(super) fn summary(&self) -> DensitySummary {
        let rows = self.densities.rows.iter().flatten();
        let mut sizes: Vec<f64> = rows.map(|row| row.kstar as f64).collect();
        let (smallest, largest) = self.densities.range().unzip();
        DensitySummary {
            entropy: self.densities.entropy(),
            smallest,
            largest,
            n_missing: self.densities.n_missing(),
            n_fallback: self.densities.n_fallback,
            mean_kstar: mean(&sizes),
            levels: LEVELS,
            kstar: Quantiles::of(&mut sizes),
        }
    }
}

/// Of `n` input rows the `members` took part, each at its place among the `kept` rows that were
/// analysed; nothing was found in a layer without peaks.
pub(super) fn row_peaks(
    n: usize,
    members: &[(u32, u32)],
    kept: &[u32],
    found: Option<&Landmarks>,
) -> RowPeaks {
    let mut rows = RowPeaks {
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
