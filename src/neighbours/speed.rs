//! Measures how fast this machine multiplies, by each kernel and in a whole search.

use std::time::{Duration, Instant};

use super::device::{Device, Gpus};
use super::filter::{Area, Demand, Kernel, Room, choose, median, pack};
use super::options::{SearchOptions, Strategy};
use super::parts::{BenchedParts, measure_parts};
use super::points::{Metric, Points};
use super::search::neighbour_table;
use super::visiting::visiting_order;
use crate::error::Result;
use crate::input::Matrix;
use crate::progress::Silent;
use crate::random::SplitMix64;

/// What one kernel does on this machine, on all threads of the current pool.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KernelSpeed {
    /// The kernel; never [`Kernel::Auto`].
    pub kernel: Kernel,
    /// Floating-point operations a second of the products alone, tiles in the cache: the ceiling.
    pub ceiling: f64,
    /// Seconds of a whole neighbour table.
    pub seconds: f64,
    /// The ceiling's share that the table reached, N²·D operations counted.
    pub share: f64,
    /// Where its time goes, if there is room for all products.
    pub parts: Option<BenchedParts>,
}

/// The kernels of this machine on made-up activations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Speed {
    /// The kernel that such a layer gets.
    pub chosen: Kernel,
    /// Every kernel that the machine can run.
    pub kernels: Vec<KernelSpeed>,
}

/// Rows and columns of the tiles that are multiplied, as in the sweep.
const TILE: usize = 512;

/// Products are repeated for as long as this.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

/// Times every kernel on `n` made-up rows of `d` columns and their `k` nearest neighbours.
///
/// The rows have 24 strong directions and noise, as hidden states have. Medians of `rounds`, in
/// each of which every kernel has its turn. `with_parts`: there is room for all products.
///
/// # Errors
/// None for rows that exist; see [`Points::new`].
pub(super) fn measure_speed(
    [n, d]: [usize; 2],
    k: usize,
    rounds: usize,
    with_parts: bool,
) -> Result<Speed> {
    let matrix = activations(n, d);
    let points = Points::new(&matrix, Metric::Euclidean, "bench")?;
    let kernels: Vec<Kernel> = Kernel::ALL
        .into_iter()
        .filter(|&kernel| kernel != Kernel::Auto && kernel.is_available())
        .collect();
    let mut measured = vec![(Vec::new(), Vec::new()); kernels.len()];
    for _ in 0..rounds.max(1) {
        for (&kernel, (ceilings, seconds)) in kernels.iter().zip(&mut measured) {
            ceilings.push(ceiling(&points, kernel));
            let options = SearchOptions {
                kernel,
                device: Device::Cpu,
                ..SearchOptions::default()
            };
            let start = Instant::now();
            neighbour_table(&points, k, &options, &Silent)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    let operations = n as f64 * n as f64 * d as f64;
    let of = |(&kernel, (ceilings, seconds)): (&Kernel, (Vec<f64>, Vec<f64>))| {
        let (ceiling, seconds) = (median(ceilings), median(seconds));
        let share = operations / seconds / ceiling;
        KernelSpeed {
            kernel,
            ceiling,
            seconds,
            share,
            parts: with_parts.then(|| measure_parts(&points, k, kernel, rounds)),
        }
    };
    Ok(Speed {
        chosen: choose(&points, visiting_order(n), &Demand::Nearest(k)),
        kernels: kernels.iter().zip(measured).map(of).collect(),
    })
}

/// Seconds of the same table on the first GPU, a median of `rounds` after one to get it ready.
///
/// # Errors
/// Why it cannot be timed, in words.
pub(super) fn measure_gpu(n: usize, d: usize, k: usize, rounds: usize) -> Result<f64, String> {
    let device = Device::Cuda(Gpus::FIRST);
    device.check()?;
    let matrix = activations(n, d);
    let options = SearchOptions {
        strategy: Strategy::Sweep,
        device,
        ..SearchOptions::default()
    };
    let found = Points::new(&matrix, Metric::Euclidean, "bench").and_then(|points| {
        neighbour_table(&points, k, &options, &Silent)?;
        let mut seconds = Vec::new();
        for _ in 0..rounds.max(1) {
            let start = Instant::now();
            neighbour_table(&points, k, &options, &Silent)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        Ok(median(seconds))
    });
    found.map_err(|error| error.to_string())
}

/// Operations a second of products of two tiles, all threads together.
fn ceiling(points: &Points<'_>, kernel: Kernel) -> f64 {
    let n = points.n_rows();
    let side = TILE.min(n / 2).max(1);
    let area = Area::between(0..side, n - side..n);
    let operand = pack(points, visiting_order(n), kernel, &Demand::Nearest(1), None);
    let operations = 2.0 * (side * side * points.n_columns()) as f64;
    let rates = rayon::broadcast(|_| {
        let mut room = Room::default();
        let (start, mut turns) = (Instant::now(), 0.0);
        while start.elapsed() < LONG_ENOUGH {
            operand.multiply(&area, &mut room, &mut |block| {
                std::hint::black_box(block.row(0));
            });
            turns += 1.0;
        }
        turns * operations / start.elapsed().as_secs_f64()
    });
    rates.iter().sum()
}

/// Rows with 24 strong directions, noise, and a few columns far from 0.
fn activations(n: usize, d: usize) -> Matrix {
    let mut random = SplitMix64::new(1);
    let mut normal = || {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
    };
    let rank = 24.min(d);
    let basis: Vec<f64> = (0..rank * d).map(|_| normal()).collect();
    let mut values = Vec::with_capacity(n * d);
    let mut row = vec![0.0; d];
    for _ in 0..n {
        for (j, x) in row.iter_mut().enumerate() {
            *x = 0.3 * normal() + if j % 97 == 0 { 20.0 } else { 0.0 };
        }
        for (r, direction) in basis.chunks(d.max(1)).enumerate() {
            let weight = normal() / (1.0 + r as f64).sqrt();
            row.iter_mut()
                .zip(direction)
                .for_each(|(x, b)| *x += weight * b);
        }
        #[allow(clippy::cast_possible_truncation)]
        values.extend(row.iter().map(|&x| x as f32));
    }
    Matrix::from_f32(n, d, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_of_the_machine_is_timed() {
        let speed = measure_speed([300, 16], 5, 1, true).unwrap();
        assert!(!speed.chosen.is_coarse(), "small layers need no other");
        assert_eq!(speed.kernels[0].kernel, Kernel::Portable);
        for found in &speed.kernels {
            assert!(found.ceiling > 0.0 && found.seconds > 0.0 && found.share > 0.0);
            let parts = found.parts.unwrap();
            assert!(parts.packing > 0.0 && parts.lists > 0.0 && parts.verdicts > 0.0);
        }
    }
}
