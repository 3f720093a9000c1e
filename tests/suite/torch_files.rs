//! What torch saves, against another reader, and the containers that people save it in.

use std::path::Path;

use pytorch_reader::{DType, PytorchReader};
use repgeo::input::Tensors;

use super::dumps::{Folder, dimensions, json, made, names, near, refusal, torch};

/// The values of a tensor as another program reads them.
fn oracle(tensor: &pytorch_reader::Tensor) -> Vec<f64> {
    let bytes = tensor.read().unwrap();
    let size = bytes.len() / tensor.num_elements();
    let value = |raw: &[u8]| match tensor.dtype() {
        DType::F64 => f64::from_ne_bytes(raw.try_into().unwrap()),
        DType::F32 => f32::from_ne_bytes(raw.try_into().unwrap()).into(),
        DType::F16 => half::f16::from_ne_bytes(raw.try_into().unwrap()).into(),
        DType::BF16 => half::bf16::from_ne_bytes(raw.try_into().unwrap()).into(),
        DType::I64 => i64::from_ne_bytes(raw.try_into().unwrap()) as f64,
        other => panic!("no fixture holds {other:?}"),
    };
    bytes.chunks_exact(size).map(value).collect()
}

#[test]
fn every_tensor_is_what_another_reader_says() {
    let mut seen = 0;
    for name in ["dict.pt", "state.pt"] {
        let path = torch(name);
        let theirs = PytorchReader::new(&path).unwrap();
        let ours = Tensors::open(Path::new(&path)).unwrap();
        for (key, tensor) in theirs.tensors() {
            let found = ours.get(key).unwrap_or_else(|| panic!("{name}: {key}"));
            assert_eq!(found.shape(), tensor.shape(), "{name}: {key}");
            assert_eq!(found.to_f64().unwrap(), oracle(tensor), "{name}: {key}");
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
}

#[test]
fn numpy_arrays_inside_are_read() {
    let folder = Folder::new();
    let file = torch("numpy.pt");
    assert_eq!(names(&[&file]), ["plain", "turned", "big"]);
    for (layer, found) in dimensions(&[&file]).into_iter().enumerate() {
        let path = folder.file(&format!("made_{layer}.npy"), made(layer));
        near(found, dimensions(&[&path])[0], 1e-6);
    }
}

#[test]
fn lists_are_pieces_rows_or_layers_by_what_they_hold() {
    let folder = Folder::new();
    let right: Vec<f64> = (0..2)
        .map(|layer| {
            let path = folder.file(&format!("made_{layer}.npy"), made(layer));
            dimensions(&[&path])[0]
        })
        .collect();
    // A vector says nothing alone: lists of them are rows.
    let vectors = torch("vectors.pt");
    assert_eq!(names(&[&vectors]), ["layer_0", "layer_1"]);
    assert_eq!(dimensions(&[&vectors]), right);
    for file in [torch("batches.pt"), torch("dicts.pt")] {
        let error = refusal(&["inspect", &file]);
        assert!(
            error.contains("--join rows") && error.contains("--join never"),
            "{error}"
        );
    }
    assert_eq!(dimensions(&[&torch("batches.pt"), "--join", "rows"]), right);
    assert_eq!(names(&[&torch("batches.pt"), "--join", "never"]).len(), 6);
    assert_eq!(
        dimensions(&[&torch("dicts.pt"), "--join", "rows"]),
        right[..1]
    );
    let report = json(&["inspect", &torch("batches.pt"), "--join", "rows"]);
    let said = report["understood"][0].as_str().unwrap();
    assert!(said.contains("joined from 3"), "{said}");
}

#[test]
fn outputs_of_models_and_caches_are_the_dicts_that_they_hold() {
    let folder = Folder::new();
    for layer in 0..3 {
        folder.file(&format!("layer_{layer}.npy"), made(layer));
    }
    let wanted = dimensions(&[folder.path()]);
    for (name, layer, beside) in [
        (
            "output.pt",
            "hidden_states.1",
            "past_key_values (keys and values)",
        ),
        (
            "cache.pt",
            "blocks.1.hook_resid_post",
            "cache.model (no activation)",
        ),
    ] {
        let path = torch(name);
        let found = names(&[&path]);
        assert_eq!((found.len(), found[1].as_str()), (3, layer), "{name}");
        assert_eq!(dimensions(&[&path]), wanted, "{name}");
        let report = json(&["id-profile", &path]);
        assert!(report["warnings"].to_string().contains(beside), "{report}");
    }
}
