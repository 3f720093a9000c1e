//! Singular values and vectors: reflections to two diagonals, then the implicit QR algorithm.
//!
//! Golub and Reinsch, Numer. Math. 14, 403 (1970), in the order of LINPACK's dsvdc.

use ndarray::{Array2, ArrayView2, s};

use super::bidiagonal::Bidiagonal;
use super::qr::Qr;
use super::reflect::Reflections;
use super::rotate::Rows;
use super::within_pool;

/// Steps that one singular value may take.
const MAX_STEPS: usize = 100;

/// X = U Σ Vᵀ with r = min(m, n) columns.
pub struct Svd {
    /// m × r, orthonormal columns.
    pub left: Array2<f64>,
    /// σ_1 ≥ … ≥ σ_r ≥ 0.
    pub values: Vec<f64>,
    /// n × r, orthonormal columns.
    pub right: Array2<f64>,
}

/// The singular values of `x`, in descending order; `None` where the iteration does not end.
pub fn singular_values(x: ArrayView2<'_, f64>) -> Option<Vec<f64>> {
    if x.nrows() < x.ncols() {
        return singular_values(x.reversed_axes());
    }
    if !x.iter().all(|x| x.is_finite()) {
        return None;
    }
    within_pool(|| values(x))
}

fn values(x: ArrayView2<'_, f64>) -> Option<Vec<f64>> {
    let square = match x.is_square() {
        true => x.as_standard_layout().into_owned(),
        false => Qr::new(x.to_owned()).r().to_owned(),
    };
    let mut found = Bidiagonal::new(square, false);
    diagonalise(
        &mut found.diagonal,
        &mut found.above,
        &mut |_, _, _, _, _| {},
    )?;
    let mut values: Vec<f64> = found.diagonal.iter().map(|x| x.abs()).collect();
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    Some(values)
}

/// The thin decomposition of `x`; `None` where the iteration does not end.
pub fn thin_svd(x: ArrayView2<'_, f64>) -> Option<Svd> {
    if x.nrows() < x.ncols() {
        let Svd {
            left,
            values,
            right,
        } = thin_svd(x.reversed_axes())?;
        return Some(Svd {
            left: right,
            values,
            right: left,
        });
    }
    if !x.iter().all(|x| x.is_finite()) {
        return None;
    }
    within_pool(|| decompose(x))
}

fn decompose(x: ArrayView2<'_, f64>) -> Option<Svd> {
    let (m, n) = x.dim();
    if m == n {
        return square(x.as_standard_layout().into_owned());
    }
    let qr = Qr::new(x.to_owned());
    let inner = square(qr.r().to_owned())?;
    let mut left = Array2::zeros((m, n));
    left.slice_mut(s![..n, ..]).assign(&inner.left);
    Some(Svd {
        left: qr.times(left),
        ..inner
    })
}

fn square(x: Array2<f64>) -> Option<Svd> {
    let n = x.nrows();
    let mut found = Bidiagonal::new(x, true);
    let vectors = |blocks: Vec<Reflections>| {
        let mut matrix = Array2::eye(n);
        for block in blocks.iter().rev() {
            block.apply(matrix.view_mut(), false);
        }
        matrix
    };
    let (left, right) = (vectors(found.left()), vectors(found.right()));
    let (mut left, mut right) = (Rows::new(left.t()), Rows::new(right.t()));
    diagonalise(
        &mut found.diagonal,
        &mut found.above,
        &mut |side, a, b, c, s| match side {
            Side::Left => left.rotate(a, b, c, s),
            Side::Right => right.rotate(a, b, c, s),
        },
    )?;
    let signed = &found.diagonal;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| signed[b].abs().total_cmp(&signed[a].abs()));
    let with_sign = |sign: fn(f64) -> f64| -> Vec<(usize, f64)> {
        order.iter().map(|&at| (at, sign(signed[at]))).collect()
    };
    let turned = |x: f64| if x < 0.0 { -1.0 } else { 1.0 };
    Some(Svd {
        left: left.into_matrix(&with_sign(|_| 1.0)).reversed_axes(),
        values: order.iter().map(|&at| signed[at].abs()).collect(),
        right: right.into_matrix(&with_sign(turned)).reversed_axes(),
    })
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// c, s and r with c·f + s·g = r, c·g − s·f = 0.
fn rotation(f: f64, g: f64) -> [f64; 3] {
    let r = libm::hypot(f, g);
    if r > 0.0 {
        [f / r, g / r, r]
    } else {
        [1.0, 0.0, 0.0]
    }
}

/// Turns the bidiagonal matrix of `d` and `e` into a diagonal one, signs included; every rotation of
/// rows a and b of Uᵀ or Vᵀ is told to `rotate`.
fn diagonalise(
    d: &mut [f64],
    e: &mut [f64],
    rotate: &mut dyn FnMut(Side, usize, usize, f64, f64),
) -> Option<()> {
    let largest = d
        .iter()
        .chain(e.iter())
        .fold(0.0f64, |most, x| most.max(x.abs()));
    // Smaller numbers change nothing, not even in products with the largest.
    let tiny = largest * f64::EPSILON * f64::EPSILON;
    let mut p = d.len();
    let mut steps = 0;
    while p > 1 {
        if steps > MAX_STEPS {
            return None;
        }
        // Where the last block without a zero above the diagonal begins.
        let mut k = p - 1;
        while k > 0 {
            if e[k - 1].abs() <= tiny + f64::EPSILON * (d[k - 1].abs() + d[k].abs()) {
                e[k - 1] = 0.0;
                break;
            }
            k -= 1;
        }
        if k == p - 1 {
            p -= 1;
            steps = 0;
            continue;
        }
        let zero = (k..p).rev().find(|&at| {
            let above = if at + 1 < p { e[at].abs() } else { 0.0 };
            let before = if at > k { e[at - 1].abs() } else { 0.0 };
            d[at].abs() <= tiny + f64::EPSILON * (above + before)
        });
        match zero {
            Some(at) if at == p - 1 => {
                // A zero in the last place: its column is turned into the others.
                d[at] = 0.0;
                let mut f = std::mem::take(&mut e[at - 1]);
                for j in (k..at).rev() {
                    let [c, s, r] = rotation(d[j], f);
                    d[j] = r;
                    if j > k {
                        f = -s * e[j - 1];
                        e[j - 1] *= c;
                    }
                    rotate(Side::Right, j, at, c, s);
                }
            }
            Some(at) => {
                // A zero within: its row is turned into those below.
                d[at] = 0.0;
                let mut f = std::mem::take(&mut e[at]);
                for j in at + 1..p {
                    let [c, s, r] = rotation(d[j], f);
                    d[j] = r;
                    f = -s * e[j];
                    e[j] *= c;
                    rotate(Side::Left, j, at, c, s);
                }
            }
            None => {
                step(d, e, k, p, rotate);
                steps += 1;
            }
        }
    }
    Some(())
}

/// One implicit QR step on the block from `k` to `p`.
fn step(
    d: &mut [f64],
    e: &mut [f64],
    k: usize,
    p: usize,
    rotate: &mut dyn FnMut(Side, usize, usize, f64, f64),
) {
    let sizes = [d[p - 1], d[p - 2], e[p - 2], d[k], e[k]];
    let scale = sizes.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let [last, before, above, first, next] = sizes.map(|x| x / scale);
    let b = ((before + last) * (before - last) + above * above) / 2.0;
    let c = (last * above) * (last * above);
    let mut shift = 0.0;
    if b.abs() > 0.0 || c > 0.0 {
        let root = (b * b + c).sqrt();
        shift = c / (b + if b < 0.0 { -root } else { root });
    }
    let mut f = (first + last) * (first - last) + shift;
    let mut g = first * next;
    for j in k..p - 1 {
        let [c, s, r] = rotation(f, g);
        if j > k {
            e[j - 1] = r;
        }
        f = c * d[j] + s * e[j];
        e[j] = c * e[j] - s * d[j];
        g = s * d[j + 1];
        d[j + 1] *= c;
        rotate(Side::Right, j, j + 1, c, s);
        let [c, s, r] = rotation(f, g);
        d[j] = r;
        f = c * e[j] + s * d[j + 1];
        d[j + 1] = c * d[j + 1] - s * e[j];
        g = s * e[j + 1];
        e[j + 1] *= c;
        rotate(Side::Left, j, j + 1, c, s);
    }
    e[p - 2] = f;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::product;
    use crate::random::SplitMix64;

    fn random(m: usize, n: usize, seed: u64) -> Array2<f64> {
        let mut random = SplitMix64::new(seed);
        Array2::from_shape_simple_fn((m, n), || random.uniform() - 0.5)
    }

    fn close(a: &Array2<f64>, b: &Array2<f64>, tolerance: f64) -> bool {
        a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance)
    }

    /// Matrices that make trouble: rank-deficient, equal columns, zeros, graded, one row.
    fn matrices() -> Vec<Array2<f64>> {
        let mut all = vec![
            random(1, 1, 1),
            random(5, 3, 2),
            random(3, 50, 3),
            random(130, 100, 4),
            random(100, 100, 5),
            Array2::zeros((7, 4)),
            Array2::eye(40),
            Array2::ones((30, 20)),
            product(random(90, 4, 6).view(), random(4, 80, 7).view()),
        ];
        let mut graded = random(60, 60, 8);
        for (at, mut column) in graded.columns_mut().into_iter().enumerate() {
            let size = libm::exp2(-(at as f64));
            column.mapv_inplace(|x| x * size);
        }
        all.push(graded);
        let mut bidiagonal = Array2::zeros((30, 30));
        for i in 0..29 {
            bidiagonal[(i, i + 1)] = 1.0 + i as f64;
            bidiagonal[(i, i)] = if i % 7 == 3 { 0.0 } else { 2.0 };
        }
        all.push(bidiagonal);
        all
    }

    #[test]
    fn the_parts_are_orthonormal_and_make_the_whole() {
        for x in matrices() {
            for scale in [1.0, 1e-120, 1e120] {
                let x = x.mapv(|x| scale * x);
                let found = thin_svd(x.view()).unwrap();
                let r = x.nrows().min(x.ncols());
                let eye = Array2::eye(r);
                let largest = found.values.first().copied().unwrap_or(0.0);
                assert!(close(
                    &product(found.left.t(), found.left.view()),
                    &eye,
                    1e-12
                ));
                assert!(close(
                    &product(found.right.t(), found.right.view()),
                    &eye,
                    1e-12
                ));
                let mut scaled = found.left.clone();
                for (mut column, value) in scaled.columns_mut().into_iter().zip(&found.values) {
                    column.mapv_inplace(|x| x * value);
                }
                let back = product(scaled.view(), found.right.t());
                assert!(close(&back, &x, 1e-12 * largest + 1e-300), "{:?}", x.dim());
                assert!(found.values.is_sorted_by(|a, b| a >= b));
                let values = singular_values(x.view()).unwrap();
                let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-13 * largest;
                assert!(values.iter().zip(&found.values).all(near));
            }
        }
    }

    #[test]
    fn the_values_are_those_of_another_library() {
        for x in matrices() {
            let other = faer::Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)]);
            let other = other.singular_values().unwrap();
            let own = singular_values(x.view()).unwrap();
            assert_eq!(own.len(), other.len());
            for (a, b) in own.iter().zip(&other) {
                assert!((a - b).abs() <= 1e-13 * own[0], "{:?}: {a} {b}", x.dim());
            }
        }
        assert!(singular_values(Array2::from_elem((3, 3), f64::NAN).view()).is_none());
        assert_eq!(
            singular_values(Array2::zeros((0, 3)).view()),
            Some(Vec::new())
        );
    }
}
