//! A model planted by hand whose every number has a closed form.
//!
//! Four orthonormal rows of mean zero: fact, counterfactual, attribute, other. One block, one head
//! with uniform attention that reads the attribute and writes −g · counterfactual; no MLP. With
//! attention w on the attribute the residual of the last token is a · fact + (b − w g) ·
//! counterfactual, so that with s = √((a² + (b − w g)²)/8 + eps)
//!
//! ```text
//! Δ = (b − w g − a)/s        Δ_head = −w g/s
//! ```

use std::fs;
use std::path::Path;

use repgeo::mechanisms::attribution::{AttributionOptions, ComponentKind, Parts, attribution};
use repgeo::mechanisms::model::{Checkpoint, EditMode, Head, Sequences, ValueBias};
use repgeo::mechanisms::modify::{Key, ModifyOptions, ModifyRow, attention_modify};
use repgeo::mechanisms::{Prompts, Readout, StreamDump};
use repgeo::progress::Silent;
use tempfile::TempDir;

use super::dumps::{EVERYTHING, write_dump, write_tensors};

const N: usize = 6;
const A: f64 = 1.0;
const B: f64 = 1.7;
const G: f64 = 3.0;
const EPS: f64 = 1e-5;

const FACT: [f64; 8] = [1., 1., 1., 1., -1., -1., -1., -1.];
const COFA: [f64; 8] = [1., 1., -1., -1., 1., 1., -1., -1.];
const ATTR: [f64; 8] = [1., 1., -1., -1., -1., -1., 1., 1.];
const OTHER: [f64; 8] = [1., -1., 1., -1., 1., -1., 1., -1.];

fn unit(row: [f64; 8]) -> Vec<f64> {
    row.iter().map(|x| x / 8f64.sqrt()).collect()
}

fn combine(parts: &[(f64, [f64; 8])]) -> Vec<f64> {
    (0..8)
        .map(|i| {
            parts
                .iter()
                .map(|(weight, row)| weight * row[i] / 8f64.sqrt())
                .sum()
        })
        .collect()
}

/// Tokens 0 fact, 1 counterfactual, 2 attribute, 3 last, 4 other.
fn plant(folder: &Path) -> Checkpoint {
    let config = r#"{"model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 8, "n_inner": 4,
        "n_positions": 16, "vocab_size": 5, "layer_norm_epsilon": 1e-5, "tie_word_embeddings": false}"#;
    fs::write(folder.join("config.json"), config).unwrap();
    let zeros = |n: usize| vec![0.0; n];
    let sigma = (4.0f64 / 8.0 + EPS).sqrt();
    let (attr, cofa) = (unit(ATTR), unit(COFA));
    // Columns 16..24 of the joint projection are the values: W_V = attr attrᵀ.
    let mut qkv = zeros(8 * 24);
    let mut out = zeros(64);
    for i in 0..8 {
        for j in 0..8 {
            qkv[i * 24 + 16 + j] = attr[i] * attr[j];
            out[i * 8 + j] = -G * (sigma / 2.0) * attr[i] * cofa[j];
        }
    }
    let embedding = [
        zeros(8),
        zeros(8),
        combine(&[(2.0, ATTR)]),
        combine(&[(A, FACT), (B, COFA)]),
        combine(&[(1.3, OTHER)]),
    ];
    let unembedding = [unit(FACT), unit(COFA), zeros(8), zeros(8), zeros(8)];
    let tensors = [
        ("wte.weight", vec![5, 8], embedding.concat()),
        ("wpe.weight", vec![16, 8], zeros(128)),
        ("lm_head.weight", vec![5, 8], unembedding.concat()),
        ("ln_f.weight", vec![8], vec![1.0; 8]),
        ("ln_f.bias", vec![8], zeros(8)),
        ("h.0.ln_1.weight", vec![8], vec![1.0; 8]),
        ("h.0.ln_1.bias", vec![8], zeros(8)),
        ("h.0.ln_2.weight", vec![8], vec![1.0; 8]),
        ("h.0.ln_2.bias", vec![8], zeros(8)),
        ("h.0.attn.c_attn.weight", vec![8, 24], qkv),
        ("h.0.attn.c_attn.bias", vec![24], zeros(24)),
        ("h.0.attn.c_proj.weight", vec![8, 8], out),
        ("h.0.attn.c_proj.bias", vec![8], zeros(8)),
        ("h.0.mlp.c_fc.weight", vec![8, 4], zeros(32)),
        ("h.0.mlp.c_fc.bias", vec![4], zeros(4)),
        ("h.0.mlp.c_proj.weight", vec![4, 8], zeros(32)),
        ("h.0.mlp.c_proj.bias", vec![8], zeros(8)),
    ];
    write_tensors(&folder.join("model.safetensors"), &tensors, &[]);
    Checkpoint::open(folder).unwrap()
}

fn prompts() -> Prompts {
    Prompts {
        sequences: Some(Sequences::new([&[4u32, 2, 4, 4, 4, 3][..]])),
        lengths: Some(vec![N]),
        targets: Some(vec![[0, 1]]),
        attribute: Some(vec![1]),
        ..Prompts::default()
    }
}

fn outcomes(checkpoint: &Checkpoint, mode: EditMode, alphas: &[f64]) -> Vec<ModifyRow> {
    let options = ModifyOptions {
        heads: vec![Head { layer: 0, head: 0 }],
        factors: Vec::new(),
        each: None,
        key: Key::Attribute,
        alphas: alphas.to_vec(),
        mode,
        value_bias: ValueBias::Fold,
        centred: true,
        groups: None,
        select: false,
        keep_examples: false,
        max_memory: None,
    };
    attention_modify::<f64>(checkpoint, &prompts(), &options, &Silent)
        .unwrap()
        .rows
}

fn delta(w: f64) -> f64 {
    let left = B - w * G;
    (left - A) / ((A * A + left * left) / 8.0 + EPS).sqrt()
}

#[test]
fn every_mode_follows_its_closed_form() {
    let folder = TempDir::new().unwrap();
    let checkpoint = plant(folder.path());
    let alphas = [0.0, 0.5, 1.0, 1.3, 2.0, 5.0, 10.0];
    let n = N as f64;
    for mode in [EditMode::Post, EditMode::Pre, EditMode::Renorm] {
        let rows = outcomes(&checkpoint, mode, &alphas);
        assert_eq!(rows.len(), alphas.len());
        for (row, alpha) in rows.iter().zip(alphas) {
            let w = match mode {
                EditMode::Post => alpha / n,
                EditMode::Pre => 1.0 / n,
                EditMode::Renorm => alpha / (n - 1.0 + alpha),
            };
            let found = row.outcomes.delta.mean.unwrap();
            assert!(
                (found - delta(w)).abs() < 1e-12,
                "{mode:?} {alpha}: {found}"
            );
            let winner = if delta(w) > 0.0 {
                row.outcomes.counterfactual
            } else {
                row.outcomes.fact
            };
            assert_eq!(winner.count, 1, "{mode:?} {alpha}");
        }
    }
    // Numbers worked out elsewhere.
    let at = |mode, alpha: f64| {
        outcomes(&checkpoint, mode, &[alpha])
            .last()
            .unwrap()
            .outcomes
            .delta
            .mean
            .unwrap()
    };
    assert!((at(EditMode::Post, 1.0) - 0.362_137).abs() < 5e-7);
    assert!((at(EditMode::Post, 5.0) + 3.975_438).abs() < 5e-7);
    assert!((at(EditMode::Renorm, 5.0) + 2.218_715).abs() < 5e-7);
}

#[test]
fn outcomes_flip_where_the_closed_form_says_and_never_before_the_softmax() {
    let folder = TempDir::new().unwrap();
    let checkpoint = plant(folder.path());
    let n = N as f64;
    let sign = |mode, alpha: f64| {
        let rows = outcomes(&checkpoint, mode, &[alpha]);
        rows.iter()
            .find(|row| row.alpha.is_some_and(|at| (at - alpha).abs() < 1e-15))
            .unwrap()
            .outcomes
            .delta
            .mean
            .unwrap()
            > 0.0
    };
    let flips = [
        (EditMode::Post, n * (B - A) / G),
        (EditMode::Renorm, (n - 1.0) * (B - A) / (G - (B - A))),
    ];
    assert!(
        (flips[0].1 - 1.4).abs() < 1e-12 && (flips[1].1 - 1.521_739_130_434_782_7).abs() < 1e-12
    );
    for (mode, at) in flips {
        assert!(sign(mode, at - 1e-9) && !sign(mode, at + 1e-9), "{mode:?}");
    }
    assert!(
        [0.0, 1.4, 5.0, 1e3, 1e6]
            .iter()
            .all(|&alpha| sign(EditMode::Pre, alpha))
    );
}

#[test]
fn the_head_and_the_embedding_contribute_what_was_planted() {
    let folder = TempDir::new().unwrap();
    let checkpoint = plant(folder.path());
    let path = folder.path().join("acts.safetensors");
    let path = write_dump::<f64>(path, &checkpoint, &prompts(), &EVERYTHING, true);
    let dump = StreamDump::open(&path, None, None).unwrap();
    let readout = Readout::of_checkpoint(checkpoint, true).unwrap();
    let options = AttributionOptions {
        parts: Parts::Head,
        check: true,
        ..AttributionOptions::default()
    };
    let found = attribution(&dump, &readout, &options, &Silent).unwrap();
    let of = |kind| {
        let row = found
            .components
            .iter()
            .find(|row| row.kind == kind)
            .unwrap();
        row.delta.mean.unwrap()
    };
    let s = 0.552_277_104_359_758_9;
    assert!((of(ComponentKind::Head) + 0.905_342_618_864_559_7).abs() < 1e-14);
    assert!((of(ComponentKind::Embed) - (B - A) / s).abs() < 1e-13);
    assert!(of(ComponentKind::MlpOut).abs() < 1e-15 && of(ComponentKind::Bias).abs() < 1e-15);
    assert!(found.check.unwrap().heads.unwrap() < 1e-14);
    // The one head is all of its sign.
    let share = found.components.iter().find_map(|row| row.share);
    assert_eq!(share, Some(1.0));
}
