//! `repgeo neighbours`: the tables themselves, for other programs and for later.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use repgeo::cache::{fingerprint, write_table};
use repgeo::geometry::stats::mean;
use repgeo::profile::{DuplicatePolicy, Tables, prepare};
use repgeo::report::{NeighboursReport, Report, WrittenTable};
use repgeo::warning::{Warning, WarningCode};
use repgeo::{Error, Result};

use super::layers::LayerArgs;
use super::output::{ScreenArgs, input_name};
use super::progress::Bar;
use super::rows::RowArgs;
use super::search::SearchArgs;

/// Write the exact neighbour table of every layer as .npz (distances, dist_indices)
///
/// Column 0 is the row itself, as DADApy's Data(distances=...) takes it. `--neighbours` and `--cache`
/// of other commands read the folder back.
#[derive(Args)]
pub struct NeighboursArgs {
    /// Directory, .npy, .npz, .safetensors, *.safetensors.index.json, FILE#NAME, or - for stdin
    #[arg(value_name = "ACTS")]
    input: PathBuf,

    /// Folder for the tables, one .npz a layer; made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Neighbours of each row
    #[arg(short, long, value_name = "K", default_value_t = 100, value_parser = super::positive)]
    k: usize,

    #[command(flatten)]
    layers: LayerArgs,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    search: SearchArgs,

    #[command(flatten)]
    screen: ScreenArgs,
}

/// Searches and writes.
pub fn run(args: NeighboursArgs) -> Result<()> {
    let dump = args.layers.open(&args.input)?;
    let options = args
        .layers
        .options_or(dump.n_rows(), &args.rows, DuplicatePolicy::Keep)?;
    fs::create_dir_all(&args.output).map_err(|source| Error::Write {
        path: args.output.clone(),
        source,
    })?;
    let tables = Tables {
        metric: args.layers.metric(),
        search: args.search.options()?,
        ..Tables::default()
    };
    let progress = Bar::new(args.screen.quiet);
    let mut report = NeighboursReport {
        metric: tables.metric.as_str().to_owned(),
        duplicates: options.duplicates.as_str().to_owned(),
        rows: args.rows.words(),
        layers: Vec::new(),
        warnings: dump.warnings().to_vec(),
    };
    let names: Vec<&str> = dump
        .layers()
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    for (info, file) in dump.layers().iter().zip(file_names(&names)) {
        let prepared = prepare(&dump, info, &options)?;
        let mut warnings = prepared.warnings;
        let table = tables.neighbours(
            &prepared.matrix,
            &info.name,
            args.k,
            &mut warnings,
            &progress,
        )?;
        if table.k() < args.k {
            warnings.push(Warning::new(
                WarningCode::KReduced,
                1,
                format!(
                    "k = {} was reduced to {}, all other rows of {}",
                    args.k,
                    table.k(),
                    table.n()
                ),
            ));
        }
        let content = fingerprint(&prepared.matrix);
        write_table(&args.output.join(&file), &content, tables.metric, &table)?;
        let distance = |order: usize| {
            let exists = (1..=table.k()).contains(&order);
            exists
                .then(|| mean(&table.distances_of_order(order).to_vec()))
                .flatten()
        };
        report.layers.push(WrittenTable {
            layer: info.name.clone(),
            index: info.index,
            n: table.n(),
            k: table.k(),
            mean_r1: distance(1),
            mean_rk: distance(table.k()),
            file,
            warnings,
        });
    }
    let input = vec![input_name(&args.input)];
    args.screen
        .write(&Report::new("neighbours", input, &report))
}

/// A file name for each layer: its name in characters that every system takes, made unique.
fn file_names(layers: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    layers
        .iter()
        .map(|layer| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let stem: String = layer
                .chars()
                .map(|c| if plain(c) { c } else { '_' })
                .collect();
            // A leading dot hides a file.
            let stem = if stem.starts_with('.') {
                format!("_{stem}")
            } else {
                stem
            };
            let name = (1..)
                .map(|turn| match turn {
                    1 => format!("{stem}.npz"),
                    _ => format!("{stem}-{turn}.npz"),
                })
                .find(|name| !taken.contains(&name.to_lowercase()))
                .unwrap_or_else(|| format!("{stem}.npz"));
            taken.insert(name.to_lowercase());
            name
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_gets_a_file_of_its_own() {
        assert_eq!(
            file_names(&["a/b", "a_b", "A#b", ".x", "ü"]),
            ["a_b.npz", "a_b-2.npz", "A_b-3.npz", "_.x.npz", "_.npz"]
        );
    }
}
