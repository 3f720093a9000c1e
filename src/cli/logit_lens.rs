//! `repgeo logit-lens`: what the unembedding reads in every block.

use std::path::{Path, PathBuf};

use clap::Args;
use repgeo::Result;
use repgeo::input::list_runs;
use repgeo::mechanisms::lens::{
    LensOptions, LensScale, LensStream, LogitLens, logit_lens, logit_lens_over_runs,
};
use repgeo::mechanisms::{NormKind, Positions, Readout};
use repgeo::report::{Report, write_logits, write_logits_of_runs};

use super::choice::choice;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::prompts::{GroupArgs, PromptArgs, Switch, check_examples};
use super::unembed::unembed_of;

/// Logits of the factual and the counterfactual token in every block
///
/// Streams are named as TransformerLens names its hooks; `repgeo forward` writes them. The stream
/// is centred, divided by the scale of the final LayerNorm at its position and multiplied by the
/// unembedding.
#[derive(Args)]
pub struct LogitLensArgs {
    /// Dump with blocks.L.hook_resid_post [N, P, d], or [N, d] of the last position: directory,
    /// .npz, .safetensors. Several dumps are runs: checkpoints, sizes, models
    #[arg(value_name = "ACTS", required = true)]
    input: Vec<PathBuf>,

    /// Final norm and unembedding: a checkpoint's folder (config.json and safetensors), or a
    /// safetensors file with ln_final.w, ln_final.b, unembed.W_U. Of several runs one for all, or one
    /// for each in the order typed (--unembed A --unembed B)
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
    lens: LensArgs,

    /// Write the logits of every example in every block, with --rank and --topk its ranks and
    /// tokens
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    examples: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Lens")]
struct LensArgs {
    /// Which stream
    #[arg(long, value_parser = choice::<LensStream>(), value_name = "NAME",
        default_value = LensStream::default().flag())]
    stream: LensStream,

    /// Divide by the standard deviation of the last block's output, or by the stream's own
    #[arg(long, value_parser = choice::<LensScale>(), value_name = "SCALE",
        default_value = LensScale::default().flag())]
    scale: LensScale,

    /// Add the constant of each token (final bias, unembedding bias): the last block then gives
    /// the logit
    #[arg(long)]
    with_bias: bool,

    /// Logits relative to their mean over the vocabulary; off reads the targets' columns only
    #[arg(long, value_enum, ignore_case = true, value_name = "SWITCH",
        default_value_t = Switch::On)]
    center_unembed: Switch,

    /// Where: the last token, the slots of the prompt (means over their tokens), every position
    #[arg(long, value_parser = choice::<Positions>(), value_name = "WHERE",
        default_value = Positions::default().flag())]
    positions: Positions,

    /// Rank the targets in the whole vocabulary and say who wins
    #[arg(long)]
    rank: bool,

    /// List the K tokens that are most often among the K largest logits
    #[arg(long, value_name = "K", default_value_t = 0)]
    topk: usize,
}

impl LensArgs {
    fn options(&self) -> LensOptions {
        LensOptions {
            stream: self.stream,
            scale: self.scale,
            with_bias: self.with_bias,
            positions: self.positions,
            rank: self.rank,
            top_k: self.topk,
            groups: None,
            keep_examples: false,
        }
    }
}

impl LogitLensArgs {
    /// The lens of one dump, through one final norm and unembedding.
    fn of(&self, path: &Path, unembed: &Path, progress: &Bar) -> Result<LogitLens> {
        let dump = self.prompts.dump(path)?;
        let options = LensOptions {
            groups: self.groups.groups(dump.n)?,
            keep_examples: self.examples.is_some(),
            ..self.lens.options()
        };
        let centred = self.lens.center_unembed == Switch::On;
        let readout = Readout::open(unembed, centred, self.norm)?;
        logit_lens(&dump, &readout, &options, progress)
    }
}

/// Reads the lens and reports.
pub fn run(args: LogitLensArgs) -> Result<()> {
    args.output.check()?;
    check_examples(args.examples.as_deref())?;
    let runs = list_runs(&args.input)?;
    let progress = Bar::new(args.output.quiet);
    let paths = runs.iter().map(|run| &run.path).chain(&args.unembed);
    let input: Vec<String> = paths.map(|path| input_name(path)).collect();
    let unembed = |path: &Path| unembed_of(&args.unembed, &args.input, path);
    if let [run] = &runs[..] {
        let report = args.of(&run.path, unembed(&run.path)?, &progress)?;
        if let Some(path) = &args.examples {
            write_logits(path, &report.examples)?;
        }
        let report = Report::new("logit-lens", input, &report);
        return args.output.write(&report);
    }
    let report = logit_lens_over_runs(&runs, &mut |run| {
        args.of(&run.path, unembed(&run.path)?, &progress)
    })?;
    if let Some(path) = &args.examples {
        write_logits_of_runs(path, &report.runs)?;
    }
    args.output
        .write(&Report::new("logit-lens-runs", input, &report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        lens: LensArgs,
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let (options, defaults) = (
            Line::parse_from(["x"]).lens.options(),
            LensOptions::default(),
        );
        assert_eq!(options.stream, defaults.stream);
        assert_eq!(options.scale, defaults.scale);
        assert_eq!(options.positions, defaults.positions);
        assert!(!options.with_bias && !options.rank && options.top_k == 0);
    }
}
