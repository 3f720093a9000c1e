//! Rows that may be the top of a peak.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::order::{NONE, Neighbourhoods, Order};

/// The putative centres, and which of them a denser row claims for its own neighbourhood.
pub(super) struct Candidates {
    /// Rows that no neighbour within k* outdoes, by index.
    putative: Vec<u32>,
    /// For every row: the rank of the densest row that has it within its k* neighbours and is
    /// denser than it, if it is a putative centre; otherwise [`NONE`].
    claimed_by: Vec<u32>,
}

impl Candidates {
    pub(super) fn find(order: &Order, neighbours: &Neighbourhoods) -> Self {
        let n = u32::try_from(order.rank.len()).expect("rows are counted in 32 bits");
        let is_putative: Vec<bool> = (0..n)
            .into_par_iter()
            .map(|i| order.takes_part(i) && !neighbours.near(i).iter().any(|&j| order.before(j, i)))
            .collect();
        let claims: Vec<AtomicU32> = (0..n).map(|_| AtomicU32::new(NONE)).collect();
        (0..n)
            .into_par_iter()
            .filter(|&i| order.takes_part(i))
            .for_each(|i| {
                let rank = order.rank[i as usize];
                let near = neighbours.near(i).iter();
                for &j in near.filter(|&&j| is_putative[j as usize] && order.before(i, j)) {
                    // The least of all claims is the same in whatever order they come.
                    claims[j as usize].fetch_min(rank, Ordering::Relaxed);
                }
            });
        Self {
            putative: (0..n).filter(|&i| is_putative[i as usize]).collect(),
            claimed_by: claims.into_iter().map(AtomicU32::into_inner).collect(),
        }
    }

    /// The centres that nobody claims, by index.
    pub(super) fn surviving(&self) -> Vec<u32> {
        let unclaimed = |&&i: &&u32| self.claimed_by[i as usize] == NONE;
        self.putative.iter().filter(unclaimed).copied().collect()
    }

    /// The rank of the densest row that claims `row`; `None` unless it is a removed centre.
    pub(super) fn claimant(&self, row: u32) -> Option<u32> {
        Some(self.claimed_by[row as usize]).filter(|&rank| rank != NONE)
    }
}
