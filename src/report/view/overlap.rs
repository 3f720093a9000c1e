//! Shows the report of `repgeo overlap`: its records, its page and its curves.

use super::axes::{at, compared, depth, matrix, point, share};
use super::few_parts::few_parts;
use super::warned::of_comparison;
use crate::input::Labels;
use crate::neighbours::Metric;
use crate::profile::overlap::{LabelledLayer, OverlapPair, OverlapProfile};
use crate::report::page::{
    Cell, Column, Curve, CurveRole, Curves, Grid, Note, Page, Part, Phrase, Scale, code, count,
    error, known, name, number, phrase, series,
};
use crate::report::{Printable, Record};

impl Printable for OverlapProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let pairs = self.pairs.iter().flat_map(pair_records);
        pairs
            .chain(self.labels.iter().flat_map(label_records))
            .collect()
    }

    fn page(&self) -> Page {
        let mut parts: Vec<Part> = self
            .matrices
            .iter()
            .map(|found| {
                let meaning = format!("neighbour overlap, k {}", found.k);
                Part::Matrix(matrix(
                    &found.data_overlap,
                    meaning,
                    Scale::linear(0.0, 1.0),
                ))
            })
            .collect();
        if self.matrices.is_empty() && !self.pairs.is_empty() {
            parts.push(pair_grid(self).into());
        }
        let labels = self.parameters.options.labels.iter();
        parts.extend(labels.map(|labels| label_grid(self, &labels.name).into()));
        let mut closing: Vec<Note> = Vec::new();
        if !self.matrices.is_empty() && self.against.is_none() {
            let lines = self
                .parameters
                .options
                .k
                .iter()
                .filter_map(|&k| next_line(self, k));
            closing.extend(lines.map(Note::Line));
        }
        closing.push(Note::Context(context(self)));
        closing.extend(of_comparison(
            &self.warnings,
            &self.layers,
            self.against.as_deref(),
        ));
        Page::new("Neighbour overlap", parts, closing.into())
    }

    fn figures(&self) -> Vec<Part> {
        let mut figures = Vec::new();
        if self.matrices.is_empty() {
            let ks = self.parameters.options.k.iter();
            figures.extend(ks.map(|&k| Part::Curves(pair_curves(self, k))));
        }
        let labels = self.parameters.options.labels.iter();
        figures.extend(labels.map(|labels| Part::Curves(label_curves(self, &labels.name))));
        figures
    }
}

/// The overlap of every layer with its partner, and chance.
fn pair_curves(profile: &OverlapProfile, k: usize) -> Curves {
    let pairs = || profile.pairs.iter().filter(|pair| pair.k == k);
    Curves {
        title: format!("Neighbour overlap, k {k}").into(),
        x: compared(&profile.layers),
        y: share("overlap"),
        curves: vec![
            Curve {
                name: profile
                    .parameters
                    .options
                    .target
                    .as_ref()
                    .map(|to| format!("with {to}"))
                    .into(),
                points: pairs()
                    .map(|p| at(&p.a, p.value(), p.std_error()))
                    .collect(),
                ..Curve::default()
            },
            Curve {
                name: "chance".into(),
                role: CurveRole::Null,
                points: pairs().map(|p| at(&p.a, p.chance, None)).collect(),
            },
        ],
        marks: Vec::new(),
    }
}

/// The overlap of every layer with one set of labels, and chance.
fn label_curves(profile: &OverlapProfile, labels: &str) -> Curves {
    let layers = || profile.labels.iter().filter(|layer| layer.labels == labels);
    let curve = |name: &'static str, role, value: fn(&LabelledLayer) -> [Option<f64>; 2]| Curve {
        name: name.into(),
        role,
        points: layers()
            .map(|layer| {
                let [value, error] = value(layer);
                point(layer.relative_depth, value, error)
            })
            .collect(),
    };
    Curves {
        title: phrase!["Neighbour overlap with ", name(labels)],
        x: depth(layers().map(|layer| (layer.relative_depth, layer.layer.as_str()))),
        y: share("overlap"),
        curves: vec![
            curve("micro", CurveRole::Measured, |layer| {
                let found = layer.outcome.ok();
                [
                    found.map(|found| found.label_overlap.micro),
                    found.and_then(|found| found.std_error_micro),
                ]
            }),
            curve("macro", CurveRole::Measured, |layer| {
                let found = layer.outcome.ok();
                [
                    found.map(|found| found.label_overlap.macro_),
                    found.and_then(|found| found.std_error_macro),
                ]
            }),
            curve("chance, micro", CurveRole::Null, |layer| {
                let found = layer.outcome.ok();
                [found.map(|found| found.label_overlap.chance_micro), None]
            }),
            curve("chance, macro", CurveRole::Null, |layer| {
                let found = layer.outcome.ok();
                [found.map(|found| found.label_overlap.chance_macro), None]
            }),
        ],
        marks: Vec::new(),
    }
}

fn pair_records(pair: &OverlapPair) -> Vec<Record<'_>> {
    let record = |quantity, variant: &'static str, value| Record {
        other: &pair.b.layer,
        variant: variant.into(),
        scale: Some(pair.k),
        n: Some(pair.n),
        reason: pair.outcome.reason(),
        ..Record::new(&pair.a.layer, quantity, value)
    };
    let mut records = vec![
        Record {
            std_error: pair.std_error(),
            ..record("data_overlap", "", pair.value())
        },
        record("data_overlap", "chance", pair.chance),
        record(
            "data_overlap",
            "adjusted",
            pair.outcome.ok().and_then(|found| found.adjusted),
        ),
    ];
    if pair.partitions_mean.is_some() {
        records.push(record(
            "data_overlap",
            "partitions_mean",
            pair.partitions_mean,
        ));
    }
    records.extend(pair.class_histograms.iter().map(|found| Record {
        variant: found.labels.clone().into(),
        ..record("class_histogram_overlap", "", Some(found.value))
    }));
    records
}

fn label_records(layer: &LabelledLayer) -> Vec<Record<'_>> {
    let outcome = layer.outcome.ok();
    let found = outcome.map(|outcome| &outcome.label_overlap);
    let record = |variant: &'static str, value| Record {
        other: &layer.labels,
        variant: variant.into(),
        scale: layer.k,
        n: found.map(|found| found.n),
        reason: layer.outcome.reason(),
        ..Record::new(&layer.layer, "label_overlap", value)
    };
    vec![
        Record {
            std_error: outcome.and_then(|outcome| outcome.std_error_micro),
            ..record("micro", found.map(|found| found.micro))
        },
        Record {
            std_error: outcome.and_then(|outcome| outcome.std_error_macro),
            ..record("macro", found.map(|found| found.macro_))
        },
        record("micro_chance", found.map(|found| found.chance_micro)),
        record("macro_chance", found.map(|found| found.chance_macro)),
    ]
}

fn pair_grid(profile: &OverlapProfile) -> Grid {
    let mut columns = vec![
        Column::words("a"),
        Column::words("b"),
        Column::number("k"),
        Column::number("overlap"),
        Column::error(),
        Column::number("chance"),
        Column::number("adjusted"),
    ];
    let histograms = &profile.parameters.options.labels;
    let header = |labels: &Labels| Column::number(phrase!["histogram ", name(&labels.name)]);
    columns.extend(histograms.iter().map(header));
    columns.push(Column::words(""));
    let mut grid = Grid::new(columns);
    for pair in &profile.pairs {
        let mut row: Vec<Cell> = vec![
            name(&pair.a.layer).into(),
            name(&pair.b.layer).into(),
            count(pair.k).into(),
            known(pair.value(), 3).into(),
            error(pair.std_error()).into(),
            known(pair.chance, 2).into(),
            known(pair.outcome.ok().and_then(|found| found.adjusted), 3).into(),
        ];
        row.extend(histograms.iter().map(|labels| -> Cell {
            let mut found = pair.class_histograms.iter();
            let found = found.find(|found| found.labels == labels.name);
            known(found.map(|found| found.value), 3).into()
        }));
        row.push(code(pair.outcome.reason()).into());
        grid.push(row);
    }
    grid
}

/// A line a layer, for one set of labels: both averages, and chance beside them.
fn label_grid(profile: &OverlapProfile, labels: &str) -> Grid {
    let mut grid = Grid::new(vec![
        Column::words("layer"),
        Column::words("labels"),
        Column::number("k"),
        Column::number("micro"),
        Column::error(),
        Column::number("chance"),
        Column::number("macro"),
        Column::error(),
        Column::number("chance"),
        Column::words(""),
    ]);
    for layer in profile.labels.iter().filter(|layer| layer.labels == labels) {
        let outcome = layer.outcome.ok();
        let found = outcome.map(|outcome| &outcome.label_overlap);
        grid.push(vec![
            name(&layer.layer).into(),
            name(&layer.labels).into(),
            layer.k.map_or("class".into(), |k| count(k).into()),
            known(found.map(|found| found.micro), 3).into(),
            error(outcome.and_then(|outcome| outcome.std_error_micro)).into(),
            known(found.map(|found| found.chance_micro), 2).into(),
            known(found.map(|found| found.macro_), 3).into(),
            error(outcome.and_then(|outcome| outcome.std_error_macro)).into(),
            known(found.map(|found| found.chance_macro), 2).into(),
            code(layer.outcome.reason()).into(),
        ]);
    }
    grid
}

/// The overlap of consecutive layers, drawn small.
fn next_line(profile: &OverlapProfile, k: usize) -> Option<Phrase> {
    let matrix = profile.matrices.iter().find(|matrix| matrix.k == k)?;
    let values: Vec<Option<f64>> = (1..matrix.data_overlap.rows.len())
        .map(|at| matrix.data_overlap.values[at - 1][at])
        .collect();
    let found: Vec<f64> = values.iter().flatten().copied().collect();
    if found.len() < 2 {
        return None;
    }
    let low = found.iter().copied().fold(f64::INFINITY, f64::min);
    let high = found.iter().copied().fold(0.0, f64::max);
    Some(phrase![
        format!("with the next layer (k {k})  "),
        series(values),
        "   ",
        number(low, 3),
        " to ",
        number(high, 3),
    ])
}

fn context(profile: &OverlapProfile) -> Phrase {
    let mut facts: Vec<Phrase> = vec![phrase!["n ", count(profile.n)]];
    for matrix in &profile.matrices {
        let words = |chance| phrase![format!("chance at k {}: ", matrix.k), number(chance, 2)];
        facts.extend(matrix.chance.map(words));
    }
    if let Some(share) = profile.parameters.options.class_fraction {
        facts.push(format!("k = {share} of the rows of each class").into());
    }
    if let Some(second) = &profile.parameters.options.exclude {
        facts.push(phrase![
            "without neighbours of the same ",
            name(&second.name)
        ]);
        let values = profile.labels.iter().filter_map(|layer| layer.outcome.ok());
        let not_asked = values.filter_map(|value| value.label_overlap.n_not_asked);
        let most = not_asked.max().filter(|&most| most > 0);
        facts.extend(most.map(|most| phrase![count(most), " rows not asked"]));
    }
    let kind = match profile.parameters.options.partitions {
        Some(parts) => match few_parts(parts) {
            Some(worth) => format!("± {worth}"),
            None => format!("± {parts} disjoint parts"),
        },
        None => format!("± {} blocks of rows", profile.parameters.options.blocks),
    };
    facts.push(kind.into());
    if profile.parameters.metric != Metric::Euclidean {
        facts.push(name(profile.parameters.metric.name()).into());
    }
    Phrase::join(facts, "; ")
}
