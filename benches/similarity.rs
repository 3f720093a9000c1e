//! How long similarity matrices and clone analyses take beside the products they need.
//!
//! `cargo bench --bench similarity` at the sizes of the claims; `-- small` for a quick look;
//! `-- threads 2` for another number of threads. Times are processor seconds of all threads.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use faer::{Accum, Mat, Par};
use ndarray::Array2;
use rayon::prelude::*;
use repgeo::geometry::centred::Centred;
use repgeo::geometry::clones::{ChunkFit, Elimination, Remainder};
use repgeo::geometry::similarity::{Route, cheaper_route, linear_terms};
use repgeo::input::Matrix;
use repgeo::progress::Silent;
use repgeo::random::SplitMix64;

struct Sizes {
    layers: usize,
    rows: usize,
    columns: usize,
    draws: usize,
}

const CLAIMED: Sizes = Sizes {
    layers: 33,
    rows: 10_000,
    columns: 1024,
    draws: 40,
};

const SMALL: Sizes = Sizes {
    layers: 9,
    rows: 2_000,
    columns: 256,
    draws: 10,
};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let sizes = if args.iter().any(|arg| arg == "small") {
        SMALL
    } else {
        CLAIMED
    };
    let threads = args.windows(2).find(|two| two[0] == "threads");
    let threads = threads.map_or(1, |two| two[1].parse().unwrap());
    println!(
        "{} layers of {} x {}, {threads} thread(s)",
        sizes.layers, sizes.rows, sizes.columns
    );
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(|| {
            alignment(&sizes);
            chunks(&sizes);
        });
}

fn layer(rows: usize, columns: usize, seed: u64) -> Matrix {
    let mut random = SplitMix64::new(seed);
    #[allow(clippy::cast_possible_truncation)]
    let values = Array2::from_shape_simple_fn((rows, columns), || random.uniform() as f32);
    Matrix::from(values)
}

/// The processor time that `work` took on all threads, so that other programs disturb it little;
/// the time on the clock where the system does not tell.
fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let (start, before) = (Instant::now(), processor_seconds());
    let result = work();
    let took = match (before, processor_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_secs_f64(),
    };
    (took, result)
}

/// User and system time of this process, from Linux's `/proc` (hundredths of a second).
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let ticks: Vec<f64> = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() / 100.0)
}

/// The whole CKA matrix, and a plain f64 product with as many multiplications.
fn alignment(sizes: &Sizes) {
    let matrices: Vec<Matrix> = (0..sizes.layers)
        .map(|seed| layer(sizes.rows, sizes.columns, seed as u64))
        .collect();
    let layers: Vec<Centred<'_>> = matrices.iter().map(Centred::new).collect();
    let pairs: Vec<(usize, usize)> = (0..sizes.layers)
        .flat_map(|x| (0..x).map(move |y| (y, x)))
        .collect();
    let chosen = cheaper_route(&layers, &pairs);
    let (n, d, count) = (sizes.rows as f64, sizes.columns as f64, sizes.layers as f64);
    let rate = product_rate();
    println!("f64 product: {:.1} GFLOP/s", rate / 1e9);
    for route in [Route::Samples, Route::Features] {
        if route != chosen && sizes.rows > 5_000 {
            println!("{route:?}: not run at this size, the other is cheaper");
            continue;
        }
        let (took, terms) = seconds(|| linear_terms(&layers, &pairs, route, &Silent));
        let flops = match route {
            Route::Samples => n * n * d * count,
            Route::Features => n * d * d * (count * (count - 1.0) + count),
        };
        println!(
            "{route:?}{}: {took:.2} s, {:.2} times its products alone; cka(0, 1) = {:.12}",
            if route == chosen { " (chosen)" } else { "" },
            took / (flops / rate),
            terms.cka(0, 1).unwrap()
        );
    }
    println!(
        "one product for every pair would take {:.1} s",
        n * d * d * count * (count + 1.0) / rate
    );
}

/// Flops a second of products of blocks that stay in the cache, on all threads.
fn product_rate() -> f64 {
    let threads = rayon::current_num_threads();
    let (m, k, turns) = (512, 1024, 24);
    let work = |_: usize| {
        let x = Mat::from_fn(m, k, |i, j| (i * 7 + j) as f64 / 1e4);
        let y = Mat::from_fn(k, m, |i, j| (i + j * 3) as f64 / 1e4);
        let mut out: Mat<f64> = Mat::zeros(m, m);
        for _ in 0..turns {
            faer::linalg::matmul::matmul(&mut out, Accum::Replace, &x, &y, 1.0, Par::Seq);
        }
        out[(0, 0)]
    };
    let (took, _) = seconds(|| (0..threads).into_par_iter().map(work).collect::<Vec<f64>>());
    2.0 * (m * m * k * turns * threads) as f64 / took
}

/// All fits of a clone analysis: ten widths from one neuron to half of them, and the whole.
fn chunks(sizes: &Sizes) {
    let features = layer(sizes.rows, sizes.columns, 99);
    let widths: Vec<usize> = (0..)
        .map(|i| 1usize << i)
        .take_while(|w| *w < sizes.columns)
        .collect();
    let (gram_took, gram) = seconds(|| Centred::new(&features).gram());
    let mut random = SplitMix64::new(0);
    let orders: Vec<Vec<usize>> = (0..sizes.draws)
        .map(|_| random.choose(sizes.columns, sizes.columns))
        .collect();
    let variances: Vec<f64> = (0..gram.ncols()).map(|i| gram[(i, i)]).collect();
    let floors = vec![0.0; gram.ncols()];
    let (took, r2) = seconds(|| {
        let fits: Vec<f64> = orders
            .par_iter()
            .map(|order| {
                let mut elimination = Elimination::new(gram.view(), order, &floors);
                let mut sum = 0.0;
                for &w in &widths {
                    elimination.advance(w);
                    let fit = ChunkFit::new(&variances, &floors, order, &elimination, sizes.rows);
                    sum += fit.unwrap().paper.r2;
                }
                sum
            })
            .collect();
        fits.iter().sum::<f64>()
    });
    println!(
        "clones: {} widths x {} draws: Gram {gram_took:.2} s + fits {took:.2} s (sum of R2 {r2:.6})",
        widths.len(),
        sizes.draws
    );
}
