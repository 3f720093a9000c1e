//! Options of dimensions.

use serde::Serialize;

use super::rules::{OrderFields, OrderRule};
use crate::geometry::id::{Estimator, Fit, GRIDE, Orders, TWO_NN};
use crate::profile::asked::asked;
use crate::profile::controls::Control;
use crate::profile::finished::Sought;
use crate::profile::layers::LayerOptions;
use crate::profile::resample::{Decimation, Partitioning};

/// Orders up to this are read off a table that is made anyway; beyond, a search of its own that
/// stores nothing of size N × k is cheaper.
const SHARED_ORDER: usize = 256;

/// Eigenvalues that a report lists by custom.
pub const LISTED: usize = 64;

/// The largest k whose table is cached.
const KEPT_ORDER: usize = 1024;

/// What to estimate, and how.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdOptions {
    /// Estimators, in the order of the report.
    pub estimators: Vec<&'static Estimator>,
    /// Neighbours in place of the customary numbers; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// TwoNN's fit.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "crate::geometry::id::FitFields"))]
    pub fit: Fit,
    /// Gride's headline order; without one Gride gives its scaling only.
    #[serde(flatten, serialize_with = "asked::<OrderFields, _, _>")]
    #[cfg_attr(test, schemars(with = "crate::profile::asked::Asked<OrderFields>"))]
    pub order: Option<OrderRule>,
    /// Orders n1 that the scaling has beside its doublings, and that sub-samples repeat; absent
    /// without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_orders: Vec<usize>,
    /// Largest n2 of the doublings of Gride's scaling.
    pub range_max: usize,
    /// Share of variance that `lpca_ratio` counts eigenvalues to, in place of
    /// [`RATIO_SHARE`](crate::geometry::id::RATIO_SHARE); absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<f64>,
    /// Eigenvalues that are listed of each spectrum, in place of 64; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eigenvalues: Option<usize>,
    /// Blocks of the jackknife in place of the fit's own error, if asked for.
    pub blocks: Option<usize>,
    /// Disjoint parts to repeat the estimates in; they come before `decimation`.
    #[serde(flatten, serialize_with = "asked::<Partitioning, _, _>")]
    #[cfg_attr(test, schemars(with = "crate::profile::asked::Asked<Partitioning>"))]
    pub partitioning: Option<Partitioning>,
    /// Controls that are estimated beside the layers; absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// Sub-samples to repeat the estimates in.
    #[serde(flatten, serialize_with = "asked::<Decimation, _, _>")]
    #[cfg_attr(test, schemars(with = "crate::profile::asked::Asked<Decimation>"))]
    pub decimation: Option<Decimation>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Whether sub-samples repeat the whole scaling as well.
    #[serde(skip)]
    pub scaling_in_parts: bool,
    /// TwoNN on ever smaller sub-samples as well: `decimation_scaling` of the layers.
    #[serde(skip)]
    pub decimation_scaling: bool,
    /// The local estimator whose values at single rows are kept; one of `estimators`.
    #[serde(skip)]
    pub local: Option<&'static Estimator>,
    /// How layers become points.
    #[serde(skip)]
    pub layers: LayerOptions,
}

impl Default for IdOptions {
    fn default() -> Self {
        Self {
            estimators: vec![&TWO_NN, &GRIDE],
            k: None,
            fit: Fit::default(),
            order: None,
            more_orders: Vec::new(),
            range_max: 64,
            variance: None,
            eigenvalues: None,
            blocks: None,
            partitioning: None,
            controls: Vec::new(),
            decimation: None,
            seed: 0,
            scaling_in_parts: false,
            decimation_scaling: false,
            local: None,
            layers: LayerOptions::default(),
        }
    }
}

impl IdOptions {
    /// TwoNN's fit, if TwoNN is wanted.
    pub(super) fn two_nn(&self) -> Option<Fit> {
        self.estimators.contains(&&TWO_NN).then_some(self.fit)
    }

    /// Whether Gride is wanted.
    pub(super) fn gride(&self) -> bool {
        self.estimators.contains(&&GRIDE)
    }

    /// The estimators that read a table, beside TwoNN and Gride.
    pub(super) fn others(&self) -> impl Iterator<Item = &'static Estimator> {
        let all = self.estimators.iter().copied();
        all.filter(|&one| *one != TWO_NN && *one != GRIDE)
    }

    /// Every order of the scaling, for `n` rows.
    pub(super) fn scaling_orders(&self, n: usize) -> Vec<Orders> {
        if self.gride() {
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
            .chain(self.fixed_order().filter(|_| self.gride()))
            .flat_map(|orders| [orders.n1(), orders.n2()])
            .collect()
    }

    /// Neighbours of the table that is made where Gride and TwoNN read `orders`; `None` for no table.
    /// `cached`: whether tables are kept.
    pub(super) fn table(&self, orders: &[usize], cached: bool) -> Option<usize> {
        let largest = orders.iter().copied().max().unwrap_or(0);
        let stored = self.stored();
        let keeps = cached && largest <= KEPT_ORDER;
        if self.others().next().is_none() && !keeps {
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
        let tables = self.others().filter_map(|one| one.neighbours());
        let stored = tables.map(|reads| (reads.stored)(reads.k(self.k)));
        stored.max().unwrap_or(0)
    }

    /// The largest order that any number of rows would need.
    pub(super) fn largest_order(&self) -> usize {
        let headline = self.fixed_order().map_or(2, Orders::n2);
        if self.gride() {
            let more = self.more_orders.iter().map(|n1| n1.saturating_mul(2));
            headline.max(self.range_max).max(more.max().unwrap_or(2))
        } else {
            2
        }
    }
}
