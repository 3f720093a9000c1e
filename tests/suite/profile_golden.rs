//! Whole profiles of committed dumps against exact arithmetic and against the peers' numbers.
//!
//! `fixtures/reference/README.md` says how both were made and where a peer is known to be off.

use std::fs;
use std::path::{Path, PathBuf};

use repgeo::geometry::id::{Fit, Fraction};
use repgeo::input::Dump;
use repgeo::profile::id::{IdProfile, LayerId};
use repgeo::profile::{Bench, IdOptions, id_profile};
use serde_json::Value;

use super::common::fixture;

fn reference(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(fixture("reference").join(path)).unwrap()).unwrap()
}

fn profile(path: &Path, fit: Fit, range_max: usize) -> IdProfile {
    let options = IdOptions {
        fit,
        range_max,
        ..IdOptions::default()
    };
    id_profile(&Dump::open(path).unwrap(), &options, &Bench::default()).unwrap()
}

/// Profiles of every layer of a set: together if they share rows, else file by file.
fn profiles(folder: &str, fit: Fit) -> Vec<LayerId> {
    let path = fixture(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| {
            file.extension()
                .is_some_and(|e| e == "npy" || e == "safetensors")
        })
        .filter(|file| !file.to_string_lossy().contains("labels"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| profile(file, fit, usize::MAX).layers)
        .collect()
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs();
    assert!(
        error <= tolerance,
        "{what}: {found} against {expected}, off by {error:e}"
    );
}

const SETS: [(&str, &str); 6] = [
    ("minilm_f16_n1000", "minilm"),
    ("manifolds", "reference/manifolds"),
    ("relations", "reference/relations"),
    ("mlp_clf_trained", "reference/mlp_clf_trained"),
    ("vae_d08", "reference/vae_d08"),
    ("vae_d16_ep0300", "reference/vae_d16_ep0300"),
];

const FITS: [(&str, Fit); 4] = [
    (
        "base",
        Fit::Base {
            fraction: Fraction::NINE_TENTHS,
        },
    ),
    ("mle", Fit::Mle),
    (
        "mle_censored",
        Fit::MleCensored {
            fraction: Fraction::NINE_TENTHS,
        },
    ),
    ("bayes", Fit::BAYES),
];

#[test]
fn every_fit_and_scale_equals_exact_arithmetic_on_every_committed_dump() {
    let mut compared = 0;
    for (set, folder) in SETS {
        let expected = reference(&format!("exact/{set}.json"));
        for (name, fit) in FITS {
            for layer in profiles(folder, fit) {
                let truth = &expected["layers"][&layer.layer];
                assert!(
                    truth.is_object(),
                    "{set} has no reference for {}",
                    layer.layer
                );
                compared += compare_with_exact(&layer, name, truth, set);
            }
        }
    }
    assert!(compared > 1000, "only {compared} numbers compared");
}

fn compare_with_exact(layer: &LayerId, fit: &str, truth: &Value, set: &str) -> usize {
    let what = format!("{set} {} {fit}", layer.layer);
    let estimate = &layer.estimates[0];
    let mut compared = 0;
    match truth["two_nn"][fit]["id"].as_f64() {
        Some(id) => {
            close(estimate.id().unwrap(), id, 1e-11, &what);
            if let Some(error) = truth["two_nn"][fit]["std_error"].as_f64() {
                close(
                    estimate.std_error().unwrap(),
                    error,
                    1e-8,
                    &format!("{what} error"),
                );
            }
            compared += 2;
        }
        None => assert_eq!(estimate.id(), None, "{what}"),
    }
    let scaling = truth["gride"].as_array().map_or(&[][..], |points| points);
    for (point, truth) in layer.scaling.iter().zip(scaling) {
        let what = format!("{what} gride {}", point.order);
        assert_eq!(Some(point.order as u64), truth["order"].as_u64(), "{what}");
        match truth["id"].as_f64() {
            Some(id) => {
                close(point.id().unwrap(), id, 1e-11, &what);
                close(
                    point.std_error().unwrap(),
                    truth["std_error"].as_f64().unwrap(),
                    1e-9,
                    &what,
                );
                close(
                    point.distance.unwrap(),
                    truth["distance"].as_f64().unwrap(),
                    1e-12,
                    &what,
                );
                assert_eq!(Some(point.n as u64), truth["n"].as_u64(), "{what}");
                compared += 3;
            }
            None => assert_eq!(point.id(), None, "{what}"),
        }
    }
    compared
}

/// DADApy 0.3.4 at the tolerances of its iterative solvers. Left out, with the cause in
/// `fixtures/reference/README.md`: layers where it counts rows or ratios differently, or computes
/// distances by a matrix product that loses digits.
#[test]
fn dadapy_agrees_where_its_arithmetic_holds() {
    let known_off = [
        "hypercube_d01_D50",
        "offset_1e4",
        "offset_1e4_f64",
        "duplicates",
        "all_rows_equal",
        "lattice_ties",
        "swiss_roll_noise03_D20",
    ];
    let mut compared = 0;
    for (set, folder) in &SETS[1..] {
        let expected = reference(&format!("dadapy/{set}.json"));
        for layer in profiles(folder, Fit::default()) {
            let truth = &expected["layers"][&layer.layer];
            if known_off.contains(&layer.layer.as_str()) || !truth.is_object() {
                continue;
            }
            let what = format!("{set} {}", layer.layer);
            if let (Some(id), Some(found)) =
                (truth["id_2nn_base"]["id"].as_f64(), layer.estimates[0].id())
            {
                close(found, id, 5e-9, &what);
                compared += 1;
            }
            let Some(ids) = truth["gride"]["ids"].as_array() else {
                continue;
            };
            for (point, id) in layer.scaling.iter().zip(ids) {
                if let (Some(found), Some(id)) = (point.id(), id.as_f64()) {
                    close(found, id, 1e-7, &format!("{what} gride {}", point.order));
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100, "only {compared} numbers compared");
}

#[test]
fn half_precision_moves_the_minilm_profile_by_no_more_than_its_rounding() {
    let expected = reference("dadapy/minilm_mean_n1000.json");
    let found = profile(&fixture("minilm"), Fit::default(), 64);
    assert_eq!(found.layers.len(), 7);
    for (at, layer) in found.layers.iter().enumerate() {
        let truth = &expected["layers"][&format!("layer_{at:02}")];
        // Measured when the fixture was made: 1.1e-4 is the most that f16 moves any layer.
        let id = truth["id_2nn_base"]["id"].as_f64().unwrap();
        close(layer.estimates[0].id().unwrap(), id, 1.2e-4, &layer.layer);
    }
    let summary = found.summary.unwrap();
    assert_eq!(
        (summary.peak.layer.as_str(), summary.peak.at_edge),
        ("hidden_states.0", true)
    );
    assert_eq!(summary.minimum.layer, "hidden_states.5");
}
