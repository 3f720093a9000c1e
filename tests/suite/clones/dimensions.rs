//! The intrinsic dimension in chunks.

use ndarray::{Array2, Axis};
use repgeo::geometry::Reason;
use repgeo::geometry::id::{ESTIMATORS, Fit, Ratios, two_nn};
use repgeo::input::Matrix;
use repgeo::profile::clones::{ChunkId, CloneData, ClonesOptions};
use repgeo::random::SplitMix64;
use repgeo::storage::npy;
use tempfile::TempDir;

use super::{assert_close, normals, profile};
use crate::common::{fixture, json, path, refusal};

/// TwoNN of some columns, its distances by plain loops.
fn by_plain_loops(data: &Array2<f64>, columns: &[usize]) -> f64 {
    let part = data.select(Axis(1), columns);
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for (i, row) in part.outer_iter().enumerate() {
        let mut distances: Vec<f64> = part
            .outer_iter()
            .enumerate()
            .filter(|(j, _)| *j != i)
            .map(|(_, other)| (&row - &other).mapv(|x| x * x).sum().sqrt())
            .collect();
        distances.sort_by(f64::total_cmp);
        near.push(distances[0]);
        far.push(distances[1]);
    }
    two_nn(&Ratios::new(&near, &far), Fit::default())
        .unwrap()
        .id
}

fn options(sizes: &[usize], draws: usize) -> ClonesOptions {
    ClonesOptions {
        sizes: Some(sizes.to_vec()),
        draws,
        seed: 5,
        chunk_id: Some(ChunkId::default()),
        ..ClonesOptions::default()
    }
}

#[test]
fn a_chunk_has_the_dimension_of_its_columns() {
    let data = normals(150, 3, 1).dot(&normals(3, 16, 2)) + 0.01 * normals(150, 16, 3);
    let asked = options(&[2, 7], 3);
    let found = profile(&Matrix::from(data.clone()), &CloneData::default(), &asked);
    let mut random = SplitMix64::new(5);
    let orders: Vec<Vec<usize>> = (0..3).map(|_| random.choose(16, 16)).collect();
    for (one, w) in found.widths.iter().zip([2, 7]) {
        let ids: Vec<f64> = orders
            .iter()
            .map(|order| by_plain_loops(&data, &order[..w]))
            .collect();
        let id = one.id().unwrap();
        assert_eq!((one.width, id.n), (w, 3));
        assert_close(
            id.mean,
            ids.iter().sum::<f64>() / 3.0,
            1e-10,
            "mean over draws",
        );
        let mean = ids.iter().sum::<f64>() / 3.0;
        let square = ids.iter().map(|id| (id - mean).powi(2)).sum::<f64>() / 2.0;
        assert_close(
            id.std_dev.unwrap(),
            square.sqrt(),
            1e-8,
            "spread over draws",
        );
    }
    // The whole layer is the same in every draw.
    let whole = found.widths[2].id().unwrap();
    let all: Vec<usize> = (0..16).collect();
    assert_eq!((whole.n, whole.std_dev), (1, None));
    assert_close(
        whole.mean,
        by_plain_loops(&data, &all),
        1e-10,
        "the whole layer",
    );
    // Three factors do not fit into two neurons.
    assert!(found.widths[0].id().unwrap().mean < found.widths[1].id().unwrap().mean);
}

#[test]
fn errors_over_data_stand_beside_the_dimension_and_it_is_there_only_where_it_is_asked_for() {
    let features = Matrix::from(normals(240, 6, 3));
    let asked = ClonesOptions {
        partitions: Some(3),
        ..options(&[3], 2)
    };
    let found = profile(&features, &CloneData::default(), &asked);
    assert!(found.widths[0].id().unwrap().std_error.unwrap() > 0.0);
    let without = ClonesOptions {
        chunk_id: None,
        ..asked
    };
    let found = profile(&features, &CloneData::default(), &without);
    assert!(found.widths.iter().all(|one| one.dimension.is_none()));
}

#[test]
fn chunks_of_neurons_that_say_nothing_have_no_dimension() {
    let mut data = normals(60, 4, 3);
    data.slice_mut(ndarray::s![.., 1..]).fill(0.5);
    let asked = options(&[1], 8);
    let found = profile(&Matrix::from(data), &CloneData::default(), &asked);
    let one = found.widths[0].id().unwrap();
    // The draws of the first neuron alone; the others have no two rows apart.
    let mut random = SplitMix64::new(5);
    let first = (0..8).filter(|_| random.choose(4, 4)[0] == 0).count();
    assert!(first > 0 && first < 8);
    assert_eq!(one.n, first);
    let constant = Matrix::from(Array2::from_elem((60, 3), 0.5));
    let found = profile(&constant, &CloneData::default(), &options(&[1], 2));
    for one in &found.widths {
        let reason = one.dimension.as_ref().unwrap().reason();
        assert_eq!(reason, Some(Reason::AllRowsIdentical));
    }
}

#[test]
fn the_whole_layer_has_the_dimension_of_its_profile() {
    let file = fixture("clones/test_hidden.npy");
    let chunks = json(&[
        "clones",
        path(&file),
        "--sizes",
        "4",
        "--draws",
        "2",
        "--chunk-id",
    ]);
    let profile = json(&["id-profile", path(&file)]);
    let widths = chunks["widths"].as_array().unwrap();
    let whole = widths.last().unwrap();
    assert!(profile["layers"][0]["estimates"][0]["id"].is_f64());
    assert_eq!(
        whole["dimension"]["id"]["mean"],
        profile["layers"][0]["estimates"][0]["id"]
    );
    assert_eq!(chunks["parameters"]["chunk_id"]["estimator"], "two_nn");
}

#[test]
fn every_estimator_gives_a_chunk_what_it_gives_a_layer_of_its_columns() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let save = |name: &str, data: &Array2<f64>| {
        let array = npy(&[data.nrows(), data.ncols()], data.as_slice().unwrap());
        std::fs::write(at(name), array).unwrap();
    };
    let data = normals(90, 3, 1).dot(&normals(3, 12, 2)) + 0.1 * normals(90, 12, 3);
    save("layer.npy", &data);
    let mut columns = SplitMix64::new(5).choose(12, 12)[..7].to_vec();
    columns.sort_unstable();
    let part = data.select(Axis(1), &columns);
    save("part.npy", &part.as_standard_layout().into_owned());
    let mut calls: Vec<Vec<&str>> = Vec::new();
    let mut compound = Vec::new();
    for one in ESTIMATORS {
        if ESTIMATORS.iter().any(|part| part.part_of == Some(one.name)) {
            compound.push(one.flag);
            continue;
        }
        calls.push(vec!["--estimator", one.flag]);
        if one.neighbours().is_some_and(|reads| !reads.chooses_k) {
            calls.push(vec!["--estimator", one.flag, "-k", "9"]);
        }
    }
    for order in ["1", "4", "match-density"] {
        calls.push(vec!["--estimator", "gride", "--order", order]);
    }
    let (layer, part) = (at("layer.npy"), at("part.npy"));
    for call in calls {
        let chunks = [
            "clones", &layer, "--sizes", "7", "--draws", "1", "--seed", "5",
        ];
        let chunks = json(&[&chunks[..], &["--chunk-id"], &call].concat());
        let profile = json(&[&["id-profile", part.as_str()], &call[..]].concat());
        let estimate = &profile["layers"][0]["estimates"][0];
        let dimension = &chunks["widths"][0]["dimension"];
        assert_eq!(chunks["widths"][0]["width"], 7);
        match estimate["id"].is_f64() {
            true => assert_eq!(dimension["id"]["mean"], estimate["id"], "{call:?}"),
            false => assert_eq!(dimension["reason"], estimate["reason"], "{call:?}"),
        }
        assert_eq!(
            chunks["parameters"]["chunk_id"]["estimator"],
            estimate["estimator"]
        );
    }
    assert!(!compound.is_empty());
    for flag in compound {
        let args = ["clones", &layer, "--chunk-id", "--estimator", flag];
        let message = refusal(&args, 2);
        assert!(message.contains("several dimensions"), "{message}");
    }
    for extra in [&["--estimator", "mle"][..], &["-k", "4"], &["--order", "2"]] {
        let message = refusal(&[&["clones", layer.as_str()], extra].concat(), 2);
        assert!(message.contains("--chunk-id"), "{message}");
    }
}
