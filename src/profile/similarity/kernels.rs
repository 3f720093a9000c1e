//! Kernel alignments of all pairs, from shared sums.

use super::measure::Measure;
use super::subject::{PairValue, Subject};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::geometry::similarity::{
    KernelTerms, cheaper_route, linear_terms, median_distances, rbf_terms,
};
use crate::input::Matrix;
use crate::progress::Progress;

/// The wanted kinds of kernel alignment.
pub(super) fn kernel_values(
    subject: &Subject<'_>,
    progress: &dyn Progress,
) -> Vec<(Measure, Vec<PairValue>)> {
    let layers: Vec<Centred<'_>> = subject.matrices.iter().map(Centred::of_unit_size).collect();
    let mut all = Vec::new();
    if subject.wants(&[Measure::Cka, Measure::CkaDebiased]) {
        let terms = |layers: &[Centred<'_>], pairs: &[(usize, usize)]| {
            let route = cheaper_route(layers, pairs);
            linear_terms(layers, pairs, route, progress)
        };
        all.extend(alignments(
            subject,
            &layers,
            [Measure::Cka, Measure::CkaDebiased],
            &terms,
        ));
    }
    if subject.wants(&[Measure::CkaRbf, Measure::CkaRbfDebiased]) {
        let medians = median_distances(&layers, progress);
        // A kernel without a width is that of a layer without distances: constant, as its terms
        // say, whatever stands here.
        let width = |median: &Option<f64>| {
            let width = median.unwrap_or(0.0) * subject.options.bandwidth;
            if width > 0.0 { width } else { 1.0 }
        };
        let widths: Vec<f64> = medians.iter().map(width).collect();
        let doubled = [widths.clone(), widths].concat();
        let terms =
            |layers: &[Centred<'_>], _: &[(usize, usize)]| rbf_terms(layers, &doubled, progress);
        let measures = [Measure::CkaRbf, Measure::CkaRbfDebiased];
        let mut found = alignments(subject, &layers, measures, &terms);
        // Half of all distances zero: repeated rows, for which no fraction of the median is a width.
        for (_, values) in &mut found {
            for (value, (x, y)) in values.iter_mut().zip(subject.pairs) {
                let zero = |at: &usize| medians[*at].is_some_and(|median| median <= 0.0);
                if value.value.is_ok() && (zero(x) || zero(y)) {
                    *value = PairValue::new(Err(Reason::ZeroDistances), value.n, Vec::new());
                }
            }
        }
        all.extend(found);
    }
    all
}

/// Both kinds of alignment from the terms of `layers`, once as they are and once for every
/// permutation of rows.
fn alignments(
    subject: &Subject<'_>,
    layers: &[Centred<'_>],
    [biased, unbiased]: [Measure; 2],
    terms: &impl Fn(&[Centred<'_>], &[(usize, usize)]) -> KernelTerms,
) -> Vec<(Measure, Vec<PairValue>)> {
    let read = |terms: &KernelTerms, measure: Measure, x: usize, y: usize| {
        if measure == biased {
            terms.cka(x, y)
        } else {
            terms.debiased_cka(x, y)
        }
    };
    let plain = terms(layers, subject.pairs);
    let mut permuted = vec![[Vec::new(), Vec::new()]; subject.pairs.len()];
    for order in subject.permutations {
        let moved: Vec<Matrix> = subject.matrices.iter().map(|m| m.select(order)).collect();
        let both: Vec<Centred<'_>> = layers
            .iter()
            .cloned()
            .chain(moved.iter().map(Centred::of_unit_size))
            .collect();
        let across: Vec<(usize, usize)> = subject
            .pairs
            .iter()
            .map(|&(x, y)| (x, y + layers.len()))
            .collect();
        let terms = terms(&both, &across);
        for (&(x, y), out) in across.iter().zip(&mut permuted) {
            for (measure, out) in [biased, unbiased].into_iter().zip(out) {
                out.extend(read(&terms, measure, x, y));
            }
        }
    }
    let of = |at: usize, measure: Measure| -> Vec<PairValue> {
        let pairs = subject.pairs.iter().zip(&permuted);
        pairs
            .map(|(&(x, y), permuted)| PairValue {
                chance: match measure == biased {
                    true => plain.chance_cka(x, y),
                    false => Some(0.0),
                },
                ..PairValue::new(read(&plain, measure, x, y), plain.n, permuted[at].clone())
            })
            .collect()
    };
    vec![(biased, of(0, biased)), (unbiased, of(1, unbiased))]
}
