//! Outputs that cannot be written are refused before the work; a cache that takes nothing is no error.

use std::fs;

use serde_json::Value;

use super::{entries, fixture_arg, path, repgeo, stderr, write_layer};

#[test]
fn an_output_without_a_folder_is_refused_before_the_input_is_read() {
    // The input does not exist: whoever complains about the output looked at it first.
    let cases: [&[&str]; 5] = [
        &["id-profile", "no.npy", "-o", "nowhere/r.json"],
        &[
            "id-profile",
            "no.npy",
            "--estimator",
            "mle",
            "--local",
            "nowhere/x.npy",
        ],
        &["density-peaks", "no.npy", "--log-density", "nowhere/x.npy"],
        &["landscape", "no.npy", "--decision-graph", "nowhere/x.csv"],
        &["density-peaks", "no.npy", "--assignments", "/dev/null/x"],
    ];
    for args in cases {
        let output = repgeo(args);
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {words}");
        assert!(words.contains("cannot write"), "{args:?}: {words}");
    }
}

#[test]
fn a_cache_that_takes_nothing_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 120, 5, 3, None);
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let plain = repgeo(&["id-profile", path(&acts), "--format", "json"]);
    for cache in [file.join("cache"), "/proc/nowhere".into()] {
        let output = repgeo(&[
            "id-profile",
            path(&acts),
            "--format",
            "json",
            "--cache",
            path(&cache),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let warnings = report["layers"][0]["warnings"].as_array_mut().unwrap();
        let told = warnings
            .iter()
            .filter(|one| one["code"] == "cache_not_written")
            .count();
        assert_eq!(told, 1, "{warnings:?}");
        warnings.retain(|one| one["code"] != "cache_not_written");
        assert_eq!(
            report,
            serde_json::from_slice::<Value>(&plain.stdout).unwrap()
        );
    }
}

#[test]
fn foreign_files_in_a_cache_are_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 120, 5, 3, None);
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    for at in 0..50 {
        fs::write(
            cache.join(format!("other-{at}.npz")),
            b"PK\x03\x04 nonsense",
        )
        .unwrap();
    }
    let output = repgeo(&[
        "id-profile",
        path(&acts),
        "--format",
        "json",
        "--cache",
        path(&cache),
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings = report["layers"][0]["warnings"].as_array().unwrap();
    let told: Vec<&Value> = warnings
        .iter()
        .filter(|one| one["code"] == "cache_ignored")
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["count"], 50);
}

#[test]
fn tables_that_stand_in_the_folder_already_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let acts = folder.path().join("acts.npy");
    write_layer(&acts, 60, 5, 3, None);
    let tables = folder.path().join("tables");
    let run = || {
        let output = repgeo(&[
            "neighbours",
            path(&acts),
            "-k",
            "4",
            "-o",
            path(&tables),
            "--format",
            "json",
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["warnings"].to_string().contains("other_tables")
    };
    assert!(!run() && !run());
    fs::copy(tables.join("acts.npz"), tables.join("older.npz")).unwrap();
    assert!(run());
    assert_eq!(entries(&tables), ["acts.npz", "older.npz"]);
}

#[test]
fn a_tensor_with_a_very_long_name_has_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let name = "blocks.".repeat(60);
    let header =
        format!("{{\"{name}\":{{\"dtype\":\"F64\",\"shape\":[40,3],\"data_offsets\":[0,960]}}}}");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend((0..120u32).flat_map(|at| f64::from(at * at % 97).to_le_bytes()));
    let acts = folder.path().join("a.safetensors");
    fs::write(&acts, bytes).unwrap();
    let (tables, rows) = (folder.path().join("t"), folder.path().join("r"));
    for args in [
        ["neighbours", path(&acts), "-k", "5", "-o", path(&tables)],
        [
            "density-peaks",
            path(&acts),
            "-k",
            "5",
            "--assignments",
            path(&rows),
        ],
    ] {
        let output = repgeo(&args);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!((entries(&tables).len(), entries(&rows).len()), (1, 1));
}

#[test]
fn a_model_that_promises_more_blocks_than_it_has_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let model = fixture_arg("mechanisms/gpt2_tiny");
    let config = fs::read_to_string(format!("{model}/config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["n_layer"] = 200_000_000.into();
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    fs::copy(
        format!("{model}/model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    let out = folder.path().join("o.safetensors");
    let tokens = format!("{model}/prompts.safetensors");
    let output = repgeo(&[
        "forward",
        path(folder.path()),
        "--tokens",
        &tokens,
        "-o",
        path(&out),
    ]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("there is no tensor"), "{words}");
}
