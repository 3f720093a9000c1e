//! `repgeo id-profile --id-scaling`: the dimension of every layer against scale.

use serde::Serialize;

use crate::geometry::Reason;
use crate::profile::id::{DecimationPoint, IdProfile, LayerId, Plateau, Resampled, ScalePoint};
use crate::report::page::{
    Cell, Column, Grid, Note, Notes, Page, Part, Phrase, code, count, decimal, error, index, known,
    name, number, phrase,
};
use crate::report::{Printable, Record};

/// An [`IdProfile`] whose table goes on with one block a layer: ID against neighbour order, with
/// the plateau marked, and against sample size where that was asked for. JSON and CSV hold the
/// scaling anyway and do not change.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ScalingView<'a>(pub &'a IdProfile);

impl Printable for ScalingView<'_> {
    fn records(&self) -> Vec<Record<'_>> {
        self.0.records()
    }

    fn page(&self) -> Page {
        let mut page = self.0.page();
        page.parts.extend(self.0.layers.iter().flat_map(block));
        page.closing.apart = true;
        page
    }

    fn figures(&self) -> Vec<Part> {
        self.0.figures()
    }
}

fn block(layer: &LayerId) -> Vec<Part> {
    let title = phrase![
        name(&layer.layer),
        " (depth ",
        decimal(layer.relative_depth, 2),
        ")"
    ];
    let mut parts = vec![match layer.scaling.is_empty() {
        true => Part::Notes(Notes {
            apart: true,
            lines: vec![Note::Line(title)],
        }),
        false => Part::Grid(Grid {
            title: Some(title),
            ..by_order(&layer.scaling, layer.plateau.as_ref())
        }),
    }];
    if let Some(plateau) = &layer.plateau {
        parts.push(Part::Notes(vec![Note::Line(verdict(plateau))].into()));
    }
    if !layer.decimation_scaling.is_empty() {
        parts.push(by_sample_size(&layer.decimation_scaling).into());
    }
    parts
}

fn by_order(scaling: &[ScalePoint], plateau: Option<&Plateau>) -> Grid {
    let samples = || scaling.iter().filter_map(|point| point.resampled.as_ref());
    let overlapping = samples().any(|sample| sample.overlapping);
    let mut columns = vec![
        Column::number("order"),
        Column::number("n"),
        Column::number("distance"),
        Column::number("id"),
        Column::error(),
        Column::words("").near(),
        Column::words("").near(),
    ];
    let rule = samples().next().map(|sample| sample.rule);
    if let Some(rule) = rule {
        // Parts that share rows have a spread but no standard error.
        columns.push(Column::number(rule.name()));
        columns.push(match overlapping {
            true => Column::spread(),
            false => Column::error(),
        });
    }
    let mut grid = Grid::new(columns);
    for point in scaling {
        let mut row: Vec<Cell> = vec![index(point.order).into()];
        row.extend(numbers(
            point.n,
            point.distance,
            point.id(),
            point.std_error(),
        ));
        row.push(plateau.map_or("", |p| mark(p, point.order)).into());
        row.push(code(point.outcome.reason()).into());
        if rule.is_some() {
            let sample = point.resampled.as_ref();
            row.push(known(sample.and_then(|sample| sample.mean), 3).into());
            let width = |sample: &Resampled| match overlapping {
                true => sample.std,
                false => sample.std_error,
            };
            row.push(error(sample.and_then(width)).into());
        }
        grid.push(row);
    }
    grid
}

fn by_sample_size(points: &[DecimationPoint]) -> Grid {
    let mut grid = Grid::new(vec![
        Column::number("n"),
        Column::number("distance"),
        Column::number("id by decimation"),
        Column::spread(),
    ]);
    for point in points {
        let sample = &point.resampled;
        grid.push(numbers(point.n, sample.distance, sample.mean, sample.std).into());
    }
    grid
}

fn numbers(n: usize, distance: Option<f64>, id: Option<f64>, std_error: Option<f64>) -> [Cell; 4] {
    [
        count(n).into(),
        known(distance, 3).into(),
        known(id, 3).into(),
        error(std_error).into(),
    ]
}

/// The bar beside the orders of the plateau, with a dot where its dimension is read.
fn mark(plateau: &Plateau, order: usize) -> &'static str {
    match plateau.outcome.ok() {
        Some(window) if window.order == order => "●",
        Some(window) if (window.first_order..=window.last_order).contains(&order) => "│",
        _ => "",
    }
}

/// What the plateau rule found, and the rule.
fn verdict(plateau: &Plateau) -> Phrase {
    let found = match &plateau.outcome.0 {
        Ok(window) => phrase![
            format!("plateau {}..{}: id ", window.first_order, window.last_order),
            number(window.id, 3),
            format!(" at order {}, spread ", window.order),
            number(100.0 * window.spread, 2),
            " %",
        ],
        Err(Reason::NoPlateau) => "no plateau".into(),
        Err(reason) => format!("no plateau, {}", reason.code()).into(),
    };
    found.then(format!(" (rule: {})", plateau.rule))
}
