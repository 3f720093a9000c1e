//! Measures that make something of each layer once, and compare what they made.

use std::ops::Range;

use rayon::prelude::*;

use super::measure::Measure;
use super::options::RankCorrelation;
use super::subject::{PairValue, Subject};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::geometry::similarity::{Basis, CanonicalSummary, Relations, Shape, cca, pwcca, svcca};
use crate::input::Matrix;
use crate::progress::Progress;
use crate::random::SplitMix64;

/// What may be kept of all layers at once; with more layers some are made again.
const KEPT_BYTES: usize = 1 << 30;

/// Rows whose pairs RSA compares; of more rows it takes a sample.
pub(super) const RSA_ROWS: usize = 4096;

/// CCA, SVCCA and PWCCA.
pub(super) fn canonical_values(
    subject: &Subject<'_>,
    progress: &dyn Progress,
) -> Vec<(Measure, Vec<PairValue>)> {
    if !subject.wants(&[Measure::Cca, Measure::Svcca, Measure::Pwcca]) {
        return Vec::new();
    }
    let n = subject.n_rows();
    let share = subject.options.variance;
    let bytes = |m: &Matrix| Basis::bytes(m.n_rows(), m.n_columns());
    let make = |m: &Matrix| Basis::of(&Centred::of_unit_size(m));
    let compare = |x: &Basis, y: &Basis| {
        let summed = |found: Result<CanonicalSummary, Reason>, permuted: Vec<f64>| match found {
            Err(reason) => PairValue::new(Err(reason), n, permuted),
            Ok(found) => PairValue {
                chance: Some(found.chance_mean_squared),
                mean_squared: Some(found.mean_squared),
                dimensions: Some(found.ranks),
                wide: found.wide,
                ..PairValue::new(Ok(found.mean), n, permuted)
            },
        };
        let permuted = |value: &dyn Fn(&Basis) -> Option<f64>| -> Vec<f64> {
            let orders = subject.permutations.iter();
            orders
                .filter_map(|order| value(&y.with_rows(order)))
                .collect()
        };
        let mut all = Vec::new();
        if subject.wants(&[Measure::Cca]) {
            let null = permuted(&|y| cca(x, y).ok().map(|found| found.mean));
            all.push((Measure::Cca, summed(cca(x, y), null)));
        }
        if subject.wants(&[Measure::Svcca]) {
            let null = permuted(&|y| svcca(x, y, share).ok().map(|found| found.mean));
            all.push((Measure::Svcca, summed(svcca(x, y, share), null)));
        }
        if subject.wants(&[Measure::Pwcca]) {
            let null = permuted(&|y| pwcca(x, y).ok().map(|[forward, _]| forward));
            let both = pwcca(x, y);
            all.push((
                Measure::Pwcca,
                PairValue {
                    backward: both.ok().map(|[_, backward]| backward),
                    dimensions: Some([x.rank(), y.rank()]),
                    wide: x.rank() + y.rank() >= n,
                    ..PairValue::new(both.map(|[forward, _]| forward), n, null)
                },
            ));
        }
        all
    };
    let measures: Vec<Measure> = [Measure::Cca, Measure::Svcca, Measure::Pwcca]
        .into_iter()
        .filter(|one| subject.wants(&[*one]))
        .collect();
    let work = Work {
        label: "canonical correlations",
        subject,
        progress,
    };
    work.run(&measures, &bytes, &make, &compare)
}

/// Procrustes distances.
pub(super) fn procrustes_values(
    subject: &Subject<'_>,
    progress: &dyn Progress,
) -> Vec<(Measure, Vec<PairValue>)> {
    if !subject.wants(&[Measure::Procrustes]) {
        return Vec::new();
    }
    let n = subject.n_rows();
    let bytes = |m: &Matrix| Shape::bytes(m.n_rows(), m.n_columns());
    let make = |m: &Matrix| Shape::of(&Centred::of_unit_size(m));
    let compare = |x: &Shape, y: &Shape| {
        let orders = subject.permutations.iter();
        let null = orders
            .filter_map(|order| x.distance(&y.with_rows(order)).ok())
            .collect();
        vec![(Measure::Procrustes, PairValue::new(x.distance(y), n, null))]
    };
    let work = Work {
        label: "rotations",
        subject,
        progress,
    };
    work.run(&[Measure::Procrustes], &bytes, &make, &compare)
}

/// RSA, over a seeded sample of the rows where there are many.
pub(super) fn rsa_values(
    subject: &Subject<'_>,
    progress: &dyn Progress,
) -> Vec<(Measure, Vec<PairValue>)> {
    if !subject.wants(&[Measure::Rsa]) {
        return Vec::new();
    }
    let options = subject.options;
    let sample = rsa_sample(subject.n_rows(), options.seed);
    let n = sample.as_ref().map_or(subject.n_rows(), Vec::len);
    let make = |m: &Matrix| {
        let rows = sample
            .as_ref()
            .map_or_else(|| m.clone(), |rows| m.select(rows));
        let relations = Relations::of(&rows, options.dissimilarity)?;
        Ok(match options.correlation {
            RankCorrelation::Spearman => relations.ranks(),
            RankCorrelation::Pearson => relations,
        })
    };
    // Permutations of the sampled rows, whatever those of all rows are.
    let mut random = SplitMix64::new(options.seed);
    let orders: Vec<Vec<u32>> = subject
        .permutations
        .iter()
        .map(|_| permutation(&mut random, n))
        .collect();
    let compare = |x: &Relations, y: &Relations| {
        let null = orders
            .iter()
            .filter_map(|order| x.correlation(&y.with_rows(order)).ok())
            .collect();
        let found = PairValue {
            chance: Some(0.0),
            ..PairValue::new(x.correlation(y), n, null)
        };
        vec![(Measure::Rsa, found)]
    };
    let work = Work {
        label: "dissimilarities",
        subject,
        progress,
    };
    work.run(&[Measure::Rsa], &|_| 4 * n * n, &make, &compare)
}

/// The rows that RSA looks at, ascending; `None` for all of them.
pub(super) fn rsa_sample(n: usize, seed: u64) -> Option<Vec<u32>> {
    (n > RSA_ROWS).then(|| {
        let mut rows = to_rows(SplitMix64::new(seed).choose(n, RSA_ROWS));
        rows.sort_unstable();
        rows
    })
}

/// A random order of `n` rows.
pub(super) fn permutation(random: &mut SplitMix64, n: usize) -> Vec<u32> {
    to_rows(random.choose(n, n))
}

fn to_rows(rows: Vec<usize>) -> Vec<u32> {
    rows.into_iter()
        .map(|row| u32::try_from(row).expect("layers have fewer than 2^32 rows"))
        .collect()
}

/// Prepares layers, as many at a time as may be kept, and compares them.
struct Work<'a> {
    label: &'static str,
    subject: &'a Subject<'a>,
    progress: &'a dyn Progress,
}

impl Work<'_> {
    fn run<P: Send + Sync>(
        &self,
        measures: &[Measure],
        bytes: &impl Fn(&Matrix) -> usize,
        make: &(impl Fn(&Matrix) -> Result<P, Reason> + Sync),
        compare: &(impl Fn(&P, &P) -> Vec<(Measure, PairValue)> + Sync),
    ) -> Vec<(Measure, Vec<PairValue>)> {
        let matrices = self.subject.matrices;
        let groups = groups(matrices, bytes);
        let mut found: Vec<Vec<(Measure, PairValue)>> = vec![Vec::new(); self.subject.pairs.len()];
        let steps = matrices.len() + self.subject.pairs.len();
        self.progress.begin(self.label, steps as u64);
        let prepare = |group: &Range<usize>| -> Vec<Result<P, Reason>> {
            let one = |at: usize| {
                let made = make(&matrices[at]);
                self.progress.advance(1);
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
                let results: Vec<Vec<(Measure, PairValue)>> = wanted
                    .par_iter()
                    .map(|&pair| {
                        let (x, y) = self.subject.pairs[pair];
                        let compared = match (layer(x), layer(y)) {
                            (Ok(x), Ok(y)) => compare(x, y),
                            (Err(reason), _) | (_, Err(reason)) => {
                                let none =
                                    PairValue::new(Err(*reason), self.subject.n_rows(), vec![]);
                                measures.iter().map(|m| (*m, none.clone())).collect()
                            }
                        };
                        self.progress.advance(1);
                        compared
                    })
                    .collect();
                for (pair, result) in wanted.into_iter().zip(results) {
                    found[pair] = result;
                }
            }
        }
        self.progress.end();
        let of = |at: usize| found.iter().map(|pair| pair[at].1.clone()).collect();
        measures
            .iter()
            .enumerate()
            .map(|(at, &measure)| (measure, of(at)))
            .collect()
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

    use super::super::options::SimilarityOptions;
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn layers_that_do_not_fit_together_give_the_same_numbers() {
        let mut random = SplitMix64::new(4);
        let matrices: Vec<Matrix> = (0..5)
            .map(|_| Matrix::from(Array2::from_shape_simple_fn((30, 4), || random.uniform())))
            .collect();
        // Both orders, and a pair of the first and last layer only.
        let pairs = [(0, 1), (3, 2), (0, 4), (1, 4), (2, 2)];
        let options = SimilarityOptions::default();
        let subject = Subject {
            matrices: &matrices,
            pairs: &pairs,
            permutations: &[],
            options: &options,
        };
        let work = Work {
            label: "",
            subject: &subject,
            progress: &Silent,
        };
        let make = |m: &Matrix| Shape::of(&Centred::new(m));
        let compare = |x: &Shape, y: &Shape| {
            let found = PairValue::new(x.distance(y), 30, Vec::new());
            vec![(Measure::Procrustes, found)]
        };
        let run = |bytes: usize| work.run(&[Measure::Procrustes], &|_| bytes, &make, &compare);
        let together = run(0);
        for bytes in [KEPT_BYTES / 4, KEPT_BYTES / 2, KEPT_BYTES] {
            assert_eq!(run(bytes), together);
        }
        assert_eq!(together[0].1[4].value, Ok(0.0));
    }
}
