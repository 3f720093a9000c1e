//! Times every command corner that could grow faster than its input: `cargo bench --bench growth`.
//!
//! Each line makes one thing ten times as many (layers, tensors, rows, labels, peaks, cache entries,
//! runs, steps of a series) and shows the exponent b of time ~ count^b, start of the program taken
//! off. About 1 is right; 2 is a quadratic corner. Searches for neighbours are N² by their nature and
//! not among them. `cargo bench --bench growth -- layers` runs the lines whose name holds a word.

// A bench prints what it measured, and stops where something is missing.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use repgeo::random::SplitMix64;

/// Makes an input of so many in the folder, and says the arguments of the command over it.
type Make = fn(&Path, usize) -> String;

/// A name, the smaller count, and the input.
const CORNERS: [(&str, usize, Make); 17] = [
    ("layers, inspect", 300, |folder, n| {
        format!("inspect {}", layers(folder, n))
    }),
    ("layers, id-profile as a table", 100, |folder, n| {
        format!("id-profile {} --format table", layers(folder, n))
    }),
    ("layers, id-profile as JSON", 100, |folder, n| {
        format!("id-profile {} --format json", layers(folder, n))
    }),
    ("layers, id-profile as a figure", 100, |folder, n| {
        let out = folder.join("figure.svg");
        format!("id-profile {} --plot {}", layers(folder, n), out.display())
    }),
    ("layers, imbalance to the next", 100, |folder, n| {
        format!("imbalance {} --to next --format table", layers(folder, n))
    }),
    ("layers, similarity to the next", 300, |folder, n| {
        format!("similarity {} --to next --format table", layers(folder, n))
    }),
    ("layers, density-peaks", 100, |folder, n| {
        format!("density-peaks {} --format table", layers(folder, n))
    }),
    ("tensors of one shard of an index", 3000, |folder, n| {
        layers(folder, n);
        let mut index = String::from("{\"weight_map\":{");
        for at in 0..n {
            let comma = if at == 0 { "" } else { "," };
            write!(index, "{comma}\"layers.{at}\":\"x.safetensors\"").unwrap();
        }
        index.push_str("}}");
        let path = folder.join("x.safetensors.index.json");
        fs::write(&path, index).unwrap();
        format!("inspect {}", path.display())
    }),
    ("files of a folder", 500, |folder, n| {
        let dump = folder.join(format!("dump-{n}"));
        fs::create_dir_all(&dump).unwrap();
        for at in 0..n {
            npy(&dump.join(format!("l{at}.npy")), 4, at as u64, |x| x);
        }
        format!("inspect {} --join never", dump.display())
    }),
    ("rows, scanned for repeats", 20_000, |folder, n| {
        let file = folder.join("rows.npy");
        npy(&file, n, 1, |x| (x * 100.0).round());
        format!("inspect {} --scan", file.display())
    }),
    ("rows, named in a file", 20_000, |folder, n| {
        let (file, rows) = (folder.join("rows.npy"), folder.join("rows.txt"));
        npy(&file, n, 1, |x| x);
        let lines: String = (0..n).step_by(2).map(|row| format!("{row}\n")).collect();
        fs::write(&rows, lines).unwrap();
        let (file, rows) = (file.display(), rows.display());
        format!("inspect {file} --scan --rows {rows}")
    }),
    ("labels, two rows of each", 20_000, |folder, n| {
        let (file, labels) = (folder.join("rows.npy"), folder.join("labels.txt"));
        npy(&file, n, 1, |x| x);
        let lines: String = (0..n).map(|row| format!("class {}\n", row / 2)).collect();
        fs::write(&labels, lines).unwrap();
        let (file, labels) = (file.display(), labels.display());
        format!("inspect {file} --scan --labels {labels} --per-class 1")
    }),
    ("peaks, density-peaks", 400, |folder, n| {
        let file = folder.join("peaks.npy");
        clusters(&file, n);
        format!("density-peaks {} -k 3 --z 0 --format table", file.display())
    }),
    ("cache entries", 300, |folder, n| {
        let (file, cache) = (folder.join("cached.npy"), folder.join(format!("cache-{n}")));
        npy(&file, 100, 1, |x| x);
        let line = format!("id-profile {} --cache {}", file.display(), cache.display());
        run(&line);
        let entry = fs::read_dir(&cache)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
        for at in 0..n {
            let other = name.replace("-euclidean", &format!("{at}-euclidean"));
            fs::copy(&entry, cache.join(other)).unwrap();
        }
        line
    }),
    ("runs, dynamics", 100, |folder, n| {
        let mut table = String::from("path,x\n");
        for at in 0..n {
            let name = format!("run{at}");
            fs::create_dir_all(folder.join(&name)).unwrap();
            npy(&folder.join(&name).join("l0.npy"), 20, at as u64, |x| x);
            npy(&folder.join(&name).join("l1.npy"), 20, !at as u64, |x| x);
            writeln!(table, "{name},{at}").unwrap();
        }
        let file = folder.join("runs.csv");
        fs::write(&file, table).unwrap();
        format!("dynamics --runs {} --format table", file.display())
    }),
    ("steps of a series, events", 2000, |folder, n| {
        format!("events {} --column value", series(folder, n).display())
    }),
    ("steps of a series with errors, events", 300, |folder, n| {
        let file = series(folder, n);
        format!("events {} --column value --std-error error", file.display())
    }),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let start = (0..5)
        .map(|_| run("--version"))
        .fold(f64::INFINITY, f64::min);
    println!(
        "{:40} {:>8} {:>9} {:>8} {:>9} {:>9}",
        "", "count", "s", "count", "s", "exponent"
    );
    for (name, count, make) in CORNERS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word)) {
            continue;
        }
        let time = |count: usize| {
            let line = make(folder.path(), count);
            // Below a millisecond above the start nothing can be told.
            (run(&line).min(run(&line)) - start).max(1e-3)
        };
        let (few, many) = (time(count), time(10 * count));
        let exponent = libm::log10(many / few);
        println!(
            "{name:40} {count:8} {few:9.3} {:8} {many:9.3} {exponent:9.2}",
            10 * count
        );
    }
}

/// Seconds of one run.
fn run(line: &str) -> f64 {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_repgeo"))
        .args(line.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {words}");
    started.elapsed().as_secs_f64()
}

/// A .npy file of `rows` rows of two uniform values.
fn npy(file: &Path, rows: usize, seed: u64, change: impl Fn(f64) -> f64) {
    let mut random = SplitMix64::new(seed);
    let values: Vec<f64> = (0..2 * rows).map(|_| change(random.uniform())).collect();
    write_npy(file, &values);
}

/// A .npy file of two columns.
fn write_npy(file: &Path, values: &[f64]) {
    let shape = format!("({}, 2)", values.len() / 2);
    let mut header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header);
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(file, bytes).unwrap();
}

/// Pairs of rows, each pair far from all others.
fn clusters(file: &Path, n: usize) {
    let mut random = SplitMix64::new(1);
    let mut values = Vec::new();
    for _ in 0..n / 4 {
        let centre = [100.0 * random.uniform(), 100.0 * random.uniform()];
        for _ in 0..4 {
            values.extend(centre.map(|x| x + 1e-3 * random.uniform()));
        }
    }
    write_npy(file, &values);
}

/// A safetensors file of `n` layers of 20 × 3, and its path.
fn layers(folder: &Path, n: usize) -> String {
    let mut random = SplitMix64::new(1);
    let (mut header, mut data) = (String::from("{"), Vec::new());
    for at in 0..n {
        let (start, comma) = (data.len(), if at == 0 { "" } else { "," });
        for _ in 0..60 {
            data.extend(random.uniform().to_le_bytes());
        }
        write!(
            header,
            "{comma}\"layers.{at}\":{{\"dtype\":\"F64\",\"shape\":[20,3],\"data_offsets\":[{start},{}]}}",
            data.len()
        )
        .unwrap();
    }
    header.push('}');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes.extend(data);
    let path = folder.join("x.safetensors");
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// A noisy series of many humps with errors.
fn series(folder: &Path, n: usize) -> std::path::PathBuf {
    let mut random = SplitMix64::new(1);
    let mut table = String::from("layer,value,error\n");
    for at in 0..n {
        let value = libm::sin(at as f64 / 30.0) + random.uniform();
        writeln!(table, "l{at},{value},0.1").unwrap();
    }
    let path = folder.join("series.csv");
    fs::write(&path, table).unwrap();
    path
}
