//! How many pairs of rows are closer than a radius.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::points::{Points, Verdict};

/// Ordered pairs of rows closer than each of two `radii`.
///
/// `distances` holds the nearest neighbours of every row, nearest first. A row whose list ends
/// before the larger radius is compared with all others by the exact distance.
pub fn pairs_within(points: &Points<'_>, distances: ArrayView2<f64>, radii: [f64; 2]) -> [u64; 2] {
    let n = points.n_rows();
    let widest = radii[0].max(radii[1]);
    let count = |found: &mut dyn Iterator<Item = f64>| {
        let mut pairs = [0u64; 2];
        for distance in found {
            for (pairs, radius) in pairs.iter_mut().zip(radii) {
                *pairs += u64::from(distance < radius);
            }
        }
        pairs
    };
    let by_row = (0..n).into_par_iter().map_init(
        || Verdict::new(points),
        |verdict, row| {
            let near = distances.row(row);
            let ends_before = near.last().is_none_or(|&far| far < widest);
            if !ends_before || near.len() + 1 >= n {
                return count(&mut near.iter().copied());
            }
            verdict.stand_at(row);
            let others = (0..)
                .take(n)
                .filter(|&other| other as usize != row)
                .collect();
            count(
                &mut verdict
                    .judge(others)
                    .into_iter()
                    .map(|(squared, _)| squared.sqrt()),
            )
        },
    );
    by_row.reduce(|| [0, 0], |a, b| [a[0] + b[0], a[1] + b[1]])
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::input::Matrix;
    use crate::neighbours::{Metric, SearchOptions, neighbour_table};
    use crate::progress::Silent;
    use crate::random::SplitMix64;

    #[test]
    fn pairs_are_those_of_all_distances_for_tables_of_any_length() {
        let mut random = SplitMix64::new(3);
        let cloud = Array2::from_shape_simple_fn((90, 3), || random.uniform());
        let matrix = Matrix::from(cloud);
        let points = Points::new(&matrix, Metric::Euclidean, "cloud").expect("values are finite");
        let table = |k| neighbour_table(&points, k, &SearchOptions::default(), &Silent);
        let all = table(89).distances;
        let radii = [0.2, 0.5];
        let expected = radii.map(|radius| all.iter().filter(|&&r| r < radius).count() as u64);
        for k in [1, 5, 20, 89] {
            let found = pairs_within(&points, table(k).distances.view(), radii);
            assert_eq!(found, expected, "k = {k}");
        }
    }
}
