//! The k-d tree against another one: the `kdtree` crate, whose code shares nothing with ours.

use kdtree::KdTree;
use proptest::prelude::*;
use repgeo::input::Matrix;
use repgeo::neighbours::{
    Metric, NeighbourTable, Points, SearchOptions, Strategy as Way, neighbour_table,
    squared_distance,
};
use repgeo::progress::Silent;

/// Rows of one width, on a coarse grid (ties and repeated rows everywhere), anywhere, or a few rows
/// many times.
fn rows() -> impl Strategy<Value = (usize, Vec<f64>)> {
    (1usize..=6, 2usize..150, 0..3).prop_flat_map(|(width, n, kind)| {
        let value = match kind {
            0 => (-2i32..3).prop_map(f64::from).boxed(),
            1 => (-1e3..1e3f64).boxed(),
            _ => prop_oneof![Just(0.0), Just(1e-9), Just(7.5)].boxed(),
        };
        (Just(width), proptest::collection::vec(value, width * n))
    })
}

/// The k nearest of every row as the other tree finds them: walked past k while the distance stays
/// the same, so that the lower rows of equally near ones can be taken.
fn by_oracle(width: usize, values: &[f64], k: usize) -> Vec<Vec<(f64, u32)>> {
    let mut tree = KdTree::new(width);
    for (row, place) in (0u32..).zip(values.chunks(width)) {
        tree.add(place, row).unwrap();
    }
    let squared = |a: &[f64], b: &[f64]| squared_distance(a, b);
    let of = |(row, place): (u32, &[f64])| {
        let others = tree.iter_nearest(place, &squared).unwrap();
        let mut found: Vec<(f64, u32)> = Vec::new();
        for (distance, &other) in others.filter(|&(_, &other)| other != row) {
            if found.len() >= k && distance > found[found.len() - 1].0 {
                break;
            }
            found.push((distance, other));
        }
        found.sort_by(|a, b| a.partial_cmp(b).unwrap());
        found.truncate(k);
        found
    };
    (0u32..).zip(values.chunks(width)).map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn our_tree_finds_the_rows_that_another_tree_finds(
        (width, values) in rows(),
        share in 0.0..=1.0f64,
    ) {
        let n = values.len() / width;
        // From 1 to N − 1, both ends as likely as what lies between.
        let k = ((share * 1.5 - 0.25).clamp(0.0, 1.0) * (n - 2) as f64) as usize + 1;
        let matrix = Matrix::from_f64(n, width, values.clone());
        let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
        let options = SearchOptions { strategy: Way::Tree, ..SearchOptions::default() };
        let NeighbourTable { indices, distances } =
            neighbour_table(&points, k, &options, &Silent).unwrap();
        for (i, expected) in by_oracle(width, &values, k).into_iter().enumerate() {
            let (squared, rows): (Vec<f64>, Vec<u32>) = expected.into_iter().unzip();
            let expected: Vec<f64> = squared.into_iter().map(f64::sqrt).collect();
            prop_assert_eq!(indices.row(i).to_vec(), rows);
            prop_assert_eq!(distances.row(i).to_vec(), expected);
        }
    }
}
