//! Several networks that answer together.

use super::readout::{Score, Targets, score};
use crate::geometry::stats;
use crate::random::SplitMix64;

/// The logits of one trained network over the rows of the test set, row after row.
pub type Member = Vec<f64>;

/// Drawn subsets of networks that an ensemble of fewer than all is averaged over.
const REPETITIONS: usize = 10;

/// Mean accuracy of ensembles of `size` networks, which answer with the argmax of summed logits.
///
/// Over 10 seeded subsets; of all networks there is one. `None` if there are not so many.
pub fn ensemble_accuracy(
    members: &[Member],
    outputs: usize,
    targets: &Targets,
    size: usize,
    seed: u64,
) -> Option<f64> {
    if size == 0 || size > members.len() {
        return None;
    }
    let repetitions = if size == members.len() {
        1
    } else {
        REPETITIONS
    };
    let mut random = SplitMix64::new(seed);
    let accuracies: Vec<f64> = (0..repetitions)
        .map(|_| {
            // Ascending, so that the sum does not depend on the order of drawing.
            let mut chosen = random.choose(members.len(), size);
            chosen.sort_unstable();
            let mut sum = vec![0.0; members[0].len()];
            for at in chosen {
                sum.iter_mut().zip(&members[at]).for_each(|(s, x)| *s += x);
            }
            let Score { accuracy, .. } = score(&sum, outputs, targets);
            accuracy
        })
        .collect();
    stats::mean(&accuracies)
}
