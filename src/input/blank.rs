//! Finds rows whose last or first tokens are blank, 0 or NaN in every column, as padding is.

use super::array::Array;

/// Rows that are looked at, spread over the array.
const ROWS: usize = 400;
/// Blank tokens are padding where at least one row in `SHARE`, and `LEAST` rows, have one.
const SHARE: usize = 20;
const LEAST: usize = 2;

/// Padding that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blank {
    /// Rows with it, among those that were looked at.
    pub rows: usize,
    /// Rows that were looked at.
    pub of: usize,
    /// Whether it is NaN, not 0.
    pub is_nan: bool,
}

/// Blank tokens at the end, or the beginning, of rows of `[N, T, D]` that hold others too; `None` if
/// there are few.
pub(super) fn find(array: &Array, tokens: usize, width: usize) -> Option<Blank> {
    let read = array.runs_f64()?;
    let n = array.n_rows();
    if tokens < 2 || width < 2 {
        return None;
    }
    let mut token = vec![0.0; width];
    let mut blank = |row: usize, at: usize| -> Option<bool> {
        read(row, at * width, &mut token);
        if token.iter().all(|x| x.is_nan()) {
            return Some(true);
        }
        token.iter().all(|x| x.abs() <= 0.0).then_some(false)
    };
    let (mut of, mut counts) = (0, [0, 0]);
    for row in (0..n).step_by(n.div_ceil(ROWS).max(1)) {
        of += 1;
        let [first, last] = [blank(row, 0), blank(row, tokens - 1)];
        // A row that is blank at both ends is blank, not padded.
        if let (Some(is_nan), None) | (None, Some(is_nan)) = (first, last) {
            counts[usize::from(is_nan)] += 1;
        }
    }
    let is_nan = counts[1] > 0;
    let rows = counts[usize::from(is_nan)];
    (rows >= LEAST.max(of / SHARE)).then_some(Blank { rows, of, is_nan })
}
