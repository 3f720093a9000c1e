//! Ratios of neighbour distances: all that TwoNN and Gride see of a layer.

use crate::geometry::{Reason, stats};

/// Logarithms of μ_i = r_{i,n2} / r_{i,n1}, with what was left out on the way.
///
/// A ratio is scale-free, so everything computed from it is too; only `distance` carries the
/// unit of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratios {
    /// ln μ ≥ 0 of the rows that have a finite ratio, in row order.
    pub ln_mu: Vec<f64>,
    /// Rows looked at.
    pub n_rows: usize,
    /// Rows left out because r_n1 = 0.
    pub n_zero: usize,
    /// Rows left out because a distance is not finite.
    pub n_nonfinite: usize,
    /// Ratios equal to 1; they are among `ln_mu`.
    pub n_tied: usize,
    /// Mean over all rows of the pooled r_n1 and r_n2, the scale at which the ratios look;
    /// `None` without rows or with distances that are not finite.
    pub distance: Option<f64>,
}

impl Ratios {
    /// The ratios of the `n2`-th to the `n1`-th neighbour distance, one pair a row.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn new(r_n1: &[f64], r_n2: &[f64]) -> Self {
        assert_eq!(r_n1.len(), r_n2.len(), "one pair of distances a row");
        let mut ratios = Self {
            ln_mu: Vec::with_capacity(r_n1.len()),
            n_rows: r_n1.len(),
            n_zero: 0,
            n_nonfinite: 0,
            n_tied: 0,
            distance: mean_distance(r_n1, r_n2),
        };
        for (&near, &far) in r_n1.iter().zip(r_n2) {
            if near == 0.0 {
                ratios.n_zero += 1;
                continue;
            }
            match ln_ratio(near, far) {
                x if !x.is_finite() => ratios.n_nonfinite += 1,
                x => {
                    ratios.n_tied += usize::from(x == 0.0);
                    ratios.ln_mu.push(x);
                }
            }
        }
        ratios
    }

    /// ln μ in ascending order, which makes sums over them independent of the order of rows.
    pub fn ascending(&self) -> Vec<f64> {
        let mut sorted = self.ln_mu.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }

    /// Why an estimator that needs `needed` ratios, not all equal to 1, cannot have them.
    pub(crate) fn require(&self, needed: usize) -> Result<(), Reason> {
        match self.ln_mu.len() {
            0 if self.n_zero > 0 => Err(Reason::ZeroDistances),
            0 if self.n_nonfinite > 0 => Err(Reason::NonFinite),
            n if n < needed => Err(Reason::TooFewRows),
            n if n == self.n_tied => Err(Reason::DegenerateRatios),
            _ => Ok(()),
        }
    }
}

/// ln(far / near), without losing the digits of far − near when the two are close.
pub(super) fn ln_ratio(near: f64, far: f64) -> f64 {
    let excess = (far - near) / near;
    if excess.is_finite() {
        libm::log1p(excess)
    } else {
        libm::log(far) - libm::log(near)
    }
}

/// Sums run over sorted distances, so that the mean does not depend on the order of rows.
fn mean_distance(r_n1: &[f64], r_n2: &[f64]) -> Option<f64> {
    let mut pooled = [r_n1, r_n2].concat();
    pooled.sort_unstable_by(f64::total_cmp);
    stats::mean(&pooled).filter(|mean| mean.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_tied_and_infinite_pairs_are_told_apart() {
        let ratios = Ratios::new(&[0.0, 1.0, 2.0, 1.0], &[1.0, 1.0, 4.0, f64::INFINITY]);
        assert_eq!(
            (ratios.n_zero, ratios.n_tied, ratios.n_nonfinite),
            (1, 1, 1)
        );
        assert_eq!(ratios.ln_mu, [0.0, 2f64.ln()]);
        assert_eq!(ratios.distance, None);
    }

    #[test]
    fn ratios_beyond_the_range_of_f64_keep_a_finite_logarithm() {
        let ratios = Ratios::new(&[1e-200], &[1e200]);
        assert!((ratios.ln_mu[0] - 400.0 * 10f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn the_distance_pools_both_neighbours_of_every_row() {
        assert_eq!(Ratios::new(&[1.0, 0.0], &[2.0, 1.0]).distance, Some(1.0));
        assert_eq!(Ratios::new(&[], &[]).distance, None);
    }

    #[test]
    fn the_reason_says_what_is_missing() {
        assert_eq!(
            Ratios::new(&[0.0], &[1.0]).require(2),
            Err(Reason::ZeroDistances)
        );
        assert_eq!(
            Ratios::new(&[1.0], &[2.0]).require(2),
            Err(Reason::TooFewRows)
        );
        let tied = Ratios::new(&[1.0, 1.0], &[1.0, 1.0]);
        assert_eq!(tied.require(2), Err(Reason::DegenerateRatios));
    }
}
