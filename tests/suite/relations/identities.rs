//! What must hold whatever the data.

use ndarray::{Array2, Axis};
use repgeo::geometry::relation::{chance, floor, neighbour_overlap};
use repgeo::random::SplitMix64;

use super::layers::{imbalance, neighbours, normal};

/// A random rotation by Gram–Schmidt.
fn rotation(d: usize, seed: u64) -> Array2<f64> {
    let mut basis = normal(d, d, seed);
    for at in 0..d {
        for before in 0..at {
            let along = basis.row(at).dot(&basis.row(before));
            let other = basis.row(before).to_owned();
            basis.row_mut(at).scaled_add(-along, &other);
        }
        let length = basis.row(at).dot(&basis.row(at)).sqrt();
        basis.row_mut(at).mapv_inplace(|x| x / length);
    }
    basis
}

#[test]
fn rotating_moving_and_scaling_a_layer_changes_nothing() {
    let (a, b) = (normal(300, 8, 1), normal(300, 6, 2));
    let mixed = ndarray::concatenate![Axis(1), a.slice(ndarray::s![.., ..3]), b];
    let moved = mixed.dot(&rotation(9, 3)) * 37.5 + 11.0;
    let (plain, turned) = (neighbours(&mixed, 10), neighbours(&moved, 10));
    assert_eq!(plain, turned);
    for k in [1, 5] {
        assert_eq!(imbalance(&a, &mixed, k), imbalance(&a, &moved, k));
        assert_eq!(imbalance(&mixed, &a, k), imbalance(&moved, &a, k));
        let same = imbalance(&mixed, &moved, k).unwrap();
        assert_eq!(Some(same.value), floor(300, k));
        assert_eq!(same.std_error, 0.0);
    }
    assert!(
        neighbour_overlap(plain.view(), turned.view(), 10)
            .iter()
            .all(|&o| o == 1.0)
    );
}

#[test]
fn the_order_of_rows_changes_only_their_names() {
    let (a, b) = (normal(250, 4, 5), normal(250, 4, 6));
    let b = &a * 0.7 + &b;
    let order = SplitMix64::new(9).choose(250, 250);
    let mix = |rows: &Array2<f64>| rows.select(Axis(0), &order);
    let (before, after) = (
        imbalance(&a, &b, 3).unwrap(),
        imbalance(&mix(&a), &mix(&b), 3).unwrap(),
    );
    assert_eq!(before.value, after.value);
    assert!((before.std_error - after.std_error).abs() < 1e-14);
}

#[test]
fn independent_layers_have_imbalance_one_and_overlap_by_chance() {
    // Mean over ten draws of each, against the standard error of that mean.
    let (n, k) = (400, 20);
    let mut values = Vec::new();
    let mut overlaps = Vec::new();
    for seed in 0..10 {
        let (a, b) = (normal(n, 5, 100 + seed), normal(n, 5, 200 + seed));
        values.push(imbalance(&a, &b, 1).unwrap().value);
        let overlap = neighbour_overlap(neighbours(&a, k).view(), neighbours(&b, k).view(), k);
        overlaps.push(overlap.iter().sum::<f64>() / n as f64);
    }
    for (values, expected) in [(values, 1.0), (overlaps, chance(n, k))] {
        let mean = values.iter().sum::<f64>() / 10.0;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 9.0;
        let error = (variance / 10.0).sqrt();
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{mean} {expected} {error}"
        );
    }
}

#[test]
fn a_layer_predicts_the_part_of_it_better_than_the_part_the_layer() {
    let whole = normal(600, 10, 3);
    let mut last = (1.0, 1.0);
    for columns in [1, 2, 4, 7, 9] {
        let part = whole.slice(ndarray::s![.., ..columns]).to_owned();
        let there = imbalance(&whole, &part, 1).unwrap().value;
        let back = imbalance(&part, &whole, 1).unwrap().value;
        assert!(there < back, "{columns}: {there} {back}");
        assert!(there < last.0 && back < last.1, "{columns}");
        last = (there, back);
    }
}
