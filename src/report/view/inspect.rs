//! Shows the report of `repgeo inspect`.

use super::warned::of_run;
use crate::geometry::diagnostics::{Diagnostics, DistanceDiagnostics, LEVELS, Quantiles};
use crate::profile::inspect::{InspectReport, InspectedLayer};
use crate::report::page::{
    Cell, Column, Grid, Note, Notes, Page, Phrase, Piece, count, decimal, index, known, name,
    phrase,
};
use crate::report::{Printable, Record};

impl Printable for InspectReport {
    fn records(&self) -> Vec<Record<'_>> {
        self.layers.iter().flat_map(layer_records).collect()
    }

    fn page(&self) -> Page {
        let mut parts = vec![headers(&self.layers).into()];
        if self.layers.iter().any(|layer| layer.diagnostics.is_some()) {
            parts.push(scanned(&self.layers).into());
        }
        let layers = match self.layers.len() {
            1 => "1 layer".to_owned(),
            n => format!("{n} layers"),
        };
        let total = phrase![layers, ", ", Piece::Bytes(self.total_bytes)];
        let mut closing = vec![Note::Line(total)];
        closing.extend(of_run(&self.warnings));
        Page::new("Layers", parts, Notes::from(closing))
    }
}

fn headers(layers: &[InspectedLayer]) -> Grid {
    let mut grid = Grid::new(vec![
        Column::words("layer"),
        Column::number("index"),
        Column::number("depth"),
        Column::words("shape"),
        Column::words("dtype"),
        Column::bytes("size"),
    ]);
    for layer in layers {
        let axes = layer.shape.iter().map(|&axis| count(axis).into());
        grid.push(vec![
            name(&layer.layer).into(),
            index(layer.index).into(),
            decimal(layer.relative_depth, 2).into(),
            Phrase::join(axes, " × ").into(),
            name(&layer.dtype).into(),
            Piece::Bytes(layer.bytes).into(),
        ]);
    }
    grid
}

fn scanned(layers: &[InspectedLayer]) -> Grid {
    let mut grid = Grid::new(vec![
        Column::words("layer"),
        Column::number("rows"),
        Column::number("distinct"),
        Column::number("non-finite"),
        Column::number("constant columns"),
        Column::number("max |mean|/std"),
        Column::number("top variance share"),
    ]);
    for layer in layers {
        let Some(found) = &layer.diagnostics else {
            continue;
        };
        let number = |n: Option<usize>| -> Cell { n.map_or(Piece::Absent, count).into() };
        grid.push(vec![
            name(&layer.layer).into(),
            count(found.n_rows).into(),
            number(found.n_unique),
            number(found.n_nonfinite_rows),
            number(found.n_constant_columns),
            known(found.max_mean_over_std, 3).into(),
            known(found.top_column_variance_share, 3).into(),
        ]);
    }
    grid
}

fn layer_records(layer: &InspectedLayer) -> Vec<Record<'_>> {
    let rows = layer.shape.first().copied();
    // Until tokens are pooled, an array with more axes has no columns.
    let columns = match layer.shape[..] {
        [_, columns] => Some(columns),
        _ => None,
    };
    let mut records = Vec::new();
    let mut add = |quantity, variant: String, value: Option<f64>| {
        records.push(Record {
            variant: variant.into(),
            n: rows,
            ..Record::new(&layer.layer, quantity, value)
        });
    };
    let plain = String::new;
    add("bytes", plain(), Some(layer.bytes as f64));
    add("rows", plain(), rows.map(|n| n as f64));
    add("columns", plain(), columns.map(|n| n as f64));
    let Some(found) = &layer.diagnostics else {
        return records;
    };
    for (quantity, value) in value_diagnostics(found) {
        add(quantity, plain(), value);
    }
    let Some(distances) = &found.distances else {
        return records;
    };
    for (quantity, value) in distance_diagnostics(distances) {
        add(quantity, plain(), value);
    }
    for (quantity, Quantiles(values)) in [
        ("r1", &distances.r1),
        ("r2", &distances.r2),
        ("mu", &distances.mu),
    ] {
        for (level, value) in LEVELS.iter().zip(values) {
            add(quantity, format!("q{level}"), Some(*value));
        }
    }
    records
}

fn value_diagnostics(found: &Diagnostics) -> [(&'static str, Option<f64>); 8] {
    let count = |n: Option<usize>| n.map(|n| n as f64);
    [
        ("n_rows", count(Some(found.n_rows))),
        ("n_unique", count(found.n_unique)),
        ("n_duplicates", count(found.n_duplicates)),
        ("max_multiplicity", count(found.max_multiplicity)),
        ("n_nonfinite_rows", count(found.n_nonfinite_rows)),
        ("n_constant_columns", count(found.n_constant_columns)),
        ("max_mean_over_std", found.max_mean_over_std),
        ("top_column_variance_share", found.top_column_variance_share),
    ]
}

fn distance_diagnostics(found: &DistanceDiagnostics) -> [(&'static str, Option<f64>); 4] {
    let count = |n: usize| Some(n as f64);
    [
        ("n_zero_r1", count(found.n_zero_r1)),
        ("n_near_zero_r1", count(found.n_near_zero_r1)),
        ("n_tied_r1_r2", count(found.n_tied_r1_r2)),
        ("n_nonfinite_mu", count(found.n_nonfinite_mu)),
    ]
}
