//! `repgeo forward`: from a checkpoint to streams.

use std::path::PathBuf;

use clap::Args;
use repgeo::input::check_files;
use repgeo::mechanisms::Prompts;
use repgeo::mechanisms::forward::forward;
use repgeo::mechanisms::model::{Checkpoint, Real};
use repgeo::mechanisms::streams::{
    DumpPositions, ForwardOptions, StreamName, absent, metadata, plan,
};
use repgeo::report::{ForwardReport, ModelSummary, Report};
use repgeo::storage::{TensorFile, TensorSpec};
use repgeo::{Error, Result};

use super::choice::choice;
use super::output::{ScreenArgs, input_name};
use super::progress::Bar;
use super::prompts::{PrecisionName, PromptArgs};

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
    #[arg(long, value_enum, ignore_case = true, value_name = "TYPE",
        default_value_t = PrecisionName::F32)]
    precision: PrecisionName,

    /// Write the streams to this safetensors file, whole or not at all
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: PathBuf,

    #[command(flatten)]
    screen: ScreenArgs,
}

/// Runs the model and reports what was written.
pub fn run(args: ForwardArgs) -> Result<()> {
    if args
        .output
        .extension()
        .is_none_or(|ending| ending != "safetensors")
    {
        let path = args.output.display();
        return Err(Error::Usage(format!("-o {path} must end in .safetensors")));
    }
    let checkpoint = Checkpoint::open(&args.model)?;
    let prompts = args.prompts.prompts()?;
    let options = ForwardOptions {
        streams: args.dump.clone(),
        all_positions: args.positions == DumpPositions::All,
    };
    let tensors = match args.precision {
        PrecisionName::F32 => write::<f32>(&args, &options, &checkpoint, &prompts)?,
        PrecisionName::F64 => write::<f64>(&args, &options, &checkpoint, &prompts)?,
    };
    let n_tokens = prompts.lengths.iter().flatten().sum();
    let report = ForwardReport {
        model: ModelSummary::new(&checkpoint.config),
        n: prompts.n().unwrap_or(0),
        n_tokens,
        tensors: tensors.iter().map(Into::into).collect(),
        warnings: absent(&checkpoint.config, &options),
    };
    let input = vec![input_name(&args.model)];
    args.screen.write(&Report::new("forward", input, &report))
}

fn write<T: Real>(
    args: &ForwardArgs,
    options: &ForwardOptions,
    checkpoint: &Checkpoint,
    prompts: &Prompts,
) -> Result<Vec<TensorSpec>> {
    let tensors: Vec<TensorSpec> = plan::<T>(checkpoint, prompts, options)?
        .into_iter()
        .map(|planned| TensorSpec {
            name: planned.name,
            dtype: planned.dtype,
            shape: planned.shape,
        })
        .collect();
    let mut file = TensorFile::create(&args.output, &tensors, &metadata(&checkpoint.config))?;
    let progress = Bar::new(args.screen.quiet);
    forward::<T>(
        checkpoint,
        prompts,
        options,
        &mut |name, offset, bytes| file.write(name, offset, bytes),
        &progress,
    )?;
    check_files()?;
    file.finish()?;
    Ok(tensors)
}
