//! The estimators that read a layer's neighbour table or its spectrum.

use super::options::{IdOptions, LISTED};
use super::shape::{AdaptiveStep, IdEstimate, LeadingEigenvalues};
use crate::geometry::id::{
    AbideStep, Estimated, Estimator, LayerView, Neighbours, Outcome, RATIO_SHARE, Reads,
};
use crate::geometry::spectrum::{Centring, Spectrum};
use crate::geometry::{Reason, stats};
use crate::input::Matrix;
use crate::neighbours::{Metric, Points};

/// What these estimators say about one layer.
#[derive(Default)]
pub(super) struct TableEstimates {
    /// The estimates, and the outcomes behind them.
    pub(super) estimates: Vec<(IdEstimate, Outcome)>,
    /// The spectrum, where a linear dimension was asked for and it exists.
    pub(super) spectrum: Option<LeadingEigenvalues>,
    /// The dimension at each row, where asked for and there is an estimate.
    pub(super) local: Option<Vec<Option<f64>>>,
}

/// The rows of `matrix` as the metric sees them: of unit length where it compares directions.
pub(super) fn rows_in_metric(matrix: &Matrix, points: &Points<'_>, metric: Metric) -> Matrix {
    match metric {
        Metric::Euclidean => matrix.clone(),
        Metric::Cosine => {
            let (n, columns) = (points.n_rows(), points.n_columns());
            let mut values = vec![0.0; n * columns];
            for (row, out) in values.chunks_exact_mut(columns.max(1)).enumerate() {
                points.row(row, out);
            }
            Matrix::from_f64(n, columns, values)
        }
    }
}

/// The estimates of the other estimators on one layer; rows of which none is nearer than another
/// leave nothing to measure.
pub(super) fn table_estimates(
    options: &IdOptions,
    view: &LayerView<'_>,
    no_nearest: Option<Reason>,
) -> TableEstimates {
    let mut all = TableEstimates::default();
    let asked = |name| options.others().any(|one| one.name == name);
    let mut spectrum = None;
    for estimator in options.others() {
        match &estimator.reads {
            // TwoNN and Gride have options of their own.
            Reads::Ratios => {}
            Reads::Neighbours(reads) => {
                let k = reads.k(options.k);
                let mut found = by_neighbours(reads, view, k, no_nearest);
                if options.local == Some(estimator) {
                    all.local = found.values.take();
                }
                let estimate = IdEstimate {
                    k: Some(k),
                    ..report(estimator, &found)
                };
                all.estimates.push((estimate, found.outcome));
            }
            Reads::Spectrum(run) => {
                if estimator.part_of.is_some_and(asked) {
                    continue;
                }
                let spectrum = spectrum.get_or_insert_with(|| spectrum_of(view, no_nearest));
                let share = options.variance.unwrap_or(RATIO_SHARE);
                let found = run(spectrum.as_ref().map_err(|&reason| reason), share);
                let found = found
                    .iter()
                    .map(|one| (report(estimator, one), one.outcome));
                all.estimates.extend(found);
            }
        }
    }
    let listed = options.eigenvalues.unwrap_or(LISTED);
    let spectrum = spectrum.and_then(Result::ok);
    all.spectrum = spectrum.map(|found| leading(&found, listed));
    all
}

fn by_neighbours(
    reads: &Neighbours,
    view: &LayerView<'_>,
    k: usize,
    no_nearest: Option<Reason>,
) -> Estimated {
    if let Some(reason) = no_nearest {
        return Outcome::Err(reason).into();
    }
    let mut found = (reads.run)(view, k);
    // All neighbours there are were stored: what lacks are rows.
    let complete = view.distances.ncols() + 1 >= view.distances.nrows();
    if complete && found.outcome == Err(Reason::TooFewNeighbours) {
        found.outcome = Err(Reason::TooFewRows);
    }
    found
}

fn report(estimator: &'static Estimator, found: &Estimated) -> IdEstimate {
    let distance = found.outcome.ok().and_then(|estimate| estimate.distance);
    IdEstimate {
        fit: found.rule,
        steps: found.steps.iter().map(adaptive_step).collect(),
        ..IdEstimate::new(
            found.estimator.unwrap_or(estimator),
            found.outcome,
            distance,
        )
    }
}

fn spectrum_of(view: &LayerView<'_>, no_nearest: Option<Reason>) -> Result<Spectrum, Reason> {
    let identical = no_nearest == Some(Reason::AllRowsIdentical);
    let data = view.data.filter(|_| !identical);
    let spectrum = Spectrum::of(data.ok_or(Reason::AllRowsIdentical)?, Centring::Centred)?;
    let total: f64 = spectrum.eigenvalues.iter().sum();
    total
        .is_finite()
        .then_some(spectrum)
        .ok_or(Reason::NonFinite)
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

/// The `listed` largest eigenvalues of `spectrum`.
fn leading(spectrum: &Spectrum, listed: usize) -> LeadingEigenvalues {
    let total: f64 = spectrum.eigenvalues.iter().sum();
    let mut sum = 0.0;
    let listed = spectrum.eigenvalues.iter().take(listed);
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
