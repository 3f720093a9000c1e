//! What `--help` shows can be typed: every example of every command runs.

use std::fs;
use std::path::Path;

use rayon::prelude::*;
use repgeo::storage::npy;
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

use super::common::{command, fixture, normals, path, printed, repgeo, stdout, text};

/// A dimension over five runs, as `dynamics` writes it.
const OVER_RUNS: &str = "\
run,layer,index,depth,other,quantity,variant,scale,value,std_error,n
ep0,a,0,0,,id,two_nn_base,1,9,,100
ep1,a,0,0,,id,two_nn_base,1,7,,100
ep2,a,0,0,,id,two_nn_base,1,8,,100
ep3,a,0,0,,id,two_nn_base,1,5,,100
ep4,a,0,0,,id,two_nn_base,1,4,,100
";

/// What somebody else measured of them.
const LOSS: &str = "run,corpus,loss,accuracy
ep0,x,2.5,0.1
ep1,y,2.0,0.3
ep2,x,1.75,0.5
ep3,y,1.5,0.4
ep4,x,1.25,0.9
";

/// The files that the examples name.
fn workplace() -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let save = |name: &str, rows: usize, columns: usize, seed: u64| {
        let data = normals(rows, columns, seed);
        fs::write(at(name), npy(&[rows, columns], data.as_slice().unwrap())).unwrap();
    };
    for (dump, seeds) in [("acts", [1, 2, 3, 4]), ("other", [5, 6, 7, 8])] {
        fs::create_dir(at(dump)).unwrap();
        for (layer, seed) in seeds.into_iter().enumerate() {
            save(&format!("{dump}/layer_{layer}.npy"), 150, 8, seed);
        }
    }
    save("w.npy", 3, 8, 9);
    save("b.npy", 3, 1, 10);
    let column = |header: &str, value: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..150).map(value).collect();
        format!("{header}{}\n", lines.join("\n"))
    };
    let classes = column("class\n", &|row| format!("kind{}", row % 3));
    fs::write(at("labels.csv"), classes).unwrap();
    let targets = column("", &|row| format!("{}", row % 3));
    fs::write(at("targets.txt"), targets).unwrap();
    let accuracy = "layer,accuracy\na,0.1\nb,0.4\nc,0.7\nd,0.6\n";
    fs::write(at("accuracy.csv"), accuracy).unwrap();
    fs::write(at("over_runs.csv"), OVER_RUNS).unwrap();
    fs::write(at("loss.csv"), LOSS).unwrap();
    let model = fixture("mechanisms/gpt2_tiny");
    fs::create_dir(at("gpt2")).unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(model.join(name), at("gpt2").join(name)).unwrap();
    }
    fs::copy(model.join("prompts.safetensors"), at("ids.safetensors")).unwrap();
    let streams = "embed,pos-embed,resid-pre,resid-mid,resid-post,attn-out,mlp-out,z,pattern,scale";
    let gpt2 = at("gpt2");
    let (prompts, output) = (at("ids.safetensors"), at("acts.safetensors"));
    stdout(&[
        "forward",
        path(&gpt2),
        "--tokens",
        path(&prompts),
        "--dump",
        streams,
        "--positions",
        "all",
        "-o",
        path(&output),
    ]);
    folder
}

/// The commands of the program; a unit test keeps the list of examples whole.
const COMMANDS: [&str; 31] = [
    "inspect",
    "id-profile",
    "dynamics",
    "correlate",
    "probe",
    "events",
    "imbalance",
    "overlap",
    "similarity",
    "density-peaks",
    "landscape",
    "clones",
    "neighbours",
    "forward",
    "logit-lens",
    "attribution",
    "head-pattern",
    "attention-modify",
    "ablate",
    "report",
    "plan",
    "shard",
    "status",
    "merge",
    "verify",
    "clean",
    "submit",
    "bench",
    "completions",
    "explain",
    "man",
];

/// The examples at the end of a help text.
fn examples(help: &str) -> Vec<&str> {
    let (_, lines) = help.rsplit_once("Examples:\n").unwrap();
    lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

fn run(line: &str, folder: &Path) {
    // The shell writes what stands behind `>`.
    let words = line.split(" > ").next().unwrap();
    let words: Vec<&str> = words.split_whitespace().skip(1).collect();
    let output = command(&words).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
}

#[test]
fn every_example_of_every_command_runs() {
    let folder = workplace();
    let folder = folder.path();
    // A run that is done, which stays as it is, and some that can go.
    for run_folder in ["run/", "old-run/", "older-run/", "oldest-run/"] {
        run(
            &format!("repgeo plan imbalance acts/ -o {run_folder} --block-rows 80"),
            folder,
        );
    }
    run("repgeo shard run/ --task 0..15", folder);
    // Some read what id-profile writes.
    run(
        "repgeo id-profile acts/ --estimator two-nn,mle -o profile.json -o profile.csv",
        folder,
    );
    COMMANDS.par_iter().for_each(|name| {
        let [short, long] = ["-h", "--help"].map(|flag| stdout(&[name, flag]));
        let shown = examples(&short);
        assert_eq!(shown.len(), 3, "{name}: {shown:?}");
        assert_eq!(shown, examples(&long), "{name}");
        // A screen, at the width that help takes where there is no terminal.
        let lines = short.lines().count();
        assert!(lines <= 45, "{name} -h has {lines} lines");
        assert!(long.lines().count() >= lines, "{name}");
        for line in shown {
            run(line, folder);
        }
    });
    for line in examples(&stdout(&["--help"])) {
        run(line, folder);
    }
}

#[test]
fn the_help_of_the_program_names_every_command() {
    let help = stdout(&["-h"]);
    for name in COMMANDS {
        let line = format!("  {name} ");
        assert_eq!(help.matches(&line).count(), 1, "{name}: {help}");
    }
}

#[test]
fn options_of_other_programs_are_translated() {
    for (option, here) in [("--json", "--format json"), ("--csv", "--format csv")] {
        let output = repgeo(&["inspect", "acts", option]);
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(here), "{words}");
        assert_eq!(words.matches("tip:").count(), 1, "{words}");
    }
}

#[test]
fn an_estimator_a_measure_or_a_dump_in_place_of_a_command_is_told_its_place() {
    let folder = workplace();
    for (typed, tip) in [
        ("TwoNN", "id-profile ACTS --estimator two-nn"),
        ("cka", "similarity ACTS --measure cka"),
        ("acts", "repgeo id-profile acts"),
        ("elsewhere.npz", "repgeo id-profile elsewhere.npz"),
    ] {
        let output = command(&[typed])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(tip), "{words}");
        assert_eq!(words.matches("tip:").count(), 1, "{words}");
    }
}

#[test]
fn a_command_that_lacks_what_it_needs_ends_in_an_example() {
    for (line, example) in [
        ("id-profile", "  repgeo id-profile acts/\n"),
        ("imbalance --to last", "  repgeo imbalance acts/"),
        ("correlate", "  repgeo correlate "),
        ("plan imbalance", "  repgeo plan imbalance acts/ "),
        ("plan overlap", "  repgeo plan "),
        ("explain --unknown", ""),
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = repgeo(&words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        match example {
            "" => assert!(!said.contains("For example"), "{said}"),
            _ => {
                let (_, end) = said.split_once("For example").unwrap();
                assert!(end.contains(example), "{said}");
                assert_eq!(end.lines().count(), 2, "{said}");
            }
        }
    }
}

#[test]
fn one_row_is_refused_and_codes_are_explained() {
    let folder = workplace();
    let output = command(&["id-profile", "acts", "--rows", "5"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    for (code, meaning) in [
        ("few_rows", "Fewer than 100 rows"),
        ("Too-Few-Layers", "event needs"),
        ("onset", "Rule: first layer"),
    ] {
        let shown = stdout(&["explain", code]);
        assert!(shown.contains(meaning), "{shown}");
    }
    let unknown = repgeo(&["explain", "few"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("few_rows"));
}

#[test]
fn progress_in_lines_names_every_layer_and_contradicts_quiet() {
    let folder = workplace();
    let run = |more: &[&str]| {
        let words = [&["imbalance", "acts", "--format", "csv"], more].concat();
        command(&words).current_dir(folder.path()).output().unwrap()
    };
    let words = text(&run(&["--progress", "lines"]).stderr);
    for line in [
        "neighbours 1/4 layer_0 ",
        "neighbours 4/4 layer_3 ",
        "ranks 4/4 layer_3 ",
    ] {
        assert!(words.contains(&format!("repgeo: {line}")), "{words}");
    }
    assert!(text(&run(&[]).stderr).is_empty());
    let refused = run(&["-q", "--progress", "lines"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--progress"));
}

#[test]
fn one_plan_stands_over_all_work_of_similarity_probe_and_clones() {
    let folder = workplace();
    let steps = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = command(&words);
        let command = command.args(["--progress", "lines", "--format", "json"]);
        let output = command.current_dir(folder.path()).output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        // Layers are read before anything is known to plan.
        let steps = said.lines().filter(|line| line.ends_with(" s"));
        let steps = steps.filter(|line| !line.starts_with("repgeo: reading "));
        let step = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words[1..words.len() - 2].join(" ")
        };
        steps.map(step).collect::<Vec<String>>()
    };
    let measures = "similarity acts --measure svcca,cka,imbalance,cka-debiased,overlap";
    assert_eq!(
        steps(&format!("{measures} --partitions 3")),
        [
            "cka 1/1",
            "svcca 1/1",
            "parts 1/1",
            "imbalance 1/1",
            "overlap 1/1"
        ]
    );
    assert_eq!(
        steps("similarity acts --rank other acts --measure rsa"),
        ["rsa 1/2 other", "rsa 2/2 acts"]
    );
    let probed = [1, 2, 3, 4].map(|layer| format!("probing {layer}/4 layer_{}", layer - 1));
    let mut probed = probed.to_vec();
    probed.push("proposals 1/1".into());
    assert_eq!(steps("probe acts --labels labels.csv"), probed);
    assert_eq!(
        steps("clones acts --layers 0 --readout w.npy b.npy --targets targets.txt --partitions 2"),
        ["chunks 1/1", "parts 1/2", "parts 2/2", "readout 1/1"]
    );
}

#[test]
fn a_pipe_is_named_and_standard_input_is_read_once() {
    let folder = workplace();
    let program = env!("CARGO_BIN_EXE_repgeo");
    let run = |line: &str| {
        let mut bash = std::process::Command::new("bash");
        let line = line.replace("repgeo", program);
        bash.args(["-c", &line]).current_dir(folder.path());
        bash.output().unwrap()
    };
    let output =
        run("repgeo imbalance <(cat acts/layer_0.npy) <(cat acts/layer_1.npy) --format csv");
    let table = text(&output.stdout);
    assert!(table.contains("pipe_"), "{table} {}", text(&output.stderr));
    let output = run("cat acts/layer_0.npy | repgeo imbalance - -");
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("named twice"), "{words}");
}

#[test]
fn names_of_choices_may_be_spelt_as_in_papers() {
    let folder = workplace();
    let report = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        printed(command(&words).current_dir(folder.path()))
    };
    for (typed, meant) in [
        ("id-profile acts --estimator TwoNN -k 3", None),
        (
            "id-profile acts --estimator TwoNN,MLE -k 3",
            Some("id-profile acts --estimator two-nn,mle -k 3"),
        ),
        (
            "similarity acts --measure CKA,CKA_RBF --bandwidth 0.5",
            Some("similarity acts --measure cka,cka-rbf --bandwidth 0.5"),
        ),
        (
            "id-profile acts --metric Cosine --format JSON",
            Some("id-profile acts --metric cosine --format json"),
        ),
    ] {
        match meant {
            Some(meant) => assert_eq!(report(typed), report(meant), "{typed}"),
            // What an option needs is not lifted by a capital: TwoNN alone reads no -k.
            None => {
                let words: Vec<&str> = typed.split_whitespace().collect();
                let output = command(&words).current_dir(folder.path()).output().unwrap();
                assert_eq!(output.status.code(), Some(2), "{typed}");
                assert!(text(&output.stderr).contains("-k"), "{typed}");
            }
        }
    }
}

#[test]
fn the_last_layer_is_minus_one_for_to_as_for_layers() {
    let folder = workplace();
    for command_name in ["imbalance", "overlap", "similarity"] {
        let report = |to: &str| {
            let words = [command_name, "acts", "--to", to, "--format", "csv"];
            printed(command(&words).current_dir(folder.path()))
        };
        assert_eq!(report("-1"), report("layer_3"), "{command_name}");
    }
}

#[test]
fn a_table_is_as_wide_as_columns_says() {
    let folder = workplace();
    for width in [40, 60, 100] {
        for line in ["similarity acts --measure cka", "id-profile acts"] {
            let words: Vec<&str> = line
                .split_whitespace()
                .chain(["--format", "table"])
                .collect();
            let mut command = command(&words);
            let command = command.current_dir(folder.path());
            let table = printed(command.env("COLUMNS", width.to_string()));
            for line in table.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
            // What is no number says nothing.
            let whole = printed(command.env("COLUMNS", "none"));
            assert_eq!(whole, printed(command.env_remove("COLUMNS")));
            assert!(whole.lines().any(|line| line.width() > 40), "{whole}");
        }
    }
}

#[test]
fn a_stderr_that_is_no_terminal_gets_warnings_with_the_name_of_the_input_alone() {
    let minilm = fixture("");
    for format in ["json", "csv"] {
        let words = ["id-profile", "minilm", "--format", format];
        let output = command(&words).current_dir(&minilm).output().unwrap();
        let words = text(&output.stderr);
        assert_eq!(words.lines().count(), 1, "{words}");
        let start = "repgeo: minilm: skipped_arrays: ";
        assert!(words.starts_with(start), "{words}");
    }
}
