//! `repgeo attribution`: which blocks and heads the logits come from.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::Result;
use repgeo::input::list_runs;
use repgeo::mechanisms::attribution::{
    Attribution, AttributionOptions, Parts, attribution, attribution_over_runs,
};
use repgeo::mechanisms::model::ValueBias;
use repgeo::mechanisms::{NormKind, Positions, Readout};
use repgeo::report::{Report, write_contributions, write_contributions_of_runs};

use super::choice::choice;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::prompts::{GroupArgs, PromptArgs, Switch, check_examples};
use super::unembed::unembed_of;

/// Contribution of every attention block, MLP, head and embedding to the two logits
///
/// Contributions are direct: each component's addition to the residual stream, divided by the
/// final scale and multiplied by the unembedding, so that they add up to the last lens.
#[derive(Args)]
pub struct AttributionArgs {
    /// Dump with hook_attn_out, hook_mlp_out, hook_embed (or blocks.0.hook_resid_pre) and the last
    /// hook_resid_post; for heads attn.hook_z. Several dumps are runs: checkpoints, sizes, models
    #[arg(value_name = "ACTS", required = true)]
    input: Vec<PathBuf>,

    /// Final norm and unembedding: a checkpoint's folder, or a safetensors file with
    /// ln_final.w, ln_final.b, unembed.W_U; heads need the checkpoint. Of several runs one for all, or
    /// one for each in the order typed (--unembed A --unembed B)
    #[arg(long, value_name = "PATH", required = true, action = clap::ArgAction::Append)]
    unembed: Vec<PathBuf>,

    /// The final norm where the file of --unembed does not tell it: layer (GPT-2, GPT-NeoX, Pythia),
    /// or rms (Llama, Mistral, Qwen, Gemma)
    #[arg(long, value_parser = choice::<NormKind>(), value_name = "NORM")]
    norm: Option<NormKind>,

    #[command(flatten)]
    prompts: PromptArgs,

    #[command(flatten)]
    groups: GroupArgs,

    #[command(flatten)]
    parts: PartArgs,

    /// Write what every component contributes in every example
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    examples: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Attribution")]
struct PartArgs {
    /// Attention as a whole, head by head, or both
    #[arg(long, value_parser = choice::<Parts>(), value_name = "PARTS",
        default_value = Parts::default().flag())]
    by: Parts,

    /// Count the part of the values that is the same for every token as a bias, or in its head
    #[arg(long, value_parser = choice::<ValueBias>(), value_name = "WHERE",
        default_value = ValueBias::default().flag())]
    value_bias: ValueBias,

    /// Logits relative to their mean over the vocabulary; off reads the targets' columns only
    #[arg(long, value_enum, ignore_case = true, value_name = "SWITCH",
        default_value_t = Switch::On)]
    center_unembed: Switch,

    /// Where: the last token, the slots of the prompt (means over their tokens), every position
    #[arg(long, value_parser = choice::<Positions>(), value_name = "WHERE",
        default_value = Positions::default().flag())]
    positions: Positions,

    /// Say how far the sums are from the last lens, and the lens from logits_last of the dump
    #[arg(long)]
    check: bool,
}

impl AttributionArgs {
    /// The contributions of one dump, read by one final norm and unembedding.
    fn of(&self, path: &Path, unembed: &Path, progress: &Bar) -> Result<Attribution> {
        let dump = self.prompts.dump(path)?;
        let options = AttributionOptions {
            parts: self.parts.by,
            value_bias: self.parts.value_bias,
            positions: self.parts.positions,
            groups: self.groups.groups(dump.n)?,
            check: self.parts.check,
            keep_examples: self.examples.is_some(),
        };
        let centred = self.parts.center_unembed == Switch::On;
        let readout = Readout::open(unembed, centred, self.norm)?;
        attribution(&dump, &readout, &options, progress)
    }
}

/// Attributes and reports.
pub fn run(args: AttributionArgs) -> Result<()> {
    args.output.check()?;
    check_examples(args.examples.as_deref())?;
    let runs = list_runs(&args.input)?;
    let progress = Bar::new(args.output.quiet);
    let paths = runs.iter().map(|run| &run.path).chain(&args.unembed);
    let input: Vec<String> = paths.map(|path| input_name(path)).collect();
    if let [run] = &runs[..] {
        let report = args.of(
            &run.path,
            unembed_of(&args.unembed, &args.input, &run.path)?,
            &progress,
        )?;
        if let Some(path) = &args.examples {
            write_contributions(path, &report.examples)?;
        }
        let report = Report::new("attribution", input, &report);
        return args.output.write(&report);
    }
    let report = attribution_over_runs(&runs, &mut |run| {
        args.of(
            &run.path,
            unembed_of(&args.unembed, &args.input, &run.path)?,
            &progress,
        )
    })?;
    if let Some(path) = &args.examples {
        write_contributions_of_runs(path, &report.runs)?;
    }
    args.output
        .write(&Report::new("attribution-runs", input, &report))
}
