//! Rounding rows to bf16, and measuring what that costs.
//!
//! A row is stored as pairs of values, the first in the lower half of each word; an odd last value
//! stands beside a 0.

use super::frame::square;

/// Rounds w to û; returns ‖û‖², what ‖w − û‖² certainly does not exceed, and 0.
#[inline(always)]
pub(in crate::neighbours) fn round(row: &mut [f64], pairs: &mut [u32]) -> [f64; 3] {
    let norm = take(row, pairs);
    [norm, moved_by(square(row, |x| x), norm), 0.0]
}

/// Splits w into two such parts and a rest; returns the squared norm of the parts' sum, what the
/// rest's certainly does not exceed, and what that of the second part does not.
#[inline(always)]
pub(in crate::neighbours) fn split(row: &mut [f64], high: &mut [u32], low: &mut [u32]) -> [f64; 3] {
    let mut sum = row.to_vec();
    take(row, high);
    let lesser = take(row, low) * (1.0 + 1e-6);
    // What was taken off w; that each difference may be off by an ulp, the bound's spare steps pay.
    for (w, rest) in sum.iter_mut().zip(&*row) {
        *w -= rest;
    }
    let norm = square(&sum, |x| x);
    [norm, moved_by(square(row, |x| x), norm), lesser]
}

/// Rounds w to û and leaves w − û, which f64 holds exactly; returns ‖û‖².
#[inline(always)]
fn take(row: &mut [f64], pairs: &mut [u32]) -> f64 {
    let halves: &mut [u16] = bytemuck::cast_slice_mut(pairs);
    for (half, &w) in halves.iter_mut().zip(&*row) {
        *half = bf16(w);
    }
    let halves = &halves[..row.len()];
    let norm = square(halves, widen);
    for (w, &half) in row.iter_mut().zip(halves) {
        *w -= widen(half);
    }
    norm
}

/// What the squared norm of a rest certainly is not above, if it was added up to `rest` and belongs
/// to a rounded row of squared norm `norm`: w itself was rounded, and so is the sum.
#[inline(always)]
pub(in crate::neighbours) fn moved_by(rest: f64, norm: f64) -> f64 {
    let exact = rest.sqrt() * (1.0 + 1e-6) + norm.sqrt() * 2f64.powi(-51);
    exact * exact
}

/// The upper half of the f32 nearest to `x`, rounded once more; 0 for what would be subnormal.
#[inline(always)]
pub(super) fn bf16(x: f64) -> u16 {
    #[allow(clippy::cast_possible_truncation)]
    let bits = (x as f32).to_bits();
    // Halfway cases go to the even neighbour.
    let rounded = bits + 0x7fff + ((bits >> 16) & 1);
    let subnormal = rounded & 0x7f80_0000 == 0;
    #[allow(clippy::cast_possible_truncation)]
    let half = (rounded >> 16) as u16;
    if subnormal { 0 } else { half }
}

#[inline(always)]
pub(in crate::neighbours) fn widen(half: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(half) << 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::tests::gaussian;

    #[test]
    fn rounding_is_to_the_nearest_and_to_even() {
        for x in [
            0.0,
            1.0,
            -1.0,
            0.3,
            1.0 + 1.0 / 256.0,
            1.0 + 3.0 / 256.0,
            1e-30,
            -0.999,
        ] {
            let expected = half::bf16::from_f32(x as f32);
            assert_eq!(bf16(x), expected.to_bits(), "{x}");
        }
        assert_eq!(bf16(1e-39), 0);
        assert_eq!(bf16(-1e-39), 0);
    }

    #[test]
    fn two_parts_miss_a_row_by_little_and_say_by_how_much() {
        let matrix = gaussian(20, 65, 3);
        let mut row = vec![0.0; 65];
        for i in 0..20 {
            matrix.widen_row(i, &mut row);
            // A value without a second part, and one too small for any.
            (row[0], row[1]) = (0.5, 1e-39);
            let (mut high, mut low, mut rest) = ([0u32; 33], [0u32; 33], row.clone());
            let [norm, residue, lesser] = split(&mut rest, &mut high, &mut low);
            let part = |words: &[u32; 33], k: usize| {
                let half = words[k / 2] >> (16 * (k % 2));
                widen((half & 0xffff) as u16)
            };
            let of = |value: &dyn Fn(usize) -> f64| (0..65).map(|k| value(k).powi(2)).sum::<f64>();
            let exact = of(&|k| part(&high, k) + part(&low, k));
            assert!((norm - exact).abs() <= 1e-13 * exact, "{norm} {exact}");
            let moved = of(&|k| row[k] - part(&high, k) - part(&low, k));
            assert!(
                moved <= residue && residue < 1e-4 * lesser,
                "{moved} {residue}"
            );
            let missing = of(&|k| part(&low, k));
            assert!(missing <= lesser && lesser <= missing * 1.000_001_1);
            // What the roundings of `amx` suppose.
            assert!((0..65).all(|k| part(&low, k).abs() <= part(&high, k).abs() / 256.0));
            assert!(residue.sqrt() < 1e-5 * norm.sqrt() && lesser.sqrt() < 0.002 * norm.sqrt());
        }
    }
}
