//! `repgeo forward`: from a checkpoint to streams.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::mechanisms::dumped::forward_to_file;
use repgeo::mechanisms::model::{Checkpoint, Precision};
use repgeo::mechanisms::streams::{DumpPositions, ForwardOptions, StreamName};
use repgeo::report::Report;

use super::choice::choice;
use super::ending::require_ending;
use super::output::{ScreenArgs, input_name};
use super::pass_memory::PassMemoryArgs;
use super::progress::Bar;
use super::prompts::PromptArgs;

/// Run a GPT-2 or GPT-NeoX checkpoint and write its streams for every other command
///
/// Streams have the names of TransformerLens hooks. Of the last position they are [N, d], which
/// `id-profile` reads as layers; of all positions [N, T, d], zero beyond an example's length.
#[derive(Args)]
pub struct ForwardArgs {
    /// Checkpoint in Hugging Face form: a folder with config.json and safetensors, sharded or not
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    #[command(flatten)]
    prompts: PromptArgs,

    /// Streams to write, comma-separated
    #[arg(
        long,
        value_parser = choice::<StreamName>(),
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "resid-post"
    )]
    dump: Vec<StreamName>,

    /// Positions to write; keys and values are always whole
    #[arg(long, value_parser = choice::<DumpPositions>(), value_name = "WHERE",
        default_value = DumpPositions::default().flag())]
    positions: DumpPositions,

    /// Precision of the pass and of the streams
    #[arg(long, value_parser = choice::<Precision>(), value_name = "TYPE",
        default_value = Precision::default().flag())]
    precision: Precision,

    #[command(flatten)]
    memory: PassMemoryArgs,

    /// Write the streams to this safetensors file, whole or not at all
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: PathBuf,

    #[command(flatten)]
    screen: ScreenArgs,
}

/// Runs the model and reports what was written.
pub fn run(args: ForwardArgs) -> Result<()> {
    require_ending(&args.output, &["safetensors"], "-o")?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let prompts = args.prompts.prompts()?;
    let options = ForwardOptions {
        streams: args.dump,
        positions: args.positions,
        max_memory: args.memory.limit(),
    };
    let progress = Bar::new(args.screen.quiet);
    let report = forward_to_file(
        &checkpoint,
        &prompts,
        &options,
        args.precision,
        &args.output,
        &progress,
    )?;
    let input = vec![input_name(&args.model)];
    args.screen.write(&Report::new("forward", input, &report))
}
