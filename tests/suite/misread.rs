//! Dumps that may be misread in silence: each is read rightly, pointed out or refused.

use std::fs;

use super::dumps::{Folder, dimensions, json, names, npy, npz, refusal, scattered};

/// An npy file of i64.
pub(super) fn whole(shape: &[usize], value: impl Fn(usize) -> i64) -> Vec<u8> {
    let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({axes}), }}");
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

pub(super) fn layer(seed: usize, shape: &[usize]) -> Vec<u8> {
    npy(shape, move |at| scattered(at + 1000 * seed))
}

pub(super) fn codes(report: &serde_json::Value) -> Vec<String> {
    let warnings = report["warnings"].as_array().unwrap();
    let code = |warning: &serde_json::Value| warning["code"].as_str().unwrap().to_owned();
    warnings.iter().map(code).collect()
}

pub(super) fn understood(report: &serde_json::Value) -> String {
    report["understood"][0].as_str().unwrap().to_owned()
}

#[test]
fn layers_of_different_lengths_are_not_said_to_have_those_of_the_first() {
    let folder = Folder::new();
    for (at, rows) in [60, 50, 60].into_iter().enumerate() {
        folder.file(&format!("layer_{at}.npy"), layer(at, &[rows, 4]));
    }
    let words = understood(&json(&["inspect", folder.path()]));
    assert!(words.starts_with("3 layers of 50 to 60 rows;"), "{words}");
    let joined = Folder::new();
    for (at, rows) in [20, 20, 20, 10].into_iter().enumerate() {
        let name = format!("layer_{}_batch_{}.npy", at / 2, at % 2);
        joined.file(&name, layer(at, &[rows, 4]));
    }
    let words = understood(&json(&["inspect", joined.path()]));
    assert!(
        words.contains("2 files of 30 to 40 rows together"),
        "{words}"
    );
}

// Rows in several files.

#[test]
fn two_numbers_side_by_side_may_be_layers_or_pieces() {
    let folder = Folder::new();
    for at in 0..6 {
        folder.file(
            &format!("layer_{}_{}.npy", at / 3, at % 3),
            layer(at, &[20, 4]),
        );
    }
    let error = refusal(&["inspect", folder.path()]);
    assert!(
        error.contains("--join rows") && error.contains("--join never"),
        "{error}"
    );
    assert_eq!(
        names(&[folder.path(), "--join", "rows"]),
        ["layer_0", "layer_1"]
    );
    assert_eq!(names(&[folder.path(), "--join", "never"]).len(), 6);
    // Blocks of different widths are no pieces of one layer.
    let blocks = Folder::new();
    for (at, name) in ["layer1_0", "layer1_1", "layer2_0", "layer2_1"]
        .iter()
        .enumerate()
    {
        blocks.file(&format!("{name}.npy"), layer(at, &[20, 4 + 4 * (at % 2)]));
    }
    assert_eq!(names(&[blocks.path()]).len(), 4);
}

#[test]
fn words_for_rows_are_no_layers() {
    let folder = Folder::new();
    for at in 0..4 {
        folder.file(&format!("prompt_{at}.npy"), layer(at, &[5, 4]));
    }
    let error = refusal(&["inspect", folder.path()]);
    assert!(error.contains("--axes TD --join rows"), "{error}");
    let report = json(&[
        "id-profile",
        folder.path(),
        "--axes",
        "TD",
        "--join",
        "rows",
        "--pool",
        "last",
    ]);
    assert!(understood(&report).starts_with("1 layer joined from 4 files"));
    let ranges = Folder::new();
    for at in 0..3 {
        let name = format!("layer_0_rows_{}_{}.npy", 40 * at, 40 * at + 40);
        ranges.file(&name, layer(at, &[40, 4]));
    }
    assert!(refusal(&["inspect", ranges.path()]).contains("--join rows"));
    assert_eq!(names(&[ranges.path(), "--join", "rows"]), ["layer_0"]);
}

#[test]
fn shards_need_no_word_to_be_pieces() {
    let folder = Folder::new();
    for at in 1..=3 {
        folder.file(
            &format!("layer_0-0000{at}-of-00003.npy"),
            layer(at, &[20, 4]),
        );
    }
    let report = json(&["inspect", folder.path()]);
    assert_eq!(
        understood(&report),
        "1 layer joined from 3 files of 20 rows"
    );
    fs::remove_file(folder.join("layer_0-00002-of-00003.npy")).unwrap();
    assert!(refusal(&["inspect", folder.path()]).contains("2 of 3 pieces"));
}

#[test]
fn many_files_of_few_rows_may_be_rows() {
    let folder = Folder::new();
    for at in 0..12 {
        folder.file(&format!("{at}.npy"), layer(at, &[7, 4]));
    }
    let error = refusal(&["inspect", folder.path()]);
    assert!(
        error.contains("--axes LD --join rows") && error.contains("--join never"),
        "{error}"
    );
    let layers = names(&[folder.path(), "--axes", "LD", "--join", "rows"]);
    assert_eq!(layers.len(), 7);
    let vectors = Folder::new();
    for at in 0..60 {
        vectors.file(&format!("{at}.npy"), layer(at, &[6]));
    }
    let report = json(&["inspect", vectors.path(), "--join", "rows"]);
    assert_eq!(report["layers"][0]["shape"], serde_json::json!([60, 6]));
}

#[test]
fn batches_may_be_padded_to_other_lengths() {
    let folder = Folder::new();
    for at in 0..3 {
        let tokens = 4 + at;
        folder.file(
            &format!("batch_{at}.npz"),
            npz(&[
                ("layer_0.npy", layer(at, &[20, tokens, 3])),
                ("attention_mask.npy", whole(&[20, tokens], |_| 1)),
            ]),
        );
    }
    let report = json(&["id-profile", folder.path(), "--pool", "mean"]);
    assert!(understood(&report).contains("tokens masked by attention_mask"));
}

#[test]
fn layers_of_different_lengths_are_told_what_they_may_be() {
    let folder = Folder::new();
    folder.file("acts_0.npy", layer(0, &[50, 4]));
    folder.file("acts_1.npy", layer(1, &[20, 4]));
    assert!(refusal(&["id-profile", folder.path()]).contains("--join rows"));
    let turned = Folder::new();
    turned.file("l0.npy", layer(0, &[8, 60]));
    turned.file("l1.npy", layer(1, &[6, 60]));
    let error = refusal(&["id-profile", turned.path()]);
    assert!(error.contains("--axes DN"), "{error}");
    assert_eq!(dimensions(&[turned.path(), "--axes", "DN"]).len(), 2);
}

// Masks, lengths, token ids.

/// Sixty rows of four tokens, of which the last two are padding in all but every third.
fn padded(beside: &str, content: Vec<u8>) -> Vec<u8> {
    npz(&[
        ("layer_0.npy", layer(0, &[60, 4, 3])),
        (&format!("{beside}.npy"), content),
    ])
}

fn counts(at: usize) -> bool {
    at % 4 < 2 || (at / 4).is_multiple_of(3)
}

#[test]
fn masks_of_two_meanings_are_refused_with_both() {
    let folder = Folder::new();
    let plain = folder.file(
        "plain.npz",
        padded(
            "attention_mask",
            whole(&[60, 4], |at| i64::from(counts(at))),
        ),
    );
    let right = dimensions(&[&plain, "--pool", "mean"]);
    for name in [
        "padding_mask",
        "key_padding_mask",
        "is_pad",
        "layer_0_mask",
        "valid",
    ] {
        let file = folder.file(
            "acts.npz",
            padded(name, whole(&[60, 4], |at| i64::from(!counts(at)))),
        );
        let error = refusal(&["id-profile", &file, "--pool", "mean"]);
        assert!(error.contains(&format!("not:{file}#{name}")), "{error}");
        let mask = format!("not:{file}#{name}");
        assert_eq!(
            dimensions(&[&file, "--pool", "mean", "--mask", &mask]),
            right
        );
        assert_ne!(
            dimensions(&[&file, "--pool", "mean", "--mask", "none"]),
            right
        );
        // Without tokens there is nothing to ask.
        assert_eq!(dimensions(&[&file, "--pool", "flatten"]).len(), 1);
    }
}

#[test]
fn masks_and_lengths_are_used_however_they_are_called() {
    let folder = Folder::new();
    let mask = |shape: &'static [usize]| whole(shape, |at| i64::from(counts(at)));
    let plain = folder.file("plain.npz", padded("attention_mask", mask(&[60, 4])));
    let right = dimensions(&[&plain, "--pool", "mean"]);
    let lengths = whole(&[60], |row| if row.is_multiple_of(3) { 4 } else { 2 });
    for (name, content) in [
        ("attn_mask", mask(&[60, 4])),
        ("attention_mask", mask(&[60, 1, 1, 4])),
        ("attention_mask", mask(&[60, 4, 1])),
        ("seq_len", lengths.clone()),
        ("num_tokens", lengths),
    ] {
        let file = folder.file("acts.npz", padded(name, content));
        assert_eq!(dimensions(&[&file, "--pool", "mean"]), right, "{name}");
        // The array alone has the same file behind it.
        let alone = format!("{file}#layer_0");
        assert_eq!(dimensions(&[&alone, "--pool", "mean"]), right, "{name}");
    }
    let two = folder.file(
        "two.npz",
        npz(&[
            ("layer_0.npy", layer(0, &[60, 4, 3])),
            ("attention_mask.npy", mask(&[60, 4])),
            ("mask.npy", whole(&[60, 4], |at| i64::from(!counts(at)))),
        ]),
    );
    let error = refusal(&["id-profile", &two, "--pool", "mean"]);
    assert!(error.contains("other tokens in row 0"), "{error}");
}

#[test]
fn token_ids_that_end_alike_are_pointed_out() {
    let folder = Folder::new();
    let ids = |at: usize| if counts(at) { 10 + at as i64 } else { 0 };
    let file = folder.file("acts.npz", padded("input_ids", whole(&[60, 4], ids)));
    let error = refusal(&["id-profile", &file, "--pool", "mean"]);
    assert!(
        error.contains("input_ids != 0") && error.contains("--mask none"),
        "{error}"
    );
    let whole_rows = folder.file(
        "acts.npz",
        padded("input_ids", whole(&[60, 4], |at| at as i64)),
    );
    assert_eq!(dimensions(&[&whole_rows, "--pool", "mean"]).len(), 1);
    let other = folder.file(
        "acts.npz",
        padded("input_ids", whole(&[60, 9], |at| at as i64)),
    );
    let error = refusal(&["id-profile", &other, "--pool", "last"]);
    assert!(
        error.contains("9 tokens a row") && error.contains("--axes NLD"),
        "{error}"
    );
}

#[test]
fn a_layer_called_tokens_is_a_layer() {
    let folder = Folder::new();
    let file = folder.file(
        "acts.npz",
        npz(&[
            ("other.npy", layer(0, &[60, 3])),
            ("tokens.npy", layer(1, &[60, 3])),
        ]),
    );
    assert_eq!(names(&[&file]), ["other", "tokens"]);
}

#[test]
fn what_was_pooled_and_how_is_said() {
    let folder = Folder::new();
    let file = folder.file(
        "acts.npz",
        padded(
            "attention_mask",
            whole(&[60, 4], |at| i64::from(counts(at))),
        ),
    );
    let said = |pool: &str| understood(&json(&["id-profile", &file, "--pool", pool]));
    let mean = said("mean");
    assert!(
        mean.contains("pooled by mean, tokens masked by attention_mask"),
        "{mean}"
    );
    let flat = said("flatten");
    assert!(
        flat.contains("pooled by flatten") && !flat.contains("masked"),
        "{flat}"
    );
    // What was used is not left out.
    let report = json(&["id-profile", &file, "--pool", "mean"]);
    assert!(!codes(&report).contains(&"skipped_arrays".to_owned()));
}

// Axes.

#[test]
fn what_lies_beside_says_which_axis_is_the_rows() {
    let folder = Folder::new();
    let labels = |n: usize| whole(&[n], |at| at as i64 % 3);
    let stacked = folder.file(
        "stacked.npz",
        npz(&[
            ("h.npy", layer(0, &[60, 70, 3])),
            ("labels.npy", labels(70)),
        ]),
    );
    let error = refusal(&["id-profile", &stacked, "--pool", "mean"]);
    assert!(
        error.contains("labels beside it has 70") && error.contains("--axes LND"),
        "{error}"
    );
    let turned = folder.file(
        "turned.npz",
        npz(&[("h.npy", layer(0, &[6, 70])), ("labels.npy", labels(70))]),
    );
    assert!(refusal(&["id-profile", &turned]).contains("--axes DN"));
    assert_eq!(dimensions(&[&turned, "--axes", "DN"]).len(), 1);
    let right = folder.file(
        "right.npz",
        npz(&[("h.npy", layer(0, &[70, 6])), ("labels.npy", labels(70))]),
    );
    assert_eq!(dimensions(&[&right]).len(), 1);
}

#[test]
fn short_first_axes_and_channels_at_the_end_are_pointed_out() {
    let folder = Folder::new();
    let deep = folder.file("deep.npy", layer(0, &[60, 90, 2]));
    let report = json(&["inspect", &deep]);
    assert_eq!(codes(&report), ["unsure_axes"]);
    assert!(codes(&json(&["inspect", &deep, "--axes", "NTD"])).is_empty());
    let images = folder.file("images.npy", layer(0, &[60, 4, 4, 3]));
    let error = refusal(&["id-profile", &images, "--pool", "gap"]);
    assert!(
        error.contains("--axes NHWC") && error.contains("--axes NCHW"),
        "{error}"
    );
    assert_eq!(
        dimensions(&[&images, "--pool", "gap", "--axes", "NHWC"]).len(),
        1
    );
}

#[test]
fn blank_tokens_name_the_mask() {
    let folder = Folder::new();
    let blank = |by: f32| {
        npy(&[60, 4, 3], move |at| match counts(at / 3) {
            true => scattered(at),
            false => by,
        })
    };
    let nan = folder.file("nan.npy", blank(f32::NAN));
    let error = refusal(&["id-profile", &nan, "--pool", "last"]);
    assert!(
        error.contains("NaN, as padding is") && error.contains("--mask"),
        "{error}"
    );
    let zero = folder.file("zero.npy", blank(0.0));
    let report = json(&["id-profile", &zero, "--pool", "mean"]);
    let said = report["layers"][0]["warnings"].to_string();
    assert!(
        said.contains("padding_unused") && said.contains("--mask"),
        "{said}"
    );
    let report = json(&["id-profile", &zero, "--pool", "mean", "--mask", "none"]);
    assert!(!report.to_string().contains("padding_unused"));
}
