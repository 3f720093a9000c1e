//! Memory is a promise: what a command says it needs is what it holds, beside the mapped file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{command, path, stderr, write_layer};

/// What the promise may be missed by.
const SLACK: u64 = 8;

/// Runs a command and gives its most anonymous memory, in MiB; or the MiB that it says it needs.
fn peak(args: &[&str]) -> Result<u64, u64> {
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
    if output.status.success() {
        return Ok(most / 1024);
    }
    let words = stderr(&output);
    let need = words
        .split(" need ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    Err(need
        .and_then(|need| need.parse().ok())
        .unwrap_or_else(|| panic!("{args:?}: {words}")))
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
    let alike = path(&folder.path().join("alike")).to_owned();
    fs::create_dir(&alike).unwrap();
    for (name, columns) in [("l0", 400), ("l1", 900), ("l2", 200)] {
        layer(&format!("alike/{name}.npy"), 500, columns);
    }
    let tables = path(&folder.path().join("tables")).to_owned();
    let (long, wide, square, other) = (
        long.as_str(),
        wide.as_str(),
        square.as_str(),
        other.as_str(),
    );
    let shapes: [&[&str]; 17] = [
        &["neighbours", long, "-k", "10", "-o", &tables],
        &["neighbours", long, "-k", "100", "-o", &tables],
        &["neighbours", long, "-k", "500", "-o", &tables],
        &["neighbours", square, "-k", "50", "-o", &tables],
        &["id-profile", long, "--range-max", "128"],
        &["overlap", long, other, "-k", "100"],
        &["overlap", long, other, "-k", "200", "--partitions", "2"],
        &["imbalance", long, other, "-k", "50"],
        &["imbalance", long, other, "-k", "20", "--shuffle", "3"],
        &["density-peaks", long, "-k", "100"],
        &["clones", square, "--sizes", "10", "--draws", "3"],
        &["clones", wide, "--sizes", "4", "--draws", "3"],
        &["similarity", &alike, "--measure", "cka"],
        &["similarity", &alike, "--measure", "cka-rbf"],
        &["similarity", &alike, "--measure", "cca"],
        &["similarity", &alike, "--measure", "procrustes"],
        &["similarity", &alike, "--measure", "rsa"],
    ];
    let start = peak(&["inspect", long, "--threads", "2"]).unwrap();
    for shape in shapes {
        // What one piece of work needs is said when it is due, so it takes a few turns to know all.
        let mut limit = 0;
        let found = loop {
            let size = if limit == 0 {
                "1K".to_owned()
            } else {
                format!("{limit}M")
            };
            let args = [shape, &["--threads", "2", "-q", "--max-memory", &size]].concat();
            match peak(&args) {
                Ok(found) => break found,
                Err(need) => {
                    assert!(need > limit, "{args:?}: needs {need} MiB");
                    limit = need;
                }
            }
        };
        assert!(limit > 0, "{shape:?} ran with 1 KiB");
        assert!(
            found <= start + limit + SLACK,
            "{shape:?}: {found} MiB, where {limit} MiB were promised beside {start} MiB"
        );
    }
    assert!(Path::new(&tables).is_dir());
}

#[test]
fn a_page_and_a_scan_keep_within_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let dump = path(&folder.path().join("acts")).to_owned();
    fs::create_dir(&dump).unwrap();
    for name in ["l0", "l1"] {
        write_layer(
            &folder.path().join(format!("acts/{name}.npy")),
            500,
            300,
            2,
            None,
        );
    }
    let start = peak(&["inspect", &dump, "--threads", "2"]).unwrap();
    let scan = peak(&["inspect", &dump, "--threads", "2", "--scan"]).unwrap();
    assert!(scan <= start + 24, "{scan} MiB, {start} without --scan");
    let page = path(&folder.path().join("page.html")).to_owned();
    // An analysis that cannot be had within the limit says so on the page.
    for limit in [1, 40] {
        let limited = format!("{limit}M");
        let args = ["report", &dump, "-q", "-o", &page, "--threads", "2"];
        let found = peak(&[&args[..], &["--max-memory", &limited]].concat()).unwrap();
        let most = start + limit + SLACK;
        assert!(found <= most, "{found} MiB, where {most} MiB are allowed");
        let html = fs::read_to_string(&page).unwrap();
        let refused = html.contains("and the limit is 1 MiB");
        assert_eq!(refused, limit == 1, "{limit} MiB");
    }
}
