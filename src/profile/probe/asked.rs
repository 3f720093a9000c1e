//! The rows that a probe asks about, their targets, and how they are dealt over the splits.

use super::options::{ProbeOptions, SplitRule};
use super::shape::ScoreKind;
use super::targets::ProbeTargets;
use crate::error::{Error, Result};
use crate::geometry::probe::{Fold, Groups, folds, holdout};
use crate::geometry::stats;
use crate::warning::{Warning, WarningCode};

/// The rows that are asked about, as places among the common rows, and their targets.
pub(super) struct Asked {
    pub(super) places: Vec<usize>,
    pub(super) n_classes: usize,
    pub(super) answers: Answers,
}

pub(super) enum Answers {
    Classes(Vec<usize>),
    Numbers(Vec<f64>),
}

impl Asked {
    pub(super) fn of(targets: &ProbeTargets, input: &[u32]) -> Self {
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
    pub(super) fn splits(
        &self,
        options: &ProbeOptions,
        prompts: Option<&Groups>,
    ) -> Result<Vec<Fold>> {
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

    pub(super) fn classes(&self) -> Option<&[usize]> {
        match &self.answers {
            Answers::Classes(classes) => Some(classes),
            Answers::Numbers(_) => None,
        }
    }

    pub(super) fn score(&self) -> ScoreKind {
        match self.answers {
            Answers::Classes(_) => ScoreKind::Accuracy,
            Answers::Numbers(_) => ScoreKind::R2,
        }
    }

    /// What an answer without looking gets, over the folds.
    pub(super) fn chance(&self, splits: &[Fold]) -> Option<f64> {
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
    pub(super) fn notice(&self, splits: &[Fold], warnings: &mut Vec<Warning>) {
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
pub(super) fn share(of: impl Iterator<Item = bool>) -> f64 {
    let (hits, all) = of.fold((0usize, 0usize), |(hits, all), hit| {
        (hits + usize::from(hit), all + 1)
    });
    hits as f64 / all.max(1) as f64
}
