//! Several dumps in one call are named by what differs in their paths, or as they are told.

use std::fs;

use super::{Folder, json, npy, refusal, run, scattered};

fn dump(folder: &Folder, name: &str, seed: usize) -> String {
    fs::create_dir_all(folder.join(&format!("{name}/acts"))).unwrap();
    for layer in 0..3 {
        let file = format!("{name}/acts/layer_{layer}.npy");
        folder.file(
            &file,
            npy(&[120, 4], |at| scattered(at + 1000 * (3 * seed + layer))),
        );
    }
    folder
        .join(&format!("{name}/acts"))
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_profile_of_several_runs_holds_that_of_each() {
    let folder = Folder::new();
    let runs = [dump(&folder, "ep10", 1), dump(&folder, "ep2", 2)];
    let report = json(&["id-profile", &runs[0], &runs[1]]);
    let names: Vec<&str> = report["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["run"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ep2", "ep10"]);
    for (name, path) in [("ep10", &runs[0]), ("ep2", &runs[1])] {
        let alone = json(&["id-profile", path]);
        for layer in alone["layers"].as_array().unwrap() {
            let values = report["values"].as_array().unwrap();
            let of = |variant: &str| {
                let mut all = values.iter();
                all.find(|value| {
                    value["run"] == name
                        && value["layer"] == layer["layer"]
                        && value["variant"] == variant
                })
                .unwrap_or_else(|| panic!("no {variant} of {name}"))
            };
            assert_eq!(of("two_nn_base")["value"], layer["estimates"][0]["id"]);
            assert!(of("gride")["value"].is_f64() || of("gride")["reason"].is_string());
        }
    }
    let csv = run(&["id-profile", &runs[0], &runs[1], "--format", "csv"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(csv.starts_with("run,layer,"), "{csv}");
    let table = run(&["id-profile", &runs[0], &runs[1], "--format", "table"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("ep2") && table.contains("ep10"), "{table}");
    let plot = folder.join("runs.svg");
    let plot = plot.to_str().unwrap();
    json(&["id-profile", &runs[0], &runs[1], "--plot", plot]);
    let drawn = fs::read_to_string(plot).unwrap();
    assert!(drawn.contains("ep2") && drawn.contains("ep10"));
}

#[test]
fn runs_may_be_given_names_and_stand_as_typed() {
    let folder = Folder::new();
    let runs = [dump(&folder, "a", 1), dump(&folder, "b", 2)];
    let named = [format!("tuned={}", runs[1]), format!("base={}", runs[0])];
    for command in ["id-profile", "dynamics"] {
        let report = json(&[command, &named[0], &named[1]]);
        let names = report["runs"].as_array().unwrap();
        let names: Vec<&str> = names
            .iter()
            .map(|run| run["run"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["tuned", "base"], "{command}");
    }
    let error = refusal(&[
        "id-profile",
        &format!("x={}", runs[0]),
        &format!("x={}", runs[1]),
    ]);
    assert!(error.contains("two runs are called x"), "{error}");
    let error = refusal(&["id-profile", &runs[0], &runs[1], "--id-scaling"]);
    assert!(error.contains("--id-scaling"), "{error}");
    // One run with a name is that run.
    let alone = json(&["id-profile", &named[1]]);
    assert_eq!(alone["layers"], json(&["id-profile", &runs[0]])["layers"]);
}

/// Plans an analysis, does its parts and joins them: the report is that of the call itself.
fn divided(folder: &Folder, name: &str, analysis: &[&str]) {
    let place = folder.join(name);
    let place = place.to_str().unwrap();
    let planned = run(&[&["plan"], analysis, &["-o", place]].concat());
    assert!(planned.status.success(), "{analysis:?}");
    let missing = run(&["merge", place]);
    let words = String::from_utf8_lossy(&missing.stderr).into_owned();
    let tasks = words.split("--task ").nth(1).unwrap();
    let last = tasks
        .split([' ', '-'])
        .find_map(|word| word.parse::<usize>().ok().filter(|n| *n > 0));
    for task in 0..=last.unwrap_or(0) {
        let done = run(&["shard", place, "--task", &task.to_string(), "-q"]);
        assert!(done.status.success(), "{analysis:?}, task {task}");
    }
    let merged = json(&["merge", place, "--format", "json"]);
    assert_eq!(merged, json(analysis), "{analysis:?}");
}

#[test]
fn several_runs_and_tokens_may_be_divided_among_machines() {
    let folder = Folder::new();
    let runs = [dump(&folder, "a", 1), dump(&folder, "b", 2)];
    divided(&folder, "runs", &["id-profile", &runs[0], &runs[1]]);
    let acts = folder.file("acts.npy", npy(&[60, 4, 3], scattered));
    let tokens = ["id-profile", &acts, "--pool", "tokens", "--subsample", "90"];
    divided(&folder, "tokens", &tokens);
}
