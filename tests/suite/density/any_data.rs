//! Rows that nobody should have: none may panic, and every label must be one that exists.

use ndarray::Array2;
use proptest::prelude::*;
use repgeo::geometry::Reason;
use repgeo::geometry::density::peaks::{Linkage, dendrogram, density_peaks, map};
use repgeo::geometry::density::{Correction, Densities, RowDensity, knn, kstar, kstar_nn, pak};

use super::Layer;

/// Small whole numbers: many rows repeat, many distances tie or are 0.
fn rows() -> impl Strategy<Value = Array2<f64>> {
    (2usize..40, 1usize..4).prop_flat_map(|(n, d)| {
        prop::collection::vec(0i8..6, n * d).prop_map(move |values| {
            let values = values.into_iter().map(f64::from).collect();
            Array2::from_shape_vec((n, d), values).unwrap()
        })
    })
}

fn check(densities: Result<Densities, Reason>, layer: &Layer, z: f64) -> Result<(), TestCaseError> {
    let Ok(densities) = densities else {
        return Ok(());
    };
    let known = |row: &Option<RowDensity>| {
        row.is_none_or(|row| row.log_density.is_finite() && row.error.is_finite())
    };
    prop_assert!(densities.rows.iter().all(known));
    let Ok(found) = density_peaks(&densities, layer.table.indices.view(), z) else {
        prop_assert_eq!(densities.n_missing(), densities.rows.len());
        return Ok(());
    };
    let n = found.peaks.len();
    prop_assert!(n >= 1);
    for (label, density) in found.labels.iter().zip(&densities.rows) {
        prop_assert_eq!(label.is_some(), density.is_some());
        prop_assert!(label.is_none_or(|label| label < n));
    }
    let (low, high) = densities.range().unwrap();
    let at = map(&found.peaks, &found.saddles, high, low - 1.0).unwrap();
    prop_assert!(at.iter().flatten().all(|x| x.is_finite()));
    let tree = dendrogram(&found.peaks, &found.saddles, Linkage::Single, None);
    match tree {
        Ok(tree) => prop_assert_eq!(tree.nodes.len(), 2 * n - 1),
        Err(reason) => prop_assert_eq!((reason, n), (Reason::SinglePeak, 1)),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_rows_break_a_density_or_its_peaks(
        data in rows(), k in 1usize..40, id in prop::sample::select(vec![0.3, 2.0, 60.0, 1000.0]),
        z in 0.0f64..4.0,
    ) {
        let layer = Layer::new(&data, k);
        let (distances, indices) = (layer.table.distances.view(), layer.table.indices.view());
        check(knn(distances, k.min(layer.table.k()), id), &layer, z)?;
        if let Ok(sizes) = kstar(distances, indices, id, 1e-3, Correction::None) {
            check(kstar_nn(distances, &sizes, id), &layer, z)?;
            check(pak(distances, &sizes, id), &layer, z)?;
        }
    }
}
