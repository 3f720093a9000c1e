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
    let found = found.unwrap();
    let (wrong, rows) = if rows == "all" {
        let options = SearchOptions {
            device: Device::Cpu,
            ..SearchOptions::default()
        };
        let started = Instant::now();
        let truth = neighbour_table(&points, k, &options, &Silent)?;
        eprintln!("processor: {:.2} s", started.elapsed().as_secs_f64());
        let differ = |&i: &usize| !same_row(&found, &truth, i, i);
        ((0..matrix.n_rows()).filter(differ).count(), matrix.n_rows())
    } else {
        let rows: usize = rows.parse().unwrap();
        (wrong_rows(&matrix, &found, rows, k), rows)
    };
    println!(
        "{{\"n\": {}, \"d\": {}, \"k\": {k}, \"read_s\": {checked:.3}, \"seconds\": {seconds:?}, \
         \"rows_checked\": {rows}, \"rows_wrong\": {wrong}}}",
        matrix.n_rows(),
        matrix.n_columns()
    );
    assert_eq!(wrong, 0, "rows of {file} that the device has wrong");
    Ok(())
}

fn same_row(a: &NeighbourTable, b: &NeighbourTable, i: usize, j: usize) -> bool {
    let bits = |table: &NeighbourTable, row| -> Vec<u64> {
        let distances = table.distances.row(row);
        distances
            .iter()
            .map(|distance| distance.to_bits())
            .collect()
    };
    a.indices.row(i) == b.indices.row(j) && bits(a, i) == bits(b, j)
}

/// How many of some rows, evenly spaced, differ from a sort of all exact distances.
fn wrong_rows(matrix: &Matrix, found: &NeighbourTable, rows: usize, k: usize) -> usize {
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
    let is_wrong = |&(at, &i): &(usize, &usize)| {
        let others = (0u32..).zip(&all).filter(|&(j, _)| j as usize != i);
        let mut sorted: Vec<(f64, u32)> = others.map(|(j, squared)| (squared[at], j)).collect();
        sorted.select_nth_unstable_by(k - 1, |a, b| a.partial_cmp(b).unwrap());
        sorted.truncate(k);
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let (indices, distances) = (found.indices.row(i), found.distances.row(i));
        let pairs = indices.iter().zip(&distances);
        !sorted
            .iter()
            .zip(pairs)
            .all(|((squared, j), (index, distance))| {
                j == index && squared.sqrt().to_bits() == distance.to_bits()
            })
    };
    sources.iter().enumerate().filter(is_wrong).count()
}
