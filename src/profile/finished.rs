//! Names the searches of an analysis, and finds those that were done elsewhere.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::neighbours::{Metric, NeighbourTable, OrderDistances, RankCounts, Targets};

/// What is sought in a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sought {
    /// The k nearest rows of every row.
    Table(usize),
    /// The distances of every row to its neighbours of these orders, ascending.
    Orders(Vec<usize>),
}

impl Sought {
    /// A table of `k` neighbours of `n` rows; `None` if there are none.
    pub fn table(k: usize, n: usize) -> Option<Self> {
        let k = k.min(n.saturating_sub(1));
        (k > 0).then_some(Self::Table(k))
    }

    /// The orders of these that `n` rows have; `None` without any.
    pub fn orders(orders: &[usize], n: usize) -> Option<Self> {
        let exists = |order: &usize| *order >= 1 && *order < n;
        let mut orders: Vec<usize> = orders.iter().copied().filter(exists).collect();
        orders.sort_unstable();
        orders.dedup();
        (!orders.is_empty()).then_some(Self::Orders(orders))
    }

    /// How many neighbours of a row are looked for.
    pub fn deepest(&self) -> usize {
        match self {
            Self::Table(k) => *k,
            Self::Orders(orders) => orders.last().copied().unwrap_or(0),
        }
    }
}

/// A search of a layer that an analysis makes of all its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSearch {
    /// Whether the layer is one of the second dump.
    pub right: bool,
    /// Its position among the layers of its dump.
    pub layer: usize,
    /// What is sought.
    pub sought: Sought,
}

/// Searches that were done elsewhere. Whoever asks for one that was not done gets an error: where
/// all were foreseen, the layer is not what it was.
///
/// `content` is the [`fingerprint`](crate::cache::fingerprint) of the rows, `layer` names them in
/// errors.
pub trait Finished: Sync {
    /// The table of `k` neighbours, or of all others where there are fewer.
    ///
    /// # Errors
    /// [`Error::InputChanged`](crate::Error::InputChanged) for content that nobody searched; whatever reading it gives.
    fn table(&self, content: &str, layer: &str, metric: Metric, k: usize)
    -> Result<NeighbourTable>;

    /// The distances at these orders.
    ///
    /// # Errors
    /// As [`Finished::table`].
    fn orders(
        &self,
        content: &str,
        layer: &str,
        metric: Metric,
        orders: &[usize],
    ) -> Result<OrderDistances>;

    /// The ranks of these targets.
    ///
    /// # Errors
    /// As [`Finished::table`].
    fn ranks(
        &self,
        content: &str,
        layer: &str,
        metric: Metric,
        targets: &Targets<'_>,
    ) -> Result<RankCounts>;
}
