//! Kernels, devices and limits on memory change the time that a report takes and no byte of it.

use std::fs;
use std::path::{Path, PathBuf};

use repgeo::neighbours::Kernel;
use repgeo::random::SplitMix64;
use tempfile::TempDir;

use super::cli::minilm;
use super::common::schema::faults;
use super::common::{json, path, refusal, repgeo, stdout, text};

/// Rows and columns enough for the choice of a kernel, with a few strong directions.
fn large_layer(folder: &Path, name: &str, seed: u64) -> PathBuf {
    let (n, d) = (1300usize, 64usize);
    let mut random = SplitMix64::new(seed);
    let mixing: Vec<f64> = (0..5 * d).map(|_| random.uniform() - 0.5).collect();
    let mut bytes = Vec::new();
    for _ in 0..n {
        let weights: Vec<f64> = (0..5).map(|_| random.uniform()).collect();
        for j in 0..d {
            let x: f64 = weights
                .iter()
                .zip(&mixing[5 * j..])
                .map(|(w, m)| w * m)
                .sum();
            #[allow(clippy::cast_possible_truncation)]
            bytes.extend((x as f32).to_le_bytes());
        }
    }
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {d}), }}");
    let header = format!("{header:<117}\n");
    let file = folder.join(name);
    let start = [b"\x93NUMPY\x01\x00v\x00", header.as_bytes()].concat();
    fs::write(&file, [start, bytes].concat()).unwrap();
    file
}

#[test]
fn kernels_change_no_byte_of_any_report() {
    let folder = TempDir::new().unwrap();
    let files = ["a.npy", "b.npy"]
        .map(|name| large_layer(folder.path(), name, u64::from(name.as_bytes()[0])));
    let (a, b) = (path(&files[0]), path(&files[1]));
    for args in [
        &["id-profile", "--range-max", "600", a][..],
        &["imbalance", a, b],
        &["overlap", a, b, "-k", "10"],
    ] {
        let of = |kernel: &str| stdout(&[args, &["--format", "json", "--kernel", kernel]].concat());
        let portable = of("portable");
        for kernel in Kernel::ALL {
            let name = kernel.as_str();
            if kernel.is_available() {
                assert_eq!(of(name), portable, "{args:?} by {name}");
            } else {
                let message = refusal(&[args, &["--kernel", name]].concat(), 2);
                assert!(message.contains("--kernel"), "{message}");
            }
        }
    }
}

#[test]
fn a_limit_on_memory_changes_no_byte_and_one_too_low_is_refused_with_what_it_takes() {
    let folder = TempDir::new().unwrap();
    let files = ["a.npy", "b.npy"]
        .map(|name| large_layer(folder.path(), name, u64::from(name.as_bytes()[0])));
    let (a, b) = (path(&files[0]), path(&files[1]));
    for args in [
        &["id-profile", "--range-max", "64", a][..],
        &["imbalance", a, b],
        &["density-peaks", "-k", "20", a],
    ] {
        let args = [args, &["--format", "json", "--threads", "2"]].concat();
        let message = refusal(&[&args[..], &["--max-memory", "10K"]].concat(), 1);
        assert!(
            message.contains("the limit is 10 KiB (--max-memory"),
            "{message}"
        );
        // "... need X MiB, ...": that much is enough, and less than without a limit.
        let (_, rest) = message.split_once(" need ").expect("it says what it needs");
        let needed = format!("{}M", rest.split(' ').next().unwrap());
        let limited = stdout(&[&args[..], &["--max-memory", &needed]].concat());
        assert_eq!(limited, stdout(&args), "{args:?} {needed}");
    }
}

#[test]
fn a_gpu_that_is_not_there_is_refused_in_words_before_any_work() {
    let found = json(&["bench", "--rows", "60", "--columns", "4", "--rounds", "1"]);
    let here = found["devices"].as_array().unwrap().len();
    let minilm = minilm();
    for numbers in [vec![here], vec![here, here + 1], vec![63]] {
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        let device = format!("cuda:{}", numbers.join(","));
        let words = refusal(&["id-profile", &minilm, "--device", &device], 2);
        assert!(words.contains(&format!("--device {device}: ")), "{words}");
        assert!(words.contains("leave the flag out"), "{words}");
    }
    for nonsense in ["cuda:0,0", "cuda:64", "gpu"] {
        let output = repgeo(&["id-profile", &minilm, "--device", nonsense]);
        assert_eq!(output.status.code(), Some(2), "{nonsense}");
        assert!(text(&output.stderr).contains("cuda:0,1"), "{nonsense}");
    }
}

#[test]
fn bench_names_the_kernel_that_it_chose() {
    let args = ["bench", "--rows", "200", "--columns", "8", "--rounds", "1"];
    let found = json(&args);
    assert_eq!(faults(&found), [""; 0]);
    // A layer this small needs no bf16; which f32 kernel it gets, the machine decides.
    let chosen = found["chosen"].as_str().unwrap();
    assert!(
        !chosen.contains("bf16") && !chosen.contains("amx"),
        "{chosen}"
    );
    let kernels = found["kernels"].as_array().unwrap();
    assert!(
        kernels.iter().any(|kernel| kernel["kernel"] == chosen),
        "{found}"
    );
    assert!(found["kernels"][0]["ceiling_gflops"].as_f64().unwrap() > 0.0);
    // The first GPU is timed, or the reason says why not.
    assert_ne!(
        found["device_seconds"].is_null(),
        found["no_device"].is_null()
    );
    let table = stdout(&[&args[..], &["--format", "table"]].concat());
    assert!(table.contains("chosen"));
}
