//! e^x for slices of f32, eight or sixteen at a time where the processor can.

use crate::vectors::vectorised;

/// Below this e^x is no normal number any more; it counts as 0.
const LOWEST: f32 = -87.0;

/// Above this x counts as this, so that e^x stays finite.
const HIGHEST: f32 = 88.0;

/// 1.5 · 2²³: added to a small number, it leaves its nearest integer in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts, the first with few enough bits that k times it is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Replaces every x by e^x, within 2e-7 of its value.
///
/// x = k ln 2 + r with |r| ≤ ½ ln 2, and e^r by the polynomial of Cephes' `expf`. The lanes do not
/// depend on each other and nothing is contracted, so their number changes no bit.
pub(super) fn exp_f32(values: &mut [f32]) {
    vectorised(
        pulp::Arch::new(),
        #[inline(always)]
        || {
            for x in values.iter_mut() {
                *x = exp(*x);
            }
        },
    );
}

#[inline(always)]
fn exp(x: f32) -> f32 {
    // Comparisons, not min and max, which would turn NaN into a number.
    let inside = if x < LOWEST { LOWEST } else { x };
    let inside = if inside > HIGHEST { HIGHEST } else { inside };
    let shifted = inside * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (inside - k * LN_2[0]) - k * LN_2[1];
    let mut p = 1.987_569_1e-4;
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + coefficient;
    }
    let power = (p * (r * r) + r) + 1.0;
    // k stands in the lowest bits; in the exponent's place it multiplies by 2^k.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    if x < LOWEST { 0.0 } else { power * scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_to_two_units_in_the_last_place() {
        let mut worst = 0.0f64;
        for i in -869_000..=879_000 {
            #[allow(clippy::cast_precision_loss)]
            let x = i as f32 / 10_000.0;
            let wanted = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / wanted - 1.0).abs());
        }
        assert!(worst < 2e-7, "{worst}");
    }

    #[test]
    fn ends_are_zero_and_finite_and_one_is_exact() {
        let mut values = [f32::NEG_INFINITY, -1e30, -88.0, 0.0, 1e30, f32::INFINITY];
        exp_f32(&mut values);
        assert_eq!(values[..4], [0.0, 0.0, 0.0, 1.0]);
        assert!(values[4] > 1e38 && values[5].is_finite());
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn a_slice_is_its_elements() {
        let values: Vec<f32> = (0..101).map(|i| -5.0 + 0.13 * i as f32).collect();
        let mut all = values.clone();
        exp_f32(&mut all);
        let each: Vec<f32> = values.into_iter().map(exp).collect();
        assert_eq!(all, each);
    }
}
