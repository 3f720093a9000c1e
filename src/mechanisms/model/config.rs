//! Reads `config.json` of a checkpoint.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::activation::Activation;
use super::keys::{GPT2_KEYS, Keys, NEOX_KEYS};
use crate::input::read_small_file;
use crate::{Error, Result};

/// The most bytes of a configuration: one has some thousand.
const MAX_CONFIG: u64 = 64 << 20;

/// Which architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// GPT-2: learned positions, serial residual, tied unembedding.
    Gpt2,
    /// GPT-NeoX and Pythia: rotary positions, parallel or serial residual.
    GptNeox,
}

impl Family {
    /// The name in `config.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gpt2 => "gpt2",
            Self::GptNeox => "gpt_neox",
        }
    }
}

/// Rotary positions: the first `dimensions` of every head turn by position · base^(−2i/dimensions).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    /// How many dimensions of a head turn; even.
    pub dimensions: usize,
    /// Base of the angles.
    pub base: f64,
}

/// Sizes and choices of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Architecture.
    pub family: Family,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Heads of a block, H.
    pub n_heads: usize,
    /// Width of the residual stream, d.
    pub width: usize,
    /// Width of a head, e = d / H.
    pub head_width: usize,
    /// Hidden units of the MLP.
    pub hidden: usize,
    /// Longest sequence.
    pub n_positions: usize,
    /// Tokens, V.
    pub n_vocab: usize,
    /// Added to the variance in every LayerNorm.
    pub eps: f64,
    /// Whether attention and MLP both read the block's input.
    pub parallel: bool,
    /// Rotary positions; `None` for learned ones.
    pub rotary: Option<Rotary>,
    /// Nonlinearity of the MLP.
    pub activation: Activation,
    /// Scores are divided by √e.
    pub scale_scores: bool,
    /// Scores of block l are divided by l + 1 too.
    pub scale_by_layer: bool,
    /// The projections of the attention have biases.
    pub attention_bias: bool,
    /// The unembedding is the embedding.
    pub tied: bool,
}

impl Config {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Malformed`], naming the key at fault.
    pub fn open(path: &Path) -> Result<Self> {
        let text = read_small_file(path, MAX_CONFIG).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let parsed = match std::str::from_utf8(&text) {
            Ok(text) => Self::parse(text),
            Err(_) => Err("the text is not UTF-8".into()),
        };
        parsed.map_err(|fact| Error::Malformed {
            path: path.to_owned(),
            fact,
            remedy: "GPT-2 and GPT-NeoX checkpoints of Hugging Face are read".into(),
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|err| format!("this is no JSON: {err}"))?;
        let Value::Object(keys) = value else {
            return Err("this is no JSON object".into());
        };
        let keys = Keys(keys);
        if let Some(method) = keys.0.get("quantization_config").filter(|v| !v.is_null()) {
            let method = method.get("quant_method").unwrap_or(method);
            return Err(format!(
                "quantization_config ({method}): the weights are quantised; save the dequantised model"
            ));
        }
        let config = match keys.0.get("model_type").and_then(Value::as_str) {
            Some("gpt2") => {
                keys.all_known(&GPT2_KEYS)?;
                gpt2(&keys)?
            }
            Some("gpt_neox") => {
                keys.all_known(&NEOX_KEYS)?;
                neox(&keys)?
            }
            Some(other) => return Err(format!("model_type is {other:?}")),
            None => return Err("there is no model_type".into()),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let sizes = [
            self.n_layers,
            self.n_heads,
            self.width,
            self.hidden,
            self.n_positions,
            self.n_vocab,
        ];
        if sizes.iter().any(|&size| size == 0 || size > 1 << 28) {
            return Err("a size is zero or beyond 2^28".into());
        }
        if !self.width.is_multiple_of(self.n_heads) {
            return Err(format!(
                "width {} does not divide into {} heads",
                self.width, self.n_heads
            ));
        }
        if !(self.eps > 0.0 && self.eps < 1.0) {
            return Err(format!("the LayerNorm epsilon is {}", self.eps));
        }
        match self.rotary {
            Some(Rotary { dimensions, base })
                if dimensions > self.head_width
                    || !dimensions.is_multiple_of(2)
                    || base.is_nan()
                    || base <= 0.0 =>
            {
                Err(format!(
                    "rotary positions of {dimensions} dimensions, base {base}, in heads of {}",
                    self.head_width
                ))
            }
            _ => Ok(()),
        }
    }

    /// What scores of block `layer` are multiplied by.
    pub fn score_scale(&self, layer: usize) -> f64 {
        let width = if self.scale_scores {
            (self.head_width as f64).sqrt()
        } else {
            1.0
        };
        let depth = if self.scale_by_layer {
            (layer + 1) as f64
        } else {
            1.0
        };
        1.0 / (width * depth)
    }

    /// Where query, key and value of `head` start among the 3d columns of the joint projection.
    pub(crate) fn qkv(&self, head: usize) -> [usize; 3] {
        let (d, e) = (self.width, self.head_width);
        match self.family {
            Family::Gpt2 => [head * e, d + head * e, 2 * d + head * e],
            Family::GptNeox => [3 * head * e, (3 * head + 1) * e, (3 * head + 2) * e],
        }
    }
}

fn gpt2(keys: &Keys) -> Result<Config, String> {
    let width = keys.size("n_embd", Some(768))?;
    let n_heads = keys.size("n_head", Some(12))?;
    if keys.flag("add_cross_attention", false)? {
        return Err("add_cross_attention is true".into());
    }
    Ok(Config {
        family: Family::Gpt2,
        n_layers: keys.size("n_layer", Some(12))?,
        n_heads,
        width,
        head_width: width / n_heads.max(1),
        hidden: keys.size("n_inner", Some(width.saturating_mul(4)))?,
        n_positions: keys.size("n_positions", Some(1024))?,
        n_vocab: keys.size("vocab_size", Some(50257))?,
        eps: keys.number("layer_norm_epsilon", 1e-5)?,
        parallel: false,
        rotary: None,
        activation: keys.activation("activation_function", Activation::GeluTanh)?,
        scale_scores: keys.flag("scale_attn_weights", true)?,
        scale_by_layer: keys.flag("scale_attn_by_inverse_layer_idx", false)?,
        attention_bias: true,
        tied: keys.flag("tie_word_embeddings", true)?,
    })
}

fn neox(keys: &Keys) -> Result<Config, String> {
    let width = keys.size("hidden_size", None)?;
    let n_heads = keys.size("num_attention_heads", None)?;
    let head_width = width / n_heads.max(1);
    // Newer files keep both rotary numbers in one object; either may be there.
    let nested = match keys.0.get("rope_parameters") {
        Some(Value::Object(nested)) => Keys(nested.clone()),
        _ => Keys(Map::new()),
    };
    for (kind, scaled) in [
        ("rope_type", nested.0.get("rope_type")),
        ("rope_scaling", keys.0.get("rope_scaling")),
    ] {
        match scaled {
            None | Some(Value::Null) => {}
            Some(Value::String(name)) if name == "default" => {}
            Some(other) => return Err(format!("{kind} is {other}; only plain rotary is known")),
        }
    }
    let share = nested.number("partial_rotary_factor", keys.number("rotary_pct", 0.25)?)?;
    let base = nested.number("rope_theta", keys.number("rotary_emb_base", 10_000.0)?)?;
    if !(0.0..=1.0).contains(&share) {
        return Err(format!("the rotary share is {share}"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within 0..=head_width
    let dimensions = (head_width as f64 * share) as usize;
    Ok(Config {
        family: Family::GptNeox,
        n_layers: keys.size("num_hidden_layers", None)?,
        n_heads,
        width,
        head_width,
        hidden: keys.size("intermediate_size", None)?,
        n_positions: keys.size("max_position_embeddings", Some(2048))?,
        n_vocab: keys.size("vocab_size", None)?,
        eps: keys.number("layer_norm_eps", 1e-5)?,
        parallel: keys.flag("use_parallel_residual", true)?,
        rotary: Some(Rotary { dimensions, base }),
        activation: keys.activation("hidden_act", Activation::GeluErf)?,
        scale_scores: true,
        scale_by_layer: false,
        attention_bias: keys.flag("attention_bias", true)?,
        tied: keys.flag("tie_word_embeddings", false)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEOX: &str = r#""model_type": "gpt_neox", "hidden_size": 32, "num_attention_heads": 4,
        "num_hidden_layers": 3, "intermediate_size": 64, "vocab_size": 97"#;

    #[test]
    fn old_and_new_rotary_keys_mean_the_same() {
        let old = format!("{{{NEOX}, \"rotary_pct\": 0.5, \"rotary_emb_base\": 500}}");
        let new = format!(
            "{{{NEOX}, \"rope_parameters\": {{\"rope_type\": \"default\", \"rope_theta\": 500.0, \"partial_rotary_factor\": 0.5}}}}"
        );
        let config = Config::parse(&old).unwrap();
        assert_eq!(config, Config::parse(&new).unwrap());
        let rotary = Rotary {
            dimensions: 4,
            base: 500.0,
        };
        assert_eq!(config.rotary, Some(rotary));
        assert!(config.parallel && !config.tied);
    }

    #[test]
    fn what_is_not_known_is_refused_by_key() {
        for (text, word) in [
            ("{}", "model_type"),
            ("[]", "object"),
            (r#"{"model_type": "llama"}"#, "llama"),
            (
                r#"{"model_type": "gpt2", "n_embd": 10, "n_head": 3}"#,
                "heads",
            ),
            (r#"{"model_type": "gpt2", "n_embd": 0}"#, "size"),
            (
                r#"{"model_type": "gpt2", "activation_function": "silu"}"#,
                "silu",
            ),
            (r#"{"model_type": "gpt2", "n_layer": -1}"#, "n_layer"),
            (r#"{"model_type": "gpt_neox"}"#, "hidden_size"),
            (
                r#"{"model_type": "gpt2", "quantization_config": {"quant_method": "gptq"}}"#,
                "gptq",
            ),
            (
                r#"{"model_type": "gpt2", "sliding_window": 256}"#,
                "sliding_window",
            ),
        ] {
            let fact = Config::parse(text).unwrap_err();
            assert!(fact.contains(word), "{text}: {fact}");
        }
        let scaled = format!("{{{NEOX}, \"rope_scaling\": {{\"type\": \"linear\"}}}}");
        assert!(Config::parse(&scaled).unwrap_err().contains("rotary"));
    }
}
