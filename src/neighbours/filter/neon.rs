//! f32 products on NEON, four multiply-adds an instruction.

use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vdupq_laneq_f32, vdupq_n_f32, vfmaq_f32, vld1q_f32, vst1q_f32,
};

use super::frame::Frame;
use super::packed::{Maker, Rounded};
use super::panels::{self, Vector, Words};
use super::single;
use crate::neighbours::points::Points;

/// Lanes of two vectors.
const W: usize = 8;

/// Rows of a block, half a panel: one vector of words, from which each multiply-add takes its
/// lane. With three panels of columns 24 sums, 6 columns and the rows fill 31 of the 32 registers.
const ROWS: usize = 4;

/// Proof that the machine has NEON, as nearly all of this architecture have.
#[derive(Clone, Copy)]
struct Neon(());

/// Whether this machine can.
fn is_available() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}

/// Its row's part for this architecture.
pub(super) const MAKER: Maker = Maker { is_available, pack };

/// Packs rows in f32; `None` if the machine cannot multiply them.
fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    let lanes = is_available().then_some(Neon(()))?;
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

panels::kernel!(Neon, "neon", rows: ROWS, panels: 3);

// Always inlined into the kernel, where the instructions are allowed.
#[allow(unsafe_code)]
impl Vector<W> for Neon {
    type Lanes = [float32x4_t; 2];

    #[inline(always)]
    fn zero(self) -> Self::Lanes {
        // SAFETY: `self` proves that the machine has the instruction.
        unsafe { [vdupq_n_f32(0.0); 2] }
    }

    #[inline(always)]
    fn load(self, words: &Words<W>) -> Self::Lanes {
        let halves = words.as_chunks::<4>().0;
        // SAFETY: as above; each half has the 16 bytes that are read, at any alignment.
        unsafe {
            [
                vld1q_f32(halves[0].as_ptr().cast()),
                vld1q_f32(halves[1].as_ptr().cast()),
            ]
        }
    }

    // The compiler loads four words once, and multiplies by their lanes without spreading them.
    #[inline(always)]
    fn splat(self, words: &[u32], at: usize) -> Self::Lanes {
        let four = words.as_chunks::<4>().0[at / 4];
        // SAFETY: as above; 4 words are the 16 bytes that are read, at any alignment.
        let word = unsafe {
            let row = vld1q_f32(four.as_ptr().cast());
            match at % 4 {
                0 => vdupq_laneq_f32::<0>(row),
                1 => vdupq_laneq_f32::<1>(row),
                2 => vdupq_laneq_f32::<2>(row),
                _ => vdupq_laneq_f32::<3>(row),
            }
        };
        [word; 2]
    }

    #[inline(always)]
    fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, sum: Self::Lanes) -> Self::Lanes {
        // SAFETY: as above.
        unsafe { [vfmaq_f32(sum[0], a[0], b[0]), vfmaq_f32(sum[1], a[1], b[1])] }
    }

    #[inline(always)]
    fn store(self, sums: Self::Lanes, out: &mut [f32; W]) {
        let halves = out.as_chunks_mut::<4>().0;
        // SAFETY: as above; each half has the 16 bytes that are written, at any alignment.
        unsafe {
            vst1q_f32(halves[0].as_mut_ptr(), sums[0]);
            vst1q_f32(halves[1].as_mut_ptr(), sums[1]);
        }
    }

    #[inline(always)]
    fn add_to(self, sums: Self::Lanes, out: &mut [f32; W]) {
        let halves = out.as_chunks_mut::<4>().0;
        for (half, sum) in halves.iter_mut().zip(sums) {
            // SAFETY: as above, for reading and writing.
            unsafe {
                let sum = vaddq_f32(sum, vld1q_f32(half.as_ptr()));
                vst1q_f32(half.as_mut_ptr(), sum);
            }
        }
    }
}
