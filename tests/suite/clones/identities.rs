//! What must hold for any layer.

use ndarray::{Array2, Axis, concatenate};
use repgeo::geometry::Reason;
use repgeo::geometry::clones::{
    Baseline, Member, Readout, Targets, chunk_scores, ensemble_accuracy,
};
use repgeo::input::Matrix;
use repgeo::profile::clones::{CloneData, ClonesOptions, LimitSource, Network};
use repgeo::random::SplitMix64;

use super::{assert_close, digits, fits, normals, profile};

/// N × W activations of `factors` latent directions and a little noise.
fn latent(rows: usize, width: usize, factors: usize, seed: u64) -> Array2<f64> {
    let latent = normals(rows, factors, seed).dot(&normals(factors, width, seed + 1));
    latent / (factors as f64).sqrt() + 0.1 * normals(rows, width, seed + 2)
}

#[test]
fn explained_variance_grows_along_nested_chunks_up_to_one() {
    let features = Matrix::from(latent(500, 60, 5, 1));
    let order = SplitMix64::new(3).choose(60, 60);
    let sizes: Vec<usize> = (1..=60).collect();
    let fits = fits(&features, &order, &sizes);
    assert!(
        fits.windows(2)
            .all(|w| w[0].paper.r2 <= w[1].paper.r2 + 1e-14)
    );
    let whole = fits.last().unwrap();
    assert_close(whole.paper.r2, 1.0, 0.0, "R2 of the whole");
    assert_eq!(whole.paper.correlation, Some(0.0));
    assert_eq!(whole.complement, None);
    assert_eq!(whole.rank, 60);
}

#[test]
fn the_fit_is_that_of_a_regression_by_hand() {
    let data = latent(200, 12, 3, 5);
    let order = [3, 7, 1, 0, 2, 4, 5, 6, 8, 9, 10, 11];
    let fit = fits(&Matrix::from(data.clone()), &order, &[3])[0];
    let centred = &data - &data.mean_axis(Axis(0)).unwrap();
    // Gram-Schmidt on the three predictors, then residuals of every column.
    let mut basis: Vec<ndarray::Array1<f64>> = Vec::new();
    for &k in &order[..3] {
        let mut column = centred.column(k).to_owned();
        for b in &basis {
            let along = b.dot(&column);
            column.scaled_add(-along, b);
        }
        basis.push(&column / column.dot(&column).sqrt());
    }
    let mut residuals = centred.clone();
    for mut column in residuals.columns_mut() {
        for b in &basis {
            let along = b.dot(&column);
            column.scaled_add(-along, b);
        }
    }
    let squares = |m: &Array2<f64>, columns: &[usize]| -> f64 {
        columns.iter().map(|&k| m.column(k).dot(&m.column(k))).sum()
    };
    let outside = &order[3..];
    let r2 = 1.0 - squares(&residuals, outside) / squares(&centred, outside);
    assert_close(fit.complement.unwrap().r2, r2, 1e-12, "complement");
    let paper = 1.0 - squares(&residuals, outside) / squares(&centred, &order);
    assert_close(fit.paper.r2, paper, 1e-12, "paper");
    let mut correlations = Vec::new();
    for (at, &i) in outside.iter().enumerate() {
        for &j in &outside[..at] {
            let (x, y) = (residuals.column(i), residuals.column(j));
            correlations.push((x.dot(&y) / (x.dot(&x) * y.dot(&y)).sqrt()).abs());
        }
    }
    let mean = correlations.iter().sum::<f64>() / correlations.len() as f64;
    let found = fit.complement.unwrap().correlation.unwrap();
    assert_close(found, mean, 1e-12, "correlation");
}

#[test]
fn copies_of_neurons_are_clones_and_add_no_rank() {
    let half = normals(300, 20, 8);
    let twice = concatenate(Axis(1), &[half.view(), half.view()]).unwrap();
    let order: Vec<usize> = (0..40).collect();
    let fits = fits(&Matrix::from(twice), &order, &[20, 30]);
    for fit in fits {
        assert_eq!(fit.rank, 20);
        assert_close(fit.paper.r2, 1.0, 1e-12, "paper");
        assert_close(fit.complement.unwrap().r2, 1.0, 1e-12, "complement");
        assert_eq!(fit.complement.unwrap().correlation, None);
    }
}

#[test]
fn independent_neurons_show_the_baseline() {
    let features = Matrix::from(normals(1000, 128, 11));
    let options = ClonesOptions {
        sizes: Some(vec![1, 16, 64]),
        ..ClonesOptions::default()
    };
    let found = profile(&features, &CloneData::default(), &options);
    for one in &found.widths[..3] {
        let (paper, outside) = (one.paper().unwrap(), one.complement().unwrap());
        let iid = Baseline::new(one.width, 128, 1000).unwrap();
        let near = |spread: repgeo::profile::clones::Spread, expected: f64| {
            // Draws share the same data, so their spread alone is no error; 2 % of data remain.
            let slack = 3.0 * spread.std_dev.unwrap() + 0.02 * expected;
            assert_close(spread.mean, expected, slack, "baseline");
        };
        near(paper.r2, iid.r2_paper);
        near(outside.r2, iid.r2_complement);
        near(paper.residual_correlation.unwrap(), iid.correlation_paper);
        near(
            outside.residual_correlation.unwrap(),
            iid.correlation_complement,
        );
    }
    assert_eq!(found.critical_width.outcome.0, Err(Reason::NotReached));
    assert!(found.verdict.contains("no clones"), "{}", found.verdict);
}

#[test]
fn planted_factors_set_the_critical_width() {
    let features = Matrix::from(latent(2000, 256, 16, 21));
    let options = ClonesOptions {
        draws: 10,
        ..ClonesOptions::default()
    };
    let found = profile(&features, &CloneData::default(), &options);
    // 16 factors give a critical width of 2 to 4 times as many neurons.
    let critical = found.critical_width.outcome.0.unwrap();
    assert_eq!((critical.width, critical.n_clones), (32, 8.0));
    // Draws of another generator, to the tolerance of draws.
    let expected = [
        (1, 0.0659, 0.2069),
        (2, 0.1322, 0.2120),
        (4, 0.2595, 0.2243),
        (8, 0.5043, 0.2594),
        (16, 0.8957, 0.3066),
        (32, 0.9818, 0.1023),
        (64, 0.9901, 0.0335),
        (128, 0.9946, 0.00807),
    ];
    for (one, (w, r2, correlation)) in found.widths.iter().zip(expected) {
        let paper = one.paper().unwrap();
        assert_eq!(one.width, w);
        assert_close(paper.r2.mean, r2, 0.01, "R2");
        let share = paper.residual_correlation.unwrap().mean / correlation;
        assert_close(share, 1.0, 0.08, "correlation");
    }
    assert!(found.verdict.contains("8 clones"), "{}", found.verdict);
}

#[test]
fn what_cannot_be_fitted_has_a_reason() {
    let few = profile(
        &Matrix::from(normals(12, 16, 31)),
        &CloneData::default(),
        &ClonesOptions::default(),
    );
    let reasons: Vec<Option<Reason>> = few.widths.iter().map(|one| one.of_all.reason()).collect();
    let too_few = Some(Reason::TooFewRows);
    assert_eq!(reasons, [None, None, None, None, too_few]);
    let constant = Matrix::from(Array2::<f64>::ones((30, 4)));
    let constant = profile(&constant, &CloneData::default(), &ClonesOptions::default());
    assert!(
        constant
            .widths
            .iter()
            .all(|one| one.of_all.reason() == Some(Reason::ConstantLayer))
    );
    let single = profile(
        &Matrix::from(normals(30, 1, 32)),
        &CloneData::default(),
        &ClonesOptions::default(),
    );
    assert_eq!(single.widths.len(), 1);
    assert_eq!(single.critical_width.outcome.ok(), None);
}

#[test]
fn parts_of_the_rows_give_standard_errors() {
    let features = Matrix::from(latent(800, 32, 4, 41));
    let options = ClonesOptions {
        partitions: Some(4),
        draws: 5,
        ..ClonesOptions::default()
    };
    let found = profile(&features, &CloneData::default(), &options);
    let plain = profile(
        &features,
        &CloneData::default(),
        &ClonesOptions {
            partitions: None,
            ..options
        },
    );
    for (one, plain) in found.widths.iter().zip(&plain.widths).take(4) {
        let (r2, alone) = (one.paper().unwrap().r2, plain.paper().unwrap().r2);
        assert_close(r2.mean, alone.mean, 0.0, "parts change no mean");
        assert!(r2.std_error.unwrap() > 0.0 && alone.std_error.is_none());
    }
}

#[test]
fn logits_times_the_inverse_share_change_neither_sign_nor_the_whole() {
    let (features, data) = digits();
    let (readout, targets) = data.readout.unwrap();
    let order: Vec<usize> = (0..32).collect();
    let score = |rescale| chunk_scores(&readout, &features, &targets, &order, &[8, 32], rescale);
    let (plain, rescaled) = (score(false), score(true));
    assert_eq!(plain[1], rescaled[1]);
    // Without a bias a factor moves no argmax.
    let weights = Matrix::from(normals(3, 32, 51));
    let readout = Readout::new(&weights, vec![0.0; 3]);
    let targets = Targets::Classes((0..450).map(|i| i % 3).collect());
    let score = |rescale| chunk_scores(&readout, &features, &targets, &order, &[8], rescale)[0];
    assert_close(score(true).accuracy, score(false).accuracy, 0.0, "argmax");
    let readout = Readout::new(&Matrix::from(normals(1, 32, 52)), vec![0.0]);
    let signs = Targets::Signs(
        (0..450)
            .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
            .collect(),
    );
    let found = chunk_scores(&readout, &features, &signs, &order, &[32], false)[0];
    assert_eq!(found.loss, None);
    assert!((0.3..0.7).contains(&found.accuracy));
}

#[test]
fn an_ensemble_of_one_network_is_the_network_and_of_all_is_one_sum() {
    let targets = Targets::Classes(vec![0, 1]);
    let members: Vec<Member> = vec![
        vec![2.0, 0.0, 3.0, 0.0],
        vec![1.0, 0.0, 0.0, 1.0],
        vec![0.0, 1.0, 0.0, 4.0],
    ];
    let of = |size| ensemble_accuracy(&members, 2, &targets, size, 0);
    // Summed logits: (3, 1) and (3, 5).
    assert_eq!(of(3).map(|found| found.mean), Some(1.0));
    assert_eq!(of(4), None);
    // Alone they get 1, 2 and 1 of 2 rows right, and all three subsets are taken.
    let one = of(1).unwrap();
    assert_close(one.mean, 2.0 / 3.0, 1e-15, "mean of three");
    assert_eq!((one.n, one.std_error), (3, None));
    let alone = ensemble_accuracy(&members[..1], 2, &targets, 1, 0);
    assert_eq!(alone.map(|found| found.mean), Some(0.5));
}

#[test]
fn networks_of_other_seeds_set_the_limit_of_the_error() {
    let (features, mut data) = digits();
    let network = |data: &CloneData| Network {
        features: features.clone(),
        readout: data.readout.as_ref().unwrap().0.clone(),
    };
    data.networks = vec![network(&data), network(&data)];
    let options = ClonesOptions {
        draws: 2,
        score_draws: Some(3),
        ..ClonesOptions::default()
    };
    let found = profile(&features, &data, &options).network.unwrap();
    // Three times the same network is that network.
    assert_eq!(found.n_networks, 3);
    assert_eq!(found.error_limit.source, LimitSource::Ensemble);
    assert_close(
        found.error_limit.outcome.ok().unwrap().error,
        1.0 - 0.953_333_333_333_333_3,
        1e-12,
        "limit",
    );
    let sizes: Vec<usize> = found.ensembles.iter().map(|one| one.n_networks).collect();
    assert_eq!(sizes, [1, 2, 3]);
}

/// Residual variance of `to` over its variance after least squares from `from`, by Gram-Schmidt.
fn unexplained(centred: &Array2<f64>, from: &[usize], to: &[usize]) -> f64 {
    let mut basis: Vec<ndarray::Array1<f64>> = Vec::new();
    let without = |column: &mut ndarray::Array1<f64>, basis: &[ndarray::Array1<f64>]| {
        for b in basis {
            let along = b.dot(column);
            column.scaled_add(-along, b);
        }
    };
    for &k in from {
        let mut column = centred.column(k).to_owned();
        without(&mut column, &basis);
        basis.push(&column / column.dot(&column).sqrt());
    }
    let (mut left, mut all) = (0.0, 0.0);
    for &k in to {
        let mut column = centred.column(k).to_owned();
        all += column.dot(&column);
        without(&mut column, &basis);
        left += column.dot(&column);
    }
    left / all
}

#[test]
fn disjoint_chunks_are_fitted_from_each_other_both_ways() {
    // Long layers are eliminated, short ones projected.
    for rows in [200, 13] {
        let data = latent(rows, 30, 3, 11);
        let options = ClonesOptions {
            sizes: Some(vec![4, 20]),
            draws: 1,
            seed: 5,
            disjoint: true,
            ..ClonesOptions::default()
        };
        let found = profile(&Matrix::from(data.clone()), &CloneData::default(), &options);
        let order = SplitMix64::new(5).choose(30, 30);
        let centred = &data - &data.mean_axis(Axis(0)).unwrap();
        let (a, b) = (&order[..4], &order[4..8]);
        let expected = 1.0 - (unexplained(&centred, a, b) + unexplained(&centred, b, a)) / 2.0;
        let r2 = found.widths[0].disjoint().unwrap().r2;
        assert_close(r2.mean, expected, 1e-10, "R2 of a disjoint chunk");
        assert!(r2.mean < 1.0);
        for one in &found.widths[1..] {
            let disjoint = one.disjoint.as_ref().unwrap();
            assert_eq!(disjoint.reason(), Some(Reason::TooFewNeurons));
        }
    }
}

#[test]
fn copies_of_the_neurons_explain_each_other_where_both_chunks_span_the_layer() {
    let features = latent(300, 40, 1, 2) * 0.0 + &normals(300, 1, 7);
    let options = ClonesOptions {
        sizes: Some(vec![5]),
        draws: 3,
        disjoint: true,
        ..ClonesOptions::default()
    };
    let found = profile(&Matrix::from(features), &CloneData::default(), &options);
    let disjoint = found.widths[0].disjoint().unwrap();
    assert_close(disjoint.r2.mean, 1.0, 1e-12, "R2 of copies");
    assert_eq!(disjoint.r2.n, 3);
}

#[test]
fn errors_over_data_stand_beside_disjoint_chunks() {
    let options = ClonesOptions {
        sizes: Some(vec![3]),
        draws: 4,
        disjoint: true,
        partitions: Some(4),
        ..ClonesOptions::default()
    };
    let features = Matrix::from(normals(400, 12, 3));
    let found = profile(&features, &CloneData::default(), &options);
    let r2 = found.widths[0].disjoint().unwrap().r2;
    // Independent neurons: w/(N - 1) in expectation.
    let error = r2.std_error.unwrap();
    assert!(
        error > 0.0 && (r2.mean - 3.0 / 399.0).abs() < 0.01,
        "{r2:?}"
    );
}
