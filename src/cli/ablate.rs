//! `repgeo ablate`: the outcome without a head, an attention block or an MLP.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use repgeo::Result;
use repgeo::mechanisms::ablate::{
    AblateOptions, Ablation, Place, Replacement, ablate, ablate_replayed,
};
use repgeo::mechanisms::model::{BlockPart, Checkpoint, Config, Part, Precision, Real};
use repgeo::report::{Report, write_ablations};

use super::choice::choice;
use super::output::{OutputArgs, input_name};
use super::pass_memory::PassMemoryArgs;
use super::progress::Bar;
use super::prompts::{GroupArgs, PromptArgs, Switch, check_examples};

/// Replace heads, attention blocks or MLPs and count outcomes
///
/// Each component in turn gives way to its mean over the examples, or to zero, at the last token of
/// every example or at all tokens. What comes after it is computed anew. The unchanged model is always
/// in the report.
#[derive(Args)]
pub struct AblateArgs {
    /// Checkpoint in Hugging Face form: a folder with config.json and safetensors, sharded or not
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    #[command(flatten)]
    prompts: PromptArgs,

    #[command(flatten)]
    groups: GroupArgs,

    #[command(flatten)]
    what: WhatArgs,

    /// Re-run the last position alone from a dump with k, v and resid_pre (repgeo forward --dump
    /// k,v,resid-pre)
    #[arg(long, value_name = "DUMP")]
    replay: Option<PathBuf>,

    /// Precision of the pass
    #[arg(long, value_parser = choice::<Precision>(), value_name = "TYPE",
        default_value = Precision::default().flag())]
    precision: Precision,

    #[command(flatten)]
    memory: PassMemoryArgs,

    /// Write outcome, logits and effect of every example without every component
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    examples: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Ablation")]
struct WhatArgs {
    /// Components, comma-separated: heads as LAYER.HEAD (10.7), blocks.10.attn_out,
    /// blocks.10.mlp_out; or all heads, all of attn, all of mlp
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    components: Vec<ComponentName>,

    /// What stands in their place: the mean over all examples at the tokens of --at, or zero
    #[arg(long, value_parser = choice::<Replacement>(), value_name = "VALUE",
        default_value = Replacement::default().flag())]
    with: Replacement,

    /// At which tokens: the last of every example, whose effect is direct, or all of them
    #[arg(long, value_parser = choice::<Place>(), value_name = "TOKENS",
        default_value = Place::default().flag())]
    at: Place,

    /// Replace all of them at once, not one after the other
    #[arg(long)]
    together: bool,

    /// Logits relative to their mean over the vocabulary
    #[arg(long, value_enum, ignore_case = true, value_name = "SWITCH",
        default_value_t = Switch::On)]
    center_unembed: Switch,
}

/// What may stand in `--components`.
#[derive(Clone, Copy)]
enum ComponentName {
    Heads,
    Attention,
    Mlp,
    One(BlockPart),
}

impl FromStr for ComponentName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        Ok(match text {
            "heads" => Self::Heads,
            "attn" => Self::Attention,
            "mlp" => Self::Mlp,
            _ => {
                let one = text.parse();
                Self::One(one.map_err(|error: String| format!("{error}, or heads, attn, mlp"))?)
            }
        })
    }
}

impl ComponentName {
    /// The components of a model that are meant.
    fn of(self, config: &Config) -> Vec<BlockPart> {
        let parts = match self {
            Self::One(one) => return vec![one],
            Self::Heads => (0..config.n_heads).map(Part::Head).collect(),
            Self::Attention => vec![Part::Attention],
            Self::Mlp => vec![Part::Mlp],
        };
        let layers = 0..config.n_layers;
        layers
            .flat_map(|layer| parts.iter().map(move |&part| BlockPart { layer, part }))
            .collect()
    }
}

impl AblateArgs {
    fn found<T: Real>(&self, progress: &Bar) -> Result<Ablation> {
        let checkpoint = Checkpoint::open(&self.model)?;
        let names = self.what.components.iter();
        let components: BTreeSet<BlockPart> =
            names.flat_map(|name| name.of(&checkpoint.config)).collect();
        let mut options = AblateOptions {
            components: components.into_iter().collect(),
            with: self.what.with,
            at: self.what.at,
            together: self.what.together,
            centred: self.what.center_unembed == Switch::On,
            groups: None,
            keep_examples: self.examples.is_some(),
            max_memory: self.memory.limit(),
        };
        match &self.replay {
            Some(path) => {
                let dump = self.prompts.dump(path)?;
                options.groups = self.groups.groups(dump.n)?;
                ablate_replayed::<T>(&checkpoint, &dump, &options, progress)
            }
            None => {
                let prompts = self.prompts.prompts()?;
                options.groups = self.groups.groups(prompts.n().unwrap_or(0))?;
                ablate::<T>(&checkpoint, &prompts, &options, progress)
            }
        }
    }
}

/// Replaces and reports.
pub fn run(args: AblateArgs) -> Result<()> {
    args.output.check()?;
    check_examples(args.examples.as_deref())?;
    let progress = Bar::new(args.output.quiet);
    let report = match args.precision {
        Precision::F32 => args.found::<f32>(&progress)?,
        Precision::F64 => args.found::<f64>(&progress)?,
    };
    if let Some(path) = &args.examples {
        write_ablations(path, &report.examples)?;
    }
    let input = [Some(&args.model), args.replay.as_ref()];
    let input = input
        .into_iter()
        .flatten()
        .map(|path| input_name(path))
        .collect();
    args.output.write(&Report::new("ablate", input, &report))
}
