//! Counting estimators and k* against DADApy 0.3.4.

use repgeo::geometry::density::{Correction, KSTAR_ALPHA, kstar};
use repgeo::geometry::id::{
    AbideVersion, BinomialFit, Outcome, abide, binomial_k, binomial_radius,
};
use serde_json::Value;

use super::brute_force::Neighbours;
use super::fixture::{array, assert_close, golden_set, json, numbers};

const SETS: [&str; 6] = [
    "2gauss",
    "2gauss_first25",
    "fig1_2000",
    "mobius_2000",
    "6d_2000",
    "highdim",
];

/// Compares with the peer's [id, error, scale].
#[track_caller]
fn assert_reproduces(found: Outcome, expected: &Value, tolerance: f64, what: &str) {
    let (found, expected) = (found.unwrap(), numbers(expected));
    assert_close(found.id, expected[0], tolerance, what);
    assert_close(found.std_error.unwrap(), expected[1], tolerance, what);
    assert_close(found.distance.unwrap(), expected[2], tolerance, what);
}

#[test]
fn the_binomial_estimator_reproduces_the_peer_at_fixed_radius_and_rank() {
    let golden = json("golden", "golden");
    for set in SETS {
        let data = golden_set(set);
        // The peer leaves out rows whose stored table ends within the radius.
        let stored = golden[set]["k"].as_u64().unwrap() as usize;
        let neighbours = Neighbours::nearest(&data, stored);
        let table = neighbours.distances.view();
        for (key, fit) in [("bayes", BinomialFit::Bayes), ("mle", BinomialFit::Mle)] {
            let radius = &golden[set]["binomial_fixed_radius"];
            let at = |name: &str| radius[name].as_f64().unwrap();
            let found = binomial_radius(table, at("rk"), at("r"), fit);
            assert_reproduces(found, &radius[key], 1e-12, &format!("{set} radius {key}"));
            let rank = &golden[set]["binomial_fixed_k"];
            let k = rank["k"].as_u64().unwrap() as usize;
            let found = binomial_k(table, k, rank["r"].as_f64().unwrap(), fit);
            assert_reproduces(found, &rank[key], 1e-12, &format!("{set} rank {key}"));
        }
    }
}

#[test]
fn two_gaussians_have_the_binomial_dimensions_of_the_peers_own_tests() {
    let neighbours = Neighbours::nearest(&golden_set("2gauss"), 99);
    let table = neighbours.distances.view();
    let radius = binomial_radius(table, 0.25, 0.5, BinomialFit::Bayes).unwrap();
    assert_close(radius.id, 1.991042219, 1e-8, "radius");
    assert_close(radius.std_error.unwrap(), 0.275630420, 1e-8, "radius");
    assert_close(radius.distance.unwrap(), 0.1875, 1e-15, "radius");
    let rank = binomial_k(table, 5, 0.5, BinomialFit::Mle).unwrap();
    assert_close(rank.id, 1.9856447, 1e-7, "rank");
    assert_close(rank.std_error.unwrap(), 0.12411362, 1e-7, "rank");
    assert!((rank.distance.unwrap() - 0.56159).abs() < 1e-5);
}

#[test]
fn neighbourhood_sizes_add_up_to_the_peers() {
    let golden = json("golden", "golden");
    for set in SETS {
        let expected = &golden[set];
        let k = expected["k"].as_u64().unwrap() as usize;
        let neighbours = Neighbours::nearest(&golden_set(set), k);
        let id = expected["intrinsic_dim"].as_f64().unwrap();
        for (key, alpha, correction) in [
            ("1e-6", KSTAR_ALPHA, Correction::None),
            ("1e-3", 1e-3, Correction::None),
            ("1e-3_rows", 1e-3, Correction::Rows),
            ("1e-3_tests", 1e-3, Correction::Tests),
        ] {
            let (table, indices) = (neighbours.distances.view(), neighbours.indices.view());
            let sizes = kstar(table, indices, id, alpha, correction).unwrap();
            let total: usize = sizes.iter().map(|size| size.unwrap()).sum();
            let sum = expected["kstar_sum"][key].as_u64().unwrap();
            assert_eq!(total as u64, sum, "{set} {key}");
        }
    }
}

#[test]
fn adaptive_dimensions_reproduce_every_iteration_of_the_peer() {
    let golden = json("golden", "abide");
    let neighbours = Neighbours::nearest(&array("golden", "normal_1000x2"), 999);
    let steps = |version| {
        let (table, indices) = (neighbours.distances.view(), neighbours.indices.view());
        abide(table, indices, 5.0, KSTAR_ALPHA, 3, version).unwrap()
    };
    let mean =
        |sizes: &[Option<usize>]| sizes.iter().flatten().sum::<usize>() as f64 / sizes.len() as f64;
    let (gride, ids) = (steps(AbideVersion::Gride), numbers(&golden["gride_ids"]));
    let likelihoods = numbers(&golden["gride_loglik"]);
    assert_eq!(
        (gride.len(), gride[0].std_error, gride[0].log_likelihood),
        (4, None, None)
    );
    for (i, step) in gride.iter().enumerate().skip(1) {
        assert_close(step.id, ids[i], 1e-7, "gride");
        let error = golden["gride_errs"][i].as_f64().unwrap();
        assert_close(step.std_error.unwrap(), error, 1e-7, "gride error");
        assert_close(
            step.log_likelihood.unwrap(),
            likelihoods[i],
            1e-8,
            "gride likelihood",
        );
    }
    let means: Vec<f64> = gride.iter().map(|step| mean(&step.kstar)).collect();
    assert_eq!(means, [35.138, 103.423, 108.824, 108.824]);
    let binomial = steps(AbideVersion::Binomial { ratio: None });
    let (ids, sizes) = (
        numbers(&golden["binom_ids"]),
        numbers(&golden["kstar_means"]["binomial"]),
    );
    for (i, step) in binomial.iter().enumerate() {
        assert_close(step.id, ids[i], 1e-12, "binomial");
        assert_eq!(mean(&step.kstar), sizes[i], "binomial k*");
        if i > 0 {
            let error = golden["binom_errs"][i].as_f64().unwrap();
            assert_close(step.std_error.unwrap(), error, 1e-12, "binomial error");
        }
    }
}
