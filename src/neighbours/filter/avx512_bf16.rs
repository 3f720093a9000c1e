//! One bf16 product on AVX-512: two multiply-adds where f32 does one.
//!
//! Rows are rounded to bf16, û_i, and the distance that this moves each of them, ‖w_i − û_i‖, is
//! measured. `vdpbf16ps` adds two products a lane to an f32: a product of two bf16 values has 16
//! significant bits and is exact, so each product costs one rounding at most, as the bound of
//! [`super`] supposes. The instruction takes subnormal values for 0 and returns 0 for them; the
//! packed rows hold none, and what a sum loses to underflow the bound pays for.

use std::arch::x86_64::{__m512, __m512bh, _mm512_dpbf16_ps};

use super::avx512::Avx512;
use super::bf16;
use super::frame::Frame;
use super::packed::{Maker, Rounded};
use super::panels::{self, Vector, Words};
use crate::neighbours::points::Points;

/// Lanes of a vector, a pair of values in each.
const W: usize = 16;

/// Rows of a block, as for f32: the sums take as many registers.
const ROWS: usize = 8;

/// Proof that the machine has AVX512_BF16.
#[derive(Clone, Copy)]
struct Avx512Bf16(Avx512);

/// Whether this machine can.
fn is_available() -> bool {
    super::avx512::is_available() && std::is_x86_feature_detected!("avx512bf16")
}

/// Its row's part for this architecture.
pub(super) const MAKER: Maker = Maker { is_available, pack };

/// Packs rows in bf16; `None` if the machine cannot multiply them.
fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    if !is_available() {
        return None;
    }
    let lanes = Avx512Bf16(Avx512::new()?);
    let depth = points.n_columns().div_ceil(2);
    Some(panels::pack(
        lanes,
        points,
        order,
        frame,
        depth,
        bf16::round,
    ))
}

panels::kernel!(Avx512Bf16, "avx512f,avx512bf16", rows: ROWS, panels: 3);

// Always inlined into the kernel, where the instructions are allowed.
impl Vector<W> for Avx512Bf16 {
    type Lanes = __m512;

    #[inline(always)]
    fn zero(self) -> __m512 {
        self.0.zero()
    }

    #[inline(always)]
    fn load(self, words: &Words<W>) -> __m512 {
        self.0.load(words)
    }

    #[inline(always)]
    fn splat(self, words: &[u32], at: usize) -> __m512 {
        self.0.splat(words, at)
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn multiply_add(self, a: __m512, b: __m512, sum: __m512) -> __m512 {
        // SAFETY: `self` proves that the machine has the instruction; both vector types are 64
        // bytes without invalid values.
        unsafe {
            let [a, b] = std::mem::transmute::<[__m512; 2], [__m512bh; 2]>([a, b]);
            _mm512_dpbf16_ps(sum, a, b)
        }
    }

    #[inline(always)]
    fn store(self, sums: __m512, out: &mut [f32; W]) {
        self.0.store(sums, out);
    }

    #[inline(always)]
    fn add_to(self, sums: __m512, out: &mut [f32; W]) {
        self.0.add_to(sums, out);
    }
}
