//! Components replaced at the last token and at all: plain loops, identities, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use repgeo::Error;
use repgeo::input::Tensors;
use repgeo::mechanisms::ablate::{
    AblateOptions, Ablated, Ablation, Place, Replacement, ablate, ablate_replayed,
};
use repgeo::mechanisms::model::{
    BlockPart, Checkpoint, EditMode, Head, Part, Sequences, ValueBias,
};
use repgeo::mechanisms::modify::{Key, ModifyOptions, attention_modify};
use repgeo::mechanisms::{Prompts, StreamDump};
use repgeo::progress::Silent;
use tempfile::TempDir;

use super::dumps::{EVERYTHING, prompts, write_dump};
use super::fixture::{NEOX, gpt2, logits, neox, path};
use super::oracle::oracle;
use crate::common::{path as text, refusal, stdout};

fn part(layer: usize, part: Part) -> BlockPart {
    BlockPart { layer, part }
}

fn options(components: &[BlockPart], with: Replacement, together: bool) -> AblateOptions {
    AblateOptions {
        components: components.to_vec(),
        with,
        at: Place::Last,
        together,
        centred: false,
        groups: None,
        keep_examples: true,
        max_memory: None,
    }
}

/// Every checkpoint with the file of its weights, and its folder while that is a temporary one.
fn models() -> Vec<(Option<TempDir>, Checkpoint, PathBuf)> {
    let mut models = vec![(None, gpt2(), path("gpt2/model.safetensors.index.json"))];
    for name in &NEOX[..2] {
        let (folder, checkpoint) = neox(name, false);
        let weights = folder.path().join("model.safetensors");
        models.push((Some(folder), checkpoint, weights));
    }
    models
}

/// Logits of both targets of every example by plain loops, with `parts` replaced, at the last token or
/// at all, by zero or by their means over the same tokens.
fn by_plain_loops(
    checkpoint: &Checkpoint,
    weights: &Tensors,
    prompts: &Prompts,
    parts: &[BlockPart],
    with: Replacement,
    at: Place,
) -> Vec<[f64; 2]> {
    let config = &checkpoint.config;
    let e = config.head_width;
    let sequences = prompts.sequences.as_ref().unwrap();
    let n = sequences.len();
    let n_tokens = match at {
        Place::Last => n,
        Place::All => (0..n).map(|one| sequences.tokens(one).len()).sum(),
    };
    // What the component is within what the oracle shows.
    let range = |one: &BlockPart, kind: &str, layer: usize| match (one.part, kind) {
        _ if one.layer != layer => None,
        (Part::Head(head), "z") => Some(head * e..(head + 1) * e),
        (Part::Attention, "attention") | (Part::Mlp, "mlp") => Some(0..config.width),
        _ => None,
    };
    let mut means: BTreeMap<BlockPart, Vec<f64>> = BTreeMap::new();
    for example in 0..n {
        oracle(
            config,
            weights,
            sequences.tokens(example),
            &mut |layer, kind, is_last, row| {
                for one in parts.iter().filter(|_| is_last || at == Place::All) {
                    let Some(range) = range(one, kind, layer) else {
                        continue;
                    };
                    let mean = means.entry(*one).or_insert_with(|| vec![0.0; range.len()]);
                    for (mean, x) in mean.iter_mut().zip(&row[range]) {
                        *mean += match with {
                            Replacement::Mean => x / n_tokens as f64,
                            Replacement::Zero => 0.0,
                        };
                    }
                }
            },
        );
    }
    let last: Vec<f64> = (0..n)
        .flat_map(|example| {
            let tokens = sequences.tokens(example);
            let streams = oracle(config, weights, tokens, &mut |layer, kind, is_last, row| {
                for one in parts.iter().filter(|_| is_last || at == Place::All) {
                    if let Some(range) = range(one, kind, layer) {
                        row[range].copy_from_slice(&means[one]);
                    }
                }
            });
            streams.last().unwrap().last().unwrap().clone()
        })
        .collect();
    let all = logits(checkpoint, &last);
    let targets = prompts.targets.as_ref().unwrap();
    all.chunks_exact(config.n_vocab)
        .zip(targets)
        .map(|(row, pair)| pair.map(|token| row[token as usize]))
        .collect()
}

/// Logits of every example under one ablation.
fn found(report: &Ablation, component: Ablated) -> Vec<[f64; 2]> {
    let own = report.examples.iter();
    own.filter(|one| one.component == component)
        .map(|one| one.logits)
        .collect()
}

fn compare(found: &[[f64; 2]], wanted: &[[f64; 2]], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().flatten().zip(wanted.iter().flatten()) {
        assert!((found - wanted).abs() < 1e-10, "{what}: {found} {wanted}");
    }
}

#[test]
fn replaced_components_give_the_logits_of_plain_loops() {
    for (_folder, checkpoint, weights) in models() {
        let config = &checkpoint.config;
        let weights = Tensors::open(&weights).unwrap();
        let prompts = prompts(97);
        let last = config.n_layers - 1;
        let parts = [
            part(0, Part::Attention),
            part(0, Part::Mlp),
            part(0, Part::Head(1)),
            part(last, Part::Head(0)),
        ];
        for at in [Place::Last, Place::All] {
            let asked = AblateOptions {
                at,
                ..options(&parts, Replacement::Mean, false)
            };
            let report = ablate::<f64>(&checkpoint, &prompts, &asked, &Silent).unwrap();
            assert_eq!(report.rows.len(), 1 + parts.len());
            for one in parts {
                let wanted =
                    by_plain_loops(&checkpoint, &weights, &prompts, &[one], asked.with, at);
                let what = format!("{one} {}", at.name());
                compare(&found(&report, Ablated::One(one)), &wanted, &what);
            }
        }
        let both = [part(0, Part::Mlp), part(last, Part::Head(0))];
        for (with, at) in [
            (Replacement::Zero, Place::Last),
            (Replacement::Mean, Place::Last),
            (Replacement::Zero, Place::All),
            (Replacement::Mean, Place::All),
        ] {
            let asked = AblateOptions {
                at,
                ..options(&both, with, true)
            };
            let report = ablate::<f64>(&checkpoint, &prompts, &asked, &Silent).unwrap();
            let wanted = by_plain_loops(&checkpoint, &weights, &prompts, &both, with, at);
            compare(&found(&report, Ablated::Together), &wanted, with.name());
            // Effects are differences of examples, and their mean is that of the row.
            let before = found(&report, Ablated::Nothing);
            let delta = |pair: &[f64; 2]| pair[1] - pair[0];
            let effects: Vec<f64> = wanted
                .iter()
                .zip(&before)
                .map(|(after, before)| delta(after) - delta(before))
                .collect();
            let mean = effects.iter().sum::<f64>() / effects.len() as f64;
            assert!((report.rows[1].effect.mean.unwrap() - mean).abs() < 1e-10);
            assert_eq!(report.rows[0].effect.mean, Some(0.0));
        }
    }
}

#[test]
fn a_head_set_to_zero_is_a_head_whose_attention_is_set_to_zero() {
    for (_folder, checkpoint, _) in models() {
        for layer in 0..checkpoint.config.n_layers {
            let head = Head { layer, head: 1 };
            let edit = ModifyOptions {
                heads: vec![head],
                factors: Vec::new(),
                each: None,
                key: Key::All,
                alphas: vec![0.0],
                mode: EditMode::Post,
                value_bias: ValueBias::Keep,
                centred: false,
                groups: None,
                select: false,
                keep_examples: true,
                max_memory: None,
            };
            let prompts = prompts(97);
            let edited = attention_modify::<f64>(&checkpoint, &prompts, &edit, &Silent).unwrap();
            let edited: Vec<[f64; 2]> = edited
                .examples
                .iter()
                .filter(|one| one.alpha == Some(0.0))
                .map(|one| [one.logit_fact, one.logit_counterfactual])
                .collect();
            let asked = options(&[BlockPart::head(head)], Replacement::Zero, false);
            let report = ablate::<f64>(&checkpoint, &prompts, &asked, &Silent).unwrap();
            let found = found(&report, Ablated::One(BlockPart::head(head)));
            compare(&found, &edited, &head.to_string());
        }
    }
}

#[test]
fn means_of_equal_examples_change_no_bit() {
    for (_folder, checkpoint, _) in models() {
        let mut twice = prompts(97);
        let one = twice.sequences.as_ref().unwrap().tokens(0).to_vec();
        twice = Prompts {
            sequences: Some(Sequences::new([&one[..], &one[..]])),
            lengths: Some(vec![one.len(); 2]),
            targets: twice.targets.map(|all| vec![all[0]; 2]),
            ..Prompts::default()
        };
        let config = &checkpoint.config;
        let parts: Vec<BlockPart> = (0..config.n_layers)
            .flat_map(|layer| {
                [Part::Attention, Part::Mlp, Part::Head(0)].map(|one| part(layer, one))
            })
            .collect();
        let asked = options(&parts, Replacement::Mean, false);
        let report = ablate::<f64>(&checkpoint, &twice, &asked, &Silent).unwrap();
        let before = found(&report, Ablated::Nothing);
        for one in parts {
            assert_eq!(found(&report, Ablated::One(one)), before, "{one}");
        }
    }
}

#[test]
fn a_dump_gives_what_the_pass_gives() {
    for (_folder, checkpoint, _) in models() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("acts.safetensors");
        let dumped = write_dump::<f64>(file, &checkpoint, &prompts(97), &EVERYTHING, true);
        let dump = StreamDump::open(&dumped, None, None).unwrap();
        let parts = [
            part(1, Part::Attention),
            part(1, Part::Mlp),
            part(1, Part::Head(0)),
        ];
        for with in [Replacement::Zero, Replacement::Mean] {
            let asked = options(&parts, with, false);
            let pass = ablate::<f64>(&checkpoint, &prompts(97), &asked, &Silent).unwrap();
            let replayed = ablate_replayed::<f64>(&checkpoint, &dump, &asked, &Silent).unwrap();
            for one in parts {
                let one = Ablated::One(one);
                compare(&found(&replayed, one), &found(&pass, one), &one.to_string());
            }
            assert!(replayed.parameters.replay && !pass.parameters.replay);
            let at = Place::All;
            let all = AblateOptions { at, ..asked };
            let error = ablate_replayed::<f64>(&checkpoint, &dump, &all, &Silent).unwrap_err();
            assert!(error.to_string().contains("--at all"), "{error}");
        }
        // All of the dump is held at once, and less than that is refused.
        let mut asked = options(&parts, Replacement::Zero, false);
        let free = ablate_replayed::<f64>(&checkpoint, &dump, &asked, &Silent).unwrap();
        asked.max_memory = Some(1);
        let refused = ablate_replayed::<f64>(&checkpoint, &dump, &asked, &Silent).unwrap_err();
        let Error::Memory { needed, remedy, .. } = refused else {
            panic!("{refused}");
        };
        assert!(remedy.contains("--replay"), "{remedy}");
        asked.max_memory = Some(needed - 1);
        assert!(ablate_replayed::<f64>(&checkpoint, &dump, &asked, &Silent).is_err());
        asked.max_memory = Some(needed);
        let enough = ablate_replayed::<f64>(&checkpoint, &dump, &asked, &Silent).unwrap();
        let printed = |one: &Ablation| serde_json::to_string(one).unwrap();
        assert_eq!(printed(&enough), printed(&free));
    }
}

/// The report of `repgeo ablate` over the trained model, and a folder for its files.
fn call(folder: &Path, flags: &[&str]) -> String {
    let model = path("gpt2_tiny");
    let prompts = path("gpt2_tiny/prompts.safetensors");
    let each = folder.join("each.csv");
    let start = [
        "ablate",
        text(&model),
        "--tokens",
        text(&prompts),
        "--examples",
        text(&each),
    ];
    stdout(&[&start[..], flags].concat())
}

#[test]
fn the_command_writes_every_example_whatever_the_number_of_threads() {
    let folder = TempDir::new().unwrap();
    let names = ["--components", "heads,attn,1.2,blocks.1.mlp_out"];
    for at in ["last", "all"] {
        the_same_for_any_threads(folder.path(), &[&names[..], &["--at", at]].concat());
    }
}

/// One call on one thread and on two, and its examples against its rows.
fn the_same_for_any_threads(folder: &Path, flags: &[&str]) {
    let one = call(folder, &[flags, &["--threads", "1"]].concat());
    let each = fs::read_to_string(folder.join("each.csv")).unwrap();
    let two = call(folder, &[flags, &["--threads", "2"]].concat());
    assert_eq!(one, two);
    let again = fs::read_to_string(folder.join("each.csv")).unwrap();
    assert_eq!(each, again);

    let report: serde_json::Value = serde_json::from_str(&one).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let components: Vec<&str> = rows
        .iter()
        .map(|row| row["component"].as_str().unwrap())
        .collect();
    // All heads, all attentions, one MLP, each once; the unchanged model before them.
    assert_eq!(components.len(), 1 + 16 + 4 + 1);
    assert_eq!(components[..2], ["nothing", "blocks.0.attn_out"]);
    let mut reader = csv::Reader::from_reader(each.as_bytes());
    let lines: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    for row in rows {
        let own: Vec<_> = lines
            .iter()
            .filter(|line| row["component"] == *line["component"])
            .collect();
        assert_eq!(own.len() as u64, row["n"].as_u64().unwrap());
        for (column, stat) in [("effect", "effect"), ("delta", "delta")] {
            let values = own.iter().map(|line| line[column].parse::<f64>().unwrap());
            let mean = values.sum::<f64>() / own.len() as f64;
            assert!((mean - row[stat]["mean"].as_f64().unwrap()).abs() < 1e-12);
        }
        let won = own.iter().filter(|line| line["outcome"] == "fact").count();
        assert_eq!(won as u64, row["fact"]["count"].as_u64().unwrap());
    }
}

#[test]
fn components_that_cannot_be_replaced_are_refused_by_name() {
    let model = path("gpt2_tiny");
    let prompts = path("gpt2_tiny/prompts.safetensors");
    let start = ["ablate", text(&model), "--tokens", text(&prompts)];
    for (flags, words) in [
        (
            &["--components", "9.0"][..],
            &["blocks.9.head.0", "counted from 0"][..],
        ),
        (&["--components", "0.9"], &["blocks.0.head.9"]),
        (&["--components", "blocks.7.mlp_out"], &["blocks.7.mlp_out"]),
        (
            &["--components", "attn,1.2", "--together"],
            &["blocks.1.attn_out", "blocks.1.head.2"],
        ),
        (
            &["--components", "mlp", "--examples", "x.txt"],
            &["--examples"],
        ),
    ] {
        let message = refusal(&[&start[..], flags].concat(), 2);
        for word in words {
            assert!(message.contains(word), "{flags:?}: {message}");
        }
    }
}

#[test]
fn the_mean_of_one_example_is_refused() {
    let mut alone = prompts(97);
    let tokens = alone.sequences.as_ref().unwrap().tokens(0).to_vec();
    alone = Prompts {
        sequences: Some(Sequences::new([&tokens[..]])),
        targets: alone.targets.map(|all| vec![all[0]]),
        ..Prompts::default()
    };
    let parts = [part(0, Part::Mlp)];
    let checkpoint = gpt2();
    let mean = options(&parts, Replacement::Mean, false);
    let error = ablate::<f64>(&checkpoint, &alone, &mean, &Silent).unwrap_err();
    assert!(error.to_string().contains("--with zero"), "{error}");
    let zero = options(&parts, Replacement::Zero, false);
    assert!(ablate::<f64>(&checkpoint, &alone, &zero, &Silent).is_ok());
    // Its tokens have a mean.
    let at = Place::All;
    let all = AblateOptions { at, ..mean };
    assert!(ablate::<f64>(&checkpoint, &alone, &all, &Silent).is_ok());
}
