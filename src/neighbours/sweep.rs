//! The symmetric sweep: every pair of tiles is scored once and serves the rows of both.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::candidates::{Candidate, Candidates};
use super::filter::{Area, Block, Operand, Room};
use super::points::{Points, Verdict};
use super::schedule::Schedule;
use crate::progress::Progress;
use crate::vectors::vectorised;

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
    let n = operand.n_rows();
    let tiles: Vec<Mutex<Tile>> = (0..n)
        .step_by(tile)
        .map(|start| Mutex::new(Tile::new(operand, start..(start + tile).min(n), k)))
        .collect();
    let schedule = Schedule::new(tiles.len());
    rayon::broadcast(|_| {
        let mut worker = Worker::new(points, operand);
        while let Some(turn) = schedule.take() {
            // Nobody else has these tiles, so the locks never wait.
            let (a, b) = turn.pair;
            let mut rows = lock(&tiles[a]);
            if a == b {
                worker.visit(&mut [&mut rows]);
            } else {
                worker.visit(&mut [&mut rows, &mut lock(&tiles[b])]);
            }
            progress.advance(1);
        }
    });

    tiles
        .into_par_iter()
        .map_init(
            || Verdict::new(points),
            |verdict, tile| {
                let tile = tile.into_inner().unwrap_or_else(PoisonError::into_inner);
                tile.positions
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
    Schedule::len(n.div_ceil(tile))
}

/// Pairs that one instruction compares at best.
const LANES: usize = 16;

/// Some positions and their candidates.
struct Tile {
    positions: Range<usize>,
    candidates: Vec<Candidates>,
    /// [`Operand::column_term`] of each.
    terms: Vec<f32>,
    /// What the lists have come to, see [`Operand::cut`].
    cuts: Vec<f32>,
}

impl Tile {
    fn new(operand: &Operand, positions: Range<usize>, k: usize) -> Self {
        let each = || positions.clone();
        Self {
            candidates: each()
                .map(|p| Candidates::new(p, k, operand.spare()))
                .collect(),
            terms: each().map(|q| operand.column_term(q)).collect(),
            cuts: vec![f32::NEG_INFINITY; positions.len()],
            positions,
        }
    }
}

/// What one thread needs to visit pairs of tiles.
struct Worker<'a> {
    operand: &'a Operand<'a>,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    room: Room,
    offers: Offers<'a>,
}

impl<'a> Worker<'a> {
    fn new(points: &'a Points<'a>, operand: &'a Operand) -> Self {
        Self {
            operand,
            arch: pulp::Arch::new(),
            room: Room::default(),
            offers: Offers {
                operand,
                verdict: Verdict::new(points),
                passing: Vec::new(),
            },
        }
    }

    /// Offers each row of two tiles, or of one, all rows of the other.
    fn visit(&mut self, tiles: &mut [&mut Tile]) {
        let rows = tiles[0].positions.clone();
        let area = match &tiles[1..] {
            [] => Area::within(rows),
            [other, ..] => Area::between(rows, other.positions.clone()),
        };
        let (arch, offers) = (self.arch, &mut self.offers);
        self.operand.multiply(&area, &mut self.room, &mut |block| {
            vectorised(
                arch,
                #[inline(always)]
                || offers.take(block, tiles),
            );
        });
    }
}

/// Where the pairs of a block go.
struct Offers<'a> {
    operand: &'a Operand<'a>,
    verdict: Verdict<'a>,
    /// Row and first column in the block of [`LANES`] pairs of which some pass.
    passing: Vec<[usize; 2]>,
}

impl Offers<'_> {
    /// Offers both rows of every pair of the block to each other.
    #[inline(always)]
    fn take(&mut self, block: &Block<'_>, tiles: &mut [&mut Tile]) {
        let other = tiles.len() - 1;
        let top = block.rows.start - tiles[0].positions.start;
        let left = block.columns.start - tiles[other].positions.start;
        self.seek(block, [top, left], tiles);
        for at in 0..self.passing.len() {
            let [r, start] = self.passing[at];
            let products = block.row(r);
            let products = &products[start..(start + LANES).min(products.len())];
            let (p, first) = (block.rows.start + r, block.columns.start + start);
            for (lane, &product) in products.iter().enumerate() {
                let (q, row, column) = (first + lane, top + r, left + start + lane);
                if other == 0 && q <= p {
                    continue;
                }
                // Each cut is read afresh: the last offer may have raised it.
                if product - tiles[other].terms[column] >= tiles[0].cuts[row] {
                    self.offer(tiles[0], row, q, product);
                }
                if product - tiles[0].terms[row] >= tiles[other].cuts[column] {
                    self.offer(tiles[other], column, p, product);
                }
            }
        }
    }

    /// Finds where pairs of the block pass the cut of their row or of their column. Nothing moves
    /// meanwhile, so the loop is a few instructions for sixteen pairs.
    #[inline(always)]
    fn seek(&mut self, block: &Block<'_>, [top, left]: [usize; 2], tiles: &[&mut Tile]) {
        let (rows, columns) = (&tiles[0], &tiles[tiles.len() - 1]);
        let range = left..left + block.columns.len();
        let (terms, terms_rest) = columns.terms[range.clone()].as_chunks::<LANES>();
        let cuts = columns.cuts[range].as_chunks::<LANES>().0;
        self.passing.clear();
        let own = rows.terms[top..].iter().zip(&rows.cuts[top..]);
        for (r, (&term, &cut)) in (0..block.rows.len()).zip(own) {
            let products = block.row(r).as_chunks::<LANES>().0;
            for (at, ((products, terms), cuts)) in products.iter().zip(terms).zip(cuts).enumerate()
            {
                let mut any = false;
                for lane in 0..LANES {
                    let product = products[lane];
                    any |= (product - terms[lane] >= cut) | (product - term >= cuts[lane]);
                }
                if any {
                    self.passing.push([r, at * LANES]);
                }
            }
            // The last columns of a layer, one by one.
            if !terms_rest.is_empty() {
                self.passing.push([r, products.len() * LANES]);
            }
        }
    }

    /// Offers position `q` to one of the tile.
    #[inline(always)]
    fn offer(&mut self, tile: &mut Tile, own: usize, q: usize, product: f32) {
        let candidates = &mut tile.candidates[own];
        if candidates.offer(self.operand, &mut self.verdict, q, product) {
            tile.cuts[own] = candidates.cut(self.operand);
        }
    }
}

/// A panic in another worker is already on its way to the caller; the lists stay well-formed.
fn lock(tile: &Mutex<Tile>) -> MutexGuard<'_, Tile> {
    tile.lock().unwrap_or_else(PoisonError::into_inner)
}
