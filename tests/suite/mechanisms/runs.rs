//! Attributions and lenses of several runs in one call are those of each alone.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::fixture;
use crate::common::{path as text, refusal, stdout};

/// Two models that differ in the eps of their norms, and the streams of each.
struct Runs {
    folder: TempDir,
    models: [PathBuf; 2],
    acts: [PathBuf; 2],
}

impl Runs {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let first = fixture::path("gpt2_tiny");
        let second = folder.path().join("model");
        fs::create_dir(&second).unwrap();
        fs::copy(
            first.join("model.safetensors"),
            second.join("model.safetensors"),
        )
        .unwrap();
        let config = fs::read_to_string(first.join("config.json")).unwrap();
        let mut config: Value = serde_json::from_str(&config).unwrap();
        config["layer_norm_epsilon"] = 0.1.into();
        fs::write(second.join("config.json"), config.to_string()).unwrap();
        let models = [first.clone(), second];
        let acts = ["run2", "run10"].map(|name| folder.path().join(format!("{name}.safetensors")));
        for (model, acts) in models.iter().zip(&acts) {
            let prompts = first.join("prompts.safetensors");
            stdout(&[
                "forward",
                text(model),
                "--tokens",
                text(&prompts),
                "-o",
                text(acts),
                "--dump",
                "embed,pos-embed,resid-post,attn-out,mlp-out,z",
            ]);
        }
        Self {
            folder,
            models,
            acts,
        }
    }

    fn alone(&self, command: &str, at: usize, flags: &[&str]) -> Value {
        let (acts, model) = (text(&self.acts[at]), text(&self.models[at]));
        let line = [&[command, acts, "--unembed", model], flags].concat();
        serde_json::from_str(&stdout(&line)).unwrap()
    }
}

#[test]
fn each_run_has_its_own_contributions_with_its_own_unembedding() {
    let runs = Runs::new();
    let [small, large] = runs.acts.each_ref().map(|path| text(path));
    let [first, second] = runs.models.each_ref().map(|path| text(path));
    let each = runs.folder.path().join("each.csv");
    // Typed the other way round than they are shown: each keeps its own unembedding.
    let line = [
        "attribution",
        large,
        small,
        "--unembed",
        second,
        "--unembed",
        first,
        "--by",
        "both",
        "--check",
        "--examples",
        text(&each),
    ];
    let report: Value = serde_json::from_str(&stdout(&line)).unwrap();
    assert_eq!(report["command"], "attribution-runs");
    let found = report["runs"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    for (at, name) in ["run2", "run10"].iter().enumerate() {
        let alone = runs.alone("attribution", at, &["--by", "both", "--check"]);
        assert_eq!(found[at]["run"], *name);
        for field in ["n", "components", "check", "warnings"] {
            assert_eq!(found[at][field], alone[field], "{name} {field}");
        }
        assert_eq!(report["parameters"], alone["parameters"]);
    }
    assert_ne!(found[0]["components"], found[1]["components"]);

    let csv = stdout(&[&line[..], &["--format", "csv"]].concat());
    assert!(csv.starts_with("run,layer,"), "{csv}");
    let of = |name: &str| csv.lines().filter(|line| line.starts_with(name)).count();
    assert!(of("run2,") > 0 && of("run2,") == of("run10,"));
    let table = stdout(&[&line[..], &["--format", "table"]].concat());
    assert!(table.contains("run10: heads towards"), "{table}");

    let written = fs::read_to_string(&each).unwrap();
    let mut lines = written.lines();
    let head = "run,example,position,component,fact,counterfactual,delta";
    assert_eq!(lines.next(), Some(head));
    let rows = found[0]["components"].as_array().unwrap().len();
    let n = usize::try_from(found[0]["n"].as_u64().unwrap()).unwrap();
    assert_eq!(lines.count(), 2 * n * rows);
}

#[test]
fn one_unembedding_serves_all_and_any_other_number_is_refused() {
    let runs = Runs::new();
    let [small, large] = runs.acts.each_ref().map(|path| text(path));
    let first = text(&runs.models[0]);
    let start = ["attribution", small, large, "--unembed", first];
    let report: Value = serde_json::from_str(&stdout(&start)).unwrap();
    assert_eq!(report["runs"].as_array().unwrap().len(), 2);
    let more = ["--unembed", first, "--unembed", first];
    let message = refusal(&[&start[..], &more].concat(), 2);
    assert!(
        message.contains("--unembed") && message.contains("3 times"),
        "{message}"
    );
    let message = refusal(
        &[&start[..3], &["nowhere.safetensors"], &start[3..]].concat(),
        1,
    );
    assert!(message.contains("nowhere.safetensors"), "{message}");
    assert!(!Path::new("nowhere.safetensors").exists());
}

#[test]
fn each_run_has_its_own_lens() {
    let runs = Runs::new();
    let [small, large] = runs.acts.each_ref().map(|path| text(path));
    let [first, second] = runs.models.each_ref().map(|path| text(path));
    let each = runs.folder.path().join("each.csv");
    let start = ["logit-lens", large, small, "--unembed", second];
    let flags = ["--rank", "--topk", "2", "--positions", "all"];
    let more = ["--unembed", first, "--examples", text(&each)];
    let line = [&start[..], &more, &flags].concat();
    let report: Value = serde_json::from_str(&stdout(&line)).unwrap();
    assert_eq!(report["command"], "logit-lens-runs");
    let found = report["runs"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    for (at, name) in ["run2", "run10"].iter().enumerate() {
        let alone = runs.alone("logit-lens", at, &flags);
        assert_eq!(found[at]["run"], *name);
        for field in ["n", "rows", "warnings"] {
            assert_eq!(found[at][field], alone[field], "{name} {field}");
        }
        assert_eq!(report["parameters"], alone["parameters"]);
    }
    assert_ne!(found[0]["rows"], found[1]["rows"]);

    let csv = stdout(&[&line[..], &["--format", "csv"]].concat());
    assert!(csv.starts_with("run,layer,"), "{csv}");
    let of = |name: &str| csv.lines().filter(|line| line.starts_with(name)).count();
    assert!(of("run2,") > 0 && of("run2,") == of("run10,"));
    let table = stdout(&[&line[..], &["--format", "table"]].concat());
    assert!(table.contains("run10: delta = "), "{table}");
    let written = fs::read_to_string(&each).unwrap();
    assert!(written.starts_with("run,example,layer,position,logit_fact,"));
    let rows = found[0]["rows"].as_array().unwrap().len();
    let n = usize::try_from(found[0]["n"].as_u64().unwrap()).unwrap();
    assert_eq!(written.lines().count(), 1 + 2 * n * rows);

    let message = refusal(
        &[&start[..], &["--unembed", first, "--unembed", first]].concat(),
        2,
    );
    assert!(message.contains("3 times"), "{message}");
}
