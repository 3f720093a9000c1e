//! The same bytes everywhere: where the system's libm takes other paths, and on other processors.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What glibc obeys: no variant of its functions for newer processors.
const PLAIN: &str = "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4,-AVX512F,-AVX512VL,-AVX2_Usable,-FMA_Usable";

/// Commands whose numbers come from logarithms, powers, products and decompositions.
const COMMANDS: [&str; 13] = [
    "id-profile fixtures/golden/2gauss.npy",
    "id-profile fixtures/reference/vae_d08",
    "id-profile fixtures/reference/vae_d08 --estimator all --control shuffle,gaussian",
    "id-profile fixtures/golden/6d_2000.npy --decimate 0.5 --repeats 4",
    "density-peaks fixtures/minilm",
    "density-peaks fixtures/golden/fig1_2000.npy",
    "landscape fixtures/minilm --layers 3",
    "imbalance fixtures/reference/relations",
    "overlap fixtures/reference/relations --k 10",
    "similarity fixtures/reference/relations --measure all",
    "clones fixtures/clones/test_hidden.npy --sizes 4,8",
    "clones fixtures/clones/test_hidden.npy --sizes 4,8 --rows 0..20",
    "events fixtures/events/resnet152.csv --column id",
];

/// The same for an emulator, which takes a hundred times as long.
const EMULATED: [&str; 5] = [
    "id-profile fixtures/reference/vae_d08 --estimator all --control gaussian --rows 0..60",
    "landscape fixtures/minilm --layers 3 --rows 0..60",
    "imbalance fixtures/reference/relations --rows 0..40",
    "similarity fixtures/reference/relations --measure all --rows 0..40",
    "clones fixtures/clones/test_hidden.npy --sizes 4,8 --draws 2 --rows 0..60",
];

/// A run of a small model; its streams and logits go to a file.
const FORWARD: &str = "forward fixtures/mechanisms/gpt2_tiny --tokens \
    fixtures/mechanisms/gpt2_tiny/prompts.safetensors --dump resid-post,pattern,logits";

/// The program, or an emulator that runs it.
fn command(emulator: Option<&[&str]>) -> Command {
    let program = env!("CARGO_BIN_EXE_repgeo");
    let mut command = match emulator {
        None => Command::new(program),
        Some(words) => {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg(program);
            command
        }
    };
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::null());
    command
}

fn bytes(mut command: Command, words: &str) -> Vec<u8> {
    let output = command
        .args(words.split_whitespace())
        .args(["--format", "json", "--quiet"])
        .output()
        .expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {errors}");
    assert!(!output.stdout.is_empty(), "{words} printed nothing");
    output.stdout
}

/// The file that a forward pass writes.
fn streams(mut command: Command) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("streams.safetensors");
    let output = command
        .args(FORWARD.split_whitespace())
        .arg("-o")
        .arg(&path)
        .output()
        .expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{FORWARD}: {errors}");
    std::fs::read(path).unwrap()
}

#[test]
fn reports_do_not_depend_on_the_libm_of_the_system() {
    let with = |tunables: &str| {
        let mut command = command(None);
        command.env("GLIBC_TUNABLES", tunables);
        command
    };
    for words in COMMANDS {
        let (usual, plain) = (bytes(with(""), words), bytes(with(PLAIN), words));
        assert!(usual == plain, "{words}: other bytes without FMA");
    }
    assert!(streams(with("")) == streams(with(PLAIN)), "{FORWARD}");
}

/// A processor of 2008: no AVX, no fused multiply-add.
const OLD: [&str; 3] = ["qemu-x86_64", "-cpu", "Nehalem"];

#[test]
fn reports_do_not_depend_on_the_processor() {
    let found = Command::new(OLD[0]).arg("-version").output();
    if !cfg!(target_arch = "x86_64") || found.is_err() {
        eprintln!("left out: there is no {} here", OLD[0]);
        return;
    }
    for words in EMULATED {
        let (here, there) = (
            bytes(command(None), words),
            bytes(command(Some(&OLD)), words),
        );
        assert!(here == there, "{words}: other bytes on an old processor");
    }
    let (here, there) = (streams(command(None)), streams(command(Some(&OLD))));
    assert!(here == there, "{FORWARD}: other bytes on an old processor");
}
