//! Squared distances and pointers of Git LFS get an answer.

use super::{fixture, json, near, refusal};

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
