//! Recognises tables of distances and neighbours by what arrays hold, whatever they are called.

use super::beside;
use super::entry::Entry;
use super::item::Item;

/// Rows that are looked at, spread over the array.
const ROWS: usize = 24;

/// Pairs of distances and indices among `entries`, by their places; `known` are settled already.
pub(super) fn pairs(entries: &[&Entry], known: &[bool]) -> Vec<(usize, usize)> {
    let open = |at: &usize| !known[*at] && entries[*at].shape.len() == 2;
    let is_whole = |entry: &Entry| matches!(entry.item, Item::Number(dtype) if !dtype.is_float() && dtype.size() > 1);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for near in (0..entries.len())
        .filter(open)
        .filter(|&at| is_whole(entries[at]))
    {
        let fits = |&far: &usize| {
            beside::is_float(entries[far])
                && entries[far].shape == entries[near].shape
                && found.iter().all(|(taken, _)| *taken != far)
                && are_a_table(entries[far], entries[near])
        };
        let same_file = |&far: &usize| entries[far].path == entries[near].path;
        let mut others = (0..entries.len()).filter(open);
        let far = others
            .clone()
            .filter(same_file)
            .find(fits)
            .or_else(|| others.find(fits));
        found.extend(far.map(|far| (far, near)));
    }
    found
}

/// Some rows of an array, evenly spread.
pub(super) fn some_rows(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(n.div_ceil(ROWS).max(1))
}

/// Whether rows of `near` are distinct rows and those of `far` ascend from 0 or more.
fn are_a_table(far: &Entry, near: &Entry) -> bool {
    let [n, k] = near.shape[..] else {
        return false;
    };
    if n < 3 || k < 2 || k > n {
        return false;
    }
    let (Ok(far), Ok(near)) = (far.load(), near.load()) else {
        return false;
    };
    let (Some(distance), Some(index)) = (far.runs_f64(), near.runs_f64()) else {
        return false;
    };
    let (mut distances, mut indices) = (vec![0.0; k], vec![0.0; k]);
    some_rows(n).all(|row| {
        distance(row, 0, &mut distances);
        index(row, 0, &mut indices);
        indices.sort_by(f64::total_cmp);
        distances.windows(2).all(|pair| pair[0] <= pair[1])
            // Rounding leaves a little below 0 where self is.
            && distances[k - 1] > 0.0
            && distances[0] > -1e-2 * distances[k - 1]
            && indices.windows(2).all(|pair| pair[0] < pair[1])
            && indices[0] >= 0.0
            && indices[k - 1] < n as f64
    })
}
