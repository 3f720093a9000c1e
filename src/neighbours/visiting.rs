//! In which order the sweep visits rows, and how many at once.

use super::table::index;

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
