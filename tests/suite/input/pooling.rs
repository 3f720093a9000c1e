//! Tokens and pixels become one row a sample.

use std::path::Path;

use repgeo::input::{Dump, DumpOptions, Layer, Mask, Pooling, ReadOptions, Values};
use repgeo::{Error, Result};

use super::{Folder, content, f32s, fixture, npy, widen};

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
