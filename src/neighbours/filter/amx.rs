//! bf16 products on AMX, the matrix unit of Sapphire Rapids and later: 32 768 operations in one
//! instruction, sixteen times what AVX512_BF16 does in the same cycles.
//!
//! A tile is 16 rows of 64 bytes. `tdpbf16ps` multiplies a tile of 16 rows of 32 bf16 values with
//! one of 32 values of 16 columns, pairs of values side by side, and adds the sums of 32 products
//! to a tile of 16 × 16 f32. So the rows of a layer are packed twice, once for either side.
//!
//! # Roundings
//!
//! A product of two bf16 values is exact in f32. The 32 of one instruction are added to each
//! other, by 32 roundings a product at most in whatever order, and then to the tile of sums: each
//! later instruction rounds that once more. With T instructions a product passes through 32 + T
//! roundings, much less than D. Subnormal values are taken for 0 and returned as 0; the packed
//! rows hold none, and what a sum loses to underflow the bound pays for.
//!
//! # The split product
//!
//! One product of rows rounded to bf16 moves row i by ρ_i ≈ 0.0015·‖w_i‖. Split into
//! w = high + low + rest, both parts in bf16, it takes three products instead of one
//!
//! ```text
//! G = high_i·high_j + high_i·low_j + low_i·high_j         u_i = high_i + low_i
//! ```
//!
//! and moves a row by the rest only, ρ_i ≈ 4e-6·‖w_i‖. The product that is missing from u_i·u_j,
//! low_i·low_j, is at most λ_i·λ_j with λ_i = ‖low_i‖, which is measured: the bound of [`super`]
//! knows what to do with it. The roundings of three products err relative to
//! (‖high_i‖ + λ_i)·(‖high_j‖ + λ_j) instead of n_i·n_j. A low value is at most 2^−8 of its high
//! one, so λ_i ≤ 2^−8·‖high_i‖ and n_i ≥ (1 − 2^−8)·‖high_i‖, and the square of
//! (1 + 2^−8)/(1 − 2^−8) is below 1 + 2^−5: a thirty-second more steps cover it.

use std::arch::asm;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::frame::Frame;
use super::{Area, Block, Packed, Rounded, bf16, panels};
use crate::neighbours::points::Points;

/// Rows of a tile, and words of each of them.
const W: usize = 16;

/// Rows and columns of a block: two tiles each way, so that every tile that is loaded serves two
/// products. Four tiles of sums and two of either side are all eight that there are.
const SIDE: usize = 2 * W;

/// Rows and columns that are multiplied with each other before the next ones.
const SPAN: usize = 512;

/// Tiles of a row that are multiplied before the next row's turn. A span of rows takes 512 KiB
/// and its sums 1 MiB of the 2 MiB of second-level cache, two panels of columns 32 KiB of the
/// 48 KiB of first-level cache.
const PASS: usize = 16;

/// 16 rows of 32 values, or 32 values of 16 columns in pairs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Tile([[u32; W]; W]);

const ZERO: Tile = Tile([[0; W]; W]);

/// Sums of a block, row by row.
type Sums = [f32; SIDE * SIDE];

/// Proof that the machine has AMX for bf16, and that the kernel lets this process use it.
#[derive(Clone, Copy)]
struct Amx(());

impl Amx {
    fn new() -> Option<Self> {
        is_available().then_some(Self(()))
    }

    /// Makes all eight tiles of this thread 16 rows of 64 bytes, for as long as the result lives.
    fn configure(self) -> Configured {
        if USERS.replace(USERS.get() + 1) == 0 {
            self.load_configuration();
        }
        Configured(PhantomData)
    }

    #[allow(unsafe_code)]
    fn load_configuration(self) {
        #[repr(C, align(64))]
        struct Configuration {
            palette: u8,
            start_row: u8,
            reserved: [u8; 14],
            row_bytes: [u16; 16],
            rows: [u8; 16],
        }
        let mut wanted = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        wanted.row_bytes[..8].fill(64);
        wanted.rows[..8].fill(16);
        // SAFETY: `self` proves that the machine has the instruction; it reads these 64 bytes.
        unsafe {
            asm!(
                "ldtilecfg [{}]",
                in(reg) &raw const wanted,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly, preserves_flags),
            );
        }
    }
}

thread_local! {
    /// How many [`Configured`] live on this thread: who looks at a block may multiply too.
    static USERS: Cell<usize> = const { Cell::new(0) };
}

/// Proof that the tiles of this thread are configured; it never leaves the thread.
struct Configured(PhantomData<*const ()>);

impl Drop for Configured {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if USERS.replace(USERS.get() - 1) > 1 {
            return;
        }
        // SAFETY: only a machine with the instruction makes such a value.
        unsafe {
            asm!(
                "tilerelease",
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
}

/// Whether this machine can and this process may; the kernel is asked once.
pub(super) fn is_available() -> bool {
    static READY: OnceLock<bool> = OnceLock::new();
    *READY.get_or_init(|| has_instructions() && tiles_are_saved() && is_permitted())
}

/// Whether the processor has tiles and their bf16 products.
// The intrinsic became a safe function after the oldest compiler that is supported.
#[allow(unsafe_code, unused_unsafe)]
fn has_instructions() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILES: u32 = 1 << 24;
    // SAFETY: every x86-64 processor has `cpuid`.
    let leaf = unsafe { (__cpuid(0).eax >= 7).then(|| __cpuid_count(7, 0)) };
    leaf.is_some_and(|leaf| leaf.edx & (BF16 | TILES) == BF16 | TILES)
}

/// Whether the operating system saves tiles and their configuration with a thread.
#[allow(unsafe_code, unused_unsafe)]
fn tiles_are_saved() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES: u32 = 0b11 << 17;
    // SAFETY: as above.
    if unsafe { std::arch::x86_64::__cpuid(1) }.ecx & OSXSAVE == 0 {
        return false;
    }
    let saved: u32;
    // SAFETY: OSXSAVE says that the instruction and register 0 exist.
    unsafe {
        asm!(
            "xgetbv",
            in("ecx") 0,
            out("eax") saved,
            out("edx") _,
            options(nomem, nostack, preserves_flags),
        );
    }
    saved & TILES == TILES
}

/// Asks the kernel for room to save the tiles of this process's threads.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn is_permitted() -> bool {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let result: isize;
    // SAFETY: the call reads and writes no memory of the process; a kernel that does not know it
    // returns an error.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Other systems ask in other ways, or not at all: untested, so not used.
#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

/// All rows of a layer, with `P` parts each.
struct Panels<const P: usize> {
    amx: Amx,
    /// Tiles of a part of a panel.
    steps: usize,
    /// For every 16 rows: the tiles for the left side, all parts of a step next to each other, and
    /// then those for the right side. One panel of zeros follows the last.
    tiles: Vec<Tile>,
}

/// Packs rows in bf16; `None` if the machine cannot multiply them.
pub(super) fn pack(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    let (panels, measured) = Panels::<1>::pack(points, order, frame, bf16::round)?;
    let steps = W + W + panels.steps;
    Some(Rounded {
        packed: Box::new(panels),
        measured,
        steps,
    })
}

/// Packs rows in two parts of bf16; `None` if the machine cannot multiply them.
pub(super) fn pack_split(points: &Points<'_>, order: &[u32], frame: &Frame) -> Option<Rounded> {
    #[inline(always)]
    fn halves(row: &mut [f64], words: &mut [u32]) -> [f64; 3] {
        let (high, low) = words.split_at_mut(words.len() / 2);
        bf16::split(row, high, low)
    }
    let (panels, measured) = Panels::<2>::pack(points, order, frame, halves)?;
    let steps = W + W + 3 * panels.steps;
    Some(Rounded {
        packed: Box::new(panels),
        measured,
        // The spare steps of the bound grow by a thirty-second too.
        steps: steps + steps.div_ceil(32) + 1,
    })
}

impl<const P: usize> Panels<P> {
    /// `round` turns a row in its frame into its parts, one after the other.
    fn pack(
        points: &Points<'_>,
        order: &[u32],
        frame: &Frame,
        round: impl Fn(&mut [f64], &mut [u32]) -> [f64; 3] + Sync,
    ) -> Option<(Self, Vec<[f64; 3]>)> {
        let amx = Amx::new()?;
        let steps = points.n_columns().div_ceil(2 * W).max(1);
        let (panel, depth) = (2 * P * steps, P * steps * W);
        let mut tiles = vec![ZERO; (order.len().div_ceil(W) + 1) * panel];
        let panels = tiles.par_chunks_mut(panel);
        let measured =
            panels::round_panels(points, order, frame, [W, depth], round, panels, place::<P>);
        Some((Self { amx, steps, tiles }, measured))
    }

    /// Some steps of 16 rows for the left side.
    fn left(&self, panel: usize, steps: &Range<usize>) -> &[Tile] {
        let start = 2 * P * self.steps * panel;
        &self.tiles[start + P * steps.start..start + P * steps.end]
    }

    /// Some steps of 16 columns for the right side.
    fn right(&self, panel: usize, steps: &Range<usize>) -> &[Tile] {
        let start = 2 * P * self.steps * panel + P * self.steps;
        &self.tiles[start + P * steps.start..start + P * steps.end]
    }

    /// Shows all pairs of one span of rows and one of columns.
    fn span(
        &self,
        rows: &Range<usize>,
        columns: &Range<usize>,
        room: &mut Vec<f32>,
        visit: &mut dyn FnMut(&Block<'_>),
    ) {
        let configured = self.amx.configure();
        let first = [rows.start / W, columns.start / W];
        let blocks =
            |range: &Range<usize>, first: usize| (range.end.div_ceil(W) - first).div_ceil(2);
        let (down, across) = (blocks(rows, first[0]), blocks(columns, first[1]));
        let depth = PASS / P;
        let passes = self.steps.div_ceil(depth);
        // Rows longer than one pass keep the sums of all blocks until the last.
        let kept = if passes > 1 { down * across } else { 1 };
        let kept = aligned(room, kept * SIDE * SIDE);
        let kept: &mut [Sums] = kept.as_chunks_mut().0;
        for pass in 0..passes {
            let steps = pass * depth..((pass + 1) * depth).min(self.steps);
            for c in 0..across {
                let base = (first[1] + 2 * c) * W;
                let wide = columns.start.max(base)..columns.end.min(base + SIDE);
                let panel = first[1] + 2 * c;
                let right = [panel, panel + 1].map(|panel| self.right(panel, &steps));
                for r in 0..down {
                    let panel = first[0] + 2 * r;
                    let top = panel * W;
                    let left = [panel, panel + 1].map(|panel| self.left(panel, &steps));
                    let sums = &mut kept[if passes > 1 { c * down + r } else { 0 }];
                    multiply::<P>(&configured, left, right, pass > 0, sums);
                    if pass + 1 < passes {
                        continue;
                    }
                    let high = rows.start.max(top)..rows.end.min(top + SIDE);
                    let corner = (high.start - top) * SIDE + wide.start - base;
                    visit(&Block {
                        rows: high,
                        columns: wide.clone(),
                        products: &sums[corner..],
                        stride: SIDE,
                    });
                }
            }
        }
    }
}

/// `P` parts of 16 rows, row by row, become tiles for either side.
#[inline(always)]
fn place<const P: usize>(rounded: &[u32], panel: &mut [Tile]) {
    let (left, right) = panel.split_at_mut(panel.len() / 2);
    let depth = left.len() * W;
    let steps = left.len() / P;
    for (at, (left, right)) in left.iter_mut().zip(right).enumerate() {
        let (step, part) = (at / P, at % P);
        let start = (part * steps + step) * W;
        for r in 0..W {
            let words = &rounded[r * depth + start..][..W];
            left.0[r].copy_from_slice(words);
            for (column, &word) in right.0.iter_mut().zip(words) {
                column[r] = word;
            }
        }
    }
}

/// `length` values of `room` that begin at a multiple of 64 bytes.
fn aligned(room: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if room.len() < length + W {
        room.resize(length + W, 0.0);
    }
    // An offset that nobody can tell costs time, nothing else.
    let skip = room.as_ptr().align_offset(64).min(W);
    &mut room[skip..skip + length]
}

impl<const P: usize> Packed for Panels<P> {
    fn multiply(&self, area: &Area, room: &mut Vec<f32>, visit: &mut dyn FnMut(&Block<'_>)) {
        for columns in spans(&area.columns) {
            for rows in spans(&area.rows) {
                self.span(&rows, &columns, room, visit);
            }
        }
    }
}

/// The parts of a range between multiples of [`SPAN`].
fn spans(range: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let (start, end) = (range.start, range.end);
    let spans = start / SPAN..if start < end { end.div_ceil(SPAN) } else { 0 };
    spans.map(move |at| start.max(at * SPAN)..end.min((at + 1) * SPAN))
}

/// Product sums of 32 rows with 32 columns, `P` parts each, added to `sums` if `add`.
#[allow(unsafe_code)]
fn multiply<const P: usize>(
    _: &Configured,
    left: [&[Tile]; 2],
    right: [&[Tile]; 2],
    add: bool,
    sums: &mut Sums,
) {
    let steps = left[0].len() / P;
    assert!(
        steps > 0
            && [left, right]
                .as_flattened()
                .iter()
                .all(|t| t.len() == P * steps),
        "both sides have the same steps"
    );
    // Per step: rows 0-15 and 16-31 to tmm4 and tmm5, columns to tmm6 and tmm7, four products to
    // tmm0..tmm3. Of two parts high·low first, then high·high, then low·high: each product changes
    // one side only.
    //
    // SAFETY: the tiles of this thread are 16 rows of 64 bytes each, as `Configured` proves. Loads
    // read 16 rows at distances of 64 bytes, the tile that the pointer shows at, or with 1024 more
    // the second part of the same step; there are `steps` steps of P tiles each behind all four
    // pointers. Sums are 32 rows of 128 bytes. No tile is used outside of this block.
    unsafe {
        asm!(
            "test {add:e}, {add:e}",
            "jz 2f",
            "tileloadd tmm0, [{sums} + {line}*1]",
            "tileloadd tmm1, [{sums} + {line}*1 + 64]",
            "tileloadd tmm2, [{sums} + {line}*1 + 2048]",
            "tileloadd tmm3, [{sums} + {line}*1 + 2112]",
            "jmp 3f",
            "2:",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "3:",
            "tileloadd tmm4, [{a0} + {row}*1]",
            "tileloadd tmm5, [{a1} + {row}*1]",
            "cmp {step}, 1024",
            "je 4f",
            "tileloadd tmm6, [{b0} + {row}*1 + 1024]",
            "tileloadd tmm7, [{b1} + {row}*1 + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "4:",
            "tileloadd tmm6, [{b0} + {row}*1]",
            "tileloadd tmm7, [{b1} + {row}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "cmp {step}, 1024",
            "je 5f",
            "tileloadd tmm4, [{a0} + {row}*1 + 1024]",
            "tileloadd tmm5, [{a1} + {row}*1 + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "5:",
            "add {a0}, {step}",
            "add {a1}, {step}",
            "add {b0}, {step}",
            "add {b1}, {step}",
            "dec {steps}",
            "jnz 3b",
            "tilestored [{sums} + {line}*1], tmm0",
            "tilestored [{sums} + {line}*1 + 64], tmm1",
            "tilestored [{sums} + {line}*1 + 2048], tmm2",
            "tilestored [{sums} + {line}*1 + 2112], tmm3",
            add = in(reg) u32::from(add),
            sums = in(reg) sums.as_mut_ptr(),
            line = in(reg) SIDE * size_of::<f32>(),
            row = in(reg) W * size_of::<u32>(),
            step = in(reg) P * size_of::<Tile>(),
            steps = inout(reg) steps => _,
            a0 = inout(reg) left[0].as_ptr() => _,
            a1 = inout(reg) left[1].as_ptr() => _,
            b0 = inout(reg) right[0].as_ptr() => _,
            b1 = inout(reg) right[1].as_ptr() => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::points::Metric;
    use crate::neighbours::tests::gaussian;

    #[test]
    fn spans_cover_a_range_in_order() {
        let of = |range: Range<usize>| spans(&range).collect::<Vec<_>>();
        assert_eq!(of(5..1030), [5..512, 512..1024, 1024..1030]);
        assert_eq!(of(512..513), vec![512..513]);
        assert!(of(7..7).is_empty());
        let backwards = Range { start: 600, end: 3 };
        assert!(of(backwards).is_empty());
    }

    #[test]
    fn tiles_hold_rows_on_the_left_and_columns_on_the_right() {
        let (parts, steps) = (2, 3);
        let rounded: Vec<u32> = (0..(W * parts * steps * W) as u32).collect();
        let mut panel = vec![ZERO; 2 * parts * steps];
        place::<2>(&rounded, &mut panel);
        for (step, part) in [(0, 0), (0, 1), (2, 0), (2, 1)] {
            let left = &panel[step * parts + part];
            let right = &panel[parts * steps + step * parts + part];
            for (row, word) in [(0, 0), (3, 15), (15, 7)] {
                let at = row * parts * steps * W + (part * steps + step) * W + word;
                assert_eq!(left.0[row][word], rounded[at]);
                assert_eq!(right.0[word][row], rounded[at]);
            }
        }
    }

    /// Sums of all pairs of an area by one call, each of them shown once.
    fn sums(packed: &Rounded, area: &Area) -> Vec<u32> {
        let missing = f32::NAN.to_bits();
        let mut sums = vec![missing; area.rows.len() * area.columns.len()];
        packed.packed.multiply(area, &mut Vec::new(), &mut |block| {
            for (r, p) in block.rows.clone().enumerate() {
                for (q, x) in block.columns.clone().zip(block.row(r)) {
                    let at = (p - area.rows.start) * area.columns.len() + q - area.columns.start;
                    assert_eq!(std::mem::replace(&mut sums[at], x.to_bits()), missing);
                }
            }
        });
        sums
    }

    fn products(packed: &Rounded, n: usize) -> Vec<u32> {
        sums(packed, &Area::between(0..n, 0..n))
    }

    #[test]
    fn where_an_area_begins_changes_no_sum() {
        if !is_available() {
            eprintln!("skipped: this machine has no amx kernel");
            return;
        }
        // Short rows and rows of several passes, across the end of a span.
        for d in [3, 545] {
            let matrix = gaussian(540, d, 7);
            let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
            let order: Vec<u32> = (0..540).collect();
            for pack in [pack, pack_split] {
                let packed = pack(&points, &order, &Frame::of(&points)).unwrap();
                let across = sums(&packed, &Area::between(501..523, 480..540));
                for (rows, columns) in [(501..512, 512..540), (512..523, 480..500)] {
                    let inside = sums(&packed, &Area::between(rows.clone(), columns.clone()));
                    for (at, &sum) in inside.iter().enumerate() {
                        let p = rows.start + at / columns.len();
                        let q = columns.start + at % columns.len();
                        assert_eq!(sum, across[(p - 501) * 60 + q - 480], "{p} {q} of {d}");
                    }
                }
                assert!(across.iter().all(|&sum| sum != f32::NAN.to_bits()));
            }
        }
    }

    #[test]
    fn threads_and_calls_inside_of_calls_leave_each_others_tiles_alone() {
        if !is_available() {
            eprintln!("skipped: this machine has no amx kernel");
            return;
        }
        const N: usize = 90;
        let packed: Vec<Rounded> = (0..4)
            .map(|seed| {
                let matrix = gaussian(N, 700, seed);
                let points = Points::new(&matrix, Metric::Euclidean, "x").unwrap();
                let order: Vec<u32> = (0..N as u32).collect();
                pack_split(&points, &order, &Frame::of(&points)).unwrap()
            })
            .collect();
        let alone: Vec<Vec<u32>> = packed.iter().map(|packed| products(packed, N)).collect();
        assert!(alone.iter().zip(&alone[1..]).all(|(a, b)| a != b));
        std::thread::scope(|scope| {
            for (packed, alone) in packed.iter().zip(&alone) {
                scope.spawn(move || {
                    for _ in 0..20 {
                        assert!(products(packed, N) == *alone);
                    }
                });
            }
        });
        let area = Area::between(0..N, 0..N);
        packed[0]
            .packed
            .multiply(&area, &mut Vec::new(), &mut |block| {
                assert!(products(&packed[1], N) == alone[1]);
                for (r, p) in block.rows.clone().enumerate() {
                    for (q, x) in block.columns.clone().zip(block.row(r)) {
                        assert_eq!(alone[0][p * N + q], x.to_bits());
                    }
                }
            });
    }
}
