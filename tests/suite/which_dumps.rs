//! The table "Which dumps work" of docs/formats.md, run line by line.

use std::fs;
use std::path::Path;

use super::common;
use super::dumps::{Folder, npy, npz, refusal, run, scattered};

/// The cells of the lines of the table.
fn lines() -> Vec<[String; 3]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("### Which dumps work\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| {
        let cells: Vec<String> = line
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect();
        cells.try_into().unwrap_or_else(|_| panic!("{line}"))
    };
    lines.skip(1).map(cells).collect()
}

/// Writes what the first cell of a line describes, under the names in its command.
fn make(folder: &Folder, dump: &str) {
    let layer = |seed: usize, shape: &[usize]| npy(shape, move |at| scattered(at + 1000 * seed));
    let archive = |tokens: bool| {
        let shape: &[usize] = if tokens { &[60, 3, 4] } else { &[60, 4] };
        let layers = [
            ("layer_0.npy", layer(0, shape)),
            ("layer_1.npy", layer(1, shape)),
        ];
        npz(&layers)
    };
    let copy = |from: &str, to: &str| {
        fs::copy(common::fixture(from), folder.join(to)).unwrap();
    };
    fs::create_dir(folder.join("acts")).unwrap();
    let described = |what: &str| dump.contains(what);
    if described("np.savez") {
        folder.file("acts.npz", archive(false));
    } else if described("a dump a run") {
        folder.file("base.npz", archive(false));
        folder.file("tuned.npz", archive(false));
    } else if described("output_hidden_states") {
        copy("formats/torch/output.pt", "acts.pt");
    } else if described("torch.save") {
        copy("formats/torch/tuple.pt", "acts.pt");
    } else if described("save_file") {
        copy("dumps/order/lens.safetensors", "acts.safetensors");
    } else if described("torch.stack") {
        folder.file("stack.npy", layer(0, &[3, 60, 4]));
    } else if described("layer5_batch_0.npy") {
        for batch in 0..3 {
            folder.file(
                &format!("acts/layer5_batch_{batch}.npy"),
                layer(batch, &[60, 4]),
            );
        }
    } else if described("a prompt") {
        for prompt in 0..60 {
            let states = layer(prompt, &[3 + prompt % 3, 2, 4]);
            let ids = npy(&[3 + prompt % 3], |at| at as f32);
            let file = npz(&[("hidden_states.npy", states), ("token_ids.npy", ids)]);
            folder.file(&format!("acts/cmpl-{prompt:x}-abc.npz"), file);
        }
    } else if described("attention_mask") {
        copy("dumps/mask/acts.safetensors", "acts.safetensors");
    } else if described("np.memmap") {
        let bytes: Vec<u8> = (0..1000 * 768)
            .flat_map(|at| half::f16::from_f32(scattered(at)).to_le_bytes())
            .collect();
        folder.file("acts.mmap", bytes);
    } else if described("uint16") {
        let bits = layer(0, &[60, 4]);
        let start = bits.len() - 60 * 4 * 4;
        let mut short = b"\x93NUMPY".to_vec();
        let header = String::from_utf8_lossy(&bits[6..start]).replace("<f4", "<u2");
        short.extend(header.chars().map(|c| u8::try_from(c).unwrap_or(0)));
        for value in bits[start..].chunks_exact(4) {
            short.extend([value[2], value[3]]);
        }
        folder.file("acts.npy", short);
    } else if described("neighbours of") {
        copy("dumps/tables/squared.npz", "table.npz");
    } else {
        panic!("nobody knows how to make {dump}");
    }
}

#[test]
fn every_dump_of_the_table_works_by_its_command() {
    let lines = lines();
    assert!(lines.len() > 9, "{}", lines.len());
    let mut ran = 0;
    for [dump, command, note] in lines {
        if command.is_empty() {
            continue;
        }
        let folder = Folder::new();
        make(&folder, &dump);
        // What stands in brackets is for some of these dumps; this one needs it.
        let command = command.trim_matches('`').replace(['[', ']'], "");
        let words: Vec<String> = command
            .split_whitespace()
            .skip(1)
            .map(|word| match word.starts_with("--") {
                false if folder.join(word.split(':').next().unwrap_or(word)).exists() => {
                    format!("{}/{word}", folder.path())
                }
                _ => word.to_owned(),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = run(&words);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {error}");
        if note.starts_with("refused without") {
            let error = refusal(&words[..2]);
            assert!(error.contains("--axes"), "{command}: {error}");
        }
        ran += 1;
    }
    assert!(ran > 9, "{ran}");
}
