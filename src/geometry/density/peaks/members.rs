//! Assigns every row to a peak, before any are merged.

use rayon::prelude::*;

use super::centres::Candidates;
use super::order::{NONE, Neighbourhoods, Order};

/// The provisional peak of every row: an index into `centres`, or [`NONE`].
///
/// When its turn comes, a row joins its nearest neighbour that is a centre or denser than itself,
/// for all of those have a peak by then. So whom it joins is known beforehand, in parallel; only
/// following the chain takes the rows in order.
///
/// A row without any such neighbour is a removed centre: it then follows the densest of the rows
/// that claimed it, or claimed another removed centre among its neighbours.
pub(super) fn assign(
    order: &Order,
    neighbours: &Neighbourhoods,
    candidates: &Candidates,
    centres: &[u32],
) -> Vec<u32> {
    let mut labels = vec![NONE; order.rank.len()];
    for (label, &centre) in (0u32..).zip(centres) {
        labels[centre as usize] = label;
    }
    let is_centre = |row: u32| labels[row as usize] != NONE;
    let joins: Vec<u32> = order
        .rows
        .par_iter()
        .map(|&i| {
            if is_centre(i) {
                return i;
            }
            let all = neighbours.all(i);
            let nearest = all.iter().find(|&&j| is_centre(j) || order.before(j, i));
            nearest.copied().unwrap_or_else(|| {
                let claims = all
                    .iter()
                    .chain([&i])
                    .filter_map(|&j| candidates.claimant(j));
                let densest = claims
                    .min()
                    .expect("a row without a denser neighbour is claimed");
                order.rows[densest as usize]
            })
        })
        .collect();
    for (&i, &joined) in order.rows.iter().zip(&joins) {
        labels[i as usize] = labels[joined as usize];
        debug_assert!(labels[i as usize] != NONE, "the row joined has a peak");
    }
    labels
}
