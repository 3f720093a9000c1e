//! What a hostile file, a full disk, a signal or an absurd count does to the program: never a panic,
//! never half a file, always words.

mod any_flags;
mod changed;
mod counts;
#[cfg(target_os = "linux")]
mod memory;
mod notices;
mod outputs;
mod sizes;
#[cfg(target_os = "linux")]
mod stopped;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use repgeo::random::SplitMix64;
use repgeo::storage::npy;

use super::common::{fixture_arg, path};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_repgeo"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn repgeo(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An .npy file of uniform noise, or of `other` values for every entry.
fn write_layer(path: &Path, rows: usize, columns: usize, seed: u64, other: Option<f64>) {
    let mut random = SplitMix64::new(seed);
    let values: Vec<f64> = (0..rows * columns)
        .map(|_| other.unwrap_or_else(|| random.uniform()))
        .collect();
    std::fs::write(path, npy(&[rows, columns], &values)).unwrap();
}

/// What a folder holds, hidden files included.
fn entries(folder: &Path) -> Vec<String> {
    let items = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = items
        .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A named pipe.
#[cfg(unix)]
fn pipe(path: &Path) -> PathBuf {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
    path.to_owned()
}
