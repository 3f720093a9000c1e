//! How `repgeo dynamics` looks: its records, its page and its pictures.

use super::axes::{axis, depth, point, share};
use super::warned::warnings;
use crate::profile::dynamics::{DynamicsProfile, DynamicsQuantity, DynamicsValue};
use crate::report::page::{
    Axis, Column, Curve, Curves, Grid, Matrix, Note, Page, Part, Phrase, Scale, count, known, name,
    number, phrase,
};
use crate::report::{Printable, Record};

/// More runs than this have no columns of their own.
const MANY_RUNS: usize = 8;

impl Printable for DynamicsProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let quantity = self.parameters.quantity.name();
        let records = self.values.iter().map(|value| Record {
            other: &value.run,
            variant: value.variant.clone().into(),
            scale: value.scale,
            std_error: value.std_error,
            n: value.n,
            ..Record::new(&value.layer, quantity, value.value)
        });
        records.collect()
    }

    fn page(&self) -> Page {
        let parts = variants(self).into_iter().flat_map(|variant| {
            [
                Part::Matrix(matrix(self, variant)),
                grid(self, variant).into(),
            ]
        });
        let mut closing = vec![Note::Context(context(self))];
        let rows = || self.runs.iter().map(|run| run.n_rows);
        if let (Some(least), Some(most)) = (rows().min(), rows().max())
            && least != most
        {
            closing.push(Note::Line(phrase![
                "runs have ",
                count(least),
                " to ",
                count(most),
                " rows: values at other numbers of rows stand at other scales",
            ]));
        }
        let runs = self.runs.iter();
        closing.extend(warnings(
            &self.warnings,
            runs.map(|run| (run.run.as_str(), run.warnings.as_slice())),
        ));
        let title = phrase![quantity(self), " over runs"];
        Page::new(title, parts.collect(), closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let all = variants(self).into_iter();
        all.map(|variant| Part::Curves(curves(self, variant)))
            .collect()
    }
}

/// The variants in the order of the values.
fn variants(profile: &DynamicsProfile) -> Vec<&str> {
    let mut variants: Vec<&str> = Vec::new();
    for value in &profile.values {
        if !variants.contains(&value.variant.as_str()) {
            variants.push(&value.variant);
        }
    }
    variants
}

/// The values of one variant: a list a run, in the order of layers.
fn by_run<'a>(profile: &'a DynamicsProfile, variant: &str) -> Vec<Vec<&'a DynamicsValue>> {
    let runs = profile.runs.iter();
    runs.map(|run| {
        let own = profile.values.iter();
        own.filter(|value| value.run == run.run && value.variant == variant)
            .collect()
    })
    .collect()
}

fn quantity(profile: &DynamicsProfile) -> &'static str {
    match profile.parameters.quantity {
        DynamicsQuantity::Id => "Intrinsic dimension",
        DynamicsQuantity::Imbalance => "Information imbalance",
        DynamicsQuantity::Overlap => "Neighbour overlap",
    }
}

/// What the numbers of one variant are.
fn meaning(profile: &DynamicsProfile, variant: &str) -> Phrase {
    let parameters = &profile.parameters;
    let to = parameters.to.clone().map(name);
    let k = parameters.k.first().map(|&k| phrase![", k ", count(k)]);
    match (parameters.quantity, variant) {
        (DynamicsQuantity::Id, _) => phrase!["dimension, ", name(variant), k],
        (DynamicsQuantity::Imbalance, "backward") => phrase!["Δ(", to, "→layer)", k],
        (DynamicsQuantity::Imbalance, _) => phrase!["Δ(layer→", to, ")", k],
        (DynamicsQuantity::Overlap, _) => phrase!["overlap with ", to, k],
    }
}

/// Runs against layers, as shades.
fn matrix(profile: &DynamicsProfile, variant: &str) -> Matrix {
    let rows = by_run(profile, variant);
    let columns = rows.first().map(|row| row.iter());
    let columns = columns
        .into_iter()
        .flatten()
        .map(|value| value.layer.clone());
    let columns = columns.collect();
    let values: Vec<Vec<Option<f64>>> = rows
        .iter()
        .map(|row| row.iter().map(|value| value.value).collect())
        .collect();
    let known = || values.iter().flatten().flatten().copied();
    let least = known().reduce(f64::min);
    let most = known().reduce(f64::max);
    let scale = match (profile.parameters.quantity, least, most) {
        (DynamicsQuantity::Id, Some(least), Some(most)) => Scale::linear(least, most),
        (DynamicsQuantity::Imbalance, Some(least), _) if least > 0.0 => {
            Scale::logarithmic(least.min(0.5), 1.0)
        }
        _ => Scale::linear(0.0, 1.0),
    };
    Matrix {
        title: None,
        meaning: meaning(profile, variant),
        row_label: "run".into(),
        column_label: "layer".into(),
        rows: profile.runs.iter().map(|run| run.run.clone()).collect(),
        columns,
        values,
        scale,
    }
}

/// A line a layer: its values, where the runs are few, and the runs of its extremes.
fn grid(profile: &DynamicsProfile, variant: &str) -> Grid {
    let rows = by_run(profile, variant);
    let shown = if profile.runs.len() <= MANY_RUNS {
        profile.runs.as_slice()
    } else {
        &[]
    };
    let mut columns = vec![Column::words("layer")];
    columns.extend(shown.iter().map(|run| Column::number(name(&run.run))));
    columns.extend([
        Column::number("lowest"),
        Column::words("in").near(),
        Column::number("highest"),
        Column::words("in").near(),
    ]);
    let mut grid = Grid::new(columns);
    grid.title = Some(meaning(profile, variant));
    let ranges = profile.ranges.iter();
    for (at, range) in ranges.filter(|range| range.variant == variant).enumerate() {
        let mut row = vec![name(&range.layer).into()];
        let values = rows.iter().take(shown.len());
        row.extend(values.map(|values| {
            let value = values.get(at).and_then(|value| value.value);
            known(value, 3).into()
        }));
        for extreme in [&range.argmin, &range.argmax] {
            row.push(known(extreme.as_ref().map(|one| one.value), 3).into());
            row.push(extreme.as_ref().map(|one| name(&one.run)).into());
        }
        grid.push(row);
    }
    grid
}

/// A curve a run, along the layers of all runs.
fn curves(profile: &DynamicsProfile, variant: &str) -> Curves {
    let place = |value: &DynamicsValue| {
        let mut layers = profile.layers.iter();
        let layer = layers.find(|layer| layer.layer == value.layer);
        layer.map_or(0.0, |layer| layer.relative_depth)
    };
    let rows = by_run(profile, variant);
    let curves = profile.runs.iter().zip(&rows);
    let layers = profile.layers.iter();
    Curves {
        title: meaning(profile, variant),
        x: depth(layers.map(|layer| (layer.relative_depth, layer.layer.as_str()))),
        y: height(profile),
        curves: curves
            .map(|(run, values)| Curve {
                name: name(&run.run).into(),
                points: values
                    .iter()
                    .map(|value| point(place(value), value.value, value.std_error))
                    .collect(),
                ..Curve::default()
            })
            .collect(),
        marks: Vec::new(),
    }
}

fn height(profile: &DynamicsProfile) -> Axis {
    match profile.parameters.quantity {
        DynamicsQuantity::Id => axis("intrinsic dimension"),
        DynamicsQuantity::Imbalance => axis("information imbalance"),
        DynamicsQuantity::Overlap => share("overlap"),
    }
}

/// The runs, and the places that their table gives them.
fn context(profile: &DynamicsProfile) -> Phrase {
    let runs = profile.runs.iter().map(|run| {
        let x = run.x.map(|x| phrase![" at ", number(x, 6)]);
        phrase![name(&run.run), x]
    });
    phrase![
        count(profile.runs.len()),
        " runs: ",
        Phrase::join(runs, ", "),
        "; — where a run has no such layer",
    ]
}
