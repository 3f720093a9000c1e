//! Numbers of a direct ridge regression in double precision, and of the network itself.

use ndarray::{Array2, Axis};
use repgeo::geometry::clones::{Baseline, Readout, Targets, chunk_scores};
use repgeo::input::Matrix;
use repgeo::profile::clones::{ClonesOptions, TrainingCondition};

use super::{all_targets, assert_close, digits, fits, layer, profile, values};

/// w; paper R², mean correlation, ‖·‖; complement R², mean correlation; their baselines.
const EXPECTED: [(usize, [f64; 7]); 7] = [
    (
        1,
        [
            0.116399763754,
            0.310629485699,
            0.00559305439553,
            0.112613185497,
            0.317238624277,
            0.0116551939925,
            0.0282448072804,
        ],
    ),
    (
        2,
        [
            0.264393424434,
            0.32773516923,
            0.00593395197534,
            0.247883387783,
            0.341906285775,
            0.0232843137255,
            0.0282625211782,
        ],
    ),
    (
        4,
        [
            0.53762333194,
            0.38787194487,
            0.00706671957302,
            0.514706417612,
            0.422526535265,
            0.046464330413,
            0.0282980491887,
        ],
    ),
    (
        8,
        [
            0.982810592598,
            0.542689306703,
            0.00953803828427,
            0.981149221206,
            0.646463883526,
            0.0925114726742,
            0.0283695090226,
        ],
    ),
    (
        16,
        [
            0.999503986124,
            0.108318837974,
            0.00248501653611,
            0.999393841784,
            0.156308524607,
            0.183354192741,
            0.0285140679663,
        ],
    ),
    (
        48,
        [
            0.999825930959,
            0.0132383383398,
            0.000502453097605,
            0.999646348759,
            0.0535168791631,
            0.530037546934,
            0.0291152211341,
        ],
    ),
    (
        96,
        [1.0, 0.0, 0.0, f64::NAN, f64::NAN, 1.0, 0.0300927861558],
    ),
];

#[test]
fn the_first_neurons_of_a_layer_fit_it_as_ridge_regression_does() {
    let features = layer("golden/highdim.npy");
    let order: Vec<usize> = (0..96).collect();
    let sizes = EXPECTED.map(|(w, _)| w);
    let fits = fits(&features, &order, &sizes);
    for ((w, expected), fit) in EXPECTED.iter().zip(&fits) {
        let what = format!("w = {w}");
        assert_close(fit.paper.r2, expected[0], 1e-8, &what);
        assert_close(fit.paper.correlation.unwrap(), expected[1], 1e-8, &what);
        assert_close(fit.paper.frobenius.unwrap(), expected[2], 1e-8, &what);
        if *w == 96 {
            assert_eq!(fit.complement, None);
        } else {
            let outside = fit.complement.unwrap();
            assert_close(outside.r2, expected[3], 1e-8, &what);
            assert_close(outside.correlation.unwrap(), expected[4], 1e-8, &what);
        }
        let baseline = Baseline::new(*w, 96, 800).unwrap();
        assert_close(baseline.r2_paper, expected[5], 1e-12, &what);
        // The reference quotes the leading term of an expansion in 1/(N − 1 − w).
        let share = baseline.correlation_complement / expected[6] - 1.0;
        let freedom = (800 - 1 - w) as f64;
        assert_close(share, 1.0 / (4.0 * freedom), 1e-6, &what);
    }
}

#[test]
fn a_readout_of_class_means_scores_chunks_as_numpy_does() {
    let features = layer("golden/highdim.npy");
    let targets = all_targets("clones/highdim_labels.npy", 5);
    let Targets::Classes(classes) = &targets else {
        panic!("labels are classes");
    };
    let rows = values(&features);
    let mean = rows.mean_axis(Axis(0)).unwrap();
    let n_classes = classes.iter().max().unwrap() + 1;
    let mut weights = Array2::zeros((n_classes, 96));
    let mut bias = Vec::new();
    for class in 0..n_classes {
        let members: Vec<usize> = (0..800).filter(|&i| classes[i] == class).collect();
        let own = rows.select(Axis(0), &members).mean_axis(Axis(0)).unwrap();
        bias.push(-(own.dot(&own) - mean.dot(&mean)) / 2.0);
        weights.row_mut(class).assign(&(&own - &mean));
    }
    let readout = Readout::new(&Matrix::from(weights), bias);
    let order: Vec<usize> = (0..96).collect();
    let scores = chunk_scores(
        &readout,
        &features,
        &targets,
        &order,
        &[1, 8, 48, 96],
        false,
    );
    let expected = [
        (0.36, 21.51424895),
        (0.36, 18.69876993),
        (0.375, 18.10394748),
        (0.42625, 25.69560896),
    ];
    for (score, (accuracy, loss)) in scores.iter().zip(expected) {
        assert_close(score.accuracy, accuracy, 1e-12, "accuracy");
        assert_close(score.loss.unwrap(), loss, 1e-6, "loss");
    }
}

#[test]
fn the_whole_layer_answers_as_its_network_does() {
    let (features, data) = digits();
    let found = profile(&features, &data, &ClonesOptions::default());
    let whole = found.widths.last().unwrap();
    let accuracy = |scores: &Option<repgeo::profile::clones::ChunkScores>| {
        scores.as_ref().unwrap().accuracy.mean
    };
    assert_close(
        accuracy(&whole.test),
        0.953_333_333_333_333_3,
        1e-12,
        "test",
    );
    assert_close(accuracy(&whole.train), 1.0, 0.0, "train");
    assert_eq!(whole.width, 32);
    assert_eq!(whole.smallest_rank, Some(25));
    // Independent draws of another generator gave 0.343, 0.610, 0.857, 0.974 (five draws each).
    for (w, r2) in [(4, 0.610), (8, 0.857), (16, 0.974)] {
        let one = found.widths.iter().find(|one| one.width == w).unwrap();
        let spread = one.paper().unwrap().r2;
        let error = spread.std_dev.unwrap() * (1.0f64 / 5.0 + 1.0 / 40.0).sqrt();
        assert_close(spread.mean, r2, 4.0 * error, "R2 of drawn chunks");
    }
    // Half the layer explains 97.5 % of it and classifies 70 % of the training rows: no clones.
    assert_eq!(found.critical_width.outcome.ok(), None);
    assert_eq!(
        found.critical_width.training_condition,
        TrainingCondition::Checked
    );
}
