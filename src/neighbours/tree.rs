//! A k-d tree for few columns, where it visits far fewer pairs than a sweep.
//!
//! The tree measures with the verdict itself. A rounded step of the verdict is monotone in
//! |x_j − y_j|, so the tree's bound, the verdict from a row to the nearest place of a box, never
//! exceeds the verdict to a row inside, not even by rounding: the tree misses nothing.

use kdtree::KdTree;
use rayon::prelude::*;

use super::exact::squared_distance;
use super::points::Points;
use crate::progress::Progress;

/// Rows between two reports of progress.
pub(super) const STEP: usize = 1024;

/// Calls `finish` with every row and its k nearest, by distance and then by row.
pub(super) fn nearest<R: Send>(
    points: &Points<'_>,
    k: usize,
    progress: &dyn Progress,
    finish: impl Fn(u32, Vec<(f64, u32)>) -> R + Sync,
) -> Vec<R> {
    let (n, columns) = (points.n_rows(), points.n_columns());
    let mut values = vec![0.0; n * columns];
    for (row, out) in values.chunks_mut(columns).enumerate() {
        points.row(row, out);
    }
    let rows: Vec<(u32, &[f64])> = (0..).zip(values.chunks(columns)).collect();
    let mut tree = KdTree::new(columns);
    for &(row, place) in &rows {
        tree.add(place, row)
            .expect("places are finite and have the tree's columns");
    }
    rows.par_iter()
        .map(|&(itself, place)| {
            let ascending = tree
                .iter_nearest(place, &squared_distance::<f64>)
                .expect("places are finite and have the tree's columns");
            let mut found: Vec<(f64, u32)> = Vec::with_capacity(k + 1);
            // Self is left out by index; rows tied with the k-th stay until they are sorted.
            for (squared, &row) in ascending.filter(|&(_, &row)| row != itself) {
                if found.len() >= k && squared > found[k - 1].0 {
                    break;
                }
                found.push((squared, row));
            }
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.truncate(k);
            if itself as usize % STEP == STEP - 1 {
                progress.advance(1);
            }
            finish(itself, found)
        })
        .collect()
}
