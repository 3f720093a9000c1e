//! `repgeo inspect`: what is in a dump.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::input::LayerInfo;
use repgeo::profile::Bench;
use repgeo::profile::inspect::{Reading, inspect};
use repgeo::report::Report;

use super::layers::LayerArgs;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::rows::RowArgs;

/// List the layers of a dump: order, depth, shape, type, size
///
/// Reads headers only, so it is instant on any size of dump.
#[derive(Args)]
pub struct InspectArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts())]
    input: PathBuf,

    /// Read all values too: duplicates, NaN, constant and massive columns, neighbour distances
    #[arg(long)]
    scan: bool,

    #[command(flatten)]
    layers: LayerArgs,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Lists the dump.
pub fn run(args: InspectArgs) -> Result<()> {
    args.output.check()?;
    let dump = args.layers.list(&args.input, &args.rows)?;
    let progress = Bar::new(args.output.quiet);
    let words = args.rows.words();
    let bench = Bench {
        metric: args.layers.metric(),
        progress: &progress,
        rows: &words,
        ..Bench::default()
    };
    let reading = |layer: &LayerInfo| args.layers.options_of(&dump, layer, &args.rows);
    let scan: Option<Reading<'_>> = if args.scan { Some(&reading) } else { None };
    let report = inspect(&dump, scan, &bench)?;
    let input = vec![input_name(&args.input)];
    args.output
        .write(&Report::new("inspect", input, &report).understood([&dump]))
}
