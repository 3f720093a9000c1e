//! Verdicts on a list of candidates: which are the nearest, and how far the n-th of them is.

use super::candidates::Candidate;
use super::filter::Operand;
use super::points::Verdict;

/// The exact `orders`-th smallest D² among `list`, ascending in `orders` (counted from 1).
///
/// `list` holds, sorted by score or not, every pair that may be among the `orders.last()`
/// nearest, less `below` pairs that are certainly nearer than all of `list`. Only pairs that the
/// bound cannot separate from the wanted order get the exact verdict.
pub(super) fn order_statistics(
    operand: &Operand,
    position: usize,
    list: &mut [Candidate],
    below: usize,
    orders: &[usize],
    verdict: &mut Verdict<'_>,
) -> Vec<f64> {
    list.sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
    let upper = |c: &Candidate| {
        operand
            .bound
            .upper(position, c.position as usize, f64::from(c.score))
    };
    let lower = |c: &Candidate| {
        operand
            .bound
            .lower(position, c.position as usize, f64::from(c.score))
    };
    verdict.stand_at(operand.row(position));
    let (mut band, mut squared) = (Vec::new(), Vec::new());
    orders
        .iter()
        .map(|&order| {
            let rank = order - below;
            // The first `rank` scores bound the wanted D² from above, the others from below.
            let above = list[..rank].iter().map(upper).fold(0.0, f64::max);
            let floor = list[rank - 1..]
                .iter()
                .map(lower)
                .fold(f64::INFINITY, f64::min);
            band.clear();
            let mut certainly_nearer = 0;
            for candidate in list.iter() {
                if upper(candidate) < floor {
                    certainly_nearer += 1;
                } else if lower(candidate) <= above {
                    band.push(operand.row(candidate.position as usize));
                }
            }
            squared.clear();
            verdict.squared_distances(band.iter().copied(), &mut squared);
            let at = rank - 1 - certainly_nearer;
            *squared.select_nth_unstable_by(at, f64::total_cmp).1
        })
        .collect()
}

/// Exact D² and rows of what may be among the k nearest of the row at position `p`.
///
/// The k lowest scores get their verdicts first; the largest of those bounds the k-th D² more
/// tightly than any score can, and few other candidates stay below it.
pub(super) fn nearest(
    operand: &Operand,
    p: usize,
    k: usize,
    mut list: Vec<Candidate>,
    verdict: &mut Verdict<'_>,
) -> Vec<(f64, u32)> {
    let row_of = |candidate: &Candidate| operand.order()[candidate.position as usize];
    if list.len() > k {
        list.select_nth_unstable_by(k - 1, |a, b| a.score.total_cmp(&b.score));
    }
    let (first, others) = list.split_at(k.min(list.len()));
    verdict.stand_at(operand.row(p));
    let mut judged = verdict.judge(first.iter().map(row_of).collect());
    let farthest = judged
        .iter()
        .map(|&(squared, _)| squared)
        .fold(0.0, f64::max);
    let farthest = farthest * operand.scale() * operand.scale();
    let others = others.iter().filter(|candidate| {
        let q = candidate.position as usize;
        operand.bound.lower(p, q, f64::from(candidate.score)) <= farthest
    });
    judged.extend(verdict.judge(others.map(row_of).collect()));
    judged
}
