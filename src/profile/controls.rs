//! Controls: layers made up to share some of a real layer, so that the rest shows.
//!
//! What an estimator reads on the control is what covariance (or the columns alone) and the number
//! of rows explain by themselves. The difference is geometry.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::algebra::{Accumulate, Part, multiply_part, product};
use crate::choice::choice;
use crate::geometry::clones::Elimination;
use crate::input::Matrix;
use crate::random::SplitMix64;

/// Rows made at a time; fixed, so that no result depends on the number of threads.
const TILE: usize = 128;

choice! {
    /// What a control keeps of a layer.
    pub enum Control {
        /// N rows from the normal distribution with the layer's mean and covariance.
        Gaussian = "gaussian",
        /// The same columns, each permuted on its own.
        Shuffle = "shuffle",
    }
}

impl Control {
    /// The control of `matrix` with `seed`; a layer below two rows is its own control.
    ///
    /// For the same seed every layer gets the same draws.
    pub fn of(self, matrix: &Matrix, seed: u64) -> Matrix {
        if matrix.n_rows() < 2 || matrix.n_columns() == 0 {
            return matrix.clone();
        }
        let values = widen(matrix);
        match self {
            Self::Gaussian => gaussian(values, seed),
            Self::Shuffle => shuffle(values, seed),
        }
        .into()
    }
}

fn widen(matrix: &Matrix) -> Array2<f64> {
    let mut values = Array2::zeros((matrix.n_rows(), matrix.n_columns()));
    for (row, mut out) in values.rows_mut().into_iter().enumerate() {
        let out = out
            .as_slice_mut()
            .expect("rows of a new array are contiguous");
        matrix.widen_row(row, out);
    }
    values
}

/// Rows z·F + mean, with z standard normal and FᵀF the covariance, divisor N − 1.
///
/// For N ≤ D the centred rows over √(N − 1) are such an F; otherwise D rows are enough, the factor of
/// Cholesky. (Eigenvectors would do as well, but their signs are nobody's choice.)
fn gaussian(mut values: Array2<f64>, seed: u64) -> Array2<f64> {
    let (n, columns) = values.dim();
    let mean = values.sum_axis(Axis(0)) / n as f64;
    values -= &mean;
    values /= ((n - 1) as f64).sqrt();
    let factor = if n <= columns { values } else { root(&values) };
    let mut seeds = SplitMix64::new(seed);
    let starts: Vec<(usize, u64)> = (0..n)
        .step_by(TILE)
        .map(|first| (first, seeds.next_u64()))
        .collect();
    let tiles: Vec<Array2<f64>> = starts
        .into_par_iter()
        .map(|(first, seed)| {
            let mut normal = Normal::new(seed);
            let shape = (TILE.min(n - first), factor.nrows());
            let draws = Array2::from_shape_simple_fn(shape, || normal.next());
            product(draws.view(), factor.view()) + &mean
        })
        .collect();
    let views: Vec<_> = tiles.iter().map(|tile| tile.view()).collect();
    ndarray::concatenate(Axis(0), &views).expect("tiles have the same columns")
}

/// F with FᵀF = XᵀX; what rounding leaves of a column that others explain is nothing.
fn root(x: &Array2<f64>) -> Array2<f64> {
    let size = x.ncols();
    let mut covariance = Array2::zeros((size, size));
    let into = covariance.view_mut();
    multiply_part(
        into,
        Accumulate::Replace,
        x.t(),
        x.view(),
        None,
        Part::Lower,
    );
    let order: Vec<usize> = (0..size).collect();
    let rounding = size as f64 * f64::EPSILON;
    let own = covariance.diag();
    let floors: Vec<f64> = own.iter().map(|variance| rounding * variance).collect();
    Elimination::new(covariance.view(), &order, &floors).into_factor()
}

fn shuffle(mut values: Array2<f64>, seed: u64) -> Array2<f64> {
    let n = values.nrows();
    let mut random = SplitMix64::new(seed);
    for mut column in values.columns_mut() {
        let order = random.choose(n, n);
        let shuffled: Vec<f64> = order.into_iter().map(|row| column[row]).collect();
        column
            .iter_mut()
            .zip(shuffled)
            .for_each(|(x, new)| *x = new);
    }
    values
}

/// Standard normal numbers: Box and Muller, Ann. Math. Stat. 29, 610 (1958).
struct Normal {
    random: SplitMix64,
    /// The second of a pair.
    spare: Option<f64>,
}

impl Normal {
    fn new(seed: u64) -> Self {
        Self {
            random: SplitMix64::new(seed),
            spare: None,
        }
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u lies in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.random.uniform())).sqrt();
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * self.random.uniform());
        self.spare = Some(radius * sine);
        radius * cosine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::stats;

    /// Three columns: y, 2y + noise, and a constant.
    fn correlated(n: usize) -> Array2<f64> {
        let mut random = SplitMix64::new(5);
        let mut values = Array2::zeros((n, 3));
        for mut row in values.rows_mut() {
            let y = random.uniform();
            row[0] = y;
            row[1] = 2.0 * y + 0.1 * random.uniform();
            row[2] = 7.0;
        }
        values
    }

    fn covariance(mut values: Array2<f64>) -> Array2<f64> {
        let n = values.nrows() as f64;
        let mean = values.sum_axis(Axis(0)) / n;
        values -= &mean;
        values.t().dot(&values) / (n - 1.0)
    }

    #[test]
    fn gaussian_numbers_have_mean_0_and_variance_1() {
        let mut normal = Normal::new(1);
        let draws: Vec<f64> = (0..100_000).map(|_| normal.next()).collect();
        let (mean, std) = (stats::mean(&draws), stats::std_dev(&draws));
        assert!(mean.is_some_and(|mean| mean.abs() < 0.015), "{mean:?}");
        assert!(std.is_some_and(|std| (std - 1.0).abs() < 0.01), "{std:?}");
    }

    #[test]
    fn a_gaussian_control_has_the_mean_and_covariance_of_its_layer() {
        let real = correlated(20_000);
        let made = widen(&Control::Gaussian.of(&real.clone().into(), 3));
        let means = [&real, &made].map(|values| values.sum_axis(Axis(0)) / 20_000.0);
        let (expected, found) = (covariance(real), covariance(made));
        for i in 0..3 {
            assert!((means[0][i] - means[1][i]).abs() < 0.02);
            for j in 0..3 {
                // Sampling error of a covariance: about its size times √(2/N) = 0.01.
                assert!((expected[(i, j)] - found[(i, j)]).abs() < 0.02);
            }
        }
    }

    #[test]
    fn a_gaussian_control_of_few_rows_stays_in_their_span() {
        let real = ndarray::array![
            [1.0, 0.0, 0.0, 2.0],
            [0.0, 1.0, 0.0, 2.0],
            [0.0, 0.0, 0.0, 2.0]
        ];
        let made = widen(&Control::Gaussian.of(&real.into(), 3));
        for row in made.rows() {
            assert!(
                row[2].abs() < 1e-15 && (row[3] - 2.0).abs() < 1e-15,
                "{row}"
            );
            assert!(row[0].abs() > 0.0 && row[1].abs() > 0.0);
        }
    }

    #[test]
    fn a_shuffle_keeps_every_column_and_breaks_what_ties_them() {
        let real = correlated(500);
        let made = widen(&Control::Shuffle.of(&real.clone().into(), 3));
        for (a, b) in real.columns().into_iter().zip(made.columns()) {
            let sorted = |column: ndarray::ArrayView1<f64>| {
                let mut values = column.to_vec();
                values.sort_unstable_by(f64::total_cmp);
                values
            };
            assert_eq!(sorted(a), sorted(b));
        }
        let (before, after) = (covariance(real), covariance(made));
        assert!(after[(0, 1)].abs() < 0.2 * before[(0, 1)]);
    }

    #[test]
    fn the_same_seed_makes_the_same_control() {
        let real: Matrix = correlated(300).into();
        for control in [Control::Gaussian, Control::Shuffle] {
            let [a, b, other] = [1, 1, 2].map(|seed| widen(&control.of(&real, seed)));
            assert_eq!(a, b);
            assert_ne!(a, other);
        }
    }
}
