//! Densities and peaks of DADApy's sets. PAk is held to its exact optimum, from which the peer
//! stops up to 1.1e-3 away; peaks are the same to the row.

use repgeo::geometry::density::Correction;
use repgeo::geometry::density::decision_graph::{decision_graph, graph_peaks};
use repgeo::geometry::density::peaks::Peaks;
use serde_json::Value;

use super::fixture::{array, assert_close, golden_set, json, numbers};
use super::layers::logs;
use super::{Layer, Rule};

const SETS: [&str; 6] = [
    "2gauss",
    "2gauss_first25",
    "fig1_2000",
    "mobius_2000",
    "6d_2000",
    "highdim",
];

/// Sum of the log-densities at the exact optimum of PAk, and the first three of them.
const EXACT_PAK: [(f64, [f64; 3]); 6] = [
    (
        -315.1697473968069,
        [-2.99784105514, -3.24966239574, -3.33780793941],
    ),
    (
        -56.87102118762919,
        [-1.26535869648, -2.42577435096, -1.59276903828],
    ),
    (
        -8809.199871987443,
        [-2.46298158213, -6.39184573583, -8.45326820732],
    ),
    (
        -568.2016360355977,
        [1.69015313706, -2.54972488865, -4.05835187639],
    ),
    (
        -4322.642272431373,
        [-2.59192248354, -1.9454241781, -1.73799938802],
    ),
    (
        -21592.33740598933,
        [-27.0035974407, -27.3692487714, -26.8809788938],
    ),
];

fn layer(name: &str) -> (Layer, f64) {
    let data = golden_set(name);
    let layer = Layer::new(&data, 100.min(data.nrows() - 1));
    let id = layer.two_nn();
    (layer, id)
}

fn golden() -> Value {
    json("golden", "peaks")
}

#[test]
fn the_dimension_is_the_one_that_the_peer_used() {
    let golden = golden();
    for name in SETS {
        let expected = golden[name]["id"].as_f64().unwrap();
        assert_close(layer(name).1, expected, 5e-9, name);
    }
}

#[test]
fn neighbourhoods_have_the_sizes_of_the_peer() {
    let golden = golden();
    for name in SETS {
        let (layer, id) = layer(name);
        for (key, alpha, correction) in [
            ("none", 1e-6, Correction::None),
            ("lax", 1e-3, Correction::None),
            ("rows", 1e-3, Correction::Rows),
            ("tests", 1e-3, Correction::Tests),
        ] {
            let sizes = layer.kstar(id, alpha, correction);
            let total: usize = sizes.into_iter().map(Option::unwrap).sum();
            assert_eq!(total as u64, golden[name]["sum_kstar"][key], "{name} {key}");
        }
    }
}

#[test]
fn plain_densities_are_those_of_the_peer() {
    let golden = golden();
    for name in SETS {
        let (layer, id) = layer(name);
        for (rule, key) in [(Rule::Knn(10), "kNN10"), (Rule::Kstar, "kstarNN")] {
            let found = logs(&layer.densities(id, rule));
            let expected = &golden[name];
            let sum = expected[format!("sum_{key}")].as_f64().unwrap();
            // The dimension itself agrees to 5e-9.
            assert_close(found.iter().sum(), sum, 2e-8, name);
            let same_id = logs(&layer.densities(expected["id"].as_f64().unwrap(), rule));
            assert_close(same_id.iter().sum(), sum, 1e-10, name);
            let first = numbers(&expected[format!("first_{key}")]);
            for (found, expected) in same_id.iter().zip(first) {
                assert_close(*found, expected, 1e-10, name);
            }
        }
    }
}

#[test]
fn pak_is_at_its_optimum_and_near_the_peer() {
    let golden = golden();
    for (name, (sum, first)) in SETS.into_iter().zip(EXACT_PAK) {
        let (layer, _) = layer(name);
        let id = golden[name]["id"].as_f64().unwrap();
        let densities = layer.densities(id, Rule::Pak);
        assert_eq!(densities.n_fallback, 0, "{name}");
        let found = logs(&densities);
        assert_close(found.iter().sum(), sum, 1e-10, name);
        assert_close(
            -densities.entropy().unwrap() * found.len() as f64,
            sum,
            1e-10,
            name,
        );
        for (found, expected) in found.iter().zip(first) {
            assert_close(*found, expected, 1e-10, name);
        }
        let peer = array("golden", &format!("pak_{name}"));
        for (row, peer) in densities.rows.iter().zip(peer.rows()) {
            let row = row.unwrap();
            assert!((row.log_density - peer[0]).abs() < 2e-3, "{name}");
            assert_close(row.error, peer[1], 1e-6, name);
        }
    }
}

/// One letter a row: the peak, or a dot.
fn letters(labels: impl Iterator<Item = Option<usize>>) -> String {
    labels
        .map(|label| label.map_or('.', |peak| char::from(b'0' + peak as u8)))
        .collect()
}

#[track_caller]
fn assert_peaks(found: &Peaks, expected: &Value, what: &str) {
    let centres: Vec<u64> = found.peaks.iter().map(|peak| peak.centre as u64).collect();
    assert_eq!(Value::from(centres), expected["centres"], "{what}");
    let labels = letters(found.labels.iter().copied());
    assert_eq!(labels, expected["labels"].as_str().unwrap(), "{what}");
    if let Some(halo) = expected["halo"].as_str() {
        let cores = found.labels.iter().zip(&found.halo);
        let cores = cores.map(|(label, halo)| label.filter(|_| !halo));
        assert_eq!(letters(cores), halo, "{what}");
        let n_halo = halo.matches('.').count();
        let share = 1.0 - n_halo as f64 / halo.len() as f64;
        assert!((found.core_fraction() - share).abs() < 1e-12, "{what}");
    }
    let saddles = expected["saddles"].as_array().unwrap();
    assert_eq!(found.saddles.len(), saddles.len(), "{what}");
    for (found, expected) in found.saddles.iter().zip(saddles) {
        let at = |position: usize| expected[position].as_u64().unwrap() as usize;
        assert_eq!((found.peaks, found.row), ([at(0), at(1)], at(2)), "{what}");
        // The peer's densities are up to 1.1e-3 from the optimum.
        let value = expected[3].as_f64().unwrap();
        assert!((found.log_density - value).abs() < 2e-3, "{what}");
        assert_close(found.error, expected[4].as_f64().unwrap(), 1e-12, what);
    }
}

#[test]
fn peaks_halos_and_saddles_are_those_of_the_peer_to_the_row() {
    let golden = golden();
    for name in SETS {
        let (layer, id) = layer(name);
        let densities = layer.densities(id, Rule::Pak);
        for (key, z) in [("0.0", 0.0), ("1.65", 1.65), ("3.0", 3.0)] {
            let found = layer.peaks(&densities, z);
            assert_peaks(
                &found,
                &golden[name]["adp"][key],
                &format!("{name} Z {key}"),
            );
        }
    }
}

#[test]
fn five_thousand_rows_have_the_peaks_that_upstream_tests_for() {
    let layer = Layer::new(&array("golden", "fig1_5000"), 100);
    let found = layer.peaks(&layer.densities(layer.two_nn(), Rule::Pak), 1.65);
    assert_peaks(&found, &golden()["fig1_5000"]["adp"]["1.65"], "fig1_5000");
    let sizes: Vec<usize> = found.peaks.iter().map(|peak| peak.size).collect();
    assert_eq!(sizes, [1635, 530, 33, 540, 464, 595, 307, 235, 661]);
}

#[test]
fn the_constants_of_two_papers_give_their_peaks() {
    type Expected = (&'static str, &'static [usize], &'static [usize], usize);
    let check = |peaks: &Peaks, (what, centres, sizes, n_core): Expected| {
        let found: Vec<usize> = peaks.peaks.iter().map(|peak| peak.centre).collect();
        assert_eq!(found, centres, "{what}");
        let found: Vec<usize> = peaks.peaks.iter().map(|peak| peak.size).collect();
        assert_eq!(found, sizes, "{what}");
        let found: usize = peaks.peaks.iter().map(|peak| peak.n_core).sum();
        assert_eq!(found, n_core, "{what}");
    };
    let nucleation: [Expected; 4] = [
        (
            "fig1_2000",
            &[424, 645, 995, 1043, 1073, 1193, 1704],
            &[329, 116, 291, 215, 218, 185, 646],
            1271,
        ),
        (
            "mobius_2000",
            &[528, 547, 645, 809, 957, 1353, 1583],
            &[304, 343, 109, 210, 659, 185, 190],
            1293,
        ),
        ("6d_2000", &[269, 1426], &[1629, 371], 1551),
        ("highdim", &[797], &[800], 800),
    ];
    for expected in nucleation {
        let (layer, id) = layer(expected.0);
        let densities = layer.densities(id.round_ties_even(), Rule::Knn(30));
        check(&layer.peaks(&densities, 1.65), expected);
    }
    let llm: [Expected; 4] = [
        (
            "fig1_2000",
            &[207, 435, 528, 875, 892, 1353, 1668],
            &[221, 116, 288, 334, 642, 183, 216],
            1391,
        ),
        (
            "mobius_2000",
            &[722, 917, 1073, 1081, 1276, 1384, 1423],
            &[109, 338, 196, 209, 654, 217, 277],
            1384,
        ),
        ("6d_2000", &[940, 1060], &[1627, 373], 1477),
        ("highdim", &[797], &[800], 800),
    ];
    for expected in llm {
        let (layer, _) = layer(expected.0);
        let densities = layer.densities(layer.gride(16), Rule::Knn(16));
        check(&layer.peaks(&densities, 1.6), expected);
    }
}

#[test]
fn few_neighbours_leave_no_row_without_a_peak() {
    let data = golden_set("fig1_2000");
    for k in 5..=16 {
        let layer = Layer::new(&data, k);
        let found = layer.peaks(&layer.densities(layer.two_nn(), Rule::Pak), 1.65);
        let n = found.peaks.len();
        assert!(
            found
                .labels
                .iter()
                .all(|label| label.is_some_and(|peak| peak < n)),
            "{k}"
        );
        let sizes: usize = found.peaks.iter().map(|peak| peak.size).sum();
        assert_eq!(sizes, 2000, "{k}");
    }
}

#[test]
fn the_decision_graph_is_that_of_the_peer() {
    let data = golden_set("2gauss");
    let (layer, id) = layer("2gauss");
    let densities = layer.densities(id, Rule::Pak);
    let table = &layer.table;
    let all_stored = |_: u32, _: &(dyn Fn(u32) -> bool + Sync)| None;
    let graph = decision_graph(
        &densities,
        table.distances.view(),
        table.indices.view(),
        all_stored,
    );
    let golden = golden();
    let deltas = numbers(&golden["2gauss"]["dp_delta"]);
    let references = golden["2gauss"]["dp_ref"].as_array().unwrap();
    assert_eq!(data.nrows(), deltas.len());
    for ((row, delta), reference) in graph.iter().zip(deltas).zip(references) {
        let row = row.unwrap();
        assert_close(row.delta, delta, 1e-12, "delta");
        match row.reference {
            Some(uphill) => assert_eq!(u64::from(uphill), *reference),
            None => assert_eq!(*reference, 0), // the peer's word for none
        }
    }
    assert_eq!(
        graph.iter().flatten().filter(|row| row.delta > 1.0).count(),
        7
    );
    let cut = |density, delta| {
        let (distances, indices) = (table.distances.view(), table.indices.view());
        graph_peaks(&graph, &densities, distances, indices, density, delta)
    };
    let found = cut(-3.0, 3.0).unwrap();
    let expected = (0..100).map(|row| Some(usize::from(row < 50)));
    assert!(found.labels.iter().copied().eq(expected));
    assert!(cut(0.0, 1e6).is_err());
}
