//! Local and linear estimators against R, MATLAB and scikit-dimension.

use ndarray::{Array2, s};
use repgeo::geometry::id::{
    CORR_INT_K, Combine, EssVersion, Estimate, LpcaRule, MindVersion, MleVersion, corr_int,
    corr_int_radii, ess, ess_of_points, lpca, mada, mind_ml, mle, mom, pairs_within, tle,
};
use repgeo::geometry::spectrum::{Centring, Spectrum};
use repgeo::input::Matrix;
use serde_json::Value;

use super::brute_force::Neighbours;
use super::fixture::{array, assert_close, json, numbers};

const BALL_AND_SPHERE: [&str; 2] = ["ball5_in10", "sphere4_in5"];

fn data(set: &str) -> Array2<f64> {
    let area = if BALL_AND_SPHERE.contains(&set) {
        "golden"
    } else {
        "skdim"
    };
    array(area, set)
}

fn all_neighbours(data: &Array2<f64>) -> Neighbours {
    Neighbours::nearest(data, data.nrows() - 1)
}

/// Calls `check` with every number of `keys` in every set that has it.
fn each(keys: &[&str], check: impl Fn(&str, &Array2<f64>, &Neighbours, &str, f64)) {
    for (set, expected) in json("skdim", "skdim").as_object().unwrap() {
        if !keys.iter().any(|&key| expected[key].is_number()) {
            continue;
        }
        let rows = data(set);
        let neighbours = all_neighbours(&rows);
        for &key in keys {
            if let Some(value) = expected[key].as_f64() {
                check(&format!("{set} {key}"), &rows, &neighbours, key, value);
            }
        }
    }
}

#[test]
fn levina_bickel_reproduces_r_in_every_version() {
    let keys = ["mle_20", "mle_20_mean", "mle_20_unbiased", "mle_5"];
    each(&keys, |what, _, neighbours, key, expected| {
        let (k, version) = match key {
            "mle_20_mean" => (20, MleVersion::Mean),
            "mle_20_unbiased" => (20, MleVersion::Unbiased),
            "mle_5" => (5, MleVersion::Harmonic),
            _ => (20, MleVersion::Harmonic),
        };
        let found = mle(neighbours.distances.view(), k, version).unwrap();
        assert_close(found.estimate.id, expected, 1e-10, what);
    });
}

#[test]
fn the_correlation_dimension_reproduces_ider() {
    each(&["corr_int"], |what, rows, neighbours, _, expected| {
        let table = neighbours.distances.view();
        let radii = corr_int_radii(table, CORR_INT_K).unwrap();
        let pairs = radii.map(|radius| pairs_within(table, radius).unwrap());
        let found = corr_int(radii, pairs, rows.nrows()).unwrap();
        assert_close(found.id, expected, 1e-10, what);
    });
}

#[test]
fn a_pair_at_the_radius_is_outside_where_the_peers_rounding_puts_it_inside() {
    // On the swiss roll two rows are each other's tenth neighbour, at exactly the median distance.
    let neighbours = all_neighbours(&data("swiss_roll"));
    let table = neighbours.distances.view();
    let radii = corr_int_radii(table, CORR_INT_K).unwrap();
    let [near, far] = radii.map(|radius| pairs_within(table, radius).unwrap());
    assert_eq!((near, far), (20_358, 41_212));
    let peer = &json("skdim", "skdim")["swiss_roll"]["corr_int_of_rounded_distances"];
    let rounded = corr_int(radii, [near + 2, far], 2000).unwrap();
    assert_close(rounded.id, peer.as_f64().unwrap(), 1e-10, "one pair more");
}

#[test]
fn mind_ml_reproduces_r() {
    let keys = ["mind_ml", "mind_ml_integer"];
    each(&keys, |what, _, neighbours, key, expected| {
        let version = match key {
            "mind_ml" => MindVersion::Real,
            _ => MindVersion::Integer,
        };
        let found = mind_ml(neighbours.distances.view(), 20, 10, version).unwrap();
        assert_close(found.id, expected, 1e-6, what);
    });
}

#[test]
fn pointwise_dimensions_reproduce_matlab_and_ider() {
    let golden = json("skdim", "skdim");
    for set in BALL_AND_SPHERE {
        let rows = data(set);
        let neighbours = Neighbours::nearest(&rows, 20);
        let (table, indices) = (neighbours.distances.view(), neighbours.indices.view());
        let matrix = Matrix::from(rows);
        for (key, found) in [
            ("mom_20_pointwise", mom(table, 20, Combine::Mean)),
            ("mada_20_pointwise", mada(table, 20, Combine::Mean)),
            (
                "tle_20_pointwise",
                tle(table, indices, &matrix, 20, Combine::Mean),
            ),
        ] {
            let expected = numbers(&golden[set][key]);
            let found = found.unwrap();
            assert_eq!(found.values.len(), expected.len());
            for (row, (value, expected)) in found.values.iter().zip(&expected).enumerate() {
                assert_close(
                    value.unwrap(),
                    *expected,
                    1e-10,
                    &format!("{set} {key} {row}"),
                );
            }
            let mean = expected.iter().sum::<f64>() / expected.len() as f64;
            assert_close(found.estimate.id, mean, 1e-10, key);
        }
    }
}

#[test]
fn simplex_skewness_of_a_cloud_reproduces_r() {
    let golden = json("skdim", "skdim");
    for set in BALL_AND_SPHERE {
        let cloud = data(set).slice(s![..30, ..]).to_owned();
        for (key, version) in [
            ("ess_a_first30", EssVersion::A),
            ("ess_b_first30", EssVersion::B),
        ] {
            let found = ess_of_points(cloud.clone(), version).unwrap();
            assert_close(found, golden[set][key].as_f64().unwrap(), 1e-10, key);
        }
    }
}

#[test]
fn local_skewness_is_that_of_each_neighbourhood() {
    let rows = data("ball5_in10");
    let neighbours = Neighbours::nearest(&rows, 100);
    let found = ess(
        neighbours.distances.view(),
        neighbours.indices.view(),
        &Matrix::from(rows.clone()),
        100,
        EssVersion::A,
        Combine::Mean,
    )
    .unwrap();
    let near: Vec<usize> = neighbours
        .indices
        .row(7)
        .iter()
        .map(|&j| j as usize)
        .collect();
    let cloud = rows.select(ndarray::Axis(0), &near);
    assert_eq!(found.values[7], ess_of_points(cloud, EssVersion::A));
    assert!(
        (4.0..6.0).contains(&found.estimate.id),
        "{:?}",
        found.estimate
    );
}

fn linear(rows: &Array2<f64>, rule: LpcaRule) -> Estimate {
    let spectrum = Spectrum::of(&Matrix::from(rows.clone()), Centring::Centred).unwrap();
    lpca(&spectrum, rule).unwrap()
}

#[test]
fn linear_dimensions_reproduce_r_and_pcatools() {
    let golden = json("skdim", "skdim");
    for (set, expected) in golden.as_object().unwrap() {
        let rows = data(set);
        for rule in LpcaRule::ALL {
            if let Some(value) = expected[rule.name()].as_f64() {
                let what = format!("{set} {}", rule.name());
                assert_close(linear(&rows, rule).id, value, 1e-10, &what);
            }
        }
    }
}

#[test]
fn spectra_without_centring_have_their_own_participation_ratio() {
    let golden = json("skdim", "skdim");
    for set in BALL_AND_SPHERE {
        let spectrum = Spectrum::of(&Matrix::from(data(set)), Centring::Raw).unwrap();
        let found = lpca(&spectrum, LpcaRule::ParticipationRatio).unwrap();
        let Value::Number(expected) = &golden[set]["participation_ratio_raw"] else {
            panic!("{set} has the number")
        };
        assert_close(found.id, expected.as_f64().unwrap(), 1e-10, set);
    }
}

#[test]
fn the_high_dimensional_set_has_its_linear_dimensions() {
    let rows = array("golden", "highdim");
    let ratio = linear(&rows, LpcaRule::ParticipationRatio);
    assert_close(ratio.id, 7.096647965802538, 1e-10, "participation ratio");
    assert_eq!(linear(&rows, LpcaRule::Fo { threshold: 0.05 }).id, 8.0);
    assert_eq!(linear(&rows, LpcaRule::Ratio { share: 0.95 }).id, 8.0);
}

#[test]
fn no_local_estimator_depends_on_the_unit() {
    let rows = data("ball5_in10");
    let ids = |unit: f64| {
        let scaled = rows.mapv(|x| x * unit);
        let neighbours = Neighbours::nearest(&scaled, 40);
        let (table, indices) = (neighbours.distances.view(), neighbours.indices.view());
        let matrix = Matrix::from(scaled);
        [
            mle(table, 20, MleVersion::Harmonic).unwrap().estimate.id,
            mom(table, 20, Combine::Mean).unwrap().estimate.id,
            mada(table, 20, Combine::Median).unwrap().estimate.id,
            tle(table, indices, &matrix, 20, Combine::Mean)
                .unwrap()
                .estimate
                .id,
            mind_ml(table, 20, 10, MindVersion::Real).unwrap().id,
            ess(table, indices, &matrix, 40, EssVersion::B, Combine::Mean)
                .unwrap()
                .estimate
                .id,
        ]
    };
    let (here, tiny, huge) = (ids(1.0), ids(2f64.powi(-80)), ids(2f64.powi(80)));
    for i in 0..here.len() {
        assert_close(tiny[i], here[i], 1e-12, "tiny");
        assert_close(huge[i], here[i], 1e-12, "huge");
    }
}
