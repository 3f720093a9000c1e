//! Finds the block of a module by its name, and the place of the module inside its block.

/// Part of a name: letters in lower case, or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Letters(String),
    Number(u64),
}

impl Word {
    /// Whether it is this text.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self, Self::Letters(letters) if letters == text)
    }

    /// Whether it is one of these texts.
    pub(super) fn is_one_of(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }
}

/// The letters and numbers of a name, in order.
pub(super) fn split(name: &str) -> Vec<Word> {
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

/// Words before the number of a block.
pub(super) const BLOCKS: [&str; 21] = [
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
    "hidden",
    "down",
    "up",
    "downs",
    "ups",
];
/// The numbers of a block, closed by the largest so that a block comes after its parts, and the
/// words behind them.
pub(super) fn block<'a>(words: &'a [Word], kinds: &[&str]) -> Option<(Vec<u64>, &'a [Word])> {
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

/// The number of a block and its module, where these are all that a name says: `resid_post_3`,
/// `3_mlp`.
pub(super) fn counted_module(words: &[Word]) -> Option<(Vec<u64>, Vec<Word>)> {
    const MODULES: [&str; 8] = [
        "resid",
        "residual",
        "attn",
        "attention",
        "mlp",
        "ffn",
        "pre",
        "post",
    ];
    let (number, module) = match words {
        [Word::Number(number), module @ ..] | [module @ .., Word::Number(number)] => {
            (*number, module)
        }
        _ => return None,
    };
    let known = module.iter().any(|word| word.is_one_of(&MODULES));
    known.then(|| (vec![number, u64::MAX], module.to_vec()))
}

/// The place of a module inside its block, and its own number.
pub(super) fn in_block(tail: &[Word]) -> Option<(u16, u64)> {
    const ATTENTION: [&str; 7] = ["attn", "attention", "self", "mha", "mixer", "ssm", "rnn"];
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
    let words: Vec<&Word> = tail.iter().filter(|word| !word.is("hook")).collect();
    let any = |texts: &[&str]| has(&words, texts);
    let number = words.iter().rev().find_map(|word| match word {
        Word::Number(number) => Some(*number),
        Word::Letters(_) => None,
    });
    let number = number.unwrap_or(0);
    match words.as_slice() {
        [] => return Some((900, 0)),
        // The stream before and after the block.
        [word] if word.is("pre") => return Some((0, 0)),
        [word] if word.is("post") => return Some((890, 0)),
        _ => {}
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
        return Some((200 + in_attention(&words), number));
    }
    if any(&MLP) {
        return Some((600 + in_mlp(&words), number));
    }
    if any(&["conv", "bn", "relu", "act", "downsample"]) {
        return Some((in_convolutions(&words, number), number));
    }
    any(&["output", "outputs", "out"]).then_some((880, number))
}

fn has(words: &[&Word], texts: &[&str]) -> bool {
    words.iter().any(|word| word.is_one_of(texts))
}

/// Which of `names` the words hold first; as many as there are where they hold none.
fn turn_of(words: &[&Word], names: &[&[&str]]) -> u16 {
    let found = names.iter().position(|names| has(words, names));
    u16::try_from(found.unwrap_or(names.len())).unwrap_or(u16::MAX)
}

fn in_attention(words: &[&Word]) -> u16 {
    let cross = has(words, &["cross", "crossattention"]);
    let inside = turn_of(
        words,
        &[
            &["rot"],
            &["q", "query"],
            &["k", "key"],
            &["v", "value"],
            &["scores"],
            &["pattern", "weights", "softmax"],
            &["z"],
            &["result"],
            &["out", "o", "proj", "dense"],
        ],
    );
    50 * u16::from(cross) + inside
}

fn in_mlp(words: &[&Word]) -> u16 {
    // `mlp_out` and the module itself come last.
    if has(words, &["out", "output"]) {
        return 20;
    }
    turn_of(
        words,
        &[
            &["pre", "gate"],
            &["up"],
            &["act", "gelu"],
            &["post"],
            &["down", "proj"],
            &["fc"],
        ],
    )
}

/// conv1, bn1, conv2, bn2: by number first; the shortcut comes last.
fn in_convolutions(words: &[&Word], number: u64) -> u16 {
    let kinds: [&[&str]; 4] = [&["downsample"], &["conv"], &["bn"], &["relu", "act"]];
    let turn = u16::try_from(number.min(9)).unwrap_or(9);
    match turn_of(words, &kinds) {
        0 => 190,
        kind => 10 + 10 * turn + kind,
    }
}

/// What the names together say of the network.
pub(super) struct Shape {
    /// Whether anything counts blocks.
    pub has_blocks: bool,
    /// The largest number of a block.
    pub last_block: u64,
    /// Whether there are convolutions.
    pub has_convolutions: bool,
    /// The largest number of a convolution.
    pub last_convolution: u64,
    /// Whether a convolution closes the body (`conv_head`).
    pub has_conv_head: bool,
}

impl Shape {
    /// `None` if blocks of several kinds are counted side by side, so that nobody knows their order.
    pub(super) fn of(words: &[Vec<Word>]) -> Option<Self> {
        let counted: Vec<(&[Word], &[Word], u64)> = words
            .iter()
            .filter_map(|words| {
                let (path, tail) = block(words, &BLOCKS)?;
                let number = words
                    .iter()
                    .position(|word| *word == Word::Number(path[0]))
                    .unwrap_or(0);
                Some((&words[..number], tail, path[0]))
            })
            .collect();
        for (at, (before, ..)) in counted.iter().enumerate() {
            let alike = |other: &[Word]| {
                let kind = |words: &[Word]| words.last().cloned();
                let dense = |words: &[Word]| {
                    let known = ["denseblock", "transition"];
                    kind(words).is_some_and(|word| word.is_one_of(&known))
                };
                *before == other || side(before) != side(other) || dense(before) && dense(other)
            };
            if !counted[..at].iter().all(|(other, ..)| alike(other)) {
                return None;
            }
        }
        let convolutions = words.iter().filter_map(|words| {
            let (path, _) = block(words, &["conv"])?;
            Some(path[0])
        });
        let convolutions: Vec<u64> = convolutions.collect();
        let closes =
            |words: &Vec<Word>| words.len() == 2 && words[0].is("conv") && words[1].is("head");
        Some(Self {
            has_blocks: !counted.is_empty(),
            last_block: counted
                .iter()
                .map(|(.., number)| *number)
                .max()
                .unwrap_or(0),
            has_convolutions: !convolutions.is_empty(),
            last_convolution: convolutions.into_iter().max().unwrap_or(0),
            has_conv_head: words.iter().any(closes),
        })
    }
}

/// The part of a network of two sides, on the way down or up, that words before a block say.
pub(super) fn side(words: &[Word]) -> Option<u8> {
    let any = |texts: &[&str]| words.iter().any(|word| word.is_one_of(texts));
    if any(&["enc", "encoder", "down", "downs"]) {
        Some(2)
    } else if any(&["dec", "decoder", "up", "ups"]) {
        Some(4)
    } else {
        None
    }
}
