//! What the commands on mechanisms refuse or count, and the way out that they name.

use std::fs;
use std::io::Write;
use std::path::Path;

use repgeo::input::Tensors;
use serde_json::Value;

use super::commands::Tiny;
use super::dumps::write_tensors;
use crate::common::{path as text, refusal, stdout};

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

#[test]
fn tokens_of_other_prompts_than_the_dump_are_refused() {
    let tiny = Tiny::new();
    let all = tiny.all();
    let model = text(&tiny.model);
    let stored = Tensors::open(&tiny.prompts).unwrap();
    let tensor = stored.get("tokens").unwrap();
    let ids: Vec<i32> = tensor
        .integers()
        .unwrap()
        .iter()
        .map(|&id| id as i32)
        .collect();
    let width = tensor.shape()[1];
    let file = tiny.folder.path().join("ids.npy");
    let write = |ids: &[i32]| write_integers(&file, ids.len() / width, width, ids);
    let calls = [
        vec!["logit-lens", &all, "--unembed", model],
        vec!["attribution", &all, "--unembed", model],
        vec!["head-pattern", &all],
        vec![
            "attention-modify",
            model,
            "--heads",
            "1.3",
            "--replay",
            &all,
        ],
        vec!["ablate", model, "--components", "1.3", "--replay", &all],
    ];
    for call in &calls {
        let args = [&call[..], &["--tokens", text(&file)]].concat();
        write(&ids);
        stdout(&args);
        let mut others = ids.clone();
        others[5 * width] = others[5 * width] % 7 + 1;
        assert_ne!(others, ids);
        write(&others);
        let message = refusal(&args, 1);
        assert!(
            message.contains("example 5 ") && message.contains("--tokens"),
            "{message}"
        );
    }
}

#[test]
fn a_file_of_targets_without_a_name_comes_before_those_of_the_dump() {
    let tiny = Tiny::new();
    let all = tiny.all();
    let tensors = Tensors::open(&tiny.prompts).unwrap();
    let targets = tensors.get("targets").unwrap().integers().unwrap();
    let swapped = targets.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]);
    let swapped: Vec<i32> = swapped.map(|id| id as i32).collect();
    let file = tiny.folder.path().join("swapped.npy");
    write_integers(&file, swapped.len() / 2, 2, &swapped);
    let call = ["logit-lens", &all, "--unembed", text(&tiny.model)];
    let report = |args: &[&str]| serde_json::from_str::<Value>(&stdout(args)).unwrap();
    let row = |report: Value| report["rows"][0].clone();
    let own = row(report(&call));
    let found = row(report(&[&call[..], &["--targets", text(&file)]].concat()));
    assert_eq!(found["fact"], own["counterfactual"]);
    assert_ne!(found["fact"], own["fact"]);
}
