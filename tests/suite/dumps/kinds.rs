//! Files of torch, raw values, bfloat16, and formats that are not read.

use std::fs;

use super::{
    Folder, command, dimensions, json, made, names, near, npy, refusal, run, scattered, torch,
};

#[test]
fn what_torch_saves_is_read_without_running_it() {
    let folder = Folder::new();
    let made = |layer: usize| {
        let path = folder.file(&format!("made_{layer}.npy"), made(layer));
        dimensions(&[&path])[0]
    };
    assert_eq!(names(&[&torch("tensor.pt")]), ["tensor"]);
    near(dimensions(&[&torch("tensor.pt")])[0], made(0), 1e-12);
    assert_eq!(
        names(&[&torch("tuple.pt")]),
        ["tuple.0", "tuple.1", "tuple.2"]
    );
    let found = dimensions(&[&torch("tuple.pt")]);
    for (layer, found) in found.into_iter().enumerate() {
        near(found, made(layer), 1e-12);
    }
    // An OrderedDict keeps its order.
    assert_eq!(names(&[&torch("state.pt")]), ["b", "a"]);
    let dict = torch("dict.pt");
    let wanted = [
        "hidden.layer_0",
        "hidden.layer_1",
        "turned",
        "half",
        "brain",
        "parameter",
    ];
    assert_eq!(names(&[&dict]), wanted);
    let found = dimensions(&[&dict]);
    for (at, by) in [
        (0, 1e-12),
        (1, 1e-12),
        (2, 1e-12),
        (3, 0.2),
        (4, 1.0),
        (5, 1e-12),
    ] {
        near(found[at], made(at), by);
    }
    let report = json(&["inspect", &dict]);
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(
        warning.contains("labels") && warning.contains("step"),
        "{warning}"
    );
    let labels = format!("{dict}#labels");
    assert!(
        run(&[
            "overlap",
            &torch("tensor.pt"),
            "--labels",
            &labels,
            "-k",
            "3"
        ])
        .status
        .success()
    );
}

#[test]
fn code_in_a_torch_file_is_named_and_never_run() {
    let folder = Folder::new();
    for name in ["code.pt", "object.pt"] {
        let output = command(&["id-profile", &torch(name)])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("posix.system"), "{error}");
        assert!(!folder.join("repgeo-ran-a-pickle").exists());
    }
    assert_eq!(
        dimensions(&[&torch("code.pt"), "--layers", "layer_0"]).len(),
        1
    );
    let error = refusal(&["inspect", &torch("old.pt")]);
    assert!(
        error.contains("before 1.6") && error.contains("torch.save"),
        "{error}"
    );
}

#[test]
fn a_folder_of_torch_files_is_a_dump() {
    let folder = Folder::new();
    for layer in [2, 10, 1] {
        let content = fs::read(torch("tensor.pt")).unwrap();
        folder.file(&format!("l{layer}_target.pt"), content);
    }
    assert_eq!(
        names(&[folder.path()]),
        ["l1_target", "l2_target", "l10_target"]
    );
}

#[test]
fn raw_values_are_read_by_the_type_and_shape_that_are_said() {
    let folder = Folder::new();
    let array = made(0);
    let header = array.len() - 60 * 5 * 4;
    let path = folder.file("acts.mmap", &array[header..]);
    let npy = folder.file("acts.npy", &array);
    assert_eq!(
        dimensions(&[&format!("{path}:f32:60x5")]),
        dimensions(&[&npy])
    );
    assert_eq!(
        dimensions(&[&format!("{path}:float32:60x5")]),
        dimensions(&[&npy])
    );
    let error = refusal(&["inspect", &format!("{path}:f16:60x5")]);
    assert!(
        error.contains("1200 bytes") && error.contains("120"),
        "{error}"
    );
    let error = refusal(&["inspect", &format!("{path}:f32:1x99999999999x99999999999")]);
    assert!(error.contains("more than there are"), "{error}");
    let error = refusal(&["inspect", &path]);
    assert!(error.contains("FILE:f16:1000x768"), "{error}");
}

#[test]
fn sixteen_bits_may_be_bfloat16() {
    let folder = Folder::new();
    let bits: Vec<u8> = (0..300)
        .flat_map(|at| half::bf16::from_f32(scattered(at)).to_le_bytes())
        .collect();
    let file = |descr: &str| {
        let mut bytes = npy(&[60, 5], |_| 0.0);
        bytes.truncate(bytes.len() - 1200);
        let header = String::from_utf8_lossy(&bytes[10..]).replace("<f4", descr);
        let mut file = bytes[..10].to_vec();
        file.extend(header.as_bytes());
        file.extend(&bits);
        folder.file("bits.npy", file)
    };
    let void = dimensions(&[&file("<V2")]);
    assert_eq!(dimensions(&[&file("<u2"), "--bf16-bits"]), void);
    assert_eq!(dimensions(&[&file("<i2"), "--bf16-bits"]), void);
    assert_ne!(dimensions(&[&file("<u2")]), void);
    // Layers of voids share a line.
    for at in 0..5 {
        fs::rename(file("<V2"), folder.join(&format!("layer_{at}.npy"))).unwrap();
    }
    let output = run(&["inspect", folder.path(), "--scan", "--format", "table"]);
    let table = String::from_utf8(output.stdout).unwrap();
    let lines = table
        .lines()
        .filter(|line| line.starts_with("void_as_bf16"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "void_as_bf16: two-byte void elements were read as bfloat16 (layer_0, layer_1, layer_2 and 2 more)"
        ],
        "{table}"
    );
}

#[test]
fn an_option_that_has_nothing_to_read_is_said() {
    let folder = Folder::new();
    let flat = folder.file("flat.npy", npy(&[60, 5], scattered));
    let tokens = folder.file("tokens.npy", npy(&[60, 4, 5], scattered));
    let mask = folder.file("mask.npy", npy(&[60, 4], |_| 1.0));
    let unused = |args: &[&str]| {
        let report = json(&[&["inspect", "--scan"], args].concat());
        let warnings = report["warnings"].as_array().unwrap().clone();
        let is_it = |one: &serde_json::Value| one["code"] == "option_unused";
        let mut found = warnings.into_iter().filter(is_it);
        let message = found
            .next()
            .map(|one| one["message"].as_str().unwrap().to_owned());
        assert!(found.next().is_none(), "{report}");
        message.unwrap_or_default()
    };
    assert!(unused(&[&flat, "--bf16-bits"]).contains("--bf16-bits"));
    assert!(unused(&[&flat, "--pool", "mean"]).contains("--pool mean"));
    let both = unused(&[&flat, "--pool", "mean", "--mask", &mask]);
    assert!(both.contains("--pool mean and --mask"), "{both}");
    assert_eq!(unused(&[&flat]), "");
    assert_eq!(unused(&[&tokens, "--pool", "mean", "--mask", &mask]), "");
    // One layer of tokens is enough, until a selection leaves it out.
    let some = [folder.path(), "--pool", "mean"];
    assert_eq!(
        unused(&[&some[..], &["--layers", "flat,tokens"]].concat()),
        ""
    );
    let alone = unused(&[&some[..], &["--layers", "flat"]].concat());
    assert!(alone.contains("--pool mean"), "{alone}");
}

#[test]
fn other_formats_are_answered_with_the_line_that_converts_them() {
    let folder = Folder::new();
    for (name, line) in [
        ("acts.h5", "import h5py"),
        ("acts.parquet", "pandas.read_parquet"),
        ("acts.mat", "scipy.io"),
        ("acts.pkl", "import pickle"),
        ("acts.npy.gz", "unpack it first"),
    ] {
        let error = refusal(&["inspect", &folder.file(name, "no arrays")]);
        assert!(error.contains(line) && error.contains(name), "{error}");
    }
}
