//! lPCA: linear dimension, read from the eigenvalues of the covariance.

use super::{Estimate, Estimated, Estimator, Explained, Outcome, Reads};
use crate::geometry::Reason;
use crate::geometry::spectrum::Spectrum;

/// The name of the rule that counts eigenvalues to a share of the variance.
pub const RATIO: &str = "ratio";

/// Share of the variance that the rule `ratio` counts eigenvalues to by custom.
pub const RATIO_SHARE: f64 = 0.95;

/// How eigenvalues λ_1 ≥ λ_2 ≥ … become a dimension. Shares are of the total Σλ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LpcaRule {
    /// (Σλ)² / Σλ².
    ParticipationRatio,
    /// Eigenvalues above `threshold`·λ_1. Fukunaga and Olsen, IEEE Trans. Comput. C-20 (1971).
    Fo {
        /// 0.05 by custom.
        threshold: f64,
    },
    /// Eigenvalues until their cumulative share reaches `share`.
    Ratio {
        /// [`RATIO_SHARE`] by custom.
        share: f64,
    },
    /// The i of the largest λ_i/λ_{i+1}.
    MaxGap,
    /// Eigenvalues above their mean over all D columns.
    Kaiser,
    /// Leading eigenvalues whose shares exceed those of a randomly broken stick, (1/D) Σ_{j≥i} 1/j.
    BrokenStick,
    /// Noise σ = mean of the eigenvalues from the first cumulative share above `share` on; of the
    /// λ − σ the first whose gap to the next exceeds `gap` or whose cumulative share exceeds
    /// `signal`. Fan et al., arXiv 1002.2050.
    Fan {
        /// α, 10 by custom.
        gap: f64,
        /// β, 0.8 by custom.
        signal: f64,
        /// P, 0.95 by custom.
        share: f64,
    },
    /// Eigenvalues above the Marchenko–Pastur edge of pure noise, σ²(1 + √(D/N))².
    MarchenkoPastur {
        /// σ².
        noise_variance: f64,
    },
    /// Singular values of the matrix above the optimal hard threshold, σ λ* √max(N, D) with
    /// β = min(N, D)/max(N, D) and λ* = √(2(β+1) + 8β/(β + 1 + √(β² + 14β + 1))).
    /// Gavish and Donoho, IEEE Trans. Inf. Theory 60, 5040 (2014).
    GavishDonoho {
        /// σ².
        noise_variance: f64,
    },
}

impl LpcaRule {
    /// Every rule with its customary parameters; the noise rules suppose unit noise.
    pub const ALL: [Self; 9] = [
        Self::ParticipationRatio,
        Self::Fo { threshold: 0.05 },
        Self::Ratio { share: RATIO_SHARE },
        Self::MaxGap,
        Self::Kaiser,
        Self::BrokenStick,
        Self::Fan {
            gap: 10.0,
            signal: 0.8,
            share: 0.95,
        },
        Self::MarchenkoPastur {
            noise_variance: 1.0,
        },
        Self::GavishDonoho {
            noise_variance: 1.0,
        },
    ];

    /// The name of the rule in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ParticipationRatio => "participation_ratio",
            Self::Fo { .. } => "fo",
            Self::Ratio { .. } => RATIO,
            Self::MaxGap => "max_gap",
            Self::Kaiser => "kaiser",
            Self::BrokenStick => "broken_stick",
            Self::Fan { .. } => "fan",
            Self::MarchenkoPastur { .. } => "marchenko_pastur",
            Self::GavishDonoho { .. } => "gavish_donoho",
        }
    }
}

/// Linear dimension of a layer with the given spectrum, by `rule`.
///
/// It has no error. Reasons for none: `not_reached` where no eigenvalue satisfies a rule that
/// looks for a first one.
pub fn lpca(spectrum: &Spectrum, rule: LpcaRule) -> Outcome {
    let values = &spectrum.eigenvalues[..];
    let (n, d) = (spectrum.n_rows as f64, spectrum.n_columns as f64);
    let total: f64 = values.iter().sum();
    let above = |limit: f64| values.iter().filter(|&&value| value > limit).count();
    let id = match rule {
        LpcaRule::ParticipationRatio => {
            // Shares first: squares of eigenvalues may leave the range of f64.
            let squares: f64 = values.iter().map(|value| (value / total).powi(2)).sum();
            return Ok(Estimate::new(squares.recip(), spectrum.n_rows));
        }
        LpcaRule::Fo { threshold } => above(threshold * values[0]),
        LpcaRule::Ratio { share } => {
            let below = cumulative(values).take_while(|sum| sum / total < share);
            (below.count() + 1).min(values.len())
        }
        LpcaRule::MaxGap => max_gap(values, spectrum.floor),
        LpcaRule::Kaiser => above(total / d),
        LpcaRule::BrokenStick => (1..)
            .zip(values)
            .take_while(|&(i, value)| value / total > stick(i, spectrum.n_columns))
            .count(),
        LpcaRule::Fan { gap, signal, share } => {
            fan(spectrum, gap, signal, share).ok_or(Reason::NotReached)?
        }
        LpcaRule::MarchenkoPastur { noise_variance } => {
            above(noise_variance * (1.0 + (d / n).sqrt()).powi(2))
        }
        LpcaRule::GavishDonoho { noise_variance } => {
            let beta = n.min(d) / n.max(d);
            let root = (beta * beta + 14.0 * beta + 1.0).sqrt();
            let square = 2.0 * (beta + 1.0) + 8.0 * beta / (beta + 1.0 + root);
            // Squares of singular values are (N − 1) λ.
            above(noise_variance * square * n.max(d) / (n - 1.0))
        }
    };
    Ok(Estimate::new(id as f64, spectrum.n_rows))
}

fn cumulative(values: &[f64]) -> impl Iterator<Item = f64> {
    values.iter().scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    })
}

/// Eigenvalues below `floor`, which rounding may have made, are taken for it; without any gap above
/// it the dimension is the number of eigenvalues.
fn max_gap(values: &[f64], floor: f64) -> usize {
    let mut best = (values.len(), 0.0);
    let above = |pair: &&[f64]| pair[0] > floor;
    for (i, pair) in (1..).zip(values.windows(2).take_while(above)) {
        let gap = pair[0] / pair[1].max(floor);
        if gap > best.1 {
            best = (i, gap);
        }
    }
    best.0
}

/// Expected share of the `i`-th longest of `d` pieces of a randomly broken stick.
fn stick(i: usize, d: usize) -> f64 {
    (i..=d).map(|j| 1.0 / j as f64).sum::<f64>() / d as f64
}

/// Where the excess over the noise sums to no more than rounding may have made of equal eigenvalues,
/// nothing is above the noise.
fn fan(spectrum: &Spectrum, gap: f64, signal: f64, share: f64) -> Option<usize> {
    let values = &spectrum.eigenvalues[..];
    let total: f64 = values.iter().sum();
    let moved = 2.0 * (spectrum.floor * total).sqrt();
    let first = cumulative(values).position(|sum| sum / total > share)?;
    let tail = &values[first..];
    let noise = tail.iter().sum::<f64>() / tail.len() as f64;
    let excess: Vec<f64> = values.iter().map(|value| value - noise).collect();
    let total: f64 = excess.iter().sum();
    // All of it is noise by definition where the first eigenvalue holds the share.
    if first > 0 && total <= moved {
        return None;
    }
    let wide = excess.windows(2).position(|pair| pair[0] / pair[1] > gap);
    let enough = cumulative(&excess).position(|sum| sum / total > signal);
    let enough = enough.filter(|_| total > moved);
    [wide, enough].into_iter().flatten().min().map(|i| i + 1)
}

/// By every rule, the participation ratio first.
pub(super) static LPCA: Estimator = Estimator {
    name: "lpca",
    flag: "lpca",
    words: "Linear dimension by every rule, with the spectrum",
    reads: Reads::Spectrum(|spectrum, share| {
        let rules = LpcaRule::ALL.map(|rule| match rule {
            LpcaRule::Ratio { .. } => LpcaRule::Ratio { share },
            rule => rule,
        });
        rules.map(|rule| by_rule(spectrum, rule)).into()
    }),
    part_of: None,
    explained: &[
        Explained {
            variant: "lpca_fo",
            reads: "eigenvalues above 5% of the first",
            k: None,
            error: None,
            calibration: [Some(1.17), Some(1.07), Some(1.03), Some(1.02)],
        },
        Explained {
            variant: "lpca_ratio",
            reads: "eigenvalues that hold 95%",
            k: None,
            error: None,
            calibration: [Some(1.17), Some(1.07), Some(1.03), Some(0.97)],
        },
        Explained {
            variant: "lpca_max_gap",
            reads: "eigenvalues above the largest gap",
            k: None,
            error: None,
            calibration: [Some(1.17), Some(1.07), Some(1.03), Some(1.02)],
        },
        Explained {
            variant: "lpca_kaiser",
            reads: "eigenvalues above their mean",
            k: None,
            error: None,
            calibration: [Some(1.17), Some(1.07), Some(1.03), Some(1.02)],
        },
        Explained {
            variant: "lpca_broken_stick",
            reads: "shares above a broken stick",
            k: None,
            error: None,
            calibration: [Some(1.17), Some(1.07), Some(1.03), Some(0.00)],
        },
        Explained {
            variant: "lpca_fan",
            reads: "eigenvalues up to a gap or 80%",
            k: None,
            error: None,
            calibration: [Some(0.67), Some(0.80), Some(0.74), Some(0.72)],
        },
    ],
};

/// By the participation ratio only.
pub(super) static PARTICIPATION_RATIO: Estimator = Estimator {
    name: "participation_ratio",
    flag: "participation-ratio",
    words: "Linear dimension by the participation ratio, with the spectrum",
    reads: Reads::Spectrum(|spectrum, _| vec![by_rule(spectrum, LpcaRule::ParticipationRatio)]),
    part_of: Some("lpca"),
    explained: &[Explained {
        variant: "participation_ratio",
        reads: "how evenly variance is spread",
        k: None,
        error: None,
        calibration: [Some(1.16), Some(1.06), Some(1.02), Some(1.00)],
    }],
};

fn by_rule(spectrum: Result<&Spectrum, Reason>, rule: LpcaRule) -> Estimated {
    let is_ratio = rule == LpcaRule::ParticipationRatio;
    Estimated {
        estimator: is_ratio.then_some(&PARTICIPATION_RATIO),
        rule: (!is_ratio).then_some(rule.name()),
        ..spectrum.and_then(|spectrum| lpca(spectrum, rule)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(eigenvalues: &[f64], rule: LpcaRule) -> f64 {
        let spectrum = Spectrum::from_eigenvalues(eigenvalues.to_vec(), 100, eigenvalues.len());
        lpca(&spectrum.unwrap(), rule).unwrap().id
    }

    #[test]
    fn equal_eigenvalues_take_part_fully() {
        assert!((id(&[2.0; 7], LpcaRule::ParticipationRatio) - 7.0).abs() < 1e-14);
        assert!((id(&[1e200, 0.0, 0.0], LpcaRule::ParticipationRatio) - 1.0).abs() < 1e-14);
        assert_eq!(id(&[2.0; 7], LpcaRule::Fo { threshold: 0.05 }), 7.0);
        assert_eq!(id(&[2.0; 7], LpcaRule::Kaiser), 0.0);
    }

    #[test]
    fn each_rule_counts_the_signal_above_a_floor() {
        let values = [40.0, 30.0, 20.0, 0.5, 0.4, 0.3];
        assert_eq!(id(&values, LpcaRule::Fo { threshold: 0.05 }), 3.0);
        assert_eq!(id(&values, LpcaRule::Ratio { share: 0.95 }), 3.0);
        assert_eq!(id(&values, LpcaRule::Ratio { share: 1.0 }), 6.0);
        assert_eq!(id(&values, LpcaRule::MaxGap), 3.0);
        assert_eq!(id(&values, LpcaRule::Kaiser), 3.0);
        let noise_variance = 1.0;
        assert_eq!(
            id(&values, LpcaRule::MarchenkoPastur { noise_variance }),
            3.0
        );
        assert_eq!(id(&values, LpcaRule::GavishDonoho { noise_variance }), 3.0);
    }

    #[test]
    fn the_ratio_counts_to_the_share_that_is_asked_for() {
        let spectrum = Spectrum::from_eigenvalues(vec![64.0, 32.0, 16.0, 8.0, 8.0], 100, 5);
        let spectrum = spectrum.unwrap();
        let Reads::Spectrum(run) = LPCA.reads else {
            panic!("lpca reads spectra");
        };
        let counted = |share| {
            let found = run(Ok(&spectrum), share);
            let ratio = found.iter().find(|one| one.rule == Some(RATIO)).unwrap();
            ratio.outcome.unwrap().id
        };
        // Cumulative shares: 1/2, 3/4, 7/8, 15/16, 1, all exact.
        assert_eq!(counted(0.5), 1.0);
        assert_eq!(counted(0.75), 2.0);
        assert_eq!(counted(0.76), 3.0);
        assert_eq!(counted(15.0 / 16.0), 4.0);
        assert_eq!(counted(RATIO_SHARE), 5.0);
        assert_eq!(run(Ok(&spectrum), 0.5).len(), LpcaRule::ALL.len());
    }

    #[test]
    fn a_broken_stick_counts_only_the_leading_run() {
        // Expected shares of three pieces: 11/18, 5/18, 2/18.
        assert_eq!(id(&[62.0, 27.0, 11.0], LpcaRule::BrokenStick), 1.0);
        assert_eq!(id(&[62.0, 28.0, 10.0], LpcaRule::BrokenStick), 2.0);
        assert_eq!(id(&[50.0, 40.0, 10.0], LpcaRule::BrokenStick), 0.0);
    }

    #[test]
    fn rounding_makes_no_gap_and_no_excess() {
        let spectrum = |values: &[f64], floor: f64| Spectrum {
            floor,
            ..Spectrum::from_eigenvalues(values.to_vec(), 100, values.len()).unwrap()
        };
        // Two directions, two of the rounding of f16, and a dead column.
        let values = [3.0, 2.0, 4e-8, 1e-8, 0.0];
        let gap = |floor| {
            lpca(&spectrum(&values, floor), LpcaRule::MaxGap)
                .unwrap()
                .id
        };
        assert_eq!((gap(1e-20), gap(1e-6)), (4.0, 2.0));
        let fan = |values: &[f64], floor| {
            let rule = LpcaRule::ALL.into_iter().find(|rule| rule.name() == "fan");
            lpca(&spectrum(values, floor), rule.unwrap())
        };
        // One direction: the noise is estimated from all there is, and so is what exceeds it.
        assert_eq!(fan(&[1.0, 0.0, 0.0], 1e-16), Err(Reason::NotReached));
        let equal: Vec<f64> = (0..40).map(|i| 1.0 + 1e-9 * f64::from(i % 3)).collect();
        assert_eq!(fan(&equal, 1e-14), Err(Reason::NotReached));
    }

    #[test]
    fn an_exact_rank_is_the_widest_gap() {
        assert_eq!(id(&[3.0, 2.0, 1.0, 0.0, 0.0], LpcaRule::MaxGap), 3.0);
        assert_eq!(id(&[3.0], LpcaRule::MaxGap), 1.0);
    }
}
