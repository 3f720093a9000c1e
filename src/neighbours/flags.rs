//! Testing many pairs at once: a branch per pair that passes, none per pair that does not.

/// Pairs that are tested together before any is looked at alone.
pub(super) const BLOCK: usize = 64;

/// Tests up to a block of pairs: 1 where `passes(left, right)`, else 0.
///
/// No branch depends on the data, so the compiler can use the widest vectors there are.
#[inline(always)]
pub(super) fn flag(left: &[f32], right: &[f32], passes: impl Fn(f32, f32) -> bool) -> [u8; BLOCK] {
    let mut flags = [0; BLOCK];
    for ((flag, &left), &right) in flags.iter_mut().zip(left).zip(right) {
        *flag = u8::from(passes(left, right));
    }
    flags
}

/// Calls `visit` with the place of every flag that is set, eight flags at a glance.
#[inline(always)]
pub(super) fn for_each_flagged(flags: &[u8; BLOCK], mut visit: impl FnMut(usize)) {
    for (at, &eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        let mut word = u64::from_le_bytes(eight);
        while word != 0 {
            visit(8 * at + word.trailing_zeros() as usize / 8);
            word &= word - 1;
        }
    }
}
