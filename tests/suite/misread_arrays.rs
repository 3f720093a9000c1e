//! Arrays, orders and texts that may be misread in silence.

use std::fs;

use super::dumps::{Folder, dimensions, json, names, near, npy, npz, refusal, scattered};
use super::misread::{codes, layer, whole};

// Which arrays are layers.

/// The distances and indices of the `k` nearest of `n` points on a bent line.
fn neighbours(n: usize, k: usize) -> (Vec<u8>, Vec<u8>) {
    let place = |row: usize| (row as f32).powf(1.3);
    let mut rows = Vec::new();
    for row in 0..n {
        let mut all: Vec<(f32, usize)> = (0..n)
            .map(|other| ((place(row) - place(other)).abs(), other))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        rows.extend(all.into_iter().take(k));
    }
    let far = npy(&[n, k], |at| rows[at].0);
    let near = whole(&[n, k], |at| rows[at].1 as i64);
    (far, near)
}

#[test]
fn tables_are_known_by_what_they_hold() {
    let folder = Folder::new();
    let (far, near) = neighbours(60, 12);
    for [distances, indices] in [
        ["knn_dists", "knn_indices"],
        ["dist", "ind"],
        ["distances", "neighbors"],
        ["arr_0", "arr_1"],
    ] {
        let file = folder.file(
            "table.npz",
            npz(&[
                (&format!("{distances}.npy"), far.clone()),
                (&format!("{indices}.npy"), near.clone()),
            ]),
        );
        let error = refusal(&["id-profile", &file]);
        assert!(error.contains("neighbour tables inside (1)"), "{error}");
        let report = json(&["id-profile", "--neighbours", &file]);
        assert_eq!(report["layers"].as_array().unwrap().len(), 1, "{distances}");
        assert_eq!(report["layers"][0]["layer"], "table");
    }
}

#[test]
fn distances_of_all_rows_to_all_are_no_activations() {
    let folder = Folder::new();
    let square = npy(&[30, 30], |at| {
        let place = |row: usize| (row as f32).powf(1.3);
        (place(at / 30) - place(at % 30)).abs()
    });
    for name in ["layer_0.npy", "layer_1.npy"] {
        folder.file(name, &square);
    }
    let file = folder.join("layer_0.npy");
    for input in [folder.path(), file.to_str().unwrap()] {
        assert!(refusal(&["id-profile", input]).contains("--neighbours"));
        assert!(!dimensions(&[input, "--axes", "ND", "--duplicates", "keep"]).is_empty());
    }
    let report = json(&["id-profile", "--neighbours", folder.path()]);
    assert_eq!(report["layers"].as_array().unwrap().len(), 2);
}

/// The products of all `n` rows with all, as `of` makes an element of a product and two lengths.
fn products(n: usize, of: impl Fn(f32, f32, f32) -> f32) -> Vec<u8> {
    let value = |row: usize, column: usize| scattered(row * 5 + column);
    let product = |a: usize, b: usize| -> f32 { (0..5).map(|d| value(a, d) * value(b, d)).sum() };
    npy(&[n, n], |at| {
        let (a, b) = (at / n, at % n);
        of(product(a, b), product(a, a), product(b, b))
    })
}

#[test]
fn similarities_of_all_rows_with_all_are_no_activations() {
    let n = 60;
    let gram = products(n, |product, _, _| product);
    let cosine = products(n, |product, a, b| product / (a * b).sqrt());
    let kernel = products(n, |product, a, b| (2.0 * product - a - b).exp());
    let graph = npy(&[n, n], |at| {
        let apart = (at / n).abs_diff(at % n);
        f32::from(u8::from(apart == 1 || apart == n - 1))
    });
    let folder = Folder::new();
    for matrix in [gram, cosine, kernel, graph] {
        let file = folder.file("layer_0.npy", &matrix);
        folder.file("layer_1.npy", matrix);
        for input in [folder.path(), &file] {
            let error = refusal(&["inspect", input]);
            assert!(
                error.contains("products or similarities") && error.contains("--axes ND"),
                "{error}"
            );
        }
        assert_eq!(names(&[folder.path(), "--axes", "ND"]).len(), 2);
    }
    let gram = folder.file("gram.npy", products(n, |product, _, _| product));
    let error = refusal(&["id-profile", "--neighbours", &gram]);
    assert!(error.contains("g_i + g_j - 2 G_ij"), "{error}");
    // Beside layers it is left out by name.
    let both = Folder::new();
    both.file("layer_0.npy", layer(0, &[n, 3]));
    both.file("gram.npy", products(n, |product, _, _| product));
    let report = json(&["inspect", both.path()]);
    assert_eq!(codes(&report), ["skipped_arrays"]);
    assert_eq!(report["layers"].as_array().unwrap().len(), 1);
}

#[test]
fn square_layers_that_are_not_symmetric_are_activations() {
    let folder = Folder::new();
    let n = 60;
    let positive = npy(&[n, n], |at| scattered(at).abs());
    let sparse = npy(&[n, n], |at| (scattered(at) - 1.5).max(0.0));
    let one_hot = npy(&[n, n], |at| f32::from(u8::from(at / n == at % n)));
    let constant = npy(&[n, n], |_| 1.0);
    // One column outweighs the others by far.
    let outlier = npy(&[n, n], |at| {
        scattered(at) * if at % n == 7 { 1e6 } else { 1.0 }
    });
    for layer in [positive, sparse, one_hot, constant, outlier] {
        let file = folder.file("layer.npy", layer);
        assert_eq!(names(&[&file]), ["layer"]);
    }
}

#[test]
fn a_folder_names_what_it_passes_over_and_no_more() {
    let folder = Folder::new();
    folder.file("layer_0.npy", layer(0, &[60, 3]));
    for name in [
        "README.md",
        "config.json",
        "labels.csv",
        "run.log",
        "plot.png",
    ] {
        folder.file(name, "x");
    }
    assert!(codes(&json(&["inspect", folder.path()])).is_empty());
    folder.file("acts.mat", "x");
    fs::create_dir(folder.join("old")).unwrap();
    let report = json(&["inspect", folder.path()]);
    let said = report["warnings"][0]["message"].as_str().unwrap();
    assert!(
        said.contains("acts.mat") && said.contains("old") && !said.contains("README"),
        "{said}"
    );
}

#[test]
fn bfloat16_kept_as_integers_is_pointed_out() {
    let folder = Folder::new();
    let bits = npy(&[60, 3], scattered);
    let header = bits.len() - 60 * 3 * 4;
    let mut short = b"\x93NUMPY".to_vec();
    let words = String::from_utf8_lossy(&bits[6..header]).replace("<f4", "<u2");
    short.extend(words.bytes());
    for value in bits[header..].chunks_exact(4) {
        short.extend([value[2], value[3]]);
    }
    let file = folder.file("acts.npz", npz(&[("a.npy", short), ("b.npy", bits)]));
    let said = json(&["inspect", &file])["warnings"][0]["message"].to_string();
    assert!(said.contains("--bf16-bits"), "{said}");
    assert_eq!(names(&[&file, "--bf16-bits"]).len(), 2);
}

// Order.

#[test]
fn an_archive_against_its_network_warns() {
    let folder = Folder::new();
    let members: Vec<(String, Vec<u8>)> = ["layers.0", "layers.1", "embed"]
        .iter()
        .enumerate()
        .map(|(at, name)| (format!("{name}.npy"), layer(at, &[60, 3])))
        .collect();
    let members: Vec<(&str, Vec<u8>)> = members
        .iter()
        .map(|(n, b)| (n.as_str(), b.clone()))
        .collect();
    let file = folder.file("acts.npz", npz(&members));
    let report = json(&["inspect", &file]);
    assert_eq!(names(&[&file]), ["layers.0", "layers.1", "embed"]);
    assert_eq!(codes(&report), ["unsure_order"]);
}

// Text.

fn overlap(acts: &str, labels: &str) -> f64 {
    let report = json(&["overlap", acts, "--labels", labels, "-k", "5"]);
    report["labels"][0]["label_overlap"]["micro"]
        .as_f64()
        .or_else(|| report["labels"][0]["micro"].as_f64())
        .unwrap_or(f64::NAN)
}

#[test]
fn rows_beside_labels_are_no_part_of_them() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", layer(0, &[60, 3]));
    let lines = |line: &dyn Fn(usize) -> String| -> String {
        (0..60).map(|row| line(row) + "\n").collect()
    };
    let class = |row: usize| ["cat", "dog", "eel"][row % 3];
    for separator in [",", "|", " "] {
        let text = lines(&|row| format!("{row}{separator}{}", class(row)));
        let labels = folder.file("labels.txt", text);
        let error = refusal(&["overlap", &acts, "--labels", &labels]);
        assert!(error.contains("no two lines are alike"), "{error}");
    }
    let backwards = format!(
        "row,label\n{}",
        lines(&|at| format!("{},{}", 59 - at, class(59 - at)))
    );
    let labels = folder.file("labels.csv", backwards);
    let error = refusal(&["overlap", &acts, "--labels", &format!("{labels}:label")]);
    assert!(error.contains("column row"), "{error}");
    let twice = format!(
        "label,label\n{}",
        lines(&|row| format!("{row},{}", class(row)))
    );
    let labels = folder.file("labels.csv", twice);
    let error = refusal(&["overlap", &acts, "--labels", &format!("{labels}:label")]);
    assert!(error.contains("two columns"), "{error}");
    // What numpy.savetxt and spreadsheets write.
    let plain = folder.file("labels.txt", lines(&|row| (row % 3).to_string()));
    let right = overlap(&acts, &plain);
    let float = folder.file(
        "float.txt",
        lines(&|row| format!("{:.18e}", (row % 3) as f64).replace("e0", "e+00")),
    );
    near(overlap(&acts, &float), right, 0.0);
    let sheet = format!(
        "sep=;\nid;label\n{}",
        lines(&|row| format!("{row};{}", row % 3))
    );
    let sheet = folder.file("sheet.csv", sheet);
    near(overlap(&acts, &format!("{sheet}:label")), right, 0.0);
}

#[test]
fn rows_are_read_as_numpy_writes_them() {
    let folder = Folder::new();
    let acts = folder.file("acts.npy", layer(0, &[60, 3]));
    let lines: String = (0..30)
        .map(|row| format!("{:.18e}\n", f64::from(2 * row)))
        .collect();
    let text = folder.file(
        "rows.txt",
        lines.replace("e1", "e+01").replace("e0", "e+00"),
    );
    let column = folder.file("column.npy", whole(&[30, 1], |at| 2 * at as i64));
    let tuple = folder.file("tuple.npy", whole(&[1, 30], |at| 2 * at as i64));
    let right = dimensions(&[&acts, "--rows", &text]);
    for rows in [&column, &tuple] {
        assert_eq!(dimensions(&[&acts, "--rows", rows]), right);
    }
    let error = refusal(&["id-profile", &acts, "--rows", "0,2,4"]);
    assert!(error.contains("0..500"), "{error}");
}

#[test]
fn raw_shapes_are_read_as_numpy_writes_them() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..180)
        .flat_map(|at| scattered(at).to_le_bytes())
        .collect();
    let file = folder.file("acts.bin", bytes);
    let right = dimensions(&[&format!("{file}:f32:60x3")]);
    for said in ["<f4:60,3", "float32:(60, 3)"] {
        assert_eq!(dimensions(&[&format!("{file}:{said}")]), right);
    }
    let error = refusal(&["id-profile", &format!("{file}:f32:-1x3")]);
    assert!(error.contains("FILE:TYPE:AxB"), "{error}");
}
