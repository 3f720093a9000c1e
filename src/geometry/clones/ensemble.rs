//! Several networks that answer together.

use super::readout::{Score, Targets, score};
use crate::geometry::stats;
use crate::random::SplitMix64;

/// The logits of one trained network over the rows of the test set, row after row.
pub type Member = Vec<f64>;

/// The largest number of subsets of networks of which all are taken.
pub const ALL_SUBSETS: usize = 1000;

/// Drawn subsets of networks that an ensemble is averaged over where there are more.
const REPETITIONS: usize = 10;

/// The accuracy of ensembles of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnsembleAccuracy {
    /// The mean over subsets of the networks.
    pub mean: f64,
    /// Its standard error, where subsets were drawn; `None` where all were taken.
    pub std_error: Option<f64>,
    /// How many subsets it is over.
    pub n: usize,
}

/// Mean accuracy of ensembles of `size` networks, which answer with the argmax of summed logits.
///
/// Over all subsets where there are at most 1000, else over 10 seeded ones. `None` if there are not
/// so many networks.
pub fn ensemble_accuracy(
    members: &[Member],
    outputs: usize,
    targets: &Targets,
    size: usize,
    seed: u64,
) -> Option<EnsembleAccuracy> {
    if size == 0 || size > members.len() {
        return None;
    }
    let all = subsets(members.len(), size);
    let drawn = all.is_none();
    let chosen = all.unwrap_or_else(|| {
        let mut random = SplitMix64::new(seed);
        let draws = (0..REPETITIONS).map(|_| {
            // Ascending, so that the sum does not depend on the order of drawing.
            let mut chosen = random.choose(members.len(), size);
            chosen.sort_unstable();
            chosen
        });
        draws.collect()
    });
    let accuracies: Vec<f64> = chosen
        .iter()
        .map(|chosen| {
            let mut sum = vec![0.0; members[0].len()];
            for &at in chosen {
                sum.iter_mut().zip(&members[at]).for_each(|(s, x)| *s += x);
            }
            let Score { accuracy, .. } = score(&sum, outputs, targets);
            accuracy
        })
        .collect();
    let spread = stats::std_dev(&accuracies).filter(|_| drawn);
    Some(EnsembleAccuracy {
        mean: stats::mean(&accuracies)?,
        std_error: spread.map(|spread| spread / (accuracies.len() as f64).sqrt()),
        n: accuracies.len(),
    })
}

/// All ascending subsets of `size` of `n`; `None` where they are more than [`ALL_SUBSETS`].
fn subsets(n: usize, size: usize) -> Option<Vec<Vec<usize>>> {
    let mut all = vec![Vec::new()];
    for length in 1..=size {
        let mut longer: Vec<Vec<usize>> = Vec::new();
        for subset in &all {
            let from = subset.last().map_or(0, |&last: &usize| last + 1);
            // Room must be left for what is still to come.
            for next in from..=n - (size - length) - 1 {
                if longer.len() == ALL_SUBSETS {
                    return None;
                }
                longer.push([subset.as_slice(), &[next]].concat());
            }
        }
        all = longer;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_all_there_once_or_not_listed() {
        assert_eq!(subsets(3, 1).unwrap(), [[0], [1], [2]]);
        assert_eq!(subsets(4, 2).unwrap().len(), 6);
        assert_eq!(subsets(5, 5).unwrap(), [[0, 1, 2, 3, 4]]);
        assert_eq!(subsets(20, 17), None);
        let mut some = subsets(10, 4).unwrap();
        assert_eq!(some.len(), 210);
        some.dedup();
        assert_eq!(some.len(), 210);
    }
}
