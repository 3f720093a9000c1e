//! Memory is a promise: what a command says it needs is what it holds, beside the mapped file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use repgeo::random::SplitMix64;
use repgeo::storage::{TensorFile, TensorSpec, npy};

use super::{command, path, stderr, write_layer};

/// What the promise may be missed by.
const SLACK: u64 = 8;

/// Runs a command and gives its most anonymous memory, in MiB; or the MiB that it says it needs.
fn peak(args: &[&str]) -> Result<u64, u64> {
    let mut child = command(args)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        most = most.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(most / 1024);
    }
    let words = stderr(&output);
    let need = words
        .split(" need ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    Err(need
        .and_then(|need| need.parse().ok())
        .unwrap_or_else(|| panic!("{args:?}: {words}")))
}

#[test]
fn a_command_holds_what_it_says_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let layer = |name: &str, rows: usize, columns: usize| {
        let file = folder.path().join(name);
        write_layer(&file, rows, columns, 1, None);
        file.to_str().unwrap().to_owned()
    };
    let (long, wide, square) = (
        layer("long.npy", 6000, 32),
        layer("wide.npy", 60, 6000),
        layer("square.npy", 900, 1200),
    );
    let other = layer("other.npy", 6000, 8);
    let alike = path(&folder.path().join("alike")).to_owned();
    fs::create_dir(&alike).unwrap();
    for (name, columns) in [("l0", 400), ("l1", 900), ("l2", 200)] {
        layer(&format!("alike/{name}.npy"), 500, columns);
    }
    let tables = path(&folder.path().join("tables")).to_owned();
    let (long, wide, square, other) = (
        long.as_str(),
        wide.as_str(),
        square.as_str(),
        other.as_str(),
    );
    let labels = |name: &str, rows: usize| {
        let file = folder.path().join(name);
        let lines: String = (0..rows).map(|row| format!("{}\n", row % 3)).collect();
        fs::write(&file, lines).unwrap();
        path(&file).to_owned()
    };
    let (of_alike, of_wide) = (labels("alike.txt", 500), labels("wide.txt", 60));
    let (model, tokens) = write_model(folder.path());
    let (model, tokens) = (model.as_str(), tokens.as_str());
    let targets = path(&folder.path().join("targets.npy")).to_owned();
    let ids: Vec<i64> = (0..40 * 2).map(|at| at * 13 % 500).collect();
    fs::write(&targets, npy(&[40, 2], &ids)).unwrap();
    let ablate: &[&str] = &["ablate", model, "--tokens", tokens, "--targets", &targets];
    let [last, everywhere] = ["last", "all"].map(|at| {
        let which = [
            "--components",
            "blocks.1.mlp_out",
            "--with",
            "zero",
            "--at",
            at,
        ];
        [ablate, &which].concat()
    });
    let modify: &[&str] = &[
        "attention-modify",
        model,
        "--tokens",
        tokens,
        "--targets",
        &targets,
    ];
    let modify = [modify, &["--heads", "0.1", "--key", "3", "--alpha", "2"]].concat();
    let streams = path(&folder.path().join("streams.safetensors")).to_owned();
    let every = "resid-pre,resid-mid,resid-post,attn-out,mlp-out,z,v,logits";
    let shapes: [&[&str]; 25] = [
        &["neighbours", long, "-k", "10", "-o", &tables],
        &["neighbours", long, "-k", "100", "-o", &tables],
        &["neighbours", long, "-k", "500", "-o", &tables],
        &["neighbours", square, "-k", "50", "-o", &tables],
        &["id-profile", long, "--range-max", "128"],
        &["overlap", long, other, "-k", "100"],
        &["overlap", long, other, "-k", "200", "--partitions", "2"],
        &["imbalance", long, other, "-k", "50"],
        &["imbalance", long, other, "-k", "20", "--shuffle", "3"],
        &["density-peaks", long, "-k", "100"],
        &["clones", square, "--sizes", "10", "--draws", "3"],
        &["clones", wide, "--sizes", "4", "--draws", "3"],
        &["similarity", &alike, "--measure", "cka"],
        &["similarity", &alike, "--measure", "cka-rbf"],
        &["similarity", &alike, "--measure", "cca"],
        &["similarity", &alike, "--measure", "procrustes"],
        &["similarity", &alike, "--measure", "rsa"],
        &["probe", &alike, "--labels", &of_alike, "--penalty", "10000"],
        &["probe", wide, "--labels", &of_wide, "--penalty", "10000"],
        &["probe", &alike, "--labels", &of_alike, "--readout", "ridge"],
        &last,
        &everywhere,
        &modify,
        &["forward", model, "--tokens", tokens, "-o", &streams],
        &[
            "forward",
            model,
            "--tokens",
            tokens,
            "--dump",
            every,
            "--positions",
            "all",
            "-o",
            &streams,
        ],
    ];
    let start = peak(&["inspect", long, "--threads", "2"]).unwrap();
    for shape in shapes {
        // What one piece of work needs is said when it is due, so it takes a few turns to know all.
        let mut limit = 0;
        let found = loop {
            let size = if limit == 0 {
                "1K".to_owned()
            } else {
                format!("{limit}M")
            };
            let args = [shape, &["--threads", "2", "-q", "--max-memory", &size]].concat();
            match peak(&args) {
                Ok(found) => break found,
                Err(need) => {
                    assert!(need > limit, "{args:?}: needs {need} MiB");
                    limit = need;
                }
            }
        };
        assert!(limit > 0, "{shape:?} ran with 1 KiB");
        assert!(
            found <= start + limit + SLACK,
            "{shape:?}: {found} MiB, where {limit} MiB were promised beside {start} MiB"
        );
    }
    assert!(Path::new(&tables).is_dir());
    // The least room and all there is write the same streams.
    let [narrow, plenty] = ["20M", "4G"].map(|limit| {
        let args = [
            "forward",
            model,
            "--tokens",
            tokens,
            "--positions",
            "all",
            "-q",
        ];
        let output = ["-o", &streams, "--max-memory", limit, "--threads", "2"];
        peak(&[&args[..], &output[..]].concat()).unwrap();
        fs::read(&streams).unwrap()
    });
    assert!(narrow == plenty);
}

/// A GPT-2 of two blocks of width 384, and 40 prompts of 64 tokens for it.
fn write_model(folder: &Path) -> (String, String) {
    let (d, vocabulary) = (384, 500);
    let config = format!(
        r#"{{"model_type": "gpt2", "n_layer": 2, "n_head": 6, "n_embd": {d}, "n_positions": 64,
        "vocab_size": {vocabulary}, "layer_norm_epsilon": 1e-5}}"#
    );
    let model = folder.join("model");
    fs::create_dir(&model).unwrap();
    fs::write(model.join("config.json"), config).unwrap();
    let mut shapes = vec![
        ("wte.weight".to_owned(), vec![vocabulary, d]),
        ("wpe.weight".to_owned(), vec![64, d]),
        ("ln_f.weight".to_owned(), vec![d]),
        ("ln_f.bias".to_owned(), vec![d]),
    ];
    for layer in 0..2 {
        for (part, inputs, outputs) in [
            ("attn.c_attn", d, 3 * d),
            ("attn.c_proj", d, d),
            ("mlp.c_fc", d, 4 * d),
            ("mlp.c_proj", 4 * d, d),
        ] {
            shapes.push((format!("h.{layer}.{part}.weight"), vec![inputs, outputs]));
            shapes.push((format!("h.{layer}.{part}.bias"), vec![outputs]));
        }
        for part in ["ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias"] {
            shapes.push((format!("h.{layer}.{part}"), vec![d]));
        }
    }
    let specs: Vec<TensorSpec> = shapes
        .into_iter()
        .map(|(name, shape)| TensorSpec {
            name,
            dtype: "F32",
            shape,
        })
        .collect();
    let file = model.join("model.safetensors");
    let mut file = TensorFile::create(&file, &specs, &BTreeMap::new()).unwrap();
    let mut random = SplitMix64::new(5);
    for spec in &specs {
        let count = spec.shape.iter().product();
        let values = (0..count).map(|_| 0.1 * (random.uniform() - 0.5) as f32);
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        file.write(&spec.name, 0, &bytes).unwrap();
    }
    file.finish().unwrap();
    let ids: Vec<i64> = (0..40 * 64).map(|at| at * 37 % 500).collect();
    let tokens = folder.join("tokens.npy");
    fs::write(&tokens, npy(&[40, 64], &ids)).unwrap();
    (path(&model).to_owned(), path(&tokens).to_owned())
}

#[test]
fn a_page_and_a_scan_keep_within_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let dump = path(&folder.path().join("acts")).to_owned();
    fs::create_dir(&dump).unwrap();
    for name in ["l0", "l1"] {
        write_layer(
            &folder.path().join(format!("acts/{name}.npy")),
            500,
            300,
            2,
            None,
        );
    }
    let start = peak(&["inspect", &dump, "--threads", "2"]).unwrap();
    let scan = peak(&["inspect", &dump, "--threads", "2", "--scan"]).unwrap();
    assert!(scan <= start + 24, "{scan} MiB, {start} without --scan");
    let page = path(&folder.path().join("page.html")).to_owned();
    // An analysis that cannot be had within the limit says so on the page.
    for limit in [1, 40] {
        let limited = format!("{limit}M");
        let args = ["report", &dump, "-q", "-o", &page, "--threads", "2"];
        let found = peak(&[&args[..], &["--max-memory", &limited]].concat()).unwrap();
        let most = start + limit + SLACK;
        assert!(found <= most, "{found} MiB, where {most} MiB are allowed");
        let html = fs::read_to_string(&page).unwrap();
        let refused = html.contains("and the limit is 1 MiB");
        assert_eq!(refused, limit == 1, "{limit} MiB");
    }
}
