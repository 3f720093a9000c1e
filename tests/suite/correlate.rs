//! `repgeo correlate` joins numbers over runs and layers with a table.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::common::{fixture, json, path, refusal, stdout};

/// The published imbalances between last and first layer of VAEs, over widths of the bottleneck.
const IMBALANCE: [(u32, f64); 7] = [
    (2, 0.36354592),
    (4, 0.23958592),
    (8, 0.13421048),
    (16, 0.02372832),
    (32, 0.0535372),
    (64, 0.04645104),
    (128, 0.06223024),
];

/// A folder with these imbalances as a CSV over runs, and a table beside it.
fn folder(table: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut text =
        "run,layer,index,depth,other,quantity,variant,scale,value,std_error,n\n".to_owned();
    for (k, value) in IMBALANCE {
        let line = format!("K{k},l10,10,1,l0,information_imbalance,forward,1,{value},,5000\n");
        text.push_str(&line);
    }
    fs::write(folder.path().join("runs.csv"), text).unwrap();
    fs::write(folder.path().join("table.csv"), table).unwrap();
    folder
}

#[test]
fn a_table_in_another_order_is_joined_by_run_with_an_exact_p() {
    // Falls with the imbalance but for K = 16 and 32.
    let table = "model,fid,corpus\nK128,205,a\nK64,215,a\nK32,230,a\nK16,260,b\nK8,290,b\nK4,320,b\n\
                 K2,350,b\nK256,200,b\n";
    let folder = folder(table);
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let args = [
        "correlate",
        &at("runs.csv"),
        "--table",
        &at("table.csv"),
        "--key",
        "model",
    ];
    let report = json(&args);
    let found = &report["correlations"][0];
    assert_eq!(found["column"], "fid");
    assert_eq!(
        (found["layer"].as_str(), found["run"].as_str()),
        (Some("l10"), Some(""))
    );
    assert_eq!(
        (found["n"].as_u64(), found["n_orders"].as_u64()),
        (Some(7), Some(5040))
    );
    // Ranks of the imbalances 7 6 5 1 3 2 4 against 7 6 5 4 3 2 1: Σd² = 18, ρ = 1 − 6·18/336.
    let expected = 1.0 - 6.0 * 18.0 / 336.0;
    assert!((found["value"].as_f64().unwrap() - expected).abs() < 1e-12);
    // 552 of the 5040 orders are as far from 0, counted once by Python's itertools.permutations.
    assert_eq!(found["p_value"].as_f64().unwrap(), 552.0 / 5040.0);
    assert!(found["p_std_error"].is_null());
    assert_eq!(report["unmatched"]["table"][0], "K256");
    assert_eq!(report["unmatched"]["reports"].as_array().unwrap().len(), 0);
    let within = json(&[&args[..], &["--within", "corpus", "--column", "fid"]].concat());
    assert_eq!(within["correlations"][0]["n_orders"], 144);
    let text = stdout(&[&args[..], &["--format", "table", "--interval", "jackknife"]].concat());
    assert!(text.contains("K256") && text.contains("5040"), "{text}");
}

#[test]
fn layers_of_a_single_report_are_joined_by_layer() {
    let folder = TempDir::new().unwrap();
    let run = fixture("reference/vae_d16_ep0300");
    let csv = folder.path().join("id.csv");
    stdout(&[
        "id-profile",
        path(&run),
        "--estimator",
        "two-nn",
        "-o",
        path(&csv),
    ]);
    let layers = json(&["id-profile", path(&run), "--estimator", "two-nn"]);
    let lines = layers["layers"].as_array().unwrap().iter().map(|layer| {
        let id = layer["estimates"][0]["id"].as_f64().unwrap();
        format!("{},{}", layer["layer"].as_str().unwrap(), -2.0 * id)
    });
    let table = folder.path().join("table.csv");
    let lines: Vec<String> = lines.collect();
    fs::write(&table, format!("layer,twice\n{}\n", lines.join("\n"))).unwrap();
    let args = [
        "correlate",
        path(&csv),
        "--table",
        path(&table),
        "--by",
        "layer",
        "--quantity",
        "id",
    ];
    for kind in ["spearman", "pearson"] {
        let report = json(&[&args[..], &["--correlation", kind]].concat());
        let found = &report["correlations"][0];
        assert!(
            (found["value"].as_f64().unwrap() + 1.0).abs() < 1e-12,
            "{kind} {found}"
        );
        assert_eq!(found["n"], 11);
        assert_eq!(found["n_orders"], 10_001);
        assert_eq!(found["p_value"].as_f64().unwrap(), 1.0 / 10_001.0);
    }
}

#[test]
fn few_pairs_and_constant_columns_have_no_correlation_and_lone_keys_are_listed() {
    let correlated = |table: &str| {
        let folder = folder(table);
        let [runs, table] = ["runs.csv", "table.csv"].map(|name| folder.path().join(name));
        json(&["correlate", path(&runs), "--table", path(&table)])
    };
    let report = correlated("run,fid\nK2,1\nK4,2\nK8,3\nother,4\n");
    let found = &report["correlations"][0];
    assert_eq!(found["n"], 3);
    assert!(found["value"].is_null() && found["p_value"].is_null());
    assert_eq!(found["reason"], "too_few_rows");
    assert_eq!(report["unmatched"]["table"], json!(["other"]));
    let lone = json!(["K16", "K32", "K64", "K128"]);
    assert_eq!(report["unmatched"]["reports"], lone);
    // A cell without a number takes its pair out.
    let report = correlated("run,fid,flat\nK2,1,5\nK4,,5\nK8,3,5\nK16,4,5\nK32,2,5\n");
    let [fid, flat] = [0, 1].map(|at| &report["correlations"][at]);
    assert_eq!((&fid["column"], &fid["n"]), (&json!("fid"), &json!(4)));
    assert_eq!(fid["n_orders"], 24);
    assert!(fid["value"].is_f64());
    assert_eq!(flat["n"], 5);
    assert!(flat["value"].is_null());
    assert_eq!(flat["reason"], "constant_layer");
}

#[test]
fn what_cannot_be_joined_is_refused_with_a_way_out() {
    let folder = folder("model,fid\nK2,1\nK2,2\n");
    let at = |name: &str| path(&folder.path().join(name)).to_owned();
    let (runs, table) = (at("runs.csv"), at("table.csv"));
    for (extra, code, word) in [
        (&["--key", "model"][..], 1, "two lines"),
        (&[], 1, "--key"),
        (&["--by", "row", "--key", "model"], 1, "column row"),
        (&["--quantity", "id", "--key", "model"], 1, "two lines"),
    ] {
        let args = [&["correlate", &runs, "--table", &table], extra].concat();
        let message = refusal(&args, code);
        assert!(message.contains(word), "{message}");
    }
    fs::write(folder.path().join("table.csv"), "run,fid\nx,1\ny,2\n").unwrap();
    let message = refusal(&["correlate", &runs, "--table", &table], 2);
    assert!(message.contains("K2") && message.contains('x'), "{message}");
    let message = refusal(
        &["correlate", &runs, "--table", &table, "--quantity", "id"],
        2,
    );
    assert!(message.contains("--quantity"), "{message}");
}
