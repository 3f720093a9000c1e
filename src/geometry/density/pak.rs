//! PAk: the density at a row when it may change linearly across the neighbourhood.
//!
//! Rodriguez, d'Errico, Facco and Laio, J. Chem. Theory Comput. 14, 1206 (2018).

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::nearest::ball;
use super::{Densities, RowDensity, ln_unit_ball};
use crate::geometry::Reason;

/// Steps of Newton's iteration before a row is given up.
const MAX_STEPS: usize = 100;

/// A step below this, in f and in a·K, is the last.
const TOLERANCE: f64 = 1e-12;

/// How far rounding may lower the likelihood, relative to its size.
const SLACK: f64 = 1e-13;

/// The density of every row by PAk, over the neighbourhoods `sizes` in `id` dimensions.
///
/// With K = k*, R = r_{i,K} and the volumes of shells in units of the ball of radius R,
/// w_l = (r_{i,l}/R)^d − (r_{i,l−1}/R)^d, the log-likelihood of a density whose logarithm is
/// f + a·l in the l-th shell is concave:
///
/// ```text
/// G(f, a) = Σ_{l=1}^{K} [ f + a l − w_l e^{f + a l} ]
/// L_i = f − ln ω_d − d ln R − ln N        error √((4K + 2) / (K (K − 1)))
/// ```
///
/// Only ratios of distances and ln R enter, so no unit of length is too large or too small, and a
/// change of unit by s shifts every log-density by −d ln s. There is no finite maximum unless
/// (K + 1)/2 lies strictly between the first and the last shell that has a volume; such a row, and
/// one where Newton's iteration fails, takes the density and the error by k* neighbours and is
/// counted.
///
/// Reasons for none: `too_few_neighbours` (a size is 0 or beyond the table), `zero_distances`.
///
/// # Panics
/// Unless there is one size a row.
pub fn pak(
    distances: ArrayView2<f64>,
    sizes: &[Option<usize>],
    id: f64,
) -> Result<Densities, Reason> {
    let (n, k) = distances.dim();
    assert_eq!(sizes.len(), n, "one size a row");
    if sizes.iter().flatten().any(|&size| size == 0 || size > k) {
        return Err(Reason::TooFewNeighbours);
    }
    let constant = ln_unit_ball(id) + libm::log(n as f64);
    let found: Vec<Option<(RowDensity, bool)>> = (0..n)
        .into_par_iter()
        .map_init(Vec::new, |shells, i| {
            let kstar = sizes[i]?;
            let radius = distances[(i, kstar - 1)];
            let plain = ball(radius, kstar, id, n)?;
            shells.clear();
            shells.extend(volumes(
                distances.row(i).iter().take(kstar).copied(),
                radius,
                id,
            ));
            let Some(f) = maximum(shells) else {
                return Some((plain, true));
            };
            let size = kstar as f64;
            let density = RowDensity {
                log_density: f - constant - id * libm::log(radius),
                error: ((4.0 * size + 2.0) / (size * (size - 1.0))).sqrt(),
                kstar,
            };
            Some((density, false))
        })
        .collect();
    let n_fallback = found
        .iter()
        .filter(|row| row.is_some_and(|(_, fell_back)| fell_back))
        .count();
    let rows = found
        .into_iter()
        .map(|row| row.map(|(density, _)| density))
        .collect();
    Densities { rows, n_fallback }.or_reason()
}

/// Volumes of the shells between successive `distances`, in units of the ball of `radius`.
fn volumes(
    distances: impl Iterator<Item = f64>,
    radius: f64,
    id: f64,
) -> impl Iterator<Item = f64> {
    let mut ln_inner = f64::NEG_INFINITY;
    distances.map(move |outer| {
        let ln_outer = libm::log(outer / radius);
        let volume = if ln_outer > ln_inner {
            // u_l − u_{l−1} without cancellation.
            -libm::exp(id * ln_outer) * libm::expm1(id * (ln_inner - ln_outer))
        } else {
            0.0
        };
        ln_inner = ln_outer;
        volume
    })
}

/// The f of the maximum of G; `None` where there is none or it is not found.
fn maximum(shells: &[f64]) -> Option<f64> {
    let size = shells.len() as f64;
    let middle = (size + 1.0) / 2.0;
    let first = shells.iter().position(|&w| w > 0.0)?;
    let last = shells.iter().rposition(|&w| w > 0.0)?;
    if (first + 1) as f64 >= middle || (last + 1) as f64 <= middle {
        return None;
    }
    let mut at = Point::new(shells, libm::log(size), 0.0);
    for _ in 0..MAX_STEPS {
        let (mut df, mut da) = at.newton_step(shells)?;
        let slack = SLACK * (1.0 + at.value.abs());
        let next = loop {
            if df.abs().max(da.abs() * size) < TOLERANCE {
                return Some(at.f + df);
            }
            let next = Point::new(shells, at.f + df, at.a + da);
            // A value that is not a number is no progress either.
            if next.value >= at.value - slack {
                break next;
            }
            (df, da) = (df / 2.0, da / 2.0);
        };
        at = next;
    }
    None
}

/// G at one place.
struct Point {
    f: f64,
    a: f64,
    value: f64,
    /// Σ w_l e^{f + a l}: how many neighbours the density expects.
    expected: f64,
    /// Their mean l.
    centre: f64,
}

impl Point {
    fn new(shells: &[f64], f: f64, a: f64) -> Self {
        let size = shells.len() as f64;
        let (mut expected, mut moment) = (0.0, 0.0);
        for (l, x) in expectations(shells, f, a) {
            expected += x;
            moment += l * x;
        }
        Self {
            f,
            a,
            value: size * f + a * size * (size + 1.0) / 2.0 - expected,
            expected,
            centre: moment / expected,
        }
    }

    /// −H⁻¹ times the gradient; `None` where that is not finite.
    ///
    /// Seen from the mean l, where f' = f + a·centre, the Hessian is diagonal and nothing cancels,
    /// however unequal the shells are.
    fn newton_step(&self, shells: &[f64]) -> Option<(f64, f64)> {
        let size = shells.len() as f64;
        let spread: f64 = expectations(shells, self.f, self.a)
            .map(|(l, x)| (l - self.centre).powi(2) * x)
            .sum();
        let da = size * ((size + 1.0) / 2.0 - self.centre) / spread;
        let df = (size - self.expected) / self.expected - self.centre * da;
        (df.is_finite() && da.is_finite()).then_some((df, da))
    }
}

/// l and w_l e^{f + a l} of every shell.
fn expectations(shells: &[f64], f: f64, a: f64) -> impl Iterator<Item = (f64, f64)> {
    let (mut density, step) = (libm::exp(f), libm::exp(a));
    let mut l = 0.0;
    shells.iter().map(move |w| {
        l += 1.0;
        density *= step;
        (l, w * density)
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn equal_shells_have_the_density_of_the_ball() {
        // r_l = l in one dimension: every shell has the same volume, so a = 0 and f = ln K.
        let distances = array![[1.0, 2.0, 3.0, 4.0, 5.0]];
        let found = pak(distances.view(), &[Some(5)], 1.0).unwrap().rows[0].unwrap();
        let expected = 5f64.ln() - 2f64.ln() - 5f64.ln();
        assert!((found.log_density - expected).abs() < 1e-13);
        assert!((found.error - (22.0f64 / 20.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn the_gradient_vanishes_at_the_maximum() {
        let shells = [0.05, 0.3, 0.02, 0.1, 0.2, 0.08, 0.25];
        let f = maximum(&shells).unwrap();
        // For this f, the best a; its likelihood must not grow when f moves either way.
        let best = |f: f64| {
            let of = |a: f64| Point::new(&shells, f, a).value;
            let (mut low, mut high) = (-2.0, 2.0);
            for _ in 0..200 {
                let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if of(a) < of(b) { low = a } else { high = b }
            }
            of(low)
        };
        assert!(best(f) > best(f + 1e-4) && best(f) > best(f - 1e-4));
    }

    #[test]
    fn any_unit_shifts_the_logarithm_and_changes_nothing_else() {
        let radii = [0.3, 0.5, 0.55, 0.7, 0.8, 0.83, 0.9, 1.0];
        for id in [2.0, 60.0, 400.0] {
            let of = |unit: f64| {
                let distances = Array2::from_shape_fn((1, 8), |(_, l)| radii[l] * unit);
                let found = pak(distances.view(), &[Some(8)], id).unwrap();
                assert_eq!(found.n_fallback, 0);
                found.rows[0].unwrap().log_density
            };
            for unit in [1e-12f64, 1e3, 1e12] {
                let shift = of(unit) - of(1.0) + id * unit.ln();
                assert!(shift.abs() < 1e-11 * id.max(30.0), "{id} {unit}: {shift}");
            }
        }
    }

    #[test]
    fn tied_distances_are_harmless_until_no_maximum_is_left() {
        let one = |distances: Array2<f64>| {
            let size = distances.ncols();
            pak(distances.view(), &[Some(size)], 2.0).unwrap()
        };
        assert_eq!(one(array![[1.0, 1.0, 2.0, 3.0, 3.0]]).n_fallback, 0);
        // All volume in the first shell: the likelihood grows without bound as a does.
        let tied = one(array![[2.0, 2.0, 2.0, 2.0]]);
        assert_eq!(tied.n_fallback, 1);
        assert_eq!(tied.rows[0], ball(2.0, 4, 2.0, 1));
    }
}
