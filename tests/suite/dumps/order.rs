//! Layers come in the order of the network, of the file or of the flags.

use std::fs;

use serde_json::Value;

use super::{Folder, dumped, json, names, near, npy, refusal, scattered};

#[test]
fn layers_come_in_the_order_in_which_the_network_runs() {
    assert_eq!(
        names(&[&dumped("order/lens.safetensors")]),
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
    let path = dumped("order/resnet.npz");
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
    assert_eq!(names(&[&dumped("order/depth.npz")]), by_value);
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
    let path = dumped("order/lens.safetensors");
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
    let path = dumped("numbers/every_fourth.npz");
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
