//! `repgeo neighbours`: the tables themselves, for other programs and for later.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use repgeo::cache::{check_content, fingerprint, write_queries, write_table};
use repgeo::cluster::{Analysis, Shards, Source, Work};
use repgeo::geometry::stats::mean;
use repgeo::neighbours::{Metric, NeighbourTable};
use repgeo::profile::{Bench, DuplicatePolicy, PreparedLayer, near_duplicate_warning, prepare};
use repgeo::report::{NeighboursReport, Report, WrittenTable};
use repgeo::storage::{prepare_folder, short_stem};
use repgeo::warning::{Warning, WarningCode};
use repgeo::{Error, Result};

use super::layers::LayerArgs;
use super::output::{ScreenArgs, input_name};
use super::progress::Bar;
use super::queries::QueryArgs;
use super::rows::RowArgs;
use super::search::SearchArgs;

/// Write the exact neighbour table of every layer as .npz
///
/// The arrays are distances and dist_indices; column 0 is the row itself, as DADApy's
/// Data(distances=...) takes it. `--neighbours` and `--cache` of other commands read the folder
/// back. With `--queries` the arrays are query, nearest and distance: input rows of ACTS2, their
/// nearest input rows of ACTS, and how far these are. A row that both dumps hold is its own nearest.
#[derive(Args)]
pub struct NeighboursArgs {
    /// Directory, .npy, .npz, .safetensors, .pt, *.safetensors.index.json, FILE#NAME, or - for stdin
    #[arg(value_name = "ACTS")]
    input: PathBuf,

    /// Folder for the tables, one .npz a layer; made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Neighbours of each row
    #[arg(short, long, value_name = "K", default_value_t = 100, value_parser = super::parse::count(super::parse::MOST_ROWS))]
    k: usize,

    #[command(flatten)]
    layers: LayerArgs,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    queries: QueryArgs,

    #[command(flatten)]
    search: SearchArgs,

    #[command(flatten)]
    screen: ScreenArgs,

    /// Searches that were done elsewhere.
    #[arg(skip)]
    finished: Option<Arc<Shards>>,
}

impl NeighboursArgs {
    /// The distance.
    pub fn metric(&self) -> Metric {
        self.layers.metric()
    }

    /// The folder for the tables.
    pub fn folder(&self) -> &Path {
        &self.output
    }

    /// Takes neighbours from a finished run, and writes them into `folder`.
    pub fn take(&mut self, finished: Arc<Shards>, folder: PathBuf, screen: ScreenArgs) {
        self.finished = Some(finished);
        self.output = folder;
        self.screen = screen;
    }

    /// What will be searched.
    pub fn works(&self) -> Result<Vec<Work>> {
        if self.queries.is_given() {
            return Err(Error::Usage(
                "--queries: searches from another dump are not divided among machines; cut the \
                 queries with --query-rows and run the command itself"
                    .into(),
            ));
        }
        let dump = self.layers.open(&self.input)?;
        let keep = DuplicatePolicy::Keep;
        let options = self.layers.options_or(dump.n_rows(), &self.rows, keep)?;
        Ok(vec![Work {
            left: Source { dump, options },
            right: None,
            analysis: Analysis::Tables(self.k),
        }])
    }
}

/// Searches and writes.
pub fn run(args: NeighboursArgs) -> Result<()> {
    let dump = args.layers.open(&args.input)?;
    let options = args
        .layers
        .options_or(dump.n_rows(), &args.rows, DuplicatePolicy::Keep)?;
    let queries = args.queries.open(&dump, &args.layers, &options)?;
    let progress = Bar::new(args.screen.quiet);
    let bench = Bench {
        metric: args.layers.metric(),
        search: args.search.options()?,
        progress: &progress,
        finished: args.finished.as_deref().map(|found| found as _),
        ..Bench::default()
    };
    prepare_folder(&args.output)?;
    let mut report = NeighboursReport {
        metric: bench.metric,
        duplicates: options.duplicates,
        rows: args.rows.words(),
        layers: Vec::new(),
        warnings: dump.warnings().to_vec(),
    };
    report.rows.extend(args.queries.words());
    let names: Vec<&str> = dump
        .layers()
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    let files = file_names(&names);
    report.warnings.extend(other_tables(&args.output, &files));
    for (at, file) in files.into_iter().enumerate() {
        let info = &dump.layers()[at];
        let prepared = prepare(&dump, info, &options)?;
        let path = args.output.join(&file);
        let (table, asked, mut warnings) = match &queries {
            None => {
                let table = of_itself(&bench, &prepared, &info.name, args.k, &path)?;
                let near = near_duplicate_warning(&table.distances_of_order(1).to_vec());
                (table, None, near.into_iter().collect())
            }
            Some(queries) => {
                let (layer, asked) = queries.read(at, info, prepared.matrix.n_columns())?;
                let names = [info.name.as_str(), layer.name.as_str()];
                let layers = [&prepared, &asked];
                let table = of_queries(&bench, layers, names, args.k, &path)?;
                let asked_for = (layer.name.clone(), table.n());
                (table, Some(asked_for), asked.warnings)
            }
        };
        warnings.splice(0..0, prepared.warnings);
        let n = prepared.matrix.n_rows();
        if table.k() < args.k {
            let all = match &asked {
                None => format!("all other rows of {n}"),
                Some(_) => format!("all {n} rows"),
            };
            warnings.push(Warning::new(
                WarningCode::KReduced,
                1,
                format!("k = {} was reduced to {}, {all}", args.k, table.k()),
            ));
        }
        let distance = |order: usize| {
            let exists = (1..=table.k()).contains(&order);
            exists
                .then(|| mean(&table.distances_of_order(order).to_vec()))
                .flatten()
        };
        let (query_layer, n_queries) = asked.unzip();
        report.layers.push(WrittenTable {
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
        });
    }
    let mut input = vec![input_name(&args.input)];
    input.extend(args.queries.input());
    args.screen
        .write(&Report::new("neighbours", input, &report).understood([&dump]))
}

/// A word about tables in `folder` that this run does not write: `--neighbours` would take them for
/// layers of this dump.
fn other_tables(folder: &Path, written: &[String]) -> Option<Warning> {
    let items = std::fs::read_dir(folder).ok()?.flatten();
    let names = items.map(|item| item.file_name().to_string_lossy().into_owned());
    let mut others: Vec<String> = names
        .filter(|name| name.ends_with(".npz") && !written.contains(name))
        .collect();
    others.sort();
    let first = others.first()?;
    let message = format!(
        "the folder holds {} that this run does not write ({first}{}); --neighbours takes all files \
         of a folder for layers of one dump",
        match others.len() {
            1 => "a table".to_owned(),
            count => format!("{count} tables"),
        },
        if others.len() > 1 { ", …" } else { "" },
    );
    Some(Warning::new(
        WarningCode::OtherTables,
        others.len(),
        message,
    ))
}

/// The table of a layer with itself, written to `path`.
fn of_itself(
    bench: &Bench<'_>,
    layer: &PreparedLayer,
    name: &str,
    k: usize,
    path: &Path,
) -> Result<NeighbourTable> {
    let content = fingerprint(&layer.matrix);
    let table = bench.neighbours(&layer.matrix, name, k, &mut Vec::new())?;
    check_content(&layer.matrix, &content, name)?;
    write_table(path, &content, bench.metric, &table)?;
    Ok(table)
}

/// The rows of the first layer that are nearest to each row of the second, written to `path`.
fn of_queries(
    bench: &Bench<'_>,
    [layer, queries]: [&PreparedLayer; 2],
    [name, query_name]: [&str; 2],
    k: usize,
    path: &Path,
) -> Result<NeighbourTable> {
    let points = bench.points(&layer.matrix, name)?;
    let asked = bench.points(&queries.matrix, query_name)?;
    let contents = [&layer.matrix, &queries.matrix].map(fingerprint);
    let table = bench.nearest_to(&asked, &points, name, k)?;
    check_content(&layer.matrix, &contents[0], name)?;
    check_content(&queries.matrix, &contents[1], query_name)?;
    let contents = [contents[0].as_str(), contents[1].as_str()];
    let (queries, rows) = (&queries.rows, &layer.rows);
    write_queries(path, contents, bench.metric, queries, rows, &table)?;
    Ok(table)
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
            let stem = short_stem(&stem);
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
        let long = "x".repeat(300);
        let names = file_names(&[&long, &format!("{long}y")]);
        assert!(names.iter().all(|name| name.len() < 250) && names[0] != names[1]);
    }
}
