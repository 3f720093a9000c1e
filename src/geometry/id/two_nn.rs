//! TwoNN: the dimension from each row's first two neighbours.
//!
//! Facco, d'Errico, Rodriguez and Laio, Sci. Rep. 7, 12140 (2017). In a locally uniform density
//! of dimension d the ratios μ = r_2 / r_1 are Pareto: P(ln μ > x) = exp(−d x).

use serde::Serialize;

use super::{ErrorKind, Estimate, Estimator, Explained, Outcome, Ratios, Reads, jackknife};
use crate::choice::choice;
use crate::geometry::{Reason, stats};
use crate::warning::WarningCode;

/// Blocks of the jackknife that gives [`Fit::Base`] its error.
const BLOCKS: usize = 50;

/// How the dimension is read from the ratios x = ln μ, M of them, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "FitFields")]
pub enum Fit {
    /// Line through the origin over the m = trunc(M·f) smallest ratios, error by jackknife:
    ///
    /// ```text
    /// y_i = −ln(1 − i/M)        d = Σ x_i y_i / Σ x_i²
    /// ```
    ///
    /// f = 1 would put y_M at infinity; then m = M − 1.
    Base {
        /// f, the share of ratios fitted.
        fraction: Fraction,
    },
    /// Maximum likelihood over all ratios, bias-corrected: d = (M − 1)/Σ x, SE = d/√M.
    Mle,
    /// Maximum likelihood where ratios beyond the m-th are only known to be larger (type-II
    /// censoring), m = trunc(M·f):
    ///
    /// ```text
    /// d = (m − 1) / (Σ_{i≤m} x_i + (M − m)·x_m)        SE = d/√m
    /// ```
    MleCensored {
        /// f, the share of ratios that are not censored.
        fraction: Fraction,
    },
    /// Mean of the posterior Gamma(a, b) under a Gamma(α, β) prior, with
    ///
    /// ```text
    /// a = α + M    b = β + Σ x    mean a/b    mode (a − 1)/b    SE = √a/b
    /// ```
    Bayes {
        /// α > 0, shape of the prior.
        alpha: f64,
        /// β > 0, rate of the prior.
        beta: f64,
    },
}

choice! {
    /// A [`Fit`] without its numbers.
    pub enum FitRule {
        /// Line through the origin, error by jackknife.
        Base = "base",
        /// Maximum likelihood over all ratios.
        Mle = "mle",
        /// Maximum likelihood with the largest ratios censored.
        MleCensored = "mle_censored",
        /// Posterior mean under a Gamma(2, 5) prior.
        Bayes = "bayes",
    }
}

impl FitRule {
    /// The fit with this share of ratios, or the customary one; `None` where a share has no part.
    pub fn with(self, fraction: Option<Fraction>) -> Option<Fit> {
        let share = fraction.unwrap_or_default();
        match (self, fraction) {
            (Self::Base, _) => Some(Fit::Base { fraction: share }),
            (Self::MleCensored, _) => Some(Fit::MleCensored { fraction: share }),
            (Self::Mle, None) => Some(Fit::Mle),
            (Self::Bayes, None) => Some(Fit::BAYES),
            (Self::Mle | Self::Bayes, Some(_)) => None,
        }
    }
}

/// A [`Fit`] as reports show it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FitFields {
    /// TwoNN's fit.
    fit: FitRule,
    /// Share of the smallest ratios that the fit uses, where it has one.
    fraction: Option<f64>,
}

impl From<Fit> for FitFields {
    fn from(fit: Fit) -> Self {
        Self {
            fit: fit.rule(),
            fraction: fit.fraction().map(Fraction::get),
        }
    }
}

impl Fit {
    /// The posterior mean under the customary prior Gamma(2, 5).
    pub const BAYES: Self = Self::Bayes {
        alpha: 2.0,
        beta: 5.0,
    };

    /// The name of the fit in reports.
    pub fn name(self) -> &'static str {
        self.rule().name()
    }

    /// The fit without its numbers.
    pub fn rule(self) -> FitRule {
        match self {
            Self::Base { .. } => FitRule::Base,
            Self::Mle => FitRule::Mle,
            Self::MleCensored { .. } => FitRule::MleCensored,
            Self::Bayes { .. } => FitRule::Bayes,
        }
    }

    /// The share of ratios fitted, where the fit has one.
    pub fn fraction(self) -> Option<Fraction> {
        match self {
            Self::Base { fraction } | Self::MleCensored { fraction } => Some(fraction),
            Self::Mle | Self::Bayes { .. } => None,
        }
    }

    /// Fewest ratios from which the fit gives a number.
    fn min_ratios(self) -> usize {
        match self {
            Self::Base { .. } => 3,
            Self::Mle | Self::MleCensored { .. } | Self::Bayes { .. } => 2,
        }
    }

    /// m, the ratios fitted of `n`.
    fn n_fit(self, n: usize) -> usize {
        match self {
            Self::Base { fraction } if fraction.is_whole() => n.saturating_sub(1),
            Self::Base { fraction } | Self::MleCensored { fraction } => fraction.of(n),
            Self::Mle | Self::Bayes { .. } => n,
        }
    }

    /// The dimension from ascending ratios; `None` where the fit has too few or only ties.
    fn dimension(self, ascending: &[f64]) -> Option<f64> {
        let n = ascending.len();
        let fitted = &ascending[..self.n_fit(n)];
        let id = match self {
            Self::Base { .. } => slope(fitted, n),
            Self::Mle => (n as f64 - 1.0) / stats::sum(fitted),
            Self::MleCensored { .. } => {
                let (count, last) = (fitted.len() as f64, fitted.last()?);
                (count - 1.0) / (stats::sum(fitted) + (n as f64 - count) * last)
            }
            Self::Bayes { alpha, beta } => (alpha + n as f64) / (beta + stats::sum(fitted)),
        };
        Some(id).filter(|id| id.is_finite() && *id > 0.0)
    }
}

impl Default for Fit {
    fn default() -> Self {
        Self::Base {
            fraction: Fraction::default(),
        }
    }
}

/// A share in (0, 1]; 0.9 unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f64);

impl Fraction {
    /// The customary 0.9.
    pub const NINE_TENTHS: Self = Self(0.9);

    /// `share` as a fraction; `None` outside (0, 1].
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 1.0).then_some(Self(share))
    }

    /// The share as a number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether it is 1 to within 1e-9.
    pub fn is_whole(self) -> bool {
        self.0 > 1.0 - 1e-9
    }

    /// trunc(n·f), of the f64 product as it comes: 0.7 of 90 is 62.
    pub fn of(self, n: usize) -> usize {
        #[allow(clippy::cast_possible_truncation)] // truncation is the rule, and f <= 1
        let count = (n as f64 * self.0) as usize;
        count
    }
}

impl Default for Fraction {
    fn default() -> Self {
        Self::NINE_TENTHS
    }
}

/// TwoNN intrinsic dimension by `fit`, from ratios of the second to the first neighbour.
///
/// Reasons for none: `too_few_rows` (3 ratios for `base`, 2 otherwise, and 2 inside the
/// fraction), `zero_distances`, `degenerate_ratios` (all ratios are 1).
pub fn two_nn(ratios: &Ratios, fit: Fit) -> Outcome {
    ratios.require(fit.min_ratios())?;
    let ascending = ratios.ascending();
    let n = ascending.len();
    let n_fit = fit.n_fit(n);
    if n_fit < 2 {
        return Err(Reason::TooFewRows);
    }
    let id = fit.dimension(&ascending).ok_or(Reason::DegenerateRatios)?;
    let estimate = Estimate {
        distance: ratios.distance,
        n_fit,
        n_zero: ratios.n_zero,
        n_tied: ratios.n_tied,
        mode: mode(fit, &ascending),
        note: note(fit),
        ..Estimate::new(id, n)
    };
    Ok(match fit {
        Fit::Base { .. } => {
            estimate.with_error(ErrorKind::Jackknife, two_nn_blocks(ratios, fit, BLOCKS))
        }
        Fit::Mle | Fit::MleCensored { .. } => {
            estimate.with_error(ErrorKind::Model, Some(id / (n_fit as f64).sqrt()))
        }
        Fit::Bayes { alpha, .. } => {
            // √a/b = mean/√a
            estimate.with_error(ErrorKind::Model, Some(id / (alpha + n as f64).sqrt()))
        }
    })
}

/// Jackknife error of [`two_nn`] over `n_blocks` blocks of rows; see [`jackknife()`].
pub fn two_nn_blocks(ratios: &Ratios, fit: Fit, n_blocks: usize) -> Option<f64> {
    jackknife(&ratios.ln_mu, n_blocks, |ascending| {
        fit.dimension(ascending)
    })
}

/// Slope of the line through the origin over the smallest of `n` ratios.
fn slope(fitted: &[f64], n: usize) -> f64 {
    let (mut xy, mut xx) = (0.0, 0.0);
    for (rank, &x) in (1u32..).zip(fitted) {
        let y = -libm::log1p(-f64::from(rank) / n as f64);
        xy += x * y;
        xx += x * x;
    }
    xy / xx
}

fn mode(fit: Fit, ascending: &[f64]) -> Option<f64> {
    match fit {
        Fit::Bayes { alpha, beta } => {
            Some((alpha + ascending.len() as f64 - 1.0) / (beta + stats::sum(ascending)))
        }
        _ => None,
    }
}

fn note(fit: Fit) -> Option<WarningCode> {
    match fit {
        Fit::Base { fraction } if fraction.is_whole() => Some(WarningCode::FractionCapped),
        _ => None,
    }
}

/// Fitted as options say.
pub static TWO_NN: Estimator = Estimator {
    name: "two_nn",
    flag: "two-nn",
    words: "Two nearest neighbours; --fit says how",
    reads: Reads::Ratios,
    part_of: None,
    explained: &[
        Explained {
            variant: "two_nn_base",
            reads: "r2/r1, line through the origin",
            k: Some(2),
            error: Some(ErrorKind::Jackknife),
            calibration: [Some(1.00), Some(0.97), Some(0.91), Some(0.80)],
        },
        Explained {
            variant: "two_nn_mle",
            reads: "r2/r1, likelihood",
            k: Some(2),
            error: Some(ErrorKind::Model),
            calibration: [Some(1.00), Some(0.97), Some(0.91), Some(0.80)],
        },
        Explained {
            variant: "two_nn_mle_censored",
            reads: "r2/r1, likelihood, largest censored",
            k: Some(2),
            error: Some(ErrorKind::Model),
            calibration: [Some(0.99), Some(0.97), Some(0.91), Some(0.80)],
        },
        Explained {
            variant: "two_nn_bayes",
            reads: "r2/r1, Gamma(2, 5) prior",
            k: Some(2),
            error: Some(ErrorKind::Model),
            calibration: [Some(0.99), Some(0.95), Some(0.87), Some(0.74)],
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Ratios at the quantiles i/M of an exact Pareto law of dimension `d`; the last has none.
    fn pareto(d: f64, n: u32) -> Ratios {
        let far: Vec<f64> = (1..n)
            .map(|i| (-(-f64::from(i) / f64::from(n)).ln_1p() / d).exp())
            .chain([(2.0 * f64::from(n).ln() / d).exp()])
            .collect();
        Ratios::new(&vec![1.0; far.len()], &far)
    }

    fn base(share: f64) -> Fit {
        let fraction = Fraction::new(share).unwrap();
        Fit::Base { fraction }
    }

    #[test]
    fn base_recovers_the_dimension_of_exact_pareto_quantiles() {
        for d in [0.1, 2.0, 30.0] {
            let estimate = two_nn(&pareto(d, 1000), base(0.9)).unwrap();
            assert!((estimate.id / d - 1.0).abs() < 1e-12, "{estimate:?}");
            assert_eq!((estimate.n, estimate.n_fit), (1000, 900));
            assert_eq!(estimate.error_kind, Some(ErrorKind::Jackknife));
        }
    }

    #[test]
    fn base_of_everything_leaves_out_the_last_point_and_says_so() {
        let estimate = two_nn(&pareto(3.0, 500), base(1.0)).unwrap();
        assert!((estimate.id - 3.0).abs() < 1e-12);
        assert_eq!(estimate.n_fit, 499);
        assert_eq!(estimate.note, Some(WarningCode::FractionCapped));
    }

    #[test]
    fn likelihood_fits_are_their_closed_forms() {
        let ratios = Ratios::new(&[1.0; 4], &[1.0, 2.0, 4.0, 16.0]);
        let ln2 = 2f64.ln();
        let mle = two_nn(&ratios, Fit::Mle).unwrap();
        assert!((mle.id - 3.0 / (7.0 * ln2)).abs() < 1e-15);
        assert!((mle.std_error.unwrap() - mle.id / 2.0).abs() < 1e-15);
        let fraction = Fraction::new(0.75).unwrap();
        let censored = two_nn(&ratios, Fit::MleCensored { fraction }).unwrap();
        assert!((censored.id - 2.0 / (5.0 * ln2)).abs() < 1e-15);
        assert_eq!(censored.n_fit, 3);
        let bayes = two_nn(&ratios, Fit::BAYES).unwrap();
        assert!((bayes.id - 6.0 / (5.0 + 7.0 * ln2)).abs() < 1e-15);
        assert!((bayes.mode.unwrap() - 5.0 / (5.0 + 7.0 * ln2)).abs() < 1e-15);
        assert!((bayes.std_error.unwrap() - 6f64.sqrt() / (5.0 + 7.0 * ln2)).abs() < 1e-15);
    }

    #[test]
    fn a_censored_likelihood_without_censoring_is_the_plain_one() {
        let ratios = pareto(5.0, 100);
        let fraction = Fraction::new(1.0).unwrap();
        let censored = two_nn(&ratios, Fit::MleCensored { fraction }).unwrap();
        assert_eq!(censored.id, two_nn(&ratios, Fit::Mle).unwrap().id);
    }

    #[test]
    fn no_fit_depends_on_the_unit_or_the_order_of_rows() {
        let near: Vec<f64> = (0..200)
            .map(|i| 1.0 + f64::from(i * 37 % 200) / 64.0)
            .collect();
        let far: Vec<f64> = (0..200)
            .map(|i| 6.0 + f64::from(i * 91 % 200) / 64.0)
            .collect();
        let fraction = Fraction::default();
        for fit in [
            Fit::default(),
            Fit::Mle,
            Fit::MleCensored { fraction },
            Fit::BAYES,
        ] {
            let id = two_nn(&Ratios::new(&near, &far), fit).unwrap().id;
            for unit in [2f64.powi(-80), 2f64.powi(80)] {
                let scale = |r: &[f64]| r.iter().map(|x| x * unit).collect::<Vec<_>>();
                let scaled = Ratios::new(&scale(&near), &scale(&far));
                assert_eq!(two_nn(&scaled, fit).unwrap().id, id);
            }
            let reverse = |r: &[f64]| r.iter().rev().copied().collect::<Vec<_>>();
            let reversed = Ratios::new(&reverse(&near), &reverse(&far));
            assert_eq!(two_nn(&reversed, fit).unwrap().id, id);
        }
    }

    #[test]
    fn the_jackknife_of_base_equals_a_naive_one() {
        let ratios = pareto(4.0, 130);
        let without = |block: usize| {
            let kept: Vec<f64> = (0..130)
                .filter(|i| i % 50 != block)
                .map(|i| ratios.ln_mu[i].exp())
                .collect();
            two_nn(&Ratios::new(&vec![1.0; kept.len()], &kept), Fit::default())
                .unwrap()
                .id
        };
        let thetas: Vec<f64> = (0..50).map(without).collect();
        let mean = thetas.iter().sum::<f64>() / 50.0;
        let naive = (0.98 * thetas.iter().map(|t| (t - mean).powi(2)).sum::<f64>()).sqrt();
        let error = two_nn(&ratios, Fit::default()).unwrap().std_error.unwrap();
        assert!((error / naive - 1.0).abs() < 1e-10, "{error} {naive}");
    }

    #[test]
    fn data_without_an_answer_get_a_reason() {
        let few = Ratios::new(&[1.0; 2], &[2.0; 2]);
        assert_eq!(
            two_nn(&few, Fit::default()).unwrap_err(),
            Reason::TooFewRows
        );
        assert!(two_nn(&few, Fit::Mle).is_ok());
        let tied = Ratios::new(&[1.0; 9], &[1.0; 9]);
        for fit in [Fit::default(), Fit::Mle, Fit::BAYES] {
            assert_eq!(two_nn(&tied, fit).unwrap_err(), Reason::DegenerateRatios);
        }
        let mostly_tied = Ratios::new(&[1.0; 4], &[1.0, 1.0, 1.0, 2.0]);
        let half = base(0.5);
        assert_eq!(
            two_nn(&mostly_tied, half).unwrap_err(),
            Reason::DegenerateRatios
        );
        assert_eq!(
            two_nn(&mostly_tied, base(0.1)).unwrap_err(),
            Reason::TooFewRows
        );
    }

    #[test]
    fn fractions_truncate_the_product_as_it_comes() {
        assert_eq!(Fraction::new(0.7).unwrap().of(90), 62);
        assert!(
            [0.0, -0.1, 1.1, f64::NAN]
                .map(Fraction::new)
                .iter()
                .all(Option::is_none)
        );
    }
}
