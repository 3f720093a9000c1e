//! The product of one block: 32 rows with 32 columns, in eight tiles.

use std::arch::asm;

use super::machine::Configured;

/// Rows of a tile, and words of each of them.
pub(super) const W: usize = 16;

/// Rows and columns of a block: two tiles each way, so that every tile that is loaded serves two
/// products. Four tiles of sums and two of either side are all eight that there are.
pub(super) const SIDE: usize = 2 * W;

/// 16 rows of 32 values, or 32 values of 16 columns in pairs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Tile(pub(super) [[u32; W]; W]);

/// All values 0.
pub(super) const ZERO: Tile = Tile([[0; W]; W]);

/// Sums of a block, row by row.
pub(super) type Sums = [f32; SIDE * SIDE];

/// Product sums of 32 rows with 32 columns, `P` parts each, added to `sums` if `add`.
#[allow(unsafe_code)]
pub(super) fn multiply<const P: usize>(
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
