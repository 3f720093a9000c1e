//! f32 products on AVX-512, sixteen multiply-adds an instruction.

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_castsi512_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::frame::Frame;
use super::packed::{Maker, Rounded};
use super::panels::{self, Vector, Words};
use super::single;
use crate::neighbours::points::Points;

/// Lanes of a vector.
const W: usize = 16;

/// Rows of a block, half a panel: with three panels of columns 24 sums, 3 columns and the row fill
/// 28 of the 32 registers.
const ROWS: usize = 8;

/// Proof that the machine has AVX-512.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn new() -> Option<Self> {
        is_available().then_some(Self(()))
    }
}

/// Whether this machine can.
pub(super) fn is_available() -> bool {
    std::is_x86_feature_detected!("avx512f")
}

/// Its row's part for this architecture.
pub(super) const MAKER: Maker = Maker { is_available, pack };

/// Packs rows in f32; `None` if the machine cannot multiply them.
fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    let lanes = Avx512::new()?;
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

panels::kernel!(Avx512, "avx512f", rows: ROWS, panels: 3);

// Always inlined into the kernel, where the instructions are allowed.
#[allow(unsafe_code)]
impl Vector<W> for Avx512 {
    type Lanes = __m512;

    #[inline(always)]
    fn zero(self) -> __m512 {
        // SAFETY: `self` proves that the machine has the instruction.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    fn load(self, words: &Words<W>) -> __m512 {
        // SAFETY: as above; 16 words are the 64 bytes that are read, at any alignment.
        unsafe { _mm512_castsi512_ps(_mm512_loadu_si512(words.as_ptr().cast())) }
    }

    #[inline(always)]
    fn splat(self, words: &[u32], at: usize) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_castsi512_ps(_mm512_set1_epi32(words[at].cast_signed())) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m512, b: __m512, sum: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, sum) }
    }

    #[inline(always)]
    fn store(self, sums: __m512, out: &mut [f32; W]) {
        // SAFETY: as above; 16 values are the 64 bytes that are written, at any alignment.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sums) }
    }

    #[inline(always)]
    fn add_to(self, sums: __m512, out: &mut [f32; W]) {
        // SAFETY: as above, for reading and writing.
        unsafe {
            let sums = _mm512_add_ps(sums, _mm512_loadu_ps(out.as_ptr()));
            _mm512_storeu_ps(out.as_mut_ptr(), sums);
        }
    }
}
