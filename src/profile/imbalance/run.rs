//! From a comparison to its report: pairs, matrices, steps, the best pair.

use std::collections::BTreeMap;

use super::directed::{Arrow, Directed, Node, Search};
use super::options::ImbalanceOptions;
use super::shape::{
    BestPair, ImbalanceMatrix, ImbalancePair, ImbalanceParameters, ImbalanceProfile, Null, Parts,
    Side, Step, Steps,
};
use crate::error::{Error, Result};
use crate::geometry::id::{Fit, Ratios, two_nn};
use crate::geometry::relation::{Imbalance, Relation, floor, relation, relative_difference};
use crate::geometry::stats::{mean, std_dev};
use crate::geometry::{Reason, stats};
use crate::input::Series;
use crate::profile::compare::{ComparedLayer, Comparison, LayerMatrix, LayerPair, Target};
use crate::profile::events::{EventOptions, PairImbalance, agreement, directions, events};
use crate::profile::layers::LayerOptions;
use crate::profile::resample::{PartitionOrder, partitions};
use crate::profile::tables::Tables;
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::warning::{Warning, WarningCode};

/// Information imbalances between the layers of `comparison`.
///
/// Every layer costs one search for neighbours and one count of ranks, however many pairs there
/// are. `rows` says in words how rows were chosen.
///
/// # Errors
/// [`Error::Usage`] for pairs that do not exist or parts without rows; whatever reading a layer or
/// [`Tables`] gives.
pub fn imbalance(
    comparison: &Comparison<'_>,
    layers: &LayerOptions,
    options: &ImbalanceOptions,
    tables: &Tables<'_>,
    rows: Vec<String>,
    progress: &dyn Progress,
) -> Result<ImbalanceProfile> {
    let n = comparison.n_rows();
    let mut warnings = Vec::new();
    let k = reduced(&options.k, n, &mut warnings);
    let pairs = wanted_pairs(comparison, &options.target)?;
    let arrows: Vec<Arrow> = pairs.iter().map(|pair| arrow(comparison, *pair)).collect();
    let mut random = SplitMix64::new(options.seed);
    let permutations: Vec<Vec<u32>> = (0..options.shuffle)
        .map(|_| {
            let order = random.choose(n, n).into_iter();
            order.filter_map(|row| u32::try_from(row).ok()).collect()
        })
        .collect();
    let search = Search {
        comparison,
        pairs: &arrows,
        k: &k,
        rows: None,
        permutations: &permutations,
        tables: *tables,
    };
    let directed = search.run(&mut warnings, progress)?;
    let parts = in_parts(&search, options, &mut warnings, progress)?;

    let mut found = Vec::new();
    for (at, &k) in k.iter().enumerate() {
        for (pair, arrow) in pairs.iter().zip(&arrows) {
            found.push(ImbalancePair {
                partitions: parts.as_ref().map(|parts| parts.summary(*arrow, at, k)),
                ..pair_of(comparison, *pair, *arrow, &directed, at, k)
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
        parameters: parameters(layers, options, tables, &k, rows),
        n,
        layers: comparison.left().to_vec(),
        against: two.then(|| comparison.right().to_vec()),
        pairs: found,
        warnings,
    })
}

/// k is at most N − 1; what was reduced is said once.
pub(crate) fn reduced(k: &[usize], n: usize, warnings: &mut Vec<Warning>) -> Vec<usize> {
    let most = n.saturating_sub(1).max(1);
    let mut out: Vec<usize> = k.iter().map(|&k| k.min(most)).collect();
    if let Some(&large) = k.iter().filter(|&&k| k > most).max() {
        warnings.push(Warning::new(
            WarningCode::KReduced,
            k.iter().filter(|&&k| k > most).count(),
            format!("k = {large} was reduced to {most}, all other rows of {n}"),
        ));
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The pairs of layers that `target` asks for.
///
/// # Errors
/// [`Error::Usage`] if there is nothing to compare.
pub(crate) fn wanted_pairs(comparison: &Comparison<'_>, target: &Target) -> Result<Vec<LayerPair>> {
    let names = |layers: &[ComparedLayer]| -> Vec<String> {
        layers.iter().map(|layer| layer.layer.clone()).collect()
    };
    let (left, right) = (names(comparison.left()), names(comparison.right()));
    let left: Vec<&str> = left.iter().map(String::as_str).collect();
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let two = comparison.is_between_two();
    let pairs = target.pairs(&left, two.then_some(&right))?;
    if pairs.is_empty() {
        return Err(Error::Usage(
            "one layer has nothing to be compared with; name a second layer, or a dump with --against"
                .into(),
        ));
    }
    Ok(pairs)
}

fn arrow(comparison: &Comparison<'_>, pair: LayerPair) -> Arrow {
    let to = if comparison.is_between_two() {
        Node::Right(pair.b)
    } else {
        Node::Left(pair.b)
    };
    (Node::Left(pair.a), to)
}

/// Where a layer stands in its dump.
pub(crate) fn side(layer: &ComparedLayer) -> Side {
    Side {
        layer: layer.layer.clone(),
        index: layer.index,
        relative_depth: layer.relative_depth,
    }
}

fn pair_of(
    comparison: &Comparison<'_>,
    pair: LayerPair,
    (a, b): Arrow,
    directed: &Directed,
    at: usize,
    k: usize,
) -> ImbalancePair {
    let n = comparison.n_rows();
    let of = |arrow: Arrow| -> Result<Imbalance, Reason> {
        let found = directed.found.get(&arrow);
        found.map_or(Err(Reason::TooFewRows), |found| found[at])
    };
    let (forward, backward) = (of((a, b)), of((b, a)));
    let value = |one: Result<Imbalance, Reason>| one.ok().map(|one| one.value);
    let error = |one: Result<Imbalance, Reason>| one.ok().map(|one| one.std_error);
    let null = |arrow: Arrow| {
        let permuted: Vec<f64> = directed
            .permuted
            .get(&arrow)?
            .iter()
            .map(|turn| turn[at])
            .collect();
        let found = value(of(arrow))?;
        let lower = permuted.iter().filter(|&&value| value <= found).count();
        Some(Null {
            mean: mean(&permuted)?,
            std: std_dev(&permuted),
            p_value: (1 + lower) as f64 / (1 + permuted.len()) as f64,
        })
    };
    ImbalancePair {
        a: side(&comparison.left()[pair.a]),
        b: side(&comparison.right()[pair.b]),
        k,
        n,
        floor: floor(n, k),
        forward: value(forward),
        backward: value(backward),
        std_error_forward: error(forward),
        std_error_backward: error(backward),
        error_kind: "jackknife",
        relation: match (forward, backward) {
            (Ok(forward), Ok(backward)) => Some(relation(forward, backward)),
            _ => None,
        },
        reason: forward.err().or(backward.err()),
        partitions: None,
        shuffle: null((a, b))
            .zip(null((b, a)))
            .map(|(there, back)| [there, back]),
    }
}

/// Δ along every arrow in every part.
struct InParts {
    /// Rows of the smallest part.
    n: usize,
    found: Vec<Directed>,
}

fn in_parts(
    search: &Search<'_>,
    options: &ImbalanceOptions,
    warnings: &mut Vec<Warning>,
    progress: &dyn Progress,
) -> Result<Option<InParts>> {
    let Some(count) = options.partitions else {
        return Ok(None);
    };
    let n = search.comparison.n_rows();
    if count > n {
        return Err(Error::Usage(format!(
            "--partitions {count} needs as many rows, there are {n}"
        )));
    }
    let parts = partitions(n, count, options.partition_order, options.seed);
    let found = parts
        .rows
        .iter()
        .map(|rows| {
            let part = Search {
                rows: Some(rows),
                permutations: &[],
                // Parts are cheap and would crowd the cache.
                tables: Tables {
                    cache: None,
                    ..search.tables
                },
                ..*search
            };
            part.run(warnings, progress)
        })
        .collect::<Result<_>>()?;
    Ok(Some(InParts {
        n: parts.rows.iter().map(Vec::len).min().unwrap_or(0),
        found,
    }))
}

impl InParts {
    fn summary(&self, (a, b): Arrow, at: usize, k: usize) -> Parts {
        // A part in which Δ does not exist leaves no mean over parts.
        let values = |arrow: Arrow| -> Vec<f64> {
            let found = self.found.iter();
            let values = found.map(|part| part.found.get(&arrow)?[at].ok().map(|one| one.value));
            values.collect::<Option<Vec<f64>>>().unwrap_or_default()
        };
        let (forward, backward) = (values((a, b)), values((b, a)));
        let error = |values: &[f64]| std_dev(values).map(|std| std / (values.len() as f64).sqrt());
        Parts {
            n: self.n,
            floor: floor(self.n, k),
            forward: mean(&forward),
            backward: mean(&backward),
            std_forward: std_dev(&forward),
            std_backward: std_dev(&backward),
            std_error_forward: error(&forward),
            std_error_backward: error(&backward),
        }
    }
}

fn matrix(comparison: &Comparison<'_>, pairs: &[ImbalancePair], k: usize) -> ImbalanceMatrix {
    let names = |layers: &[ComparedLayer]| -> Vec<String> {
        layers.iter().map(|layer| layer.layer.clone()).collect()
    };
    let place = |layers: &[ComparedLayer]| -> BTreeMap<usize, usize> {
        layers
            .iter()
            .enumerate()
            .map(|(at, layer)| (layer.index, at))
            .collect()
    };
    let (rows, columns) = (names(comparison.left()), names(comparison.right()));
    let (left, right) = (place(comparison.left()), place(comparison.right()));
    let two = comparison.is_between_two();
    let floor = floor(comparison.n_rows(), k);
    let mut forward = LayerMatrix::empty(rows, columns);
    let mut backward = two.then(|| forward.transposed());
    if !two {
        for (at, layer) in comparison.left().iter().enumerate() {
            let exists = !layer.identical() && comparison.n_rows() >= k + 2;
            forward.set(at, at, exists.then_some(floor), exists.then_some(0.0));
        }
    }
    for pair in pairs.iter().filter(|pair| pair.k == k) {
        let (a, b) = (left[&pair.a.index], right[&pair.b.index]);
        forward.set(a, b, pair.forward, pair.std_error_forward);
        match &mut backward {
            Some(backward) => backward.set(b, a, pair.backward, pair.std_error_backward),
            None => forward.set(b, a, pair.backward, pair.std_error_backward),
        }
    }
    ImbalanceMatrix {
        k,
        floor,
        forward,
        backward,
    }
}

fn steps(comparison: &Comparison<'_>, pairs: &[ImbalancePair], k: usize) -> Steps {
    let steps: Vec<Step> = comparison
        .left()
        .windows(2)
        .map(|two| {
            let pair = pairs.iter().find(|pair| {
                pair.k == k && pair.a.index == two[0].index && pair.b.index == two[1].index
            });
            let values = pair.and_then(|pair| pair.forward.zip(pair.backward));
            Step {
                from: two[0].layer.clone(),
                to: two[1].layer.clone(),
                relative_difference: values.and_then(|(a, b)| relative_difference(a, b)),
            }
        })
        .collect();
    let named = steps
        .iter()
        .map(|step| (step.from.as_str(), step.relative_difference));
    Steps {
        k,
        runs: directions(&Series::new(named)),
        steps,
    }
}

/// The dimension along both dumps, to say where a pair lies.
struct Phases {
    left: Series,
    right: Series,
}

impl Phases {
    fn of(comparison: &Comparison<'_>, directed: &Directed) -> Self {
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

    fn best_pair(&self, pairs: &[ImbalancePair], k: usize) -> Option<BestPair> {
        let pairs: Vec<&ImbalancePair> = pairs.iter().filter(|pair| pair.k == k).collect();
        let known: Vec<PairImbalance> = pairs
            .iter()
            .enumerate()
            .filter_map(|(at, pair)| {
                Some(PairImbalance {
                    // Places in `pairs`, so that the pair can be found again.
                    a: at,
                    b: at,
                    forward: pair.forward?,
                    backward: pair.backward?,
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
            imbalance: worse(best),
            ratio_to_median: (median > 0.0).then(|| worse(best) / median),
            in_high_phases: found.found.map(|found| found.in_high_phases),
        })
    }
}

fn parameters(
    layers: &LayerOptions,
    options: &ImbalanceOptions,
    tables: &Tables<'_>,
    k: &[usize],
    rows: Vec<String>,
) -> ImbalanceParameters {
    ImbalanceParameters {
        to: options.target.to_string(),
        k: k.to_vec(),
        metric: tables.metric.as_str().to_owned(),
        duplicates: layers.duplicates.as_str().to_owned(),
        drop_nonfinite: layers.drop_nonfinite,
        pool: layers.pool.map(|pool| pool.to_string()),
        masked: layers.mask.is_some(),
        rows,
        partitions: options.partitions,
        partition_order: options.partitions.map(|_| match options.partition_order {
            PartitionOrder::Random => "random",
            PartitionOrder::Given => "given",
        }),
        shuffle: options.shuffle,
        relation_rule: Relation::RULE,
        seed: options.seed,
    }
}
