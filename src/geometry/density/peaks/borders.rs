//! Finds where provisional peaks meet.

use rayon::prelude::*;

use super::merge::Border;
use super::order::{NONE, Neighbourhoods, Order};

/// The border row of largest g of every pair of peaks that meet, pairs in order.
///
/// Equal g are settled by the order of visits: the lower peak first, then the lower row.
pub(super) fn borders(
    order: &Order,
    neighbours: &Neighbourhoods,
    labels: &[u32],
    centres: &[u32],
) -> Vec<Border> {
    let label = |row: u32| labels[row as usize];
    let n = u32::try_from(labels.len()).expect("rows are counted in 32 bits");
    let mut found: Vec<Border> = (0..n)
        .into_par_iter()
        .filter(|&p| label(p) != NONE && centres[label(p) as usize] != p)
        .filter_map(|p| {
            let own = label(p);
            let foreign = |&&j: &&u32| label(j) != own && label(j) != NONE;
            let &q = neighbours.near(p).iter().find(foreign)?;
            // p is the member of its peak that is nearest to q, as far as the table tells.
            let nearest = neighbours.all(q).iter().find(|&&j| label(j) == own);
            nearest.is_none_or(|&j| j == p).then(|| Border {
                pair: [own.min(label(q)), own.max(label(q))],
                row: p,
            })
        })
        .collect();
    found.sort_unstable_by(|x, y| {
        let g = |border: &Border| order.g[border.row as usize];
        let visit = |border: &Border| (label(border.row), border.row);
        let pairs = x.pair.cmp(&y.pair);
        pairs
            .then(g(y).total_cmp(&g(x)))
            .then(visit(x).cmp(&visit(y)))
    });
    found.dedup_by_key(|border| border.pair);
    found
}
