//! One thread at work: pairs of tiles, one after the other.

use std::ops::Range;

use super::super::filter::{Operand, Room};
use super::super::points::{Points, Verdict};
use super::by_pair::ByPair;
use super::by_threshold::ByThreshold;
use super::targets::{RowOfTile, Targets, Thresholds, Way};
use super::tile::Tile;
use crate::vectors::vectorised;

/// What one thread needs to visit pairs of tiles.
pub(super) struct Worker<'a> {
    order: &'a [u32],
    operand: Option<&'a Operand<'a>>,
    /// Rows and columns that are multiplied at once.
    step: usize,
    way: Way,
    /// The groups of each column of the targets.
    groups_of: Vec<Vec<usize>>,
    groups: usize,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    verdict: Verdict<'a>,
    room: Room,
    products: Vec<f32>,
    transposed: Vec<f32>,
    by_pair: ByPair,
    by_threshold: ByThreshold,
    /// Columns that no score can place, for one row.
    undecided: Vec<usize>,
    squared: Vec<f64>,
    /// columns × groups: the sums of one visit.
    nearer: Vec<u32>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        points: &'a Points<'a>,
        targets: &Targets<'_>,
        order: &'a [u32],
        operand: Option<&'a Operand<'a>>,
        step: usize,
    ) -> Self {
        let groups_of = (0..targets.rows.ncols())
            .map(|column| {
                let groups = targets.groups.iter().enumerate();
                let holding = groups.filter(|(_, columns)| columns.contains(&column));
                holding.map(|(group, _)| group).collect()
            })
            .collect();
        let size = if operand.is_some() { step * step } else { 0 };
        Self {
            order,
            operand,
            step,
            way: Way::of(targets),
            groups_of,
            groups: targets.groups.len(),
            arch: pulp::Arch::new(),
            verdict: Verdict::new(points),
            room: Room::default(),
            products: vec![0.0; size],
            transposed: vec![0.0; size],
            by_pair: ByPair::default(),
            by_threshold: ByThreshold::default(),
            undecided: Vec::new(),
            squared: Vec::new(),
            nearer: Vec::new(),
        }
    }

    /// Places every pair of two tiles, or of one, between the thresholds of both rows.
    pub(super) fn visit(&mut self, tiles: &mut [&mut Tile]) {
        let other = tiles.len() - 1;
        for rows in split(&tiles[0].positions, self.step) {
            for columns in split(&tiles[other].positions, self.step) {
                if other > 0 || rows.start <= columns.start {
                    self.visit_part(tiles, &rows, &columns);
                }
            }
        }
    }

    /// Places the pairs of some rows of the first tile and some of the last.
    fn visit_part(&mut self, tiles: &mut [&mut Tile], rows: &Range<usize>, columns: &Range<usize>) {
        let other = tiles.len() - 1;
        if let Some(operand) = self.operand {
            let out = &mut self.products[..rows.len() * columns.len()];
            operand.products(rows.clone(), columns.clone(), &mut self.room, out);
        }
        self.place(tiles, [0, other], rows, columns);
        // Rows that do not ask have no thresholds that a pair could pass.
        if rows != columns && tiles[other].wanted > 0 {
            if self.operand.is_some() {
                let (from, to) = (&self.products, &mut self.transposed);
                vectorised(
                    self.arch,
                    #[inline(always)]
                    || transpose(from, rows.len(), columns.len(), to),
                );
                std::mem::swap(&mut self.products, &mut self.transposed);
            }
            self.place(tiles, [other, 0], columns, rows);
        }
    }

    /// Places the pairs between the thresholds of `rows`, which lie in the tile `owner`; `products`
    /// holds them row by row.
    fn place(
        &mut self,
        tiles: &mut [&mut Tile],
        [owner, others]: [usize; 2],
        rows: &Range<usize>,
        columns: &Range<usize>,
    ) {
        self.nearer.clear();
        self.nearer.resize(columns.len() * self.groups, 0);
        if let Some(operand) = self.operand {
            match self.way {
                Way::Pair => self.by_pair.begin(operand, columns),
                Way::Threshold => self.by_threshold.begin(operand, columns, self.groups),
            }
        }
        for (line, p) in rows.clone().enumerate() {
            self.place_row(tiles[owner], p, line, columns);
        }
        if self.operand.is_some() && self.way == Way::Threshold {
            self.by_threshold.add_to(&mut self.nearer, self.groups);
        }
        let tile = &mut tiles[others];
        let from = (columns.start - tile.positions.start) * self.groups;
        for (sum, &nearer) in tile.nearer[from..].iter_mut().zip(&self.nearer) {
            *sum += u64::from(nearer);
        }
    }

    /// Places the pairs of position `p`, whose products are line `line`.
    fn place_row(&mut self, tile: &mut Tile, p: usize, line: usize, columns: &Range<usize>) {
        let r = p - tile.positions.start;
        let own = r * tile.wanted..(r + 1) * tile.wanted;
        if own.is_empty() {
            return;
        }
        self.undecided.clear();
        let row = RowOfTile {
            position: p,
            columns: columns.clone(),
            thresholds: Thresholds {
                squared: &tile.squared[own.clone()],
                columns: &tile.columns[own.clone()],
                groups_of: &self.groups_of,
                groups: self.groups,
            },
        };
        let before = &mut tile.before[own.clone()];
        let Some(operand) = self.operand else {
            // Without scores every pair gets the exact distance.
            self.undecided.extend(columns.clone().filter(|&q| q != p));
            self.judge(tile, r, columns);
            return;
        };
        let products = &self.products[line * columns.len()..(line + 1) * columns.len()];
        let (arch, undecided) = (self.arch, &mut self.undecided);
        match self.way {
            Way::Pair => {
                let cuts = &tile.cuts[own];
                let (way, nearer) = (&mut self.by_pair, &mut self.nearer);
                way.sum_groups(&row.thresholds);
                vectorised(
                    arch,
                    #[inline(always)]
                    || way.place(operand, &row, products, cuts, before, nearer, undecided),
                );
            }
            Way::Threshold => {
                let cuts = (&tile.cuts[own.clone()], &tile.sure[own]);
                let way = &mut self.by_threshold;
                vectorised(
                    arch,
                    #[inline(always)]
                    || way.place(&row, products, cuts, before, undecided),
                );
            }
        }
        if !self.undecided.is_empty() {
            self.judge(tile, r, columns);
        }
    }

    /// Places the undecided pairs of a row by their exact distances.
    fn judge(&mut self, tile: &mut Tile, r: usize, columns: &Range<usize>) {
        let own = r * tile.wanted..(r + 1) * tile.wanted;
        let (squared, rows) = (&tile.squared[own.clone()], &tile.rows[own.clone()]);
        self.verdict
            .stand_at(self.order[tile.positions.start + r] as usize);
        self.squared.clear();
        let undecided = self.undecided.iter().map(|&q| self.order[q] as usize);
        self.verdict.squared_distances(undecided, &mut self.squared);
        for (at, (&q, distance)) in self.undecided.iter().zip(&self.squared).enumerate() {
            let other = self.order[q];
            let place = squared.partition_point(|threshold| threshold < distance);
            let ties = squared[place..].iter().zip(&rows[place..]);
            let nearer_ties =
                ties.take_while(|(threshold, row)| *threshold <= distance && **row <= other);
            let place = place + nearer_ties.count();
            // Scores have counted some thresholds of this pair already; the exact place adds those
            // in between.
            let counted = match (self.operand, self.way) {
                (Some(_), Way::Threshold) => self.by_threshold.first_counted(at),
                _ => tile.wanted,
            };
            let c = q - columns.start;
            for threshold in place..counted {
                let column = tile.columns[own.start + threshold] as usize;
                for &group in &self.groups_of[column] {
                    self.nearer[c * self.groups + group] += 1;
                }
            }
            let before = &mut tile.before[own.clone()];
            match self.way {
                Way::Pair => {
                    if let Some(before) = before.get_mut(place) {
                        *before += 1;
                    }
                }
                Way::Threshold => {
                    let between = before.get_mut(place..counted).into_iter().flatten();
                    between.for_each(|before| *before += 1);
                }
            }
        }
    }
}

/// A range in parts of up to `step`.
fn split(range: &Range<usize>, step: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let Range { start, end } = *range;
    (start..end)
        .step_by(step)
        .map(move |start| start..(start + step).min(end))
}

/// `to` becomes the columns × rows transpose of the rows × columns matrix `from`.
#[inline(always)]
fn transpose(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    /// A block of both fits in the first-level cache.
    const SIDE: usize = 32;
    for top in (0..rows).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            for r in top..(top + SIDE).min(rows) {
                for c in left..(left + SIDE).min(columns) {
                    to[c * rows + r] = from[r * columns + c];
                }
            }
        }
    }
}
