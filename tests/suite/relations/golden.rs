//! DADApy's numbers with full rank tables; `fixtures/relations/README.md` says what they are.

use std::path::Path;

use repgeo::geometry::relation::{Depth, label_overlap, neighbour_overlap};
use repgeo::input::{Dump, Labels};
use repgeo::profile::imbalance::{Criterion, Greedy, SubsetOptions, SubsetRule, subsets};
use repgeo::profile::{Bench, DuplicatePolicy, LayerOptions};
use serde_json::Value;

use super::layers::{columns, fixture, imbalance, neighbours, rows_of};

const GAUSS: &str = "relations/3d_gauss_small_z_var.npy";

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("relations/metric_comparisons.json")).unwrap())
        .unwrap()
}

fn list(value: &Value) -> Vec<usize> {
    let items = value.as_array().unwrap().iter();
    items.map(|item| item.as_u64().unwrap() as usize).collect()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

#[test]
fn every_pair_of_column_subsets_agrees() {
    let rows = rows_of(GAUSS);
    let mut checked = 0;
    for pair in golden()["pairs"].as_array().unwrap() {
        let (a, b) = (
            columns(&rows, &list(&pair["a"])),
            columns(&rows, &list(&pair["b"])),
        );
        let k = pair["k"].as_u64().unwrap() as usize;
        let expected = pair["imb"].as_array().unwrap();
        close(
            imbalance(&a, &b, k).unwrap().value,
            expected[0].as_f64().unwrap(),
        );
        close(
            imbalance(&b, &a, k).unwrap().value,
            expected[1].as_f64().unwrap(),
        );
        checked += 1;
    }
    assert_eq!(checked, 147);
}

#[test]
fn the_jackknife_error_is_the_one_of_deleting_rows() {
    let rows = rows_of(GAUSS);
    let (a, b) = (columns(&rows, &[0]), columns(&rows, &[1]));
    for (k, error) in [(1, 0.106_913_688_425_222), (3, 0.064_048_842_360_973_76)] {
        close(imbalance(&a, &b, k).unwrap().std_error, error);
    }
}

#[test]
fn a_wide_layer_and_its_first_columns_agree() {
    let rows = rows_of("golden/highdim.npy");
    let some = columns(&rows, &(0..48).collect::<Vec<_>>());
    let golden = golden();
    for (k, expected) in [1, 5]
        .into_iter()
        .zip(golden["highdim_full_vs_first48"].as_array().unwrap())
    {
        close(
            imbalance(&rows, &some, k).unwrap().value,
            expected[0].as_f64().unwrap(),
        );
        close(
            imbalance(&some, &rows, k).unwrap().value,
            expected[1].as_f64().unwrap(),
        );
    }
    let (a, b) = (neighbours(&rows, 100), neighbours(&some, 100));
    for (k, expected) in golden["data_overlap_first48"].as_object().unwrap() {
        let overlap = neighbour_overlap(a.view(), b.view(), k.parse().unwrap());
        let mean = overlap.iter().sum::<f64>() / overlap.len() as f64;
        close(mean, expected.as_f64().unwrap());
    }
}

#[test]
fn label_overlaps_agree_in_both_averages() {
    let table = neighbours(&rows_of("golden/highdim.npy"), 100);
    let labels = Labels::open(&fixture("relations/highdim_labels.npy")).unwrap();
    let of = |depth| label_overlap(table.view(), &labels.codes, &labels.classes, depth).unwrap();
    let golden = golden();
    for k in [1, 10, 30] {
        let found = of(Depth::Neighbours(k));
        let expected = |weighted: &str| {
            golden["label_overlap"][format!("k{k}_w{weighted}")]
                .as_f64()
                .unwrap()
        };
        close(found.macro_, expected("True"));
        close(found.micro, expected("False"));
    }
    let found = of(Depth::ClassFraction(0.1));
    close(
        found.macro_,
        golden["label_overlap_cf0.1"]["True"].as_f64().unwrap(),
    );
    close(
        found.micro,
        golden["label_overlap_cf0.1"]["False"].as_f64().unwrap(),
    );
    // The chance levels in closed form.
    let sizes = [272.0, 288.0, 80.0, 80.0, 80.0];
    close(
        found.chance_micro,
        sizes.iter().map(|n| n / 800.0 * (n - 1.0) / 799.0).sum(),
    );
    close(
        found.chance_macro,
        sizes.iter().map(|n| (n - 1.0) / 799.0 / 5.0).sum(),
    );
}

#[test]
fn two_blobs_overlap_with_their_sides() {
    let rows = rows_of("relations/overlap.npy");
    let table = neighbours(&rows, 39);
    let side: Vec<u32> = rows
        .column(0)
        .iter()
        .map(|&x| u32::from(x >= 0.0))
        .collect();
    let of = |codes: &[u32], classes: usize, depth| {
        let codes: Vec<Option<u32>> = codes.iter().copied().map(Some).collect();
        let classes: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
        label_overlap(table.view(), &codes, &classes, depth).unwrap()
    };
    assert_eq!(of(&side, 2, Depth::Neighbours(5)).micro, 1.0);
    let three: Vec<u32> = side
        .iter()
        .enumerate()
        .map(|(row, &side)| if row >= 30 { 2 } else { side })
        .collect();
    let found = of(&three, 3, Depth::ClassFraction(0.25));
    assert!((found.micro - 0.675).abs() < 1e-3, "{}", found.micro);
    assert!((found.macro_ - 0.5666).abs() < 1e-3, "{}", found.macro_);
    let second = neighbours(&columns(&rows, &[1]), 30);
    let overlap = neighbour_overlap(neighbours(&rows, 30).view(), second.view(), 30);
    close(overlap.iter().sum::<f64>() / 40.0, 0.78);
}

fn of_columns(file: &Path, rule: SubsetRule) -> Vec<(Vec<usize>, f64, f64)> {
    let dump = Dump::open(file).unwrap();
    let layers = LayerOptions {
        duplicates: DuplicatePolicy::Keep,
        ..LayerOptions::default()
    };
    let options = SubsetOptions {
        target: None,
        rule,
        k: 1,
    };
    let found = subsets(&dump, &layers, &options, &Bench::default()).unwrap();
    found.layers[0]
        .subsets
        .iter()
        .map(|one| {
            let both = one.outcome.0.unwrap();
            (
                one.columns.clone(),
                both.full_to_subset,
                both.subset_to_full,
            )
        })
        .collect()
}

#[test]
fn given_columns_agree() {
    let which = [
        vec![0],
        vec![1],
        vec![2],
        vec![0, 1],
        vec![0, 2],
        vec![1, 2],
    ];
    let found = of_columns(&fixture(GAUSS), SubsetRule::Given(which.to_vec()));
    let there = [0.144, 0.15, 0.968, 0.02, 0.1426, 0.1492];
    let back = [0.5978, 0.5128, 0.9696, 0.02, 0.6208, 0.5434];
    for (at, (columns, full_to, to_full)) in found.into_iter().enumerate() {
        assert_eq!(columns, which[at]);
        close(full_to, there[at]);
        close(to_full, back[at]);
    }
}

#[test]
fn the_greedy_search_takes_the_same_columns() {
    let rule = SubsetRule::Greedy(Greedy {
        columns: 3,
        beam: 10,
        criterion: Criterion::Symmetric,
    });
    let found = of_columns(&fixture(GAUSS), rule);
    let golden = golden();
    for (at, (columns, full_to, to_full)) in found.into_iter().enumerate() {
        assert_eq!(columns, list(&golden["greedy"][0][at]));
        let expected = |way: usize| golden["greedy"][1][at][way].as_f64().unwrap();
        assert!((full_to - expected(0)).abs() <= 5e-4);
        assert!((to_full - expected(1)).abs() <= 5e-4);
    }
}
