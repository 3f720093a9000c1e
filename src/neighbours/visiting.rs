//! In which order the sweep visits rows, and how many at once.

use std::ops::Range;

use super::table::index;

/// Which positions ask for neighbours, and how all of them are cut into tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    /// Number of positions, from the first, that ask; the others are only compared with.
    pub(super) count: usize,
    /// Positions of a tile of those that ask.
    pub(super) tile: usize,
    /// Positions of a tile of the others.
    pub(super) other_tile: usize,
}

impl Asking {
    /// For `count` of `n` positions; `height` is the most that a tile may have, if there is such a
    /// limit.
    pub(super) fn new(n: usize, count: usize, height: Option<usize>, asked: Option<usize>) -> Self {
        let tile = |of| height.unwrap_or(usize::MAX).min(tile_size(of, asked));
        Self {
            count,
            tile: match height {
                Some(height) if count == n => height,
                _ => tile(count),
            },
            other_tile: height.unwrap_or_else(|| tile_size(n, asked)),
        }
    }

    /// The tiles of those that ask, then those of the others.
    pub(super) fn tiles(&self, n: usize) -> [Vec<Range<usize>>; 2] {
        let cut = |start: usize, end: usize, tile: usize| {
            let starts = (start..end).step_by(tile.max(1));
            starts.map(|at| at..(at + tile.max(1)).min(end)).collect()
        };
        [
            cut(0, self.count, self.tile),
            cut(self.count, n, self.other_tile),
        ]
    }
}

/// The order in which the sweep visits rows when `rows` alone ask: these first.
pub(super) fn asking_first(n: usize, rows: &Range<usize>) -> Vec<u32> {
    let (mut first, others): (Vec<u32>, Vec<u32>) = visiting_order(n)
        .into_iter()
        .partition(|&row| rows.contains(&(row as usize)));
    first.extend(others);
    first
}

/// The order in which the sweep visits rows: a fixed stride through all of them, so that the
/// first tile, and every other, is a sample of the whole layer whatever the rows' order.
pub(super) fn visiting_order(n: usize) -> Vec<u32> {
    let n = u64::from(index(n));
    // Near the golden section consecutive rows stay far apart at every length.
    let golden = n * 618 / 1000;
    let stride = (golden.max(1)..)
        .find(|&s| greatest_common_divisor(s, n) == 1)
        .unwrap_or(1);
    (0..n)
        .map(|p| index(usize::try_from(p * stride % n).unwrap_or(0)))
        .collect()
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Rows per tile: large enough for the matrix product, small enough for the second-level cache
/// and for every thread to have work.
pub(super) fn tile_size(n: usize, asked: Option<usize>) -> usize {
    let shared = n
        .div_ceil(4 * rayon::current_num_threads())
        .next_multiple_of(32);
    asked
        .unwrap_or_else(|| shared.clamp(64, 512))
        .clamp(1, n.max(1))
}
