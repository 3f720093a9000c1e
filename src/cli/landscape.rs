//! `repgeo landscape`: how the peaks of one layer are arranged.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use repgeo::geometry::density::peaks::Linkage;
use repgeo::profile::LayerOptions;
use repgeo::profile::landscape::{LandscapeOptions, landscape, landscape_of_table};
use repgeo::report::{Report, write_decision_graph};
use repgeo::storage::check_writable;
use repgeo::{Error, Result};

use super::choice::choice;
use super::ending::require_ending;
use super::layers::tables;
use super::output::input_name;
use super::peaks::{PeakArgs, RowFileArgs};
use super::shared::SharedArgs;

/// The density peaks of one layer: centres, saddles, tree, map, and the classes they hold
///
/// Peaks that do not meet are called not adjacent, never given a made-up saddle.
#[derive(Args)]
pub struct LandscapeArgs {
    /// One layer: a .npy file, FILE#NAME, or any dump with --layers
    #[arg(value_name = "LAYER", required_unless_present = "neighbours")]
    input: Option<PathBuf>,

    /// Read one precomputed neighbour table (distances and indices) instead of activations
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "layers", "pool", "mask", "rows",
        "subsample", "per_class", "duplicates", "drop_nonfinite", "metric", "axes", "join", "order_file",
        "bf16_bits", "cache", "max_memory", "device", "decision_graph", "cuts"])]
    neighbours: Option<PathBuf>,

    /// The distances of --neighbours are squares, as faiss gives them; take their roots
    #[arg(long, requires = "neighbours")]
    squared: bool,

    #[command(flatten)]
    peaks: PeakArgs,

    #[command(flatten)]
    arrangement: ArrangementArgs,

    #[command(flatten)]
    files: RowFileArgs,

    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Arrangement")]
struct ArrangementArgs {
    /// Where groups of peaks join: at their highest saddle (single), the lowest (complete), or a
    /// mean (average, weighted)
    #[arg(long, value_parser = choice::<Linkage>(), value_name = "RULE",
        default_value = Linkage::default().flag())]
    linkage: Linkage,

    /// Give peaks that do not meet a saddle one below the lowest log density (floor); complete,
    /// average and weighted need it where any two do not
    #[arg(long, value_parser = ["floor"], value_name = "RULE")]
    absent: Option<String>,

    /// Leave peaks of fewer rows out of the tree
    #[arg(long, value_name = "M", value_parser = super::parse::count(super::parse::MOST_ROWS))]
    min_rows: Option<usize>,

    /// Leave peaks below this log density out of the tree
    #[arg(long, value_name = "L", allow_hyphen_values = true, value_parser = finite)]
    min_density: Option<f64>,

    /// Name leaves by classes relative to class size: those with at least F of the largest share
    /// that a peak holds of any class, 0.2 by custom
    #[arg(long, value_name = "F", value_parser = super::parse::part, requires = "labels")]
    leaf_share: Option<f64>,

    /// Write the decision graph to a .csv file: log density, and distance to the next denser row
    #[arg(long, value_name = "FILE.csv")]
    decision_graph: Option<PathBuf>,

    /// Read peaks off the decision graph: rows above this log density and this distance
    #[arg(long, value_name = "L,DELTA", allow_hyphen_values = true)]
    cuts: Option<Cuts>,
}

fn finite(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite());
    number.ok_or_else(|| "give a number, e.g. --min-density=-10".into())
}

/// Two numbers with a comma between them.
#[derive(Clone, Copy)]
struct Cuts(f64, f64);

impl FromStr for Cuts {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
        let (density, delta) = text.split_once(',').unwrap_or_default();
        match (number(density), number(delta)) {
            (Some(density), Some(delta)) => Ok(Self(density, delta)),
            _ => Err("give two numbers, e.g. --cuts=-3,2.5".into()),
        }
    }
}

/// Surveys and reports.
pub fn run(args: LandscapeArgs) -> Result<()> {
    let setting = args.shared.setting(Vec::new())?;
    args.files.check()?;
    if let Some(path) = &args.arrangement.decision_graph {
        require_ending(path, &["csv"], "--decision-graph")?;
        check_writable(path)?;
    }
    let options = |labels, layers| -> Result<LandscapeOptions> {
        Ok(LandscapeOptions {
            peaks: args.peaks.options(labels, layers, args.files.wanted())?,
            linkage: args.arrangement.linkage,
            absent_at_floor: args.arrangement.absent.is_some(),
            min_rows: args.arrangement.min_rows,
            min_density: args.arrangement.min_density,
            leaf_share: args.arrangement.leaf_share,
            decision_graph: args.arrangement.decision_graph.is_some(),
            cuts: args
                .arrangement
                .cuts
                .map(|Cuts(density, delta)| (density, delta)),
        })
    };
    let rows = &args.shared.rows;
    let (found, input, dump, tokens) = match (&args.input, &args.neighbours) {
        (_, Some(path)) => {
            let sources = tables(path, args.squared)?;
            let n = match sources.first() {
                Some(first) => first.read(1)?.n,
                None => 0,
            };
            let options = options(rows.labels(n, None)?, LayerOptions::default())?;
            let found = landscape_of_table(&sources, &options, &setting.progress)?;
            (found, path, None, None)
        }
        (Some(path), None) => {
            let dump = args.shared.open(path)?;
            let layers = args.shared.layers.options(&dump, rows)?;
            let options = options(rows.labels_of(&dump, &layers)?, layers)?;
            let found = landscape(&dump, &options, &setting.bench())?;
            (found, path, Some(dump), options.peaks.layers.tokens)
        }
        (None, None) => return Err(Error::Usage("name the layer to analyse".into())),
    };
    args.files.write(&found.layers, tokens.as_ref())?;
    if let (Some(path), Some(graph)) = (&args.arrangement.decision_graph, &found.decision_graph) {
        write_decision_graph(path, graph, tokens.as_ref())?;
    }
    let input = vec![input_name(input)];
    args.shared
        .output
        .write(&Report::new("landscape", input, &found).understood(&dump))
}
