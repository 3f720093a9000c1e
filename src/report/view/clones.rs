//! How `repgeo clones` looks: its page and its curves.

use super::axes::{axis, point};
use super::clones_records::clones_records;
use super::warned::of_run;
use crate::profile::clones::LimitSource;
use crate::profile::clones::{ChunkScores, ChunkStatistics, ChunkWidth, ClonesProfile, Spread};
use crate::report::page::{
    Axis, Cell, Column, Curve, CurveRole, Curves, Grid, Mark, Note, Page, Part, Phrase, index,
    known, number, phrase,
};
use crate::report::{Printable, Record};

impl Printable for ClonesProfile {
    fn records(&self) -> Vec<Record<'_>> {
        clones_records(self)
    }

    fn page(&self) -> Page {
        let mut grid = Grid::new(columns(self));
        for one in &self.widths {
            grid.push(row(self, one));
        }
        let mut closing = vec![Note::Line("sd over the draws of a chunk".into())];
        closing.push(Note::Line(self.verdict.clone().into()));
        closing.extend(network_line(self).map(Note::Line));
        closing.extend(of_run(&self.warnings));
        Page::new("Clones", vec![grid.into()], closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        figures(self)
    }
}

fn columns(profile: &ClonesProfile) -> Vec<Column> {
    let mut columns = vec![
        Column::number("neurons"),
        Column::number("R²"),
        Column::spread().tight(),
        Column::number("i.i.d.").tight(),
        Column::number("R² outside"),
        Column::spread().tight(),
        Column::number("i.i.d.").tight(),
        Column::number("|r|"),
        Column::number("i.i.d.").tight(),
        Column::number("|r| outside"),
        Column::number("i.i.d.").tight(),
    ];
    if profile.network.is_some() {
        columns.push(Column::number("accuracy"));
        columns.push(Column::spread().tight());
    }
    if profile.parameters.options.rescale {
        columns.push(Column::number("rescaled"));
    }
    if has_train(profile) {
        columns.push(Column::number("on train"));
    }
    columns
}

fn has_train(profile: &ClonesProfile) -> bool {
    profile.widths.iter().any(|one| one.train.is_some())
}

fn r2(which: Option<&ChunkStatistics>) -> Option<Spread> {
    which.map(|statistics| statistics.r2)
}

fn correlation(which: Option<&ChunkStatistics>) -> Option<Spread> {
    which.and_then(|statistics| statistics.residual_correlation)
}

fn accuracy(scores: Option<&ChunkScores>) -> Option<Spread> {
    scores.map(|scores| scores.accuracy)
}

fn row(profile: &ClonesProfile, one: &ChunkWidth) -> Vec<Cell> {
    let value = |value: Option<f64>| Cell::from(known(value, 3));
    let mean = |spread: Option<Spread>| value(spread.map(|spread| spread.mean));
    let width = |spread: Option<Spread>| value(spread.and_then(|spread| spread.std_dev));
    let (paper, complement) = (one.paper(), one.complement());
    let baseline = one.baseline;
    // Beside a number that does not exist, its baseline would stand for nothing.
    let outside = baseline.filter(|_| complement.is_some());
    let critical = profile.critical_width.outcome.ok();
    let is_critical = critical.is_some_and(|found| found.width == one.width);
    let mut row = vec![
        Cell {
            marked: is_critical,
            ..index(one.width).into()
        },
        mean(r2(paper)),
        width(r2(paper)),
        value(baseline.map(|b| b.r2_paper)),
        mean(r2(complement)),
        width(r2(complement)),
        value(outside.map(|b| b.r2_complement)),
        mean(correlation(paper)),
        value(baseline.map(|b| b.correlation_paper)),
        mean(correlation(complement)),
        value(outside.map(|b| b.correlation_complement)),
    ];
    if profile.network.is_some() {
        row.push(mean(accuracy(one.test.as_ref())));
        row.push(width(accuracy(one.test.as_ref())));
    }
    if profile.parameters.options.rescale {
        let scores = one.test.as_ref();
        row.push(mean(scores.and_then(|scores| scores.rescaled_accuracy)));
    }
    if has_train(profile) {
        row.push(mean(accuracy(one.train.as_ref())));
    }
    row
}

/// The limit of the error and the slope towards it.
fn network_line(profile: &ClonesProfile) -> Option<Phrase> {
    let network = profile.network.as_ref()?;
    let limit = network.error_limit;
    let error = limit.outcome.ok()?.error;
    let source = match (limit.source, limit.n) {
        (LimitSource::Ensemble, Some(n)) => format!("an ensemble of {n} networks"),
        (_, Some(n)) => format!("extrapolated from {n} widths"),
        _ => limit.source.to_string(),
    };
    let mut line = phrase![
        "error at infinite width ",
        number(error, 3),
        format!(" ({source})"),
    ];
    if let Some(found) = network.excess_error.outcome.ok() {
        line = line
            .then("; excess error falls as width^")
            .then(number(found.slope, 3));
        if let Some(std_error) = found.std_error {
            line = line.then(" ± ").then(number(std_error, 1));
        }
        line = line.then(" (clones: -0.5)");
    }
    Some(line)
}

/// R², residual correlation and error against the number of neurons.
fn figures(profile: &ClonesProfile) -> Vec<Part> {
    type Value = fn(&ChunkWidth) -> Option<Spread>;
    type Known = fn(&ChunkWidth) -> Option<f64>;
    let measured = |name: &'static str, value: Value| Curve {
        name: name.into(),
        role: CurveRole::Measured,
        points: profile
            .widths
            .iter()
            .map(|one| {
                let spread = value(one);
                let error = spread.and_then(|spread| spread.std_dev);
                point(one.width as f64, spread.map(|spread| spread.mean), error)
            })
            .collect(),
    };
    let null = |name: &'static str, value: Known| Curve {
        name: name.into(),
        role: CurveRole::Null,
        points: profile
            .widths
            .iter()
            .map(|one| point(one.width as f64, value(one), None))
            .collect(),
    };
    let figure = |title: &'static str, curves: Vec<Curve>| Curves {
        title: title.into(),
        x: Axis {
            logarithmic: true,
            ..axis("neurons w")
        },
        y: axis(title),
        curves,
        marks: profile
            .critical_width
            .outcome
            .ok()
            .map(|found| Mark::At {
                x: found.width as f64,
                label: "w*".into(),
            })
            .into_iter()
            .collect(),
    };
    let mut figures = vec![
        figure(
            "R²",
            vec![
                measured("all neurons", |one| r2(one.paper())),
                measured("neurons outside", |one| r2(one.complement())),
                null("independent neurons", |one| {
                    one.baseline.map(|b| b.r2_paper)
                }),
            ],
        ),
        figure(
            "mean |r| of residuals",
            vec![
                measured("all neurons", |one| correlation(one.paper())),
                measured("neurons outside", |one| correlation(one.complement())),
                null("independent neurons", |one| {
                    one.baseline.map(|b| b.correlation_paper)
                }),
            ],
        ),
    ];
    if let Some(network) = &profile.network {
        let wrong = |scores: Option<&ChunkScores>| {
            accuracy(scores).map(|spread| Spread {
                mean: 1.0 - spread.mean,
                ..spread
            })
        };
        let curve = |name: &'static str, scores: fn(&ChunkWidth) -> Option<&ChunkScores>| Curve {
            name: name.into(),
            role: CurveRole::Measured,
            points: profile
                .widths
                .iter()
                .map(|one| {
                    let spread = wrong(scores(one));
                    let error = spread.and_then(|spread| spread.std_dev);
                    point(one.width as f64, spread.map(|spread| spread.mean), error)
                })
                .collect(),
        };
        let mut errors = figure(
            "error",
            vec![
                curve("test", |one| one.test.as_ref()),
                curve("train", |one| one.train.as_ref()),
            ],
        );
        errors.y.logarithmic = true;
        errors
            .marks
            .extend(network.error_limit.outcome.ok().map(|limit| Mark::Level {
                y: limit.error,
                label: "infinite width".into(),
            }));
        figures.push(errors);
    }
    figures.into_iter().map(Part::Curves).collect()
}
