//! Keeps a search within its limit on memory.
//!
//! Beside the mapped input a search holds the packed copy of all rows, 4·D bytes a row (8·D where
//! rows may be split in two), and lists and results, which grow with N·k. Results must fit; where
//! the packed copy does not, every thread packs the rows of two tiles when it visits them.

use super::options::SearchOptions;
use super::points::Points;
use crate::error::{Error, Result};

/// Bytes of what is kept for each position, whatever is sought: its row, norms and bounds.
const POSITION: u64 = 64;

/// Rows of the smallest tile: with fewer, packing would take longer than the products.
pub(super) const SMALLEST: usize = 256;

/// What a search holds beside the packed rows.
pub(super) struct Needs {
    /// Rows that ask.
    pub(super) asking: usize,
    /// Bytes of lists and results for each of them.
    pub(super) row: u64,
    /// Bytes for every row, whether it asks or not.
    pub(super) every: u64,
    /// Bytes a thread.
    pub(super) thread: u64,
}

/// Rows of a tile that each thread may pack two of; `None` if all rows fit at once.
///
/// # Errors
/// [`Error::Memory`] if not even the smallest tiles do.
pub(super) fn tile_height(
    points: &Points<'_>,
    needs: &Needs,
    options: &SearchOptions,
) -> Result<Option<usize>> {
    let Some(limit) = options.max_memory else {
        return Ok(None);
    };
    let fixed = fixed(points, needs, options);
    let row = options.kernel.packed_row(points.n_columns());
    if fixed + points.n_rows() as u64 * row <= limit {
        return Ok(None);
    }
    let side_by_side = 2 * row * rayon::current_num_threads() as u64;
    let height = limit.saturating_sub(fixed) / side_by_side;
    let height = usize::try_from(height).unwrap_or(usize::MAX) / 16 * 16;
    if height < SMALLEST {
        let needed = fixed + SMALLEST as u64 * side_by_side;
        return Err(refuse(points, needed, limit, options));
    }
    Ok(Some(height))
}

/// Checks that all rows fit at once, for what cannot go by tiles.
///
/// # Errors
/// [`Error::Memory`] if they do not.
pub(super) fn check_whole(
    points: &Points<'_>,
    needs: &Needs,
    options: &SearchOptions,
) -> Result<()> {
    let row = options.kernel.packed_row(points.n_columns());
    let needed = fixed(points, needs, options) + points.n_rows() as u64 * row;
    match options.max_memory {
        Some(limit) if needed > limit => Err(refuse(points, needed, limit, options)),
        _ => Ok(()),
    }
}

fn fixed(points: &Points<'_>, needs: &Needs, options: &SearchOptions) -> u64 {
    options.beside
        + points.n_rows() as u64 * (POSITION + needs.every)
        + needs.asking as u64 * needs.row
        + rayon::current_num_threads() as u64 * needs.thread
}

fn refuse(points: &Points<'_>, needed: u64, limit: u64, options: &SearchOptions) -> Error {
    let (layer, n) = (points.layer(), points.n_rows());
    let others = match options.beside {
        0 => "",
        _ => ", and what is held beside them,",
    };
    Error::Memory {
        work: format!("layer {layer}: the neighbours of {n} rows{others}"),
        needed,
        limit,
        remedy: "raise it, ask for fewer neighbours, or use fewer --threads".into(),
    }
}
