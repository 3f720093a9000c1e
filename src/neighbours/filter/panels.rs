//! Rows in panels, and how a kernel walks over them.
//!
//! A panel holds `W` rows, one to each lane of a vector: first the first word of all of them, then
//! the second ones. A word is 32 bits of a row: one f32, or two bf16 values. So one vector of
//! columns times one word of a row, spread over all lanes, gives `W` products at once, and a block
//! of rows and columns keeps all its sums in registers until it is done.

use rayon::prelude::*;

use super::frame::Frame;
use super::packed::{Packed, Rounded};
use super::{Area, Block};
use crate::neighbours::points::Points;
use crate::vectors::vectorised;

/// The same word of each row of a panel.
pub(super) type Words<const W: usize> = [u32; W];

/// Words of a row that are multiplied before the next row's turn: three panels of sixteen rows
/// take 384 KiB and stay in the second-level cache while all rows of a tile pass by.
const DEPTH: usize = 2048;

/// Words of a row that are added up by themselves before they meet the sum of those before. With
/// few a product passes through few roundings, which makes the bound tight; with fewer still the
/// sums would go to memory and back for a good part of the time.
const PIECE: usize = 256;

/// Panels of columns that a block has at most, for any kernel.
const MOST: usize = 3;

/// The vector instructions of a kernel. A value of this type proves that the machine has them.
pub(super) trait Lanes<const W: usize>: Copy + Send + Sync + 'static {
    /// Rows of a block; divides `W`.
    const ROWS: usize;

    /// Panels of columns of a block, three at most.
    const PANELS: usize;

    /// Multiplies some rows of `left`, from `first` on, with all rows of up to [`Self::PANELS`]
    /// panels.
    ///
    /// `sums` has [`Self::ROWS`] rows of as many values as there are columns; they are added to if
    /// `add`, else replaced.
    fn block(
        self,
        left: &[Words<W>],
        first: usize,
        right: &[&[Words<W>]],
        add: bool,
        sums: &mut [f32],
    );
}

/// Makes a kernel of a [`Vector`]: [`Lanes::block`] compiled for its instructions.
macro_rules! kernel {
    ($vector:ty, $features:literal, rows: $rows:expr, panels: $panels:expr) => {
        impl $crate::neighbours::filter::panels::Lanes<W> for $vector {
            const ROWS: usize = $rows;
            const PANELS: usize = $panels;

            #[allow(unsafe_code)]
            fn block(
                self,
                left: &[Words<W>],
                first: usize,
                right: &[&[Words<W>]],
                add: bool,
                sums: &mut [f32],
            ) {
                #[target_feature(enable = $features)]
                fn compiled(
                    vector: $vector,
                    left: &[Words<W>],
                    first: usize,
                    right: &[&[Words<W>]],
                    add: bool,
                    sums: &mut [f32],
                ) {
                    panels::block::<W, { $rows }, _>(vector, left, first, right, add, sums);
                }
                // SAFETY: `self` proves that the machine has these instructions.
                unsafe { compiled(self, left, first, right, add, sums) }
            }
        }
    };
}
pub(super) use kernel;

/// One vector of a kernel, for [`block`].
pub(super) trait Vector<const W: usize>: Copy {
    /// `W` lanes of 32 bits.
    type Lanes: Copy;
    /// All lanes 0.
    fn zero(self) -> Self::Lanes;
    /// One word a lane.
    fn load(self, words: &Words<W>) -> Self::Lanes;
    /// One of some words in every lane.
    fn splat(self, words: &[u32], at: usize) -> Self::Lanes;
    /// `sum` + the products of each lane of `a` and `b`.
    fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, sum: Self::Lanes) -> Self::Lanes;
    /// The lanes as f32.
    fn store(self, sums: Self::Lanes, out: &mut [f32; W]);
    /// Adds the lanes to f32.
    fn add_to(self, sums: Self::Lanes, out: &mut [f32; W]);

    /// Product sums of `R` rows of `left`, the `part`-th `R` of the panel, with `P` panels as deep.
    #[inline(always)]
    fn sum_up<const R: usize, const P: usize>(
        self,
        left: &[Words<W>],
        part: usize,
        right: [&[Words<W>]; P],
    ) -> [[Self::Lanes; P]; R] {
        sum_up(self, left, part, right)
    }
}

/// [`Lanes::block`] with `R` rows: always inlined into a function compiled for its vectors.
#[inline(always)]
pub(super) fn block<const W: usize, const R: usize, V: Vector<W>>(
    vector: V,
    left: &[Words<W>],
    first: usize,
    right: &[&[Words<W>]],
    add: bool,
    sums: &mut [f32],
) {
    let part = first / R;
    match *right {
        [a] => by_pieces::<W, R, 1, V>(vector, left, part, [a], add, sums),
        [a, b] => by_pieces::<W, R, 2, V>(vector, left, part, [a, b], add, sums),
        [a, b, c] => by_pieces::<W, R, 3, V>(vector, left, part, [a, b, c], add, sums),
        _ => unreachable!("a block has one to three panels"),
    }
}

/// [`Vector::sum_up`] by [`PIECE`]s.
#[inline(always)]
fn by_pieces<const W: usize, const R: usize, const P: usize, V: Vector<W>>(
    vector: V,
    left: &[Words<W>],
    part: usize,
    right: [&[Words<W>]; P],
    mut add: bool,
    out: &mut [f32],
) {
    for (at, left) in left.chunks(PIECE).enumerate() {
        let mut piece = right;
        for panel in &mut piece {
            *panel = &panel[at * PIECE..][..left.len()];
        }
        let sums: [[V::Lanes; P]; R] = vector.sum_up(left, part, piece);
        write(vector, sums, add, out);
        add = true;
    }
}

/// [`Vector::sum_up`] as the compiler makes it.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
pub(super) fn sum_up<const W: usize, const R: usize, const P: usize, V: Vector<W>>(
    vector: V,
    left: &[Words<W>],
    part: usize,
    mut right: [&[Words<W>]; P],
) -> [[V::Lanes; P]; R] {
    let mut sums = [[vector.zero(); P]; R];
    // Cut to one length, panel by panel, and counted: so the compiler sees that no index is out of
    // bounds.
    let depth = left.len();
    for panel in &mut right {
        *panel = &panel[..depth];
    }
    for at in 0..depth {
        let row = &left[at];
        let mut columns = [vector.zero(); P];
        for p in 0..P {
            columns[p] = vector.load(&right[p][at]);
        }
        let row = &row.as_chunks::<R>().0[part];
        for r in 0..R {
            let word = vector.splat(row, r);
            for p in 0..P {
                sums[r][p] = vector.multiply_add(word, columns[p], sums[r][p]);
            }
        }
    }
    sums
}

/// Puts sums into `out`, or adds them to it.
#[inline(always)]
fn write<const W: usize, const R: usize, const P: usize, V: Vector<W>>(
    vector: V,
    sums: [[V::Lanes; P]; R],
    add: bool,
    out: &mut [f32],
) {
    let out = out.as_chunks_mut::<W>().0;
    for r in 0..R {
        for p in 0..P {
            let out = &mut out[r * P + p];
            if add {
                vector.add_to(sums[r][p], out);
            } else {
                vector.store(sums[r][p], out);
            }
        }
    }
}

/// All rows of a layer.
struct Panels<const W: usize, L> {
    lanes: L,
    /// Words of a row.
    depth: usize,
    /// panels × depth.
    words: Vec<Words<W>>,
}

/// Packs the rows of `points` in the given order, `depth` words each.
///
/// `round` turns a row in its frame into words and returns its squared norm after rounding, what
/// the squared distance that rounding moved it certainly does not exceed, and λ² of [`super`].
pub(super) fn pack<const W: usize, L: Lanes<W>>(
    lanes: L,
    points: &Points<'_>,
    order: &[u32],
    frame: &Frame,
    depth: usize,
    round: impl Fn(&mut [f64], &mut [u32]) -> [f64; 3] + Sync,
) -> Rounded {
    let mut words: Vec<Words<W>> = vec![[0; W]; order.len().div_ceil(W) * depth];
    let panels = words.par_chunks_mut(depth.max(1));
    let measured = round_panels(points, order, frame, [W, depth], round, panels, transpose);
    let packed = Panels {
        lanes,
        depth,
        words,
    };
    let columns = points.n_columns();
    let piece = PIECE * columns.div_ceil(depth.max(1));
    Rounded {
        packed: Box::new(packed),
        measured,
        // Those of its piece, and one for each later piece.
        steps: columns.min(piece) + depth.div_ceil(PIECE),
    }
}

/// Rounds `height` rows at a time to `depth` words each, row by row; `place` puts them into the
/// next of the panels. Returns what `round` measured of every row.
pub(super) fn round_panels<'a, T: Send + 'a>(
    points: &Points<'_>,
    order: &[u32],
    frame: &Frame,
    [height, depth]: [usize; 2],
    round: impl Fn(&mut [f64], &mut [u32]) -> [f64; 3] + Sync,
    panels: impl IndexedParallelIterator<Item = &'a mut [T]>,
    place: impl Fn(&[u32], &mut [T]) + Sync,
) -> Vec<[f64; 3]> {
    let arch = pulp::Arch::new();
    panels
        .zip(order.par_chunks(height))
        .map_init(
            || (vec![0.0; points.n_columns()], vec![0; height * depth]),
            |(wide, rounded), (panel, rows)| {
                let mut measured = Vec::with_capacity(rows.len());
                rounded.fill(0);
                for (words, &row) in rounded.chunks_mut(depth.max(1)).zip(rows) {
                    points.row(row as usize, wide);
                    measured.push(vectorised(
                        arch,
                        #[inline(always)]
                        || {
                            frame.place(wide);
                            round(wide, words)
                        },
                    ));
                }
                vectorised(
                    arch,
                    #[inline(always)]
                    || place(rounded, panel),
                );
                measured
            },
        )
        .flatten_iter()
        .collect()
}

/// `panel[k][lane]` becomes word k of row `lane` of `rows`.
#[inline(always)]
fn transpose<const W: usize>(rows: &[u32], panel: &mut [Words<W>]) {
    let depth = panel.len();
    for (k, words) in panel.iter_mut().enumerate() {
        for (lane, word) in words.iter_mut().enumerate() {
            *word = rows[lane * depth + k];
        }
    }
}

impl<const W: usize, L: Lanes<W>> Packed for Panels<W, L> {
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>)) {
        let (most, height) = (L::PANELS.min(MOST), L::ROWS);
        let first = area.rows.start / height * height;
        // Rows longer than one pass keep the sums of all blocks below each other until the last.
        let passes = self.depth.div_ceil(DEPTH);
        let kept = if passes > 1 {
            (area.rows.end - first).div_ceil(height)
        } else {
            1
        };
        let block_size = height * most * W;
        if room.len() < kept * block_size {
            room.resize(kept * block_size, 0.0);
        }
        let last = area.columns.end.div_ceil(W);
        for panel in (area.columns.start / W..last).step_by(most) {
            let count = (last - panel).min(most);
            let (base, across) = (panel * W, count * W);
            let columns = area.columns.start.max(base)..area.columns.end.min(base + across);
            let wanted = &area.rows;
            for pass in 0..passes {
                let words = pass * DEPTH..((pass + 1) * DEPTH).min(self.depth);
                let mut right: [&[Words<W>]; MOST] = [&[]; MOST];
                for (at, right) in right[..count].iter_mut().enumerate() {
                    *right = &self.panel(panel + at)[words.clone()];
                }
                for (at, top) in (first..wanted.end).step_by(height).enumerate() {
                    let at = if passes > 1 { at } else { 0 };
                    let sums = &mut room[at * block_size..][..height * across];
                    let left = &self.panel(top / W)[words.clone()];
                    let right = &right[..count];
                    self.lanes.block(left, top % W, right, pass > 0, sums);
                    if pass + 1 < passes {
                        continue;
                    }
                    // A block reaches beyond ranges that begin or end inside a panel.
                    let rows = wanted.start.max(top)..wanted.end.min(top + height);
                    let corner = (rows.start - top) * across + columns.start - base;
                    visit(&Block {
                        rows,
                        columns: columns.clone(),
                        products: &sums[corner..],
                        stride: across,
                    });
                }
            }
        }
    }
}

impl<const W: usize, L> Panels<W, L> {
    fn panel(&self, at: usize) -> &[Words<W>] {
        &self.words[at * self.depth..(at + 1) * self.depth]
    }
}
