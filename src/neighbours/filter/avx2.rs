//! f32 products on AVX2 and FMA, eight multiply-adds an instruction.

use std::arch::asm;
use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_castsi256_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_set1_epi32, _mm256_setzero_ps, _mm256_storeu_ps,
};

use super::frame::Frame;
use super::packed::{Maker, Rounded};
use super::panels::{self, Vector, Words};
use super::single;
use crate::neighbours::points::Points;

/// Lanes of a vector.
const W: usize = 8;

/// Rows of a block, half a panel: with three panels of columns 12 sums, more than it takes to hide
/// the latency of an addition. With three columns and one word of a row they fill all 16 registers.
const ROWS: usize = 4;

/// Proof that the machine has AVX2 and FMA.
#[derive(Clone, Copy)]
struct Avx2(());

/// Whether this machine can.
fn is_available() -> bool {
    std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
}

/// Its row's part for this architecture.
pub(super) const MAKER: Maker = Maker { is_available, pack };

/// Packs rows in f32; `None` if the machine cannot multiply them.
fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
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

panels::kernel!(Avx2, "avx2,fma", rows: ROWS, panels: 3);

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

    #[inline(always)]
    fn sum_up<const R: usize, const P: usize>(
        self,
        left: &[Words<W>],
        part: usize,
        right: [&[Words<W>]; P],
    ) -> [[__m256; P]; R] {
        if R != ROWS || P != 3 {
            return panels::sum_up(self, left, part, right);
        }
        // SAFETY: `self` proves that the machine has these instructions.
        let all = unsafe { sum_up_twelve(self, left, part, [right[0], right[1], right[2]]) };
        let mut sums = [[self.zero(); P]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            sums.copy_from_slice(&all[r * P..(r + 1) * P]);
        }
        sums
    }
}

/// The sums of a whole block, row by row. Left to the compiler, one of them goes to memory and
/// back with every word.
#[target_feature(enable = "avx2,fma")]
#[allow(unsafe_code)]
fn sum_up_twelve(
    vector: Avx2,
    left: &[Words<W>],
    part: usize,
    right: [&[Words<W>]; 3],
) -> [__m256; 12] {
    let depth = left.len();
    assert!(
        part < W / ROWS && right.iter().all(|panel| panel.len() == depth),
        "rows of the panel and columns of the same depth"
    );
    let end = size_of_val(left);
    let [a, b, c] = right.map(|panel| panel.as_ptr().cast::<u8>().wrapping_add(end));
    let row = left.as_ptr().cast::<u8>().wrapping_add(end);
    let row = row.wrapping_add(part * ROWS * size_of::<u32>());
    let mut s = [vector.zero(); 12];
    // SAFETY: `vector` proves that the machine has the instructions. `at` runs from −`end` to 0
    // by the 32 bytes of a word of eight rows: three panels of `depth` of them are read whole,
    // and 4 words of each of the left panel, which has as many and 8 words in each.
    unsafe {
        asm!(
            "test {at}, {at}",
            "jz 3f",
            "2:",
            "vmovups ymm12, [{a} + {at}]",
            "vmovups ymm13, [{b} + {at}]",
            "vmovups ymm14, [{c} + {at}]",
            "vbroadcastss ymm15, [{row} + {at}]",
            "vfmadd231ps ymm0, ymm12, ymm15",
            "vfmadd231ps ymm1, ymm13, ymm15",
            "vfmadd231ps ymm2, ymm14, ymm15",
            "vbroadcastss ymm15, [{row} + {at} + 4]",
            "vfmadd231ps ymm3, ymm12, ymm15",
            "vfmadd231ps ymm4, ymm13, ymm15",
            "vfmadd231ps ymm5, ymm14, ymm15",
            "vbroadcastss ymm15, [{row} + {at} + 8]",
            "vfmadd231ps ymm6, ymm12, ymm15",
            "vfmadd231ps ymm7, ymm13, ymm15",
            "vfmadd231ps ymm8, ymm14, ymm15",
            "vbroadcastss ymm15, [{row} + {at} + 12]",
            "vfmadd231ps ymm9, ymm12, ymm15",
            "vfmadd231ps ymm10, ymm13, ymm15",
            "vfmadd231ps ymm11, ymm14, ymm15",
            "add {at}, 32",
            "jnz 2b",
            "3:",
            at = inout(reg) end.wrapping_neg() => _,
            a = in(reg) a,
            b = in(reg) b,
            c = in(reg) c,
            row = in(reg) row,
            inout("ymm0") s[0], inout("ymm1") s[1], inout("ymm2") s[2],
            inout("ymm3") s[3], inout("ymm4") s[4], inout("ymm5") s[5],
            inout("ymm6") s[6], inout("ymm7") s[7], inout("ymm8") s[8],
            inout("ymm9") s[9], inout("ymm10") s[10], inout("ymm11") s[11],
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nostack, readonly, pure),
        );
    }
    s
}
