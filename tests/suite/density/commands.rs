//! `repgeo density-peaks` and `repgeo landscape` as a user meets them.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array2, s};
use repgeo::storage::npy;
use serde_json::Value;
use tempfile::TempDir;

use super::fixture::golden_set;
use crate::common::schema::fitting;
use crate::common::{command, fixture_arg, refusal, refused, repgeo, stdout};

/// A folder with `NAME.npy`.
fn save(folder: &TempDir, name: &str, data: &Array2<f64>) -> String {
    let path = folder.path().join(format!("{name}.npy"));
    let data = data.as_standard_layout();
    let bytes = npy(&[data.nrows(), data.ncols()], data.as_slice().unwrap());
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn save_labels(folder: &TempDir, name: &str, labels: impl Iterator<Item = String>) -> String {
    let path = folder.path().join(format!("{name}.txt"));
    fs::write(&path, labels.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    path.to_str().unwrap().to_owned()
}

fn centres(layer: &Value) -> Vec<u64> {
    let peaks = layer["peaks"].as_array().unwrap().iter();
    peaks.map(|peak| peak["row"].as_u64().unwrap()).collect()
}

fn truth(n: usize) -> Vec<String> {
    let golden = super::fixture::json("golden", "peaks");
    let letters = golden["gt_F1"].as_str().unwrap();
    letters.chars().take(n).map(String::from).collect()
}

#[test]
fn presets_give_the_peaks_and_scores_of_the_papers_method() {
    let folder = TempDir::new().unwrap();
    let labels = save_labels(&folder, "truth", truth(2000).into_iter());
    for (set, preset, id, ari, expected) in [
        (
            "fig1_2000",
            "nucleation",
            2.0,
            0.7036219686160039,
            [424, 645, 995, 1043, 1073, 1193, 1704],
        ),
        (
            "fig1_2000",
            "llm",
            2.0513265710793496,
            0.7077836384231274,
            [207, 435, 528, 875, 892, 1353, 1668],
        ),
        (
            "mobius_2000",
            "nucleation",
            2.0,
            0.6851837656816314,
            [528, 547, 645, 809, 957, 1353, 1583],
        ),
        (
            "mobius_2000",
            "llm",
            1.9638306489200623,
            0.6938060750445671,
            [722, 917, 1073, 1081, 1276, 1384, 1423],
        ),
    ] {
        let input = fixture_arg(&format!("golden/{set}.npy"));
        let report = fitting(&[
            "density-peaks",
            &input,
            "--preset",
            preset,
            "--labels",
            &labels,
        ]);
        let layer = &report["layers"][0];
        assert_eq!(centres(layer), expected, "{set} {preset}");
        let found = layer["id"]["id"].as_f64().unwrap();
        assert!((found / id - 1.0).abs() < 1e-7, "{set} {preset}: {found}");
        let found = layer["scores"][0]["scores"]["ari"].as_f64().unwrap();
        assert!((found - ari).abs() < 1e-12, "{set} {preset}: {found}");
        assert_eq!(report["parameters"]["preset"], preset);
    }
}

#[test]
fn a_repeated_row_has_the_cluster_of_the_row_that_it_repeats() {
    let folder = TempDir::new().unwrap();
    let plain = golden_set("fig1_2000").slice(s![..600, ..]).to_owned();
    // Every third row once more, at the end, and the first at the very front.
    let rows: Vec<usize> = std::iter::once(0)
        .chain(0..600)
        .chain((0..600).step_by(3))
        .collect();
    let repeated = plain.select(ndarray::Axis(0), &rows);
    let (plain, repeated) = (
        save(&folder, "plain", &plain),
        save(&folder, "repeated", &repeated),
    );
    let assigned = |input: &str, out: &str| -> Vec<Vec<String>> {
        let out = folder.path().join(out);
        let out = out.to_str().unwrap();
        fitting(&["density-peaks", input, "--assignments", out]);
        let name = Path::new(input).file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(PathBuf::from(out).join(format!("{name}.csv"))).unwrap();
        let lines = text.lines().skip(1);
        lines
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect()
    };
    let (one, two) = (assigned(&plain, "one"), assigned(&repeated, "two"));
    assert_eq!((one.len(), two.len()), (600, 801));
    for (at, (line, &row)) in two.iter().zip(&rows).enumerate() {
        assert_eq!(line[1..6], one[row][1..6], "row {at}");
        let first = rows.iter().position(|&other| other == row).unwrap();
        let repeats = if first == at {
            String::new()
        } else {
            first.to_string()
        };
        assert_eq!(line[6], repeats, "row {at}");
    }
}

#[test]
fn arrays_of_rows_say_who_is_in_the_halo_and_who_took_no_part() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let input = fixture_arg("golden/fig1_2000.npy");
    let logs = folder.path().join("log.npy");
    let report = fitting(&[
        "density-peaks",
        &input,
        "--rows",
        "0..1500",
        "--assignments",
        out.to_str().unwrap(),
        "--assignments-format",
        "npy",
        "--log-density",
        logs.to_str().unwrap(),
    ]);
    let layer = &report["layers"][0];
    let numbers = |name: &str| -> Vec<i64> {
        let bytes = fs::read(out.join(format!("fig1_2000.{name}.npy"))).unwrap();
        let values = bytes[bytes.len() - 16_000..].chunks_exact(8);
        values
            .map(|raw| i64::from_le_bytes(raw.try_into().unwrap()))
            .collect()
    };
    let (clusters, cores) = (numbers("cluster"), numbers("core"));
    assert!(clusters[1500..].iter().all(|&label| label == -2));
    assert!(clusters[..1500].iter().all(|&label| label >= 0));
    let n_core = cores.iter().filter(|&&label| label >= 0).count();
    let core = layer["core_fraction"].as_f64().unwrap();
    assert!((n_core as f64 / 1500.0 - core).abs() < 1e-12);
    for (at, peak) in layer["peaks"].as_array().unwrap().iter().enumerate() {
        let size = clusters.iter().filter(|&&label| label == at as i64).count();
        assert_eq!(peak["size"], size);
        assert_eq!(clusters[peak["row"].as_u64().unwrap() as usize], at as i64);
    }
    let bytes = fs::read(&logs).unwrap();
    let values = bytes[bytes.len() - 16_000..].chunks_exact(8);
    let values: Vec<f64> = values
        .map(|raw| f64::from_le_bytes(raw.try_into().unwrap()))
        .collect();
    let entropy = -values[..1500].iter().sum::<f64>() / 1500.0;
    assert!((entropy - layer["density"]["entropy"].as_f64().unwrap()).abs() < 1e-12);
    assert!(values[1500..].iter().all(|value| value.is_nan()));
}

#[test]
fn a_precomputed_table_gives_the_peaks_of_its_rows() {
    let folder = TempDir::new().unwrap();
    let data = golden_set("2gauss");
    let n = data.nrows();
    let square = Array2::from_shape_fn((n, n), |(i, j)| {
        let gap = &data.row(i) - &data.row(j);
        gap.dot(&gap).sqrt()
    });
    let table = save(&folder, "distances", &square);
    let labels = save_labels(&folder, "blob", (0..n).map(|row| (row / 50).to_string()));
    let report = fitting(&["density-peaks", "--neighbours", &table, "--labels", &labels]);
    let layer = &report["layers"][0];
    assert_eq!(centres(layer), [16, 86]);
    assert_eq!(layer["scores"][0]["scores"]["ari"], 1.0);
    assert_eq!(layer["n_columns"], Value::Null);
    let short = save_labels(&folder, "short", (0..7).map(|row| row.to_string()));
    refusal(
        &["density-peaks", "--neighbours", &table, "--labels", &short],
        1,
    );
}

#[test]
fn missing_and_noise_labels_are_left_out_of_scores_and_counted() {
    let folder = TempDir::new().unwrap();
    let blobs = |row: usize| match row {
        0..5 => String::new(),
        5..10 => "-1".to_owned(),
        _ => (row / 50).to_string(),
    };
    // A text file has no empty last line, but a CSV keeps every row.
    let path = folder.path().join("labels.csv");
    let lines: Vec<String> = (0..100)
        .map(|row| format!("{row},{}", blobs(row)))
        .collect();
    fs::write(&path, format!("row,blob\n{}\n", lines.join("\n"))).unwrap();
    let labels = format!("{}:blob", path.to_str().unwrap());
    let input = fixture_arg("golden/2gauss.npy");
    let scores = |extra: &[&str]| {
        let base = ["density-peaks", &input, "--labels", &labels];
        let report = fitting(&[&base[..], extra].concat());
        report["layers"][0]["scores"][0].clone()
    };
    let found = scores(&[]);
    assert_eq!(
        (found["n"].as_u64(), found["n_classes"].as_u64()),
        (Some(95), Some(3))
    );
    let found = scores(&["--noise-label", "-1"]);
    assert_eq!(
        (found["n"].as_u64(), found["n_missing"].as_u64()),
        (Some(90), Some(10))
    );
    assert_eq!(found["scores"]["ari"], 1.0);
    // 32 of the 100 rows lie in the halo.
    let found = scores(&["--noise-label", "-1", "--halo"]);
    assert!(found["n"].as_u64().unwrap() < 70);
    assert_eq!(found["scores"]["homogeneity"], 1.0);
    let found = scores(&["--noise-label", "-1", "--halo-as-cluster"]);
    assert_eq!(found["n"], 90);
    assert!(found["scores"]["ari"].as_f64().unwrap() < 1.0);
}

#[test]
fn rows_without_an_answer_have_a_reason() {
    for (input, reason) in [
        ("all_rows_equal", "all_rows_identical"),
        ("tiny_n1", "too_few_rows"),
        ("tiny_n3", "too_few_neighbours"),
    ] {
        let input = fixture_arg(&format!("reference/manifolds/{input}.npy"));
        for command in ["density-peaks", "landscape"] {
            let report = fitting(&[command, &input, "--id", "2"]);
            let layer = &report["layers"][0];
            assert_eq!(layer["reason"], reason, "{command} {input}");
            assert_eq!(layer["n_peaks"], Value::Null);
            assert_eq!(layer["peaks"], Value::Array(Vec::new()));
        }
    }
    let input = fixture_arg("golden/2gauss.npy");
    let short = fitting(&["density-peaks", &input, "-k", "4"]);
    assert_eq!(short["layers"][0]["reason"], "too_few_neighbours");
    let few = fitting(&["density-peaks", &input, "--density", "knn", "-k", "100"]);
    assert_eq!(few["layers"][0]["reason"], "too_few_neighbours");
    let one = fitting(&["landscape", &input, "--z", "3"]);
    assert_eq!(one["layers"][0]["n_peaks"], 1);
    assert_eq!(one["dendrogram"]["reason"], "single_peak");
}

#[test]
fn a_landscape_lists_every_pair_and_draws_its_tree() {
    let folder = TempDir::new().unwrap();
    let labels = save_labels(&folder, "truth", truth(2000).into_iter());
    let input = fixture_arg("golden/fig1_2000.npy");
    let graph = folder.path().join("graph.csv");
    let args = [
        "landscape",
        &input,
        "--labels",
        &labels,
        "--decision-graph",
        graph.to_str().unwrap(),
        "--cuts=-7,0.5",
    ];
    let report = fitting(&args);
    let topography = &report["topography"];
    let peaks = topography["peaks"].as_array().unwrap();
    let rows: Vec<u64> = peaks
        .iter()
        .map(|peak| peak["row"].as_u64().unwrap())
        .collect();
    assert_eq!(rows, [537, 645, 1245, 1269, 1444, 1853, 1979]);
    let saddles = topography["saddles"].as_array().unwrap();
    assert_eq!(saddles.len(), 21);
    let adjacent = saddles
        .iter()
        .filter(|saddle| saddle["adjacent"] == true)
        .count();
    assert_eq!(topography["n_adjacent"], adjacent);
    assert!(
        saddles
            .iter()
            .all(|saddle| saddle["row"].is_null() != saddle["adjacent"])
    );
    let nodes = report["dendrogram"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 13);
    assert_eq!(nodes[12]["size"], 2000);
    let newick = report["dendrogram"]["newick"].as_str().unwrap();
    assert_eq!(newick.matches(',').count(), 6, "{newick}");
    let lines = fs::read_to_string(&graph).unwrap();
    assert_eq!(lines.lines().count(), 2001);
    let centres = report["decision_graph"]["centres"].as_array().unwrap();
    let sizes = report["decision_graph"]["sizes"].as_array().unwrap();
    assert!(!centres.is_empty() && centres.len() == sizes.len());
    assert_eq!(
        sizes.iter().map(|size| size.as_u64().unwrap()).sum::<u64>(),
        2000
    );

    let table = stdout(&[&args[..4], &["--format", "table"]].concat());
    assert!(
        table.contains("├─ peak") && table.contains("└─ peak"),
        "{table}"
    );
    let ascii = stdout(&[&args[..4], &["--format", "table", "--ascii"]].concat());
    assert!(ascii.is_ascii() && ascii.contains("`- peak"), "{ascii}");
}

#[test]
fn other_linkages_need_a_floor_where_peaks_do_not_meet() {
    let input = fixture_arg("golden/fig1_2000.npy");
    let tree = |extra: &[&str]| {
        let report = fitting(&[&["landscape", &input], extra].concat());
        report["dendrogram"].clone()
    };
    for linkage in ["complete", "average", "weighted"] {
        assert_eq!(tree(&["--linkage", linkage])["reason"], "not_adjacent");
        let whole = tree(&["--linkage", linkage, "--absent", "floor"]);
        assert!(whole["newick"].is_string() && whole["floor"].is_number());
        let nodes = whole["nodes"].as_array().unwrap();
        assert!(nodes.iter().all(|node| node["height"].is_number()));
    }
}

#[test]
fn events_are_read_from_reports_of_peaks() {
    let folder = TempDir::new().unwrap();
    let labels = format!("{}:class", fixture_arg("minilm/labels.csv"));
    let report = folder.path().join("peaks.json");
    let report = report.to_str().unwrap();
    let input = fixture_arg("minilm");
    repgeo(&["density-peaks", &input, "--labels", &labels, "-o", report]);
    let own: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let mut seen = 0;
    for found in own["events"].as_array().unwrap() {
        let quantity = found["quantity"].as_str().unwrap();
        let events = fitting(&["events", report, "--quantity", quantity]);
        assert_eq!(events["events"], found["events"]);
        assert_eq!(events["series"]["other"], found["other"]);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn a_cache_changes_no_byte() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("cache");
    let cache = cache.to_str().unwrap();
    let input = fixture_arg("golden/fig1_2000.npy");
    let plain = stdout(&["density-peaks", &input]);
    // The second run finds a longer table than it needs.
    stdout(&["density-peaks", &input, "--cache", cache, "--stored", "150"]);
    assert_eq!(stdout(&["density-peaks", &input, "--cache", cache]), plain);
}

#[test]
fn flags_that_cannot_be_obeyed_are_refused() {
    let input = fixture_arg("golden/2gauss.npy");
    let dump = fixture_arg("minilm");
    for (args, words) in [
        (&["landscape", dump.as_str()][..], "--layers"),
        (&["density-peaks", &input, "--id", "-2"], "positive"),
        (&["density-peaks", &input, "--z", "nan"], "number"),
        (&["density-peaks", &input, "--alpha", "2"], "probability"),
        (
            &[
                "density-peaks",
                &input,
                "--density",
                "knn",
                "--alpha",
                "0.1",
            ],
            "--alpha",
        ),
        (&["density-peaks", &input, "--log-density", "x.csv"], ".npy"),
        (&["landscape", &input, "--decision-graph", "x.json"], ".csv"),
        (&["landscape", &input, "--cuts", "3"], "two numbers"),
        (
            &["density-peaks", &input, "--assignments", &input],
            "directory",
        ),
    ] {
        let (code, message) = refused(&mut command(args));
        assert_eq!(code, 2, "{args:?}: {message}");
        assert!(message.contains(words), "{args:?}: {message}");
    }
}
