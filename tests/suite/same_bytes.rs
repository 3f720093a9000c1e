//! The same bytes where the system's libm takes other paths: as on a processor without FMA.

use std::path::Path;
use std::process::{Command, Stdio};

/// What glibc obeys: no variant of its functions for newer processors.
const PLAIN: &str = "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4,-AVX512F,-AVX512VL,-AVX2_Usable,-FMA_Usable";

/// Commands whose numbers come from logarithms, exponentials, powers and roots.
const COMMANDS: [&str; 12] = [
    "id-profile fixtures/golden/2gauss.npy",
    "id-profile fixtures/reference/vae_d08",
    "id-profile fixtures/reference/vae_d08 --estimator all --control shuffle",
    "id-profile fixtures/golden/6d_2000.npy --decimate 0.5 --repeats 4",
    "density-peaks fixtures/minilm",
    "density-peaks fixtures/golden/fig1_2000.npy",
    "landscape fixtures/minilm --layers 3",
    "imbalance fixtures/reference/relations",
    "overlap fixtures/reference/relations --k 10",
    "similarity fixtures/reference/relations --measure all",
    "clones fixtures/clones/test_hidden.npy --sizes 4,8",
    "events fixtures/events/resnet152.csv --column id",
];

fn bytes(command: &str, tunables: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_repgeo"))
        .args(command.split_whitespace())
        .args(["--format", "json", "--quiet"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("GLIBC_TUNABLES", tunables)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}");
    output.stdout
}

#[test]
fn reports_do_not_depend_on_the_libm_of_the_system() {
    for command in COMMANDS {
        let (usual, plain) = (bytes(command, ""), bytes(command, PLAIN));
        assert!(!usual.is_empty(), "{command} printed nothing");
        assert!(usual == plain, "{command}: other bytes without FMA");
    }
}
