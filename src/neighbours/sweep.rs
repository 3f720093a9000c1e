//! The symmetric sweep: every pair of tiles is scored once and serves the rows of both.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::candidates::{Candidate, Candidates};
use super::filter::Operand;
use super::flags::{BLOCK, flag, for_each_flagged};
use super::points::{Points, Verdict};
use crate::progress::Progress;

/// Rows of one tile with their candidates.
struct Tile {
    rows: Range<usize>,
    candidates: Vec<Candidates>,
}

/// For every position of `operand`, a list that certainly holds the k nearest rows.
///
/// `finish` turns the list of one position into what the caller keeps, so that lists are freed
/// as soon as they are used. Results come back by position.
pub(super) fn sweep<R: Send>(
    points: &Points<'_>,
    operand: &Operand,
    k: usize,
    tile: usize,
    progress: &dyn Progress,
    finish: impl Fn(usize, Vec<Candidate>, &mut Verdict<'_>) -> R + Sync,
) -> Vec<R> {
    let tiles: Vec<Mutex<Tile>> = (0..operand.n_rows())
        .step_by(tile)
        .map(|start| {
            let rows = start..(start + tile).min(operand.n_rows());
            let candidates = rows
                .clone()
                .map(|p| Candidates::new(p, k, operand.spare()))
                .collect();
            Mutex::new(Tile { rows, candidates })
        })
        .collect();
    let pairs = schedule(tiles.len());
    let next = AtomicUsize::new(0);
    rayon::broadcast(|_| {
        let mut worker = Worker::new(points, operand, tile);
        while let Some(&(a, b)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            worker.visit(&tiles[a], &tiles[b], a == b);
            progress.advance(1);
        }
    });

    tiles
        .into_par_iter()
        .map_init(
            || Verdict::new(points),
            |verdict, tile| {
                let tile = tile.into_inner().unwrap_or_else(PoisonError::into_inner);
                tile.rows
                    .zip(tile.candidates)
                    .map(|(p, candidates)| {
                        let list = candidates.finish(operand, verdict);
                        finish(p, list, verdict)
                    })
                    .collect::<Vec<R>>()
            },
        )
        .flatten_iter()
        .collect()
}

/// Number of steps that a sweep reports.
pub(super) fn steps(n: usize, tile: usize) -> u64 {
    let tiles = n.div_ceil(tile) as u64;
    tiles * (tiles + 1) / 2
}

/// All pairs a ≤ b of tiles. The pairs with tile 0 come first: that tile is a sample of all rows
/// (see `search::visiting_order`) and gives every row its first threshold. The others follow by
/// diagonals, so that all lists tighten evenly.
fn schedule(tiles: usize) -> Vec<(usize, usize)> {
    let sample = (0..tiles).map(|b| (0, b));
    let diagonals = (0..tiles).flat_map(|s| (1..tiles.saturating_sub(s)).map(move |a| (a, a + s)));
    sample.chain(diagonals).collect()
}

/// What one thread needs to visit pairs of tiles.
struct Worker<'a> {
    operand: &'a Operand,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    verdict: Verdict<'a>,
    room: Vec<f32>,
    products: Vec<f32>,
    column_terms: [Vec<f32>; 2],
    cuts: Vec<f32>,
    scratch: Vec<Candidate>,
}

impl<'a> Worker<'a> {
    fn new(points: &'a Points<'a>, operand: &'a Operand, tile: usize) -> Self {
        Self {
            operand,
            arch: pulp::Arch::new(),
            verdict: Verdict::new(points),
            room: Vec::new(),
            products: vec![0.0; tile * tile],
            column_terms: [Vec::new(), Vec::new()],
            cuts: Vec::new(),
            scratch: Vec::new(),
        }
    }

    fn visit(&mut self, a: &Mutex<Tile>, b: &Mutex<Tile>, diagonal: bool) {
        // The ranges never change, so they may be read before the products are made.
        let rows = lock(a).rows.clone();
        let columns = if diagonal {
            rows.clone()
        } else {
            lock(b).rows.clone()
        };
        let products = &mut self.products[..rows.len() * columns.len()];
        self.operand
            .products(rows.clone(), columns.clone(), &mut self.room, products);
        for (terms, range) in self.column_terms.iter_mut().zip([&columns, &rows]) {
            terms.clear();
            terms.extend(range.clone().map(|q| self.operand.column_term(q)));
        }
        let arch = self.arch;
        arch.dispatch(|| self.offer_columns_to_rows(&mut lock(a), &columns, diagonal));
        if !diagonal {
            arch.dispatch(|| self.offer_rows_to_columns(&rows, &mut lock(b)));
        }
    }

    /// Each row of the tile is offered the columns.
    #[inline(always)]
    fn offer_columns_to_rows(&mut self, tile: &mut Tile, columns: &Range<usize>, diagonal: bool) {
        let width = columns.len();
        let terms = &self.column_terms[0];
        for (r, own) in tile.candidates.iter_mut().enumerate() {
            let products = &self.products[r * width..(r + 1) * width];
            // Self is left out by position, never by its distance.
            let itself = if diagonal { r } else { usize::MAX };
            if own.is_open() {
                let others = (0..width).filter(|&c| c != itself);
                let pairs = others.map(|c| (columns.start + c, products[c]));
                own.offer_all(self.operand, &mut self.verdict, pairs, &mut self.scratch);
                continue;
            }
            let mut cut = own.cut(self.operand);
            for start in (0..width).step_by(BLOCK) {
                let block = start..(start + BLOCK).min(width);
                let flags = flag(&products[block.clone()], &terms[block], |product, term| {
                    product - term >= cut
                });
                for_each_flagged(&flags, |lane| {
                    let c = start + lane;
                    // The cut may have risen since the block was flagged.
                    if c != itself
                        && products[c] - terms[c] >= cut
                        && own.offer(
                            self.operand,
                            &mut self.verdict,
                            columns.start + c,
                            products[c],
                        )
                    {
                        cut = own.cut(self.operand);
                    }
                });
            }
        }
    }

    /// Each column, itself a row of the other tile, is offered the rows.
    #[inline(always)]
    fn offer_rows_to_columns(&mut self, rows: &Range<usize>, tile: &mut Tile) {
        let width = tile.rows.len();
        if tile.candidates.iter().any(Candidates::is_open) {
            for (c, own) in tile.candidates.iter_mut().enumerate() {
                let pairs = rows
                    .clone()
                    .zip(self.products[c..].iter().step_by(width).copied());
                own.offer_all(self.operand, &mut self.verdict, pairs, &mut self.scratch);
            }
            return;
        }
        self.cuts.clear();
        self.cuts
            .extend(tile.candidates.iter().map(|own| own.cut(self.operand)));
        for (r, p) in rows.clone().enumerate() {
            let products = &self.products[r * width..(r + 1) * width];
            let term = self.column_terms[1][r];
            for start in (0..width).step_by(BLOCK) {
                let block = start..(start + BLOCK).min(width);
                let flags = flag(
                    &products[block.clone()],
                    &self.cuts[block],
                    |product, cut| product - term >= cut,
                );
                for_each_flagged(&flags, |lane| {
                    let c = start + lane;
                    let own = &mut tile.candidates[c];
                    if own.offer(self.operand, &mut self.verdict, p, products[c]) {
                        self.cuts[c] = own.cut(self.operand);
                    }
                });
            }
        }
    }
}

/// A panic in another worker is already on its way to the caller; the lists stay well-formed.
fn lock(tile: &Mutex<Tile>) -> MutexGuard<'_, Tile> {
    tile.lock().unwrap_or_else(PoisonError::into_inner)
}
