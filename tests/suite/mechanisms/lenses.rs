//! What must hold of the logit lens and of attributions whatever the weights are.

use repgeo::input::Labels;
use repgeo::mechanisms::attribution::{
    Attribution, AttributionOptions, ComponentKind, Parts, attribution,
};
use repgeo::mechanisms::lens::{LensOptions, LensRow, LensScale, LensStream, logit_lens};
use repgeo::mechanisms::model::{Real, ValueBias};
use repgeo::mechanisms::{Positions, Readout, StreamDump};
use repgeo::progress::Silent;
use tempfile::TempDir;

use super::dumps::{prompts, write_tensors};
use super::fixture::{gpt2, logits, run};
use super::identities::{dumped, ends, last_rows, models, sequences};

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

pub(super) fn lens(dump: &StreamDump, readout: &Readout, options: &LensOptions) -> Vec<LensRow> {
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
