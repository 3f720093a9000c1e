//! Makes something of each layer once, and compares what was made of two, within a memory limit.

use std::ops::Range;

use rayon::prelude::*;

use super::measure::{PairValue, Subject};
use crate::geometry::Reason;
use crate::input::Matrix;
use crate::progress::Progress;

/// What may be kept of all layers at once; with more layers some are made again.
const KEPT_BYTES: usize = 1 << 30;

/// Prepares layers, as many at a time as may be kept, and compares them.
pub(super) struct Prepared<'a, Bytes, Make, Compare> {
    /// What this is called while it runs.
    pub label: &'static str,
    /// The layers.
    pub subject: &'a Subject<'a>,
    /// Bytes of what is made of a layer.
    pub bytes: Bytes,
    /// Makes it.
    pub make: Make,
    /// Compares what was made of two layers, a value for each measure.
    pub compare: Compare,
}

impl<P, Bytes, Make, Compare> Prepared<'_, Bytes, Make, Compare>
where
    P: Send + Sync,
    Bytes: Fn(&Matrix) -> usize + Sync,
    Make: Fn(&Matrix) -> Result<P, Reason> + Sync,
    Compare: Fn(&P, &P) -> Vec<PairValue> + Sync,
{
    /// The values of `n_measures` measures, pair by pair.
    pub(super) fn values(&self, n_measures: usize, progress: &dyn Progress) -> Vec<Vec<PairValue>> {
        let matrices = self.subject.matrices;
        let groups = groups(matrices, &self.bytes);
        let mut found: Vec<Vec<PairValue>> = vec![Vec::new(); self.subject.pairs.len()];
        let steps = matrices.len() + self.subject.pairs.len();
        progress.begin(self.label, steps as u64);
        let prepare = |group: &Range<usize>| -> Vec<Result<P, Reason>> {
            let one = |at: usize| {
                let made = (self.make)(&matrices[at]);
                progress.advance(1);
                made
            };
            group.clone().into_par_iter().map(one).collect()
        };
        for (at, first) in groups.iter().enumerate() {
            let mut own = None;
            for second in &groups[at..] {
                let within = |(x, y): &(usize, usize)| {
                    let inside = |group: &Range<usize>, at| group.contains(at);
                    (inside(first, x) && inside(second, y))
                        || (inside(first, y) && inside(second, x))
                };
                let wanted: Vec<usize> = (0..self.subject.pairs.len())
                    .filter(|&pair| within(&self.subject.pairs[pair]))
                    .collect();
                if wanted.is_empty() {
                    continue;
                }
                let own = own.get_or_insert_with(|| prepare(first));
                let other = (first != second).then(|| prepare(second));
                let layer = |at: usize| match &other {
                    Some(other) if second.contains(&at) => &other[at - second.start],
                    _ => &own[at - first.start],
                };
                let results: Vec<Vec<PairValue>> = wanted
                    .par_iter()
                    .map(|&pair| {
                        let (x, y) = self.subject.pairs[pair];
                        let compared = match (layer(x), layer(y)) {
                            (Ok(x), Ok(y)) => (self.compare)(x, y),
                            (Err(reason), _) | (_, Err(reason)) => {
                                let n = self.subject.n_rows();
                                vec![PairValue::new(Err(*reason), n, Vec::new()); n_measures]
                            }
                        };
                        progress.advance(1);
                        compared
                    })
                    .collect();
                for (pair, result) in wanted.into_iter().zip(results) {
                    found[pair] = result;
                }
            }
        }
        progress.end();
        let of = |at: usize| found.iter().map(|pair| pair[at].clone()).collect();
        (0..n_measures).map(of).collect()
    }
}

/// Runs of layers of which two may be kept at once.
fn groups(matrices: &[Matrix], bytes: &impl Fn(&Matrix) -> usize) -> Vec<Range<usize>> {
    let total: usize = matrices.iter().map(bytes).sum();
    let limit = if total <= KEPT_BYTES {
        KEPT_BYTES
    } else {
        KEPT_BYTES / 2
    };
    let mut groups = Vec::new();
    let (mut start, mut held) = (0, 0);
    for (at, matrix) in matrices.iter().enumerate() {
        let more = bytes(matrix);
        if at > start && held + more > limit {
            groups.push(start..at);
            (start, held) = (at, 0);
        }
        held += more;
    }
    groups.push(start..matrices.len());
    groups
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::geometry::centred::Centred;
    use crate::geometry::similarity::{Dissimilarity, RankCorrelation, Settings, Shape};
    use crate::progress::Silent;
    use crate::random::SplitMix64;

    #[test]
    fn layers_that_do_not_fit_together_give_the_same_numbers() {
        let mut random = SplitMix64::new(4);
        let matrices: Vec<Matrix> = (0..5)
            .map(|_| Matrix::from(Array2::from_shape_simple_fn((30, 4), || random.uniform())))
            .collect();
        // Both orders, and a pair of the first and last layer only.
        let pairs = [(0, 1), (3, 2), (0, 4), (1, 4), (2, 2)];
        let subject = Subject {
            matrices: &matrices,
            pairs: &pairs,
            permutations: &[],
            settings: Settings {
                bandwidth: 1.0,
                variance: 0.99,
                dissimilarity: Dissimilarity::default(),
                correlation: RankCorrelation::default(),
                seed: 0,
            },
        };
        let run = |bytes: usize| {
            let prepared = Prepared {
                label: "",
                subject: &subject,
                bytes: |_: &Matrix| bytes,
                make: |m: &Matrix| Shape::of(&Centred::new(m)),
                compare: |x: &Shape, y: &Shape| vec![PairValue::new(x.distance(y), 30, Vec::new())],
            };
            prepared.values(1, &Silent)
        };
        let together = run(0);
        for bytes in [KEPT_BYTES / 4, KEPT_BYTES / 2, KEPT_BYTES] {
            assert_eq!(run(bytes), together);
        }
        assert_eq!(together[0][4].value, Ok(0.0));
    }
}
