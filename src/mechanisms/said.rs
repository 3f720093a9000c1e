//! Reads what the header of an unembedding's file says of the logits, and refuses what is not
//! modelled.

use super::model::is_of_a_config;
use super::norm::{NormKind, agreed};
use super::unembedding::malformed;
use crate::Result;
use crate::input::Tensors;
use crate::warning::{Warning, WarningCode};

/// Names of what is added to the variance.
const EPS: [&str; 7] = [
    "eps",
    "rms_norm_eps",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "layernorm_epsilon",
    "norm_eps",
    "norm_epsilon",
];

/// Names of c in z → c · tanh(z / c).
const SOFT_CAPS: [&str; 4] = [
    "final_logit_softcapping",
    "final_logit_softcap",
    "logits_soft_cap",
    "output_logits_soft_cap",
];

/// Parts of names that speak of the final norm, the unembedding or how either is stored.
const OF_THE_READOUT: [&str; 22] = [
    "norm", "_rms", "rms_", "_eps", "epsilon", "gamma", "offset", "softcap", "soft_cap", "_cap",
    "scal", "multipl", "logit", "temper", "mup", "quant", "4bit", "8bit", "bits", "bias",
    "lm_head", "embed",
];

/// Names that hold one of those parts and speak of what comes before the last residual, or of what
/// leaves differences of logits as they are.
const HARMLESS: [&str; 26] = [
    "attention_multiplier",
    "attn_logit_softcapping",
    "attn_scale",
    "attn_scores_soft_cap",
    "center_unembed",
    "center_writing_weights",
    "embed_scale",
    "embedding_multiplier",
    "embedding_scale",
    "embedding_size",
    "fold_value_biases",
    "mlp_bias",
    "normalize_embedding",
    "pos_embed",
    "position_embedding_type",
    "positional_embedding_type",
    "post_embedding_ln",
    "qk_norm",
    "qkv_bias",
    "query_pre_attn_scalar",
    "scale_embedding",
    "scale_embeddings",
    "use_attn_scale",
    "use_normalization_before_and_after",
    "use_qk_norm",
    "use_qkv_bias",
];

/// Names without those parts that change no logit: what a file is, and the rest of a model's sizes.
/// Those of a checkpoint's configuration come on top.
const RECORDS: [&str; 37] = [
    "act_fn",
    "attention_dir",
    "attn_only",
    "attn_types",
    "author",
    "created",
    "d_head",
    "d_mlp",
    "d_model",
    "d_vocab",
    "d_vocab_out",
    "date",
    "default_prepend_bos",
    "description",
    "device",
    "format",
    "from_checkpoint",
    "gated_mlp",
    "head_dim",
    "init_mode",
    "init_weights",
    "license",
    "model",
    "model_name",
    "n_ctx",
    "n_devices",
    "n_heads",
    "n_key_value_heads",
    "n_layers",
    "num_key_value_heads",
    "order",
    "original_architecture",
    "parallel_residual",
    "repgeo",
    "seed",
    "source",
    "tokenizer_name",
];

/// Families whose norm multiplies by 1 + w.
const ONE_PLUS: [&str; 5] = ["gemma", "nemotron", "qwen3_next", "qwen3next", "qwen3_5"];

/// Families that multiply their logits, or what the unembedding reads, by a number of the
/// configuration.
const SCALED: [&str; 6] = [
    "cohere",
    "falcon_h1",
    "granite",
    "grok",
    "minicpm",
    "phi3small",
];

/// What the header of an unembedding's file says.
#[derive(Debug)]
pub(super) struct Said {
    /// Added to the variance.
    pub eps: f64,
    /// Whether γ and β are inside W_U and b_U.
    pub folded: bool,
    /// Added to `ln_final.w`: 1 where a checkpoint stores γ − 1.
    pub offset: f64,
    /// c of logits that go through c · tanh(z / c).
    pub soft_cap: Option<f64>,
    /// Keys that mean nothing here.
    unread: Vec<String>,
}

impl Said {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed) naming a key that changes logits in a way that is not known, one whose
    /// value is none, two that contradict each other, or what is not said and has to be.
    pub(super) fn read(tensors: &Tensors) -> Result<Self> {
        let folded = folded(tensors)?;
        let unread = unread(tensors)?;
        let family = family(tensors);
        let is_one_of = |names: &[&str]| names.iter().any(|name| family.contains(name));
        if is_one_of(&SCALED) {
            return Err(malformed(
                tensors,
                format!(
                    "the model is {family:?}, whose logits are multiplied by a number of its configuration"
                ),
                "multiply unembed.W_U by it and leave model_type and the like out",
            ));
        }
        let offset = offset(tensors, folded, is_one_of(&ONE_PLUS).then_some(&family))?;
        let soft_cap = match number(tensors, &SOFT_CAPS)? {
            Some((_, cap)) if cap > 0.0 => Some(cap),
            // TransformerLens writes −1 where there is none.
            Some(_) => None,
            None => family.contains("gemma2").then_some(GEMMA_2_CAP),
        };
        let eps = match number(tensors, &EPS)? {
            None => 1e-5,
            Some((_, eps)) if (0.0..1.0).contains(&eps) => eps,
            Some((key, eps)) => {
                return Err(malformed(
                    tensors,
                    format!("{key} is {eps}"),
                    "what is added to the variance is at least 0 and below 1",
                ));
            }
        };
        Ok(Self {
            eps,
            folded,
            offset,
            soft_cap,
            unread,
        })
    }

    /// What a reader must know of it beside the numbers.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let cap = self.soft_cap.map(|cap| {
            Warning::new(
                WarningCode::LogitsBeforeCap,
                1,
                format!(
                    "the model gives c · tanh(z / c) of its logits z, with c = {cap}; the logits here \
                     are z, which have the same order and the same ranks"
                ),
            )
        });
        let unread = (!self.unread.is_empty()).then(|| {
            Warning::new(
                WarningCode::MetadataUnread,
                self.unread.len(),
                format!(
                    "the metadata of the unembedding say {}, which means nothing here: the logits are \
                     those without",
                    self.unread.join(", ")
                ),
            )
        });
        cap.into_iter().chain(unread).collect()
    }
}

/// What the configuration of Gemma 2 says where it is left as it is.
const GEMMA_2_CAP: f64 = 30.0;

/// Keys that are read one by one.
const USED: [&str; 4] = ["fold_ln", "final_rms", "normalization_type", "norm_offset"];

/// The kind of norm that the header tells.
///
/// # Errors
/// [`Error::Malformed`](crate::Error::Malformed) where it names one that is not known, or contradicts itself.
fn told_norm(tensors: &Tensors, folded: bool) -> Result<Option<NormKind>> {
    let only_the_last = tensors
        .metadata("final_rms")
        .is_some_and(|value| !is_off(value));
    let Some(text) = tensors.metadata("normalization_type") else {
        return Ok(only_the_last.then_some(NormKind::Rms));
    };
    let told = NormKind::named(text).ok_or_else(|| {
        malformed(
            tensors,
            format!("normalization_type is {text:?}"),
            "LN, LNPre, RMS and RMSPre are known",
        )
    })?;
    if text.ends_with("Pre") && !folded {
        return Err(malformed(
            tensors,
            format!(
                "normalization_type {text} says that γ and β are folded in, fold_ln that they are not"
            ),
            "write fold_ln true, or normalization_type without Pre",
        ));
    }
    Ok(Some(if only_the_last { NormKind::Rms } else { told }))
}

/// Keys that mean nothing here, unless one may change the logits.
fn unread(tensors: &Tensors) -> Result<Vec<String>> {
    let mut unread = Vec::new();
    for (key, value) in tensors.all_metadata() {
        let lists: [&[&str]; 5] = [&USED, &EPS, &SOFT_CAPS, &HARMLESS, &RECORDS];
        if is_of_a_config(key) || lists.iter().any(|list| list.contains(&key)) {
            continue;
        }
        let lower = key.to_lowercase();
        let multiplies = ["scal", "multipl", "temper"];
        let multiplies = multiplies.iter().any(|part| lower.contains(part));
        let nothing = if multiplies { 1.0 } else { 0.0 };
        let number: Option<f64> = value.trim().parse().ok();
        if is_off(value) || number.is_some_and(|number| (number - nothing).abs() <= 0.0) {
            continue;
        }
        if OF_THE_READOUT.iter().any(|part| lower.contains(part)) {
            return Err(malformed(
                tensors,
                format!("the metadata say {key} {value:?}, which may change the logits"),
                "write what it does into ln_final.w and unembed.W_U and leave the key out, or leave \
                 it out if it changes nothing",
            ));
        }
        unread.push(key.to_owned());
    }
    Ok(unread)
}

/// What is added to `ln_final.w`; `family` is that of a model whose checkpoints store γ − 1.
fn offset(tensors: &Tensors, folded: bool, family: Option<&String>) -> Result<f64> {
    match (number(tensors, &["norm_offset"])?, family) {
        (Some((key, offset)), _) if folded && offset.abs() > 0.0 => Err(malformed(
            tensors,
            format!("{key} is {offset} but fold_ln is true: there is no ln_final.w to add it to"),
            "leave norm_offset out, or dump ln_final unfolded",
        )),
        (Some((_, offset)), _) => Ok(offset),
        (None, Some(family)) if !folded => Err(malformed(
            tensors,
            format!(
                "the model is {family:?}, whose norm multiplies by 1 + w, and nothing says whether \
                 ln_final.w has that 1"
            ),
            "write the metadata norm_offset: 1 for weights as the checkpoint stores them, 0 where \
             the 1 is added already (TransformerLens adds it)",
        )),
        (None, _) => Ok(0.0),
    }
}

/// The kind of norm that a file of tensors tells, or else the one that was asked for; and whether
/// either said it.
pub(super) fn norm_kind(
    tensors: &Tensors,
    folded: bool,
    bias: Option<&[f64]>,
    asked: Option<NormKind>,
) -> Result<(NormKind, bool)> {
    if let Some(told) = told_norm(tensors, folded)? {
        return Ok((agreed(tensors.path(), told, asked)?, true));
    }
    match (asked, bias) {
        (Some(kind), _) => Ok((kind, true)),
        (None, Some(_)) => Ok((NormKind::Layer, false)),
        (None, None) => Err(malformed(
            tensors,
            "nothing says whether the final norm is a LayerNorm or an RMSNorm, which has no ln_final.b".into(),
            "pass --norm layer (GPT-2, GPT-NeoX, Pythia) or --norm rms (Llama, Mistral, Qwen, Gemma), or write the metadata normalization_type LN or RMS",
        )),
    }
}

fn folded(tensors: &Tensors) -> Result<bool> {
    let refused = |fact: String| {
        malformed(
            tensors,
            fact,
            "write the metadata fold_ln true or false, or give the checkpoint's folder",
        )
    };
    match tensors.metadata("fold_ln") {
        Some("true" | "True" | "1") => Ok(true),
        Some("false" | "False" | "0") => Ok(false),
        Some(other) => Err(refused(format!("fold_ln is {other:?}"))),
        None => Err(refused(
            "nothing says whether the final LayerNorm is folded into unembed.W_U".into(),
        )),
    }
}

/// What the model is called, in small letters: its type and its architectures.
fn family(tensors: &Tensors) -> String {
    let keys = ["model_type", "architectures", "original_architecture"];
    let names: Vec<&str> = keys
        .iter()
        .filter_map(|key| tensors.metadata(key))
        .collect();
    names.join(" ").to_lowercase()
}

/// The number that any of `keys` says, and which; all that say one must agree.
fn number<'k>(tensors: &Tensors, keys: &[&'k str]) -> Result<Option<(&'k str, f64)>> {
    let mut found: Option<(&str, f64)> = None;
    for key in keys {
        let Some(text) = tensors.metadata(key).filter(|text| !is_none(text)) else {
            continue;
        };
        let value: f64 = text
            .trim()
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| malformed(tensors, format!("{key} is {text:?}"), "write a number"))?;
        match found {
            Some((first, other)) if other.to_bits() != value.to_bits() => {
                return Err(malformed(
                    tensors,
                    format!("the metadata say {first} {other} and {key} {value}"),
                    "leave one of them out",
                ));
            }
            _ => found = Some((key, value)),
        }
    }
    Ok(found)
}

/// Whether a value says that there is nothing.
fn is_none(value: &str) -> bool {
    matches!(value.trim(), "" | "None" | "none" | "null")
}

/// Whether a value says that a choice was not made.
fn is_off(value: &str) -> bool {
    is_none(value) || matches!(value.trim(), "false" | "False" | "{}" | "[]")
}
