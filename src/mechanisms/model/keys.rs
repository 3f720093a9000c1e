//! Reads the keys of `config.json`, and refuses those whose meaning is not known.

use serde_json::{Map, Value};

use super::activation::Activation;

/// The keys of a configuration, with their defaults.
pub(super) struct Keys(pub Map<String, Value>);

/// Keys of GPT-2 that are read here, or change no output of a forward pass.
pub(super) const GPT2_KEYS: [&str; 25] = [
    "activation_function",
    "add_cross_attention",
    "attn_pdrop",
    "embd_pdrop",
    "initializer_range",
    "layer_norm_epsilon",
    "n_ctx",
    "n_embd",
    "n_head",
    "n_inner",
    "n_layer",
    "n_positions",
    "n_special",
    "predict_special_tokens",
    "reorder_and_upcast_attn",
    "resid_pdrop",
    "scale_attn_by_inverse_layer_idx",
    "scale_attn_weights",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "tie_word_embeddings",
    "vocab_size",
];

/// The same of GPT-NeoX.
pub(super) const NEOX_KEYS: [&str; 21] = [
    "attention_bias",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "hidden_act",
    "hidden_dropout",
    "hidden_dropout_prob",
    "hidden_size",
    "initializer_range",
    "intermediate_size",
    "layer_norm_eps",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "rope_parameters",
    "rope_scaling",
    "rotary_emb_base",
    "rotary_pct",
    "tie_word_embeddings",
    "use_parallel_residual",
    "vocab_size",
];

/// Keys of every configuration of transformers that change no output of a forward pass: records,
/// generation, training.
const COMMON_KEYS: [&str; 56] = [
    "_commit_hash",
    "_name_or_path",
    "architectures",
    "attn_implementation",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "is_decoder",
    "label2id",
    "length_penalty",
    "max_length",
    "min_length",
    "model_type",
    "name_or_path",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "pad_token_id",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "use_cache",
];

/// Whether a configuration of a known family has this key.
pub(crate) fn is_of_a_config(key: &str) -> bool {
    let known = [&COMMON_KEYS[..], &GPT2_KEYS, &NEOX_KEYS];
    known.iter().any(|keys| keys.contains(&key))
}

impl Keys {
    /// Refuses a key that may change what the model computes in a way that is not known here; one
    /// that is null, false or empty changes nothing.
    pub fn all_known(&self, own: &[&str]) -> Result<(), String> {
        let off = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Object(keys) => keys.is_empty(),
            Value::Array(values) => values.is_empty(),
            _ => false,
        };
        let known = |key: &str| own.contains(&key) || COMMON_KEYS.contains(&key);
        match self
            .0
            .iter()
            .find(|(key, value)| !known(key) && !off(value))
        {
            None => Ok(()),
            Some((key, value)) => Err(format!(
                "{key} is {value}, which is not known and may change what the model computes; \
                 remove the key if it does not"
            )),
        }
    }

    pub fn size(&self, key: &str, default: Option<usize>) -> Result<usize, String> {
        match (self.0.get(key), default) {
            (None | Some(Value::Null), Some(default)) => Ok(default),
            (None | Some(Value::Null), None) => Err(format!("there is no {key}")),
            (Some(value), _) => value
                .as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .ok_or_else(|| format!("{key} is {value}, no size")),
        }
    }

    pub fn number(&self, key: &str, default: f64) -> Result<f64, String> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_f64()
                .ok_or_else(|| format!("{key} is {value}, no number")),
        }
    }

    pub fn flag(&self, key: &str, default: bool) -> Result<bool, String> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| format!("{key} is {value}, neither true nor false")),
        }
    }

    pub fn activation(&self, key: &str, default: Activation) -> Result<Activation, String> {
        match self.0.get(key).and_then(Value::as_str) {
            None => Ok(default),
            Some("gelu_new" | "gelu_fast" | "gelu_pytorch_tanh") => Ok(Activation::GeluTanh),
            Some("gelu" | "gelu_python") => Ok(Activation::GeluErf),
            Some("relu") => Ok(Activation::Relu),
            Some(other) => Err(format!(
                "{key} is {other:?}; known are gelu, gelu_new, relu"
            )),
        }
    }
}
