//! `repgeo inspect`: what is in a dump.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::profile::{Bench, diagnose};
use repgeo::report::{InspectReport, InspectedLayer, Report};

use super::layers::LayerArgs;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::rows::RowArgs;

/// List the layers of a dump: order, depth, shape, type, size
///
/// Reads headers only, so it is instant on any size of dump.
#[derive(Args)]
pub struct InspectArgs {
    /// Directory, .npy, .npz, .safetensors, .pt, *.safetensors.index.json, FILE#NAME, or - for stdin
    #[arg(value_name = "ACTS")]
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
    let dump = args.layers.list(&args.input)?;
    let mut report = InspectReport {
        total_bytes: dump.layers().iter().map(|layer| layer.bytes).sum(),
        warnings: dump.warnings().to_vec(),
        layers: Vec::new(),
    };
    let progress = Bar::new(args.output.quiet);
    let bench = Bench {
        metric: args.layers.metric(),
        progress: &progress,
        ..Bench::default()
    };
    for layer in dump.layers() {
        let diagnostics = if args.scan {
            let options = args.layers.options(layer.n_rows(), &args.rows)?;
            let (found, warnings) = diagnose(&dump, layer, &options, &bench)?;
            report.warnings.extend(warnings);
            Some(found)
        } else {
            None
        };
        report.layers.push(InspectedLayer {
            layer: layer.name.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
            shape: layer.shape.clone(),
            dtype: layer.dtype.as_str().to_owned(),
            bytes: layer.bytes,
            diagnostics,
        });
    }
    let input = vec![input_name(&args.input)];
    args.output
        .write(&Report::new("inspect", input, &report).understood([&dump]))
}
