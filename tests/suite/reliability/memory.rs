//! Memory is a promise: what a command says it needs is what it holds, beside the mapped file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{command, path, repgeo, stderr, write_layer};

/// What the promise may be missed by.
const SLACK: u64 = 8;

/// Runs a command and gives its most anonymous memory, in MiB.
fn peak(args: &[&str]) -> u64 {
    let mut child = command(args)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        most = most.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    most / 1024
}

/// The MiB that a command says it needs, when it is given next to nothing.
fn needed(args: &[&str]) -> u64 {
    let output = repgeo(&[args, &["--max-memory", "1K"]].concat());
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {words}");
    let rest = words
        .split(" need ")
        .nth(1)
        .unwrap_or_else(|| panic!("{words}"));
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_command_holds_what_it_says_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let layer = |name: &str, rows: usize, columns: usize| {
        let file = folder.path().join(name);
        write_layer(&file, rows, columns, 1, None);
        file.to_str().unwrap().to_owned()
    };
    let (long, wide, square) = (
        layer("long.npy", 6000, 32),
        layer("wide.npy", 60, 6000),
        layer("square.npy", 900, 1200),
    );
    let other = layer("other.npy", 6000, 8);
    let tables = path(&folder.path().join("tables")).to_owned();
    let (long, wide, square, other) = (
        long.as_str(),
        wide.as_str(),
        square.as_str(),
        other.as_str(),
    );
    // The number is MiB of tables that wait beside the search for their partners: 12·N·k a layer.
    let shapes: [(u64, &[&str]); 10] = [
        (0, &["neighbours", long, "-k", "10", "-o", &tables]),
        (0, &["neighbours", long, "-k", "100", "-o", &tables]),
        (0, &["neighbours", long, "-k", "500", "-o", &tables]),
        (0, &["neighbours", square, "-k", "50", "-o", &tables]),
        (0, &["id-profile", long, "--range-max", "128"]),
        (14, &["overlap", long, other, "-k", "100"]),
        (7, &["imbalance", long, other, "-k", "50"]),
        (0, &["density-peaks", long, "-k", "100"]),
        (0, &["clones", square, "--sizes", "10", "--draws", "3"]),
        (0, &["clones", wide, "--sizes", "4", "--draws", "3"]),
    ];
    let start = peak(&["inspect", long, "--threads", "2"]);
    for (beside, shape) in shapes {
        let shape = [shape, &["--threads", "2", "-q"]].concat();
        let limit = needed(&shape);
        let size = format!("{limit}M");
        let found = peak(&[&shape[..], &["--max-memory", &size]].concat());
        assert!(
            found <= start + limit + beside + SLACK,
            "{shape:?}: {found} MiB, where {limit} MiB were promised beside {start} MiB"
        );
    }
    assert!(Path::new(&tables).is_dir());
}
