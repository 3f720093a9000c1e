//! Splits the rows once, then learns and asks layer by layer.

use rayon::prelude::*;

use super::forecast::{Extent, PROBING, phases};
use super::options::{ProbeOptions, Readout, SplitRule};
use super::proposed::proposed;
use super::shape::{ProbeBest, ProbeLayer, ProbeParameters, ProbeProfile, ProbeScore, ProbeTarget};
use super::targets::ProbeTargets;
use crate::error::{Error, Result};
use crate::geometry::probe::{Fold, Groups, Standardised, folds, holdout, logistic, ridge};
use crate::geometry::{Reason, stats};
use crate::input::{Dump, Matrix};
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerRef, Side};
use crate::profile::layers::LayerOptions;
use crate::profile::parameters::RowParameters;
use crate::progress::Progress;
use crate::warning::{Warning, WarningCode};

/// How columns are standardised, for the report.
const STANDARDISED: &str =
    "columns of the training rows to mean 0 and variance 1; those that are constant there left out";

/// The score of a linear read-out of every layer of `dump` on rows that it has not learned from.
///
/// All layers are asked about the same rows in the same splits; classes are spread evenly over them.
/// Rows without a target take no part.
///
/// # Errors
/// [`Error::Usage`] for numbers with a logistic read-out, and more folds than rows, or than prompts
/// where rows are tokens; whatever reading a
/// layer gives.
pub fn probe(
    dump: &Dump,
    layers: &LayerOptions,
    targets: &ProbeTargets,
    options: &ProbeOptions,
    bench: &Bench<'_>,
) -> Result<ProbeProfile> {
    if matches!(targets, ProbeTargets::Numbers(..)) && options.readout == Readout::Logistic {
        return Err(Error::Usage(
            "--readout logistic reads classes; give --labels, or numbers with --readout ridge"
                .into(),
        ));
    }
    let side = Side {
        dump,
        options: layers.clone(),
    };
    let comparison = Comparison::new(side, None, bench.progress)?;
    let input = comparison.input_rows();
    let asked = Asked::of(targets, &input);
    let n = asked.places.len();
    let prompts = layers.tokens.as_ref().map(|tokens| {
        let rows = asked.places.iter().map(|&place| input[place] as usize);
        Groups::new(rows.map(|row| tokens.place(row).0))
    });
    let splits = asked.splits(options, prompts.as_ref())?;
    let mut warnings = dump.warnings().to_vec();
    asked.notice(&splits, &mut warnings);
    let extent = Extent {
        rows: asked.places.len(),
        classes: asked.n_classes,
        folds: splits.len(),
        readout: options.readout,
        ..Extent::of(comparison.left())
    };
    bench.progress.plan(&phases(&extent));
    let found = of_layers(&comparison, &asked, &splits, options, bench)?;
    for layer in comparison.left() {
        warnings.extend(
            layer
                .warnings
                .iter()
                .cloned()
                .map(|one| one.of(&layer.layer)),
        );
    }
    warnings.extend(learned_twice(&comparison));
    let best = best(&found);
    Ok(ProbeProfile {
        parameters: ProbeParameters {
            options: options.clone(),
            dealt: match layers.tokens {
                Some(_) => "prompts",
                None => "rows",
            },
            standardised: STANDARDISED,
            metric: bench.metric,
            rows: RowParameters::new(layers, bench.rows),
        },
        target: ProbeTarget {
            name: targets.name().to_owned(),
            score: asked.score(),
            n,
            n_missing: input.len() - n,
            n_classes: asked.classes().map(|_| asked.n_classes),
            chance: asked.chance(&splits),
        },
        proposed: proposed(dump, layers, &found, best.as_ref(), bench)?,
        layers: found,
        best,
        warnings,
    })
}

/// The probe of every layer.
fn of_layers(
    comparison: &Comparison<'_>,
    asked: &Asked,
    splits: &[Fold],
    options: &ProbeOptions,
    bench: &Bench<'_>,
) -> Result<Vec<ProbeLayer>> {
    let layers = comparison.left();
    let mut found = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        bench.progress.step(PROBING, &layer.layer);
        let matrix = comparison.read_left(at)?;
        let outcome = match layer.identical() {
            true => Err(Reason::AllRowsIdentical),
            false => {
                bench.progress.begin(&layer.layer, splits.len() as u64);
                let found = scores(&matrix, asked, splits, options, bench.progress);
                bench.progress.end();
                found
            }
        };
        found.push(report(&layer.place(), matrix.n_columns(), outcome));
    }
    Ok(found)
}

/// Warns of rows that may be asked about although they were learned.
fn learned_twice(comparison: &Comparison<'_>) -> Option<Warning> {
    let repeats = comparison.left().iter().filter_map(|one| one.n_duplicates);
    let most = repeats.max().filter(|&most| most > 0)?;
    Some(Warning::new(
        WarningCode::Duplicates,
        most,
        format!(
            "up to {most} rows of a layer repeat another: a row may be asked about that was \
             learned; --duplicates drop leaves them out"
        ),
    ))
}

/// The layer with the best score, the first on ties.
fn best(found: &[ProbeLayer]) -> Option<ProbeBest> {
    let scored = found.iter().filter_map(|layer| {
        let at = LayerRef {
            layer: layer.layer.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
        };
        Some(ProbeBest {
            at,
            score: layer.score()?,
        })
    });
    scored.reduce(|best, one| if one.score > best.score { one } else { best })
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

/// The rows that are asked about, as places among the common rows, and their targets.
struct Asked {
    places: Vec<usize>,
    n_classes: usize,
    answers: Answers,
}

enum Answers {
    Classes(Vec<usize>),
    Numbers(Vec<f64>),
}

impl Asked {
    fn of(targets: &ProbeTargets, input: &[u32]) -> Self {
        let places = input.iter().enumerate();
        match targets {
            ProbeTargets::Classes(labels) => {
                // Classes without a row here are no classes.
                let mut known: Vec<u32> = Vec::new();
                let (mut kept, mut codes) = (Vec::new(), Vec::new());
                for (place, &row) in places {
                    let Some(code) = labels.codes.get(row as usize).copied().flatten() else {
                        continue;
                    };
                    let at = known
                        .iter()
                        .position(|one| *one == code)
                        .unwrap_or_else(|| {
                            known.push(code);
                            known.len() - 1
                        });
                    kept.push(place);
                    codes.push(at);
                }
                Self {
                    places: kept,
                    n_classes: known.len(),
                    answers: Answers::Classes(codes),
                }
            }
            ProbeTargets::Numbers(_, numbers) => {
                let (kept, values) = places
                    .filter_map(|(place, &row)| {
                        Some((place, numbers.get(row as usize).copied().flatten()?))
                    })
                    .unzip();
                Self {
                    places: kept,
                    n_classes: 0,
                    answers: Answers::Numbers(values),
                }
            }
        }
    }

    /// Which rows are learned from, and which are asked about; the rows of a prompt stay together.
    fn splits(&self, options: &ProbeOptions, prompts: Option<&Groups>) -> Result<Vec<Fold>> {
        let n = prompts.map_or(self.places.len(), Groups::len);
        let of_prompts = prompts
            .zip(self.classes())
            .map(|(prompts, classes)| prompts.classes(classes));
        let classes = of_prompts.as_deref().or(self.classes());
        let dealt = match options.split {
            SplitRule::Folds(count) if count > n => {
                let whole = match prompts {
                    Some(_) => "prompts, whose tokens stay together,",
                    None => "rows",
                };
                return Err(Error::Usage(format!(
                    "--folds {count} needs as many {whole} with a target, there are {n}"
                )));
            }
            SplitRule::Folds(count) => folds(n, classes, count, options.seed),
            SplitRule::Holdout(share) => vec![holdout(n, classes, share, options.seed)],
        };
        Ok(match prompts {
            Some(prompts) => dealt.iter().map(|fold| prompts.rows(fold)).collect(),
            None => dealt,
        })
    }

    fn classes(&self) -> Option<&[usize]> {
        match &self.answers {
            Answers::Classes(classes) => Some(classes),
            Answers::Numbers(_) => None,
        }
    }

    fn score(&self) -> &'static str {
        match self.answers {
            Answers::Classes(_) => "accuracy",
            Answers::Numbers(_) => "r2",
        }
    }

    /// What an answer without looking gets, over the folds.
    fn chance(&self, splits: &[Fold]) -> Option<f64> {
        let Some(classes) = self.classes() else {
            return Some(0.0);
        };
        let shares: Vec<f64> = splits
            .iter()
            .filter(|fold| !fold.test.is_empty())
            .map(|fold| {
                let mut counts = vec![0usize; self.n_classes];
                fold.train.iter().for_each(|&row| counts[classes[row]] += 1);
                let most = (0..self.n_classes).fold(0, |best, class| {
                    if counts[class] > counts[best] {
                        class
                    } else {
                        best
                    }
                });
                share(fold.test.iter().map(|&row| classes[row] == most))
            })
            .collect();
        stats::mean(&shares)
    }

    /// Warns of classes that some fold cannot learn.
    fn notice(&self, splits: &[Fold], warnings: &mut Vec<Warning>) {
        let Some(classes) = self.classes() else {
            return;
        };
        let unknown = (0..self.n_classes).filter(|class| {
            let learns = |fold: &Fold| fold.train.iter().any(|&row| classes[row] == *class);
            !splits.iter().all(learns)
        });
        let unknown = unknown.count();
        if unknown > 0 {
            warnings.push(Warning::new(
                WarningCode::FewRows,
                unknown,
                format!(
                    "{unknown} of {} classes have no row to learn from in some fold and cannot be \
                     read out there",
                    self.n_classes
                ),
            ));
        }
    }
}

/// The share of what is true.
fn share(of: impl Iterator<Item = bool>) -> f64 {
    let (hits, all) = of.fold((0usize, 0usize), |(hits, all), hit| {
        (hits + usize::from(hit), all + 1)
    });
    hits as f64 / all.max(1) as f64
}

/// One fold.
struct Scored {
    test: f64,
    train: f64,
    n_steps: Option<usize>,
}

/// The scores of one layer, fold by fold.
fn scores(
    matrix: &Matrix,
    asked: &Asked,
    splits: &[Fold],
    options: &ProbeOptions,
    progress: &dyn Progress,
) -> std::result::Result<Vec<Scored>, Reason> {
    let width = matrix.n_columns();
    let mut values = vec![0.0; asked.places.len() * width];
    for (&place, out) in asked
        .places
        .iter()
        .zip(values.chunks_exact_mut(width.max(1)))
    {
        matrix.widen_row(place, out);
    }
    if asked.places.is_empty() {
        return Err(Reason::NoLabels);
    }
    // Each fold by itself, in order: threads change nothing.
    splits
        .par_iter()
        .map(|fold| {
            if fold.train.is_empty() || fold.test.is_empty() {
                return Err(Reason::TooFewRows);
            }
            let standard = Standardised::of(&values, width, &fold.train);
            let train = standard.rows(&values, width, &fold.train);
            let test = standard.rows(&values, width, &fold.test);
            match &asked.answers {
                Answers::Classes(classes) => of_classes(
                    [&train, &test],
                    standard.width(),
                    [&fold.train, &fold.test]
                        .map(|rows| rows.iter().map(|&row| classes[row]).collect()),
                    asked.n_classes,
                    options,
                ),
                Answers::Numbers(numbers) => of_numbers(
                    [&train, &test],
                    standard.width(),
                    [&fold.train, &fold.test]
                        .map(|rows| rows.iter().map(|&row| numbers[row]).collect()),
                    options.penalty,
                ),
            }
        })
        .inspect(|_| progress.advance(1))
        .collect()
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
