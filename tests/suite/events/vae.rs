//! Variational autoencoders with a latent of dimension K (arXiv 2411.01978).

use repgeo::geometry::Reason;
use repgeo::profile::events::{Direction, EventOptions, Events, directions, events};

use super::{assert_close, plain, published};

/// What the rules say about the dimension at epoch 200, by hand from the published table.
struct Expected {
    k: usize,
    peak: usize,
    onset: f64,
    end: usize,
    relative_minimum: Option<usize>,
    humps: [usize; 3],
    p: f64,
    double: bool,
    slope: f64,
}

const EXPECTED: [Expected; 7] = [
    expected(2, 2, 0.5637, 4, None, [2, 7, 9], 0.0004, false, -0.00088),
    expected(4, 3, 0.7104, 4, None, [3, 5, 9], 0.0028, false, -0.00038),
    expected(8, 3, 0.8019, 5, None, [3, 5, 9], 0.0303, false, -0.00463),
    expected(16, 1, 0.5, 4, Some(5), [1, 5, 9], 0.1354, false, -0.00654),
    expected(32, 3, 0.8496, 5, Some(5), [3, 5, 8], 0.1701, true, -0.02836),
    expected(64, 3, 0.9264, 5, Some(5), [3, 5, 8], 0.2532, true, -0.04432),
    expected(
        128,
        8,
        0.9575,
        10,
        Some(4),
        [3, 4, 8],
        0.2619,
        true,
        -0.07009,
    ),
];

#[allow(clippy::too_many_arguments)]
const fn expected(
    k: usize,
    peak: usize,
    onset: f64,
    end: usize,
    relative_minimum: Option<usize>,
    humps: [usize; 3],
    p: f64,
    double: bool,
    slope: f64,
) -> Expected {
    Expected {
        k,
        peak,
        onset,
        end,
        relative_minimum,
        humps,
        p,
        double,
        slope,
    }
}

/// The latent is layer 5.
fn with_bottleneck(table: &str, k: usize) -> Events {
    let options = EventOptions {
        bottleneck: Some(5),
        ..EventOptions::default()
    };
    events(&published(table, &format!("K{k}")), &options)
}

#[test]
fn every_published_event_of_the_dimension_is_found() {
    for expected in &EXPECTED {
        let found = with_bottleneck("vae_id.csv", expected.k);
        let k = expected.k;
        assert_eq!(
            found.peak.into_found().unwrap().at.index,
            expected.peak,
            "K = {k}"
        );
        let onset = found.onset.into_found().unwrap();
        assert_eq!(onset.crossing.at.index, 1, "K = {k}");
        assert_close(onset.crossing.crossing_position, expected.onset, 5e-5);
        assert_close(
            onset.crossing.crossing_relative_depth,
            expected.onset / 10.0,
            5e-6,
        );
        assert_eq!(
            found.end.into_found().unwrap().at.index,
            expected.end,
            "K = {k}"
        );
        let dip = found.relative_minimum.into_found().map(|dip| dip.at.index);
        assert_eq!(dip, expected.relative_minimum, "K = {k}");
        assert!(found.hunchback.into_found().unwrap().present, "K = {k}");
        let double = found.double_hunchback.into_found().unwrap();
        let humps = [&double.first, &double.valley, &double.second];
        assert_eq!(humps.map(|place| place.index), expected.humps, "K = {k}");
        assert_close(double.p.unwrap(), expected.p, 5e-5);
        assert_eq!(double.present, expected.double, "K = {k}");
    }
}

#[test]
fn two_humps_appear_exactly_where_the_latent_exceeds_the_dimension_of_the_data() {
    for expected in &EXPECTED {
        let double = with_bottleneck("vae_id.csv", expected.k).double_hunchback;
        assert_eq!(double.into_found().unwrap().present, expected.k >= 32);
    }
}

#[test]
fn a_lower_threshold_adds_the_outlier_run_only() {
    for expected in &EXPECTED {
        let options = EventOptions {
            bottleneck: Some(5),
            prominence: 0.10,
            ..EventOptions::default()
        };
        let series = published("vae_id.csv", &format!("K{}", expected.k));
        let double = events(&series, &options)
            .double_hunchback
            .into_found()
            .unwrap();
        assert_eq!(double.present, expected.k >= 16);
    }
}

#[test]
fn imbalance_to_the_input_falls_from_the_latent_on() {
    for expected in &EXPECTED {
        let slope = with_bottleneck("vae_to_input.csv", expected.k)
            .slope
            .unwrap();
        let slope = slope.into_found().unwrap();
        assert_close(slope.slope, expected.slope, 5e-6);
        assert_eq!((slope.first.index, slope.last.index), (5, 10));
    }
}

#[test]
fn imbalance_to_the_input_peaks_at_the_latent_of_wide_bottlenecks() {
    for (k, layer) in [
        (2, "l6"),
        (4, "l8"),
        (8, "l6"),
        (16, "l5"),
        (32, "l5"),
        (64, "l5"),
        (128, "l5"),
    ] {
        let peak = plain(&published("vae_to_input.csv", &format!("K{k}"))).peak;
        assert_eq!(peak.into_found().unwrap().at.layer, layer, "K = {k}");
    }
}

#[test]
fn imbalance_to_the_output_is_lowest_at_the_output() {
    for expected in &EXPECTED {
        let found = plain(&published("vae_to_output.csv", &format!("K{}", expected.k)));
        let minimum = found.minimum.into_found().unwrap();
        assert!(
            minimum.at_edge && minimum.at.layer == "l10",
            "K = {}",
            expected.k
        );
    }
}

#[test]
fn an_untrained_network_peaks_in_the_encoder_unless_the_latent_is_wide() {
    // Normals of a random decoder: the dimension of the latent, whatever the layer.
    for k in [2, 4, 8, 16, 32, 64, 128] {
        let found = with_bottleneck("vae_id_epoch0.csv", k);
        let peak = if k < 64 { "l1" } else { "l9" };
        assert_eq!(found.peak.into_found().unwrap().at.layer, peak, "K = {k}");
        let double = found.double_hunchback.into_found().unwrap();
        assert_eq!(double.present, k >= 32, "K = {k}");
    }
}

#[test]
fn imbalance_from_output_to_input_splits_training_in_two_phases() {
    for (k, epoch) in [
        (2, 50.0),
        (4, 10.0),
        (8, 20.0),
        (16, 200.0),
        (32, 10.0),
        (64, 10.0),
        (128, 20.0),
    ] {
        let minimum = plain(&published("vae_epochs.csv", &format!("K{k}"))).minimum;
        let minimum = minimum.into_found().unwrap();
        assert_close(minimum.at.position, epoch, 0.0);
        // The outlier run still learns when training stops.
        assert_eq!(minimum.at_edge, k == 16);
    }
}

#[test]
fn the_published_relative_difference_is_the_difference_over_the_mean() {
    for k in [2, 32, 128] {
        let column = |what: &str| published("vae_neighbours.csv", &format!("K{k}_{what}"));
        let (forward, backward) = (column("forward"), column("backward"));
        let published = column("relative_difference");
        for layer in 0..10 {
            let (f, b) = (
                forward.values()[layer].unwrap(),
                backward.values()[layer].unwrap(),
            );
            assert_close(
                published.values()[layer].unwrap(),
                2.0 * (f - b) / (f + b),
                5.1e-4,
            );
        }
    }
}

#[test]
fn the_encoder_contracts_and_the_decoder_expands() {
    use Direction::{Contraction, Expansion, Neutral};
    let runs = |k: usize| -> Vec<(Direction, usize, usize)> {
        let series = published("vae_neighbours.csv", &format!("K{k}_relative_difference"));
        let runs = directions(&series);
        runs.iter()
            .map(|run| (run.direction, run.first, run.last))
            .collect()
    };
    assert_eq!(
        runs(32),
        [
            (Expansion, 0, 0),
            (Contraction, 1, 1),
            (Neutral, 2, 2),
            (Contraction, 3, 4),
            (Expansion, 5, 8),
            (Contraction, 9, 9),
        ]
    );
    assert_eq!(
        runs(128),
        [
            (Expansion, 0, 0),
            (Contraction, 1, 3),
            (Expansion, 4, 8),
            (Contraction, 9, 9)
        ]
    );
    // A decoder of a narrow latent only unfolds it.
    assert_eq!(runs(2).last(), Some(&(Neutral, 5, 9)));
}

#[test]
fn the_decoder_of_a_narrow_latent_is_one_plateau() {
    let found = with_bottleneck("vae_id.csv", 2);
    let plateau = found.plateau.into_found().unwrap();
    assert_eq!(
        (plateau.window.first.index, plateau.window.last.index),
        (5, 10)
    );
    assert_eq!(
        with_bottleneck("vae_id.csv", 32).plateau.reason(),
        Some(Reason::NoPlateau)
    );
}
