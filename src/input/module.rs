//! Says where in a network a module runs, by the words of its name.

use super::block::{BLOCKS, Shape, Word, block, counted_module, in_block, side};

/// Where in the network: part, stage of the part, path of block numbers, place in the block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    part: u8,
    stage: u8,
    path: Vec<u64>,
    place: u16,
    number: u64,
}

/// Modules that a network of dense layers counts, in their order within one layer.
const DENSE: [&str; 9] = [
    "fc", "linear", "lin", "dense", "bn", "norm", "relu", "act", "dropout",
];
/// The same where nothing else counts the blocks.
const CONVOLUTIONS: [&str; 7] = ["conv", "bn", "norm", "relu", "pool", "maxpool", "act"];
const INPUT: [&str; 5] = ["input", "inputs", "pixels", "image", "images"];
const EMBEDDING: [&str; 8] = [
    "wte", "wpe", "emb", "stem", "patch", "embd", "shared", "inc",
];
const MIDDLE: [&str; 7] = [
    "bottleneck",
    "latent",
    "latents",
    "mid",
    "middle",
    "z",
    "code",
];
const NORM: [&str; 4] = ["norm", "ln", "layernorm", "rmsnorm"];
const POOL: [&str; 6] = ["avgpool", "pool", "pooler", "gap", "flatten", "pooled"];
const HEAD: [&str; 19] = [
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
    "prob",
    "proj",
    "outc",
    "recon",
    "reconstruction",
    "unembed",
];

/// The place of the module with this name; `None` if it is unknown.
pub(super) fn key(words: &[Word], shape: &Shape) -> Option<Key> {
    let number = words.iter().rev().find_map(|word| match word {
        Word::Number(number) => Some(*number),
        Word::Letters(_) => None,
    });
    let own = match block(words, &BLOCKS) {
        // `mlp.down_proj` is no way down.
        Some((_, tail)) => &words[..words.len() - tail.len()],
        None => words,
    };
    let module = Module {
        words,
        shape,
        side: side(own),
        number: number.unwrap_or(0),
    };
    module.key()
}

struct Module<'a> {
    words: &'a [Word],
    shape: &'a Shape,
    /// The part of the network, where the name says it.
    side: Option<u8>,
    /// The last number of the name, or 0.
    number: u64,
}

impl Module<'_> {
    /// The first rule that fits decides.
    fn key(&self) -> Option<Key> {
        let has_blocks = self.shape.has_blocks;
        if let Some((path, tail)) = block(self.words, &BLOCKS) {
            return Some(self.in_body(path, in_block(tail)?));
        }
        if !has_blocks && let Some((path, tail)) = counted_module(self.words) {
            return Some(self.in_body(path, in_block(&tail)?));
        }
        if self.starts("unembed") || self.any(&["embed"]) && self.any(&["out"]) {
            return Some(self.at(6, 4, 0, 0));
        }
        if self.any(&["conv"]) && self.any(&["head", "out"]) {
            return Some(self.at(5, 2, 0, 0));
        }
        // The norm between the stem and the blocks.
        if self.any(&NORM) && self.any(&["pre"]) {
            return Some(self.at(1, 2, 5, 0));
        }
        if self.is_embedding() {
            return Some(self.embedding());
        }
        if self.any(&MIDDLE) {
            return Some(self.middle());
        }
        if !has_blocks
            && !self.shape.has_convolutions
            && let Some((path, [])) = block(self.words, &DENSE)
        {
            return self.dense(path);
        }
        if let Some((path, tail)) = block(self.words, &CONVOLUTIONS) {
            return self.convolution(path, tail);
        }
        if self.any(&["relu", "maxpool", "conv"]) {
            return has_blocks.then(|| self.stem());
        }
        if self.any(&HEAD) {
            return Some(self.head());
        }
        if self.any(&POOL) {
            let place = 1 + u16::from(self.any(&["flatten"]));
            return Some(self.at(5, 3, place, self.number));
        }
        if self.any(&NORM) {
            return Some(self.at(5, 3, 0, 0));
        }
        self.any(&INPUT).then(|| self.at(0, 0, 0, self.number))
    }

    fn any(&self, texts: &[&str]) -> bool {
        self.words.iter().any(|word| word.is_one_of(texts))
    }

    fn starts(&self, start: &str) -> bool {
        self.words
            .iter()
            .any(|word| matches!(word, Word::Letters(letters) if letters.starts_with(start)))
    }

    /// Parts: input, embedding, encoder or only body, middle, decoder, last norm and pool, head.
    fn at(&self, alone: u8, stage: u8, place: u16, number: u64) -> Key {
        Key {
            part: self.side.unwrap_or(alone),
            stage,
            path: Vec::new(),
            place,
            number,
        }
    }

    fn in_body(&self, path: Vec<u64>, (place, number): (u16, u64)) -> Key {
        Key {
            path,
            ..self.at(2, 2, place, number)
        }
    }

    fn is_embedding(&self) -> bool {
        let early = self.any(&["pos"]) && self.any(&["drop", "dropout"]);
        self.starts("embed")
            || self.any(&EMBEDDING)
            || early
            || self.any(&["conv"]) && self.any(&["in"])
    }

    fn embedding(&self) -> Key {
        let place = if self.any(&["ln", "norm", "layernorm", "drop", "dropout"]) {
            3
        } else if self.any(&["pos", "position", "positional", "wpe"]) {
            1
        } else {
            u16::from(self.any(&["type"])) * 2
        };
        self.at(1, 1, place, self.number)
    }

    fn middle(&self) -> Key {
        let place = if self.any(&["mean", "mu"]) {
            0
        } else if self.any(&["logvar", "var", "std"]) {
            1
        } else {
            2
        };
        Key {
            part: 3,
            ..self.at(3, 2, place, self.number)
        }
    }

    /// A module of a network of dense layers.
    fn dense(&self, path: Vec<u64>) -> Option<Key> {
        let kind = self.words.iter().find(|word| word.is_one_of(&DENSE))?;
        let kind = DENSE.iter().position(|text| kind.is(text))?;
        Some(self.in_body(path, (u16::try_from(kind).unwrap_or(0), 0)))
    }

    /// A counted module of convolutions, with or without blocks beside it.
    fn convolution(&self, path: Vec<u64>, tail: &[Word]) -> Option<Key> {
        let kind = self
            .words
            .iter()
            .find(|word| word.is_one_of(&CONVOLUTIONS))?;
        let kind = CONVOLUTIONS.iter().position(|text| kind.is(text))?;
        let place = [0, 1, 1, 2, 3, 3, 2][kind];
        let first = path[0];
        let shape = self.shape;
        match (shape.has_blocks, tail.is_empty()) {
            (_, false) => None,
            // The first convolution of a network in stages, what follows it, or those that stand
            // before an encoder.
            (true, _) if first <= 1 || self.side == Some(2) => Some(Key {
                part: 1,
                ..self.at(1, 2, place, first)
            }),
            (true, _) if first > shape.last_block || shape.has_conv_head => {
                Some(self.at(5, 2, place, first))
            }
            (true, _) => None,
            // What is counted on behind the convolutions belongs to dense layers.
            (false, _) if kind > 0 && first > shape.last_convolution => None,
            (false, _) => Some(self.in_body(path, (place, 0))),
        }
    }

    /// A module without a number before the blocks.
    fn stem(&self) -> Key {
        let place = if self.any(&["conv"]) {
            0
        } else {
            2 + u16::from(self.any(&["maxpool"]))
        };
        self.at(1, 2, place, 0)
    }

    fn head(&self) -> Key {
        if self.any(&NORM) {
            return self.at(5, 3, 0, 1);
        }
        let late = self.any(&["logits", "logit", "output", "outputs", "out"]);
        let place = u16::from(late) + 2 * u16::from(self.any(&["softmax", "probs", "prob"]));
        self.at(6, 4, place, self.number)
    }
}
