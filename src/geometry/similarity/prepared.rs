//! Makes something of each layer once, and compares what was made of two, within a memory limit.

use std::ops::Range;

use rayon::prelude::*;

use super::footprint::{Budget, Footprint};
use super::measure::{PairValue, Subject};
use crate::geometry::Reason;
use crate::input::Matrix;
use crate::progress::Progress;

/// Prepares layers, as many at a time as may be kept, and compares them.
pub(super) struct Prepared<'a, Holds, Make, Compare> {
    /// What this is called while it runs.
    pub label: &'static str,
    /// The layers.
    pub subject: &'a Subject<'a>,
    /// What a layer takes.
    pub holds: Holds,
    /// Makes it.
    pub make: Make,
    /// Compares what was made of two layers, a value for each measure.
    pub compare: Compare,
}

impl<P, Holds, Make, Compare> Prepared<'_, Holds, Make, Compare>
where
    P: Send + Sync,
    Holds: Fn(&Matrix) -> Footprint + Sync,
    Make: Fn(&Matrix) -> Result<P, Reason> + Sync,
    Compare: Fn(&P, &P) -> Vec<PairValue> + Sync,
{
    /// The values of `n_measures` measures, pair by pair.
    pub(super) fn values(&self, n_measures: usize, progress: &dyn Progress) -> Vec<Vec<PairValue>> {
        let matrices = self.subject.matrices;
        let each: Vec<Footprint> = matrices.iter().map(&self.holds).collect();
        let budget = Budget::new(&each, rayon::current_num_threads(), self.subject.max_memory);
        let groups = groups(&each, budget.kept);
        let mut found: Vec<Vec<PairValue>> = vec![Vec::new(); self.subject.pairs.len()];
        let steps = matrices.len() + self.subject.pairs.len();
        progress.begin(self.label, steps as u64);
        let prepare = |group: &Range<usize>| -> Vec<Result<P, Reason>> {
            let one = |at: usize| {
                let made = (self.make)(&matrices[at]);
                progress.advance(1);
                made
            };
            let layers: Vec<usize> = group.clone().collect();
            let some = layers.chunks(budget.chunk(layers.len()));
            some.flat_map(|some| -> Vec<_> { some.par_iter().map(|&at| one(at)).collect() })
                .collect()
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
                let compare = |&pair: &usize| {
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
                };
                let some = wanted.chunks(budget.chunk(wanted.len()));
                let results: Vec<Vec<PairValue>> = some
                    .flat_map(|some| -> Vec<_> { some.par_iter().map(compare).collect() })
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
fn groups(each: &[Footprint], kept: u64) -> Vec<Range<usize>> {
    let total: u64 = each.iter().map(|one| one.kept).sum();
    let limit = if total <= kept { kept } else { kept / 2 };
    let mut groups = Vec::new();
    let (mut start, mut held) = (0, 0);
    for (at, one) in each.iter().enumerate() {
        if at > start && held + one.kept > limit {
            groups.push(start..at);
            (start, held) = (at, 0);
        }
        held += one.kept;
    }
    groups.push(start..each.len());
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
            max_memory: Some(4000),
        };
        let run = |bytes: u64, work: u64| {
            let prepared = Prepared {
                label: "",
                subject: &subject,
                holds: |_: &Matrix| Footprint { kept: bytes, work },
                make: |m: &Matrix| Shape::of(&Centred::new(m)),
                compare: |x: &Shape, y: &Shape| vec![PairValue::new(x.distance(y), 30, Vec::new())],
            };
            prepared.values(1, &Silent)
        };
        let together = run(0, 0);
        for (bytes, work) in [(1000, 0), (2000, 0), (1000, 900), (100, 3800), (9000, 9000)] {
            assert_eq!(run(bytes, work), together);
        }
        assert_eq!(together[0][4].value, Ok(0.0));
    }
}
