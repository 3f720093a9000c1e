//! Puts the modules of known networks in the order in which they run.
//!
//! Known are TransformerLens hooks, transformers as Hugging Face and timm name their modules,
//! torchvision's convolutional networks, autoencoders (`enc_1`, `bottleneck`, `dec_1`) and the
//! streams that `repgeo forward` writes. A name that fits nothing makes all of them unknown: a
//! half-known order would be a guess.

use super::block::{Shape, Word, split};
use super::module::{Key, key};
use super::natural;

/// The places of `names` in the order of the network; `None` if a name is unknown.
pub(crate) fn places(names: &[&str]) -> Option<Vec<usize>> {
    let words: Vec<Vec<Word>> = names.iter().map(|name| split(name)).collect();
    // The towers of a model of two kinds of input do not run one after the other.
    let towers = ["vision", "text", "audio"].map(|tower| {
        let of_tower = |words: &&Vec<Word>| words.iter().any(|word| word.is(tower));
        words.iter().filter(of_tower).count() > 0
    });
    if towers.into_iter().filter(|&there| there).count() > 1 {
        return None;
    }
    let shape = Shape::of(&words)?;
    let keys: Vec<Key> = words
        .iter()
        .map(|words| key(words, &shape))
        .collect::<Option<_>>()?;
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by(|&a, &b| {
        keys[a]
            .cmp(&keys[b])
            .then_with(|| natural::compare(names[a], names[b]))
    });
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether names come back in this order however they are shuffled.
    fn is_kept(wanted: &[&str]) {
        let mut sorted = wanted.to_vec();
        sorted.sort_unstable();
        let places = places(&sorted).unwrap_or_else(|| panic!("unknown: {wanted:?}"));
        let found: Vec<&str> = places.iter().map(|&at| sorted[at]).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn hooks_of_transformer_lens_run_from_embedding_to_logits() {
        is_kept(&[
            "hook_embed",
            "hook_pos_embed",
            "blocks.0.hook_resid_pre",
            "blocks.0.ln1.hook_normalized",
            "blocks.0.attn.hook_q",
            "blocks.0.attn.hook_pattern",
            "blocks.0.attn.hook_z",
            "blocks.0.hook_attn_out",
            "blocks.0.hook_resid_mid",
            "blocks.0.ln2.hook_normalized",
            "blocks.0.mlp.hook_pre",
            "blocks.0.mlp.hook_post",
            "blocks.0.hook_mlp_out",
            "blocks.0.hook_resid_post",
            "blocks.1.hook_resid_pre",
            "blocks.10.hook_resid_post",
            "ln_final.hook_normalized",
            "logits",
        ]);
    }

    #[test]
    fn modules_of_transformers_run_in_their_order() {
        is_kept(&[
            "model.embed_tokens",
            "model.layers.0.input_layernorm",
            "model.layers.0.self_attn.q_proj",
            "model.layers.0.self_attn",
            "model.layers.0.post_attention_layernorm",
            "model.layers.0.mlp",
            "model.layers.0",
            "model.layers.10",
            "model.norm",
            "lm_head",
        ]);
        is_kept(&[
            "transformer.wte",
            "transformer.wpe",
            "transformer.h.0.ln_1",
            "transformer.h.0.attn",
            "transformer.h.0.ln_2",
            "transformer.h.0.mlp",
            "transformer.h.11",
            "transformer.ln_f",
            "lm_head",
        ]);
        is_kept(&[
            "bert.embeddings",
            "bert.encoder.layer.0",
            "bert.encoder.layer.11",
            "bert.pooler",
            "classifier",
        ]);
        is_kept(&[
            "encoder.embed_tokens",
            "encoder.block.0",
            "encoder.block.1",
            "encoder.final_layer_norm",
            "decoder.embed_tokens",
            "decoder.block.0",
            "decoder.final_layer_norm",
            "lm_head",
        ]);
        is_kept(&[
            "patch_embed",
            "blocks.0",
            "blocks.2",
            "blocks.10",
            "norm",
            "head",
        ]);
    }

    #[test]
    fn convolutional_networks_and_autoencoders_run_in_their_order() {
        is_kept(&[
            "conv1",
            "bn1",
            "relu",
            "maxpool",
            "layer1.0.conv1",
            "layer1.0.bn1",
            "layer1.0.conv2",
            "layer1.0",
            "layer1",
            "layer2",
            "layer4",
            "avgpool",
            "fc",
        ]);
        is_kept(&[
            "features.0",
            "features.3",
            "features.28",
            "avgpool",
            "classifier.0",
            "classifier.6",
        ]);
        is_kept(&["conv1", "conv2", "conv5", "fc6", "fc7", "fc8"]);
        is_kept(&[
            "input",
            "enc_1",
            "enc_2",
            "enc_10",
            "bottleneck_mean",
            "bottleneck_sample",
            "dec_1",
            "dec_2",
            "output",
        ]);
    }

    #[test]
    fn networks_of_two_sides_and_of_dense_layers_run_in_their_order() {
        is_kept(&[
            "conv_in",
            "down_blocks.0",
            "down_blocks.1",
            "mid_block",
            "up_blocks.0",
            "up_blocks.1",
            "conv_out",
        ]);
        is_kept(&["inc", "down1", "down2", "mid", "up1", "up2", "outc"]);
        is_kept(&["enc1", "enc2", "z", "dec1", "dec2", "recon"]);
        is_kept(&["fc1", "relu1", "fc2", "relu2", "fc3"]);
        is_kept(&["input", "hidden1", "hidden2", "hidden10", "output"]);
        is_kept(&["conv1", "conv5", "fc6", "fc8", "prob"]);
        is_kept(&[
            "shared",
            "encoder.block.0",
            "encoder.block.1",
            "decoder.block.0",
            "decoder.block.1",
            "lm_head",
        ]);
    }

    #[test]
    fn stems_and_heads_stand_where_they_run() {
        is_kept(&[
            "conv_stem",
            "bn1",
            "blocks.0",
            "blocks.6",
            "conv_head",
            "bn2",
            "global_pool",
            "classifier",
        ]);
        is_kept(&["conv1", "stage2", "stage3", "stage4", "conv5", "fc"]);
        is_kept(&[
            "encoder.conv1",
            "encoder.conv2",
            "encoder.layers.0",
            "encoder.layers.3",
            "encoder.layer_norm",
        ]);
        is_kept(&[
            "patch_embed",
            "pos_drop",
            "blocks.0",
            "norm",
            "fc_norm",
            "head",
        ]);
        is_kept(&[
            "visual.conv1",
            "visual.ln_pre",
            "visual.transformer.resblocks.0",
            "visual.transformer.resblocks.11",
            "visual.ln_post",
            "visual.proj",
        ]);
        is_kept(&[
            "backbone.embedding",
            "backbone.layers.0.mixer",
            "backbone.layers.10.mixer",
            "backbone.norm_f",
        ]);
        is_kept(&[
            "resid_pre_0",
            "resid_mid_0",
            "resid_post_0",
            "resid_pre_10",
            "resid_post_10",
        ]);
        is_kept(&["0_pre", "0_post", "1_pre", "1_post", "10_pre"]);
    }

    #[test]
    fn blocks_of_two_kinds_side_by_side_are_unknown() {
        assert_eq!(
            places(&["attn_blocks.0", "res_blocks.0", "res_blocks.1"]),
            None
        );
        assert_eq!(places(&["conv1", "relu1", "conv2", "fc1", "relu3"]), None);
        assert_eq!(places(&["conv2", "layers.0", "layers.7"]), None);
    }

    #[test]
    fn one_unknown_name_makes_the_order_unknown() {
        assert_eq!(places(&["conv1", "layer1", "mystery"]), None);
        assert_eq!(places(&["blocks.0.foo", "blocks.0.hook_resid_pre"]), None);
        assert_eq!(
            places(&["vision_model.layers.0", "text_model.layers.0"]),
            None
        );
    }
}
