//! Label overlap without the neighbours that share a second label: remote homology.

use std::collections::HashMap;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::labels::{Depth, LabelOverlap, averages, sizes_of};
use crate::geometry::Reason;

/// Label overlap of a table whose rows hold the nearest first, neighbours with the same second
/// label z left out,
///
/// ```text
/// o_i = #{ j among the first k_i neighbours with z_j ≠ z_i : y_j = y_i } / k_i
/// ```
///
/// so that sequences of one superfamily are found through those of other families (arXiv
/// 2302.00294). k_i is that of [`label_overlap`](super::label_overlap). A row without z, or of
/// which fewer than k_i others have another z, is not asked and counted in `n_not_asked`. A
/// neighbour without z is left out of nothing.
///
/// Dealt at random a class has the chance of its asked rows, the mean of
/// (n_y − n_yz)/(N − n_z): of the n_z rows with the label z of the row, n_yz are of its class.
///
/// # Errors
/// [`Reason::SingleClass`] with fewer than two classes; [`Reason::TooFewNeighbours`] if the table
/// may end before the k_i-th neighbour of another z; [`Reason::TooFewRows`] if no row is asked.
///
/// # Panics
/// If there is not one code of each kind for each row of the table.
pub fn label_overlap_apart(
    neighbours: ArrayView2<u32>,
    codes: &[Option<u32>],
    classes: &[String],
    depth: Depth,
    apart: &[Option<u32>],
) -> Result<LabelOverlap, Reason> {
    let (n, stored) = neighbours.dim();
    assert_eq!(n, codes.len(), "one label a row");
    assert_eq!(n, apart.len(), "one second label a row");
    let sizes = sizes_of(codes, classes.len());
    if sizes.iter().filter(|&&size| size > 0).count() < 2 {
        return Err(Reason::SingleClass);
    }
    let groups = apart.iter().flatten().max();
    let group_sizes = sizes_of(apart, groups.map_or(0, |&most| most as usize + 1));
    let shared = shared_sizes(codes, apart);
    let short = Err(Reason::TooFewNeighbours);
    let asked: Result<Vec<Option<(f64, f64)>>, Reason> = (0..n)
        .into_par_iter()
        .map(|row| {
            let (Some(class), Some(group)) = (codes[row], apart[row]) else {
                return Ok(None);
            };
            let k = depth.k(sizes[class as usize]);
            let others = n - group_sizes[group as usize];
            if others < k {
                return Ok(None);
            }
            let (mut same, mut seen) = (0usize, 0usize);
            let near = neighbours.row(row);
            let left = near.iter().filter(|&&j| apart[j as usize] != Some(group));
            for &j in left.take(k) {
                same += usize::from(codes[j as usize] == Some(class));
                seen += 1;
            }
            if seen < k {
                return short;
            }
            let kin = sizes[class as usize] - shared[&(class, group)];
            Ok(Some((same as f64 / k as f64, kin as f64 / others as f64)))
        })
        .collect();
    debug_assert!(stored < n, "no row is its own neighbour");
    let asked = asked?;
    let chances = chances_by_class(codes, &asked, classes.len());
    if chances.iter().all(|&(_, rows)| rows == 0) {
        return Err(Reason::TooFewRows);
    }
    let labelled = codes.iter().flatten().count();
    let rows: Vec<Option<f64>> = asked
        .iter()
        .map(|row| row.map(|(overlap, _)| overlap))
        .collect();
    let n_asked = rows.iter().flatten().count();
    let chance = |class: usize| chances[class].0 / chances[class].1 as f64;
    let k_of = |class: usize| depth.k(sizes[class]);
    Ok(LabelOverlap {
        n_not_asked: Some(labelled - n_asked),
        n_missing: n - labelled,
        singletons: sizes.iter().filter(|&&size| size == 1).count(),
        ..averages(codes, classes, rows, k_of, chance)
    })
}

/// Rows of each class in each group; only the groups that a class meets have an entry.
fn shared_sizes(codes: &[Option<u32>], apart: &[Option<u32>]) -> HashMap<(u32, u32), usize> {
    let mut shared = HashMap::new();
    for pair in codes.iter().zip(apart) {
        if let (Some(class), Some(group)) = pair {
            *shared.entry((*class, *group)).or_insert(0) += 1;
        }
    }
    shared
}

/// The sum of the chances of the asked rows of each class, and how many they are.
fn chances_by_class(
    codes: &[Option<u32>],
    asked: &[Option<(f64, f64)>],
    n_classes: usize,
) -> Vec<(f64, usize)> {
    let mut chances = vec![(0.0, 0usize); n_classes];
    for (code, found) in codes.iter().zip(asked) {
        if let (Some(code), Some((_, chance))) = (code, found) {
            let of_class = &mut chances[*code as usize];
            *of_class = (of_class.0 + chance, of_class.1 + 1);
        }
    }
    chances
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::geometry::relation::label_overlap;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| class.to_string()).collect()
    }

    fn some(codes: &[u32]) -> Vec<Option<u32>> {
        codes.iter().copied().map(Some).collect()
    }

    /// Six rows: classes 0 0 0 | 1 1 1, families a a b | c c d.
    fn table() -> ndarray::Array2<u32> {
        array![
            [1u32, 2, 3, 4, 5],
            [0, 3, 2, 4, 5],
            [3, 0, 1, 4, 5],
            [4, 5, 0, 1, 2],
            [3, 0, 5, 1, 2],
            [2, 3, 4, 0, 1],
        ]
    }

    #[test]
    fn the_nearest_of_another_family_are_asked() {
        let (codes, families) = (some(&[0, 0, 0, 1, 1, 1]), some(&[0, 0, 1, 2, 2, 3]));
        let of = |k| {
            let table = table();
            let depth = Depth::Neighbours(k);
            label_overlap_apart(table.view(), &codes, &names(2), depth, &families)
        };
        // By hand: the first neighbours of another family are 2, 3, 3, 5, 0, 2.
        let found = of(1).unwrap();
        let expected = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0].map(Some);
        assert_eq!(found.rows, expected);
        assert_eq!((found.micro, found.macro_), (2.0 / 6.0, 1.0 / 3.0));
        // Rows 0, 1: one of class 0 among the four of other families; row 2: two among five.
        let chance = (0.25 + 0.25 + 0.4) / 3.0;
        assert!((found.classes[0].chance - chance).abs() < 1e-15);
        assert_eq!((found.n, found.n_not_asked), (6, Some(0)));
        // Four neighbours of another family: all of them for rows 0, 1, 3, 4.
        let deep = of(4).unwrap();
        assert_eq!(deep.rows[0], Some(0.25));
        assert_eq!(deep.rows[2], Some(0.5));
        // Five: rows of families of two have only four left and are not asked.
        let deepest = of(5).unwrap();
        assert_eq!((deepest.n, deepest.n_not_asked), (2, Some(4)));
        assert_eq!(deepest.rows[0], None);
        assert_eq!(of(6).unwrap_err(), Reason::TooFewRows);
    }

    #[test]
    fn families_of_one_row_leave_nothing_out() {
        let (codes, alone) = (some(&[0, 0, 0, 1, 1, 1]), some(&[0, 1, 2, 3, 4, 5]));
        for depth in [Depth::Neighbours(2), Depth::ClassFraction(0.7)] {
            let table = table();
            let plain = label_overlap(table.view(), &codes, &names(2), depth).unwrap();
            let found =
                label_overlap_apart(table.view(), &codes, &names(2), depth, &alone).unwrap();
            assert_eq!((&found.rows, found.micro), (&plain.rows, plain.micro));
            assert!((found.chance_micro - plain.chance_micro).abs() < 1e-15);
        }
    }

    #[test]
    fn rows_without_a_family_are_counted_and_remain_neighbours() {
        let codes = some(&[0, 0, 0, 1, 1, 1]);
        let mut families = some(&[0, 0, 1, 2, 2, 3]);
        families[1] = None;
        let table = table();
        let depth = Depth::Neighbours(1);
        let found = label_overlap_apart(table.view(), &codes, &names(2), depth, &families);
        let found = found.unwrap();
        assert_eq!(
            (found.n, found.n_not_asked, found.n_missing),
            (5, Some(1), 0)
        );
        assert_eq!((found.rows[1], found.rows[0]), (None, Some(1.0)));
    }

    #[test]
    fn a_table_that_may_end_too_early_is_not_guessed_from() {
        let (codes, families) = (some(&[0, 0, 0, 1, 1, 1]), some(&[0, 0, 1, 2, 2, 3]));
        let short = table().slice(ndarray::s![.., ..1]).to_owned();
        let depth = Depth::Neighbours(1);
        let found = label_overlap_apart(short.view(), &codes, &names(2), depth, &families);
        assert_eq!(found.unwrap_err(), Reason::TooFewNeighbours);
    }
}
