//! Plans edits: heads, the positions that they attend to, and factors.

use std::collections::BTreeMap;

use super::shape::{Each, Key, ModifyOptions};
use crate::mechanisms::model::{Config, Edit, EditMode, Head, Keys};
use crate::mechanisms::prompts::Prompts;
use crate::{Error, Result};

pub(super) fn first_layer(config: &Config, heads: &[Head]) -> Result<usize> {
    for head in heads {
        if head.layer >= config.n_layers || head.head >= config.n_heads {
            return Err(Error::Usage(format!(
                "--heads {head}: the model has {} blocks of {} heads, counted from 0",
                config.n_layers, config.n_heads
            )));
        }
    }
    heads
        .iter()
        .map(|head| head.layer)
        .min()
        .ok_or_else(|| Error::Usage("--heads names no head; for example --heads 10.7,11.10".into()))
}

/// The edited positions of every example.
pub(super) fn keys(prompts: &Prompts, lengths: &[usize], key: Key) -> Result<Keys> {
    let missing = |what: &str, way: &str| {
        Error::Usage(format!(
            "--key {key} needs {what} in the tokens file or dump; {way}"
        ))
    };
    match key {
        Key::All => Ok(lengths.iter().map(|&length| 0..length).collect()),
        Key::Index(at) => match lengths.iter().find(|&&length| at >= length) {
            None => Ok(lengths.iter().map(|_| at..at + 1).collect()),
            Some(length) => Err(Error::Usage(format!(
                "--key {at}: an example has {length} tokens, counted from 0"
            ))),
        },
        Key::Attribute => match (&prompts.attribute, &prompts.slots) {
            (Some(places), _) => Ok(places.iter().map(|&at| at..at + 1).collect()),
            (None, Some(slots)) => Ok(slots.iter().map(|slots| slots[6].clone()).collect()),
            (None, None) => Err(missing("`attr_pos` [N]", "or give a position, as --key 3")),
        },
        Key::Subject => match &prompts.slots {
            Some(slots) => Ok(slots
                .iter()
                .map(|slots| {
                    let parts = slots[1..4].iter().filter(|part| !part.is_empty());
                    let start = parts.clone().map(|part| part.start).min().unwrap_or(0);
                    start..parts.map(|part| part.end).max().unwrap_or(0)
                })
                .collect()),
            None => Err(missing("`slots` [N, 14, 2]", "or use --key attr")),
        },
    }
}

/// The factors, ascending, each once, the baseline among them.
fn alphas(options: &ModifyOptions, keys: &Keys, lengths: &[usize]) -> Result<Vec<f64>> {
    let wrong = |x: &&f64| !x.is_finite() || **x < 0.0;
    let own = || options.factors.iter().flatten();
    for (flag, mut factors) in [
        (
            "--alpha",
            Box::new(options.alphas.iter()) as Box<dyn Iterator<Item = &f64>>,
        ),
        ("--heads", Box::new(own())),
    ] {
        if let Some(factor) = factors.find(wrong) {
            return Err(Error::Usage(format!(
                "{flag} {factor}: factors are finite and not negative"
            )));
        }
    }
    let mut alphas = options.alphas.clone();
    alphas.push(1.0);
    alphas.sort_by(f64::total_cmp);
    // −0 and 0 are one factor.
    alphas.iter_mut().for_each(|alpha| *alpha += 0.0);
    alphas.dedup();
    let whole = keys
        .iter()
        .zip(lengths)
        .any(|(key, &length)| key.len() == length);
    let none = alphas[0] <= 0.0 || own().any(|&factor| factor <= 0.0);
    if options.mode == EditMode::Renorm && none && whole {
        return Err(Error::Usage(
            "--alpha 0 --mode renorm on a whole row leaves no attention; use --mode post".into(),
        ));
    }
    Ok(alphas)
}

/// One edit, and how its row is called.
pub(super) struct Planned {
    pub(super) edit: Edit,
    /// What is edited, where not all heads are.
    pub(super) name: Option<String>,
    /// The factor; `None` where every head has its own.
    pub(super) alpha: Option<f64>,
}

/// Every edit, the unedited model among them.
pub(super) fn edits(
    options: &ModifyOptions,
    keys: &Keys,
    lengths: &[usize],
) -> Result<Vec<Planned>> {
    let alphas = alphas(options, keys, lengths)?;
    let edit = |members: &[usize], alpha: Option<f64>| Edit {
        heads: members.iter().map(|&at| options.heads[at]).collect(),
        own: members
            .iter()
            .map(|&at| options.factors.get(at).copied().flatten())
            .collect(),
        keys: keys.clone(),
        alpha: alpha.unwrap_or(1.0),
        mode: options.mode,
        value_bias: options.value_bias,
    };
    let is_baseline = |alpha: f64| alpha.total_cmp(&1.0).is_eq();
    let mut planned = Vec::new();
    for (name, members) in groups(options) {
        let own = |at: &usize| options.factors.get(*at).is_some_and(Option::is_some);
        let all_own = members.iter().all(own);
        if all_own || name.is_some() {
            // The unedited model stands once, before all edits.
            if planned.is_empty() {
                planned.push(Planned {
                    edit: edit(&[], None),
                    name: None,
                    alpha: Some(1.0),
                });
            }
        }
        if all_own {
            planned.push(Planned {
                edit: edit(&members, None),
                name,
                alpha: None,
            });
            continue;
        }
        for &alpha in &alphas {
            let baseline = is_baseline(alpha);
            if baseline && name.is_some() {
                continue;
            }
            let members = if baseline { &[][..] } else { &members[..] };
            planned.push(Planned {
                edit: edit(members, Some(alpha)),
                name: name.clone(),
                alpha: Some(alpha),
            });
        }
    }
    Ok(planned)
}

/// The places in `heads` of those that are edited together, and what they are called.
fn groups(options: &ModifyOptions) -> Vec<(Option<String>, Vec<usize>)> {
    let all = 0..options.heads.len();
    match options.each {
        None => vec![(None, all.collect())],
        Some(Each::Head) => all
            .map(|at| (Some(options.heads[at].to_string()), vec![at]))
            .collect(),
        Some(Each::Layer) => {
            let mut layers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for at in all {
                layers.entry(options.heads[at].layer).or_default().push(at);
            }
            let named = layers.into_iter();
            named
                .map(|(layer, members)| (Some(format!("blocks.{layer}")), members))
                .collect()
        }
    }
}
