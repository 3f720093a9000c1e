//! Whatever the header of an unembedding's file, its tensors or a configuration say: logits by that
//! rule, or a refusal that names it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use repgeo::mechanisms::attribution::{Attribution, AttributionOptions, attribution};
use repgeo::mechanisms::lens::{LensOptions, LogitLens, logit_lens};
use repgeo::mechanisms::model::Checkpoint;
use repgeo::mechanisms::{Readout, StreamDump};
use repgeo::progress::Silent;
use repgeo::warning::WarningCode;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

use super::dumps::write_tensors;
use super::fixture;

const N: usize = 4;
const D: usize = 6;
const V: usize = 5;

fn noise(seed: usize, count: usize) -> Vec<f64> {
    let value = |i: usize| (((i * 37 + seed * 101) % 53) as f64 - 26.0) / 11.0;
    (0..count).map(value).collect()
}

/// What an RMSNorm model of one block computes, with the gain in its norm.
fn logits(gain: &[f64], cap: Option<f64>) -> Vec<f64> {
    let rows = resid_post();
    let columns = noise(3, D * V);
    let of_row = |row: &[f64]| -> Vec<f64> {
        let scale = (row.iter().map(|x| x * x).sum::<f64>() / D as f64 + 1e-6).sqrt();
        let z = |t: usize| -> f64 {
            let products = (0..D).map(|i| row[i] / scale * gain[i] * columns[i * V + t]);
            products.sum()
        };
        let capped = |z: f64| cap.map_or(z, |cap| cap * (z / cap).tanh());
        (0..V).map(|t| capped(z(t))).collect()
    };
    rows.chunks_exact(D).flat_map(of_row).collect()
}

fn resid_post() -> Vec<f64> {
    let parts = [noise(1, N * D), noise(2, N * D), noise(6, N * D)];
    (0..N * D)
        .map(|i| parts.iter().map(|part| part[i]).sum())
        .collect()
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let targets = "fact,counterfactual\n0,1\n1,2\n2,3\n3,4\n";
        fs::write(folder.path().join("targets.csv"), targets).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dump(&self, logits: Vec<f64>) -> StreamDump {
        let path = self.path("acts.safetensors");
        let streams = [
            ("blocks.0.hook_resid_pre", vec![N, D], noise(1, N * D)),
            ("blocks.0.hook_attn_out", vec![N, D], noise(2, N * D)),
            ("blocks.0.hook_mlp_out", vec![N, D], noise(6, N * D)),
            ("blocks.0.hook_resid_post", vec![N, D], resid_post()),
            ("logits_last", vec![N, V], logits),
        ];
        write_tensors(&path, &streams, &[]);
        StreamDump::open(&path, None, Some(&self.path("targets.csv"))).unwrap()
    }

    /// An unembedding of the model above, whose header says more.
    fn unembed(&self, gain: Vec<f64>, more: &[(&str, &str)]) -> PathBuf {
        let path = self.path("unembed.safetensors");
        let mut said = vec![("fold_ln", "false"), ("normalization_type", "RMS")];
        if !more.iter().any(|(key, _)| key.contains("eps")) {
            said.push(("eps", "1e-6"));
        }
        said.retain(|(key, _)| !more.iter().any(|(other, _)| other == key));
        said.extend(more);
        let tensors = [
            ("unembed.W_U", vec![D, V], noise(3, D * V)),
            ("ln_final.w", vec![D], gain),
        ];
        write_tensors(&path, &tensors, &said);
        path
    }

    fn lens(&self, unembed: &Path) -> LogitLens {
        let readout = Readout::open(unembed, true, None).unwrap();
        logit_lens(
            &self.dump(vec![0.0; N * V]),
            &readout,
            &LensOptions::default(),
            &Silent,
        )
        .unwrap()
    }
}

fn refused(path: &Path) -> String {
    Readout::open(path, true, None).unwrap_err().to_string()
}

fn codes(lens: &LogitLens) -> Vec<WarningCode> {
    lens.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn what_is_modelled_is_computed_by_its_rule() {
    let files = Files::new();
    let gain = noise(4, D);
    let plain = files.lens(&files.unembed(gain.clone(), &[]));
    assert_eq!(codes(&plain), []);
    // The lens of the last block is the logit less its mean over the vocabulary.
    let wanted: f64 = logits(&gain, None)
        .chunks_exact(V)
        .enumerate()
        .map(|(t, row)| row[t] - row.iter().sum::<f64>() / V as f64)
        .sum();
    let found = plain.rows[0].fact.mean.unwrap();
    assert!((found - wanted / N as f64).abs() < 1e-12);

    let less_one: Vec<f64> = gain.iter().map(|w| w - 1.0).collect();
    for (gain, said, warned) in [
        (&gain, &[("rms_norm_eps", "1e-6")][..], &[][..]),
        (&gain, &[("eps", "1e-6"), ("rms_norm_eps", "1e-06")], &[]),
        (&gain, &[("model_type", "llama"), ("format", "pt")], &[]),
        (
            &gain,
            &[("final_rms", "True"), ("normalization_type", "LN")],
            &[],
        ),
        (
            &gain,
            &[
                ("output_logits_soft_cap", "-1.0"),
                ("attn_scores_soft_cap", "50.0"),
            ],
            &[],
        ),
        (
            &gain,
            &[
                ("final_logit_softcapping", "None"),
                ("quantization_config", "null"),
            ],
            &[],
        ),
        (
            &gain,
            &[("logit_scale", "1.0"), ("lm_head_bias", "False")],
            &[],
        ),
        (
            &gain,
            &[("embed_scale", "2449.5"), ("rope_scaling", "{'factor': 8}")],
            &[],
        ),
        (&gain, &[("model_type", "gemma"), ("norm_offset", "0")], &[]),
        (
            &less_one,
            &[("model_type", "gemma3_text"), ("norm_offset", "1")],
            &[],
        ),
        (
            &gain,
            &[("final_logit_softcapping", "30.0")],
            &[WarningCode::LogitsBeforeCap],
        ),
        (
            &gain,
            &[("model_type", "gemma2"), ("norm_offset", "0")],
            &[WarningCode::LogitsBeforeCap],
        ),
        (
            &gain,
            &[("tanh_after", "5")],
            &[WarningCode::MetadataUnread],
        ),
    ] {
        let lens = files.lens(&files.unembed(gain.clone(), said));
        assert_eq!(codes(&lens), warned, "{said:?}");
        let (found, wanted) = (&lens.rows[0], &plain.rows[0]);
        let apart = found.delta.mean.unwrap() - wanted.delta.mean.unwrap();
        assert!(apart.abs() < 1e-12, "{said:?}: {apart}");
    }
    let unread = files.lens(&files.unembed(gain, &[("tanh_after", "5")]));
    assert!(unread.warnings[0].message.contains("tanh_after"));
}

#[test]
fn capped_logits_of_a_dump_are_compared_before_the_cap() {
    let files = Files::new();
    let gain = noise(4, D);
    let capped = logits(&gain, Some(3.0));
    let check = |said: &[(&str, &str)], logits: Vec<f64>| -> repgeo::Result<Attribution> {
        let readout = Readout::open(&files.unembed(gain.clone(), said), true, None).unwrap();
        let options = AttributionOptions {
            check: true,
            ..AttributionOptions::default()
        };
        attribution(&files.dump(logits), &readout, &options, &Silent)
    };
    let cap = [("final_logit_softcapping", "3")];
    let apart = |said: &[(&str, &str)]| {
        let found = check(said, capped.clone()).unwrap();
        found.check.unwrap().logits.unwrap()
    };
    assert!(apart(&cap) < 1e-12, "{}", apart(&cap));
    assert!(apart(&[]) > 0.1);
    let refused = check(&cap, vec![3.0; N * V]).unwrap_err().to_string();
    assert!(refused.contains("the cap 3"), "{refused}");
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    let files = Files::new();
    for (said, words) in [
        (
            &[("logit_scale", "0.0625")][..],
            &["logit_scale", "W_U"][..],
        ),
        (&[("logits_scaling", "16")], &["logits_scaling"]),
        (&[("lm_head_multiplier", "0.04")], &["lm_head_multiplier"]),
        (
            &[("output_multiplier_scale", "0.57")],
            &["output_multiplier_scale"],
        ),
        (
            &[("temperature_of_logits", "2")],
            &["temperature_of_logits"],
        ),
        (&[("logit_cap", "30")], &["logit_cap"]),
        (&[("norm_type", "gemma")], &["norm_type"]),
        (&[("zero_centered_gamma", "true")], &["zero_centered_gamma"]),
        (&[("quantization", "int8")], &["quantization", "int8"]),
        (&[("load_in_4bit", "True")], &["load_in_4bit"]),
        (&[("lm_head_bias", "true")], &["lm_head_bias"]),
        (&[("model_type", "cohere2")], &["cohere2", "multiplied"]),
        (&[("architectures", "GraniteForCausalLM")], &["granite"]),
        (&[("model_type", "gemma2")], &["1 + w", "norm_offset"]),
        (
            &[("original_architecture", "Gemma2ForCausalLM")],
            &["1 + w"],
        ),
        (&[("norm_offset", "one")], &["norm_offset", "one"]),
        (
            &[("final_logit_softcapping", "nan")],
            &["final_logit_softcapping", "nan"],
        ),
        (
            &[("final_logit_softcapping", "30"), ("logits_soft_cap", "50")],
            &["final_logit_softcapping 30", "logits_soft_cap 50"],
        ),
        (
            &[("eps", "1e-5"), ("rms_norm_eps", "1e-6")],
            &["rms_norm_eps"],
        ),
        (&[("eps", "nan")], &["eps"]),
        (&[("eps", "-1e-5")], &["eps is -0.00001"]),
        (&[("fold_ln", "maybe")], &["fold_ln", "maybe"]),
        (&[("normalization_type", "RMSPre")], &["RMSPre", "fold_ln"]),
        (&[("normalization_type", "T5")], &["T5"]),
    ] {
        let message = refused(&files.unembed(noise(4, D), said));
        assert!(message.contains("unembed.safetensors"), "{message}");
        for word in words {
            assert!(message.contains(word), "{said:?}: {message}");
        }
    }
}

/// Tensors of any type.
fn write_typed(path: &Path, tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
        (*name, view)
    });
    let said = [("fold_ln", "false"), ("normalization_type", "RMS")];
    let said: HashMap<String, String> = said
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    safetensors::serialize_to_file(views, Some(said), path).unwrap();
}

#[test]
fn tensors_beside_the_unembedding_are_never_left_out_in_silence() {
    let files = Files::new();
    let path = files.path("unembed.safetensors");
    let f32s = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|i| (i as f32 / 7.0 + 0.1).to_le_bytes())
            .collect()
    };
    let gain = ("ln_final.w", Dtype::F32, vec![D], f32s(D));
    let columns = ("unembed.W_U", Dtype::F32, vec![D, V], f32s(D * V));
    let eight = |dtype| ("unembed.W_U", dtype, vec![D, V], vec![0x38; D * V]);
    for (more, word) in [
        (
            vec![
                columns.clone(),
                ("unembed.bias", Dtype::F32, vec![V], f32s(V)),
            ],
            "unembed.bias",
        ),
        (
            vec![
                columns.clone(),
                ("lm_head.bias", Dtype::F32, vec![V], f32s(V)),
            ],
            "lm_head.bias",
        ),
        (
            vec![
                columns.clone(),
                ("ln_final.bias", Dtype::F32, vec![D], f32s(D)),
            ],
            "ln_final.bias",
        ),
        (
            vec![
                columns.clone(),
                ("project_out.weight", Dtype::F32, vec![D, D], f32s(D * D)),
            ],
            "project_out",
        ),
        (vec![eight(Dtype::I8)], "quantised"),
        (
            vec![
                eight(Dtype::U8),
                ("unembed.W_U.absmax", Dtype::F32, vec![1], f32s(1)),
            ],
            "quantised",
        ),
        (
            vec![
                eight(Dtype::F8_E4M3),
                ("unembed.W_U_scale_inv", Dtype::F32, vec![1], f32s(1)),
            ],
            "quantised",
        ),
    ] {
        let tensors = [more, vec![gain.clone()]].concat();
        write_typed(&path, &tensors);
        let message = refused(&path);
        assert!(message.contains(word), "{word}: {message}");
    }
    // Eight bits without a scale are the numbers that they are, and the rest of a model is no part.
    let embedding = ("embed.W_E", Dtype::F32, vec![V, D], f32s(V * D));
    write_typed(&path, &[eight(Dtype::F8_E4M3), gain.clone(), embedding]);
    assert!(Readout::open(&path, true, None).is_ok());

    // Columns of the targets alone.
    let compact = |ids: [i32; 2], bias: bool| {
        let ids: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let mut tensors = vec![
            ("W_U_targets", Dtype::F32, vec![D, 2], f32s(2 * D)),
            ("W_U_mean", Dtype::F32, vec![D], f32s(D)),
            ("target_ids", Dtype::I32, vec![2], ids),
            gain.clone(),
        ];
        if bias {
            tensors.push(("b_U_targets", Dtype::F32, vec![2], f32s(2)));
        }
        write_typed(&path, &tensors);
    };
    compact([0, 1], false);
    assert!(Readout::open(&path, true, None).is_ok());
    compact([0, 0], false);
    assert!(refused(&path).contains("token 0 stands twice"));
    compact([0, -100], false);
    assert!(refused(&path).contains("token -100"));
    compact([0, 1], true);
    assert!(refused(&path).contains("b_U_mean"));
    assert!(Readout::open(&path, false, None).is_ok());
}

#[test]
fn a_file_beside_a_configuration_is_read_itself() {
    let files = Files::new();
    let alone = files.lens(&files.unembed(noise(4, D), &[]));
    fs::write(files.path("config.json"), r#"{"model_type": "llama"}"#).unwrap();
    let beside = files.lens(&files.path("unembed.safetensors"));
    assert_eq!(alone.rows[0].fact, beside.rows[0].fact);
    assert!(refused(files.folder.path()).contains("llama"));
}

#[test]
fn an_unembedding_that_is_tied_and_stored_must_be_the_embedding() {
    let folder = TempDir::new().unwrap();
    let source = fixture::path("gpt2");
    fs::copy(
        source.join("config.json"),
        folder.path().join("config.json"),
    )
    .unwrap();
    let checkpoint = Checkpoint::open(&source).unwrap();
    let (v, d) = (checkpoint.config.n_vocab, checkpoint.config.width);
    let embedding = checkpoint.embedding().unwrap();
    let mut rows = vec![0.0; v * d];
    for (t, row) in rows.chunks_exact_mut(d).enumerate() {
        embedding.widen_row(t, row);
    }
    let write = |head: &[f64], bias: bool| {
        let mut tensors = vec![
            ("transformer.wte.weight", vec![v, d], rows.clone()),
            ("transformer.ln_f.weight", vec![d], vec![1.0; d]),
            ("transformer.ln_f.bias", vec![d], vec![0.0; d]),
            ("lm_head.weight", vec![v, d], head.to_vec()),
        ];
        if bias {
            tensors.push(("lm_head.bias", vec![v], vec![1.0; v]));
        }
        write_tensors(&folder.path().join("model.safetensors"), &tensors, &[]);
    };
    write(&rows, false);
    assert!(Readout::open(folder.path(), true, None).is_ok());
    write(&rows, true);
    assert!(refused(folder.path()).contains("lm_head.bias"));
    let mut other = rows.clone();
    other[3] += 1.0;
    write(&other, false);
    let message = refused(folder.path());
    assert!(message.contains("tie_word_embeddings"), "{message}");
}
