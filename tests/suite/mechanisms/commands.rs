//! The commands as a user meets them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::dumps::write_tensors;
use super::fixture;
use crate::common::{json, path as text, refusal, stdout};

struct Tiny {
    folder: TempDir,
    model: PathBuf,
    prompts: PathBuf,
}

impl Tiny {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            model: fixture::path("gpt2_tiny"),
            prompts: fixture::path("gpt2_tiny/prompts.safetensors"),
        }
    }

    /// Streams of the trained model.
    fn forward(&self, name: &str, flags: &[&str]) -> String {
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

    fn all(&self) -> String {
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
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
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
        let faults: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
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

#[test]
fn what_is_missing_or_unfit_is_named_with_its_way_out() {
    let tiny = Tiny::new();
    let last = tiny.forward("last.safetensors", &[]);
    let (model, prompts) = (text(&tiny.model), text(&tiny.prompts));
    let file = |name: &str| tiny.folder.path().join(name);
    let path = |name: &str| text(&file(name)).to_owned();

    let weights = text(&tiny.model.join("model.safetensors")).to_owned();
    for (args, code, words) in [
        (
            vec!["attribution", &last, "--unembed", model],
            1,
            &["blocks.0.hook_resid_pre", "forward"][..],
        ),
        (vec!["head-pattern", &last], 1, &["hook_pattern", "eager"]),
        (
            vec!["logit-lens", &weights, "--unembed", model],
            1,
            &["blocks.L.hook"],
        ),
        (
            vec![
                "logit-lens",
                &last,
                "--unembed",
                model,
                "--positions",
                "slots",
            ],
            2,
            &["slots", "[N, 14, 2]"],
        ),
        (
            vec!["attention-modify", model, "--heads", "1.1"],
            2,
            &["--tokens"],
        ),
        (
            vec![
                "attention-modify",
                model,
                "--tokens",
                prompts,
                "--heads",
                "4.0",
            ],
            2,
            &["4 blocks"],
        ),
        (
            vec![
                "attention-modify",
                model,
                "--tokens",
                prompts,
                "--heads",
                "1.1",
                "--key",
                "7",
            ],
            2,
            &["--key 7"],
        ),
        (
            vec![
                "attention-modify",
                model,
                "--tokens",
                prompts,
                "--heads",
                "1.1",
                "--key",
                "subject",
            ],
            2,
            &["slots"],
        ),
        (
            vec![
                "attention-modify",
                model,
                "--tokens",
                prompts,
                "--heads",
                "1.1",
                "--alpha",
                "nan",
            ],
            2,
            &["finite"],
        ),
        (
            vec![
                "attention-modify",
                model,
                "--tokens",
                prompts,
                "--heads",
                "1.1",
                "--alpha",
                "0",
                "--mode",
                "renorm",
                "--key",
                "all",
            ],
            2,
            &["renorm"],
        ),
        (
            vec![
                "attention-modify",
                model,
                "--replay",
                &last,
                "--heads",
                "1.1",
            ],
            1,
            &["blocks.1.hook_resid_pre"],
        ),
        (
            vec!["forward", model, "--tokens", prompts, "-o", "acts.npz"],
            2,
            &[".safetensors"],
        ),
        (
            vec![
                "forward",
                "no/such/model",
                "--tokens",
                prompts,
                "-o",
                "x.safetensors",
            ],
            1,
            &["config.json"],
        ),
    ] {
        let message = refusal(&args, code);
        for word in words {
            assert!(message.contains(word), "{args:?}: {message}");
        }
    }

    // Targets, tokens, positions.
    fs::write(
        file("far.csv"),
        format!("fact,counterfactual\n{}", "1,600\n".repeat(200)),
    )
    .unwrap();
    let message = refusal(
        &[
            "logit-lens",
            &last,
            "--unembed",
            model,
            "--targets",
            &path("far.csv"),
        ],
        2,
    );
    assert!(
        message.contains("600") && message.contains("512"),
        "{message}"
    );
    fs::write(file("few.csv"), "fact,counterfactual\n1,2\n").unwrap();
    let message = refusal(
        &[
            "logit-lens",
            &last,
            "--unembed",
            model,
            "--targets",
            &path("few.csv"),
        ],
        1,
    );
    assert!(
        message.contains("200") && message.contains("targets"),
        "{message}"
    );
    write_integers(&file("ragged.npy"), 2, 3, &[5, 6, 7, 5, 6, -1]);
    let ragged = path("ragged.npy");
    let message = refusal(
        &[
            "forward",
            model,
            "--tokens",
            &ragged,
            "-o",
            &path("x.safetensors"),
        ],
        1,
    );
    assert!(
        message.contains("-1") && message.contains("lengths"),
        "{message}"
    );
    assert!(!file("x.safetensors").exists());

    // Values.
    let mut stream = vec![0.25; 200 * 64];
    stream[130] = f64::NAN;
    let blocks: Vec<(String, Vec<f64>)> = (0..4)
        .map(|layer| (format!("blocks.{layer}.hook_resid_post"), stream.clone()))
        .collect();
    let tensors: Vec<(&str, Vec<usize>, Vec<f64>)> = blocks
        .iter()
        .map(|(name, values)| (name.as_str(), vec![200, 64], values.clone()))
        .collect();
    write_tensors(&file("nan.safetensors"), &tensors, &[]);
    let nan = path("nan.safetensors");
    let message = refusal(
        &["logit-lens", &nan, "--unembed", model, "--targets", prompts],
        1,
    );
    assert!(
        message.contains("example 2") && message.contains("column 2"),
        "{message}"
    );

    // Folded or not must be said, and not contradict what is there.
    let w = |name: &str, tensors: &[(&str, Vec<usize>, Vec<f64>)], said: &[(&str, &str)]| {
        write_tensors(&file(name), tensors, said);
        refusal(&["logit-lens", &last, "--unembed", &path(name)], 1)
    };
    let unembedding = ("unembed.W_U", vec![64, 512], vec![0.5; 64 * 512]);
    let gain = ("ln_final.w", vec![64], vec![1.0; 64]);
    let folder = file("weights");
    fs::create_dir(&folder).unwrap();
    assert!(
        w(
            "weights/a.safetensors",
            std::slice::from_ref(&unembedding),
            &[]
        )
        .contains("fold_ln")
    );
    let both = [unembedding.clone(), gain];
    assert!(w("weights/b.safetensors", &both, &[("fold_ln", "true")]).contains("twice"));
    assert!(w("weights/c.safetensors", &both, &[("fold_ln", "false")]).contains("--norm rms"));
}

#[test]
fn an_attribute_that_is_not_the_counterfactual_token_is_counted() {
    let tiny = Tiny::new();
    let swapped = tiny.folder.path().join("swapped.csv");
    let rows: Vec<String> = (0..200)
        .map(|i| format!("{},{}", 230 + i % 5, 240 + i % 7))
        .collect();
    fs::write(
        &swapped,
        format!("fact,counterfactual\n{}\n", rows.join("\n")),
    )
    .unwrap();
    let args = [
        "attention-modify",
        text(&tiny.model),
        "--tokens",
        text(&tiny.prompts),
        "--targets",
        text(&swapped),
        "--heads",
        "1.3",
        "--alpha",
        "5",
    ];
    let report: Value = serde_json::from_str(&stdout(&args)).unwrap();
    assert_eq!(report["warnings"][0]["code"], "attribute_misplaced");
    assert!(report["warnings"][0]["count"].as_u64().unwrap() > 150);
    // The same table as `gzip` and as `cut` leave it.
    let tabs = fs::read_to_string(&swapped).unwrap().replace(',', "\t");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&fs::read(&swapped).unwrap()).unwrap();
    for (name, bytes) in [
        ("swapped.csv.gz", packed.finish().unwrap()),
        ("swapped.tsv", tabs.into_bytes()),
    ] {
        let file = tiny.folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let mut other = args;
        other[5] = text(&file);
        let found: Value = serde_json::from_str(&stdout(&other)).unwrap();
        assert_eq!(found["rows"], report["rows"], "{name}");
    }
    let plain: Value = serde_json::from_str(&stdout(&[
        "attention-modify",
        text(&tiny.model),
        "--tokens",
        text(&tiny.prompts),
        "--heads",
        "1.3",
    ]))
    .unwrap();
    assert_eq!(plain["warnings"], serde_json::json!([]));
    assert_eq!(plain["rows"][0]["alpha"], 1.0);
    assert_eq!(plain["rows"].as_array().unwrap().len(), 5);
}

fn write_integers(path: &Path, rows: usize, columns: usize, values: &[i32]) {
    let mut header =
        format!("{{'descr': '<i4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

/// The rows of `attention-modify` on the tiny model.
fn modified(tiny: &Tiny, more: &[&str]) -> Vec<Value> {
    let base = [
        "attention-modify",
        text(&tiny.model),
        "--tokens",
        text(&tiny.prompts),
    ];
    let report = json(&[&base[..], more].concat());
    report["rows"].as_array().unwrap().clone()
}

/// A row without what names it.
fn numbers(row: &Value) -> Value {
    let mut row = row.clone();
    for name in ["alpha", "edit"] {
        row.as_object_mut().unwrap().remove(name);
    }
    row
}

#[test]
fn heads_have_factors_of_their_own_in_one_pass() {
    let tiny = Tiny::new();
    let both = modified(&tiny, &["--heads", "1.2,1.3", "--alpha", "5"]);
    let own = modified(&tiny, &["--heads", "1.3=5,L1H2=5"]);
    assert_eq!(
        (own[0]["alpha"].as_f64(), &own[1]["alpha"]),
        (Some(1.0), &Value::Null)
    );
    assert_eq!(numbers(&own[0]), numbers(&both[0]));
    assert_eq!(numbers(&own[1]), numbers(&both[1]));
    // A factor of 1 leaves its head as it is; alpha is for the others.
    let alone = modified(&tiny, &["--heads", "1.2", "--alpha", "3"]);
    let mixed = modified(&tiny, &["--heads", "1.2,1.3=1", "--alpha", "3"]);
    assert_eq!(numbers(&mixed[1]), numbers(&alone[1]));
    assert_eq!(mixed[1]["alpha"].as_f64(), Some(3.0));
    let differ = modified(&tiny, &["--heads", "1.2=3,1.3=2"]);
    assert_ne!(numbers(&differ[1]), numbers(&alone[1]));
}

#[test]
fn a_sweep_edits_every_block_and_every_head_as_if_alone() {
    let tiny = Tiny::new();
    let sweep = modified(
        &tiny,
        &["--heads", "all", "--each", "layer", "--alpha", "0,2"],
    );
    let layers = (sweep.len() - 1) / 2;
    assert!(layers > 1 && sweep.len() == 1 + 2 * layers);
    assert!(sweep[0].get("edit").is_none());
    for layer in 0..layers {
        let heads: Vec<String> = (0..4).map(|head| format!("{layer}.{head}")).collect();
        let alone = modified(&tiny, &["--heads", &heads.join(","), "--alpha", "0,2"]);
        let name = format!("blocks.{layer}");
        let rows: Vec<&Value> = sweep.iter().filter(|row| row["edit"] == *name).collect();
        assert_eq!(rows.len(), 2);
        for row in rows {
            let same = alone
                .iter()
                .find(|one| one["alpha"] == row["alpha"])
                .unwrap();
            assert_eq!(numbers(row), numbers(same), "{name}");
        }
    }
    let heads = modified(
        &tiny,
        &["--heads", "1.3,0.1", "--each", "head", "--alpha", "4"],
    );
    for name in ["0.1", "1.3"] {
        let row = heads.iter().find(|row| row["edit"] == name).unwrap();
        let alone = modified(&tiny, &["--heads", name, "--alpha", "4"]);
        assert_eq!(numbers(row), numbers(&alone[1]), "{name}");
    }
}

#[test]
fn every_example_is_written_and_adds_up_to_the_rows() {
    let tiny = Tiny::new();
    let file = tiny.folder.path().join("examples.csv");
    let options = [
        "--heads",
        "1.2,1.3",
        "--each",
        "head",
        "--alpha",
        "5",
        "--examples",
        text(&file),
    ];
    let rows = modified(&tiny, &options);
    let written = fs::read_to_string(&file).unwrap();
    let lines: Vec<Vec<&str>> = written
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    let head = "example,edit,alpha,outcome,logit_fact,logit_counterfactual,delta";
    assert_eq!(lines[0].join(","), head);
    for row in &rows {
        let edit = row["edit"].as_str().unwrap_or_default();
        let own: Vec<&Vec<&str>> = lines[1..].iter().filter(|line| line[1] == edit).collect();
        assert_eq!(own.len() as u64, row["n"].as_u64().unwrap());
        let facts = own.iter().filter(|line| line[3] == "fact").count();
        assert_eq!(facts as u64, row["fact"]["count"].as_u64().unwrap());
        let deltas = own.iter().map(|line| line[6].parse::<f64>().unwrap());
        let mean = deltas.sum::<f64>() / own.len() as f64;
        assert!((mean - row["delta"]["mean"].as_f64().unwrap()).abs() < 1e-12);
    }
    let wrong = refusal(
        &[
            "attention-modify",
            text(&tiny.model),
            "--tokens",
            text(&tiny.prompts),
            "--heads",
            "1.2",
            "--examples",
            "out.txt",
        ],
        2,
    );
    assert!(wrong.contains("--examples"), "{wrong}");
}
