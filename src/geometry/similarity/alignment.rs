//! Kernel alignments of all pairs, from sums that pairs share.

use super::cka::KernelTerms;
use super::measure::{Measure, PairValue, Subject};
use crate::geometry::Reason;
use crate::geometry::centred::Centred;
use crate::input::Matrix;

/// The wanted alignments from the terms of `layers`, once as they are and once for every
/// permutation of rows; `biased` is the one of biased terms.
pub(super) fn alignments(
    subject: &Subject<'_>,
    layers: &[Centred<'_>],
    wanted: &[&'static Measure],
    biased: &Measure,
    terms: &impl Fn(&[Centred<'_>], &[(usize, usize)]) -> KernelTerms,
) -> Vec<Vec<PairValue>> {
    let plain = terms(layers, subject.pairs);
    let mut permuted = vec![vec![Vec::new(); wanted.len()]; subject.pairs.len()];
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
        for (&pair, out) in across.iter().zip(&mut permuted) {
            for (&measure, out) in wanted.iter().zip(out) {
                out.extend(alignment(&terms, *measure == *biased, pair));
            }
        }
    }
    let of = |at: usize| -> Vec<PairValue> {
        let is_biased = *wanted[at] == *biased;
        let pairs = subject.pairs.iter().zip(&permuted);
        pairs
            .map(|(&pair, permuted)| PairValue {
                chance: match is_biased {
                    true => plain.chance_cka(pair.0, pair.1),
                    false => Some(0.0),
                },
                ..PairValue::new(
                    alignment(&plain, is_biased, pair),
                    plain.n,
                    permuted[at].clone(),
                )
            })
            .collect()
    };
    (0..wanted.len()).map(of).collect()
}

fn alignment(terms: &KernelTerms, is_biased: bool, (x, y): (usize, usize)) -> Result<f64, Reason> {
    if is_biased {
        terms.cka(x, y)
    } else {
        terms.debiased_cka(x, y)
    }
}
