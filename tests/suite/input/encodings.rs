//! Every encoding of the reference values, and what is refused in one file.

use std::fs;

use repgeo::Error;
use repgeo::input::{ReadOptions, Values};
use repgeo::warning::WarningCode;

use super::{Folder, codes, content, fixture, i64s, npy, read, read_with, widen};

#[test]
fn every_encoding_of_the_reference_reads_as_the_reference() {
    let reference = content();
    assert_eq!(reference.len(), 240);
    let twice: Vec<f64> = reference.iter().map(|x| x * 2.0).collect();
    let thrice: Vec<f64> = reference.iter().map(|x| x * 3.0).collect();
    let times_eight: Vec<f64> = reference.iter().map(|x| x * 8.0).collect();
    let shifted: Vec<f64> = times_eight.iter().map(|x| x + 64.0).collect();
    let signs: Vec<f64> = reference
        .iter()
        .map(|&x| f64::from(u8::from(x > 0.0)))
        .collect();
    let cases = [
        ("c_f32.npy", &reference),
        ("c_f16.npy", &reference),
        ("fortran_f32.npy", &reference),
        ("bigendian_f32.npy", &reference),
        ("bigendian_f64.npy", &reference),
        ("fortran_bigendian_f64.npy", &reference),
        ("version2.npy", &reference),
        ("version3.npy", &reference),
        ("bf16.safetensors", &reference),
        ("unaligned_header.safetensors", &reference),
        ("empty_tensor.safetensors#b", &reference),
        ("mixed.safetensors#hidden_states.10", &reference),
        ("mixed.safetensors#hidden_states.2", &twice),
        ("mixed.safetensors#hidden_states.0", &thrice),
        ("mixed.safetensors#f16", &reference),
        ("mixed.safetensors#f64", &reference),
        ("order/layer_0.npy", &reference),
        ("weird names/läyer é/layer 0.npy", &reference),
        ("weird names/läyer é/layer 1;rm.npy", &reference),
        ("int64.npy", &times_eight),
        ("int8.npy", &times_eight),
        ("uint8.npy", &shifted),
        ("bool.npy", &signs),
    ];
    for (name, wanted) in cases {
        let layer = read(&fixture("formats").join(name)).unwrap();
        assert_eq!(&widen(&layer.matrix), wanted, "{name}");
        assert_eq!(
            (layer.matrix.n_rows(), layer.matrix.n_columns()),
            (40, 6),
            "{name}"
        );
        assert_eq!(layer.rows, (0..40).collect::<Vec<u32>>(), "{name}");
        let is_integer = name.contains("int") || name.contains("bool");
        let expected = if is_integer {
            vec![WarningCode::IntegerInput]
        } else {
            vec![]
        };
        assert_eq!(codes(&layer), expected, "{name}");
    }
    let one = read(&fixture("formats/single_row.npy")).unwrap();
    assert_eq!(widen(&one.matrix), reference[..6]);
    let list = read(&fixture("formats/oned.npy")).unwrap();
    assert_eq!((list.matrix.n_rows(), list.matrix.n_columns()), (40, 1));
}

#[test]
fn rows_are_chosen_alike_from_mapped_and_decoded_layers() {
    let rows = [3, 17, 39];
    let options = ReadOptions {
        rows: Some(&rows),
        ..ReadOptions::default()
    };
    let reference = content();
    let wanted: Vec<f64> = rows
        .iter()
        .flat_map(|&r| &reference[r as usize * 6..][..6])
        .copied()
        .collect();
    for name in [
        "c_f32.npy",
        "fortran_f32.npy",
        "bigendian_f64.npy",
        "bf16.safetensors",
    ] {
        let layer = read_with(&fixture("formats").join(name), &options).unwrap();
        assert_eq!(widen(&layer.matrix), wanted, "{name}");
        assert_eq!(layer.rows, rows, "{name}");
    }
    let beyond = ReadOptions {
        rows: Some(&[40]),
        ..ReadOptions::default()
    };
    assert!(matches!(
        read_with(&fixture("formats/c_f32.npy"), &beyond),
        Err(Error::Usage(_))
    ));
}

#[test]
fn files_without_geometry_are_refused_with_a_way_out() {
    let cases = [
        ("zerod.npy", "no axes"),
        ("zero_rows.npy", "[0, 6]"),
        ("zero_cols.npy", "[40, 0]"),
        ("complex64.npy", "complex"),
        ("structured.npy", "structured"),
        ("string.npy", "text"),
        ("datetime.npy", "astype(numpy.int64)"),
        ("longdouble.npy", "astype(numpy.float64)"),
        ("no_tensors.safetensors", "no arrays"),
        ("empty_tensor.safetensors", "40 rows"),
        ("threed.npy", "--pool"),
        ("fourd.npy", "--pool"),
    ];
    for (name, fact) in cases {
        let message = read(&fixture("formats").join(name))
            .unwrap_err()
            .to_string();
        assert!(message.contains(fact), "{message}");
        assert!(
            message.contains(name) && !message.contains('\n'),
            "{message}"
        );
    }
}

#[test]
fn every_fixture_file_reads_or_fails_on_one_line_with_its_name() {
    let mut folders = vec![fixture("formats"), fixture("broken")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            if let Err(err) = read(&path) {
                let message = err.to_string();
                let name = path.file_name().unwrap().to_str().unwrap();
                assert!(
                    message.contains(name) && !message.contains('\n'),
                    "{message}"
                );
                assert_eq!(err.exit_code(), 1, "{message}");
            }
        }
    }
    assert!(seen > 60, "{seen} fixtures");
}

#[test]
fn every_broken_file_is_refused_for_what_is_wrong_with_it() {
    let cases = [
        ("truncated_data.npy", "promises 24000 bytes"),
        ("magic_only.npy", "ends inside its header"),
        ("empty_file.npy", "empty"),
        ("text.npy", "not an npy file"),
        ("pickled_object.npy", "never loaded"),
        ("header_huge_shape.npy", "impossibly large|promises"),
        ("header_missing_key.npy", "no \"fortran_order\""),
        ("header_bad_descr.npy", "unknown dtype \"<q9\""),
        ("header_len_lies.npy", "65535"),
        ("truncated.safetensors", "do not end where the file ends"),
        ("offset_beyond_end.safetensors", "gap"),
        ("offset_shape_mismatch.safetensors", "do not fit"),
        ("offset_overlap.safetensors", "overlaps"),
        ("header_len_huge.safetensors", "beyond 100 MB"),
        ("unknown_dtype.safetensors", "Q7"),
        ("deep_json.safetensors", "nested over 127 deep"),
        ("empty.safetensors", "ends before its header"),
        ("wrong_n_across_layers", "layer_02.npy has 39 rows"),
        ("index.json", "no safetensors index"),
    ];
    for (name, facts) in cases {
        let message = read(&fixture("broken").join(name)).unwrap_err().to_string();
        assert!(
            facts.split('|').any(|fact| message.contains(fact)),
            "{message}"
        );
        assert!(
            message.contains(name) && !message.contains('\n'),
            "{message}"
        );
    }
}

#[test]
fn bytes_behind_an_array_are_a_warning_and_not_data() {
    let layer = read(&fixture("broken/trailing_garbage.npy")).unwrap();
    assert_eq!((layer.matrix.n_rows(), layer.matrix.n_columns()), (300, 20));
    assert_eq!(codes(&layer), [WarningCode::TrailingBytes]);
}

#[test]
fn two_byte_voids_are_bfloat16_and_large_integers_are_refused() {
    let folder = Folder::new();
    let halves: Vec<u8> = [1.5f32, -2.0]
        .iter()
        .flat_map(|&x| half::bf16::from_f32(x).to_le_bytes())
        .collect();
    let layer = read(&folder.file("v.npy", npy("<V2", false, "(1, 2)", &halves))).unwrap();
    assert!(matches!(layer.matrix.values(), Values::Bf16(_)));
    assert_eq!(widen(&layer.matrix), [1.5, -2.0]);
    assert_eq!(codes(&layer), [WarningCode::VoidAsBf16]);
    let edge = 1i64 << 53;
    let path = folder.file("i.npy", npy("<i8", false, "(1, 2)", &i64s(&[edge, -edge])));
    assert_eq!(
        widen(&read(&path).unwrap().matrix),
        [edge as f64, -edge as f64]
    );
    let path = folder.file("j.npy", npy("<i8", false, "(1, 2)", &i64s(&[0, edge + 1])));
    assert!(
        read(&path)
            .unwrap_err()
            .to_string()
            .contains("9007199254740993")
    );
}
