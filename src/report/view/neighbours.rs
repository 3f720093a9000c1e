//! Shows the report of `repgeo neighbours`.

use super::warned::warnings;
use crate::profile::tables::{NeighboursReport, WrittenTable};
use crate::report::page::{Cell, Column, Grid, Page, count, known, name};
use crate::report::{Printable, Record};

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
