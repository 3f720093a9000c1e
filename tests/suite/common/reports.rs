//! One list of commands with a report, over inputs in `fixtures`.

use tempfile::TempDir;

use super::{fixture, path, stdout};

/// A command by name, and its arguments; they name files from `fixtures` on.
///
/// `TMP` is a folder for output, `STREAMS` a dump of the small GPT-2. `bench` is not among them:
/// its numbers are times.
pub const REPORTS: &[(&str, &str)] = &[
    ("inspect", "inspect minilm --scan"),
    ("id-profile", "id-profile minilm"),
    (
        "id-profile-family",
        "id-profile reference/vae_d16_ep0300 --estimator all --layers 0..3",
    ),
    (
        "id-profile-controls",
        "id-profile reference/vae_d16_ep0300 --control null --partitions 3",
    ),
    (
        "id-profile-scaling",
        "id-profile reference/vae_d16_ep0300 --layers 0..3 --order plateau --id-scaling=decimation",
    ),
    ("id-profile-explain", "id-profile --explain"),
    ("imbalance", "imbalance reference/relations"),
    (
        "imbalance-next",
        "imbalance reference/vae_d16_ep0300 --to next -k 1,2 --partitions 3 --shuffle 4",
    ),
    (
        "imbalance-against",
        "imbalance reference/vae_d16_ep0300 --against reference/vae_d16_ep0300 --layers 0..3",
    ),
    (
        "imbalance-columns",
        "imbalance reference/relations --layers 0,1 --greedy 2 --beam 2",
    ),
    ("overlap", "overlap reference/vae_d16_ep0300 -k 5,30"),
    (
        "overlap-labels",
        "overlap minilm --labels minilm/labels.csv:class --to last --blocks 5",
    ),
    ("similarity", "similarity reference/relations --measure cka"),
    (
        "similarity-rank",
        "similarity reference/vae_d16_ep0300 --rank reference/vae_d16_ep0300 --measure cka,rsa",
    ),
    (
        "density-peaks",
        "density-peaks minilm --labels minilm/labels.csv:class --smooth 1",
    ),
    (
        "landscape",
        "landscape minilm --layers 3 --labels minilm/labels.csv:class --z 0 --cuts=-20,3",
    ),
    (
        "clones",
        "clones clones/test_hidden.npy --readout clones/readout_w.npy clones/readout_b.npy \
         --targets clones/test_labels.npy --draws 8 --score-draws 4 --sizes 2,8,32",
    ),
    (
        "dynamics",
        "dynamics reference/vae_d08 reference/vae_d16_ep0300",
    ),
    (
        "dynamics-imbalance",
        "dynamics reference/vae_d08 reference/vae_d16_ep0300 --quantity imbalance --to last",
    ),
    (
        "dynamics-peaks",
        "dynamics reference/vae_d08 reference/vae_d16_ep0300 --rows 0..300 --quantity peaks \
         --to-run first --preset llm --z 1",
    ),
    (
        "probe",
        "probe minilm --labels minilm/labels.csv:class --layers 0,3,6 --rows 0..200 --folds 2",
    ),
    ("events", "events events/resnet152.csv --column id"),
    (
        "neighbours",
        "neighbours reference/relations -k 7 -o TMP/tables",
    ),
    (
        "forward",
        "forward mechanisms/gpt2_tiny --tokens mechanisms/gpt2_tiny/prompts.safetensors \
         -o TMP/last.safetensors",
    ),
    (
        "logit-lens",
        "logit-lens STREAMS --unembed mechanisms/gpt2_tiny --rank --topk 3",
    ),
    (
        "attribution",
        "attribution STREAMS --unembed mechanisms/gpt2_tiny --by both --check",
    ),
    ("head-pattern", "head-pattern STREAMS"),
    (
        "attention-modify",
        "attention-modify mechanisms/gpt2_tiny --heads 1.3,L1H2 --alpha 0,2 \
         --tokens mechanisms/gpt2_tiny/prompts.safetensors --select max-fact",
    ),
    (
        "ablate",
        "ablate mechanisms/gpt2_tiny --components 1.3,blocks.1.attn_out,mlp \
         --tokens mechanisms/gpt2_tiny/prompts.safetensors",
    ),
];

/// Where the commands of [`REPORTS`] write, and what some of them read.
pub struct Workplace(TempDir);

impl Workplace {
    /// With the streams of the small GPT-2.
    pub fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        let model = fixture("mechanisms/gpt2_tiny");
        let tokens = model.join("prompts.safetensors");
        let dumped = "embed,pos-embed,resid-pre,resid-mid,resid-post,attn-out,mlp-out,z,pattern,k,v,scale,logits";
        stdout(&[
            "forward",
            path(&model),
            "--tokens",
            path(&tokens),
            "--dump",
            dumped,
            "--positions",
            "all",
            "-o",
            &place.streams(),
        ]);
        place
    }

    fn streams(&self) -> String {
        path(&self.0.path().join("streams.safetensors")).to_owned()
    }

    /// The words of a line of [`REPORTS`].
    pub fn arguments(&self, line: &str) -> Vec<String> {
        let place = |word: &str| {
            word.replace("STREAMS", &self.streams())
                .replace("TMP", path(self.0.path()))
        };
        line.split_whitespace().map(place).collect()
    }
}
