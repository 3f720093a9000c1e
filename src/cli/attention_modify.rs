//! `repgeo attention-modify`: what a few attention weights do to the outcome.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use repgeo::mechanisms::model::{Checkpoint, EditMode, Head, Precision, Real, ValueBias};
use repgeo::mechanisms::modify::{
    AttentionModify, Each, Key, ModifyOptions, attention_modify, attention_modify_replayed,
};
use repgeo::report::{Report, write_outcomes};
use repgeo::{Error, Result};

use super::choice::choice;
use super::output::{OutputArgs, input_name};
use super::pass_memory::PassMemoryArgs;
use super::progress::Bar;
use super::prompts::{GroupArgs, PromptArgs, Switch, check_examples};

/// Multiply the last token's attention to the attribute in a few heads and count outcomes
///
/// All heads are edited in one pass. alpha = 1, the unedited model, is always in the report.
#[derive(Args)]
pub struct AttentionModifyArgs {
    /// Checkpoint in Hugging Face form: a folder with config.json and safetensors, sharded or not
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    #[command(flatten)]
    prompts: PromptArgs,

    #[command(flatten)]
    groups: GroupArgs,

    #[command(flatten)]
    edit: EditArgs,

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

    /// Write outcome and logits of every example under every edit
    #[arg(long, value_name = "FILE.csv", help_heading = "Output")]
    examples: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Edit")]
struct EditArgs {
    /// Heads as LAYER.HEAD, comma-separated, for example 10.7,11.10, each with a factor of its own
    /// where one follows (10.7=5,11.10=2); or all
    #[arg(long, value_name = "HEADS", value_delimiter = ',', required = true)]
    heads: Vec<HeadName>,

    /// Edit the heads of one block at a time (layer), or one head at a time (head), all in one call
    #[arg(long, value_parser = choice::<Each>(), value_name = "WHAT", conflicts_with = "select")]
    each: Option<Each>,

    /// Which attended positions: attr, subject, all, or an index from 0
    #[arg(long, value_name = "KEY", default_value = "attr")]
    key: KeyName,

    /// Factors, comma-separated
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', default_values_t = [2.0, 5.0, 10.0, 100.0])]
    alpha: Vec<f64>,

    /// post: after the softmax, as the paper says; pre: scores before it, as the released code
    /// does; renorm: after it, the row brought back to sum 1
    #[arg(long, value_parser = choice::<EditMode>(), value_name = "MODE",
        default_value = EditMode::default().flag())]
    mode: EditMode,

    /// Leave the part of the values that is the same for every token out of the factor, or scale
    /// it too; matters to --mode post only
    #[arg(long, value_parser = choice::<ValueBias>(), value_name = "WHAT",
        default_value = ValueBias::default().flag())]
    value_bias: ValueBias,

    /// Logits relative to their mean over the vocabulary
    #[arg(long, value_enum, ignore_case = true, value_name = "SWITCH",
        default_value_t = Switch::On)]
    center_unembed: Switch,

    /// Name the best factor
    #[arg(long, value_parser = ["max-fact"], value_name = "RULE")]
    select: Option<String>,
}

/// What may stand in `--heads`.
#[derive(Clone, Copy)]
enum HeadName {
    All,
    One(Head, Option<f64>),
}

impl FromStr for HeadName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let (head, factor) = match text.split_once('=') {
            None => (text, None),
            Some((head, factor)) => {
                let number = factor.trim().parse().ok();
                let number = number.filter(|x: &f64| x.is_finite() && *x >= 0.0);
                let wrong =
                    || format!("{factor:?} is no factor; write LAYER.HEAD=FACTOR, as 10.7=5");
                (head, Some(number.ok_or_else(wrong)?))
            }
        };
        Ok(Self::One(head.parse()?, factor))
    }
}

#[derive(Clone, Copy)]
struct KeyName(Key);

impl FromStr for KeyName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        Ok(Self(match text {
            "attr" => Key::Attribute,
            "subject" => Key::Subject,
            "all" => Key::All,
            index => Key::Index(
                index
                    .parse()
                    .map_err(|_| "attr, subject, all, or a position counted from 0".to_owned())?,
            ),
        }))
    }
}

impl AttentionModifyArgs {
    /// The heads that are meant, each with the factor of its own.
    fn heads(&self, n_layers: usize, n_heads: usize) -> Result<BTreeMap<Head, Option<f64>>> {
        let mut heads = BTreeMap::new();
        for name in &self.edit.heads {
            let named: Vec<(Head, Option<f64>)> = match *name {
                HeadName::One(head, factor) => vec![(head, factor)],
                HeadName::All => (0..n_layers)
                    .flat_map(|layer| (0..n_heads).map(move |head| (Head { layer, head }, None)))
                    .collect(),
            };
            for (head, factor) in named {
                let before = heads.entry(head).or_insert(factor);
                // all,10.7=5: a factor of its own stands before none.
                *before = match (*before, factor) {
                    (Some(a), Some(b)) if a.total_cmp(&b).is_ne() => {
                        return Err(Error::Usage(format!(
                            "--heads gives {head} the factors {a} and {b}; leave one out"
                        )));
                    }
                    (before, factor) => factor.or(before),
                };
            }
        }
        Ok(heads)
    }

    fn found<T: Real>(&self, progress: &Bar) -> Result<AttentionModify> {
        let checkpoint = Checkpoint::open(&self.model)?;
        let edit = &self.edit;
        let heads = self.heads(checkpoint.config.n_layers, checkpoint.config.n_heads)?;
        let has_own = heads.values().any(Option::is_some);
        let mut options = ModifyOptions {
            factors: heads.values().copied().filter(|_| has_own).collect(),
            heads: heads.into_keys().collect(),
            each: edit.each,
            key: edit.key.0,
            alphas: edit.alpha.clone(),
            mode: edit.mode,
            value_bias: edit.value_bias,
            centred: edit.center_unembed == Switch::On,
            groups: None,
            select: edit.select.is_some(),
            keep_examples: self.examples.is_some(),
            max_memory: self.memory.limit(),
        };
        match &self.replay {
            Some(path) => {
                let dump = self.prompts.dump(path)?;
                options.groups = self.groups.groups(dump.n)?;
                attention_modify_replayed::<T>(&checkpoint, &dump, &options, progress)
            }
            None => {
                let prompts = self.prompts.prompts()?;
                options.groups = self.groups.groups(prompts.n().unwrap_or(0))?;
                attention_modify::<T>(&checkpoint, &prompts, &options, progress)
            }
        }
    }
}

/// Edits and reports.
pub fn run(args: AttentionModifyArgs) -> Result<()> {
    args.output.check()?;
    check_examples(args.examples.as_deref())?;
    let progress = Bar::new(args.output.quiet);
    let report = match args.precision {
        Precision::F32 => args.found::<f32>(&progress)?,
        Precision::F64 => args.found::<f64>(&progress)?,
    };
    if let Some(path) = &args.examples {
        write_outcomes(path, &report.examples)?;
    }
    let input = [Some(&args.model), args.replay.as_ref()];
    let input = input
        .into_iter()
        .flatten()
        .map(|path| input_name(path))
        .collect();
    args.output
        .write(&Report::new("attention-modify", input, &report))
}
