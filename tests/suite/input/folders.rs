//! Directories and archives: which arrays are layers, in which order.

use std::path::Path;

use repgeo::Error;
use repgeo::input::{Dump, Labels, ReadOptions};
use repgeo::warning::WarningCode;
use zip::CompressionMethod;

use super::{Folder, content, f32s, fixture, i64s, npy, npz, safetensors, widen};

#[test]
fn a_directory_is_read_in_natural_order_with_relative_depths() {
    let dump = Dump::open(&fixture("formats/order")).unwrap();
    let names: Vec<&str> = dump
        .layers()
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["layer_0", "layer_1", "layer_2", "layer_10", "layer_11"]
    );
    assert_eq!(dump.layers()[1].relative_depth, 0.25);
    for layer in dump.layers() {
        let offset: f64 = layer.name["layer_".len()..].parse().unwrap();
        let wanted: Vec<f64> = content().iter().map(|x| x + offset).collect();
        let read = dump.read(layer, &ReadOptions::default()).unwrap();
        assert_eq!(widen(&read.matrix), wanted, "{}", layer.name);
    }
    let some = dump.select(&"1..,-1".parse().unwrap()).unwrap();
    assert_eq!(some.layers().len(), 4);
    assert_eq!(
        (some.layers()[3].index, some.layers()[3].relative_depth),
        (4, 1.0)
    );
    let err = dump
        .select(&"head*".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(err.contains("layer_0, layer_1"), "{err}");
}

#[test]
fn companions_of_layers_are_left_out_and_named() {
    let dump = Dump::open(&fixture("formats/mixed.safetensors")).unwrap();
    let names: Vec<&str> = dump
        .layers()
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "f16",
            "f64",
            "hidden_states.0",
            "hidden_states.2",
            "hidden_states.10"
        ]
    );
    assert_eq!(dump.warnings()[0].code, WarningCode::SkippedArrays);
    assert!(dump.warnings()[0].message.contains("labels"));
    let dump = Dump::open(&fixture("broken/labels_wrong_n")).unwrap();
    assert_eq!(dump.layers().len(), 1);
    let labels = Labels::open(&fixture("broken/labels_wrong_n/labels.npy")).unwrap();
    let err = labels
        .check_rows(dump.n_rows(), "layer_00")
        .unwrap_err()
        .to_string();
    assert!(err.contains("39 rows but layer_00 has 40"), "{err}");
}

#[test]
fn layers_of_another_length_can_be_left_out_by_selection() {
    let path = fixture("broken/wrong_n_across_layers");
    assert!(matches!(Dump::open(&path), Err(Error::RowMismatch { .. })));
    let dump = Dump::list(&path).unwrap();
    assert!(matches!(
        dump.select(&"1..3".parse().unwrap()),
        Err(Error::RowMismatch { .. })
    ));
    assert_eq!(
        dump.select(&"0,1,3".parse().unwrap())
            .unwrap()
            .layers()
            .len(),
        3
    );
}

#[test]
fn equal_names_in_several_files_are_told_apart() {
    let folder = Folder::new();
    let header = r#"{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    folder.file("a.safetensors", safetensors(header, &f32s(&[1.0, 2.0])));
    folder.file("b.safetensors", safetensors(header, &f32s(&[3.0, 4.0])));
    let dump = Dump::open(folder.path()).unwrap();
    let names: Vec<&str> = dump
        .layers()
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["a#x", "b#x"]);
}

#[test]
fn stored_and_deflated_archives_read_alike_also_from_a_stream() {
    let folder = Folder::new();
    let array = npy(
        "<f4",
        false,
        "(3, 2)",
        &f32s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    );
    let labels = npy("<i8", false, "(3,)", &i64s(&[0, 1, 0]));
    let members = [
        ("l10.npy", array.clone()),
        ("l2.npy", array),
        ("labels.npy", labels),
    ];
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let archive = npz(&members, method);
        let path = folder.file("acts.npz", &archive);
        for dump in [Dump::open(&path), Dump::from_reader(&archive[..], "stdin")] {
            let dump = dump.unwrap();
            let names: Vec<&str> = dump
                .layers()
                .iter()
                .map(|layer| layer.name.as_str())
                .collect();
            assert_eq!(names, ["l2", "l10"]);
            let layer = dump
                .read(&dump.layers()[1], &ReadOptions::default())
                .unwrap();
            assert_eq!(widen(&layer.matrix), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        }
        let labels = Labels::open(Path::new(&format!("{}#labels", path.display()))).unwrap();
        assert_eq!(labels.classes, ["0", "1"]);
    }
}

#[test]
fn a_sharded_index_gathers_its_tensors_and_reaches_no_other_folder() {
    let folder = Folder::new();
    let one = r#"{"h.10":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let two = r#"{"h.9":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    folder.file("1.safetensors", safetensors(one, &f32s(&[1.0, 2.0])));
    folder.file("2.safetensors", safetensors(two, &f32s(&[3.0, 4.0])));
    let index = r#"{"weight_map":{"h.10":"1.safetensors","h.9":"2.safetensors"}}"#;
    let path = folder.file("m.safetensors.index.json", index);
    let dump = Dump::open(&path).unwrap();
    assert_eq!(dump.layers()[0].name, "h.9");
    assert_eq!(dump.layers()[1].name, "h.10");
    let path = folder.file(
        "evil.index.json",
        r#"{"weight_map":{"h":"../1.safetensors"}}"#,
    );
    let err = Dump::open(&path).unwrap_err().to_string();
    assert!(err.contains("outside its folder"), "{err}");
    let path = folder.file("lost.index.json", r#"{"weight_map":{"h":"1.safetensors"}}"#);
    let err = Dump::open(&path).unwrap_err().to_string();
    assert!(err.contains("\"h\" is not in its shard"), "{err}");
}
