//! Bounds what rounding to the stored type may have left where zero belongs.

use crate::input::{Matrix, Values};

/// How far a stored value may lie from what was stored.
///
/// |stored − true| ≤ `unit`·|true| + `smallest`, by IEEE 754: half a unit in the last place, and
/// half the smallest subnormal number where values underflow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// u: 2⁻¹¹ of f16, 2⁻⁸ of bf16, 2⁻²⁴ of f32, 2⁻⁵³ of f64, plus 2⁻⁵³ of our own arithmetic.
    pub unit: f64,
    /// The error of values that underflow.
    pub smallest: f64,
}

impl Rounding {
    /// The rounding of the type that `data` is stored in.
    pub fn of(data: &Matrix) -> Self {
        let (digits, underflow) = match data.values() {
            Values::F16(_) => (11, 25),
            Values::Bf16(_) => (8, 134),
            Values::F32(_) => (24, 150),
            Values::F64(_) => (53, 1022),
        };
        Self {
            unit: libm::ldexp(1.0, -digits) + f64::EPSILON / 2.0,
            smallest: libm::ldexp(1.0, -underflow),
        }
    }

    /// The largest error of a vector of `length` values and Euclidean norm `norm`.
    pub fn of_norm(self, norm: f64, length: usize) -> f64 {
        self.unit * norm + self.smallest * (length as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    #[test]
    fn no_stored_value_errs_by_more_than_its_bound() {
        let values: Vec<f64> = (1..2000).map(|i| 1.0 / f64::from(i).powi(2)).collect();
        let n = values.len();
        let half = Matrix::from_f16(
            1,
            n,
            values.iter().map(|&x| f16::from_f64(x)).collect::<Vec<_>>(),
        );
        let brain = Matrix::from_bf16(
            1,
            n,
            values
                .iter()
                .map(|&x| bf16::from_f64(x))
                .collect::<Vec<_>>(),
        );
        let single = Matrix::from_f32(1, n, values.iter().map(|&x| x as f32).collect::<Vec<_>>());
        for matrix in [half, brain, single] {
            let rounding = Rounding::of(&matrix);
            let mut row = vec![0.0; n];
            matrix.widen_row(0, &mut row);
            let within = |(x, y): (&f64, &f64)| (x - y).abs() <= rounding.of_norm(x.abs(), 1);
            assert!(values.iter().zip(&row).all(within), "{matrix:?}");
        }
    }
}
