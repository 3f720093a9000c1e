//! The verdict: the one definition of how far two rows are apart.

/// Squared Euclidean distance, D² = Σ_j (x_j − y_j)², in f64 and in one fixed order.
///
/// Eight lanes s_m collect the terms with j ≡ m (mod 8), j ascending; then
///
/// ```text
/// D² = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
/// ```
///
/// Every product is rounded before it is added (no fused multiply-add), so the result is the
/// same f64 on every machine, and D²(x, y) = D²(y, x) bit for bit.
///
/// Always inlined, so that a caller compiled for wider vectors gets them; lanes are independent
/// and nothing is contracted, so the width changes no bit.
#[inline(always)]
pub fn squared_distance<Y: Copy + Into<f64>>(x: &[f64], y: &[Y]) -> f64 {
    debug_assert_eq!(x.len(), y.len());
    let mut lanes = [0.0f64; 8];
    let (x_blocks, x_tail) = x.as_chunks::<8>();
    let (y_blocks, y_tail) = y.as_chunks::<8>();
    for (xs, ys) in x_blocks.iter().zip(y_blocks) {
        add_squares(&mut lanes, xs, ys);
    }
    for (m, (&x, &y)) in x_tail.iter().zip(y_tail).enumerate() {
        let t = x - y.into();
        lanes[m] += t * t;
    }
    fold(lanes)
}

/// Adds the squared differences of eight columns, each to its lane.
///
/// Step by step for all eight, so that each step becomes one instruction.
#[inline(always)]
fn add_squares<Y: Copy + Into<f64>>(lanes: &mut [f64; 8], xs: &[f64; 8], ys: &[Y; 8]) {
    let mut t = [0.0f64; 8];
    for m in 0..8 {
        t[m] = ys[m].into();
    }
    for m in 0..8 {
        t[m] = xs[m] - t[m];
    }
    for t in &mut t {
        *t *= *t;
    }
    for m in 0..8 {
        lanes[m] += t[m];
    }
}

/// [`squared_distance`] from one row to several, bit for bit.
///
/// Each sum is a chain of dependent additions; four chains at once keep the processor busy.
#[inline(always)]
pub(crate) fn squared_distances<Y: Copy + Into<f64>, const R: usize>(
    x: &[f64],
    ys: [&[Y]; R],
) -> [f64; R] {
    let mut lanes = [[0.0f64; 8]; R];
    let (x_blocks, x_tail) = x.as_chunks::<8>();
    let mut blocks = [&[][..]; R];
    for (blocks, y) in blocks.iter_mut().zip(ys) {
        *blocks = &y.as_chunks::<8>().0[..x_blocks.len()];
    }
    for (at, xs) in x_blocks.iter().enumerate() {
        for r in 0..R {
            add_squares(&mut lanes[r], xs, &blocks[r][at]);
        }
    }
    for (lanes, y) in lanes.iter_mut().zip(ys) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x_tail).zip(y.as_chunks::<8>().1) {
            let t = x - y.into();
            *lane += t * t;
        }
    }
    lanes.map(fold)
}

/// Squared norm Σ_j x_j², summed in the order of [`squared_distance`].
pub fn squared_norm(x: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    for block in x.chunks(8) {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += x * x;
        }
    }
    fold(lanes)
}

#[inline(always)]
fn fold(s: [f64; 8]) -> f64 {
    ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use crate::vectors::vectorised;

    /// The order written out term by term.
    fn plain(x: &[f64], y: &[f64]) -> f64 {
        let mut s = [0.0; 8];
        for j in 0..x.len() {
            let t = x[j] - y[j];
            let square = t * t;
            s[j % 8] += square;
        }
        ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
    }

    #[test]
    fn the_order_of_summation_is_frozen() {
        let mut random = SplitMix64::new(3);
        for n in [0, 1, 7, 8, 9, 64, 100, 771] {
            let x: Vec<f64> = (0..n).map(|_| random.uniform() * 1e3).collect();
            let y: Vec<f64> = (0..n).map(|_| random.uniform() - 0.5).collect();
            assert_eq!(squared_distance(&x, &y).to_bits(), plain(&x, &y).to_bits());
            assert_eq!(squared_distance(&y, &x).to_bits(), plain(&x, &y).to_bits());
            let zero = vec![0.0; n];
            assert_eq!(squared_norm(&x).to_bits(), plain(&x, &zero).to_bits());
        }
    }

    #[test]
    fn wider_vectors_change_no_bit() {
        let mut random = SplitMix64::new(4);
        let x: Vec<f64> = (0..1001).map(|_| random.uniform() * 1e3).collect();
        let y: Vec<f32> = x.iter().map(|&x| (x - random.uniform()) as f32).collect();
        let wide: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
        let widest = vectorised(
            pulp::Arch::new(),
            #[inline(always)]
            || squared_distance(&x, &y),
        );
        assert_eq!(widest.to_bits(), plain(&x, &wide).to_bits());
        let shifted: Vec<f32> = y.iter().map(|y| y + 1.0).collect();
        let [same, other] = vectorised(
            pulp::Arch::new(),
            #[inline(always)]
            || squared_distances(&x, [&y, &shifted]),
        );
        assert_eq!(same.to_bits(), widest.to_bits());
        assert_eq!(other.to_bits(), squared_distance(&x, &shifted).to_bits());
    }

    #[test]
    fn a_test_vector_holds_its_bits() {
        let x: Vec<f64> = (0..11).map(|j| 1.0 / f64::from(j + 1)).collect();
        let y: Vec<f64> = (0..11).map(|j| f64::from(j) / 7.0).collect();
        assert_eq!(squared_distance(&x, &y).to_bits(), 0x401c_8a62_2456_52f7);
    }
}
