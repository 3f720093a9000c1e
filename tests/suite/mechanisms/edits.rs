//! What must hold of edited passes whatever the weights are.

use repgeo::mechanisms::model::{
    Change, Checkpoint, Edit, EditMode, Head, LastPosition, Pass, PatternRows, ValueBias, replay,
};

use super::dumps::prompts;
use super::fixture::{Run, distance, gpt2, run};
use super::identities::{ends, last_rows, models, sequences};

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
                at_once: 1,
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
