//! Times neighbour searches on made-up activations, or on a file beside its peers.
//!
//! ```sh
//! cargo bench --bench neighbours                                # the floor and the searches
//! cargo bench --bench neighbours -- --table FILE.npy K THREADS REPEATS KERNEL
//! cargo bench --bench neighbours -- --kernels N D K RANK ROUNDS     # one kernel beside the other
//! cargo bench --bench neighbours -- --clusters N D K APART          # a layer that is hard to filter
//! ```
//!
//! The second form prints one JSON line, `{"seconds": […]}`, for `benches/peers/run.py`.
//! The third runs every kernel of the machine once a round, on activations of RANK strong
//! directions, and prints medians of seconds and of each round's ratios to the portable kernel.

#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use repgeo::input::{Dump, Matrix, ReadOptions};
use repgeo::neighbours::{
    Kernel, Metric, Points, SearchOptions, Strategy, Targets, count_ranks, neighbour_table,
    order_distances,
};
use repgeo::progress::Silent;
use repgeo::random::SplitMix64;

/// Activations with the spectrum of hidden states: a few strong directions, much noise.
fn activations(n: usize, d: usize) -> Matrix {
    activations_of_rank(n, d, 24.min(d))
}

fn activations_of_rank(n: usize, d: usize, rank: usize) -> Matrix {
    let mut random = SplitMix64::new(1);
    let mut normal = || {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
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

/// `--table FILE.npy K THREADS REPEATS KERNEL`: one JSON line for the script that runs the peers.
fn time_table(arguments: &[String]) -> repgeo::Result<()> {
    let [file, k, threads, repeats, kernel] = arguments else {
        panic!("--table needs FILE.npy K THREADS REPEATS KERNEL");
    };
    let named = Kernel::ALL.into_iter().find(|one| one.as_str() == kernel);
    let options = SearchOptions {
        kernel: named.expect("KERNEL is auto, portable, ..."),
        ..SearchOptions::default()
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
            let table = neighbour_table(&points, number(k), &options, &Silent)?;
            Ok(table.n())
        })
    });
    println!("{{\"seconds\": {seconds:?}}}");
    Ok(())
}

/// `--clusters N D K APART`: a table of two clusters, by each kernel on all threads, and by choice.
fn time_clusters(arguments: &[String]) {
    let numbers: Vec<usize> = arguments
        .iter()
        .map(|text| text.parse().expect("--clusters takes four numbers"))
        .collect();
    let &[n, d, k, apart] = numbers.as_slice() else {
        panic!("--clusters needs N D K APART");
    };
    let mut random = SplitMix64::new(1);
    let mut normal = || {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    #[allow(clippy::cast_possible_truncation)]
    let values: Vec<f32> = (0..n * d)
        .map(|at| (normal() + if at / d % 2 == 0 { apart as f64 } else { 0.0 }) as f32)
        .collect();
    let matrix = Matrix::from_f32(n, d, values);
    let points = Points::new(&matrix, Metric::Euclidean, "bench").expect("finite data");
    for kernel in Kernel::ALL {
        if kernel.is_available() {
            let options = SearchOptions {
                kernel,
                ..SearchOptions::default()
            };
            let seconds = time(1, || drop(neighbour_table(&points, k, &options, &Silent)));
            println!("{:12} {:.2} s", kernel.as_str(), median(seconds));
        }
    }
}

/// `--kernels N D K RANK ROUNDS`: tables, orders to N/2 and ranks by each kernel, one thread.
fn compare_kernels(arguments: &[String]) {
    let numbers: Vec<usize> = arguments
        .iter()
        .map(|text| text.parse().expect("--kernels takes five numbers"))
        .collect();
    let &[n, d, k, rank, rounds] = numbers.as_slice() else {
        panic!("--kernels needs N D K RANK ROUNDS");
    };
    let matrix = activations_of_rank(n, d, rank);
    let points = Points::new(&matrix, Metric::Euclidean, "bench").expect("finite data");
    let orders: Vec<usize> = (0..).map(|e| 1 << e).take_while(|m| 2 * m <= n).collect();
    let near = neighbour_table(&points, 1, &SearchOptions::default(), &Silent)
        .expect("no limit")
        .indices;
    let targets = Targets {
        rows: near.view(),
        groups: &[0..1, 0..1],
    };
    let kernels: Vec<Kernel> = Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.is_available())
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.expect("a pool").install(|| {
        for what in ["table", "orders", "ranks"] {
            let mut seconds: Vec<Vec<f64>> = vec![Vec::new(); kernels.len()];
            for round in 0..rounds {
                for turn in 0..kernels.len() {
                    let at = (turn + round) % kernels.len();
                    let options = SearchOptions {
                        kernel: kernels[at],
                        ..SearchOptions::default()
                    };
                    seconds[at].extend(time(1, || match what {
                        "table" => {
                            drop(neighbour_table(&points, k, &options, &Silent));
                        }
                        "orders" => {
                            drop(order_distances(&points, &orders, &options, &Silent));
                        }
                        _ => {
                            drop(count_ranks(&points, &targets, &options, &Silent));
                        }
                    }));
                }
            }
            let base = kernels
                .iter()
                .position(|&kernel| kernel == Kernel::Portable);
            let base = seconds[base.expect("it is always there")].clone();
            for (kernel, seconds) in kernels.iter().zip(&seconds) {
                let ratios = base.iter().zip(seconds).map(|(base, own)| base / own);
                println!(
                    "{what:6} N={n} D={d} k={k} rank={rank} {:12} {:.3} s, {:.2} times as fast",
                    kernel.as_str(),
                    median(seconds.clone()),
                    median(ratios.collect())
                );
            }
        }
    });
}

fn main() -> repgeo::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let behind = |flag: &str, count: usize| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        // cargo adds a `--bench` of its own behind them.
        Some(arguments.get(at + 1..=at + count).unwrap_or_default())
    };
    if let Some(arguments) = behind("--table", 5) {
        return time_table(arguments);
    }
    if let Some(arguments) = behind("--clusters", 4) {
        time_clusters(arguments);
        return Ok(());
    }
    match behind("--kernels", 5) {
        Some(arguments) => compare_kernels(arguments),
        None => time_searches(),
    }
    Ok(())
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
            ..SearchOptions::default()
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
                ..SearchOptions::default()
            };
            median(time(3, || neighbour_table(&points, k, &options, &Silent)))
        });
        println!("table  N=20000 D={d} k={k}: sweep {sweep:.3} s, tree {tree:.3} s");
    }
}
