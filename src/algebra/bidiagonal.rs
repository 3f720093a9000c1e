//! Turns a square matrix into one with two diagonals.

use ndarray::Array2;
use pulp::Arch;
use rayon::prelude::*;

use super::reflect::{Reflections, add_multiple, dot, in_blocks, reflection};
use crate::vectors::vectorised;

/// Rows whose sums are folded together; fixed, so that results do not depend on threads.
const CHUNK: usize = 64;

/// Entries that are worth a second thread.
const LARGE: usize = 1 << 15;

/// A = U B Vᵀ, B upper bidiagonal.
pub(super) struct Bidiagonal {
    /// B_kk.
    pub diagonal: Vec<f64>,
    /// B_k,k+1, and a last 0.
    pub above: Vec<f64>,
    left: Vec<(Vec<f64>, f64)>,
    right: Vec<(Vec<f64>, f64)>,
}

impl Bidiagonal {
    /// That of `a`, n × n; with the reflections only where `keep` is set.
    pub fn new(mut a: Array2<f64>, keep: bool) -> Self {
        let n = a.nrows();
        let arch = Arch::new();
        let mut found = Self {
            diagonal: Vec::with_capacity(n),
            above: Vec::with_capacity(n),
            left: Vec::new(),
            right: Vec::new(),
        };
        let Some(values) = a.as_slice_mut() else {
            return found;
        };
        for k in 0..n {
            let mut u: Vec<f64> = (k..n).map(|i| values[i * n + k]).collect();
            let (beta, tau) = reflection(&mut u);
            found.diagonal.push(beta);
            // The rows from k on, from column k + 1 on.
            let rest = &mut values[k * n..];
            let width = n - k - 1;
            let parallel = width * width > LARGE;
            let w = weighted_sum(arch, rest, n, k + 1, &u, tau, parallel);
            let (first, rows) = rest.split_at_mut(n);
            let first = &mut first[k + 1..];
            add_multiple(first, -1.0, &w);
            let mut v = first.to_vec();
            let (beta, tau_right) = reflection(&mut v);
            found.above.push(beta);
            let update = |(row, u): (&mut [f64], &f64)| {
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        let row = &mut row[k + 1..];
                        add_multiple(row, -u, &w);
                        let share = tau_right * dot(row, &v);
                        add_multiple(row, -share, &v);
                    },
                );
            };
            if parallel {
                let rows = rows.par_chunks_exact_mut(n).zip(&u[1..]);
                rows.with_min_len(CHUNK / 4).for_each(update);
            } else {
                rows.chunks_exact_mut(n).zip(&u[1..]).for_each(update);
            }
            if keep {
                found.left.push((u, tau));
                if width > 0 {
                    found.right.push((v, tau_right));
                }
            }
        }
        found
    }

    /// U as reflections.
    pub fn left(&self) -> Vec<Reflections> {
        in_blocks(0, self.diagonal.len(), &self.left)
    }

    /// V as reflections.
    pub fn right(&self) -> Vec<Reflections> {
        in_blocks(1, self.diagonal.len(), &self.right)
    }
}

/// factor·Σ_i u_i row_i, of rows `n` apart from column `from` on.
fn weighted_sum(
    arch: Arch,
    rows: &[f64],
    n: usize,
    from: usize,
    u: &[f64],
    factor: f64,
    parallel: bool,
) -> Vec<f64> {
    let part = |(rows, u): (&[f64], &[f64])| {
        let mut sum = vec![0.0; n - from];
        vectorised(
            arch,
            #[inline(always)]
            || {
                for (row, &u) in rows.chunks_exact(n).zip(u) {
                    add_multiple(&mut sum, u, &row[from..]);
                }
            },
        );
        sum
    };
    let parts: Vec<Vec<f64>> = if parallel {
        let chunks = rows.par_chunks(CHUNK * n).zip(u.par_chunks(CHUNK));
        chunks.map(part).collect()
    } else {
        rows.chunks(CHUNK * n)
            .zip(u.chunks(CHUNK))
            .map(part)
            .collect()
    };
    let mut total = vec![0.0; n - from];
    for part in &parts {
        add_multiple(&mut total, 1.0, part);
    }
    total.iter_mut().for_each(|x| *x *= factor);
    total
}
