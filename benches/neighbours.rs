//! Times neighbour searches on made-up activations, or on a file beside its peers.
//!
//! ```sh
//! cargo bench --bench neighbours                                # the floor and the searches
//! cargo bench --bench neighbours -- --table FILE.npy K THREADS REPEATS
//! ```
//!
//! The second form prints one JSON line, `{"seconds": […]}`, for `benches/peers/run.py`.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use repgeo::input::{Dump, Matrix, ReadOptions};
use repgeo::neighbours::{
    Metric, Points, SearchOptions, Strategy, neighbour_table, order_distances,
};
use repgeo::progress::Silent;
use repgeo::random::SplitMix64;

/// Activations with the spectrum of hidden states: a few strong directions, much noise.
fn activations(n: usize, d: usize) -> Matrix {
    let mut random = SplitMix64::new(1);
    let mut normal = || {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let rank = 24.min(d);
    let basis: Vec<f64> = (0..rank * d).map(|_| normal()).collect();
    let mut values = Vec::with_capacity(n * d);
    for _ in 0..n {
        let weights: Vec<f64> = (0..rank)
            .map(|r| normal() / (1.0 + r as f64).sqrt())
            .collect();
        for j in 0..d {
            let signal: f64 = weights
                .iter()
                .enumerate()
                .map(|(r, w)| w * basis[r * d + j])
                .sum();
            #[allow(clippy::cast_possible_truncation)]
            values.push((signal + 0.3 * normal() + if j % 97 == 0 { 20.0 } else { 0.0 }) as f32);
        }
    }
    Matrix::from_f32(n, d, values)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn time<R>(repeats: usize, mut work: impl FnMut() -> R) -> Vec<f64> {
    (0..repeats)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect()
}

/// GFLOP/s of the matrix product that the filter is made of, one thread: the floor of a sweep.
fn product_ceiling(d: usize) -> f64 {
    let tile = 512;
    let a = vec![0.5f32; tile * d];
    let mut c = vec![0.0f32; tile * tile];
    let seconds = median(time(9, || {
        let (a, b) = (ndarray::aview1(&a), &a);
        let a = a.into_shape_with_order((tile, d)).expect("sizes match");
        let b = ndarray::aview1(b)
            .into_shape_with_order((tile, d))
            .expect("sizes match");
        let mut c = ndarray::ArrayViewMut2::from_shape((tile, tile), &mut c).expect("sizes match");
        ndarray::linalg::general_mat_mul(1.0, &a, &b.t(), 0.0, &mut c);
    }));
    2.0 * (tile * tile * d) as f64 / seconds / 1e9
}

/// `--table FILE.npy K THREADS REPEATS`: one JSON line for the script that runs the peers.
fn time_table(arguments: &[String]) -> repgeo::Result<()> {
    let [file, k, threads, repeats] = arguments else {
        panic!("--table needs FILE.npy K THREADS REPEATS");
    };
    let number = |text: &String| text.parse().expect("K, THREADS and REPEATS are numbers");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(number(threads))
        .build()
        .expect("a pool");
    let dump = Dump::open(Path::new(file))?;
    let layer = dump.read(&dump.layers()[0], &ReadOptions::default())?;
    let seconds = pool.install(|| {
        time(number(repeats), || -> repgeo::Result<usize> {
            let points = Points::new(&layer.matrix, Metric::Euclidean, file)?;
            let table = neighbour_table(&points, number(k), &SearchOptions::default(), &Silent);
            Ok(table.n())
        })
    });
    println!("{{\"seconds\": {seconds:?}}}");
    Ok(())
}

fn main() -> repgeo::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--table") {
        // cargo adds a `--bench` of its own behind the four.
        Some(at) => time_table(arguments.get(at + 1..at + 5).unwrap_or_default()),
        None => {
            time_searches();
            Ok(())
        }
    }
}

fn time_searches() {
    let (n, d, k) = (10_000, 768, 30);
    println!(
        "matrix product, one thread: {:.0} GFLOP/s (matrixmultiply)",
        product_ceiling(d)
    );
    let matrix = activations(n, d);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| {
            let points = Points::new(&matrix, Metric::Euclidean, "bench").expect("finite data");
            let options = SearchOptions::default();
            let seconds = median(time(3, || neighbour_table(&points, k, &options, &Silent)));
            let rate = n as f64 * n as f64 * d as f64 / seconds / 1e9;
            println!("table  N={n} D={d} k={k} threads={threads}: {seconds:.3} s ({rate:.0} GFLOP/s with symmetry)");
        });
    }
    let small = activations(3996, 384);
    let points = Points::new(&small, Metric::Euclidean, "bench").expect("finite data");
    for (what, strategy, orders) in [
        (
            "orders to N/2, panel",
            Strategy::Panel,
            vec![1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        ),
        (
            "orders to 64, sweep",
            Strategy::Sweep,
            vec![1, 2, 4, 8, 16, 32, 64],
        ),
        (
            "orders to 64, panel",
            Strategy::Panel,
            vec![1, 2, 4, 8, 16, 32, 64],
        ),
        (
            "orders to 256, sweep",
            Strategy::Sweep,
            vec![1, 2, 4, 8, 16, 32, 64, 128, 256],
        ),
        (
            "orders to 256, panel",
            Strategy::Panel,
            vec![1, 2, 4, 8, 16, 32, 64, 128, 256],
        ),
    ] {
        let options = SearchOptions {
            strategy,
            tile: None,
        };
        let seconds = median(time(5, || {
            order_distances(&points, &orders, &options, &Silent)
        }));
        println!("{what}  N=3996 D=384 all threads: {seconds:.3} s");
    }
    for d in [2, 4, 6, 8, 10, 12, 16] {
        let low = activations(20_000, d);
        let points = Points::new(&low, Metric::Euclidean, "bench").expect("finite data");
        let [sweep, tree] = [Strategy::Sweep, Strategy::Tree].map(|strategy| {
            let options = SearchOptions {
                strategy,
                tile: None,
            };
            median(time(3, || neighbour_table(&points, k, &options, &Silent)))
        });
        println!("table  N=20000 D={d} k={k}: sweep {sweep:.3} s, tree {tree:.3} s");
    }
}
