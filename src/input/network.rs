//! Puts the modules of known networks in the order in which they run.
//!
//! Known are TransformerLens hooks, transformers as Hugging Face and timm name their modules,
//! torchvision's convolutional networks, autoencoders (`enc_1`, `bottleneck`, `dec_1`) and the
//! streams that `repgeo forward` writes. A name that fits nothing makes all of them unknown: a
//! half-known order would be a guess.

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
    let has_blocks = words.iter().any(|words| block(words, &BLOCKS).is_some());
    let keys: Vec<Key> = words
        .iter()
        .map(|words| key(words, has_blocks))
        .collect::<Option<_>>()?;
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by(|&a, &b| {
        keys[a]
            .cmp(&keys[b])
            .then_with(|| natural::compare(names[a], names[b]))
    });
    Some(places)
}

/// Part of a name: letters in lower case, or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Letters(String),
    Number(u64),
}

impl Word {
    fn is(&self, text: &str) -> bool {
        matches!(self, Self::Letters(letters) if letters == text)
    }

    fn is_one_of(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }
}

fn split(name: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_alphanumeric()) {
        let mut rest = part;
        while !rest.is_empty() {
            let digits = rest.starts_with(|c: char| c.is_ascii_digit());
            let end = rest.find(|c: char| c.is_ascii_digit() != digits);
            let (run, other) = rest.split_at(end.unwrap_or(rest.len()));
            words.push(match run.parse() {
                Ok(number) if digits => Word::Number(number),
                _ => Word::Letters(run.to_lowercase()),
            });
            rest = other;
        }
    }
    words
}

/// Where in the network: part, stage of the part, path of block numbers, place in the block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    part: u8,
    stage: u8,
    path: Vec<u64>,
    place: u16,
    number: u64,
}

/// Words before the number of a block.
const BLOCKS: [&str; 16] = [
    "layer",
    "layers",
    "block",
    "blocks",
    "h",
    "stage",
    "stages",
    "features",
    "denseblock",
    "transition",
    "states",
    "state",
    "resblocks",
    "enc",
    "dec",
    "level",
];
/// The same where nothing else counts the blocks.
const CONVOLUTIONS: [&str; 7] = ["conv", "bn", "norm", "relu", "pool", "maxpool", "act"];
const INPUT: [&str; 5] = ["input", "inputs", "pixels", "image", "images"];
const EMBEDDING: [&str; 6] = ["wte", "wpe", "emb", "stem", "patch", "embd"];
const MIDDLE: [&str; 5] = ["bottleneck", "latent", "latents", "mid", "middle"];
const NORM: [&str; 4] = ["norm", "ln", "layernorm", "rmsnorm"];
const POOL: [&str; 6] = ["avgpool", "pool", "pooler", "gap", "flatten", "pooled"];
const HEAD: [&str; 13] = [
    "head",
    "heads",
    "fc",
    "classifier",
    "score",
    "logits",
    "logit",
    "output",
    "outputs",
    "out",
    "probs",
    "softmax",
    "predictions",
];

fn key(words: &[Word], has_blocks: bool) -> Option<Key> {
    let any = |texts: &[&str]| words.iter().any(|word| word.is_one_of(texts));
    let side = if any(&["enc", "encoder"]) {
        Some(2)
    } else if any(&["dec", "decoder"]) {
        Some(4)
    } else {
        None
    };
    // Parts: input, embedding, encoder or only body, middle, decoder, last norm and pool, head.
    let at = |alone: u8, stage: u8, place: u16, number: u64| Key {
        part: side.unwrap_or(alone),
        stage,
        path: Vec::new(),
        place,
        number,
    };
    let number = words.iter().rev().find_map(|word| match word {
        Word::Number(number) => Some(*number),
        Word::Letters(_) => None,
    });
    let number = number.unwrap_or(0);
    if let Some((path, tail)) = block(words, &BLOCKS) {
        let (place, number) = in_block(tail)?;
        return Some(Key {
            part: side.unwrap_or(2),
            stage: 2,
            path,
            place,
            number,
        });
    }
    let starts = |start: &str| {
        words
            .iter()
            .any(|word| matches!(word, Word::Letters(letters) if letters.starts_with(start)))
    };
    if starts("unembed") || any(&["embed"]) && any(&["out"]) {
        return Some(at(6, 4, 0, 0));
    }
    if starts("embed") || any(&EMBEDDING) {
        let place = if any(&["ln", "norm", "layernorm"]) {
            3
        } else if any(&["pos", "position", "positional", "wpe"]) {
            1
        } else {
            u16::from(any(&["type"])) * 2
        };
        return Some(at(1, 1, place, number));
    }
    if any(&MIDDLE) {
        let place = if any(&["mean", "mu"]) {
            0
        } else if any(&["logvar", "var", "std"]) {
            1
        } else {
            2
        };
        return Some(Key {
            part: 3,
            ..at(3, 2, place, number)
        });
    }
    if let Some((path, tail)) = block(words, &CONVOLUTIONS) {
        let kind = words.iter().find(|word| word.is_one_of(&CONVOLUTIONS))?;
        let kind = CONVOLUTIONS.iter().position(|text| kind.is(text))?;
        let place = [0, 1, 1, 2, 3, 3, 2][kind];
        return match (has_blocks, tail.is_empty()) {
            (_, false) => None,
            // The first convolution of a network in stages, and what follows it.
            (true, _) if path[0] <= 1 => Some(at(1, 2, place, path[0])),
            (true, _) => Some(at(5, 3, place, path[0])),
            (false, _) => Some(Key {
                part: side.unwrap_or(2),
                stage: 2,
                path,
                place,
                number: 0,
            }),
        };
    }
    if any(&["relu", "maxpool", "conv"]) {
        let place = if any(&["conv"]) {
            0
        } else {
            2 + u16::from(any(&["maxpool"]))
        };
        return has_blocks.then(|| at(1, 2, place, 0));
    }
    if any(&HEAD) {
        let late = any(&["logits", "logit", "output", "outputs", "out"]);
        let place = u16::from(late) + 2 * u16::from(any(&["softmax", "probs"]));
        return Some(at(6, 4, place, number));
    }
    if any(&POOL) {
        return Some(at(5, 3, 1 + u16::from(any(&["flatten"])), number));
    }
    if any(&NORM) {
        return Some(at(5, 3, 0, 0));
    }
    any(&INPUT).then(|| at(0, 0, 0, number))
}

/// The numbers of a block, closed by the largest so that a block comes after its parts, and the
/// words behind them.
fn block<'a>(words: &'a [Word], kinds: &[&str]) -> Option<(Vec<u64>, &'a [Word])> {
    let mut path = Vec::new();
    let mut end = 0;
    for (at, pair) in words.windows(2).enumerate() {
        let Word::Number(number) = pair[1] else {
            continue;
        };
        // `layer1.0`: a number right behind the number of a block goes on with its path.
        if pair[0].is_one_of(kinds) || !path.is_empty() && end == at + 1 {
            path.push(number);
            end = at + 2;
        }
    }
    if path.is_empty() {
        return None;
    }
    path.push(u64::MAX);
    Some((path, &words[end..]))
}

/// The place of a module inside its block, and its own number.
fn in_block(tail: &[Word]) -> Option<(u16, u64)> {
    let words: Vec<&Word> = tail.iter().filter(|word| !word.is("hook")).collect();
    let any = |texts: &[&str]| words.iter().any(|word| word.is_one_of(texts));
    let number = words.iter().rev().find_map(|word| match word {
        Word::Number(number) => Some(*number),
        Word::Letters(_) => None,
    });
    let number = number.unwrap_or(0);
    let inner = |names: &[&[&str]]| {
        let found = names.iter().position(|names| any(names));
        u16::try_from(found.unwrap_or(names.len())).unwrap_or(u16::MAX)
    };
    const ATTENTION: [&str; 4] = ["attn", "attention", "self", "mha"];
    const MLP: [&str; 7] = [
        "mlp",
        "ffn",
        "feed",
        "feedforward",
        "intermediate",
        "moe",
        "experts",
    ];
    const NORMS: [&str; 5] = ["ln", "norm", "layernorm", "rmsnorm", "scale"];
    if words.is_empty() {
        return Some((900, 0));
    }
    if any(&["resid", "residual"]) {
        let place = match () {
            () if any(&["pre"]) => 0,
            () if any(&["mid"]) => 400,
            () if any(&["post"]) => 890,
            () => return None,
        };
        return Some((place, 0));
    }
    if any(&NORMS) {
        let second = any(&["post", "after", "ffn", "mlp", "final"]) || number >= 2;
        return Some((100 + 400 * u16::from(second), number));
    }
    if any(&ATTENTION) {
        let cross = any(&["cross", "crossattention"]);
        let inside = inner(&[
            &["rot"],
            &["q", "query"],
            &["k", "key"],
            &["v", "value"],
            &["scores"],
            &["pattern", "weights", "softmax"],
            &["z"],
            &["result"],
            &["out", "o", "proj", "dense"],
        ]);
        return Some((200 + 50 * u16::from(cross) + inside, number));
    }
    if any(&MLP) {
        let inside = inner(&[
            &["pre", "gate"],
            &["up"],
            &["act", "gelu"],
            &["post"],
            &["down", "proj"],
            &["fc"],
        ]);
        // `mlp_out` and the module itself come last.
        let inside = if any(&["out", "output"]) { 20 } else { inside };
        return Some((600 + inside, number));
    }
    if any(&["conv", "bn", "relu", "act", "downsample"]) {
        let kind = inner(&[&["downsample"], &["conv"], &["bn"], &["relu", "act"]]);
        // conv1, bn1, conv2, bn2: by number first; the shortcut comes last.
        let turn = u16::try_from(number.min(9)).unwrap_or(9);
        return Some(match kind {
            0 => (190, number),
            _ => (10 + 10 * turn + kind, number),
        });
    }
    any(&["output", "outputs", "out"]).then_some((880, number))
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
    fn one_unknown_name_makes_the_order_unknown() {
        assert_eq!(places(&["conv1", "layer1", "mystery"]), None);
        assert_eq!(places(&["blocks.0.foo", "blocks.0.hook_resid_pre"]), None);
        assert_eq!(
            places(&["vision_model.layers.0", "text_model.layers.0"]),
            None
        );
    }
}
