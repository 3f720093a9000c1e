//! The estimators beside TwoNN and Gride: all of a layer read one neighbour table or one spectrum.

use ndarray::{ArrayView2, s};

use super::estimate::entry;
use super::shape::{AdaptiveStep, IdEstimate, LeadingEigenvalues};
use crate::geometry::density::KSTAR_ALPHA;
use crate::geometry::id::{
    ABIDE_ITERATIONS, AbideStep, AbideVersion, BINOMIAL_K, BINOMIAL_RATIO, BinomialFit, CORR_INT_K,
    Combine, ESS_K, ErrorKind, EssVersion, Estimate, Fit, LocalOutcome, LpcaRule, MADA_K,
    MIND_ML_K, MLE_K, MOM_K, MindVersion, MleVersion, Outcome, Ratios, TLE_K, abide, binomial_k,
    corr_int, corr_int_radii, ess, lpca, mada, mind_ml, mle, mom, tle, two_nn,
};
use crate::geometry::spectrum::{Centring, Spectrum};
use crate::geometry::{Reason, stats};
use crate::input::Matrix;
use crate::neighbours::{self, Metric, Points, SearchOptions};

/// Neighbours among which ABIDE looks for k*.
const ABIDE_K: usize = 100;

/// Neighbours stored for the correlation integral, over its k.
const CORR_INT_STORED: usize = 5;

/// Eigenvalues that a report lists.
const LISTED: usize = 64;

/// An estimator of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimator {
    /// Levina–Bickel maximum likelihood, pooled as MacKay and Ghahramani do.
    Mle,
    /// Method of moments.
    Mom,
    /// Tight local estimation.
    Tle,
    /// Expected simplex skewness.
    Ess,
    /// Correlation dimension between two radii.
    CorrInt,
    /// Manifold-adaptive dimension.
    Mada,
    /// MiND ML.
    MindMl,
    /// Linear dimension by every rule.
    Lpca,
    /// Linear dimension by the participation ratio only.
    ParticipationRatio,
    /// Binomial estimator at a fixed number of neighbours.
    Binomial,
    /// The dimension at the scale k* of each row.
    Abide,
}

impl Estimator {
    /// The whole family, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Mle,
        Self::Mom,
        Self::Tle,
        Self::Ess,
        Self::CorrInt,
        Self::Mada,
        Self::MindMl,
        Self::Binomial,
        Self::Abide,
        Self::Lpca,
        Self::ParticipationRatio,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mle => "mle",
            Self::Mom => "mom",
            Self::Tle => "tle",
            Self::Ess => "ess",
            Self::CorrInt => "corr_int",
            Self::Mada => "mada",
            Self::MindMl => "mind_ml",
            Self::Lpca => "lpca",
            Self::ParticipationRatio => "participation_ratio",
            Self::Binomial => "binomial",
            Self::Abide => "abide",
        }
    }

    /// Whether every row has a dimension of its own.
    pub fn is_local(self) -> bool {
        matches!(
            self,
            Self::Mle | Self::Mom | Self::Tle | Self::Ess | Self::Mada
        )
    }

    /// Whether distances alone are not enough.
    pub fn needs_coordinates(self) -> bool {
        self.is_linear() || matches!(self, Self::Tle | Self::Ess)
    }

    fn is_linear(self) -> bool {
        matches!(self, Self::Lpca | Self::ParticipationRatio)
    }

    /// Neighbours looked at: `asked`, or the custom of the estimator; `None` for spectra.
    ///
    /// ABIDE chooses k* itself, among as many neighbours as is its custom.
    fn k(self, asked: Option<usize>) -> Option<usize> {
        let custom = match self {
            Self::Mle => MLE_K,
            Self::Mom => MOM_K,
            Self::Tle => TLE_K,
            Self::Ess => ESS_K,
            Self::CorrInt => CORR_INT_K[1],
            Self::Mada => MADA_K,
            Self::MindMl => MIND_ML_K,
            Self::Binomial => BINOMIAL_K,
            Self::Abide => return Some(ABIDE_K),
            Self::Lpca | Self::ParticipationRatio => return None,
        };
        Some(asked.unwrap_or(custom))
    }

    /// Neighbours to store.
    pub(super) fn stored(self, asked: Option<usize>) -> usize {
        let k = self.k(asked).unwrap_or(0);
        match self {
            // The farthest neighbour of MiND lies outside its k.
            Self::MindMl => k.saturating_add(1),
            // Rows of dense places have more others within the larger radius, and are costly to
            // count afresh.
            Self::CorrInt => k.saturating_mul(CORR_INT_STORED),
            _ => k,
        }
    }
}

/// What the family reads of one layer.
pub(super) struct Sight<'a> {
    /// Distances of the shared table.
    pub(super) distances: ArrayView2<'a, f64>,
    /// Indices of the shared table.
    pub(super) indices: ArrayView2<'a, u32>,
    /// The rows behind the table; `None` where it was given.
    pub(super) rows: Option<Rows<'a>>,
}

/// Rows, and as the metric sees them.
pub(super) struct Rows<'a> {
    points: &'a Points<'a>,
    data: Matrix,
    search: SearchOptions,
}

impl<'a> Rows<'a> {
    /// The rows of `matrix`, scaled to unit length where the metric compares directions.
    pub(super) fn new(
        matrix: &Matrix,
        points: &'a Points<'a>,
        metric: Metric,
        search: SearchOptions,
    ) -> Self {
        let data = match metric {
            Metric::Euclidean => matrix.clone(),
            Metric::Cosine => {
                let (n, columns) = (points.n_rows(), points.n_columns());
                let mut values = vec![0.0; n * columns];
                for (row, out) in values.chunks_exact_mut(columns.max(1)).enumerate() {
                    points.row(row, out);
                }
                Matrix::from_f64(n, columns, values)
            }
        };
        Self {
            points,
            data,
            search,
        }
    }
}

/// What was asked of the family.
pub(super) struct Ask<'a> {
    /// Which estimators.
    pub(super) estimators: &'a [Estimator],
    /// Neighbours in place of their customary numbers.
    pub(super) k: Option<usize>,
    /// The estimator whose values at single rows are kept.
    pub(super) local: Option<Estimator>,
}

/// What the family says about one layer.
#[derive(Default)]
pub(super) struct Family {
    /// The estimates, and the outcomes behind them.
    pub(super) estimates: Vec<(IdEstimate, Outcome)>,
    /// The spectrum, where a linear dimension was asked for and it exists.
    pub(super) spectrum: Option<LeadingEigenvalues>,
    /// The dimension at each row, where asked for and there is an estimate.
    pub(super) local: Option<Vec<Option<f64>>>,
}

/// The estimates of `ask` on one layer; all rows `identical` leave nothing to measure.
pub(super) fn family(ask: &Ask<'_>, sight: &Sight<'_>, identical: bool) -> Family {
    let mut family = Family::default();
    for estimator in ask.estimators.iter().copied().filter(|e| !e.is_linear()) {
        let k = estimator.k(ask.k).unwrap_or(0);
        let found = if identical {
            Measured::none(Reason::AllRowsIdentical)
        } else {
            sight.measure(estimator, k)
        };
        if ask.local == Some(estimator) {
            family.local = found.values;
        }
        // All neighbours there are were stored: what lacks are rows.
        let complete = sight.distances.ncols() + 1 >= sight.distances.nrows();
        let outcome = found.outcome.map_err(|reason| match reason {
            Reason::TooFewNeighbours if complete => Reason::TooFewRows,
            other => other,
        });
        let estimate = IdEstimate {
            estimator: estimator.name(),
            k: Some(k),
            steps: found.steps,
            ..plain(outcome)
        };
        family.estimates.push((estimate, outcome));
    }
    let linear = |estimator: &Estimator| ask.estimators.contains(estimator);
    let (all, ratio) = (
        linear(&Estimator::Lpca),
        linear(&Estimator::ParticipationRatio),
    );
    if all || ratio {
        let spectrum = sight.spectrum(identical);
        for rule in LpcaRule::ALL {
            let is_ratio = rule == LpcaRule::ParticipationRatio;
            if all || is_ratio {
                let outcome = spectrum.as_ref().map_err(|&reason| reason);
                let outcome = outcome.and_then(|spectrum| lpca(spectrum, rule));
                let estimate = IdEstimate {
                    estimator: if is_ratio { rule.name() } else { "lpca" },
                    fit: (!is_ratio).then_some(rule.name()),
                    ..plain(outcome)
                };
                family.estimates.push((estimate, outcome));
            }
        }
        family.spectrum = spectrum.ok().map(|spectrum| leading(&spectrum));
    }
    family
}

fn plain(outcome: Outcome) -> IdEstimate {
    let distance = outcome.ok().and_then(|estimate| estimate.distance);
    entry(outcome, distance)
}

/// One estimate with what only some estimators have.
struct Measured {
    outcome: Outcome,
    values: Option<Vec<Option<f64>>>,
    steps: Vec<AdaptiveStep>,
}

impl Measured {
    fn none(reason: Reason) -> Self {
        Outcome::Err(reason).into()
    }
}

impl From<Outcome> for Measured {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            values: None,
            steps: Vec::new(),
        }
    }
}

impl From<LocalOutcome> for Measured {
    fn from(found: LocalOutcome) -> Self {
        match found {
            Ok(local) => Self {
                values: Some(local.values),
                ..Ok(local.estimate).into()
            },
            Err(reason) => Self::none(reason),
        }
    }
}

impl Sight<'_> {
    fn measure(&self, estimator: Estimator, k: usize) -> Measured {
        let (distances, indices) = (self.distances, self.indices);
        let data = self.rows.as_ref().map(|rows| &rows.data);
        match (estimator, data) {
            (Estimator::Mle, _) => mle(distances, k, MleVersion::Harmonic).into(),
            (Estimator::Mom, _) => mom(distances, k, Combine::Mean).into(),
            (Estimator::Mada, _) => mada(distances, k, Combine::Mean).into(),
            (Estimator::Tle, Some(data)) => tle(distances, indices, data, k, Combine::Mean).into(),
            (Estimator::Ess, Some(data)) => {
                ess(distances, indices, data, k, EssVersion::A, Combine::Mean).into()
            }
            (Estimator::CorrInt, _) => self.corr_int(k).into(),
            (Estimator::MindMl, _) => {
                let most = data.map_or(usize::MAX, Matrix::n_columns);
                mind_ml(distances, k, most, MindVersion::Real).into()
            }
            (Estimator::Binomial, _) => {
                binomial_k(distances, k, BINOMIAL_RATIO, BinomialFit::Bayes).into()
            }
            (Estimator::Abide, _) => self.abide(k),
            // Without coordinates these are refused before any work begins.
            (Estimator::Tle | Estimator::Ess, None)
            | (Estimator::Lpca | Estimator::ParticipationRatio, _) => {
                Measured::none(Reason::TooFewNeighbours)
            }
        }
    }

    /// The pairs closer than the radii of k/2 and k neighbours; counted afresh where the table
    /// ends before them.
    fn corr_int(&self, k: usize) -> Outcome {
        let radii = corr_int_radii(self.distances, [k / 2, k])?;
        let [near, far] =
            radii.map(|radius| crate::geometry::id::pairs_within(self.distances, radius));
        let pairs = match (near, far, &self.rows) {
            (Some(near), Some(far), _) => [near, far],
            (_, _, Some(rows)) => {
                neighbours::pairs_within(rows.points, self.distances, radii, &rows.search)
            }
            (_, _, None) => return Err(Reason::TooFewNeighbours),
        };
        corr_int(radii, pairs, self.distances.nrows())
    }

    /// Starts from TwoNN.
    fn abide(&self, k: usize) -> Measured {
        let k = k.min(self.distances.ncols());
        let (distances, indices) = (
            self.distances.slice(s![.., ..k]),
            self.indices.slice(s![.., ..k]),
        );
        let steps = first_guess(distances).and_then(|id| {
            let version = AbideVersion::Gride;
            abide(
                distances,
                indices,
                id,
                KSTAR_ALPHA,
                ABIDE_ITERATIONS,
                version,
            )
        });
        match steps {
            Ok(steps) => Measured {
                steps: steps.iter().map(adaptive_step).collect(),
                ..Ok(last(&steps, distances)).into()
            },
            Err(reason) => Measured::none(reason),
        }
    }

    fn spectrum(&self, identical: bool) -> Result<Spectrum, Reason> {
        let rows = self.rows.as_ref().filter(|_| !identical);
        let spectrum = match rows {
            Some(rows) => Spectrum::of(&rows.data, Centring::Centred)?,
            None => return Err(Reason::AllRowsIdentical),
        };
        let total: f64 = spectrum.eigenvalues.iter().sum();
        total
            .is_finite()
            .then_some(spectrum)
            .ok_or(Reason::NonFinite)
    }
}

fn first_guess(distances: ArrayView2<f64>) -> Result<f64, Reason> {
    if distances.nrows() < 3 {
        return Err(Reason::TooFewRows);
    }
    if distances.ncols() < 2 {
        return Err(Reason::TooFewNeighbours);
    }
    let [near, far] = [0, 1].map(|column| distances.column(column).to_vec());
    Ok(two_nn(&Ratios::new(&near, &far), Fit::default())?.id)
}

/// The last step as an estimate; it looks at each row's distance at k* of the step before.
fn last(steps: &[AbideStep], distances: ArrayView2<f64>) -> Estimate {
    let step = &steps[steps.len() - 1];
    let sizes = &steps[steps.len().saturating_sub(2)].kstar;
    let reach: Vec<f64> = sizes
        .iter()
        .enumerate()
        .filter_map(|(row, size)| size.map(|size| distances[(row, size - 1)]))
        .collect();
    let estimate = Estimate {
        distance: stats::mean(&reach),
        ..Estimate::new(step.id, reach.len())
    };
    estimate.with_error(ErrorKind::Model, step.std_error)
}

fn adaptive_step(step: &AbideStep) -> AdaptiveStep {
    let sizes: Vec<f64> = step.kstar.iter().flatten().map(|&k| k as f64).collect();
    AdaptiveStep {
        id: step.id,
        std_error: step.std_error,
        log_likelihood: step.log_likelihood.filter(|value| value.is_finite()),
        mean_kstar: stats::mean(&sizes),
        median_kstar: stats::median(&sizes),
        n: sizes.len(),
    }
}

fn leading(spectrum: &Spectrum) -> LeadingEigenvalues {
    let total: f64 = spectrum.eigenvalues.iter().sum();
    let mut sum = 0.0;
    let listed = spectrum.eigenvalues.iter().take(LISTED);
    LeadingEigenvalues {
        n: spectrum.eigenvalues.len(),
        total,
        cumulative: listed
            .clone()
            .map(|value| {
                sum += value;
                (sum / total).min(1.0)
            })
            .collect(),
        eigenvalues: listed.copied().collect(),
    }
}
