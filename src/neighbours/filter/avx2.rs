//! f32 products on AVX2 and FMA, eight multiply-adds an instruction.

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_castsi256_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_set1_epi32, _mm256_setzero_ps, _mm256_storeu_ps,
};

use super::frame::Frame;
use super::panels::{self, Vector, Words};
use super::{Rounded, single};
use crate::neighbours::points::Points;

/// Lanes of a vector.
const W: usize = 8;

/// Rows of a block, half a panel: with two panels of columns 8 sums, as many as it takes to hide
/// the latency of an addition. A third panel would need all 16 registers and one more.
const ROWS: usize = 4;

/// Proof that the machine has AVX2 and FMA.
#[derive(Clone, Copy)]
struct Avx2(());

/// Whether this machine can.
pub(super) fn is_available() -> bool {
    std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
}

/// Packs rows in f32; `None` if the machine cannot multiply them.
pub(super) fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    let lanes = is_available().then_some(Avx2(()))?;
    let depth = points.n_columns();
    Some(panels::pack(
        lanes,
        points,
        order,
        frame,
        depth,
        single::round,
    ))
}

panels::kernel!(Avx2, "avx2,fma", rows: ROWS, panels: 2);

// Always inlined into the kernel, where the instructions are allowed.
#[allow(unsafe_code)]
impl Vector<W> for Avx2 {
    type Lanes = __m256;

    #[inline(always)]
    fn zero(self) -> __m256 {
        // SAFETY: `self` proves that the machine has the instruction.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    fn load(self, words: &Words<W>) -> __m256 {
        // SAFETY: as above; 8 words are the 32 bytes that are read, at any alignment.
        unsafe { _mm256_castsi256_ps(_mm256_loadu_si256(words.as_ptr().cast())) }
    }

    #[inline(always)]
    fn splat(self, words: &[u32], at: usize) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_castsi256_ps(_mm256_set1_epi32(words[at].cast_signed())) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m256, b: __m256, sum: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, sum) }
    }

    #[inline(always)]
    fn store(self, sums: __m256, out: &mut [f32; W]) {
        // SAFETY: as above; 8 values are the 32 bytes that are written, at any alignment.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), sums) }
    }

    #[inline(always)]
    fn add_to(self, sums: __m256, out: &mut [f32; W]) {
        // SAFETY: as above, for reading and writing.
        unsafe {
            let sums = _mm256_add_ps(sums, _mm256_loadu_ps(out.as_ptr()));
            _mm256_storeu_ps(out.as_mut_ptr(), sums);
        }
    }
}
