//! ESS: expected simplex skewness.

use ndarray::{Array2, ArrayView2, Axis};

use super::neighbourhood::Neighbourhood;
use super::{Combine, Estimator, Explained, Local, LocalOutcome, Neighbours, Reads, local};
use crate::algebra::product;
use crate::input::Matrix;

/// Neighbours looked at unless said otherwise.
pub const ESS_K: usize = 100;

/// No neighbourhood of a real layer comes near it; beyond, the curves are flat.
const MAX_DIMENSION: u32 = 1_000_000;

/// Which simplex of two centred vectors is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EssVersion {
    /// Its area, Σ‖a‖‖b‖|sin θ|: grows with the dimension.
    #[default]
    A,
    /// Its projection, Σ|a·b|: falls with the dimension.
    B,
}

/// Dimension from the skewness of simplices of each row's `k` nearest neighbours.
///
/// See [`ess_of_points`] for one neighbourhood. `data` must hold the rows of the table.
///
/// Reasons for none: `too_few_rows` (k + 2), `too_few_neighbours`, `zero_distances`,
/// `degenerate_ratios`. Johnsson, Soneson and Fontes, IEEE Trans. PAMI 37, 196 (2015).
pub fn ess(
    distances: ArrayView2<f64>,
    indices: ArrayView2<u32>,
    data: &Matrix,
    k: usize,
    version: EssVersion,
    combine: Combine,
) -> LocalOutcome {
    let values = local::over_rows(distances, k, |row, _| {
        let rows = indices.row(row);
        let (n, columns, values) =
            Neighbourhood::gather(data, rows.split_at(Axis(0), k).0).into_values();
        let points = Array2::from_shape_vec((n, columns), values).ok()?;
        ess_of_points(points, version)
    })?;
    Local::combine(values, distances, k, combine)
}

/// Dimension of one cloud of points, from all pairs a, b of vectors from their mean:
///
/// ```text
/// version a: s = Σ √(‖a‖²‖b‖² − (a·b)²) / Σ ‖a‖‖b‖
/// version b: s = Σ |a·b| / Σ ‖a‖‖b‖
/// ```
///
/// placed on the expectation E(n) for an isotropic n-dimensional cloud, linearly between whole n:
///
/// ```text
/// E_a(n) = Γ(n/2)² / (Γ((n+1)/2) Γ((n−1)/2))        E_b(n) = Γ(n/2) / (√π Γ((n+1)/2))
/// ```
///
/// `None` below two points, for equal points, or where the curve is never reached.
pub fn ess_of_points(mut points: Array2<f64>, version: EssVersion) -> Option<f64> {
    let mean = points.mean_axis(Axis(0))?;
    points -= &mean;
    let gram = product(points.view(), points.t());
    let norms: Vec<f64> = gram.diag().iter().map(|square| square.sqrt()).collect();
    let (mut simplices, mut products) = (0.0, 0.0);
    for i in 0..norms.len() {
        for j in 0..i {
            let (dot, size) = (gram[(i, j)], norms[i] * norms[j]);
            products += size;
            simplices += match version {
                // ‖a‖²‖b‖² − (a·b)², without cancelling where the vectors are almost parallel
                EssVersion::A => ((size - dot) * (size + dot)).max(0.0).sqrt(),
                EssVersion::B => dot.abs(),
            };
        }
    }
    (products > 0.0)
        .then(|| place(simplices / products, version))
        .flatten()
}

/// Where `skewness` lies on the curve of `version`.
///
/// With g(n) = Γ((n+1)/2)/Γ(n/2) the curves are E_a(n) = 2 g(n−1)²/(n−1) and E_b(n) = 1/(√π g(n)),
/// and g(n) g(n−1) = (n−1)/2 steps from one n to the next.
fn place(skewness: f64, version: EssVersion) -> Option<f64> {
    let root_pi = std::f64::consts::PI.sqrt();
    let mut g = root_pi.recip();
    let mut here = match version {
        EssVersion::A => 0.0,
        EssVersion::B => 1.0,
    };
    for n in 1..MAX_DIMENSION {
        let n = f64::from(n);
        let g_next = n / (2.0 * g);
        let next = match version {
            EssVersion::A => 2.0 * g * g / n,
            EssVersion::B => (root_pi * g_next).recip(),
        };
        let share = (skewness - here) / (next - here);
        if share <= 1.0 {
            return Some(n + share.max(0.0));
        }
        (g, here) = (g_next, next);
    }
    None
}

/// Version a, averaged over rows.
pub(super) static ESS: Estimator = Estimator {
    name: "ess",
    flag: "ess",
    words: "Expected simplex skewness",
    reads: Reads::Neighbours(Neighbours {
        needs_coordinates: true,
        ..Neighbours::local(ESS_K, |view, k| {
            let (distances, indices) = (view.distances, view.indices);
            let (version, combine) = (EssVersion::A, Combine::Mean);
            view.with_rows(|data| ess(distances, indices, data, k, version, combine))
                .into()
        })
    }),
    part_of: None,
    explained: &[Explained {
        variant: "ess",
        reads: "angles between neighbours",
        k: Some(ESS_K),
        error: None,
        calibration: [Some(1.03), Some(0.99), Some(0.99), Some(0.99)],
    }],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn the_curves_pass_through_their_known_values() {
        use std::f64::consts::{FRAC_2_PI, FRAC_PI_4};
        // E_a(2) = 2/π, E_a(3) = π/4, E_b(2) = 2/π, E_b(3) = 1/2.
        let a = |s| place(s, EssVersion::A).unwrap();
        let b = |s| place(s, EssVersion::B).unwrap();
        assert!((a(FRAC_2_PI) - 2.0).abs() < 1e-14 && (a(FRAC_PI_4) - 3.0).abs() < 1e-14);
        assert!((b(FRAC_2_PI) - 2.0).abs() < 1e-14 && (b(0.5) - 3.0).abs() < 1e-14);
        assert_eq!((a(0.0), b(1.0)), (1.0, 1.0));
        assert_eq!(place(1.0, EssVersion::A), None);
        assert_eq!(place(0.0, EssVersion::B), None);
    }

    #[test]
    fn an_isotropic_cloud_has_the_dimension_of_its_space() {
        let mut random = SplitMix64::new(5);
        let cloud = Array2::from_shape_simple_fn((400, 6), || {
            (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0
        });
        for version in [EssVersion::A, EssVersion::B] {
            let id = ess_of_points(cloud.clone(), version).unwrap();
            assert!((id - 6.0).abs() < 0.3, "{version:?}: {id}");
        }
    }

    #[test]
    fn points_on_a_line_have_one_dimension_and_equal_points_none() {
        let line = Array2::from_shape_fn((30, 3), |(i, _)| i as f64);
        assert!((ess_of_points(line.clone(), EssVersion::A).unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(ess_of_points(line, EssVersion::B), Some(1.0));
        assert_eq!(ess_of_points(Array2::ones((9, 3)), EssVersion::A), None);
        assert_eq!(ess_of_points(Array2::ones((0, 3)), EssVersion::A), None);
    }
}
