//! Which arrays of a dump are layers, and what is said of the others.

use std::fs;

use super::{Folder, dimensions, dumped, json, names, npy, npz, refusal, run, scattered};

#[test]
fn npz_members_count_with_and_without_their_ending() {
    let wanted = ["layer_0", "layer_1", "layer_2"];
    assert_eq!(names(&[&dumped("npz-names/bare.npz")]), wanted);
    assert_eq!(names(&[&dumped("npz-names/mixed.npz")]), wanted);
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
    for path in [tables, answers, &dumped("tables/squared.npz")] {
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
