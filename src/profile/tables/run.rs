//! Searches layer by layer and writes what was found.

use std::path::Path;

use super::files::{file_names, other_tables};
use super::places::{of_queries_and_rows, of_rows};
use super::queries::Queries;
use super::shape::{NeighboursReport, TableParameters, WrittenTable};
use crate::cache::{check_content, fingerprint, write_queries, write_table};
use crate::error::Result;
use crate::geometry::stats::mean;
use crate::input::{Dump, LayerInfo};
use crate::neighbours::NeighbourTable;
use crate::profile::bench::Bench;
use crate::profile::layers::{
    LayerOptions, PreparedLayer, near_duplicate_warning, near_queries_warning, prepare,
};
use crate::profile::parameters::RowParameters;
use crate::progress::Phase;
use crate::storage::prepare_folder;
use crate::warning::{Warning, WarningCode};

/// Which tables, and where they go.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// The dump.
    pub dump: &'a Dump,
    /// How its layers become points.
    pub layers: &'a LayerOptions,
    /// Another dump, to the rows of which the nearest rows of `dump` are sought; `None`: to its own.
    pub queries: Option<&'a Queries>,
    /// Neighbours of each row.
    pub k: usize,
    /// The folder, made if it is not there: one .npz a layer.
    pub folder: &'a Path,
}

/// Writes the exact neighbour table of every layer.
///
/// # Errors
/// Whatever reading a layer, the search and writing give.
pub fn write_tables(tables: &Tables<'_>, bench: &Bench<'_>) -> Result<NeighboursReport> {
    prepare_folder(tables.folder)?;
    let layers = tables.dump.layers();
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    let files = file_names(&names);
    let mut warnings = tables.dump.warnings().to_vec();
    warnings.extend(other_tables(tables.folder, &files));
    let phase = Phase::new("neighbours", files.len());
    bench.progress.plan(&[phase]);
    let written = layers.iter().zip(files).enumerate();
    Ok(NeighboursReport {
        parameters: TableParameters {
            k: tables.k,
            metric: bench.metric,
            rows: RowParameters::new(tables.layers, bench.rows),
        },
        layers: written
            .map(|(at, (info, file))| {
                bench.progress.step(phase.name, &info.name);
                tables.write(at, info, file, bench)
            })
            .collect::<Result<_>>()?,
        warnings,
    })
}

impl Tables<'_> {
    /// Writes the table of layer number `at` to `file` in the folder.
    fn write(
        &self,
        at: usize,
        info: &LayerInfo,
        file: String,
        bench: &Bench<'_>,
    ) -> Result<WrittenTable> {
        let prepared = prepare(self.dump, info, self.layers)?;
        let path = self.folder.join(&file);
        let mut warnings = prepared.warnings.clone();
        let (table, asked) = match self.queries {
            None => {
                let table = self.of_itself(bench, &prepared, &info.name, &path)?;
                warnings.extend(near_duplicate_warning(
                    &table.distances_of_order(1).to_vec(),
                    &table.distances_of_order(table.k()).to_vec(),
                ));
                (table, None)
            }
            Some(queries) => {
                let (layer, asked) = queries.read(at, info, prepared.matrix.n_columns())?;
                let names = [info.name.as_str(), layer.name.as_str()];
                let table = self.of_queries(bench, [&prepared, &asked], names, &path)?;
                warnings.extend(near_queries_warning(
                    &table.distances_of_order(1).to_vec(),
                    &table.distances_of_order(table.k()).to_vec(),
                ));
                let asked_for = (layer.name.clone(), table.n());
                warnings.extend(asked.warnings);
                (table, Some(asked_for))
            }
        };
        let n = prepared.matrix.n_rows();
        if table.k() < self.k {
            let all = match &asked {
                None => format!("all other rows of {n}"),
                Some(_) => format!("all {n} rows"),
            };
            warnings.push(Warning::new(
                WarningCode::KReduced,
                1,
                format!("k = {} was reduced to {}, {all}", self.k, table.k()),
            ));
        }
        let distance = |order: usize| {
            let exists = (1..=table.k()).contains(&order);
            exists
                .then(|| mean(&table.distances_of_order(order).to_vec()))
                .flatten()
        };
        let (query_layer, n_queries) = asked.unzip();
        Ok(WrittenTable {
            layer: info.name.clone(),
            index: info.index,
            n,
            query_layer,
            n_queries,
            k: table.k(),
            mean_r1: distance(1),
            mean_rk: distance(table.k()),
            file,
            warnings,
        })
    }

    /// The table of a layer with itself, written to `path`.
    fn of_itself(
        &self,
        bench: &Bench<'_>,
        layer: &PreparedLayer,
        name: &str,
        path: &Path,
    ) -> Result<NeighbourTable> {
        let content = fingerprint(&layer.matrix);
        let table = bench.neighbours(&layer.matrix, name, self.k, &mut Vec::new())?;
        check_content(&layer.matrix, &content, name)?;
        let places = of_rows(self.layers.tokens.as_ref(), &layer.rows);
        write_table(path, &content, bench.metric, &table, &places)?;
        Ok(table)
    }

    /// The rows of the first layer that are nearest to each row of the second, written to `path`.
    fn of_queries(
        &self,
        bench: &Bench<'_>,
        [layer, queries]: [&PreparedLayer; 2],
        [name, query_name]: [&str; 2],
        path: &Path,
    ) -> Result<NeighbourTable> {
        let points = bench.points(&layer.matrix, name)?;
        let asked = bench.points(&queries.matrix, query_name)?;
        let contents = [&layer.matrix, &queries.matrix].map(fingerprint);
        let table = bench.nearest_to(&asked, &points, name, self.k)?;
        check_content(&layer.matrix, &contents[0], name)?;
        check_content(&queries.matrix, &contents[1], query_name)?;
        let contents = [contents[0].as_str(), contents[1].as_str()];
        let of_queries = self.queries.and_then(|all| all.options.tokens.as_ref());
        let tokens = [of_queries, self.layers.tokens.as_ref()];
        let (queries, rows) = (&queries.rows, &layer.rows);
        let places = of_queries_and_rows(tokens, [queries, rows], &table);
        write_queries(path, contents, bench.metric, queries, rows, &table, &places)?;
        Ok(table)
    }
}
