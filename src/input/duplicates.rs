//! Exactly equal rows.

use half::{bf16, f16};
use rayon::prelude::*;

use super::matrix::{Matrix, Values};

/// Which rows repeat which.
///
/// Rows are equal if all their values are, bit for bit after widening, with −0 equal to +0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// First occurrences, ascending: the rows to keep.
    pub kept: Vec<u32>,
    /// How often each kept row occurs.
    pub multiplicity: Vec<u32>,
    /// For every row, the position of its first occurrence in `kept`.
    pub inverse: Vec<u32>,
}

impl Duplicates {
    /// What is known once every row names the first row that it is equal to.
    ///
    /// # Panics
    /// If a row names a later one.
    pub(crate) fn of_first(first: Vec<u32>) -> Self {
        let (mut kept, mut multiplicity) = (Vec::new(), Vec::new());
        // A first occurrence comes before its repeats, so its position is known when they need it.
        let mut inverse = first;
        for i in 0..u32::try_from(inverse.len()).expect("rows are counted in 32 bits") {
            let original = inverse[i as usize];
            inverse[i as usize] = if original == i {
                kept.push(i);
                multiplicity.push(1);
                u32::try_from(kept.len() - 1).expect("no more than the rows")
            } else {
                let at = inverse[original as usize];
                multiplicity[at as usize] += 1;
                at
            };
        }
        Self {
            kept,
            multiplicity,
            inverse,
        }
    }

    /// Number of rows that repeat an earlier one.
    pub fn n_duplicates(&self) -> usize {
        self.inverse.len() - self.kept.len()
    }

    /// How often the most frequent row occurs; 0 without rows.
    pub fn max_multiplicity(&self) -> u32 {
        self.multiplicity.iter().copied().max().unwrap_or(0)
    }

    /// The first row that repeats an earlier one.
    pub fn first_repeat(&self) -> Option<usize> {
        let first = |row: usize| self.kept[self.inverse[row] as usize] as usize;
        (0..self.inverse.len()).find(|&row| first(row) != row)
    }
}

/// Finds equal rows by hash and confirms each by comparison, in O(N) memory.
pub fn find_duplicates(matrix: &Matrix) -> Duplicates {
    let width = matrix.n_columns();
    match matrix.values() {
        Values::F16(values) => find(matrix, |row| &values[row * width..(row + 1) * width]),
        Values::Bf16(values) => find(matrix, |row| &values[row * width..(row + 1) * width]),
        Values::F32(values) => find(matrix, |row| &values[row * width..(row + 1) * width]),
        Values::F64(values) => find(matrix, |row| &values[row * width..(row + 1) * width]),
    }
}

/// A float seen as bits in which −0 and +0 are one.
trait Bits: Copy + Sync {
    fn bits(self) -> u64;
}

impl Bits for f16 {
    fn bits(self) -> u64 {
        let bits = self.to_bits();
        u64::from(if bits == 0x8000 { 0 } else { bits })
    }
}

impl Bits for bf16 {
    fn bits(self) -> u64 {
        let bits = self.to_bits();
        u64::from(if bits == 0x8000 { 0 } else { bits })
    }
}

impl Bits for f32 {
    fn bits(self) -> u64 {
        u64::from((self + 0.0).to_bits())
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        (self + 0.0).to_bits()
    }
}

fn find<'a, T: Bits + 'a>(matrix: &Matrix, stored: impl Fn(usize) -> &'a [T] + Sync) -> Duplicates {
    let n = u32::try_from(matrix.n_rows()).expect("rows are counted in 32 bits");
    let row = |row: u32| stored(matrix.stored_row(row as usize));
    let mut keys: Vec<(u64, u32)> = (0..n).into_par_iter().map(|i| (hash(row(i)), i)).collect();
    keys.par_sort_unstable();

    let mut first: Vec<u32> = (0..n).collect();
    for group in keys
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
    {
        // Ascending rows of one hash: almost always one distinct row.
        let mut distinct: Vec<u32> = Vec::new();
        for &(_, i) in group {
            match distinct.iter().find(|&&j| equal(row(i), row(j))) {
                Some(&j) => first[i as usize] = j,
                None => distinct.push(i),
            }
        }
    }

    Duplicates::of_first(first)
}

fn equal<T: Bits>(a: &[T], b: &[T]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.bits() == b.bits())
}

/// Multiply and fold, in four lanes that do not wait for each other.
fn hash<T: Bits>(row: &[T]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, bits: u64| (state.rotate_left(23) ^ bits).wrapping_mul(ODD);
    let mut lanes = [1u64, 2, 3, 4];
    let chunks = row.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = mix(*lane, x.bits());
        }
    }
    let lanes = rest
        .iter()
        .fold(lanes, |[a, b, c, d], x| [mix(a, x.bits()), b, c, d]);
    let folded = lanes.into_iter().fold(0, mix);
    folded ^ (folded >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    fn naive(rows: &[Vec<f64>]) -> Vec<u32> {
        rows.iter()
            .map(|row| u32::try_from(rows.iter().position(|other| other == row).unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn repeats_of_a_lattice_are_found_as_by_comparing_all_pairs() {
        let mut random = SplitMix64::new(5);
        let rows: Vec<Vec<f64>> = (0..400)
            .map(|_| (0..5).map(|_| random.below(3) as f64 - 1.0).collect())
            .collect();
        let found = find_duplicates(&Matrix::from_f64(400, 5, rows.concat()));
        let first: Vec<u32> = found
            .inverse
            .iter()
            .map(|&at| found.kept[at as usize])
            .collect();
        assert_eq!(first, naive(&rows));
        assert_eq!(found.multiplicity.iter().sum::<u32>(), 400);
        assert!(found.kept.is_sorted() && found.n_duplicates() == 400 - found.kept.len());
        let halves: Vec<f16> = rows.concat().iter().map(|&x| f16::from_f64(x)).collect();
        assert_eq!(find_duplicates(&Matrix::from_f16(400, 5, halves)), found);
    }

    #[test]
    fn both_zeros_are_equal_and_selected_rows_keep_their_order() {
        let matrix = Matrix::from_f32(4, 2, vec![0.0, 1.0, 2.0, 3.0, -0.0, 1.0, 2.0, 3.5]);
        let found = find_duplicates(&matrix.select(&[3, 2, 1, 0]));
        assert_eq!(found.kept, [0, 1, 2]);
        assert_eq!(found.multiplicity, [1, 2, 1]);
        assert_eq!(found.inverse, [0, 1, 2, 1]);
        assert_eq!(found.first_repeat(), Some(3));
        assert_eq!(found.max_multiplicity(), 2);
    }
}
