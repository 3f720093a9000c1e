//! `attention-modify`: factors of single heads, sweeps, and examples one by one.

use std::fs;

use serde_json::Value;

use super::commands::Tiny;
use crate::common::{json, path as text, refusal};

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
