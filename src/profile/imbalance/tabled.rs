//! Ranks read off a table of neighbours that somebody computed before.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result};
use crate::input::PrecomputedTable;
use crate::neighbours::RankCounts;

/// The ranks of `targets` (N × m rows) in the space of `table`, and for each of `groups` how often each
/// row stands before one of its targets.
///
/// A rank is a target's place among the neighbours of its row, equal distances in the order of the
/// table. All rows that stand before a target stand in the table with it, so that what is found is
/// exact.
///
/// # Errors
/// [`Error::Usage`] if a target is not among the neighbours that the table called `name` holds: its
/// rank is unknown.
pub(super) fn ranks(
    table: &PrecomputedTable,
    name: &str,
    targets: ArrayView2<'_, u32>,
    groups: &[Range<usize>],
) -> Result<RankCounts> {
    let n = table.n;
    let mut ranks = Array2::zeros(targets.dim());
    let mut nearer = Array2::zeros((n, groups.len()));
    // 0 of what is no neighbour; emptied after each row.
    let mut rank_of = vec![0u32; n];
    // Of the targets of a group, how many have each rank.
    let mut at_rank = vec![0u64; table.k + 1];
    let mut beyond = 0;
    for (row, neighbours) in table.indices.rows().into_iter().enumerate() {
        for (rank, &neighbour) in (1..).zip(neighbours) {
            rank_of[neighbour as usize] = rank;
        }
        for (rank, &target) in ranks.row_mut(row).iter_mut().zip(targets.row(row)) {
            *rank = rank_of[target as usize];
        }
        let found = ranks.row(row);
        beyond += usize::from(found.iter().any(|&rank| rank == 0));
        for (group, columns) in groups.iter().enumerate() {
            for column in columns.clone() {
                at_rank[found[column] as usize] += 1;
            }
            let mut behind = 0;
            for (place, &neighbour) in neighbours.iter().enumerate().rev() {
                nearer[[neighbour as usize, group]] += behind;
                behind += at_rank[place + 1];
            }
            at_rank.fill(0);
        }
        for &neighbour in neighbours {
            rank_of[neighbour as usize] = 0;
        }
    }
    if beyond > 0 {
        return Err(Error::Usage(format!(
            "the table {name} holds {} neighbours of each row, and {beyond} of {n} rows have a \
             neighbour in another table that is not among them, so that its rank is unknown; give \
             tables of all {} other rows (repgeo neighbours ACTS -k {}), or a square matrix of \
             distances",
            table.k,
            n - 1,
            n - 1
        )));
    }
    Ok(RankCounts { ranks, nearer })
}
