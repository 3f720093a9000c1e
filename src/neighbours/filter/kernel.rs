//! The register of kernels: what each is called, where it runs and how it packs rows.
//!
//! A new kernel is its own file with a [`Maker`], its `mod` line, a variant and a row here.

use super::frame::Frame;
use super::packed::{Maker, Rounded};
use super::portable;
use crate::neighbours::points::Points;

/// What multiplies rows for the filter. Every kernel gives the same results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernel {
    /// The fastest for the machine and the layer.
    #[default]
    Auto,
    /// f32 products by a matrix-multiply library, on any machine.
    Portable,
    /// f32 products, on aarch64 processors with NEON.
    Neon,
    /// f32 products, on x86-64 processors with AVX2 and FMA.
    Avx2,
    /// f32 products, on x86-64 processors with AVX-512.
    Avx512,
    /// One bf16 product, on x86-64 processors with AVX512_BF16.
    Avx512Bf16,
    /// Three bf16 products of rows split in two, on x86-64 processors with AMX under Linux.
    AmxSplit,
    /// One bf16 product on the same.
    Amx,
}

/// What is known of a kernel on every machine.
struct Row {
    kernel: Kernel,
    /// On the command line.
    name: &'static str,
    grain: Grain,
    /// Bytes of a packed row with this number of columns, at most.
    bytes: fn(usize) -> u64,
    /// Absent where the kernel was not compiled.
    maker: Option<Maker>,
}

/// What a kernel rounds rows to.
#[derive(PartialEq, Eq)]
enum Grain {
    /// f32.
    Fine,
    /// f32, by code that nobody has timed: taken only if asked for.
    FineUntimed,
    /// Less than f32, so it must pass the test of [`super::choice`].
    Coarse,
}

/// A maker that exists on one architecture only.
macro_rules! on {
    ($arch:literal, $($maker:tt)+) => {{
        #[cfg(target_arch = $arch)]
        let maker = Some(super::$($maker)+);
        #[cfg(not(target_arch = $arch))]
        let maker = None;
        maker
    }};
}

/// Every kernel, by rising speed.
const KERNELS: [Row; 7] = [
    Row {
        kernel: Kernel::Portable,
        name: "portable",
        grain: Grain::Fine,
        bytes: in_words,
        maker: Some(portable::MAKER),
    },
    Row {
        kernel: Kernel::Neon,
        name: "neon",
        grain: Grain::FineUntimed,
        bytes: in_words,
        maker: on!("aarch64", neon::MAKER),
    },
    Row {
        kernel: Kernel::Avx2,
        name: "avx2",
        grain: Grain::Fine,
        bytes: in_words,
        maker: on!("x86_64", avx2::MAKER),
    },
    Row {
        kernel: Kernel::Avx512,
        name: "avx512",
        grain: Grain::Fine,
        bytes: in_words,
        maker: on!("x86_64", avx512::MAKER),
    },
    Row {
        kernel: Kernel::Avx512Bf16,
        name: "avx512-bf16",
        grain: Grain::Coarse,
        bytes: in_words,
        maker: on!("x86_64", avx512_bf16::MAKER),
    },
    Row {
        kernel: Kernel::AmxSplit,
        name: "amx-split",
        grain: Grain::Coarse,
        bytes: |columns| 2 * in_tiles(columns),
        maker: on!("x86_64", amx::SPLIT_MAKER),
    },
    Row {
        kernel: Kernel::Amx,
        name: "amx",
        grain: Grain::Coarse,
        bytes: in_tiles,
        maker: on!("x86_64", amx::MAKER),
    },
];

fn in_words(columns: usize) -> u64 {
    4 * columns as u64
}

/// The rows lie in tiles twice, once for either side of a product.
fn in_tiles(columns: usize) -> u64 {
    4 * columns.next_multiple_of(32) as u64
}

impl Kernel {
    /// All of them, the choice first, the others by rising speed.
    pub const ALL: [Self; KERNELS.len() + 1] = {
        let mut all = [Self::Auto; KERNELS.len() + 1];
        let mut at = 0;
        while at < KERNELS.len() {
            all[at + 1] = KERNELS[at].kernel;
            at += 1;
        }
        all
    };

    /// The kernel's row; the choice has none.
    fn known(self) -> Option<&'static Row> {
        const ROWS: &[Row] = &KERNELS;
        ROWS.iter().find(|row| row.kernel == self)
    }

    fn maker(self) -> Option<Maker> {
        self.known().and_then(|row| row.maker)
    }

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        self.known().map_or("auto", |row| row.name)
    }

    /// Whether this machine can run it; asking for one that it cannot run gives the best f32
    /// kernel that it can.
    pub fn is_available(self) -> bool {
        self == Self::Auto || self.maker().is_some_and(|maker| (maker.is_available)())
    }

    /// Bytes of a packed row at most; for `Auto`, of the largest among the kernels that it could choose.
    pub(in crate::neighbours) fn packed_row(self, columns: usize) -> u64 {
        match self.known() {
            Some(row) => (row.bytes)(columns),
            None => KERNELS
                .iter()
                .filter(|row| row.kernel.is_available())
                .map(|row| (row.bytes)(columns))
                .fold(0, u64::max),
        }
    }

    /// Whether it rounds rows to less than f32.
    pub(in crate::neighbours) fn is_coarse(self) -> bool {
        self.known().is_some_and(|row| row.grain == Grain::Coarse)
    }

    /// The best of this machine with f32 products.
    pub(in crate::neighbours) fn best_precise() -> Self {
        let precise = |row: &&Row| row.grain == Grain::Fine && row.kernel.is_available();
        let found = KERNELS.iter().rfind(precise);
        found.map_or(Self::Portable, |row| row.kernel)
    }

    /// The coarse kernels of this machine, coarsest first; where there is AMX, AVX512-BF16 is left
    /// out, since both multiply bf16 and AMX is faster.
    pub(super) fn coarse() -> impl Iterator<Item = Self> {
        let others = !Self::Amx.is_available();
        let here = |kernel: &Self| kernel.is_coarse() && kernel.is_available();
        let all = Self::ALL.into_iter().rev().filter(here);
        all.filter(move |&kernel| others || kernel != Self::Avx512Bf16)
    }

    /// The rows packed for it; `None` if this machine lacks it.
    pub(super) fn rounded(
        self,
        points: &Points<'_>,
        order: &[u32],
        frame: &Frame,
    ) -> Option<Rounded> {
        (self.maker()?.pack)(points, order, frame)
    }

    /// The same, for the portable kernel if this machine lacks it.
    pub(super) fn packed_rows(self, points: &Points<'_>, order: &[u32], frame: &Frame) -> Rounded {
        self.rounded(points, order, frame)
            .unwrap_or_else(|| portable::pack(points, order, frame))
    }
}
