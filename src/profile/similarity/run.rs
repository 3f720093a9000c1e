//! From comparisons to the report: pairs, matrices, the ranking of sources.

use super::forecast::{Extent, phases};
use super::imbalance::IMBALANCE;
use super::neighbour_values::{NeighbourValues, Searched};
use super::options::SimilarityOptions;
use super::overlap::OVERLAP;
use super::pair::Ends;
use super::rank::ranked;
use super::register::BY_SEARCH;
use super::shape::{
    Parts, SimilarityMatrix, SimilarityPair, SimilarityParameters, SimilarityProfile,
};
use super::values::{MeasureValues, values, values_of};
use crate::error::{Error, Result};
use crate::geometry::permutation::RowOrders;
use crate::geometry::similarity::{
    Dissimilarity, Measure, RSA, Relations, Setting, Subject, Values,
};
use crate::geometry::stats::mean;
use crate::input::Matrix;
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerMatrix, LayerPair, Target, places};
use crate::profile::layers::LayerOptions;
use crate::profile::parameters::RowParameters;
use crate::profile::resample::{PartitionOrder, partitions};
use crate::progress::{Phase, Progress, Within};
use crate::random::SplitMix64;
use crate::warning::{Warning, WarningCode};

/// The layers to compare, and what to call the second dump where several are ranked.
pub struct Source<'a> {
    /// The dump of the second layers, in reports; `None` where there is no ranking.
    pub name: Option<String>,
    /// The layers over common rows.
    pub comparison: Comparison<'a>,
}

/// Similarities between the layers of every comparison.
///
/// What one layer contributes by itself is made once, however many pairs there are.
///
/// # Errors
/// [`Error::Usage`] for pairs that do not exist or parts without rows; whatever reading a layer
/// gives.
pub fn similarity(
    sources: &[Source<'_>],
    options: &SimilarityOptions,
    bench: &Bench<'_>,
) -> Result<SimilarityProfile> {
    let Some(first) = sources.first() else {
        return Err(Error::Usage("there is no source to compare with".into()));
    };
    let mut warnings = Vec::new();
    let mut pairs = Vec::new();
    bench
        .progress
        .plan(&phases(extent(first, options)?, options, sources.len()));
    for source in sources {
        pairs.extend(source_pairs(source, options, bench, &mut warnings)?);
    }
    let comparison = &first.comparison;
    let one = sources.len() == 1;
    let matrices = if one && options.target == Target::All && pairs.len() > options.measures.len() {
        let measures = options.measures.iter();
        measures
            .map(|&measure| matrix(comparison, &pairs, measure, options))
            .collect()
    } else {
        Vec::new()
    };
    let ranking = match options.target {
        Target::Matched => ranked(&pairs, options),
        _ => Vec::new(),
    };
    Ok(SimilarityProfile {
        parameters: parameters(comparison.options(), options, bench),
        n: comparison.n_rows(),
        layers: comparison.left().to_vec(),
        against: (one && comparison.is_between_two()).then(|| comparison.right().to_vec()),
        pairs,
        matrices,
        ranking,
        joined: Vec::new(),
        warnings,
    })
}

/// How large one comparison is: the first, for the others are of the same layers and rows.
fn extent(source: &Source<'_>, options: &SimilarityOptions) -> Result<Extent> {
    let comparison = &source.comparison;
    let wanted = comparison.pairs(&options.target)?;
    let columns = comparison.left().iter().filter_map(|layer| layer.n_columns);
    let columns: usize = columns.sum();
    let layers = comparison.left().len();
    let sides = 1 + usize::from(comparison.is_between_two());
    Ok(Extent {
        layers: sides * layers,
        pairs: wanted.len(),
        rows: comparison.n_rows(),
        columns: columns / layers.max(1),
    })
}

/// Every measure of every pair of one comparison.
fn source_pairs(
    source: &Source<'_>,
    options: &SimilarityOptions,
    bench: &Bench<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<SimilarityPair>> {
    let comparison = &source.comparison;
    let n = comparison.n_rows();
    let wanted = comparison.pairs(&options.target)?;
    let nodes = Nodes::of(comparison, &wanted)?;
    let mut random = SplitMix64::new(options.seed);
    let orders = RowOrders::new(n, options.permutations, &mut random);
    let whole = Subject {
        matrices: &nodes.matrices,
        pairs: &nodes.pairs,
        permutations: &orders.rows,
        settings: options.settings(),
        max_memory: room(&nodes, bench),
    };
    check_memory(&whole, options, bench)?;
    let name = source.name.as_deref().unwrap_or_default();
    let step = |phase| bench.progress.step(phase, name);
    let found = values(&whole, &options.measures, &step, bench.progress);
    let parts = in_parts(&nodes, options, n, &step, bench)?;
    let mut by_neighbours: Vec<NeighbourValues> = Vec::new();
    for (measure, search) in &BY_SEARCH {
        if options.measures.contains(measure) {
            step(measure.flag);
            let within = Within::new(bench.progress);
            let bench = &Bench {
                progress: &within,
                ..*bench
            };
            let searched = Searched {
                comparison,
                options,
                bench,
            };
            by_neighbours.push(search(&searched, warnings)?);
        }
    }
    note(&found, comparison, &wanted, warnings);
    note_rows(&nodes, comparison, options, warnings);
    let mut all = Vec::new();
    for &measure in &options.measures {
        let neighbours = by_neighbours.iter().find(|one| one.measure == measure);
        for (at, pair) in wanted.iter().enumerate() {
            let ends = Ends {
                source: source.name.clone(),
                a: &comparison.left()[pair.a],
                b: &comparison.right()[pair.b],
                all_orders: orders.is_all,
            };
            match (neighbours, values_of(&found, measure)) {
                (Some(neighbours), _) => all.push(ends.by_neighbours(neighbours, at, options)),
                (None, Some(found)) => {
                    let parts = parts.as_ref().map(|parts| parts.of(measure, at));
                    all.push(ends.pair(measure, &found[at], parts));
                }
                (None, None) => {}
            }
        }
    }
    Ok(all)
}

/// Bytes that are left beside layers that could not stay in their file.
fn room(nodes: &Nodes, bench: &Bench<'_>) -> Option<u64> {
    let held: u64 = nodes.matrices.iter().map(Matrix::decoded_bytes).sum();
    Some(bench.search.max_memory?.saturating_sub(held))
}

/// Checks that every wanted measure can be had, before any work.
fn check_memory(
    subject: &Subject<'_>,
    options: &SimilarityOptions,
    bench: &Bench<'_>,
) -> Result<()> {
    let (Some(limit), Some(room)) = (bench.search.max_memory, subject.max_memory) else {
        return Ok(());
    };
    let threads = rayon::current_num_threads();
    for measure in &options.measures {
        let Values::Layers(computation) = &measure.values else {
            continue;
        };
        let least = (computation.least)(subject, threads);
        if least > room {
            let (n, layers) = (subject.n_rows(), subject.matrices.len());
            return Err(Error::Memory {
                work: format!("{} of {layers} layers of {n} rows", measure.name),
                needed: limit - room + least,
                limit,
                remedy: "raise it, compare fewer --rows or --layers at a time, or use fewer \
                         --threads"
                    .into(),
            });
        }
    }
    Ok(())
}

/// The layers that take part, each once.
struct Nodes {
    matrices: Vec<Matrix>,
    names: Vec<String>,
    pairs: Vec<(usize, usize)>,
}

impl Nodes {
    fn of(comparison: &Comparison<'_>, wanted: &[LayerPair]) -> Result<Self> {
        let right = usize::from(comparison.is_between_two());
        let mut keys: Vec<(usize, usize)> = wanted
            .iter()
            .flat_map(|pair| [(0, pair.a), (right, pair.b)])
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let place = |key: (usize, usize)| keys.binary_search(&key).unwrap_or(0);
        let pairs = wanted
            .iter()
            .map(|pair| (place((0, pair.a)), place((right, pair.b))))
            .collect();
        let read = |&(on, at): &(usize, usize)| match on {
            0 => comparison.read_left(at),
            _ => comparison.read_right(at),
        };
        let name = |&(on, at): &(usize, usize)| match on {
            0 => comparison.left()[at].layer.clone(),
            _ => comparison.right()[at].layer.clone(),
        };
        Ok(Self {
            names: keys.iter().map(name).collect(),
            matrices: keys.iter().map(read).collect::<Result<_>>()?,
            pairs,
        })
    }
}

/// Everything again in disjoint parts of the rows.
struct InParts {
    n: usize,
    found: Vec<Vec<MeasureValues>>,
}

fn in_parts(
    nodes: &Nodes,
    options: &SimilarityOptions,
    n: usize,
    step: &dyn Fn(&'static str),
    bench: &Bench<'_>,
) -> Result<Option<InParts>> {
    let Some(count) = options.partitions else {
        return Ok(None);
    };
    if count > n {
        return Err(Error::Usage(format!(
            "--partitions {count} needs as many rows, there are {n}"
        )));
    }
    let parts = partitions(n, count, PartitionOrder::Random, options.seed);
    let is_layers = |one: &&Measure| matches!(one.values, Values::Layers(_));
    let mut measures = options
        .measures
        .iter()
        .copied()
        .filter(|one| is_layers(one));
    if measures.next().is_some() {
        step("parts");
    }
    let within = Within::new(bench.progress);
    within.plan(&[Phase::new("part", count)]);
    let one = |rows: &Vec<u32>| {
        within.step("part", "");
        let matrices: Vec<Matrix> = nodes.matrices.iter().map(|m| m.select(rows)).collect();
        let subject = Subject {
            matrices: &matrices,
            pairs: &nodes.pairs,
            permutations: &[],
            settings: options.settings(),
            max_memory: room(nodes, bench),
        };
        values(&subject, &options.measures, &|_| (), &within)
    };
    Ok(Some(InParts {
        n: parts.rows.iter().map(Vec::len).min().unwrap_or(0),
        found: parts.rows.iter().map(one).collect(),
    }))
}

impl InParts {
    fn of(&self, measure: &Measure, at: usize) -> Parts {
        let values: Vec<Option<f64>> = self
            .found
            .iter()
            .map(|part| values_of(part, measure)?.get(at)?.value.ok())
            .collect();
        let known: Option<Vec<f64>> = values.iter().copied().collect();
        Parts {
            n: self.n,
            mean: known.as_deref().and_then(mean),
            values,
        }
    }
}

/// Warns of what a reader must know beside the numbers.
fn note(
    found: &[MeasureValues],
    comparison: &Comparison<'_>,
    wanted: &[LayerPair],
    warnings: &mut Vec<Warning>,
) {
    for (measure, found) in found {
        let wide = found.iter().filter(|one| one.wide).count();
        if wide > 0 {
            warnings.push(Warning::new(
                WarningCode::Wide,
                wide,
                format!(
                    "{}: {wide} of {} pairs have dimensions that sum to N or more, so their \
                     largest correlations are 1 whatever the data",
                    measure.name,
                    wanted.len()
                ),
            ));
        }
    }
    let n = comparison.n_rows();
    for (measure, _) in found {
        let rows = (measure.rows)(n);
        if rows < n {
            warnings.push(Warning::new(
                WarningCode::Subsampled,
                rows,
                format!(
                    "{} compares the pairs of {rows} of {n} rows, drawn by the seed",
                    measure.name
                ),
            ));
        }
    }
}

/// Names the rows without a direction, for which there is no RSA.
fn note_rows(
    nodes: &Nodes,
    comparison: &Comparison<'_>,
    options: &SimilarityOptions,
    warnings: &mut Vec<Warning>,
) {
    if !options.measures.contains(&&RSA) {
        return;
    }
    let rows = comparison.input_rows();
    let dissimilarity = options.settings().dissimilarity;
    for (matrix, name) in nodes.matrices.iter().zip(&nodes.names) {
        if let Some(row) = Relations::first_without_direction(matrix, dissimilarity) {
            warnings.push(Warning::new(
                WarningCode::NotEstimated,
                1,
                format!(
                    "rsa: row {} of {name} has no direction (its values are {}), so it has no {} \
                     dissimilarity; leave it out with --rows",
                    rows[row],
                    match dissimilarity {
                        Dissimilarity::Correlation => "all equal",
                        _ => "all 0",
                    },
                    dissimilarity.name()
                ),
            ));
        }
    }
}

fn matrix(
    comparison: &Comparison<'_>,
    pairs: &[SimilarityPair],
    measure: &'static Measure,
    options: &SimilarityOptions,
) -> SimilarityMatrix {
    let mut values = LayerMatrix::between(comparison);
    let single = !comparison.is_between_two();
    if single {
        let k = options.k.unwrap_or(measure.k);
        let own = (measure.of_itself)(comparison.n_rows(), k);
        for (at, layer) in comparison.left().iter().enumerate() {
            let exists = match measure.values {
                Values::Neighbours => layer.no_nearest.is_none(),
                Values::Layers(_) => !layer.identical(),
            };
            values.set(at, at, own.filter(|_| exists), exists.then_some(0.0));
        }
    }
    for pair in pairs.iter().filter(|pair| pair.measure == measure) {
        if let Some((a, b)) = places(comparison, &pair.a, &pair.b) {
            values.set(a, b, pair.value(), pair.std_error());
            if single {
                let back = if measure.is_directed {
                    pair.backward
                } else {
                    pair.value()
                };
                let error = if measure.is_directed {
                    None
                } else {
                    pair.std_error()
                };
                values.set(b, a, back, error);
            }
        }
    }
    SimilarityMatrix { measure, values }
}

fn parameters(
    layers: &LayerOptions,
    options: &SimilarityOptions,
    bench: &Bench<'_>,
) -> SimilarityParameters {
    let k_of = |measure: &'static Measure| {
        let asked = options.measures.contains(&measure);
        asked.then(|| options.k.unwrap_or(measure.k))
    };
    SimilarityParameters {
        metric: options.use_setting(Setting::Metric).then_some(bench.metric),
        imbalance_k: k_of(&IMBALANCE),
        overlap_k: k_of(&OVERLAP),
        rows: RowParameters::new(layers, bench.rows),
        options: options.used(),
    }
}
