//! Rows that lie in several files are joined, or refused with their readings.

use std::fs;

use super::super::misread::understood;
use super::{Folder, dimensions, dumped, json, names, near, npy, npz, refusal, scattered};

#[test]
fn batches_are_joined_in_order() {
    let batches = dumped("batches");
    let found = dimensions(&[&batches]);
    assert_eq!(found.len(), 1);
    near(found[0], 4.546, 0.0005);
    assert_eq!(names(&[&batches]), ["layer5"]);
    assert_eq!(dimensions(&[&batches, "--join", "never"]).len(), 3);
}

#[test]
fn folders_of_batches_are_joined_in_order() {
    let whole = Folder::new();
    for layer in 0..2 {
        let content = npy(&[120, 4], |at| scattered(layer * 7919 + at));
        whole.file(&format!("layer{layer}.npy"), content);
    }
    let wanted = dimensions(&[whole.path()]);
    // Ten and more, so that their order is that of the numbers and not of the letters.
    for (word, n, archive) in [
        ("batch_", 12, false),
        ("rank_", 2, true),
        ("shard-", 3, false),
    ] {
        let folder = Folder::new();
        let rows = 120 / n;
        let part = |layer: usize, piece: usize| {
            let first = layer * 7919 + piece * rows * 4;
            npy(&[rows, 4], move |at| scattered(first + at))
        };
        for piece in 0..n {
            let inside = format!("{word}{piece}");
            fs::create_dir(folder.join(&inside)).unwrap();
            if archive {
                let members = [
                    ("layer0.npy", part(0, piece)),
                    ("layer1.npy", part(1, piece)),
                ];
                folder.file(&format!("{inside}/acts.npz"), npz(&members));
                continue;
            }
            for layer in 0..2 {
                folder.file(&format!("{inside}/layer{layer}.npy"), part(layer, piece));
            }
        }
        folder.file("README.md", "made by hand");
        let report = json(&["inspect", folder.path()]);
        let said = format!("2 layers joined from {n} files of {rows} rows");
        assert!(understood(&report).starts_with(&said), "{report}");
        assert_eq!(dimensions(&[folder.path()]), wanted, "{word}");
        assert_eq!(names(&[folder.path(), "--join", "never"]).len(), 2 * n);
        // One that lacks a layer does not fit.
        if !archive {
            let last = folder.join(&format!("{word}{}/layer1.npy", n - 1));
            fs::remove_file(last).unwrap();
            assert!(refusal(&["inspect", folder.path()]).contains("layer1 has"));
        }
        // Neither does a gap.
        fs::remove_dir_all(folder.join(&format!("{word}0"))).unwrap();
        fs::create_dir(folder.join(&format!("{word}{}", n + 3))).unwrap();
        let error = refusal(&["inspect", folder.path()]);
        assert!(error.contains(&format!("{word}{}", n + 3)), "{error}");
    }
    // Folders of checkpoints are dumps of their own.
    for names in [["ep0000", "ep0001"], ["step_0", "step_100"]] {
        let folder = Folder::new();
        for name in names {
            fs::create_dir(folder.join(name)).unwrap();
            folder.file(&format!("{name}/layer0.npy"), npy(&[40, 4], scattered));
        }
        let error = refusal(&["inspect", folder.path()]);
        let listed = format!("choose a folder inside: {}", names.join(", "));
        assert!(error.contains(&listed), "{error}");
    }
}

#[test]
fn one_archive_a_batch_is_joined_with_its_mask() {
    let (whole, parts) = (Folder::new(), Folder::new());
    let mask = |from: usize, n: usize| {
        npy(&[n, 3], move |at| {
            let (row, token) = (from + at / 3, at % 3);
            f32::from(u8::from(token <= row % 3))
        })
    };
    let acts = |layer: usize, from: usize, n: usize| {
        npy(&[n, 3, 4], move |at| {
            scattered(layer * 7919 + from * 12 + at)
        })
    };
    let members = |from: usize, n: usize| {
        npz(&[
            ("layer_0.npy", acts(0, from, n)),
            ("layer_1.npy", acts(1, from, n)),
            ("attention_mask.npy", mask(from, n)),
        ])
    };
    let all = whole.file("acts.npz", members(0, 130));
    for (batch, (from, n)) in [(0, 50), (50, 50), (100, 30)].into_iter().enumerate() {
        parts.file(&format!("batch_{batch}.npz"), members(from, n));
    }
    for pool in ["mean", "last", "first", "max"] {
        let args = ["--pool", pool];
        let wanted = dimensions(&[&[all.as_str()], &args[..]].concat());
        let found = dimensions(&[&[parts.path()], &args[..]].concat());
        assert_eq!(found, wanted, "{pool}");
    }
    let rows = ["--pool", "mean", "--rows", "40..110"];
    assert_eq!(
        dimensions(&[&[parts.path()], &rows[..]].concat()),
        dimensions(&[&[all.as_str()], &rows[..]].concat())
    );
}

#[test]
fn numbers_that_may_be_rows_or_layers_are_refused_with_both_readings() {
    let gaps = Folder::new();
    for rank in [1, 2, 4] {
        gaps.file(
            &format!("layer_0_rank_{rank}.npy"),
            npy(&[40, 4], scattered),
        );
    }
    let error = refusal(&["inspect", gaps.path()]);
    assert!(
        error.contains("--join rows") && error.contains("--join never"),
        "{error}"
    );
    let files = Folder::new();
    for file in 0..3 {
        let members = [
            ("a.npy", npy(&[40, 4], scattered)),
            ("b.npy", npy(&[40, 4], scattered)),
        ];
        files.file(&format!("acts_{file}.npz"), npz(&members));
    }
    let error = refusal(&["inspect", files.path()]);
    assert!(
        error.contains("--join rows") && error.contains("--join never"),
        "{error}"
    );
    assert_eq!(names(&[files.path(), "--join", "rows"]), ["a", "b"]);
    assert_eq!(names(&[files.path(), "--join", "never"]).len(), 6);
    // Checkpoints are no batches.
    let steps = Folder::new();
    for step in [0, 100] {
        steps.file(
            &format!("step_{step}.npz"),
            npz(&[("a.npy", npy(&[40, 4], scattered))]),
        );
    }
    assert_eq!(names(&[steps.path()]), ["step_0#a", "step_100#a"]);
}

#[test]
fn pieces_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    folder.file("layer_0_batch_0.npy", npy(&[40, 4], scattered));
    folder.file("layer_0_batch_1.npy", npy(&[40, 4], scattered));
    folder.file("layer_1_batch_0.npy", npy(&[40, 4], scattered));
    let error = refusal(&["inspect", folder.path()]);
    assert!(error.contains("layer_1 has 1 pieces"), "{error}");
    folder.file("layer_1_batch_1.npy", npy(&[40, 5], scattered));
    let error = refusal(&["inspect", folder.path()]);
    assert!(error.contains("another type or width"), "{error}");
    folder.file("layer_1_batch_1.npy", npy(&[30, 4], scattered));
    let error = refusal(&["id-profile", folder.path()]);
    assert!(error.contains("70 rows") && error.contains("80"), "{error}");
}

#[test]
fn one_prompt_a_file_is_one_row_a_file() {
    let prompts = Folder::new();
    let rows = Folder::new();
    // As vLLM writes them: hidden_states [tokens, layers, width] and token_ids [tokens].
    let (layers, width) = (2, 4);
    let n = 60;
    let lengths: Vec<usize> = (0..n).map(|prompt| 3 + prompt % 4).collect();
    let value = |prompt: usize, t: usize, l: usize, d: usize| {
        scattered(((prompt * 8 + t) * layers + l) * width + d)
    };
    for (prompt, &tokens) in lengths.iter().enumerate() {
        let states = npy(&[tokens, layers, width], |at| {
            let (rest, d) = (at / width, at % width);
            value(prompt, rest / layers, rest % layers, d)
        });
        let ids = npy(&[tokens], |at| at as f32);
        let file = npz(&[("hidden_states.npy", states), ("token_ids.npy", ids)]);
        prompts.file(&format!("cmpl-{prompt:x}-abc.npz"), file);
    }
    for layer in 0..layers {
        let last = npy(&[n, width], |at| {
            let prompt = at / width;
            value(prompt, lengths[prompt] - 1, layer, at % width)
        });
        rows.file(&format!("layer_{layer}.npy"), last);
    }
    let path = prompts.path();
    let error = refusal(&["id-profile", path, "--pool", "last"]);
    assert!(error.contains("--axes TLD --join rows"), "{error}");
    let one = format!("{path}/cmpl-0-abc.npz");
    let error = refusal(&["id-profile", &one, "--pool", "last"]);
    assert!(
        error.contains("token ids") && error.contains("--axes TLD"),
        "{error}"
    );
    let found = dimensions(&[path, "--axes", "TLD", "--join", "rows", "--pool", "last"]);
    let mut wanted = dimensions(&[rows.path()]);
    let by = 1e-9;
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(&mut wanted) {
        // Files in another order are rows in another order, which ties alone could feel.
        near(*found, *wanted, by);
    }
}
