//! The readout on drawn chunks, and on ensembles of networks.

use rayon::prelude::*;

use super::data::Network;
use super::options::ClonesOptions;
use super::shape::{
    ChunkScores, EnsemblePoint, ErrorLimit, LimitError, LimitSource, NetworkReport, SlopeReport,
    SlopeValue, Spread,
};
use crate::geometry::clones::{
    CriticalWidth, Member, Readout, Score, Targets, chunk_scores, ensemble_accuracy, excess_slope,
    extrapolated_error,
};
use crate::geometry::{Known, Reason, stats};
use crate::input::Matrix;
use crate::progress::Progress;

/// Networks of the ensemble that stands for infinitely many clones, as published.
const LIMIT_NETWORKS: usize = 20;

/// The scores of chunks of every size over `orders`, one random order of the neurons a draw.
pub(super) fn scores(
    readout: &Readout,
    features: &Matrix,
    targets: &Targets,
    orders: &[Vec<usize>],
    sizes: &[usize],
    options: &ClonesOptions,
    progress: &dyn Progress,
) -> Vec<ChunkScores> {
    progress.begin("readout", orders.len() as u64);
    let by_draw: Vec<[Vec<Score>; 2]> = orders
        .par_iter()
        .map(|order| {
            let score = |rescale| chunk_scores(readout, features, targets, order, sizes, rescale);
            let plain = score(false);
            let rescaled = if options.rescale {
                score(true)
            } else {
                Vec::new()
            };
            progress.advance(1);
            [plain, rescaled]
        })
        .collect();
    progress.end();
    let at_size = |at: usize| {
        // The whole layer is the same in every draw.
        let n = if at + 1 == sizes.len() {
            1
        } else {
            by_draw.len()
        };
        let over = |which: usize, read: &dyn Fn(&Score) -> Option<f64>| {
            let draws = by_draw[..n].iter();
            let values: Option<Vec<f64>> = draws
                .map(|draw| draw[which].get(at).and_then(read))
                .collect();
            spread(&values?)
        };
        let accuracy = |score: &Score| Some(score.accuracy);
        Some(ChunkScores {
            accuracy: over(0, &accuracy)?,
            loss: over(0, &|score| score.loss),
            rescaled_accuracy: over(1, &accuracy),
        })
    };
    (0..sizes.len()).filter_map(at_size).collect()
}

/// Mean and spread of `values`; `None` without any.
pub(super) fn spread(values: &[f64]) -> Option<Spread> {
    Some(Spread {
        mean: stats::mean(values)?,
        std_dev: stats::std_dev(values),
        std_error: None,
        n: values.len(),
    })
}

/// What several networks, or the widths of one, say about the limit of the error.
///
/// `errors` are (w, mean test error), ascending.
pub(super) fn network_report(
    first: Member,
    others: &[Network],
    outputs: usize,
    targets: &Targets,
    errors: &[(usize, f64)],
    critical: Option<CriticalWidth>,
    seed: u64,
) -> NetworkReport {
    let more = others
        .par_iter()
        .map(|one| one.readout.logits(&one.features));
    let mut members = vec![first];
    members.extend(more.collect::<Vec<Member>>());
    let count = members.len();
    let accuracy = |size| ensemble_accuracy(&members, outputs, targets, size, seed);
    let doubled = std::iter::successors(Some(1usize), |n| Some(2 * n));
    let mut sizes: Vec<usize> = doubled.take_while(|&n| n < count).collect();
    sizes.extend([LIMIT_NETWORKS.min(count), count]);
    sizes.sort_unstable();
    sizes.dedup();
    let point = |n| {
        let found = accuracy(n)?;
        Some(EnsemblePoint {
            n_networks: n,
            accuracy: found.mean,
            std_error: found.std_error,
            n_subsets: found.n,
        })
    };
    let above: Vec<(usize, f64)> = errors
        .iter()
        .filter(|(w, _)| critical.is_some_and(|found| *w >= found.width))
        .copied()
        .collect();
    let error_limit = if count > 1 {
        let n = LIMIT_NETWORKS.min(count);
        let error = accuracy(n).map(|accuracy| 1.0 - accuracy.mean);
        ErrorLimit {
            outcome: limit(error, Reason::TooFewRows),
            source: LimitSource::Ensemble,
            n: Some(n),
        }
    } else {
        let found = extrapolated_error(&above);
        ErrorLimit {
            outcome: limit(found.map(|found| found.error), Reason::NotReached),
            source: LimitSource::Extrapolated,
            n: found.map(|found| found.n),
        }
    };
    let slope = error_limit
        .outcome
        .ok()
        .and_then(|limit| excess_slope(&above, limit.error));
    let line = slope.map(|found| SlopeValue {
        slope: found.slope,
        std_error: found.std_error,
    });
    NetworkReport {
        n_networks: count,
        ensembles: match count {
            1 => Vec::new(),
            _ => sizes.into_iter().filter_map(point).collect(),
        },
        error_limit,
        excess_error: SlopeReport {
            outcome: line.ok_or(Reason::NotReached).into(),
            n: slope.map_or(0, |found| found.n),
            n_excluded: slope.map_or(above.len(), |found| found.n_excluded),
        },
    }
}

fn limit(error: Option<f64>, otherwise: Reason) -> Known<LimitError> {
    error
        .map(|error| LimitError { error })
        .ok_or(otherwise)
        .into()
}
