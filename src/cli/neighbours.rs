//! `repgeo neighbours`: the tables themselves, for other programs and for later.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use repgeo::cluster::{Analysis, Shards, Source, Work};
use repgeo::neighbours::Metric;
use repgeo::profile::tables::{Tables, write_tables};
use repgeo::profile::{Bench, DuplicatePolicy};
use repgeo::report::Report;
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
    #[arg(value_name = "ACTS", help = super::layers::acts())]
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
        let dump = self.layers.open(&self.input, &self.rows)?;
        let keep = DuplicatePolicy::Keep;
        let options = self.layers.options_or(&dump, &self.rows, keep)?;
        Ok(vec![Work {
            left: Source { dump, options },
            right: None,
            analysis: Analysis::Tables(self.k),
        }])
    }
}

/// Searches and writes.
pub fn run(args: NeighboursArgs) -> Result<()> {
    let dump = args.layers.open(&args.input, &args.rows)?;
    let layers = args
        .layers
        .options_or(&dump, &args.rows, DuplicatePolicy::Keep)?;
    let queries = args.queries.open(&dump, &args.layers, &layers)?;
    let progress = Bar::new(args.screen.quiet);
    let mut words = args.rows.words();
    words.extend(args.queries.words());
    let bench = Bench {
        metric: args.layers.metric(),
        search: args.search.options()?,
        progress: &progress,
        finished: args.finished.as_deref().map(|found| found as _),
        rows: &words,
        ..Bench::default()
    };
    let tables = Tables {
        dump: &dump,
        layers: &layers,
        queries: queries.as_ref(),
        k: args.k,
        folder: &args.output,
    };
    let report = write_tables(&tables, &bench)?;
    let mut input = vec![input_name(&args.input)];
    input.extend(args.queries.input());
    args.screen
        .write(&Report::new("neighbours", input, &report).understood([&dump]))
}
