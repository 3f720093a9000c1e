//! The intrinsic-dimension profile: every layer through the estimators.

use super::controls::Control;
use super::family::{Ask, Estimator, Rows, Sight, family};
use super::id::{
    ControlId, DecimationPoint, Extremum, IdEstimate, IdParameters, IdProfile, IdSummary, LayerId,
    Plateau, Resampled, ScalePoint,
};
use super::layers::{LayerOptions, distance_warnings, prepare};
use super::resample::{PartitionOrder, Subsets, decimation, partitions};
use crate::error::{Error, Result};
use crate::geometry::diagnostics::{Diagnostics, DistanceDiagnostics};
use crate::geometry::id::{
    ErrorKind, Estimate, Fit, Orders, Outcome, PLATEAU_RULE, Ratios, gride, gride_blocks, plateau,
    two_nn, two_nn_blocks,
};
use crate::geometry::{Reason, stats};
use crate::input::{Dump, Matrix, TableSource};
use crate::neighbours::{
    Metric, NeighbourTable, OrderDistances, Points, SearchOptions, neighbour_table, order_distances,
};
use crate::progress::Progress;
use crate::warning::{Warning, WarningCode};

/// Orders up to this are read off a table that is made anyway; beyond, a search of its own that
/// stores nothing of size N × k is cheaper.
const SHARED_ORDER: usize = 256;

/// Which neighbour order Gride's headline number is read at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRule {
    /// n1 as given.
    Fixed(usize),
    /// The order that matches a density estimate with `k` neighbours, 2^trunc(log2 k).
    MatchDensity {
        /// Neighbours of the density.
        k: usize,
    },
    /// The centre of the plateau of the scaling.
    Plateau,
}

/// What to estimate, and how.
#[derive(Debug, Clone)]
pub struct IdOptions {
    /// TwoNN with this fit; `None` for no TwoNN.
    pub two_nn: Option<Fit>,
    /// Gride's scaling, and its headline where an order is chosen.
    pub gride: bool,
    /// Gride's headline order; without one Gride gives its scaling only.
    pub order: Option<OrderRule>,
    /// Largest n2 of the scaling.
    pub range_max: usize,
    /// Other estimators, in the order of the report.
    pub family: Vec<Estimator>,
    /// Neighbours that they look at, in place of the custom of each.
    pub k: Option<usize>,
    /// The local estimator whose values at single rows are kept; one of `family`.
    pub local: Option<Estimator>,
    /// TwoNN on ever smaller sub-samples as well.
    pub decimation_scaling: bool,
    /// Controls to estimate beside every layer.
    pub controls: Vec<Control>,
    /// Blocks of a jackknife in place of the fit's own error.
    pub blocks: Option<usize>,
    /// Disjoint parts to repeat the estimates in.
    pub partitions: Option<usize>,
    /// How rows are dealt into parts.
    pub partition_order: PartitionOrder,
    /// Share of rows of decimated sub-samples.
    pub decimate: Option<f64>,
    /// How many of them.
    pub repeats: usize,
    /// The distance.
    pub metric: Metric,
    /// Seed of controls, partitions and decimation.
    pub seed: u64,
    /// How layers become points.
    pub layers: LayerOptions,
    /// Knobs of the neighbour search.
    pub search: SearchOptions,
}

impl Default for IdOptions {
    fn default() -> Self {
        Self {
            two_nn: Some(Fit::default()),
            gride: true,
            order: None,
            range_max: 64,
            family: Vec::new(),
            k: None,
            local: None,
            decimation_scaling: false,
            controls: Vec::new(),
            blocks: None,
            partitions: None,
            partition_order: PartitionOrder::Random,
            decimate: None,
            repeats: 4,
            metric: Metric::Euclidean,
            seed: 0,
            layers: LayerOptions::default(),
            search: SearchOptions::default(),
        }
    }
}

impl IdOptions {
    /// The options as the report echoes them; `rows` says in words how rows were chosen.
    fn parameters(&self, rows: Vec<String>) -> IdParameters {
        let gride = self.gride.then(|| "gride".to_owned());
        IdParameters {
            estimators: self
                .two_nn
                .map(|_| "two_nn".to_owned())
                .into_iter()
                .chain(gride)
                .chain(
                    self.family
                        .iter()
                        .map(|estimator| estimator.name().to_owned()),
                )
                .collect(),
            k: self.k,
            fit: self.two_nn.map_or("base", Fit::name).to_owned(),
            fraction: self
                .two_nn
                .unwrap_or_default()
                .fraction()
                .map(|fraction| fraction.get()),
            order: self.order.map(|rule| match rule {
                OrderRule::Fixed(order) => order.to_string(),
                OrderRule::MatchDensity { .. } => "match_density".to_owned(),
                OrderRule::Plateau => "plateau".to_owned(),
            }),
            density_k: match self.order {
                Some(OrderRule::MatchDensity { k }) => Some(k),
                _ => None,
            },
            range_max: self.range_max,
            metric: self.metric.as_str().to_owned(),
            duplicates: self.layers.duplicates.as_str().to_owned(),
            drop_nonfinite: self.layers.drop_nonfinite,
            pool: self.layers.pool.map(|pool| pool.to_string()),
            masked: self.layers.mask.is_some(),
            rows,
            blocks: self.blocks,
            partitions: self.partitions,
            partition_order: self.partitions.map(|_| match self.partition_order {
                PartitionOrder::Random => "random",
                PartitionOrder::Given => "given",
            }),
            controls: self.controls.iter().map(|control| control.name()).collect(),
            decimate: self.decimate,
            repeats: self.decimate.map(|_| self.repeats),
            seed: self.seed,
        }
    }

    /// Every order of the scaling, for `n` rows.
    fn scaling_orders(&self, n: usize) -> Vec<Orders> {
        if self.gride {
            Orders::doublings(n, self.range_max)
        } else {
            Vec::new()
        }
    }

    /// Gride's headline order where it does not depend on the layer.
    fn fixed_order(&self) -> Option<Orders> {
        match self.order {
            Some(OrderRule::Fixed(order)) => Orders::doubled(order),
            Some(OrderRule::MatchDensity { k }) => Orders::matching_density(k),
            Some(OrderRule::Plateau) | None => None,
        }
    }

    /// Every neighbour order that the estimates of `n` rows read.
    fn orders(&self, n: usize) -> Vec<usize> {
        std::iter::once(Orders::FIRST)
            .chain(self.scaling_orders(n))
            .chain(self.fixed_order().filter(|_| self.gride))
            .flat_map(|orders| [orders.n1(), orders.n2()])
            .collect()
    }

    /// Neighbours that the family reads of a table; 0 where it needs none.
    fn stored(&self) -> usize {
        let stored = self.family.iter().map(|estimator| estimator.stored(self.k));
        stored.max().unwrap_or(0)
    }

    /// The largest order that any number of rows would need.
    fn largest_order(&self) -> usize {
        let headline = self.fixed_order().map_or(2, Orders::n2);
        if self.gride {
            headline.max(self.range_max)
        } else {
            2
        }
    }
}

/// The profile of every layer of `dump`; `rows` says in words how its rows were chosen.
///
/// # Errors
/// Whatever [`prepare`] gives for a layer; [`Error::ZeroRow`] under the cosine metric.
///
/// [`Error::ZeroRow`]: crate::Error::ZeroRow
pub fn id_profile(
    dump: &Dump,
    options: &IdOptions,
    rows: Vec<String>,
    progress: &dyn Progress,
) -> Result<IdProfile> {
    let mut layers = Vec::new();
    for info in dump.layers() {
        let progress = Named {
            layer: &info.name,
            progress,
        };
        let prepared = prepare(dump, info, &options.layers)?;
        // Several rows of which one is distinct have nothing to measure; one row is too few.
        let n_unique = prepared.diagnostics.n_unique;
        let identical = n_unique == Some(1) && prepared.diagnostics.n_rows > 1;
        let subject = Subject {
            name: &info.name,
            matrix: &prepared.matrix,
            identical,
        };
        let found = subject.analyse(options, prepared.diagnostics, &progress)?;
        let mut layer = LayerId {
            layer: info.name.clone(),
            index: info.index,
            relative_depth: info.relative_depth,
            dtype: Some(info.dtype.as_str().to_owned()),
            local: found
                .local
                .map(|local| aligned(&local, &prepared.rows, dump.n_rows())),
            ..found
        };
        for &control in &options.controls {
            let found = subject.control(control, &layer, options, &progress)?;
            layer.controls.push(found);
        }
        if !identical {
            resample(&prepared.matrix, options, &mut layer, &progress)?;
        }
        layer.warnings.splice(0..0, prepared.warnings);
        layers.push(layer);
    }
    Ok(assemble(
        options.parameters(rows),
        layers,
        dump.warnings().to_vec(),
    ))
}

/// The profile of precomputed neighbour tables, one a layer.
///
/// A statistic that needs more neighbours than a table stores does not exist
/// (`too_few_neighbours`). Sub-samples, controls and some estimators would need coordinates, so options that
/// ask for them are refused.
///
/// # Errors
/// [`Error::Usage`] for sub-samples and estimators that need coordinates; whatever reading a table gives.
pub fn id_profile_of_tables(
    tables: &[TableSource],
    options: &IdOptions,
    progress: &dyn Progress,
) -> Result<IdProfile> {
    if !options.controls.is_empty() {
        return Err(Error::Usage(
            "--control needs activations, not --neighbours: a control is made of coordinates"
                .into(),
        ));
    }
    if options.partitions.is_some() || options.decimate.is_some() || options.decimation_scaling {
        return Err(Error::Usage(
            "--partitions, --decimate and --id-scaling=decimation need activations, not \
             --neighbours: a sub-sample of a table lacks neighbours"
                .into(),
        ));
    }
    let blind = options.family.iter().find(|one| one.needs_coordinates());
    if let Some(estimator) = blind {
        return Err(Error::Usage(format!(
            "--estimator {} needs activations, not --neighbours: a table has no coordinates",
            estimator.name().replace('_', "-")
        )));
    }
    // Pairs within a radius cannot be counted afresh: all neighbours there are may be needed.
    let needed = if options.family.contains(&Estimator::CorrInt) {
        usize::MAX
    } else {
        options.largest_order().max(options.stored())
    };
    let mut layers = Vec::new();
    for (index, source) in tables.iter().enumerate() {
        progress.begin(&source.name, 1);
        let table = source.read(needed)?;
        let orders = options.orders(table.n);
        let distances = OrderDistances::from_table(&table.distances, &orders);
        let sight = Sight {
            distances: table.distances.view(),
            indices: table.indices.view(),
            rows: None,
        };
        let diagnostics = Diagnostics::of_table(table.n);
        layers.push(LayerId {
            layer: source.name.clone(),
            index,
            relative_depth: index as f64 / (tables.len() - 1).max(1) as f64,
            ..estimate(
                &distances,
                Some(&sight),
                table.n,
                options,
                false,
                diagnostics,
            )
        });
        progress.end();
    }
    Ok(assemble(options.parameters(Vec::new()), layers, Vec::new()))
}

/// Says which layer is in work.
struct Named<'a> {
    layer: &'a str,
    progress: &'a dyn Progress,
}

impl Progress for Named<'_> {
    fn begin(&self, _label: &str, total: u64) {
        self.progress.begin(self.layer, total);
    }

    fn advance(&self, steps: u64) {
        self.progress.advance(steps);
    }

    fn end(&self) {
        self.progress.end();
    }
}

/// `values` of the rows `rows` among all `n` input rows; NaN where a row takes no part.
fn aligned(values: &[f64], rows: &[u32], n: usize) -> Vec<f64> {
    let mut all = vec![f64::NAN; n];
    for (&row, &value) in rows.iter().zip(values) {
        all[row as usize] = value;
    }
    all
}

/// The rows of a layer, or what stands in for them.
struct Subject<'a> {
    name: &'a str,
    matrix: &'a Matrix,
    /// Several rows, all equal.
    identical: bool,
}

impl Subject<'_> {
    /// Every estimate that does not need sub-samples; the caller fills in which layer it is.
    fn analyse(
        &self,
        options: &IdOptions,
        diagnostics: Diagnostics,
        progress: &dyn Progress,
    ) -> Result<LayerId> {
        let points = Points::new(self.matrix, options.metric, self.name)?;
        let n = points.n_rows();
        let (distances, table) = search(&points, options, progress);
        let sight = table.as_ref().map(|table| Sight {
            distances: table.distances.view(),
            indices: table.indices.view(),
            rows: Some(Rows::new(self.matrix, &points, options.metric)),
        });
        Ok(LayerId {
            n_columns: Some(self.matrix.n_columns()),
            ..estimate(
                &distances,
                sight.as_ref(),
                n,
                options,
                self.identical,
                diagnostics,
            )
        })
    }
}

impl Subject<'_> {
    /// The estimates of `layer` on a control of these rows, read at the same scales.
    fn control(
        &self,
        control: Control,
        layer: &LayerId,
        options: &IdOptions,
        progress: &dyn Progress,
    ) -> Result<ControlId> {
        let made = control.of(self.matrix, options.seed);
        let subject = Subject {
            matrix: &made,
            ..*self
        };
        let gride = layer.estimates.iter().find(|one| one.estimator == "gride");
        let options = IdOptions {
            // Where a rule chose the layer's order, the control is read there too.
            order: gride.and_then(|gride| gride.order).map(OrderRule::Fixed),
            local: None,
            ..options.clone()
        };
        let diagnostics = Diagnostics::of_table(made.n_rows());
        let mut found = subject.analyse(&options, diagnostics, progress)?;
        for estimate in &mut found.estimates {
            if estimate.estimator == "gride" {
                estimate.order_rule = gride.and_then(|gride| gride.order_rule);
            }
        }
        Ok(ControlId {
            control: control.name(),
            seed: options.seed,
            estimates: found.estimates,
            scaling: found.scaling,
        })
    }
}

/// The neighbour distances that `options` need, and the table of the family if it is wanted.
///
/// One search does for both unless Gride looks far beyond the family.
fn search(
    points: &Points<'_>,
    options: &IdOptions,
    progress: &dyn Progress,
) -> (OrderDistances, Option<NeighbourTable>) {
    let orders = options.orders(points.n_rows());
    let order_distances = || order_distances(points, &orders, &options.search, progress);
    if options.family.is_empty() {
        return (order_distances(), None);
    }
    let largest = orders.iter().copied().max().unwrap_or(0);
    let k = match options.stored() {
        stored if largest <= SHARED_ORDER.max(stored) => stored.max(largest),
        stored => stored,
    };
    let table = neighbour_table(points, k, &options.search, progress);
    let distances = if largest <= k {
        OrderDistances::from_table(&table.distances, &orders)
    } else {
        order_distances()
    };
    (distances, Some(table))
}

/// One number to estimate.
#[derive(Debug, Clone, Copy)]
enum Quantity {
    TwoNn(Fit),
    Gride(Orders),
}

impl Quantity {
    fn orders(self) -> Orders {
        match self {
            Self::TwoNn(_) => Orders::FIRST,
            Self::Gride(orders) => orders,
        }
    }

    /// The estimate among `n` rows, and the mean distance at which it looks.
    fn estimate(
        self,
        distances: &OrderDistances,
        n: usize,
        blocks: Option<usize>,
    ) -> (Outcome, Option<f64>) {
        let orders = self.orders();
        let (Some(near), Some(far)) = (distances.get(orders.n1()), distances.get(orders.n2()))
        else {
            let stored = orders.n2() < n;
            let reason = if stored {
                Reason::TooFewNeighbours
            } else {
                Reason::TooFewRows
            };
            return (Err(reason), None);
        };
        let ratios = Ratios::new(near, far);
        let outcome = match self {
            Self::TwoNn(fit) => two_nn(&ratios, fit),
            Self::Gride(orders) => gride(&ratios, orders),
        };
        let with_error = |estimate: Estimate| match (blocks, self) {
            (None, _) => estimate,
            (Some(blocks), Self::TwoNn(fit)) => {
                estimate.with_error(ErrorKind::Jackknife, two_nn_blocks(&ratios, fit, blocks))
            }
            (Some(blocks), Self::Gride(orders)) => {
                estimate.with_error(ErrorKind::Jackknife, gride_blocks(&ratios, orders, blocks))
            }
        };
        (outcome.map(with_error), ratios.distance)
    }
}

/// Everything that neighbour distances say about a layer; the caller fills in which layer it is.
fn estimate(
    distances: &OrderDistances,
    sight: Option<&Sight<'_>>,
    n: usize,
    options: &IdOptions,
    identical: bool,
    mut diagnostics: Diagnostics,
) -> LayerId {
    let measure = |quantity: Quantity| {
        if identical {
            return (Err(Reason::AllRowsIdentical), None);
        }
        quantity.estimate(distances, n, options.blocks)
    };
    let mut notes = Notes::default();
    let mut estimates = Vec::new();
    if let Some(fit) = options.two_nn {
        let (outcome, distance) = measure(Quantity::TwoNn(fit));
        notes.add(&format!("two_nn {}", fit.name()), &outcome);
        estimates.push(two_nn_entry(fit, outcome, distance));
    }

    let mut scaling = Vec::new();
    let mut points = Vec::new();
    for orders in options.scaling_orders(n) {
        let (outcome, distance) = measure(Quantity::Gride(orders));
        notes.add(&format!("gride at order {}", orders.n1()), &outcome);
        points.push((orders, outcome.ok().map(|estimate| estimate.id)));
        scaling.push(ScalePoint {
            order: orders.n1(),
            n: outcome.map_or(0, |estimate| estimate.n),
            distance,
            id: outcome.ok().map(|estimate| estimate.id),
            std_error: outcome.ok().and_then(|estimate| estimate.std_error),
            reason: outcome.err(),
        });
    }
    let steady = plateau(&points, n);
    if options.gride {
        let headline = match options.order {
            Some(OrderRule::Plateau) => Some(steady.map(|plateau| plateau.order)),
            _ => options.fixed_order().map(|orders| Ok(orders.n1())),
        };
        if let Some(order) = headline {
            let orders = order.map(|order| Orders::doubled(order).ok_or(Reason::TooFewRows));
            let (outcome, distance) = match orders {
                Ok(Ok(orders)) => measure(Quantity::Gride(orders)),
                Ok(Err(reason)) | Err(reason) => (Err(reason), None),
            };
            notes.add("gride", &outcome);
            estimates.push(gride_entry(options.order, order.ok(), outcome, distance));
        }
    }
    let ask = Ask {
        estimators: &options.family,
        k: options.k,
        local: options.local,
    };
    let found = sight.map(|sight| family(&ask, sight, identical));
    let found = found.unwrap_or_default();
    for (estimate, outcome) in found.estimates {
        notes.add(&estimate.variant(), &outcome);
        estimates.push(estimate);
    }
    if let (Some(r1), Some(r2)) = (distances.get(1), distances.get(2)) {
        diagnostics.distances = Some(DistanceDiagnostics::new(r1, r2));
        notes.warnings.extend(distance_warnings(&diagnostics, n));
    }
    if options.gride && options.range_max >= n {
        notes.reduced(options.range_max, n);
    }
    LayerId {
        layer: String::new(),
        index: 0,
        relative_depth: 0.0,
        n_rows: n,
        n_columns: None,
        dtype: None,
        estimates,
        scaling,
        decimation_scaling: Vec::new(),
        plateau: options.gride.then(|| plateau_entry(steady)),
        spectrum: found.spectrum,
        controls: Vec::new(),
        diagnostics,
        warnings: notes.warnings,
        local: options.local.map(|_| {
            let values = found.local.unwrap_or_else(|| vec![None; n]);
            values.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect()
        }),
    }
}

fn two_nn_entry(fit: Fit, outcome: Outcome, distance: Option<f64>) -> IdEstimate {
    IdEstimate {
        estimator: "two_nn",
        fit: Some(fit.name()),
        fraction: fit.fraction().map(|fraction| fraction.get()),
        order: Some(1),
        order_rule: None,
        ..entry(outcome, distance)
    }
}

fn gride_entry(
    rule: Option<OrderRule>,
    order: Option<usize>,
    outcome: Outcome,
    distance: Option<f64>,
) -> IdEstimate {
    IdEstimate {
        estimator: "gride",
        order,
        order_rule: rule.map(|rule| match rule {
            OrderRule::Fixed(_) => "fixed",
            OrderRule::MatchDensity { .. } => "match_density",
            OrderRule::Plateau => "plateau",
        }),
        ..entry(outcome, distance)
    }
}

/// What every estimate reports.
pub(super) fn entry(outcome: Outcome, distance: Option<f64>) -> IdEstimate {
    let found = outcome.ok();
    let std_error = found.and_then(|estimate| estimate.std_error);
    IdEstimate {
        estimator: "",
        fit: None,
        fraction: None,
        order: None,
        order_rule: None,
        k: None,
        id: found.map(|estimate| estimate.id),
        std_error,
        error_kind: std_error.and_then(|_| found.and_then(|estimate| estimate.error_kind)),
        reason: outcome.err(),
        distance,
        n: found.map_or(0, |estimate| estimate.n),
        n_fit: found.map_or(0, |estimate| estimate.n_fit),
        n_zero: found.map_or(0, |estimate| estimate.n_zero),
        n_tied: found.map_or(0, |estimate| estimate.n_tied),
        n_filtered: found.map_or(0, |estimate| estimate.n_filtered),
        mode: found.and_then(|estimate| estimate.mode),
        steps: Vec::new(),
        resampled: None,
    }
}

fn plateau_entry(found: std::result::Result<crate::geometry::id::Plateau, Reason>) -> Plateau {
    let window = found.ok();
    Plateau {
        rule: PLATEAU_RULE,
        first_order: window.map(|w| w.first_order),
        last_order: window.map(|w| w.last_order),
        order: window.map(|w| w.order),
        spread: window.map(|w| w.spread),
        id: window.map(|w| w.id),
        reason: found.err(),
    }
}

/// Repeats the estimates of `layer` in sub-samples of its rows, where options ask for it.
fn resample(
    matrix: &Matrix,
    options: &IdOptions,
    layer: &mut LayerId,
    progress: &dyn Progress,
) -> Result<()> {
    let n = matrix.n_rows();
    let subsets = match (options.partitions, options.decimate) {
        (Some(parts), _) => {
            let subsets = partitions(n, parts, options.partition_order, options.seed);
            Some(("partitions", subsets))
        }
        (None, Some(share)) => {
            let subsets = decimation(n, rounded(n as f64 * share), options.repeats, options.seed);
            Some(("decimation", subsets))
        }
        (None, None) => None,
    };
    let quantities: Vec<Option<Quantity>> = layer
        .estimates
        .iter()
        .map(|estimate| match (estimate.estimator, estimate.order) {
            ("two_nn", _) => options.two_nn.map(Quantity::TwoNn),
            // The family has no order and is not repeated. Gride has the one that the whole layer
            // chose: parts must be read at the same scale.
            (_, order) => order.and_then(Orders::doubled).map(Quantity::Gride),
        })
        .collect();
    if let Some((rule, subsets)) = subsets {
        let wanted: Vec<Quantity> = quantities.iter().copied().flatten().collect();
        let mut found = repeat(matrix, options, &wanted, rule, &subsets, progress)?.into_iter();
        for (estimate, quantity) in layer.estimates.iter_mut().zip(quantities) {
            estimate.resampled = quantity.and_then(|_| found.next());
        }
    }
    if let Some(fit) = options.two_nn.filter(|_| options.decimation_scaling) {
        // The customary halvings: N, N/2, … down to at least 11 rows.
        for halving in 0..n.max(4).ilog2() - 1 {
            let size = rounded(n as f64 / 2f64.powi(halving.cast_signed()));
            if size <= 10 {
                continue;
            }
            let repeats = rounded(n as f64 / size as f64);
            let subsets = decimation(n, size, repeats, options.seed);
            let quantity = [Quantity::TwoNn(fit)];
            let found = repeat(matrix, options, &quantity, "decimation", &subsets, progress)?;
            let points = found
                .into_iter()
                .map(|resampled| DecimationPoint { n: size, resampled });
            layer.decimation_scaling.extend(points);
        }
    }
    Ok(())
}

/// Half to even, as the convention for counts is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rounded(x: f64) -> usize {
    x.round_ties_even() as usize
}

/// Every quantity in every subset, neighbours sought afresh inside it.
fn repeat(
    matrix: &Matrix,
    options: &IdOptions,
    quantities: &[Quantity],
    rule: &'static str,
    subsets: &Subsets,
    progress: &dyn Progress,
) -> Result<Vec<Resampled>> {
    let mut orders: Vec<usize> = quantities
        .iter()
        .flat_map(|quantity| [quantity.orders().n1(), quantity.orders().n2()])
        .collect();
    orders.sort_unstable();
    let mut values = vec![Vec::new(); quantities.len()];
    let mut scales = vec![Vec::new(); quantities.len()];
    for rows in &subsets.rows {
        let part = matrix.select(rows);
        let points = Points::new(&part, options.metric, "sub-sample")?;
        let distances = order_distances(&points, &orders, &options.search, progress);
        for (at, quantity) in quantities.iter().enumerate() {
            let (outcome, distance) = quantity.estimate(&distances, rows.len(), None);
            values[at].push(outcome.ok().map(|estimate| estimate.id));
            scales[at].extend(distance);
        }
    }
    let smallest = subsets.rows.iter().map(Vec::len).min().unwrap_or(0);
    let summarise = |(values, scales): (Vec<Option<f64>>, Vec<f64>)| {
        let present: Vec<f64> = values.iter().copied().flatten().collect();
        let std = stats::std_dev(&present);
        let disjoint = std.filter(|_| !subsets.overlapping);
        Resampled {
            rule,
            n: smallest,
            mean: stats::mean(&present),
            std,
            std_error: disjoint.map(|std| std / (present.len() as f64).sqrt()),
            distance: stats::mean(&scales),
            overlapping: subsets.overlapping,
            values,
        }
    };
    Ok(values.into_iter().zip(scales).map(summarise).collect())
}

/// Collects what a reader must know beside the numbers of one layer.
#[derive(Default)]
struct Notes {
    warnings: Vec<Warning>,
}

impl Notes {
    fn add(&mut self, what: &str, outcome: &Outcome) {
        let warning = match outcome {
            Err(reason) => {
                let message = format!("{what}: no estimate ({})", reason.code());
                Warning::new(WarningCode::NotEstimated, 1, message)
            }
            Ok(estimate) => match estimate.note {
                Some(code @ WarningCode::FractionCapped) => {
                    let message = format!("{what}: fraction 1 leaves out the last ratio");
                    Warning::new(code, 1, message)
                }
                Some(code @ WarningCode::BoundHit) => {
                    let message =
                        format!("{what}: stands at the number of columns, its largest value");
                    Warning::new(code, 1, message)
                }
                Some(code) => {
                    let message = format!("{what}: no spread to filter outliers by");
                    Warning::new(code, 1, message)
                }
                None if estimate.n_zero > 0 => {
                    let message = format!(
                        "{what}: {} ratios with a zero distance were left out",
                        estimate.n_zero
                    );
                    Warning::new(WarningCode::RatiosExcluded, estimate.n_zero, message)
                }
                None => return,
            },
        };
        self.warnings.push(warning);
    }

    fn reduced(&mut self, range_max: usize, n: usize) {
        let message = format!("{n} rows have no {range_max} neighbours; orders end below {n}");
        self.warnings
            .push(Warning::new(WarningCode::KReduced, range_max, message));
    }
}

/// Adds the sentence that a reader looks for.
fn assemble(parameters: IdParameters, layers: Vec<LayerId>, warnings: Vec<Warning>) -> IdProfile {
    let summary = summary(&layers);
    IdProfile {
        parameters,
        layers,
        summary,
        events: None,
        warnings,
    }
}

/// Peak and minimum of the first estimate over layers; `None` with fewer than two values.
fn summary(layers: &[LayerId]) -> Option<IdSummary> {
    let values: Vec<(&LayerId, f64)> = layers
        .iter()
        .filter_map(|layer| Some((layer, layer.estimates.first()?.id?)))
        .collect();
    let variant = layers.first()?.estimates.first()?.variant();
    if values.len() < 2 {
        return None;
    }
    let extremum = |better: fn(f64, f64) -> bool| {
        let best = (1..values.len()).fold(0, |best, at| {
            if better(values[at].1, values[best].1) {
                at
            } else {
                best
            }
        });
        let (layer, id) = values[best];
        Extremum {
            layer: layer.layer.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
            id,
            at_edge: best == 0 || best + 1 == values.len(),
        }
    };
    Some(IdSummary {
        variant,
        peak: extremum(|a, b| a > b),
        minimum: extremum(|a, b| a < b),
    })
}
