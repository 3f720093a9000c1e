//! Eigenvalues and eigenvectors of symmetric matrices: reflections to three diagonals, then the
//! implicit QL algorithm.
//!
//! Bowdler, Martin, Reinsch and Wilkinson, Numer. Math. 11, 293 (1968), as in EISPACK's tql2.

use ndarray::Array2;
use pulp::Arch;
use rayon::prelude::*;

use super::reflect::{Reflections, add_multiple, dot, in_blocks, reflection};
use super::rotate::Rows;
use super::within_pool;
use crate::vectors::vectorised;

/// Steps that one eigenvalue may take.
const MAX_STEPS: usize = 100;

/// Rows whose sums are folded together; fixed, so that results do not depend on threads.
const CHUNK: usize = 64;

/// Entries that are worth a second thread.
const LARGE: usize = 1 << 15;

/// A = V Λ Vᵀ.
pub struct Eigen {
    /// λ_1 ≤ λ_2 ≤ …
    pub values: Vec<f64>,
    /// Row i is the eigenvector of the i-th eigenvalue, of length 1.
    pub vectors: Array2<f64>,
}

/// The eigenvalues of the symmetric matrix whose lower triangle `a` holds, ascending; `None` where the iteration does not end.
///
/// # Panics
/// Unless it is square.
pub fn eigenvalues(a: Array2<f64>) -> Option<Vec<f64>> {
    within_pool(|| values(a))
}

fn values(a: Array2<f64>) -> Option<Vec<f64>> {
    let mut found = Tridiagonal::new(a, false)?;
    diagonalise(&mut found.diagonal, &mut found.beside, &mut |_, _, _| {})?;
    let mut values = found.diagonal;
    values.sort_unstable_by(f64::total_cmp);
    Some(values)
}

/// The same with eigenvectors.
///
/// # Panics
/// Unless it is square.
pub fn symmetric_eigen(a: Array2<f64>) -> Option<Eigen> {
    within_pool(|| decompose(a))
}

fn decompose(a: Array2<f64>) -> Option<Eigen> {
    let n = a.nrows();
    let mut found = Tridiagonal::new(a, true)?;
    let mut vectors = Array2::eye(n);
    for block in found.reflections().iter().rev() {
        block.apply(vectors.view_mut(), false);
    }
    let mut rows = Rows::new(vectors.t());
    diagonalise(&mut found.diagonal, &mut found.beside, &mut |at, c, s| {
        rows.rotate(at + 1, at, c, s);
    })?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| found.diagonal[a].total_cmp(&found.diagonal[b]));
    Some(Eigen {
        values: order.iter().map(|&at| found.diagonal[at]).collect(),
        vectors: rows.into_matrix(&order.iter().map(|&at| (at, 1.0)).collect::<Vec<_>>()),
    })
}

/// A = Q T Qᵀ, T with three diagonals.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// T_k,k+1, and a last 0.
    beside: Vec<f64>,
    vectors: Vec<(Vec<f64>, f64)>,
}

impl Tridiagonal {
    /// Only the lower triangle of `a` is read and changed, each row in one visit a step: what the step
    /// before left to be subtracted, and its share of the next product.
    fn new(mut a: Array2<f64>, keep: bool) -> Option<Self> {
        assert!(a.is_square(), "a symmetric matrix is square");
        let n = a.nrows();
        let arch = Arch::new();
        let mut found = Self {
            diagonal: Vec::with_capacity(n),
            beside: Vec::with_capacity(n),
            vectors: Vec::new(),
        };
        let values = a.as_slice_mut()?;
        if !values.iter().all(|x| x.is_finite()) {
            return None;
        }
        // What the step before left to be subtracted, v wᵀ + w vᵀ, from row and column k on.
        let (mut v, mut w): (Vec<f64>, Vec<f64>) = (vec![0.0; n], vec![0.0; n]);
        for k in 0..n {
            let entry = |i: usize| values[(k + i) * n + k] - (v[i] * w[0] + w[i] * v[0]);
            found.diagonal.push(entry(0));
            let mut u: Vec<f64> = (1..n - k).map(entry).collect();
            let (beta, tau) = reflection(&mut u);
            found.beside.push(beta);
            let size = n - k - 1;
            let (below_v, below_w) = (&v[1..], &w[1..]);
            // The rows of a chunk, of which the first is row `start` of those that are left.
            let visit = |(chunk, rows): (usize, &mut [f64])| {
                let start = chunk * CHUNK;
                let mut sums = vec![0.0; (start + CHUNK).min(size)];
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        for (i, row) in (start..).zip(rows.chunks_exact_mut(n)) {
                            let row = &mut row[k + 1..k + 2 + i];
                            let (v, w) = (below_v[i], below_w[i]);
                            let both = below_w.iter().zip(below_v);
                            for (x, (a, b)) in row.iter_mut().zip(both) {
                                *x -= v * a + w * b;
                            }
                            let own = dot(row, &u[..=i]);
                            add_multiple(&mut sums[..i], u[i], &row[..i]);
                            sums[i] += own;
                        }
                    },
                );
                sums
            };
            let rows = &mut values[(k + 1) * n..];
            let parts: Vec<Vec<f64>> = if size * size > LARGE {
                let chunks = rows.par_chunks_mut(CHUNK * n).enumerate();
                chunks.map(visit).collect()
            } else {
                rows.chunks_mut(CHUNK * n).enumerate().map(visit).collect()
            };
            let mut next = vec![0.0; size];
            for part in &parts {
                add_multiple(&mut next[..part.len()], 1.0, part);
            }
            next.iter_mut().for_each(|x| *x *= tau);
            let share = -0.5 * tau * dot(&next, &u);
            add_multiple(&mut next, share, &u);
            if keep && size > 0 {
                found.vectors.push((u.clone(), tau));
            }
            (v, w) = (u, next);
            if size == 0 {
                break;
            }
        }
        Some(found)
    }

    fn reflections(&self) -> Vec<Reflections> {
        in_blocks(1, self.diagonal.len(), &self.vectors)
    }
}

/// Turns the tridiagonal matrix of `d` and `e` into a diagonal one; `rotate` hears of each rotation of
/// the rows at + 1 and at of Vᵀ.
fn diagonalise(
    d: &mut [f64],
    e: &mut [f64],
    rotate: &mut dyn FnMut(usize, f64, f64),
) -> Option<()> {
    let n = d.len();
    let (mut shifted, mut largest) = (0.0f64, 0.0f64);
    for l in 0..n {
        largest = largest.max(d[l].abs() + e[l].abs());
        let small = |e: &[f64], at: usize| e[at].abs() <= f64::EPSILON * largest;
        let m = (l..n).find(|&at| at == n - 1 || small(e, at)).unwrap_or(l);
        let mut steps = 0;
        while m > l && !small(e, l) {
            steps += 1;
            if steps > MAX_STEPS {
                return None;
            }
            let before = d[l];
            let p = (d[l + 1] - before) / (2.0 * e[l]);
            let r = libm::hypot(p, 1.0);
            let r = if p < 0.0 { -r } else { r };
            d[l] = e[l] / (p + r);
            d[l + 1] = e[l] * (p + r);
            let second = d[l + 1];
            let shift = before - d[l];
            d[l + 2..].iter_mut().for_each(|x| *x -= shift);
            shifted += shift;
            let mut p = d[m];
            let ([mut c, mut c2, mut c3], [mut s, mut s2]) = ([1.0, 1.0, 1.0], [0.0, 0.0]);
            let next = e[l + 1];
            for i in (l..m).rev() {
                (c3, c2, s2) = (c2, c, s);
                let (g, h) = (c * e[i], c * p);
                let r = libm::hypot(p, e[i]);
                e[i + 1] = s * r;
                [s, c] = if r > 0.0 {
                    [e[i] / r, p / r]
                } else {
                    [0.0, 1.0]
                };
                p = c * d[i] - s * g;
                d[i + 1] = h + s * (c * g + s * d[i]);
                rotate(i, c, s);
            }
            p = if second == 0.0 {
                0.0
            } else {
                -s * s2 * c3 * next * e[l] / second
            };
            e[l] = s * p;
            d[l] = c * p;
        }
        d[l] += shifted;
        e[l] = 0.0;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::product;
    use crate::random::SplitMix64;

    fn symmetric(n: usize, seed: u64) -> Array2<f64> {
        let mut random = SplitMix64::new(seed);
        let x = Array2::from_shape_simple_fn((n, n), || random.uniform() - 0.5);
        &x + &x.t()
    }

    fn matrices() -> Vec<Array2<f64>> {
        let thin = symmetric(90, 4).slice_move(ndarray::s![.., ..5]);
        vec![
            symmetric(1, 1),
            symmetric(2, 2),
            symmetric(60, 3),
            symmetric(250, 5),
            product(thin.view(), thin.t()),
            Array2::zeros((6, 6)),
            Array2::eye(33),
            Array2::ones((25, 25)),
            Array2::from_diag(&ndarray::Array1::from_iter(
                (0..20).map(|i| f64::from(i - 7)),
            )),
        ]
    }

    #[test]
    fn the_parts_are_orthonormal_and_make_the_whole() {
        for a in matrices() {
            let n = a.nrows();
            let found = symmetric_eigen(a.clone()).unwrap();
            let dots = product(found.vectors.view(), found.vectors.t());
            let close = |a: &Array2<f64>, b: &Array2<f64>| {
                a.iter()
                    .zip(b)
                    .all(|(a, b)| (a - b).abs() < 1e-12 * n as f64)
            };
            assert!(close(&dots, &Array2::eye(n)));
            let mut scaled = found.vectors.clone();
            for (mut row, value) in scaled.rows_mut().into_iter().zip(&found.values) {
                row.mapv_inplace(|x| x * value);
            }
            assert!(close(&product(found.vectors.t(), scaled.view()), &a), "{n}");
        }
    }

    #[test]
    fn the_values_are_those_of_another_library() {
        for a in matrices() {
            let n = a.nrows();
            let other = faer::Mat::from_fn(n, n, |i, j| a[(i, j)]);
            let other = other.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
            let own = eigenvalues(a.clone()).unwrap();
            let largest = own.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            assert_eq!(own.len(), n);
            for (a, b) in own.iter().zip(&other) {
                assert!((a - b).abs() <= 1e-13 * largest + 1e-300, "{n}: {a} {b}");
            }
        }
        assert!(eigenvalues(Array2::from_elem((3, 3), f64::NAN)).is_none());
        assert_eq!(eigenvalues(Array2::zeros((0, 0))), Some(Vec::new()));
    }
}
