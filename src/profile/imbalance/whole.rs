//! Sums all pairs up: matrices, steps, the closest layers.

use super::directed::{Directed, Node};
use super::shape::{BestPair, ImbalanceMatrix, ImbalancePair, Step, Steps};
use crate::geometry::id::{Fit, Ratios, two_nn};
use crate::geometry::relation::{Relation, floor, relative_difference, relative_difference_error};
use crate::geometry::stats;
use crate::input::Series;
use crate::profile::compare::{ComparedLayer, Comparison, LayerMatrix, places};
use crate::profile::events::{Direction, EventOptions, PairImbalance, agreement, events, runs};

/// All layers against all, at one k.
pub(super) fn matrix(
    comparison: &Comparison<'_>,
    pairs: &[ImbalancePair],
    k: usize,
) -> ImbalanceMatrix {
    let two = comparison.is_between_two();
    let floor = floor(comparison.n_rows(), k);
    let mut forward = LayerMatrix::between(comparison);
    let mut backward = two.then(|| forward.transposed());
    if !two {
        for (at, layer) in comparison.left().iter().enumerate() {
            let exists = layer.no_nearest.is_none() && comparison.n_rows() >= k + 2;
            forward.set(at, at, floor.filter(|_| exists), exists.then_some(0.0));
        }
    }
    for pair in pairs.iter().filter(|pair| pair.k == k) {
        let Some((a, b)) = places(comparison, &pair.a, &pair.b) else {
            continue;
        };
        let ([there, there_error], [back, back_error]) = (pair.forward(), pair.backward());
        forward.set(a, b, there, there_error);
        match &mut backward {
            Some(backward) => backward.set(b, a, back, back_error),
            None => forward.set(b, a, back, back_error),
        }
    }
    ImbalanceMatrix {
        k,
        floor,
        forward,
        backward,
    }
}

/// R along the layers of one dump, at one k.
pub(super) fn steps(comparison: &Comparison<'_>, pairs: &[ImbalancePair], k: usize) -> Steps {
    let steps: Vec<Step> = comparison
        .left()
        .windows(2)
        .map(|two| {
            let pair = pairs.iter().find(|pair| {
                pair.k == k && pair.a.index == two[0].index && pair.b.index == two[1].index
            });
            Step {
                from: two[0].layer.clone(),
                to: two[1].layer.clone(),
                ..pair.map_or(NO_STEP, step)
            }
        })
        .collect();
    Steps {
        k,
        runs: runs(steps.iter().map(|step| step.direction)),
        steps,
    }
}

const NO_STEP: Step = Step {
    from: String::new(),
    to: String::new(),
    relative_difference: None,
    std_error: None,
    direction: None,
};

/// R of a pair of neighbouring layers; the caller names them.
fn step(pair: &ImbalancePair) -> Step {
    let both = pair.outcome.ok();
    let r = both.and_then(|both| relative_difference(both.forward, both.backward));
    let std_error = both.and_then(|both| {
        relative_difference_error(
            [both.forward, both.std_error_forward],
            [both.backward, both.std_error_backward],
        )
    });
    let one_side = both
        .is_some_and(|both| !matches!(both.relation, Relation::Equivalent | Relation::Independent));
    Step {
        relative_difference: r,
        std_error,
        direction: r.map(|r| match one_side {
            true => Direction::of(r, std_error),
            false => Direction::Neutral,
        }),
        ..NO_STEP
    }
}

/// The dimension along both dumps, to say where a pair lies.
pub(super) struct Phases {
    left: Series,
    right: Series,
}

impl Phases {
    pub(super) fn of(comparison: &Comparison<'_>, directed: &Directed) -> Self {
        let series = |layers: &[ComparedLayer], node: fn(usize) -> Node| {
            let ids: Vec<(&str, Option<f64>)> = layers
                .iter()
                .enumerate()
                .map(|(at, layer)| {
                    let nearest = directed.nearest.get(&node(at));
                    let id = nearest.and_then(|[first, second]| {
                        two_nn(&Ratios::new(first, second), Fit::default()).ok()
                    });
                    (layer.layer.as_str(), id.map(|id| id.id))
                })
                .collect();
            Series::new(ids)
        };
        Self {
            left: series(comparison.left(), Node::Left),
            right: series(comparison.right(), Node::Right),
        }
    }

    /// The closest layers at one k.
    pub(super) fn best_pair(&self, pairs: &[ImbalancePair], k: usize) -> Option<BestPair> {
        let pairs: Vec<&ImbalancePair> = pairs.iter().filter(|pair| pair.k == k).collect();
        let known: Vec<PairImbalance> = pairs
            .iter()
            .enumerate()
            .filter_map(|(at, pair)| {
                let both = pair.outcome.ok()?;
                Some(PairImbalance {
                    // Places in `pairs`, so that the pair can be found again.
                    a: at,
                    b: at,
                    forward: both.forward,
                    backward: both.backward,
                })
            })
            .collect();
        let worse = |pair: &PairImbalance| pair.forward.max(pair.backward);
        let best = known.iter().reduce(|best, pair| {
            if worse(pair) < worse(best) {
                pair
            } else {
                best
            }
        })?;
        let pair = pairs[best.a];
        let mut all: Vec<f64> = known.iter().map(worse).collect();
        all.sort_unstable_by(f64::total_cmp);
        let median = stats::quantile(&all, 0.5);
        let options = EventOptions::default();
        let found = agreement(
            &events(&self.left, &options),
            &events(&self.right, &options),
            &[PairImbalance {
                a: pair.a.index,
                b: pair.b.index,
                ..*best
            }],
        );
        Some(BestPair {
            k,
            a: pair.a.clone(),
            b: pair.b.clone(),
            information_imbalance: worse(best),
            ratio_to_median: (median > 0.0).then(|| worse(best) / median),
            in_high_phases: found.found().map(|found| found.in_high_phases),
        })
    }
}
