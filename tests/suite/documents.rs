//! What README and guide show can be typed: every command line runs, every output is what is printed.

use std::fs;
use std::path::Path;
use std::process::Command;

use ndarray::Array2;
use repgeo::storage::{NpzWriter, npy};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use tempfile::TempDir;

use super::common::{command, fixture, normals, printed, text};

const README: &str = include_str!("../../README.md");
const GUIDE: &str = include_str!("../../docs/guide.md");

/// Rows of the dumps: as many as the lines ask for.
const ROWS: usize = 1000;

/// Fenced blocks of one language.
fn blocks<'d>(document: &'d str, language: &str) -> Vec<&'d str> {
    let start = format!("```{language}\n");
    let blocks = document.split(start.as_str()).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// The lines of shell blocks that call repgeo, continued lines joined.
fn lines(document: &str) -> Vec<String> {
    let blocks = blocks(document, "sh").join("\n").replace("\\\n", " ");
    let calls = |line: &&str| line.starts_with("repgeo ") || line.contains("| repgeo ");
    blocks.lines().filter(calls).map(str::to_owned).collect()
}

/// The files that the lines name.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.dumps();
        place.arrays();
        place.labels();
        place.runs();
        place.model();
        place
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn save(&self, name: &str, data: &Array2<f64>, shape: &[usize]) {
        fs::write(self.at(name), npy(shape, data.as_slice().unwrap())).unwrap();
    }

    fn layer(&self, name: &str, seed: u64) {
        self.save(name, &normals(ROWS, 3, seed), &[ROWS, 3]);
    }

    fn write(&self, name: &str, lines: impl Iterator<Item = String>) {
        let lines: Vec<String> = lines.collect();
        fs::write(self.at(name), lines.join("\n") + "\n").unwrap();
    }

    fn tensors(&self, name: &str, tensors: &[(&str, &[usize])]) {
        let data: Vec<Vec<u8>> = tensors
            .iter()
            .zip(1..)
            .map(|((_, shape), seed)| {
                let values = normals(shape.iter().product(), 1, seed);
                values
                    .iter()
                    .flat_map(|x| (*x as f32).to_le_bytes())
                    .collect()
            })
            .collect();
        let views = tensors.iter().zip(&data).map(|((name, shape), data)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), data).unwrap();
            ((*name).to_owned(), view)
        });
        serialize_to_file(views, None, &self.at(name)).unwrap();
    }

    /// Folders with a file a layer.
    fn dumps(&self) {
        for layer in 0..13 {
            self.layer(&format!("acts/layer_{layer}.npy"), layer);
        }
        let others = [
            "model_a",
            "model_b",
            "step_0",
            "step_9000",
            "target",
            "source",
            "source1",
            "source2",
            "imagenet",
            "places",
            "scratch",
            "pretrained",
            "finetuned",
            "train",
            "test",
        ];
        for (dump, seed) in others.into_iter().zip((100u64..).step_by(10)) {
            for layer in 0..3 {
                self.layer(&format!("{dump}/layer_{layer}.npy"), seed + layer);
            }
        }
        for layer in 0..4u64 {
            for batch in 0..3u64 {
                let data = normals(50, 3, 7 + 10 * layer + batch);
                self.save(
                    &format!("batches/layer_{layer:02}_batch_{batch:04}.npy"),
                    &data,
                    &[50, 3],
                );
            }
        }
        for prompt in 0..120usize {
            let (tokens, layers) = (2 + prompt % 3, 3);
            let data = normals(tokens * layers, 4, prompt as u64);
            self.save(
                &format!("prompts/prompt_{prompt}.npy"),
                &data,
                &[tokens, layers, 4],
            );
        }
    }

    /// Single files, of every kind that the documents name.
    fn arrays(&self) {
        let names: Vec<String> = (0..13).map(|layer| format!("layer_{layer}")).collect();
        let layers: Vec<(&str, &[usize])> = names
            .iter()
            .map(|name| (name.as_str(), &[ROWS, 3][..]))
            .collect();
        self.tensors("acts.safetensors", &layers);
        let tokens: [(&str, &[usize]); 3] = [
            ("a.0", &[60, 5, 4]),
            ("a.1", &[60, 5, 4]),
            ("a.2", &[60, 5, 4]),
        ];
        self.tensors("tokens.safetensors", &tokens);
        let mask: Vec<f64> = (0..300).map(|at| f64::from(at % 5 < 3)).collect();
        fs::write(self.at("mask.npy"), npy(&[60, 5], &mask)).unwrap();
        let vae: [(&str, &[usize]); 5] = [
            ("encoder.0", &[200, 6]),
            ("encoder.1", &[200, 4]),
            ("latent", &[200, 2]),
            ("decoder.0", &[200, 4]),
            ("decoder.1", &[200, 6]),
        ];
        self.tensors("vae.safetensors", &vae);
        self.save("stack.npy", &normals(3 * 200, 4, 5), &[3, 200, 4]);
        for name in ["a.npy", "b.npy", "x.npy"] {
            self.layer(name, name.len() as u64 + u64::from(name.as_bytes()[0]));
        }
        let archive = |name: &str, arrays: &[(String, Vec<usize>)]| {
            let mut archive = NpzWriter::new(fs::File::create(self.at(name)).unwrap());
            for ((array, shape), seed) in arrays.iter().zip(1..) {
                let data = normals(shape.iter().product(), 1, seed);
                archive.array(array, shape, data, |_| {}).unwrap();
            }
            archive.finish().unwrap();
        };
        let layers: Vec<(String, Vec<usize>)> = names
            .iter()
            .map(|name| (name.clone(), vec![200, 3]))
            .collect();
        archive("acts.npz", &layers);
        let conv = |name: &str| (name.to_owned(), vec![150, 4, 2, 2]);
        archive("conv.npz", &["conv1", "conv2", "conv3"].map(conv));
        let resnet = ["conv1", "layer1", "layer2", "avgpool", "fc"];
        archive(
            "resnet.npz",
            &resnet.map(|name| (name.to_owned(), vec![200, 4])),
        );
        fs::copy(
            fixture("formats/torch/tuple.pt"),
            self.at("hidden_states.pt"),
        )
        .unwrap();
        // Halves that are different numbers: any bits of small exponents will do.
        let halves = (0..ROWS * 768).map(|at| (0x3000 + (at * 7919) % 4096) as u16);
        let halves: Vec<u8> = halves.flat_map(u16::to_le_bytes).collect();
        fs::write(self.at("acts.mmap"), halves).unwrap();
    }

    /// Labels, targets, rows and tables.
    fn labels(&self) {
        let class = |row: usize| format!("kind{}", row % 3);
        for name in ["labels.csv", "y.csv"] {
            let rows = (0..ROWS).map(class);
            self.write(name, std::iter::once("class".to_owned()).chain(rows));
        }
        let numbers = |name: &str, rows: usize| {
            let values: Vec<f64> = (0..rows).map(|row| (row % 3) as f64).collect();
            fs::write(self.at(name), npy(&[rows], &values)).unwrap();
        };
        for name in ["labels.npy", "y.npy", "y_train.npy"] {
            numbers(name, ROWS);
        }
        let kept: Vec<f64> = (0..500).map(|row| f64::from(2 * row)).collect();
        fs::write(self.at("kept.npy"), npy(&[500], &kept)).unwrap();
        for (name, seed) in [
            ("last.npy", 1),
            ("last_hidden.npy", 2),
            ("test.npy", 3),
            ("train.npy", 4),
            ("seed2.npy", 5),
        ] {
            self.save(name, &normals(ROWS, 8, seed), &[ROWS, 8]);
        }
        for (weights, bias) in [("w.npy", "b.npy"), ("w2.npy", "b2.npy")] {
            self.save(weights, &normals(3, 8, 6), &[3, 8]);
            // In the guide b.npy is also a layer, in a chapter of its own.
            let bias = if bias == "b.npy" { "bias/b.npy" } else { bias };
            self.save(bias, &normals(3, 1, 7), &[3]);
        }
        self.tensors("head.safetensors", &[("weight", &[3, 8]), ("bias", &[3])]);
        let table = ["layer,ari", "a,0.1", "b,0.4", "c,0.7", "d,0.6"];
        self.write("table.csv", table.iter().map(|line| (*line).to_owned()));
        let gains = ["layer,gain", "layer_0,0.1", "layer_1,0.4", "layer_2,0.7"];
        self.write("accuracy.csv", gains.iter().map(|line| (*line).to_owned()));
    }

    fn runs(&self) {
        for (run, seed) in [
            ("checkpoints/ep0", 200),
            ("checkpoints/ep2", 210),
            ("checkpoints/ep10", 220),
            ("widths/w1", 230),
            ("widths/w2", 240),
        ] {
            for layer in 0..3 {
                self.layer(&format!("{run}/layer_{layer}.npy"), seed + layer);
            }
        }
        let runs = ["path,x", "checkpoints/ep0,0", "checkpoints/ep2,2"];
        self.write("runs.csv", runs.iter().map(|line| (*line).to_owned()));
        let losses = ["run,loss", "ep0,2.5", "ep2,1.5", "ep10,0.5"];
        self.write("loss.csv", losses.iter().map(|line| (*line).to_owned()));
        for row in 0..60 {
            let name = format!("vectors/sample_{row}.npy");
            self.save(&name, &normals(1, 6, 300 + row), &[6]);
        }
    }

    fn model(&self) {
        let model = fixture("mechanisms/gpt2_tiny");
        for name in ["config.json", "model.safetensors"] {
            fs::copy(model.join(name), self.at(&format!("gpt2/{name}"))).unwrap();
        }
        fs::copy(
            model.join("prompts.safetensors"),
            self.at("prompts.safetensors"),
        )
        .unwrap();
    }

    fn run(&self, line: &str) {
        // No cluster is at hand here: what would be submitted is printed.
        let line = &line.replace("repgeo submit run/", "repgeo submit run/ --print");
        let program = Path::new(env!("CARGO_BIN_EXE_repgeo")).parent().unwrap();
        let others = std::env::var("PATH").unwrap();
        let path = format!("{}:{others}", program.display());
        let output = Command::new("bash")
            .args(["-c", &format!("set -o pipefail\n{line}")])
            .env("PATH", path)
            .env_remove("COLUMNS")
            .current_dir(self.0.path())
            .output()
            .unwrap();
        // What a cluster would do is not done here: parts are missing, which has a code of its own.
        let holes = line.contains(" run/") && output.status.code() == Some(3);
        let done = output.status.success() || holes;
        assert!(done, "{line}\n{}", text(&output.stderr));
    }

    fn run_all(&self, document: &str) {
        let lines = lines(document);
        assert!(lines.len() > 20, "{lines:?}");
        for line in lines {
            let missing = ["jq", "python3"]
                .into_iter()
                .find(|tool| line.contains(&format!("{tool} ")) && !is_there(tool));
            match missing {
                Some(tool) => eprintln!("not run, {tool} is not there: {line}"),
                None => self.run(&line),
            }
        }
    }
}

/// Whether a program can be called, and python3 has numpy.
fn is_there(tool: &str) -> bool {
    let asked: &[&str] = match tool {
        "python3" => &["-c", "import numpy"],
        _ => &["--version"],
    };
    let output = Command::new(tool).args(asked).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn every_command_of_the_readme_runs() {
    let place = Place::new();
    fs::rename(place.at("bias/b.npy"), place.at("b.npy")).unwrap();
    place.run_all(README);
}

#[test]
fn every_command_of_the_guide_runs() {
    let place = Place::new();
    place.run("repgeo id-profile acts.safetensors --format json > profile.json");
    let (layers, chunks) = GUIDE.split_once("## 13.").unwrap();
    place.run_all(layers);
    fs::rename(place.at("bias/b.npy"), place.at("b.npy")).unwrap();
    for line in lines(chunks) {
        place.run(&line);
    }
}

#[test]
fn every_output_of_readme_and_guide_is_what_the_program_prints() {
    let mut compared = 0;
    for block in [blocks(README, "console"), blocks(GUIDE, "console")].concat() {
        let (line, shown) = block.split_once('\n').unwrap();
        let line = line.replace("cargo run --release --", "repgeo");
        let Some(line) = line.strip_prefix("$ repgeo ") else {
            continue;
        };
        let words: Vec<&str> = line
            .split_whitespace()
            .chain(["--format", "table"])
            .collect();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let table = printed(command(&words).current_dir(root));
        // What is left out stands as three dots.
        let mut rest = table.as_str();
        let pieces: Vec<&str> = shown.split("...\n").collect();
        for (at, piece) in pieces.iter().enumerate() {
            let found = match at {
                0 => rest.starts_with(piece).then_some(0),
                _ => rest.find(piece),
            };
            let Some(found) = found else {
                panic!("\n$ repgeo {line}\nprinted:\n{table}\nshown:\n{shown}");
            };
            rest = &rest[found + piece.len()..];
        }
        assert!(
            rest.is_empty() || pieces.last() == Some(&""),
            "$ repgeo {line} prints more:\n{rest}"
        );
        compared += 1;
    }
    assert!(compared >= 4, "{compared}");
}
