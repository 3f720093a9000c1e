//! Testing many pairs at once: a branch per pair that passes, none per pair that does not.

/// Pairs that are tested together before any is looked at alone.
pub(super) const BLOCK: usize = 64;

/// Tests up to `N` pairs: 1 where `passes(left, right)`, else 0.
///
/// No branch depends on the data, so the compiler can use the widest vectors there are.
#[inline(always)]
pub(super) fn flag<const N: usize>(
    left: &[f32],
    right: &[f32],
    passes: impl Fn(f32, f32) -> bool,
) -> [u8; N] {
    let mut flags = [0; N];
    if let (Some(left), Some(right)) = (left.first_chunk::<N>(), right.first_chunk::<N>()) {
        // As many as there can be: a length that the compiler knows.
        for at in 0..N {
            flags[at] = u8::from(passes(left[at], right[at]));
        }
    } else {
        for ((flag, &left), &right) in flags.iter_mut().zip(left).zip(right) {
            *flag = u8::from(passes(left, right));
        }
    }
    flags
}

/// Calls `visit` with the place of every flag that is set, eight flags at a glance.
#[inline(always)]
pub(super) fn for_each_flagged<const N: usize>(flags: &[u8; N], mut visit: impl FnMut(usize)) {
    const { assert!(N.is_multiple_of(8), "no flag beyond the last eight") };
    for (at, &eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        let mut word = u64::from_le_bytes(eight);
        while word != 0 {
            visit(8 * at + word.trailing_zeros() as usize / 8);
            word &= word - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_set_where_pairs_pass_however_many_there_are() {
        let left: Vec<f32> = (0..BLOCK).map(|at| (at * 37 % 64) as f32).collect();
        let right: Vec<f32> = (0..BLOCK).map(|at| (at * 11 % 64) as f32).collect();
        for count in [0, 1, 15, 16, 17, BLOCK - 1, BLOCK] {
            let (left, right) = (&left[..count], &right[..count]);
            let flags: [u8; BLOCK] = flag(left, right, |x, y| x >= y);
            let mut visited = Vec::new();
            for_each_flagged(&flags, |at| visited.push(at));
            let passing: Vec<usize> = (0..count).filter(|&at| left[at] >= right[at]).collect();
            assert_eq!(visited, passing);
        }
    }
}
