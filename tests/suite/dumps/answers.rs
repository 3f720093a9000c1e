//! Squared distances, pointers of Git LFS, files of other formats, pieces without rows get an answer.

use std::fs;

use super::{Folder, dimensions, dumped, json, near, npy, refusal, scattered};

#[test]
fn squared_distances_are_refused_or_their_roots_taken() {
    let squared = dumped("tables/squared.npz");
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
        let error = refusal(&["inspect", &dumped(name)]);
        assert!(
            error.contains("Git LFS") && error.contains("git lfs pull"),
            "{error}"
        );
    }
}

#[test]
fn several_arrays_in_one_file_are_refused_and_bytes_that_are_none_are_named() {
    let folder = Folder::new();
    let one = npy(&[60, 3], scattered);
    let several = folder.file("acts.npy", [one.clone(), one.clone()].concat());
    let words = refusal(&["id-profile", &several]);
    assert!(
        words.contains("another array follows the first") && words.contains("numpy.savez"),
        "{words}"
    );
    let trailing = folder.file("acts.npy", [one, vec![0; 10]].concat());
    let report = json(&["id-profile", &trailing]);
    assert!(report.to_string().contains("trailing_bytes"), "{report}");
}

#[test]
fn files_of_other_formats_are_answered_with_the_line_that_converts_them() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("store/layer_0")).unwrap();
    folder.file("store/.zgroup", "{}");
    for (name, content, wanted) in [
        ("acts.parquet", "PAR1", "pandas.read_parquet"),
        ("acts.feather", "ARROW1", "pandas.read_feather"),
        ("acts.json", "{\"layer_0\": [[1.0]]}", "json.load"),
        ("acts.csv", "a,b\n1,2\n", "skiprows=1"),
        ("store/layer_0/.zarray", "{}", "zarr.open"),
    ] {
        let path = folder.file(name, content);
        let path = match name {
            "store/layer_0/.zarray" => folder.join("store").to_str().unwrap().to_owned(),
            _ => path,
        };
        let words = refusal(&["id-profile", &path]);
        assert!(words.contains(wanted), "{name}: {words}");
    }
    let broken = folder.file("model.safetensors.index.json", "{}");
    let words = refusal(&["id-profile", &broken]);
    assert!(words.contains("save_file"), "{words}");
}

#[test]
fn pieces_without_rows_add_none() {
    let folder = Folder::new();
    let rows = |from: usize, n: usize| npy(&[n, 3], move |at| scattered(3 * from + at));
    let whole = folder.file("layer_0.npy", rows(0, 60));
    fs::create_dir(folder.join("pieces")).unwrap();
    for (piece, (from, n)) in [(0, 25), (25, 0), (25, 35), (60, 0)]
        .into_iter()
        .enumerate()
    {
        folder.file(&format!("pieces/layer_0_batch_{piece}.npy"), rows(from, n));
    }
    let pieces = folder.join("pieces");
    let pieces = pieces.to_str().unwrap();
    assert_eq!(dimensions(&[pieces]), dimensions(&[&whole]));
    assert_eq!(
        dimensions(&[pieces, "--rows", "20..60"]),
        dimensions(&[&whole, "--rows", "20..60"])
    );
}
