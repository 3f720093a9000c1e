//! A k-d tree for few columns, where it visits far fewer pairs than a sweep.
//!
//! Rows are halved at the median of the widest column until few are left; every node keeps the box
//! around its rows. The tree measures with the verdict itself. A rounded step of the verdict is
//! monotone in |x_j − y_j|, so the verdict from a row to the nearest place of a box never exceeds
//! the verdict to a row inside, not even by rounding: the tree misses nothing.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;

use super::exact::squared_distance;
use super::points::Points;
use super::table::{by_distance_then_row, index};
use crate::progress::Progress;

/// Rows between two reports of progress.
pub(super) const STEP: usize = 1024;

/// Rows that are measured one by one rather than halved again.
const LEAF: usize = 12;

/// Calls `finish` with each of `rows` and its k nearest, by distance and then by row; in the order of
/// the tree, where rows that follow each other are near and meet the same boxes.
pub(super) fn nearest<R: Send>(
    points: &Points<'_>,
    rows: &Range<usize>,
    k: usize,
    progress: &dyn Progress,
    finish: impl Fn(u32, Vec<(f64, u32)>) -> R + Sync,
) -> Vec<R> {
    let tree = Tree::new(points);
    (0..tree.rows.len())
        .into_par_iter()
        .filter(|&position| rows.contains(&(tree.rows[position] as usize)))
        .map_init(
            || Search::new(&tree, k),
            |search, position| {
                if position % STEP == STEP - 1 {
                    progress.advance(1);
                }
                finish(tree.rows[position], search.nearest(position))
            },
        )
        .collect()
}

struct Tree {
    columns: usize,
    /// Rows by position, those of a node next to each other.
    rows: Vec<u32>,
    /// positions × columns.
    places: Vec<f64>,
    nodes: Vec<Node>,
    /// For each node the lowest values of its rows, then the highest.
    boxes: Vec<f64>,
}

struct Node {
    positions: Range<usize>,
    /// The first of two neighbouring nodes; a leaf has none.
    children: Option<usize>,
}

impl Tree {
    fn new(points: &Points<'_>) -> Self {
        let (n, columns) = (points.n_rows(), points.n_columns());
        let mut values = vec![0.0; n * columns];
        for (row, out) in values.chunks_mut(columns).enumerate() {
            points.row(row, out);
        }
        let mut tree = Self {
            columns,
            rows: (0..index(n)).collect(),
            places: Vec::with_capacity(n * columns),
            nodes: Vec::new(),
            boxes: Vec::new(),
        };
        tree.add_node(&values, 0..n);
        // Children lie behind their parents, so one pass reaches all.
        let mut next = 0;
        while next < tree.nodes.len() {
            tree.halve(&values, next);
            next += 1;
        }
        for &row in &tree.rows {
            let start = row as usize * columns;
            tree.places.extend(&values[start..start + columns]);
        }
        tree
    }

    fn add_node(&mut self, values: &[f64], positions: Range<usize>) {
        let (mut low, mut high) = (
            vec![f64::INFINITY; self.columns],
            vec![f64::NEG_INFINITY; self.columns],
        );
        for &row in &self.rows[positions.clone()] {
            let start = row as usize * self.columns;
            for (j, &x) in values[start..start + self.columns].iter().enumerate() {
                low[j] = low[j].min(x);
                high[j] = high[j].max(x);
            }
        }
        self.boxes.extend(low);
        self.boxes.extend(high);
        self.nodes.push(Node {
            positions,
            children: None,
        });
    }

    /// Gives a node two children unless it has few rows.
    fn halve(&mut self, values: &[f64], node: usize) {
        let positions = self.nodes[node].positions.clone();
        if positions.len() <= LEAF {
            return;
        }
        let (low, high) = self.corners(node);
        let width = |j: &usize| high[*j] - low[*j];
        let widest = (0..self.columns).max_by(|a, b| width(a).total_cmp(&width(b)));
        let column = widest.expect("a tree has columns");
        let value = |row: &u32| values[*row as usize * self.columns + column];
        let middle = positions.len() / 2;
        self.rows[positions.clone()]
            .select_nth_unstable_by(middle, |a, b| value(a).total_cmp(&value(b)));
        self.nodes[node].children = Some(self.nodes.len());
        let middle = positions.start + middle;
        self.add_node(values, positions.start..middle);
        self.add_node(values, middle..positions.end);
    }

    fn corners(&self, node: usize) -> (&[f64], &[f64]) {
        self.boxes[2 * node * self.columns..2 * (node + 1) * self.columns].split_at(self.columns)
    }

    fn place(&self, position: usize) -> &[f64] {
        &self.places[position * self.columns..(position + 1) * self.columns]
    }
}

/// A row that was found; the farthest comes first.
#[derive(PartialEq)]
struct Found(f64, u32);

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

/// What one thread needs to search.
struct Search<'a> {
    tree: &'a Tree,
    k: usize,
    found: BinaryHeap<Found>,
    /// Nodes to visit and the least D² of their rows.
    waiting: Vec<(f64, usize)>,
    nearest_place: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(tree: &'a Tree, k: usize) -> Self {
        Self {
            tree,
            k,
            found: BinaryHeap::with_capacity(k + 1),
            waiting: Vec::new(),
            nearest_place: vec![0.0; tree.columns],
        }
    }

    fn nearest(&mut self, position: usize) -> Vec<(f64, u32)> {
        self.found.clear();
        self.waiting.clear();
        self.waiting.push((0.0, 0));
        while let Some((least, node)) = self.waiting.pop() {
            // A row at the distance of the farthest may still come before it by its number.
            if self.is_full() && self.farthest() < least {
                continue;
            }
            match self.tree.nodes[node].children {
                None => self.measure(position, node),
                Some(first) => {
                    let mut children = [first, first + 1].map(|child| {
                        let least = self.least(position, child);
                        (least, child)
                    });
                    // The nearer one is visited first, which is pushed last.
                    if children[0].0 < children[1].0 {
                        children.swap(0, 1);
                    }
                    self.waiting.extend(children);
                }
            }
        }
        let mut found: Vec<(f64, u32)> = self.found.drain().map(|Found(d, row)| (d, row)).collect();
        found.sort_unstable_by(by_distance_then_row);
        found
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.k
    }

    fn farthest(&self) -> f64 {
        self.found.peek().map_or(f64::INFINITY, |found| found.0)
    }

    /// The least D² that a row of a node can have.
    fn least(&mut self, position: usize, node: usize) -> f64 {
        let place = self.tree.place(position);
        let (low, high) = self.tree.corners(node);
        for (j, nearest) in self.nearest_place.iter_mut().enumerate() {
            *nearest = place[j].clamp(low[j], high[j]);
        }
        squared_distance(place, &self.nearest_place)
    }

    /// Measures all rows of a leaf.
    fn measure(&mut self, position: usize, leaf: usize) {
        let place = self.tree.place(position);
        for other in self.tree.nodes[leaf].positions.clone() {
            // Self is left out by position, never by its distance.
            if other == position {
                continue;
            }
            let squared = squared_distance(place, self.tree.place(other));
            let found = Found(squared, self.tree.rows[other]);
            if !self.is_full() {
                self.found.push(found);
            } else if let Some(mut farthest) = self.found.peek_mut()
                && found < *farthest
            {
                *farthest = found;
            }
        }
    }
}
