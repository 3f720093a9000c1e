//! Ways of dumping that are normal in the field, each with the right value or refusal.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/dumps")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_repgeo"));
    command.args(args).stdin(Stdio::null());
    command
}

pub(super) fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

pub(super) fn json(args: &[&str]) -> Value {
    let output = run(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The one line of a refused command.
pub(super) fn refusal(args: &[&str]) -> String {
    let output = run(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} was not refused");
    assert_eq!(error.trim_end().lines().count(), 1, "{args:?}: {error}");
    error
}

/// Names of the layers, in order.
pub(super) fn names(args: &[&str]) -> Vec<String> {
    let report = json(&[&["inspect"], args].concat());
    let layers = report["layers"].as_array().unwrap();
    let name = |layer: &Value| layer["layer"].as_str().unwrap().to_owned();
    layers.iter().map(name).collect()
}

pub(super) fn near(found: f64, wanted: f64, by: f64) {
    assert!((found - wanted).abs() <= by, "{found} is not {wanted}");
}

/// TwoNN of every layer.
pub(super) fn dimensions(args: &[&str]) -> Vec<f64> {
    let report = json(&[&["id-profile", "--estimator", "two-nn"], args].concat());
    let layers = report["layers"].as_array().unwrap();
    let id = |layer: &Value| layer["estimates"][0]["id"].as_f64().unwrap();
    layers.iter().map(id).collect()
}

/// An npy file of f32.
pub(super) fn npy(shape: &[usize], value: impl Fn(usize) -> f32) -> Vec<u8> {
    let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    for at in 0..shape.iter().product() {
        bytes.extend(value(at).to_le_bytes());
    }
    bytes
}

/// Values that repeat nowhere.
pub(super) fn scattered(at: usize) -> f32 {
    (at as f32 * 0.618_034).fract() + (at as f32 * 0.1).sin()
}

pub(super) fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

// Which arrays are layers.

#[test]
fn npz_members_count_with_and_without_their_ending() {
    let wanted = ["layer_0", "layer_1", "layer_2"];
    assert_eq!(names(&[&fixture("npz-names/bare.npz")]), wanted);
    assert_eq!(names(&[&fixture("npz-names/mixed.npz")]), wanted);
}

#[test]
fn what_was_not_chosen_need_not_be_readable_and_is_named() {
    let folder = Folder::new();
    let good = npy(&[120, 4], scattered);
    let mut bad = good.clone();
    bad.truncate(200);
    let acts = folder.file(
        "acts.npz",
        npz(&[("a.npy", good), ("b.npy", bad), ("notes", b"text".to_vec())]),
    );
    let error = refusal(&["id-profile", &acts]);
    assert!(error.contains('b') && error.contains("promises"), "{error}");
    assert_eq!(dimensions(&[&acts, "--layers", "a"]).len(), 1);
    let report = json(&["inspect", &acts]);
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(
        warning.contains("notes (bytes that are no npy array)"),
        "{warning}"
    );
}

#[test]
fn what_lies_in_a_folder_beside_layers_is_named() {
    let folder = Folder::new();
    folder.file("layer_0.npy", npy(&[120, 4], scattered));
    folder.file("acts.mat", "x");
    fs::create_dir(folder.join("old")).unwrap();
    let report = json(&["inspect", folder.path()]);
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(
        warning.contains("acts.mat (no arrays by its ending)"),
        "{warning}"
    );
    assert!(warning.contains("old (a folder)"), "{warning}");
}

#[test]
fn neighbour_tables_are_never_taken_for_activations() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", npy(&[120, 4], scattered));
    let tables = folder.join("tables");
    let tables = tables.to_str().unwrap();
    assert!(
        run(&["neighbours", &acts, "-k", "12", "-o", tables])
            .status
            .success()
    );
    let answers = folder.join("answers");
    let answers = answers.to_str().unwrap();
    let asked = [
        "neighbours",
        &acts,
        "--queries",
        &acts,
        "-k",
        "12",
        "-o",
        answers,
    ];
    assert!(run(&asked).status.success());
    for path in [tables, answers, &fixture("tables/squared.npz")] {
        let error = refusal(&["overlap", path, "--to", "last"]);
        assert!(error.contains("--neighbours"), "{error}");
    }
    // Beside layers they are left out and named.
    let mixed = Folder::new();
    mixed.file("layer_0.npy", npy(&[120, 4], scattered));
    mixed.file("layer_0_dist.npy", npy(&[120, 5], scattered));
    mixed.file("layer_0_index.npy", npy(&[120, 5], scattered));
    assert_eq!(names(&[mixed.path()]), ["layer_0"]);
}

// Order.

#[test]
fn layers_come_in_the_order_in_which_the_network_runs() {
    assert_eq!(
        names(&[&fixture("order/lens.safetensors")]),
        [
            "hook_embed",
            "blocks.0.hook_resid_post",
            "blocks.1.hook_resid_post",
            "blocks.2.hook_resid_post",
            "blocks.3.hook_resid_post"
        ]
    );
    let resnet = [
        "conv1", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc",
    ];
    let path = fixture("order/resnet.npz");
    assert_eq!(names(&[&path]), resnet);
    assert_eq!(names(&[&path, "--layers", &resnet.join(",")]), resnet);
    assert_eq!(names(&[&path, "--layers", "fc,conv1"]), ["fc", "conv1"]);
    let by_value = [
        "depth_0.0",
        "depth_0.125",
        "depth_0.25",
        "depth_0.5",
        "depth_0.75",
        "depth_1.0",
    ];
    assert_eq!(names(&[&fixture("order/depth.npz")]), by_value);
}

#[test]
fn files_of_a_folder_follow_the_same_rules_and_unknown_names_warn() {
    let folder = Folder::new();
    for name in [
        "lm_head",
        "model.embed_tokens",
        "model.layers.10",
        "model.layers.9",
    ] {
        folder.file(&format!("{name}.npy"), npy(&[60, 4], scattered));
    }
    assert_eq!(
        names(&[folder.path()]),
        [
            "model.embed_tokens",
            "model.layers.9",
            "model.layers.10",
            "lm_head"
        ]
    );
    let odd = Folder::new();
    for name in ["zeta", "alpha", "middle_one"] {
        odd.file(&format!("{name}.npy"), npy(&[60, 4], scattered));
    }
    let code = |report: &Value| report["warnings"][0]["code"].as_str().map(str::to_owned);
    assert_eq!(
        code(&json(&["inspect", odd.path()])).as_deref(),
        Some("unsure_order")
    );
    let given = ["inspect", odd.path(), "--layers", "zeta,middle_one,alpha"];
    assert_eq!(code(&json(&given)), None);
    let list = odd.file("order.txt", "zeta\nmiddle_one\nalpha\n");
    fs::rename(&list, odd.join(".order.txt")).unwrap();
    let list = odd.join(".order.txt");
    let listed = names(&[odd.path(), "--order-file", list.to_str().unwrap()]);
    assert_eq!(listed, ["zeta", "middle_one", "alpha"]);
    fs::write(&list, "zeta\nalpha\n").unwrap();
    let error = refusal(&[
        "inspect",
        odd.path(),
        "--order-file",
        list.to_str().unwrap(),
    ]);
    assert!(
        error.contains("middle_one") && error.contains("not in the list"),
        "{error}"
    );
}

#[test]
fn a_safetensors_file_may_say_its_order() {
    let folder = Folder::new();
    let file = |order: &str| {
        let header = format!(
            r#"{{"__metadata__":{{"order":"{order}"}},"a":{{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}},"b":{{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}}}"#
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 16]);
        folder.file("acts.safetensors", bytes)
    };
    assert_eq!(names(&[&file(r#"[\"b\",\"a\"]"#)]), ["b", "a"]);
    for (order, fact) in [
        (r#"[\"b\"]"#, "does not name \"a\""),
        (r#"[\"b\",\"a\",\"c\"]"#, "names \"c\""),
        (r#"[\"b\",\"b\"]"#, "names \"b\""),
        ("b,a", "no JSON list"),
    ] {
        let error = refusal(&["inspect", &file(order)]);
        assert!(
            error.contains(fact) && error.contains("acts.safetensors"),
            "{error}"
        );
    }
}

#[test]
fn depth_is_that_among_the_layers_analysed() {
    let path = fixture("order/lens.safetensors");
    let report = json(&["inspect", &path, "--layers", "blocks.*"]);
    let layers = report["layers"].as_array().unwrap();
    let depths: Vec<f64> = layers
        .iter()
        .map(|layer| layer["relative_depth"].as_f64().unwrap())
        .collect();
    near(depths[0], 0.0, 0.0);
    near(depths[3], 1.0, 0.0);
    assert_eq!(layers[0]["index"], 1);
}

#[test]
fn a_number_is_a_name_or_an_index_in_every_flag() {
    let path = fixture("numbers/every_fourth.npz");
    assert_eq!(names(&[&path, "--layers", "name:4"]), ["4"]);
    assert_eq!(names(&[&path, "--layers", "index:4,-1"]), ["20", "24"]);
    let last = json(&["imbalance", &path, "--to", "-1"]);
    let first = json(&["imbalance", &path, "--to", "24"]);
    assert_eq!(last["pairs"], first["pairs"]);
    for args in [
        &["inspect", &path, "--layers", "4"][..],
        &["imbalance", &path, "--to", "4"],
        &["id-profile", &path, "--bottleneck", "4"],
    ] {
        let error = refusal(args);
        assert!(
            error.contains("name:4") && error.contains("index:4"),
            "{error}"
        );
    }
}

// Axes.

#[test]
fn stacked_layers_are_told_by_their_axes() {
    let stack = fixture("stacked/stack.npy");
    let wanted = [2.68, 3.53, 5.88, 5.16, 5.31, 3.76, 3.13];
    let found = dimensions(&[&stack, "--axes", "LND"]);
    assert_eq!(found.len(), 7);
    for (found, wanted) in found.into_iter().zip(wanted) {
        near(found, wanted, 0.005);
    }
    let error = refusal(&["id-profile", &stack, "--pool", "last"]);
    assert!(
        error.contains("--axes LND") && error.contains("--axes NTD"),
        "{error}"
    );
    let error = refusal(&["id-profile", &stack]);
    assert!(error.contains("--axes"), "{error}");
}

#[test]
fn any_order_of_axes_gives_the_same_layers() {
    let folder = Folder::new();
    let (layers, rows, tokens, columns) = (3, 60, 4, 5);
    let value = |l: usize, n: usize, t: usize, d: usize| {
        scattered(((l * rows + n) * tokens + t) * columns + d)
    };
    let lntd = npy(&[layers, rows, tokens, columns], |at| {
        let (rest, d) = (at / columns, at % columns);
        let (rest, t) = (rest / tokens, rest % tokens);
        value(rest / rows, rest % rows, t, d)
    });
    let nltd = npy(&[rows, layers, tokens, columns], |at| {
        let (rest, d) = (at / columns, at % columns);
        let (rest, t) = (rest / tokens, rest % tokens);
        value(rest % layers, rest / layers, t, d)
    });
    let ndtl = npy(&[rows, columns, tokens, layers], |at| {
        let (rest, l) = (at / layers, at % layers);
        let (rest, t) = (rest / tokens, rest % tokens);
        value(l, rest / columns, t, rest % columns)
    });
    let of = |name: &str, content: Vec<u8>, axes: &str, pool: &str| {
        let path = folder.file(name, content);
        dimensions(&[&path, "--axes", axes, "--pool", pool])
    };
    for pool in ["mean", "last", "max", "last:2"] {
        let wanted = of("a.npy", lntd.clone(), "LNTD", pool);
        assert_eq!(wanted.len(), layers);
        assert_eq!(of("b.npy", nltd.clone(), "NLTD", pool), wanted);
        assert_eq!(of("c.npy", ndtl.clone(), "NDTL", pool), wanted);
    }
}

// Rows in several files.

#[test]
fn batches_are_joined_in_order() {
    let batches = fixture("batches");
    let found = dimensions(&[&batches]);
    assert_eq!(found.len(), 1);
    near(found[0], 4.546, 0.0005);
    assert_eq!(names(&[&batches]), ["layer5"]);
    assert_eq!(dimensions(&[&batches, "--join", "never"]).len(), 3);
}

#[test]
fn one_archive_a_batch_is_joined_with_its_mask() {
    let (whole, parts) = (Folder::new(), Folder::new());
    let mask = |from: usize, n: usize| {
        npy(&[n, 3], move |at| {
            let (row, token) = (from + at / 3, at % 3);
            f32::from(u8::from(token <= row % 3))
        })
    };
    let acts = |layer: usize, from: usize, n: usize| {
        npy(&[n, 3, 4], move |at| {
            scattered(layer * 7919 + from * 12 + at)
        })
    };
    let members = |from: usize, n: usize| {
        npz(&[
            ("layer_0.npy", acts(0, from, n)),
            ("layer_1.npy", acts(1, from, n)),
            ("attention_mask.npy", mask(from, n)),
        ])
    };
    let all = whole.file("acts.npz", members(0, 130));
    for (batch, (from, n)) in [(0, 50), (50, 50), (100, 30)].into_iter().enumerate() {
        parts.file(&format!("batch_{batch}.npz"), members(from, n));
    }
    for pool in ["mean", "last", "first", "max"] {
        let args = ["--pool", pool];
        let wanted = dimensions(&[&[all.as_str()], &args[..]].concat());
        let found = dimensions(&[&[parts.path()], &args[..]].concat());
        assert_eq!(found, wanted, "{pool}");
    }
    let rows = ["--pool", "mean", "--rows", "40..110"];
    assert_eq!(
        dimensions(&[&[parts.path()], &rows[..]].concat()),
        dimensions(&[&[all.as_str()], &rows[..]].concat())
    );
}

#[test]
fn numbers_that_may_be_rows_or_layers_are_refused_with_both_readings() {
    let gaps = Folder::new();
    for rank in [1, 2, 4] {
        gaps.file(
            &format!("layer_0_rank_{rank}.npy"),
            npy(&[40, 4], scattered),
        );
    }
    let error = refusal(&["inspect", gaps.path()]);
    assert!(
        error.contains("--join rows") && error.contains("--join never"),
        "{error}"
    );
    let files = Folder::new();
    for file in 0..3 {
        let members = [
            ("a.npy", npy(&[40, 4], scattered)),
            ("b.npy", npy(&[40, 4], scattered)),
        ];
        files.file(&format!("acts_{file}.npz"), npz(&members));
    }
    let error = refusal(&["inspect", files.path()]);
    assert!(
        error.contains("--join rows") && error.contains("--join never"),
        "{error}"
    );
    assert_eq!(names(&[files.path(), "--join", "rows"]), ["a", "b"]);
    assert_eq!(names(&[files.path(), "--join", "never"]).len(), 6);
    // Checkpoints are no batches.
    let steps = Folder::new();
    for step in [0, 100] {
        steps.file(
            &format!("step_{step}.npz"),
            npz(&[("a.npy", npy(&[40, 4], scattered))]),
        );
    }
    assert_eq!(names(&[steps.path()]), ["step_0#a", "step_100#a"]);
}

#[test]
fn pieces_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    folder.file("layer_0_batch_0.npy", npy(&[40, 4], scattered));
    folder.file("layer_0_batch_1.npy", npy(&[40, 4], scattered));
    folder.file("layer_1_batch_0.npy", npy(&[40, 4], scattered));
    let error = refusal(&["inspect", folder.path()]);
    assert!(error.contains("layer_1 has 1 pieces"), "{error}");
    folder.file("layer_1_batch_1.npy", npy(&[40, 5], scattered));
    let error = refusal(&["inspect", folder.path()]);
    assert!(error.contains("another type or width"), "{error}");
    folder.file("layer_1_batch_1.npy", npy(&[30, 4], scattered));
    let error = refusal(&["id-profile", folder.path()]);
    assert!(error.contains("70 rows") && error.contains("80"), "{error}");
}

#[test]
fn one_prompt_a_file_is_one_row_a_file() {
    let prompts = Folder::new();
    let rows = Folder::new();
    // As vLLM writes them: hidden_states [tokens, layers, width] and token_ids [tokens].
    let (layers, width) = (2, 4);
    let n = 60;
    let lengths: Vec<usize> = (0..n).map(|prompt| 3 + prompt % 4).collect();
    let value = |prompt: usize, t: usize, l: usize, d: usize| {
        scattered(((prompt * 8 + t) * layers + l) * width + d)
    };
    for (prompt, &tokens) in lengths.iter().enumerate() {
        let states = npy(&[tokens, layers, width], |at| {
            let (rest, d) = (at / width, at % width);
            value(prompt, rest / layers, rest % layers, d)
        });
        let ids = npy(&[tokens], |at| at as f32);
        let file = npz(&[("hidden_states.npy", states), ("token_ids.npy", ids)]);
        prompts.file(&format!("cmpl-{prompt:x}-abc.npz"), file);
    }
    for layer in 0..layers {
        let last = npy(&[n, width], |at| {
            let prompt = at / width;
            value(prompt, lengths[prompt] - 1, layer, at % width)
        });
        rows.file(&format!("layer_{layer}.npy"), last);
    }
    let path = prompts.path();
    let error = refusal(&["id-profile", path, "--pool", "last"]);
    assert!(error.contains("--axes TLD --join rows"), "{error}");
    let one = format!("{path}/cmpl-0-abc.npz");
    let error = refusal(&["id-profile", &one, "--pool", "last"]);
    assert!(
        error.contains("token ids") && error.contains("--axes TLD"),
        "{error}"
    );
    let found = dimensions(&[path, "--axes", "TLD", "--join", "rows", "--pool", "last"]);
    let mut wanted = dimensions(&[rows.path()]);
    let by = 1e-9;
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(&mut wanted) {
        // Files in another order are rows in another order, which ties alone could feel.
        near(*found, *wanted, by);
    }
}

// Masks and lengths.

#[test]
fn a_mask_in_the_dump_is_used_unless_it_is_declined() {
    let acts = fixture("mask/acts.safetensors");
    near(dimensions(&[&acts, "--pool", "mean"])[0], 4.465, 0.006);
    let named = format!("{acts}#attention_mask");
    assert_eq!(
        dimensions(&[&acts, "--pool", "mean"]),
        dimensions(&[&acts, "--pool", "mean", "--mask", &named])
    );
    near(
        dimensions(&[&acts, "--pool", "mean", "--mask", "none"])[0],
        4.81,
        0.005,
    );
    let report = json(&["id-profile", &acts, "--pool", "token:-1"]);
    assert!(report.to_string().contains("padding_unused"));
}

#[test]
fn a_mask_that_contradicts_lengths_is_refused() {
    let folder = Folder::new();
    let acts = |lengths: f32| {
        npz(&[
            ("layer_0.npy", npy(&[60, 3, 4], scattered)),
            (
                "attention_mask.npy",
                npy(&[60, 3], |at| f32::from(u8::from(at % 3 < 2))),
            ),
            ("lengths.npy", npy(&[60], move |_| lengths)),
        ])
    };
    let good = folder.file("good.npz", acts(2.0));
    assert_eq!(dimensions(&[&good, "--pool", "last"]).len(), 1);
    for (lengths, fact) in [
        (3.0, "other tokens in row 0"),
        (4.0, "the length 4"),
        (0.0, "the length 0"),
    ] {
        let bad = folder.file("bad.npz", acts(lengths));
        let error = refusal(&["id-profile", &bad, "--pool", "last"]);
        assert!(
            error.contains(fact) && error.contains("--mask none"),
            "{error}"
        );
        assert_eq!(
            dimensions(&[&bad, "--pool", "last", "--mask", "none"]).len(),
            1
        );
    }
}

#[test]
fn a_mask_without_tokens_tells_the_lengths_of_prompts() {
    let unembed = fixture("mask-without-tokens/unembed.safetensors");
    let delta = |name: &str| {
        let acts = fixture(&format!("mask-without-tokens/{name}"));
        let report = json(&["logit-lens", &acts, "--unembed", &unembed]);
        report["layers"].clone()
    };
    assert_eq!(delta("acts.safetensors"), delta("acts_lengths.safetensors"));
}

// Text.

/// Overlap with labels at k = 10.
fn overlap(labels: &str) -> f64 {
    let acts = fixture("text/acts.npy");
    let report = json(&["overlap", &acts, "--labels", labels, "-k", "10"]);
    find(&report, "macro_mean")
        .or_else(|| find(&report, "macro"))
        .expect("a macro mean")
}

/// The first number called `key`.
fn find(value: &Value, key: &str) -> Option<f64> {
    match value {
        Value::Object(map) => map.iter().find_map(|(name, inner)| match inner.as_f64() {
            Some(number) if name == key => Some(number),
            _ => find(inner, key),
        }),
        Value::Array(all) => all.iter().find_map(|inner| find(inner, key)),
        _ => None,
    }
}

#[test]
fn labels_are_read_however_they_are_written() {
    let tabs = fixture("text/tabs.tsv");
    let folder = Folder::new();
    let lines: Vec<String> = fs::read_to_string(&tabs)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split('\t').nth(1).unwrap().to_owned())
        .collect();
    let mut wide = vec![0xff, 0xfe];
    wide.extend(lines.join("\r\n").encode_utf16().flat_map(u16::to_le_bytes));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(lines.join("\n").as_bytes()).unwrap();
    let quoted: Vec<String> = lines.iter().map(|line| format!("\"{line}\"")).collect();
    let semicolons = format!("{}:class", fixture("text/semicolons.csv"));
    for labels in [
        fixture("text/marked.txt"),
        semicolons,
        format!("{tabs}:class"),
        folder.file("wide.txt", wide),
        folder.file("packed.gz", packed.finish().unwrap()),
        folder.file("quoted.txt", quoted.join("\n")),
        folder.file(
            "spaced.txt",
            format!("# made by hand\n{}\n\n", lines.join("\r\n")),
        ),
        folder.file("labels", lines.join("\n")),
    ] {
        near(overlap(&labels), 0.9233, 5e-5);
    }
    let error = refusal(&["overlap", &fixture("text/acts.npy"), "--labels", &tabs]);
    assert!(error.contains("row, class"), "{error}");
    let table = folder.file("table.txt", fs::read(&tabs).unwrap());
    let error = refusal(&["overlap", &fixture("text/acts.npy"), "--labels", &table]);
    assert!(error.contains("several columns"), "{error}");
}

#[cfg(unix)]
#[test]
fn labels_and_rows_come_from_pipes_once() {
    let folder = Folder::new();
    let acts = fixture("text/acts.npy");
    let text = fs::read_to_string(fixture("text/marked.txt")).unwrap();
    let mut child = command(&["overlap", &acts, "--labels", "-", "-k", "10", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    near(
        find(&report, "macro_mean")
            .or_else(|| find(&report, "macro"))
            .unwrap(),
        0.9233,
        5e-5,
    );
    // A named pipe gives its content once; whoever opens it again waits for ever.
    let pipe = folder.join("labels.csv");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let writer = {
        let (pipe, text) = (pipe.clone(), format!("class\n{text}"));
        std::thread::spawn(move || fs::write(pipe, text.replace('\u{feff}', "")))
    };
    near(overlap(pipe.to_str().unwrap()), 0.9233, 5e-5);
    writer.join().unwrap().unwrap();
    let rows = folder.join("rows");
    assert!(
        Command::new("mkfifo")
            .arg(&rows)
            .status()
            .unwrap()
            .success()
    );
    let writer = {
        let rows = rows.clone();
        let lines: String = (0..120).step_by(2).map(|row| format!("{row}\n")).collect();
        std::thread::spawn(move || fs::write(rows, lines))
    };
    let args = [acts.as_str(), "--rows", rows.to_str().unwrap()];
    let piped = dimensions(&args);
    writer.join().unwrap().unwrap();
    assert_eq!(
        piped,
        dimensions(&[&acts, "--rows", &fixture("text/rows.txt")])
    );
}

#[test]
fn rows_are_read_however_they_are_written() {
    let folder = Folder::new();
    let acts = fixture("text/acts.npy");
    let wanted = dimensions(&[&acts, "--rows", "0..60"]);
    let indices: Vec<String> = (0..60).map(|row| row.to_string()).collect();
    let floats: Vec<String> = (0..60).map(|row| format!("{row}.0")).collect();
    let words: Vec<&str> = (0..120)
        .map(|row| if row < 60 { "True" } else { "False" })
        .collect();
    for rows in [
        "0:60".to_owned(),
        folder.file("a.txt", indices.join("\r\n")),
        folder.file("b.csv", format!("row\n{}\n", floats.join("\n"))),
        folder.file("c.txt", words.join("\n")),
        format!(
            "{}:row",
            folder.file(
                "d.csv",
                format!(
                    "x;row\n{}\n",
                    indices
                        .iter()
                        .map(|i| format!("y;{i}"))
                        .collect::<Vec<_>>()
                        .join("\n")
                )
            )
        ),
    ] {
        assert_eq!(dimensions(&[&acts, "--rows", &rows]), wanted, "{rows}");
    }
    let zeros_and_ones: Vec<String> = (0..120).map(|row| (row % 2).to_string()).collect();
    let mask = folder.file("mask.txt", zeros_and_ones.join("\n"));
    for (rows, fact) in [
        (mask.as_str(), "look like a mask"),
        ("0:60:2", "with a step"),
        ("60", "0..60"),
    ] {
        let error = refusal(&["id-profile", &acts, "--rows", rows]);
        assert!(error.contains(fact), "{error}");
    }
    assert_eq!(dimensions(&[&acts, "--rows", ".."]), dimensions(&[&acts]));
}

#[test]
fn targets_may_be_whole_numbers_written_as_floats() {
    let folder = fixture("targets");
    let [hidden, w, b] = ["hidden.npy", "w.npy", "b.npy"].map(|name| format!("{folder}/{name}"));
    let clones = |targets: &str| {
        json(&["clones", &hidden, "--readout", &w, &b, "--targets", targets])["chunks"].clone()
    };
    let wanted = clones(&format!("{folder}/targets.npy"));
    assert_eq!(clones(&format!("{folder}/targets.csv:target")), wanted);
}

#[test]
fn label_files_that_claim_the_impossible_are_refused() {
    let folder = Folder::new();
    let acts = fixture("text/acts.npy");
    for (descr, shape) in [
        ("<U4611686018427387905", "(120,)"),
        ("|S0", "(1000000000000,)"),
    ] {
        let mut header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        let labels = folder.file("labels.npy", bytes);
        let error = refusal(&["overlap", &acts, "--labels", &labels, "-k", "3"]);
        assert!(error.contains("labels.npy"), "{error}");
    }
}

// Formats.

pub(super) fn torch(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/torch");
    folder.join(name).to_str().unwrap().to_owned()
}

/// The values of `fixtures/formats/torch/make.py`.
pub(super) fn made(layer: usize) -> Vec<u8> {
    npy(&[60, 5], |at| {
        ((1000 * layer + at) as f64 * 0.618_034).fract() as f32
    })
}

#[test]
fn what_torch_saves_is_read_without_running_it() {
    let folder = Folder::new();
    let made = |layer: usize| {
        let path = folder.file(&format!("made_{layer}.npy"), made(layer));
        dimensions(&[&path])[0]
    };
    assert_eq!(names(&[&torch("tensor.pt")]), ["tensor"]);
    near(dimensions(&[&torch("tensor.pt")])[0], made(0), 1e-12);
    assert_eq!(
        names(&[&torch("tuple.pt")]),
        ["tuple.0", "tuple.1", "tuple.2"]
    );
    let found = dimensions(&[&torch("tuple.pt")]);
    for (layer, found) in found.into_iter().enumerate() {
        near(found, made(layer), 1e-12);
    }
    // An OrderedDict keeps its order.
    assert_eq!(names(&[&torch("state.pt")]), ["b", "a"]);
    let dict = torch("dict.pt");
    let wanted = [
        "hidden.layer_0",
        "hidden.layer_1",
        "turned",
        "half",
        "brain",
        "parameter",
    ];
    assert_eq!(names(&[&dict]), wanted);
    let found = dimensions(&[&dict]);
    for (at, by) in [
        (0, 1e-12),
        (1, 1e-12),
        (2, 1e-12),
        (3, 0.2),
        (4, 1.0),
        (5, 1e-12),
    ] {
        near(found[at], made(at), by);
    }
    let report = json(&["inspect", &dict]);
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(
        warning.contains("labels") && warning.contains("step"),
        "{warning}"
    );
    let labels = format!("{dict}#labels");
    assert!(
        run(&[
            "overlap",
            &torch("tensor.pt"),
            "--labels",
            &labels,
            "-k",
            "3"
        ])
        .status
        .success()
    );
}

#[test]
fn code_in_a_torch_file_is_named_and_never_run() {
    let folder = Folder::new();
    for name in ["code.pt", "object.pt"] {
        let output = command(&["id-profile", &torch(name)])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("posix.system"), "{error}");
        assert!(!folder.join("repgeo-ran-a-pickle").exists());
    }
    assert_eq!(
        dimensions(&[&torch("code.pt"), "--layers", "layer_0"]).len(),
        1
    );
    let error = refusal(&["inspect", &torch("old.pt")]);
    assert!(
        error.contains("before 1.6") && error.contains("torch.save"),
        "{error}"
    );
}

#[test]
fn a_folder_of_torch_files_is_a_dump() {
    let folder = Folder::new();
    for layer in [2, 10, 1] {
        let content = fs::read(torch("tensor.pt")).unwrap();
        folder.file(&format!("l{layer}_target.pt"), content);
    }
    assert_eq!(
        names(&[folder.path()]),
        ["l1_target", "l2_target", "l10_target"]
    );
}

#[test]
fn raw_values_are_read_by_the_type_and_shape_that_are_said() {
    let folder = Folder::new();
    let array = made(0);
    let header = array.len() - 60 * 5 * 4;
    let path = folder.file("acts.mmap", &array[header..]);
    let npy = folder.file("acts.npy", &array);
    assert_eq!(
        dimensions(&[&format!("{path}:f32:60x5")]),
        dimensions(&[&npy])
    );
    assert_eq!(
        dimensions(&[&format!("{path}:float32:60x5")]),
        dimensions(&[&npy])
    );
    let error = refusal(&["inspect", &format!("{path}:f16:60x5")]);
    assert!(
        error.contains("1200 bytes") && error.contains("120"),
        "{error}"
    );
    let error = refusal(&["inspect", &format!("{path}:f32:1x99999999999x99999999999")]);
    assert!(error.contains("more than there are"), "{error}");
    let error = refusal(&["inspect", &path]);
    assert!(error.contains("FILE:f16:1000x768"), "{error}");
}

#[test]
fn sixteen_bits_may_be_bfloat16() {
    let folder = Folder::new();
    let bits: Vec<u8> = (0..300)
        .flat_map(|at| half::bf16::from_f32(scattered(at)).to_le_bytes())
        .collect();
    let file = |descr: &str| {
        let mut bytes = npy(&[60, 5], |_| 0.0);
        bytes.truncate(bytes.len() - 1200);
        let header = String::from_utf8_lossy(&bytes[10..]).replace("<f4", descr);
        let mut file = bytes[..10].to_vec();
        file.extend(header.as_bytes());
        file.extend(&bits);
        folder.file("bits.npy", file)
    };
    let void = dimensions(&[&file("<V2")]);
    assert_eq!(dimensions(&[&file("<u2"), "--bf16-bits"]), void);
    assert_eq!(dimensions(&[&file("<i2"), "--bf16-bits"]), void);
    assert_ne!(dimensions(&[&file("<u2")]), void);
}

#[test]
fn other_formats_are_answered_with_the_line_that_converts_them() {
    let folder = Folder::new();
    for (name, line) in [
        ("acts.h5", "import h5py"),
        ("acts.parquet", "from datasets"),
        ("acts.mat", "scipy.io"),
        ("acts.pkl", "import pickle"),
        ("acts.npy.gz", "unpack it first"),
    ] {
        let error = refusal(&["inspect", &folder.file(name, "no arrays")]);
        assert!(error.contains(line) && error.contains(name), "{error}");
    }
}

// Neighbour tables.

#[test]
fn squared_distances_are_refused_or_their_roots_taken() {
    let squared = fixture("tables/squared.npz");
    let args = [
        "id-profile",
        "--estimator",
        "two-nn",
        "--neighbours",
        &squared,
    ];
    let error = refusal(&args);
    assert!(
        error.contains("triangle") && error.contains("--squared"),
        "{error}"
    );
    let report = json(&[&args[..], &["--squared"]].concat());
    near(
        report["layers"][0]["estimates"][0]["id"].as_f64().unwrap(),
        6.528,
        5e-4,
    );
}

// Messages.

#[test]
fn pointers_of_git_lfs_are_named() {
    for name in ["lfs/layer_0.npy", "lfs/model.safetensors", "lfs"] {
        let error = refusal(&["inspect", &fixture(name)]);
        assert!(
            error.contains("Git LFS") && error.contains("git lfs pull"),
            "{error}"
        );
    }
}
