//! From a comparison to its report: pairs, matrices, steps, the best pair.

use std::collections::BTreeSet;

use super::directed::{Arrow, Directed, Node};
use super::options::ImbalanceOptions;
use super::parts::in_parts;
use super::searches::Asked;
use super::shape::{BothWays, ImbalancePair, ImbalanceParameters, ImbalanceProfile, Null};
use super::whole::{Phases, matrix, steps};
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::id::ErrorKind;
use crate::geometry::permutation::PValue;
use crate::geometry::relation::{Imbalance, Relation, floor, relation};
use crate::geometry::stats::{mean, std_dev};
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerPair, Target};
use crate::profile::parameters::RowParameters;
use crate::profile::resample::Partitioning;
use crate::progress::Phase;

/// Information imbalances between the layers of `comparison`.
///
/// Every layer costs one search for neighbours and one count of ranks, however many pairs there
/// are.
///
/// # Errors
/// [`Error::Usage`](crate::Error::Usage) for pairs that do not exist or parts without rows; whatever reading a layer or
/// [`Bench`] gives.
pub fn imbalance(
    comparison: &Comparison<'_>,
    options: &ImbalanceOptions,
    bench: &Bench<'_>,
) -> Result<ImbalanceProfile> {
    let n = comparison.n_rows();
    let mut warnings = Vec::new();
    let asked = Asked::new(comparison, options, &mut warnings)?;
    let search = asked.search(comparison, bench);
    let Asked {
        k,
        pairs,
        arrows,
        orders,
    } = &asked;
    bench
        .progress
        .plan(&phases(comparison, arrows, k, orders.rows.len(), options));
    let directed = search.run(&mut warnings)?;
    let parts = in_parts(&search, options, &mut warnings)?;

    let mut found = Vec::new();
    for (at, &k) in k.iter().enumerate() {
        for (pair, arrow) in pairs.iter().zip(arrows) {
            found.push(ImbalancePair {
                partitions: parts.as_ref().map(|parts| parts.summary(*arrow, at, k)),
                ..pair_of(comparison, *pair, *arrow, &directed, at, k, orders.is_all)
            });
        }
    }
    let two = comparison.is_between_two();
    let all = options.target == Target::All && pairs.len() > 1;
    let consecutive = !two && matches!(options.target, Target::All | Target::Next);
    Ok(ImbalanceProfile {
        matrices: if all {
            k.iter().map(|&k| matrix(comparison, &found, k)).collect()
        } else {
            Vec::new()
        },
        steps: if consecutive && comparison.left().len() > 2 {
            k.iter().map(|&k| steps(comparison, &found, k)).collect()
        } else {
            Vec::new()
        },
        best_pairs: if two && pairs.len() > 1 {
            let phases = Phases::of(comparison, &directed);
            k.iter()
                .filter_map(|&k| phases.best_pair(&found, k))
                .collect()
        } else {
            Vec::new()
        },
        parameters: ImbalanceParameters {
            options: ImbalanceOptions {
                k: k.to_vec(),
                ..options.clone()
            },
            metric: bench.metric,
            rows: RowParameters::new(comparison.options(), bench.rows),
            relation_rule: Relation::RULE,
        },
        n,
        layers: comparison.left().to_vec(),
        against: two.then(|| comparison.right().to_vec()),
        pairs: found,
        warnings,
    })
}

/// What a count of the ranks of `targets` rows for every row costs beside a search for neighbours, in
/// `columns` columns: a fit to measured runs of 2500 and 3000 rows, 256 and 768 columns, 4 to 121
/// targets, right within a quarter. Progress alone rests on it.
pub fn cost_of_ranks(targets: usize, columns: usize) -> f64 {
    /// Below this the columns no longer decide what a search costs.
    const FEWEST_COLUMNS: usize = 128;
    1.0 + 13.0 * (targets as f64 / columns.max(FEWEST_COLUMNS) as f64).sqrt()
}

/// A search and a count of ranks a layer, then the same in every part of the rows.
fn phases(
    comparison: &Comparison<'_>,
    arrows: &[Arrow],
    k: &[usize],
    permutations: usize,
    options: &ImbalanceOptions,
) -> Vec<Phase> {
    let nodes: BTreeSet<Node> = arrows.iter().flat_map(|&(a, b)| [a, b]).collect();
    let n_layers = nodes.len();
    let deepest = k.iter().copied().max().unwrap_or(1);
    // Both directions of every pair are counted.
    let targets = 2 * arrows.len() * (deepest + 1 + permutations * deepest) / n_layers.max(1);
    let columns = comparison.left().iter().filter_map(|layer| layer.n_columns);
    let columns: usize = columns.sum();
    let cost = cost_of_ranks(targets, columns / comparison.left().len().max(1));
    let mut phases = vec![
        Phase::new("neighbours", n_layers),
        Phase {
            cost,
            ..Phase::new("ranks", n_layers)
        },
    ];
    if let Some(Partitioning { partitions, .. }) = options.partitioning {
        // Time goes with the square of the rows.
        let cost = (1.0 + cost) * n_layers as f64 / (partitions * partitions) as f64;
        let parts = Phase::new("parts", partitions);
        phases.push(Phase { cost, ..parts });
    }
    phases
}

fn pair_of(
    comparison: &Comparison<'_>,
    pair: LayerPair,
    (a, b): Arrow,
    directed: &Directed,
    at: usize,
    k: usize,
    all_orders: bool,
) -> ImbalancePair {
    let n = comparison.n_rows();
    let of = |arrow: Arrow| -> Result<Imbalance, Reason> {
        let found = directed.found.get(&arrow);
        found.map_or(Err(Reason::TooFewRows), |found| found[at])
    };
    let (forward, backward) = (of((a, b)), of((b, a)));
    let value = |one: Result<Imbalance, Reason>| one.ok().map(|one| one.value);
    let null = |arrow: Arrow| {
        let permuted: Vec<f64> = directed
            .permuted
            .get(&arrow)?
            .iter()
            .map(|turn| turn[at])
            .collect();
        let found = value(of(arrow))?;
        Some(Null {
            mean: mean(&permuted)?,
            std: std_dev(&permuted),
            p: PValue::of(found, &permuted, true, all_orders)?,
        })
    };
    ImbalancePair {
        a: comparison.left()[pair.a].place(),
        b: comparison.right()[pair.b].place(),
        k,
        n,
        floor: floor(n, k),
        outcome: forward
            .and_then(|there| Ok(both_ways(there, backward?)))
            .into(),
        error_kind: ErrorKind::Jackknife,
        partitions: None,
        shuffle: null((a, b))
            .zip(null((b, a)))
            .map(|(there, back)| [there, back]),
    }
}

fn both_ways(there: Imbalance, back: Imbalance) -> BothWays {
    BothWays {
        forward: there.value,
        backward: back.value,
        std_error_forward: there.std_error,
        std_error_backward: back.std_error,
        relation: relation(there, back),
    }
}
