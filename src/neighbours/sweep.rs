//! The symmetric sweep: every pair of tiles is scored once and serves the rows of both.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::candidates::{Candidate, Candidates};
use super::filter::{Area, Block, Operand, Room};
use super::flags::{flag, for_each_flagged};
use super::points::{Points, Verdict};
use super::schedule::Schedule;
use super::visiting::Asking;
use crate::progress::Progress;
use crate::vectors::vectorised;

/// For every position of `operand` that asks, a list that certainly holds the k nearest rows.
///
/// `finish` turns the list of one position into what the caller keeps, so that lists are freed
/// as soon as they are used. Results come back by position.
pub(super) fn sweep<R: Send>(
    points: &Points<'_>,
    operand: &Operand,
    k: usize,
    asking: &Asking,
    progress: &dyn Progress,
    finish: impl Fn(usize, Vec<Candidate>, &mut Verdict<'_>) -> R + Sync,
) -> Vec<R> {
    let tiles = visit_all(points, operand, k, asking, progress);
    finish_all(points, operand, tiles, finish)
}

/// The tiles of all positions that ask, with their lists.
///
/// Pairs of positions that both ask are scored once and serve both; the others serve one.
pub(super) fn visit_all(
    points: &Points<'_>,
    operand: &Operand,
    k: usize,
    asking: &Asking,
    progress: &dyn Progress,
) -> Vec<Tile> {
    let n = operand.n_rows();
    let [first, others] = asking.tiles(n);
    let count = first.len();
    let first = first.into_iter().map(|tile| Tile::new(operand, tile, k));
    let others = others
        .into_iter()
        .map(|tile| Tile::without_lists(operand, tile));
    let mut tiles: Vec<Mutex<Tile>> = first.chain(others).map(Mutex::new).collect();
    let schedule = Schedule::new(tiles.len(), count);
    rayon::broadcast(|_| {
        let mut worker = Worker::new(points, operand);
        while let Some(turn) = schedule.take() {
            // Nobody else has these tiles, so the locks never wait.
            let (a, b) = turn.pair;
            let mut rows = lock(&tiles[a]);
            if a == b {
                worker.visit_itself(&mut rows);
            } else {
                worker.visit(&mut rows, &mut lock(&tiles[b]));
            }
            progress.advance(1);
        }
    });
    tiles.truncate(count);
    let whole = |tile: Mutex<Tile>| tile.into_inner().unwrap_or_else(PoisonError::into_inner);
    tiles.into_iter().map(whole).collect()
}

/// What `finish` makes of every list, by position.
pub(super) fn finish_all<R: Send>(
    points: &Points<'_>,
    operand: &Operand,
    tiles: Vec<Tile>,
    finish: impl Fn(usize, Vec<Candidate>, &mut Verdict<'_>) -> R + Sync,
) -> Vec<R> {
    tiles
        .into_par_iter()
        .map_init(
            || Verdict::new(points),
            |verdict, tile| tile.finish(operand, verdict, &finish),
        )
        .flatten_iter()
        .collect()
}

/// Number of steps that a sweep reports.
pub(super) fn steps(n: usize, asking: &Asking) -> u64 {
    let [first, others] = asking.tiles(n);
    Schedule::len(first.len() + others.len(), first.len())
}

/// Pairs that one instruction compares at best.
const LANES: usize = 16;

/// Rows that get their first thresholds from each other.
const OPENED: usize = 512;

/// Some positions and their candidates.
pub(super) struct Tile {
    positions: Range<usize>,
    candidates: Vec<Candidates>,
    /// `Bound::column_term` of each.
    terms: Vec<f32>,
    /// What the lists have come to, see `Bound::cut`.
    cuts: Vec<f32>,
}

impl Tile {
    pub(super) fn new(operand: &Operand, positions: Range<usize>, k: usize) -> Self {
        let each = || positions.clone();
        Self {
            candidates: each()
                .map(|p| Candidates::new(p, k, operand.spare))
                .collect(),
            terms: each().map(|q| operand.bound.column_term(q)).collect(),
            cuts: vec![f32::NEG_INFINITY; positions.len()],
            positions,
        }
    }

    /// Positions that others are compared with, but that look for nothing themselves.
    pub(super) fn without_lists(operand: &Operand, positions: Range<usize>) -> Self {
        Self {
            candidates: Vec::new(),
            terms: positions
                .clone()
                .map(|q| operand.bound.column_term(q))
                .collect(),
            // No pair passes these: nothing is at least NaN, not even infinity.
            cuts: vec![f32::NAN; positions.len()],
            positions,
        }
    }

    pub(super) fn positions(&self) -> Range<usize> {
        self.positions.clone()
    }

    /// What `finish` makes of the list of every position.
    pub(super) fn finish<R>(
        self,
        operand: &Operand,
        verdict: &mut Verdict<'_>,
        finish: impl Fn(usize, Vec<Candidate>, &mut Verdict<'_>) -> R,
    ) -> Vec<R> {
        let each = self.positions.zip(self.candidates);
        each.map(|(p, candidates)| {
            let list = candidates.finish(operand, verdict);
            finish(p, list, verdict)
        })
        .collect()
    }
}

/// What one thread needs to visit pairs of tiles.
pub(super) struct Worker<'a> {
    operand: &'a Operand<'a>,
    /// The processor's vector instructions, found once.
    arch: pulp::Arch,
    room: Room,
    products: Vec<f32>,
    scores: Vec<f32>,
    scratch: Vec<Candidate>,
    offers: Offers<'a>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(points: &'a Points<'a>, operand: &'a Operand<'a>) -> Self {
        Self {
            operand,
            arch: pulp::Arch::new(),
            room: Room::default(),
            products: Vec::new(),
            scores: Vec::new(),
            scratch: Vec::new(),
            offers: Offers {
                operand,
                verdict: Verdict::new(points),
                passing: Vec::new(),
            },
        }
    }

    /// Offers each row of a tile all others of it; the first visit of every tile.
    pub(super) fn visit_itself(&mut self, tile: &mut Tile) {
        let parts: Vec<Range<usize>> = split(&tile.positions).collect();
        for (at, part) in parts.iter().enumerate() {
            self.open(tile, part, part.clone());
            for earlier in &parts[..at] {
                self.offer(&Area::between(earlier.clone(), part.clone()), &mut [tile]);
            }
        }
    }

    /// Offers each row of one tile all rows of another, and the other way round.
    pub(super) fn visit(&mut self, a: &mut Tile, b: &mut Tile) {
        let area = Area::between(a.positions.clone(), b.positions.clone());
        self.offer(&area, &mut [a, b]);
    }

    /// Gives rows without thresholds their first ones: offers them all of `columns`, at once.
    pub(super) fn open(&mut self, tile: &mut Tile, rows: &Range<usize>, columns: Range<usize>) {
        let (operand, width) = (self.operand, columns.len());
        let (products, scores) = (&mut self.products, &mut self.scores);
        products.resize(rows.len() * width, 0.0);
        scores.resize(width, 0.0);
        operand.products(rows.clone(), columns.clone(), &mut self.room, products);
        for (p, products) in rows.clone().zip(products.chunks(width)) {
            vectorised(
                self.arch,
                #[inline(always)]
                || operand.bound.scores(p, columns.start, products, scores),
            );
            let own = p - tile.positions.start;
            let list = &mut tile.candidates[own];
            let (verdict, scratch) = (&mut self.offers.verdict, &mut self.scratch);
            list.offer_all(operand, verdict, columns.clone(), scores, scratch);
            tile.cuts[own] = list.cut(operand);
        }
    }

    /// Offers both rows of every pair of `area`, whose rows lie in the first of `tiles` and whose
    /// columns lie in the last, to each other.
    fn offer(&mut self, area: &Area, tiles: &mut [&mut Tile]) {
        let (arch, offers) = (self.arch, &mut self.offers);
        self.operand.multiply(area, &mut self.room, &mut |block| {
            vectorised(
                arch,
                #[inline(always)]
                || offers.take(block, tiles),
            );
        });
    }
}

/// A range in parts that are opened at once.
fn split(range: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let Range { start, end } = *range;
    (start..end)
        .step_by(OPENED)
        .map(move |start| start..(start + OPENED).min(end))
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
            let (row, column) = (top + r, left + start);
            let lanes = column..column + products.len();
            let (own, others) = (&tiles[0], &tiles[other]);
            let (term, cut) = (own.terms[row], own.cuts[row]);
            let for_row: [u8; LANES] = flag(
                products,
                &others.terms[lanes.clone()],
                #[inline(always)]
                |product, term| product - term >= cut,
            );
            let for_columns: [u8; LANES] = flag(
                products,
                &others.cuts[lanes],
                #[inline(always)]
                |product, cut| product - term >= cut,
            );
            let (p, first) = (block.rows.start + r, block.columns.start + start);
            // Each cut is read afresh: the last offer may have raised it.
            for_each_flagged(&for_row, |lane| {
                let product = products[lane];
                if product - tiles[other].terms[column + lane] >= tiles[0].cuts[row] {
                    self.offer(tiles[0], row, first + lane, product);
                }
            });
            for_each_flagged(&for_columns, |lane| {
                let product = products[lane];
                if product - term >= tiles[other].cuts[column + lane] {
                    self.offer(tiles[other], column + lane, p, product);
                }
            });
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
