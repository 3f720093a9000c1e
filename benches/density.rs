//! Times densities and density peaks from a ready table, on made-up rows or beside a peer.
//!
//! ```sh
//! cargo bench --bench density                                   # the sizes of docs/guide.md
//! cargo bench --bench density -- --points FILE.npy K THREADS REPEATS
//! ```
//!
//! The second form prints one JSON line for `benches/peers/density.py`.

#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use ndarray::Array2;
use repgeo::geometry::density::peaks::density_peaks;
use repgeo::geometry::density::{Correction, KSTAR_ALPHA, knn, kstar, pak};
use repgeo::geometry::id::{Fit, Ratios, two_nn};
use repgeo::input::{Dump, Matrix, ReadOptions};
use repgeo::neighbours::{Metric, NeighbourTable, Points, SearchOptions, neighbour_table};
use repgeo::progress::Silent;
use repgeo::random::SplitMix64;

/// Seconds of one run, and what it found.
struct Run {
    density: f64,
    peaks: f64,
    n_putative: usize,
    n_peaks: usize,
}

fn table(matrix: &Matrix, k: usize) -> NeighbourTable {
    let points = Points::new(matrix, Metric::Euclidean, "bench").expect("finite rows");
    neighbour_table(&points, k, &SearchOptions::default(), &Silent).expect("no limit on memory")
}

fn dimension(table: &NeighbourTable) -> f64 {
    let order = |order| table.distances_of_order(order).to_vec();
    let ratios = Ratios::new(&order(1), &order(2));
    two_nn(&ratios, Fit::default()).expect("rows differ").id
}

/// k*, PAk and density peaks; or, with a number of neighbours, plain densities and their peaks.
fn run(table: &NeighbourTable, id: f64, plain: Option<usize>, z: f64) -> Run {
    let (distances, indices) = (table.distances.view(), table.indices.view());
    let start = Instant::now();
    let densities = match plain {
        Some(k) => knn(distances, k, id),
        None => kstar(distances, indices, id, KSTAR_ALPHA, Correction::None)
            .and_then(|sizes| pak(distances, &sizes, id)),
    };
    let densities = densities.expect("the table is long enough");
    let density = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let found = density_peaks(&densities, indices, z).expect("rows have densities");
    Run {
        density,
        peaks: start.elapsed().as_secs_f64(),
        n_putative: found.n_putative,
        n_peaks: found.peaks.len(),
    }
}

/// Rows of `n_blobs` normal clouds in `d` columns, or uniform noise for none.
fn rows(n: usize, d: usize, n_blobs: usize) -> Matrix {
    let mut random = SplitMix64::new(1);
    let centres: Vec<f64> = (0..n_blobs * d).map(|_| 8.0 * random.uniform()).collect();
    let mut normal = || (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
    let cloud = |i: usize, j: usize, noise: f64| centres[(i % n_blobs) * d + j] + noise;
    if n_blobs > 0 {
        return Matrix::from(Array2::from_shape_fn((n, d), |(i, j)| {
            cloud(i, j, normal())
        }));
    }
    Matrix::from(Array2::from_shape_fn((n, d), |_| random.uniform()))
}

fn pool(threads: usize) -> rayon::ThreadPool {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    builder.build().expect("a pool")
}

fn time_sizes() {
    for (what, matrix, k, plain, z) in [
        (
            "N=16000 D=8, 10 clouds, k=300, PAk",
            rows(16_000, 8, 10),
            300,
            None,
            1.65,
        ),
        (
            "N=100000 D=5, 20 clouds, k=100, PAk",
            rows(100_000, 5, 20),
            100,
            None,
            1.65,
        ),
        (
            "N=100000 D=2, noise, k=100, PAk",
            rows(100_000, 2, 0),
            100,
            None,
            1.65,
        ),
        (
            "N=100000 D=2, noise, k=100, kNN 4",
            rows(100_000, 2, 0),
            100,
            Some(4),
            1.65,
        ),
        (
            "N=100000 D=2, noise, k=100, kNN 4, Z=0",
            rows(100_000, 2, 0),
            100,
            Some(4),
            0.0,
        ),
    ] {
        let table = table(&matrix, k);
        let id = dimension(&table);
        for threads in [1, 2] {
            let found = pool(threads).install(|| run(&table, id, plain, z));
            println!(
                "{what}, {threads} threads: density {:.3} s, peaks {:.3} s ({} putative, {} left)",
                found.density, found.peaks, found.n_putative, found.n_peaks
            );
        }
    }
}

/// `--points FILE.npy K THREADS REPEATS`: one JSON line for the script that runs the peer.
fn time_points(arguments: &[String]) -> repgeo::Result<()> {
    let [file, k, threads, repeats] = arguments else {
        panic!("--points needs FILE.npy K THREADS REPEATS");
    };
    let number = |text: &String| text.parse().expect("K, THREADS and REPEATS are numbers");
    let dump = Dump::open(Path::new(file))?;
    let layer = dump.read(&dump.layers()[0], &ReadOptions::default())?;
    let table = table(&layer.matrix, number(k));
    let id = dimension(&table);
    let runs: Vec<Run> = pool(number(threads)).install(|| {
        let once = |_| run(&table, id, None, 1.65);
        (0..number(repeats)).map(once).collect()
    });
    let density: Vec<f64> = runs.iter().map(|run| run.density).collect();
    let peaks: Vec<f64> = runs.iter().map(|run| run.peaks).collect();
    println!(
        "{{\"id\": {id}, \"density\": {density:?}, \"peaks\": {peaks:?}, \"n_peaks\": {}}}",
        runs[0].n_peaks
    );
    Ok(())
}

fn main() -> repgeo::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--points") {
        // cargo adds a `--bench` of its own behind the four.
        Some(at) => time_points(arguments.get(at + 1..at + 5).unwrap_or_default()),
        None => {
            time_sizes();
            Ok(())
        }
    }
}
