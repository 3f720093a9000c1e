//! What must hold whatever the weights are.

use std::path::Path;

use repgeo::input::{Labels, Tensors};
use repgeo::mechanisms::attribution::{
    Attribution, AttributionOptions, ComponentKind, Parts, attribution,
};
use repgeo::mechanisms::lens::{LensOptions, LensRow, LensScale, LensStream, logit_lens};
use repgeo::mechanisms::model::{
    Change, Checkpoint, Edit, EditMode, Head, LastPosition, Pass, PatternRows, Real, Sequences,
    ValueBias, replay,
};
use repgeo::mechanisms::patterns::{PatternOptions, head_pattern};
use repgeo::mechanisms::{Positions, Prompts, Readout, StreamDump};
use repgeo::progress::Silent;
use tempfile::TempDir;

use super::dumps::{EVERYTHING, prompts, write_dump, write_tensors};
use super::fixture::{NEOX, Run, distance, gpt2, logits, neox, run};

/// Every checkpoint, and its folder while that is a temporary one.
fn models() -> Vec<(Option<TempDir>, Checkpoint)> {
    let mut models = vec![(None, gpt2())];
    models.extend(NEOX.map(|name| {
        let (folder, checkpoint) = neox(name, false);
        (Some(folder), checkpoint)
    }));
    models
}

/// A dump of everything at every position, in f64, and its readout.
fn dumped(folder: &Path, checkpoint: &Checkpoint, all: bool) -> (StreamDump, Readout) {
    let file = folder.join(format!("acts_{all}.safetensors"));
    let path = write_dump::<f64>(file, checkpoint, &prompts(97), &EVERYTHING, all);
    let dump = StreamDump::open(&path, None, None).unwrap();
    let readout = Readout::of_checkpoint(checkpoint.clone(), true).unwrap();
    (dump, readout)
}

fn edit(heads: &[(usize, usize)], alpha: f64, mode: EditMode, value_bias: ValueBias) -> Edit {
    Edit {
        heads: heads
            .iter()
            .map(|&(layer, head)| Head { layer, head })
            .collect(),
        own: Vec::new(),
        keys: prompts(97)
            .attribute
            .unwrap()
            .iter()
            .map(|&at| at..at + 1)
            .collect(),
        alpha,
        mode,
        value_bias,
    }
}

fn sequences() -> Sequences {
    prompts(97).sequences.unwrap()
}

fn post<T>(found: &Run<T>, layer: usize) -> &Vec<T> {
    found
        .blocks
        .get(layer + 1)
        .map_or(&found.resid, |next| &next.resid_pre)
}

#[test]
fn blocks_add_what_they_say_and_heads_add_up_to_the_attention() {
    for (_folder, checkpoint) in models() {
        let found = run::<f64>(&checkpoint, &sequences(), None);
        let config = &checkpoint.config;
        let (d, e) = (config.width, config.head_width);
        let mut total = found.embed.clone();
        for (layer, streams) in found.blocks.iter().enumerate() {
            for (i, sum) in total.iter_mut().enumerate() {
                *sum += streams.attn_out[i] + streams.mlp_out[i];
            }
            assert!(distance(post(&found, layer), &total) < 1e-13);
            let out = checkpoint.block::<f64>(layer).unwrap().out;
            let matrix = out.matrix();
            let by_heads: Vec<f64> = streams
                .z
                .chunks_exact(d)
                .flat_map(|z| {
                    let mut row = out.bias.clone();
                    for head in 0..config.n_heads {
                        for i in head * e..(head + 1) * e {
                            for (j, value) in row.iter_mut().enumerate() {
                                *value += z[i] * matrix[(i, j)];
                            }
                        }
                    }
                    row
                })
                .collect();
            assert!(distance(&streams.attn_out, &by_heads) < 1e-13);
        }
    }
}

fn attribute(
    dump: &StreamDump,
    readout: &Readout,
    value_bias: ValueBias,
    positions: Positions,
) -> Attribution {
    let options = AttributionOptions {
        parts: Parts::Both,
        value_bias,
        positions,
        groups: None,
        check: true,
        ..AttributionOptions::default()
    };
    attribution(dump, readout, &options, &Silent).unwrap()
}

#[test]
fn contributions_of_blocks_and_of_heads_add_up_to_the_last_lens_at_every_place() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let (dump, readout) = dumped(folder.path(), &checkpoint, true);
        for value_bias in [ValueBias::Fold, ValueBias::Keep] {
            for positions in [Positions::Last, Positions::Slots, Positions::All] {
                let found = attribute(&dump, &readout, value_bias, positions);
                let check = found.check.unwrap();
                assert!(check.largest > 0.1);
                for error in [check.blocks, check.heads, check.logits] {
                    assert!(error.unwrap() < 1e-10, "{check:?}");
                }
            }
        }
    }
}

#[test]
fn the_head_table_is_the_direct_product_and_folding_moves_a_constant() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let (dump, readout) = dumped(folder.path(), &checkpoint, false);
        let config = &checkpoint.config;
        let (d, e) = (config.width, config.head_width);
        let kept = attribute(&dump, &readout, ValueBias::Keep, Positions::Last);
        let folded = attribute(&dump, &readout, ValueBias::Fold, Positions::Last);
        let found = run::<f64>(&checkpoint, &sequences(), None);
        let ends = ends(&sequences());
        let targets = prompts(97).targets.unwrap();
        // u_t from its definition.
        let norm = checkpoint.final_norm::<f64>().unwrap();
        let w = f64::of_matrix(&checkpoint.unembedding().unwrap());
        let vocabulary = w.len() / d;
        let u = |t: u32| -> Vec<f64> {
            let column: Vec<f64> = (0..d)
                .map(|i| {
                    let mean =
                        (0..vocabulary).map(|v| w[v * d + i]).sum::<f64>() / vocabulary as f64;
                    norm.gain[i] * (w[t as usize * d + i] - mean)
                })
                .collect();
            let mean = column.iter().sum::<f64>() / d as f64;
            column.iter().map(|x| x - mean).collect()
        };
        let scale = |row: &[f64]| {
            let mean = row.iter().sum::<f64>() / d as f64;
            (row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d as f64 + config.eps).sqrt()
        };
        let row_of = |found: &Attribution, layer: usize, head: usize| {
            let rows = found.components.iter();
            let mut rows = rows.filter(|row| row.layer == Some(layer) && row.head == Some(head));
            rows.next().unwrap().fact.mean.unwrap()
        };
        let bias_of = |found: &Attribution| {
            let mut rows = found
                .components
                .iter()
                .filter(|row| row.kind == ComponentKind::Bias);
            rows.next().unwrap().fact.mean.unwrap()
        };
        let mut moved = 0.0;
        for layer in 0..config.n_layers {
            let block = checkpoint.block::<f64>(layer).unwrap();
            let (matrix, constant) = (block.out.matrix(), block.value_bias(config));
            for head in 0..config.n_heads {
                let mean = |subtract: bool| {
                    let parts = ends.iter().zip(&targets).map(|(&end, pair)| {
                        let vector = u(pair[0]);
                        let z = &found.blocks[layer].z[(end - 1) * d..end * d];
                        let product: f64 = (head * e..(head + 1) * e)
                            .map(|i| {
                                let z = z[i] - if subtract { constant[i] } else { 0.0 };
                                (0..d).map(|j| z * matrix[(i, j)] * vector[j]).sum::<f64>()
                            })
                            .sum();
                        product / scale(&found.resid[(end - 1) * d..end * d])
                    });
                    parts.sum::<f64>() / ends.len() as f64
                };
                assert!((row_of(&kept, layer, head) - mean(false)).abs() < 1e-11);
                assert!((row_of(&folded, layer, head) - mean(true)).abs() < 1e-11);
                moved += mean(false) - mean(true);
            }
        }
        assert!((bias_of(&folded) - bias_of(&kept) - moved).abs() < 1e-10);
        assert!(moved.abs() > 1e-3, "the constant would not show");
    }
}

/// One past the last row of every example.
fn ends(sequences: &Sequences) -> Vec<usize> {
    let mut at = 0;
    (0..sequences.len())
        .map(|i| {
            at += sequences.tokens(i).len();
            at
        })
        .collect()
}

fn last_rows(values: &[f64], d: usize) -> Vec<f64> {
    let ends = ends(&sequences());
    ends.iter()
        .flat_map(|&end| values[(end - 1) * d..end * d].to_vec())
        .collect()
}

fn lens(dump: &StreamDump, readout: &Readout, options: &LensOptions) -> Vec<LensRow> {
    logit_lens(dump, readout, options, &Silent).unwrap().rows
}

#[test]
fn the_last_lens_with_its_constant_is_the_centred_logit_and_both_scales_agree_there() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let (dump, readout) = dumped(folder.path(), &checkpoint, true);
        let found = run::<f64>(&checkpoint, &sequences(), None);
        let logits = logits(
            &checkpoint,
            &last_rows(&found.resid, checkpoint.config.width),
        );
        let targets = prompts(97).targets.unwrap();
        let wanted = |which: usize| {
            let rows = logits.chunks_exact(97).zip(&targets);
            let centred =
                rows.map(|(row, pair)| row[pair[which] as usize] - row.iter().sum::<f64>() / 97.0);
            centred.sum::<f64>() / targets.len() as f64
        };
        let mut lasts = Vec::new();
        for scale in [LensScale::Final, LensScale::Own] {
            let options = LensOptions {
                scale,
                with_bias: true,
                rank: true,
                top_k: 3,
                ..LensOptions::default()
            };
            let rows = lens(&dump, &readout, &options);
            let last = rows.last().unwrap().clone();
            assert!((last.fact.mean.unwrap() - wanted(0)).abs() < 1e-10);
            assert!((last.counterfactual.mean.unwrap() - wanted(1)).abs() < 1e-10);
            for row in &rows {
                let winners = row.winners.unwrap();
                assert!(
                    (winners.fact + winners.counterfactual + winners.other - 1.0).abs() < 1e-15
                );
                assert!(winners.fact <= row.fact_above.unwrap());
                assert_eq!(row.top.len(), 3);
            }
            let ranks = |which: usize| {
                let rows = logits.chunks_exact(97).zip(&targets);
                let above = rows.map(|(row, pair)| {
                    let own = row[pair[which] as usize];
                    row.iter().filter(|&&x| x > own).count() as f64
                });
                above.sum::<f64>() / targets.len() as f64
            };
            let winners = last.winners.unwrap();
            assert!((winners.rank_fact - ranks(0)).abs() < 1e-12);
            assert!((winners.rank_counterfactual - ranks(1)).abs() < 1e-12);
            lasts.push(last);
        }
        let apart = lasts[0].fact.mean.unwrap() - lasts[1].fact.mean.unwrap();
        assert!(apart.abs() < 1e-13);
    }
}

#[test]
fn every_stream_and_group_has_its_rows() {
    let checkpoint = gpt2();
    let folder = TempDir::new().unwrap();
    let (dump, readout) = dumped(folder.path(), &checkpoint, true);
    let classes = ["a", "b", "a", "", "b", "a"].map(str::to_owned);
    for stream in [
        LensStream::ResidPre,
        LensStream::ResidMid,
        LensStream::AttnOut,
        LensStream::MlpOut,
    ] {
        let options = LensOptions {
            stream,
            positions: Positions::Slots,
            groups: Some(Labels::from_values("kind", classes.clone())),
            ..LensOptions::default()
        };
        let rows = lens(&dump, &readout, &options);
        assert_eq!(rows.len(), 3 * 14 * 3);
        for slot in rows.chunks_exact(3) {
            let [all, a, b] = slot else {
                panic!("three groups")
            };
            let absent = matches!(all.position.as_str(), "subject_first" | "next" | "gap");
            assert!(!absent || (all.n == 0 && all.fact.mean.is_none() && all.reason.is_some()));
            assert!(
                all.n == 0 || (all.n, a.n, b.n) == (6, 3, 2),
                "{}",
                all.position
            );
        }
    }
}

#[test]
fn a_dump_of_the_last_position_alone_gives_the_same_lens() {
    let checkpoint = gpt2();
    let folder = TempDir::new().unwrap();
    let (whole, readout) = dumped(folder.path(), &checkpoint, true);
    let (last, _) = dumped(folder.path(), &checkpoint, false);
    let options = LensOptions::default();
    let pairs = lens(&whole, &readout, &options);
    for (a, b) in pairs.iter().zip(lens(&last, &readout, &options)) {
        assert_eq!(
            (a.fact, a.counterfactual, a.n),
            (b.fact, b.counterfactual, b.n)
        );
    }
}

#[test]
fn constants_change_no_lens_and_scale_changes_only_the_final_one() {
    let folder = TempDir::new().unwrap();
    let (n, d, v) = (4, 6, 5);
    let value = |seed: usize, i: usize| (((i * 37 + seed * 101) % 53) as f64 - 26.0) / 11.0;
    let noise =
        |seed: usize, count: usize| (0..count).map(|i| value(seed, i)).collect::<Vec<f64>>();
    let (first, last) = (noise(1, n * d), noise(2, n * d));
    let unembed = |name: &str, offset: f64| {
        let path = folder.path().join(name);
        let w: Vec<f64> = noise(3, d * v)
            .iter()
            .enumerate()
            .map(|(i, w)| w + offset * value(7, i / v))
            .collect();
        let gain = noise(4, d);
        write_tensors(
            &path,
            &[
                ("unembed.W_U", vec![d, v], w),
                ("ln_final.w", vec![d], gain),
                ("ln_final.b", vec![d], noise(5, d)),
            ],
            &[("fold_ln", "false"), ("eps", "1e-5")],
        );
        Readout::open(&path, true, None).unwrap()
    };
    let targets = folder.path().join("targets.csv");
    std::fs::write(&targets, "fact,counterfactual\n0,1\n1,2\n2,3\n3,4\n").unwrap();
    let dump = |name: &str, change: &dyn Fn(f64) -> f64| {
        let path = folder.path().join(name);
        let first = first.iter().map(|&x| change(x)).collect();
        write_tensors(
            &path,
            &[
                ("blocks.0.hook_resid_post", vec![n, d], first),
                ("blocks.1.hook_resid_post", vec![n, d], last.clone()),
            ],
            &[],
        );
        StreamDump::open(&path, None, Some(&targets)).unwrap()
    };
    let plain = unembed("u.safetensors", 0.0);
    let read = |dump: &StreamDump, readout: &Readout, scale: LensScale| {
        let options = LensOptions {
            scale,
            ..LensOptions::default()
        };
        lens(dump, readout, &options)[0].fact.mean.unwrap()
    };
    let base = dump("a.safetensors", &|x| x);
    for scale in [LensScale::Final, LensScale::Own] {
        let here = read(&base, &plain, scale);
        let moved = read(&dump("b.safetensors", &|x| x + 3.0), &plain, scale);
        assert!((moved - here).abs() < 1e-12, "a constant added to x");
        let shifted = read(&base, &unembed("w.safetensors", 2.5), scale);
        assert!(
            (shifted - here).abs() < 1e-12,
            "a constant added to a row of W_U"
        );
        let doubled = read(&dump("c.safetensors", &|x| 2.0 * x), &plain, scale);
        match scale {
            LensScale::Final => assert!((doubled - 2.0 * here).abs() < 1e-12),
            LensScale::Own => assert!((doubled - here).abs() < 1e-5),
        }
    }
}

#[test]
fn folded_whole_and_compact_unembeddings_read_the_same_lens() {
    let checkpoint = gpt2();
    let folder = TempDir::new().unwrap();
    let (dump, _) = dumped(folder.path(), &checkpoint, false);
    let (d, v) = (checkpoint.config.width, checkpoint.config.n_vocab);
    let norm = checkpoint.final_norm::<f64>().unwrap();
    let rows = f64::of_matrix(&checkpoint.unembedding().unwrap());
    let w = |i: usize, t: usize| rows[t * d + i];
    let b: Vec<f64> = (0..v).map(|t| (t % 7) as f64 / 5.0).collect();
    let columns = |tokens: &[usize], weight: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..d)
            .flat_map(|i| tokens.iter().map(move |&t| (i, t)))
            .map(|(i, t)| weight(i) * w(i, t))
            .collect()
    };
    let all: Vec<usize> = (0..v).collect();
    let mut some: Vec<usize> = prompts(97)
        .targets
        .unwrap()
        .iter()
        .flatten()
        .map(|&t| t as usize)
        .collect();
    some.sort_unstable();
    some.dedup();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / v as f64;
    let through_bias = |t: usize| (0..d).map(|i| norm.bias[i] * w(i, t)).sum::<f64>() + b[t];
    let norms = [
        ("ln_final.w", vec![d], norm.gain.clone()),
        ("ln_final.b", vec![d], norm.bias.clone()),
    ];
    let files = [
        (
            vec![
                ("unembed.W_U", vec![d, v], columns(&all, &|_| 1.0)),
                ("unembed.b_U", vec![v], b.clone()),
                norms[0].clone(),
                norms[1].clone(),
            ],
            "false",
        ),
        (
            vec![
                ("unembed.W_U", vec![d, v], columns(&all, &|i| norm.gain[i])),
                (
                    "unembed.b_U",
                    vec![v],
                    all.iter().map(|&t| through_bias(t)).collect(),
                ),
            ],
            "true",
        ),
        (
            vec![
                (
                    "target_ids",
                    vec![some.len()],
                    some.iter().map(|&t| t as f64).collect(),
                ),
                ("W_U_targets", vec![d, some.len()], columns(&some, &|_| 1.0)),
                (
                    "W_U_mean",
                    vec![d],
                    (0..d)
                        .map(|i| mean(&mut all.iter().map(|&t| w(i, t))))
                        .collect(),
                ),
                (
                    "b_U_targets",
                    vec![some.len()],
                    some.iter().map(|&t| b[t]).collect(),
                ),
                ("b_U_mean", vec![1], vec![mean(&mut b.iter().copied())]),
                norms[0].clone(),
                norms[1].clone(),
            ],
            "false",
        ),
    ];
    let options = LensOptions {
        with_bias: true,
        ..LensOptions::default()
    };
    let read: Vec<Vec<LensRow>> = files
        .iter()
        .enumerate()
        .map(|(at, (tensors, folded))| {
            // In a folder of its own: a config.json beside it would be preferred.
            let own = folder.path().join(at.to_string());
            std::fs::create_dir(&own).unwrap();
            let path = own.join("unembed.safetensors");
            write_tensors(
                &path,
                tensors,
                &[
                    ("fold_ln", folded),
                    ("eps", "1e-5"),
                    ("normalization_type", "LN"),
                ],
            );
            lens(&dump, &Readout::open(&path, true, None).unwrap(), &options)
        })
        .collect();
    for other in &read[1..] {
        for (a, b) in read[0].iter().zip(other) {
            let apart = a.counterfactual.mean.unwrap() - b.counterfactual.mean.unwrap();
            assert!(apart.abs() < 1e-12, "{}: {apart}", a.layer);
        }
    }
    // And against the whole vocabulary: the last block gives the centred logit.
    let found = run::<f64>(&checkpoint, &sequences(), None);
    let logits = logits(&checkpoint, &last_rows(&found.resid, d));
    let targets = prompts(97).targets.unwrap();
    let wanted: f64 = logits
        .chunks_exact(v)
        .zip(&targets)
        .map(|(row, pair)| {
            let t = pair[0] as usize;
            row[t] + b[t] - mean(&mut row.iter().zip(&b).map(|(x, b)| x + b))
        })
        .sum();
    let last = read[0].last().unwrap().fact.mean.unwrap();
    assert!((last - wanted / targets.len() as f64).abs() < 1e-11);
}

#[test]
fn rows_of_attention_sum_to_one_and_the_ranking_is_theirs() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let (dump, _) = dumped(folder.path(), &checkpoint, true);
        let found = run::<f64>(&checkpoint, &sequences(), None);
        for block in &found.blocks {
            let mut rest = block.pattern.as_slice();
            for i in 0..sequences().len() {
                let t = sequences().tokens(i).len();
                let (own, others) = rest.split_at(checkpoint.config.n_heads * t * t);
                rest = others;
                for (at, row) in own.chunks_exact(t).enumerate() {
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-14);
                    assert!(
                        row[at % t + 1..]
                            .iter()
                            .all(|&future| future.abs() < 1e-300)
                    );
                }
            }
        }
        let patterns = head_pattern(&dump, &PatternOptions::default(), &Silent).unwrap();
        assert_eq!(patterns.ranking.len(), 12);
        assert!(
            patterns
                .ranking
                .windows(2)
                .all(|pair| pair[0].attention >= pair[1].attention)
        );
        let (last_dump, _) = dumped(folder.path(), &checkpoint, false);
        let last = head_pattern(&last_dump, &PatternOptions::default(), &Silent).unwrap();
        assert_eq!(last.ranking, patterns.ranking);
    }
}

#[test]
fn a_factor_of_one_changes_no_bit() {
    for (_folder, checkpoint) in models() {
        let plain = run::<f32>(&checkpoint, &sequences(), None);
        for mode in [EditMode::Post, EditMode::Pre, EditMode::Renorm] {
            let edit = edit(&[(0, 1), (2, 3)], 1.0, mode, ValueBias::Fold);
            let found = run::<f32>(&checkpoint, &sequences(), Some(&edit));
            assert_eq!(found.resid, plain.resid);
        }
    }
}

#[test]
fn edited_rows_are_what_their_mode_says() {
    for (_folder, checkpoint) in models() {
        let plain = run::<f64>(&checkpoint, &sequences(), None);
        let (layer, head) = (1, 2);
        for alpha in [0.0, 0.5, 3.0] {
            for mode in [EditMode::Post, EditMode::Pre, EditMode::Renorm] {
                let edit = edit(&[(layer, head)], alpha, mode, ValueBias::Keep);
                let found = run::<f64>(&checkpoint, &sequences(), Some(&edit));
                let rows = last_pattern_rows(&checkpoint, &plain, layer, head);
                let edited = last_pattern_rows(&checkpoint, &found, layer, head);
                for (i, (row, new)) in rows.iter().zip(&edited).enumerate() {
                    let key = edit.keys[i].start;
                    let a = row[key];
                    let sum: f64 = new.iter().sum();
                    let wanted: Vec<f64> = match mode {
                        EditMode::Post => {
                            assert!((sum - (1.0 + (alpha - 1.0) * a)).abs() < 1e-13);
                            scaled(row, key, alpha)
                        }
                        // Renormalised: additive ln α on the score, αA/(1 + (α − 1)A).
                        EditMode::Renorm => scaled(row, key, alpha)
                            .iter()
                            .map(|w| w / (1.0 + (alpha - 1.0) * a))
                            .collect(),
                        // A' ∝ A e^((α−1)S); the score up to a constant is not known, so the
                        // others keep their proportions.
                        EditMode::Pre => {
                            let rest = (1.0 - new[key]) / (1.0 - a);
                            row.iter()
                                .enumerate()
                                .map(|(j, w)| if j == key { new[j] } else { w * rest })
                                .collect()
                        }
                    };
                    assert!(distance(new, &wanted) < 1e-12, "{mode:?} {alpha}");
                    if mode != EditMode::Post {
                        assert!((sum - 1.0).abs() < 1e-13);
                    }
                }
            }
        }
    }
}

fn scaled(row: &[f64], key: usize, alpha: f64) -> Vec<f64> {
    row.iter()
        .enumerate()
        .map(|(j, w)| if j == key { alpha * w } else { *w })
        .collect()
}

/// The last query's weights of one head in every example.
fn last_pattern_rows(
    checkpoint: &Checkpoint,
    found: &Run<f64>,
    layer: usize,
    head: usize,
) -> Vec<Vec<f64>> {
    let mut rest = found.blocks[layer].pattern.as_slice();
    (0..sequences().len())
        .map(|i| {
            let t = sequences().tokens(i).len();
            let (own, others) = rest.split_at(checkpoint.config.n_heads * t * t);
            rest = others;
            own[head * t * t + (t - 1) * t..(head + 1) * t * t].to_vec()
        })
        .collect()
}

#[test]
fn scores_scaled_before_the_softmax_follow_their_closed_form() {
    let checkpoint = gpt2();
    let (layer, head, alpha) = (0, 1, 3.0);
    let plain = run::<f64>(&checkpoint, &sequences(), None);
    let edit = edit(&[(layer, head)], alpha, EditMode::Pre, ValueBias::Fold);
    let found = run::<f64>(&checkpoint, &sequences(), Some(&edit));
    let config = &checkpoint.config;
    let (d, e) = (config.width, config.head_width);
    let before = last_pattern_rows(&checkpoint, &plain, layer, head);
    let after = last_pattern_rows(&checkpoint, &found, layer, head);
    for (i, end) in ends(&sequences()).into_iter().enumerate() {
        let start = end - sequences().tokens(i).len();
        let key = edit.keys[i].start;
        let qkv = |row: usize, part: usize| {
            let at = row * 3 * d + part * d + head * e;
            &plain.blocks[layer].qkv[at..at + e]
        };
        let score: f64 = qkv(end - 1, 0)
            .iter()
            .zip(qkv(start + key, 1))
            .map(|(q, k)| q * k)
            .sum::<f64>()
            * config.score_scale(layer);
        let raised = before[i][key] * ((alpha - 1.0) * score).exp();
        let wanted = raised / (1.0 - before[i][key] + raised);
        assert!((after[i][key] - wanted).abs() < 1e-13);
    }
}

#[test]
fn an_edit_leaves_earlier_layers_and_earlier_positions_alone_to_the_bit() {
    for (_folder, checkpoint) in models() {
        let d = checkpoint.config.width;
        let plain = run::<f32>(&checkpoint, &sequences(), None);
        let edit = edit(&[(1, 0), (1, 3)], 7.0, EditMode::Post, ValueBias::Fold);
        let found = run::<f32>(&checkpoint, &sequences(), Some(&edit));
        assert_eq!(found.blocks[1].resid_pre, plain.blocks[1].resid_pre);
        let ends = ends(&sequences());
        let rows = found.resid.chunks_exact(d).zip(plain.resid.chunks_exact(d));
        for (row, (a, b)) in rows.enumerate() {
            assert_eq!(a == b, !ends.contains(&(row + 1)), "row {row}");
        }
    }
}

#[test]
fn the_first_edited_block_moves_by_the_scaled_value_and_the_bias_says_which() {
    for (_folder, checkpoint) in models() {
        let config = &checkpoint.config;
        let (d, e) = (config.width, config.head_width);
        let (layer, head, alpha) = (config.n_layers - 1, 1, 4.0);
        let plain = run::<f64>(&checkpoint, &sequences(), None);
        let block = checkpoint.block::<f64>(layer).unwrap();
        let (matrix, constant) = (block.out.matrix(), block.value_bias(config));
        let rows = last_pattern_rows(&checkpoint, &plain, layer, head);
        for value_bias in [ValueBias::Keep, ValueBias::Fold] {
            let edit = edit(&[(layer, head)], alpha, EditMode::Post, value_bias);
            let found = run::<f64>(&checkpoint, &sequences(), Some(&edit));
            for (i, end) in ends(&sequences()).into_iter().enumerate() {
                let start = end - sequences().tokens(i).len();
                let key = edit.keys[i].start;
                let at = (start + key) * 3 * d + value_start(&checkpoint, head);
                let value = &plain.blocks[layer].qkv[at..at + e];
                for j in 0..d {
                    let wanted: f64 = (0..e)
                        .map(|k| {
                            let bias = match value_bias {
                                ValueBias::Fold => constant[head * e + k],
                                ValueBias::Keep => 0.0,
                            };
                            (alpha - 1.0)
                                * rows[i][key]
                                * (value[k] - bias)
                                * matrix[(head * e + k, j)]
                        })
                        .sum();
                    let place = (end - 1) * d + j;
                    let moved =
                        found.blocks[layer].attn_out[place] - plain.blocks[layer].attn_out[place];
                    assert!((moved - wanted).abs() < 1e-12);
                }
            }
        }
        // Rows that still sum to 1 do not care where the constant is.
        for mode in [EditMode::Pre, EditMode::Renorm] {
            let [a, b] = [ValueBias::Keep, ValueBias::Fold].map(|value_bias| {
                run::<f64>(
                    &checkpoint,
                    &sequences(),
                    Some(&edit(&[(layer, head)], alpha, mode, value_bias)),
                )
                .resid
            });
            assert_eq!(a, b);
        }
    }
}

fn value_start(checkpoint: &Checkpoint, head: usize) -> usize {
    let (d, e) = (checkpoint.config.width, checkpoint.config.head_width);
    match checkpoint.config.rotary {
        None => 2 * d + head * e,
        Some(_) => (3 * head + 2) * e,
    }
}

#[test]
fn replaying_the_last_position_is_the_full_pass() {
    for (_folder, checkpoint) in models() {
        let config = &checkpoint.config;
        for first_layer in 0..config.n_layers {
            let mut last = Vec::new();
            let pass = Pass {
                checkpoint: &checkpoint,
                patterns: PatternRows::None,
                edit: None,
            };
            pass.run::<f64>(&sequences(), config.n_layers, |layer, chunks| {
                if layer.is_some_and(|layer| layer >= first_layer) {
                    for (last, chunk) in last.iter_mut().zip(chunks.iter()) {
                        LastPosition::keep(last, &chunk.streams, config);
                    }
                }
                if layer.map_or(0, |layer| layer + 1) == first_layer {
                    last = chunks
                        .iter()
                        .map(|chunk| LastPosition::before(chunk, config))
                        .collect();
                }
                Ok(())
            })
            .unwrap();
            let blocks: Vec<_> = (first_layer..config.n_layers)
                .map(|layer| checkpoint.block::<f64>(layer).unwrap())
                .collect();
            for mode in [EditMode::Post, EditMode::Pre, EditMode::Renorm] {
                for alpha in [0.0, 1.0, 5.0] {
                    let heads = [(first_layer, 0), (config.n_layers - 1, 2)];
                    let edit = edit(&heads, alpha, mode, ValueBias::Fold);
                    let replayed = replay(
                        config,
                        &blocks,
                        first_layer,
                        &last,
                        Change::Attention(&edit),
                    );
                    let full = run::<f64>(&checkpoint, &sequences(), Some(&edit));
                    let error = distance(&replayed, &last_rows(&full.resid, config.width));
                    assert!(error < 1e-13, "{mode:?} {alpha}: {error}");
                }
            }
        }
    }
}

#[test]
fn padding_on_the_right_is_harmless() {
    let (_folder, checkpoint) = neox("serial_0.5", false);
    let d = checkpoint.config.width;
    let together = run::<f64>(&checkpoint, &sequences(), None);
    let mut at = 0;
    for i in 0..sequences().len() {
        let alone = Sequences::new([sequences().tokens(i)]);
        let found = run::<f64>(&checkpoint, &alone, None);
        let rows = &together.resid[at..at + found.resid.len()];
        assert!(distance(rows, &found.resid) < 1e-14);
        at += sequences().tokens(i).len() * d;
    }
}

#[test]
fn a_stream_that_went_through_the_final_norm_is_recognised() {
    let checkpoint = gpt2();
    let folder = TempDir::new().unwrap();
    let found = run::<f64>(&checkpoint, &sequences(), None);
    let (d, last) = (
        checkpoint.config.width,
        last_rows(&found.resid, checkpoint.config.width),
    );
    let normed = checkpoint
        .final_norm::<f64>()
        .unwrap()
        .apply(&last, checkpoint.config.eps);
    let path = folder.path().join("acts.safetensors");
    let write = |values: Vec<f64>| {
        let shape = vec![6, d];
        let blocks: Vec<(String, Vec<f64>)> = (0..3)
            .map(|layer| (format!("blocks.{layer}.hook_resid_post"), values.clone()))
            .collect();
        let tensors: Vec<(&str, Vec<usize>, Vec<f64>)> = blocks
            .iter()
            .map(|(name, values)| (name.as_str(), shape.clone(), values.clone()))
            .collect();
        write_tensors(&path, &tensors, &[]);
        let mut dump = StreamDump::open(&path, None, None).unwrap();
        dump.prompts = Prompts {
            targets: prompts(97).targets,
            ..Prompts::default()
        };
        dump
    };
    let readout = Readout::of_checkpoint(checkpoint.clone(), true).unwrap();
    assert!(logit_lens(&write(last), &readout, &LensOptions::default(), &Silent).is_ok());
    for scale in [LensScale::Final, LensScale::Own] {
        let options = LensOptions {
            scale,
            ..LensOptions::default()
        };
        let refused = logit_lens(&write(normed.clone()), &readout, &options, &Silent).unwrap_err();
        assert!(
            refused.to_string().contains("hidden_states[-1]"),
            "{refused}"
        );
    }
}

#[test]
fn what_a_dump_holds_is_what_the_pass_gave() {
    for (_folder, checkpoint) in models() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("acts.safetensors");
        let path = write_dump::<f64>(file, &checkpoint, &prompts(97), &EVERYTHING, true);
        let tensors = Tensors::open(&path).unwrap();
        let found = run::<f64>(&checkpoint, &sequences(), None);
        let d = checkpoint.config.width;
        let stored = super::fixture::values(&tensors, "blocks.2.hook_mlp_out");
        let mut at = 0;
        for i in 0..sequences().len() {
            let rows = sequences().tokens(i).len() * d;
            let first = i * 9 * d;
            assert_eq!(
                &stored[first..first + rows],
                &found.blocks[2].mlp_out[at..at + rows]
            );
            assert!(
                stored[first + rows..first + 9 * d]
                    .iter()
                    .all(|x| x.abs() < 1e-300)
            );
            at += rows;
        }
        let dump = StreamDump::open(&path, None, None).unwrap();
        assert_eq!(dump.prompts.slots, prompts(97).slots);
        assert_eq!(dump.prompts.targets, prompts(97).targets);
        assert_eq!(dump.prompts.attribute, prompts(97).attribute);
        assert_eq!(dump.prompts.sequences, prompts(97).sequences);
    }
}
