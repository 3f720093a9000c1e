//! A k-d tree for few columns, where it visits far fewer pairs than a sweep.
//!
//! Splits are at medians, so the depth is log2(N / leaf) whatever the data; boxes bound the
//! verdict itself, so that the tree returns exactly what a scan would.

use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::exact::squared_distance;
use super::points::Points;
use crate::progress::Progress;

/// Rows in a leaf.
const LEAF: usize = 16;

/// Rows between two reports of progress.
pub(super) const STEP: usize = 1024;

/// The rows of a layer, arranged by place.
pub(super) struct Tree {
    columns: usize,
    /// Rows in leaf order.
    rows: Vec<u32>,
    /// Coordinates in leaf order.
    coordinates: Vec<f64>,
    nodes: Vec<Node>,
}

struct Node {
    /// Rows of the node, as a range of leaf order.
    start: usize,
    end: usize,
    low: Vec<f64>,
    high: Vec<f64>,
    /// Both children, unless the node is a leaf.
    children: Option<[usize; 2]>,
}

/// One found neighbour; the heap keeps the farthest on top, ties by row.
#[derive(PartialEq)]
pub(super) struct Found {
    pub(super) squared: f64,
    pub(super) row: u32,
}

impl Eq for Found {}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.squared
            .total_cmp(&other.squared)
            .then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Tree {
    /// Arranges all rows of `points`.
    pub(super) fn new(points: &Points<'_>) -> Self {
        let (n, columns) = (points.n_rows(), points.n_columns());
        let mut by_row = vec![0.0; n * columns];
        for (row, out) in by_row.chunks_mut(columns.max(1)).enumerate() {
            points.row(row, out);
        }
        #[allow(clippy::cast_possible_truncation)]
        let mut rows: Vec<u32> = (0..n as u32).collect();
        let mut nodes = Vec::new();
        split(&by_row, columns, &mut rows, 0, &mut nodes);
        let coordinates = rows
            .iter()
            .flat_map(|&row| &by_row[row as usize * columns..(row as usize + 1) * columns])
            .copied()
            .collect();
        Self {
            columns,
            rows,
            coordinates,
            nodes,
        }
    }

    /// Calls `finish` with every row and its sorted k nearest; results come back in leaf order.
    pub(super) fn nearest<R: Send>(
        &self,
        k: usize,
        progress: &dyn Progress,
        finish: impl Fn(u32, Vec<Found>) -> R + Sync,
    ) -> Vec<R> {
        (0..self.rows.len())
            .into_par_iter()
            .map(|at| {
                let mut nearest = BinaryHeap::with_capacity(k + 1);
                let from = &self.coordinates[at * self.columns..(at + 1) * self.columns];
                self.search(0, from, self.rows[at], k, &mut nearest);
                if at % STEP == STEP - 1 {
                    progress.advance(1);
                }
                finish(self.rows[at], nearest.into_sorted_vec())
            })
            .collect()
    }

    fn search(
        &self,
        node: usize,
        from: &[f64],
        itself: u32,
        k: usize,
        nearest: &mut BinaryHeap<Found>,
    ) {
        let node = &self.nodes[node];
        if let Some(children) = node.children {
            let mut ordered =
                children.map(|child| (self.nodes[child].squared_distance(from), child));
            if ordered[1].0 < ordered[0].0 {
                ordered.swap(0, 1);
            }
            for (bound, child) in ordered {
                // An equal distance may still win by its row index.
                if nearest.len() < k || nearest.peek().is_some_and(|far| bound <= far.squared) {
                    self.search(child, from, itself, k, nearest);
                }
            }
            return;
        }
        for at in node.start..node.end {
            let row = self.rows[at];
            if row == itself {
                continue;
            }
            let to = &self.coordinates[at * self.columns..(at + 1) * self.columns];
            let found = Found {
                squared: squared_distance(from, to),
                row,
            };
            if nearest.len() < k {
                nearest.push(found);
            } else if let Some(mut farthest) = nearest.peek_mut()
                && found < *farthest
            {
                *farthest = found;
            }
        }
    }
}

impl Node {
    /// A lower bound of the verdict for every row in the box.
    ///
    /// Each rounded step of the verdict is monotone in |x_j − y_j|, so the same steps on the
    /// distance to the box cannot exceed it, not even by rounding.
    fn squared_distance(&self, from: &[f64]) -> f64 {
        let mut lanes = [0.0f64; 8];
        for (j, ((&x, &low), &high)) in from.iter().zip(&self.low).zip(&self.high).enumerate() {
            let t = if x < low {
                low - x
            } else if x > high {
                x - high
            } else {
                0.0
            };
            lanes[j % 8] += t * t;
        }
        let s = lanes;
        ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
    }
}

/// Builds the node of `rows`, which start at `start` in leaf order, and returns its index.
fn split(
    by_row: &[f64],
    columns: usize,
    rows: &mut [u32],
    start: usize,
    nodes: &mut Vec<Node>,
) -> usize {
    let at = |row: u32, j: usize| by_row[row as usize * columns + j];
    let mut low = vec![f64::INFINITY; columns];
    let mut high = vec![f64::NEG_INFINITY; columns];
    for &row in &*rows {
        for j in 0..columns {
            low[j] = low[j].min(at(row, j));
            high[j] = high[j].max(at(row, j));
        }
    }
    let widest = (0..columns).max_by(|&a, &b| (high[a] - low[a]).total_cmp(&(high[b] - low[b])));
    let node = nodes.len();
    nodes.push(Node {
        start,
        end: start + rows.len(),
        low,
        high,
        children: None,
    });
    if let Some(j) = widest
        && rows.len() > LEAF
    {
        let middle = rows.len() / 2;
        rows.select_nth_unstable_by(middle, |&a, &b| {
            at(a, j).total_cmp(&at(b, j)).then(a.cmp(&b))
        });
        let (left, right) = rows.split_at_mut(middle);
        let first = split(by_row, columns, left, start, nodes);
        let second = split(by_row, columns, right, start + middle, nodes);
        nodes[node].children = Some([first, second]);
    }
    node
}
