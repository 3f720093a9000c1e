//! The searches that an information imbalance makes, for whoever divides them among machines.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ndarray::{Array2, s};

use super::directed::{Arrow, Node, Search};
use super::options::ImbalanceOptions;
use crate::error::Result;
use crate::geometry::permutation::RowOrders;
use crate::neighbours::NeighbourTable;
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerPair, all_rows_equal, reduced};
use crate::profile::finished::{LayerSearch, Sought};
use crate::random::SplitMix64;
use crate::warning::Warning;

/// Which pairs are compared, and how.
pub(super) struct Asked {
    pub(super) k: Vec<usize>,
    pub(super) pairs: Vec<LayerPair>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) orders: RowOrders,
}

impl Asked {
    pub(super) fn new(
        comparison: &Comparison<'_>,
        options: &ImbalanceOptions,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        let n = comparison.n_rows();
        let k = reduced(&options.k, n, warnings);
        let pairs = comparison.pairs(&options.target)?;
        let mut random = SplitMix64::new(options.seed);
        let orders = RowOrders::new(n, options.shuffle, &mut random);
        Ok(Self {
            k,
            arrows: pairs.iter().map(|pair| arrow(comparison, *pair)).collect(),
            pairs,
            orders,
        })
    }

    pub(super) fn search<'a>(
        &'a self,
        comparison: &'a Comparison<'a>,
        bench: &Bench<'a>,
    ) -> Search<'a> {
        Search {
            comparison,
            pairs: &self.arrows,
            k: &self.k,
            rows: None,
            permutations: &self.orders.rows,
            bench: *bench,
        }
    }
}

pub(super) fn arrow(comparison: &Comparison<'_>, pair: LayerPair) -> Arrow {
    let to = if comparison.is_between_two() {
        Node::Right(pair.b)
    } else {
        Node::Left(pair.b)
    };
    (Node::Left(pair.a), to)
}

/// One count of ranks: in which layer, of how many targets a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankSearch {
    /// Whether the layer is one of the second dump.
    pub right: bool,
    /// Its position among the layers of its dump.
    pub layer: usize,
    /// Targets of each row.
    pub targets: usize,
    /// Groups of targets.
    pub groups: usize,
}

/// The searches of [`imbalance`](super::imbalance), before it makes them: a table of each layer, then
/// counts of ranks.
pub struct ImbalanceSearches<'a> {
    comparison: &'a Comparison<'a>,
    asked: Asked,
    /// Layers that have neighbours.
    known: BTreeSet<Node>,
    /// In which layer the neighbours of which others are ranked.
    counts: Vec<(Node, Vec<Node>)>,
}

/// Gives the table of `k` neighbours of a layer: whether it is one of the second dump, its position.
pub type TableOf<'a> = &'a dyn Fn(bool, usize, usize) -> Result<NeighbourTable>;

impl<'a> ImbalanceSearches<'a> {
    /// Lists them.
    ///
    /// # Errors
    /// As [`imbalance`](super::imbalance), for the pairs and for reading layers.
    pub fn new(comparison: &'a Comparison<'a>, options: &ImbalanceOptions) -> Result<Self> {
        let asked = Asked::new(comparison, options, &mut Vec::new())?;
        let bench = Bench::default();
        let search = asked.search(comparison, &bench);
        let (mut known, mut counts) = (BTreeSet::new(), Vec::new());
        if let Some(k) = search.deepest() {
            for node in search.nodes() {
                if !all_rows_equal(&search.read(node)?) {
                    known.insert(node);
                }
            }
            for to in search.nodes() {
                let sources = search.counts(to, &known, k).into_iter();
                counts.extend(sources.map(|sources| (to, sources)));
            }
        }
        Ok(Self {
            comparison,
            asked,
            known,
            counts,
        })
    }

    fn deepest(&self) -> Option<usize> {
        let bench = Bench::default();
        self.asked.search(self.comparison, &bench).deepest()
    }

    /// The tables.
    pub fn tables(&self) -> Vec<LayerSearch> {
        let n = self.comparison.n_rows();
        let sought = self.deepest().and_then(|k| Sought::table(k + 1, n));
        let of = |&node: &Node| {
            let (right, layer) = place(node);
            let sought = sought.clone()?;
            Some(LayerSearch {
                right,
                layer,
                sought,
            })
        };
        self.known.iter().filter_map(of).collect()
    }

    /// The counts of ranks, in the order in which they are made.
    pub fn ranks(&self) -> Vec<RankSearch> {
        let Some(k) = self.deepest() else {
            return Vec::new();
        };
        let bench = Bench::default();
        let width = self.asked.search(self.comparison, &bench).width(k);
        let of = |(to, sources): &(Node, Vec<Node>)| {
            let (right, layer) = place(*to);
            RankSearch {
                right,
                layer,
                targets: sources.len() * width,
                groups: sources.len() * self.asked.k.len(),
            }
        };
        self.counts.iter().map(of).collect()
    }

    /// The targets of the count at this place, and their groups, from the tables of other layers.
    ///
    /// # Errors
    /// Whatever `table` gives.
    ///
    /// # Panics
    /// If there is no such count.
    pub fn targets(
        &self,
        place_of: usize,
        table: TableOf<'_>,
    ) -> Result<(Array2<u32>, Vec<Range<usize>>)> {
        let bench = Bench::default();
        let search = self.asked.search(self.comparison, &bench);
        let k = search.deepest().expect("there is a count");
        let (_, sources) = &self.counts[place_of];
        let mut neighbours = BTreeMap::new();
        for &from in sources {
            let (right, layer) = place(from);
            let table = table(right, layer, k + 1)?;
            neighbours.insert(from, table.indices.slice(s![.., ..=k]).to_owned());
        }
        Ok(search.targets(sources, &neighbours, k))
    }
}

fn place(node: Node) -> (bool, usize) {
    match node {
        Node::Left(at) => (false, at),
        Node::Right(at) => (true, at),
    }
}
