//! The program as a user meets it: real commands, real files, real exit codes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use repgeo::neighbours::Kernel;
use repgeo::random::SplitMix64;
use serde_json::Value;
use tempfile::TempDir;

use super::common::{command, fixture, json, path, refusal, repgeo, stdout, text};

fn minilm() -> String {
    path(&fixture("minilm")).to_owned()
}

/// A small f32 .npy file.
fn write_npy(path: &Path, rows: usize, columns: usize, value: impl Fn(usize, usize) -> f32) {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    for row in 0..rows {
        for column in 0..columns {
            bytes.extend(value(row, column).to_le_bytes());
        }
    }
    fs::write(path, bytes).unwrap();
}

/// Uniform numbers of 16 bits, the same on every run.
fn noise(row: usize, column: usize) -> f32 {
    let mut random = SplitMix64::new((row * 1_000 + column) as u64);
    f32::from(u16::try_from(random.below(65_536)).unwrap()) / 65_536.0
}

const EVERY_REPORT: &[&[&str]] = &[
    &["id-profile"],
    &["id-profile", "--estimator", "gride"],
    &["id-profile", "--estimator", "two-nn", "--fit", "mle"],
    &["id-profile", "--fit", "bayes", "--order", "4"],
    &[
        "id-profile",
        "--fit",
        "mle-censored",
        "--fraction",
        "0.7",
        "--order",
        "match-density",
    ],
    &[
        "id-profile",
        "--order",
        "plateau",
        "--partitions",
        "4",
        "--id-scaling",
    ],
    &[
        "id-profile",
        "--decimate",
        "0.5",
        "--repeats",
        "3",
        "--id-scaling=decimation",
    ],
    &[
        "id-profile",
        "--blocks",
        "20",
        "--metric",
        "cosine",
        "--rows",
        "0..300",
    ],
    &[
        "id-profile",
        "--subsample",
        "200",
        "--seed",
        "7",
        "--layers",
        "0,-1",
        "--range-max",
        "500",
    ],
    &["id-profile", "--estimator", "all", "--layers", "0,-1"],
    &["id-profile", "--control", "null", "--layers", "0,-1"],
    &[
        "id-profile",
        "--control",
        "gaussian",
        "--estimator",
        "gride,mada",
        "--rows",
        "0..200",
        "--smooth",
        "3",
        "--skip-first",
        "--bottleneck",
        "3",
    ],
    &[
        "id-profile",
        "--estimator",
        "mle,tle,ess,abide,lpca",
        "-k",
        "12",
    ],
    &[
        "id-profile",
        "--estimator",
        "lpca,mind-ml,corr-int,binomial",
        "--metric",
        "cosine",
        "--rows",
        "0..300",
    ],
    &["density-peaks"],
    &["density-peaks", "--preset", "llm"],
    &["density-peaks", "--preset", "nucleation", "--smooth", "3"],
    &[
        "density-peaks",
        "--density",
        "kstar",
        "--alpha",
        "1e-3",
        "--id",
        "two-nn",
        "-k",
        "40",
    ],
    &[
        "density-peaks",
        "--density",
        "knn",
        "--id",
        "7.5",
        "--z",
        "0",
        "--duplicates",
        "keep",
    ],
    &["landscape", "--layers", "3"],
    &[
        "landscape",
        "--layers",
        "-1",
        "--z",
        "0.5",
        "--linkage",
        "average",
        "--absent",
        "floor",
    ],
    &[
        "landscape",
        "--layers",
        "1",
        "--cuts=-20,3",
        "--metric",
        "cosine",
    ],
    &[
        "similarity",
        "--measure",
        "cka,procrustes,rsa",
        "--rows",
        "0..200",
    ],
    &["clones", "--layers", "3", "--sizes", "8,64", "--draws", "3"],
    &["inspect"],
    &["inspect", "--scan", "--layers", "*5"],
];

#[test]
fn every_report_of_every_command_fits_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let manifolds = fixture("reference/manifolds");
    let mut checked = 0;
    for args in EVERY_REPORT {
        let mut inputs = vec![minilm()];
        if !args.contains(&"--layers") && !args.contains(&"--rows") && !args.contains(&"cosine") {
            for name in [
                "all_rows_equal",
                "duplicates",
                "lattice_ties",
                "tiny_n1",
                "tiny_n3",
            ] {
                inputs.push(path(&manifolds.join(format!("{name}.npy"))).to_owned());
            }
        }
        for input in inputs {
            let report = json(&[args, &[input.as_str()][..]].concat());
            let faults: Vec<String> = validator
                .iter_errors(&report)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{args:?} {input}: {faults:#?}");
            checked += 1;
        }
    }
    assert!(checked > 40);
}

#[test]
fn every_report_of_events_fits_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = TempDir::new().unwrap();
    let (profile, table) = (folder.path().join("p.json"), folder.path().join("p.csv"));
    for file in [&profile, &table] {
        repgeo(&["id-profile", &minilm(), "-o", path(file)]);
    }
    let resnet = fixture("events/resnet152.csv");
    let of = |file: &Path, args: &[&str]| {
        let report = json(&[&["events", path(file)], args].concat());
        let faults: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{args:?}: {faults:#?}");
        report["events"].clone()
    };
    // Whichever file they come from, events are those of the profile itself.
    let own: Value = serde_json::from_str(&fs::read_to_string(&profile).unwrap()).unwrap();
    assert_eq!(of(&profile, &[]), own["events"]);
    assert_eq!(of(&table, &[]), own["events"]);
    assert_eq!(own["events"]["peak"]["found"]["layer"], "hidden_states.0");
    let gride = of(
        &profile,
        &["--variant", "gride", "--scale", "4", "--threshold", "20"],
    );
    assert!(gride["threshold"]["found"]["value"].as_f64().unwrap() > 20.0);
    let header = fs::read_to_string(&resnet).unwrap();
    let column = header
        .lines()
        .next()
        .unwrap()
        .split(',')
        .next_back()
        .unwrap();
    of(&resnet, &["--column", column, "--smooth", "3"]);
    for (args, code) in [
        (&["--bottleneck", "nowhere"][..], 2),
        (&["--smooth", "2"], 2),
        (&["--variant", "nothing"], 1),
    ] {
        refusal(&[&["events", path(&profile)], args].concat(), code);
    }
}

/// A standard normal number, as the sum of twelve uniform ones.
fn normal(row: usize, column: usize) -> f32 {
    let draws = (0..12).map(|draw| noise(row, 12 * column + draw));
    draws.sum::<f32>() - 6.0
}

#[test]
fn a_control_agrees_with_a_gaussian_and_differs_from_a_manifold() {
    let folder = TempDir::new().unwrap();
    let gaussian = folder.path().join("gaussian.npy");
    write_npy(&gaussian, 1_500, 8, |row, column| {
        normal(row, column) * if column < 4 { 1.0 } else { 0.5 }
    });
    // How many standard errors a layer lies from its controls.
    let distances = |file: &Path, estimator: &str| -> Vec<f64> {
        let args = [
            "id-profile",
            path(file),
            "--control",
            "null",
            "--estimator",
            estimator,
        ];
        let report = json(&args);
        let layer = &report["layers"][0];
        let read = |estimate: &Value| {
            let read = |field: &str| estimate[field].as_f64().unwrap();
            (read("id"), read("std_error"))
        };
        let (id, error) = read(&layer["estimates"][0]);
        let controls = layer["controls"].as_array().unwrap().iter();
        controls
            .map(|control| {
                let (other, other_error) = read(&control["estimates"][0]);
                (id - other).abs() / error.hypot(other_error)
            })
            .collect()
    };
    let roll = fixture("reference/manifolds/swiss_roll.npy");
    for estimator in ["two-nn", "mle"] {
        let near = distances(&gaussian, estimator);
        assert!(near.len() == 2 && near.iter().all(|&d| d < 4.0), "{near:?}");
        let far = distances(&roll, estimator);
        assert!(far.len() == 2 && far.iter().all(|&d| d > 8.0), "{far:?}");
    }
    let refused = refusal(
        &[
            "id-profile",
            "--neighbours",
            path(&roll),
            "--control",
            "null",
        ],
        2,
    );
    assert!(refused.contains("--control"), "{refused}");
}

#[test]
fn local_dimensions_stand_at_their_input_rows() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("local.npy");
    let input = fixture("reference/manifolds/duplicates.npy");
    let base = ["id-profile", path(&input), "--local", path(&file)];
    let report = json(&[&base[..], &["--estimator", "mom", "-k", "10"]].concat());
    let layer = &report["layers"][0];
    let bytes = fs::read(&file).unwrap();
    let n = usize::try_from(layer["diagnostics"]["n_rows"].as_u64().unwrap()).unwrap();
    let values: Vec<f64> = bytes[bytes.len() - 8 * n..]
        .chunks_exact(8)
        .map(|value| f64::from_le_bytes(value.try_into().unwrap()))
        .collect();
    let header = text(&bytes[10..bytes.len() - 8 * n]);
    assert!(header.contains(&format!("'shape': ({n},)")), "{header}");
    let present: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    let dropped = layer["diagnostics"]["n_duplicates"].as_u64().unwrap();
    assert!(dropped > 0 && n as u64 - dropped == present.len() as u64);
    let mean = present.iter().sum::<f64>() / present.len() as f64;
    let id = layer["estimates"][0]["id"].as_f64().unwrap();
    assert!((mean / id - 1.0).abs() < 1e-12, "{mean} {id}");
    for args in [
        &["--estimator", "two-nn"][..],
        &["--estimator", "mle,mom"],
        &[],
    ] {
        assert!(refusal(&[&base[..], args].concat(), 2).contains("--local"));
    }
}

#[test]
fn tables_give_every_estimator_but_those_that_need_coordinates() {
    let folder = TempDir::new().unwrap();
    let (n, d) = (120, 5);
    let acts = folder.path().join("layer.npy");
    write_npy(&acts, n, d, noise);
    let distance = |i: usize, j: usize| {
        let squares = (0..d).map(|c| (f64::from(noise(i, c)) - f64::from(noise(j, c))).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let square = folder.path().join("square.npy");
    #[allow(clippy::cast_possible_truncation)]
    write_npy(&square, n, n, |i, j| distance(i, j) as f32);
    let estimators = "gride,mle,corr-int,mada,mind-ml,binomial,abide";
    let args = ["--estimator", estimators, "--order", "3"];
    let given = json(&[&["id-profile", "--neighbours", path(&square)], &args[..]].concat());
    let found = json(&[&["id-profile", path(&acts)], &args[..]].concat());
    let ids = |report: &Value| -> Vec<f64> {
        let estimates = report["layers"][0]["estimates"].as_array().unwrap().iter();
        estimates
            .map(|estimate| estimate["id"].as_f64().unwrap())
            .collect()
    };
    assert_eq!(ids(&given).len(), 7);
    for (a, b) in ids(&given).iter().zip(ids(&found)) {
        assert!((a / b - 1.0).abs() < 1e-3, "{a} {b}");
    }
    for name in ["tle", "ess", "lpca", "participation-ratio"] {
        let args = [
            "id-profile",
            "--neighbours",
            path(&square),
            "--estimator",
            name,
        ];
        assert!(refusal(&args, 2).contains(&format!("--estimator {name}")));
    }
}

#[test]
fn threads_change_no_byte_of_any_report() {
    for args in EVERY_REPORT {
        for format in ["json", "csv", "table"] {
            let input = minilm();
            let of = |threads| {
                let common = ["--format", format, "--threads", threads, input.as_str()];
                stdout(&[args, &common[..]].concat())
            };
            assert_eq!(of("1"), of("2"), "{args:?} {format}");
        }
    }
}

/// Rows and columns enough for the choice of a kernel, with a few strong directions.
fn large_layer(folder: &Path, name: &str, seed: u64) -> PathBuf {
    let (n, d) = (1300usize, 64usize);
    let mut random = SplitMix64::new(seed);
    let mixing: Vec<f64> = (0..5 * d).map(|_| random.uniform() - 0.5).collect();
    let mut bytes = Vec::new();
    for _ in 0..n {
        let weights: Vec<f64> = (0..5).map(|_| random.uniform()).collect();
        for j in 0..d {
            let x: f64 = weights
                .iter()
                .zip(&mixing[5 * j..])
                .map(|(w, m)| w * m)
                .sum();
            #[allow(clippy::cast_possible_truncation)]
            bytes.extend((x as f32).to_le_bytes());
        }
    }
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {d}), }}");
    let header = format!("{header:<117}\n");
    let file = folder.join(name);
    let start = [b"\x93NUMPY\x01\x00v\x00", header.as_bytes()].concat();
    fs::write(&file, [start, bytes].concat()).unwrap();
    file
}

#[test]
fn kernels_change_no_byte_of_any_report() {
    let folder = TempDir::new().unwrap();
    let files = ["a.npy", "b.npy"]
        .map(|name| large_layer(folder.path(), name, u64::from(name.as_bytes()[0])));
    let (a, b) = (path(&files[0]), path(&files[1]));
    for args in [
        &["id-profile", "--range-max", "600", a][..],
        &["imbalance", a, b],
        &["overlap", a, b, "-k", "10"],
    ] {
        let of = |kernel: &str| stdout(&[args, &["--format", "json", "--kernel", kernel]].concat());
        let portable = of("portable");
        for kernel in Kernel::ALL {
            let name = kernel.as_str();
            if kernel.is_available() {
                assert_eq!(of(name), portable, "{args:?} by {name}");
            } else {
                let message = refusal(&[args, &["--kernel", name]].concat(), 2);
                assert!(message.contains("--kernel"), "{message}");
            }
        }
    }
}

#[test]
fn a_limit_on_memory_changes_no_byte_and_one_too_low_is_refused_with_what_it_takes() {
    let folder = TempDir::new().unwrap();
    let files = ["a.npy", "b.npy"]
        .map(|name| large_layer(folder.path(), name, u64::from(name.as_bytes()[0])));
    let (a, b) = (path(&files[0]), path(&files[1]));
    for args in [
        &["id-profile", "--range-max", "64", a][..],
        &["imbalance", a, b],
        &["density-peaks", "-k", "20", a],
    ] {
        let args = [args, &["--format", "json", "--threads", "2"]].concat();
        let message = refusal(&[&args[..], &["--max-memory", "10K"]].concat(), 1);
        assert!(
            message.contains("the limit is 10 KiB (--max-memory"),
            "{message}"
        );
        // "... need X MiB, ...": that much is enough, and less than without a limit.
        let (_, rest) = message.split_once(" need ").expect("it says what it needs");
        let needed = format!("{}M", rest.split(' ').next().unwrap());
        let limited = stdout(&[&args[..], &["--max-memory", &needed]].concat());
        assert_eq!(limited, stdout(&args), "{args:?} {needed}");
    }
}

#[test]
fn a_gpu_that_is_not_there_is_refused_in_words_before_any_work() {
    let found = json(&["bench", "--rows", "60", "--columns", "4", "--rounds", "1"]);
    let here = found["devices"].as_array().unwrap().len();
    let minilm = minilm();
    for numbers in [vec![here], vec![here, here + 1], vec![63]] {
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        let device = format!("cuda:{}", numbers.join(","));
        let words = refusal(&["id-profile", &minilm, "--device", &device], 2);
        assert!(words.contains(&format!("--device {device}: ")), "{words}");
        assert!(words.contains("leave the flag out"), "{words}");
    }
    for nonsense in ["cuda:0,0", "cuda:64", "gpu"] {
        let output = repgeo(&["id-profile", &minilm, "--device", nonsense]);
        assert_eq!(output.status.code(), Some(2), "{nonsense}");
        assert!(text(&output.stderr).contains("cuda:0,1"), "{nonsense}");
    }
}

#[test]
fn bench_names_the_kernel_that_it_chose() {
    let args = ["bench", "--rows", "200", "--columns", "8", "--rounds", "1"];
    let found = json(&args);
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&found), "{found}");
    // A layer this small needs no bf16; which f32 kernel it gets, the machine decides.
    let chosen = found["chosen"].as_str().unwrap();
    assert!(
        !chosen.contains("bf16") && !chosen.contains("amx"),
        "{chosen}"
    );
    let kernels = found["kernels"].as_array().unwrap();
    assert!(
        kernels.iter().any(|kernel| kernel["kernel"] == chosen),
        "{found}"
    );
    assert!(found["kernels"][0]["ceiling_gflops"].as_f64().unwrap() > 0.0);
    // The first GPU is timed, or the reason says why not.
    assert_ne!(
        found["device_seconds"].is_null(),
        found["no_device"].is_null()
    );
    let table = stdout(&[&args[..], &["--format", "table"]].concat());
    assert!(table.contains("chosen"));
}

#[test]
fn a_dump_and_its_copy_in_another_precision_give_the_same_numbers() {
    let folder = TempDir::new().unwrap();
    let halves = fixture("formats/c_f16.npy");
    let single = fixture("formats/c_f32.npy");
    let double = fixture("formats/c_f64.npy");
    let numbers = |file: &Path| {
        let copy = folder.path().join("layer.npy");
        fs::copy(file, &copy).unwrap();
        stdout(&["id-profile", "--format", "csv", path(&copy)])
    };
    assert_eq!(numbers(&halves), numbers(&single));
    assert_eq!(numbers(&single), numbers(&double));
}

#[test]
fn standard_input_equals_the_file() {
    let file = fixture("reference/manifolds/swiss_roll.npy");
    let here = json(&["id-profile", path(&file)]);
    let output = command(&["id-profile", "-"])
        .stdin(fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    let there: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        here["layers"][0]["estimates"],
        there["layers"][0]["estimates"]
    );
}

#[test]
fn a_profile_flows_through_a_pipe_into_its_events() {
    let profile = stdout(&["id-profile", "--quiet", &minilm()]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("profile.json");
    fs::write(&file, &profile).unwrap();
    let mut child = command(&["events", "-", "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(profile.as_bytes())
        .unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(
        text(&piped.stdout),
        stdout(&["events", path(&file), "--format", "csv"])
    );
}

#[test]
fn broken_files_are_refused_in_one_line_that_names_the_file() {
    let mut seen = 0;
    for entry in fs::read_dir(fixture("broken")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "index.json" || name == "labels_wrong_n" || name == "README.md" {
            continue;
        }
        for subcommand in ["inspect", "id-profile"] {
            // Bytes behind the array and unequal layers are no fault of a header.
            if name == "trailing_garbage.npy"
                || (subcommand == "inspect" && name == "wrong_n_across_layers")
            {
                continue;
            }
            let message = refusal(&[subcommand, path(&file)], 1);
            let stem = name.split('.').next().unwrap();
            assert!(
                message.contains(stem) || message.contains("layer_02"),
                "{message}"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
    let labels = fixture("broken/labels_wrong_n/labels.npy");
    let dump = fixture("broken/labels_wrong_n/layer_00.npy");
    let message = refusal(
        &[
            "id-profile",
            path(&dump),
            "--per-class",
            "2",
            "--labels",
            path(&labels),
        ],
        1,
    );
    assert!(
        message.contains("39") && message.contains("40"),
        "{message}"
    );
}

#[test]
fn what_the_user_must_decide_is_asked_for_by_flag() {
    let threed = fixture("formats/threed.npy");
    assert!(refusal(&["id-profile", path(&threed)], 1).contains("--pool"));
    let nan = fixture("formats/nan_one.npy");
    let message = refusal(&["id-profile", path(&nan)], 1);
    assert!(message.contains("row 3, column 2") && message.contains("--drop-nonfinite"));
    let equal = fixture("reference/manifolds/duplicates.npy");
    let message = refusal(&["id-profile", path(&equal), "--duplicates", "refuse"], 1);
    assert!(message.contains("--duplicates drop or keep"), "{message}");
    let kept = json(&["id-profile", path(&nan), "--drop-nonfinite"]);
    assert_eq!(kept["layers"][0]["n_rows"], 39);
    assert_eq!(
        kept["layers"][0]["warnings"][0]["code"],
        "nonfinite_dropped"
    );
}

#[test]
fn usage_errors_exit_with_2() {
    for args in [
        &["id-profile", "acts", "--fit", "mle", "--fraction", "0.5"][..],
        &["id-profile", "acts", "--fraction", "1.5"],
        &[
            "id-profile",
            "acts",
            "--estimator",
            "two-nn",
            "--order",
            "3",
        ],
        &["id-profile", "acts", "-o", "profile.docx"],
    ] {
        refusal(args, 2);
    }
    for args in [
        &["id-profil", "acts"][..],
        &["id-profile"],
        &["id-profile", "acts", "--range-max", "1"],
        &["id-profile", "acts", "--partitions", "0"],
        &["id-profile", "acts", "--neighbours", "tables"],
    ] {
        assert_eq!(repgeo(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(
        repgeo(&["id-profile", "no/such/dump"]).status.code(),
        Some(1)
    );
    assert_eq!(repgeo(&["--help"]).status.code(), Some(0));
}

#[test]
fn nothing_to_measure_is_null_with_a_reason() {
    let equal = fixture("reference/manifolds/all_rows_equal.npy");
    let report = json(&["id-profile", path(&equal)]);
    let estimate = &report["layers"][0]["estimates"][0];
    assert_eq!(estimate["id"], Value::Null);
    assert_eq!(estimate["reason"], "all_rows_identical");
    let report = json(&["id-profile", "--duplicates", "keep", path(&equal)]);
    assert_eq!(
        report["layers"][0]["estimates"][0]["reason"],
        "all_rows_identical"
    );
    for (name, reason) in [("tiny_n1", "too_few_rows"), ("tiny_n2", "too_few_rows")] {
        let file = fixture(&format!("reference/manifolds/{name}.npy"));
        let report = json(&["id-profile", path(&file)]);
        assert_eq!(
            report["layers"][0]["estimates"][0]["reason"], reason,
            "{name}"
        );
    }
}

#[test]
fn scaling_moving_and_reordering_rows_leave_the_dimension_alone() {
    let folder = TempDir::new().unwrap();
    let (n, d) = (300, 12);
    let value = |f: &dyn Fn(usize, usize) -> f32, name: &str| {
        let file = folder.path().join(name).join("layer.npy");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        write_npy(&file, n, d, f);
        let report = json(&["id-profile", path(&file), "--fit", "mle"]);
        let layer = &report["layers"][0];
        (
            layer["estimates"][0]["id"].clone(),
            layer["scaling"][3]["id"].clone(),
        )
    };
    let base = value(&noise, "base");
    assert!(base.0.as_f64().unwrap() > 3.0);
    // A power of two, and a shift that f32 holds exactly beside these 16-bit values.
    assert_eq!(base, value(&|i, j| noise(i, j) * 1024.0, "scaled"));
    assert_eq!(base, value(&|i, j| noise(i, j) + 8.0, "moved"));
    // Sums over rows are folded in sorted order, so even their last bits stay.
    assert_eq!(base, value(&|i, j| noise((i * 7) % 300, j), "reordered"));
}

#[test]
fn precomputed_tables_give_the_numbers_of_their_activations() {
    let folder = TempDir::new().unwrap();
    let (n, d) = (120, 5);
    let acts = folder.path().join("layer.npy");
    write_npy(&acts, n, d, noise);
    let distance = |i: usize, j: usize| {
        let squares = (0..d).map(|c| (f64::from(noise(i, c)) - f64::from(noise(j, c))).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let square = folder.path().join("square.npy");
    #[allow(clippy::cast_possible_truncation)]
    write_npy(&square, n, n, |i, j| distance(i, j) as f32);
    let given = json(&["id-profile", "--neighbours", path(&square)]);
    let found = json(&["id-profile", path(&acts)]);
    let id = |report: &Value| report["layers"][0]["estimates"][0]["id"].as_f64().unwrap();
    // The matrix was rounded to f32.
    assert!(
        (id(&given) / id(&found) - 1.0).abs() < 1e-4,
        "{} {}",
        id(&given),
        id(&found)
    );
    assert_eq!(given["layers"][0]["n_columns"], Value::Null);
    let message = refusal(
        &[
            "id-profile",
            "--neighbours",
            path(&square),
            "--partitions",
            "2",
        ],
        2,
    );
    assert!(message.contains("--neighbours"), "{message}");
}

#[test]
fn a_report_file_is_whole_or_absent_and_stdout_stays_empty() {
    let folder = TempDir::new().unwrap();
    for name in ["profile.json", "profile.csv", "profile.txt"] {
        let file = folder.path().join(name);
        let output = repgeo(&["id-profile", &minilm(), "-o", path(&file)]);
        assert!(output.status.success() && output.stdout.is_empty());
        assert!(text(&output.stderr).starts_with("repgeo: "));
        assert!(fs::read_to_string(&file).unwrap().ends_with('\n'));
    }
    let broken = fixture("formats/nan_one.npy");
    let file = folder.path().join("never.json");
    refusal(&["id-profile", path(&broken), "-o", path(&file)], 1);
    assert!(!file.exists());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        3,
        "a temporary file was left"
    );
    let missing = folder.path().join("no/such/folder.json");
    assert!(refusal(&["id-profile", &minilm(), "-o", path(&missing)], 1).contains("directory"));
}

#[test]
fn quiet_is_quiet_and_ascii_is_ascii() {
    let output = repgeo(&["id-profile", &minilm(), "--quiet"]);
    assert!(output.stderr.is_empty());
    let table = stdout(&[
        "id-profile",
        &minilm(),
        "--format",
        "table",
        "--ascii",
        "--id-scaling",
    ]);
    assert!(table.is_ascii() && !table.contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_failure() {
    use std::io::Read;
    let mut child = command(&["id-profile", &minilm()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut start = [0u8; 1];
    pipe.read_exact(&mut start).unwrap();
    drop(pipe);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn explain_needs_no_input_and_reads_none() {
    let text = stdout(&["id-profile", "--explain"]);
    assert!(
        text.contains("two_nn_base") && text.contains("jackknife"),
        "{text}"
    );
    assert_eq!(text, stdout(&["id-profile", "no/such/file", "--explain"]));
}

#[test]
fn one_computation_is_written_in_several_formats() {
    let folder = TempDir::new().unwrap();
    let (report, table) = (folder.path().join("p.json"), folder.path().join("p.csv"));
    let both = [
        "id-profile",
        &minilm(),
        "-o",
        path(&report),
        "-o",
        path(&table),
    ];
    let output = repgeo(&[&both[..], &["-o", "-", "--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(2), "csv contradicts json");
    let output = repgeo(&[&both[..], &["-o", "-"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let json = stdout(&["id-profile", &minilm(), "--format", "json"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), json);
    assert_eq!(fs::read_to_string(&report).unwrap(), json);
    let csv = stdout(&["id-profile", &minilm(), "--format", "csv"]);
    assert_eq!(fs::read_to_string(&table).unwrap(), csv);

    let twice = refusal(
        &[
            "id-profile",
            &minilm(),
            "-o",
            path(&report),
            "-o",
            path(&report),
        ],
        2,
    );
    assert!(twice.contains("given twice"), "{twice}");
    assert!(!folder.path().join("-").exists());
}
