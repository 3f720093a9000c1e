//! What to estimate, and how.

use super::rules::OrderRule;
use super::shape::IdParameters;
use crate::geometry::id::{Estimator, Fit, FitRule, GRIDE, Orders, TWO_NN};
use crate::profile::bench::Bench;
use crate::profile::controls::Control;
use crate::profile::finished::Sought;
use crate::profile::layers::LayerOptions;
use crate::profile::resample::PartitionOrder;

/// Orders up to this are read off a table that is made anyway; beyond, a search of its own that
/// stores nothing of size N × k is cheaper.
const SHARED_ORDER: usize = 256;

/// Eigenvalues that a report lists by custom.
pub const LISTED: usize = 64;

/// The largest k whose table is cached.
const KEPT_ORDER: usize = 1024;

/// What to estimate, and how.
#[derive(Debug, Clone)]
pub struct IdOptions {
    /// TwoNN with this fit; `None` for no TwoNN.
    pub two_nn: Option<Fit>,
    /// Gride's scaling, and its headline where an order is chosen.
    pub gride: bool,
    /// Gride's headline order; without one Gride gives its scaling only.
    pub order: Option<OrderRule>,
    /// Orders n1 that the scaling has beside its doublings, and that sub-samples repeat.
    pub more_orders: Vec<usize>,
    /// Largest n2 of the doublings of the scaling.
    pub range_max: usize,
    /// Whether sub-samples repeat the whole scaling as well.
    pub scaling_in_parts: bool,
    /// Estimators beside TwoNN and Gride, in the order of the report.
    pub others: Vec<&'static Estimator>,
    /// Neighbours that they look at, in place of the custom of each.
    pub k: Option<usize>,
    /// Share of variance that `lpca_ratio` counts eigenvalues to, in place of
    /// [`RATIO_SHARE`](crate::geometry::id::RATIO_SHARE).
    pub variance: Option<f64>,
    /// Eigenvalues that the report lists of each spectrum, in place of [`LISTED`].
    pub eigenvalues: Option<usize>,
    /// The local estimator whose values at single rows are kept; one of `others`.
    pub local: Option<&'static Estimator>,
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
    /// Seed of controls, partitions and decimation.
    pub seed: u64,
    /// How layers become points.
    pub layers: LayerOptions,
}

impl Default for IdOptions {
    fn default() -> Self {
        Self {
            two_nn: Some(Fit::default()),
            gride: true,
            order: None,
            more_orders: Vec::new(),
            range_max: 64,
            scaling_in_parts: false,
            others: Vec::new(),
            k: None,
            variance: None,
            eigenvalues: None,
            local: None,
            decimation_scaling: false,
            controls: Vec::new(),
            blocks: None,
            partitions: None,
            partition_order: PartitionOrder::Random,
            decimate: None,
            repeats: 4,
            seed: 0,
            layers: LayerOptions::default(),
        }
    }
}

impl IdOptions {
    /// The options as the report echoes them.
    pub(super) fn parameters(&self, bench: &Bench<'_>) -> IdParameters {
        IdParameters {
            estimators: self.estimators(),
            k: self.k,
            fit: self.two_nn.map_or(FitRule::Base, Fit::rule),
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
            more_orders: self.more_orders.clone(),
            range_max: self.range_max,
            variance: self.variance,
            eigenvalues: self.eigenvalues,
            metric: bench.metric,
            duplicates: self.layers.duplicates,
            drop_nonfinite: self.layers.drop_nonfinite,
            pool: self.layers.pool.map(|pool| pool.to_string()),
            masked: self.layers.mask.is_some(),
            rows: bench.rows.to_vec(),
            blocks: self.blocks,
            partitions: self.partitions,
            partition_order: self.partitions.map(|_| self.partition_order),
            controls: self.controls.clone(),
            decimate: self.decimate,
            repeats: self.decimate.map(|_| self.repeats),
            seed: self.seed,
        }
    }

    /// All estimators that were asked for.
    fn estimators(&self) -> Vec<&'static Estimator> {
        let two_nn = self.two_nn.map(|_| &TWO_NN);
        let gride = self.gride.then_some(&GRIDE);
        let others = self.others.iter().copied();
        two_nn.into_iter().chain(gride).chain(others).collect()
    }

    /// Every order of the scaling, for `n` rows.
    pub(super) fn scaling_orders(&self, n: usize) -> Vec<Orders> {
        if self.gride {
            let mut orders = Orders::doublings(n, self.range_max);
            orders.extend(
                self.more_orders
                    .iter()
                    .filter_map(|&n1| Orders::doubled(n1)),
            );
            orders.sort_by_key(|orders| orders.n1());
            orders.dedup();
            orders
        } else {
            Vec::new()
        }
    }

    /// Gride's headline order where it does not depend on the layer.
    pub(super) fn fixed_order(&self) -> Option<Orders> {
        match self.order {
            Some(OrderRule::Fixed(order)) => Orders::doubled(order),
            Some(OrderRule::MatchDensity { k }) => Orders::matching_density(k),
            Some(OrderRule::Plateau) | None => None,
        }
    }

    /// Every neighbour order that the estimates of `n` rows read.
    pub(super) fn orders(&self, n: usize) -> Vec<usize> {
        std::iter::once(Orders::FIRST)
            .chain(self.scaling_orders(n))
            .chain(self.fixed_order().filter(|_| self.gride))
            .flat_map(|orders| [orders.n1(), orders.n2()])
            .collect()
    }

    /// Neighbours of the table that is made where Gride and TwoNN read `orders`; `None` for no table.
    /// `cached`: whether tables are kept.
    pub(super) fn table(&self, orders: &[usize], cached: bool) -> Option<usize> {
        let largest = orders.iter().copied().max().unwrap_or(0);
        let stored = self.stored();
        let keeps = cached && largest <= KEPT_ORDER;
        if self.others.is_empty() && !keeps {
            return None;
        }
        Some(if keeps || largest <= SHARED_ORDER.max(stored) {
            stored.max(largest)
        } else {
            stored
        })
    }

    /// What is sought in a layer of `n` rows where nothing is cached.
    pub fn sought(&self, n: usize) -> Vec<Sought> {
        let orders = self.orders(n);
        let largest = orders.iter().copied().max().unwrap_or(0);
        let table = self.table(&orders, false);
        let by_order = table.is_none_or(|k| largest > k);
        let table = table.and_then(|k| Sought::table(k, n));
        let orders = Sought::orders(&orders, n).filter(|_| by_order);
        table.into_iter().chain(orders).collect()
    }

    /// Neighbours that the other estimators read of a table; 0 where they need none.
    pub(super) fn stored(&self) -> usize {
        let tables = self.others.iter().filter_map(|one| one.neighbours());
        let stored = tables.map(|reads| (reads.stored)(reads.k(self.k)));
        stored.max().unwrap_or(0)
    }

    /// The largest order that any number of rows would need.
    pub(super) fn largest_order(&self) -> usize {
        let headline = self.fixed_order().map_or(2, Orders::n2);
        if self.gride {
            let more = self.more_orders.iter().map(|n1| n1.saturating_mul(2));
            headline.max(self.range_max).max(more.max().unwrap_or(2))
        } else {
            2
        }
    }
}
