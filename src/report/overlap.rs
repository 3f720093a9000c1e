//! How `repgeo overlap` looks: its records, its tables and its last lines.

use super::csv::Record;
use super::heatmap::{Scale, heatmap};
use super::number::{grouped, significant};
use super::sparkline::sparkline;
use super::style::{Emphasis, Style};
use super::table::{Cell, Column, Grid};
use super::{Printable, text, warnings};
use crate::profile::overlap::{LabelledLayer, OverlapPair, OverlapProfile};

impl Printable for OverlapProfile {
    fn records(&self) -> Vec<Record<'_>> {
        let pairs = self.pairs.iter().flat_map(pair_records);
        pairs
            .chain(self.labels.iter().flat_map(label_records))
            .collect()
    }

    fn table(&self, style: &Style) -> String {
        let mut blocks: Vec<String> = self
            .matrices
            .iter()
            .map(|matrix| {
                let meaning = format!("neighbour overlap, k {}", matrix.k);
                heatmap(&matrix.overlap, &Scale::linear(0.0, 1.0, meaning), *style)
            })
            .collect();
        if self.matrices.is_empty() && !self.pairs.is_empty() {
            blocks.push(pair_grid(self, *style));
        }
        for labels in &self.parameters.labels {
            blocks.push(label_grid(self, labels, *style));
        }
        blocks.join("\n")
    }

    fn closing(&self, style: &Style) -> String {
        let mut lines = Vec::new();
        if !self.matrices.is_empty() && self.against.is_none() {
            lines.extend(
                self.parameters
                    .k
                    .iter()
                    .filter_map(|&k| next_line(self, k, *style)),
            );
        }
        let faint = |line: String| style.paint(&line, Emphasis::Faint);
        lines.extend(
            text::wrap(&context(self, *style), style.width)
                .into_iter()
                .map(faint),
        );
        let against = self.against.as_deref();
        let closing: String = lines.into_iter().map(|line| line + "\n").collect();
        closing + &warnings::of_comparison(&self.warnings, &self.layers, against, *style)
    }
}

fn pair_records(pair: &OverlapPair) -> Vec<Record<'_>> {
    let record = |quantity, variant: &'static str, value| Record {
        other: &pair.b.layer,
        variant: variant.into(),
        scale: Some(pair.k),
        n: Some(pair.n),
        ..Record::new(&pair.a.layer, quantity, value)
    };
    let mut records = vec![
        Record {
            std_error: pair.std_error,
            ..record("overlap", "", pair.value)
        },
        record("overlap", "chance", pair.chance),
        record("overlap", "adjusted", pair.adjusted),
    ];
    if pair.partitions_mean.is_some() {
        records.push(record("overlap", "partitions_mean", pair.partitions_mean));
    }
    records.extend(pair.class_histograms.iter().map(|found| Record {
        variant: found.labels.clone().into(),
        ..record("class_histogram_overlap", "", Some(found.value))
    }));
    records
}

fn label_records(layer: &LabelledLayer) -> Vec<Record<'_>> {
    let found = layer.overlap.as_ref();
    let record = |variant: &'static str, value| Record {
        other: &layer.labels,
        variant: variant.into(),
        scale: layer.k,
        n: found.map(|found| found.n),
        ..Record::new(&layer.layer, "label_overlap", value)
    };
    vec![
        Record {
            std_error: layer.std_error_micro,
            ..record("micro", found.map(|found| found.micro))
        },
        Record {
            std_error: layer.std_error_macro,
            ..record("macro", found.map(|found| found.macro_))
        },
        record("micro_chance", found.map(|found| found.chance_micro)),
        record("macro_chance", found.map(|found| found.chance_macro)),
    ]
}

fn number(value: Option<f64>, digits: usize, style: Style) -> Cell {
    value.map_or(style.dash().into(), |v| significant(v, digits).into())
}

fn error(value: Option<f64>) -> Cell {
    value.map(|v| significant(v, 2)).unwrap_or_default().into()
}

fn pair_grid(profile: &OverlapProfile, style: Style) -> String {
    let plus_minus = || Column::number(style.plus_minus()).after(2);
    let mut columns = vec![
        Column::text("a"),
        Column::text("b"),
        Column::number("k"),
        Column::number("overlap"),
        plus_minus(),
        Column::number("chance"),
        Column::number("adjusted"),
    ];
    let histograms = &profile.parameters.labels;
    columns.extend(
        histograms
            .iter()
            .map(|labels| Column::number(format!("histogram {}", text::safe(labels, style)))),
    );
    columns.push(Column::text(""));
    let mut grid = Grid::new(columns);
    for pair in &profile.pairs {
        let mut row: Vec<Cell> = vec![
            text::safe(&pair.a.layer, style).into(),
            text::safe(&pair.b.layer, style).into(),
            grouped(pair.k, style).into(),
            number(pair.value, 3, style),
            error(pair.std_error),
            number(pair.chance, 2, style),
            number(pair.adjusted, 3, style),
        ];
        row.extend(histograms.iter().map(|labels| {
            let found = pair
                .class_histograms
                .iter()
                .find(|found| found.labels == *labels);
            number(found.map(|found| found.value), 3, style)
        }));
        row.push(
            pair.reason
                .map_or(Cell::default(), |reason| reason.code().into()),
        );
        grid.push(row);
    }
    grid.render(style)
}

/// A line a layer, for one set of labels: both averages, and chance beside them.
fn label_grid(profile: &OverlapProfile, labels: &str, style: Style) -> String {
    let plus_minus = || Column::number(style.plus_minus()).after(2);
    let mut grid = Grid::new(vec![
        Column::text("layer"),
        Column::text("labels"),
        Column::number("k"),
        Column::number("micro"),
        plus_minus(),
        Column::number("chance"),
        Column::number("macro"),
        plus_minus(),
        Column::number("chance"),
        Column::text(""),
    ]);
    for layer in profile.labels.iter().filter(|layer| layer.labels == labels) {
        let found = layer.overlap.as_ref();
        let k = layer.k.map(|k| grouped(k, style));
        grid.push(vec![
            text::safe(&layer.layer, style).into(),
            text::safe(&layer.labels, style).into(),
            k.unwrap_or_else(|| "class".to_owned()).into(),
            number(found.map(|found| found.micro), 3, style),
            error(layer.std_error_micro),
            number(found.map(|found| found.chance_micro), 2, style),
            number(found.map(|found| found.macro_), 3, style),
            error(layer.std_error_macro),
            number(found.map(|found| found.chance_macro), 2, style),
            layer
                .reason
                .map_or(Cell::default(), |reason| reason.code().into()),
        ]);
    }
    grid.render(style)
}

/// The overlap of consecutive layers as a sparkline.
fn next_line(profile: &OverlapProfile, k: usize, style: Style) -> Option<String> {
    let matrix = profile.matrices.iter().find(|matrix| matrix.k == k)?;
    let values: Vec<Option<f64>> = (1..matrix.overlap.rows.len())
        .map(|at| matrix.overlap.values[at - 1][at])
        .collect();
    let found: Vec<f64> = values.iter().flatten().copied().collect();
    if found.len() < 2 {
        return None;
    }
    let low = found.iter().copied().fold(f64::INFINITY, f64::min);
    let high = found.iter().copied().fold(0.0, f64::max);
    Some(format!(
        "with the next layer (k {k})  {}   {} to {}",
        sparkline(&values, &style),
        significant(low, 3),
        significant(high, 3)
    ))
}

fn context(profile: &OverlapProfile, style: Style) -> String {
    let mut facts = vec![format!("n {}", grouped(profile.n, style))];
    for matrix in &profile.matrices {
        if let Some(chance) = matrix.chance {
            facts.push(format!(
                "chance at k {}: {}",
                matrix.k,
                significant(chance, 2)
            ));
        }
    }
    if let Some(share) = profile.parameters.class_fraction {
        facts.push(format!("k = {share} of the rows of each class"));
    }
    let kind = match profile.parameters.partitions {
        Some(parts) => format!("{} {parts} disjoint parts", style.plus_minus()),
        None => format!(
            "{} {} blocks of rows",
            style.plus_minus(),
            profile.parameters.blocks
        ),
    };
    facts.push(kind);
    if profile.parameters.metric != "euclidean" {
        facts.push(text::safe(&profile.parameters.metric, style));
    }
    facts.join("; ")
}
