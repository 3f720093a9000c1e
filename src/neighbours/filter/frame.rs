//! Centres and scales rows before they are rounded.

use rayon::prelude::*;

use crate::neighbours::points::Points;
use crate::vectors::vectorised;

/// The shift and the scale of a layer: w_i = (x_i − c)·2^−e.
#[derive(Clone)]
pub(in crate::neighbours) struct Frame {
    centre: Vec<f64>,
    /// 2^−e, a power of two that brings the largest |w| near 1.
    scale: f64,
}

impl Frame {
    pub(in crate::neighbours) fn of(points: &Points<'_>) -> Self {
        let centre = column_means(points);
        let scale = power_of_two_below(largest_deviation(points, &centre));
        Self { centre, scale }
    }

    /// 2^−e.
    pub(in crate::neighbours) fn scale(&self) -> f64 {
        self.scale
    }

    /// Turns a row x_i into w_i.
    #[inline(always)]
    pub(in crate::neighbours) fn place(&self, row: &mut [f64]) {
        for (x, &c) in row.iter_mut().zip(&self.centre) {
            *x = (*x - c) * self.scale;
        }
    }
}

/// Squared norm in eight lanes, for bounds only: no result depends on its order of summation.
#[inline(always)]
pub(super) fn square<T: Copy>(values: &[T], widen: impl Fn(T) -> f64) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (eights, tail) = values.as_chunks::<8>();
    for eight in eights {
        for (lane, &x) in lanes.iter_mut().zip(eight) {
            let x = widen(x);
            *lane += x * x;
        }
    }
    let rest: f64 = tail.iter().map(|&x| widen(x) * widen(x)).sum();
    lanes.iter().sum::<f64>() + rest
}

/// Column means, folded over fixed chunks of rows so that they do not depend on threads.
fn column_means(points: &Points<'_>) -> Vec<f64> {
    let (n, d) = (points.n_rows(), points.n_columns());
    let arch = pulp::Arch::new();
    let share = 1.0 / n as f64;
    let rows: Vec<usize> = (0..n).collect();
    let sums: Vec<Vec<f64>> = rows
        .par_chunks(1024)
        .map(|chunk| {
            let (mut sum, mut row) = (vec![0.0; d], vec![0.0; d]);
            for &i in chunk {
                points.row(i, &mut row);
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        for (sum, x) in sum.iter_mut().zip(&row) {
                            *sum += x * share;
                        }
                    },
                );
            }
            sum
        })
        .collect();
    let mut mean = vec![0.0; d];
    for sum in sums {
        mean.iter_mut().zip(sum).for_each(|(m, s)| *m += s);
    }
    mean
}

fn largest_deviation(points: &Points<'_>, centre: &[f64]) -> f64 {
    let arch = pulp::Arch::new();
    (0..points.n_rows())
        .into_par_iter()
        .map_init(
            || vec![0.0; centre.len()],
            |row, i| {
                points.row(i, row);
                vectorised(
                    arch,
                    #[inline(always)]
                    || widest(row, centre),
                )
            },
        )
        .reduce(|| 0.0, f64::max)
}

/// max |x − c|, eight lanes at a time.
#[inline(always)]
fn widest(row: &[f64], centre: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if a > b { a } else { b };
    let mut lanes = [0.0f64; 8];
    let (xs, x_tail) = row.as_chunks::<8>();
    let (cs, c_tail) = centre.as_chunks::<8>();
    for (x, c) in xs.iter().zip(cs) {
        for lane in 0..8 {
            lanes[lane] = larger((x[lane] - c[lane]).abs(), lanes[lane]);
        }
    }
    let tail = x_tail.iter().zip(c_tail).map(|(x, c)| (x - c).abs());
    lanes.into_iter().chain(tail).fold(0.0, larger)
}

/// The power of two that brings `x` into (1/2, 1], within what f64 can scale by.
pub(in crate::neighbours) fn power_of_two_below(x: f64) -> f64 {
    if x > 0.0 {
        libm::exp2(-libm::log2(x).ceil().clamp(-1000.0, 1000.0))
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_by_a_power_of_two_that_brings_the_largest_value_near_one() {
        for x in [1.0, 0.75, 3.0, 1e-30, 1e100, 1024.0] {
            let scaled = x * power_of_two_below(x);
            assert!((0.5..=1.0).contains(&scaled), "{x}: {scaled}");
        }
        assert_eq!(power_of_two_below(0.0), 1.0);
    }

    #[test]
    fn lanes_add_up_to_the_norm() {
        let values: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(square(&values, |x| x), 2109.0);
    }
}
