//! Times neighbour tables of a GPU, and holds them to the processor's and to exact distances.
//!
//! ```sh
//! cargo bench --features cuda --bench device -- FILE K ROWS [REPEATS]
//! ```
//!
//! Reads the first layer of FILE, finds the K nearest rows on the first GPU, and checks ROWS of them
//! (`all`: the whole table of the processor, byte for byte) against exact distances. Prints one line
//! of JSON; `benches/device/run.sh` prints the table.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;
use repgeo::Result;
use repgeo::input::{Dump, Matrix, ReadOptions};
use repgeo::neighbours::{
    Device, Gpus, Metric, NeighbourTable, Points, SearchOptions, neighbour_table, squared_distance,
};
use repgeo::progress::{Progress, Silent};

/// Times the stages of a search, and prints what it has to say.
struct Stages(Mutex<Vec<(String, Instant)>>);

impl Progress for Stages {
    fn begin(&self, label: &str, _total: u64) {
        let stage = (label.to_owned(), Instant::now());
        self.0.lock().unwrap().push(stage);
    }
    fn advance(&self, _steps: u64) {}
    fn end(&self) {
        let (label, started) = self.0.lock().unwrap().pop().unwrap();
        eprint!("{label} {:.3} s; ", started.elapsed().as_secs_f64());
    }
    fn note(&self, text: &str) {
        eprintln!("{text}");
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    let [_, file, k, rows, rest @ ..] = &args[..] else {
        println!("device: give FILE K ROWS [REPEATS]");
        return Ok(());
    };
    if let Err(missing) = Device::Cuda(Gpus::FIRST).check() {
        println!("device: {missing}");
        return Ok(());
    }
    let k: usize = k.parse().unwrap();
    let repeats: usize = rest.first().map_or(3, |text| text.parse().unwrap());
    let started = Instant::now();
    let dump = Dump::open(Path::new(file))?;
    let matrix = dump
        .read(&dump.layers()[0], &ReadOptions::default())?
        .matrix;
    let points = Points::new(&matrix, Metric::Euclidean, file)?;
    let checked = started.elapsed().as_secs_f64();
    let options = SearchOptions {
        device: Device::Cuda(Gpus::FIRST),
        ..SearchOptions::default()
    };
    let mut seconds = Vec::new();
    let stages = Stages(Mutex::default());
    let mut found = None;
    for _ in 0..repeats.max(1) {
        // Memory for one table.
        drop(found.take());
        let started = Instant::now();
        found = Some(neighbour_table(&points, k, &options, &stages)?);
        seconds.push(started.elapsed().as_secs_f64());
        eprintln!();
    }
    let mut found = found.unwrap();
    let truth = if rows == "all" {
        let options = SearchOptions {
            device: Device::Cpu,
            ..SearchOptions::default()
        };
        let started = Instant::now();
        let truth = neighbour_table(&points, k, &options, &Silent)?;
        eprintln!("processor: {:.2} s", started.elapsed().as_secs_f64());
        of_table(&truth)
    } else {
        by_sorting(&matrix, rows.parse().unwrap(), k)
    };
    let (wrong, rows) = (wrong_rows(&found, &truth), truth.len());
    // A check that lets a wrong row pass is none: the last bit of one distance, and two neighbours
    // of another row that change places, are seen.
    let (first, last) = (truth[0].0, truth[truth.len() - 1].0);
    let distance = &mut found.distances[[first, k - 1]];
    *distance = distance.next_up();
    assert_eq!(
        wrong_rows(&found, &truth),
        wrong + 1,
        "a wrong distance passed"
    );
    if k > 1 && first != last {
        found.indices.swap([last, 0], [last, 1]);
        assert_eq!(
            wrong_rows(&found, &truth),
            wrong + 2,
            "wrong neighbours passed"
        );
    }
    println!(
        "{{\"n\": {}, \"d\": {}, \"k\": {k}, \"read_s\": {checked:.3}, \"seconds\": {seconds:?}, \
         \"rows_checked\": {rows}, \"rows_wrong\": {wrong}}}",
        matrix.n_rows(),
        matrix.n_columns()
    );
    assert_eq!(wrong, 0, "rows of {file} that the device has wrong");
    Ok(())
}

/// A row with its neighbours, nearest first: the bits of each distance, and the row.
type Row = (usize, Vec<(u64, u32)>);

/// All rows of a table.
fn of_table(table: &NeighbourTable) -> Vec<Row> {
    (0..table.n()).map(|i| (i, row_of(table, i))).collect()
}

fn row_of(table: &NeighbourTable, i: usize) -> Vec<(u64, u32)> {
    let distances = table.distances.row(i);
    let distances = distances.iter().map(|distance| distance.to_bits());
    distances
        .zip(table.indices.row(i).iter().copied())
        .collect()
}

/// How many rows of a table are not what they should be.
fn wrong_rows(found: &NeighbourTable, truth: &[Row]) -> usize {
    let is_wrong = |(i, row): &&Row| row_of(found, *i) != *row;
    truth.iter().filter(is_wrong).count()
}

/// Some rows, evenly spaced, by a sort of all exact distances.
fn by_sorting(matrix: &Matrix, rows: usize, k: usize) -> Vec<Row> {
    let n = matrix.n_rows();
    let wide = |i| {
        let mut row = vec![0.0; matrix.n_columns()];
        matrix.widen_row(i, &mut row);
        row
    };
    let sources: Vec<usize> = (0..n).step_by((n / rows.max(1)).max(1)).collect();
    let from: Vec<Vec<f64>> = sources.iter().map(|&i| wide(i)).collect();
    let all: Vec<Vec<f64>> = (0..n)
        .into_par_iter()
        .map(|j| {
            let row = wide(j);
            from.iter().map(|x| squared_distance(x, &row)).collect()
        })
        .collect();
    let sorted = |(at, i): (usize, usize)| {
        let others = (0u32..).zip(&all).filter(|&(j, _)| j as usize != i);
        let mut sorted: Vec<(f64, u32)> = others.map(|(j, squared)| (squared[at], j)).collect();
        sorted.select_nth_unstable_by(k - 1, |a, b| a.partial_cmp(b).unwrap());
        sorted.truncate(k);
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let bits = |(squared, j): (f64, u32)| (squared.sqrt().to_bits(), j);
        (i, sorted.into_iter().map(bits).collect())
    };
    sources.into_iter().enumerate().map(sorted).collect()
}
