//! Learns and asks fold by fold, the folds of some layers beside each other.

use rayon::prelude::*;

use super::asked::{Answers, Asked, share};
use super::forecast::PROBING;
use super::memory::AtOnce;
use super::options::{ProbeOptions, Readout};
use super::shape::{ProbeLayer, ProbeScore};
use crate::error::Result;
use crate::geometry::probe::{Fold, Standardised, logistic, ridge};
use crate::geometry::{Reason, stats};
use crate::input::Matrix;
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerRef};
use crate::progress::Progress;

/// The probe of every layer.
pub(super) fn of_layers(
    comparison: &Comparison<'_>,
    asked: &Asked,
    splits: &[Fold],
    options: &ProbeOptions,
    at_once: AtOnce,
    bench: &Bench<'_>,
) -> Result<Vec<ProbeLayer>> {
    let layers = comparison.left();
    let mut found: Vec<ProbeLayer> = Vec::new();
    while found.len() < layers.len() {
        let first = found.len();
        let batch = first..(first + at_once.layers).min(layers.len());
        let read = batch.map(|at| {
            let matrix = comparison.read_left(at)?;
            Ok(Widened::new(&matrix, asked, layers[at].identical()))
        });
        let read: Vec<Widened> = read.collect::<Result<_>>()?;
        bench.progress.step(PROBING, &layers[first].layer);
        let tasks = read.len() * splits.len();
        bench.progress.begin(&layers[first].layer, tasks as u64);
        let outcomes = scores(&read, asked, splits, options, at_once, bench.progress);
        bench.progress.end();
        // The others of the batch are over as soon as they are named.
        for layer in &layers[first + 1..first + read.len()] {
            bench.progress.step(PROBING, &layer.layer);
        }
        let done = layers[first..].iter().zip(&read).zip(outcomes);
        found.extend(
            done.map(|((layer, read), outcome)| report(&layer.place(), read.width, outcome)),
        );
    }
    Ok(found)
}

/// The rows of a layer that are asked about, or why it cannot be probed.
struct Widened {
    width: usize,
    values: std::result::Result<Vec<f64>, Reason>,
}

impl Widened {
    fn new(matrix: &Matrix, asked: &Asked, identical: bool) -> Self {
        let width = matrix.n_columns();
        let values = match (identical, asked.places.is_empty()) {
            (true, _) => Err(Reason::AllRowsIdentical),
            (false, true) => Err(Reason::NoLabels),
            (false, false) => {
                let mut values = vec![0.0; asked.places.len() * width];
                let rows = values.chunks_exact_mut(width.max(1));
                for (&place, out) in asked.places.iter().zip(rows) {
                    matrix.widen_row(place, out);
                }
                Ok(values)
            }
        };
        Self { width, values }
    }
}

fn report(
    at: &LayerRef,
    n_columns: usize,
    outcome: std::result::Result<Vec<Scored>, Reason>,
) -> ProbeLayer {
    let tests = |all: &Vec<Scored>| all.iter().map(|one| one.test).collect();
    let folds: Vec<f64> = outcome.as_ref().map(tests).unwrap_or_default();
    let found = outcome.and_then(|all| {
        let train: Vec<f64> = all.iter().map(|one| one.train).collect();
        Ok(ProbeScore {
            score: stats::mean(&folds).ok_or(Reason::TooFewRows)?,
            std_dev: stats::std_dev(&folds),
            train_score: stats::mean(&train),
            n_steps: all.iter().filter_map(|one| one.n_steps).max(),
        })
    });
    ProbeLayer {
        layer: at.layer.clone(),
        index: at.index,
        relative_depth: at.relative_depth,
        n_columns,
        outcome: found.into(),
        folds,
    }
}

/// One fold.
struct Scored {
    test: f64,
    train: f64,
    n_steps: Option<usize>,
}

/// The scores of some layers, fold by fold. Each fold is by itself, so that threads change nothing.
fn scores(
    layers: &[Widened],
    asked: &Asked,
    splits: &[Fold],
    options: &ProbeOptions,
    at_once: AtOnce,
    progress: &dyn Progress,
) -> Vec<std::result::Result<Vec<Scored>, Reason>> {
    let one = |task: usize| {
        let layer = &layers[task / splits.len()];
        let values = layer.values.as_ref().map_err(|reason| *reason)?;
        let fold = &splits[task % splits.len()];
        let found = of_fold(values, layer.width, asked, fold, options);
        progress.advance(1);
        found
    };
    let tasks: Vec<usize> = (0..layers.len() * splits.len()).collect();
    // Where memory is short, fewer threads have a fold.
    let wave = match at_once.folds < rayon::current_num_threads() {
        true => at_once.folds,
        false => tasks.len(),
    };
    let mut scored: Vec<std::result::Result<Scored, Reason>> = Vec::new();
    for wave in tasks.chunks(wave.max(1)) {
        let wave = wave.par_iter().with_max_len(1);
        scored.par_extend(wave.map(|&task| one(task)));
    }
    let mut scored = scored.into_iter();
    let layers = layers.iter();
    layers
        .map(|_| {
            // All of the layer, also behind a fold that has none.
            let own: Vec<_> = scored.by_ref().take(splits.len()).collect();
            own.into_iter().collect()
        })
        .collect()
}

/// The scores of one fold.
fn of_fold(
    values: &[f64],
    width: usize,
    asked: &Asked,
    fold: &Fold,
    options: &ProbeOptions,
) -> std::result::Result<Scored, Reason> {
    if fold.train.is_empty() || fold.test.is_empty() {
        return Err(Reason::TooFewRows);
    }
    let standard = Standardised::of(values, width, &fold.train);
    let train = standard.rows(values, width, &fold.train);
    let test = standard.rows(values, width, &fold.test);
    match &asked.answers {
        Answers::Classes(classes) => of_classes(
            [&train, &test],
            standard.width(),
            [&fold.train, &fold.test].map(|rows| rows.iter().map(|&row| classes[row]).collect()),
            asked.n_classes,
            options,
        ),
        Answers::Numbers(numbers) => of_numbers(
            [&train, &test],
            standard.width(),
            [&fold.train, &fold.test].map(|rows| rows.iter().map(|&row| numbers[row]).collect()),
            options.penalty,
        ),
    }
}

fn of_classes(
    [train, test]: [&[f64]; 2],
    width: usize,
    [learned, asked]: [Vec<usize>; 2],
    n_classes: usize,
    options: &ProbeOptions,
) -> std::result::Result<Scored, Reason> {
    // Of one class there is nothing to tell apart, whatever the read-out.
    if learned.iter().all(|class| *class == learned[0]) {
        return Err(Reason::SingleClass);
    }
    let right = |answers: Vec<usize>, classes: &[usize]| {
        share(
            answers
                .iter()
                .zip(classes)
                .map(|(answer, class)| answer == class),
        )
    };
    Ok(match options.readout {
        Readout::Logistic => {
            let fit = logistic(train, width, &learned, n_classes, options.penalty)?;
            Scored {
                test: right(fit.readout.classes(test), &asked),
                train: right(fit.readout.classes(train), &learned),
                n_steps: Some(fit.n_steps),
            }
        }
        Readout::Ridge => {
            let signs: Vec<f64> = learned
                .iter()
                .flat_map(|&class| (0..n_classes).map(move |k| if k == class { 1.0 } else { -1.0 }))
                .collect();
            let fit = ridge(train, width, &signs, n_classes, options.penalty)?;
            let classes = |rows: &[f64]| -> Vec<usize> {
                let read = fit.read(rows);
                let largest = |row: &[f64]| {
                    (1..n_classes).fold(0, |best, k| if row[k] > row[best] { k } else { best })
                };
                read.chunks_exact(n_classes).map(largest).collect()
            };
            Scored {
                test: right(classes(test), &asked),
                train: right(classes(train), &learned),
                n_steps: None,
            }
        }
    })
}

fn of_numbers(
    [train, test]: [&[f64]; 2],
    width: usize,
    [learned, asked]: [Vec<f64>; 2],
    penalty: f64,
) -> std::result::Result<Scored, Reason> {
    let fit = ridge(train, width, &learned, 1, penalty)?;
    Ok(Scored {
        test: r2(&fit.read(test), &asked)?,
        train: r2(&fit.read(train), &learned)?,
        n_steps: None,
    })
}

/// 1 − Σ(y − ŷ)²/Σ(y − ȳ)².
fn r2(read: &[f64], asked: &[f64]) -> std::result::Result<f64, Reason> {
    let mean = stats::mean(asked).ok_or(Reason::TooFewRows)?;
    let squares = |of: &dyn Fn(usize) -> f64| {
        let squares: Vec<f64> = (0..asked.len()).map(|row| of(row) * of(row)).collect();
        stats::sum(&squares)
    };
    let whole = squares(&|row| asked[row] - mean);
    match whole > 0.0 {
        true => Ok(1.0 - squares(&|row| asked[row] - read[row]) / whole),
        // Equal targets have no variance to explain.
        false => Err(Reason::ConstantLayer),
    }
}
