//! What many modules of the suite need: the program, its refusals, fixtures, made-up data.

pub mod reports;
pub mod schema;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ndarray::Array2;
use repgeo::random::SplitMix64;
use serde_json::Value;

/// A file or folder of `fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path)
}

/// A file or folder of `fixtures` as an argument.
pub fn fixture_arg(at: &str) -> String {
    path(&fixture(at)).to_owned()
}

/// A path as an argument.
pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Bytes of the program as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The program, about to run without stdin.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_repgeo"));
    command.args(args).stdin(Stdio::null());
    // The terminal that runs the tests decides nothing.
    command.env_remove("COLUMNS");
    command
}

/// The program, run.
pub fn repgeo(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// What a command that succeeds prints.
#[track_caller]
pub fn stdout(args: &[&str]) -> String {
    printed(&mut command(args))
}

/// The same of a command that is about to run.
#[track_caller]
pub fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let message = text(&output.stderr);
    assert!(output.status.success(), "{command:?}: {message}");
    text(&output.stdout)
}

/// The report of a command that succeeds.
#[track_caller]
pub fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).unwrap()
}

/// Exit code and message of a command that is refused, and prints no report.
#[track_caller]
pub fn refused(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let message = text(&output.stderr);
    assert!(!output.status.success(), "{command:?} was not refused");
    assert!(output.stdout.is_empty(), "{command:?} printed a report");
    (output.status.code().unwrap(), message)
}

/// The one line of a refused command.
#[track_caller]
pub fn refusal_line(args: &[&str]) -> String {
    refusal_of(args).1
}

/// The same of a command that exits with `code`.
#[track_caller]
pub fn refusal(args: &[&str], code: i32) -> String {
    let (found, message) = refusal_of(args);
    assert_eq!(found, code, "{args:?}: {message}");
    message
}

#[track_caller]
fn refusal_of(args: &[&str]) -> (i32, String) {
    let (code, message) = refused(&mut command(args));
    assert_eq!(message.trim_end().lines().count(), 1, "{args:?}: {message}");
    assert!(message.starts_with("repgeo: "), "{message}");
    (code, message)
}

/// Standard normal numbers.
pub fn normals(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut random = SplitMix64::new(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    })
}

/// Fails unless `found` equals `expected` to within `tolerance`, absolute.
#[track_caller]
pub fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found} is not {expected}, off by {:e}",
        (found - expected).abs()
    );
}
