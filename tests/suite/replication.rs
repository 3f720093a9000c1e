//! Every command of `docs/replication.md` can be typed: on small data of the same shape it runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use rayon::prelude::*;
use repgeo::storage::npy;
use tempfile::TempDir;

use super::common::{fixture, normals, stdout, text};

/// The files that the page names.
fn workplace() -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let save = |name: &str, rows: usize, columns: usize, seed: u64| {
        let data = normals(rows, columns, seed);
        fs::write(at(name), npy(&[rows, columns], data.as_slice().unwrap())).unwrap();
    };
    let dump = |name: &str, seed: u64| {
        fs::create_dir_all(at(name)).unwrap();
        for (layer, place) in ["a", "b", "c", "d"].into_iter().zip(0..) {
            save(&format!("{name}/{layer}.npy"), 120, 6, 10 * seed + place);
        }
    };
    dump("acts", 1);
    dump("other", 2);
    let runs = ["K2", "K4", "K8", "K16", "K32"];
    let mut table = "run,fid,accuracy,surprisal\n".to_owned();
    let mut list = "path,x\n".to_owned();
    for (run, seed) in runs.into_iter().zip(3..) {
        dump(&format!("runs/{run}"), seed);
        table += &format!("{run},{},0.{seed},{}\n", 400 - 30 * seed, seed * seed % 7);
        list += &format!("runs/{run},{}\n", &run[1..]);
    }
    fs::write(at("table.csv"), table).unwrap();
    fs::write(at("runs.csv"), list).unwrap();
    fs::write(at("gains.csv"), "layer,gain\na,0.1\nb,0.4\nc,0.3\nd,0.2\n").unwrap();
    let label = |row: usize| {
        let class = ["a", "b", "c"][row % 3];
        format!(
            "{class},m{},f{},s{},{}\n",
            row % 2,
            row % 10,
            row % 4,
            ["A", "B"][row % 2]
        )
    };
    let labels: String = (0..120).map(label).collect();
    fs::write(
        at("y.csv"),
        format!("class,macro,family,subject,letter\n{labels}"),
    )
    .unwrap();
    let targets: String = (0..120).map(|row| format!("{}\n", row % 3)).collect();
    fs::write(at("targets.txt"), targets).unwrap();
    save("w.npy", 3, 6, 90);
    save("bias.npy", 3, 1, 91);
    let (acts, tables) = (at("acts"), at("tables"));
    let paths = [&acts, &tables].map(|path| path.to_str().unwrap());
    stdout(&["neighbours", paths[0], "-o", paths[1], "-k", "40"]);
    let model = fixture("mechanisms/gpt2_tiny");
    fs::create_dir(at("gpt2")).unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(model.join(name), at("gpt2").join(name)).unwrap();
    }
    fs::copy(
        model.join("prompts.safetensors"),
        at("gpt2_prompts.safetensors"),
    )
    .unwrap();
    folder
}

/// A line of the shell in which `repgeo` is the program under test.
fn run(line: &str, folder: &Path) -> Result<(), String> {
    let program = format!(
        "repgeo() {{ '{}' \"$@\" > /dev/null; }}",
        env!("CARGO_BIN_EXE_repgeo")
    );
    let output = Command::new("sh")
        .args(["-ec", &format!("{program}\n{line}")])
        .current_dir(folder)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{line}: {}", text(&output.stderr))),
    }
}

/// The text between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
#[cfg(unix)]
fn every_command_of_the_page_runs() {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/replication.md")).unwrap();
    let folder = workplace();
    let mut lines = 0;
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let failed: Vec<String> = rows
        .par_iter()
        // The commands of one row follow each other: the second reads what the first wrote.
        .flat_map_iter(|row| {
            let commands = quoted(row).filter(|text| text.starts_with("repgeo "));
            commands.filter_map(|command| run(command, folder.path()).err())
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    for row in &rows {
        lines += quoted(row)
            .filter(|text| text.starts_with("repgeo "))
            .count();
    }
    assert!(lines > 50, "{lines}");
}

#[test]
#[cfg(unix)]
fn the_script_of_the_mechanisms_runs_on_a_small_model() {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/replication.md")).unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();
    // A model of 4 layers with 4 heads stands in for 12 by 12 and 32 by 32.
    let mut script = script.to_owned();
    for (published, small) in [
        ("10.7=5,11.10=2", "1.2=5,3.1=2"),
        ("10.7,11.10", "1.2,3.1"),
        ("10.7,11.2", "1.2,2.3"),
        ("17.28,20.18,21.8", "0.1,1.2,2.3"),
        ("pythia-6.9b", "gpt2"),
        ("pythia_prompts", "gpt2_prompts"),
        // The small prompts have no slots.
        ("--positions slots", "--positions all"),
    ] {
        assert!(script.contains(published), "{published}");
        script = script.replace(published, small);
    }
    let folder = workplace();
    run(&script, folder.path()).unwrap();
    assert!(folder.path().join("gpt2_all.safetensors").exists());
}
