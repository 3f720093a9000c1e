//! What `repgeo neighbours` reports, and how it looks.

use serde::Serialize;

use super::warned::warnings;
use crate::neighbours::Metric;
use crate::profile::DuplicatePolicy;
use crate::report::page::{Cell, Column, Grid, Page, count, known, name};
use crate::report::{Printable, Record};
use crate::warning::Warning;

/// The tables that were written.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NeighboursReport {
    /// The distance.
    pub metric: Metric,
    /// What was done with repeated rows.
    pub duplicates: DuplicatePolicy,
    /// How rows were chosen, in words of the flags.
    pub rows: Vec<String>,
    /// One entry a layer.
    pub layers: Vec<WrittenTable>,
    /// Warnings about the run.
    pub warnings: Vec<Warning>,
}

/// The table of one layer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WrittenTable {
    /// Name of the layer.
    pub layer: String,
    /// Its index, from 0.
    pub index: usize,
    /// Rows, N.
    pub n: usize,
    /// The layer that the queries are from, if they are from another dump.
    pub query_layer: Option<String>,
    /// Its rows.
    pub n_queries: Option<usize>,
    /// Neighbours of each row or query; a row itself is not counted.
    pub k: usize,
    /// Mean distance of the first neighbour.
    pub mean_r1: Option<f64>,
    /// Mean distance of the last neighbour.
    pub mean_rk: Option<f64>,
    /// The file, in the folder that was named.
    pub file: String,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

impl Printable for NeighboursReport {
    fn records(&self) -> Vec<Record<'_>> {
        let of = |layer| {
            let layer: &WrittenTable = layer;
            let record = |scale, value| Record {
                scale: Some(scale),
                n: Some(layer.n_queries.unwrap_or(layer.n)),
                other: layer.query_layer.as_deref().unwrap_or_default(),
                ..Record::new(&layer.layer, "distance", value)
            };
            [record(1, layer.mean_r1), record(layer.k, layer.mean_rk)]
        };
        self.layers.iter().flat_map(of).collect()
    }

    fn page(&self) -> Page {
        let asked = self.layers.iter().any(|layer| layer.n_queries.is_some());
        let mut columns = vec![Column::words("layer"), Column::number("n")];
        if asked {
            columns.extend([Column::words("queries from"), Column::number("queries")]);
        }
        columns.extend([
            Column::number("k"),
            Column::number("mean r1"),
            Column::number("mean rk"),
            Column::words("file"),
        ]);
        let mut grid = Grid::new(columns);
        for layer in &self.layers {
            let mut row: Vec<Cell> = vec![name(&layer.layer).into(), count(layer.n).into()];
            if asked {
                row.push(name(layer.query_layer.as_deref().unwrap_or_default()).into());
                row.push(count(layer.n_queries.unwrap_or_default()).into());
            }
            row.extend([
                count(layer.k).into(),
                known(layer.mean_r1, 3).into(),
                known(layer.mean_rk, 3).into(),
                name(&layer.file).into(),
            ]);
            grid.push(row);
        }
        let layers = self
            .layers
            .iter()
            .map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        let closing = warnings(&self.warnings, layers);
        Page::new("Neighbour tables", vec![grid.into()], closing.into())
    }
}
