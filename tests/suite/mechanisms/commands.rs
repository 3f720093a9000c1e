//! The commands as a user meets them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::fixture;
use crate::common::schema::faults;
use crate::common::{path as text, stdout};

pub(super) struct Tiny {
    pub(super) folder: TempDir,
    pub(super) model: PathBuf,
    pub(super) prompts: PathBuf,
}

impl Tiny {
    pub(super) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            model: fixture::path("gpt2_tiny"),
            prompts: fixture::path("gpt2_tiny/prompts.safetensors"),
        }
    }

    /// Streams of the trained model.
    pub(super) fn forward(&self, name: &str, flags: &[&str]) -> String {
        let out = text(&self.folder.path().join(name)).to_owned();
        let start = [
            "forward",
            text(&self.model),
            "--tokens",
            text(&self.prompts),
            "-o",
            &out,
        ];
        stdout(&[&start[..], flags].concat());
        out
    }

    pub(super) fn all(&self) -> String {
        let names = "embed,pos-embed,resid-pre,resid-mid,resid-post,attn-out,mlp-out,z,pattern,k,v,scale,logits";
        self.forward("all.safetensors", &["--dump", names, "--positions", "all"])
    }
}

fn csv(args: &[&str], quantity: &str, other: &str) -> Vec<f64> {
    let table = stdout(&[args, &["--format", "csv"]].concat());
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    reader
        .records()
        .map(Result::unwrap)
        .filter(|row| &row[4] == quantity && &row[3] == other)
        .map(|row| row[7].parse().unwrap())
        .collect()
}

fn reference() -> Value {
    let file = fixture::path("gpt2_tiny/reference.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn every_report_fits_the_schema_and_does_not_depend_on_threads() {
    let tiny = Tiny::new();
    let all = tiny.all();
    let (model, prompts) = (text(&tiny.model), text(&tiny.prompts));
    let group = format!("{prompts}#group");
    let out = text(&tiny.folder.path().join("again.safetensors")).to_owned();
    let edit = ["attention-modify", model, "--heads", "1.3,L1H2"];
    let commands: Vec<Vec<&str>> = vec![
        vec!["logit-lens", &all, "--unembed", model],
        vec![
            "logit-lens",
            &all,
            "--unembed",
            model,
            "--rank",
            "--topk",
            "3",
            "--scale",
            "own",
            "--with-bias",
            "--positions",
            "all",
            "--group-by",
            &group,
        ],
        vec![
            "logit-lens",
            &all,
            "--unembed",
            model,
            "--stream",
            "attn-out",
            "--center-unembed",
            "off",
        ],
        vec!["attribution", &all, "--unembed", model],
        vec![
            "attribution",
            &all,
            "--unembed",
            model,
            "--by",
            "both",
            "--check",
            "--value-bias",
            "keep",
            "--group-by",
            &group,
        ],
        vec!["head-pattern", &all],
        vec!["head-pattern", &all, "--query", "all", "--group-by", &group],
        vec![
            "forward",
            model,
            "--tokens",
            prompts,
            "-o",
            &out,
            "--precision",
            "f64",
        ],
        [
            &edit[..],
            &[
                "--tokens",
                prompts,
                "--select",
                "max-fact",
                "--group-by",
                &group,
            ],
        ]
        .concat(),
        [
            &edit[..],
            &[
                "--tokens", prompts, "--alpha", "0,2", "--mode", "renorm", "--key", "3",
            ],
        ]
        .concat(),
        [
            &edit[..],
            &[
                "--replay", &all, "--alpha", "5", "--mode", "pre", "--key", "all",
            ],
        ]
        .concat(),
    ];
    for args in &commands {
        let report = |format, threads| {
            stdout(&[args, &["--format", format, "--threads", threads][..]].concat())
        };
        let json: Value = serde_json::from_str(&report("json", "1")).unwrap();
        let faults = faults(&json);
        assert!(faults.is_empty(), "{args:?}: {faults:#?}");
        for format in ["json", "csv", "table"] {
            assert_eq!(
                report(format, "1"),
                report(format, "2"),
                "{args:?} {format}"
            );
        }
    }
    let bytes = |threads| {
        stdout(&[
            "forward",
            model,
            "--tokens",
            prompts,
            "-o",
            &out,
            "--threads",
            threads,
        ]);
        fs::read(&out).unwrap()
    };
    assert_eq!(bytes("1"), bytes("2"));
}

#[test]
fn a_checkpoint_becomes_a_profile_without_python() {
    let tiny = Tiny::new();
    let last = tiny.forward("last.safetensors", &[]);
    let profile: Value = serde_json::from_str(&stdout(&["id-profile", &last])).unwrap();
    let layers = profile["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 4);
    assert_eq!(layers[3]["layer"], "blocks.3.hook_resid_post");
    assert!(layers[3]["estimates"][0]["id"].as_f64().unwrap() > 1.0);
    let listed: Value = serde_json::from_str(&stdout(&["inspect", &last])).unwrap();
    assert_eq!(listed["layers"][0]["shape"], serde_json::json!([200, 64]));
}

#[test]
fn outcomes_of_the_trained_model_are_those_of_the_reference() {
    let tiny = Tiny::new();
    let all = tiny.all();
    let (model, prompts) = (text(&tiny.model), text(&tiny.prompts));
    let edit = [
        "attention-modify",
        model,
        "--heads",
        "1.3,1.2",
        "--center-unembed",
        "off",
    ];
    let reference = reference();
    for (mode, names) in [
        ("post", &["alpha_1", "alpha_2", "alpha_5"][..]),
        ("renorm", &["alpha_1", "alpha_5_renorm"]),
    ] {
        let alphas = if mode == "post" { "2,5" } else { "5" };
        // It matters to this mode alone.
        let bias = ["--value-bias", "keep"];
        let bias = if mode == "post" { &bias[..] } else { &[] };
        for source in [["--tokens", prompts], ["--replay", all.as_str()]] {
            let args = [
                &edit[..],
                bias,
                &source,
                &["--mode", mode, "--alpha", alphas],
            ]
            .concat();
            for (quantity, other, key) in [
                ("logit", "fact", "mean_logit_fact"),
                ("logit", "counterfactual", "mean_logit_cofa"),
                ("delta", "", "mean_logit_diff_fact_minus_cofa"),
                ("three_way_share", "fact", "frac_top1_fact"),
                ("three_way_share", "counterfactual", "frac_top1_cofa"),
                ("two_way_share", "fact", "frac_fact_beats_cofa"),
            ] {
                let found = csv(&args, quantity, other);
                assert_eq!(found.len(), names.len());
                for (found, name) in found.iter().zip(names) {
                    let wanted = reference["competition"][name][key].as_f64().unwrap();
                    let wanted = if quantity == "delta" { -wanted } else { wanted };
                    assert!(
                        (found - wanted).abs() < 1e-4 * wanted.abs().max(0.1),
                        "{name} {key}: {found} {wanted}"
                    );
                }
            }
        }
    }
}

#[test]
fn lens_and_attribution_of_the_trained_model_are_those_of_the_reference() {
    let tiny = Tiny::new();
    let all = tiny.all();
    let (model, reference) = (text(&tiny.model), reference());
    let lens = [
        "logit-lens",
        &all,
        "--unembed",
        model,
        "--scale",
        "own",
        "--with-bias",
        "--center-unembed",
        "off",
        "--rank",
    ];
    for (quantity, other, key) in [
        ("logit", "fact", "mean_logit_fact"),
        ("logit", "counterfactual", "mean_logit_cofa"),
        ("rank", "fact", "mean_rank_fact"),
        ("rank", "counterfactual", "mean_rank_cofa"),
    ] {
        for (layer, found) in csv(&lens, quantity, other).into_iter().enumerate() {
            let wanted = reference["logit_lens_last_position"][layer][key]
                .as_f64()
                .unwrap();
            assert!(
                (found - wanted).abs() < 1e-5,
                "{layer} {key}: {found} {wanted}"
            );
        }
    }
    let heads = [
        "attribution",
        &all,
        "--unembed",
        model,
        "--by",
        "head",
        "--value-bias",
        "keep",
    ];
    let table = stdout(&[&heads[..], &["--format", "csv"]].concat());
    for (name, key) in [(
        "delta",
        "direct_logit_attribution_fact_minus_cofa_layer_head",
    )] {
        for layer in 0..4 {
            for head in 0..4 {
                let start = format!("blocks.{layer}.head.{head},,,,{name},keep:last,,");
                let line = table
                    .lines()
                    .find_map(|line| line.strip_prefix(&start))
                    .unwrap();
                let found: f64 = line.split(',').next().unwrap().parse().unwrap();
                let wanted = -reference[key][layer][head].as_f64().unwrap();
                assert!(
                    (found - wanted).abs() < 1e-5,
                    "{layer}.{head}: {found} {wanted}"
                );
            }
        }
    }
    let patterns: Value = serde_json::from_str(&stdout(&["head-pattern", &all])).unwrap();
    for head in patterns["ranking"].as_array().unwrap() {
        let at = |key: &str| usize::try_from(head[key].as_u64().unwrap()).unwrap();
        let key = "mean_attention_last_to_attribute_layer_head";
        let wanted = reference[key][at("layer")][at("head")].as_f64().unwrap();
        assert!((head["attention"].as_f64().unwrap() - wanted).abs() < 1e-6);
    }
}
