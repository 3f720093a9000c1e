//! Rows that are almost equal are pointed out by every command that reads nearest distances.

use serde_json::Value;

use super::dumps::{Folder, json, npy, run, scattered};

const ROWS: usize = 60;
const COLUMNS: usize = 4;
/// The row that has a twin, and the twin.
const TWINS: [usize; 2] = [7, 31];

/// A layer; with a `twin` one row lies one step of f32 beside another.
fn layer(number: usize, twin: bool) -> Vec<u8> {
    let value = move |at: usize| scattered(at + 7919 * number);
    npy(&[ROWS, COLUMNS], move |at| {
        match (at / COLUMNS, at % COLUMNS) {
            (row, column) if twin && row == TWINS[1] => {
                let first = value(TWINS[0] * COLUMNS + column);
                if column == 0 { first.next_up() } else { first }
            }
            _ => value(at),
        }
    })
}

fn dump(twin: bool) -> Folder {
    let folder = Folder::new();
    for number in 0..3 {
        folder.file(&format!("layer_{number}.npy"), layer(number, twin));
    }
    folder
}

/// The codes of all warnings of a report.
fn codes(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(map) => {
            let code = map.get("code").and_then(Value::as_str);
            let own = code.filter(|_| map.contains_key("message"));
            own.into_iter()
                .chain(map.values().flat_map(codes))
                .collect()
        }
        Value::Array(all) => all.iter().flat_map(codes).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_command_that_reads_nearest_distances_names_almost_equal_rows() {
    let (twins, plain) = (dump(true), dump(false));
    let labels: String = (0..ROWS).map(|row| format!("c{}\n", row % 3)).collect();
    let labels = twins.file("labels.txt", labels);
    let tables = |acts: &Folder| {
        let folder = acts.join("tables");
        let path = folder.to_str().unwrap().to_owned();
        let k = (ROWS - 1).to_string();
        let written = run(&["neighbours", acts.path(), "-k", &k, "-o", &path]);
        assert!(written.status.success());
        path
    };
    let others = [dump(true), dump(false)];
    let paths = [&twins, &plain].map(|acts| {
        let table = tables(acts);
        let one = format!("{table}/layer_1.npz");
        [acts.path().to_owned(), table, one]
    });
    let again = twins.join("again");
    let again = again.to_str().unwrap();
    // ACTS and OTHER stand for dumps, TABLES for its tables, ONE for one of them.
    let calls: [&[&str]; 24] = [
        &["inspect", "ACTS", "--scan"],
        &["id-profile", "ACTS"],
        &["id-profile", "ACTS", "--estimator", "mle", "-k", "5"],
        &["id-profile", "ACTS", "--id-scaling"],
        &["id-profile", "--neighbours", "TABLES"],
        &["imbalance", "ACTS"],
        &["imbalance", "ACTS", "--to", "last"],
        &["imbalance", "ACTS", "--against", "ACTS", "--to", "matched"],
        &["imbalance", "ACTS", "--greedy", "2"],
        &["imbalance", "ACTS", "--coordinates", "0,1"],
        &["imbalance", "ACTS", "--to", "last", "--greedy", "2"],
        &["imbalance", "--neighbours", "TABLES"],
        &["overlap", "ACTS", "-k", "5"],
        &["overlap", "ACTS", "--labels", &labels, "-k", "5"],
        &["overlap", "--neighbours", "TABLES", "-k", "5"],
        &["density-peaks", "ACTS"],
        &["density-peaks", "--neighbours", "TABLES"],
        &["landscape", "ACTS", "--layers", "1"],
        &["landscape", "--neighbours", "ONE"],
        &["neighbours", "ACTS", "-k", "5", "-o", again],
        &["similarity", "ACTS", "--measure", "imbalance"],
        &["similarity", "ACTS", "--measure", "overlap", "-k", "5"],
        &["similarity", "ACTS", "--measure", "id-correlation"],
        &[
            "dynamics",
            "ACTS",
            "OTHER",
            "--quantity",
            "imbalance",
            "--to",
            "first",
        ],
    ];
    for call in calls {
        for ((twin, other), [acts, tables, one]) in
            [true, false].into_iter().zip(&others).zip(&paths)
        {
            let args: Vec<String> = call
                .iter()
                .map(|arg| {
                    arg.replace("ACTS", acts)
                        .replace("TABLES", tables)
                        .replace("ONE", one)
                        .replace("OTHER", other.path())
                })
                .collect();
            let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
            args.extend(["--format", "json"]);
            let report = json(&args);
            let said = codes(&report).contains(&"near_duplicates");
            assert_eq!(said, twin, "{args:?}: {:?}", codes(&report));
        }
    }
}
