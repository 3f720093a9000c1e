//! What contradicts itself is refused by name, never settled in silence.

use super::{Folder, npy, npz, refusal, scattered};
use crate::misread::whole;

/// A safetensors file with this header and so many bytes of zeros.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn tensor(name: &str) -> String {
    format!(r#""{name}":{{"dtype":"F32","shape":[60,2],"data_offsets":[0,480]}}"#)
}

#[test]
fn a_tensor_that_a_header_names_twice_is_refused() {
    let folder = Folder::new();
    let header = format!("{{{},{}}}", tensor("h.0"), tensor("h.0"));
    let acts = folder.file("acts.safetensors", safetensors(&header, 480));
    let error = refusal(&["inspect", &acts]);
    assert!(error.contains("names \"h.0\" twice"), "{error}");
}

#[test]
fn an_index_that_names_a_tensor_twice_or_one_that_is_not_there_is_refused() {
    let folder = Folder::new();
    let one = safetensors(&format!("{{{}}}", tensor("h.0")), 480);
    folder.file("a.safetensors", &one);
    folder.file("b.safetensors", &one);
    for (map, fact) in [
        (
            r#""h.0": "a.safetensors", "h.0": "b.safetensors""#,
            "the index names \"h.0\" twice",
        ),
        (
            r#""h.1": "a.safetensors""#,
            "\"h.1\" is not in its shard a.safetensors",
        ),
    ] {
        let index = format!(r#"{{"metadata": {{}}, "weight_map": {{{map}}}}}"#);
        let index = folder.file("model.safetensors.index.json", index);
        let error = refusal(&["inspect", &index]);
        assert!(error.contains(fact), "{error}");
    }
}

#[test]
fn members_of_one_name_are_refused() {
    let folder = Folder::new();
    // As `a` and `a.npy`, and as a copy that appending to an archive makes.
    let pair = [
        ("layer_0.npy", npy(&[60, 2], scattered)),
        ("layer_0", npy(&[60, 3], scattered)),
    ];
    let acts = folder.file("pair.npz", npz(&pair));
    let error = refusal(&["inspect", &acts]);
    assert!(
        error.contains("two arrays inside are called \"layer_0\""),
        "{error}"
    );
    let error = refusal(&["inspect", &format!("{acts}#layer_0")]);
    assert!(error.contains("layer_0"), "{error}");
    let copies = [
        ("layer_0.npy", npy(&[60, 2], scattered)),
        ("layer_1.npy", npy(&[60, 3], scattered)),
    ];
    let mut archive = npz(&copies);
    // The writer refuses a second name, so it is changed afterwards, in both directories.
    for at in 0..archive.len() - 11 {
        if &archive[at..at + 11] == b"layer_1.npy" {
            archive[at + 6] = b'0';
        }
    }
    let acts = folder.file("copies.npz", archive);
    let error = refusal(&["inspect", &acts]);
    assert!(error.contains("holds \"layer_0.npy\" twice"), "{error}");
}

#[test]
fn a_mask_that_fits_both_ways_is_refused_where_it_is_turned() {
    let folder = Folder::new();
    let n = 60;
    let states = || npy(&[n, n, 3], scattered);
    let right = move |at: usize| i64::from(at % n < 5 + at / n % 40);
    for (name, turned) in [("good", false), ("turned", true)] {
        let mask = whole(&[n, n], |at| match turned {
            true => right(at % n * n + at / n),
            false => right(at),
        });
        let members = [("layer_0.npy", states()), ("attention_mask.npy", mask)];
        let acts = folder.file(&format!("{name}.npz"), npz(&members));
        let arguments = ["id-profile", &acts, "--pool", "mean"];
        match turned {
            true => {
                let error = refusal(&arguments);
                assert!(error.contains("two readings of"), "{error}");
            }
            false => assert_eq!(super::dimensions(&arguments[1..]).len(), 1),
        }
    }
}
