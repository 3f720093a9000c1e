//! `repgeo id-profile --id-scaling`: the dimension of every layer against scale.

use serde::Serialize;

use super::csv::Record;
use super::number::{grouped, significant};
use super::style::Style;
use super::table::{Cell, Column, Grid};
use super::{Printable, text};
use crate::geometry::Reason;
use crate::profile::id::{DecimationPoint, IdProfile, LayerId, Plateau, ScalePoint};

/// An [`IdProfile`] whose table goes on with one block a layer: ID against neighbour order, with
/// the plateau marked, and against sample size where that was asked for. JSON and CSV hold the
/// scaling anyway and do not change.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct ScalingView<'a>(pub &'a IdProfile);

impl Printable for ScalingView<'_> {
    fn records(&self) -> Vec<Record<'_>> {
        self.0.records()
    }

    fn table(&self, style: &Style) -> String {
        let blocks: String = self.0.layers.iter().map(|l| block(l, *style)).collect();
        format!("{}\n{blocks}", self.0.table(style))
    }

    fn closing(&self, style: &Style) -> String {
        self.0.closing(style)
    }
}

fn block(layer: &LayerId, style: Style) -> String {
    let name = text::safe(&layer.layer, style);
    let title = format!("{name} (depth {:.2})", layer.relative_depth);
    let mut out = lines(&title, style);
    if !layer.scaling.is_empty() {
        out += &by_order(&layer.scaling, layer.plateau.as_ref(), style);
    }
    if let Some(plateau) = &layer.plateau {
        out += &lines(&verdict(plateau), style);
    }
    if !layer.decimation_scaling.is_empty() {
        out.push('\n');
        out += &by_sample_size(&layer.decimation_scaling, style);
    }
    out + "\n"
}

fn by_order(scaling: &[ScalePoint], plateau: Option<&Plateau>, style: Style) -> String {
    let mut grid = Grid::new(vec![
        Column::number("order"),
        Column::number("n"),
        Column::number("distance"),
        Column::number("id"),
        Column::number(style.plus_minus()).after(2),
        Column::text("").after(2),
        Column::text("").after(2),
    ]);
    for point in scaling {
        let mut row = numbers(point.n, point.distance, point.id, point.std_error, style);
        row.insert(0, point.order.to_string().into());
        row.push(plateau.map_or("", |p| mark(p, point.order, style)).into());
        row.push(point.reason.map_or("", Reason::code).into());
        grid.push(row);
    }
    grid.render(style)
}

fn by_sample_size(points: &[DecimationPoint], style: Style) -> String {
    let mut grid = Grid::new(vec![
        Column::number("n"),
        Column::number("distance"),
        Column::number("id by decimation"),
        Column::number("std"),
    ]);
    for point in points {
        let sample = &point.resampled;
        grid.push(numbers(
            point.n,
            sample.distance,
            sample.mean,
            sample.std,
            style,
        ));
    }
    grid.render(style)
}

fn numbers(
    n: usize,
    distance: Option<f64>,
    id: Option<f64>,
    error: Option<f64>,
    style: Style,
) -> Vec<Cell> {
    let number = |value: Option<f64>| value.map_or(style.dash().into(), |v| significant(v, 3));
    let error = error.map(|v| significant(v, 2)).unwrap_or_default();
    vec![
        grouped(n, style).into(),
        number(distance).into(),
        number(id).into(),
        error.into(),
    ]
}

/// The bar beside the orders of the plateau, with a dot where its dimension is read.
fn mark(plateau: &Plateau, order: usize, style: Style) -> &'static str {
    let (Some(first), Some(last)) = (plateau.first_order, plateau.last_order) else {
        return "";
    };
    let (bar, dot) = if style.ascii {
        ("|", "*")
    } else {
        ("│", "●")
    };
    if plateau.order == Some(order) {
        dot
    } else if (first..=last).contains(&order) {
        bar
    } else {
        ""
    }
}

/// What the plateau rule found, and the rule.
fn verdict(plateau: &Plateau) -> String {
    let found = match (plateau.first_order, plateau.last_order) {
        (Some(first), Some(last)) => {
            let id = plateau.id.map(|id| format!(": id {}", significant(id, 3)));
            let order = plateau.order.map(|order| format!(" at order {order}"));
            let spread = plateau
                .spread
                .map(|spread| format!(", spread {} %", significant(100.0 * spread, 2)));
            [Some(format!("plateau {first}..{last}")), id, order, spread]
                .into_iter()
                .flatten()
                .collect()
        }
        _ => match plateau.reason {
            None | Some(Reason::NoPlateau) => "no plateau".to_owned(),
            Some(reason) => format!("no plateau, {}", reason.code()),
        },
    };
    format!("{found} (rule: {})", plateau.rule)
}

fn lines(text: &str, style: Style) -> String {
    text::wrap(&text::safe(text, style), style.width)
        .into_iter()
        .map(|line| line + "\n")
        .collect()
}
