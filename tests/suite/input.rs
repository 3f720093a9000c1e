//! Floor 1 against every fixture file, and against files made here.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use repgeo::input::{
    Dump, DumpOptions, Labels, Layer, Mask, Matrix, Pooling, ReadOptions, RowChoice, RowSource,
    Sample, Values, find_tables,
};
use repgeo::warning::WarningCode;
use repgeo::{Error, Result};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn widen(matrix: &Matrix) -> Vec<f64> {
    let mut values = vec![0.0; matrix.n_rows() * matrix.n_columns()];
    for (row, out) in values.chunks_exact_mut(matrix.n_columns()).enumerate() {
        matrix.widen_row(row, out);
    }
    values
}

fn read_with(path: &Path, options: &ReadOptions) -> Result<Layer> {
    let dump = Dump::open(path)?;
    dump.read(&dump.layers()[0], options)
}

fn read(path: &Path) -> Result<Layer> {
    read_with(path, &ReadOptions::default())
}

fn codes(layer: &Layer) -> Vec<WarningCode> {
    layer.warnings.iter().map(|warning| warning.code).collect()
}

/// An npy file of version 1.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn i64s(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn npz(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

fn content() -> Vec<f64> {
    widen(&read(&fixture("formats/c_f64.npy")).unwrap().matrix)
}

// What fixtures/formats holds.

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
        ("deep_json.safetensors", "recursion"),
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

// Directories and archives.

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

// Pooling.

fn pooled(path: &Path, pool: &str, mask: Option<&Mask>) -> Result<Layer> {
    let options = ReadOptions {
        pool: Some(pool.parse()?),
        mask,
        rows: None,
    };
    // Three axes of so few rows might be layers, unless it is said that they are not.
    let axes = match Dump::list(path)?.layers()[0].shape.len() {
        3 => Some("NTD".parse()?),
        _ => None,
    };
    let said = DumpOptions {
        axes,
        ..DumpOptions::default()
    };
    let dump = Dump::open_with(path, &said, None)?;
    dump.read(&dump.layers()[0], &options)
}

#[test]
fn tokens_are_pooled_as_their_names_say_in_both_orders() {
    let folder = Folder::new();
    // [2, 3, 2]: value = 100 n + 10 t + d.
    let at = |n: usize, t: usize, d: usize| (100 * n + 10 * t + d) as f32;
    let mut c = Vec::new();
    let mut f = Vec::new();
    for i in 0..12 {
        c.push(at(i / 6, i / 2 % 3, i % 2));
        f.push(at(i % 2, i / 2 % 3, i / 6));
    }
    let paths = [
        folder.file("c.npy", npy("<f4", false, "(2, 3, 2)", &f32s(&c))),
        folder.file("f.npy", npy("<f4", true, "(2, 3, 2)", &f32s(&f))),
    ];
    let mask = folder.file("mask.npy", npy("|b1", false, "(2, 3)", &[0, 1, 0, 1, 1, 0]));
    let mask = Mask::open(&mask).unwrap();
    for path in paths {
        let values = |pool, mask| widen(&pooled(&path, pool, mask).unwrap().matrix);
        assert_eq!(values("last", None), [20.0, 21.0, 120.0, 121.0]);
        assert_eq!(values("first", None), [0.0, 1.0, 100.0, 101.0]);
        assert_eq!(values("token:1", None), [10.0, 11.0, 110.0, 111.0]);
        assert_eq!(values("token:-3", None), [0.0, 1.0, 100.0, 101.0]);
        assert_eq!(values("mean", None), [10.0, 11.0, 110.0, 111.0]);
        let all: Vec<f64> = c.iter().map(|&x| f64::from(x)).collect();
        assert_eq!(values("flatten", None), all);
        assert_eq!(values("last", Some(&mask)), [10.0, 11.0, 110.0, 111.0]);
        assert_eq!(values("first", Some(&mask)), [10.0, 11.0, 100.0, 101.0]);
        assert_eq!(values("mean", Some(&mask)), [10.0, 11.0, 105.0, 106.0]);
        let mean = pooled(&path, "mean", None).unwrap();
        assert!(matches!(mean.matrix.values(), Values::F64(_)));
        let last = pooled(&path, "last", None).unwrap();
        assert!(matches!(last.matrix.values(), Values::F32(_)));
        for (pool, mask, fact) in [
            ("gap", None, "use --pool mean"),
            ("token:3", None, "no token 3"),
            ("flatten", Some(&mask), "--mask"),
        ] {
            let err = pooled(&path, pool, mask).unwrap_err().to_string();
            assert!(err.contains(fact), "{err}");
        }
    }
}

#[test]
fn channels_are_averaged_over_their_pixels_only() {
    let path = fixture("formats/fourd.npy");
    let reference = content();
    let layer = pooled(&path, "gap", None).unwrap();
    let wanted: Vec<f64> = reference
        .chunks_exact(12)
        .map(|c| c.iter().sum::<f64>() / 12.0)
        .collect();
    assert_eq!((layer.matrix.n_rows(), layer.matrix.n_columns()), (5, 4));
    assert_eq!(widen(&layer.matrix), wanted);
    assert_eq!(
        widen(&pooled(&path, "flatten", None).unwrap().matrix),
        reference
    );
    let err = pooled(&path, "mean", None).unwrap_err().to_string();
    assert!(err.contains("--pool gap or --pool flatten"), "{err}");
    assert!("median".parse::<Pooling>().is_err());
}

#[test]
fn a_mask_must_fit_and_leave_a_token_in_every_row() {
    let folder = Folder::new();
    let path = folder.file(
        "x.npy",
        npy("<f4", false, "(2, 2, 1)", &f32s(&[1.0, 2.0, 3.0, 4.0])),
    );
    let mask = |name: &str, descr: &str, shape: &str, data: &[u8]| {
        Mask::open(&folder.file(name, npy(descr, false, shape, data)))
    };
    let empty = mask("a.npy", "|u1", "(2, 2)", &[1, 1, 0, 0]).unwrap();
    let err = pooled(&path, "mean", Some(&empty)).unwrap_err().to_string();
    assert!(err.contains("row 1"), "{err}");
    let long = mask("b.npy", "|u1", "(2, 3)", &[1; 6]).unwrap();
    let err = pooled(&path, "mean", Some(&long)).unwrap_err().to_string();
    assert!(
        err.contains("2 tokens but") && err.contains("b.npy masks 3"),
        "{err}"
    );
    let tall = mask("c.npy", "|u1", "(3, 2)", &[1; 6]).unwrap();
    assert!(matches!(
        pooled(&path, "last", Some(&tall)),
        Err(Error::RowMismatch { .. })
    ));
    let grey = mask("d.npy", "<f4", "(1, 2)", &f32s(&[0.5, 1.0]))
        .unwrap_err()
        .to_string();
    assert!(grey.contains("0.5"), "{grey}");
    assert!(mask("e.npy", "|u1", "(4,)", &[1; 4]).is_err());
}

// Labels and rows.

#[test]
fn labels_are_factorised_by_value_in_order_of_appearance() {
    let folder = Folder::new();
    let floats: Vec<u8> = [1.5f64, 1.25, 1.5, f64::NAN]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let labels = Labels::open(&folder.file("f.npy", npy("<f8", false, "(4,)", &floats))).unwrap();
    assert_eq!(labels.classes, ["1.5", "1.25"]);
    assert_eq!(labels.codes, [Some(0), Some(1), Some(0), None]);
    assert_eq!(labels.n_missing(), 1);
    let labels = Labels::open(&fixture("formats/string.npy")).unwrap();
    assert_eq!(labels.classes, ["a", "bc"]);
    let labels = Labels::open(&folder.file("t.txt", "cat\ndog\n\ncat\n")).unwrap();
    assert_eq!(labels.codes, [Some(0), Some(1), None, Some(0)]);
    let csv = folder.file("t.csv", "row,class\n0,\"a, b\"\n1,c\n");
    let labels = Labels::open(Path::new(&format!("{}:class", csv.display()))).unwrap();
    assert_eq!(
        (labels.name.as_str(), &labels.classes[..]),
        ("class", &["a, b".to_owned(), "c".into()][..])
    );
    let err = Labels::open(&csv).unwrap_err().to_string();
    assert!(err.contains("FILE:COLUMN: row, class"), "{err}");
}

#[test]
fn rows_come_from_ranges_files_and_seeded_samples_in_ascending_order() {
    let folder = Folder::new();
    let choose = |source: &str, sample, labels: Option<&Labels>| {
        let source = if source.is_empty() {
            RowSource::All
        } else {
            source.parse()?
        };
        RowChoice {
            source,
            sample,
            seed: 1,
        }
        .resolve(6, labels)
    };
    assert_eq!(choose("", Sample::All, None).unwrap(), None);
    assert_eq!(
        choose("1..-2", Sample::All, None).unwrap().unwrap(),
        [1, 2, 3]
    );
    assert!(choose("0..7", Sample::All, None).is_err());
    let list = folder.file("rows.txt", "4\n0\n4\n");
    assert_eq!(
        choose(list.to_str().unwrap(), Sample::All, None)
            .unwrap()
            .unwrap(),
        [0, 4]
    );
    let array = folder.file("rows.npy", npy("<i8", false, "(2,)", &i64s(&[5, 2])));
    assert_eq!(
        choose(array.to_str().unwrap(), Sample::All, None)
            .unwrap()
            .unwrap(),
        [2, 5]
    );
    let mask = folder.file("keep.npy", npy("|b1", false, "(6,)", &[0, 1, 0, 0, 0, 1]));
    assert_eq!(
        choose(mask.to_str().unwrap(), Sample::All, None)
            .unwrap()
            .unwrap(),
        [1, 5]
    );
    let beyond = folder.file("bad.npy", npy("<i8", false, "(1,)", &i64s(&[-1])));
    let err = choose(beyond.to_str().unwrap(), Sample::All, None)
        .unwrap_err()
        .to_string();
    assert!(err.contains("bad.npy: there is no row -1"), "{err}");

    let some = choose("", Sample::Rows { m: 4 }, None).unwrap().unwrap();
    assert!(some.len() == 4 && some.is_sorted());
    assert!(choose("0..3", Sample::Rows { m: 4 }, None).is_err());
    let labels = Labels::from_values("y", ["a", "b", "a", "", "b", "a"].map(String::from));
    let rows = choose("", Sample::PerClass { m: 2 }, Some(&labels))
        .unwrap()
        .unwrap();
    let counts = |class| {
        rows.iter()
            .filter(|&&row| labels.codes[row as usize] == Some(class))
            .count()
    };
    assert_eq!((rows.len(), counts(0), counts(1)), (4, 2, 2));
    let err = choose("", Sample::PerClass { m: 3 }, Some(&labels))
        .unwrap_err()
        .to_string();
    assert!(err.contains("class \"b\""), "{err}");
    assert!(choose("", Sample::PerClass { m: 1 }, None).is_err());
}

// Neighbour tables.

fn table(
    distances: &[f32],
    indices: &[i64],
    shape: &str,
) -> Result<repgeo::input::PrecomputedTable> {
    let folder = Folder::new();
    folder.file("l0_dist.npy", npy("<f4", false, shape, &f32s(distances)));
    folder.file("l0_index.npy", npy("<i8", false, shape, &i64s(indices)));
    let found = find_tables(folder.path())?;
    assert_eq!(found[0].name, "l0");
    found[0].read(usize::MAX)
}

#[test]
fn tables_with_and_without_self_and_square_ones_agree() {
    // Rows at 0, 0.5 and 1.25 on a line.
    let with = table(
        &[0.0, 0.5, 1.25, 0.0, 0.5, 0.75, 0.0, 0.75, 1.25],
        &[0, 1, 2, 1, 0, 2, 2, 1, 0],
        "(3, 3)",
    )
    .unwrap();
    let without = table(
        &[0.5, 1.25, 0.5, 0.75, 0.75, 1.25],
        &[1, 2, 0, 2, 1, 0],
        "(3, 2)",
    )
    .unwrap();
    assert_eq!(with, without);
    let folder = Folder::new();
    let square = f32s(&[0.0, 0.5, 1.25, 0.5, 0.0, 0.75, 1.25, 0.75, 0.0]);
    let path = folder.file("d.npy", npy("<f4", false, "(3, 3)", &square));
    let found = find_tables(&path).unwrap();
    assert_eq!(found[0].read(usize::MAX).unwrap(), without);
    assert_eq!(found[0].read(1).unwrap().k, 1);
    let archive = npz(
        &[
            (
                "distances.npy",
                npy(
                    "<f4",
                    false,
                    "(3, 2)",
                    &f32s(&[0.5, 1.25, 0.5, 0.75, 0.75, 1.25]),
                ),
            ),
            (
                "dist_indices.npy",
                npy("<i8", false, "(3, 2)", &i64s(&[1, 2, 0, 2, 1, 0])),
            ),
        ],
        CompressionMethod::Deflated,
    );
    let found = find_tables(&folder.file("t.npz", archive)).unwrap();
    assert_eq!(found[0].read(usize::MAX).unwrap(), without);
}

#[test]
fn a_table_that_contradicts_itself_is_refused_by_row() {
    let cases: [(&[f32], &[i64], &str); 6] = [
        (
            &[0.5, 1.0, 0.5, 0.75, 0.75, 1.0],
            &[1, 3, 0, 2, 1, 0],
            "row 0: there is no row 3",
        ),
        (
            &[0.5, 1.0, 0.5, 0.75, 0.75, 1.0],
            &[1, 2, 0, 0, 1, 0],
            "row 1: neighbour 0 is there twice",
        ),
        (
            &[0.5, 1.0, 0.5, 0.75, 0.75, 1.0],
            &[1, 2, 0, 2, 1, 2],
            "row 2: it is its own neighbour",
        ),
        (
            &[0.5, 1.0, 0.75, 0.5, 0.75, 1.0],
            &[1, 2, 0, 2, 1, 0],
            "row 1: distance 0.5 in column 1",
        ),
        (
            &[0.5, f32::NAN, 0.5, 0.5, 0.75, 1.0],
            &[1, 2, 0, 2, 1, 0],
            "row 0: distance NaN",
        ),
        (
            &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
            &[0, 1, 0, 1, 2, 0],
            "row 1: column 0 is the row itself in 2 of 3",
        ),
    ];
    for (distances, indices, fact) in cases {
        let err = table(distances, indices, "(3, 2)").unwrap_err().to_string();
        assert!(err.contains(fact), "{err}");
    }
}

// Whatever the bytes, no panic.

fn poke(mut bytes: Vec<u8>, edits: &[(usize, u8)], cut: usize) -> Vec<u8> {
    let n = bytes.len();
    edits.iter().for_each(|&(at, value)| bytes[at % n] = value);
    bytes.truncate(n - cut % n);
    bytes
}

fn survives(bytes: &[u8]) {
    if let Ok(dump) = Dump::from_reader(bytes, "poked") {
        for layer in dump.layers() {
            for pool in [Pooling::Mean, Pooling::Last, Pooling::Flatten, Pooling::Gap] {
                let options = ReadOptions {
                    pool: Some(pool),
                    ..ReadOptions::default()
                };
                let _ = dump.read(layer, &options);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_corruption_of_a_file_panics(
        edits in proptest::collection::vec((0usize..4000, any::<u8>()), 0..6),
        cut in prop_oneof![Just(0usize), 0usize..4000],
    ) {
        let data = f32s(&[1.0; 24]);
        for fortran in [false, true] {
            survives(&poke(npy("<f4", fortran, "(4, 3, 2)", &data), &edits, cut));
        }
        // Edits of the header alone reach its parser, which edits of zip tables rarely do.
        let digits: Vec<(usize, u8)> = edits.iter().map(|&(at, x)| (10 + at % 60, b"0123456789(),'<>fiuV:L "[x as usize % 23])).collect();
        survives(&poke(npy("<f4", false, "(4, 3, 2)", &data), &digits, cut));
        let header = r#"{"x":{"dtype":"F32","shape":[4,6],"data_offsets":[0,96]},"y":{"dtype":"I64","shape":[4,3],"data_offsets":[96,192]}}"#;
        survives(&poke(safetensors(header, &[1; 192]), &edits, cut));
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let archive = npz(&[("a.npy", npy("<f4", false, "(4, 6)", &data)), ("b.npy", npy("<i8", true, "(4, 3)", &[2; 96]))], method);
            survives(&poke(archive, &edits, cut));
        }
    }
}
