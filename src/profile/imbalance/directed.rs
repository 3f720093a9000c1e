//! Δ from layers to layers: one table a layer, one count of ranks a layer, whatever the pairs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ndarray::{Array2, s};

use super::tabled::ranks;
use crate::error::Result;
use crate::geometry::Reason;
use crate::geometry::relation::{Counted, Imbalance, information_imbalance};
use crate::input::{Matrix, PrecomputedTable};
use crate::neighbours::{RankCounts, Targets};
use crate::profile::bench::Bench;
use crate::profile::compare::{ComparedLayer, Comparison, all_rows_equal};
use crate::profile::layers::near_duplicate_warning;
use crate::warning::Warning;

/// A layer of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// The layer at this position of the first dump.
    Left(usize),
    /// The layer at this position of the second.
    Right(usize),
}

/// From one layer to another.
pub(super) type Arrow = (Node, Node);

/// In what ranks are counted.
enum Space<'a> {
    /// Among the rows of a layer.
    Rows(Matrix),
    /// In a table that was computed before.
    Table(&'a PrecomputedTable),
}

/// What was found along every arrow, an entry for each k.
#[derive(Default)]
pub(super) struct Directed {
    /// Δ, or why there is none.
    pub found: BTreeMap<Arrow, Vec<Result<Imbalance, Reason>>>,
    /// Δ with the rows of the target permuted: for each permutation an entry for each k.
    pub permuted: BTreeMap<Arrow, Vec<Vec<f64>>>,
    /// r_{i,1} and r_{i,2} of every layer.
    pub nearest: BTreeMap<Node, [Vec<f64>; 2]>,
}

/// The nearest rows of every row of a layer.
struct Near {
    /// r_{i,1} and r_{i,2}.
    distances: [Vec<f64>; 2],
    indices: Array2<u32>,
}

impl Near {
    /// The first `k` + 1 of `indices`; `column` gives the distances of an order, up to `last`.
    fn new(
        name: &str,
        k: usize,
        indices: &Array2<u32>,
        column: impl Fn(usize) -> Vec<f64>,
        last: usize,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let distances = [column(1), column(2)];
        let noticed = near_duplicate_warning(&distances[0], &column(last));
        warnings.extend(noticed.map(|found| found.of(name)));
        Self {
            distances,
            indices: indices.slice(s![.., ..=k]).to_owned(),
        }
    }
}

/// What [`Search::run`] needs to know.
pub(super) struct Search<'a> {
    pub comparison: &'a Comparison<'a>,
    /// Which pairs; both directions of each are computed.
    pub pairs: &'a [Arrow],
    /// Numbers of neighbours.
    pub k: &'a [usize],
    /// Of the common rows, those that take part; all if `None`.
    pub rows: Option<&'a [u32]>,
    /// Permutations of the rows that take part.
    pub permutations: &'a [Vec<u32>],
    pub bench: Bench<'a>,
}

/// Memory for the thresholds and counts of the targets of one sweep; more sources than fit are
/// counted in several.
const TARGET_BYTES: usize = 512 << 20;

/// Bytes that one target of one row takes.
const BYTES_A_TARGET: usize = 32;

/// Bytes that each thread of a count takes.
const THREAD_BYTES: usize = 2 << 20;

impl Search<'_> {
    pub(super) fn run(&self, warnings: &mut Vec<Warning>) -> Result<Directed> {
        let mut directed = Directed::default();
        let arrows = self.arrows();
        let deepest = self.deepest();
        let nodes = self.nodes();
        let mut neighbours = BTreeMap::new();
        // The first search already knows what waits when the last count is made.
        let waiting = nodes.len().saturating_sub(1) * self.kept();
        let searching = self.bench.beside(waiting + self.largest_count(&nodes));
        if self.rows.is_some() {
            self.bench.progress.step("parts", "");
        }
        let whole = self.rows.is_none();
        for &node in &nodes {
            if whole {
                self.bench.progress.step("neighbours", self.name(node));
            }
            if let Some(near) = self.near(node, deepest, &searching, warnings)? {
                directed.nearest.insert(node, near.distances);
                neighbours.insert(node, near.indices);
            }
        }
        let known: BTreeSet<Node> = neighbours.keys().copied().collect();
        for &(from, to) in &arrows {
            if let Some(reason) = self.reason(&known, from, to, deepest) {
                let nothing = self.k.iter().map(|_| Err(reason)).collect();
                directed.found.insert((from, to), nothing);
            }
        }
        let Some(k) = deepest else {
            return Ok(directed);
        };
        for &to in &nodes {
            if whole {
                self.bench.progress.step("ranks", self.name(to));
            }
            let counts = self.counts(to, &known, k);
            if counts.is_empty() {
                continue;
            }
            let space = match self.table(to) {
                Some(table) => Space::Table(table),
                None => Space::Rows(self.read(to)?),
            };
            let counting = self.bench.beside(nodes.len() * self.kept());
            for sources in &counts {
                self.count(
                    &counting,
                    (to, &space),
                    sources,
                    &neighbours,
                    k,
                    &mut directed,
                    warnings,
                )?;
            }
        }
        Ok(directed)
    }

    /// The nearest rows of a layer, from its table or a search; none where rows are too few or equal.
    fn near(
        &self,
        node: Node,
        deepest: Option<usize>,
        bench: &Bench<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Near>> {
        let name = self.name(node);
        let words = self.in_words(node);
        if let Some(table) = self.table(node) {
            let some = table.distances.iter().any(|distance| *distance > 0.0);
            let column = |order: usize| table.distances.column(order - 1).to_vec();
            let deepest = deepest.filter(|_| some);
            return Ok(
                deepest.map(|k| Near::new(&words, k, &table.indices, column, k + 1, warnings))
            );
        }
        let matrix = self.read(node)?;
        let Some(k) = deepest else { return Ok(None) };
        if self.layer(node).no_nearest.is_some() || all_rows_equal(&matrix) {
            return Ok(None);
        }
        let table = bench.neighbours(&matrix, name, k + 1, warnings)?;
        let column = |order: usize| table.distances_of_order(order).to_vec();
        let (indices, last) = (&table.indices, table.k());
        Ok(Some(Near::new(&words, k, indices, column, last, warnings)))
    }

    fn n_rows(&self) -> usize {
        self.rows.map_or(self.comparison.n_rows(), <[u32]>::len)
    }

    /// Both directions of every pair.
    fn arrows(&self) -> BTreeSet<Arrow> {
        let both = self.pairs.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
        both.collect()
    }

    /// The layers that take part.
    pub(super) fn nodes(&self) -> BTreeSet<Node> {
        self.arrows().into_iter().map(|(from, _)| from).collect()
    }

    /// The largest k that the rows allow; nothing needs more neighbours than one beyond it.
    pub(super) fn deepest(&self) -> Option<usize> {
        let n = self.n_rows();
        self.k.iter().copied().filter(|k| k + 2 <= n).max()
    }

    /// The layers whose neighbours are ranked in the layer `to`, as many at once as fit; `known` are
    /// those that have neighbours.
    pub(super) fn counts(&self, to: Node, known: &BTreeSet<Node>, k: usize) -> Vec<Vec<Node>> {
        if !known.contains(&to) {
            return Vec::new();
        }
        let arrows = self.arrows();
        let sources = arrows.iter().filter(|(_, target)| *target == to);
        let sources: Vec<Node> = sources
            .map(|&(from, _)| from)
            .filter(|from| known.contains(from))
            .collect();
        let at_once = (TARGET_BYTES / (self.n_rows() * self.width(k) * BYTES_A_TARGET)).max(1);
        sources.chunks(at_once).map(<[Node]>::to_vec).collect()
    }

    /// Targets of one row from one source.
    pub(super) fn width(&self, k: usize) -> usize {
        k + 1 + self.permutations.len() * k
    }

    /// Bytes that wait of every layer: the nearest rows, and the first two distances.
    fn kept(&self) -> usize {
        let row = |k: usize| (k + 1) * size_of::<u32>() + 2 * size_of::<f64>();
        self.n_rows() * self.deepest().map_or(0, row)
    }

    /// Bytes that the largest count of ranks among `nodes` takes, and its threads.
    fn largest_count(&self, nodes: &BTreeSet<Node>) -> usize {
        let Some(k) = self.deepest() else {
            return 0;
        };
        let sources = nodes.iter().flat_map(|&to| self.counts(to, nodes, k));
        let most = sources.map(|sources| sources.len()).max().unwrap_or(0);
        most * self.n_rows() * self.width(k) * BYTES_A_TARGET
            + rayon::current_num_threads() * THREAD_BYTES
    }

    fn reason(
        &self,
        known: &BTreeSet<Node>,
        from: Node,
        to: Node,
        deepest: Option<usize>,
    ) -> Option<Reason> {
        let absent = |node| {
            let layer = self.layer(node);
            let reason = layer.no_nearest.unwrap_or(Reason::AllRowsIdentical);
            (!known.contains(&node)).then_some(reason)
        };
        match deepest {
            None => Some(Reason::TooFewRows),
            Some(_) => absent(from).or_else(|| absent(to)),
        }
    }

    /// Counts the ranks of the neighbours of `sources` in the layer `to`.
    #[allow(clippy::too_many_arguments)]
    fn count(
        &self,
        bench: &Bench<'_>,
        (to, space): (Node, &Space<'_>),
        sources: &[Node],
        neighbours: &BTreeMap<Node, Array2<u32>>,
        k: usize,
        directed: &mut Directed,
        warnings: &mut Vec<Warning>,
    ) -> Result<()> {
        let width = self.width(k);
        let (rows, groups) = self.targets(sources, neighbours, k);
        let name = self.name(to);
        let bench = bench.beside(rows.len() * size_of::<u32>());
        let counts = match space {
            Space::Table(table) => ranks(table, name, rows.view(), &groups)?,
            Space::Rows(matrix) => {
                let targets = Targets {
                    rows: rows.view(),
                    groups: &groups,
                };
                bench.ranks(matrix, name, &targets, warnings)?
            }
        };
        for (at, &from) in sources.iter().enumerate() {
            let table = &neighbours[&from];
            let found = self.imbalances(&counts, table, at * width, at * self.k.len());
            directed.found.insert((from, to), found);
            let permuted = (0..self.permutations.len())
                .map(|turn| {
                    let start = at * width + table.ncols() + turn * k;
                    self.k
                        .iter()
                        .map(|&k| mean_rank(&counts, start, k))
                        .collect()
                })
                .collect();
            directed.permuted.insert((from, to), permuted);
        }
        Ok(())
    }

    /// The neighbours of `sources` as targets, and the columns of each k.
    pub(super) fn targets(
        &self,
        sources: &[Node],
        neighbours: &BTreeMap<Node, Array2<u32>>,
        k: usize,
    ) -> (Array2<u32>, Vec<Range<usize>>) {
        let width = self.width(k);
        let mut rows = Array2::zeros((self.n_rows(), sources.len() * width));
        let mut groups = Vec::new();
        for (at, from) in sources.iter().enumerate() {
            let (start, table) = (at * width, &neighbours[from]);
            rows.slice_mut(s![.., start..=start + k]).assign(table);
            for (turn, permutation) in self.permutations.iter().enumerate() {
                let start = start + k + 1 + turn * k;
                for (row, nearest) in table.rows().into_iter().enumerate() {
                    for (column, &neighbour) in nearest.iter().take(k).enumerate() {
                        let place = [permutation[row] as usize, start + column];
                        rows[place] = permutation[neighbour as usize];
                    }
                }
            }
            groups.extend(self.k.iter().map(|&k| start..start + k.min(width)));
        }
        (rows, groups)
    }

    /// Δ for each k, from the ranks that begin at column `start` and the sums at `group`.
    fn imbalances(
        &self,
        counts: &RankCounts,
        neighbours: &Array2<u32>,
        start: usize,
        group: usize,
    ) -> Vec<Result<Imbalance, Reason>> {
        let ranks = counts
            .ranks
            .slice(s![.., start..start + neighbours.ncols()]);
        let each = self.k.iter().enumerate();
        each.map(|(at, &k)| {
            let counted = Counted {
                neighbours: neighbours.view(),
                ranks,
                nearer: counts.nearer.column(group + at),
            };
            information_imbalance(&counted, k)
        })
        .collect()
    }

    pub(super) fn read(&self, node: Node) -> Result<Matrix> {
        let matrix = match node {
            Node::Left(at) => self.comparison.read_left(at)?,
            Node::Right(at) => self.comparison.read_right(at)?,
        };
        Ok(match self.rows {
            None => matrix,
            Some(rows) => matrix.select(rows),
        })
    }

    /// The neighbours of a layer, where they were computed before.
    fn table(&self, node: Node) -> Option<&PrecomputedTable> {
        match node {
            Node::Left(at) => self.comparison.table(0, at),
            Node::Right(at) => self.comparison.table(1, at),
        }
    }

    fn layer(&self, node: Node) -> &ComparedLayer {
        match node {
            Node::Left(at) => &self.comparison.left()[at],
            Node::Right(at) => &self.comparison.right()[at],
        }
    }

    fn name(&self, node: Node) -> &str {
        &self.layer(node).layer
    }

    /// How warnings call a layer.
    fn in_words(&self, node: Node) -> String {
        match node {
            Node::Left(at) => self.comparison.in_words(0, at),
            Node::Right(at) => self.comparison.in_words(1, at),
        }
    }
}

/// 2/(N·k·N) times the sum of the first k ranks from column `start` on.
fn mean_rank(counts: &RankCounts, start: usize, k: usize) -> f64 {
    let n = counts.ranks.nrows() as f64;
    let ranks = counts.ranks.slice(s![.., start..start + k]);
    let sum: u64 = ranks.iter().map(|&rank| u64::from(rank)).sum();
    2.0 * sum as f64 / (n * k as f64 * n)
}
