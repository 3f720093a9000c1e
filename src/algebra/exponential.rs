//! e^x for slices, as many numbers at a time as the processor can.

use crate::vectors::vectorised;

/// One function that replaces every x of a slice by e^x, and that of one x.
///
/// x = k ln 2 + r with |r| ≤ ½ ln 2, e^r by a polynomial. The lanes do not depend on each other and
/// nothing is contracted, so their number changes no bit.
macro_rules! exponential {
    (
        $(#[$words:meta])* $slice:ident, $one:ident, $type:ident, $bits:ident,
        mantissa: $mantissa:literal, bias: $bias:literal, within: [$lowest:literal, $highest:literal],
        round: $round:literal, ln_2: [$large:literal, $small:literal],
        coefficients: $coefficients:expr,
    ) => {
        $(#[$words])*
        pub fn $slice(values: &mut [$type]) {
            vectorised(
                pulp::Arch::new(),
                #[inline(always)]
                || {
                    for x in values.iter_mut() {
                        *x = $one(*x);
                    }
                },
            );
        }

        #[inline(always)]
        fn $one(x: $type) -> $type {
            // Comparisons, not min and max, which would turn NaN into a number.
            let inside = if x < $lowest { $lowest } else { x };
            let inside = if inside > $highest { $highest } else { inside };
            // Added to a small number, it leaves its nearest integer in the lowest bits.
            let shifted = inside * std::$type::consts::LOG2_E + $round;
            let k = shifted - $round;
            // ln 2 in two parts, the first with few enough bits that k times it is exact.
            let r = (inside - k * $large) - k * $small;
            let (first, others) = $coefficients.split_first().expect("there are some");
            let mut p = *first;
            for coefficient in others {
                p = p * r + coefficient;
            }
            let power = (p * (r * r) + r) + 1.0;
            // k stands in the lowest bits; in the exponent's place it multiplies by 2^k.
            let scale = shifted.to_bits() << $mantissa;
            let scale = $type::from_bits(scale.wrapping_add($bias << $mantissa));
            // Below that e^x is no normal number any more.
            if x < $lowest { 0.0 } else { power * scale }
        }
    };
}

exponential! {
    /// Replaces every x by e^x, within 2e-7 of its value; 0 below −87, and above 88 what it is there.
    ///
    /// The polynomial is that of Cephes' `expf`.
    exp_f32, one_f32, f32, u32,
    mantissa: 23, bias: 127, within: [-87.0, 88.0],
    round: 12_582_912.0, ln_2: [0.693_359_4, -2.121_944_4e-4],
    coefficients: [
        1.987_569_1e-4_f32, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5,
    ],
}

exponential! {
    /// Replaces every x by e^x, within 3e-16 of its value; 0 below −708, and above 709 what it is there.
    ///
    /// The polynomial is Taylor's of degree 13, whose rest is below 5e-18.
    exp_f64, one_f64, f64, u64,
    mantissa: 52, bias: 1023, within: [-708.0, 709.0],
    round: 6_755_399_441_055_744.0, ln_2: [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10],
    coefficients: TAYLOR,
}

/// 1/k! for k from 13 down to 2.
const TAYLOR: [f64; 12] = {
    let mut all = [1.0; 12];
    let (mut at, mut factorial) = (all.len(), 1.0);
    while at > 0 {
        at -= 1;
        factorial *= (13 - at) as f64;
        all[at] = 1.0 / factorial;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_to_two_units_in_the_last_place() {
        let mut worst = [0.0f64; 2];
        for i in -869_000..=879_000 {
            #[allow(clippy::cast_precision_loss)]
            let x = i as f32 / 10_000.0;
            let wanted = f64::from(x).exp();
            worst[0] = worst[0].max((f64::from(one_f32(x)) / wanted - 1.0).abs());
            // Up to ±703 in the wider type.
            let x = 8.0 * f64::from(x);
            worst[1] = worst[1].max((one_f64(x) / libm::exp(x) - 1.0).abs());
        }
        assert!(worst[0] < 2e-7 && worst[1] < 3e-16, "{worst:?}");
    }

    #[test]
    fn ends_are_zero_and_finite_and_one_is_exact() {
        let mut values = [f32::NEG_INFINITY, -1e30, -88.0, 0.0, 1e30, f32::INFINITY];
        exp_f32(&mut values);
        assert_eq!(values[..4], [0.0, 0.0, 0.0, 1.0]);
        assert!(values[4] > 1e38 && values[5].is_finite());
        assert!(one_f32(f32::NAN).is_nan());
        let mut values = [f64::NEG_INFINITY, -1e300, -709.0, 0.0, 1e300, f64::INFINITY];
        exp_f64(&mut values);
        assert_eq!(values[..4], [0.0, 0.0, 0.0, 1.0]);
        assert!(values[4] > 1e307 && values[5].is_finite());
        assert!(one_f64(f64::NAN).is_nan());
    }

    #[test]
    fn a_slice_is_its_elements() {
        let values: Vec<f32> = (0..101).map(|i| -5.0 + 0.13 * i as f32).collect();
        let mut all = values.clone();
        exp_f32(&mut all);
        let each: Vec<f32> = values.iter().map(|&x| one_f32(x)).collect();
        assert_eq!(all, each);
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let mut all = values.clone();
        exp_f64(&mut all);
        let each: Vec<f64> = values.into_iter().map(one_f64).collect();
        assert_eq!(all, each);
    }
}
