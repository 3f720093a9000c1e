//! Peaks on a plane: those with high saddles between them lie close.

use ndarray::Array2;

use super::{MAX_PAIRED, Peak, Saddle};
use crate::algebra::symmetric_eigen;
use crate::geometry::Reason;

/// Coordinates of `peaks` in two dimensions, after Doimo et al., arXiv 2007.03506.
///
/// With D_ab = `highest` − L_ab for peaks that meet at log-density L_ab, `highest` − `floor` for
/// those that do not, D_aa = 0, and σ the mean of D over a ≤ b:
///
/// ```text
/// K = exp(−D² / (σ²/2))        B = ½ J K J,   J = 1 − 1/n
/// ```
///
/// The coordinates are the two leading eigenvectors of B, of length 1; the largest component of
/// each, the first of equals, is positive. An axis whose eigenvalue is 0 has no direction of its own
/// and is left at 0; so is everything where σ = 0 or there is one peak.
///
/// Reasons for none: `too_many_peaks` (more than 2000), `not_converged`.
pub fn map(
    peaks: &[Peak],
    saddles: &[Saddle],
    highest: f64,
    floor: f64,
) -> Result<Vec<[f64; 2]>, Reason> {
    let n = peaks.len();
    if n > MAX_PAIRED {
        return Err(Reason::TooManyPeaks);
    }
    let absent = highest - floor;
    let mut far = Array2::from_shape_fn((n, n), |(a, b)| if a == b { 0.0 } else { absent });
    for saddle in saddles {
        let [a, b] = saddle.peaks;
        far[(a, b)] = highest - saddle.log_density;
        far[(b, a)] = far[(a, b)];
    }
    let mut sum = 0.0;
    for b in 0..n {
        for a in 0..b {
            sum += far[(a, b)];
        }
    }
    let sigma = sum / (n * (n + 1) / 2).max(1) as f64;
    if n < 2 || sigma <= 0.0 {
        return Ok(vec![[0.0; 2]; n]);
    }
    let kernel = Array2::from_shape_fn((n, n), |(a, b)| {
        libm::exp(-2.0 * (far[(a, b)] / sigma).powi(2))
    });
    let mean = |a: usize| (0..n).map(|b| kernel[(b, a)]).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..n).map(mean).collect();
    let total = means.iter().sum::<f64>() / n as f64;
    let centred = Array2::from_shape_fn((n, n), |(a, b)| {
        0.5 * (kernel[(a, b)] - means[a] - means[b] + total)
    });
    let found = symmetric_eigen(centred).ok_or(Reason::NotConverged)?;
    // Eigenvalues ascend.
    let eigenvalue = |order: usize| found.values[n - 1 - order];
    let axis = |order: usize| -> Vec<f64> {
        if eigenvalue(order) <= 1e-12 * eigenvalue(0) {
            return vec![0.0; n];
        }
        let values = found.vectors.row(n - 1 - order).to_vec();
        let largest = values.iter().fold(0.0, |best: f64, &x| {
            // Only clearly larger: components that differ by rounding are equals.
            if x.abs() > best.abs() * (1.0 + 1e-9) {
                x
            } else {
                best
            }
        });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        values.into_iter().map(|x| sign * x).collect()
    };
    let (x, y) = (axis(0), axis(1));
    Ok(x.into_iter().zip(y).map(|(x, y)| [x, y]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peaks(n: usize) -> Vec<Peak> {
        let peak = |centre| Peak {
            centre,
            log_density: 0.0,
            error: 0.1,
            size: 1,
            n_core: 1,
        };
        (0..n).map(peak).collect()
    }

    fn saddle(a: usize, b: usize, log_density: f64) -> Saddle {
        Saddle {
            peaks: [a, b],
            row: 0,
            log_density,
            error: 0.1,
        }
    }

    #[test]
    fn peaks_that_meet_lie_closer_than_peaks_that_do_not() {
        // Two pairs, far from one another.
        let saddles = [saddle(0, 1, -1.0), saddle(2, 3, -1.0)];
        let at = map(&peaks(4), &saddles, 0.0, -10.0).unwrap();
        let apart = |a: usize, b: usize| {
            let [x, y] = [0, 1].map(|axis| at[a][axis] - at[b][axis]);
            x.hypot(y)
        };
        assert!(
            (at[0][0] - 0.5).abs() < 1e-9 && (at[2][0] + 0.5).abs() < 1e-9,
            "{at:?}"
        );
        assert!(apart(0, 2) > 0.9, "{at:?}");
        let length: f64 = at.iter().map(|[x, _]| x * x).sum();
        assert!((length - 1.0).abs() < 1e-12);
    }

    #[test]
    fn two_peaks_lie_opposite_and_one_at_the_origin() {
        let at = map(&peaks(2), &[saddle(0, 1, -3.0)], 0.0, -10.0).unwrap();
        assert!((at[0][0] - 0.5f64.sqrt()).abs() < 1e-12);
        assert!((at[1][0] + 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(
            [at[0][1], at[1][1]],
            [0.0; 2],
            "there is one direction only"
        );
        assert_eq!(map(&peaks(1), &[], 0.0, -1.0), Ok(vec![[0.0; 2]]));
        assert_eq!(map(&peaks(3), &[], 0.0, 0.0), Ok(vec![[0.0; 2]; 3]));
        let many = map(&peaks(MAX_PAIRED + 1), &[], 0.0, -1.0);
        assert_eq!(many, Err(Reason::TooManyPeaks));
    }
}
