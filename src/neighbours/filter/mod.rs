//! The filter: approximate squared distances, and how wrong they can be.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_bf16;
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "the kernels that round to bf16 are for x86-64")
)]
pub(super) mod bf16;
mod block;
mod bound;
mod choice;
mod frame;
mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod operand;
mod packed;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod panels;
mod portable;
mod single;
mod store;
mod stored;

pub(super) use block::{Area, Block};
#[cfg(any(test, feature = "cuda"))]
pub(super) use bound::Bound;
pub(super) use bound::median;
pub(super) use choice::{Demand, choose, pack};
#[cfg(test)]
pub(super) use frame::Frame;
#[cfg(feature = "cuda")]
pub(super) use frame::power_of_two_below;
pub use kernel::Kernel;
pub(super) use operand::Operand;
pub(super) use store::Room;
