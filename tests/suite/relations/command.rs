//! `imbalance`, `overlap` and `neighbours` as a user runs them.

use std::fs;

use repgeo::input::Tensors;
use serde_json::Value;
use tempfile::TempDir;

use super::layers::{fixture, imbalance, normal, write};
use crate::common::{json, path, refusal_line, repgeo, text};

pub(super) fn run(args: &[&str]) -> (i32, String, String) {
    let output = repgeo(args);
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

/// Three related layers of 220 rows.
pub(super) fn dump() -> TempDir {
    let folder = TempDir::new().unwrap();
    let first = normal(220, 6, 1);
    let second = &first * 0.5 + normal(220, 6, 2);
    let third = &second * 0.5 + normal(220, 6, 3);
    for (name, rows) in [("a.npy", &first), ("b.npy", &second), ("c.npy", &third)] {
        write(&folder.path().join(name), rows);
    }
    folder
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn the_matrix_equals_the_pairs_and_a_dump_against_itself_equals_the_matrix() {
    let folder = dump();
    let acts = path(folder.path());
    let all = json(&["imbalance", acts, "-k", "1,4"]);
    let twice = json(&["imbalance", acts, "--against", acts, "-k", "1,4"]);
    let names = ["a", "b", "c"];
    for (at, k) in [1, 4].into_iter().enumerate() {
        let matrix = &all["matrices"][at]["values"];
        for (i, from) in names.iter().enumerate() {
            for (j, to) in names.iter().enumerate() {
                let files = [from, to].map(|name| folder.path().join(format!("{name}.npy")));
                let pair = json(&[
                    "imbalance",
                    path(&files[0]),
                    path(&files[1]),
                    "-k",
                    &k.to_string(),
                ]);
                assert_eq!(pair["pairs"][0]["forward"], matrix[i][j], "{from} {to}");
                assert_eq!(pair["pairs"][0]["backward"], matrix[j][i]);
                let between = &twice["matrices"][at];
                assert_eq!(between["values"][i][j], matrix[i][j]);
                assert_eq!(between["backward"]["values"][j][i], matrix[j][i]);
            }
            assert_eq!(number(&matrix[i][i]), (k + 1) as f64 / 220.0);
        }
    }
    assert_eq!(twice["best_pairs"][0]["information_imbalance"], 2.0 / 220.0);
}

#[test]
fn the_command_gives_what_the_library_gives() {
    let folder = dump();
    let found = json(&["imbalance", path(folder.path()), "--to", "c", "-k", "3"]);
    let (first, second) = (normal(220, 6, 1), normal(220, 6, 2));
    let second = &first * 0.5 + second;
    let third = &second * 0.5 + normal(220, 6, 3);
    let expected = imbalance(&first, &third, 3).unwrap();
    let pair = &found["pairs"][0];
    assert_eq!(number(&pair["forward"]), expected.value);
    assert_eq!(number(&pair["std_error_forward"]), expected.std_error);
    assert_eq!(pair["a"]["layer"], "a");
    assert_eq!(found["pairs"].as_array().unwrap().len(), 2);
}

#[test]
fn relative_differences_follow_from_the_pairs() {
    let folder = dump();
    let found = json(&["imbalance", path(folder.path()), "--to", "next"]);
    for (step, pair) in found["steps"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .zip(found["pairs"].as_array().unwrap())
    {
        let (f, b) = (number(&pair["forward"]), number(&pair["backward"]));
        let expected = (f - b) / ((f + b) / 2.0);
        assert!((number(&step["relative_difference"]) - expected).abs() < 1e-12);
    }
}

#[test]
fn shuffled_rows_give_one_and_parts_their_own_floor() {
    let folder = dump();
    let found = json(&[
        "imbalance",
        path(folder.path()),
        "--to",
        "next",
        "--shuffle",
        "40",
        "--partitions",
        "4",
    ]);
    for pair in found["pairs"].as_array().unwrap() {
        for null in pair["shuffle"].as_array().unwrap() {
            let error = number(&null["std"]) / 40f64.sqrt();
            assert!((number(&null["mean"]) - 1.0).abs() < 4.0 * error, "{null}");
            assert_eq!(number(&null["p_value"]), 1.0 / 41.0);
        }
        let parts = &pair["partitions"];
        assert_eq!(parts["n"], 55);
        assert_eq!(number(&parts["floor"]), 2.0 / 55.0);
    }
    // Parts in the order given are runs of rows.
    let given = [
        "imbalance",
        path(folder.path()),
        "--to",
        "next",
        "--partitions",
        "4",
        "--partition-order",
        "given",
    ];
    let parts = &json(&given)["pairs"][0]["partitions"];
    let mean: f64 = (0..4)
        .map(|part| {
            let rows = format!("{}..{}", 55 * part, 55 * (part + 1));
            let found = json(&[
                "imbalance",
                path(folder.path()),
                "--to",
                "next",
                "--rows",
                &rows,
            ]);
            number(&found["pairs"][0]["forward"]) / 4.0
        })
        .sum();
    assert!((number(&parts["forward"]) - mean).abs() < 1e-12);
}

#[test]
fn overlap_of_a_layer_with_itself_is_one_and_the_matrix_is_symmetric() {
    let folder = dump();
    let found = json(&["overlap", path(folder.path()), "-k", "5,30"]);
    for matrix in found["matrices"].as_array().unwrap() {
        let values = &matrix["values"];
        for i in 0..3 {
            assert_eq!(number(&values[i][i]), 1.0);
            for j in 0..3 {
                assert_eq!(values[i][j], values[j][i]);
            }
        }
    }
    let file = folder.path().join("a.npy");
    let same = json(&["overlap", path(&file), path(&file)]);
    assert_eq!(number(&same["pairs"][0]["value"]), 1.0);
    assert_eq!(number(&same["pairs"][0]["chance"]), 30.0 / 219.0);
}

#[test]
fn labels_are_read_by_column_and_missing_ones_are_counted() {
    let folder = dump();
    let labels = folder.path().join("labels.csv");
    let line = |row: usize| match row % 5 {
        0 => "red,\n".to_owned(),
        even if even % 2 == 0 => "red,x\n".to_owned(),
        _ => "blue,y\n".to_owned(),
    };
    fs::write(
        &labels,
        "colour,side\n".to_owned() + &(0..220).map(line).collect::<String>(),
    )
    .unwrap();
    let (colour, side) = (
        format!("{}:colour", path(&labels)),
        format!("{}:side", path(&labels)),
    );
    let found = json(&[
        "overlap",
        path(folder.path()),
        "--labels",
        &colour,
        "--labels",
        &side,
        "-k",
        "1,10",
    ]);
    assert!(found["pairs"].as_array().unwrap().is_empty());
    let entries = found["labels"].as_array().unwrap();
    assert_eq!(entries.len(), 2 * 2 * 3);
    let sides: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["labels"] == "side")
        .collect();
    assert!(
        sides
            .iter()
            .all(|entry| entry["label_overlap"]["n_missing"] == 44)
    );
    assert!(found["warnings"].to_string().contains("labels_missing"));
    let both = json(&[
        "overlap",
        path(folder.path()),
        "--labels",
        &colour,
        "--to",
        "next",
    ]);
    assert_eq!(both["pairs"][0]["class_histograms"][0]["labels"], "colour");
    let fraction = json(&[
        "overlap",
        path(folder.path()),
        "--labels",
        &colour,
        "--class-fraction",
        "0.3",
    ]);
    assert!(fraction["labels"][0]["k"].is_null());
}

#[test]
fn tables_written_are_read_back_with_the_same_numbers() {
    let folder = dump();
    let tables = TempDir::new().unwrap();
    let acts = path(folder.path());
    json(&["neighbours", acts, "-o", path(tables.path()), "-k", "64"]);
    let from_tables = json(&["id-profile", "--neighbours", path(tables.path())]);
    let direct = json(&["id-profile", acts]);
    for at in 0..3 {
        assert_eq!(
            from_tables["layers"][at]["layer"],
            direct["layers"][at]["layer"]
        );
        assert_eq!(
            from_tables["layers"][at]["estimates"],
            direct["layers"][at]["estimates"]
        );
    }
    // The same folder serves as a cache.
    let before = fs::read_dir(tables.path()).unwrap().count();
    let cached = run(&["overlap", acts, "--cache", path(tables.path())]);
    assert_eq!(cached, run(&["overlap", acts]));
    assert_eq!(fs::read_dir(tables.path()).unwrap().count(), before);
}

#[test]
fn queries_from_another_dump_find_the_nearest_rows_of_this_one() {
    let (folder, written) = (dump(), TempDir::new().unwrap());
    let other = TempDir::new().unwrap();
    let asked = normal(40, 6, 9);
    write(&other.path().join("a.npy"), &asked);
    let report = json(&[
        "neighbours",
        path(folder.path()),
        "--layers",
        "a",
        "--rows",
        "100..200",
        "--queries",
        path(other.path()),
        "--query-rows",
        "10..",
        "-k",
        "7",
        "-o",
        path(written.path()),
    ]);
    let layer = &report["layers"][0];
    assert_eq!(
        [&layer["n"], &layer["n_queries"], &layer["k"]],
        [100, 30, 7]
    );
    let arrays = Tensors::open(&written.path().join("a.npz")).unwrap();
    let values = |name: &str| arrays.get(name).unwrap().to_f64().unwrap();
    let (nearest, distance) = (values("nearest"), values("distance"));
    let rows = normal(220, 6, 1);
    for (at, &query) in values("query").iter().enumerate() {
        assert_eq!(query, 10.0 + at as f64);
        let mut all: Vec<(f64, usize)> = (100..200)
            .map(|row| {
                let apart = &rows.row(row) - &asked.row(10 + at);
                ((&apart * &apart).sum().sqrt(), row)
            })
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for (place, (apart, row)) in all.into_iter().take(7).enumerate() {
            assert_eq!(nearest[7 * at + place], row as f64, "{at} {place}");
            assert!((distance[7 * at + place] - apart).abs() < 1e-12);
        }
    }
    // Nobody takes it for the table of the layer with itself.
    let err = refusal_line(&["id-profile", "--neighbours", path(written.path())]);
    assert!(err.contains("no neighbour table"), "{err}");
}

#[test]
fn queries_that_do_not_fit_are_refused_before_anything_is_written() {
    let (folder, other) = (dump(), TempDir::new().unwrap());
    write(&other.path().join("narrow.npy"), &normal(20, 5, 9));
    let (acts, narrow) = (path(folder.path()), path(other.path()));
    let out = other.path().join("tables");
    let base = ["neighbours", acts, "-o", path(&out), "--queries", narrow];
    let err = refusal_line(&base);
    assert!(err.contains("ACTS has 3") && err.contains("has 1;") && err.contains("--query-layers"));
    assert!(!out.exists());
    let err = refusal_line(&[&base[..], &["--layers", "b"]].concat());
    assert!(
        err.contains("narrow has 5 columns") && err.contains('6'),
        "{err}"
    );
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    let (code, _, err) = run(&["neighbours", acts, "-o", path(&out), "--query-rows", "0..3"]);
    assert!(code != 0 && err.contains("--queries"), "{err}");
}

#[test]
fn rows_that_do_not_match_are_refused_with_the_way_out() {
    let folder = dump();
    let other = TempDir::new().unwrap();
    write(&other.path().join("a.npy"), &normal(200, 6, 4));
    let acts = path(folder.path());
    let message = refusal_line(&["imbalance", acts, "--against", path(other.path())]);
    assert!(
        message.contains("220") && message.contains("200") && message.contains("--against-rows"),
        "{message}"
    );
    let found = json(&[
        "imbalance",
        acts,
        "--against",
        path(other.path()),
        "--rows",
        "20..",
        "--against-rows",
        "0..200",
    ]);
    assert_eq!(found["n"], 200);
    for (args, word) in [
        (vec!["imbalance", acts, "--to", "nowhere"], "nowhere"),
        (
            vec!["imbalance", acts, "--against", acts, "--to", "next"],
            "matched",
        ),
        (
            vec!["imbalance", acts, "--coordinates", "0..9"],
            "--coordinates",
        ),
        (vec!["overlap", acts, "--class-fraction", "0.3"], "--labels"),
        (vec!["neighbours", acts], "--output"),
    ] {
        let (code, _, err) = run(&args);
        assert!(code != 0 && err.contains(word), "{args:?}: {err}");
    }
}

#[test]
fn what_has_no_value_is_null_with_a_reason() {
    let folder = dump();
    write(
        &folder.path().join("0.npy"),
        &ndarray::Array2::from_elem((220, 4), 1.5),
    );
    let found = json(&["imbalance", path(folder.path())]);
    let pairs = found["pairs"].as_array().unwrap();
    let of_constant: Vec<&Value> = pairs
        .iter()
        .filter(|pair| pair["a"]["layer"] == "0")
        .collect();
    assert_eq!(of_constant.len(), 3);
    assert!(
        of_constant
            .iter()
            .all(|pair| pair["forward"].is_null() && pair["reason"] == "all_rows_identical")
    );
    assert!(found["matrices"][0]["values"][0][0].is_null());
    // Equal rows in one layer do not empty the others.
    let dropped = json(&["imbalance", path(folder.path()), "--duplicates", "drop"]);
    assert_eq!(dropped["n"], 220);
    let few = json(&["imbalance", path(folder.path()), "-k", "500"]);
    assert!(few["warnings"].to_string().contains("k_reduced"));
    assert_eq!(few["pairs"][5]["reason"], "too_few_rows");
    let overlap = json(&["overlap", path(folder.path()), "-k", "500"]);
    assert_eq!(number(&overlap["pairs"][5]["value"]), 1.0);
    assert!(overlap["pairs"][5]["adjusted"].is_null());
}

#[test]
fn rows_with_nan_leave_every_layer() {
    let folder = dump();
    let mut broken = normal(220, 3, 9);
    broken[[7, 1]] = f64::NAN;
    write(&folder.path().join("d.npy"), &broken);
    let acts = path(folder.path());
    assert!(refusal_line(&["imbalance", acts]).contains("--drop-nonfinite"));
    let found = json(&["imbalance", acts, "--drop-nonfinite"]);
    assert_eq!(found["n"], 219);
    fs::remove_file(folder.path().join("d.npy")).unwrap();
    let kept: String = (0..220)
        .filter(|row| *row != 7)
        .map(|row| format!("{row}\n"))
        .collect();
    let rows = folder.path().join("kept.txt");
    fs::write(&rows, kept).unwrap();
    let chosen = json(&["imbalance", acts, "--rows", path(&rows)]);
    assert_eq!(
        found["matrices"][0]["values"][0][1],
        chosen["matrices"][0]["values"][0][1]
    );
}

#[test]
fn the_table_of_a_real_dump_shows_shades_and_words() {
    let acts = fixture("minilm");
    let (_, table, _) = run(&["imbalance", path(&acts), "--format", "table"]);
    assert!(table.contains("█") && table.contains("equivalent"));
    let (_, ascii, _) = run(&["overlap", path(&acts), "--format", "table", "--ascii"]);
    assert!(ascii.is_ascii());
    let lines = ascii.lines().filter(|line| line.starts_with('[')).count();
    assert_eq!(lines, 7);
}
