//! Rounding rows to f32.

use super::frame::square;
use super::packed::EPSILON;

/// Rounds a row to f32; returns its squared norm, what rounding moved it by, squared, and 0.
#[inline(always)]
pub(super) fn round(row: &mut [f64], words: &mut [u32]) -> [f64; 3] {
    for (word, &w) in words.iter_mut().zip(&*row) {
        #[allow(clippy::cast_possible_truncation)]
        let rounded = w as f32;
        *word = rounded.to_bits();
    }
    let norm = square(&words[..row.len()], |word| f64::from(f32::from_bits(word)));
    [norm, residue(norm), 0.0]
}

/// Each value is off by at most ε of itself; what underflows is paid for by the bound.
#[inline(always)]
fn residue(norm: f64) -> f64 {
    let copy = EPSILON * (1.0 + 1e-6);
    copy * copy * norm
}
