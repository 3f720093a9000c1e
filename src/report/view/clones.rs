//! Shows the report of `repgeo clones`: its page and its curves.

use super::axes::{axis, point};
use super::clones_records::clones_records;
use super::warned::of_run;
use crate::geometry::clones::Baseline;
use crate::geometry::id::TWO_NN;
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
    if profile.parameters.options.disjoint {
        columns.push(Column::number("R² disjoint"));
        columns.push(Column::spread().tight());
        columns.push(Column::number("|r| disjoint"));
    }
    if let Some(asked) = profile.parameters.options.chunk_id {
        columns.push(Column::number(match *asked.estimator == TWO_NN {
            true => "ID".to_owned(),
            false => format!("ID, {}", asked.variant()),
        }));
        columns.push(Column::spread().tight());
    }
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
    if profile.parameters.options.disjoint {
        row.push(mean(r2(one.disjoint())));
        row.push(width(r2(one.disjoint())));
        row.push(mean(correlation(one.disjoint())));
    }
    if profile.parameters.options.chunk_id.is_some() {
        row.push(mean(one.id()));
        row.push(width(one.id()));
    }
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
    let mut r2_curves = vec![
        measured(profile, "all neurons", |one| r2(one.paper())),
        measured(profile, "neurons outside", |one| r2(one.complement())),
        independent(profile, |baseline| baseline.r2_paper),
    ];
    if profile.parameters.options.disjoint {
        r2_curves.push(measured(
            profile,
            "disjoint chunk",
            |one| r2(one.disjoint()),
        ));
    }
    let r2 = figure(profile, "R²", r2_curves);
    let residuals = figure(
        profile,
        "mean |r| of residuals",
        vec![
            measured(profile, "all neurons", |one| correlation(one.paper())),
            measured(profile, "neurons outside", |one| {
                correlation(one.complement())
            }),
            independent(profile, |baseline| baseline.correlation_paper),
        ],
    );
    let errors = profile.network.as_ref().map(|network| {
        let mut errors = figure(
            profile,
            "error",
            vec![
                measured(profile, "test", |one| wrong(one.test.as_ref())),
                measured(profile, "train", |one| wrong(one.train.as_ref())),
            ],
        );
        errors.y.logarithmic = true;
        let limit = network.error_limit.outcome.ok().map(|limit| Mark::Level {
            y: limit.error,
            label: "infinite width".into(),
        });
        errors.marks.extend(limit);
        errors
    });
    let dimension = profile.parameters.options.chunk_id.map(|asked| {
        let name = match *asked.estimator == TWO_NN {
            true => "TwoNN".to_owned(),
            false => asked.variant(),
        };
        let curves = vec![measured(profile, name, ChunkWidth::id)];
        figure(profile, "intrinsic dimension", curves)
    });
    let figures = [r2, residuals].into_iter().chain(errors).chain(dimension);
    figures.map(Part::Curves).collect()
}

/// Curves against the number of neurons, with the critical width.
fn figure(profile: &ClonesProfile, title: &'static str, curves: Vec<Curve>) -> Curves {
    let critical = profile.critical_width.outcome.ok().map(|found| Mark::At {
        x: found.width as f64,
        label: "w*".into(),
    });
    Curves {
        title: title.into(),
        x: Axis {
            logarithmic: true,
            ..axis("neurons w")
        },
        y: axis(title),
        curves,
        marks: critical.into_iter().collect(),
    }
}

/// Means over draws, with their spread.
fn measured(
    profile: &ClonesProfile,
    name: impl Into<Phrase>,
    value: impl Fn(&ChunkWidth) -> Option<Spread>,
) -> Curve {
    let at = |one: &ChunkWidth| {
        let spread = value(one);
        let error = spread.and_then(|spread| spread.std_dev);
        point(one.width as f64, spread.map(|spread| spread.mean), error)
    };
    Curve {
        name: name.into(),
        role: CurveRole::Measured,
        points: profile.widths.iter().map(at).collect(),
    }
}

/// What independent neurons would show.
fn independent(profile: &ClonesProfile, value: impl Fn(Baseline) -> f64) -> Curve {
    let at = |one: &ChunkWidth| point(one.width as f64, one.baseline.map(&value), None);
    Curve {
        name: "independent neurons".into(),
        role: CurveRole::Null,
        points: profile.widths.iter().map(at).collect(),
    }
}

/// The share of wrong answers.
fn wrong(scores: Option<&ChunkScores>) -> Option<Spread> {
    accuracy(scores).map(|spread| Spread {
        mean: 1.0 - spread.mean,
        ..spread
    })
}
