//! TwoNN, Gride, the plateau and the distance diagnostics against DADApy 0.3.4.

use ndarray::Array2;
use repgeo::geometry::Reason;
use repgeo::geometry::diagnostics::DistanceDiagnostics;
use repgeo::geometry::id::{Fit, Fraction, Orders, Plateau, Ratios, gride, plateau, two_nn};
use serde_json::Value;

use super::brute_force::{Neighbours, distinct};
use super::fixture::{array, assert_close, golden_set, json, numbers};

const SETS: [&str; 8] = [
    "2gauss",
    "2gauss_first25",
    "fig1_2000",
    "mobius_2000",
    "6d_2000",
    "highdim",
    "ball5_in10",
    "sphere4_in5",
];

fn base(share: f64) -> Fit {
    Fit::Base {
        fraction: Fraction::new(share).unwrap(),
    }
}

fn censored(share: f64) -> Fit {
    Fit::MleCensored {
        fraction: Fraction::new(share).unwrap(),
    }
}

fn first_ratios(data: &Array2<f64>) -> Ratios {
    let near = Neighbours::nearest(data, 2);
    Ratios::new(&near.at(1), &near.at(2))
}

fn id(ratios: &Ratios, fit: Fit) -> f64 {
    two_nn(ratios, fit).unwrap().id
}

#[test]
fn two_nn_reproduces_the_peer_on_every_golden_set() {
    let golden = json("golden", "golden");
    for set in SETS {
        let ratios = first_ratios(&golden_set(set));
        let expected = &golden[set]["two_nn"];
        // The peer fits the line iteratively and stops within 2.4e-9.
        for (fit, key, tolerance) in [
            (base(0.9), "base_0.9", 5e-9),
            (base(0.7), "base_0.7", 5e-9),
            (Fit::Mle, "mle", 1e-12),
            (Fit::BAYES, "bayes_mean", 1e-12),
        ] {
            if let Some(value) = expected[key].as_f64() {
                assert_close(id(&ratios, fit), value, tolerance, &format!("{set} {key}"));
            }
        }
        if let Some(distance) = expected["distance"].as_f64() {
            assert_close(ratios.distance.unwrap(), distance, 1e-12, set);
            let bayes = two_nn(&ratios, Fit::BAYES).unwrap();
            let std = expected["bayes_std"].as_f64().unwrap();
            assert_close(bayes.std_error.unwrap(), std, 1e-12, set);
            let mode = expected["bayes_mode"].as_f64().unwrap();
            assert_close(bayes.mode.unwrap(), mode, 1e-12, set);
        }
    }
}

#[test]
fn the_number_of_fitted_ratios_is_truncated() {
    for (set, expected) in [("2gauss", 70), ("2gauss_first25", 17), ("highdim", 560)] {
        let ratios = first_ratios(&golden_set(set));
        assert_eq!(two_nn(&ratios, base(0.7)).unwrap().n_fit, expected, "{set}");
    }
}

#[test]
fn the_censored_likelihood_equals_scikit_dimension() {
    for (set, share, expected) in [
        ("2gauss", 0.9, 1.8840713443024095),
        ("2gauss", 0.7, 1.8945884078359596),
        ("ball5_in10", 0.9, 4.321241981846925),
        ("sphere4_in5", 0.9, 3.269483144278149),
    ] {
        let ratios = first_ratios(&golden_set(set));
        assert_close(id(&ratios, censored(share)), expected, 1e-12, set);
    }
}

#[test]
fn duplicates_dropped_or_kept_give_their_own_numbers() {
    let all = array("golden", "ball5_dups");
    let dropped = first_ratios(&distinct(&all));
    let kept = first_ratios(&all);
    assert_eq!((dropped.n_rows, dropped.n_zero), (150, 0));
    assert_eq!((kept.n_rows, kept.n_zero), (180, 60));
    for (ratios, fit, expected) in [
        (&dropped, base(0.9), 4.693085395937429),
        (&dropped, Fit::Mle, 4.658202053336221),
        (&dropped, censored(0.9), 4.635447190306285),
        (&kept, base(0.9), 5.719510061637583),
        (&kept, Fit::Mle, 6.026392977718613),
        (&kept, censored(0.9), 5.837548596965662),
    ] {
        assert_close(id(ratios, fit), expected, 1e-12, fit.name());
    }
}

/// Gride's scaling over the orders up to the last one that the golden values hold.
fn scaling(data: &Array2<f64>, range_max: usize) -> Vec<(Orders, Ratios)> {
    let neighbours = Neighbours::nearest(data, range_max.min(data.nrows() - 1));
    Orders::doublings(data.nrows(), range_max)
        .into_iter()
        .map(|orders| {
            let (near, far) = (neighbours.at(orders.n1()), neighbours.at(orders.n2()));
            (orders, Ratios::new(&near, &far))
        })
        .collect()
}

#[test]
fn gride_reproduces_the_peer_at_every_order_of_every_golden_set() {
    let golden = json("golden", "golden");
    for set in SETS {
        let expected = &golden[set]["gride"];
        let n2 = numbers(&expected["n2"]);
        let last = *n2.last().unwrap() as usize;
        let scaling = scaling(&golden_set(set), last);
        let found: Vec<f64> = scaling
            .iter()
            .map(|(orders, _)| orders.n2() as f64)
            .collect();
        assert_eq!(found, n2, "{set}");
        let (ids, errors) = (numbers(&expected["id"]), numbers(&expected["std_error"]));
        for (i, (orders, ratios)) in scaling.iter().enumerate() {
            let what = format!("{set} n1 = {}", orders.n1());
            let estimate = gride(ratios, *orders).unwrap();
            assert_eq!(estimate.n_filtered, 0, "{what}");
            assert_close(estimate.id, ids[i], 1e-7, &what);
            assert_close(estimate.std_error.unwrap(), errors[i], 1e-7, &what);
            if let Value::Array(distances) = &expected["distance"] {
                let distance = distances[i].as_f64().unwrap();
                assert_close(ratios.distance.unwrap(), distance, 1e-12, &what);
            }
        }
    }
}

#[test]
fn plateaus_lie_where_the_rule_puts_them() {
    let of = |set: &str, range_max| {
        let data = golden_set(set);
        let ids: Vec<(Orders, Option<f64>)> = scaling(&data, range_max)
            .iter()
            .map(|(orders, ratios)| (*orders, gride(ratios, *orders).ok().map(|e| e.id)))
            .collect();
        plateau(&ids, data.nrows())
    };
    for (set, range_max, last_order, spread, order, id) in [
        ("2gauss", 64, 4, 0.0607, 2, 2.03214),
        ("fig1_2000", 512, 32, 0.0865, 4, 2.00954),
        ("mobius_2000", 512, 32, 0.0860, 4, 2.03710),
        ("6d_2000", 512, 8, 0.0965, 2, 6.02816),
    ] {
        let Plateau {
            first_order: 1,
            last_order: last,
            order: centre,
            spread: width,
            id: value,
        } = of(set, range_max).unwrap()
        else {
            panic!("{set} starts at the first order")
        };
        assert_eq!((last, centre), (last_order, order), "{set}");
        assert!((width - spread).abs() < 5e-5, "{set}: {width}");
        assert!((value - id).abs() < 5e-6, "{set}: {value}");
    }
    assert_eq!(of("highdim", 512), Err(Reason::NoPlateau));
}

#[test]
fn quantiles_of_the_first_distance_are_the_peers() {
    let expected = [
        (
            "highdim",
            [
                4.518111325571918,
                8.643062636404865,
                12.928919643643447,
                19.640068559408935,
                30.867719857981548,
            ],
        ),
        (
            "2gauss",
            [
                0.028751607486626092,
                0.034453448079418685,
                0.25514190053424124,
                0.7120176913445436,
                1.5747672769444825,
            ],
        ),
    ];
    for (set, quantiles) in expected {
        let near = Neighbours::nearest(&golden_set(set), 2);
        let found = DistanceDiagnostics::new(&near.at(1), &near.at(2), &near.at(2))
            .r1
            .0;
        for (level, value) in [0, 2, 4, 6, 8].into_iter().zip(quantiles) {
            assert_close(found[level], value, 1e-13, set);
        }
    }
    let near = Neighbours::nearest(&array("golden", "ball5_dups"), 2);
    let found = DistanceDiagnostics::new(&near.at(1), &near.at(2), &near.at(2));
    assert_eq!((found.n_zero_r1, found.n_nonfinite_mu), (60, 60));
}
