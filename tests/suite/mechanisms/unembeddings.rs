//! What must hold of the final norm and the unembedding, however they are stored.

use repgeo::mechanisms::lens::{LensOptions, LensRow, LensScale, logit_lens};
use repgeo::mechanisms::model::Real;
use repgeo::mechanisms::{Prompts, Readout, StreamDump};
use repgeo::progress::Silent;
use tempfile::TempDir;

use super::dumps::{prompts, write_tensors};
use super::fixture::{gpt2, logits, run};
use super::identities::{dumped, last_rows, sequences};
use super::lenses::lens;

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
