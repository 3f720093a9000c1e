//! Densities of rows in the intrinsic dimension, and the peaks of their landscape.

pub mod decision_graph;
mod kstar;
mod nearest;
mod pak;
pub mod peaks;

pub use kstar::{Correction, KSTAR_ALPHA, kstar};
pub use nearest::{knn, kstar_nn};
pub use pak::pak;

use crate::geometry::special::ln_gamma;
use crate::geometry::{Reason, stats};

/// The density at one row, and the neighbourhood that it was read from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowDensity {
    /// Natural logarithm of the density, normalised by −ln N.
    pub log_density: f64,
    /// Its error.
    pub error: f64,
    /// Neighbours over which the density was taken to be constant, k*.
    pub kstar: usize,
}

/// The densities of all rows of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Densities {
    /// One a row; `None` where a distance of 0 leaves no volume to divide by.
    pub rows: Vec<Option<RowDensity>>,
    /// Rows where PAk has no maximum, so that they hold the density by k* neighbours.
    pub n_fallback: usize,
}

impl Densities {
    /// Rows without a density.
    pub fn n_missing(&self) -> usize {
        self.rows.iter().filter(|row| row.is_none()).count()
    }

    /// −mean of the log-densities; `None` without any.
    pub fn entropy(&self) -> Option<f64> {
        stats::mean(&self.log_densities()).map(|mean| -mean)
    }

    /// The smallest and the largest log-density; `None` without any.
    pub fn range(&self) -> Option<(f64, f64)> {
        let values = self.log_densities();
        let smallest = values.iter().copied().min_by(f64::total_cmp)?;
        let largest = values.iter().copied().max_by(f64::total_cmp)?;
        Some((smallest, largest))
    }

    fn log_densities(&self) -> Vec<f64> {
        let rows = self.rows.iter().flatten();
        rows.map(|row| row.log_density).collect()
    }

    /// These densities if any row has one; otherwise `zero_distances`.
    fn or_reason(self) -> Result<Self, Reason> {
        if self.rows.iter().any(Option::is_some) {
            Ok(self)
        } else {
            Err(Reason::ZeroDistances)
        }
    }
}

/// ln ω_d, the volume of the unit ball in `d` dimensions, π^{d/2} / Γ(d/2 + 1).
fn ln_unit_ball(d: f64) -> f64 {
    d / 2.0 * libm::log(std::f64::consts::PI) - ln_gamma(d / 2.0 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_balls_have_their_volumes() {
        let pi = std::f64::consts::PI;
        for (d, volume) in [(1.0, 2.0), (2.0, pi), (3.0, 4.0 / 3.0 * pi)] {
            assert!((ln_unit_ball(d) - f64::ln(volume)).abs() < 1e-14);
        }
    }
}
